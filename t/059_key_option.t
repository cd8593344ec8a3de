# ssl_guard_ctl --key FILE: the pair lies beside the key and is named after it, so
# that one directory has several.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;

my $certs = ESG::Certs->new;
my $dir = $certs->dir . '/keys';
my %secret = (a => 'first secret', b => 'second secret');

mkdir $dir, 0700 or die "mkdir: $!";

# "exit status: output and messages"
sub ctl
{
	my ($input, @arguments) = @_;
	my $said = '';

	IPC::Run::run([ 'ssl_guard_ctl', @arguments ], '<', \$input, '>&', \$said);
	return ($? >> 8) . ": $said";
}

foreach my $name ('a', 'b')
{
	my $key = "$dir/$name.test.key";

	system("openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass 'pass:$secret{$name}' -out '$key' 2>'$dir/openssl' || "
		  . "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass 'pass:$secret{$name}' -out '$key' 2>'$dir/openssl'") == 0 or die 'openssl genpkey';
	chmod 0600, $key;
	like(ctl("$secret{$name}\n", 'encrypt', '--key', $key), qr/^0: wrote "\Q$key\E\.cipher" and "$name\.test\.key\.rand"/m, "$name: the pair is made");
	ok(-f "$key.cipher" && -f "$key.rand", "$name: beside the key");
}
foreach my $name ('a', 'b')
{
	my $key = "$dir/$name.test.key";

	is(ctl('', 'decrypt', '--key', $key), "0: $secret{$name}\n", "$name: decrypt");
	like(ctl('', 'check', '--key', $key), qr/^0: the pair is usable/m, "$name: check");
	like(ctl('', 'check', "--key=$key"), qr/^0: the pair is usable/m, "$name: with an equals sign");
}
like(ctl("$secret{b}\n", 'encrypt', '--force', '--key', "$dir/a.test.key"), qr/^1: .*does not open private key file "\Q$dir\E\/a\.test\.key"/ms, "another key's passphrase is refused");
is(ctl('', 'decrypt', '--key', "$dir/a.test.key"), "0: $secret{a}\n", 'and the pair is as it was');

# the key named from where one is
chdir $dir or die "chdir: $!";
is(ctl('', 'decrypt', '--key', 'b.test.key'), "0: $secret{b}\n", 'a name without a directory');
is(ctl('', 'decrypt', '--key', './b.test.key'), "0: $secret{b}\n", 'and one with');
chdir '/';

# what --key is not
like(ctl('', 'decrypt', '--key', "$dir/a.test.key", '-D', $dir), qr/^2: .*--key stands for -D and -M/ms, 'not with -D');
like(ctl('', 'decrypt', '-M', 'client', '--key', "$dir/a.test.key"), qr/^2: .*--key stands for -D and -M/ms, 'not with -M');
like(ctl('', 'decrypt', '--key', "$dir/"), qr/^2: .*is not the name of a file/ms, 'a directory');
like(ctl('', 'decrypt', '--key', '..'), qr/^2: .*is not the name of a file/ms, 'another');
like(ctl('', 'decrypt', '--key', "$dir/" . 'x' x 245), qr/^2: .*name of the key file is too long/ms, 'too long a name for a pair');
like(ctl('', 'decrypt', '--key', "$dir/" . 'x' x 244), qr/^1: .*No such file or directory/ms, 'its twin is looked for');
like(ctl("secret\n", 'encrypt', '--key', "$dir/" . 'x' x 244), qr/^0: /m, 'and can be made');
is(ctl('', 'decrypt', '--key', "$dir/" . 'x' x 244), "0: secret\n", 'and read');

# what an interrupted "encrypt" leaves
ESG::Certs::spew("$dir/a.test.key.rand.new", 'x');
like(ctl('', 'check', '--key', "$dir/a.test.key"), qr/ssl_guard_ctl tidy --key '\Q$dir\E\/a\.test\.key'/, 'check says how to tidy');
like(ctl('', 'tidy', '--key', "$dir/a.test.key"), qr/^0:/, 'which is done');
ok(!-e "$dir/a.test.key.rand.new" && -f "$dir/a.test.key.rand", 'by taking away no more than that');

done_testing();

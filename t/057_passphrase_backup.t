# A base backup, and whether it has the passphrase pair: with key and pair in
# one copy, whoever has it has the key.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Ctl;
use ESG::Node;

my $passphrase = 'open sesame';
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $base = PostgreSQL::Test::Utils::tempdir();
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca, passphrase => $passphrase),
	init => { allows_streaming => 1 }, conf => "ext_ssl_guard.expire_check_interval = 0\n");
# setup() replaces what allows_streaming has put there
$node->set_hba('local replication all trust');
my $data = $node->data_dir;

# what ssl_guard_ctl says on standard error, after its success
sub encrypt
{
	my ($dir) = @_;
	my ($out, $err) = ('', '');

	mkdir $dir, 0700;
	ESG::Certs::spew("$base/input", "$passphrase\n");
	IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '-D', $dir ], '<', "$base/input", '>', \$out, '2>', \$err);
	is($?, 0, "encrypt in $dir");
	return $err;
}

my $backups = 0;

# Does a base backup have all that it takes to open the key?
sub backup_opens_key
{
	my $backup = "$base/backup" . ++$backups;
	my $said = '';

	IPC::Run::run([ 'pg_basebackup', '-D', $backup, '-h', $node->host, '-p', $node->port, '-U', 'postgres', '-c', 'fast', '-X', 'none' ],
		'<', \undef, '>&', \$said);
	is($?, 0, 'pg_basebackup') or diag($said);
	ok(-s "$backup/server.key", 'the backup has the key');
	# wherever the pair is in there
	my @dirs = map { s{/server\.key\.cipher$}{}r } split /\n/, `find '$backup' -name server.key.cipher`;
	my $opens = 0;
	foreach my $dir (@dirs)
	{
		IPC::Run::run([ 'sh', '-c', "ssl_guard_ctl decrypt -D '$dir' >'$base/copied' && openssl pkey -in '$backup/server.key' -passin 'file:$base/copied' -noout" ],
			'>&', \$said);
		$opens++ if $? == 0;
	}
	return $opens;
}

sub alarm_is
{
	my ($want, $name) = @_;

	is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_check() WHERE code = 'passphrase_in_backup' AND severity = 'notice'"),
		$want, "$name: alarm");
	my ($status, $report) = ESG::Ctl::report('check', '-D', $data);
	my ($server) = ESG::Ctl::objects($report, 'server');

	is($server ? join(' ', ESG::Ctl::codes($server)) : '', $want ? 'passphrase_in_backup' : '', "$name: check says the same");
	return;
}

sub use_directory
{
	my ($setting) = @_;

	$node->set_conf('ext_ssl_guard.passphrase_directory' => $setting);
	$node->reload;
	$node->wait_sql('SHOW ext_ssl_guard.passphrase_directory', $setting);
	return;
}

my $in_data = qr/warning: directory ".*" is in the data directory "\Q$data\E": backups take the pair along with the key\n/;

like(encrypt($data), $in_data, 'in the data directory: encrypt warns');
my $offset = $node->log_end;
$node->start;
$node->wait_log(qr/DETAIL:  code=passphrase_in_backup severity=notice path=\S*\Q@{[ $data =~ s{.*\/}{}r ]}\E/, $offset);
alarm_is(1, 'beside the key');
is(backup_opens_key(), 1, 'and a backup opens the key');

# outside
my $outside = "$base/outside";
unlike(encrypt($outside), qr/warning/, 'outside: encrypt does not warn');
use_directory($outside);
unlink "$data/server.key.$_" foreach qw(cipher rand);
alarm_is(0, 'outside');
is(backup_opens_key(), 0, 'and no backup opens the key');

# names that lead elsewhere, and halves
my $inside = "$data/pair";
like(encrypt($inside), $in_data, 'a directory below: encrypt warns');
symlink $inside, "$base/link";
like(encrypt("$base/link"), $in_data, 'a link to it: encrypt warns');
foreach my $name ('pair', "$base/link")
{
	use_directory($name);
	alarm_is(1, "passphrase_directory '$name'");
	is(backup_opens_key(), 1, 'and a backup opens the key');
}
rename "$inside/server.key.rand", "$outside/half";
symlink "$outside/half", "$inside/server.key.rand";
alarm_is(0, 'one half is a link to the outside');
is(backup_opens_key(), 0, 'and no backup opens the key');
system('rm', '-r', $inside);
symlink $outside, $inside;
use_directory('pair');
unlike(encrypt($inside), qr/warning: directory/, 'a link to the outside: encrypt does not warn');
alarm_is(0, 'a link to the outside');
is(backup_opens_key(), 0, 'and no backup opens the key');

# a database's directory has a PG_VERSION, too
my ($database) = grep { -f "$_/PG_VERSION" } glob("$data/base/*");
like(encrypt($database), $in_data, 'in a directory of a database: it is the data directory that is named');

$node->stop;
done_testing();

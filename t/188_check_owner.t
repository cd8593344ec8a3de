# ssl_guard_ctl check run by root: what it says of a server's files is what the
# server's user finds, who may read less; as that user it says the same, and it is that
# user who asks the server's program.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Users;

my $dir = ESG::Users::enter();
my $certs = ESG::Certs->new("$dir/certs");
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca, key => 'rsa:2048');
my $locked = $certs->make_server('locked', ca => $ca, key => 'rsa:2048', passphrase => 'open sesame');
my $data = "$dir/data";
my $postgres = "$dir/postgres";
my %owner = (root => 0, postgres => 26, other => 27, mallory => 4713);

# A server's program that knows these settings, and notes who asks.
ESG::Certs::spew($postgres, <<"SH");
#!/bin/sh
id -u >>'$dir/asked/by'
case "\$1 \$2" in
--version*) echo 'postgres (PostgreSQL) 15.1' ;;
'-C data_directory') echo '$data' ;;
'-C ssl') echo on ;;
'-C ssl_cert_file') echo server.crt ;;
'-C ssl_key_file') echo server.key ;;
'-C ssl_ca_file') echo root.crt ;;
'-C ssl_min_protocol_version') echo TLSv1.2 ;;
'-C ssl_ciphers') echo 'HIGH:!aNULL' ;;
'-C ssl_ecdh_curve') echo prime256v1 ;;
'-C shared_preload_libraries') cat '$dir/asked/libraries' ;;
'-C ssl_crl_file' | '-C ssl_crl_dir' | '-C ssl_dh_params_file' | '-C ssl_max_protocol_version' | '-C ssl_passphrase_command') echo ;;
*) echo "postgres: unrecognized configuration parameter \\"\$2\\"" >&2; exit 1 ;;
esac
SH
chmod 0755, $postgres;
mkdir "$dir/asked" or die "mkdir: $!";
chmod 0777, "$dir/asked";
ESG::Certs::spew("$dir/asked/libraries", "\n");

sub put
{
	my ($name, $text, $owner, $group, $mode) = @_;

	unlink "$data/$name";
	ESG::Certs::spew("$data/$name", $text);
	chown $owner{$owner}, $ESG::Users::groups{$group}, "$data/$name" or die "chown: $!";
	chmod $mode, "$data/$name" or die "chmod: $!";
	return;
}

sub lay
{
	system('rm', '-rf', $data);
	mkdir $data, 0700 or die "mkdir: $!";
	put('PG_VERSION', "15\n", 'postgres', 'postgres', 0600);
	put('postgresql.conf', '', 'postgres', 'postgres', 0600);
	put('server.crt', ESG::Certs::slurp($server->{cert}), 'postgres', 'postgres', 0644);
	put('server.key', ESG::Certs::slurp($server->{key}), 'postgres', 'postgres', 0600);
	put('root.crt', ESG::Certs::slurp($ca->{cert}), 'postgres', 'postgres', 0644);
	chown $owner{postgres}, $ESG::Users::groups{postgres}, $data or die "chown: $!";
	return;
}

sub check { my ($user, @more) = @_; return ESG::Users::run($user, 'ssl_guard_ctl', 'check', @more); }

# the server's key as it is put, and what the server would make of it
foreach my $case (
	[ 'its own', qr/^OK: the next start or reload would succeed$/m, sub { } ],
	[ 'a key that root alone may read', qr/would fail: .*server\.key": Permission denied$/m,
		sub { put('server.key', ESG::Certs::slurp($server->{key}), 'root', 'root', 0600) } ],
	[ "root's, for the group", qr/^\w+: the next start or reload would succeed$/m,
		sub { put('server.key', ESG::Certs::slurp($server->{key}), 'root', 'ssl-cert', 0640) } ],
	[ "another user's", qr/would fail: .*the server does not take a key that belongs to another user$/m,
		sub { put('server.key', ESG::Certs::slurp($server->{key}), 'mallory', 'ssl-cert', 0640) } ],
	[ 'a certificate that root alone may read', qr/would fail: .*server\.crt": Permission denied$/m,
		sub { put('server.crt', ESG::Certs::slurp($server->{cert}), 'root', 'root', 0600) } ],
	[ 'CAs of another user, whom nobody stops', qr/^\w+: the next start or reload would succeed$/m,
		sub { put('root.crt', ESG::Certs::slurp($ca->{cert}), 'mallory', 'mallory', 0644) } ],
	[ 'a key with a passphrase', qr/the next start would succeed, if somebody gives the passphrase/m,
		sub { put("server.$_->[0]", ESG::Certs::slurp($_->[1]), 'postgres', 'postgres', 0600) foreach [ crt => $locked->{cert} ], [ key => $locked->{key} ] } ])
{
	my ($name, $pattern, $spoil) = @$case;

	lay();
	$spoil->();
	unlink "$dir/asked/by";
	my ($status, $said) = check('root', '-D', $data, '--postgres', $postgres);

	like($said, $pattern, "$name: root is told");
	is(join(' ', sort { $a <=> $b } keys %{ { map { $_ => 1 } split /\n/, ESG::Certs::slurp("$dir/asked/by") } }), $owner{postgres}, "$name: the server's user has asked");
	# a second later it may be a day less
	my @both = map { s/ \(in \d+ days\)//gr } "$status $said", join(' ', check('postgres', '-D', $data, '--postgres', $postgres));
	is($both[0], $both[1], "$name: as that user is");
}

# a pair is the server's user's, too
lay();
put("server.$_->[0]", ESG::Certs::slurp($_->[1]), 'postgres', 'postgres', 0600) foreach [ crt => $locked->{cert} ], [ key => $locked->{key} ];
ESG::Certs::spew("$dir/word", "open sesame\n");
chmod 0644, "$dir/word";
my ($status, $said) = ESG::Users::run('postgres', 'ssl_guard_ctl', 'encrypt', '-D', $data, '--passphrase-file', "$dir/word");
is($status, 0, 'a pair') or diag($said);
ESG::Certs::spew("$dir/asked/libraries", "ext_ssl_guard\n");
($status, $said) = check('root', '-D', $data, '--postgres', $postgres);
like($said, qr/^\w+: the next start or reload would succeed$/m, 'opens the key');
like($said, qr/passphrase_in_backup/, 'and is where it should not be');
is("$status $said", join(' ', check('postgres', '-D', $data, '--postgres', $postgres)), 'as the server\'s user is told');
chown 0, 0, "$data/server.key.rand";
($status, $said) = check('root', '-D', $data, '--postgres', $postgres);
like($said, qr/would fail: .*server\.key\.rand" cannot be used/m, "root's is none");

# files, with the eyes of a user who is named
lay();
($status, $said) = check('root', '--as', 'key', "$data/server.key", '--as', 'server', "$data/server.crt", '--as', 'ca', "$data/root.crt", '--user', 'postgres');
is($status, 0, 'files of the server, for its user') or diag($said);
($status, $said) = check('root', '--as', 'key', "$data/server.key", '--user', 'mallory');
is($status, 2, 'and for another');
like($said, qr/Permission denied|cannot be read|file_unreadable/, 'who may not read them');
($status, $said) = check('root', '-D', $data, '--postgres', $postgres, '--user', 'nobody-of-that-name');
is($status, 3, 'a user who is none') or diag($said);
done_testing();

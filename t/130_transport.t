# ssl_guard_transport: how clients come, and who would be locked out.

use strict;
use warnings;

use POSIX ();
use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Registry;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $app = $certs->make_client('app', ca => $ca);
my $cert = $certs->make_client('cert', ca => $ca);
my $node = ESG::Node->new('main');
my @hba = (
	'host all scram 127.0.0.1/32 scram-sha-256',
	'host all clear 127.0.0.1/32 password',
	'hostssl all cert 127.0.0.1/32 cert',
	'hostssl all never 127.0.0.1/32 trust',
	'host all never 127.0.0.1/32 reject',
	'host all all 127.0.0.1/32 trust');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca, key => 'rsa:2048'),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "ext_ssl_guard.max_transport_entries = 10\next_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.exempt_roles = 'exempt'",
	hba => \@hba);
$node->start;
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN PASSWORD 'secret'") foreach qw(app scram clear cert never exempt);

# [name, role, options]; a role comes in one way, but for app
my @ways = (
	[ 'plain', 'app', sslmode => 'disable' ],
	[ 'tls13', 'app', more => 'ssl_min_protocol_version=TLSv1.3' ],
	[ 'tls12', 'app', more => 'ssl_max_protocol_version=TLSv1.2' ],
	[ 'cert13', 'app', client => $app, more => 'ssl_min_protocol_version=TLSv1.3' ],
	[ 'scram', 'scram', more => 'password=secret ssl_min_protocol_version=TLSv1.3' ],
	[ 'clear', 'clear', sslmode => 'disable', more => 'password=secret' ],
	[ 'cert', 'cert', client => $cert, more => 'ssl_min_protocol_version=TLSv1.3' ]);

sub login
{
	my (undef, $role, %options) = @_;
	my ($status) = $node->tcp_psql('SELECT 1', user => $role, %options);

	return $status == 0 ? 'in' : 'out';
}

sub query { return $node->safe_psql('postgres', $_[0]); }

my $rows = q{SELECT concat_ws(' ', role_name, transport, tls_version, CASE WHEN client_certificate THEN 'certificate' END, auth_method, logins)
	FROM ssl_guard_transport ORDER BY 1};

# --- what is counted ------------------------------------------------------------------

is(query('SELECT count(*) FROM ssl_guard_transport'), 0, 'nobody has come yet');
is(login(@$_), 'in', "$_->[0]: in") foreach @ways, @ways;
is(query($rows), join("\n",
		'app plain trust 2', 'app tls TLSv1.2 trust 2', 'app tls TLSv1.3 certificate trust 2', 'app tls TLSv1.3 trust 2',
		'cert tls TLSv1.3 certificate cert 2', 'clear plain password 2', 'scram tls TLSv1.3 scram-sha-256 2'), 'a row for each way');
is(query('SELECT 1'), 1, 'through the socket');
is(query('SELECT count(*) FROM ssl_guard_transport'), 7, 'is no row');
is(query(q{SELECT bool_and(host(last_address) = '127.0.0.1' AND first_seen_at < last_seen_at AND last_seen_at <= now()) FROM ssl_guard_transport}), 't', 'where from, and when');
my ($status, $out) = $node->tcp_psql('SELECT version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()', user => 'app', more => 'ssl_max_protocol_version=TLSv1.2');
is(query(q{SELECT tls_version || '|' || cipher FROM ssl_guard_transport WHERE tls_version = 'TLSv1.2'}), $out, 'version and cipher are what core says');
is(query(q{SELECT string_agg(DISTINCT coalesce(forward_secrecy::text, 'NULL') || ' ' || transport, ', ' ) FROM ssl_guard_transport}), 'NULL plain, true tls', 'forward secrecy');

# the server's key alone
$node->apply(ssl_ciphers => 'AES128-SHA256');
is(login('', 'app', more => 'ssl_max_protocol_version=TLSv1.2'), 'in', 'RSA key exchange');
is(query(q{SELECT cipher || ' ' || forward_secrecy FROM ssl_guard_transport WHERE cipher = 'AES128-SHA256'}), 'AES128-SHA256 false', 'has none');
$node->apply(ssl_ciphers => 'HIGH');
is(query(q{SELECT ssl_guard_reset('transport')}), 8, 'eight ways are forgotten');

# --- what is not a login ------------------------------------------------------------------

is(login('', 'never', sslmode => 'disable'), 'out', "refused by the server's own rules");
is(login('', 'ghost'), 'out', 'there is no such role');
$node->apply('ext_ssl_guard.denied_certificates' => $app->{fingerprint});
is(login('', 'app', client => $app), 'out', 'refused by us');
is(query('SELECT count(*) FROM ssl_guard_transport'), 0, 'none is counted');

# --- fallbacks --------------------------------------------------------------------------

is(login('', 'app', client => $app, sslmode => 'prefer'), 'in', 'refused over TLS, and in without it');
is(query(q{SELECT logins, fallbacks FROM ssl_guard_transport WHERE transport = 'plain'}), '1|1', 'is a fallback');
$node->apply('ext_ssl_guard.denied_certificates' => '');
is(login('', 'app'), 'in', 'in over TLS');
is(login('', 'app', sslmode => 'disable'), 'in', 'and then in plaintext');
is(query(q{SELECT logins, fallbacks FROM ssl_guard_transport WHERE transport = 'plain'}), '2|1', 'is none');
is(login('', 'clear', more => 'password=wrong'), 'out', 'a wrong password over TLS');
is(login('', 'clear', sslmode => 'disable', more => 'password=secret'), 'in', 'and the right one in plaintext');
is(query(q{SELECT logins, fallbacks FROM ssl_guard_transport WHERE role_name = 'clear'}), '1|1', 'is one, too');
$node->set_hba('hostnossl all app 127.0.0.1/32 trust');
$node->reload;
is(login('', 'app', sslmode => 'require'), 'out', 'pg_hba.conf has no line for TLS');
is(login('', 'app', sslmode => 'disable'), 'in', 'and one for plaintext');
is(query(q{SELECT logins, fallbacks FROM ssl_guard_transport WHERE role_name = 'app' AND transport = 'plain'}), '3|2', 'is one as well');
$node->set_hba(@hba);
$node->reload;
query(q{SELECT ssl_guard_reset('transport')});
is(login('', 'scram', sslmode => 'disable', more => 'password=secret'), 'in', 'after nothing');
is(query(q{SELECT logins, fallbacks FROM ssl_guard_transport WHERE role_name = 'scram'}), '1|0', 'is none');

# --- who would be locked out: held against who is ---------------------------------------------

query(q{SELECT ssl_guard_reset('transport')});
login(@$_) foreach @ways;

# the ways that a column names, as a list
sub named
{
	my ($column) = @_;
	my %name = map { join('|', $_->[1], $_->[2] eq 'sslmode' ? 'plain' : 'tls', $_->[0] =~ /12/ ? 'TLSv1.2' : $_->[2] eq 'sslmode' ? '' : 'TLSv1.3', $_->[2] eq 'client' ? 't' : 'f') => $_->[0] } @ways;

	return join(' ', sort map { $name{$_} // "what is $_?" } split /\n/,
		query("SELECT role_name, transport, tls_version, client_certificate FROM ssl_guard_transport WHERE $column"));
}

sub locked_out { return join(' ', sort map { $_->[0] } grep { login(@$_) eq 'out' } @ways); }

is(named('refused_by_hostssl'), 'clear plain', 'hostssl: two');
is(named('refused_by_tls13'), 'tls12', 'TLS 1.3: one');
is(named('refused_by_clientcert'), 'clear plain scram tls12 tls13', 'clientcert: five');
is(named('refused_by_hostssl IS NULL OR refused_by_tls13 IS NULL OR refused_by_clientcert IS NULL'), '', 'all is known');
my %named = map { $_ => named("refused_by_$_") } qw(hostssl tls13 clientcert);

$node->apply(ssl_min_protocol_version => 'TLSv1.3');
is(locked_out(), $named{tls13}, 'ssl_min_protocol_version = TLSv1.3 locks out whom it said');
$node->apply(ssl_min_protocol_version => 'TLSv1.2');
$node->set_hba(map { s/^host /hostssl /r } @hba);
$node->reload;
is(locked_out(), $named{hostssl}, 'so does hostssl');
$node->set_hba(map { my $line = s/^host /hostssl /r; $line =~ / cert$/ ? $line : "$line clientcert=verify-ca" } @hba);
$node->reload;
is(locked_out(), $named{clientcert}, 'and clientcert');
$node->set_hba(@hba);
$node->reload;

# --- what was never asked for is not known -----------------------------------------------------

query(q{SELECT ssl_guard_reset('transport')});
$node->apply(ssl_max_protocol_version => 'TLSv1.2');
is(login('', 'app'), 'in', 'the server goes no higher');
is(query('SELECT refused_by_tls13 IS NULL, refused_by_hostssl, refused_by_clientcert FROM ssl_guard_transport'), 't|f|t', 'nobody knows about TLS 1.3');
query(q{SELECT ssl_guard_reset('transport')});
$node->apply(ssl_max_protocol_version => 'TLSv1.3');
is(login('', 'app', more => 'ssl_max_protocol_version=TLSv1.2'), 'in', 'the server goes as high as TLS 1.3');
is(query('SELECT refused_by_tls13 FROM ssl_guard_transport'), 't', 'and this client does not');
$node->apply(ssl_max_protocol_version => '');
$node->stop;
{
	local $ENV{OPENSSL_CONF} = ESG::Certs::spew($certs->dir . '/openssl.cnf', <<'CNF');
openssl_conf = begin
[begin]
ssl_conf = ssl
[ssl]
system_default = all
[all]
Protocol = ALL, -TLSv1.3
CNF
	$node->start;
}
query(q{SELECT ssl_guard_reset('transport')});
is(login('', 'app'), 'in', 'the library of the server has it switched off');
is(query('SELECT tls_version, refused_by_tls13 IS NULL FROM ssl_guard_transport'), 'TLSv1.2|t', 'nobody knows either');
$node->restart;
query(q{SELECT ssl_guard_reset('transport')});
$node->set_hba('host all all 127.0.0.1/32 trust');
$node->apply(ssl_ca_file => '', ssl_crl_file => '');
is(login('', 'app', more => 'ssl_min_protocol_version=TLSv1.3'), 'in', 'the server asks for no certificate');
is(query('SELECT refused_by_clientcert IS NULL, refused_by_tls13 FROM ssl_guard_transport'), 't|f', 'nobody knows about certificates');
$node->apply(ssl_ca_file => 'root.crt', ssl_crl_file => 'root.crl');
is(login('', 'app', more => 'ssl_min_protocol_version=TLSv1.3'), 'in', 'it asks');
is(query('SELECT logins, refused_by_clientcert FROM ssl_guard_transport'), '2|t', 'and has none: known now');
query(q{SELECT ssl_guard_reset('transport')});
$node->apply(ssl => 'off');
is(login('', 'app', sslmode => 'prefer'), 'in', 'the server has no TLS');
is(query('SELECT transport, refused_by_hostssl IS NULL, refused_by_tls13, refused_by_clientcert IS NULL FROM ssl_guard_transport'), 'plain|t|f|t', 'nobody knows whether it would take it');
$node->apply(ssl => 'on');
is(login('', 'app', sslmode => 'disable'), 'in', 'the server has TLS');
is(query('SELECT logins, refused_by_hostssl, refused_by_clientcert FROM ssl_guard_transport'), '2|t|t', 'and it is not taken: known now');

# --- kept, bounded, exact ----------------------------------------------------------------------

my $before = query('SELECT * FROM ssl_guard_transport');
$node->restart;
is(query('SELECT * FROM ssl_guard_transport'), $before, 'kept over a restart');
$node->stop('immediate');
$node->start;
is(query('SELECT count(*) FROM ssl_guard_transport WHERE logins > 2'), 0, 'nothing is counted twice after a crash');
$node->safe_psql('postgres', "CREATE ROLE r$_ LOGIN") foreach 1 .. 12;
query(q{SELECT ssl_guard_reset('transport')});
login('', "r$_") foreach 1 .. 12;
is(query('SELECT count(*), min(role_name), (SELECT transport_evicted FROM ssl_guard_status) FROM ssl_guard_transport'), '10|r10|2', 'ten have room, and two were evicted');
is(query(q{SELECT count(*) FROM ssl_guard_transport WHERE role_name IN ('r1', 'r2')}), 0, 'the ones not seen for longest');
query(q{SELECT ssl_guard_reset('transport')});
is(query('SELECT transport_evicted FROM ssl_guard_status'), 0, 'reset begins anew');

my @children;
foreach my $n (1 .. 8)
{
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		login('', 'r1') eq 'in' or POSIX::_exit(1) foreach 1 .. 10;
		POSIX::_exit(0);
	}
	push @children, $pid;
}
is(join(' ', map { waitpid($_, 0); $? } @children), join(' ', (0) x 8), 'eight at once, ten logins each');
is(query(q{SELECT sum(logins) FROM ssl_guard_transport WHERE role_name = 'r1'}), 80, 'each is counted');

# --- a file with a good checksum, and an entry that nobody wrote ---------------------------------

$node->stop;
my $file = $node->path('pg_stat/ext_ssl_guard.transport');
my ($magic, $owner, $size, $count, undef, $entries) = unpack('a8 a24 L L L x4 a*', ESG::Certs::slurp($file));

# the file as it was, but for some bytes of its first entry: who r1 is then, and what the log says
sub start_with
{
	my ($at, $bytes) = @_;
	my $offset = $node->log_end;
	my $body = $entries;

	substr($body, $at, length $bytes) = $bytes;
	ESG::Certs::spew($file, pack('a8 a24 L L L x4', $magic, $owner, $size, $count, ESG::Registry::crc32c($body)), $body);
	$node->start;
	my $logins = query(q{SELECT sum(logins) FROM ssl_guard_transport WHERE role_name = 'r1'});
	$node->stop;
	return "$logins, " . $node->count_log(qr/LOG:  ignoring damaged file ".*transport" of logins by transport/, $offset);
}

is(start_with(0, ''), '80, 0', 'as it was');
is(start_with(0, 'x' x 64), ', 1', 'a role name without an end');
is(start_with(64, 'x' x 32), ', 1', 'a cipher without an end');
is(start_with(96, 'x' x 16), ', 1', 'a method without an end');
is(start_with(114, "\x7F"), ', 1', 'an unknown transport');
is(start_with(136, pack('q', 0)), ', 1', 'no login');
is(start_with(144, pack('q', -1)), ', 1', 'fewer fallbacks than none');
done_testing();

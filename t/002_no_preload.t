# Without shared_preload_libraries: the extension can be created, what needs no
# shared memory works, the rest says what to set.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server, preload => '');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION ext_ssl_guard');

is($node->safe_psql('postgres', "SELECT fingerprint FROM ssl_guard_certificates WHERE setting = 'ssl_cert_file'"),
	$server->{fingerprint}, 'ssl_guard_certificates works');
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_files WHERE setting = 'ssl_key_file'"),
	1, 'ssl_guard_files works');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_crls'), 0, 'ssl_guard_crls works');
is($node->safe_psql('postgres', "SELECT sqlstate FROM ssl_guard_findings WHERE code = 'expired'"), 'SG016', 'ssl_guard_findings works');
is($node->safe_psql('postgres', "SELECT effective FROM ssl_guard_settings WHERE setting = 'ssl_min_protocol_version'"), 'TLSv1.2', 'ssl_guard_settings works');
my $pem = ESG::Certs::slurp($server->{cert});
is($node->safe_psql('postgres', "SELECT common_name FROM ssl_guard_inspect('$pem'::text)"),
	'localhost', 'ssl_guard_inspect works');

foreach my $query (
	'SELECT * FROM ssl_guard_alarms', 'SELECT * FROM ssl_guard_status',
	'SELECT * FROM ssl_guard_check()', 'SELECT * FROM ssl_guard_client_certificates',
	'SELECT * FROM ssl_guard_handshake_failures', 'SELECT * FROM ssl_guard_sessions', 'SELECT * FROM ssl_guard_transport',
	q{SELECT ssl_guard_reset('transport')})
{
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query");

	like($err, qr/ERROR:  55000: /, "$query: object_not_in_prerequisite_state");
	like($err, qr/HINT: .*shared_preload_libraries/, "$query: the hint names the setting");
}

my ($status, $out, $err) = $node->tcp_psql('SELECT 1');
is("$status $out", '0 1', 'logins are untouched');

my $offset = $node->log_end;
$node->safe_psql('postgres', "LOAD 'ext_ssl_guard'");
is($node->count_log(qr/(WARNING|FATAL|PANIC):/, $offset), 0, 'loading it late is harmless');

$node->stop;
done_testing();

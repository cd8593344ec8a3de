# PostgreSQL 19 with ssl_sni = on: the TLS hook is not called, all else works,
# and the files named in pg_hosts.conf are watched instead of ssl_cert_file's.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $soon = $certs->make_server('soon', ca => $ca, days_left => 5,
	subject => '/CN=soon.test', san => ['DNS:soon.test']);
my $client = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server, conf => 'ext_ssl_guard.file_poll_interval = 1s',
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
my $known = $node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = 'ssl_sni'");
if (!$known)
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}

my $alarms = "SELECT coalesce(string_agg(severity || ' ' || code, ', ' ORDER BY code), '') FROM ssl_guard_alarms";

is($node->wait_sql('SELECT tls_hook_active, in_sync FROM ssl_guard_status', 't|t'), 't|t',
	'ssl_sni off: the hook is called');
is($node->safe_psql('postgres', $alarms), '', 'ssl_sni off: no alarm');

sub write_hosts
{
	my (@lines) = @_;

	open(my $out, '>', $node->path('pg_hosts.conf')) or die "pg_hosts.conf: $!";
	print $out map { "$_\n" } @lines;
	close $out;
	return;
}

sub login
{
	my ($name, %options) = @_;

	return ($node->tcp_psql('SELECT 1', client => $client,
			($name ? (host => $name, more => 'hostaddr=127.0.0.1') : (more => 'sslsni=0')), %options))[0];
}

# without lines in pg_hosts.conf, the settings are in force
my $offset = $node->log_end;
write_hosts();
$node->append_conf('postgresql.conf', 'ssl_sni = on');
$node->restart;
is($node->wait_sql($alarms, 'warning hook_inactive'), 'warning hook_inactive', 'no host: hook_inactive stands');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
is($node->count_log(qr/code=hook_inactive/, $offset), 1, 'no host: one line');
is(login(undef), 0, 'no host: a client gets in');
is($node->safe_psql('postgres', 'SELECT tls_hook_active, in_sync, served_seen_by, served_fingerprint FROM ssl_guard_status'),
	"t|t|login|$server->{fingerprint}", 'no host: the load, and a login, see what is served');
is($node->safe_psql('postgres', 'SELECT logins FROM ssl_guard_client_certificates'), '1',
	'no host: the login hook works');
is($node->safe_psql('postgres', "SELECT string_agg(setting, ' ' ORDER BY setting) FROM ssl_guard_files WHERE kind <> 'directory'"),
	'ssl_ca_file ssl_cert_file ssl_key_file', 'no host: the files of the settings');

# with lines, ssl_cert_file need not even be there
$offset = $node->log_end;
foreach my $cert ($server, $soon)
{
	$node->replace($cert->{cert}, "$cert->{name}.host.crt");
	$node->replace($cert->{key}, "$cert->{name}.host.key");
}
write_hosts(
	'soon.test soon.host.crt soon.host.key root.crt',
	'other.test soon.host.crt soon.host.key root.crt',
	'/no_sni/ server.host.crt server.host.key root.crt');
$node->append_conf('postgresql.conf', "ssl_cert_file = 'gone.crt'\nssl_key_file = 'gone.key'\nssl_ca_file = ''");
$node->restart;
is($node->wait_sql($alarms, 'critical expires_very_soon, warning hook_inactive'),
	'critical expires_very_soon, warning hook_inactive', 'hosts: their certificates are judged');
is($node->safe_psql('postgres', "SELECT string_agg(setting || ' ' || kind || ' ' || regexp_replace(path, '.*/', ''), ', ' ORDER BY kind, path)
		FROM ssl_guard_files WHERE kind <> 'directory'"),
	'hosts_file ca root.crt, hosts_file certificate server.host.crt, hosts_file certificate soon.host.crt, '
	  . 'hosts_file key server.host.key, hosts_file key soon.host.key',
	'hosts: each of their files once');
is($node->safe_psql('postgres', "SELECT string_agg(setting || ' ' || kind || ' ' || common_name, ', ' ORDER BY kind, common_name)
		FROM ssl_guard_certificates"),
	'hosts_file ca ca, hosts_file server localhost, hosts_file server soon.test', 'hosts: and their certificates');
is(login(undef), 0, 'hosts: a client that names none gets in');
is(login('soon.test'), 0, 'hosts: one that does gets in, too');
is($node->safe_psql('postgres', 'SELECT served_fingerprint IS NULL, disk_fingerprint IS NULL, in_sync IS NULL FROM ssl_guard_status'),
	"t|t|t", 'hosts: what is served depends on the name, and is not compared');
is($node->safe_psql('postgres', 'SELECT logins FROM ssl_guard_client_certificates'), '3', 'hosts: the login hook works');
is( $node->safe_psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE postgres IS 'cn=app'; SELECT count(*) FROM ssl_guard_check() WHERE code = 'role_label_unsatisfiable'"),
	'0', 'hosts: a host with a CA asks for certificates');
$node->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE postgres IS NULL');
chmod 0644, $node->path('soon.host.key');
$node->wait_log(qr/code=permissions_too_open[^\n]*setting=hosts_file/, $offset);
chmod 0600, $node->path('soon.host.key');
$node->wait_log(qr/alarm cleared[^\n]*\n[^\n]*code=permissions_too_open/, $offset);

# a line that core cannot parse is logged once, not at every look
$offset = $node->log_end;
write_hosts('soon.test soon.host.crt soon.host.key root.crt', 'broken.test');
$node->wait_log(qr/missing entry at end of line/, $offset);
sleep 3;
is($node->count_log(qr/missing entry at end of line/, $offset), 1, 'a fault in pg_hosts.conf: one line');
write_hosts('soon.test soon.host.crt soon.host.key root.crt');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_certificates WHERE kind = 'server'", '1'), '1',
	'mended, it is read again');
is($node->safe_psql('postgres', $alarms), 'critical expires_very_soon, warning hook_inactive', 'no alarm is new');

$offset = $node->log_end;
$node->stop;
is($node->count_log(qr/(ERROR|FATAL|PANIC):/, $offset), 0, 'it stops quietly');

done_testing();

# PostgreSQL 19 with ssl_sni = on: without lines in pg_hosts.conf the settings
# are in force; with lines, the files named there are watched instead.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $soon = $certs->make_server('soon', ca => $ca, days_left => 5,
	subject => '/CN=soon.test', san => [ 'DNS:soon.test', 'DNS:other.test' ]);
my $client = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server, conf => 'ext_ssl_guard.file_poll_interval = 1s',
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}

is($node->wait_sql('SELECT tls_hook_active, in_sync FROM ssl_guard_status', 't|t'), 't|t', 'ssl_sni off: the load is seen');
is($node->safe_psql('postgres', ESG::Sni::alarms()), '', 'ssl_sni off: no alarm');

sub login
{
	my ($name, %options) = @_;

	return ($node->tcp_psql('SELECT 1', client => $client,
			($name ? (host => $name, more => 'hostaddr=127.0.0.1') : (more => 'sslsni=0')), %options))[0];
}

# without lines in pg_hosts.conf
my $offset = $node->log_end;
ESG::Sni::write_hosts($node);
$node->append_conf('postgresql.conf', 'ssl_sni = on');
$node->restart;
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status', 't');
is($node->safe_psql('postgres', ESG::Sni::alarms()), '', 'no host: no alarm');
is(login(undef), 0, 'no host: a client gets in');
is($node->safe_psql('postgres', 'SELECT tls_hook_active, in_sync, served_fingerprint FROM ssl_guard_status'),
	"t|t|$server->{fingerprint}", 'no host: what is served is known');
is($node->safe_psql('postgres', 'SELECT logins FROM ssl_guard_client_certificates'), '1', 'no host: the login hook works');
is($node->safe_psql('postgres', "SELECT string_agg(setting, ' ' ORDER BY setting) FROM ssl_guard_files WHERE kind <> 'directory'"),
	'hosts_file ssl_ca_file ssl_cert_file ssl_key_file', 'no host: the files of the settings, and the empty list');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_hosts'), '0', 'no host: none to list');

# with lines, ssl_cert_file need not even be there
ESG::Sni::put_host($node, 'server.host', $server);
ESG::Sni::put_host($node, 'soon.host', $soon);
ESG::Sni::write_hosts($node,
	'soon.test soon.host.crt soon.host.key root.crt',
	'other.test soon.host.crt soon.host.key root.crt',
	'/no_sni/ server.host.crt server.host.key root.crt');
$node->append_conf('postgresql.conf', "ssl_cert_file = 'gone.crt'\nssl_key_file = 'gone.key'\nssl_ca_file = ''");
$node->restart;
is($node->wait_sql(ESG::Sni::alarms(), 'critical expires_very_soon soon.host.crt:1'),
	'critical expires_very_soon soon.host.crt:1', 'hosts: their certificates are judged');
is($node->safe_psql('postgres', "SELECT string_agg(setting || ' ' || kind || ' ' || regexp_replace(path, '.*/', ''), ', ' ORDER BY kind, path)
		FROM ssl_guard_files WHERE kind <> 'directory'"),
	'hosts_file ca root.crt, hosts_file certificate server.host.crt, hosts_file certificate soon.host.crt, hosts_file hosts pg_hosts.conf, '
	  . 'hosts_file key server.host.key, hosts_file key soon.host.key',
	'hosts: each of their files once');
is($node->safe_psql('postgres', "SELECT string_agg(setting || ' ' || kind || ' ' || common_name || ' ' || host, ', ' ORDER BY kind, common_name)
		FROM ssl_guard_certificates"),
	'hosts_file ca ca soon.test,other.test,/no_sni/, hosts_file server localhost /no_sni/, hosts_file server soon.test soon.test,other.test',
	'hosts: and their certificates, with the names');
is(login(undef), 0, 'hosts: a client that names none gets in');
is(login('soon.test'), 0, 'hosts: one that does gets in, too');
is($node->safe_psql('postgres', 'SELECT served_fingerprint IS NULL, disk_fingerprint IS NULL, in_sync FROM ssl_guard_status'),
	't|t|t', 'hosts: what is served depends on the name');
is($node->safe_psql('postgres', 'SELECT line_number, host_names, served_fingerprint, in_sync, severity FROM ssl_guard_hosts'),
	"1|{soon.test}|$soon->{fingerprint}|t|critical\n2|{other.test}|$soon->{fingerprint}|t|critical\n3|{/no_sni/}|$server->{fingerprint}|t|ok",
	'hosts: and is listed');
is(ESG::Sni::served($node, 'other.test'), $soon->{fingerprint}, 'hosts: as it is');
is(ESG::Sni::served($node), $server->{fingerprint}, 'hosts: to whom asks for no name, too');
is($node->safe_psql('postgres', 'SELECT logins FROM ssl_guard_client_certificates'), '3', 'hosts: the login hook works');
is($node->safe_psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE postgres IS 'cn=app'; SELECT count(*) FROM ssl_guard_check() WHERE code = 'role_label_unsatisfiable'"),
	'0', 'hosts: a host with a CA asks for certificates');
$node->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE postgres IS NULL');

# handshakes that fail
my $other_ca = $certs->make_ca('other');
my $stranger = $certs->make_client('stranger', ca => $other_ca);
isnt(login('soon.test', client => $stranger), 0, "a host's CA does not know the client");
isnt(login(undef, client => $stranger), 0, 'nor does that of who asks for no name');
is($node->wait_sql("SELECT reason, failures FROM ssl_guard_handshake_failures", 'unknown_ca|2'), 'unknown_ca|2', 'both are counted');

$node->stop;
is($node->count_log(qr/(ERROR|PANIC):/, $offset), 0, 'it stops quietly');
is($node->count_log(qr/TLS init hook/, 0), 0, 'and the server never warned of a hook');

done_testing();

# self_probe: what the server really serves is known while nobody logs in, and
# the server hardly notices.

use strict;
use warnings;

use IO::Socket::INET;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $first = $certs->make_server('first', ca => $ca);
my $second = $certs->make_server('second', ca => $ca);
my $node = ESG::Node->new('main');

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub status { return sql("SELECT $_[0] FROM ssl_guard_status"); }

# columns of the status when a probe has ended after that moment, with that result
sub probed
{
	my ($columns, $since, $result) = @_;

	$result //= 'ok';
	$node->wait_sql("SELECT coalesce(probed_at > '$since' AND probe_result = '$result', false) FROM ssl_guard_status");
	return status("probe_result, $columns");
}

sub install
{
	my ($cert) = @_;

	$node->replace($cert->{key}, 'server.key');
	$node->replace($cert->{cert}, 'server.crt');
	return;
}

# reloads, and waits for the probe that follows; one that belongs to what was before may still end
sub reload
{
	my ($columns, $result) = @_;
	my $since = ESG::Sni::now($node);

	$node->reload;
	$node->wait_sql("SELECT coalesce(last_reload_at > '$since', false) FROM ssl_guard_status");
	return probed($columns, status('last_reload_at'), $result);
}

# SHA-256 of each certificate that a client is shown
sub shown
{
	my (@options) = @_;
	my ($text, @digests) = ('');

	IPC::Run::run([ 'openssl', 's_client', '-showcerts', '-connect', '127.0.0.1:' . $node->port, @options ],
		'<', \'', '>', \$text, '2>', \my $err, IPC::Run::timeout(30));
	while ($text =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/gs)
	{
		my $digest = '';

		IPC::Run::run([ 'openssl', 'x509', '-noout', '-fingerprint', '-sha256' ], '<', \"$1", '>', \$digest, '2>', \$err);
		push @digests, lc($digest =~ s/.*=|[:\s]//gr);
	}
	return join(',', @digests);
}

# what the log has since then, the server's own business left out
sub remarks
{
	my ($offset) = @_;

	return join("\n", grep { !/received SIGHUP|parameter ".*" changed|\[local\]|application_name=|connection authenticated|checkpoint/ } split /\n/, $node->log_since($offset));
}

$node->setup(ca => $ca, server => $first, hba => ['host all all all reject'],
	conf => "ext_ssl_guard.file_poll_interval = 1s\nwal_level = replica\nhot_standby = on");
$node->start;
is(probed('served_seen_by, in_sync, served_fingerprint', '-infinity'), "ok|probe|t|$first->{fingerprint}",
	'nobody has logged in, nor may anybody');
is(status("array_to_string(served_chain, ',')"), shown('-starttls', 'postgres'), 'the chain is the one that openssl is shown');

# renewed
install($second);
is($node->wait_sql('SELECT in_sync FROM ssl_guard_status', 'f'), 'f', 'renewed');
my $changed = ESG::Sni::now($node);
$node->apply('ext_ssl_guard.self_probe' => 'on', 'ext_ssl_guard.expire_check_interval' => '1s');
is(reload('served_seen_by, in_sync, served_fingerprint'), "ok|probe|t|$second->{fingerprint}", 'and reloaded');
is(status("array_to_string(served_chain, ',')"), shown('-starttls', 'postgres'), 'and so it is');
install($first);
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 3 if ESG::Node::exec_backend();
	$changed = ESG::Sni::now($node);
	is(probed('served_seen_by, in_sync, served_fingerprint, disk_fingerprint', $changed), "ok|probe|f|$second->{fingerprint}|$first->{fingerprint}",
		'renewed, but not reloaded: the old one is served');
	is(shown('-starttls', 'postgres') =~ s/,.*//r, $second->{fingerprint}, 'and so it is');
	is($node->wait_sql(ESG::Sni::alarms(), 'warning reload_pending server'), 'warning reload_pending server', 'which is an alarm');
}
is(reload('served_fingerprint'), "ok|$first->{fingerprint}", 'reloaded');
SKIP:
{
	skip 'no direct TLS before PostgreSQL 17', 1 if sql('SHOW server_version_num') < 170000;
	is(shown('-alpn', 'postgresql') =~ s/,.*//r, $first->{fingerprint}, 'direct TLS shows the same');
}
$node->apply('ext_ssl_guard.expire_check_interval' => '1d');

# what the server notices
my $offset = $node->log_end;
reload('1') foreach 1 .. 3;
is(remarks($offset), '', 'nothing is logged');
is(sql(q{
	CREATE TEMP TABLE before AS SELECT clock_timestamp() AS at, sessions FROM pg_stat_database WHERE datname = 'postgres';
	DO $$ BEGIN
		FOR i IN 1 .. 3 LOOP
			UPDATE before SET at = clock_timestamp();
			PERFORM pg_reload_conf();
			FOR j IN 1 .. 600 LOOP
				EXIT WHEN (SELECT probed_at > (SELECT at FROM before) FROM ssl_guard_status);
				PERFORM pg_sleep(0.1);
			END LOOP;
			PERFORM pg_stat_clear_snapshot();
		END LOOP; END $$;
	SELECT (SELECT sessions FROM before) = sessions, (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
		FROM pg_stat_database WHERE datname = 'postgres'}), 't|1', 'no session comes of it');
is(sql('SELECT (SELECT count(*) FROM ssl_guard_handshake_failures) + (SELECT count(*) FROM ssl_guard_client_certificates)'), 0, 'nor a failed handshake');
$node->apply('log_connections' => 'on', 'log_disconnections' => 'on');
$offset = $node->log_end;
reload('1');
# the reload before may have had its probe late
like(remarks($offset), qr/^(?:[^\n]*\[unknown\] LOG:  connection received: host=127\.0\.0\.1 port=\d+(?:\n|$)){1,2}$/,
	'with log_connections, one line that core writes');
$node->apply('log_connections' => 'off', 'log_disconnections' => 'off', 'log_min_messages' => 'debug5');
$offset = $node->log_end;
reload('1');
unlike($node->log_since($offset), qr/could not|SSL error|unexpected|incomplete|reset by peer|(WARNING|ERROR|FATAL):/, 'nothing bad with debug5');
$node->apply('log_min_messages' => 'warning');

# whatever the server serves
$node->set_conf(ssl_min_protocol_version => 'TLSv1', ssl_max_protocol_version => 'TLSv1', ssl_ciphers => 'ALL:@SECLEVEL=0');
is(reload('served_seen_by, served_fingerprint'), "ok|probe|$first->{fingerprint}", 'TLS 1.0');
$node->set_conf(ssl_min_protocol_version => 'TLSv1.2', ssl_max_protocol_version => 'TLSv1.2', ssl_ciphers => 'ECDHE-ECDSA-CAMELLIA128-SHA256', ssl_ecdh_curve => 'secp224r1');
is(reload('served_seen_by, served_fingerprint'), "ok|probe|$first->{fingerprint}", 'or a cipher and a group that hardly anybody has');
$node->set_conf(ssl_max_protocol_version => '', ssl_ciphers => 'HIGH', ssl_ecdh_curve => 'prime256v1');

# switched off
$node->apply('ext_ssl_guard.self_probe' => 'off');
ESG::Sni::reload($node);
is(status('probe_result, probed_at IS NULL, served_chain IS NULL, served_seen_by'), 'off|t|t|load', 'switched off');
$node->set_conf('ext_ssl_guard.self_probe' => 'on');
is(reload('served_seen_by'), 'ok|probe', 'and on');
$node->apply('ssl' => 'off');
is($node->wait_sql('SELECT probe_result, served_chain IS NULL FROM ssl_guard_status', 'no_tls|t'), 'no_tls|t', 'no TLS');
$node->set_conf('ssl' => 'on');
is(reload('served_seen_by'), 'ok|probe', 'TLS again');

# where the server listens
sub restart
{
	$node->set_conf(@_);
	$node->restart;
	return;
}
restart('listen_addresses' => '');
is(probed('served_seen_by, in_sync, (' . ESG::Sni::alarms() . ')', '-infinity', 'no_tcp'), 'no_tcp|load|t|', 'a Unix socket only: it says so, and is no alarm');
my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.2', LocalPort => $node->port, Listen => 5);
foreach my $addresses ('*', 'localhost', '127.0.0.2,127.0.0.1')
{
	restart('listen_addresses' => $addresses);
	is(probed('served_seen_by', '-infinity'), 'ok|probe', "listen_addresses = '$addresses'");
}
ok(defined $other, 'while another program had the first of these');
$node->append_conf('postgresql.conf', "restore_command = 'false'\nlisten_addresses = '127.0.0.1'");
ESG::Certs::spew($node->path('standby.signal'), '');
$node->restart;
is(probed('served_seen_by, pg_is_in_recovery()', '-infinity'), 'ok|probe|t', 'a standby');

$node->stop;
done_testing();

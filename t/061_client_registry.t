# The registry of client certificates: exact counters, bounds, restarts.

use strict;
use warnings;

use Test::More;
use IPC::Run ();

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $first = $certs->make_client('first', ca => $ca, subject => '/CN=app', lifetime => 300, days_left => 200);
my $renewed = $certs->make_client('renewed', ca => $ca, subject => '/CN=app', lifetime => 365, days_left => 364);
my $other = $certs->make_client('other', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.max_client_certificates = 10\nmax_connections = 100",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', join(';', map { "CREATE ROLE r$_ LOGIN" } 1 .. 12));

sub login
{
	my ($client, $role) = @_;
	my ($status) = $node->tcp_psql('SELECT 1', user => $role, client => $client);

	return $status == 0;
}

sub query { return $node->safe_psql('postgres', $_[0]); }

sub row
{
	my ($columns, $client, $role) = @_;

	return query("SELECT $columns FROM ssl_guard_client_certificates
		WHERE fingerprint = '$client->{fingerprint}' AND role_name = '$role'");
}

# what is remembered
ok(login($first, 'r1'), 'login');
is(row('subject, common_name, logins, denials, host(last_address), superseded_by IS NULL', $first, 'r1'),
	'CN=app|app|1|0|127.0.0.1|t', 'the entry');
is(row('serial_number', $first, 'r1'), $first->{serial}, 'serial number');
like(row('last_tls_version', $first, 'r1'), qr/^TLSv1\.[23]$/, 'TLS version');
like(row('last_cipher', $first, 'r1'), qr/AES|CHACHA/, 'cipher');
is(query("SELECT first_seen_at = last_seen_at AND last_seen_at > now() - interval '1 minute' FROM ssl_guard_client_certificates"),
	't', 'when');

# renewed
ok(login($renewed, 'r1'), 'login with a renewed certificate');
is(row('superseded_by', $first, 'r1'), $renewed->{fingerprint}, 'the older one is superseded');
is(row('superseded_by', $renewed, 'r1'), '', 'the newer one is not');
ok(login($first, 'r1'), 'the older one is used again');
is(row('superseded_by', $first, 'r1'), '', 'and is not superseded any more');
ok(login($renewed, 'r2'), 'another role');
is(row('superseded_by', $first, 'r1'), '', 'is another identity');

# two hosts with one identity, of which one was not renewed: its alarm stands
{
	my $old = $certs->make_client('old', ca => $ca, subject => '/CN=two hosts', lifetime => 300, days_left => 3);
	my $new = $certs->make_client('new', ca => $ca, subject => '/CN=two hosts');
	my $alarm = qr/code=expires_very_soon .*fingerprint=$old->{fingerprint}/;
	my $offset = $node->log_end;

	ok(login($old, 'r3'), 'the old certificate');
	$node->wait_log($alarm, $offset);
	ok(login($new, 'r3'), 'a new one');
	$node->wait_log(qr/alarm cleared: .*\n.*code=expires_very_soon .*client:$old->{fingerprint}/, $offset);
	pass('replaced: the alarm is cleared');
	$offset = $node->log_end;
	foreach (1 .. 3)
	{
		ok(login($_, 'r3'), 'both in turn') foreach $old, $new;
		sleep 2;
	}
	$node->wait_log($alarm, $offset);
	is(row('superseded_by', $old, 'r3'), $new->{fingerprint}, 'superseded by the other');
	is($node->count_log($alarm, $offset), 1, 'raised again, once');
	is($node->count_log(qr/code=expires_very_soon .*cleared=yes/, $offset), 0, 'which stands');
}

# 64 logins at once, while the server reloads
query('SELECT ssl_guard_reset_client_certificates()');
is(query('SELECT count(*) FROM ssl_guard_client_certificates'), '0', 'reset empties it');
my @running;
foreach my $n (1 .. 64)
{
	my $connection = $node->tcp(user => 'r1', client => $n % 2 ? $first : $other);
	my ($in, $out, $err) = ('', '', '');

	push @running, IPC::Run::start([ 'psql', '-X', '-w', '-d', $connection, '-c', 'SELECT 1' ],
		\$in, \$out, \$err);
	$node->reload if $n % 8 == 0;
}
my $failed = grep { !$_->finish } @running;
is($failed, 0, '64 concurrent logins');
is(row('logins', $first, 'r1') . ' ' . row('logins', $other, 'r1'), '32 32', 'counted exactly');

# full: the least recently used one goes
query('SELECT ssl_guard_reset_client_certificates()');
login($other, "r$_") foreach 1 .. 10;
login($other, 'r1');
login($other, 'r11');
is(query('SELECT client_certificates, max_client_certificates, client_certificates_evicted FROM ssl_guard_status'),
	'10|10|1', 'one is evicted and counted');
is(row('count(*)', $other, 'r2'), '0', 'the least recently used one');
is(row('logins', $other, 'r1'), '2', 'not one used since');

# restart
$node->restart;
is(query('SELECT count(*), sum(logins) FROM ssl_guard_client_certificates'), '10|11', 'kept over a restart');
ok(login($other, 'r1'), 'login');
is(row('logins', $other, 'r1'), '3', 'counting goes on');

# immediate shutdown: what the worker has saved
my $file = $node->path('pg_stat/ext_ssl_guard.clients');
ok(login($other, 'r1'), 'login');
$node->wait_sql("SELECT modification > now() - interval '5 seconds'
	FROM pg_stat_file('pg_stat/ext_ssl_guard.clients')", 't');
$node->stop('immediate');
$node->start;
cmp_ok(query('SELECT count(*) FROM ssl_guard_client_certificates'), '==', 10, 'kept over a crash');
cmp_ok(row('logins', $other, 'r1'), '>=', 3, 'as of the last save');

# a damaged file is set aside
$node->stop;
foreach my $damage ('flipped byte', 'truncated', 'empty', 'no magic')
{
	my $content = ESG::Certs::slurp($file);
	my $offset;

	substr($content, 200, 1) ^= "\x01" if $damage eq 'flipped byte';
	substr($content, -10) = '' if $damage eq 'truncated';
	$content = '' if $damage eq 'empty';
	substr($content, 0, 1) = 'x' if $damage eq 'no magic';
	ESG::Certs::spew($file, $content);
	unlink "$file.damaged";
	$offset = $node->log_end;
	$node->start;
	like($node->log_since($offset), qr/ignoring damaged file/, "$damage: log line");
	ok(-f "$file.damaged", "$damage: set aside");
	is(query('SELECT count(*) FROM ssl_guard_client_certificates'), '0', "$damage: the registry is empty");
	ok(login($other, 'r1'), "$damage: login");
	$node->stop;
}

# not kept
$node->set_conf('ext_ssl_guard.save_client_certificates' => 'off');
$node->start;
is(query('SELECT count(*) FROM ssl_guard_client_certificates'), '0', 'off: nothing is loaded');

# privileges
my ($status, undef, $err) = $node->psql('postgres',
	'SET ROLE r1; SELECT ssl_guard_reset_client_certificates()');
like($err, qr/permission denied/, 'reset is not for everybody');
is(query('SET ROLE pg_monitor; SELECT count(*) >= 0 FROM ssl_guard_client_certificates'), 't',
	'pg_monitor may read the registry');

done_testing();

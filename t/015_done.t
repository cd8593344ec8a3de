# The main job, as a DBA meets it: a certificate with five days left, a renewal
# that is not loaded, a reload that fails, a stale CRL, a file anyone may write.
# The lines in the log, in stderr, CSV and JSON.

use strict;
use warnings;

use Time::HiRes qw(time);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $old = $certs->make_server('old', ca => $ca, subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'], days_left => 5.5);
my $new = $certs->make_server('new', ca => $ca, subject => '/CN=db1.example.com', san => ['DNS:db1.example.com']);
my $client = $certs->make_client('postgres', ca => $ca);
my $node = ESG::Node->new('main');
my $format = PostgreSQL::Test::Cluster->can('pg_version') && $node->pg_version >= 15 ? 'stderr,csvlog,jsonlog' : 'stderr,csvlog';

$node->setup(ca => $ca, server => $old, crl => $certs->make_crl($ca, 'fresh'), conf => <<"CONF");
logging_collector = on
log_directory = 'written'
log_filename = 'server.log'
log_destination = '$format'
ext_ssl_guard.file_poll_interval = 1s
CONF

my %path = map { $_ => $node->path("written/server.$_") } qw(log csv json);

sub text { return -f $path{ $_[0] } ? ESG::Certs::slurp($path{ $_[0] }) : ''; }

sub count { return scalar(() = text($_[0]) =~ /$_[1]/mg); }

sub wait_text
{
	my ($pattern, $seconds) = @_;
	my $until = time + ($seconds // 60);

	while (time < $until) { return 1 if text('log') =~ $pattern; Time::HiRes::sleep(0.05); }
	return 0;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub alarm_row { return "SELECT count(*) FROM ssl_guard_alarms WHERE code = '$_[0]' AND severity = '$_[1]'"; }

# ---- five days left
my $started = time;
$node->start;
ok(wait_text(qr/code=expires_very_soon/, 5), 'in the log within five seconds of the start');
cmp_ok(time - $started, '<', 5, 'counted from the start of pg_ctl');
my $file = $node->path('server.crt');
# PostgreSQL 19 tells the kind of process, too
my $head = qr/^\S+ \S+ UTC [^\[]*\[\d+\] /m;
my $end = sql("SELECT to_char(not_after AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM ssl_guard_certificates WHERE kind = 'server'");
is(count('log', qr/${head}WARNING:  certificate "CN=db1\.example\.com" in file "\Q$file\E" expires in 5 days$/m), 1, 'the message');
is(count('log', qr/${head}DETAIL:  code=expires_very_soon severity=critical setting=ssl_cert_file position=1 not_after=$end fingerprint=$old->{fingerprint} cluster=\w+$/m),
	1, 'DETAIL');
is(count('log', qr/${head}HINT:  Replace the certificate and reload the server\.$/m), 1, 'HINT');
is(count('csv', qr/,WARNING,SG017,"certificate ""CN=db1\.example\.com"" in file .* expires in 5 days","code=expires_very_soon severity=critical /),
	1, 'csvlog: severity, SQLSTATE, message, detail');
SKIP:
{
	skip 'jsonlog came with PostgreSQL 15', 1 if $format !~ /json/;
	is(count('json', qr/"error_severity":"WARNING","state_code":"SG017","message":"certificate .*"detail":"code=expires_very_soon severity=critical /),
		1, 'jsonlog');
}
is(sql("SELECT findings, severity FROM ssl_guard_certificates WHERE kind = 'server'"), '{expires_very_soon}|critical', 'ssl_guard_certificates');
is(sql('SELECT severity, code, object, hint FROM ssl_guard_alarms'),
	"critical|expires_very_soon|$file:1|Replace the certificate and reload the server.", 'ssl_guard_alarms');
is(sql('SELECT notices, warnings, criticals FROM ssl_guard_status'), '0|0|1', 'ssl_guard_status');

# ---- replaced, not reloaded; then reloaded
$node->replace($new->{key}, 'server.key');
$node->replace($new->{cert}, 'server.crt');
is($node->wait_sql(alarm_row('reload_pending', 'warning'), 1), 1, 'replaced without a reload: reload_pending');
$node->reload;
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'reloaded: all alarms are cleared');
is(count('log', qr/${head}LOG:  alarm cleared: certificate "CN=db1\.example\.com" in file "\Q$file\E" expires in 5 days$/m), 1,
	'with a line of its own');
is(count('csv', qr/,LOG,SG017,"alarm cleared: /), 1, 'which has the SQLSTATE, too');
is(count('csv', qr/,WARNING,SG017,/), 1, 'one line for the whole time');
is(sql("SELECT findings, severity FROM ssl_guard_certificates WHERE kind = 'server'"), '{}|ok', 'the view agrees');

# ---- a broken file and a reload
ESG::Certs::spew($file, "-----BEGIN CERTIFICATE-----\nnot base64\n");
$node->reload;
is($node->wait_sql(alarm_row('reload_failed', 'critical'), 1), 1, 'broken and reloaded: reload_failed');
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
	is(($node->tcp_psql('SELECT 1', sslmode => 'verify-ca'))[1], 1, 'the old certificate stays in service');
}
is(sql('SELECT served_fingerprint FROM ssl_guard_status'), $new->{fingerprint}, 'and is shown');
$node->replace($new->{cert}, 'server.crt');
$node->reload;
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'mended');

# ---- a stale CRL
is(($node->tcp_psql('SELECT 1', client => $client))[1], 1, 'a client gets in');
my $fresh = ESG::Certs::slurp($node->path('root.crl'));
$node->replace($certs->make_crl($ca, 'stale', last_update => -86400, next_update => -60), 'root.crl');
is($node->wait_sql(alarm_row('crl_expired', 'critical'), 1), 1, 'a stale CRL: crl_expired, even before it is loaded');
$node->reload;
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'crl_expired'", 1);
isnt(($node->tcp_psql('SELECT 1', client => $client))[0], 0, 'now that client is refused, which core does not say before');
ESG::Certs::spew($node->path('root.crl'), $fresh);
$node->reload;
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'a new one: cleared');

# ---- a CA file that anyone may write
my $root = $node->path('root.crt');
chmod 0666, $root or die "chmod: $!";
is($node->wait_sql(alarm_row('permissions_too_open', 'critical'), 1), 1, 'mode 0666: permissions_too_open');
is(sql('SELECT hint FROM ssl_guard_alarms'), "Run: chmod 0644 '$root'", 'the hint is the exact command');
is(sql("SELECT suggestion FROM ssl_guard_files WHERE path = '$root'"), "chmod 0644 '$root'", 'the view has it, too');
ok(wait_text(qr/${head}HINT:  Run: chmod 0644 '\Q$root\E'$/m), 'and the log');
system('/bin/sh', '-c', sql("SELECT suggestion FROM ssl_guard_files WHERE path = '$root'"));
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'run as it is, it mends it');

# ---- what it costs
my $limit = ESG::Node::shmem_limit();
is(sql("SELECT sum(allocated_size) BETWEEN 100000 AND $limit FROM pg_shmem_allocations WHERE name LIKE 'ext_ssl_guard%'"),
	't', 'shared memory at defaults is at most 2 MB');

$node->stop;
done_testing();

# Hostile input in files, names and settings: the server lives, logins work,
# the log keeps its lines.

use strict;
use warnings;

use POSIX qw(mkfifo);

use Test::More;

use ESG::Certs;
use ESG::Der;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $crl = $certs->make_crl($ca, 'crl');
my $node = ESG::Node->new('main');

# ---- garbage in postgresql.conf, found at start: no server with other settings than those asked for
$node->setup(ca => $ca, server => $server, crl => $crl, conf => <<'CONF');
restart_after_crash = off
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.expire_alert_threshold = 'soon'
ext_ssl_guard.max_file_mode = '0999'
ext_ssl_guard.finding_overrides = 'nonsense'
ext_ssl_guard.max_client_certificates = -7
CONF
ok(!$node->start(fail_ok => 1), 'with garbage the server does not start');
like($node->log_since(0), qr/FATAL:  [^\n]*"?ext_ssl_guard\.\w+/, 'and names a setting');
$node->append_conf('postgresql.conf', <<'CONF');
ext_ssl_guard.expire_alert_threshold = '90d'
ext_ssl_guard.max_file_mode = '0644'
ext_ssl_guard.finding_overrides = ''
ext_ssl_guard.max_client_certificates = 1000
CONF
$node->start;
is($node->safe_psql('postgres', "SELECT string_agg(current_setting('ext_ssl_guard.' || s), ' ' ORDER BY s) FROM unnest(ARRAY['expire_alert_threshold', 'max_file_mode', 'max_client_certificates']) s"),
	'90d 1000 0644', 'mended, it starts with what is asked for');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
my $postmaster = ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/ ? $1 : die 'no postmaster';
my $worker = $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status');

# ---- garbage at reload
my $offset = $node->log_end;
$node->append_conf('postgresql.conf', <<'CONF');
ext_ssl_guard.expire_alert_threshold = '90d'
ext_ssl_guard.max_file_mode = '0644'
ext_ssl_guard.finding_overrides = ''
ext_ssl_guard.max_client_certificates = 1000
ext_ssl_guard.expire_critical_threshold = '\001\377'
ext_ssl_guard.extra_files = '"unclosed'
CONF
$node->reload;
$node->wait_log(qr/invalid value for parameter "ext_ssl_guard.extra_files"/, $offset);
is(($node->tcp_psql('SELECT 1'))[1], 1, 'after a reload with garbage a login works');

# ---- names of 64 kB, in settings and in certificates
my $long = 'x' x 65536;
sub configure
{
	my (%settings) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
	$node->set_conf('ext_ssl_guard.expire_critical_threshold' => '7d', %settings);
	$node->reload;
	$node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status");
	return;
}
$offset = $node->log_end;
my $path = '/' . 'x/' x 500;
configure('ext_ssl_guard.extra_files' => "$path, /" . 'y' x 1000);
is($node->safe_psql('postgres', "SELECT string_agg(code, ' ' ORDER BY code) FROM ssl_guard_alarms"), 'file_missing file_unreadable', 'paths of 1 kB');
configure('ext_ssl_guard.extra_files' => $long);
$node->wait_log(qr/invalid value for parameter "ext_ssl_guard.extra_files"/, $offset);
configure(ssl_ca_file => $long);
is($node->safe_psql('postgres', "SELECT code FROM ssl_guard_alarms WHERE object LIKE '%xxx'"), 'file_unreadable', 'a path of 64 kB in a setting of core');
is($node->safe_psql('postgres', "SELECT length(path) > 65536 FROM ssl_guard_files WHERE setting = 'ssl_ca_file'"), 't', 'is shown in full');
is($node->safe_psql('postgres', 'SELECT max(length(object || message)) < 1200 FROM ssl_guard_alarms'), 't', 'and cut in the alarm');
configure(ssl_ca_file => 'root.crt');
my $organization = ESG::Der::tlv(0x31, ESG::Der::tlv(0x30, "\x06\x03\x55\x04\x0a" . ESG::Der::tlv(0x0c, $long)));
my $huge = ESG::Der::resign($server->{cert}, $ca->{key}, sub {
		$_[0][$_] = ESG::Der::tlv(0x30, $organization) foreach @ESG::Der::cert{qw(issuer subject)}; });
ESG::Certs::spew($node->path('huge.crt'), $huge);
configure('ext_ssl_guard.extra_files' => 'huge.crt');
is($node->safe_psql('postgres', "SELECT length(subject), length(issuer) FROM ssl_guard_certificates WHERE kind = 'extra'"),
	'65538|65538', 'a name of 64 kB is shown in full');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check() WHERE length(message) > 700'), 0, 'and cut in an alarm');

# ---- names that try to forge log lines
$offset = $node->log_end;
my $forged = "a\n2026-01-01 00:00:00 UTC [1] FATAL:  forged\r\x1b[2J\x00b";
my $name = ESG::Der::tlv(0x30, ESG::Der::tlv(0x31, ESG::Der::tlv(0x30, "\x06\x03\x55\x04\x03" . ESG::Der::tlv(0x0c, $forged))));
my $evil = ESG::Der::resign($server->{cert}, $ca->{key}, sub { $_[0][ $ESG::Der::cert{subject} ] = $name });
ESG::Certs::spew($node->path("evil\n.crt"), $evil);
configure('ext_ssl_guard.extra_files' => '"evil\012.crt"');
like($node->safe_psql('postgres', "SELECT string_agg(code, ' ' ORDER BY code) FROM ssl_guard_alarms"), qr/malformed_name nul_in_name/, 'it has alarms');
unlike($node->log_since($offset), qr/^2026-01-01|\r|\x1b|\x00/m, 'nothing of it reaches the log raw');
like($node->log_since($offset), qr/\\x00b/, 'it is escaped');
unlike($node->safe_psql('postgres', "SELECT subject || common_name || path FROM ssl_guard_certificates WHERE kind = 'extra'"), qr/[\n\r\x1b]/, 'nor SQL');
configure('ext_ssl_guard.extra_files' => '');

# ---- damaged files of each kind; a fixed seed, so that a failure can be had again
srand(20261121);
my %good = ('server.crt' => ESG::Certs::slurp($server->{cert}), 'root.crt' => ESG::Certs::slurp($ca->{cert}), 'root.crl' => ESG::Certs::slurp($crl));
$offset = $node->log_end;
my $script = '';
# with EXEC_BACKEND the backend that it asks serves what lies there at that moment
configure('ext_ssl_guard.self_probe' => 'off') if ESG::Node::exec_backend();
foreach my $round (1 .. 60)
{
	foreach my $file (sort keys %good)
	{
		my ($kind, $der) = ESG::Der::read_pem({ 'server.crt' => $server->{cert}, 'root.crt' => $ca->{cert}, 'root.crl' => $crl }->{$file});

		substr($der, rand(length $der), 1) = chr(rand(256)) for 0 .. rand(4);
		$der = substr($der, 0, rand(length $der)) if $round % 10 == 0;
		ESG::Certs::spew($node->path($file), ESG::Der::pem($kind, $der));
	}
	my ($status, undef, $err) = $node->psql('postgres',
		'SELECT count(*) FROM ssl_guard_check(); SELECT count(*) FROM ssl_guard_certificates; SELECT count(*) FROM ssl_guard_crls');
	$script .= "round $round: $err\n" if $status != 0 || $err ne '';
}
is($script, '', '60 rounds of damaged certificates, CAs and CRLs: no error');
ESG::Certs::spew($node->path($_), $good{$_}) foreach keys %good;
$node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()');
# with EXEC_BACKEND the backend that a self-probe asks has loaded what lay there then
my $but_probe = ESG::Node::exec_backend() ? " WHERE code <> 'probe_failed'" : '';
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_alarms$but_probe"), 0, 'mended: no alarm is left');

# ---- a FIFO for the CRL at a reload: core waits for what is written, and gets all of it
SKIP:
{
	skip 'EXEC_BACKEND: each backend would wait for who writes into it', 3 if ESG::Node::exec_backend();
	unlink $node->path('root.crl');
	mkfifo($node->path('root.crl'), 0600) or die "mkfifo: $!";
	kill 'HUP', $postmaster;
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		alarm 30;
		ESG::Certs::spew($node->path('root.crl'), $good{'root.crl'});
		POSIX::_exit(0);
	}
	waitpid $pid, 0;
	is($?, 0, 'the writer met a reader');
	is($node->wait_sql("SELECT last_reload_ok FROM ssl_guard_status"), 't', 'the reload went well: nothing was taken from the FIFO');
	is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'file_not_regular'", 1), 1, 'and there is an alarm');
	unlink $node->path('root.crl');
	ESG::Certs::spew($node->path('root.crl'), $good{'root.crl'});
}
configure();

# ---- planted links
symlink '/etc/shadow', $node->path('planted.crt') or die "symlink: $!";
symlink '/proc/self/environ', $node->path('planted2.crt') or die "symlink: $!";
configure('ext_ssl_guard.extra_files' => 'planted.crt, planted2.crt');
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_certificates WHERE kind = 'extra'"), 0, 'links to what is no certificate show nothing');
unlike($node->log_since($offset), qr/PATH=|root:[*!\$]/, 'of their content nothing comes out');
configure('ext_ssl_guard.extra_files' => '');

is($node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status'), $worker, 'one worker lived through it all');
is(ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/ ? $1 : '', $postmaster, 'and one postmaster');
is($node->count_log(qr/(PANIC|terminated by signal|invalid memory|out of memory|stack smashing)/), 0, 'without an accident');
is(($node->tcp_psql('SELECT 1'))[1], 1, 'a login works');

$node->stop;
done_testing();

# file_not_reloaded: a TLS file is renewed on disk, but the server still uses
# what it loaded.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $other_ca = $certs->make_ca('other');
my $server = $certs->make_server('server', ca => $ca);
my $renewed = $certs->make_server('renewed', ca => $ca, key => $server);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	crl => $certs->make_crl($ca, 'first'),
	server => $server,
	conf => "ext_ssl_guard.file_poll_interval = '1s'");
$node->start;

sub alarms
{
	return $node->safe_psql('postgres',
		"SELECT string_agg(code || ' ' || regexp_replace(object, '.*/', ''), ', ' ORDER BY 1)
		 FROM ssl_guard_check() WHERE code IN ('file_not_reloaded', 'reload_pending', 'reload_failed')");
}

sub reload
{
	my $offset = $node->log_end;

	$node->reload;
	$node->wait_sql("SELECT last_reload_at > '$_[0]' FROM ssl_guard_status", 't');
	return $offset;
}

sub now { return $node->safe_psql('postgres', 'SELECT clock_timestamp()'); }

is(alarms(), '', 'as loaded');

# a CRL, a CA file, a chain
my %renewal = (
	'root.crl' => $certs->make_crl($ca, 'second'),
	'root.crt' => $certs->concat('both.crt', $ca->{cert}, $other_ca->{cert}),
	'server.crt' => $certs->concat('chain.crt', $server->{cert}, $ca->{cert}),
);
foreach my $file (sort keys %renewal)
{
	my $offset = $node->log_end;
	my $since = now();

	$node->replace($renewal{$file}, $file);
	$node->wait_log(qr/WARNING:  file ".*\Q$file\E" has changed since the server loaded it\n.*code=file_not_reloaded/, $offset);
	is(alarms(), "file_not_reloaded $file", "$file: not reloaded");
	is($node->safe_psql('postgres', "SELECT findings FROM ssl_guard_files WHERE path LIKE '%/$file'"),
		'{}', "$file: the file itself is sound");
	$offset = reload($since);
	$node->wait_log(qr/alarm cleared: file ".*\Q$file\E" has changed/, $offset);
	is(alarms(), '', "$file: reloaded");
}

# touched, or made anew with the same content
my $text = ESG::Certs::slurp($node->path('root.crl'));
ESG::Certs::spew($node->path('root.crl'), $text);
is(alarms(), '', 'the same content is no change');

# a new certificate is reload_pending, and only that
my $since = now();
$node->replace($renewed->{cert}, 'server.crt');
is(alarms(), 'reload_pending server', 'a new certificate');
reload($since);
$node->wait_sql("SELECT in_sync FROM ssl_guard_status", 't');
is(alarms(), '', 'reloaded');

$since = now();
$node->replace($certs->make_crl($ca, 'third'), 'root.crl');
ESG::Certs::spew($node->path('server.crt'), 'no certificate');
reload($since);
is(alarms(), 'reload_failed server', 'a failed reload: to reload again would not help');
$since = now();
$node->replace($renewed->{cert}, 'server.crt');
reload($since);
$node->wait_sql("SELECT last_reload_ok FROM ssl_guard_status", 't');
is(alarms(), '', 'a reload that succeeds');

# A look that began before a reload says nothing about what was loaded then: it
# has read the file before it was renewed, and is still busy with a large one.
# The worker is stopped: the first look after a load decides.
my $busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'";
my $many = join '', map { ESG::Certs::slurp($_->{cert}) } $ca, $other_ca, $server, $renewed;
ESG::Certs::spew($node->path('large.crt'), $many x 4000);
$node->set_conf('ext_ssl_guard.extra_files' => 'large.crt', 'ext_ssl_guard.file_poll_interval' => '0', 'ext_ssl_guard.expire_check_interval' => '0');
$since = now();
reload($since);
my $worker = $node->wait_sql('SELECT worker_pid FROM ssl_guard_status', qr/^\d+$/);
{
	kill STOP => $worker;
	my $look = IPC::Run::start([ 'psql', '-XAtqw', '-d', $node->connstr('postgres') . ' application_name=busy', '-c', 'SELECT count(*) FROM ssl_guard_check()' ], '>', \my $out, '2>&1');

	is($node->wait_sql($busy, '1'), '1', 'a look has begun');
	sleep 0.3;
	$node->replace($certs->concat('again.crt', $ca->{cert}), 'root.crt');
	$since = now();
	reload($since);
	is($node->safe_psql('postgres', $busy), '1', 'and goes on while a renewed file is loaded');
	$look->finish;
	unlink $node->path('large.crt');
	is(alarms(), '', 'then it does not take what it has read for what was loaded');
	kill CONT => $worker;
}
is(alarms(), '', 'nor does the worker');

done_testing();

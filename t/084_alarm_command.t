# alarm_command: what it is told, when, how it is run, and what its failures do.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

plan skip_all => 'no /proc' unless -r "/proc/$$/stat";

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $ending = $certs->make_server('ending', ca => $ca, days_left => 3);
my $client = $certs->make_client('client', ca => $ca);
my $node = ESG::Node->new('main');
my $dir = $certs->dir;
# what hangs is told from what hangs in other runs of this test by how long it would
my $nap = 100000 + $$;

# Writes what it is given into a directory of its own, which gets its name when all is there.
my $tell = ESG::Certs::spew("$dir/tell", <<"SH");
#!/bin/sh
mkdir -p "$dir/runs"
mine=\$(mktemp -d "$dir/new.XXXXXX") || exit 1
env >"\$mine/environment"
cat >"\$mine/input"
ls -l /proc/self/fd >"\$mine/descriptors"
cat /proc/self/status >"\$mine/status"
tr '\\0' '\\n' </proc/\$\$/stat >"\$mine/stat"
mv "\$mine" "$dir/runs/\$(date +%s.%N)"
SH
chmod 0755, $tell or die "chmod: $!";

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub read_run
{
	my ($path) = @_;
	my %run = map { $_ => ESG::Certs::slurp("$path/$_") } qw(environment descriptors status stat);

	$run{environment} = { map { /^SSL_GUARD_(\w+)=(.*)/ ? (lc $1 => $2) : () } split /\n/, $run{environment} };
	$run{input} = [ map { decode_json($_) } split /\n/, ESG::Certs::slurp("$path/input") ];
	return \%run;
}

my %seen;

# the runs since the last call, at least so many alarms in them
sub runs
{
	my ($alarms) = @_;
	my $until = time + $ESG::Node::timeout;
	my @found;

	do
	{
		foreach my $path (sort grep { !$seen{$_}++ } glob "$dir/runs/*")
		{
			push @found, read_run($path);
			$alarms -= @{ $found[-1]{input} };
		}
		return @found if $alarms <= 0;
		sleep 0.1;
	} while (time < $until);
	return @found;
}

# "raised file_missing, ..." of all alarms in them
sub events { return join ', ', map { "$_->{event} $_->{code}" } map { @{ $_->{input} } } @_; }

# never '': a signal to that would reach this test's own process group
sub worker
{
	my $pid = $node->wait_sql('SELECT worker_pid FROM ssl_guard_status', qr/^\d+$/);

	die "there is no worker\n" unless $pid =~ /^\d+$/;
	return $pid;
}

sub counters { return sql('SELECT alarm_commands_run, alarm_commands_failed, alarm_events_dropped FROM ssl_guard_status'); }

# pids of processes whose command line matches
sub processes
{
	my ($pattern) = @_;
	my @found;

	foreach my $path (glob '/proc/[0-9]*/cmdline')
	{
		open(my $in, '<', $path) or next;
		push @found, $1 if (<$in> // '') =~ $pattern && $path =~ /(\d+)/;
	}
	return @found;
}

sub wait_processes
{
	my ($pattern, $wanted) = @_;
	my $until = time + $ESG::Node::timeout;

	sleep 0.02 while time < $until && !!processes($pattern) != $wanted;
	return scalar processes($pattern);
}

$node->setup(ca => $ca, server => $server,
	conf => join("\n", "ext_ssl_guard.file_poll_interval = '1s'", "ext_ssl_guard.identity_check = warn", "ext_ssl_guard.finding_overrides = 'file_missing=warning'"),
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
is(sql("SELECT count(*) FROM ssl_guard_alarms"), 0, 'no alarm');

# --- it is set while an alarm stands -----------------------------------------------

$node->apply('ext_ssl_guard.extra_files' => 'nowhere.crt');
$node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 1);
is(counters(), '0|0|0', 'unset: nothing is run');
$node->apply('ext_ssl_guard.alarm_command' => $tell);
my ($run) = runs(1);
is(events($run), 'raised file_missing', 'set: what stands is told');
my $facts = $run->{environment};
is("@$facts{qw(event code severity count cluster port)}", "raised file_missing warning 1 main " . $node->port, 'its environment');
is($facts->{object}, $node->path('nowhere.crt'), 'the object');
is("$facts->{message}\n$facts->{hint}", sql("SELECT message || E'\\n' || hint FROM ssl_guard_alarms"), 'the texts');
is("$facts->{not_after}|$facts->{fingerprint}", '|', 'a file that is not there has neither end nor fingerprint');
like($facts->{host}, qr/\S/, 'the host');
like($facts->{at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'the time');
is_deeply({ %{ $run->{input}[0] }, count => '1' }, $facts, 'its input has the same');

# how it is run
unlike($run->{descriptors}, qr/ (?:[4-9]|\d\d+) ->/, 'no descriptor of the server\'s');
unlike($run->{descriptors}, qr/socket:|\.log\b/, 'neither its sockets nor its log');
like($run->{status}, qr/^SigBlk:\t0+$/m, 'no signal is blocked');
my ($ignored) = $run->{status} =~ /^SigIgn:\t(\w+)$/m;
# 32 and 33 are the C library's
is(hex(substr $ignored, -8) & 0x7fffffff, 0, 'nor ignored');
my ($pid, $group, $session) = $run->{stat} =~ /^(\d+) \(.*\) \S+ \d+ (\d+) (\d+)/;
is($group, $session, 'a session of its own');
$node->wait_sql('SELECT alarm_commands_run FROM ssl_guard_status', 1);
is(counters(), '1|0|0', 'counted');

# --- escalated, cleared ------------------------------------------------------------

$node->apply('ext_ssl_guard.finding_overrides' => 'file_missing=critical');
($run) = runs(1);
is(events($run) . " $run->{environment}{severity}", 'escalated file_missing critical', 'worse');
$node->apply('ext_ssl_guard.alarm_repeat_interval' => '1s');
my $offset = $node->log_end;
for (1 .. 3) { sleep 1.1; sql('SELECT count(*) FROM ssl_guard_check()'); }
cmp_ok($node->count_log(qr/nowhere.crt" is missing/, $offset), '>=', 2, 'repeated in the log');
$node->apply('ext_ssl_guard.alarm_repeat_interval' => '1d');
$node->apply('ext_ssl_guard.extra_files' => '');
($run) = runs(1);
is(events($run), 'cleared file_missing', 'cleared, and not told of the repetitions');
is("@{$run->{environment}}{qw(event code severity object hint)}", 'cleared file_missing critical ' . $node->path('nowhere.crt') . ' ',
	'its environment');

# --- a certificate: end, fingerprint -------------------------------------------------

$node->replace($ending->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
$node->reload;
my @runs = runs(1);
($facts) = grep { $_->{code} eq 'expires_very_soon' } map { @{ $_->{input} } } @runs;
is($facts->{fingerprint}, $ending->{fingerprint}, 'the fingerprint');
(my $end = `openssl x509 -in '$ending->{cert}' -noout -enddate -dateopt iso_8601`) =~ s/notAfter=(\S+) (\S+)\n/$1T$2/;
is($facts->{not_after}, $end, 'the end');
$node->replace($server->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
$node->reload;
my $cleared;
for (1 .. 5)
{
	($cleared) = grep { $_->{code} eq 'expires_very_soon' && $_->{event} eq 'cleared' } map { @{ $_->{input} } } runs(1);
	last if $cleared;
}
is("$cleared->{fingerprint} $cleared->{not_after}", "$ending->{fingerprint} $end", 'cleared: the same');
$node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0);

# --- a login -------------------------------------------------------------------------

sql('CREATE ROLE somebody LOGIN');
is(($node->tcp_psql('SELECT 1', user => 'somebody', client => $client))[0], 0, 'a login that raises an alarm');
($run) = runs(1);
is(events($run) . " $run->{environment}{fingerprint}", "raised identity_mismatch $client->{fingerprint}", 'told by the worker');
$node->apply('ext_ssl_guard.identity_check' => 'off');
is(events(runs(1)), 'cleared identity_mismatch', 'and its end');

# --- hostile names -------------------------------------------------------------------

my $evil = $certs->make_server('evil', ca => $ca, days_left => 3,
	subject => "/CN=\$(touch pwned)`touch pwned`'\"; touch pwned; \x07\x1b[2J");
$node->replace($evil->{cert}, 'evil.crt');
$node->apply('ext_ssl_guard.extra_files' => "server:evil.crt, \"evil\\012\$(touch pwned)\"");
@runs = runs(2);
my @evil = map { @{ $_->{input} } } @runs;
($facts) = grep { $_->{code} eq 'expires_very_soon' } @evil;
like($facts->{message}, qr/touch .*touch .*touch .*\\x07\\x1b\[2J/, 'a hostile subject is text, and printable');
($facts) = grep { $_->{code} eq 'file_missing' } @evil;
like($facts->{object}, qr/evil\\x0a\$\(touch/, 'so is a path');
is(scalar(grep { $_->{environment}{message} =~ /[\x00-\x1f]/ } @runs), 0, 'no control character in the environment');
$node->apply('ext_ssl_guard.extra_files' => '');
runs(2);
$node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0);
ok(!-e $node->path('pwned'), 'nothing of it is run');

# --- many at once ----------------------------------------------------------------------

$node->apply('ext_ssl_guard.extra_files' => join(',', map { "many$_.crt" } 1 .. 200), 'ext_ssl_guard.finding_overrides' => 'file_missing=warning');
@runs = runs(200);
is(scalar(map { @{ $_->{input} } } @runs), 200, '200 alarms of one check');
is(scalar(@runs), 1, 'in one run');
is($runs[0]{environment}{count}, 200, 'which knows how many');
$node->apply('ext_ssl_guard.extra_files' => '');
is(events(runs(200)) =~ tr/,//, 199, 'and they are cleared');
my (undef, $failed, $dropped) = split /\|/, counters();
is("$failed|$dropped", '0|0', 'nothing failed, nothing is lost');

# --- it fails, and is run again ----------------------------------------------------------

my $switch = "$dir/out_of_order";
my $fail = "if [ -e $switch ]; then echo connection to example.com failed: \$SSL_GUARD_EVENT >&2; exit 7; fi; exec $tell";
ESG::Certs::spew($switch, '');
$node->apply('ext_ssl_guard.alarm_command' => $fail, 'ext_ssl_guard.extra_files' => 'nowhere.crt,elsewhere.crt');
$offset = $node->log_end;
my $failure = qr/WARNING:  alarm command failed: child process exited with exit code 7\n.*DETAIL:  alarms=2 tries=2 output="connection to example.com failed: raised" cluster=main\n.*HINT:  It is run again in 4 s/;
$node->wait_log($failure, 0);
pass('a failure is in the log, with what it said');
is(sql('SELECT alarm_commands_failed >= 2 FROM ssl_guard_status'), 't', 'and counted');
$node->apply('ext_ssl_guard.extra_files' => 'elsewhere.crt');
$node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 1);
unlink $switch or die "unlink: $!";
is(events(runs(2)), 'raised file_missing, cleared file_missing', 'run again it tells what is so by then');
$offset = $node->log_end;
$node->apply('ext_ssl_guard.extra_files' => '');
is(events(runs(1)), 'cleared file_missing', 'and then goes on as ever');
is($node->count_log(qr/alarm command/, $offset), 0, 'without another word');

# raised and cleared before it could be told at all: nothing
ESG::Certs::spew($switch, '');
$node->apply('ext_ssl_guard.extra_files' => 'one.crt');
$node->wait_log(qr/alarm command failed/, $offset);
$node->apply('ext_ssl_guard.extra_files' => 'one.crt, brief.crt') ;
$node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 2);
my $brief = $node->count_log(qr/alarm command failed/, $offset);
$node->apply('ext_ssl_guard.extra_files' => 'one.crt');
$node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 1);
my $tries = $node->count_log(qr/alarm command failed/, $offset);
unlink $switch or die "unlink: $!";
my $told = events(runs(1));
SKIP:
{
	skip 'the machine is too slow to be in between', 1 if $tries != $brief;
	is($told, 'raised file_missing', 'what came and went between two tries is not told');
}

# --- the worker's end --------------------------------------------------------------------

ESG::Certs::spew($switch, '');
$offset = $node->log_end;
$node->apply('ext_ssl_guard.extra_files' => 'two.crt');
$node->wait_log(qr/alarm command failed/, $offset);
kill 'TERM', worker();
$node->wait_log(qr/LOG:  the alarm command has not been told of 2 alarms/, $offset);
pass('the worker ends, and says what it has not told');
unlink $switch or die "unlink: $!";
is(events(runs(2)), 'raised file_missing, cleared file_missing', 'the next one tells it, and nothing else');

# --- it hangs ------------------------------------------------------------------------------

my $hang = "trap '' TERM; while :; do sleep $nap; done";
$offset = $node->log_end;
$node->apply('ext_ssl_guard.alarm_command' => $hang =~ s/'/''/gr, 'ext_ssl_guard.alarm_command_timeout' => '2s');
isnt(wait_processes(qr/^sleep\x{0}$nap\b/, 1), 0, 'a command that hangs');
my $start = time;
is(sql("SELECT count(*) FROM ssl_guard_check()"), 1, 'a check meanwhile');
$node->replace($ending->{cert}, 'three.crt');
$node->apply('ext_ssl_guard.extra_files' => 'two.crt, three.crt');
$node->wait_sql("SELECT count(*) > 1 FROM ssl_guard_alarms");
$node->wait_log(qr/WARNING:  alarm command failed: it took longer than 2 s/, $offset);
$node->apply('ext_ssl_guard.alarm_command' => '');
is(wait_processes(qr/^sleep\x{0}$nap\b/, 0), 0, 'is ended with all it has started, though it ignores SIGTERM');

# one that stops the process which would end it
$offset = $node->log_end;
$node->apply('ext_ssl_guard.alarm_command' => 'kill -STOP $PPID; exit 0');
$node->wait_log(qr/WARNING:  alarm command failed: it took longer than 2 s/, $offset);
$node->apply('ext_ssl_guard.alarm_command' => $tell);
isnt(events(runs(1)), '', 'a command that stops its parent ends itself, not all telling');
$node->apply('ext_ssl_guard.alarm_command' => '');

# unset: that was it
runs(0);
$offset = $node->log_end;
$node->apply('ext_ssl_guard.extra_files' => '');
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms", 0);
$node->apply('ext_ssl_guard.alarm_command' => $tell);
$node->apply('ext_ssl_guard.extra_files' => 'four.crt');
is(events(runs(1)), 'raised file_missing', 'what happened while it was unset is not told later');

# it does not read what it is told
sub many { return join(',', map { "$_[0]$_.crt" } 1 .. 400); }
sub told
{
	my $sum = 0;

	$sum += $_ foreach split ' ', -e "$dir/counts" ? ESG::Certs::slurp("$dir/counts") : '';
	return $sum;
}

sub wait_told
{
	my ($wanted) = @_;
	my $until = time + $ESG::Node::timeout;

	sleep 0.1 while told() < $wanted && time < $until;
	return told();
}
$offset = $node->log_end;
my $before = sql('SELECT alarm_commands_run FROM ssl_guard_status');
$node->apply('ext_ssl_guard.alarm_command' => "echo \$SSL_GUARD_COUNT >>$dir/counts");
is(wait_told(1), 1, 'a command that reads nothing');
$node->apply('ext_ssl_guard.extra_files' => many('first'));
is(wait_told(402), 402, 'is told of 400 alarms, and the end of one');
is($node->count_log(qr/alarm command failed/, $offset), 0, 'and is as good');

# More ends than there are places beside the new alarms: 400 of 448 are taken.
my $runs = $before + (() = ESG::Certs::slurp("$dir/counts") =~ /\n/g);
is($node->wait_sql('SELECT alarm_commands_run FROM ssl_guard_status', $runs), $runs, 'so many runs have ended');
$node->apply('ext_ssl_guard.extra_files' => many('second'));
is(wait_told(402 + 448), 402 + 448, '400 others instead: 448 are told');
is(sql('SELECT alarm_events_dropped FROM ssl_guard_status'), 352, 'the ends that had to go are counted');
is(sql('SELECT count(*) FROM ssl_guard_alarms'), 400, 'the alarms stand');
$node->apply('ext_ssl_guard.extra_files' => 'four.crt');
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms", 1);

# it talks without end
$offset = $node->log_end;
$node->apply('ext_ssl_guard.alarm_command' => 'yes bla; exit 1');
$node->wait_log(qr/alarm command failed: it took longer than 2 s\n.*output="[^"\n]{900,8000}" cluster=main\n/, $offset);
pass('one that talks without end: the end of it is kept');
$node->apply('ext_ssl_guard.alarm_command' => '');

# --- shutdown --------------------------------------------------------------------------------

foreach my $mode (qw(fast immediate))
{
	$node->apply('ext_ssl_guard.alarm_command' => $hang =~ s/'/''/gr, 'ext_ssl_guard.alarm_command_timeout' => '10min');
	isnt(wait_processes(qr/^sleep\x{0}$nap\b/, 1), 0, "$mode shutdown while it hangs");
	$start = time;
	$node->stop($mode);
	my $took = time - $start;
	note sprintf '%s shutdown took %.3f s', $mode, $took;
	cmp_ok($took, '<', 4, 'is not held up');
	is(wait_processes(qr/^sleep\x{0}$nap\b/, 0), 0, 'and nothing is left behind');
	$node->set_conf('ext_ssl_guard.alarm_command' => '');
	$node->start;
}

# --- a crash ----------------------------------------------------------------------------------

ESG::Certs::spew($switch, '');
$node->apply('restart_after_crash' => 'on', 'ext_ssl_guard.alarm_command' => "if [ -e $switch ]; then exec sleep $nap; fi; exec $tell");
isnt(wait_processes(qr/^sleep\x{0}$nap\b/, 1), 0, 'the worker is killed while it hangs');
unlink $switch or die "unlink: $!";
runs(0);
$offset = $node->log_end;
kill 'KILL', worker();
$node->wait_log(qr/all server processes terminated; reinitializing/, $offset);
is(wait_processes(qr/^sleep\x{0}$nap\b/, 0), 0, 'the command ends with it');
is(events(runs(1)), 'raised file_missing', 'and what stands is told anew');

# --- a restart ------------------------------------------------------------------------------

$node->set_conf('ext_ssl_guard.alarm_command' => $tell);
$node->restart;
is(events(runs(1)), 'raised file_missing', 'after a restart what stands is told');

# --- who may see it; no worker ------------------------------------------------------------

my (undef, undef, $err) = $node->psql('postgres', 'SET ROLE somebody; SHOW ext_ssl_guard.alarm_command');
like($err, qr/must be|permission denied/, 'the setting is not for everybody');
$node->set_conf('max_worker_processes' => 0, 'max_logical_replication_workers' => 0);
$offset = $node->log_end;
$node->restart;
sql('SELECT count(*) FROM ssl_guard_check()');
is($node->count_log(qr/four.crt" is missing/, $offset), 1, 'no worker: the log has the alarm');
is(counters(), '0|0|0', 'and nobody is told');
my $limit = ESG::Node::shmem_limit();
is(sql("SELECT sum(allocated_size) <= $limit FROM pg_shmem_allocations WHERE name LIKE 'ext_ssl_guard%'"), 't', 'shared memory');

$node->stop;
done_testing();

# The registry of alarms: raised once, repeated, worse at once, cleared, and
# bounded.  Missing extra files make as many alarms as one wants.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server,
	conf => "log_error_verbosity = verbose\next_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 0");
$node->start;
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

# settings that the next session, and the worker's next check, see
sub configure
{
	my ($settings, $wanted) = @_;

	$node->set_conf(map { ("ext_ssl_guard.$_" => $settings->{$_}) } keys %$settings);
	my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
	$node->reload;
	$node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status");
	return;
}

sub check { return $node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()'); }

my $line = qr/(WARNING|LOG):  SG055: file ".*nowhere.crt" is missing/;
my $cleared = qr/LOG:  SG055: alarm cleared: file ".*nowhere.crt" is missing/;
my $offset = $node->log_end;
configure({ extra_files => 'nowhere.crt', finding_overrides => 'file_missing=notice' });
is($node->count_log($line, $offset), 1, 'raised: one line');
is($node->count_log(qr/LOG:  SG055: file/, $offset), 1, 'a notice is logged as LOG, with its SQLSTATE');
like($node->log_since($offset), qr/DETAIL:  code=file_missing severity=notice setting=ext_ssl_guard.extra_files path=/,
	'DETAIL is one line of pairs');
check() for 1 .. 5;
is($node->count_log($line, $offset), 1, 'five more checks: still one line');
is($node->safe_psql('postgres', 'SELECT severity, code, occurrences >= 6, raised_at = last_logged_at, last_seen_at > raised_at FROM ssl_guard_alarms'),
	'notice|file_missing|t|t|t', 'the row counts them');
my ($status, $out, $err) = $node->psql('postgres', 'SELECT * FROM ssl_guard_check()');
is($err, '', 'whoever runs the check gets rows, not warnings');

$offset = $node->log_end;
configure({ finding_overrides => 'file_missing=critical' });
is($node->count_log(qr/WARNING:  SG055: file/, $offset), 1, 'worse: logged at once');
configure({ finding_overrides => 'file_missing=warning' });
is($node->count_log($line, $offset), 1, 'better: not logged');
is($node->safe_psql('postgres', 'SELECT severity FROM ssl_guard_alarms'), 'warning', 'but shown');
is($node->safe_psql('postgres', 'SELECT notices, warnings, criticals FROM ssl_guard_status'), '0|1|0', 'and counted');

$offset = $node->log_end;
configure({ alarm_repeat_interval => '1s' });
foreach (1 .. 4)
{
	sleep 0.7;
	check();
}
cmp_ok($node->count_log($line, $offset), '>=', 2, 'repeated after the interval');
configure({ alarm_repeat_interval => '1d' });

$offset = $node->log_end;
configure({ finding_overrides => 'file_missing=off' });
is($node->count_log($cleared, $offset), 1, 'switched off: cleared with a line of its own');
like($node->log_since($offset), qr/DETAIL:  code=file_missing severity=warning cleared=yes object=/, 'which says what');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_alarms'), 0, 'and the row is gone');

# a name cannot break out of its line
$offset = $node->log_end;
configure({ extra_files => '"evil\012WARNING:  forged.crt"', finding_overrides => '' });
like($node->log_since($offset), qr/file "[^"\n]*evil\\x0aWARNING:  forged.crt" is missing/, 'a newline in a path is escaped');
unlike($node->log_since($offset), qr/^WARNING:/m, 'and starts no line');

# more alarms than places
is($node->safe_psql('postgres', 'SELECT alarms_evicted FROM ssl_guard_status'), 0, 'no alarm was left out so far');
$offset = $node->log_end;
configure({ extra_files => join(',', map { "nowhere$_.crt" } 1 .. 600), finding_overrides => 'file_missing=warning' });
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_alarms'), 448, 'the registry is full');
is($node->count_log(qr/too many alarms: 152 found no place/, $offset), 1, 'said once');
is($node->safe_psql('postgres', 'SELECT alarms_evicted >= 152 FROM ssl_guard_status'), 't', 'and counted');
check();
is($node->count_log(qr/too many alarms/, $offset), 1, 'not again');
unlink $node->path('root.crt');
configure({ finding_overrides => 'file_missing=warning, not_a_ca=off' });
$node->replace($certs->make_server('odd', ca => $ca, not_before => '20200101000000Z', not_after => '20210101000000Z')->{cert}, 'server.crt');
check();
is($node->safe_psql('postgres', "SELECT code FROM ssl_guard_alarms ORDER BY severity DESC, code LIMIT 1"), 'expired',
	'a more severe one finds a place even so');
$offset = $node->log_end;
$node->replace($ca->{cert}, 'root.crt');
$node->replace($server->{cert}, 'server.crt');
configure({ extra_files => '', finding_overrides => '' });
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_alarms'), 0, 'all mended: all cleared');
is($node->count_log(qr/alarm cleared: file ".*nowhere\d+\.crt/, $offset) >= 440, 1, 'each with its line');

$node->stop;
done_testing();

# An alarm command that fails for hours is given up for the alarms of then, and
# not for those to come.  The clock is set: the pauses are up to an hour long.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Clock;
use ESG::Node;

my $clock = ESG::Clock->new('that a failing alarm command is given up is');

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');
my $dir = $certs->dir;

sub sql { return $node->safe_psql('postgres', $_[0]); }

$clock->set(0);
ESG::Certs::spew("$dir/out_of_order", '');
$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca),
	conf => join("\n", 'autovacuum = off', "ext_ssl_guard.alarm_repeat_interval = '365d'", "ext_ssl_guard.extra_files = 'one.crt'",
		"ext_ssl_guard.alarm_command = 'test ! -e $dir/out_of_order && cat >>$dir/told'"));
$clock->start($node);

# each pause passes in one step; a reload makes the worker look at the clock
foreach my $try (1 .. 14)
{
	$node->wait_log(qr/DETAIL:  alarms=1 tries=$try cluster=\w+\n/, 0);
	last if $try == 14;
	$clock->set(30 + 3601 * $try);
	$node->reload;
}
pass('14 tries');
like($node->log_since(0), qr/tries=12 .*\n.*HINT:  It is run again in 3600 s\./, 'the pause is an hour at last');
$node->wait_log(qr/tries=14 .*\n.*HINT:  It was run often enough, and nobody has been told\./, 0);
is($node->wait_sql('SELECT alarm_events_dropped FROM ssl_guard_status', 1), 1, 'the alarm is given up, and counted');
is(sql('SELECT alarm_commands_run, alarm_commands_failed FROM ssl_guard_status'), '14|14', 'so are the tries');
is(sql('SELECT count(*) FROM ssl_guard_alarms'), 1, 'it stands');

unlink "$dir/out_of_order" or die "unlink: $!";
$node->set_conf('ext_ssl_guard.extra_files' => 'one.crt, two.crt');
$node->reload;
is($node->wait_sql('SELECT alarm_commands_run FROM ssl_guard_status', 15), 15, 'another alarm:');
my @told = -e "$dir/told" ? split /\n/, ESG::Certs::slurp("$dir/told") : ();
like(join("\n", @told), qr/^\{"event":"raised","code":"file_missing",[^\n]*two\.crt[^\n]*\}$/, 'it is told, and it alone');

$node->stop;
done_testing();

# auto_reload that is switched off while the server has yet to obey: whatever it
# loads then, nothing is said of that attempt when it is switched on again.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Renewal;

plan skip_all => 'needs /proc' if !-r '/proc/self/status';

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $made = 0;

sub renewed { return $certs->make_server('server' . ++$made, ca => $ca, days_left => 100 + $made); }

my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => renewed(), conf => $ESG::Renewal::settings);
$node->start;
$node->wait_sql('SELECT in_sync FROM ssl_guard_status');

my $r = ESG::Renewal->new($node);
my $pid = (split /\n/, ESG::Certs::slurp($node->path('postmaster.pid')))[0];

# has that process been sent SIGHUP, the first of the signals, and not seen to it?
sub is_signalled
{
	my ($pending) = ESG::Certs::slurp("/proc/$pid/status") =~ /^ShdPnd:\s*(\S+)/m;

	return hex(substr($pending, -1)) & 1;
}

$r->begin;
kill 'STOP', $pid or die "kill: $!";
my $until = time + 60;
$r->put(ESG::Renewal::pair(renewed()));
sleep 0.1 while !is_signalled() && time < $until;
ok(is_signalled(), 'the renewed files are to be loaded');
my $last = renewed();
$r->put(ESG::Renewal::pair($last));
$node->append_conf('postgresql.conf', 'ext_ssl_guard.auto_reload = off');
kill 'CONT', $pid or die "kill: $!";
is($r->wait_served($last), $last->{fingerprint}, 'others are');
is($node->wait_sql('SELECT in_sync FROM ssl_guard_status'), 't', 'and known to be');

my $offset = $node->log_end;
$node->apply('ext_ssl_guard.auto_reload' => 'on');
$node->wait_sql('SELECT in_sync FROM ssl_guard_status');
$r->begin;
my $next = renewed();
$r->put(ESG::Renewal::pair($next));
$r->in_service($next, 'switched on again');
is($node->count_log(qr/automatic reload has not brought/, $offset), 0, 'the attempt of before is history');
is($node->count_log(qr/renewed TLS files are in service/, $offset), 1, 'only the new one is told of');

$node->stop;
done_testing();

# The worker's review of the registry: it looks at what has changed, or when the
# moment has come, whatever the interval at which files are polled, and at nothing else.

use strict;
use warnings;

use Test::More;

use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Registry;

my $many = 2000;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('client', ca => $ca, subject => '/CN=app');
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.max_client_certificates = 10000\next_ssl_guard.file_poll_interval = 1s\nlog_min_messages = debug1\n"
	  . "ext_ssl_guard.expire_alert_threshold = 1d\next_ssl_guard.expire_critical_threshold = 0\next_ssl_guard.self_probe = off",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE aside LOGIN');
my $offset = $node->log_end;

sub login
{
	my ($cert, $role) = @_;

	return ($node->tcp_psql('SELECT 1', user => $role // 'app', client => $cert))[0] == 0;
}

# how many entries were judged since, once $count were
sub judged
{
	my ($count, $seconds) = @_;
	my $until = time + ($seconds // $ESG::Node::timeout);
	my $sum;

	do
	{
		sleep 0.1;
		my $text = $node->log_since($offset);
		$sum = 0;
		$sum += $1 while $text =~ /judged (\d+) of \d+ client certificates/g;
	} while ($sum < $count && time < $until);
	return $sum;
}

sub alarms_of
{
	return "SELECT coalesce(string_agg(code, ',' ORDER BY code), '') FROM ssl_guard_alarms WHERE object = 'client:$_[0]{fingerprint}'";
}

ok(login($client), 'a login');
is(judged(1), 1, 'is judged');
$node->stop;
my $file = $node->path('pg_stat/ext_ssl_guard.clients');
my $registry = ESG::Registry->read($file);
$registry->multiply($many);
$registry->write($file);
$offset = $node->log_end;
$node->start;
is(judged($many), $many, "$many are judged at the start");

# polls go on, reviews do not
$offset = $node->log_end;
is(judged(1, 5), 0, 'nothing is judged while nothing changes');
ok(login($client), 'a login that changes counters only');
is(judged(1, 5), 0, 'is none that another verdict comes of');

my $other = $certs->make_client('other', ca => $ca, subject => '/CN=other', lifetime => 300, days_left => 200);
ok(login($other), 'another certificate');
is(judged(1), 1, 'is judged, alone');

# the same identity: the one before it is judged, too
my $renewed = $certs->make_client('renewed', ca => $ca, subject => '/CN=other', lifetime => 365, days_left => 364);
$offset = $node->log_end;
ok(login($renewed), 'one of the same subject');
is(judged(2), 2, 'is judged with the other');

# time passes: it alone
$offset = $node->log_end;
my $dying = $certs->make_client('dying', ca => $ca, subject => '/CN=dying', days_left => 1 + 30 / 86400);
ok(login($dying), 'one that soon has a day left');
is(judged(1), 1, 'is judged');
is($node->safe_psql('postgres', alarms_of($dying)), '', 'well');
my $soon = $node->safe_psql('postgres', 'SELECT next_check_at < now() + interval \'40 seconds\' FROM ssl_guard_status');
is($soon, 't', 'when it is to be judged again is known');
is($node->wait_sql(alarms_of($dying), 'expires_soon'), 'expires_soon', 'when the moment comes it has its alarm');
is(judged(2), 2, 'and was judged alone');

# it gives way to its successor
$offset = $node->log_end;
ok(login($certs->make_client('young', ca => $ca, subject => '/CN=dying')), 'it is renewed');
is($node->wait_sql(alarms_of($dying), ''), '', 'and its alarm is cleared');
is(judged(2), 2, 'two were judged');
like($node->log_since($offset), qr/alarm cleared/, 'the log says so');

# other settings, another look at all
my $there = $node->safe_psql('postgres', 'SELECT client_certificates FROM ssl_guard_status');
$offset = $node->log_end;
$node->apply('ext_ssl_guard.expire_alert_threshold' => '2d');
is(judged($there), $there, 'after a reload all are judged');

# a file of the deny-list that somebody showed, and one that nobody did
$offset = $node->log_end;
$node->apply('ext_ssl_guard.denied_certificates' => "$other->{fingerprint}, " . '0' x 63 . '1');
my $unseen = "SELECT coalesce(max(message), '') FROM ssl_guard_alarms WHERE code = 'denied_certificate_unseen'";
like($node->wait_sql($unseen, qr/1 certificate/), qr/1 certificate \(0{63}1\)/, 'who is in the registry was seen');
$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
like($node->wait_sql($unseen, qr/2 certificates/), qr/2 certificates/, 'after a reset nobody was');
ok(!login($other), 'a denied login');
like($node->wait_sql($unseen, qr/1 certificate /), qr/1 certificate \(0{63}1\)/, 'and he was');
$node->stop;

done_testing();

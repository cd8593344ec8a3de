# The process that looks for revoked certificates of open sessions: what hinders it
# is found out and said, nothing waits for it, and what it was to find is found.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $other_ca = $certs->make_ca('other_ca');
my %client = map { ($_ => $certs->make_client($_, ca => $ca)) } qw(good bad second);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('cas.crt', $ca->{cert}, $other_ca->{cert}),
	server => $certs->make_server('server', ca => $ca),
	conf => "ssl_crl_dir = 'crls'\next_ssl_guard.session_check = 'enforce'\next_ssl_guard.file_poll_interval = '1s'\nlog_min_messages = debug1",
	hba => [ 'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
mkdir $node->path('crls') or die "mkdir: $!";

sub hash_name
{
	my ($of) = @_;

	return $node->path('crls/' . (ESG::Certs::openssl('crl', '-in', $certs->make_crl($of, "$of->{name}_hash"), '-noout', '-hash') =~ s/\n//r) . '.r0');
}

sub hash_crl
{
	my ($of, $name) = @_;
	my $path = hash_name($of);

	ESG::Certs::spew("$path.new", ESG::Certs::slurp($certs->make_crl($of, $name)));
	rename "$path.new", $path or die "rename: $!";
	return;
}

# its process, "" if there is none
sub judge
{
	my ($postmaster) = ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/;

	return `ps -o pid=,args= --ppid $postmaster` =~ /^ *(\d+) .*ext_ssl_guard session judge/m ? $1 : '';
}

sub wait_judge
{
	my ($there) = @_;
	my $until = time + $ESG::Node::timeout;

	sleep 0.02 while (judge() eq '') == $there && time < $until;
	return judge();
}

hash_crl($ca, 'first');
hash_crl($other_ca, 'first_of_other');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
my %session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } sort keys %client;

# --- OpenSSL waits for a FIFO in ssl_crl_dir, for ever -------------------------------------------

my $fifo = hash_name($other_ca);
unlink $fifo;
mkfifo($fifo, 0600) or die "mkfifo: $!";
$certs->revoke($ca, $client{bad});
hash_crl($ca, 'second');
$node->reload;
my $pid = wait_judge(1);
sleep 1;
is(judge(), $pid, 'it waits');
my $offset = $node->log_end;
my $began = time;
kill 'TERM', $pid;
is(wait_judge(0), '', 'and can be ended');
cmp_ok(time - $began, '<', 3, 'at once');
unlink $fifo;
hash_crl($other_ca, 'second_of_other');
like($session{bad}->wait_end(30), qr/FATAL:  terminating connection/, 'what it was to find is found by the next one');
ok($session{$_}->alive, "$_ goes on") foreach qw(good second);

unlink $fifo;
mkfifo($fifo, 0600) or die "mkfifo: $!";
$node->reload;
wait_judge(1);
sleep 1;
like(judge(), qr/^\d+$/, 'it waits again');
$began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 5, 'a stop of the server does not wait for it');
unlink $fifo;
hash_crl($other_ca, 'third_of_other');

# --- no free place: an alarm, until there is one ---------------------------------------------------

my $not_judged = q{SELECT severity || ' ' || message FROM ssl_guard_alarms WHERE code = 'sessions_not_judged'};
my $force = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';

$node->set_conf(max_worker_processes => 2, max_logical_replication_workers => 0);
$node->start;
%session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } qw(good second);
my $taker = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "SET $force = on; SET parallel_leader_participation = off; SELECT pg_sleep(120)" ],
	'<', '/dev/null', '>', \my $out, '2>', \my $err);
$node->wait_sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'}, 1);
$certs->revoke($ca, $client{second});
hash_crl($ca, 'third');
$node->reload;
is($node->wait_sql($not_judged, qr/./, 30), 'critical open sessions could not be compared with the CRLs in service: there is no free place for a background worker', 'no free place: an alarm');
ok($session{second}->alive, 'the session goes on');
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' AND backend_type = 'client backend' AND pid <> pg_backend_pid()});
like($session{second}->wait_end, qr/FATAL/, 'a place is free: it is ended');
is($node->wait_sql("SELECT count(*) FROM ($not_judged) a", 0), 0, 'and the alarm is cleared');
ok($session{good}->alive, 'others go on');
eval { $taker->finish };
$node->stop;

done_testing();

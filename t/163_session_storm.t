# session_check = enforce while the server is reloaded again and again and others log
# in and out: who was revoked ends, whatever its session does, and nobody else.

use strict;
use warnings;

use IPC::Run ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $good = $certs->make_client('good', ca => $ca);
my @doomed = map { $certs->make_client("doomed$_", ca => $ca) } 1 .. 10;
my $node = ESG::Node->new('main');
my $made = 0;

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "ext_ssl_guard.session_check = 'enforce'\nmax_prepared_transactions = 5\nrestart_after_crash = on",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE TABLE t (x text); GRANT ALL ON t TO app');

sub put_crl { return $node->replace($certs->make_crl($ca, 'made' . ++$made, last_update => $made - 3600), 'root.crl'); }

# --- a storm ------------------------------------------------------------------------------------

my @stay = map { ESG::Sessions->open($node, user => 'app', client => $good) } 1 .. 10;
my @go = map { ESG::Sessions->open($node, user => 'app', client => $_) } @doomed;
my ($postmaster) = ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/;
my $stop = $node->path('stop');

sub child
{
	my ($work) = @_;
	my $pid = fork() // die "fork: $!";

	return $pid if $pid;
	alarm 120;
	my $failures = 0;
	$failures += $work->() until -e $stop;
	POSIX::_exit($failures ? 1 : 0);
}

my @clients = map { child(sub { my ($status) = $node->tcp_psql('SELECT pg_sleep(0.01)', user => 'app', client => $good); return $status; }) } 1, 2;
my $hup = child(sub { kill 'HUP', $postmaster; sleep 0.015; return 0; });

my $offset = $node->log_end;
foreach my $n (0 .. $#doomed)
{
	$certs->revoke($ca, $doomed[$n]);
	put_crl();
	sleep 0.4;
}
# it goes on
my %ended = map { $_ => $go[$_]->wait_end(20) // 'no' } 0 .. $#go;
ESG::Certs::spew($stop, '');
my %status = map { waitpid($_, 0); ($_ => $?) } @clients, $hup;
like($ended{$_}, qr/FATAL:  terminating connection due to administrator command/, "session $_ ends in the storm") foreach sort { $a <=> $b } keys %ended;
is(join(' ', map { $status{$_} } @clients, $hup), '0 0 0', 'others log in and out without one error');
is(scalar(grep { $_->alive } @stay), 10, 'and stay');
is($node->count_log(qr/LOG:  ending session of role/, $offset), 10, 'one line for each');
cmp_ok($node->count_log(qr/LOG:  received SIGHUP/, $offset), '>', 150, 'in hundreds of reloads');
unlink $stop;

# --- whatever a session does -------------------------------------------------------------------

my %cert = map { ($_ => $certs->make_client("busy_$_", ca => $ca)) } qw(sleep idle prepared copy_in copy_out lock);
my %busy;

sub run
{
	my ($name, $sql) = @_;
	my $self = $busy{$name} = { in => "SET application_name = '$name';\n$sql", out => '', err => '' };
	my @psql = ('psql', '-XAtq', '-d', $node->tcp(user => 'app', client => $cert{$name}));

	# nobody reads what this one prints
	if ($name eq 'copy_out')
	{
		pipe($self->{read}, my $write) or die "pipe: $!";
		$self->{run} = IPC::Run::start(\@psql, '<', \$self->{in}, '>', $write, '2>', \$self->{err});
		close $write;
	}
	else
	{
		$self->{run} = IPC::Run::start(\@psql, '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	}
	$self->{run}->pump_nb;
	return;
}

run('prepared', "BEGIN; INSERT INTO t VALUES ('prepared'); PREPARE TRANSACTION 'kept';\n");
run('idle', "BEGIN; INSERT INTO t VALUES ('idle'); LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE;\n");
$node->wait_sql(q{SELECT count(*) FROM pg_prepared_xacts, pg_stat_activity WHERE application_name = 'idle' AND state = 'idle in transaction'}, 1);
run('sleep', "SELECT pg_sleep(100);\n");
run('copy_in', "COPY t FROM STDIN;\nnot committed\n");
run('copy_out', "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000000)) TO STDOUT;\n");
run('lock', "BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE;\n");
$node->wait_sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('sleep', 'copy_in', 'copy_out', 'lock') AND wait_event IN ('PgSleep', 'ClientRead', 'ClientWrite', 'relation')}, 4);
is($node->safe_psql('postgres', q{SELECT string_agg(application_name || ' ' || wait_event, ', ' ORDER BY application_name) FROM pg_stat_activity
	WHERE application_name IN ('copy_in', 'copy_out', 'idle', 'lock', 'prepared', 'sleep')}),
	'copy_in ClientRead, copy_out ClientWrite, idle ClientRead, lock relation, prepared ClientRead, sleep PgSleep', 'six that do something');
$certs->revoke($ca, $_) foreach values %cert;
put_crl();
my $began = time;
$node->reload;
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_sessions WHERE state <> 'valid'}, 0), 0, 'no session is left that is not valid');
$node->wait_sql('SELECT count(*) FROM ssl_guard_sessions', 10);
cmp_ok(time - $began, '<', 8, 'soon');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_sessions'), 10, 'the others go on');
is($node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts'), 'kept', 'what was prepared stays prepared');
is($node->safe_psql('postgres', q{COMMIT PREPARED 'kept'; SELECT string_agg(x, ' ') FROM t}), 'prepared', 'and nothing else was done');
$_->{run}->kill_kill foreach values %busy;

# --- SIGKILL of a backend just then: a crash, after which all begins anew -----------------------

my $last = $certs->make_client('last', ca => $ca);
my $doomed = ESG::Sessions->open($node, user => 'app', client => $last);
$certs->revoke($ca, $last);
put_crl();
$offset = $node->log_end;
$node->reload;
kill 'KILL', $stay[0]{pid};
$node->wait_log(qr/database system is ready to accept connections/, $offset);
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_sessions'), 0, 'after a crash nobody is left');
my $next = $certs->make_client('next', ca => $ca);
my $session = ESG::Sessions->open($node, user => 'app', client => $next);
my $bystander = ESG::Sessions->open($node, user => 'app', client => $good);
$certs->revoke($ca, $next);
put_crl();
$node->reload;
like($session->wait_end, qr/FATAL:  terminating connection/, 'who is revoked after that is ended');
ok($bystander->alive, 'and nobody else');

$node->stop;
done_testing();

# A process that is killed while it holds one of our locks: the server restarts
# as after any crash, logins work, the worker is back, and the counters are sane.
# Until then, only those wait who need that lock.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Holder;
use ESG::Node;

my $certs = ESG::Certs->new;

my $holder = ESG::Holder->build($certs->dir);
plan skip_all => 'needs a C compiler, and 64 bits' unless $holder;
plan skip_all => 'EXEC_BACKEND: only the postmaster can ask which locks are ours' if ESG::Node::exec_backend();

my $ca = $certs->make_ca('ca');
# something is found about it, so that there is an alarm
my $app = $certs->make_client('app', ca => $ca, days_left => 5);
my $stranger = $certs->make_client('stranger', ca => $certs->make_ca('strange'), subject => '/CN=app');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $server,
	preload => 'ext_ssl_guard,' . $holder->library,
	conf => "restart_after_crash = on\next_ssl_guard.identity_check = enforce\next_ssl_guard.file_poll_interval = 0\n"
	  . "ext_ssl_guard.expire_check_interval = 0",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
chmod 0666, $node->path('root.crt') or die "chmod: $!";
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE other LOGIN');

sub sql { return $node->safe_psql('postgres', $_[0]); }

# a login as it is started in the background, too
sub login_command
{
	my ($user, $client) = @_;

	return [ 'psql', '-XAtqw', '-d', $node->tcp(user => $user, client => $client), '-c', 'SELECT 1' ];
}

sub login
{
	my ($user, $client) = @_;

	IPC::Run::run(login_command($user, $client), '<', \undef, '>', \my $out, '2>', \my $err, IPC::Run::timeout($ESG::Node::timeout));
	return $out eq "1\n" ? 'in' : $err =~ /refused \((\w+)\)/ ? $1 : $err =~ /alert|closed|SYSCALL/ ? 'no handshake' : $err;
}

sub count_logins { return sql(q{SELECT coalesce(sum(logins), 0) FROM ssl_guard_client_certificates WHERE role_name = 'app'}); }

# What the server has to say for itself, once the worker has looked.
sub books
{
	return sql(q{
		SELECT tls_hook_active, last_reload_ok, in_sync, served_fingerprint, alarms_evicted, client_certificates_evicted,
			client_certificates = (SELECT count(*) FROM ssl_guard_client_certificates),
			(SELECT string_agg(code || ' ' || occurrences::text, ', ' ORDER BY code) FROM ssl_guard_alarms WHERE code <> 'identity_mismatch')
		FROM ssl_guard_status});
}

my $alarms = q{SELECT string_agg(DISTINCT code, ' ' ORDER BY code) FROM ssl_guard_alarms};
my $wanted_alarms = 'expires_very_soon permissions_too_open';

is(login('app', $app), 'in', 'a login');
is(login('other', $app), 'identity_mismatch', 'one that is refused');
# what a crash leaves of the registry is what was saved
$node->restart;
is($node->wait_sql($alarms, $wanted_alarms), $wanted_alarms, 'two alarms stand');
my $saved = count_logins();
my $sane = qr/^t\|t\|t\|$server->{fingerprint}\|0\|0\|t\|expires_very_soon \d{1,2}, permissions_too_open \d{1,2}$/;
like(books(), $sane, 'the books');

my @locks = $holder->find_locks($node);

# who logs in, so that it takes the lock
my %login = (
	login => sub { return login_command('app', $app) },
	refused => sub { return login_command('other', $app) },
	stranger => sub { return login_command('app', $stranger) });

my %tried = map { $_->[0] => 1 } @ESG::Holder::cases;
# taken with ssl_sni only, which is off here; areas without anything to lock; while a large file of the
# registry is read (t/204_registry_late.t)
@locks = grep { !/^(served hosts|labels|crl_dir verdict|clients to be read)$/ } @locks;
is(join(', ', sort @locks), join(', ', sort keys %tried), 'every lock is tried');

foreach my $case (@ESG::Holder::cases)
{
	my ($lock, $who, $moment, $how, $meanwhile) = @$case;
	my $name = "$lock, $who, $moment";
	my $worker = $node->wait_sql('SELECT worker_pid FROM ssl_guard_status', qr/^\d+$/);

	$holder->want($lock, $who, $moment);
	my $client = IPC::Run::start($login{$how} ? $login{$how}->() : ESG::Holder::provoke($node, $how), '<', \undef, '>', \my $out, '2>', \my $err);
	my $pid = $holder->wait_held;

	is($pid == $worker ? 'worker' : 'other', $who eq 'worker' ? 'worker' : 'other', "$name: the holder");
	is(login('app', $app), $meanwhile, "$name: a login meanwhile") if $meanwhile;
	my $offset = $node->log_end;
	kill 'KILL', $pid or die "kill: $!";
	$node->wait_log(qr/terminated by signal 9.*database system is ready to accept connections/s, $offset);
	$client->finish;

	# logins, and what they leave behind
	my $before = count_logins();
	cmp_ok($before, '>=', $saved, "$name: the registry is one that was saved");
	is(login('app', $app), 'in', "$name: a login");
	is(login('other', $app), 'identity_mismatch', "$name: one that is refused");
	is(login('app', $stranger), 'no handshake', "$name: a stranger");
	is(count_logins() - $before, 1, "$name: one more is counted");
	is($node->wait_sql('SELECT sum(failures) FROM ssl_guard_handshake_failures', '1'), '1', "$name: one stranger is counted");

	# the worker
	my $now = $node->wait_sql("SELECT worker_pid FROM ssl_guard_status WHERE last_check_at > pg_postmaster_start_time() AND worker_pid <> $worker", qr/^\d+$/);
	ok($now =~ /^\d+$/ && kill(0, $now), "$name: another worker");
	$node->wait_sql($alarms, qr/\Qexpires_very_soon\E.*permissions_too_open/);
	like(books(), $sane, "$name: the books");
}

# A worker that has stopped, with no lock, is waited for by nobody.
my $worker = sql('SELECT worker_pid FROM ssl_guard_status');
kill 'STOP', $worker or die "kill: $!";
is(login('app', $app), 'in', 'a login while the worker stands still');
is(login('other', $app), 'identity_mismatch', 'one that is refused');
is(login('app', $stranger), 'no handshake', 'a stranger');
like(books(), $sane, 'the books');
kill 'CONT', $worker or die "kill: $!";
is($node->wait_sql('SELECT sum(failures) FROM ssl_guard_handshake_failures', '2'), '2', 'it takes note when it goes on');

unlike($node->log_since(0), qr/PANIC|TRAP/, 'no panic');
$node->stop;
done_testing();

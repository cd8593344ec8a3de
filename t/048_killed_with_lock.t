# A process that is killed while it holds one of our locks: the server restarts
# as after any crash, logins work, the worker is back, and the counters are sane.
# Until then, only those wait who need that lock.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $hold = $certs->dir . '/hold';
my $held = $certs->dir . '/held';

# Puts itself between our library and LWLockAcquire() and LWLockRelease().  Who
# takes the lock, and at which moment, that the file $hold names ("number who
# moment") writes its pid to $held and goes no further.  LD_PRELOAD does not reach
# what the server itself defines, so the addresses in our library are changed.
my $source = <<"SHIM";
#define _GNU_SOURCE
#include "postgres.h"

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lwlock.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);
extern PGDLLIMPORT bool ClientAuthInProgress;

static const char *
who_am_i(void)
{
	if (ClientAuthInProgress)
		return "login";
	return MyBackendType == B_BG_WORKER ? "worker" : "session";
}

static void
stop_here(const LWLock *lock, const char *moment)
{
	int			number = (const LWLockPadded *) lock - GetNamedLWLockTranche("ext_ssl_guard");
	char		wanted[64] = "";
	char		mine[64];
	int			file = open("$hold", O_RDONLY);

	if (file < 0)
		return;
	(void) !read(file, wanted, sizeof(wanted) - 1);
	close(file);
	snprintf(mine, sizeof(mine), "%d %s %s", number, who_am_i(), moment);
	/* one alone */
	if (strcmp(wanted, mine) != 0 || rename("$hold", "$held.new") != 0)
		return;
	file = open("$held.new", O_WRONLY | O_TRUNC);
	snprintf(mine, sizeof(mine), "%d", (int) getpid());
	(void) !write(file, mine, strlen(mine));
	close(file);
	rename("$held.new", "$held");
	for (;;)
		pause();
}

static bool
acquire(LWLock *lock, LWLockMode mode)
{
	bool		result = LWLockAcquire(lock, mode);

	stop_here(lock, "acquired");
	return result;
}

static void
release(LWLock *lock)
{
	stop_here(lock, "releasing");
	LWLockRelease(lock);
}

/* glibc has made addresses of what others leave as offsets */
static void *
address(const struct dl_phdr_info *object, ElfW(Addr) value)
{
	return (void *) (value >= object->dlpi_addr ? value : value + object->dlpi_addr);
}

static void
replace(void **place, void *function)
{
	size_t		page = sysconf(_SC_PAGESIZE);

	mprotect((void *) ((size_t) place / page * page), 2 * page, PROT_READ | PROT_WRITE);
	*place = function;
}

typedef struct Table
{
	const ElfW(Rela) *rows;
	size_t		size;
} Table;

/* addresses in this table of those that the linker has filled in */
static void
look_through(const struct dl_phdr_info *object, const Table *table, const ElfW(Sym) *symbols, const char *names)
{
	for (size_t i = 0; i < table->size / sizeof(*table->rows); i++)
	{
		const char *name = names + symbols[table->rows[i].r_info >> 32].st_name;
		void	  **place = (void **) (object->dlpi_addr + table->rows[i].r_offset);

		if (strcmp(name, "LWLockAcquire") == 0)
			replace(place, acquire);
		if (strcmp(name, "LWLockRelease") == 0)
			replace(place, release);
	}
}

static void
look_through_all(const struct dl_phdr_info *object, const ElfW(Dyn) *dynamic)
{
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	Table		data = {NULL, 0};
	Table		calls = {NULL, 0};

	for (; dynamic->d_tag != DT_NULL; dynamic++)
	{
		if (dynamic->d_tag == DT_RELA)
			data.rows = address(object, dynamic->d_un.d_ptr);
		if (dynamic->d_tag == DT_RELASZ)
			data.size = dynamic->d_un.d_val;
		if (dynamic->d_tag == DT_JMPREL)
			calls.rows = address(object, dynamic->d_un.d_ptr);
		if (dynamic->d_tag == DT_PLTRELSZ)
			calls.size = dynamic->d_un.d_val;
		if (dynamic->d_tag == DT_SYMTAB)
			symbols = address(object, dynamic->d_un.d_ptr);
		if (dynamic->d_tag == DT_STRTAB)
			names = address(object, dynamic->d_un.d_ptr);
	}
	look_through(object, &data, symbols, names);
	look_through(object, &calls, symbols, names);
}

static int
find_library(struct dl_phdr_info *object, size_t size, void *arg)
{
	const char *base = strrchr(object->dlpi_name, '/');

	if (base == NULL || strcmp(base, "/ext_ssl_guard.so") != 0)
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++)
	{
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			look_through_all(object, (const ElfW(Dyn) *) (object->dlpi_addr + object->dlpi_phdr[i].p_vaddr));
	}
	return 1;
}

void
_PG_init(void)
{
	dl_iterate_phdr(find_library, NULL);
}
SHIM

plan skip_all => 'needs 64 bits' if length(pack('p', '')) != 8;
my $shim = ESG::Node::build_library($certs->dir . '/shim', $source);
plan skip_all => 'needs a C compiler' unless $shim;
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
	preload => "ext_ssl_guard,$shim",
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

# each lock is in the table below; its number is its place in the order of areas,
# behind what says where the locks are
my @locks = grep { $_ ne 'locks' } split /\n/, sql(q{SELECT substr(name, 15) FROM pg_shmem_allocations WHERE name LIKE 'ext\_ssl\_guard %' ORDER BY off});
my %number = map { $locks[$_] => $_ } 0 .. $#locks;

# who does what, so that it takes the lock
my %provoke = (
	login => sub { return login_command('app', $app) },
	refused => sub { return login_command('other', $app) },
	stranger => sub { return login_command('app', $stranger) },
	reload => sub { return [ 'psql', '-XAtqw', '-d', $node->connstr('postgres'), '-c', 'SELECT pg_reload_conf()' ] },
	map { my $statement = $_; ($statement => sub { return [ 'psql', '-XAtqw', '-d', $node->connstr('postgres'), '-c', $statement ] }) }
	  'SELECT * FROM ssl_guard_status', 'SELECT * FROM ssl_guard_alarms', 'SELECT ssl_guard_reset_client_certificates()',
	  'SELECT * FROM ssl_guard_handshake_failures', 'SELECT * FROM ssl_guard_check()', 'SELECT * FROM ssl_guard_sessions', 'SELECT * FROM ssl_guard_certificates',
	  'SELECT * FROM ssl_guard_transport', 'SELECT * FROM ssl_guard_resets');

# [lock, who holds it, at which moment, what makes it, a login meanwhile]; where
# nothing is said of a login it would wait, as for any lock of the server's
my @cases = (
	[ 'server state', 'login', 'acquired', 'login' ],
	[ 'server state', 'login', 'releasing', 'login' ],
	[ 'server state', 'worker', 'releasing', 'reload' ],
	[ 'server state', 'session', 'acquired', 'SELECT * FROM ssl_guard_status' ],
	[ 'alarms', 'login', 'releasing', 'login' ],
	[ 'alarms', 'worker', 'acquired', 'reload' ],
	[ 'alarms', 'worker', 'releasing', 'reload' ],
	[ 'alarms', 'session', 'releasing', 'SELECT * FROM ssl_guard_alarms' ],
	[ 'clients', 'login', 'acquired', 'login' ],
	[ 'clients', 'login', 'releasing', 'refused' ],
	[ 'clients', 'worker', 'releasing', 'reload' ],
	[ 'clients', 'session', 'releasing', 'SELECT ssl_guard_reset_client_certificates()' ],
	[ 'sessions', 'login', 'acquired', 'login' ],
	[ 'sessions', 'login', 'releasing', 'login' ],
	[ 'sessions', 'session', 'acquired', 'SELECT * FROM ssl_guard_sessions' ],
	[ 'transport', 'login', 'acquired', 'login' ],
	[ 'transport', 'login', 'releasing', 'login' ],
	[ 'transport', 'session', 'acquired', 'SELECT * FROM ssl_guard_transport' ],
	[ 'resets', 'session', 'acquired', 'SELECT * FROM ssl_guard_resets', 'in' ],
	[ 'ca_usage', 'login', 'acquired', 'login' ],
	[ 'ca_usage', 'login', 'releasing', 'login' ],
	[ 'ca_usage', 'session', 'acquired', 'SELECT * FROM ssl_guard_certificates' ],
	[ 'failures', 'worker', 'acquired', 'stranger', 'in' ],
	[ 'failures', 'worker', 'releasing', 'stranger', 'in' ],
	[ 'failures', 'session', 'acquired', 'SELECT * FROM ssl_guard_handshake_failures', 'in' ],
	[ 'fallbacks', 'login', 'acquired', 'refused' ],
	[ 'fallbacks', 'login', 'releasing', 'refused' ],
	[ 'loaded files', 'worker', 'releasing', 'reload', 'in' ],
	[ 'loaded files', 'session', 'releasing', 'SELECT * FROM ssl_guard_check()', 'in' ],
	[ 'renewals', 'worker', 'releasing', 'reload', 'in' ],
	[ 'renewals', 'session', 'acquired', 'SELECT * FROM ssl_guard_check()', 'in' ],
	[ 'self-probe', 'worker', 'releasing', 'reload', 'in' ],
	[ 'self-probe', 'session', 'acquired', 'SELECT * FROM ssl_guard_status', 'in' ]);
my %tried = map { $_->[0] => 1 } @cases;
# taken with ssl_sni only, which is off here; areas without anything to lock; while a large file of the
# registry is read (t/204_registry_late.t)
@locks = grep { !/^(served hosts|labels|crl_dir verdict|clients to be read)$/ } @locks;
is(join(', ', sort @locks), join(', ', sort keys %tried), 'every lock is tried');

# the process that is at it
sub wait_held
{
	my $until = time + $ESG::Node::timeout;

	until (-e $held)
	{
		die "nobody has taken the lock\n" if time > $until;
		sleep 0.02;
	}
	my $pid = ESG::Certs::slurp($held);
	unlink $held;
	return $pid;
}

foreach my $case (@cases)
{
	my ($lock, $who, $moment, $how, $meanwhile) = @$case;
	my $name = "$lock, $who, $moment";
	my $worker = $node->wait_sql('SELECT worker_pid FROM ssl_guard_status', qr/^\d+$/);

	ESG::Certs::spew("$hold.new", "$number{$lock} $who $moment");
	rename "$hold.new", $hold or die "rename: $!";
	my $client = IPC::Run::start($provoke{$how}->(), '<', \undef, '>', \my $out, '2>', \my $err);
	my $pid = wait_held();

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

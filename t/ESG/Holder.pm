# ESG::Holder: a process of the server stops where it holds a lock of ours, so that
# it can be killed there.
#
#   my $holder = ESG::Holder->build($directory);  # undef: no C compiler, or not 64 bits
#   $holder->library                     # for shared_preload_libraries, behind ours
#   $holder->find_locks($node);          # ('alarms', ...): all there are, once the server runs
#   $holder->want('alarms', 'login', 'releasing');
#   ... what makes it take the lock
#   my $pid = $holder->wait_held;        # who stands there, and goes no further
#
#   @ESG::Holder::cases                  # for each lock who holds it and when
#   ESG::Holder::provoke($node, 'reload')        # a command that has a worker or session take it

package ESG::Holder;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

# Puts itself between our library and LWLockAcquire() and LWLockRelease().  Who
# takes the lock, and at which moment, that the file HOLD names ("number who
# moment") writes its pid to HELD and goes no further.  LD_PRELOAD does not reach
# what the server itself defines, so the addresses in our library are changed.
my $source = <<'SHIM';
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
	int			file = open(HOLD, O_RDONLY);

	if (file < 0)
		return;
	(void) !read(file, wanted, sizeof(wanted) - 1);
	close(file);
	snprintf(mine, sizeof(mine), "%d %s %s", number, who_am_i(), moment);
	/* one alone */
	if (strcmp(wanted, mine) != 0 || rename(HOLD, HELD ".new") != 0)
		return;
	file = open(HELD ".new", O_WRONLY | O_TRUNC);
	snprintf(mine, sizeof(mine), "%d", (int) getpid());
	(void) !write(file, mine, strlen(mine));
	close(file);
	rename(HELD ".new", HELD);
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

# [lock, who holds it, at which moment, what makes it, a login meanwhile]; where
# nothing is said of a login it would wait, as for any lock of the server's
our @cases = (
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

sub build
{
	my ($class, $dir) = @_;
	my $self = bless { hold => "$dir/hold", held => "$dir/held" }, $class;

	return undef if length(pack('p', '')) != 8;    ## no critic
	$self->{library} =
	  ESG::Node::build_library("$dir/shim", $source =~ s/\bHOLD\b/"$self->{hold}"/gr =~ s/\bHELD\b/"$self->{held}"/gr);
	return $self->{library} ? $self : undef;
}

sub library { return $_[0]->{library}; }

# A lock's number is its place in the order of areas, behind what says where the locks are.
sub find_locks
{
	my ($self, $node) = @_;
	my @locks = grep { $_ ne 'locks' } split /\n/,
	  $node->safe_psql('postgres', q{SELECT substr(name, 15) FROM pg_shmem_allocations WHERE name LIKE 'ext\_ssl\_guard %' ORDER BY off});

	$self->{number} = { map { $locks[$_] => $_ } 0 .. $#locks };
	return @locks;
}

sub want
{
	my ($self, $lock, $who, $moment) = @_;

	ESG::Certs::spew("$self->{hold}.new", "$self->{number}{$lock} $who $moment");
	rename "$self->{hold}.new", $self->{hold} or die "rename: $!";
	return;
}

sub wait_held
{
	my ($self) = @_;
	my $until = time + $ESG::Node::timeout;

	until (-e $self->{held})
	{
		die "nobody has taken the lock\n" if time > $until;
		sleep 0.02;
	}
	my $pid = ESG::Certs::slurp($self->{held});
	unlink $self->{held};
	return $pid;
}

# the fourth column of the table, but for logins, which each caller has of its own
sub provoke
{
	my ($node, $how) = @_;

	return [ 'psql', '-XAtqw', '-d', $node->connstr('postgres'), '-c', $how eq 'reload' ? 'SELECT pg_reload_conf()' : $how ];
}

1;

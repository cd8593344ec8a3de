/*
 * server_stub.c
 *		What parts of the library need of a server, for fuzzing them without one.
 *
 * Messages are made, so that what is wrong with their arguments shows, and thrown
 * away.
 */
#include "server_stub.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/elog.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "login/clients.h"
#include "server/guc.h"

bool		server_stub_takes_checksums = false;
int			server_stub_messages = 0;

/* ---- what the server has ---- */

char	   *DataDir = ".";
bool		IsUnderPostmaster = false;
struct Port *MyProcPort = NULL;
const EsgDenyList *esg_guc_denied_certificates = NULL;

uint64
GetSystemIdentifier(void)
{
	return UINT64CONST(7000000000000000001);
}

TimestampTz
GetCurrentTimestamp(void)
{
	return 30 * 365 * USECS_PER_DAY;
}

void
on_shmem_exit(pg_on_exit_callback function, Datum arg)
{
	(void) function;
	(void) arg;
}

void
esg_clients_note_news(void)
{
}

/* ---- memory ---- */

void *
palloc_extended(Size size, int flags)
{
	(void) flags;
	return malloc(size);
}

void
pfree(void *pointer)
{
	free(pointer);
}

/* ---- files ---- */

int
OpenTransientFile(const char *path, int flags)
{
	return open(path, flags, 0600);
}

int
CloseTransientFile(int fd)
{
	return close(fd);
}

FILE *
AllocateFile(const char *path, const char *mode)
{
	return fopen(path, mode);
}

int
FreeFile(FILE *file)
{
	return fclose(file);
}

int
pg_fsync(int fd)
{
	(void) fd;
	return 0;
}

int
durable_rename(const char *from, const char *to, int level)
{
	(void) level;
	return rename(from, to);
}

static char directory[64];

static void
leave_directory(void)
{
	static const char *const files[] = {
		"pg_stat/ext_ssl_guard.clients", "pg_stat/ext_ssl_guard.clients.journal", "pg_stat/ext_ssl_guard.clients.tmp",
		"pg_stat/ext_ssl_guard.clients.damaged"
	};

	for (int i = 0; i < lengthof(files); i++)
		(void) unlink(files[i]);
	(void) rmdir("pg_stat");
	(void) rmdir(directory);
}

void
server_stub_enter_directory(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/fuzz.XXXXXX", base != NULL && strlen(base) < 40 ? base : "/tmp");
	if (mkdtemp(directory) == NULL || chdir(directory) != 0 || mkdir("pg_stat", 0700) != 0)
		abort();
	(void) atexit(leave_directory);
}

void
server_stub_write_file(const char *path, const void *data, size_t size)
{
	FILE	   *out = fopen(path, "w");

	if (out == NULL || (size > 0 && fwrite(data, size, 1, out) != 1) || fclose(out) != 0)
		abort();
}

/* ---- messages ---- */

bool
errstart(int level, const char *domain)
{
	(void) domain;
	/* where it would raise an error, everything may happen in the postmaster */
	if (level >= ERROR)
		abort();
	server_stub_messages++;
	return true;
}

bool
errstart_cold(int level, const char *domain)
{
	return errstart(level, domain);
}

void
errfinish(const char *file, int line, const char *function)
{
	(void) file;
	(void) line;
	(void) function;
}

int
errcode(int code)
{
	return code;
}

int
errcode_for_file_access(void)
{
	return 0;
}

static void
make_message(const char *fmt, va_list ap)
{
	static char message[8192];

	(void) vsnprintf(message, sizeof(message), fmt, ap);
}

int
errmsg(const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	make_message(fmt, ap);
	va_end(ap);
	return 0;
}

int
errdetail(const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	make_message(fmt, ap);
	va_end(ap);
	return 0;
}

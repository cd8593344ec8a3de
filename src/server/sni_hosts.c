/*
 * server/sni_hosts.c
 *		pg_hosts.conf: certificates by the name that the client asks for.
 *
 * Core's parser logs each fault that it finds.  Who asks often would repeat
 * that without end, so a file with faults is parsed again only after it has
 * changed, or a reload, which may have found an included file mended.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "libpq/hba.h"
#include "libpq/libpq.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "server/sni_hosts.h"

/* The file, and the reload, that the parser complained of. */
typedef struct FaultyHosts
{
	TimestampTz reload;
	struct timespec changed;
	off_t		size;
	ino_t		inode;
} FaultyHosts;

static MemoryContext hosts_context = NULL;
static List *hosts_lines = NIL;
static bool hosts_are_faulty = false;
static FaultyHosts faulty_hosts;

static void
note_state(FaultyHosts *state)
{
	struct stat st;

	memset(state, 0, sizeof(*state));
	state->reload = PgReloadTime;
	if (stat(HostsFileName, &st) != 0)
		return;
	state->changed = st.st_ctim;
	state->size = st.st_size;
	state->inode = st.st_ino;
}

static void
parse_hosts(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ext_ssl_guard hosts",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *lines = NIL;

	hosts_are_faulty = load_hosts(&lines, NULL) == HOSTSFILE_LOAD_FAILED;
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, TopMemoryContext);
	if (hosts_context != NULL)
		MemoryContextDelete(hosts_context);
	hosts_context = context;
	hosts_lines = lines;
}

const List *
esg_sni_hosts_lines(void)
{
	FaultyHosts now;

	if (!ssl_sni || !IsUnderPostmaster)
		return NIL;
	note_state(&now);
	if (!hosts_are_faulty || memcmp(&now, &faulty_hosts, sizeof(now)) != 0)
	{
		faulty_hosts = now;
		parse_hosts();
	}
	return hosts_lines;
}

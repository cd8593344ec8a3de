/*
 * server/served_hosts.c
 *		The hosts that the server has loaded, whatever pg_hosts.conf has now.
 *
 * The memory outlives a crash.  It holds two lists, of which "latest"
 * says which one counts.  Writing goes to the other one, under the area's lock;
 * who dies meanwhile leaves nothing behind.  A reader copies, and does so again
 * if "latest" has moved meanwhile.
 *
 * A list is a row of strings, each with its NUL: nothing in it can lead a reader
 * astray.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/libpq.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

#include "compat.h"
#include "server/served_hosts.h"
#include "server/shmem.h"
#include "server/state.h"

/* bytes of a list; of a longer one nothing is kept, and the file's present content stands in for it */
#define MAX_LIST (256 * 1024)
#define MAX_READ_ATTEMPTS 1000

typedef struct KeptList
{
	uint32		number;			/* of EsgLoadState's served_number; 0: none */
	int			state;			/* EsgHostsState */
	uint32		size;
	char		strings[MAX_LIST];
} KeptList;

typedef struct KeptLists
{
	pg_atomic_uint32 latest;	/* of which the last bit is the index */
	KeptList	lists[2];
} KeptLists;

static KeptLists *kept = NULL;
static const EsgHosts *given = NULL;

/* the area has nothing but its lock */
static char *area = NULL;
static LWLock *area_lock = NULL;

static void
begin_kept(void)
{
	pg_atomic_init_u32(&kept->latest, 0);
}

void
esg_served_hosts_init(void)
{
	if (!ESG_LAST_CTX_IS_BARE)
		return;
	esg_shmem_register("served hosts", sizeof(*area), (void **) &area, &area_lock, NULL);
	esg_shmem_map("kept hosts", sizeof(KeptLists), (void **) &kept, begin_kept);
}

/* ------------------------------------------------------------------------
 * Lists as strings
 * ------------------------------------------------------------------------ */

static void
put_string(StringInfo buf, const char *str)
{
	appendBinaryStringInfo(buf, str, (int) strlen(str) + 1);
}

static void
put_number(StringInfo buf, int number)
{
	char		str[16];

	snprintf(str, sizeof(str), "%d", number);
	put_string(buf, str);
}

static void
put_strings(StringInfo buf, const List *list)
{
	ListCell   *cell;

	put_number(buf, list_length(list));
	foreach(cell, list)
		put_string(buf, lfirst(cell));
}

/* with_place: also where in the file each line is */
static void
put_hosts(StringInfo buf, const EsgHosts *hosts, bool with_place)
{
	ListCell   *cell;

	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		if (with_place)
		{
			put_number(buf, host->line);
			put_string(buf, host->file);
			put_strings(buf, host->token_files);
		}
		put_strings(buf, host->names);
		put_string(buf, host->cert);
		put_string(buf, host->key);
		put_string(buf, host->ca);
		put_string(buf, host->command);
		put_number(buf, host->command_at_reload);
	}
}

typedef struct Cursor
{
	const char *p;
	const char *end;
} Cursor;

/* "" when there is none left */
static char *
take_string(Cursor *cursor)
{
	const char *str = cursor->p;
	Size		len = strnlen(str, cursor->end - str);

	cursor->p = Min(str + len + 1, cursor->end);
	return pnstrdup(str, len);
}

static int
take_number(Cursor *cursor)
{
	return atoi(take_string(cursor));
}

static List *
take_strings(Cursor *cursor)
{
	List	   *list = NIL;

	for (int left = take_number(cursor); left > 0 && cursor->p < cursor->end; left--)
		list = lappend(list, take_string(cursor));
	return list;
}

static EsgHost *
take_host(Cursor *cursor)
{
	EsgHost    *host = palloc0(sizeof(EsgHost));

	host->line = take_number(cursor);
	host->file = take_string(cursor);
	host->token_files = take_strings(cursor);
	host->names = take_strings(cursor);
	host->cert = take_string(cursor);
	host->key = take_string(cursor);
	host->ca = take_string(cursor);
	host->command = take_string(cursor);
	host->command_at_reload = take_number(cursor) != 0;
	return host;
}

static EsgHosts *
unpack(const KeptList *list)
{
	EsgHosts   *hosts = palloc0(sizeof(EsgHosts));
	Cursor		cursor = {list->strings, list->strings + Min(list->size, MAX_LIST)};

	hosts->state = list->state == ESG_HOSTS_LISTED ? ESG_HOSTS_LISTED : ESG_HOSTS_NONE;
	while (cursor.p < cursor.end)
		hosts->hosts = lappend(hosts->hosts, take_host(&cursor));
	return hosts;
}

/* ------------------------------------------------------------------------
 * What is kept
 * ------------------------------------------------------------------------ */

/* The latest list, and of which load it is; NULL if there is none. */
static EsgHosts *
read_kept(uint32 *number)
{
	KeptList   *copy;
	EsgHosts   *hosts = NULL;

	*number = 0;
	if (kept == NULL)
		return NULL;
	copy = palloc(sizeof(KeptList));
	copy->number = 0;
	for (int attempt = 0; attempt < MAX_READ_ATTEMPTS; attempt++)
	{
		uint32		latest = pg_atomic_read_u32(&kept->latest);
		const KeptList *list = &kept->lists[latest % 2];

		pg_read_barrier();
		memcpy(copy, list, offsetof(KeptList, strings));
		memcpy(copy->strings, list->strings, Min(copy->size, MAX_LIST));
		pg_read_barrier();
		if (pg_atomic_read_u32(&kept->latest) == latest)
			break;
	}
	*number = copy->number;
	if (copy->number != 0)
		hosts = unpack(copy);
	pfree(copy);
	return hosts;
}

static void
keep(const EsgHosts *hosts, uint32 number)
{
	uint32		latest = pg_atomic_read_u32(&kept->latest);
	KeptList   *list = &kept->lists[(latest + 1) % 2];
	StringInfoData buf;

	initStringInfo(&buf);
	put_hosts(&buf, hosts, true);
	if (buf.len <= MAX_LIST)
	{
		list->number = number;
		list->state = hosts->state;
		list->size = buf.len;
		memcpy(list->strings, buf.data, buf.len);
		pg_write_barrier();
		pg_atomic_write_u32(&kept->latest, latest + 1);
	}
	pfree(buf.data);
}

static bool
are_equal(const EsgHosts *a, const EsgHosts *b, bool with_place)
{
	StringInfoData first;
	StringInfoData second;
	bool		equal;

	initStringInfo(&first);
	initStringInfo(&second);
	put_hosts(&first, a, with_place);
	put_hosts(&second, b, with_place);
	equal = a->state == b->state && first.len == second.len &&
		memcmp(first.data, second.data, first.len) == 0;
	pfree(first.data);
	pfree(second.data);
	return equal;
}

/* Are these the hosts of the certificates in service? */
static bool
is_what_was_loaded(const EsgHosts *hosts, const EsgLoadState *load, const EsgFileMark *mark)
{
	if (load->result != ESG_LOAD_OK || memcmp(mark, &load->hosts_mark, sizeof(*mark)) != 0)
		return false;
	if (hosts->state == ESG_HOSTS_NONE)
		return load->served_count <= 1;
	return hosts->state == ESG_HOSTS_LISTED && list_length(hosts->hosts) == load->served_count;
}

void
esg_served_hosts_look(void)
{
	EsgHosts   *before;
	EsgHosts   *now;
	EsgFileMark mark;
	EsgLoadState load;
	uint32		number;

	if (kept == NULL)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	esg_server_state_load(&load);
	esg_sni_hosts_mark(&mark);
	now = esg_sni_hosts_read();
	before = read_kept(&number);
	if (load.in_service && load.served_number != 0 && number != load.served_number)
	{
		if (is_what_was_loaded(now, &load, &mark))
			keep(now, load.served_number);
	}
	/* the same hosts, but in other lines: a comment was added */
	else if (before != NULL && are_equal(before, now, false) && !are_equal(before, now, true))
		keep(now, number);
	LWLockRelease(area_lock);
}

void
esg_served_hosts_use(const EsgHosts *hosts)
{
	given = hosts;
}

const EsgHosts *
esg_served_hosts(bool *exact)
{
	EsgLoadState load;
	EsgHosts   *before;
	EsgHosts   *now;
	uint32		number;
	bool		known;

	if (given != NULL)
		return given;
	esg_server_state_load(&load);
	before = read_kept(&number);
	known = load.in_service && before != NULL && number == load.served_number;
	if (exact != NULL)
		*exact = known;
	if (known)
		return before;
	now = esg_sni_hosts_read();
	if (now->state == ESG_HOSTS_UNUSABLE && load.in_service && before != NULL)
		return before;
	return now;
}

bool
esg_served_hosts_edited(void)
{
	EsgLoadState load;
	EsgHosts   *before;
	EsgHosts   *now;
	uint32		number;

	esg_server_state_load(&load);
	before = read_kept(&number);
	if (load.result != ESG_LOAD_OK || before == NULL || number != load.served_number)
		return false;
	now = esg_sni_hosts_read();
	return now->state != ESG_HOSTS_UNUSABLE && !are_equal(before, now, false);
}

/*
 * login/label_page.c
 *		The page with the labels, read where it lies in memory.
 *
 * Each login asks for its role's label.  To open pg_shseclabel, lock it and scan it costs
 * a login more than all the rest that is done about it: the memory of locks, of
 * statistics and of the buffer table is touched by nothing else at that time.  Labels
 * are few, and so in most servers there is no page of them, or one.
 *
 * Are there none?  The length of the catalog's file tells.
 *
 * Is there one page?  Shared memory remembers in which buffer a login has found it last.
 * If it is still there, the rows are read out of it: those of which the page itself says that
 * who wrote or deleted them has committed, or has not.  Where that is open, the catalog
 * is asked as usual, which also leaves the answer in the page.
 *
 * Without a lock on the catalog, it can be rewritten at any time, and another page can be added.
 * Both show in what is looked at after the page: the length of the file, and the file's
 * number, which whoever rewrites the catalog changes, and tells all others of, before the old
 * file and its pages go.  The pin keeps the page from going meanwhile.  Nothing is read from
 * disk and no hint is set: the page of a file that is gone must not be written again.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_shseclabel.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "storage/lwlock.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/relcache.h"
#include "utils/relmapper.h"

#include "compat.h"
#include "login/label_page.h"
#include "server/shmem.h"

/* A row of ours is shorter, or its label is stored elsewhere. */
#define LONGEST_ROW 2560

typedef struct PageArea
{
	pg_atomic_uint32 buffer;	/* where the page was last; InvalidBuffer */
} PageArea;

static PageArea *area = NULL;

/* the area has nothing to lock */
static LWLock *area_lock = NULL;

static void
begin_area(void)
{
	pg_atomic_init_u32(&area->buffer, (uint32) InvalidBuffer);
}

void
esg_label_page_init(void)
{
	esg_shmem_register("labels", sizeof(PageArea), (void **) &area, &area_lock, begin_area);
}

/* What the page says of a row's visibility. */
typedef enum RowState
{
	ROW_OPEN,
	ROW_LIVE,
	ROW_DEAD
} RowState;

static RowState
get_state(HeapTupleHeader row)
{
	if (HeapTupleHeaderXminInvalid(row))
		return ROW_DEAD;
	if (!HeapTupleHeaderXminCommitted(row))
		return ROW_OPEN;
	if (row->t_infomask & HEAP_XMAX_INVALID)
		return ROW_LIVE;
	if ((row->t_infomask & HEAP_XMAX_COMMITTED) == 0 || (row->t_infomask & HEAP_XMAX_IS_MULTI) != 0 ||
		HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask))
		return ROW_OPEN;
	return ROW_DEAD;
}

/* One look at the page. */
typedef struct Search
{
	Relation	relation;
	Oid			role;
	EsgLabelRowFn is_ours;
	HeapTupleData row;
	char		data[LONGEST_ROW];	/* the row */
} Search;

static bool
is_wanted(const Search *search, HeapTuple row)
{
	Form_pg_shseclabel label = (Form_pg_shseclabel) GETSTRUCT(row);

	return label->objoid == search->role && label->classoid == AuthIdRelationId &&
		search->is_ours(search->relation, row);
}

/* One row of the page. */
static EsgLabelPage
read_row(Page page, OffsetNumber number, Search *search)
{
	ItemId		item = PageGetItemId(page, number);
	HeapTupleData row;

	if (!ItemIdIsNormal(item))
		return ESG_LABEL_PAGE_NONE;
	row.t_data = (HeapTupleHeader) PageGetItem(page, item);
	row.t_len = ItemIdGetLength(item);
	row.t_tableOid = SharedSecLabelRelationId;
	if (!is_wanted(search, &row) || get_state(row.t_data) == ROW_DEAD)
		return ESG_LABEL_PAGE_NONE;
	if (get_state(row.t_data) == ROW_OPEN || row.t_len > sizeof(search->data))
		return ESG_LABEL_PAGE_UNKNOWN;
	memcpy(search->data, row.t_data, row.t_len);
	search->row = row;
	return ESG_LABEL_PAGE_FOUND;
}

/* The page is locked: nothing here allocates, or ends with an ERROR. */
static EsgLabelPage
search_page(Page page, Search *search)
{
	EsgLabelPage found = ESG_LABEL_PAGE_NONE;

	if (PageIsNew(page))
		return ESG_LABEL_PAGE_UNKNOWN;
	for (OffsetNumber i = FirstOffsetNumber; i <= PageGetMaxOffsetNumber(page); i++)
	{
		EsgLabelPage one = read_row(page, i, search);

		if (one == ESG_LABEL_PAGE_UNKNOWN)
			return one;
		if (one == ESG_LABEL_PAGE_FOUND)
			found = one;
	}
	return found;
}

/* The page of that file of the catalog. */
static EsgLabelPage
look_into_page(RelFileNumber file, Buffer buffer, Search *search)
{
	RelFileLocator locator = search->relation->rd_locator;
	EsgLabelPage found;

	if (locator.relNumber != file || !ReadRecentBuffer(locator, MAIN_FORKNUM, 0, buffer))
		return ESG_LABEL_PAGE_UNKNOWN;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	found = search_page(BufferGetPage(buffer), search);
	UnlockReleaseBuffer(buffer);
	return found;
}

static EsgLabelPage
look(RelFileNumber file, const char *role_name, Search *search)
{
	Buffer		buffer = area != NULL ? (Buffer) pg_atomic_read_u32(&area->buffer) : InvalidBuffer;
	EsgLabelPage found;

	if (!BufferIsValid(buffer))
		return ESG_LABEL_PAGE_UNKNOWN;
	search->role = get_role_oid(role_name, true);
	if (!OidIsValid(search->role))
		return ESG_LABEL_PAGE_NONE;
	/* one of those that each process has from its start */
	search->relation = RelationIdGetRelation(SharedSecLabelRelationId);
	found = look_into_page(file, buffer, search);
	RelationClose(search->relation);
	return found;
}

/* Core's functions for it would be the only ones of their pages that a login needs. */
static void
append_number(char *text, uint32 number)
{
	char	   *end = text + strlen(text);
	int			digits = 1;

	for (uint32 rest = number; rest >= 10; rest /= 10)
		digits++;
	end[digits] = '\0';
	for (; digits > 0; number /= 10)
		end[--digits] = (char) ('0' + number % 10);
}

/* Bytes of the catalog's file, -1: not known.  It is longer before there is a row in it. */
static int64
get_length(RelFileNumber file)
{
	char		path[32] = "global/";
	struct stat status;

	append_number(path, file);
	return stat(path, &status) == 0 ? (int64) status.st_size : -1;
}

EsgLabelPage
esg_label_page_find(const char *role_name, EsgLabelRowFn is_ours, HeapTuple *row)
{
	RelFileNumber file = RelationMapOidToFilenumber(SharedSecLabelRelationId, true);
	Search		search;
	EsgLabelPage found;
	int64		length;

	search.is_ours = is_ours;
	found = look(file, role_name, &search);
	length = get_length(file);
	if (length == 0)
		found = ESG_LABEL_PAGE_NONE;
	else if (length != BLCKSZ)
		return ESG_LABEL_PAGE_UNKNOWN;
	AcceptInvalidationMessages();
	if (RelationMapOidToFilenumber(SharedSecLabelRelationId, true) != file)
		return ESG_LABEL_PAGE_UNKNOWN;
	if (found == ESG_LABEL_PAGE_FOUND)
	{
		search.row.t_data = (HeapTupleHeader) search.data;
		*row = heap_copytuple(&search.row);
	}
	return found;
}

void
esg_label_page_remember(Relation relation)
{
	Buffer		buffer;

	if (area == NULL || RelationGetNumberOfBlocks(relation) != 1)
		return;
	buffer = ReadBuffer(relation, 0);
	if (pg_atomic_read_u32(&area->buffer) != (uint32) buffer)
		pg_atomic_write_u32(&area->buffer, (uint32) buffer);
	ReleaseBuffer(buffer);
}

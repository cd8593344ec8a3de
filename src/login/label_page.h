/*
 * login/label_page.h
 *		The page with the labels, read where it lies in memory.
 */
#ifndef ESG_LOGIN_LABEL_PAGE_H
#define ESG_LOGIN_LABEL_PAGE_H

#include "access/htup.h"
#include "utils/rel.h"

typedef enum EsgLabelPage
{
	ESG_LABEL_PAGE_UNKNOWN,		/* the catalog has to be asked as usual */
	ESG_LABEL_PAGE_NONE,		/* the role has no row */
	ESG_LABEL_PAGE_FOUND
} EsgLabelPage;

/* Is a row of pg_shseclabel of this library? */
typedef bool (*EsgLabelRowFn) (Relation relation, HeapTuple tuple);

extern void esg_label_page_init(void);

/*
 * Looks for a role's row, without a lock on the catalog.  *row: a copy, palloc'd, if
 * there is one.  Needs a transaction.
 */
extern EsgLabelPage esg_label_page_find(const char *role_name, EsgLabelRowFn is_ours, HeapTuple *row);

/* Remembers where the page is, if it is the relation's only one; the relation is locked. */
extern void esg_label_page_remember(Relation relation);

#endif							/* ESG_LOGIN_LABEL_PAGE_H */

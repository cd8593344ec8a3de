/*
 * audit/hba.h
 *		pg_hba.conf and pg_ident.conf as they lie on disk, with what is wrong.
 */
#ifndef ESG_AUDIT_HBA_H
#define ESG_AUDIT_HBA_H

#include "policy/hba.h"
#include "utils/palloc.h"

typedef struct EsgHba
{
	MemoryContext context;
	int			count;
	int			capacity;
	EsgHbaLine *lines;			/* of pg_hba.conf in the order in which they
								 * are tried, then of pg_ident.conf */
} EsgHba;

/*
 * Reads and judges the files by the settings of this process.  Core's own
 * functions parse them; they need neither a database nor shared memory.  Nothing
 * is logged.  Errors: out of memory, cancel.
 */
extern EsgHba *esg_hba_read(void);
extern void esg_hba_free(EsgHba *hba);

#endif							/* ESG_AUDIT_HBA_H */

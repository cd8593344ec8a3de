/*
 * audit/renewals.h
 *		The renewals of the watched files, remembered.
 *
 * Kept in shared memory, and over restarts in pg_stat/ext_ssl_guard.renewals (see
 * server/saved_file.h; a copy of the data directory begins without).  Whoever
 * audits the files takes a copy of what is known before he reads them, adds to
 * the copy what he sees, and judges by that.  What was seen is handed on, so that
 * it can be learned by who has shared memory: a child of the worker has not.
 */
#ifndef ESG_AUDIT_RENEWALS_H
#define ESG_AUDIT_RENEWALS_H

#include "files/audited.h"

/* of the certificates of one file, of all, and of the CRLs: a bundle of CAs must leave room for the rest */
#define ESG_MAX_SIGHTINGS_OF_FILE 32
#define ESG_MAX_SIGHTINGS_OF_KIND (ESG_MAX_TRACKS / 2)

/* What somebody saw who looked at all files. */
typedef struct EsgSeen
{
	uint32		look;			/* numbers the looks, in the order of their
								 * beginnings */
	int64		at;				/* seconds since 1970 */
	int			count;
	EsgSighting sightings[ESG_MAX_TRACKS];
} EsgSeen;

/* What is known, and what is seen now. */
typedef struct EsgRenewals
{
	EsgSeen		seen;
	EsgTracks	tracks;
} EsgRenewals;

extern void esg_renewals_init(void);

/* What is known, before a look; palloc'd.  NULL: nothing shall be learned, or there is no shared memory. */
extern EsgRenewals *esg_renewals_copy(void);

/*
 * Adds what the audit has read, as of now, to the copy, and lets each
 * certificate and CRL point to its track there.  Does not look at shared memory.
 */
extern void esg_renewals_see(EsgRenewals *renewals, EsgAudit *audit, int64 now);

/* To be remembered.  Of no effect if a look that began later was learned from before. */
extern void esg_renewals_learn(const EsgSeen *seen);

/* Nothing has changed since the last look that was learned from. */
extern void esg_renewals_confirm(void);

/* Writes what is not on disk yet; at_end: also when it was last confirmed.  Raises no error. */
extern void esg_renewals_save(bool at_end);

#endif							/* ESG_AUDIT_RENEWALS_H */

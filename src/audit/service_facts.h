/*
 * audit/service_facts.h
 *		What the server has in service, as facts that outlive the files.
 *
 * Renewed files are compared with them.  They are kept in memory that all workers
 * of a server share, one after the other; the worker alone comes here.
 */
#ifndef ESG_AUDIT_SERVICE_FACTS_H
#define ESG_AUDIT_SERVICE_FACTS_H

#include "audit/trial.h"
#include "server/state.h"

/* An automatic reload. */
typedef struct EsgAttempt
{
	bool		open;			/* its outcome is not known */
	bool		loaded;			/* a load has ended since; what is served the
								 * self-probe may still have to find out */
	bool		failed;			/* it has brought nothing into service */
	char		failure[64];	/* then: why */
	TimestampTz at;				/* 0: there has been none */
	uint32		sequence;		/* of EsgLoadState, when it was begun; of its
								 * outcome, when that is known */
	unsigned char signature[ESG_DIGEST_SIZE];	/* of the files that it was
												 * for */
	char		files[256];		/* their settings, separated by commas */
	unsigned char before[ESG_DIGEST_SIZE];	/* fingerprint of the certificate
											 * in service then; zeroes: not
											 * known */
	unsigned char after[ESG_DIGEST_SIZE];	/* the one that is to be; zeroes:
											 * the same */
	int			host_index;		/* whose it is */
} EsgAttempt;

/* preloading only */
extern void esg_service_facts_init(void);

/*
 * A trial whose files are at rest, after the load that ended last: keeps what of
 * it was loaded, if nothing is kept of that load yet.
 */
extern void esg_service_facts_learn(const EsgTrial *trial, const EsgLoadState *load);

/* Has the server loaded something else from that file? */
extern bool esg_service_facts_differ(const EsgTrialFile *file);

/* is what it would load now worse?  As esg_worse_than() */
extern bool esg_service_facts_worse(const EsgTrial *trial, const EsgTrialFile *file, int64 now,
									char *reason);

/* The fingerprint in service for that host; NULL if it is not known. */
extern const unsigned char *esg_service_facts_served(EsgServedSet *set, const char *host, int host_index);

/*
 * Would a reload apply changes beside TLS files?  Then, palloc'd, which file has
 * them, or may have them.
 */
extern const char *esg_service_facts_config_news(const EsgConfigState *config, bool *certain);

/* The last automatic reload, to be read and written. */
extern EsgAttempt *esg_service_facts_attempt(void);

#endif							/* ESG_AUDIT_SERVICE_FACTS_H */

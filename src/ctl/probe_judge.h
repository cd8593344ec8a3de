/*
 * ctl/probe_judge.h
 *		Judges what a server has shown, by the rules of the audit.
 */
#ifndef ESG_CTL_PROBE_JUDGE_H
#define ESG_CTL_PROBE_JUDGE_H

#include <stdbool.h>

#include "ctl/report.h"
#include "ctl/resolve.h"
#include "ctl/target.h"
#include "policy/chain.h"
#include "wire/tls_client.h"

/* What the servers are judged by. */
typedef struct EsgProbeJudge
{
	EsgPolicy	policy;
	int64_t		now;			/* seconds since 1970 */
	const EsgTarget *named;		/* the name that clients connect by; NULL: the
								 * one that is asked */
	const char *ca_file;		/* NULL: nothing is verified */
	STACK_OF(X509) *cas;		/* in it; or NULL */
	EsgCertInfo *ca_infos;
	EsgIssuerIndex *ca_index;
	X509_STORE *store;			/* with them; or NULL */
} EsgProbeJudge;

/* ca_file may be NULL.  False with a message; out is to be freed in either case. */
extern bool esg_probe_judge_start(const char *ca_file, int64_t now, EsgProbeJudge *out);
extern void esg_probe_judge_free(EsgProbeJudge *judge);

/*
 * The certificates of answer, one object each, with findings; what concerns the
 * chain as a whole is remarked at the server.
 */
extern void esg_probe_judge_chain(const EsgProbeJudge *judge, const EsgTarget *target,
								  const EsgAddress *address, const EsgTlsAnswer *answer,
								  EsgReport *report, EsgReportObject *server);

/* protocol, cipher and group that were agreed on, and what is weak of them */
extern void esg_probe_judge_words(const EsgProbeJudge *judge, const EsgTlsAnswer *answer,
								  EsgReportObject *server);

#endif							/* ESG_CTL_PROBE_JUDGE_H */

/*
 * policy/crl.h
 *		Judging CRLs as OpenSSL uses them for the server's clients.
 *
 * A CRL belongs to a CA's key, not to its name.  Of several CRLs of one key
 * OpenSSL uses the best: only that one is judged, the others are silent.
 */
#ifndef ESG_POLICY_CRL_H
#define ESG_POLICY_CRL_H

#include "policy/crl_names.h"
#include "policy/crl_uses.h"
#include "policy/renewal.h"

/* What CRLs are judged by. */
typedef struct EsgCrlContext
{
	EsgCrlSources sources;
	int			first_in_dir;	/* of its CRLs those from here on lie in
								 * ssl_crl_dir */
	const EsgCrlUses *uses;		/* NULL: nobody knows, memory ran out */
	const EsgCrlNames *names;	/* of ssl_crl_dir, or NULL */
	const EsgCertInfo *const *own;	/* the server's chain and the CAs in use */
	int			own_count;
	const EsgPolicy *policy;
	EsgMemo    *memo;
} EsgCrlContext;

typedef enum EsgCrlPlace
{
	ESG_CRL_LOADED,				/* the server finds it */
	ESG_CRL_IGNORED,			/* it lies in ssl_crl_dir under no name that
								 * OpenSSL looks for */
	ESG_CRL_EXTRA				/* somebody else's, in extra_files */
} EsgCrlPlace;

/* One CRL; index is where it stands in the sources, if it is loaded. */
extern void esg_policy_crl_check(const EsgCrlInfo *crl, EsgCrlPlace place, int index,
								 const EsgCrlContext *context, int64_t now,
								 EsgFindings *out);

/* The same for one in a watched file; usual: how it is renewed. */
extern void esg_policy_crl_check_watched(const EsgCrlInfo *crl, EsgCrlPlace place, int index,
										 const EsgCrlContext *context, const EsgUsual *usual,
										 int64_t now, EsgFindings *out);

/* "it is a delta CRL" …: why OpenSSL has no use for it, whoever's it is; NULL: it may have one */
extern const char *esg_policy_crl_unused_reason(const EsgCrlInfo *crl);

/* A CA of ssl_ca_file where CRLs are configured: has it one? */
extern void esg_policy_crl_check_ca(const EsgCertInfo *ca, const EsgCrlContext *context,
									EsgFindings *out);

/*
 * As esg_policy_time_left(), with the shares of lifetime that are for CRLs.
 * Where the CA says when it publishes the next one, nothing is soon before half
 * of the time from there to the end has passed, and something is then.
 */
extern EsgTimeLeft esg_policy_crl_time_left(const EsgCrlInfo *crl, const EsgPolicy *policy,
											int64_t now, int64_t *left);

/* The first moment after now at which a verdict about its times may be another; ESG_TIME_NEVER if none is to come. */
extern int64_t esg_policy_crl_time_next(const EsgCrlInfo *crl, const EsgPolicy *policy, int64_t now);

#endif							/* ESG_POLICY_CRL_H */

/*
 * login/identity.h
 *		May this certificate be this role?  ext_ssl_guard.identity_check.
 *
 * One decision, made by the same code at a login and in the dry run
 * ssl_guard_identity_check().
 */
#ifndef ESG_LOGIN_IDENTITY_H
#define ESG_LOGIN_IDENTITY_H

#include "login/peer.h"

/* One candidate; texts palloc'd, UTF-8, printable. */
typedef struct EsgIdentityRow
{
	char	   *source;			/* "cn", or "cn@FINGERPRINT": only under that
								 * CA */
	char	   *identity;
	bool		matched;
	char	   *rule;			/* why, or why not */
} EsgIdentityRow;

typedef struct EsgIdentityDecision
{
	bool		allowed;
	char	   *reason;			/* palloc'd, UTF-8 */
	int			row_count;
	EsgIdentityRow *rows;
	bool	   *names_ca;		/* for each certificate of the chain, if a
								 * source is bound to a CA; else NULL */
} EsgIdentityDecision;

/*
 * Tries the candidates of identity_sources in order, with identity_map.
 * Without explain, of what is allowed there is no reason and there are no rows: that is
 * decided first, and most logins need no words.  chain: as verified, cert first; NULL: not
 * known, then no CA is in it.  Uses the map of this process, see ident_map.h.
 */
extern void esg_identity_decide(X509 *cert, STACK_OF(X509) *chain, const char *role_name,
								bool explain,
								EsgIdentityDecision *out);

/* the login's question; no refusal where the check does not apply */
extern void esg_identity_check(const EsgPeer *peer, EsgRefusal *out);

#endif							/* ESG_LOGIN_IDENTITY_H */

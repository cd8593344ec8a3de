/*
 * login/role_label.h
 *		Requirements attached to roles: SECURITY LABEL FOR ext_ssl_guard.
 */
#ifndef ESG_LOGIN_ROLE_LABEL_H
#define ESG_LOGIN_ROLE_LABEL_H

#include "login/peer.h"
#include "policy/label.h"

/* What a role's stored label says of a connection; texts palloc'd, UTF-8. */
typedef struct EsgLabelDecision
{
	char	   *label;			/* NULL: the role has none */
	bool		refused;
	const char *key;			/* static: the requirement not met; "label" if
								 * the label cannot be read */
	char	   *reason;			/* if refused */
	const char *hopeless;		/* why no connection to this server could meet
								 * it; NULL: some can */
	bool	   *names_ca;		/* for each certificate of the chain, if the
								 * label has "ca"; else NULL */
} EsgLabelDecision;

/* registers the label provider; preloading only */
extern void esg_role_label_init(void);

/* Needs a transaction.  A role that does not exist has no label. */
extern void esg_role_label_decide(const char *role_name, const EsgLabelPeer *peer,
								  EsgLabelDecision *out);

/* the login's question; raises and clears role_label_unsatisfiable on the way */
extern void esg_role_label_check(const EsgPeer *peer, EsgRefusal *out);

/* reports role_label_unsatisfiable and exempt_role_unknown for all roles; needs a transaction */
extern void esg_role_label_audit(void);

#endif							/* ESG_LOGIN_ROLE_LABEL_H */

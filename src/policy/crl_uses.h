/*
 * policy/crl_uses.h
 *		Which CRL OpenSSL uses for whom.
 *
 * Which of several CRLs it takes, what it does with a delta CRL, and whether it
 * looks for a root's own CRL differs between its versions, patch levels even.
 * So nothing of that is written down here: OpenSSL is asked, with a client
 * certificate made up for each CA.  Nothing else is left to it: whether the CRL
 * is signed and current is for policy/crl to say.
 */
#ifndef ESG_POLICY_CRL_USES_H
#define ESG_POLICY_CRL_USES_H

#include "policy/chain.h"
#include "x509/crl_info.h"

/* The certificates in ssl_ca_file, and the CRLs that the server finds. */
typedef struct EsgCrlSources
{
	const EsgCertInfo *const *cas;
	int			ca_count;
	const EsgIssuerIndex *index;	/* of cas */
	const EsgCrlInfo *const *crls;
	int			crl_count;
} EsgCrlSources;

/* A certificate in the chain of a CA's clients is looked for in a CRL. */
typedef struct EsgCrlUse
{
	int			crl;			/* in crls */
	const EsgCertInfo *ca;		/* whose clients; NULL: a CA that is not in
								 * ssl_ca_file */
	const EsgCertInfo *subject; /* the CA certificate that is looked for;
								 * NULL: the client's */
	const EsgCertInfo *signer;	/* whose key has to verify the CRL; NULL if
								 * that CA is not in ssl_ca_file */
	bool		in_scope;		/* if not, the client is refused */
	int			point;			/* in crls: the one whose distribution point
								 * the client's certificate names; -1: none */
	int			next;			/* use of the same CRL, -1: none */
} EsgCrlUse;

typedef struct EsgCrlUses
{
	EsgCrlUse  *uses;			/* those of a CA are neighbours */
	int			count;
	int			capacity;
	bool		incomplete;		/* of some CA it could not be found out */
	const EsgCrlSources *sources;	/* borrowed */
	int		   *by_name;		/* the CRLs sorted by issuer */
	int		   *first;			/* for each CRL the first of its uses, -1:
								 * none */
	bool	   *known;			/* for each CRL: it belongs to the key of a CA
								 * in ssl_ca_file, or to one that has a better
								 * CRL */
} EsgCrlUses;

/* NULL if memory ran out. */
extern EsgCrlUses *esg_crl_uses_find(const EsgCrlSources *sources, EsgMemo *memo, int64_t now);
extern void esg_crl_uses_free(EsgCrlUses *uses);

/* in which CRL are the client certificates of this CA looked for? NULL: in none */
extern const EsgCrlUse *esg_crl_uses_of_clients(const EsgCrlUses *uses, const EsgCertInfo *ca);

/* the CRLs of that issuer, as numbers of them; NULL and 0 if none */
extern const int *esg_crl_uses_named(const EsgCrlUses *uses, const X509_NAME *issuer, int *count);

/*
 * Was it made with this CA's key?  The names are taken to be equal.  A CRL that
 * names its issuer's key is believed: a wrong signature is another matter.
 */
extern bool esg_crl_uses_is_of(const EsgCrlInfo *crl, const EsgCertInfo *ca, EsgMemo *memo);

#endif							/* ESG_POLICY_CRL_USES_H */

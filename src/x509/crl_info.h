/*
 * x509/crl_info.h
 *		The facts about one CRL, for policy and display.
 *
 * Pure.  Reading never fails: what cannot be read is said in the facts.
 * OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_CRL_INFO_H
#define ESG_X509_CRL_INFO_H

#include "x509/info.h"

/*
 * What issuingDistributionPoint says the CRL is limited to, RFC 5280 section
 * 5.2.5.  Where OpenSSL cannot decode the extension, it does as if it were not
 * there, and so do we.
 */
typedef enum EsgCrlScope
{
	ESG_SCOPE_USERS = 1 << 0,	/* onlyContainsUserCerts */
	ESG_SCOPE_CAS = 1 << 1,		/* onlyContainsCACerts */
	ESG_SCOPE_ATTRIBUTES = 1 << 2,	/* onlyContainsAttributeCerts */
	ESG_SCOPE_REASONS = 1 << 3, /* onlySomeReasons */
	ESG_SCOPE_INDIRECT = 1 << 4,	/* indirectCRL: entries of other CAs, too */
	ESG_SCOPE_POINT = 1 << 5	/* a distribution point has a name */
} EsgCrlScope;

typedef struct EsgCrlInfo
{
	X509_CRL   *crl;			/* borrowed */
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	EsgTime		this_update;
	EsgTime		next_update;	/* ESG_TIME_ABSENT if there is none */
	EsgTime		next_publish;	/* when the CA publishes the next one, before
								 * next_update (Microsoft's extension) */
	EsgSigInfo	signature;
	int64_t		revoked_count;
	unsigned	scope;			/* EsgCrlScope bits */
	bool		delta;			/* deltaCRLIndicator: changes only */
	bool		names_key;		/* authorityKeyIdentifier */
	bool		critical;		/* a critical extension that OpenSSL does not
								 * know, */
	bool		critical_entry; /* or an entry has one */
	char		critical_oid[64];	/* the first such */
	bool		names_issuers;	/* entries may be of other issuers: RFC 5280
								 * 5.3.3, or not looked at */
} EsgCrlInfo;

/* One pass over the entries; no look into those without extensions. */
extern void esg_crl_info_read(X509_CRL *crl, EsgCrlInfo *out);

/* does issuer's key verify it? ESG_UNKNOWN: OpenSSL cannot say (-1) */
extern EsgVerdict esg_crl_info_verify(const EsgCrlInfo *crl, const EsgCertInfo *issuer,
									  EsgMemo *memo);

/*
 * Does authorityKeyIdentifier speak of this certificate's key?  ESG_UNKNOWN:
 * one of the two names no key.  The issuer's name is not looked at.
 */
extern EsgVerdict esg_crl_info_fits_key(const EsgCrlInfo *crl, X509 *issuer);

/* the same for a certificate's and a CRL's issuer, neither of which is at hand */
extern EsgVerdict esg_crl_info_same_key(const EsgCrlInfo *crl, const X509 *cert);

/*
 * Does it list this certificate, by its issuer's name and serial number, as OpenSSL
 * sees it?  removeFromCRL (RFC 5280 5.3.1) is no listing.  *scans, which begins at 0,
 * counts what was looked for entry by entry in the same CRL: the first few are, as
 * OpenSSL sorts the entries before it looks, which takes longer.
 */
extern bool esg_crl_info_lists(const EsgCrlInfo *crl, X509 *cert, int *scans);

/* the distribution point's names, "URI:http://x/y", new; NULL if out of memory */
extern char *esg_crl_info_point_text(const EsgCrlInfo *crl);

#endif							/* ESG_X509_CRL_INFO_H */

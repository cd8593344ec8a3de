/*
 * x509/identities.h
 *		Which identities a certificate offers.
 *
 * An identity is a text: the value of one source (cn, dn, dns, …).  A value
 * that is empty, over-long, badly encoded, or holds NUL or control characters,
 * or whose characters are in doubt (EsgNameFault), is listed with the reason and
 * never matches anything.
 *
 * Texts in structs are new, NUL-terminated UTF-8; the struct's free function
 * releases them.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_IDENTITIES_H
#define ESG_X509_IDENTITIES_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

/* The values of identity_sources; also the keys of a label. */
typedef enum EsgIdentitySource
{
	ESG_SOURCE_CN,
	ESG_SOURCE_DN,
	ESG_SOURCE_DNS,
	ESG_SOURCE_EMAIL,
	ESG_SOURCE_URI,
	ESG_SOURCE_UPN,
	ESG_SOURCE_IP,
	ESG_SOURCE_SERIAL,
	ESG_SOURCE_FINGERPRINT,
	ESG_SOURCE_COUNT,
	ESG_SOURCE_ISSUER = ESG_SOURCE_COUNT,	/* a key of labels only */
	ESG_SOURCE_CA,				/* likewise; of the chain, no candidate */
	ESG_LABEL_KEY_COUNT
} EsgIdentitySource;

/* bytes; a longer value never matches, and a label cannot hold one */
#define ESG_MAX_IDENTITY_LENGTH 1024
/* a certificate with more identities is refused as a whole */
#define ESG_MAX_CANDIDATES 1000

/*
 * One identity.  The texts, by source:
 *   cn           the first commonName of the subject, as core takes it
 *   dn           the subject as RFC 2253 text, as core gives it to
 *                clientname=DN; where it has characters outside ASCII a
 *                second candidate shows them instead of \HH
 *   serial       upper-case hex, "/", the issuer as core's RFC 2253 text:
 *                "0A1B/CN=Prod CA,O=Example"
 *   fingerprint  SHA-256: 64 lower-case hex digits, and a second candidate in
 *                upper case with colons
 *   issuer       as dn
 *   the others   the values of the subjectAltName, in its order
 */
typedef struct EsgCandidate
{
	EsgIdentitySource source;
	char	   *text;			/* what is compared; esg_identities_shown() is
								 * for readers */
	bool		printable;		/* text was never to be compared */
	const char *unusable;		/* static text: why it never matches; NULL if
								 * it may */
} EsgCandidate;

typedef struct EsgCandidates
{
	int			count;
	int			capacity;
	EsgCandidate *items;
} EsgCandidates;

typedef enum EsgNamesResult
{
	ESG_NAMES_OK = 0,
	ESG_NAMES_NO_MEMORY,
	ESG_NAMES_BAD_ALT_NAME,		/* the subjectAltName extension does not parse
								 * or occurs twice (RFC 5280 4.2) */
	ESG_NAMES_TOO_MANY
} EsgNamesResult;

extern const char *esg_identities_source_name(EsgIdentitySource source);

/* exact, lower case; only what identity_sources may hold, so not "issuer" */
extern bool esg_identities_source_lookup(const char *name, size_t len, EsgIdentitySource *out);

/*
 * The identities of a certificate in the order of the sources (values of
 * EsgIdentitySource, ESG_SOURCE_ISSUER included).  Anything but ESG_NAMES_OK
 * leaves *out empty.
 */
extern EsgNamesResult esg_identities_candidates(X509 *cert, const unsigned char *sources,
												int source_count, EsgCandidates *out);
extern void esg_identities_candidates_free(EsgCandidates *candidates);

/* in printable form, new, as in x509/name.h; NULL: out of memory */
extern char *esg_identities_shown(const EsgCandidate *candidate);

/* static text for anything but ESG_NAMES_OK */
extern const char *esg_identities_result_text(EsgNamesResult result);

#endif							/* ESG_X509_IDENTITIES_H */

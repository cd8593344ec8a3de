/*
 * policy/label.h
 *		What a role requires of a connection: the text of a security label.
 *
 * Pure.  Memory by OPENSSL_malloc(); OpenSSL's error queue is left
 * empty.
 */
#ifndef ESG_POLICY_LABEL_H
#define ESG_POLICY_LABEL_H

#include "x509/identities.h"

/* key=value pairs of one label */
#define ESG_MAX_LABEL_RULES 100

/*
 * A role's requirement.
 *
 *	  label	= item { space item }
 *	  item	= "tls" | "x509" | key "=" value
 *	  value	= bare | '"' { character | '\"' | '\\' } '"'
 *
 * Several values of one key: any of them; different keys: all of them.  A key
 * is an identity source, "issuer", "ca" or "min_tls".
 */
typedef struct EsgLabelRule
{
	EsgIdentitySource key;
	char	   *value;			/* serial, fingerprint, ip: in one normal form */
} EsgLabelRule;

typedef struct EsgLabel
{
	bool		tls;
	bool		x509;			/* the flag; see esg_label_needs_certificate() */
	int			min_tls;		/* TLS1_VERSION … TLS1_3_VERSION; 0 if not
								 * given */
	int			count;
	EsgLabelRule *rules;
} EsgLabel;

typedef struct EsgLabelError
{
	int			position;		/* in characters, from 1; 0: out of memory */
	char		reason[160];	/* lower-case phrase */
} EsgLabelError;

/* What a connection shows to a label. */
typedef struct EsgLabelPeer
{
	bool		tls;
	int			tls_version;	/* as SSL_version() */
	X509	   *cert;			/* NULL: none */
	STACK_OF(X509) *chain;		/* as verified, cert first; NULL: not known */
} EsgLabelPeer;

/* zeroed: the label is met */
typedef struct EsgLabelVerdict
{
	bool		refused;
	const char *key;			/* static: the first requirement that is not
								 * met */
	const char *reason;			/* static phrase */
} EsgLabelVerdict;

/* false: *error is set and *out empty */
extern bool esg_label_parse(const char *text, size_t len, EsgLabel *out,
							EsgLabelError *error);
extern void esg_label_free(EsgLabel *label);
extern bool esg_label_has(const EsgLabel *label, EsgIdentitySource key);
extern bool esg_label_needs_certificate(const EsgLabel *label);
extern bool esg_label_needs_tls(const EsgLabel *label);

/* Is this CA certificate one of those that "ca" names? */
extern bool esg_label_names_ca(const EsgLabel *label, X509 *ca);
extern void esg_label_check(const EsgLabel *label, const EsgLabelPeer *peer,
							EsgLabelVerdict *out);

#endif							/* ESG_POLICY_LABEL_H */

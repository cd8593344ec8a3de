/*
 * x509/strict.c
 *		What strict clients refuse in a certificate.
 *
 * OpenSSL 3.0 checks these rules in chains that it builds, and says nothing of
 * a certificate by itself; 1.1.1 does not know them all.  So they are asked
 * here, of each certificate, whatever OpenSSL it is.
 */
#include "x509/strict.h"

#include <stddef.h>
#include <stdint.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* What the rules look at. */
typedef struct StrictCase
{
	X509	   *cert;
	uint32_t	flags;			/* EXFLAG_* */
	uint32_t	key_usage;		/* KU_*; all of them without the extension */
	bool		self_signed;
	bool		issues;			/* it stands where CAs stand */
	bool		is_ca;			/* by basicConstraints */
	bool		no_subject;
	GENERAL_NAMES *names;		/* subjectAltName, or NULL */
} StrictCase;

typedef struct StrictRule
{
	bool		(*broken) (const StrictCase *c);
	const char *fault;
} StrictRule;

/* -1 if it is not there, else whether it is critical */
static int
find_extension(const X509 *cert, int nid)
{
	int			at = X509_get_ext_by_NID(cert, nid, -1);

	return at < 0 ? -1 : X509_EXTENSION_get_critical(X509_get_ext(cert, at));
}

/* RFC 5280 4.2.1.9: what issues certificates says so there, and in no other way */
static bool
breaks_issuing(const StrictCase *c)
{
	return c->issues && X509_check_ca(c->cert) > 1;
}

/* RFC 5280 4.2.1.9: pathLenConstraint only in CAs that sign certificates */
static bool
breaks_path_length(const StrictCase *c)
{
	return X509_get_pathlen(c->cert) >= 0 &&
		(!c->is_ca || (c->key_usage & KU_KEY_CERT_SIGN) == 0);
}

/* RFC 5280 4.2.1.9 */
static bool
breaks_constraints(const StrictCase *c)
{
	return c->is_ca && find_extension(c->cert, NID_basic_constraints) == 0;
}

/* RFC 5280 4.2.1.3 */
static bool
breaks_ca_key_usage(const StrictCase *c)
{
	return c->is_ca && (c->flags & EXFLAG_KUSAGE) == 0;
}

static bool
breaks_cert_sign(const StrictCase *c)
{
	return !c->is_ca && (c->flags & EXFLAG_KUSAGE) != 0 &&
		(c->key_usage & KU_KEY_CERT_SIGN) != 0;
}

/* RFC 5280 4.1.2.4 */
static bool
breaks_issuer(const StrictCase *c)
{
	return X509_NAME_entry_count(X509_get_issuer_name(c->cert)) == 0;
}

/* RFC 5280 4.1.2.6 */
static bool
breaks_subject(const StrictCase *c)
{
	return c->no_subject &&
		(c->is_ca || c->names == NULL ||
		 ((c->flags & EXFLAG_KUSAGE) != 0 && (c->key_usage & KU_CRL_SIGN) != 0));
}

/* RFC 5280 4.2.1.6 */
static bool
breaks_alt_name(const StrictCase *c)
{
	return c->no_subject && c->names != NULL &&
		find_extension(c->cert, NID_subject_alt_name) == 0;
}

static bool
breaks_empty_alt_name(const StrictCase *c)
{
	return c->names != NULL && sk_GENERAL_NAME_num(c->names) <= 0;
}

/* RFC 5280 4.2.1.1 and 4.2.1.2 */
static bool
breaks_critical_key_id(const StrictCase *c)
{
	return find_extension(c->cert, NID_authority_key_identifier) > 0 ||
		find_extension(c->cert, NID_subject_key_identifier) > 0;
}

static bool
breaks_authority_key_id(const StrictCase *c)
{
	return !c->self_signed && X509_get0_authority_key_id(c->cert) == NULL;
}

static bool
breaks_subject_key_id(const StrictCase *c)
{
	return c->is_ca && X509_get0_subject_key_id(c->cert) == NULL;
}

static const StrictRule rules[] = {
	{breaks_issuing, "a CA without basicConstraints"},
	{breaks_path_length, "a path length where none may be"},
	{breaks_constraints, "basicConstraints of a CA not critical"},
	{breaks_ca_key_usage, "a CA without keyUsage"},
	{breaks_cert_sign, "keyCertSign without being a CA"},
	{breaks_issuer, "no issuer name"},
	{breaks_subject, "no subject name"},
	{breaks_alt_name, "subjectAltName not critical, with no subject name"},
	{breaks_empty_alt_name, "subjectAltName without a name"},
	{breaks_critical_key_id, "a critical key identifier"},
	{breaks_authority_key_id, "no authority key identifier"},
	{breaks_subject_key_id, "a CA without subject key identifier"},
};

const char *
esg_x509_strict_fault(X509 *cert, bool self_signed, bool issues)
{
	StrictCase	c;
	const char *fault = NULL;
	size_t		i;

	c.cert = cert;
	c.flags = X509_get_extension_flags(cert);
	c.key_usage = X509_get_key_usage(cert);
	c.self_signed = self_signed;
	c.issues = issues;
	c.is_ca = (c.flags & EXFLAG_CA) != 0;
	c.no_subject = X509_NAME_entry_count(X509_get_subject_name(cert)) == 0;
	c.names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (i = 0; fault == NULL && i < sizeof(rules) / sizeof(rules[0]); i++)
	{
		if (rules[i].broken(&c))
			fault = rules[i].fault;
	}
	GENERAL_NAMES_free(c.names);
	ERR_clear_error();
	return fault;
}

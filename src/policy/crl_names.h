/*
 * policy/crl_names.h
 *		Names of the files in ssl_crl_dir, as OpenSSL looks for CRLs.
 *
 * It looks for "<hash of the issuer>.r0", then r1 and so on, and stops at the
 * first number that is not there (openssl-rehash(1)); versions before June 2026
 * also at one that does not load.
 */
#ifndef ESG_POLICY_CRL_NAMES_H
#define ESG_POLICY_CRL_NAMES_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "policy/findings.h"

/* A file of the directory. */
typedef struct EsgCrlFileName
{
	const char *path;			/* borrowed */
	bool		loads;			/* as PEM text, to its end */
} EsgCrlFileName;

typedef struct EsgCrlNames EsgCrlNames;

/* is the name, with or without directory, "<hash>.rN"? */
extern bool esg_crl_names_is_hash(const char *path);

/* passes_over: this OpenSSL goes on behind what does not load.  NULL if memory ran out. */
extern EsgCrlNames *esg_crl_names_make(const EsgCrlFileName *files, int count, bool passes_over);
extern void esg_crl_names_free(EsgCrlNames *names);

/* does OpenSSL come upon this CRL in the file at path? */
extern bool esg_crl_names_finds(const EsgCrlNames *names, const char *path, const X509_CRL *crl);

/* what keeps it from finding the CRL: the name it looks for next, or the file it stops at */
extern void esg_crl_names_remark(const EsgCrlNames *names, const X509_CRL *crl, EsgRemark *remark);

#endif							/* ESG_POLICY_CRL_NAMES_H */

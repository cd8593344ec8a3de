/*
 * x509/crl_text.h
 *		CRLs as they come over the wire, and as PostgreSQL reads them.
 *
 * RFC 5280 section 4.2.1.13 has one CRL, in DER, at the other end of a URL; many
 * CAs have PEM text there.
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_CRL_TEXT_H
#define ESG_X509_CRL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

/* bytes of a reason */
#define ESG_CRL_TEXT_REASON_SIZE 160

/*
 * One CRL in DER, and nothing behind it, or PEM text with nothing but CRLs.
 * NULL with a reason, what follows a file's or a URL's name: "has HTML, and no
 * CRL".  For sk_X509_CRL_pop_free().
 */
extern STACK_OF(X509_CRL) *esg_crl_text_parse(const char *text, size_t len, char reason[ESG_CRL_TEXT_REASON_SIZE]);

/* PEM text only, as PostgreSQL reads files; one without any block that is empty or blank has no CRLs */
extern STACK_OF(X509_CRL) *esg_crl_text_parse_file(const char *text, size_t len, char reason[ESG_CRL_TEXT_REASON_SIZE]);

/* appends it as PEM; the encoding stays what it was, octet for octet */
extern bool esg_crl_text_append(BIO *out, X509_CRL *crl);

#endif							/* ESG_X509_CRL_TEXT_H */

/*
 * x509/asn1.h
 *		Elements of BER/DER octets, one after the other, and object identifiers.
 *
 * For keys and algorithms that this OpenSSL refuses, or does not know.
 */
#ifndef ESG_X509_ASN1_H
#define ESG_X509_ASN1_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/asn1.h>

/* a SEQUENCE's identifier octet, X.690 8.1.2; primitive types have their number */
#define ESG_TAG_SEQUENCE (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED)

/* Octets that are not read yet; p = end at the end. */
typedef struct EsgAsn1
{
	const unsigned char *p;
	const unsigned char *end;
} EsgAsn1;

/* An object identifier's content octets, as a string literal with its length. */
#define ESG_OID(octets) {octets, sizeof(octets) - 1}
typedef struct EsgOid
{
	const char *octets;
	size_t		len;
} EsgOid;

/*
 * Reads one element with that identifier octet and gives its content.  False,
 * and nothing read, if the next one is another, is cut off, has an indefinite
 * length, or there is none.
 */
extern bool esg_asn1_read(EsgAsn1 *in, int tag, EsgAsn1 *content);

/* an OpenSSL object identifier is that one */
extern bool esg_asn1_is_oid(const ASN1_OBJECT *object, const EsgOid *oid);

#endif							/* ESG_X509_ASN1_H */

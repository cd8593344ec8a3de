/*
 * x509/asn1.h
 *		Elements of BER/DER octets, one after the other, and object identifiers.
 *
 * For what OpenSSL knows how to decode only in some versions, or refuses.
 */
#ifndef ESG_X509_ASN1_H
#define ESG_X509_ASN1_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/asn1.h>

/* identifier octets, X.690 8.1.2 */
#define ESG_TAG_INTEGER 0x02
#define ESG_TAG_OID 0x06
#define ESG_TAG_SEQUENCE 0x30
#define ESG_TAG_EXPLICIT(n) (0xA0 | (n))

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
extern bool esg_asn1_read(EsgAsn1 *in, unsigned tag, EsgAsn1 *content);
extern bool esg_asn1_is_next(const EsgAsn1 *in, unsigned tag);
extern bool esg_asn1_at_end(const EsgAsn1 *in);

/* the element has exactly these content octets */
extern bool esg_asn1_is_oid(const EsgAsn1 *content, const EsgOid *oid);

/* an OpenSSL object identifier's content octets */
extern EsgAsn1 esg_asn1_object(const ASN1_OBJECT *object);

/* dotted, cut at size; "" if there is none */
extern void esg_asn1_object_text(const ASN1_OBJECT *object, char *buf, size_t size);

#endif							/* ESG_X509_ASN1_H */

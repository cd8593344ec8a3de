/*
 * x509/asn1.c
 *		Elements of BER/DER octets, one after the other, and object identifiers.
 */
#include <string.h>

#include <openssl/objects.h>

#include "x509/asn1.h"

/* what ASN1_get_object() adds to its result */
#define INDEFINITE_LENGTH 0x01
#define CUT_OFF 0x80

bool
esg_asn1_read(EsgAsn1 *in, int tag, EsgAsn1 *content)
{
	const unsigned char *p = in->p;
	long		len;
	int			number;
	int			class;

	content->p = content->end = in->end;
	if (p == in->end || *p != tag ||
		(ASN1_get_object(&p, &len, &number, &class, in->end - p) & (INDEFINITE_LENGTH | CUT_OFF)))
		return false;
	content->p = p;
	content->end = in->p = p + len;
	return true;
}

bool
esg_asn1_is_oid(const ASN1_OBJECT *object, const EsgOid *oid)
{
	return OBJ_length(object) == oid->len &&
		memcmp(OBJ_get0_data(object), oid->octets, oid->len) == 0;
}

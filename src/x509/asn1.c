/*
 * x509/asn1.c
 *		Elements of BER/DER octets, one after the other, and object identifiers.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>

#include "x509/asn1.h"

/* converting longer ones to decimal takes time that grows with the square (CVE-2023-2650) */
#define MAX_OID_OCTETS 128

/* definite length, in as many octets as the writer liked, X.690 8.1.3 */
static bool
read_length(EsgAsn1 *in, size_t *len)
{
	int			octets;

	if (in->p == in->end)
		return false;
	*len = *in->p++;
	if (*len < 0x80)
		return true;
	octets = (int) (*len & 0x7F);
	if (octets == 0 || octets > in->end - in->p)
		return false;
	for (*len = 0; octets > 0; octets--)
	{
		if (*len >> 24)
			return false;
		*len = *len << 8 | *in->p++;
	}
	return true;
}

bool
esg_asn1_is_next(const EsgAsn1 *in, unsigned tag)
{
	return in->p != in->end && *in->p == tag;
}

bool
esg_asn1_at_end(const EsgAsn1 *in)
{
	return in->p == in->end;
}

bool
esg_asn1_read(EsgAsn1 *in, unsigned tag, EsgAsn1 *content)
{
	EsgAsn1		rest = *in;
	size_t		len;

	content->p = content->end = in->end;
	if (!esg_asn1_is_next(in, tag))
		return false;
	rest.p++;
	if (!read_length(&rest, &len) || len > (size_t) (rest.end - rest.p))
		return false;
	content->p = rest.p;
	content->end = rest.p + len;
	in->p = content->end;
	return true;
}

bool
esg_asn1_is_oid(const EsgAsn1 *content, const EsgOid *oid)
{
	return (size_t) (content->end - content->p) == oid->len &&
		memcmp(content->p, oid->octets, oid->len) == 0;
}

EsgAsn1
esg_asn1_object(const ASN1_OBJECT *object)
{
	static const unsigned char nothing[1];
	EsgAsn1		out = {nothing, nothing};

	if (object != NULL && OBJ_get0_data(object) != NULL)
	{
		out.p = OBJ_get0_data(object);
		out.end = out.p + OBJ_length(object);
	}
	return out;
}

void
esg_asn1_object_text(const ASN1_OBJECT *object, char *buf, size_t size)
{
	size_t		octets = object ? OBJ_length(object) : 0;

	if (octets > MAX_OID_OCTETS)
		snprintf(buf, size, "an OID of %zu octets", octets);
	else if (octets == 0 || OBJ_obj2txt(buf, (int) size, object, 1) <= 0)
		buf[0] = '\0';
}

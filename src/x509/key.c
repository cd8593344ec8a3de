/*
 * x509/key.c
 *		Public keys: kind, size, strength, and known faults.
 *
 * The subjectPublicKeyInfo is read octet by octet wherever that is enough, so
 * that a key which this OpenSSL refuses or does not know gets a name and a size
 * all the same.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "compat.h"
#include "x509/asn1.h"
#include "x509/key.h"
#include "x509/name.h"
#include "x509/rsa_faults.h"

#define NIST_SIG "\x60\x86\x48\x01\x65\x03\x04\x03" /* 2.16.840.1.101.3.4.3 */
#define NIST_KEM "\x60\x86\x48\x01\x65\x03\x04\x04" /* 2.16.840.1.101.3.4.4 */
#define OIW "\x2B\x0E\x03\x02"	/* 1.3.14.3.2 */

/* A kind of key; bits and strength are those of kinds that have one size only. */
typedef struct KeyKind
{
	const char *name;
	EsgKeyType	type;
	int			bits;
	int			strength;
	EsgOid		oid;
} KeyKind;

static const KeyKind key_kinds[] = {
	{"RSA", ESG_KEY_RSA, 0, -1, ESG_OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01")},
	{"EC", ESG_KEY_EC, 0, -1, ESG_OID("\x2A\x86\x48\xCE\x3D\x02\x01")},
	/* GB/T 35276: the curve's identifier stands for the algorithm, too */
	{"SM2", ESG_KEY_EC, 0, -1, ESG_OID("\x2A\x81\x1C\xCF\x55\x01\x82\x2D")},
	{"RSASSA-PSS", ESG_KEY_RSA, 0, -1, ESG_OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A")},
	/* X.509 (1988) */
	{"RSA", ESG_KEY_RSA, 0, -1, ESG_OID("\x55\x08\x01\x01")},
	{"DSA", ESG_KEY_DSA, 0, -1, ESG_OID("\x2A\x86\x48\xCE\x38\x04\x01")},
	/* what OpenSSL takes for DSA, too */
	{"DSA", ESG_KEY_DSA, 0, -1, ESG_OID(OIW "\x0C")},
	{"DSA", ESG_KEY_DSA, 0, -1, ESG_OID(OIW "\x0D")},
	{"DSA", ESG_KEY_DSA, 0, -1, ESG_OID(OIW "\x1B")},
	{"DSA", ESG_KEY_DSA, 0, -1, ESG_OID("\x2A\x86\x48\xCE\x38\x04\x03")},
	/* RFC 8410 */
	{"Ed25519", ESG_KEY_ED25519, 256, 128, ESG_OID("\x2B\x65\x70")},
	{"Ed448", ESG_KEY_ED448, 456, 224, ESG_OID("\x2B\x65\x71")},
	/* RFC 9881, RFC 9909 */
	{"ML-DSA-44", ESG_KEY_MLDSA, 0, 128, ESG_OID(NIST_SIG "\x11")},
	{"ML-DSA-65", ESG_KEY_MLDSA, 0, 192, ESG_OID(NIST_SIG "\x12")},
	{"ML-DSA-87", ESG_KEY_MLDSA, 0, 256, ESG_OID(NIST_SIG "\x13")},
	{"SLH-DSA-SHA2-128s", ESG_KEY_UNKNOWN, 0, 128, ESG_OID(NIST_SIG "\x14")},
	{"SLH-DSA-SHA2-128f", ESG_KEY_UNKNOWN, 0, 128, ESG_OID(NIST_SIG "\x15")},
	{"SLH-DSA-SHA2-192s", ESG_KEY_UNKNOWN, 0, 192, ESG_OID(NIST_SIG "\x16")},
	{"SLH-DSA-SHA2-192f", ESG_KEY_UNKNOWN, 0, 192, ESG_OID(NIST_SIG "\x17")},
	{"SLH-DSA-SHA2-256s", ESG_KEY_UNKNOWN, 0, 256, ESG_OID(NIST_SIG "\x18")},
	{"SLH-DSA-SHA2-256f", ESG_KEY_UNKNOWN, 0, 256, ESG_OID(NIST_SIG "\x19")},
	{"SLH-DSA-SHAKE-128s", ESG_KEY_UNKNOWN, 0, 128, ESG_OID(NIST_SIG "\x1A")},
	{"SLH-DSA-SHAKE-128f", ESG_KEY_UNKNOWN, 0, 128, ESG_OID(NIST_SIG "\x1B")},
	{"SLH-DSA-SHAKE-192s", ESG_KEY_UNKNOWN, 0, 192, ESG_OID(NIST_SIG "\x1C")},
	{"SLH-DSA-SHAKE-192f", ESG_KEY_UNKNOWN, 0, 192, ESG_OID(NIST_SIG "\x1D")},
	{"SLH-DSA-SHAKE-256s", ESG_KEY_UNKNOWN, 0, 256, ESG_OID(NIST_SIG "\x1E")},
	{"SLH-DSA-SHAKE-256f", ESG_KEY_UNKNOWN, 0, 256, ESG_OID(NIST_SIG "\x1F")},
	/* for key agreement and encryption only */
	{"X25519", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2B\x65\x6E")},
	{"X448", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2B\x65\x6F")},
	{"DH", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2A\x86\x48\x86\xF7\x0D\x01\x03\x01")},
	{"X9.42 DH", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2A\x86\x48\xCE\x3E\x02\x01")},
	{"RSAES-OAEP", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x07")},
	{"ECDH", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2B\x81\x04\x01\x0C")},
	{"ECMQV", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID("\x2B\x81\x04\x01\x0D")},
	{"ML-KEM-512", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID(NIST_KEM "\x01")},
	{"ML-KEM-768", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID(NIST_KEM "\x02")},
	{"ML-KEM-1024", ESG_KEY_CANNOT_SIGN, 0, -1, ESG_OID(NIST_KEM "\x03")},
};

/* The parts of a subjectPublicKeyInfo, RFC 5280 4.1.2.7. */
typedef struct KeyParts
{
	const ASN1_OBJECT *oid;
	int			param_type;		/* V_ASN1_UNDEF: none */
	const void *param;			/* an ASN1_OBJECT or an ASN1_STRING */
	EsgAsn1		bits;			/* the BIT STRING's octets */
	const EVP_PKEY *pkey;		/* borrowed; NULL if OpenSSL refuses it */
} KeyParts;

int
esg_x509_key_rsa_strength(int bits)
{
	static const struct
	{
		int			bits;
		int			strength;
	}			rows[] = {{15360, 256}, {7680, 192}, {3072, 128}, {2048, 112}, {1024, 80}};
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bits >= rows[i].bits)
			return rows[i].strength;
	return 0;
}

static const KeyKind *
find_kind(const ASN1_OBJECT *object)
{
	size_t		i;

	for (i = 0; i < sizeof(key_kinds) / sizeof(key_kinds[0]); i++)
		if (esg_asn1_is_oid(object, &key_kinds[i].oid))
			return &key_kinds[i];
	return NULL;
}

/* const since OpenSSL 4.0, but not yet so in 1.1.1 the arguments it goes to */
static X509_PUBKEY *
get_spki(const X509 *cert)
{
	return (X509_PUBKEY *) X509_get_X509_PUBKEY(cert);
}

static bool
split_key(X509 *cert, KeyParts *parts)
{
	static const unsigned char nothing[1];
	X509_PUBKEY *spki = get_spki(cert);
	X509_ALGOR *algor = NULL;
	const unsigned char *octets = NULL;
	int			len = 0;

	memset(parts, 0, sizeof(*parts));
	if (spki == NULL || !X509_PUBKEY_get0_param(NULL, &octets, &len, &algor, spki))
		return false;
	X509_ALGOR_get0(&parts->oid, &parts->param_type, &parts->param, algor);
	/* an empty BIT STRING has no octets at all */
	parts->bits.p = octets ? octets : nothing;
	parts->bits.end = parts->bits.p + (octets && len > 0 ? len : 0);
	parts->pkey = X509_get0_pubkey(cert);
	return true;
}

static void
digest_key(X509 *cert, unsigned char *digest)
{
	unsigned char *der = NULL;
	int			len = i2d_X509_PUBKEY(get_spki(cert), &der);

	if (len > 0)
		EVP_Digest(der, (size_t) len, digest, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

/* the parameters of an algorithm if they are a SEQUENCE: its content */
static bool
open_parameters(const KeyParts *parts, EsgAsn1 *content)
{
	const ASN1_STRING *string = parts->param;
	EsgAsn1		in;

	if (parts->param_type != V_ASN1_SEQUENCE || string == NULL)
		return false;
	in.p = ASN1_STRING_get0_data(string);
	in.end = in.p + ASN1_STRING_length(string);
	return esg_asn1_read(&in, ESG_TAG_SEQUENCE, content);
}

/* bits of an INTEGER's magnitude, read without a sign as OpenSSL reads keys */
static int
count_bits(const EsgAsn1 *integer)
{
	const unsigned char *p = integer->p;
	int			bits = 0;
	unsigned	top;

	while (p != integer->end && *p == 0)
		p++;
	if (p == integer->end)
		return 0;
	for (top = *p; top != 0; top >>= 1)
		bits++;
	return bits + (int) (integer->end - p - 1) * 8;
}

/* ---------- RSA, RFC 8017 A.1.1 ---------- */

static bool
is_negative(const EsgAsn1 *integer)
{
	return integer->p != integer->end && (*integer->p & 0x80) != 0;
}

static bool
is_odd(const EsgAsn1 *integer)
{
	return integer->p != integer->end && (integer->end[-1] & 1) != 0;
}

static void
judge_exponent(const EsgAsn1 *e, EsgKeyInfo *out)
{
	int			bits = count_bits(e);

	if (bits <= 1 || is_negative(e) || !is_odd(e))
		out->faults |= ESG_KEY_BAD_EXPONENT;
	else
		out->small_exponent = bits <= 16;
}

/* the tests that take a while, once per key */
static void
judge_modulus(const EsgAsn1 *n, EsgMemo *memo, EsgKeyInfo *out)
{
	static const unsigned char no_issuer[ESG_DIGEST_SIZE];
	int			faults = 0;

	if (is_negative(n) || !is_odd(n))
		out->faults |= ESG_KEY_BAD_MODULUS;
	if (!esg_memo_get(memo, out->digest, no_issuer, &faults))
	{
		unsigned	found = esg_rsa_faults_find(n->p, (size_t) (n->end - n->p));

		if (found & ESG_RSA_FAULTS_UNKNOWN)
			return;
		faults = (found & ESG_RSA_SQUARE ? ESG_KEY_BAD_MODULUS : 0) |
			(found & ESG_RSA_SMALL_FACTOR ? ESG_KEY_SMALL_FACTOR : 0) |
			(found & ESG_RSA_ROCA ? ESG_KEY_ROCA : 0) |
			(found & ESG_RSA_CLOSE_PRIMES ? ESG_KEY_CLOSE_PRIMES : 0);
		esg_memo_put(memo, out->digest, no_issuer, faults);
	}
	out->faults |= (unsigned) faults;
}

static bool
open_rsa(EsgAsn1 in, EsgAsn1 *n, EsgAsn1 *e)
{
	EsgAsn1		body;

	return esg_asn1_read(&in, ESG_TAG_SEQUENCE, &body) &&
		esg_asn1_read(&body, V_ASN1_INTEGER, n) && esg_asn1_read(&body, V_ASN1_INTEGER, e);
}

static bool
is_below(const EsgAsn1 *a, const EsgAsn1 *b)
{
	int			bits = count_bits(a);
	int			octets = (bits + 7) / 8;

	if (bits != count_bits(b))
		return bits < count_bits(b);
	return memcmp(a->end - octets, b->end - octets, (size_t) octets) < 0;
}

/* OpenSSL loads such keys, and then verifies nothing with them */
static bool
is_refused(const EsgAsn1 *n, const EsgAsn1 *e)
{
	int			bits = count_bits(n);

	return bits > OPENSSL_RSA_MAX_MODULUS_BITS || !is_below(e, n) ||
		(bits > OPENSSL_RSA_SMALL_MODULUS_BITS && count_bits(e) > OPENSSL_RSA_MAX_PUBEXP_BITS);
}

static void
judge_rsa(const EsgAsn1 *n, const EsgAsn1 *e, EsgMemo *memo, EsgKeyInfo *out)
{
	out->bits = count_bits(n);
	out->security_bits = esg_x509_key_rsa_strength(out->bits);
	if (is_refused(n, e))
		out->usable = false;
	judge_exponent(e, out);
	judge_modulus(n, memo, out);
}

/*
 * OpenSSL takes stranger BER than we do, indefinite lengths for one: let it
 * write as DER what it has understood.
 */
static void
read_rsa(const KeyParts *parts, EsgMemo *memo, EsgKeyInfo *out)
{
	EsgAsn1		der;
	EsgAsn1		n;
	EsgAsn1		e;
	unsigned char *rewritten = NULL;
	int			len;

	if (open_rsa(parts->bits, &n, &e))
		judge_rsa(&n, &e, memo, out);
	else if (parts->pkey)
	{
		len = i2d_PublicKey((EVP_PKEY *) parts->pkey, &rewritten);
		der.p = rewritten;
		der.end = rewritten + (len > 0 ? len : 0);
		if (len > 0 && open_rsa(der, &n, &e))
			judge_rsa(&n, &e, memo, out);
		OPENSSL_free(rewritten);
	}
}

/* ---------- DSA, RFC 3279 2.3.2 ---------- */

/* SP 800-57 part 1 table 2: both the field's size and the subgroup's bound it */
static int
dsa_strength(int p_bits, int q_bits)
{
	int			strength = esg_x509_key_rsa_strength(p_bits);

	return strength < q_bits / 2 ? strength : q_bits / 2;
}

static void
read_dsa(const KeyParts *parts, EsgKeyInfo *out)
{
	EsgAsn1		body;
	EsgAsn1		p;
	EsgAsn1		q;

	/* parameters inherited from the issuer: nobody supports that */
	if (parts->param_type != V_ASN1_SEQUENCE)
		out->usable = false;
	if (open_parameters(parts, &body) && esg_asn1_read(&body, V_ASN1_INTEGER, &p))
	{
		out->bits = count_bits(&p);
		if (esg_asn1_read(&body, V_ASN1_INTEGER, &q))
			out->security_bits = dsa_strength(out->bits, count_bits(&q));
	}
	else if (out->usable)
		out->bits = EVP_PKEY_get_bits(parts->pkey);
}

/* ---------- EC, RFC 5480, X9.62 ---------- */

/* ECParameters: version, field, curve, base point, order */
static int
explicit_order_bits(const KeyParts *parts)
{
	EsgAsn1		body;
	EsgAsn1		skipped;
	EsgAsn1		order;

	if (!open_parameters(parts, &body) ||
		!esg_asn1_read(&body, V_ASN1_INTEGER, &skipped) ||
		!esg_asn1_read(&body, ESG_TAG_SEQUENCE, &skipped) ||
		!esg_asn1_read(&body, ESG_TAG_SEQUENCE, &skipped) ||
		!esg_asn1_read(&body, V_ASN1_OCTET_STRING, &skipped) ||
		!esg_asn1_read(&body, V_ASN1_INTEGER, &order))
		return 0;
	return count_bits(&order);
}

/* for a key that OpenSSL refuses, on a curve that it knows */
static int
named_order_bits(int nid)
{
	EC_GROUP   *group = nid == NID_undef ? NULL : EC_GROUP_new_by_curve_name(nid);
	int			bits = group ? EC_GROUP_order_bits(group) : 0;

	EC_GROUP_free(group);
	return bits;
}

static void
read_curve(const KeyParts *parts, EsgKeyInfo *out)
{
	char		name[sizeof(out->curve)];

	if (parts->param_type == V_ASN1_OBJECT)
		out->curve_nid = OBJ_obj2nid(parts->param);
	else if (OBJ_obj2nid(parts->oid) == NID_sm2)
		out->curve_nid = NID_sm2;
	else if (parts->param_type == V_ASN1_SEQUENCE)
	{
		out->explicit_parameters = true;
		if (parts->pkey &&
			EVP_PKEY_get_group_name(parts->pkey, name, sizeof(name), NULL) == 1)
			out->curve_nid = OBJ_txt2nid(name);
	}
	if (out->curve_nid != NID_undef)
		snprintf(out->curve, sizeof(out->curve), "%s", OBJ_nid2sn(out->curve_nid));
}

static void
read_ec(const KeyParts *parts, EsgKeyInfo *out)
{
	read_curve(parts, out);
	if (parts->pkey)
		out->bits = EVP_PKEY_get_bits(parts->pkey);
	else if (out->explicit_parameters)
		out->bits = explicit_order_bits(parts);
	else
		out->bits = named_order_bits(out->curve_nid);
	if (out->bits > 0)
		out->security_bits = out->bits / 2;
	if (out->curve_nid == NID_sm2)
		snprintf(out->algorithm, sizeof(out->algorithm), "SM2");
}

/* ---------- any key ---------- */

static void
read_by_type(const KeyParts *parts, EsgMemo *memo, EsgKeyInfo *out)
{
	switch (out->type)
	{
		case ESG_KEY_RSA:
			read_rsa(parts, memo, out);
			break;
		case ESG_KEY_DSA:
			read_dsa(parts, out);
			break;
		case ESG_KEY_EC:
			read_ec(parts, out);
			break;
		case ESG_KEY_UNKNOWN:
			out->usable = out->usable && EVP_PKEY_can_sign(parts->pkey);
			break;
		case ESG_KEY_CANNOT_SIGN:
			out->usable = false;
			break;
		case ESG_KEY_ED25519:
		case ESG_KEY_ED448:
		case ESG_KEY_MLDSA:
			break;
	}
}

/*
 * Never fails: what cannot be read stays unknown.  memo may be NULL.
 * OpenSSL's error queue is left empty.
 */
void
esg_x509_key_read(X509 *cert, EsgMemo *memo, EsgKeyInfo *out)
{
	KeyParts	parts;
	const KeyKind *kind;

	memset(out, 0, sizeof(*out));
	out->security_bits = -1;
	out->curve_nid = NID_undef;
	if (split_key(cert, &parts))
	{
		digest_key(cert, out->digest);
		kind = find_kind(parts.oid);
		if (kind)
		{
			out->type = kind->type;
			out->bits = kind->bits;
			out->security_bits = kind->strength;
			snprintf(out->algorithm, sizeof(out->algorithm), "%s", kind->name);
		}
		else
			esg_x509_name_oid(parts.oid, out->algorithm, sizeof(out->algorithm));
		out->usable = parts.pkey != NULL;
		read_by_type(&parts, memo, out);
	}
	ERR_clear_error();
}

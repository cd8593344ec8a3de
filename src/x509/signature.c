/*
 * x509/signature.c
 *		Signature algorithms of certificates and CRLs, judged by their digest.
 *
 * By object identifier, from our own tables: what OpenSSL knows differs from
 * version to version, and so do its numbers for the strength.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "x509/asn1.h"
#include "x509/name.h"
#include "x509/signature.h"

/* prefixes of object identifiers */
#define PKCS1 "\x2A\x86\x48\x86\xF7\x0D\x01\x01"	/* 1.2.840.113549.1.1 */
#define RSADSI_DIGEST "\x2A\x86\x48\x86\xF7\x0D\x02"	/* 1.2.840.113549.2 */
#define OIW "\x2B\x0E\x03\x02"	/* 1.3.14.3.2 */
#define TELETRUST "\x2B\x24\x03"	/* 1.3.36.3 */
#define X957 "\x2A\x86\x48\xCE\x38\x04" /* 1.2.840.10040.4 */
#define X962_SIG "\x2A\x86\x48\xCE\x3D\x04" /* 1.2.840.10045.4 */
#define NIST_DIGEST "\x60\x86\x48\x01\x65\x03\x04\x02"	/* 2.16.840.1.101.3.4.2 */
#define NIST_SIG "\x60\x86\x48\x01\x65\x03\x04\x03" /* 2.16.840.1.101.3.4.3 */
#define BSI_ECDSA "\x04\x00\x7F\x00\x07\x01\x01\x04\x01"	/* 0.4.0.127.0.7.1.1.4.1 */
#define PKIX_ALG "\x2B\x06\x01\x05\x05\x07\x06" /* 1.3.6.1.5.5.7.6 */
#define SM "\x2A\x81\x1C\xCF\x55\x01"	/* 1.2.156.10197.1 */
#define GOST "\x2A\x85\x03\x02\x02" /* 1.2.643.2.2 */
#define TC26 "\x2A\x85\x03\x07\x01\x01" /* 1.2.643.7.1.1 */

/* A digest with its collision strength in bits; 0 is broken. */
typedef struct Digest
{
	const char *name;
	int			strength;
	EsgOid		oid;
} Digest;

static const Digest digests[] = {
	{"md2", 0, ESG_OID(RSADSI_DIGEST "\x02")},
	{"md4", 0, ESG_OID(RSADSI_DIGEST "\x04")},
	{"md5", 0, ESG_OID(RSADSI_DIGEST "\x05")},
	{"sha", 0, ESG_OID(OIW "\x12")},
	{"sha1", 0, ESG_OID(OIW "\x1A")},
	{"mdc2", 0, ESG_OID("\x55\x08\x03\x65")},
	{"ripemd160", 0, ESG_OID(TELETRUST "\x02\x01")},
	{"ripemd128", 0, ESG_OID(TELETRUST "\x02\x02")},
	{"ripemd256", 0, ESG_OID(TELETRUST "\x02\x03")},
	{"sha256", 128, ESG_OID(NIST_DIGEST "\x01")},
	{"sha384", 192, ESG_OID(NIST_DIGEST "\x02")},
	{"sha512", 256, ESG_OID(NIST_DIGEST "\x03")},
	{"sha224", 112, ESG_OID(NIST_DIGEST "\x04")},
	{"sha512-224", 112, ESG_OID(NIST_DIGEST "\x05")},
	{"sha512-256", 128, ESG_OID(NIST_DIGEST "\x06")},
	{"sha3-224", 112, ESG_OID(NIST_DIGEST "\x07")},
	{"sha3-256", 128, ESG_OID(NIST_DIGEST "\x08")},
	{"sha3-384", 192, ESG_OID(NIST_DIGEST "\x09")},
	{"sha3-512", 256, ESG_OID(NIST_DIGEST "\x0A")},
	{"shake128", 128, ESG_OID(NIST_DIGEST "\x0B")},
	{"shake256", 256, ESG_OID(NIST_DIGEST "\x0C")},
	{"sm3", 128, ESG_OID(SM "\x83\x11")},
	/* Mendel et al., "Cryptanalysis of the GOST Hash Function", section 4 */
	{"gost94", 105, ESG_OID(GOST "\x09")},
	/* by their lengths */
	{"streebog256", 128, ESG_OID(TC26 "\x02\x02")},
	{"streebog512", 256, ESG_OID(TC26 "\x02\x03")},
};

/* A signature algorithm: its digest by name, or, without one, its own strength. */
typedef struct Algorithm
{
	const char *name;
	const char *digest;
	int			strength;
	EsgOid		oid;
} Algorithm;

static const EsgOid pss_oid = ESG_OID(PKCS1 "\x0A");

static const Algorithm algorithms[] = {
	/* the usual ones first */
	{"sha256WithRSAEncryption", "sha256", 0, ESG_OID(PKCS1 "\x0B")},
	{"ecdsa-with-SHA256", "sha256", 0, ESG_OID(X962_SIG "\x03\x02")},
	{"ecdsa-with-SHA384", "sha384", 0, ESG_OID(X962_SIG "\x03\x03")},
	{"sha384WithRSAEncryption", "sha384", 0, ESG_OID(PKCS1 "\x0C")},
	{"sha512WithRSAEncryption", "sha512", 0, ESG_OID(PKCS1 "\x0D")},
	{"sha1WithRSAEncryption", "sha1", 0, ESG_OID(PKCS1 "\x05")},
	/* RFC 8017, RFC 2313 */
	{"md2WithRSAEncryption", "md2", 0, ESG_OID(PKCS1 "\x02")},
	{"md4WithRSAEncryption", "md4", 0, ESG_OID(PKCS1 "\x03")},
	{"md5WithRSAEncryption", "md5", 0, ESG_OID(PKCS1 "\x04")},
	{"sha224WithRSAEncryption", "sha224", 0, ESG_OID(PKCS1 "\x0E")},
	{"sha512-224WithRSAEncryption", "sha512-224", 0, ESG_OID(PKCS1 "\x0F")},
	{"sha512-256WithRSAEncryption", "sha512-256", 0, ESG_OID(PKCS1 "\x10")},
	/* OIW, 1989 to 1995 */
	{"md4WithRSA", "md4", 0, ESG_OID(OIW "\x02")},
	{"md5WithRSA", "md5", 0, ESG_OID(OIW "\x03")},
	{"md4WithRSAEncryption", "md4", 0, ESG_OID(OIW "\x04")},
	{"dsaWithSHA", "sha", 0, ESG_OID(OIW "\x0D")},
	{"mdc2WithRSASignature", "mdc2", 0, ESG_OID(OIW "\x0E")},
	{"shaWithRSASignature", "sha", 0, ESG_OID(OIW "\x0F")},
	{"dsaCommonWithSHA", "sha", 0, ESG_OID(OIW "\x15")},
	{"md2WithRSASignature", "md2", 0, ESG_OID(OIW "\x18")},
	{"md5WithRSASignature", "md5", 0, ESG_OID(OIW "\x19")},
	{"dsaWithSHA1", "sha1", 0, ESG_OID(OIW "\x1B")},
	{"dsaWithCommonSHA1", "sha1", 0, ESG_OID(OIW "\x1C")},
	{"sha1WithRSA", "sha1", 0, ESG_OID(OIW "\x1D")},
	{"mdc2WithRSA", "mdc2", 0, ESG_OID("\x55\x08\x03\x64")},
	/* TeleTrusT */
	{"ripemd160WithRSA", "ripemd160", 0, ESG_OID(TELETRUST "\x03\x01\x02")},
	{"ripemd128WithRSA", "ripemd128", 0, ESG_OID(TELETRUST "\x03\x01\x03")},
	{"ripemd256WithRSA", "ripemd256", 0, ESG_OID(TELETRUST "\x03\x01\x04")},
	{"ecSignWithSHA1", "sha1", 0, ESG_OID(TELETRUST "\x03\x02\x01")},
	{"ecSignWithRipemd160", "ripemd160", 0, ESG_OID(TELETRUST "\x03\x02\x02")},
	/* FIPS 186, RFC 5758, RFC 9688, RFC 8692 */
	{"dsa-with-sha1", "sha1", 0, ESG_OID(X957 "\x03")},
	{"dsa-with-SHA224", "sha224", 0, ESG_OID(NIST_SIG "\x01")},
	{"dsa-with-SHA256", "sha256", 0, ESG_OID(NIST_SIG "\x02")},
	{"dsa-with-SHA384", "sha384", 0, ESG_OID(NIST_SIG "\x03")},
	{"dsa-with-SHA512", "sha512", 0, ESG_OID(NIST_SIG "\x04")},
	{"dsa-with-SHA3-224", "sha3-224", 0, ESG_OID(NIST_SIG "\x05")},
	{"dsa-with-SHA3-256", "sha3-256", 0, ESG_OID(NIST_SIG "\x06")},
	{"dsa-with-SHA3-384", "sha3-384", 0, ESG_OID(NIST_SIG "\x07")},
	{"dsa-with-SHA3-512", "sha3-512", 0, ESG_OID(NIST_SIG "\x08")},
	{"ecdsa-with-SHA1", "sha1", 0, ESG_OID(X962_SIG "\x01")},
	{"ecdsa-with-SHA224", "sha224", 0, ESG_OID(X962_SIG "\x03\x01")},
	{"ecdsa-with-SHA512", "sha512", 0, ESG_OID(X962_SIG "\x03\x04")},
	{"ecdsa-with-SHA3-224", "sha3-224", 0, ESG_OID(NIST_SIG "\x09")},
	{"ecdsa-with-SHA3-256", "sha3-256", 0, ESG_OID(NIST_SIG "\x0A")},
	{"ecdsa-with-SHA3-384", "sha3-384", 0, ESG_OID(NIST_SIG "\x0B")},
	{"ecdsa-with-SHA3-512", "sha3-512", 0, ESG_OID(NIST_SIG "\x0C")},
	{"rsa-with-SHA3-224", "sha3-224", 0, ESG_OID(NIST_SIG "\x0D")},
	{"rsa-with-SHA3-256", "sha3-256", 0, ESG_OID(NIST_SIG "\x0E")},
	{"rsa-with-SHA3-384", "sha3-384", 0, ESG_OID(NIST_SIG "\x0F")},
	{"rsa-with-SHA3-512", "sha3-512", 0, ESG_OID(NIST_SIG "\x10")},
	{"RSASSA-PSS-SHAKE128", "shake128", 0, ESG_OID(PKIX_ALG "\x1E")},
	{"RSASSA-PSS-SHAKE256", "shake256", 0, ESG_OID(PKIX_ALG "\x1F")},
	{"ecdsa-with-SHAKE128", "shake128", 0, ESG_OID(PKIX_ALG "\x20")},
	{"ecdsa-with-SHAKE256", "shake256", 0, ESG_OID(PKIX_ALG "\x21")},
	/* BSI TR-03111 */
	{"ecdsa-plain-SHA1", "sha1", 0, ESG_OID(BSI_ECDSA "\x01")},
	{"ecdsa-plain-SHA224", "sha224", 0, ESG_OID(BSI_ECDSA "\x02")},
	{"ecdsa-plain-SHA256", "sha256", 0, ESG_OID(BSI_ECDSA "\x03")},
	{"ecdsa-plain-SHA384", "sha384", 0, ESG_OID(BSI_ECDSA "\x04")},
	{"ecdsa-plain-SHA512", "sha512", 0, ESG_OID(BSI_ECDSA "\x05")},
	{"ecdsa-plain-RIPEMD160", "ripemd160", 0, ESG_OID(BSI_ECDSA "\x06")},
	/* GM/T 0006, RFC 4491, RFC 9215 */
	{"SM2-with-SM3", "sm3", 0, ESG_OID(SM "\x83\x75")},
	{"GOST3411-94-with-GOST3410-2001", "gost94", 0, ESG_OID(GOST "\x03")},
	{"GOST3411-94-with-GOST3410-94", "gost94", 0, ESG_OID(GOST "\x04")},
	{"GOST3410-2012-256", "streebog256", 0, ESG_OID(TC26 "\x03\x02")},
	{"GOST3410-2012-512", "streebog512", 0, ESG_OID(TC26 "\x03\x03")},
	/* RFC 8410, RFC 9881, RFC 9909 */
	{"Ed25519", NULL, 128, ESG_OID("\x2B\x65\x70")},
	{"Ed448", NULL, 224, ESG_OID("\x2B\x65\x71")},
	{"ML-DSA-44", NULL, 128, ESG_OID(NIST_SIG "\x11")},
	{"ML-DSA-65", NULL, 192, ESG_OID(NIST_SIG "\x12")},
	{"ML-DSA-87", NULL, 256, ESG_OID(NIST_SIG "\x13")},
	{"SLH-DSA-SHA2-128s", NULL, 128, ESG_OID(NIST_SIG "\x14")},
	{"SLH-DSA-SHA2-128f", NULL, 128, ESG_OID(NIST_SIG "\x15")},
	{"SLH-DSA-SHA2-192s", NULL, 192, ESG_OID(NIST_SIG "\x16")},
	{"SLH-DSA-SHA2-192f", NULL, 192, ESG_OID(NIST_SIG "\x17")},
	{"SLH-DSA-SHA2-256s", NULL, 256, ESG_OID(NIST_SIG "\x18")},
	{"SLH-DSA-SHA2-256f", NULL, 256, ESG_OID(NIST_SIG "\x19")},
	{"SLH-DSA-SHAKE-128s", NULL, 128, ESG_OID(NIST_SIG "\x1A")},
	{"SLH-DSA-SHAKE-128f", NULL, 128, ESG_OID(NIST_SIG "\x1B")},
	{"SLH-DSA-SHAKE-192s", NULL, 192, ESG_OID(NIST_SIG "\x1C")},
	{"SLH-DSA-SHAKE-192f", NULL, 192, ESG_OID(NIST_SIG "\x1D")},
	{"SLH-DSA-SHAKE-256s", NULL, 256, ESG_OID(NIST_SIG "\x1E")},
	{"SLH-DSA-SHAKE-256f", NULL, 256, ESG_OID(NIST_SIG "\x1F")},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const Algorithm *
find_algorithm(const ASN1_OBJECT *oid)
{
	size_t		i;

	for (i = 0; i < COUNT(algorithms); i++)
		if (esg_asn1_is_oid(oid, &algorithms[i].oid))
			return &algorithms[i];
	return NULL;
}

static const Digest *
find_digest_by_oid(const ASN1_OBJECT *oid)
{
	size_t		i;

	for (i = 0; i < COUNT(digests); i++)
		if (esg_asn1_is_oid(oid, &digests[i].oid))
			return &digests[i];
	return NULL;
}

static const Digest *
find_digest_by_name(const char *name)
{
	size_t		i;

	for (i = 0; i < COUNT(digests); i++)
		if (strcmp(digests[i].name, name) == 0)
			return &digests[i];
	return NULL;
}

static void
set_digest(EsgSigInfo *out, const Digest *digest)
{
	if (digest == NULL)
		return;
	snprintf(out->digest, sizeof(out->digest), "%s", digest->name);
	out->strength = digest->strength;
	out->broken_digest = digest->strength == 0;
}

/* ---------- RSASSA-PSS-params, RFC 8017 A.2.3 ---------- */

/* a field that is left out has its default, SHA-1 */
static const ASN1_OBJECT *
get_hash(const X509_ALGOR *algor)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_sha1);

	if (algor != NULL)
		X509_ALGOR_get0(&oid, NULL, NULL, algor);
	return oid;
}

/* does the mask use that hash? */
static EsgPssState
judge_mask(const X509_ALGOR *mask, const ASN1_OBJECT *hash)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_mgf1);
	const ASN1_OBJECT *mask_hash = get_hash(NULL);
	const void *value = NULL;
	X509_ALGOR *algor = NULL;
	EsgPssState state = ESG_PSS_MGF_MISMATCH;
	int			type = V_ASN1_UNDEF;

	if (mask != NULL)
	{
		X509_ALGOR_get0(&oid, &type, &value, mask);
		if (OBJ_obj2nid(oid) != NID_mgf1 || type == V_ASN1_UNDEF)
			return ESG_PSS_MGF_MISMATCH;
		if (type == V_ASN1_SEQUENCE)
		{
			const unsigned char *p = ASN1_STRING_get0_data(value);

			algor = d2i_X509_ALGOR(NULL, &p, ASN1_STRING_length(value));
		}
		if (algor == NULL)
			return ESG_PSS_UNDECODABLE;
		mask_hash = get_hash(algor);
	}
	if (OBJ_cmp(hash, mask_hash) == 0)
		state = ESG_PSS_GOOD;
	X509_ALGOR_free(algor);
	return state;
}

/* no salt has fewer than 0 octets, or more than an int holds */
static bool
is_salt_bad(const ASN1_INTEGER *length)
{
	int64_t		octets = 0;

	return length != NULL &&
		(!ASN1_INTEGER_get_int64(&octets, length) || octets < 0 || octets > INT_MAX);
}

static EsgPssState
judge_pss(const RSA_PSS_PARAMS *params)
{
	EsgPssState state = judge_mask(params->maskGenAlgorithm, get_hash(params->hashAlgorithm));

	if (state != ESG_PSS_GOOD)
		return state;
	if (params->trailerField != NULL && ASN1_INTEGER_get(params->trailerField) != 1)
		return ESG_PSS_BAD_TRAILER;
	return is_salt_bad(params->saltLength) ? ESG_PSS_BAD_SALT : ESG_PSS_GOOD;
}

/*
 * RFC 4055 3.1 wants the parameters to be there, if only as an empty sequence;
 * OpenSSL verifies nothing without them.  What its decoder takes, BER and any
 * parameters of the digests, it takes in a handshake as well: no fault then.
 */
static void
read_pss(int type, const ASN1_STRING *encoded, EsgSigInfo *out)
{
	const unsigned char *p;
	RSA_PSS_PARAMS *params;

	out->pss = ESG_PSS_UNDECODABLE;
	if (type == V_ASN1_UNDEF)
		set_digest(out, find_digest_by_oid(get_hash(NULL)));
	if (type != V_ASN1_SEQUENCE || encoded == NULL)
		return;
	p = ASN1_STRING_get0_data(encoded);
	params = d2i_RSA_PSS_PARAMS(NULL, &p, ASN1_STRING_length(encoded));
	if (params != NULL && p == ASN1_STRING_get0_data(encoded) + ASN1_STRING_length(encoded))
		out->pss = judge_pss(params);
	if (out->pss != ESG_PSS_UNDECODABLE)
		set_digest(out, find_digest_by_oid(get_hash(params->hashAlgorithm)));
	RSA_PSS_PARAMS_free(params);
}

/* ---------- the AlgorithmIdentifier ---------- */

static void
read_algorithm(const X509_ALGOR *algor, EsgSigInfo *out)
{
	const ASN1_OBJECT *object = NULL;
	const void *value = NULL;
	int			type = V_ASN1_UNDEF;
	const Algorithm *algorithm;

	memset(out, 0, sizeof(*out));
	out->strength = -1;
	if (algor == NULL)
		return;
	X509_ALGOR_get0(&object, &type, &value, algor);
	if (esg_asn1_is_oid(object, &pss_oid))
	{
		snprintf(out->algorithm, sizeof(out->algorithm), "RSASSA-PSS");
		read_pss(type, value, out);
		return;
	}
	algorithm = find_algorithm(object);
	if (algorithm == NULL)
	{
		esg_x509_name_oid(object, out->algorithm, sizeof(out->algorithm));
		return;
	}
	snprintf(out->algorithm, sizeof(out->algorithm), "%s", algorithm->name);
	out->strength = algorithm->strength;
	out->no_separate_digest = algorithm->digest == NULL;
	if (algorithm->digest)
		set_digest(out, find_digest_by_name(algorithm->digest));
}

/* RFC 5280 4.1.1.2: both AlgorithmIdentifiers must be the same, parameters too */
void
esg_x509_sig_read_cert(const X509 *cert, EsgSigInfo *out)
{
	const X509_ALGOR *outer = NULL;

	X509_get0_signature(NULL, &outer, cert);
	read_algorithm(outer, out);
	out->mismatch = outer != NULL && X509_ALGOR_cmp(X509_get0_tbs_sigalg(cert), outer) != 0;
	ERR_clear_error();
}

/* mismatch stays false: OpenSSL does not show a CRL's inner algorithm */
void
esg_x509_sig_read_crl(const X509_CRL *crl, EsgSigInfo *out)
{
	const X509_ALGOR *outer = NULL;

	X509_CRL_get0_signature(crl, NULL, &outer);
	read_algorithm(outer, out);
	ERR_clear_error();
}

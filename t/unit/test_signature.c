/* sources: x509/asn1 x509/name x509/unicode x509/signature */
/*
 * test_signature.c
 *		Signature algorithms of certificates and CRLs.
 */
#include <ctype.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/signature.h"

#define PSS_OID "1.2.840.113549.1.1.10"

static EsgSigInfo
read_cert(X509 *cert)
{
	EsgSigInfo	info;

	ERR_clear_error();
	esg_x509_sig_read_cert(cert, &info);
	X509_free(cert);
	return info;
}

static EsgSigInfo
read_spec(EVP_PKEY *key, const EVP_MD * digest)
{
	CertSpec	spec = {.key = key,.digest = digest};

	return read_cert(certmaker_cert(&spec));
}

/* param_hex NULL: none; else DER, of which a SEQUENCE is taken whole, others as empty */
static void
set_algorithm(const X509_ALGOR *algor, ASN1_OBJECT *oid, const char *param_hex)
{
	long		len;
	unsigned char *octets = param_hex ? OPENSSL_hexstr2buf(param_hex, &len) : NULL;
	ASN1_STRING *string = NULL;
	int			type = V_ASN1_UNDEF;

	if (octets)
		type = octets[0] == 0x30 ? V_ASN1_SEQUENCE : octets[0];
	if (octets && type != V_ASN1_NULL)
	{
		string = ASN1_STRING_type_new(type);
		ASN1_STRING_set(string, octets, (int) len);
	}
	OPENSSL_free(octets);
	X509_ALGOR_set0((X509_ALGOR *) algor, oid, type, string);
}

static X509 *base_cert;

/* a certificate with these algorithms, whose signature is nonsense */
static X509 *
make_algorithms(ASN1_OBJECT *inner, const char *inner_param,
				ASN1_OBJECT *outer, const char *outer_param)
{
	X509	   *cert = X509_dup(base_cert);
	const X509_ALGOR *algor;

	set_algorithm(X509_get0_tbs_sigalg(cert), inner, inner_param);
	X509_get0_signature(NULL, &algor, cert);
	set_algorithm(algor, outer, outer_param);
	return cert;
}

static EsgSigInfo
read_algorithms(ASN1_OBJECT *inner, const char *inner_param,
				ASN1_OBJECT *outer, const char *outer_param)
{
	return read_cert(make_algorithms(inner, inner_param, outer, outer_param));
}

static EsgSigInfo
read_oid(const char *oid, const char *param)
{
	return read_algorithms(OBJ_txt2obj(oid, 1), param, OBJ_txt2obj(oid, 1), param);
}

static void
test_real(void)
{
	EsgSigInfo	info = read_spec(NULL, NULL);

	is_text(info.algorithm, "sha256WithRSAEncryption", "RSA with SHA-256");
	is_text(info.digest, "sha256", "its digest");
	is_int(info.strength, 128, "its strength");
	ok(!info.broken_digest && !info.no_separate_digest && !info.mismatch &&
	   info.pss == ESG_PSS_NONE, "nothing else about it");
	info = read_spec(NULL, EVP_sha1());
	is_text(info.digest, "sha1", "RSA with SHA-1");
	ok(info.strength == 0 && info.broken_digest, "is broken");
	info = read_spec(certmaker_ec("prime256v1"), EVP_sha384());
	is_text(info.algorithm, "ecdsa-with-SHA384", "ECDSA with SHA-384");
	is_int(info.strength, 192, "its strength");
	info = read_spec(certmaker_ec("prime256v1"), EVP_sha1());
	ok(info.strength == 0 && info.broken_digest, "ECDSA with SHA-1 is broken");
	info = read_spec(certmaker_dsa(1024), EVP_sha256());
	is_text(info.digest, "sha256", "DSA with SHA-256");
	info = read_spec(certmaker_named("ED25519"), NULL);
	is_text(info.algorithm, "Ed25519", "Ed25519");
	is_text(info.digest, "", "without a digest of its own");
	ok(info.strength == 128 && info.no_separate_digest && !info.broken_digest, "but strong");
	info = read_spec(certmaker_named("ED448"), NULL);
	ok(info.strength == 224 && info.no_separate_digest, "Ed448");
}

static const struct
{
	const char *oid;
	const char *algorithm;
	const char *digest;
	int			strength;
	bool		no_digest;
}			named[] = {

	/* not in every OpenSSL, or in none */
	{"1.3.14.3.2.14", "mdc2WithRSASignature", "mdc2", 0, false},
	{"1.3.14.3.2.24", "md2WithRSASignature", "md2", 0, false},
	{"1.3.36.3.3.1.3", "ripemd128WithRSA", "ripemd128", 0, false},
	{"1.3.36.3.3.1.4", "ripemd256WithRSA", "ripemd256", 0, false},
	{"1.2.840.113549.1.1.15", "sha512-224WithRSAEncryption", "sha512-224", 112, false},
	{"1.2.840.113549.1.1.16", "sha512-256WithRSAEncryption", "sha512-256", 128, false},
	{"1.3.6.1.5.5.7.6.32", "ecdsa-with-SHAKE128", "shake128", 128, false},
	{"0.4.0.127.0.7.1.1.4.1.1", "ecdsa-plain-SHA1", "sha1", 0, false},
	{"0.4.0.127.0.7.1.1.4.1.3", "ecdsa-plain-SHA256", "sha256", 128, false},
	{"1.2.156.10197.1.501", "SM2-with-SM3", "sm3", 128, false},
	/* its length would be 128 */
	{"1.2.643.2.2.3", "GOST3411-94-with-GOST3410-2001", "gost94", 105, false},
	{"1.2.643.2.2.4", "GOST3411-94-with-GOST3410-94", "gost94", 105, false},
	{"1.2.643.7.1.1.3.2", "GOST3410-2012-256", "streebog256", 128, false},
	{"1.2.643.7.1.1.3.3", "GOST3410-2012-512", "streebog512", 256, false},
	{"2.16.840.1.101.3.4.3.17", "ML-DSA-44", "", 128, true},
	{"2.16.840.1.101.3.4.3.18", "ML-DSA-65", "", 192, true},
	{"2.16.840.1.101.3.4.3.19", "ML-DSA-87", "", 256, true},
	{"2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s", "", 256, true},
	/* broken ones */
	{"1.2.840.113549.1.1.2", "md2WithRSAEncryption", "md2", 0, false},
	{"1.2.840.113549.1.1.3", "md4WithRSAEncryption", "md4", 0, false},
	{"1.2.840.113549.1.1.4", "md5WithRSAEncryption", "md5", 0, false},
	{"1.3.14.3.2.15", "shaWithRSASignature", "sha", 0, false},
	{"1.3.14.3.2.29", "sha1WithRSA", "sha1", 0, false},
	{"1.3.36.3.3.1.2", "ripemd160WithRSA", "ripemd160", 0, false},
	{"1.2.840.10040.4.3", "dsa-with-sha1", "sha1", 0, false},
	/* nobody knows */
	{"1.2.3.4", "1.2.3.4", "", -1, false},
	{"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.1", "", -1, false},
	{"1.2.840.10045.4.3", "1.2.840.10045.4.3", "", -1, false},
};

static void
test_named(void)
{
	size_t		i;

	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
	{
		EsgSigInfo	info = read_oid(named[i].oid, NULL);

		is_text(info.algorithm, named[i].algorithm, named[i].oid);
		is_text(info.digest, named[i].digest, "its digest");
		is_int(info.strength, named[i].strength, "its strength");
		ok(info.broken_digest == (named[i].strength == 0), "broken or not");
		ok(info.no_separate_digest == named[i].no_digest, "separate digest or not");
		ok(!info.mismatch && info.pss == ESG_PSS_NONE, "no mismatch, no PSS");
	}
}

/* every signature algorithm that this OpenSSL has with a digest: ours is the same */
static void
test_against_openssl(void)
{
	int			seen = 0;
	int			nid;

	for (nid = 1; nid < 3000; nid++)
	{
		int			md;
		int			pk;
		char		want[64];
		size_t		i;
		EsgSigInfo	info;

		ERR_clear_error();
		if (OBJ_nid2obj(nid) == NULL || !OBJ_find_sigid_algs(nid, &md, &pk) || md == NID_undef)
			continue;
		snprintf(want, sizeof(want), "%s", OBJ_nid2sn(md));
		for (i = 0; want[i]; i++)
			want[i] = (char) tolower((unsigned char) want[i]);
		info = read_algorithms(OBJ_dup(OBJ_nid2obj(nid)), NULL, OBJ_dup(OBJ_nid2obj(nid)), NULL);
		/* GOST goes by other names there; key derivations are no signatures */
		if (info.strength == -1 || strstr(info.algorithm, "GOST"))
			continue;
		seen++;
		is_text(info.digest, want, OBJ_nid2sn(nid));
	}
	ok(seen > 25, "%d algorithms of OpenSSL compared", seen);
}

/* SEQUENCE { OID digest [NULL] } */
#define SHA1 "300906052b0e03021a0500"
#define SHA256 "300d06096086480165030402010500"
#define SHA256_BARE "300b0609608648016503040201"
#define SHA384 "300d06096086480165030402020500"
#define HASH_SHA256 "a00f" SHA256
#define MGF1 "06092a864886f70d010108"
#define MASK_SHA256 "a11c301a" MGF1 SHA256
#define MASK_SHA384 "a11c301a" MGF1 SHA384
#define SALT "a203020120"
#define TRAILER "a303020101"

static const struct
{
	const char *name;
	const char *param;
	EsgPssState state;
	const char *digest;
	int			strength;
}			pss[] = {
	{"no parameters", NULL, ESG_PSS_UNDECODABLE, "sha1", 0},
	{"NULL parameters", "0500", ESG_PSS_UNDECODABLE, "", -1},
	{"an OCTET STRING", "0400", ESG_PSS_UNDECODABLE, "", -1},
	{"all defaults", "3000", ESG_PSS_GOOD, "sha1", 0},
	{"defaults written out", "300d" "a00b" SHA1, ESG_PSS_GOOD, "sha1", 0},
	{"SHA-256 twice", "3034" HASH_SHA256 MASK_SHA256 SALT, ESG_PSS_GOOD, "sha256", 128},
	{"with the trailer", "3039" HASH_SHA256 MASK_SHA256 SALT TRAILER, ESG_PSS_GOOD, "sha256", 128},
	{"without NULLs", "3030" "a00d" SHA256_BARE "a11a3018" MGF1 SHA256_BARE SALT, ESG_PSS_GOOD,
	"sha256", 128},
	{"another digest in the mask", "3034" HASH_SHA256 MASK_SHA384 SALT, ESG_PSS_MGF_MISMATCH,
	"sha256", 128},
	{"the mask's default", "3016" HASH_SHA256 SALT, ESG_PSS_MGF_MISMATCH, "sha256", 128},
	{"the digest's default", "3023" MASK_SHA256 SALT, ESG_PSS_MGF_MISMATCH, "sha1", 0},
	{"an unknown mask", "301a" HASH_SHA256 "a107300506032a0304", ESG_PSS_MGF_MISMATCH, "sha256", 128},
	{"MGF1 that names no digest", "3020" HASH_SHA256 "a10d300b" MGF1, ESG_PSS_MGF_MISMATCH,
	"sha256", 128},
	{"trailer 2", "3039" HASH_SHA256 MASK_SHA256 SALT "a303020102", ESG_PSS_BAD_TRAILER, "sha256", 128},
	{"trailer 257", "303a" HASH_SHA256 MASK_SHA256 SALT "a30402020101", ESG_PSS_BAD_TRAILER, "sha256",
	128},
	{"an unknown digest", "3021" "a007" "300506032a0304" "a116" "3014" MGF1 "3007" "06032a0304" "0500",
	ESG_PSS_GOOD, "", -1},
	{"a mask that is no algorithm", "3022" HASH_SHA256 "a10f300d" MGF1 "3000", ESG_PSS_UNDECODABLE,
	"", -1},
	{"fields in the wrong order", "3034" MASK_SHA256 HASH_SHA256 SALT, ESG_PSS_UNDECODABLE, "", -1},
	{"a field twice", "3022" HASH_SHA256 HASH_SHA256, ESG_PSS_UNDECODABLE, "", -1},
	{"an unknown field", "3016" HASH_SHA256 "a403020120", ESG_PSS_UNDECODABLE, "", -1},
	{"salt that is no INTEGER", "3016" HASH_SHA256 "a203040120", ESG_PSS_UNDECODABLE, "", -1},
	{"salt without octets", "3015" HASH_SHA256 "a2020200", ESG_PSS_UNDECODABLE, "", -1},
	{"a salt of 128 octets", "3035" HASH_SHA256 MASK_SHA256 "a20402020080", ESG_PSS_GOOD, "sha256", 128},
	{"a salt of -1 octets", "3034" HASH_SHA256 MASK_SHA256 "a2030201ff", ESG_PSS_BAD_SALT, "sha256", 128},
	{"a salt of -128 octets, defaults else", "3005" "a203020180", ESG_PSS_BAD_SALT, "sha1", 0},
	{"a salt of 2^31 octets", "3038" HASH_SHA256 MASK_SHA256 "a20702050080000000", ESG_PSS_BAD_SALT,
	"sha256", 128},
	{"a mask with NULL for a digest", "3022" HASH_SHA256 "a10f300d" MGF1 "0500", ESG_PSS_UNDECODABLE,
	"", -1},
	/* what OpenSSL takes, too */
	{"a digest with parameters", "3035" "a010" "300e" "0609608648016503040201" "020105"
	MASK_SHA256 SALT, ESG_PSS_GOOD, "sha256", 128},
	{"an indefinite length", "3080" HASH_SHA256 MASK_SHA256 SALT "0000", ESG_PSS_GOOD, "sha256", 128},
	{"a length beyond the end", "3011" "a01f" SHA256, ESG_PSS_UNDECODABLE, "", -1},
	{"octets after the sequence", "3000" "0500", ESG_PSS_UNDECODABLE, "", -1},
};

/* -1: OpenSSL cannot begin to verify with those parameters */
static int
verify_pss(const char *param)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(PSS_OID, 1);
	X509	   *cert = make_algorithms(OBJ_dup(oid), param, oid, param);
	int			result = X509_verify(cert, X509_get0_pubkey(base_cert));

	X509_free(cert);
	ERR_clear_error();
	return result;
}

/*
 * Called bad is what OpenSSL refuses, and a mask with another digest.  Octets
 * after the sequence cannot come out of a certificate.
 */
static void
ask_openssl(size_t i)
{
	int			result = verify_pss(pss[i].param);

	if (pss[i].state == ESG_PSS_GOOD && pss[i].strength >= 0)
		ok(result != -1, "OpenSSL takes it");
	else if (pss[i].state != ESG_PSS_MGF_MISMATCH && strstr(pss[i].name, "after") == NULL)
		is_int(result, -1, "OpenSSL refuses it");
}

static void
test_pss(void)
{
	CertSpec	spec = {.digest = EVP_sha384(),.pss_salt = 48};
	EsgSigInfo	info = read_cert(certmaker_cert(&spec));
	size_t		i;

	is_text(info.algorithm, "RSASSA-PSS", "PSS as OpenSSL signs");
	ok(info.pss == ESG_PSS_GOOD && info.strength == 192 && !info.no_separate_digest, "is good");
	spec.pss_mgf = EVP_sha256();
	info = read_cert(certmaker_cert(&spec));
	is_int(info.pss, ESG_PSS_MGF_MISMATCH, "with another mask");
	for (i = 0; i < sizeof(pss) / sizeof(pss[0]); i++)
	{
		info = read_oid(PSS_OID, pss[i].param);
		is_int(info.pss, pss[i].state, pss[i].name);
		is_text(info.digest, pss[i].digest, "its digest");
		is_int(info.strength, pss[i].strength, "its strength");
		ok(info.broken_digest == (pss[i].strength == 0), "broken or not");
		ask_openssl(i);
	}
}

static void
test_mismatch(void)
{
	static const char sha256_rsa[] = "1.2.840.113549.1.1.11";
	static const char sha1_rsa[] = "1.2.840.113549.1.1.5";

	ok(!read_algorithms(OBJ_txt2obj(sha256_rsa, 1), "0500", OBJ_txt2obj(sha256_rsa, 1), "0500").mismatch,
	   "same algorithm inside and outside");
	ok(read_algorithms(OBJ_txt2obj(sha256_rsa, 1), "0500", OBJ_txt2obj(sha1_rsa, 1), "0500").mismatch,
	   "another algorithm outside");
	ok(read_algorithms(OBJ_txt2obj(sha256_rsa, 1), "0500", OBJ_txt2obj(sha256_rsa, 1), NULL).mismatch,
	   "parameters only inside");
	ok(read_algorithms(OBJ_txt2obj(PSS_OID, 1), "3000", OBJ_txt2obj(PSS_OID, 1),
					   "3016" HASH_SHA256 SALT).mismatch, "other parameters outside");
	is_text(read_algorithms(OBJ_txt2obj(sha1_rsa, 1), "0500", OBJ_txt2obj(sha256_rsa, 1), "0500").digest,
			"sha256", "the outer one counts");
}

static void
test_crl(void)
{
	CertSpec	ca = {.subject = "CN=ca"};
	CrlSpec		spec = {.issuer_key = certmaker_rsa(2048),.digest = EVP_sha1()};
	X509_CRL   *crl;
	EsgSigInfo	info;

	spec.issuer_cert = certmaker_cert(&ca);
	crl = certmaker_crl(&spec);
	esg_x509_sig_read_crl(crl, &info);
	ok(info.broken_digest, "CRL with SHA-1");
	X509_CRL_free(crl);
	spec.digest = NULL;
	crl = certmaker_crl(&spec);
	esg_x509_sig_read_crl(crl, &info);
	ok(info.strength == 128 && !info.broken_digest && !info.mismatch, "CRL with SHA-256");
	X509_CRL_free(crl);
	X509_free(spec.issuer_cert);
}

/* an OID that fills kilobytes is not shown */
static void
test_long_oid(void)
{
	unsigned char der[1004] = {0x06, 0x82, 0x03, 0xE8};
	const unsigned char *p = der;
	ASN1_OBJECT *oid;
	EsgSigInfo	info;

	memset(der + 4, 0x81, 999);
	der[1003] = 1;
	oid = d2i_ASN1_OBJECT(NULL, &p, sizeof(der));
	info = read_algorithms(OBJ_dup(oid), NULL, oid, NULL);
	is_text(info.algorithm, "unprintable-oid", "long OID");
	is_int(info.strength, -1, "is unknown");
}

int
main(void)
{
	CertSpec	spec = {.key = certmaker_rsa(1024)};

	base_cert = certmaker_cert(&spec);
	test_real();
	test_named();
	test_against_openssl();
	test_pss();
	test_mismatch();
	test_crl();
	test_long_oid();
	ok(ERR_peek_error() == 0, "error queue empty");
	X509_free(base_cert);
	return done();
}

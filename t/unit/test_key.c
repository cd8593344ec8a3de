/* sources: x509/memo x509/asn1 x509/rsa_faults x509/name x509/unicode x509/key */
/*
 * test_key.c
 *		Kind, size, strength and faults of keys in certificates.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/dsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/key.h"

#define NO_PARAM V_ASN1_UNDEF

/* a certificate with that key, signed by another one */
static X509 *
cert_with(EVP_PKEY *key)
{
	CertSpec	spec = {.key = key,.issuer = "CN=issuer",.issuer_key = certmaker_rsa(1024)};

	return certmaker_cert(&spec);
}

static EsgKeyInfo
read_key(EVP_PKEY *key)
{
	X509	   *cert = cert_with(key);
	EsgKeyInfo	info;

	esg_x509_key_read(cert, NULL, &info);
	X509_free(cert);
	return info;
}

/* a key made of a subjectPublicKeyInfo's parts; param is an OID's text or DER in hex */
static EsgKeyInfo
read_parts(const char *oid, int param_type, const char *param, const char *bits_hex)
{
	X509	   *cert = cert_with(certmaker_rsa(1024));
	X509	   *parsed;
	long		len = 0;
	unsigned char *bits = OPENSSL_hexstr2buf(bits_hex, &len);
	unsigned char *der;
	void	   *value = NULL;
	size_t		size;
	EsgKeyInfo	info;

	if (param_type == V_ASN1_OBJECT)
		value = OBJ_txt2obj(param, 1);
	else if (param_type == V_ASN1_SEQUENCE)
	{
		long		param_len;
		unsigned char *octets = OPENSSL_hexstr2buf(param, &param_len);

		value = ASN1_STRING_new();
		ASN1_STRING_set(value, octets, (int) param_len);
		OPENSSL_free(octets);
	}
	X509_PUBKEY_set0_param((X509_PUBKEY *) X509_get_X509_PUBKEY(cert), OBJ_txt2obj(oid, 1),
						   param_type, value, bits, (int) len);
	certmaker_resign(cert, certmaker_rsa(1024), NULL);
	der = certmaker_der(cert, &size);
	parsed = certmaker_parse(der, size);
	ERR_clear_error();
	esg_x509_key_read(parsed, NULL, &info);
	ok(ERR_peek_error() == 0, "error queue empty after %s", oid);
	free(der);
	X509_free(parsed);
	X509_free(cert);
	return info;
}

static void
test_strength(void)
{
	static const struct
	{
		int			bits;
		int			want;
	}			rows[] = {
		{0, 0}, {512, 0}, {1023, 0}, {1024, 80}, {1965, 80}, {2047, 80}, {2048, 112}, {3071, 112},
		{3072, 128}, {7679, 128}, {7680, 192}, {15359, 192}, {15360, 256}, {100000, 256}
	};
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(esg_x509_key_rsa_strength(rows[i].bits), rows[i].want, "strength of RSA");
}

static void
test_rsa_sizes(void)
{
	static const struct
	{
		int			bits;
		int			strength;
	}			cases[] = {{512, 0}, {1024, 80}, {2047, 80}, {2048, 112}};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgKeyInfo	info = read_key(certmaker_rsa(cases[i].bits));

		is_int(info.type, ESG_KEY_RSA, "RSA");
		is_text(info.algorithm, "RSA", "RSA by name");
		is_int(info.bits, cases[i].bits, "bits of the modulus");
		is_int(info.security_bits, cases[i].strength, "strength");
		is_int(info.faults, 0, "no fault");
		ok(info.usable && !info.small_exponent && !info.explicit_parameters, "plain key");
	}
}

static void
test_exponents(void)
{
	static const struct
	{
		const char *e;
		unsigned	faults;
		bool		small;
	}			cases[] = {
		{"0", ESG_KEY_BAD_EXPONENT, false}, {"1", ESG_KEY_BAD_EXPONENT, false},
		{"2", ESG_KEY_BAD_EXPONENT, false}, {"3", 0, true}, {"4", ESG_KEY_BAD_EXPONENT, false},
		{"11", 0, true}, {"FFFF", 0, true}, {"10000", ESG_KEY_BAD_EXPONENT, false},
		{"10001", 0, false}, {"10000000000000001", 0, false},
		{"10000000000000000", ESG_KEY_BAD_EXPONENT, false},
	};
	const BIGNUM *n = NULL;
	char	   *hex;
	size_t		i;

	RSA_get0_key(EVP_PKEY_get0_RSA(certmaker_rsa(2048)), &n, NULL, NULL);
	hex = BN_bn2hex(n);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgKeyInfo	info = read_key(certmaker_rsa_raw(hex, cases[i].e));

		is_int(info.faults, cases[i].faults, cases[i].e);
		ok(info.small_exponent == cases[i].small, "small exponent %s", cases[i].e);
		is_int(info.bits, 2048, "whatever the exponent, the size is known");
	}
	OPENSSL_free(hex);
}

/* n changed by the callers below */
static unsigned
faults_of(BIGNUM *n)
{
	char	   *hex = BN_bn2hex(n);
	EsgKeyInfo	info = read_key(certmaker_rsa_raw(hex, "10001"));

	OPENSSL_free(hex);
	BN_free(n);
	return info.faults;
}

static void
test_moduli(void)
{
	const BIGNUM *good = NULL;
	BIGNUM	   *n;
	BN_CTX	   *ctx = BN_CTX_new();

	RSA_get0_key(EVP_PKEY_get0_RSA(certmaker_rsa(1024)), &good, NULL, NULL);
	is_int(faults_of(BN_dup(good)), 0, "good modulus");
	n = BN_dup(good);
	BN_add_word(n, 1);
	ok((faults_of(n) & ESG_KEY_BAD_MODULUS) != 0, "even");
	n = BN_new();
	BN_sqr(n, good, ctx);
	is_int(faults_of(n), ESG_KEY_BAD_MODULUS, "square");
	n = BN_dup(good);
	BN_mul_word(n, 751);
	is_int(faults_of(n), ESG_KEY_SMALL_FACTOR, "factor 751");
	n = BN_dup(good);
	BN_mul_word(n, 757);
	is_int(faults_of(n), 0, "factor 757 is not looked for");
	n = BN_new();
	BN_sqr(n, good, ctx);
	BN_sub_word(n, 4);
	is_int(faults_of(n) & ESG_KEY_CLOSE_PRIMES, ESG_KEY_CLOSE_PRIMES, "close factors");
	/* 1 modulo all the primes of the ROCA fingerprint */
	n = BN_new();
	BN_one(n);
	BN_lshift(n, n, 900);
	BN_mul_word(n, 11 * 13 * 17 * 19 * 37);
	BN_mul_word(n, 53 * 61 * 71 * 73);
	BN_mul_word(n, 79 * 97 * 103 * 107);
	BN_mul_word(n, 109 * 127);
	BN_mul_word(n, 151 * 157);
	BN_add_word(n, 1);
	ok((faults_of(n) & ESG_KEY_ROCA) != 0, "ROCA");
	BN_CTX_free(ctx);
}

static void
test_huge_modulus(void)
{
	BIGNUM	   *n = BN_new();
	char	   *hex;
	EsgKeyInfo	info;

	BN_one(n);
	BN_lshift(n, n, 16384);
	BN_add_word(n, 1);
	hex = BN_bn2hex(n);
	info = read_key(certmaker_rsa_raw(hex, "10001"));
	ok(!info.usable && info.bits == 16385, "a modulus over OpenSSL's limit is not usable");
	OPENSSL_free(hex);
	BN_rshift1(n, n);
	hex = BN_bn2hex(n);
	info = read_key(certmaker_rsa_raw(hex, "10001"));
	ok(info.usable && info.bits == 16384, "one at the limit is");
	OPENSSL_free(hex);
	BN_free(n);
}

/* does OpenSSL refuse the key itself, before it looks at a signature? */
static bool
openssl_refuses(EVP_PKEY *key)
{
	static const unsigned char digest[32];
	unsigned char signature[4096] = {0};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	unsigned long error;
	bool		refused = false;

	ERR_clear_error();
	if (EVP_PKEY_verify_init(ctx) != 1 || EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1)
		refused = true;
	EVP_PKEY_verify(ctx, signature, (size_t) EVP_PKEY_size(key), digest, sizeof(digest));
	while ((error = ERR_get_error()) != 0)
		if (ERR_GET_REASON(error) == RSA_R_BAD_E_VALUE || ERR_GET_REASON(error) == RSA_R_MODULUS_TOO_LARGE)
			refused = true;
	EVP_PKEY_CTX_free(ctx);
	return refused;
}

/* bits of modulus and exponent */
static void
test_refused(void)
{
	static const struct
	{
		int			n;
		int			e;
		bool		usable;
	}			cases[] = {
		{2048, 64, true}, {2048, 65, true}, {2048, 2047, true}, {2048, 2049, false},
		{3072, 64, true}, {3072, 65, true}, {3073, 17, true}, {3073, 64, true}, {3073, 65, false},
		{4096, 17, true}, {4096, 64, true}, {4096, 65, false}, {4096, 256, false},
		{16384, 64, true}, {16385, 17, false},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		BIGNUM	   *n = BN_new();
		BIGNUM	   *e = BN_new();
		char	   *n_hex;
		char	   *e_hex;
		EVP_PKEY   *key;

		BN_set_bit(n, cases[i].n - 1);
		BN_set_bit(n, 5);
		BN_set_bit(n, 0);
		BN_set_bit(e, cases[i].e - 1);
		BN_set_bit(e, 0);
		n_hex = BN_bn2hex(n);
		e_hex = BN_bn2hex(e);
		key = certmaker_rsa_raw(n_hex, e_hex);
		ok(read_key(key).usable == cases[i].usable && openssl_refuses(key) == !cases[i].usable,
		   "modulus of %d, exponent of %d bits: usable %d", cases[i].n, cases[i].e, cases[i].usable);
		OPENSSL_free(n_hex);
		OPENSSL_free(e_hex);
		BN_free(n);
		BN_free(e);
	}
	ok(!read_key(certmaker_rsa_raw("C5", "C5")).usable && openssl_refuses(certmaker_rsa_raw("C5", "C5")),
	   "an exponent as large as the modulus");
	ok(read_key(certmaker_rsa_raw("C5", "C3")).usable && !openssl_refuses(certmaker_rsa_raw("C5", "C3")),
	   "one just below it");
}

/* a key of parameters of that size, none of which is a prime */
static EVP_PKEY *
make_dsa(int p_bits, int q_bits)
{
	EVP_PKEY   *key = EVP_PKEY_new();
	DSA		   *dsa = DSA_new();
	BIGNUM	   *p = BN_new();
	BIGNUM	   *q = BN_new();
	BIGNUM	   *g = BN_new();
	BIGNUM	   *public = BN_new();

	BN_set_bit(p, p_bits - 1);
	BN_set_bit(p, 0);
	BN_set_bit(q, q_bits - 1);
	BN_set_bit(q, 0);
	BN_set_word(g, 2);
	BN_set_word(public, 4);
	DSA_set0_pqg(dsa, p, q, g);
	DSA_set0_key(dsa, public, NULL);
	EVP_PKEY_assign_DSA(key, dsa);
	return key;
}

/* the pairs of NIST SP 800-57 part 1 table 2, and others */
static void
test_dsa(void)
{
	static const struct
	{
		int			p;
		int			q;
		int			strength;
	}			cases[] = {
		{1024, 160, 80}, {1024, 256, 80}, {2048, 160, 80}, {2048, 224, 112}, {2048, 256, 112},
		{3072, 160, 80}, {3072, 224, 112}, {3072, 256, 128}, {7680, 384, 192}, {15360, 512, 256},
		{2048, 128, 64}, {512, 160, 0},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EVP_PKEY   *key = make_dsa(cases[i].p, cases[i].q);
		EsgKeyInfo	info = read_key(key);
		int			theirs = BN_security_bits(cases[i].p, cases[i].q);

		ok(info.type == ESG_KEY_DSA && info.bits == cases[i].p, "DSA of %d bits", cases[i].p);
		is_int(info.security_bits, cases[i].strength, "strength with its subgroup");
		/* which says 0 to all below 80 */
		is_int(info.security_bits < 80 ? 0 : info.security_bits, theirs, "as OpenSSL says");
		EVP_PKEY_free(key);
	}
}

static void
test_curves(void)
{
	static const struct
	{
		const char *curve;
		int			bits;
		int			strength;
	}			cases[] = {
		{"prime256v1", 256, 128}, {"secp384r1", 384, 192}, {"secp521r1", 521, 260},
		{"secp224r1", 224, 112}, {"prime192v1", 192, 96}, {"secp256k1", 256, 128},
		{"brainpoolP256r1", 256, 128},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int			nid = OBJ_txt2nid(cases[i].curve);
		EC_GROUP   *group = EC_GROUP_new_by_curve_name(nid);
		EsgKeyInfo	info;

		ERR_clear_error();
		if (group == NULL)
			continue;			/* left out by the distribution */
		EC_GROUP_free(group);
		info = read_key(certmaker_ec(cases[i].curve));
		is_int(info.type, ESG_KEY_EC, "EC");
		is_text(info.curve, cases[i].curve, "curve");
		is_int(info.curve_nid, nid, "curve by number");
		is_int(info.bits, cases[i].bits, "bits of the order");
		is_int(info.security_bits, cases[i].strength, "strength");
		ok(info.usable && !info.explicit_parameters, "usable, named");
	}
}

/* RFC 8017 A.1.1, but with a modulus of no octets; Dss-Parms (RFC 3279) with an octet string for p. */
static void
test_strange_members(void)
{
	EsgKeyInfo	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "300702000203010001");

	ok(info.type == ESG_KEY_RSA && info.bits == 0 && (info.faults & ESG_KEY_BAD_MODULUS) != 0, "a modulus without an octet");
	info = read_parts("1.2.840.10040.4.1", V_ASN1_SEQUENCE, "3003040101", "020101");
	ok(info.type == ESG_KEY_DSA && !info.usable && info.bits == 0 && info.security_bits == -1, "DSA with an octet string for p");
}

/* ECParameters (X9.62) that end behind each of their members: the order is not known. */
static void
test_cut_parameters(void)
{
	static const char *const parameters[] = {
		"3000", "3003020101", "3011020101" "300c06072a8648ce3d0101020117",
		"3019020101" "300c06072a8648ce3d0101020117" "3006040101040101",
		"301e020101" "300c06072a8648ce3d0101020117" "3006040101040101" "0403040001"
	};
	size_t		i;

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
	{
		EsgKeyInfo	info = read_parts("1.2.840.10045.2.1", V_ASN1_SEQUENCE, parameters[i], "040101");

		ok(info.explicit_parameters && !info.usable && info.bits == 0 && info.security_bits == -1,
		   "%s: neither bits nor strength", parameters[i]);
	}
}

static void
test_explicit_parameters(void)
{
	EsgKeyInfo	info = read_key(certmaker_ec_explicit("prime256v1"));

	ok(info.explicit_parameters, "explicit parameters");
	is_int(info.bits, 256, "whose order is known");
	is_int(info.security_bits, 128, "and its strength");
	is_text(info.curve, info.usable ? "prime256v1" : "", "OpenSSL may recognize the curve");
	info = read_key(certmaker_ec("prime256v1"));
	ok(!info.explicit_parameters, "named curve");
	/* y^2 = x^3 + x + 1 modulo 23 with order 28, which OpenSSL refuses */
	info = read_parts("1.2.840.10045.2.1", V_ASN1_SEQUENCE,
					  "3024020101300c06072a8648ce3d0101020117" "3006040101040101"
					  "0403040001" "02011c" "020101", "040101");
	ok(info.explicit_parameters && !info.usable, "explicit parameters of a refused key");
	ok(info.bits == 5 && info.security_bits == 2, "its order is read all the same");
	test_cut_parameters();
	test_strange_members();
}

static void
test_other_types(void)
{
	EsgKeyInfo	info = read_key(certmaker_named("ED25519"));

	ok(info.type == ESG_KEY_ED25519 && info.bits == 256 && info.security_bits == 128 &&
	   info.usable, "Ed25519");
	is_text(info.algorithm, "Ed25519", "Ed25519 by name");
	info = read_key(certmaker_named("ED448"));
	ok(info.type == ESG_KEY_ED448 && info.bits == 456 && info.security_bits == 224 &&
	   info.usable, "Ed448");
	info = read_key(certmaker_named("X25519"));
	ok(info.type == ESG_KEY_CANNOT_SIGN && !info.usable && info.security_bits == -1, "X25519");
	is_text(info.algorithm, "X25519", "X25519 by name");
	info = read_key(certmaker_dsa(1024));
	ok(info.type == ESG_KEY_DSA && info.bits == 1024 && info.security_bits == 80 &&
	   info.usable, "DSA");
	info = read_key(certmaker_named("rsassaPss"));
	ok(info.type == ESG_KEY_RSA && info.bits == 2048 && info.security_bits == 112 &&
	   info.usable, "RSASSA-PSS");
	is_text(info.algorithm, "RSASSA-PSS", "RSASSA-PSS by name");
}

/* what this OpenSSL refuses or may not know is named and sized all the same */
static void
test_raw_parts(void)
{
	EsgKeyInfo	info;

	info = read_parts("2.16.840.1.101.3.4.3.17", NO_PARAM, NULL, "00");
	ok(info.type == ESG_KEY_MLDSA && info.security_bits == 128 && !info.usable, "ML-DSA-44");
	is_text(info.algorithm, "ML-DSA-44", "ML-DSA-44 by name");
	info = read_parts("2.16.840.1.101.3.4.3.18", NO_PARAM, NULL, "00");
	is_int(info.security_bits, 192, "ML-DSA-65");
	info = read_parts("2.16.840.1.101.3.4.3.19", NO_PARAM, NULL, "00");
	is_int(info.security_bits, 256, "ML-DSA-87");
	info = read_parts("2.16.840.1.101.3.4.4.2", NO_PARAM, NULL, "00");
	ok(info.type == ESG_KEY_CANNOT_SIGN && !info.usable, "ML-KEM-768");
	info = read_parts("1.2.3.4", NO_PARAM, NULL, "");
	ok(info.type == ESG_KEY_UNKNOWN && info.security_bits == -1 && !info.usable, "unknown");
	is_text(info.algorithm, "1.2.3.4", "unknown by its OID");
	info = read_parts("1.2.840.10040.4.1", NO_PARAM, NULL, "020105");
	ok(info.type == ESG_KEY_DSA && info.bits == 0 && info.security_bits == -1 && !info.usable,
	   "DSA without parameters");
	info = read_parts("1.2.840.10040.4.1", V_ASN1_SEQUENCE, "3004020200FB", "020105");
	ok(info.bits == 8 && info.security_bits == -1 && !info.usable, "DSA without a subgroup");
	info = read_parts("1.2.840.10045.2.1", V_ASN1_OBJECT, "1.2.3.4", "04");
	ok(info.type == ESG_KEY_EC && info.security_bits == -1 && !info.usable, "unknown curve");
	info = read_parts("1.2.840.10045.2.1", V_ASN1_OBJECT, "1.2.840.10045.3.1.7", "0401");
	ok(info.bits == 256 && info.security_bits == 128 && !info.usable, "point off the curve");
	info = read_parts("1.2.840.10045.2.1", V_ASN1_NULL, NULL, "0401");
	ok(info.bits == 0 && info.security_bits == -1 && !info.explicit_parameters,
	   "implicit curve");
	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "3003020101");
	ok(info.type == ESG_KEY_RSA && info.bits == 0 && info.security_bits == -1, "cut off RSA");
	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "3005027F010203");
	ok(info.bits == 0 && info.security_bits == -1, "a modulus longer than the rest");
	info = read_parts("1.2.840.10045.2.1", V_ASN1_OBJECT, "1.2.156.10197.1.301", "04");
	is_text(info.algorithm, "SM2", "EC key on the curve of SM2");
	info = read_parts("1.2.156.10197.1.301", V_ASN1_OBJECT, "1.2.156.10197.1.301", "04");
	ok(info.type == ESG_KEY_EC && strcmp(info.algorithm, "SM2") == 0, "SM2 as the algorithm");
	info = read_parts("1.2.156.10197.1.301", V_ASN1_NULL, NULL, "04");
	ok(info.curve_nid == NID_sm2, "SM2 as the algorithm says its curve without parameters");
	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "30080202" "00FF" "0202" "0003");
	ok(info.bits == 8 && info.security_bits == 0 && info.small_exponent, "padded INTEGERs");
	ok((info.faults & (ESG_KEY_BAD_MODULUS | ESG_KEY_BAD_EXPONENT)) == 0, "no sign");
	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "30800202" "00FF" "020103" "0000");
	ok(info.bits == (info.usable ? 8 : 0), "an indefinite length, if OpenSSL takes it");
	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "300602" "01FD" "020103");
	ok(info.bits == 8 && (info.faults & ESG_KEY_BAD_MODULUS), "negative modulus");
	info = read_parts("1.2.840.113549.1.1.1", V_ASN1_NULL, NULL, "30070202" "00FD" "0201FD");
	ok(!info.small_exponent && (info.faults & ESG_KEY_BAD_EXPONENT), "negative exponent");
}

static void
test_digest_and_memo(void)
{
	X509	   *cert = cert_with(certmaker_rsa(1024));
	X509	   *other = cert_with(certmaker_rsa_other(1024));
	EsgMemo    *memo = esg_memo_create(10);
	static const unsigned char zeros[ESG_DIGEST_SIZE];
	unsigned char want[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	EsgKeyInfo	info;
	EsgKeyInfo	info2;
	int			len = i2d_PUBKEY(certmaker_rsa(1024), &der);
	int			value = -1;

	EVP_Digest(der, (size_t) len, want, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	esg_x509_key_read(cert, memo, &info);
	ok(memcmp(info.digest, want, ESG_DIGEST_SIZE) == 0, "digest of subjectPublicKeyInfo");
	esg_x509_key_read(other, memo, &info2);
	ok(memcmp(info.digest, info2.digest, ESG_DIGEST_SIZE) != 0, "another key, another digest");
	ok(esg_memo_get(memo, info.digest, zeros, &value) && value == 0, "the result is remembered");
	esg_memo_put(memo, info.digest, zeros, ESG_KEY_ROCA);
	esg_x509_key_read(cert, memo, &info);
	is_int(info.faults, ESG_KEY_ROCA, "and what is remembered is not tested again");
	esg_memo_free(memo);
	X509_free(cert);
	X509_free(other);
}

int
main(void)
{
	test_strength();
	test_rsa_sizes();
	test_exponents();
	test_moduli();
	test_huge_modulus();
	test_refused();
	test_dsa();
	test_curves();
	test_explicit_parameters();
	test_other_types();
	test_raw_parts();
	test_digest_and_memo();
	return done();
}

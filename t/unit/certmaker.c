/*
 * certmaker.c
 *		Certificates, CRLs and keys made at test time.
 *
 * Whatever comes out has been through DER once, so that a test sees the object
 * that a reader of a file would see.
 */
/* RSA, DSA and EC_KEY objects take the odd values that EVP_PKEY_fromdata() refuses */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "certmaker.h"

#define DEFAULT_NOT_BEFORE "20260101000000Z"
#define DEFAULT_NOT_AFTER "20270101000000Z"
#define MAX_KEYS 64

typedef struct CachedKey
{
	char		kind[64];
	EVP_PKEY   *key;
}			CachedKey;

static CachedKey key_cache[MAX_KEYS];
static int	key_count;

static void
die(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "certmaker: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(99);
}

static void
check(int good, const char *what)
{
	if (!good)
		die(what);
}

static void *
need(void *pointer, const char *what)
{
	if (pointer == NULL)
		die(what);
	return pointer;
}

/* ---------- keys ---------- */

static EVP_PKEY *
find_key(const char *kind)
{
	int			i;

	for (i = 0; i < key_count; i++)
		if (strcmp(key_cache[i].kind, kind) == 0)
			return key_cache[i].key;
	return NULL;
}

static EVP_PKEY *
remember_key(const char *kind, EVP_PKEY *key)
{
	check(key_count < MAX_KEYS, "too many kinds of keys");
	snprintf(key_cache[key_count].kind, sizeof(key_cache[0].kind), "%s", kind);
	key_cache[key_count++].key = key;
	return key;
}

static EVP_PKEY *
cached_rsa(int bits, int which)
{
	char		kind[64];
	EVP_PKEY   *key;
	RSA		   *rsa = NULL;
	BIGNUM	   *e = NULL;

	snprintf(kind, sizeof(kind), "rsa-%d-%d", bits, which);
	key = find_key(kind);
	if (key)
		return key;
	rsa = need(RSA_new(), "RSA_new");
	e = need(BN_new(), "BN_new");
	check(BN_set_word(e, RSA_F4), "BN_set_word");
	check(RSA_generate_key_ex(rsa, bits, e, NULL), "RSA_generate_key_ex");
	BN_free(e);
	key = need(EVP_PKEY_new(), "EVP_PKEY_new");
	check(EVP_PKEY_assign_RSA(key, rsa), "EVP_PKEY_assign_RSA");
	return remember_key(kind, key);
}

EVP_PKEY *
certmaker_rsa(int bits)
{
	return cached_rsa(bits, 1);
}

EVP_PKEY *
certmaker_rsa_other(int bits)
{
	return cached_rsa(bits, 2);
}

EVP_PKEY *
certmaker_rsa_raw(const char *n_hex, const char *e_hex)
{
	EVP_PKEY   *key = need(EVP_PKEY_new(), "EVP_PKEY_new");
	RSA		   *rsa = need(RSA_new(), "RSA_new");
	BIGNUM	   *n = NULL;
	BIGNUM	   *e = NULL;
	char		kind[64];

	check(BN_hex2bn(&n, n_hex) && BN_hex2bn(&e, e_hex), "BN_hex2bn");
	check(RSA_set0_key(rsa, n, e, NULL), "RSA_set0_key");
	check(EVP_PKEY_assign_RSA(key, rsa), "EVP_PKEY_assign_RSA");
	snprintf(kind, sizeof(kind), "raw-%d", key_count);
	return remember_key(kind, key);
}

static EVP_PKEY *
cached_ec(const char *curve, int asn1_flag)
{
	char		kind[64];
	EVP_PKEY   *key;
	EC_KEY	   *ec;

	snprintf(kind, sizeof(kind), "ec-%d-%s", asn1_flag, curve);
	key = find_key(kind);
	if (key)
		return key;
	ec = need(EC_KEY_new_by_curve_name(OBJ_txt2nid(curve)), curve);
	EC_KEY_set_asn1_flag(ec, asn1_flag);
	check(EC_KEY_generate_key(ec), "EC_KEY_generate_key");
	key = need(EVP_PKEY_new(), "EVP_PKEY_new");
	check(EVP_PKEY_assign_EC_KEY(key, ec), "EVP_PKEY_assign_EC_KEY");
	return remember_key(kind, key);
}

EVP_PKEY *
certmaker_ec(const char *curve)
{
	return cached_ec(curve, OPENSSL_EC_NAMED_CURVE);
}

EVP_PKEY *
certmaker_ec_explicit(const char *curve)
{
	return cached_ec(curve, OPENSSL_EC_EXPLICIT_CURVE);
}

EVP_PKEY *
certmaker_dsa(int bits)
{
	char		kind[64];
	EVP_PKEY   *key;
	DSA		   *dsa;

	snprintf(kind, sizeof(kind), "dsa-%d", bits);
	key = find_key(kind);
	if (key)
		return key;
	dsa = need(DSA_new(), "DSA_new");
	check(DSA_generate_parameters_ex(dsa, bits, NULL, 0, NULL, NULL, NULL),
		  "DSA_generate_parameters_ex");
	check(DSA_generate_key(dsa), "DSA_generate_key");
	key = need(EVP_PKEY_new(), "EVP_PKEY_new");
	check(EVP_PKEY_assign_DSA(key, dsa), "EVP_PKEY_assign_DSA");
	return remember_key(kind, key);
}

EVP_PKEY *
certmaker_named(const char *algorithm)
{
	EVP_PKEY   *key = find_key(algorithm);
	EVP_PKEY_CTX *ctx;

	if (key)
		return key;
	ctx = need(EVP_PKEY_CTX_new_id(OBJ_txt2nid(algorithm), NULL), algorithm);
	check(EVP_PKEY_keygen_init(ctx) > 0, "EVP_PKEY_keygen_init");
	check(EVP_PKEY_keygen(ctx, &key) > 0, "EVP_PKEY_keygen");
	EVP_PKEY_CTX_free(ctx);
	return remember_key(algorithm, key);
}

/* ---------- fields ---------- */

/* one value up to the next unescaped comma, with \, and \xHH taken literally */
static const char *
read_value(const char *text, unsigned char *value, size_t size, size_t *len)
{
	unsigned int octet;

	*len = 0;
	while (*text && *text != ',')
	{
		check(*len < size, "name value too long");
		if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &octet) == 1)
		{
			value[(*len)++] = (unsigned char) octet;
			text += 4;
			continue;
		}
		if (text[0] == '\\' && text[1])
			text++;
		value[(*len)++] = (unsigned char) *text++;
	}
	return *text ? text + 1 : text;
}

/* UTF8String whatever the bytes and the length are; an empty text is an empty name */
static X509_NAME *
make_name(const char *text)
{
	X509_NAME  *name = need(X509_NAME_new(), "X509_NAME_new");
	unsigned char value[8192];

	while (*text)
	{
		const char *equals = strchr(text, '=');
		char		type[64];
		size_t		len;

		check(equals != NULL, "name without =");
		check((size_t) (equals - text) < sizeof(type), "attribute type too long");
		memcpy(type, text, equals - text);
		type[equals - text] = '\0';
		text = read_value(equals + 1, value, sizeof(value), &len);
		check(X509_NAME_add_entry_by_txt(name, type, V_ASN1_UTF8STRING, value,
										 (int) len, -1, 0), type);
	}
	return name;
}

/* "U:" and "G:" force the type; otherwise 13 characters are a UTCTime */
static ASN1_TIME *
make_time(const char *text)
{
	int			type = strlen(text) == 13 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
	ASN1_TIME  *t;

	if (text[0] != '\0' && text[1] == ':')
	{
		type = text[0] == 'U' ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
		text += 2;
	}
	t = need(ASN1_STRING_type_new(type), "ASN1_STRING_type_new");
	check(ASN1_STRING_set(t, text, (int) strlen(text)), "ASN1_STRING_set");
	return t;
}

static ASN1_INTEGER *
make_integer(const char *decimal)
{
	BIGNUM	   *bn = NULL;
	ASN1_INTEGER *number;

	check(BN_dec2bn(&bn, decimal) > 0, "BN_dec2bn");
	number = need(BN_to_ASN1_INTEGER(bn, NULL), "BN_to_ASN1_INTEGER");
	BN_free(bn);
	return number;
}

/* What gets extensions: one of the three. */
typedef struct Extended
{
	X509	   *cert;
	X509_CRL   *crl;
	X509_REVOKED *entry;
} Extended;

static void
attach_extension(const Extended *to, X509_EXTENSION *extension)
{
	if (to->cert)
		check(X509_add_ext(to->cert, extension, -1), "X509_add_ext");
	else if (to->crl)
		check(X509_CRL_add_ext(to->crl, extension, -1), "X509_CRL_add_ext");
	else
		check(X509_REVOKED_add_ext(to->entry, extension, -1), "X509_REVOKED_add_ext");
}

/* the first section holds the extensions; further ones are what their values refer to */
static void
add_extensions(const Extended *to, X509 *issuer, const char *lines)
{
	CONF	   *conf = need(NCONF_new(NULL), "NCONF_new");
	BIO		   *bio = need(BIO_new(BIO_s_mem()), "BIO_new");
	STACK_OF(CONF_VALUE) *values;
	X509V3_CTX	ctx = {0};
	int			i;

	BIO_printf(bio, "[certmaker]\n%s\n", lines);
	check(NCONF_load_bio(conf, bio, NULL) > 0, "NCONF_load_bio");
	values = need(NCONF_get_section(conf, "certmaker"), "NCONF_get_section");
	X509V3_set_ctx(&ctx, issuer, to->cert, NULL, to->crl, 0);
	X509V3_set_nconf(&ctx, conf);
	for (i = 0; i < sk_CONF_VALUE_num(values); i++)
	{
		CONF_VALUE *value = sk_CONF_VALUE_value(values, i);
		X509_EXTENSION *extension;

		extension = need(X509V3_EXT_nconf(conf, &ctx, value->name, value->value),
						 value->name);
		attach_extension(to, extension);
		X509_EXTENSION_free(extension);
	}
	NCONF_free(conf);
	BIO_free(bio);
}

/* NULL for algorithms that bring their own: Ed25519, Ed448, ML-DSA */
static const EVP_MD *
choose_digest(EVP_PKEY *key, const EVP_MD * wanted)
{
	switch (EVP_PKEY_base_id(key))
	{
		case EVP_PKEY_RSA:
		case EVP_PKEY_RSA_PSS:
		case EVP_PKEY_DSA:
		case EVP_PKEY_EC:
			return wanted ? wanted : EVP_sha256();
		default:
			return NULL;
	}
}

static void
sign_pss(X509 *cert, EVP_PKEY *key, const CertSpec * spec)
{
	const		EVP_MD *digest = spec->digest ? spec->digest : EVP_sha256();
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new(), "EVP_MD_CTX_new");
	EVP_PKEY_CTX *key_ctx = NULL;

	check(EVP_DigestSignInit(ctx, &key_ctx, digest, NULL, key) > 0, "EVP_DigestSignInit");
	check(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) > 0, "PSS padding");
	check(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, spec->pss_salt) > 0, "PSS salt length");
	check(EVP_PKEY_CTX_set_rsa_mgf1_md(key_ctx, spec->pss_mgf ? spec->pss_mgf : digest) > 0,
		  "PSS mask");
	check(X509_sign_ctx(cert, ctx) > 0, "X509_sign_ctx");
	EVP_MD_CTX_free(ctx);
}

/* ---------- certificates ---------- */

static void
set_names(X509 *cert, const CertSpec * spec)
{
	const char *subject = spec->subject ? spec->subject : "CN=test";
	X509_NAME  *name = make_name(subject);

	check(X509_set_subject_name(cert, name), "X509_set_subject_name");
	X509_NAME_free(name);
	if (spec->issuer_cert)
	{
		check(X509_set_issuer_name(cert, X509_get_subject_name(spec->issuer_cert)),
			  "X509_set_issuer_name");
		return;
	}
	name = make_name(spec->issuer ? spec->issuer : subject);
	check(X509_set_issuer_name(cert, name), "X509_set_issuer_name");
	X509_NAME_free(name);
}

static void
set_plain_fields(X509 *cert, const CertSpec * spec)
{
	ASN1_TIME  *before = make_time(spec->not_before ? spec->not_before : DEFAULT_NOT_BEFORE);
	ASN1_TIME  *after = make_time(spec->not_after ? spec->not_after : DEFAULT_NOT_AFTER);
	ASN1_INTEGER *serial = make_integer(spec->serial ? spec->serial : "1");

	check(X509_set_version(cert, (spec->version ? spec->version : 3) - 1), "X509_set_version");
	check(X509_set_serialNumber(cert, serial), "X509_set_serialNumber");
	check(X509_set1_notBefore(cert, before), "X509_set1_notBefore");
	check(X509_set1_notAfter(cert, after), "X509_set1_notAfter");
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(before);
	ASN1_TIME_free(after);
}

/* OpenSSL 3.5 does not read some invalid times any more: then the certificate as built has to do. */
static X509 *
reparse(X509 *cert)
{
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);
	const unsigned char *p = der;
	X509	   *copy = d2i_X509(NULL, &p, (long) len);

	free(der);
	if (copy == NULL)
	{
		ERR_clear_error();
		return cert;
	}
	X509_free(cert);
	return copy;
}

/* In OpenSSL 3.5 X509_sign() makes version 3 of what has extensions: back to the wanted one, and signed again. */
static void
sign_version(X509 *cert, EVP_PKEY *key, const EVP_MD *digest, long version)
{
	EVP_MD_CTX *ctx;
	const ASN1_BIT_STRING *signature;
	unsigned char *tbs = NULL;
	unsigned char bytes[1024];
	size_t		size = sizeof(bytes);
	int			len;

	if (X509_get_version(cert) == version)
		return;
	check(X509_set_version(cert, version), "X509_set_version");
	len = i2d_re_X509_tbs(cert, &tbs);
	check(len > 0, "i2d_re_X509_tbs");
	ctx = need(EVP_MD_CTX_new(), "EVP_MD_CTX_new");
	check(EVP_DigestSignInit(ctx, NULL, choose_digest(key, digest), NULL, key) > 0, "EVP_DigestSignInit");
	check(EVP_DigestSign(ctx, bytes, &size, tbs, (size_t) len) > 0, "EVP_DigestSign");
	X509_get0_signature(&signature, NULL, cert);
	check(ASN1_STRING_set((ASN1_STRING *) signature, bytes, (int) size), "ASN1_STRING_set");
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(tbs);
}

X509 *
certmaker_cert(const CertSpec * spec)
{
	X509	   *cert = need(X509_new(), "X509_new");
	EVP_PKEY   *key = spec->key ? spec->key : certmaker_rsa(2048);
	EVP_PKEY   *signer = spec->issuer_key ? spec->issuer_key : key;

	set_names(cert, spec);
	set_plain_fields(cert, spec);
	check(X509_set_pubkey(cert, key), "X509_set_pubkey");
	if (spec->extensions)
		add_extensions(&(Extended) {.cert = cert}, spec->issuer_cert ? spec->issuer_cert : cert,
					   spec->extensions);
	if (spec->pss_salt)
		sign_pss(cert, signer, spec);
	else
	{
		certmaker_resign(cert, signer, spec->digest);
		sign_version(cert, signer, spec->digest, (spec->version ? spec->version : 3) - 1);
	}
	return reparse(cert);
}

void
certmaker_resign(X509 *cert, EVP_PKEY *key, const EVP_MD * digest)
{
	check(X509_sign(cert, key, choose_digest(key, digest)) > 0, "X509_sign");
}

unsigned char *
certmaker_der(X509 *cert, size_t *len)
{
	unsigned char *der = NULL;
	unsigned char *copy;
	int			size = i2d_X509(cert, &der);

	check(size > 0, "i2d_X509");
	copy = need(malloc(size), "out of memory");
	memcpy(copy, der, size);
	OPENSSL_free(der);
	*len = (size_t) size;
	return copy;
}

X509 *
certmaker_parse(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	X509	   *cert = d2i_X509(NULL, &p, (long) len);

	return need(cert, "d2i_X509");
}

X509 *
certmaker_patch(X509 *cert, const void *from, const void *to, size_t len)
{
	size_t		size;
	unsigned char *der = certmaker_der(cert, &size);
	X509	   *patched;
	size_t		i;
	int			hits = 0;

	for (i = 0; i + len <= size; i++)
	{
		if (memcmp(der + i, from, len) != 0)
			continue;
		memcpy(der + i, to, len);
		hits++;
		i += len - 1;
	}
	check(hits > 0, "certmaker_patch: bytes not found");
	patched = certmaker_parse(der, size);
	free(der);
	return patched;
}

/* ---------- CRLs ---------- */

static void
add_revoked(X509_CRL *crl, const char *serial, const ASN1_TIME *when, const char *extensions)
{
	X509_REVOKED *revoked = need(X509_REVOKED_new(), "X509_REVOKED_new");
	ASN1_INTEGER *number = make_integer(serial);

	check(X509_REVOKED_set_serialNumber(revoked, number), "X509_REVOKED_set_serialNumber");
	check(X509_REVOKED_set_revocationDate(revoked, (ASN1_TIME *) when),
		  "X509_REVOKED_set_revocationDate");
	if (extensions)
		add_extensions(&(Extended) {.entry = revoked}, NULL, extensions);
	check(X509_CRL_add0_revoked(crl, revoked), "X509_CRL_add0_revoked");
	ASN1_INTEGER_free(number);
}

static void
set_crl_times(X509_CRL *crl, const CrlSpec * spec)
{
	const char *next = spec->next_update ? spec->next_update : DEFAULT_NOT_AFTER;
	ASN1_TIME  *t = make_time(spec->this_update ? spec->this_update : DEFAULT_NOT_BEFORE);
	int			i;

	check(X509_CRL_set1_lastUpdate(crl, t), "X509_CRL_set1_lastUpdate");
	for (i = 0; spec->revoked && spec->revoked[i]; i++)
		add_revoked(crl, spec->revoked[i], t, spec->entry_extensions);
	ASN1_TIME_free(t);
	if (*next == '\0')
		return;
	t = make_time(next);
	check(X509_CRL_set1_nextUpdate(crl, t), "X509_CRL_set1_nextUpdate");
	ASN1_TIME_free(t);
}

X509_CRL *
certmaker_crl(const CrlSpec * spec)
{
	X509_CRL   *crl = need(X509_CRL_new(), "X509_CRL_new");
	X509_CRL   *parsed;
	unsigned char *der = NULL;
	const unsigned char *p;
	int			len;

	check(X509_CRL_set_version(crl, 1), "X509_CRL_set_version");
	check(X509_CRL_set_issuer_name(crl, X509_get_subject_name(spec->issuer_cert)),
		  "X509_CRL_set_issuer_name");
	set_crl_times(crl, spec);
	if (spec->extensions)
		add_extensions(&(Extended) {.crl = crl}, spec->issuer_cert, spec->extensions);
	X509_CRL_sort(crl);
	check(X509_CRL_sign(crl, spec->issuer_key,
						choose_digest(spec->issuer_key, spec->digest)) > 0, "X509_CRL_sign");
	len = i2d_X509_CRL(crl, &der);
	check(len > 0, "i2d_X509_CRL");
	p = der;
	parsed = need(d2i_X509_CRL(NULL, &p, len), "d2i_X509_CRL");
	OPENSSL_free(der);
	X509_CRL_free(crl);
	return parsed;
}

/* ---------- PEM ---------- */

/* takes the BIO */
static char *
bio_text(BIO *bio)
{
	char	   *data = NULL;
	long		len = BIO_get_mem_data(bio, &data);
	char	   *text = need(malloc(len + 1), "out of memory");

	memcpy(text, data, len);
	text[len] = '\0';
	BIO_free(bio);
	return text;
}

char *
certmaker_pem(X509 *cert)
{
	BIO		   *bio = need(BIO_new(BIO_s_mem()), "BIO_new");

	check(PEM_write_bio_X509(bio, cert), "PEM_write_bio_X509");
	return bio_text(bio);
}

char *
certmaker_crl_pem(X509_CRL *crl)
{
	BIO		   *bio = need(BIO_new(BIO_s_mem()), "BIO_new");

	check(PEM_write_bio_X509_CRL(bio, crl), "PEM_write_bio_X509_CRL");
	return bio_text(bio);
}

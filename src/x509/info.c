/*
 * x509/info.c
 *		The facts about one certificate, for policy and display.
 */
#include "x509/info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "compat.h"

#define MAX_SERIAL_OCTETS 20	/* RFC 5280 4.1.2.2 */
#define STATUS_REQUEST 5		/* TLS extension number, RFC 6066 */

/* An extension that OpenSSL decodes to judge a certificate. */
typedef struct EsgKnownExtension
{
	int			nid;
	const char *undecodable;
} EsgKnownExtension;

static const EsgKnownExtension known_extensions[] = {
	{NID_basic_constraints, "basicConstraints does not decode"},
	{NID_key_usage, "keyUsage does not decode"},
	{NID_ext_key_usage, "extendedKeyUsage does not decode"},
	{NID_subject_alt_name, "subjectAltName does not decode"},
	{NID_issuer_alt_name, "issuerAltName does not decode"},
	{NID_subject_key_identifier, "subjectKeyIdentifier does not decode"},
	{NID_authority_key_identifier, "authorityKeyIdentifier does not decode"},
	{NID_name_constraints, "nameConstraints does not decode"},
	{NID_crl_distribution_points, "cRLDistributionPoints does not decode"},
	{NID_netscape_cert_type, "nsCertType does not decode"},
	{NID_proxyCertInfo, "proxyCertInfo does not decode"}
};

/* RFC 5280 4.2.1.3, in the order of the bits */
static const struct
{
	uint32_t	bit;
	const char *name;
}			usage_names[] = {
	{KU_DIGITAL_SIGNATURE, "digitalSignature"},
	{KU_NON_REPUDIATION, "nonRepudiation"},
	{KU_KEY_ENCIPHERMENT, "keyEncipherment"},
	{KU_DATA_ENCIPHERMENT, "dataEncipherment"},
	{KU_KEY_AGREEMENT, "keyAgreement"},
	{KU_KEY_CERT_SIGN, "keyCertSign"},
	{KU_CRL_SIGN, "cRLSign"},
	{KU_ENCIPHER_ONLY, "encipherOnly"},
	{KU_DECIPHER_ONLY, "decipherOnly"}
};

static const struct
{
	int			nid;
	uint32_t	bit;
}			purpose_bits[] = {
	{NID_server_auth, XKU_SSL_SERVER},
	{NID_client_auth, XKU_SSL_CLIENT},
	{NID_email_protect, XKU_SMIME},
	{NID_code_sign, XKU_CODE_SIGN},
	{NID_ms_sgc, XKU_SGC},
	{NID_ns_sgc, XKU_SGC},
	{NID_OCSP_sign, XKU_OCSP_SIGN},
	{NID_time_stamp, XKU_TIMESTAMP},
	{NID_dvcs, XKU_DVCS},
	{NID_anyExtendedKeyUsage, XKU_ANYEKU}
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int
compare_oids(const void *a, const void *b)
{
	return OBJ_cmp(*(const ASN1_OBJECT *const *) a, *(const ASN1_OBJECT *const *) b);
}

/*
 * RFC 5280 4.2: no extension twice.  OpenSSL notices only for those it decodes.
 * Sorted, as a hostile certificate may have a hundred thousand of them.
 */
static bool
has_duplicate_extension(const X509 *cert)
{
	int			count = X509_get_ext_count(cert);
	const ASN1_OBJECT **oids;
	bool		found = false;
	int			i;

	if (count < 2)
		return false;
	oids = OPENSSL_malloc((size_t) count * sizeof(*oids));
	if (oids == NULL)
		return false;
	for (i = 0; i < count; i++)
		oids[i] = X509_EXTENSION_get_object(X509_get_ext(cert, i));
	qsort(oids, (size_t) count, sizeof(*oids), compare_oids);
	for (i = 1; i < count && !found; i++)
		found = OBJ_cmp(oids[i - 1], oids[i]) == 0;
	OPENSSL_free(oids);
	return found;
}

/* What EXFLAG_INVALID may have meant. */
static const char *
find_undecodable(X509 *cert)
{
	size_t		i;

	for (i = 0; i < LENGTH(known_extensions); i++)
	{
		int			nid = known_extensions[i].nid;
		const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
		int			critical = -1;
		void	   *value = X509_get_ext_d2i(cert, nid, &critical, NULL);

		if (value == NULL && critical >= 0)
			return known_extensions[i].undecodable;
		if (value != NULL)
			ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	}
	return "an extension is invalid or contradicts another";
}

static const char *
find_malformed(X509 *cert, uint32_t flags)
{
	long		version = X509_get_version(cert);
	const ASN1_BIT_STRING *issuer_id = NULL;
	const ASN1_BIT_STRING *subject_id = NULL;

	if (version < 0 || version > 2)
		return "the version is none of 1, 2 and 3";
	if (version < 2 && X509_get_ext_count(cert) > 0)
		return "only version 3 may have extensions";
	X509_get0_uids(cert, &issuer_id, &subject_id);
	if (version < 1 && (issuer_id != NULL || subject_id != NULL))
		return "version 1 may not have unique identifiers";
	if (has_duplicate_extension(cert))
		return "an extension is there twice";
	if (flags & EXFLAG_INVALID)
		return find_undecodable(cert);
	return NULL;
}

static void
read_unknown_critical(X509 *cert, EsgCertInfo *out)
{
	int			count = X509_get_ext_count(cert);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (X509_EXTENSION_get_critical(X509_get_ext(cert, i)) &&
			!X509_supported_extension(X509_get_ext(cert, i)))
		{
			esg_x509_name_oid(X509_EXTENSION_get_object(X509_get_ext(cert, i)),
							  out->critical_oid, sizeof(out->critical_oid));
			return;
		}
	}
}

/* An extension decoded; the first one if it is there twice. */
static void *
decode_first(X509 *cert, int nid)
{
	int			position = -1;

	return X509_get_ext_d2i(cert, nid, NULL, &position);
}

/* OpenSSL gives no usages of a certificate with an invalid extension. */
static void
decode_key_usage(X509 *cert, EsgCertInfo *out)
{
	ASN1_BIT_STRING *bits = decode_first(cert, NID_key_usage);
	const unsigned char *data;
	int			len;

	if (bits == NULL)
		return;
	data = ASN1_STRING_get0_data(bits);
	len = ASN1_STRING_length(bits);
	out->has_key_usage = true;
	out->key_usage = (len > 0 ? data[0] : 0U) | (len > 1 ? (uint32_t) data[1] << 8 : 0U);
	ASN1_BIT_STRING_free(bits);
}

static void
decode_ext_key_usage(X509 *cert, EsgCertInfo *out)
{
	EXTENDED_KEY_USAGE *usages = decode_first(cert, NID_ext_key_usage);
	size_t		j;
	int			i;

	if (usages == NULL)
		return;
	out->has_ext_key_usage = true;
	for (i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
	{
		int			nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));

		for (j = 0; j < LENGTH(purpose_bits); j++)
			if (purpose_bits[j].nid == nid)
				out->ext_key_usage |= purpose_bits[j].bit;
	}
	EXTENDED_KEY_USAGE_free(usages);
}

static void
read_usages(X509 *cert, uint32_t flags, EsgCertInfo *out)
{
	if (flags & EXFLAG_INVALID)
	{
		decode_key_usage(cert, out);
		decode_ext_key_usage(cert, out);
		return;
	}
	out->has_key_usage = (flags & EXFLAG_KUSAGE) != 0;
	if (out->has_key_usage)
		out->key_usage = X509_get_key_usage(cert);
	out->has_ext_key_usage = (flags & EXFLAG_XKUSAGE) != 0;
	if (out->has_ext_key_usage)
		out->ext_key_usage = X509_get_extended_key_usage(cert);
}

/*
 * Both what OpenSSL says in a handshake and the letter of RFC 5280 4.2.1.12:
 * OpenSSL also takes the step-up usages of the nineties for a server's.  It says
 * nothing (-1) of a certificate with an invalid extension.
 */
static bool
fits_purpose(X509 *cert, const EsgCertInfo *info, int purpose, uint32_t bit)
{
	return X509_check_purpose(cert, purpose, 0) != 0 &&
		(!info->has_ext_key_usage || (info->ext_key_usage & bit) != 0);
}

static void
read_serial(const X509 *cert, EsgCertInfo *out)
{
	BIGNUM	   *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);

	if (serial == NULL)
		out->odd_serial_reason = "unreadable";
	else if (BN_is_zero(serial))
		out->odd_serial_reason = "zero";
	else if (BN_is_negative(serial))
		out->odd_serial_reason = "negative";
	/* with the bit for the sign */
	else if (BN_num_bits(serial) >= 8 * MAX_SERIAL_OCTETS)
		out->odd_serial_reason = "longer than 20 octets";
	out->odd_serial = out->odd_serial_reason != NULL;
	BN_free(serial);
}

/* RFC 7633: the list of TLS extensions has status_request. */
static bool
has_must_staple(X509 *cert)
{
	TLS_FEATURE *features = decode_first(cert, NID_tlsfeature);
	bool		found = false;
	int			i;

	for (i = 0; features != NULL && i < sk_ASN1_INTEGER_num(features) && !found; i++)
		found = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
	TLS_FEATURE_free(features);
	return found;
}

static void
read_extensions(X509 *cert, EsgCertInfo *out)
{
	uint32_t	flags;

	/* makes OpenSSL decode the extensions, once for the life of cert */
	X509_check_purpose(cert, -1, 0);
	flags = X509_get_extension_flags(cert);
	read_usages(cert, flags, out);
	out->claims_ca = (flags & EXFLAG_CA) != 0;
	out->server_purpose = fits_purpose(cert, out, X509_PURPOSE_SSL_SERVER, XKU_SSL_SERVER);
	out->client_purpose = fits_purpose(cert, out, X509_PURPOSE_SSL_CLIENT, XKU_SSL_CLIENT);
	out->unknown_critical = (flags & EXFLAG_CRITICAL) != 0;
	if (out->unknown_critical)
		read_unknown_critical(cert, out);
	out->malformed_reason = find_malformed(cert, flags);
	out->malformed_extension = out->malformed_reason != NULL;
	out->must_staple = has_must_staple(cert);
}

/* Does this OpenSSL have what it takes, and may it be used? */
static bool
can_verify(int signature_nid, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *digest = NULL;
	int			digest_nid = NID_undef;
	bool		result = false;

	if (ctx != NULL && OBJ_find_sigid_algs(signature_nid, &digest_nid, NULL))
	{
		if (digest_nid != NID_undef)
			digest = EVP_get_digestbynid(digest_nid);
		result = EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1;
	}
	EVP_MD_CTX_free(ctx);
	return result;
}

/*
 * OpenSSL's 1, 0, -1; anything else below is an error, too.  0 also means that
 * it could not begin, with a digest that is in no provider, say.
 */
EsgVerdict
esg_x509_info_verdict(int result, int signature_nid, EVP_PKEY *key)
{
	if (result == 0 && can_verify(signature_nid, key))
		return ESG_NO;
	return result == 1 ? ESG_YES : ESG_UNKNOWN;
}

/* NULL: OpenSSL refuses every signature of it, so none of them is bad */
EVP_PKEY *
esg_x509_info_verifier(const EsgCertInfo *issuer)
{
	return issuer->key.usable ? X509_get0_pubkey(issuer->cert) : NULL;
}

EsgVerdict
esg_x509_info_verify(const EsgCertInfo *cert, const EsgCertInfo *issuer, EsgMemo *memo)
{
	EVP_PKEY   *key = esg_x509_info_verifier(issuer);
	int			known = ESG_UNKNOWN;

	ERR_clear_error();
	if (key != NULL && !esg_memo_get(memo, cert->fingerprint, issuer->key.digest, &known))
	{
		known = (int) esg_x509_info_verdict(X509_verify(cert->cert, key),
											X509_get_signature_nid(cert->cert), key);
		esg_memo_put(memo, cert->fingerprint, issuer->key.digest, known);
	}
	ERR_clear_error();
	return (EsgVerdict) known;
}

EsgVerdict
esg_x509_info_self_signed(const EsgCertInfo *cert)
{
	if (cert->cert == NULL)
		return cert->self_signed ? ESG_YES : ESG_NO;
	return cert->names_equal ? esg_x509_info_verify(cert, cert, cert->memo) : ESG_NO;
}

/*
 * By extension (1), or a version 1 certificate (3) that is a root: what OpenSSL
 * only guesses from its names must be proved.
 */
static bool
read_is_ca(const EsgCertInfo *info)
{
	int			ca = X509_check_ca(info->cert);

	return ca == 1 || (ca == 3 && esg_x509_info_self_signed(info) == ESG_YES);
}

/*
 * OpenSSL looks up EVP_sha256() anew each time.  The postmaster asks first, so
 * that logins inherit what was found.
 */
static const EVP_MD *
find_sha256(void)
{
	static const EVP_MD *found = NULL;

	if (found == NULL)
		found = EVP_MD_fetch(NULL, "SHA256", NULL);
	return found != NULL ? found : EVP_sha256();
}

bool
esg_x509_info_fingerprint(const X509 *cert, unsigned char *fingerprint)
{
	unsigned	len = 0;

	/* X509_digest() is the same, and looks by names whether this is SHA-1 */
	return ASN1_item_digest(ASN1_ITEM_rptr(X509), find_sha256(), (void *) cert, fingerprint, &len) == 1 &&
		len == ESG_DIGEST_SIZE;
}

bool
esg_x509_info_sha1(const X509 *cert, unsigned char *digest)
{
	unsigned	len = 0;

	return X509_digest(cert, EVP_sha1(), digest, &len) == 1 && len == ESG_SHA1_SIZE;
}

void
esg_x509_info_read(X509 *cert, EsgMemo *memo, EsgCertInfo *out)
{
	memset(out, 0, sizeof(*out));
	ERR_clear_error();
	out->cert = cert;
	out->memo = memo;
	(void) esg_x509_info_fingerprint(cert, out->fingerprint);
	out->not_before = esg_x509_time_read(X509_get0_notBefore(cert));
	out->not_after = esg_x509_time_read(X509_get0_notAfter(cert));
	esg_x509_key_read(cert, memo, &out->key);
	esg_x509_sig_read_cert(cert, &out->signature);
	esg_x509_name_facts(cert, &out->names);
	read_extensions(cert, out);
	read_serial(cert, out);
	out->names_equal = X509_NAME_cmp(X509_get_subject_name(cert),
									 X509_get_issuer_name(cert)) == 0;
	out->is_ca = read_is_ca(out);
	ERR_clear_error();
}

char *
esg_x509_info_serial_text(const ASN1_INTEGER *serial)
{
	BIGNUM	   *number = ASN1_INTEGER_to_BN(serial, NULL);
	char	   *text = NULL;

	/* whole octets everywhere, which BN_bn2hex() does for anything but zero */
	if (number != NULL)
		text = BN_is_zero(number) ? OPENSSL_strdup("00") : BN_bn2hex(number);
	BN_free(number);
	ERR_clear_error();
	return text;
}

void
esg_x509_info_fingerprint_text(const unsigned char *digest, char *buf)
{
	static const char digits[] = "0123456789abcdef";
	int			i;

	/* each login has one: snprintf() is a hundred times as dear */
	for (i = 0; i < ESG_DIGEST_SIZE; i++)
	{
		buf[2 * i] = digits[digest[i] >> 4];
		buf[2 * i + 1] = digits[digest[i] & 0xf];
	}
	buf[2 * ESG_DIGEST_SIZE] = '\0';
}

bool
esg_x509_info_fingerprint_parse(const char *text, size_t len, unsigned char *digest)
{
	bool		colons = len == 3 * ESG_DIGEST_SIZE - 1;
	int			i;

	if (!colons && len != 2 * ESG_DIGEST_SIZE)
		return false;
	for (i = 0; i < ESG_DIGEST_SIZE; i++)
	{
		const char *octet = text + i * (colons ? 3 : 2);
		int			high = OPENSSL_hexchar2int((unsigned char) octet[0]);
		int			low = OPENSSL_hexchar2int((unsigned char) octet[1]);

		if (high < 0 || low < 0 || (colons && i > 0 && octet[-1] != ':'))
			return false;
		digest[i] = (unsigned char) (high * 16 + low);
	}
	return true;
}

int
esg_x509_info_key_usage_names(const EsgCertInfo *cert, const char *names[ESG_MAX_USAGES])
{
	int			count = 0;
	size_t		i;

	for (i = 0; cert->has_key_usage && i < LENGTH(usage_names); i++)
		if (cert->key_usage & usage_names[i].bit)
			names[count++] = usage_names[i].name;
	return count;
}

static char *
make_usage_name(const ASN1_OBJECT *usage)
{
	char		oid[512];
	int			nid = OBJ_obj2nid(usage);

	if (nid != NID_undef)
		return OPENSSL_strdup(OBJ_nid2sn(nid));
	esg_x509_name_oid(usage, oid, sizeof(oid));
	return OPENSSL_strdup(oid);
}

int
esg_x509_info_ext_key_usage_names(const EsgCertInfo *cert, char *names[], int max)
{
	EXTENDED_KEY_USAGE *usages = decode_first(cert->cert, NID_ext_key_usage);
	int			count = 0;
	int			i;

	for (i = 0; usages != NULL && i < sk_ASN1_OBJECT_num(usages) && count < max; i++)
	{
		names[count] = make_usage_name(sk_ASN1_OBJECT_value(usages, i));
		if (names[count] != NULL)
			count++;
	}
	EXTENDED_KEY_USAGE_free(usages);
	ERR_clear_error();
	return count;
}

bool
esg_x509_info_says_where_issuer_is(X509 *cert)
{
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
	bool		says = false;
	int			i;

	for (i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++)
		says = says || OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(access, i)->method) == NID_ad_ca_issuers;
	AUTHORITY_INFO_ACCESS_free(access);
	ERR_clear_error();
	return says;
}

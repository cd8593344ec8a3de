/*
 * fuzz_reading.c
 *		Our reading of a certificate or CRL against OpenSSL's.
 *
 * Whatever of the two it is, in DER: time, serial number, key, names, extensions as
 * far as we read them, and of a CRL its times, extensions and entries are what
 * OpenSSL's own functions make of it, on ways that ours does not take.
 */
#include <stdint.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "checks.h"
#include "compat.h"
#include "x509/crl_info.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- times and numbers ---- */

static void
compare_time(const ASN1_TIME *theirs, EsgTime ours)
{
	ASN1_TIME  *epoch;
	struct tm	civil;
	int			days;
	int			seconds;

	if (theirs == NULL)
	{
		must(ours.state == ESG_TIME_ABSENT);
		return;
	}
	must(ours.state != ESG_TIME_ABSENT);
	must((ASN1_TIME_to_tm(theirs, &civil) == 1) == (ours.state != ESG_TIME_INVALID));
	if (ours.state == ESG_TIME_INVALID)
		return;
	must(timegm(&civil) == ours.unix_seconds);
	epoch = ASN1_TIME_set(NULL, 0);
	must(epoch != NULL);
	must(ASN1_TIME_diff(&days, &seconds, epoch, theirs) == 1);
	must(days * ESG_SECONDS_PER_DAY + seconds == ours.unix_seconds);
	must((X509_cmp_time(theirs, NULL) != 0) == !ours.nonconforming);
	ASN1_TIME_free(epoch);
}

/* Its octets, not OpenSSL's big numbers, which ours goes by. */
static void
compare_serial(const X509 *cert, const EsgCertInfo *ours)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *octets = ASN1_STRING_get0_data(serial);
	int			len = ASN1_STRING_length(serial);
	bool		negative = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0;
	char	   *text = esg_x509_info_serial_text(serial);
	const char *p = text;
	unsigned long bits = 0;

	must(text != NULL);
	while (len > 1 && octets[0] == 0)
		octets++, len--;
	if (negative)
		must(*p++ == '-');
	must(strlen(p) == 2 * (size_t) (len > 0 ? len : 1));
	for (int i = 0; i < len; i++, p += 2)
		must(OPENSSL_hexchar2int((unsigned char) p[0]) * 16 + OPENSSL_hexchar2int((unsigned char) p[1]) == octets[i]);
	for (int i = len > 0 ? octets[0] : 0; i > 0; i >>= 1)
		bits++;
	bits += len > 0 ? 8 * (unsigned long) (len - 1) : 0;
	must(ours->odd_serial == (negative || bits == 0 || bits >= 160));
	OPENSSL_free(text);
}

static void
compare_key(X509 *cert, const EsgKeyInfo *ours)
{
	EVP_PKEY   *key = X509_get0_pubkey(cert);
	int			type = key != NULL ? EVP_PKEY_base_id(key) : EVP_PKEY_NONE;

	if (key == NULL)
	{
		must(!ours->usable);
		return;
	}
	switch (type)
	{
		case EVP_PKEY_RSA:
		case EVP_PKEY_RSA_PSS:
			must(ours->type == ESG_KEY_RSA && ours->bits == EVP_PKEY_bits(key));
			break;
		case EVP_PKEY_DSA:
			/* without parameters it has no size */
			must(ours->type == ESG_KEY_DSA && (!ours->usable || ours->bits == EVP_PKEY_bits(key)));
			break;
		case EVP_PKEY_EC:
			must(ours->type == ESG_KEY_EC && ours->bits == EVP_PKEY_bits(key));
			break;
		case EVP_PKEY_ED25519:
			must(ours->type == ESG_KEY_ED25519);
			break;
		case EVP_PKEY_ED448:
			must(ours->type == ESG_KEY_ED448);
			break;
		default:
			break;
	}
}

static void
compare_signature(int nid, const EsgSigInfo *ours)
{
	int			digest = NID_undef;

	if (nid == NID_undef || nid == NID_rsassaPss || !OBJ_find_sigid_algs(nid, &digest, NULL) || digest == NID_undef)
		return;
	/* "sha256", "SHA256" */
	must(OBJ_txt2nid(ours->digest) == digest || ours->digest[0] == '\0');
	must(!(digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512) || ours->strength >= 128);
	must(!(digest == NID_md5 || digest == NID_sha1) || ours->broken_digest);
}

/* ---- names ---- */

/* Of printable ASCII alone, in attributes that OpenSSL knows: shown by both in the same way. */
static bool
is_plain(const X509_NAME *name)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++)
	{
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		int			type = ASN1_STRING_type(value);

		if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_undef ||
			(type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING && type != V_ASN1_IA5STRING))
			return false;
		for (int k = 0; k < ASN1_STRING_length(value); k++)
		{
			if (ASN1_STRING_get0_data(value)[k] < 0x20 || ASN1_STRING_get0_data(value)[k] > 0x7E)
				return false;
		}
	}
	return true;
}

static void
compare_name(const X509_NAME *name)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *ours = esg_x509_name_text(name);
	char	   *theirs;
	long		len;

	if (is_plain(name) && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
	{
		len = BIO_get_mem_data(bio, &theirs);
		must((size_t) len == strlen(ours) && memcmp(ours, theirs, (size_t) len) == 0);
	}
	check_text(ours);
	BIO_free(bio);
}

/* Core takes the first common name, and refuses one with a NUL in it. */
static void
compare_common_name(const X509_NAME *name)
{
	int			at = X509_NAME_get_index_by_NID((X509_NAME *) name, NID_commonName, -1);
	EsgNameFault fault;
	char	   *exact;
	unsigned char *theirs = NULL;
	int			len;

	must(esg_x509_name_exact_common_name(name, &fault, &exact));
	must((fault == ESG_NAME_ABSENT) == (at < 0));
	if (exact != NULL)
	{
		len = ASN1_STRING_to_UTF8(&theirs, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		must(len > 0 && strlen(exact) == (size_t) len && memcmp(exact, theirs, (size_t) len) == 0);
		OPENSSL_free(theirs);
	}
	OPENSSL_free(exact);
}

static void
compare_alt_names(X509 *cert)
{
	int			critical;
	GENERAL_NAMES *theirs = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	EsgAltNames ours;
	bool		read = esg_x509_name_alt_names(cert, &ours);

	must(read == (theirs != NULL || critical == -1));
	must(!read || ours.count == (theirs != NULL ? sk_GENERAL_NAME_num(theirs) : 0));
	for (int i = 0; read && i < ours.count; i++)
	{
		int			kind;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(theirs, i), &kind);

		must((kind == GEN_DNS) == (ours.items[i].kind == ESG_ALT_DNS));
		must((kind == GEN_IPADD) == (ours.items[i].kind == ESG_ALT_IP));
		if (kind == GEN_DNS && ours.items[i].exact != NULL)
			must(strlen(ours.items[i].exact) == (size_t) ASN1_STRING_length(value));
	}
	esg_x509_name_alt_names_free(&ours);
	GENERAL_NAMES_free(theirs);
}

/* ---- extensions ---- */

static void
compare_key_usage(X509 *cert, const EsgCertInfo *ours)
{
	static const char *const bits[] = {
		"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
		"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"
	};
	int			critical;
	ASN1_BIT_STRING *theirs = X509_get_ext_d2i(cert, NID_key_usage, &critical, NULL);
	const char *names[ESG_MAX_USAGES];
	int			count = esg_x509_info_key_usage_names(ours, names);
	int			next = 0;

	must(critical == -2 || ours->has_key_usage == (theirs != NULL));
	for (int i = 0; theirs != NULL && i < 9; i++)
	{
		if (ASN1_BIT_STRING_get_bit(theirs, i))
			must(next < count && strcmp(names[next++], bits[i]) == 0);
	}
	must(theirs == NULL || next == count);
	ASN1_BIT_STRING_free(theirs);
}

static void
compare_ext_key_usage(X509 *cert, const EsgCertInfo *ours)
{
	int			critical;
	EXTENDED_KEY_USAGE *theirs = X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);
	bool		server = false;
	bool		client = false;

	must(critical == -2 || ours->has_ext_key_usage == (theirs != NULL));
	for (int i = 0; i < sk_ASN1_OBJECT_num(theirs); i++)
	{
		server = server || OBJ_obj2nid(sk_ASN1_OBJECT_value(theirs, i)) == NID_server_auth;
		client = client || OBJ_obj2nid(sk_ASN1_OBJECT_value(theirs, i)) == NID_client_auth;
	}
	if (theirs != NULL)
	{
		must(((ours->ext_key_usage & XKU_SSL_SERVER) != 0) == server);
		must(((ours->ext_key_usage & XKU_SSL_CLIENT) != 0) == client);
		must((!ours->server_purpose || server) && (!ours->client_purpose || client));
	}
	EXTENDED_KEY_USAGE_free(theirs);
}

static void
compare_constraints(X509 *cert, const EsgCertInfo *ours)
{
	int			critical;
	BASIC_CONSTRAINTS *theirs = X509_get_ext_d2i(cert, NID_basic_constraints, &critical, NULL);

	must(critical == -2 || ours->claims_ca == (theirs != NULL && theirs->ca));
	must(!ours->is_ca || ours->claims_ca || X509_get_version(cert) == 0);
	must(X509_check_ca(cert) != 1 || ours->is_ca);
	BASIC_CONSTRAINTS_free(theirs);
}

static void
compare_critical(X509 *cert, const EsgCertInfo *ours)
{
	bool		unknown = false;

	for (int i = 0; i < X509_get_ext_count(cert); i++)
	{
		X509_EXTENSION *extension = X509_get_ext(cert, i);

		unknown = unknown || (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension));
	}
	must(ours->unknown_critical == unknown);
	must(unknown == (ours->critical_oid[0] != '\0'));
}

static void
compare_cert(X509 *cert)
{
	EsgCertInfo ours;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned	len;

	esg_x509_info_read(cert, NULL, &ours);
	must(ERR_peek_error() == 0);
	must(X509_digest(cert, EVP_sha256(), digest, &len) == 1 && memcmp(digest, ours.fingerprint, len) == 0);
	compare_time(X509_get0_notBefore(cert), ours.not_before);
	compare_time(X509_get0_notAfter(cert), ours.not_after);
	compare_serial(cert, &ours);
	compare_key(cert, &ours.key);
	compare_signature(X509_get_signature_nid(cert), &ours.signature);
	compare_name(X509_get_subject_name(cert));
	compare_name(X509_get_issuer_name(cert));
	compare_common_name(X509_get_subject_name(cert));
	compare_alt_names(cert);
	compare_key_usage(cert, &ours);
	compare_ext_key_usage(cert, &ours);
	compare_constraints(cert, &ours);
	compare_critical(cert, &ours);
	must(ours.names_equal == (X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0));
}

/* ---- CRLs ---- */

static unsigned
read_scope(const X509_CRL *crl)
{
	ISSUING_DIST_POINT *theirs = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	unsigned	scope = 0;

	if (theirs != NULL)
		scope = (theirs->onlyuser > 0 ? ESG_SCOPE_USERS : 0) | (theirs->onlyCA > 0 ? ESG_SCOPE_CAS : 0) |
			(theirs->onlyattr > 0 ? ESG_SCOPE_ATTRIBUTES : 0) | (theirs->indirectCRL > 0 ? ESG_SCOPE_INDIRECT : 0) |
			(theirs->onlysomereasons != NULL ? ESG_SCOPE_REASONS : 0) | (theirs->distpoint != NULL ? ESG_SCOPE_POINT : 0);
	ISSUING_DIST_POINT_free(theirs);
	return scope;
}

/* Of the CRL and its entries. */
static bool
has_critical(const X509_CRL *crl, bool of_entries)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED((X509_CRL *) crl);
	bool		found = false;

	for (int i = 0; !of_entries && i < X509_CRL_get_ext_count(crl); i++)
	{
		X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);
		int			nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

		found = found || (X509_EXTENSION_get_critical(extension) && nid != NID_issuing_distribution_point &&
						  nid != NID_authority_key_identifier && nid != NID_delta_crl);
	}
	for (int i = 0; of_entries && i < sk_X509_REVOKED_num(revoked); i++)
	{
		X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);

		for (int k = 0; k < X509_REVOKED_get_ext_count(entry); k++)
			found = found || (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, k)) &&
							  OBJ_obj2nid(X509_EXTENSION_get_object(X509_REVOKED_get_ext(entry, k))) != NID_certificate_issuer);
	}
	return found;
}

static void
compare_crl(X509_CRL *crl)
{
	EsgCrlInfo	ours;
	int			revoked = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned	len;

	esg_crl_info_read(crl, &ours);
	must(ERR_peek_error() == 0);
	must(X509_CRL_digest(crl, EVP_sha256(), digest, &len) == 1 && memcmp(digest, ours.fingerprint, len) == 0);
	compare_time(X509_CRL_get0_lastUpdate(crl), ours.this_update);
	compare_time(X509_CRL_get0_nextUpdate(crl), ours.next_update);
	compare_signature(X509_CRL_get_signature_nid(crl), &ours.signature);
	compare_name(X509_CRL_get_issuer(crl));
	must(ours.revoked_count == (revoked > 0 ? revoked : 0));
	must(ours.scope == read_scope(crl));
	must(ours.delta == (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0));
	must(ours.names_key == (X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1) >= 0));
	must(ours.critical == has_critical(crl, false));
	must(ours.critical || ours.critical_entry == has_critical(crl, true));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	X509	   *cert = d2i_X509(NULL, &p, (long) size);
	X509_CRL   *crl;

	p = data;
	crl = cert == NULL ? d2i_X509_CRL(NULL, &p, (long) size) : NULL;
	ERR_clear_error();
	if (cert != NULL)
		compare_cert(cert);
	if (crl != NULL)
		compare_crl(crl);
	ERR_clear_error();
	X509_free(cert);
	X509_CRL_free(crl);
	return 0;
}

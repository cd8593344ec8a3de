/*
 * x509/crl_info.c
 *		The facts about one CRL, for policy and display.
 */
#include "x509/crl_info.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

/* Behind so many, sorting pays. */
#define MAX_SCANS 4
#define NEXT_CRL_PUBLISH "1.3.6.1.4.1.311.21.4" /* [MS-WCCE] 2.2.2.7.7.5 */

/* ---- scope ---- */

/* X.690 8.2.2: any octet but zero */
static unsigned
if_true(ASN1_BOOLEAN flag, EsgCrlScope bit)
{
	return flag > 0 ? bit : 0;
}

static unsigned
read_scope(const X509_CRL *crl)
{
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	unsigned	scope = 0;

	if (idp == NULL)
		return 0;
	scope |= if_true(idp->onlyuser, ESG_SCOPE_USERS);
	scope |= if_true(idp->onlyCA, ESG_SCOPE_CAS);
	scope |= if_true(idp->onlyattr, ESG_SCOPE_ATTRIBUTES);
	scope |= if_true(idp->indirectCRL, ESG_SCOPE_INDIRECT);
	scope |= idp->onlysomereasons != NULL ? ESG_SCOPE_REASONS : 0;
	scope |= idp->distpoint != NULL ? ESG_SCOPE_POINT : 0;
	ISSUING_DIST_POINT_free(idp);
	return scope;
}

/* ---- critical extensions ---- */

static bool
is_known(const X509_EXTENSION *extension, const int *known, int count)
{
	int			nid = OBJ_obj2nid(X509_EXTENSION_get_object((X509_EXTENSION *) extension));
	int			i;

	for (i = 0; i < count; i++)
	{
		if (nid == known[i])
			return true;
	}
	return false;
}

/* The first critical extension that is none of the known ones, or NULL. */
static const X509_EXTENSION *
find_critical(const STACK_OF(X509_EXTENSION) *extensions, const int *known, int count)
{
	int			i;

	/* none at all is NULL, which OpenSSL counts as -1 */
	for (i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
	{
		const X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);

		if (X509_EXTENSION_get_critical(extension) && !is_known(extension, known, count))
			return extension;
	}
	return NULL;
}

/* Those that OpenSSL knows, whatever it makes of them. */
static const X509_EXTENSION *
find_critical_of_crl(const X509_CRL *crl)
{
	static const int known[] = {
		NID_issuing_distribution_point, NID_authority_key_identifier, NID_delta_crl
	};

	return find_critical(X509_CRL_get0_extensions(crl), known, 3);
}

/* names_issuers: what was not looked at may have such an extension, too */
static const X509_EXTENSION *
find_critical_entry(const STACK_OF(X509_REVOKED) *revoked, bool *names_issuers)
{
	static const int known[] = {NID_certificate_issuer};
	const X509_EXTENSION *found = NULL;
	int			i;

	*names_issuers = false;
	for (i = 0; i < sk_X509_REVOKED_num(revoked) && found == NULL; i++)
	{
		const STACK_OF(X509_EXTENSION) *extensions =
		X509_REVOKED_get0_extensions(sk_X509_REVOKED_value(revoked, i));

		if (extensions == NULL)
			continue;
		*names_issuers |= X509v3_get_ext_by_NID(extensions, NID_certificate_issuer, -1) >= 0;
		found = find_critical(extensions, known, 1);
	}
	*names_issuers |= found != NULL;
	return found;
}

static void
read_critical(X509_CRL *crl, EsgCrlInfo *out)
{
	const X509_EXTENSION *found = find_critical_of_crl(crl);

	out->critical = found != NULL;
	out->names_issuers = true;
	if (found == NULL)
	{
		found = find_critical_entry(X509_CRL_get_REVOKED(crl), &out->names_issuers);
		out->critical_entry = found != NULL;
	}
	if (found != NULL)
		esg_x509_name_oid(X509_EXTENSION_get_object((X509_EXTENSION *) found),
						  out->critical_oid, sizeof(out->critical_oid));
}

/* ---- times ---- */

/* A time without context: UTCTime or GeneralizedTime. */
static EsgTime
read_next_publish(const X509_CRL *crl)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(NEXT_CRL_PUBLISH, 1);
	int			at = oid != NULL ? X509_CRL_get_ext_by_OBJ(crl, oid, -1) : -1;
	EsgTime		result = {.state = ESG_TIME_ABSENT};

	if (at >= 0)
	{
		const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at));
		const unsigned char *octets = ASN1_STRING_get0_data(value);
		ASN1_TIME  *time = d2i_ASN1_TIME(NULL, &octets, ASN1_STRING_length(value));

		result.state = ESG_TIME_INVALID;
		if (time != NULL)
			result = esg_x509_time_read(time);
		ASN1_TIME_free(time);
	}
	ASN1_OBJECT_free(oid);
	return result;
}

/* ---- the whole ---- */

static bool
has_extension(const X509_CRL *crl, int nid)
{
	return X509_CRL_get_ext_by_NID(crl, nid, -1) >= 0;
}

void
esg_crl_info_read(X509_CRL *crl, EsgCrlInfo *out)
{
	const ASN1_TIME *next_update = X509_CRL_get0_nextUpdate(crl);
	const STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	unsigned	len = 0;

	memset(out, 0, sizeof(*out));
	ERR_clear_error();
	out->crl = crl;
	X509_CRL_digest(crl, EVP_sha256(), out->fingerprint, &len);
	out->this_update = esg_x509_time_read(X509_CRL_get0_lastUpdate(crl));
	if (next_update != NULL)
		out->next_update = esg_x509_time_read(next_update);
	else
		out->next_update.state = ESG_TIME_ABSENT;
	out->next_publish = read_next_publish(crl);
	esg_x509_sig_read_crl(crl, &out->signature);
	out->revoked_count = revoked ? sk_X509_REVOKED_num(revoked) : 0;
	out->scope = read_scope(crl);
	/* undecodable, too: then OpenSSL uses it like a complete one all the more */
	out->delta = has_extension(crl, NID_delta_crl);
	out->names_key = has_extension(crl, NID_authority_key_identifier);
	read_critical(crl, out);
	ERR_clear_error();
}

/* ---- whose it is ---- */

/* RSASSA-PSS is also for plain RSA keys. */
static int
key_family(int type)
{
	return type == EVP_PKEY_RSA_PSS ? EVP_PKEY_RSA : type;
}

/* Is the algorithm one for keys of another type?  OpenSSL would not even try. */
static bool
is_for_other_keys(const X509_CRL *crl, const EVP_PKEY *key)
{
	int			wanted = NID_undef;
	int			type = EVP_PKEY_base_id(key);

	if (!OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), NULL, &wanted))
		return false;
	wanted = EVP_PKEY_type(wanted);
	/* types that only a provider knows have no number here */
	return wanted > 0 && type > 0 && key_family(wanted) != key_family(type);
}

EsgVerdict
esg_crl_info_verify(const EsgCrlInfo *crl, const EsgCertInfo *issuer, EsgMemo *memo)
{
	EVP_PKEY   *key = esg_x509_info_verifier(issuer);
	int			known = ESG_UNKNOWN;

	ERR_clear_error();
	if (key != NULL && is_for_other_keys(crl->crl, key))
		known = ESG_NO;
	else if (key != NULL && !esg_memo_get(memo, crl->fingerprint, issuer->key.digest, &known))
	{
		known = (int) esg_x509_info_verdict(X509_CRL_verify(crl->crl, key),
											X509_CRL_get_signature_nid(crl->crl), key);
		esg_memo_put(memo, crl->fingerprint, issuer->key.digest, known);
	}
	ERR_clear_error();
	return (EsgVerdict) known;
}

static AUTHORITY_KEYID *
get_key_id(const EsgCrlInfo *crl)
{
	/* without this, each call would decode in vain */
	if (!crl->names_key)
		return NULL;
	return X509_CRL_get_ext_d2i(crl->crl, NID_authority_key_identifier, NULL, NULL);
}

EsgVerdict
esg_crl_info_fits_key(const EsgCrlInfo *crl, X509 *issuer)
{
	/*
	 * asked first: it makes OpenSSL decode the extensions, which
	 * X509_check_akid() does not
	 */
	const ASN1_OCTET_STRING *key = X509_get0_subject_key_id(issuer);
	AUTHORITY_KEYID *id = get_key_id(crl);
	EsgVerdict	verdict = ESG_UNKNOWN;

	if (id != NULL && X509_check_akid(issuer, id) != X509_V_OK)
		verdict = ESG_NO;
	else if (id != NULL && (id->serial != NULL || (id->keyid != NULL && key != NULL)))
		verdict = ESG_YES;
	AUTHORITY_KEYID_free(id);
	ERR_clear_error();
	return verdict;
}

EsgVerdict
esg_crl_info_same_key(const EsgCrlInfo *crl, const X509 *cert)
{
	AUTHORITY_KEYID *ours = get_key_id(crl);
	AUTHORITY_KEYID *theirs = X509_get_ext_d2i(cert, NID_authority_key_identifier, NULL, NULL);
	EsgVerdict	verdict = ESG_UNKNOWN;

	if (ours != NULL && ours->keyid != NULL && theirs != NULL && theirs->keyid != NULL)
		verdict = ASN1_OCTET_STRING_cmp(ours->keyid, theirs->keyid) == 0 ? ESG_YES : ESG_NO;
	AUTHORITY_KEYID_free(ours);
	AUTHORITY_KEYID_free(theirs);
	ERR_clear_error();
	return verdict;
}

/* ---- the distribution point ---- */

static char *
print_general_name(GENERAL_NAME *name)
{
	BIO		   *out = BIO_new(BIO_s_mem());
	char	   *data = NULL;
	char	   *text = NULL;
	long		len;

	if (out != NULL && GENERAL_NAME_print(out, name))
	{
		len = BIO_get_mem_data(out, &data);
		text = esg_x509_name_escape((const unsigned char *) data, (size_t) len);
	}
	BIO_free(out);
	return text;
}

/* One name of it is enough to know it by. */
char *
esg_crl_info_point_text(const EsgCrlInfo *crl)
{
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl->crl, NID_issuing_distribution_point, NULL, NULL);
	DIST_POINT_NAME *point = idp != NULL ? idp->distpoint : NULL;
	char	   *text;

	if (point != NULL && point->type == 0 && sk_GENERAL_NAME_num(point->name.fullname) > 0)
		text = print_general_name(sk_GENERAL_NAME_value(point->name.fullname, 0));
	else
		text = OPENSSL_strdup("relative to the CRL's issuer");
	ISSUING_DIST_POINT_free(idp);
	ERR_clear_error();
	return text;
}

/* ---- what it lists ---- */

static bool
has_serial(X509_CRL *crl, const ASN1_INTEGER *serial)
{
	const STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	int			count = sk_X509_REVOKED_num(revoked);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)), serial) == 0)
			return true;
	}
	return false;
}

bool
esg_crl_info_lists(const EsgCrlInfo *crl, X509 *cert, int *scans)
{
	X509_REVOKED *entry = NULL;

	if (!crl->names_issuers &&
		X509_NAME_cmp(X509_get_issuer_name(cert), X509_CRL_get_issuer(crl->crl)) != 0)
		return false;
	if (*scans < MAX_SCANS)
	{
		(*scans)++;
		if (!has_serial(crl->crl, X509_get0_serialNumber(cert)))
			return false;
	}
	return X509_CRL_get0_by_cert(crl->crl, &entry, cert) == 1;
}

/*
 * policy/worse.c
 *		Is a renewed TLS file worse than the one in service?
 */
#include "policy/worse.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "compat.h"
#include "x509/cut_text.h"
#include "x509/host_names.h"

/* ------------------------------------------------------------------------
 * Facts
 * ------------------------------------------------------------------------ */

static bool
is_about_remaining_time(EsgCode code)
{
	return code == ESG_EXPIRES_SOON || code == ESG_EXPIRES_VERY_SOON ||
		code == ESG_CRL_EXPIRES_SOON || code == ESG_CRL_EXPIRES_VERY_SOON ||
		code == ESG_RENEWAL_OVERDUE;
}

static bool
is_about_validity(EsgCode code)
{
	return code == ESG_EXPIRED || code == ESG_NOT_YET_VALID ||
		code == ESG_CRL_EXPIRED || code == ESG_CRL_NOT_YET_VALID;
}

static bool
counts(const EsgFinding *finding)
{
	if (is_about_remaining_time(finding->code))
		return false;
	return finding->place == ESG_PLACE_CHAIN || !is_about_validity(finding->code);
}

void
esg_worth_add_findings(EsgWorth *worth, const EsgFindings *findings)
{
	for (int i = 0; i < findings->count; i++)
	{
		const EsgFinding *finding = &findings->items[i];

		if (counts(finding) && worth->severity[finding->code] < finding->severity)
			worth->severity[finding->code] = (unsigned char) finding->severity;
	}
}

static bool
digest_two(const unsigned char *first, size_t first_len,
		   const unsigned char *second, size_t second_len, unsigned char *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool		good;

	good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(context, first, first_len) == 1 &&
		EVP_DigestUpdate(context, second, second_len) == 1 &&
		EVP_DigestFinal_ex(context, out, NULL) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static void
copy_name(const X509_NAME *name, EsgWorthItem *out)
{
	char	   *text = esg_x509_name_text(name);

	esg_cut_text_copy(out->name, sizeof(out->name), text != NULL ? text : "");
	OPENSSL_free(text);
}

static unsigned long
hash_name(const X509_NAME *name)
{
	return X509_NAME_hash_ex(name, NULL, NULL, NULL);
}

/* A CA's certificate may be replaced: its name and key stay. */
bool
esg_worth_read_cert(const EsgCertInfo *cert, EsgWorthItem *out)
{
	const X509_NAME *subject = X509_get_subject_name(cert->cert);
	unsigned char *name = NULL;
	unsigned char *key = NULL;
	int			name_len = i2d_X509_NAME((X509_NAME *) subject, &name);
	int			key_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->cert), &key);
	bool		good;

	memset(out, 0, sizeof(*out));
	out->begin = cert->not_before;
	out->end = cert->not_after;
	out->subject = hash_name(subject);
	out->issuer = hash_name(X509_get_issuer_name(cert->cert));
	copy_name(subject, out);
	good = name_len > 0 && key_len > 0 && digest_two(name, name_len, key, key_len, out->id);
	OPENSSL_free(name);
	OPENSSL_free(key);
	ERR_clear_error();
	return good;
}

/* One without a number, or with one that no CA may use, has none. */
static void
read_number(const X509_CRL *crl, EsgWorthItem *out)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	BIGNUM	   *bn = number != NULL ? ASN1_INTEGER_to_BN(number, NULL) : NULL;

	if (bn != NULL && !BN_is_negative(bn) && BN_num_bytes(bn) <= ESG_CRL_NUMBER_SIZE)
		out->number_size = BN_bn2bin(bn, out->number);
	BN_free(bn);
	ASN1_INTEGER_free(number);
}

/* A CA with two keys, one name and no authorityKeyIdentifier counts as one. */
bool
esg_worth_read_crl(const EsgCrlInfo *crl, EsgWorthItem *out)
{
	const X509_NAME *issuer = X509_CRL_get_issuer(crl->crl);
	AUTHORITY_KEYID *key = X509_CRL_get_ext_d2i(crl->crl, NID_authority_key_identifier, NULL, NULL);
	const ASN1_OCTET_STRING *id = key != NULL ? key->keyid : NULL;
	unsigned char *name = NULL;
	int			name_len = i2d_X509_NAME((X509_NAME *) issuer, &name);
	bool		good;

	memset(out, 0, sizeof(*out));
	out->begin = crl->this_update;
	out->end = crl->next_update;
	copy_name(issuer, out);
	read_number(crl->crl, out);
	good = name_len > 0 &&
		digest_two(name, name_len, id != NULL ? ASN1_STRING_get0_data(id) : NULL,
				   id != NULL ? ASN1_STRING_length(id) : 0, out->id);
	OPENSSL_free(name);
	AUTHORITY_KEYID_free(key);
	ERR_clear_error();
	return good;
}

bool
esg_worth_read_name(const char *name, EsgWorthItem *out)
{
	const unsigned char *bytes = (const unsigned char *) name;
	char	   *text = esg_x509_name_escape(bytes, strlen(name));

	memset(out, 0, sizeof(*out));
	esg_cut_text_copy(out->name, sizeof(out->name), text != NULL ? text : "");
	OPENSSL_free(text);
	return digest_two(bytes, strlen(name), NULL, 0, out->id);
}

/* ------------------------------------------------------------------------
 * Comparing
 * ------------------------------------------------------------------------ */

/* Both files, and where the reason goes. */
typedef struct Comparison
{
	const EsgWorth *served;
	const EsgWorthItem *served_items;
	const EsgWorth *renewed;
	const EsgWorthItem *renewed_items;
	int64_t		now;
	char	   *reason;
} Comparison;

typedef bool (*CompareFn) (const Comparison *c);

#define SAY(c, ...) ((void) snprintf((c)->reason, ESG_REASON_SIZE, __VA_ARGS__), true)

static bool
is_point(EsgTime t)
{
	return t.state == ESG_TIME_VALID || t.state == ESG_TIME_FOREVER;
}

/* Is first before second?  Not if one of them is not known. */
static bool
is_earlier(EsgTime first, EsgTime second)
{
	return is_point(first) && is_point(second) && first.unix_seconds < second.unix_seconds;
}

/* As OpenSSL has it: the last second counts as over. */
static bool
is_over(EsgTime end, int64_t now)
{
	return end.state == ESG_TIME_VALID && end.unix_seconds <= now;
}

static bool
is_to_come(EsgTime begin, int64_t now)
{
	return is_point(begin) && begin.unix_seconds > now;
}

static bool
is_unsound(const Comparison *c)
{
	return !c->renewed->sound && SAY(c, "it cannot be read to its end");
}

static bool
is_out_of_date(const Comparison *c)
{
	char		text[ESG_TIME_TEXT_SIZE];

	if (is_over(c->renewed->end, c->now))
	{
		esg_x509_time_text(c->renewed->end, text, sizeof(text));
		return SAY(c, "its certificate has expired (%s)", text);
	}
	if (is_to_come(c->renewed->begin, c->now))
	{
		esg_x509_time_text(c->renewed->begin, text, sizeof(text));
		return SAY(c, "its certificate is not valid yet (from %s)", text);
	}
	return false;
}

static bool
ends_earlier(const Comparison *c)
{
	char		renewed[ESG_TIME_TEXT_SIZE];
	char		served[ESG_TIME_TEXT_SIZE];

	if (!is_earlier(c->renewed->end, c->served->end))
		return false;
	esg_x509_time_text(c->renewed->end, renewed, sizeof(renewed));
	esg_x509_time_text(c->served->end, served, sizeof(served));
	return SAY(c, "its certificate ends earlier (%s) than the one in service (%s)", renewed, served);
}

static bool
has_weaker_key(const Comparison *c)
{
	if (c->served->security_bits <= 0 || c->renewed->security_bits >= c->served->security_bits)
		return false;
	return SAY(c, "its key is weaker (%d bits of security) than the one in service (%d)",
			   c->renewed->security_bits, c->served->security_bits);
}

static const EsgWorthItem *
find_subject(const EsgWorth *worth, const EsgWorthItem *items, unsigned long subject)
{
	for (int i = 0; i < worth->item_count; i++)
	{
		if (items[worth->first_item + i].subject == subject)
			return &items[worth->first_item + i];
	}
	return NULL;
}

/* The issuer of the last certificate of the path that starts with the server's; *length: of how many it is. */
static unsigned long
find_top(const EsgWorth *worth, const EsgWorthItem *items, int *length)
{
	const EsgWorthItem *cert = &items[worth->first_item];
	const EsgWorthItem *issuer;

	for (*length = 1; *length < worth->item_count && cert->issuer != cert->subject; (*length)++)
	{
		issuer = find_subject(worth, items, cert->issuer);
		if (issuer == NULL)
			break;
		cert = issuer;
	}
	return cert->issuer;
}

/*
 * Whoever accepts the chain in service knows the issuer of its last certificate.
 * A chain that ends elsewhere may be complete, too; not if it ends amid the other
 * one, or before it has as many certificates.
 */
static bool
has_gap(const Comparison *c)
{
	int			served_length;
	int			length;
	unsigned long served_top;
	unsigned long top;

	if (c->served->item_count == 0 || c->renewed->item_count == 0)
		return false;
	served_top = find_top(c->served, c->served_items, &served_length);
	top = find_top(c->renewed, c->renewed_items, &length);
	if (top == served_top ||
		(length >= served_length && find_subject(c->served, c->served_items, top) == NULL))
		return false;
	return SAY(c, "it lacks intermediate certificates, and the one in service has them");
}

/* What has been cut is not compared by its text; no name of a host ends so. */
static bool
is_whole(const EsgWorthItem *name)
{
	size_t		len = strlen(name->name);

	return len < 3 || strcmp(name->name + len - 3, "...") != 0;
}

static bool
is_named(const Comparison *c, const EsgWorthItem *served)
{
	const EsgWorthItem *names = &c->renewed_items[c->renewed->first_item + c->renewed->item_count];

	for (int i = 0; i < c->renewed->name_count; i++)
	{
		if (memcmp(names[i].id, served->id, ESG_DIGEST_SIZE) == 0 ||
			(is_whole(served) && is_whole(&names[i]) &&
			 esg_x509_host_names_cover(names[i].name, served->name)))
			return true;
	}
	return false;
}

static bool
lacks_name(const Comparison *c)
{
	const EsgWorthItem *names = &c->served_items[c->served->first_item + c->served->item_count];

	for (int i = 0; i < c->served->name_count; i++)
	{
		if (!is_named(c, &names[i]))
			return SAY(c, "it lacks the name \"%s\", which the one in service has", names[i].name);
	}
	return false;
}

/* What makes clients refuse a chain, or not find their way. */
static bool
is_about_chain(int code)
{
	return code == ESG_CHAIN_INCOMPLETE || code == ESG_CHAIN_OUT_OF_ORDER ||
		code == ESG_LEAF_NOT_FIRST || code == ESG_UNRELATED_CERTIFICATE ||
		code == ESG_BAD_SIGNATURE || code == ESG_CHAIN_REFUSED;
}

/* A notice breaks nothing: to go on with a certificate that ends would. */
static int
worst_of(const EsgWorth *worth)
{
	int			worst = ESG_NOTICE;

	for (int code = 0; code < ESG_CODE_COUNT; code++)
		if (worth->severity[code] > worst)
			worst = worth->severity[code];
	return worst;
}

static bool
is_worse_finding(const Comparison *c, int code, int worst_served)
{
	int			severity = c->renewed->severity[code];

	if (severity <= c->served->severity[code])
		return false;
	return severity > worst_served || severity == ESG_CRITICAL ||
		(severity == ESG_WARNING && is_about_chain(code));
}

/* The worst, as the first of the table. */
static bool
has_worse_findings(const Comparison *c)
{
	int			worst_served = worst_of(c->served);
	int			found = ESG_NO_FINDING;

	for (int code = 1; code < ESG_CODE_COUNT; code++)
	{
		if (is_worse_finding(c, code, worst_served) &&
			c->renewed->severity[code] > c->renewed->severity[found])
			found = code;
	}
	if (found == ESG_NO_FINDING)
		return false;
	return SAY(c, "it has finding %s (%s), which the one in service has not",
			   esg_findings_def((EsgCode) found)->name,
			   esg_findings_severity_name((EsgSeverity) c->renewed->severity[found]));
}

/* Several CRLs of one issuer: the newest. */
static const EsgWorthItem *
find_item(const EsgWorth *worth, const EsgWorthItem *items, const unsigned char *id)
{
	const EsgWorthItem *found = NULL;

	for (int i = 0; i < worth->item_count; i++)
	{
		const EsgWorthItem *item = &items[worth->first_item + i];

		if (memcmp(item->id, id, ESG_DIGEST_SIZE) == 0 &&
			(found == NULL || is_earlier(found->begin, item->begin)))
			found = item;
	}
	return found;
}

/* One that has expired is no loss. */
static bool
lacks_ca(const Comparison *c)
{
	for (int i = 0; i < c->served->item_count; i++)
	{
		const EsgWorthItem *ca = &c->served_items[c->served->first_item + i];

		if (!is_over(ca->end, c->now) &&
			find_item(c->renewed, c->renewed_items, ca->id) == NULL)
			return SAY(c, "CA \"%s\", whose clients are let in now, is not in it any more", ca->name);
	}
	return false;
}

static int
compare_numbers(const EsgWorthItem *a, const EsgWorthItem *b)
{
	if (a->number_size != b->number_size)
		return a->number_size < b->number_size ? -1 : 1;
	return memcmp(a->number, b->number, a->number_size);
}

bool
esg_worth_crl_is_older(const EsgWorthItem *crl, const EsgWorthItem *other)
{
	if (is_earlier(crl->begin, other->begin))
		return true;
	return crl->number_size > 0 && other->number_size > 0 && compare_numbers(crl, other) < 0;
}

static bool
lacks_crl(const Comparison *c)
{
	for (int i = 0; i < c->served->item_count; i++)
	{
		const EsgWorthItem *served = &c->served_items[c->served->first_item + i];
		const EsgWorthItem *renewed = find_item(c->renewed, c->renewed_items, served->id);

		/* of two in service the newer one counts */
		if (served != find_item(c->served, c->served_items, served->id))
			continue;
		if (renewed == NULL)
			return SAY(c, "the CRL of \"%s\" is not in it any more", served->name);
		if (esg_worth_crl_is_older(renewed, served))
			return SAY(c, "its CRL of \"%s\" is older than the one in service", served->name);
	}
	return false;
}

/* Is it in service as it is?  Then the file is renewed for the sake of another one. */
static bool
is_served_crl(const Comparison *c, const EsgWorthItem *crl)
{
	const EsgWorthItem *served = find_item(c->served, c->served_items, crl->id);

	return served != NULL && compare_numbers(served, crl) == 0 &&
		served->begin.unix_seconds == crl->begin.unix_seconds &&
		served->end.unix_seconds == crl->end.unix_seconds;
}

/* Whoever was refused for the one in service still is, so that one may as well stay. */
static bool
has_stale_crl(const Comparison *c)
{
	for (int i = 0; i < c->renewed->item_count; i++)
	{
		const EsgWorthItem *crl = &c->renewed_items[c->renewed->first_item + i];

		if (crl != find_item(c->renewed, c->renewed_items, crl->id) || is_served_crl(c, crl))
			continue;
		if (is_over(crl->end, c->now))
			return SAY(c, "its CRL of \"%s\" has expired", crl->name);
		if (is_to_come(crl->begin, c->now))
			return SAY(c, "its CRL of \"%s\" is not valid yet", crl->name);
	}
	return false;
}

static const CompareFn of_certificates[] = {
	is_unsound, is_out_of_date, ends_earlier, has_weaker_key, has_gap, lacks_name, has_worse_findings, NULL
};
static const CompareFn of_cas[] = {is_unsound, lacks_ca, has_worse_findings, NULL};
static const CompareFn of_crls[] = {is_unsound, has_stale_crl, lacks_crl, has_worse_findings, NULL};
static const CompareFn of_others[] = {has_worse_findings, NULL};

bool
esg_worse_than(const EsgWorth *served, const EsgWorthItem *served_items,
			   const EsgWorth *renewed, const EsgWorthItem *renewed_items,
			   int64_t now, char *reason)
{
	static const CompareFn *const tables[] = {
		[ESG_WORTH_CERTIFICATE] = of_certificates,
		[ESG_WORTH_CA] = of_cas,
		[ESG_WORTH_CRL] = of_crls,
		[ESG_WORTH_OTHER] = of_others,
	};
	Comparison	c = {served, served_items, renewed, renewed_items, now, reason};

	reason[0] = '\0';
	for (const CompareFn *worse = tables[renewed->kind]; *worse != NULL; worse++)
		if ((*worse) (&c))
			return true;
	return false;
}

/*
 * sql/cert.c
 *		The columns of a certificate: the composite type ssl_guard_certificate.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "utils/builtins.h"

#include "server/report.h"
#include "sql/cert.h"


static void
set_common_name(EsgSqlRow *row, const X509_NAME *subject)
{
	bool		found;
	char	   *text = esg_x509_name_common_name(subject, &found);

	if (found)
		esg_sql_row_take(row, "common_name", text);
	else
		OPENSSL_free(text);
}

static void
put_alt_names(EsgSqlRow *row, const EsgAltNames *names)
{
	Datum	   *texts = palloc(Max(names->count, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < names->count; i++)
	{
		const EsgAltName *name = &names->items[i];

		texts[i] = CStringGetTextDatum(psprintf("%s:%s",
												esg_x509_name_alt_prefix(name->kind),
												esg_report_text(name->text)));
	}
	esg_sql_row_texts(row, "alt_names", texts, names->count);
}

/* The names are OpenSSL's memory: freed also if the text does not fit anywhere. */
static void
set_alt_names(EsgSqlRow *row, X509 *cert)
{
	EsgAltNames names = {0, NULL, false};

	if (!esg_x509_name_alt_names(cert, &names))
		names.count = 0;
	PG_TRY();
	{
		put_alt_names(row, &names);
	}
	PG_FINALLY();
	{
		esg_x509_name_alt_names_free(&names);
	}
	PG_END_TRY();
}

static void
set_key_usage(EsgSqlRow *row, const EsgCertInfo *cert)
{
	const char *names[ESG_MAX_USAGES];
	Datum		texts[ESG_MAX_USAGES];
	int			count;
	int			i;

	if (!cert->has_key_usage)
		return;
	count = esg_x509_info_key_usage_names(cert, names);
	for (i = 0; i < count; i++)
		texts[i] = CStringGetTextDatum(names[i]);
	esg_sql_row_texts(row, "key_usage", texts, count);
}

static void
set_ext_key_usage(EsgSqlRow *row, const EsgCertInfo *cert)
{
	char	   *names[ESG_MAX_EXT_KEY_USAGES];
	Datum		texts[ESG_MAX_EXT_KEY_USAGES];
	int			count;
	int			i;

	if (!cert->has_ext_key_usage)
		return;
	count = esg_x509_info_ext_key_usage_names(cert, names, ESG_MAX_EXT_KEY_USAGES);
	for (i = 0; i < count; i++)
		texts[i] = CStringGetTextDatum(esg_report_take(names[i]));
	esg_sql_row_texts(row, "extended_key_usage", texts, count);
}

static void
set_key(EsgSqlRow *row, const EsgKeyInfo *key)
{
	esg_sql_row_text(row, "key_algorithm", key->algorithm);
	if (key->bits > 0)
		esg_sql_row_int4(row, "key_bits", key->bits);
	if (key->security_bits >= 0)
		esg_sql_row_int4(row, "security_bits", key->security_bits);
}

static void
set_signature(EsgSqlRow *row, const EsgCertInfo *cert)
{
	EsgVerdict	self_signed = esg_x509_info_self_signed(cert);

	esg_sql_row_text(row, "signature_algorithm", cert->signature.algorithm);
	if (cert->signature.digest[0] != '\0')
		esg_sql_row_text(row, "signature_digest", cert->signature.digest);
	esg_sql_row_bool(row, "is_ca", cert->is_ca);
	if (self_signed != ESG_UNKNOWN)
		esg_sql_row_bool(row, "self_signed", self_signed == ESG_YES);
}

void
esg_sql_cert_put(EsgSqlRow *row, const EsgAuditCert *cert)
{
	const EsgCertInfo *info = &cert->info;
	const X509_NAME *subject = X509_get_subject_name(info->cert);
	const X509_NAME *issuer = X509_get_issuer_name(info->cert);

	esg_sql_row_int4(row, "position", cert->position);
	esg_sql_row_take(row, "subject", esg_x509_name_text(subject));
	esg_sql_row_take(row, "issuer", esg_x509_name_text(issuer));
	set_common_name(row, subject);
	set_alt_names(row, info->cert);
	esg_sql_row_take(row, "serial_number",
					 esg_x509_info_serial_text(X509_get0_serialNumber(info->cert)));
	esg_sql_row_time(row, "not_before", info->not_before);
	esg_sql_row_time(row, "not_after", info->not_after);
	esg_sql_row_time_left(row, "expires_in", info->not_after);
	set_key(row, &info->key);
	set_signature(row, info);
	set_key_usage(row, info);
	set_ext_key_usage(row, info);
	esg_sql_row_digest(row, "fingerprint", info->fingerprint);
	esg_sql_row_findings(row, &cert->findings);
}

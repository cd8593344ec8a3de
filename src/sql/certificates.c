/*
 * sql/certificates.c
 *		SQL functions that read files and certificates.
 *
 * None of them needs shared memory but ssl_guard_session_certificate(), which
 * belongs to the loaded extension.
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "audit/audit.h"
#include "compat.h"
#include "files/accounts.h"
#include "login/ca_usage.h"
#include "login/peer.h"
#include "server/report.h"
#include "server/shmem.h"
#include "sql/argument.h"
#include "sql/cert.h"

PG_FUNCTION_INFO_V1(ssl_guard_list_certificates);
PG_FUNCTION_INFO_V1(ssl_guard_list_certificates_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_list_crls);
PG_FUNCTION_INFO_V1(ssl_guard_list_crls_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_list_files);
PG_FUNCTION_INFO_V1(ssl_guard_list_files_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_inspect_text);
PG_FUNCTION_INFO_V1(ssl_guard_inspect_text_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_inspect_bytea);
PG_FUNCTION_INFO_V1(ssl_guard_inspect_bytea_1_1);
PG_FUNCTION_INFO_V1(ssl_guard_session_certificate);
PG_FUNCTION_INFO_V1(ssl_guard_session_certificate_1_1);

/* ------------------------------------------------------------------------
 * ssl_guard_certificates
 * ------------------------------------------------------------------------ */

static const EsgSqlColumn certificate_columns[] = {ESG_SQL_CERT_COLUMNS, ESG_SQL_LAST_COLUMN};

static const EsgSqlColumn listed_columns[] = {
	ESG_SQL_COLUMN("setting", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("path", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("kind", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("certificate", ESG_SQL_COMPOSITE),
	ESG_SQL_ADDED("renewed_at", ESG_SQL_TIMESTAMP, ESG_SQL_1_1),
	ESG_SQL_ADDED("usual_renewal", ESG_SQL_INTERVAL, ESG_SQL_1_1),
	ESG_SQL_ADDED("host", ESG_SQL_TEXT, ESG_SQL_1_1),
	ESG_SQL_ADDED("last_used_at", ESG_SQL_TIMESTAMP, ESG_SQL_1_1),
	ESG_SQL_ADDED("logins", ESG_SQL_INT8, ESG_SQL_1_1),
	ESG_SQL_LAST_COLUMN
};

/* script 1.0 knew no composite type */
static const EsgSqlColumn flat_columns[] = {
	ESG_SQL_RENAMED("setting", ESG_SQL_TEXT, "source"),
	ESG_SQL_COLUMN("path", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("kind", ESG_SQL_TEXT),
	ESG_SQL_CERT_COLUMNS,
	ESG_SQL_LAST_COLUMN
};

static const char *
name_place(EsgPlace place)
{
	/* an intermediate of a client is one of two places */
	return esg_findings_place_name(place == ESG_PLACE_CLIENT_CHAIN ? ESG_PLACE_CHAIN : place);
}

/* When it came in place of another, and with how much left that is usual. */
static void
put_renewal(EsgSqlRow *row, const EsgTrack *track, EsgTime begin, EsgTime end)
{
	EsgUsual	usual = esg_tracks_usual(track, begin, end);

	if (track != NULL && track->renewed_at != 0)
	{
		EsgTime		renewed = {ESG_TIME_VALID, track->renewed_at, false};

		esg_sql_row_time(row, "renewed_at", renewed);
	}
	if (usual.left > 0)
		esg_sql_row_span(row, "usual_renewal", usual.left);
}

/* How often, and when last, logins depended on it; only of CAs that the server loads. */
static void
put_usage(EsgSqlRow *row, const EsgAuditCert *cert, const EsgCaUses *uses)
{
	TimestampTz last_used;
	int64		logins;

	if (uses == NULL || cert->place != ESG_PLACE_CA ||
		strcmp(cert->file->file.setting, "ext_ssl_guard.extra_files") == 0)
		return;
	logins = esg_ca_usage_find(uses, cert->info.cert, &last_used);
	if (logins >= 0)
		esg_sql_row_int8(row, "logins", logins);
	if (logins > 0)
		esg_sql_row_timestamp(row, "last_used_at", last_used);
}

static void
put_listed(EsgSqlRow *row, EsgSqlRow *part, const EsgAuditCert *cert, const EsgCaUses *uses)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, "setting", cert->file->file.setting);
	esg_sql_row_path(row, "path", cert->file->file.path);
	esg_sql_row_text(row, "kind", name_place(cert->place));
	if (part != NULL)
	{
		esg_sql_row_start(part);
		esg_sql_cert_put(part, cert);
		esg_sql_row_part(row, "certificate", part);
		put_renewal(row, cert->track, cert->info.not_before, cert->info.not_after);
		esg_sql_row_path(row, "host", cert->file->file.host);
		put_usage(row, cert, uses);
	}
	else
		esg_sql_cert_put(row, cert);
	esg_sql_row_end(row);
}

static Datum
list_certificates(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	bool		flat = script == ESG_SQL_1_0;
	EsgSqlRow	row;
	EsgSqlRow	part;
	EsgCaUses	uses;
	bool		counted = esg_ca_usage_copy(&uses);
	EsgAudit   *audit;

	esg_sql_row_init(&row, fcinfo, flat ? flat_columns : listed_columns, script);
	if (!flat)
		esg_sql_row_init_part(&part, &row, "certificate", certificate_columns);
	audit = esg_audit_run(ESG_AUDIT_CERTS, esg_renewals_copy());
	for (int i = 0; i < audit->cert_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_listed(&row, flat ? NULL : &part, audit->certs[i], counted ? &uses : NULL);
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_certificates, list_certificates, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_list_certificates_1_1, list_certificates, ESG_SQL_1_1);

/* ------------------------------------------------------------------------
 * ssl_guard_crls
 * ------------------------------------------------------------------------ */

static const EsgSqlColumn crl_columns[] = {
	ESG_SQL_RENAMED("setting", ESG_SQL_TEXT, "source"),
	ESG_SQL_COLUMN("path", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("position", ESG_SQL_INT4),
	ESG_SQL_COLUMN("issuer", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("crl_number", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("this_update", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("next_update", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("expires_in", ESG_SQL_INTERVAL),
	ESG_SQL_COLUMN("revoked_count", ESG_SQL_INT8),
	ESG_SQL_COLUMN("signature_algorithm", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("findings", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_ADDED("renewed_at", ESG_SQL_TIMESTAMP, ESG_SQL_1_1),
	ESG_SQL_ADDED("usual_renewal", ESG_SQL_INTERVAL, ESG_SQL_1_1),
	ESG_SQL_LAST_COLUMN
};

/* RFC 5280 5.2.3; upper-case hex as serial numbers, NULL if there is none. */
static void
set_crl_number(EsgSqlRow *row, X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	char	   *text = number != NULL ? esg_x509_info_serial_text(number) : NULL;

	ASN1_INTEGER_free(number);
	ERR_clear_error();
	if (text != NULL)
		esg_sql_row_take(row, "crl_number", text);
}

static void
put_crl(EsgSqlRow *row, const EsgAuditCrl *crl)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, "setting", crl->file->file.setting);
	esg_sql_row_path(row, "path", crl->file->file.path);
	esg_sql_row_int4(row, "position", crl->position);
	esg_sql_row_take(row, "issuer", esg_x509_name_text(X509_CRL_get_issuer(crl->info.crl)));
	set_crl_number(row, crl->info.crl);
	esg_sql_row_time(row, "this_update", crl->info.this_update);
	esg_sql_row_time(row, "next_update", crl->info.next_update);
	esg_sql_row_time_left(row, "expires_in", crl->info.next_update);
	esg_sql_row_int8(row, "revoked_count", crl->info.revoked_count);
	esg_sql_row_text(row, "signature_algorithm", crl->info.signature.algorithm);
	esg_sql_row_findings(row, &crl->findings);
	if (row->script != ESG_SQL_1_0)
		put_renewal(row, crl->track, crl->info.this_update, crl->info.next_update);
	esg_sql_row_end(row);
}

static Datum
list_crls(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgAudit   *audit;

	esg_sql_row_init(&row, fcinfo, crl_columns, script);
	audit = esg_audit_run(ESG_AUDIT_CRLS, esg_renewals_copy());
	for (int i = 0; i < audit->crl_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_crl(&row, audit->crls[i]);
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_crls, list_crls, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_list_crls_1_1, list_crls, ESG_SQL_1_1);

/* ------------------------------------------------------------------------
 * ssl_guard_files
 * ------------------------------------------------------------------------ */

static const EsgSqlColumn file_columns[] = {
	ESG_SQL_COLUMN("setting", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("path", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("resolved_path", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("kind", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("file_exists", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("mode", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("owner", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("group_name", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("size", ESG_SQL_INT8),
	ESG_SQL_COLUMN("modified", ESG_SQL_TIMESTAMP),
	ESG_SQL_COLUMN("sha256", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("findings", ESG_SQL_TEXTS),
	ESG_SQL_COLUMN("severity", ESG_SQL_SEVERITY),
	ESG_SQL_COLUMN("suggestion", ESG_SQL_TEXT),
	ESG_SQL_ADDED("host", ESG_SQL_TEXT, ESG_SQL_1_1),
	ESG_SQL_LAST_COLUMN
};

/* Mode, owner, group, size and time of change, all NULL if there is no file. */
static void
set_file_state(EsgSqlRow *row, const EsgFileFacts *facts)
{
	EsgTime		modified = {ESG_TIME_VALID, facts->mtime, false};

	esg_sql_row_bool(row, "file_exists", facts->exists);
	if (!facts->exists)
		return;
	esg_sql_row_text(row, "mode", psprintf("%04o", (unsigned) facts->mode & 07777));
	esg_sql_row_text(row, "owner", esg_accounts_owner_name(facts->uid));
	esg_sql_row_text(row, "group_name", esg_accounts_group_name(facts->gid));
	esg_sql_row_int8(row, "size", facts->size);
	esg_sql_row_time(row, "modified", modified);
}

static void
put_file(EsgSqlRow *row, const EsgAuditFile *file)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, "setting", file->file.setting);
	esg_sql_row_path(row, "path", file->file.path);
	esg_sql_row_path(row, "resolved_path", file->resolved_path);
	esg_sql_row_text(row, "kind", esg_policy_file_kind_name(file->file.kind));
	set_file_state(row, &file->facts);
	if (file->hashed)
		esg_sql_row_digest(row, "sha256", file->sha256);
	esg_sql_row_findings(row, &file->findings);
	if (file->suggestion[0] != '\0')
		esg_sql_row_take(row, "suggestion", esg_x509_name_escape_hidden(file->suggestion));
	esg_sql_row_path(row, "host", file->file.host);
	esg_sql_row_end(row);
}

static Datum
list_files(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgAudit   *audit;

	esg_sql_row_init(&row, fcinfo, file_columns, script);
	audit = esg_audit_run(ESG_AUDIT_FILES, NULL);
	for (int i = 0; i < audit->file_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_file(&row, audit->files[i]);
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_list_files, list_files, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_list_files_1_1, list_files, ESG_SQL_1_1);

/* ------------------------------------------------------------------------
 * ssl_guard_inspect and ssl_guard_session_certificate
 * ------------------------------------------------------------------------ */

static void
put_inspected(EsgSqlRow *row, const EsgAudit *audit)
{
	for (int i = 0; i < audit->cert_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		esg_sql_row_start(row);
		esg_sql_cert_put(row, audit->certs[i]);
		esg_sql_row_end(row);
	}
}

/* some of the argument is not among the rows */
static void
warn_of_rest(const EsgPemResult *result)
{
	if (result->end == ESG_PEM_BROKEN)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("only %d certificate could be read",
							   "only %d certificates could be read",
							   result->certs, result->certs),
				 errdetail("At byte %zu there is %s.", result->fault_offset, result->found)));
	else if (result->skipped_trusted > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("%d TRUSTED CERTIFICATE block was skipped",
							   "%d TRUSTED CERTIFICATE blocks were skipped",
							   result->skipped_trusted, result->skipped_trusted)));
}

/* OpenSSL ignores what is behind a certificate, but not everywhere */
static void
warn_of_tails(const EsgPemResult *result)
{
	if (result->tails > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("%d certificate has other data behind it in its block",
							   "%d certificates have other data behind them in their blocks",
							   result->tails, result->tails),
				 result->refused_tail ?
				 errdetail("The first one is among them: OpenSSL loads it from a CA file, but not from a file of a certificate with its chain.") : 0));
}

/* script 1.0 knew no places */
static EsgPlace
get_place(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	return script == ESG_SQL_1_0 ? ESG_PLACE_EXTRA : esg_sql_argument_place(PG_GETARG_VARLENA_PP(1));
}

static void
inspect(FunctionCallInfo fcinfo, EsgSqlScript script, Oid type)
{
	Oid			types[] = {type, TEXTOID};
	EsgSqlRow	row;
	struct varlena *argument;
	EsgPlace	place;
	EsgPemResult result;
	EsgAudit   *audit;

	esg_sql_declared_arguments(fcinfo, script == ESG_SQL_1_0 ? 1 : 2, types);
	esg_sql_row_init(&row, fcinfo, certificate_columns, script);
	argument = PG_GETARG_VARLENA_PP(0);
	place = get_place(fcinfo, script);
	esg_sql_argument_check(argument);
	audit = esg_audit_inspect(VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument), place, &result);
	if (audit->cert_count == 0)
		esg_sql_argument_refuse(argument, &result,
								"Give PEM text (-----BEGIN CERTIFICATE-----), or DER as bytea.");
	warn_of_rest(&result);
	warn_of_tails(&result);
	put_inspected(&row, audit);
	esg_audit_free(audit);
}

static Datum
inspect_text(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	inspect(fcinfo, script, TEXTOID);
	return (Datum) 0;
}

/* DER; PEM text as bytes, such as pg_read_binary_file() gives, will do, too. */
static Datum
inspect_bytea(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	inspect(fcinfo, script, BYTEAOID);
	return (Datum) 0;
}

/* The DER of the certificate the client showed, palloc'd; NULL if none. */
static unsigned char *
copy_peer_certificate(int *len)
{
	X509	   *cert = esg_login_peer_cert();
	unsigned char *der;
	unsigned char *p;

	if (cert == NULL)
		return NULL;
	*len = i2d_X509(cert, NULL);
	ERR_clear_error();
	if (*len <= 0)
		return NULL;
	p = der = palloc(*len);
	*len = i2d_X509(cert, &p);
	return der;
}

static Datum
session_certificate(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	EsgSqlRow	row;
	EsgPemResult result;
	EsgAudit   *audit;
	unsigned char *der;
	int			len;

	esg_shmem_require("ssl_guard_session_certificate()");
	esg_sql_row_init(&row, fcinfo, certificate_columns, script);
	der = copy_peer_certificate(&len);
	if (der == NULL)
		return (Datum) 0;
	audit = esg_audit_inspect((const char *) der, len, ESG_PLACE_CLIENT, &result);
	put_inspected(&row, audit);
	esg_audit_free(audit);
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_inspect_text, inspect_text, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_inspect_text_1_1, inspect_text, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_inspect_bytea, inspect_bytea, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_inspect_bytea_1_1, inspect_bytea, ESG_SQL_1_1);
ESG_SQL_SYMBOL(ssl_guard_session_certificate, session_certificate, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_session_certificate_1_1, session_certificate, ESG_SQL_1_1);

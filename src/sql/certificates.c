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

#include "fmgr.h"
#include "miscadmin.h"

#include "audit/audit.h"
#include "compat.h"
#include "login/peer.h"
#include "server/report.h"
#include "server/shmem.h"
#include "sql/row.h"

#define INSPECT_LIMIT (1 << 20)

PG_FUNCTION_INFO_V1(ssl_guard_list_certificates);
PG_FUNCTION_INFO_V1(ssl_guard_list_crls);
PG_FUNCTION_INFO_V1(ssl_guard_list_files);
PG_FUNCTION_INFO_V1(ssl_guard_inspect_text);
PG_FUNCTION_INFO_V1(ssl_guard_inspect_bytea);
PG_FUNCTION_INFO_V1(ssl_guard_session_certificate);

Datum
ssl_guard_list_certificates(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgAudit   *audit;
	int			i;

	esg_sql_row_init(&row, fcinfo);
	audit = esg_audit_run(ESG_AUDIT_CERTS);
	for (i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		CHECK_FOR_INTERRUPTS();
		esg_sql_row_start(&row);
		esg_sql_row_text(&row, cert->file->file.setting);
		esg_sql_row_path(&row, cert->file->file.path);
		esg_sql_row_int4(&row, cert->position);
		esg_sql_row_text(&row, esg_audit_cert_kind(cert->place));
		esg_sql_row_cert(&row, &cert->info, &cert->findings);
		esg_sql_row_end(&row);
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

/* RFC 5280 5.2.3; upper-case hex as serial numbers, NULL if there is none. */
static void
set_crl_number(EsgSqlRow *row, X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	char	   *text = number != NULL ? esg_x509_info_serial_text(number) : NULL;

	ASN1_INTEGER_free(number);
	ERR_clear_error();
	if (text != NULL)
		esg_sql_row_take(row, text);
	else
		esg_sql_row_null(row);
}

static void
put_crl(EsgSqlRow *row, const EsgAuditCrl *crl)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, crl->file->file.setting);
	esg_sql_row_path(row, crl->file->file.path);
	esg_sql_row_int4(row, crl->position);
	esg_sql_row_take(row, esg_x509_name_text(X509_CRL_get_issuer(crl->info.crl)));
	set_crl_number(row, crl->info.crl);
	esg_sql_row_time(row, crl->info.this_update);
	esg_sql_row_time(row, crl->info.next_update);
	esg_sql_row_time_left(row, crl->info.next_update);
	esg_sql_row_int8(row, crl->info.revoked_count);
	esg_sql_row_text(row, crl->info.signature.algorithm);
	esg_sql_row_findings(row, &crl->findings);
	esg_sql_row_end(row);
}

Datum
ssl_guard_list_crls(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgAudit   *audit;
	int			i;

	esg_sql_row_init(&row, fcinfo);
	audit = esg_audit_run(ESG_AUDIT_CRLS);
	for (i = 0; i < audit->crl_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_crl(&row, audit->crls[i]);
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

/* Mode, owner, group, size and time of change, all NULL if there is no file. */
static void
set_file_state(EsgSqlRow *row, const EsgFileFacts *facts)
{
	EsgTime		modified = {ESG_TIME_VALID, facts->mtime, false};
	int			i;

	esg_sql_row_bool(row, facts->exists);
	if (!facts->exists)
	{
		for (i = 0; i < 5; i++)
			esg_sql_row_null(row);
		return;
	}
	esg_sql_row_text(row, psprintf("%04o", (unsigned) facts->mode & 07777));
	esg_sql_row_text(row, esg_tls_files_owner_name(facts->uid));
	esg_sql_row_text(row, esg_tls_files_group_name(facts->gid));
	esg_sql_row_int8(row, facts->size);
	esg_sql_row_time(row, modified);
}

Datum
ssl_guard_list_files(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgAudit   *audit;
	int			i;

	esg_sql_row_init(&row, fcinfo);
	audit = esg_audit_run(ESG_AUDIT_FILES);
	for (i = 0; i < audit->file_count; i++)
	{
		const EsgAuditFile *file = audit->files[i];

		CHECK_FOR_INTERRUPTS();
		esg_sql_row_start(&row);
		esg_sql_row_text(&row, file->file.setting);
		esg_sql_row_path(&row, file->file.path);
		esg_sql_row_path(&row, file->resolved_path);
		esg_sql_row_text(&row, esg_policy_file_kind_name(file->file.kind));
		set_file_state(&row, &file->facts);
		esg_sql_row_digest(&row, file->hashed, file->sha256);
		esg_sql_row_findings(&row, &file->findings);
		esg_sql_row_path(&row, file->suggestion[0] != '\0' ? file->suggestion : NULL);
		esg_sql_row_end(&row);
	}
	esg_audit_free(audit);
	return (Datum) 0;
}

/* ------------------------------------------------------------------------
 * ssl_guard_inspect
 * ------------------------------------------------------------------------ */

static void
put_inspected(FunctionCallInfo fcinfo, const EsgAudit *audit)
{
	EsgSqlRow	row;
	int			i;

	esg_sql_row_init(&row, fcinfo);
	for (i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		CHECK_FOR_INTERRUPTS();
		esg_sql_row_start(&row);
		esg_sql_row_int4(&row, cert->position);
		esg_sql_row_cert(&row, &cert->info, &cert->findings);
		esg_sql_row_end(&row);
	}
}

static void
inspect(FunctionCallInfo fcinfo, struct varlena *argument)
{
	size_t		len = VARSIZE_ANY_EXHDR(argument);
	EsgPemResult result;
	EsgAudit   *audit;

	if (len > INSPECT_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("certificate is too large"),
				 errdetail("%zu bytes were given, %d are allowed.", len, INSPECT_LIMIT)));
	audit = esg_audit_inspect(VARDATA_ANY(argument), len, &result);
	if (audit->cert_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no certificate found"),
				 errdetail("The argument holds %s.", result.found),
				 errhint("Give PEM text (-----BEGIN CERTIFICATE-----), or DER as bytea.")));
	if (result.end == ESG_PEM_BROKEN)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("only %d certificate could be read",
							   "only %d certificates could be read",
							   result.certs, result.certs),
				 errdetail("At byte %zu there is %s.", result.fault_offset, result.found)));
	else if (result.skipped_trusted > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("%d TRUSTED CERTIFICATE block was skipped",
							   "%d TRUSTED CERTIFICATE blocks were skipped",
							   result.skipped_trusted, result.skipped_trusted)));
	put_inspected(fcinfo, audit);
	esg_audit_free(audit);
}

Datum
ssl_guard_inspect_text(PG_FUNCTION_ARGS)
{
	inspect(fcinfo, (struct varlena *) PG_GETARG_TEXT_PP(0));
	return (Datum) 0;
}

/* DER; PEM text as bytes, such as pg_read_binary_file() gives, will do, too. */
Datum
ssl_guard_inspect_bytea(PG_FUNCTION_ARGS)
{
	inspect(fcinfo, (struct varlena *) PG_GETARG_BYTEA_PP(0));
	return (Datum) 0;
}

/* The DER of the certificate the client showed, palloc'd; NULL if none. */
static unsigned char *
session_certificate(int *len)
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

Datum
ssl_guard_session_certificate(PG_FUNCTION_ARGS)
{
	EsgSqlRow	row;
	EsgPemResult result;
	EsgAudit   *audit;
	unsigned char *der;
	int			len;

	esg_shmem_require("ssl_guard_session_certificate()");
	der = session_certificate(&len);
	if (der == NULL)
	{
		esg_sql_row_init(&row, fcinfo);
		return (Datum) 0;
	}
	audit = esg_audit_inspect((const char *) der, len, &result);
	put_inspected(fcinfo, audit);
	esg_audit_free(audit);
	return (Datum) 0;
}

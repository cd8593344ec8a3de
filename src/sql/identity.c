/*
 * sql/identity.c
 *		ssl_guard_identity_check(): what a login with this certificate would be
 *		told.
 *
 * Asks the login's own code, as if both checks were set to enforce, over the
 * newest TLS.  The chain is the one that OpenSSL builds now of the further
 * certificates given and ssl_ca_file; a handshake may build another.
 * pg_ident.conf is read as it is now, so that a change can be
 * tried before the reload.
 */
#include "postgres.h"

#include <openssl/ssl.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "compat.h"
#include "login/ident_map.h"
#include "login/identity.h"
#include "login/role_label.h"
#include "server/client_chain.h"
#include "server/guc.h"
#include "server/shmem.h"
#include "sql/argument.h"
#include "sql/row.h"
#include "x509/pem.h"

/* further certificates of the text; a client sends a few intermediates */
#define MAX_OTHERS 20

PG_FUNCTION_INFO_V1(ssl_guard_identity_check);
PG_FUNCTION_INFO_V1(ssl_guard_identity_check_1_1);

static const EsgSqlColumn columns[] = {
	ESG_SQL_COLUMN("source", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("identity", ESG_SQL_TEXT),
	ESG_SQL_COLUMN("matched", ESG_SQL_BOOL),
	ESG_SQL_COLUMN("rule", ESG_SQL_TEXT),
	ESG_SQL_LAST_COLUMN
};

/* What a client would show. */
typedef struct Shown
{
	X509	   *cert;
	STACK_OF(X509) *others;		/* that it would send along; NULL: none */
	STACK_OF(X509) *chain;		/* NULL: it leads to no CA of ours */
} Shown;

/* EsgPemCertFn: the first is the client's, as in a file that libpq loads */
static bool
take(X509 *cert, int position, void *arg)
{
	Shown	   *shown = arg;

	if (shown->cert == NULL)
	{
		shown->cert = cert;
		return true;
	}
	if (shown->others == NULL)
		shown->others = sk_X509_new_null();
	if (shown->others == NULL || sk_X509_push(shown->others, cert) == 0)
		X509_free(cert);
	return sk_X509_num(shown->others) < MAX_OTHERS;
}

/* cert is never NULL; to be freed */
static void
parse_certificates(const text *pem, Shown *out)
{
	EsgPemSink	sink = {take, NULL, out};
	EsgPemResult result;

	memset(out, 0, sizeof(*out));
	esg_sql_argument_check(pem);
	esg_pem_scan(VARDATA_ANY(pem), VARSIZE_ANY_EXHDR(pem), ESG_PEM_CERTS, &sink, &result);
	if (out->cert == NULL)
		esg_sql_argument_refuse(pem, &result, "Give PEM text (-----BEGIN CERTIFICATE-----).");
	out->chain = esg_client_chain_build(out->cert, out->others);
}

static void
free_shown(Shown *shown)
{
	X509_free(shown->cert);
	sk_X509_pop_free(shown->others, X509_free);
	sk_X509_pop_free(shown->chain, X509_free);
}

static void
put_row(EsgSqlRow *row, const char *source, const char *identity, bool matched, const char *rule)
{
	esg_sql_row_start(row);
	esg_sql_row_text(row, "source", source);
	esg_sql_row_text(row, "identity", identity);
	esg_sql_row_bool(row, "matched", matched);
	esg_sql_row_text(row, "rule", rule);
	esg_sql_row_end(row);
}

static char *
explain_label(const EsgLabelDecision *label)
{
	if (!label->refused)
		return pstrdup("met");
	return psprintf("\"%s\" is not met: %s", label->key, label->reason);
}

static void
put_decision(EsgSqlRow *row, const char *role_name, const EsgIdentityDecision *identity,
			 const EsgLabelDecision *label)
{
	bool		allowed = true;
	const char *rule = identity->reason;

	if (esg_guc_is_exempt_role(role_name))
		rule = "the role is one of \"ext_ssl_guard.exempt_roles\"";
	else if (!identity->allowed)
	{
		allowed = false;
		rule = psprintf("%s: %s", esg_findings_def(ESG_IDENTITY_MISMATCH)->name, identity->reason);
	}
	else if (label->refused)
	{
		allowed = false;
		rule = psprintf("%s: %s", esg_findings_def(ESG_ROLE_LABEL_MISMATCH)->name,
						explain_label(label));
	}
	put_row(row, "decision", NULL, allowed, rule);
}

/* The CAs that a source, or a "ca" of the label, can name; NULL: it names none. */
static void
put_chain(EsgSqlRow *row, STACK_OF(X509) *chain, const bool *by_sources, const bool *by_label)
{
	if (by_sources == NULL && by_label == NULL)
		return;
	for (int i = 1; i < sk_X509_num(chain); i++)
	{
		bool		named = (by_sources && by_sources[i]) || (by_label && by_label[i]);
		X509	   *ca = sk_X509_value(chain, i);
		unsigned char digest[ESG_DIGEST_SIZE];
		char		text[ESG_FINGERPRINT_TEXT_SIZE] = "";

		if (esg_x509_info_fingerprint(ca, digest))
			esg_x509_info_fingerprint_text(digest, text);
		put_row(row, esg_identities_source_name(ESG_SOURCE_CA), text, named,
				psprintf("%s is in the chain as built now; a handshake decides",
						 esg_report_quoted(esg_report_take(esg_x509_name_text(X509_get_subject_name(ca))))));
	}
}

static void
put_answer(EsgSqlRow *row, const char *role_name, const Shown *shown)
{
	EsgLabelPeer peer = {true, TLS1_3_VERSION, shown->cert, shown->chain};
	EsgIdentityDecision identity;
	EsgLabelDecision label;
	int			i;

	esg_identity_decide(shown->cert, shown->chain, role_name, true, &identity);
	for (i = 0; i < identity.row_count; i++)
		put_row(row, identity.rows[i].source, identity.rows[i].identity, identity.rows[i].matched,
				identity.rows[i].rule);
	esg_role_label_decide(role_name, &peer, &label);
	put_chain(row, shown->chain, identity.names_ca, label.names_ca);
	if (label.label != NULL)
		put_row(row, "role_label", esg_report_command(label.label), !label.refused, explain_label(&label));
	put_decision(row, role_name, &identity, &label);
}

static void
reload_map(void)
{
	if (esg_guc_identity_map == NULL || esg_guc_identity_map[0] == '\0')
		return;
	if (!esg_ident_map_reload())
		ereport(WARNING,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not load \"pg_ident.conf\", answering with what this session began with"),
				 errhint("See the server log.")));
}

static Datum
check_identity(FunctionCallInfo fcinfo, EsgSqlScript script)
{
	static const Oid arguments[] = {NAMEOID, TEXTOID};
	char	   *role_name;
	EsgSqlRow	row;
	Shown		shown;

	esg_shmem_require("ssl_guard_identity_check()");
	esg_sql_declared_arguments(fcinfo, lengthof(arguments), arguments);
	esg_sql_row_init(&row, fcinfo, columns, script);
	role_name = NameStr(*PG_GETARG_NAME(0));
	(void) get_role_oid(role_name, false);
	reload_map();
	parse_certificates(PG_GETARG_TEXT_PP(1), &shown);
	PG_TRY();
	{
		put_answer(&row, role_name, &shown);
	}
	PG_FINALLY();
	{
		free_shown(&shown);
	}
	PG_END_TRY();
	return (Datum) 0;
}

ESG_SQL_SYMBOL(ssl_guard_identity_check, check_identity, ESG_SQL_1_0);
ESG_SQL_SYMBOL(ssl_guard_identity_check_1_1, check_identity, ESG_SQL_1_1);

/*
 * login/role_label.c
 *		Requirements attached to roles: SECURITY LABEL FOR ext_ssl_guard.
 *
 * Labels are in pg_shseclabel: transactional, replicated, dumped by pg_dumpall.
 * That catalog and its index are among the few that a login can read before it
 * has a database.
 *
 * A login has no encoding either, so a label outside ASCII must be UTF-8, as
 * the names in certificates are after decoding.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_shseclabel.h"
#include "commands/seclabel.h"
#include "common/string.h"
#include "libpq/libpq.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/label_page.h"
#include "login/role_label.h"
#include "server/alarms.h"
#include "server/guc.h"
#include "server/served_hosts.h"

#define PROVIDER "ext_ssl_guard"

/*
 * A longer label may be stored outside of its row, and pg_shseclabel's TOAST
 * table is not for who has no database: its first use looks into pg_class.  This
 * fits whether or not it can be compressed.
 */
#define LABEL_OFFSET \
	(INTALIGN(2 * sizeof(Oid) + VARHDRSZ_SHORT + sizeof(PROVIDER) - 1) + VARHDRSZ)
#define LONGEST_LABEL \
	((int) (TOAST_TUPLE_TARGET - MAXALIGN(SizeofHeapTupleHeader) - LABEL_OFFSET))

/* Without a CA file, of the server or of a host, the server asks no client for a certificate. */
static bool
server_asks_for_certificate(void)
{
	const EsgHosts *hosts;
	ListCell   *cell;

	if (!EnableSSL)
		return false;
	hosts = esg_served_hosts(NULL);
	if (hosts->state == ESG_HOSTS_NONE)
		return ssl_ca_file != NULL && ssl_ca_file[0] != '\0';
	foreach(cell, hosts->hosts)
	{
		const EsgHost *host = lfirst(cell);

		if (host->ca[0] != '\0')
			return true;
	}
	return false;
}

/* The highest that the server takes; OpenSSL's own limit may be lower. */
static int
highest_tls_version(void)
{
	switch (ssl_max_protocol_version)
	{
		case PG_TLS1_VERSION:
			return TLS1_VERSION;
		case PG_TLS1_1_VERSION:
			return TLS1_1_VERSION;
		case PG_TLS1_2_VERSION:
			return TLS1_2_VERSION;
		default:
			return TLS1_3_VERSION;
	}
}

/* Why no connection to this server meets the label as things are, a phrase; NULL: some can. */
static const char *
explain_hopeless(const EsgLabel *label)
{
	if (esg_label_needs_tls(label) && !EnableSSL)
		return "it requires TLS, and \"ssl\" is off";
	if (label->min_tls > highest_tls_version())
		return "it requires a TLS version above \"ssl_max_protocol_version\"";
	if (esg_label_needs_certificate(label) && !server_asks_for_certificate())
		return "it requires a client certificate, and the server asks for none";
	return NULL;
}

static void
require_utf8(const char *label)
{
	int			encoding = GetDatabaseEncoding();

	if (pg_is_ascii(label))
		return;
	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a security label with characters outside ASCII needs a database with encoding UTF8"),
				 errhint("Set the label in such a database, or write the bytes of a name in UTF-8 as \\HH.")));
	(void) pg_verify_mbstr(PG_UTF8, label, (int) strlen(label), false);
}

static void
require_length(const ObjectAddress *role, const char *label)
{
	if (strlen(label) <= LONGEST_LABEL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("security label for role \"%s\" is too long",
					GetUserNameFromId(role->objectId, false)),
			 errdetail("It has %d bytes. A login can read at most %d.",
					   (int) strlen(label), LONGEST_LABEL)));
}

/* What is legal, but hardly meant. */
static void
warn_about_label(const EsgLabel *label)
{
	const char *hopeless = explain_hopeless(label);

	if (esg_label_has(label, ESG_SOURCE_SERIAL) && !esg_label_has(label, ESG_SOURCE_ISSUER) &&
		!esg_label_has(label, ESG_SOURCE_CA))
		ereport(NOTICE,
				(errmsg("the security label names a serial number but no issuer"),
				 errdetail("A serial number is unique only among the certificates of one issuer."),
				 errhint("Add ca=... with the fingerprint of that issuer's certificate to the label if \"ssl_ca_file\" holds more than one CA.")));
	if (hopeless != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no client can meet the security label at present: %s", hopeless)));
}

/* SECURITY LABEL; label is NULL when it is taken away. */
static void
relabel_role(const ObjectAddress *object, const char *label)
{
	EsgLabel	parsed;
	EsgLabelError error;

	if (object->classId != AuthIdRelationId)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("security labels of \"%s\" can be set on roles only", PROVIDER)));
	if (label == NULL)
		return;
	require_utf8(label);
	require_length(object, label);
	if (!esg_label_parse(label, strlen(label), &parsed, &error))
		ereport(ERROR,
				error.position == 0 ?
				errcode(ERRCODE_OUT_OF_MEMORY) : errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("invalid security label for role \"%s\" at character %d: %s",
					   GetUserNameFromId(object->objectId, false), error.position, error.reason),
				errhint("A label is a list of key=value pairs (cn, dn, dns, email, uri, upn, ip, serial, fingerprint, issuer, ca, min_tls) and flags (tls, x509), separated by spaces."));
	PG_TRY();
	{
		warn_about_label(&parsed);
	}
	PG_FINALLY();
	{
		esg_label_free(&parsed);
	}
	PG_END_TRY();
}

void
esg_role_label_init(void)
{
	register_label_provider(PROVIDER, relabel_role);
}

/* Why the label of this row cannot be had at a login; NULL: it can. */
static char *
explain_unreadable(Datum label)
{
	struct varatt_external pointer;

	if (!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(label)))
		return NULL;
	VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(label));
	return psprintf("the label cannot be read: it has %d bytes, more than %d",
					(int) pointer.va_rawsize - VARHDRSZ, LONGEST_LABEL);
}

static bool
is_ours(Relation relation, HeapTuple tuple)
{
	bool		is_null;
	Datum		provider = heap_getattr(tuple, Anum_pg_shseclabel_provider, RelationGetDescr(relation),
										&is_null);
	const struct varlena *text = (const struct varlena *) DatumGetPointer(provider);

	/* a name so long that it is stored otherwise is not ours */
	return !is_null && !VARATT_IS_EXTERNAL(text) && !VARATT_IS_COMPRESSED(text) &&
		VARSIZE_ANY_EXHDR(text) == strlen(PROVIDER) &&
		memcmp(VARDATA_ANY(text), PROVIDER, strlen(PROVIDER)) == 0;
}

/*
 * Returns the row of pg_shseclabel, which has to be freed, or NULL.
 *
 * Labels are few: a single page is read through faster than the index, with a
 * lock and pages of its own, leads to a row.
 */
static HeapTuple
find_row(Relation relation, Oid role)
{
	BlockNumber pages = RelationGetNumberOfBlocks(relation);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_shseclabel_objoid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(role));
	ScanKeyInit(&keys[1], Anum_pg_shseclabel_classoid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(AuthIdRelationId));
	scan = systable_beginscan(relation, SharedSecLabelObjectIndexId,
							  criticalSharedRelcachesBuilt && pages > 1, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)) && !is_ours(relation, tuple))
		;
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/* text_to_cstring() would be the only function of its pages that a login needs. */
static char *
copy_text(Datum datum)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(datum);

	return pnstrdup(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
}

/* false: there is none.  *found is "" when it cannot be read, and *fault, else NULL, says why. */
static bool
take_label(Relation relation, HeapTuple row, char **found, char **fault)
{
	bool		is_null;
	Datum		label = heap_getattr(row, Anum_pg_shseclabel_label, RelationGetDescr(relation), &is_null);

	if (is_null)
		return false;
	*fault = explain_unreadable(label);
	*found = *fault ? pstrdup("") : copy_text(label);
	return true;
}

/* What read_label() does, by the catalog. */
static bool
ask_catalog(const char *role_name, char **found, char **fault)
{
	Oid			role = get_role_oid(role_name, true);
	Relation	relation;
	HeapTuple	row;
	bool		has_label;

	if (!OidIsValid(role))
		return false;
	relation = table_open(SharedSecLabelRelationId, AccessShareLock);
	row = find_row(relation, role);
	has_label = HeapTupleIsValid(row) && take_label(relation, row, found, fault);
	esg_label_page_remember(relation);
	table_close(relation, AccessShareLock);
	return has_label;
}

/*
 * Reads the role's label; false if it has none.  *found is "" when it cannot be
 * read, and *fault, else NULL, says why.
 */
static bool
read_label(const char *role_name, char **found, char **fault)
{
	HeapTuple	row;
	EsgLabelPage page = esg_label_page_find(role_name, is_ours, &row);
	Relation	relation;
	bool		has_label;

	if (page == ESG_LABEL_PAGE_UNKNOWN)
		return ask_catalog(role_name, found, fault);
	if (page == ESG_LABEL_PAGE_NONE)
		return false;
	relation = RelationIdGetRelation(SharedSecLabelRelationId);
	has_label = take_label(relation, row, found, fault);
	RelationClose(relation);
	return has_label;
}

/* A label that got into the catalog while the library was not there, or is too new. */
static void
refuse_unreadable(char *reason, EsgLabelDecision *out)
{
	out->refused = true;
	out->key = "label";
	out->reason = esg_report_command(reason);
	out->hopeless = out->reason;
}

static char *
explain_error(const EsgLabelError *error)
{
	if (error->position == 0)
		return pstrdup(error->reason);
	return psprintf("the label cannot be read: at character %d: %s", error->position,
					error->reason);
}

/* NULL: the label has no "ca", or nothing is known of a chain */
static bool *
find_named_cas(const EsgLabel *label, STACK_OF(X509) *chain)
{
	bool	   *named;

	if (chain == NULL || !esg_label_has(label, ESG_SOURCE_CA))
		return NULL;
	named = palloc0(sizeof(bool) * (sk_X509_num(chain) + 1));
	for (int i = 1; i < sk_X509_num(chain); i++)
		named[i] = esg_label_names_ca(label, sk_X509_value(chain, i));
	return named;
}

void
esg_role_label_decide(const char *role_name, const EsgLabelPeer *peer, EsgLabelDecision *out)
{
	EsgLabel	label;
	EsgLabelError error;
	EsgLabelVerdict verdict;
	char	   *fault = NULL;

	memset(out, 0, sizeof(*out));
	if (!read_label(role_name, &out->label, &fault))
		return;
	if (fault != NULL)
	{
		refuse_unreadable(fault, out);
		return;
	}
	if (!esg_label_parse(out->label, strlen(out->label), &label, &error))
	{
		refuse_unreadable(explain_error(&error), out);
		return;
	}
	esg_label_check(&label, peer, &verdict);
	out->hopeless = explain_hopeless(&label);
	out->names_ca = find_named_cas(&label, peer->chain);
	esg_label_free(&label);
	out->refused = verdict.refused;
	out->key = verdict.key;
	if (verdict.refused)
		out->reason = pstrdup(verdict.reason);
}

/* ESG_OK: regraded to "off" */
static EsgSeverity
grade(EsgCode code)
{
	EsgPolicy	policy;

	esg_guc_policy(&policy);
	return esg_findings_severity(code, ESG_PLACE_SERVER, policy.overrides);
}

/* size ESG_OBJECT_SIZE */
static void
name_object(const char *printable_role, char *buf)
{
	char	   *quoted = esg_report_quoted(printable_role);

	snprintf(buf, ESG_OBJECT_SIZE, "role %s", quoted);
	pfree(quoted);
}

/* An alarm about a role, with a reason where the message has one; false: regraded to "off". */
static bool
make_role_alarm(EsgCode code, const char *role_name, const char *reason, EsgAlarm *out)
{
	EsgSeverity severity = grade(code);
	char	   *printable;
	char	   *quoted;
	char	   *detail;

	if (severity == ESG_OK)
		return false;
	printable = esg_report_printable(role_name);
	quoted = esg_report_quoted(printable);
	detail = reason ? psprintf("%s: %s", quoted, reason) : quoted;
	esg_report_server_alarm(code, severity, detail, NULL, out);
	esg_alarm_text_append_pair(out->detail, sizeof(out->detail), "role", printable);
	name_object(printable, out->object);
	pfree(printable);
	return true;
}

/* What is to be cleared need not be put into words. */
static void
clear_role_alarm(EsgCode code, const char *role_name)
{
	char	   *printable;
	char		object[ESG_OBJECT_SIZE];

	if (!esg_alarms_may_be_cleared(ESG_SCOPE_LABELS) || grade(code) == ESG_OK)
		return;
	printable = esg_report_printable(role_name);
	name_object(printable, object);
	pfree(printable);
	esg_alarms_clear(ESG_SCOPE_LABELS, code, object);
}

/* A login of a role with a label; hopeless: NULL if it can be met. */
static void
note_satisfiable(const char *role_name, const char *hopeless)
{
	EsgAlarm	alarm;

	if (hopeless == NULL)
		clear_role_alarm(ESG_ROLE_LABEL_UNSATISFIABLE, role_name);
	else if (make_role_alarm(ESG_ROLE_LABEL_UNSATISFIABLE, role_name, hopeless, &alarm))
		esg_alarms_raise(ESG_SCOPE_LABELS, &alarm, GetCurrentTimestamp());
}

void
esg_role_label_check(const EsgPeer *peer, EsgRefusal *out)
{
	EsgLabelPeer shown = {peer->tls, peer->tls_version, peer->cert, peer->chain};
	EsgLabelDecision decision;

	memset(out, 0, sizeof(*out));
	esg_role_label_decide(peer->role_name, &shown, &decision);
	if (decision.label != NULL)
		note_satisfiable(peer->role_name, decision.hopeless);
	if (!decision.refused)
		return;
	esg_login_peer_begin_refusal(peer, ESG_ROLE_LABEL_MISMATCH, out);
	esg_login_peer_add_pair(out, "requirement", decision.key);
	esg_login_peer_add_pair(out, "reason", decision.reason);
	esg_login_peer_add_pair(out, "label", esg_report_command(decision.label));
}

/* Is the row of pg_shseclabel one of ours? */
static bool
is_own_row(TupleDesc desc, HeapTuple tuple)
{
	bool		is_null;
	Datum		provider = heap_getattr(tuple, Anum_pg_shseclabel_provider, desc, &is_null);

	return ((Form_pg_shseclabel) GETSTRUCT(tuple))->classoid == AuthIdRelationId &&
		!is_null && strcmp(TextDatumGetCString(provider), PROVIDER) == 0;
}

/* What an audit finds. */
typedef struct RoleAlarms
{
	EsgAlarm   *alarms;			/* palloc'd, with room for one more */
	int			count;
} RoleAlarms;

static void
add_role_alarm(RoleAlarms *found, EsgCode code, const char *role_name, const char *reason)
{
	if (found->count == ESG_MAX_REPORTED ||
		!make_role_alarm(code, role_name, reason, &found->alarms[found->count]))
		return;
	found->count++;
	found->alarms = repalloc(found->alarms, sizeof(EsgAlarm) * (found->count + 1));
}

/* As a login has it, to which no certificate is better than none. */
static void
collect_role(RoleAlarms *found, const char *role_name)
{
	EsgLabelPeer nobody = {0};
	EsgLabelDecision decision;

	esg_role_label_decide(role_name, &nobody, &decision);
	if (decision.hopeless != NULL)
		add_role_alarm(found, ESG_ROLE_LABEL_UNSATISFIABLE, role_name, decision.hopeless);
}

/* A row of pg_shseclabel. */
static void
collect_row(RoleAlarms *found, TupleDesc desc, HeapTuple tuple)
{
	char	   *role_name;

	if (!is_own_row(desc, tuple))
		return;
	role_name = GetUserNameFromId(((Form_pg_shseclabel) GETSTRUCT(tuple))->objoid, true);
	if (role_name != NULL)
		collect_role(found, role_name);
}

/* There may be thousands, each of which is compared with all hosts. */
static void
collect_unsatisfiable(RoleAlarms *found)
{
	MemoryContext apart = AllocSetContextCreate(CurrentMemoryContext, "ext_ssl_guard label",
												ALLOCSET_DEFAULT_SIZES);
	Relation	relation = table_open(SharedSecLabelRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MemoryContext old = MemoryContextSwitchTo(apart);

		CHECK_FOR_INTERRUPTS();
		collect_row(found, RelationGetDescr(relation), tuple);
		MemoryContextSwitchTo(old);
		MemoryContextReset(apart);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	MemoryContextDelete(apart);
}

static void
collect_unknown(RoleAlarms *found)
{
	const char *role_name;

	for (int i = 0; (role_name = esg_guc_exempt_role(i)) != NULL; i++)
	{
		if (!OidIsValid(get_role_oid(role_name, true)))
			add_role_alarm(found, ESG_EXEMPT_ROLE_UNKNOWN, role_name, NULL);
	}
}

void
esg_role_label_audit(void)
{
	RoleAlarms	found = {palloc(sizeof(EsgAlarm)), 0};

	collect_unsatisfiable(&found);
	collect_unknown(&found);
	esg_alarms_reconcile(ESG_SCOPE_LABELS, found.alarms, found.count, GetCurrentTimestamp());
	pfree(found.alarms);
}

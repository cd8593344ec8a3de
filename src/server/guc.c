/*
 * server/guc.c
 *		Settings: definitions, check hooks, parsed values.
 *
 * Lists are parsed once, in the check hook, into one block of memory that
 * guc.c keeps as the setting's "extra"; the assign hook only points to it.
 * Check hooks allocate nothing that outlives them, because the postmaster runs
 * them at every reload.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "compat.h"
#include "policy/setting_text.h"
#include "server/guc.h"
#include "server/guc_denied.h"
#include "server/guc_strict.h"
#include "x509/info.h"

#define DAYS(n) ((n) * 86400)

int			esg_guc_expire_alert_threshold = DAYS(90);
int			esg_guc_expire_critical_threshold = DAYS(7);
int			esg_guc_expire_check_interval = DAYS(1);
int			esg_guc_file_poll_interval = 60;
int			esg_guc_alarm_repeat_interval = DAYS(1);
int			esg_guc_max_validity = DAYS(825);
int			esg_guc_alarm_command_timeout = 30;
int			esg_guc_expire_alert_lifetime_percent = 25;
int			esg_guc_expire_critical_lifetime_percent = 10;
int			esg_guc_crl_alert_lifetime_percent = 5;
int			esg_guc_crl_critical_lifetime_percent = 2;
bool		esg_guc_learn_renewals = true;
bool		esg_guc_auto_reload = false;
bool		esg_guc_posture_check = true;
bool		esg_guc_self_probe = true;
int			esg_guc_min_security_bits = 112;
int			esg_guc_max_file_mode = 0644;
int			esg_guc_max_key_file_mode = 0600;
int			esg_guc_file_permission_check = ESG_MODE_WARN;
int			esg_guc_client_certificate_check = ESG_MODE_WARN;
int			esg_guc_identity_check = ESG_MODE_OFF;
int			esg_guc_role_label_check = ESG_MODE_ENFORCE;
int			esg_guc_session_check = ESG_MODE_OFF;
int			esg_guc_session_grace = 0;
bool		esg_guc_session_check_replication = false;
int			esg_guc_max_client_certificates = 1000;
int			esg_guc_max_transport_entries = 200;
bool		esg_guc_save_client_certificates = true;
char	   *esg_guc_alarm_command = NULL;
char	   *esg_guc_identity_map = NULL;
char	   *esg_guc_passphrase_directory = NULL;
const EsgSourceList *esg_guc_identity_sources = NULL;
const EsgDenyList *esg_guc_denied_certificates = NULL;
int			esg_guc_denied_mode = ESG_MODE_OFF;

/* Texts as written; guc.c owns them, the parsed form is what counts. */
static char *finding_overrides_text = NULL;
static char *extra_files_text = NULL;
static char *identity_sources_text = NULL;
static char *exempt_roles_text = NULL;
static char *denied_certificates_text = NULL;
static char *max_file_mode_text = NULL;
static char *max_key_file_mode_text = NULL;

/* As written, seconds; whole ones are what counts. */
static double expire_check_interval = 0;
static double file_poll_interval = 0;

/* A list of strings in one block: the strings follow each other in data. */
typedef struct EsgStringList
{
	int			count;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} EsgStringList;

static const signed char *active_overrides = NULL;

/* for what no setting says; made once */
static EsgPolicy default_policy;
static const EsgStringList *active_extra_files = NULL;
static const EsgStringList *active_exempt_roles = NULL;

static const struct config_enum_entry mode_options[] = {
	{"off", ESG_MODE_OFF, false},
	{"warn", ESG_MODE_WARN, false},
	{"enforce", ESG_MODE_ENFORCE, false},
	{NULL, 0, false}
};

static bool
check_finding_overrides(char **newval, void **extra, GucSource source)
{
	signed char *overrides = guc_malloc(LOG, sizeof(EsgOverrides));
	EsgSettingFault fault;

	if (overrides == NULL)
		return false;
	if (!esg_setting_text_overrides(*newval, overrides, &fault))
	{
		guc_free(overrides);
		GUC_check_errdetail("%s", fault.detail);
		if (fault.hint != NULL)
			GUC_check_errhint("%s", fault.hint);
		return false;
	}
	*extra = overrides;
	return true;
}

static void
assign_finding_overrides(const char *newval, void *extra)
{
	active_overrides = extra;
}

/* "cn", or "cn@FINGERPRINT" */
static bool
parse_source_entry(const char *item, size_t len, EsgSourceEntry *out)
{
	const char *at = memchr(item, '@', len);
	char		lower[16];

	memset(out, 0, sizeof(*out));
	if (!esg_setting_text_lower(item, at ? (size_t) (at - item) : len, lower, sizeof(lower)) ||
		!esg_identities_source_lookup(lower, strlen(lower), &out->source))
	{
		GUC_check_errdetail("Unknown identity source \"%.*s\".", (int) len, item);
		GUC_check_errhint("Valid values are \"cn\", \"dn\", \"dns\", \"email\", \"uri\", \"upn\", \"ip\", \"serial\" and \"fingerprint\", each with \"@\" and the fingerprint of a CA to count only under that CA.");
		return false;
	}
	out->has_ca = at != NULL;
	if (at != NULL && !esg_x509_info_fingerprint_parse(at + 1, item + len - (at + 1), out->ca))
	{
		GUC_check_errdetail("There is no fingerprint of a CA behind the \"@\" of identity source \"%.*s\".",
							(int) len, item);
		GUC_check_errhint("Give its SHA-256: 64 hexadecimal digits, with or without colons.");
		return false;
	}
	return true;
}

/* Does an entry say the same again, or, of any CA, what another binds to one? */
static bool
check_source_entry(const EsgSourceEntry *entry, const EsgSourceList *list)
{
	const char *name = esg_identities_source_name(entry->source);

	for (int i = 0; i < list->entry_count; i++)
	{
		const EsgSourceEntry *other = &list->entries[i];

		if (other->source != entry->source)
			continue;
		if (other->has_ca != entry->has_ca)
		{
			GUC_check_errdetail("Identity source \"%s\" is listed both with a CA and without.", name);
			return false;
		}
		if (memcmp(other->ca, entry->ca, sizeof(entry->ca)) == 0)
		{
			GUC_check_errdetail("Identity source \"%s\" is listed more than once%s.", name,
								entry->has_ca ? " with the same CA" : "");
			return false;
		}
	}
	return true;
}

static bool
add_source_entry(const char *item, size_t len, EsgSourceList *list)
{
	EsgSourceEntry entry;

	if (!parse_source_entry(item, len, &entry) || !check_source_entry(&entry, list))
		return false;
	if (list->entry_count == ESG_MAX_SOURCE_ENTRIES)
	{
		GUC_check_errdetail("There are more than %d identity sources.", ESG_MAX_SOURCE_ENTRIES);
		return false;
	}
	list->entries[list->entry_count++] = entry;
	if (memchr(list->sources, (int) entry.source, list->source_count) == NULL)
		list->sources[list->source_count++] = (unsigned char) entry.source;
	return true;
}

static bool
check_identity_sources(char **newval, void **extra, GucSource source)
{
	EsgSourceList *list;
	const char *rest = *newval;
	const char *item;
	size_t		len;

	if (esg_setting_text_is_blank(*newval))
	{
		GUC_check_errdetail("At least one identity source is needed.");
		return false;
	}
	list = guc_malloc(LOG, sizeof(EsgSourceList));
	if (list == NULL)
		return false;
	memset(list, 0, sizeof(*list));
	while (esg_setting_text_next(&rest, &item, &len))
	{
		if (!add_source_entry(item, len, list))
		{
			guc_free(list);
			return false;
		}
	}
	*extra = list;
	return true;
}

static void
assign_identity_sources(const char *newval, void *extra)
{
	esg_guc_identity_sources = extra;
}

/* Is text already in the packed list? */
static bool
string_list_has(const EsgStringList *list, const char *text)
{
	const char *entry = list->data;

	for (int i = 0; i < list->count; i++)
	{
		if (strcmp(entry, text) == 0)
			return true;
		entry += strlen(entry) + 1;
	}
	return false;
}

/* Packs a List of C strings, without repetitions, into a block for guc.c. */
static EsgStringList *
pack_strings(List *strings)
{
	size_t		size = offsetof(EsgStringList, data);
	EsgStringList *list;
	ListCell   *cell;
	char	   *next;

	foreach(cell, strings)
		size += strlen((char *) lfirst(cell)) + 1;
	list = guc_malloc(LOG, size + 1);
	if (list == NULL)
		return NULL;
	list->count = 0;
	next = list->data;
	foreach(cell, strings)
	{
		const char *text = lfirst(cell);
		size_t		len = strlen(text) + 1;

		if (string_list_has(list, text))
			continue;
		memcpy(next, text, len);
		next += len;
		list->count++;
	}
	return list;
}

/* One item as it is kept: its kind as a letter, then the path; palloc'd.  NULL: refused. */
static char *
keep_extra_file(const char *item)
{
	const char *path = item;
	EsgFileKind kind = esg_setting_text_take_kind(&path);
	char	   *kept;

	if (*path == '\0')
	{
		GUC_check_errdetail("There is no path in \"%s\".", item);
		return NULL;
	}
	if (strlen(path) >= MAXPGPATH)
	{
		GUC_check_errdetail("A path must be shorter than %d bytes.", MAXPGPATH);
		return NULL;
	}
	kept = psprintf("%c%s", 'A' + (int) kind, path);
	canonicalize_path(kept + 1);
	return kept;
}

/* False if the list cannot be used; then that has been said. */
static bool
parse_extra_files(const char *list, List **files)
{
	const char *rest = esg_setting_text_is_blank(list) ? NULL : list;
	size_t		size = strlen(list) + 1;
	char	   *item = palloc(size);

	while (rest != NULL)
	{
		bool		valid = esg_setting_text_next_path(&rest, item, size);
		char	   *kept = valid ? keep_extra_file(item) : NULL;

		if (!valid)
			GUC_check_errdetail("List syntax is invalid.");
		if (kept == NULL)
			return false;
		*files = lappend(*files, kept);
	}
	pfree(item);
	return true;
}

static bool
check_extra_files(char **newval, void **extra, GucSource source)
{
	List	   *files = NIL;

	if (parse_extra_files(*newval, &files))
		*extra = pack_strings(files);
	list_free_deep(files);
	return *extra != NULL;
}

static void
assign_extra_files(const char *newval, void *extra)
{
	active_extra_files = extra;
}

static bool
check_exempt_roles(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names = NIL;
	bool		valid = SplitIdentifierString(copy, ',', &names);

	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	else
		*extra = pack_strings(names);
	/* the names point into the copy */
	list_free(names);
	pfree(copy);
	return valid && *extra != NULL;
}

static void
assign_exempt_roles(const char *newval, void *extra)
{
	active_exempt_roles = extra;
}

static void
assign_denied_certificates(const char *newval, void *extra)
{
	esg_guc_denied_certificates = extra;
	esg_guc_denied_mode = extra != NULL ? ESG_MODE_ENFORCE : ESG_MODE_OFF;
}

/*
 * A file mode is always octal, with or without a leading zero.  An integer
 * setting would read "400" as decimal, which is mode 0620.
 */
static bool
check_file_mode(char **newval, void **extra, GucSource source)
{
	unsigned	mode;
	int		   *parsed;

	if (!esg_setting_text_mode(*newval, &mode))
	{
		GUC_check_errdetail("A file mode is an octal number from 0000 to 0777.");
		return false;
	}
	parsed = guc_malloc(LOG, sizeof(int));
	if (parsed == NULL)
		return false;
	*parsed = (int) mode;
	*extra = parsed;
	return true;
}

static void
assign_max_file_mode(const char *newval, void *extra)
{
	esg_guc_max_file_mode = *(const int *) extra;
}

static void
assign_max_key_file_mode(const char *newval, void *extra)
{
	esg_guc_max_key_file_mode = *(const int *) extra;
}

static const char *
show_mode(int mode)
{
	static char buf[8];

	snprintf(buf, sizeof(buf), "%04o", (unsigned) mode);
	return buf;
}

static const char *
show_max_file_mode(void)
{
	return show_mode(esg_guc_max_file_mode);
}

static const char *
show_max_key_file_mode(void)
{
	return show_mode(esg_guc_max_key_file_mode);
}

/* When a certificate or CRL is about to expire. */
static void
define_expiry_thresholds(void)
{
	/* How long before its end must somebody know? */
	DefineCustomIntVariable("ext_ssl_guard.expire_alert_threshold",
							"Warns when a certificate or CRL has less than this left.",
							"A certificate's share of lifetime caps it, see expire_alert_lifetime_percent.",
							&esg_guc_expire_alert_threshold,
							DAYS(90), DAYS(1), DAYS(3650),
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	/* From when on is it urgent? */
	DefineCustomIntVariable("ext_ssl_guard.expire_critical_threshold",
							"Raises a critical alarm when a certificate or CRL has less than this left.",
							"If it exceeds expire_alert_threshold, that value is used instead.",
							&esg_guc_expire_critical_threshold,
							DAYS(7), 0, DAYS(3650),
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	/* Short-lived certificates: which share of the lifetime is "soon"? */
	DefineCustomIntVariable("ext_ssl_guard.expire_alert_lifetime_percent",
							"Caps expire_alert_threshold at this percentage of a certificate's lifetime.",
							"100 switches the cap off.",
							&esg_guc_expire_alert_lifetime_percent,
							25, 1, 100,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ext_ssl_guard.expire_critical_lifetime_percent",
							"Caps expire_critical_threshold at this percentage of a certificate's lifetime.",
							"100 switches the cap off.",
							&esg_guc_expire_critical_lifetime_percent,
							10, 1, 100,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* The same for CRLs, one of which overlaps the next by hours only. */
static void
define_crl_thresholds(void)
{
	/* How late may the next issue be, before somebody must know? */
	DefineCustomIntVariable("ext_ssl_guard.crl_alert_lifetime_percent",
							"Caps expire_alert_threshold at this percentage of a CRL's lifetime.",
							"100 switches the cap off.",
							&esg_guc_crl_alert_lifetime_percent,
							5, 1, 100,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ext_ssl_guard.crl_critical_lifetime_percent",
							"Caps expire_critical_threshold at this percentage of a CRL's lifetime.",
							"100 switches the cap off.",
							&esg_guc_crl_critical_lifetime_percent,
							2, 1, 100,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Who renews is known after two renewals, if nobody sets thresholds for it. */
static void
define_learning(void)
{
	/*
	 * Is the warning to come when a renewal is late, rather than at a
	 * threshold?
	 */
	DefineCustomBoolVariable("ext_ssl_guard.learn_renewals",
							 "Learns from the renewals of each file when the next one is due.",
							 "A file that is renewed as it used to be is no warning, one that is not is renewal_overdue.",
							 &esg_guc_learn_renewals,
							 true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Who loads what was renewed. */
static void
define_auto_reload(void)
{
	/* May the server be reloaded by itself, if nothing else would change? */
	DefineCustomBoolVariable("ext_ssl_guard.auto_reload",
							 "Reloads the server when its TLS files have been renewed.",
							 "What is worse than what is in service is not loaded, which is an alarm. Needs file_poll_interval.",
							 &esg_guc_auto_reload,
							 false,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* What else than files is judged. */
static void
define_posture(void)
{
	/* Is somebody to be told of weak settings and rules of the server? */
	DefineCustomBoolVariable("ext_ssl_guard.posture_check",
							 "Raises alarms about the server's TLS settings and pg_hba.conf.",
							 "The views of them answer in any case.",
							 &esg_guc_posture_check,
							 true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Whole seconds; what is less than one would be 0, which means something else. */
static bool
check_interval(double *newval, void **extra, GucSource source)
{
	if (*newval > 0 && *newval < 1)
	{
		GUC_check_errdetail("The shortest interval is 1s.");
		return false;
	}
	*newval = rint(*newval);
	return true;
}

static void
assign_expire_check_interval(double newval, void *extra)
{
	esg_guc_expire_check_interval = (int) newval;
}

static void
assign_file_poll_interval(double newval, void *extra)
{
	esg_guc_file_poll_interval = (int) newval;
}

/* How often the worker looks, and how often a standing alarm is repeated. */
static void
define_intervals(void)
{
	/*
	 * How old may the last full check be, of whatever kind of finding?  Kept
	 * as a fraction, so that less than a second is not taken for 0.
	 */
	DefineCustomRealVariable("ext_ssl_guard.expire_check_interval",
							 "Time between two full checks of all that is checked, not of expiry alone.",
							 "0 checks when something happens: at server start, at reload, when a file changes, and when a threshold or an end is reached.",
							 &expire_check_interval,
							 DAYS(1), 0, DAYS(365),
							 PGC_SIGHUP, GUC_UNIT_S,
							 check_interval, assign_expire_check_interval, NULL);
	/* How soon must a changed file be noticed? */
	DefineCustomRealVariable("ext_ssl_guard.file_poll_interval",
							 "Time between two looks at whether a TLS file has changed.",
							 "0 switches the looks off.",
							 &file_poll_interval,
							 60, 0, DAYS(1),
							 PGC_SIGHUP, GUC_UNIT_S,
							 check_interval, assign_file_poll_interval, NULL);
	/* How often should the log remind of an unmended fault? */
	DefineCustomIntVariable("ext_ssl_guard.alarm_repeat_interval",
							"Time after which a standing alarm is logged again.",
							"An alarm is repeated by the first check after this time.",
							&esg_guc_alarm_repeat_interval,
							DAYS(1), 1, DAYS(365),
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

/* What clients are really shown. */
static void
define_probe(void)
{
	/*
	 * May the worker connect to the server to see it?  Each time is a line in
	 * the log where "log_connections" wants one.
	 */
	DefineCustomBoolVariable("ext_ssl_guard.self_probe",
							 "Looks at the server's certificate by a TLS handshake with its own port.",
							 "At each full check and after each reload; no session comes of it.",
							 &esg_guc_self_probe,
							 true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Who is told of alarms, besides the log. */
static void
define_alarm_command(void)
{
	/*
	 * Which program carries an alarm to a person?  Its text may hold a
	 * secret, the address of a webhook.
	 */
	DefineCustomStringVariable("ext_ssl_guard.alarm_command",
							   "Shell command that is run for raised, escalated and cleared alarms.",
							   "The worst alarm is in its environment, all of them are on its standard input.",
							   &esg_guc_alarm_command,
							   "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	/* How long may it take? */
	DefineCustomIntVariable("ext_ssl_guard.alarm_command_timeout",
							"Time after which the alarm command is ended.",
							NULL,
							&esg_guc_alarm_command_timeout,
							30, 1, 3600,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

/* What is good enough, and which findings count. */
static void
define_policy(void)
{
	/* How strong must keys and digests be? */
	DefineCustomIntVariable("ext_ssl_guard.min_security_bits",
							"Least strength of keys and digests, in bits after NIST SP 800-57.",
							"112 stands for RSA with 2048 bits, 128 for RSA with 3072 bits or a 256-bit curve.",
							&esg_guc_min_security_bits,
							112, 0, 256,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* How long may a certificate live? */
	DefineCustomIntVariable("ext_ssl_guard.max_validity",
							"Longest lifetime of a server or client certificate before it is noted.",
							"Counted in its own unit: 825d is exceeded by 826 days. 0 switches the check off.",
							&esg_guc_max_validity,
							DAYS(825), 0, DAYS(18250),
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	/* Which findings matter less, or more, here? */
	DefineCustomStringVariable("ext_ssl_guard.finding_overrides",
							   "Gives single findings another severity.",
							   "A comma-separated list of code=severity, where severity is off, notice, warning or critical.",
							   &finding_overrides_text,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_finding_overrides, assign_finding_overrides, NULL);
}

/* Files: who may read and write them, and which there are. */
static void
define_file_settings(void)
{
	/* Is a badly protected file worth a refusal? */
	DefineCustomEnumVariable("ext_ssl_guard.file_permission_check",
							 "What to do when mode or owner of a TLS file breaks the policy.",
							 "off ignores it, warn raises an alarm, enforce also refuses TLS connections.",
							 &esg_guc_file_permission_check,
							 ESG_MODE_WARN, mode_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* Who may read and write certificates? */
	DefineCustomStringVariable("ext_ssl_guard.max_file_mode",
							   "Most permissions a certificate, CA or CRL file may have, in octal.",
							   NULL,
							   &max_file_mode_text,
							   "0644",
							   PGC_SIGHUP, 0,
							   check_file_mode, assign_max_file_mode, show_max_file_mode);
	/* Who may read and write keys? */
	DefineCustomStringVariable("ext_ssl_guard.max_key_file_mode",
							   "Most permissions a private key or passphrase file may have, in octal.",
							   "A key owned by root may also have 0640, unless this is stricter than 0600.",
							   &max_key_file_mode_text,
							   "0600",
							   PGC_SIGHUP, 0,
							   check_file_mode, assign_max_key_file_mode, show_max_key_file_mode);
	/* Which files of other programs should be watched, too? */
	DefineCustomStringVariable("ext_ssl_guard.extra_files",
							   "Further certificate, key, CA and CRL files to watch.",
							   "A comma-separated list of paths, each with server:, client:, ca:, crl: or key: before it if it is to be judged as such.",
							   &extra_files_text,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_extra_files, assign_extra_files, NULL);
	/* Where is the protected passphrase of the key? */
	DefineCustomStringVariable("ext_ssl_guard.passphrase_directory",
							   "Directory of server.key.cipher and server.key.rand.",
							   "Empty stands for the directory of ssl_key_file.",
							   &esg_guc_passphrase_directory,
							   "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Logins: what is asked of client certificates. */
static void
define_login_checks(void)
{
	/* Is a bad client certificate worth a refusal? */
	DefineCustomEnumVariable("ext_ssl_guard.client_certificate_check",
							 "What to do about faults of a client's certificate.",
							 "off ignores them, warn raises an alarm, enforce also refuses the connection.",
							 &esg_guc_client_certificate_check,
							 ESG_MODE_WARN, mode_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* Must a certificate name the role that logs in with it? */
	DefineCustomEnumVariable("ext_ssl_guard.identity_check",
							 "What to do when a client's certificate does not name its role.",
							 "Looks at connections over hostssl lines with clientcert or the cert method.",
							 &esg_guc_identity_check,
							 ESG_MODE_OFF, mode_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* Do certificate requirements of roles hold? */
	DefineCustomEnumVariable("ext_ssl_guard.role_label_check",
							 "What to do when a role's SECURITY LABEL is not satisfied.",
							 "off ignores it, warn raises an alarm, enforce refuses the connection.",
							 &esg_guc_role_label_check,
							 ESG_MODE_ENFORCE, mode_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* Who must always get in? */
	DefineCustomStringVariable("ext_ssl_guard.exempt_roles",
							   "Roles whose connections are never refused.",
							   "A comma-separated list of role names, as in SQL: quote those with upper-case letters.",
							   &exempt_roles_text,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_exempt_roles, assign_exempt_roles, NULL);
}

/* Who must not get in, and whose CA has not said so yet. */
static void
define_deny_list(void)
{
	/* Whose key is in the wrong hands? */
	DefineCustomStringVariable("ext_ssl_guard.denied_certificates",
							   "Client certificates that are refused at login, whatever the other settings.",
							   "A comma-separated list of SHA-256 fingerprints, or of serial numbers in hexadecimal, each with @ and the fingerprint of the issuer's certificate.",
							   &denied_certificates_text,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   esg_guc_denied_check, assign_denied_certificates, NULL);
}

/* Open sessions, whose certificates were good once. */
static void
define_session_settings(void)
{
	/* May a session go on whose certificate would not let it in any more? */
	DefineCustomEnumVariable("ext_ssl_guard.session_check",
							 "What to do about open sessions whose client certificate is no longer good.",
							 "off ignores it, warn raises an alarm, enforce ends the session.",
							 &esg_guc_session_check,
							 ESG_MODE_OFF, mode_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* How long may it go on, to finish what it does? */
	DefineCustomIntVariable("ext_ssl_guard.session_grace",
							"Time that a session has before it is ended.",
							"Counted from the end of its certificate, or from when the server knew that it is revoked or denied.",
							&esg_guc_session_grace,
							0, 0, DAYS(365),
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	/* Is a standby to lose its primary over that? */
	DefineCustomBoolVariable("ext_ssl_guard.session_check_replication",
							 "Ends replication connections, too.",
							 "Without it, session_check only raises alarms about them.",
							 &esg_guc_session_check_replication,
							 false,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Identities: what in a certificate names a role. */
static void
define_identity_settings(void)
{
	/* Which values of a certificate can be trusted to name somebody? */
	DefineCustomStringVariable("ext_ssl_guard.identity_sources",
							   "Parts of a client certificate that can name a role, in order.",
							   "A comma-separated list out of cn, dn, dns, email, uri, upn, ip, serial, fingerprint. With @ and the SHA-256 of a CA's certificate behind it, one counts only under that CA.",
							   &identity_sources_text,
							   "cn",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_identity_sources, assign_identity_sources, NULL);
	/* How do they translate to roles? */
	DefineCustomStringVariable("ext_ssl_guard.identity_map",
							   "Map in pg_ident.conf that translates identities to roles.",
							   "Without one, an identity must equal the role's name.",
							   &esg_guc_identity_map,
							   "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* The registry of client certificates. */
static void
define_registry_settings(void)
{
	/*
	 * How many (certificate, role) pairs are remembered?  The number sizes
	 * shared memory.  A session that loads the library by itself has none and
	 * may not define a setting that is fixed at start.
	 */
	DefineCustomIntVariable("ext_ssl_guard.max_client_certificates",
							"Number of client certificates that are remembered.",
							"When there are more, the one not seen for the longest time is forgotten.",
							&esg_guc_max_client_certificates,
							1000, 10, 100000,
							process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP,
							0, NULL, NULL, NULL);

	/*
	 * How many ways to come, of all roles together?  It sizes shared memory,
	 * too.
	 */
	DefineCustomIntVariable("ext_ssl_guard.max_transport_entries",
							"Number of combinations of role, transport, TLS version, cipher, client certificate and authentication method whose logins are counted.",
							"When there are more, the one not seen for the longest time is forgotten.",
							&esg_guc_max_transport_entries,
							200, 10, 10000,
							process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP,
							0, NULL, NULL, NULL);
	/* Should they survive a restart? */
	DefineCustomBoolVariable("ext_ssl_guard.save_client_certificates",
							 "Keeps the client certificates seen over a restart of the server.",
							 NULL,
							 &esg_guc_save_client_certificates,
							 true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

void
esg_guc_init(void)
{
	esg_guc_strict_remember();
	esg_policy_defaults(&default_policy);
	define_expiry_thresholds();
	define_crl_thresholds();
	define_learning();
	define_auto_reload();
	define_posture();
	define_intervals();
	define_probe();
	define_alarm_command();
	define_policy();
	define_file_settings();
	define_login_checks();
	define_deny_list();
	define_session_settings();
	define_identity_settings();
	define_registry_settings();
	MarkGUCPrefixReserved("ext_ssl_guard");
	esg_guc_strict_insist();
}

/* The n-th string of a packed list, NULL beyond its end. */
static const char *
string_list_nth(const EsgStringList *list, int n)
{
	const char *entry;

	if (list == NULL || n < 0 || n >= list->count)
		return NULL;
	entry = list->data;
	while (n-- > 0)
		entry += strlen(entry) + 1;
	return entry;
}

int
esg_guc_extra_file_count(void)
{
	return active_extra_files ? active_extra_files->count : 0;
}

const char *
esg_guc_extra_file(int n, EsgFileKind *kind)
{
	const char *kept = string_list_nth(active_extra_files, n);

	*kind = ESG_FILE_EXTRA;
	if (kept == NULL)
		return NULL;
	*kind = (EsgFileKind) (kept[0] - 'A');
	return kept + 1;
}

const char *
esg_guc_exempt_role(int n)
{
	return string_list_nth(active_exempt_roles, n);
}

bool
esg_guc_is_exempt_role(const char *role_name)
{
	return active_exempt_roles != NULL && string_list_has(active_exempt_roles, role_name);
}

void
esg_guc_policy(EsgPolicy *out)
{
	*out = default_policy;
	out->alert_threshold = esg_guc_expire_alert_threshold;
	out->critical_threshold = Min(esg_guc_expire_critical_threshold,
								  esg_guc_expire_alert_threshold);
	out->alert_lifetime_percent = esg_guc_expire_alert_lifetime_percent;
	out->critical_lifetime_percent = esg_guc_expire_critical_lifetime_percent;
	out->crl_alert_lifetime_percent = esg_guc_crl_alert_lifetime_percent;
	out->crl_critical_lifetime_percent = esg_guc_crl_critical_lifetime_percent;
	out->min_security_bits = esg_guc_min_security_bits;
	out->max_validity = esg_guc_max_validity;
	out->max_file_mode = esg_guc_max_file_mode;
	out->max_key_file_mode = esg_guc_max_key_file_mode;
	out->server_uid = geteuid();
	if (active_overrides != NULL)
		memcpy(out->overrides, active_overrides, sizeof(out->overrides));
}

bool
esg_guc_thresholds_crossed(void)
{
	static int	told_alert = -1;
	static int	told_critical = -1;

	if (esg_guc_expire_critical_threshold <= esg_guc_expire_alert_threshold)
	{
		told_alert = told_critical = -1;
		return false;
	}
	if (told_alert == esg_guc_expire_alert_threshold &&
		told_critical == esg_guc_expire_critical_threshold)
		return false;
	told_alert = esg_guc_expire_alert_threshold;
	told_critical = esg_guc_expire_critical_threshold;
	return true;
}

/* sources: policy/findings x509/cut_text */
/*
 * test_findings.c
 *		The table of findings, and lists of them.
 */
#include <ctype.h>

#include "esg_test.h"
#include "policy/findings.h"

#define KNOWN_PLACES (ESG_PLACE_ALL_CERTS | ESG_PLACE_CRL | ESG_PLACE_FILE | ESG_PLACE_SERVER)

/* at most one "%s", no other conversion */
static bool
has_good_format(const char *message)
{
	const char *percent = strchr(message, '%');

	return percent == NULL ||
		(percent[1] == 's' && strchr(percent + 1, '%') == NULL);
}

static bool
is_lower_snake(const char *name)
{
	return name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name);
}

static void
is_hint(const char *hint, const char *name)
{
	size_t		len = strlen(hint);

	ok(len > 0 && len < 300 && strchr(hint, '%') == NULL &&
	   isupper((unsigned char) hint[0]) && hint[len - 1] == '.', "%s: the hint is a sentence", name);
}

/* Who looks for a finding meets what can have it. */
static void
test_finder(const EsgFindingDef *def)
{
	static const unsigned places[] = {
		[ESG_BY_NOBODY] = ESG_PLACE_SERVER,
		[ESG_BY_CERTIFICATE] = ESG_PLACE_ALL_CERTS,
		[ESG_BY_CHAIN] = ESG_PLACE_ALL_CERTS | ESG_PLACE_FILE,
		[ESG_BY_CRL] = ESG_PLACE_CRL | ESG_PLACE_CA,
		[ESG_BY_CERTIFICATE_AND_CRL] = ESG_PLACE_ALL_CERTS | ESG_PLACE_CRL,
		[ESG_BY_FILE] = ESG_PLACE_FILE,
		[ESG_BY_SERVER] = ESG_PLACE_FILE | ESG_PLACE_SERVER,
		[ESG_BY_AUDIT] = ESG_PLACE_FILE | ESG_PLACE_SERVER | ESG_PLACE_LEAF,
		[ESG_BY_LOGIN] = ESG_PLACE_SERVER | ESG_PLACE_CLIENT,
	};

	ok((def->places & ~places[def->finder]) == 0, "%s: places and finder go together", def->name);
}

/* never of an extra file, or about the server's own */
static bool
is_about_server(EsgCode code)
{
	return code == ESG_PASSPHRASE_UNUSABLE || code == ESG_CRL_NOT_HASHED || code == ESG_CRL_MISSING ||
		code == ESG_CRL_REVOKES_OWN || code == ESG_CRL_UNKNOWN_ISSUER || code == ESG_CRL_UNUSABLE ||
		code == ESG_PUBLIC_ROOT_STORE || code == ESG_FILE_NOT_RELOADED || code == ESG_AUTO_RELOAD_REFUSED ||
		code == ESG_HOSTS_FILE_UNUSABLE || code == ESG_HOST_NAME_NOT_COVERED ||
		(code >= ESG_HBA_PLAINTEXT && code <= ESG_IDENT_UNANCHORED);
}

/* No remedy speaks of a reload where none helps, or of a setting that does not name the file. */
static void
test_extra_hint(const EsgFindingDef *def)
{
	const char *hint = esg_findings_hint(def->code, "ext_ssl_guard.extra_files");

	is_text(esg_findings_hint(def->code, "ssl_cert_file"), def->hint, def->name);
	is_text(hint, def->extra_hint != NULL ? def->extra_hint : def->hint, def->name);
	if (!(def->places & ~(unsigned) ESG_PLACE_SERVER) || is_about_server(def->code))
		return;
	ok(strstr(hint, "reload") == NULL, "%s of an extra file: no reload", def->name);
	ok(strstr(hint, "\"ssl_") == NULL, "%s of an extra file: no setting of the server's", def->name);
}

static void
test_hints(void)
{
	ok(strstr(esg_findings_hint(ESG_FILE_MISSING, "ssl_crl_file"), "reload") != NULL,
	   "without ssl_crl_file a reload fails");
	ok(strstr(esg_findings_hint(ESG_FILE_MISSING, "ssl_crl_dir"), "reload") == NULL,
	   "without ssl_crl_dir none does");
	is_text(esg_findings_hint(ESG_NO_FINDING, "ssl_cert_file"), "", "no hint for no finding");
	is_text(esg_findings_client_hint(ESG_NO_FINDING), "", "nor for a client");
	ok(strstr(esg_findings_client_hint(ESG_EXPIRES_SOON), "reload") == NULL,
	   "a client's certificate is nothing that the server loads");
	is_text(esg_findings_client_hint(ESG_WEAK_KEY), esg_findings_def(ESG_WEAK_KEY)->hint,
			"most hints are for clients, too");
}

/*
 * A client's certificate and the intermediates it presents are one list to the
 * login: what refuses in one place refuses in the other.
 */
static void
test_client_chain(void)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		const EsgFindingDef *def = esg_findings_def((EsgCode) code);

		if ((def->places & ESG_PLACE_CLIENT_CHAIN) == ESG_PLACE_CLIENT_CHAIN)
			ok(((def->enforced & ESG_PLACE_CLIENT) != 0) == ((def->enforced & ESG_PLACE_CHAIN) != 0),
			   "%s refuses for both or none", def->name);
	}
}

static void
test_places(void)
{
	is_text(esg_findings_place_name(ESG_PLACE_LEAF), "server", "first place");
	is_text(esg_findings_place_name(ESG_PLACE_SERVER), "running", "last place");
	is_text(esg_findings_place_name(ESG_PLACE_CLIENT_CHAIN), "", "two places have no name");
	is_text(esg_findings_place_name(ESG_PLACE_NONE), "", "no place");
}

static void
test_row(EsgCode code)
{
	const EsgFindingDef *def = esg_findings_def(code);
	char		sqlstate[16];
	size_t		len;

	if (!ok(def != NULL && def->code == code && def->name != NULL, "row %d is there", code))
		return;
	snprintf(sqlstate, sizeof(sqlstate), "SG%03d", (int) code);
	is_text(def->sqlstate, sqlstate, def->name);
	ok(is_lower_snake(def->name), "%s is a name", def->name);
	ok(esg_findings_lookup(def->name, strlen(def->name)) == def, "%s is unique", def->name);
	ok(def->severity > ESG_OK && def->severity <= ESG_CRITICAL, "%s has a severity", def->name);
	ok((def->alt_places == 0) == (def->alt_severity == ESG_OK),
	   "%s: places and severity go together", def->name);
	ok((def->alt_places & ~def->places) == 0, "%s: the other severity is for its places", def->name);
	ok(def->places != 0 && (def->places & ~(unsigned) KNOWN_PLACES) == 0, "%s has places", def->name);
	ok((def->enforced & ~def->places) == 0, "%s is enforced only for its places", def->name);
	len = strlen(def->message);
	ok(len > 0 && len < 200 && has_good_format(def->message), "%s has a message", def->name);
	ok(islower((unsigned char) def->message[0]) && def->message[len - 1] != '.',
	   "%s: the message is in core's voice", def->name);
	is_hint(def->hint, def->name);
	if (def->extra_hint != NULL)
		is_hint(def->extra_hint, def->name);
	if (def->crl_dir_hint != NULL)
		is_hint(def->crl_dir_hint, def->name);
	test_finder(def);
	test_extra_hint(def);
}

/* What FINDINGS.md says of severities and of enforcing, where it is not plain. */
static const struct
{
	EsgCode		code;
	EsgPlace		place;
	EsgSeverity severity;
	bool		enforced;
}			gradings[] = {
	{ESG_WEAK_SIGNATURE, ESG_PLACE_LEAF, ESG_CRITICAL, true},
	{ESG_WEAK_SIGNATURE, ESG_PLACE_CLIENT, ESG_CRITICAL, true},
	{ESG_BAD_SIGNATURE, ESG_PLACE_LEAF, ESG_CRITICAL, false},
	{ESG_UNUSABLE_KEY, ESG_PLACE_CLIENT, ESG_CRITICAL, true},
	{ESG_UNUSABLE_KEY, ESG_PLACE_CA, ESG_WARNING, false},
	{ESG_EXPIRED, ESG_PLACE_CLIENT, ESG_CRITICAL, true},
	{ESG_EXPIRED, ESG_PLACE_CA, ESG_WARNING, false},
	{ESG_EXPIRES_VERY_SOON, ESG_PLACE_CLIENT, ESG_CRITICAL, false},
	{ESG_MULTIPLE_COMMON_NAMES, ESG_PLACE_LEAF, ESG_NOTICE, false},
	{ESG_MULTIPLE_COMMON_NAMES, ESG_PLACE_CLIENT, ESG_WARNING, false},
	{ESG_MALFORMED_NAME, ESG_PLACE_CA, ESG_NOTICE, false},
	{ESG_MALFORMED_NAME, ESG_PLACE_CLIENT, ESG_WARNING, false},
	{ESG_WRONG_PURPOSE, ESG_PLACE_LEAF, ESG_CRITICAL, false},
	{ESG_WRONG_PURPOSE, ESG_PLACE_CLIENT, ESG_CRITICAL, true},
	{ESG_UNKNOWN_CRITICAL_EXTENSION, ESG_PLACE_CLIENT, ESG_CRITICAL, false},
	{ESG_CRL_EXPIRED, ESG_PLACE_CRL, ESG_CRITICAL, false},
	{ESG_FILE_MISSING, ESG_PLACE_FILE, ESG_CRITICAL, true},
	{ESG_FILE_NOT_REGULAR, ESG_PLACE_FILE, ESG_CRITICAL, true},
	{ESG_PERMISSIONS_TOO_OPEN, ESG_PLACE_FILE, ESG_CRITICAL, true},
	{ESG_DIRECTORY_WRITABLE, ESG_PLACE_FILE, ESG_WARNING, false},
};

static void
test_gradings(void)
{
	size_t		i;

	for (i = 0; i < sizeof(gradings) / sizeof(gradings[0]); i++)
	{
		const EsgFindingDef *def = esg_findings_def(gradings[i].code);

		ok(esg_findings_severity(gradings[i].code, gradings[i].place, NULL) ==
		   gradings[i].severity, "%s for place %d is %s", def->name, gradings[i].place,
		   esg_findings_severity_name(gradings[i].severity));
		ok(((def->enforced & gradings[i].place) != 0) == gradings[i].enforced,
		   "%s for place %d is %senforced", def->name, gradings[i].place,
		   gradings[i].enforced ? "" : "not ");
	}
	ok(strstr(esg_findings_def(ESG_CRL_UNKNOWN_ISSUER)->hint, "emove") == NULL,
	   "clients may need the CRL of a CA that is not known here");
}

static void
test_names(void)
{
	EsgSeverity severity;

	ok(esg_findings_def(ESG_NO_FINDING) == NULL, "no row for no finding");
	ok(esg_findings_def(ESG_CODE_COUNT) == NULL, "no row behind the last");
	ok(esg_findings_lookup("expire", 6) == NULL, "no code by a part of its name");
	ok(esg_findings_lookup("expired_", 8) == NULL, "no code by a longer name");
	ok(esg_findings_lookup("expired,x", 7) == esg_findings_def(ESG_EXPIRED), "a name in a list");
	ok(esg_findings_severity_parse("off", 3, &severity) && severity == ESG_OK, "off");
	ok(esg_findings_severity_parse("notice", 6, &severity) && severity == ESG_NOTICE, "notice");
	ok(esg_findings_severity_parse("critical x", 8, &severity) && severity == ESG_CRITICAL,
	   "critical");
	ok(!esg_findings_severity_parse("ok", 2, &severity), "ok is no severity to set");
	ok(!esg_findings_severity_parse("", 0, &severity), "nothing is no severity");
	is_text(esg_findings_severity_name(ESG_OK), "ok", "name of ok");
	is_text(esg_findings_severity_name(ESG_WARNING), "warning", "name of warning");
}

/* A remark, as a check makes it. */
static bool
add(EsgFindings *list, EsgCode code, EsgPlace place, const EsgOverrides overrides, const char *detail)
{
	EsgRemark	remark;

	if (!esg_remark_start(&remark, code, place))
		return false;
	esg_remark_say(&remark, "%s", detail);
	return esg_findings_add(list, &remark, overrides);
}

/* The same with a severity of its own. */
static bool
add_graded(EsgFindings *list, EsgCode code, EsgSeverity severity, const EsgOverrides overrides)
{
	EsgRemark	remark;

	if (!esg_remark_start(&remark, code, ESG_PLACE_LEAF))
		return false;
	remark.severity = severity;
	return esg_findings_add(list, &remark, overrides);
}

static void
test_remarks(void)
{
	EsgRemark	remark;
	int			i;

	ok(esg_remark_start(&remark, ESG_EXPIRED, ESG_PLACE_CA) && remark.severity == ESG_WARNING &&
	   remark.detail[0] == '\0', "a remark starts with the table's severity and nothing said");
	ok(!esg_remark_start(&remark, ESG_EXPIRED, ESG_PLACE_CRL), "no place for it");
	ok(!esg_remark_start(&remark, ESG_NO_ALT_NAME, ESG_PLACE_CLIENT_CHAIN) &&
	   !esg_remark_start(&remark, ESG_WRONG_PURPOSE, ESG_PLACE_CLIENT_CHAIN) &&
	   esg_remark_start(&remark, ESG_WEAK_KEY, ESG_PLACE_CLIENT_CHAIN), "both places or none");
	esg_remark_list(&remark, "one");
	esg_remark_list(&remark, "two");
	is_text(remark.detail, "one, two", "a list");
	for (i = 0; i < 100; i++)
		esg_remark_list(&remark, "three");
	ok(strlen(remark.detail) == sizeof(remark.detail) - 1, "no more than there is room for");
}

static void
test_list(void)
{
	EsgFindings list = {0};
	EsgOverrides overrides;

	memset(overrides, -1, sizeof(overrides));
	overrides[ESG_DSA_KEY] = ESG_OK;
	overrides[ESG_ODD_SERIAL] = ESG_CRITICAL;
	overrides[ESG_CA_AS_LEAF] = ESG_CRITICAL;
	ok(esg_findings_worst(&list) == ESG_OK, "an empty list is ok");
	ok(add(&list, ESG_NO_ALT_NAME, ESG_PLACE_LEAF, overrides, ""), "notice");
	ok(add(&list, ESG_EXPIRED, ESG_PLACE_LEAF, overrides, "5 days"), "critical");
	ok(!add(&list, ESG_DSA_KEY, ESG_PLACE_LEAF, overrides, ""), "switched off");
	ok(add(&list, ESG_ODD_SERIAL, ESG_PLACE_LEAF, overrides, "zero"), "regraded");
	ok(add_graded(&list, ESG_CA_AS_LEAF, ESG_NOTICE, overrides),
	   "graded by the check, and by the administrator");
	ok(add_graded(&list, ESG_WEAK_KEY, ESG_NOTICE, NULL), "graded, no detail");
	ok(!add(&list, ESG_CODE_COUNT, ESG_PLACE_LEAF, NULL, ""), "no such code");
	is_int(list.count, 5, "five are there");
	ok(!esg_findings_has(&list, ESG_DSA_KEY) && esg_findings_has(&list, ESG_EXPIRED), "has");
	ok(esg_findings_worst(&list) == ESG_CRITICAL, "worst");
	esg_findings_sort(&list);
	ok(list.items[0].code == ESG_EXPIRED && list.items[1].code == ESG_CA_AS_LEAF &&
	   list.items[2].code == ESG_ODD_SERIAL && list.items[3].code == ESG_WEAK_KEY &&
	   list.items[4].code == ESG_NO_ALT_NAME, "worst first, then by number");
	is_text(list.items[0].detail, "5 days", "detail");
	is_text(list.items[3].detail, "", "no detail");
	ok(add(&list, ESG_WEAK_KEY, ESG_PLACE_LEAF, NULL, "again"), "once more");
	is_int(list.count, 5, "a code is there once");
	ok(list.items[3].severity == ESG_CRITICAL, "with the worse severity");
	esg_findings_free(&list);
	ok(list.count == 0 && list.items == NULL && !list.out_of_memory, "empty again");
}

/* length of the detail that len times "x" and then tail make */
static void
test_cut(size_t len, const char *tail, size_t want_len, const char *want_tail)
{
	char		text[1024];
	EsgFindings list = {0};
	const char *detail;

	memset(text, 'x', len);
	snprintf(text + len, sizeof(text) - len, "%s", tail);
	add(&list, ESG_EXPIRED, ESG_PLACE_LEAF, NULL, text);
	detail = list.items[0].detail;
	is_int((long long) strlen(detail), (long long) want_len, "length of a long detail");
	is_text(detail + strlen(detail) - strlen(want_tail), want_tail, "end of a long detail");
	esg_findings_free(&list);
}

int
main(void)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
		test_row((EsgCode) code);
	test_gradings();
	test_names();
	test_hints();
	test_client_chain();
	test_places();
	test_remarks();
	test_list();
	test_cut(256, "", 256, "xxxx");
	test_cut(257, "", 256, "xx...");
	test_cut(900, "", 256, "xx...");
	test_cut(252, "\xc3\xbc\xc3\xbc\xc3\xbc", 255, "xx...");	/* no room for the first */
	test_cut(251, "\xc3\xbc\xc3\xbc\xc3\xbc", 256, "x\xc3\xbc...");
	test_cut(250, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 253, "xx...");
	return done();
}

/*
 * covered.h
 *		Which test shows which finding, and the count of what it showed.
 *
 * A test asserts with shows() and lacks() and ends with check_coverage(), which
 * fails for a code of its own that was not both shown and, in a twin, absent.
 * test_findings checks that every code belongs to somebody.
 */
#ifndef COVERED_H
#define COVERED_H

#include <string.h>

#include "esg_test.h"
#include "policy/findings.h"

/* "policy" is t/unit/test_policy.c; "TAP" needs files or a server. */
static const char *const covered_by[ESG_CODE_COUNT] = {
	[ESG_WEAK_SIGNATURE] = "policy",
	[ESG_UNKNOWN_SIGNATURE] = "policy",
	[ESG_BAD_PSS_PARAMETERS] = "policy",
	[ESG_SIGNATURE_ALGORITHM_MISMATCH] = "policy",
	[ESG_BAD_SIGNATURE] = "policy_chain",
	[ESG_WEAK_ISSUER_KEY] = "policy_chain",
	[ESG_SCRAM_INCOMPATIBLE_SIGNATURE] = "policy",
	[ESG_WEAK_KEY] = "policy",
	[ESG_BROKEN_KEY] = "policy",
	[ESG_EXPLICIT_EC_PARAMETERS] = "policy",
	[ESG_UNUSABLE_KEY] = "policy",
	[ESG_DSA_KEY] = "policy",
	[ESG_SMALL_EXPONENT] = "policy",
	[ESG_UNCOMMON_CURVE] = "policy",
	[ESG_SHARED_CA_KEY] = "policy_chain",
	[ESG_EXPIRED] = "policy",
	[ESG_EXPIRES_VERY_SOON] = "policy",
	[ESG_EXPIRES_SOON] = "policy",
	[ESG_NOT_YET_VALID] = "policy",
	[ESG_INVALID_TIME] = "policy",
	[ESG_VALIDITY_REVERSED] = "policy",
	[ESG_VALIDITY_TOO_LONG] = "policy",
	[ESG_OUTLIVES_ISSUER] = "policy_chain",
	[ESG_NO_ALT_NAME] = "policy",
	[ESG_MULTIPLE_COMMON_NAMES] = "policy",
	[ESG_NUL_IN_NAME] = "policy",
	[ESG_MALFORMED_NAME] = "policy",
	[ESG_CA_AS_LEAF] = "policy",
	[ESG_SELF_SIGNED_SERVER] = "policy",
	[ESG_WRONG_PURPOSE] = "policy",
	[ESG_KEY_USAGE_MISMATCH] = "policy",
	[ESG_UNKNOWN_CRITICAL_EXTENSION] = "policy",
	[ESG_MALFORMED_EXTENSION] = "policy",
	[ESG_ODD_SERIAL] = "policy",
	[ESG_MUST_STAPLE] = "policy",
	[ESG_CHAIN_OUT_OF_ORDER] = "policy_chain",
	[ESG_LEAF_NOT_FIRST] = "policy_chain",
	[ESG_CHAIN_INCOMPLETE] = "policy_chain",
	[ESG_ROOT_IN_CHAIN] = "policy_chain",
	[ESG_DUPLICATE_CERTIFICATE] = "policy_chain",
	[ESG_UNRELATED_CERTIFICATE] = "policy_chain",
	[ESG_NOT_A_CA] = "policy_chain",
	[ESG_PUBLIC_ROOT_STORE] = "policy_chain",
	[ESG_CRL_EXPIRED] = "policy_crl",
	[ESG_CRL_EXPIRES_VERY_SOON] = "policy_crl",
	[ESG_CRL_EXPIRES_SOON] = "policy_crl",
	[ESG_CRL_NOT_YET_VALID] = "policy_crl",
	[ESG_CRL_MISSING] = "policy_crl",
	[ESG_CRL_BAD_SIGNATURE] = "policy_crl",
	[ESG_CRL_UNKNOWN_ISSUER] = "policy_crl",
	[ESG_CRL_WEAK_SIGNATURE] = "policy_crl",
	[ESG_CRL_NO_NEXT_UPDATE] = "policy_crl",
	[ESG_CRL_REVOKES_OWN] = "policy_crl",
	[ESG_CRL_NOT_HASHED] = "policy_crl",
	[ESG_FILE_MISSING] = "policy_file",
	[ESG_FILE_UNREADABLE] = "policy_file",
	[ESG_FILE_NOT_REGULAR] = "policy_file",
	[ESG_FILE_TOO_LARGE] = "policy_file",
	[ESG_PERMISSIONS_TOO_OPEN] = "policy_file",
	[ESG_WRONG_OWNER] = "policy_file",
	[ESG_DIRECTORY_WRITABLE] = "policy_file",

	/* from reading files: the audit, with what the PEM scanner says */
	[ESG_FILE_UNPARSABLE] = "TAP",
	[ESG_FILE_PARTLY_READ] = "TAP",
	[ESG_TRUSTED_CERTIFICATE_BLOCK] = "TAP",
	/* from a running server */
	[ESG_RELOAD_FAILED] = "TAP",
	[ESG_RELOAD_PENDING] = "TAP",
	[ESG_PROBE_FAILED] = "TAP",
	[ESG_HOOK_INACTIVE] = "TAP",
	[ESG_ROLE_LABEL_UNSATISFIABLE] = "TAP",
	[ESG_PASSPHRASE_UNUSABLE] = "TAP",
	/* from a login */
	[ESG_IDENTITY_MISMATCH] = "TAP",
	[ESG_ROLE_LABEL_MISMATCH] = "TAP",
	[ESG_CERTIFICATE_NOT_JUDGED] = "unreachable but for lack of memory",
	[ESG_FILE_NOT_RELOADED] = "TAP",
};

static bool was_shown[ESG_CODE_COUNT];
static bool was_absent[ESG_CODE_COUNT];

__attribute__((unused))
static void
print_findings(const EsgFindings *list)
{
	int			i;

	for (i = 0; i < list->count; i++)
		printf("# %s %s: %s\n", esg_findings_severity_name(list->items[i].severity),
			   esg_findings_def(list->items[i].code)->name, list->items[i].detail);
}

/* the list has the code, with that severity */
__attribute__((unused))
static void
shows(const EsgFindings *list, EsgCode code, EsgSeverity severity, const char *name)
{
	bool		good = false;
	int			i;

	for (i = 0; i < list->count; i++)
		good |= list->items[i].code == code && list->items[i].severity == severity;
	was_shown[code] |= good;
	if (!ok(good, "%s: %s is there and %s", name, esg_findings_def(code)->name,
			esg_findings_severity_name(severity)))
		print_findings(list);
}

__attribute__((unused))
static void
lacks(const EsgFindings *list, EsgCode code, const char *name)
{
	bool		good = !esg_findings_has(list, code);

	was_absent[code] |= good;
	if (!ok(good, "%s: %s is not there", name, esg_findings_def(code)->name))
		print_findings(list);
}

/* nothing at all, which is a twin of everything */
__attribute__((unused))
static void
is_clean(const EsgFindings *list, const char *name)
{
	if (!ok(list->count == 0 && !list->out_of_memory, "%s: no finding", name))
		print_findings(list);
}

__attribute__((unused))
static void
check_coverage(const char *test)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		if (covered_by[code] == NULL || strcmp(covered_by[code], test) != 0)
			continue;
		ok(was_shown[code] && was_absent[code], "%s was shown and was absent",
		   esg_findings_def((EsgCode) code)->name);
	}
}

#endif							/* COVERED_H */

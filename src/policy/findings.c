/*
 * policy/findings.c
 *		The table of findings, and lists of them.
 */
#include "policy/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "x509/cut_text.h"

#define ALL		ESG_PLACE_ALL_CERTS
#define L		ESG_PLACE_LEAF
#define I		ESG_PLACE_CHAIN
#define A		ESG_PLACE_CA
#define C		ESG_PLACE_CLIENT
#define X		ESG_PLACE_EXTRA
#define CRL		ESG_PLACE_CRL
#define FILES	ESG_PLACE_FILE
#define SERVER	ESG_PLACE_SERVER

#define NOTICE		ESG_NOTICE
#define WARNING		ESG_WARNING
#define CRITICAL	ESG_CRITICAL
#define EXCEPT(most, where, other) most, .alt_places = where, .alt_severity = other
#define HINTS(most, extra, crl_dir) most, .extra_hint = extra, .crl_dir_hint = crl_dir
#define WITH_CLIENT(hint, client) hint, .client_hint = client

#define BY_CERTIFICATE(check) ESG_BY_CERTIFICATE
#define BY_CHAIN(check) ESG_BY_CHAIN
#define BY_CRL(check) ESG_BY_CRL
#define BY_CRLS_OF_CA(check) ESG_BY_CRL
#define BY_CERTIFICATE_AND_CRL(check) ESG_BY_CERTIFICATE_AND_CRL
#define BY_FILE(check) ESG_BY_FILE
#define RAISED_BY(part) ESG_BY_##part

#define FINDING(code_, name_, state, severity_, places_, enforced_, message_, hint_, check) \
	[ESG_##code_] = { \
		.code = ESG_##code_, .name = name_, .sqlstate = state, .severity = severity_, \
		.places = places_, .enforced = enforced_, .message = message_, .hint = hint_, \
		.finder = check},

static const EsgFindingDef definitions[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

#undef ALL
#undef L
#undef I
#undef A
#undef C
#undef X
#undef CRL
#undef FILES
#undef SERVER
#undef NOTICE
#undef WARNING
#undef CRITICAL
#undef EXCEPT
#undef HINTS
#undef WITH_CLIENT

/* in the order of the bits */
static const char *const place_names[] = {
	"server", "chain", "ca", "client", "extra", "crl", "file", "running"
};

static const char *const severity_names[] = {"ok", "notice", "warning", "critical"};

const EsgFindingDef *
esg_findings_def(EsgCode code)
{
	if ((int) code <= (int) ESG_NO_FINDING || (int) code >= (int) ESG_CODE_COUNT)
		return NULL;
	return &definitions[code];
}

static bool
equals_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

/* NULL if no code has that name; name need not end with NUL. */
const EsgFindingDef *
esg_findings_lookup(const char *name, size_t len)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		if (equals_name(definitions[code].name, name, len))
			return &definitions[code];
	}
	return NULL;
}

/* "ok", "notice", "warning", "critical": the labels of ssl_guard_severity. */
const char *
esg_findings_severity_name(EsgSeverity severity)
{
	if ((int) severity < (int) ESG_OK || (int) severity > (int) ESG_CRITICAL)
		return "critical";
	return severity_names[severity];
}

/*
 * The severities of ext_ssl_guard.finding_overrides: "off" is ESG_OK.  Returns
 * false for anything else.
 */
bool
esg_findings_severity_parse(const char *name, size_t len, EsgSeverity *out)
{
	int			severity;

	*out = ESG_OK;
	if (equals_name("off", name, len))
		return true;
	for (severity = ESG_NOTICE; severity <= ESG_CRITICAL; severity++)
	{
		if (equals_name(severity_names[severity], name, len))
		{
			*out = (EsgSeverity) severity;
			return true;
		}
	}
	return false;
}

static EsgSeverity
override_severity(EsgCode code, EsgSeverity severity, const EsgOverrides overrides)
{
	if (overrides != NULL && overrides[code] >= 0)
		return (EsgSeverity) overrides[code];
	return severity;
}

/* What the code is worth for that place; ESG_OK if it is switched off. */
EsgSeverity
esg_findings_severity(EsgCode code, EsgPlace place, const EsgOverrides overrides)
{
	const EsgFindingDef *def = esg_findings_def(code);

	if (def == NULL)
		return ESG_OK;
	return override_severity(code,
							 (def->alt_places & place) ? def->alt_severity : def->severity,
							 overrides);
}

const char *
esg_findings_hint(EsgCode code, const char *setting)
{
	const EsgFindingDef *def = esg_findings_def(code);
	const char *other = NULL;

	if (def == NULL)
		return "";
	if (strcmp(setting, "ext_ssl_guard.extra_files") == 0)
		other = def->extra_hint;
	else if (strcmp(setting, "ssl_crl_dir") == 0)
		other = def->crl_dir_hint;
	return other != NULL ? other : def->hint;
}

const char *
esg_findings_client_hint(EsgCode code)
{
	const EsgFindingDef *def = esg_findings_def(code);

	if (def == NULL)
		return "";
	return def->client_hint != NULL ? def->client_hint : def->hint;
}

const char *
esg_findings_place_name(EsgPlace place)
{
	size_t		i;

	for (i = 0; i < sizeof(place_names) / sizeof(place_names[0]); i++)
	{
		if ((unsigned) place == 1U << i)
			return place_names[i];
	}
	return "";
}

bool
esg_remark_start(EsgRemark *remark, EsgCode code, EsgPlace place)
{
	const EsgFindingDef *def = esg_findings_def(code);

	remark->code = code;
	remark->place = place;
	remark->severity = esg_findings_severity(code, place, NULL);
	remark->detail[0] = '\0';
	return def != NULL && (def->places & place) == (unsigned) place;
}

void
esg_remark_say(EsgRemark *remark, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	if (vsnprintf(remark->detail, sizeof(remark->detail), fmt, args) < 0)
		remark->detail[0] = '\0';
	va_end(args);
}

void
esg_remark_list(EsgRemark *remark, const char *text)
{
	size_t		used = strlen(remark->detail);

	snprintf(remark->detail + used, sizeof(remark->detail) - used, "%s%s", used > 0 ? ", " : "", text);
}

static bool
grow_list(EsgFindings *list)
{
	EsgFinding *items;
	int			capacity = list->capacity > 0 ? 2 * list->capacity : 4;

	if (list->count < list->capacity)
		return true;
	items = OPENSSL_realloc(list->items, (size_t) capacity * sizeof(EsgFinding));
	if (items == NULL)
		return false;
	list->items = items;
	list->capacity = capacity;
	return true;
}

static EsgFinding *
find_code(const EsgFindings *list, EsgCode code)
{
	int			i;

	for (i = 0; i < list->count; i++)
	{
		if (list->items[i].code == code)
			return &list->items[i];
	}
	return NULL;
}

bool
esg_findings_add(EsgFindings *list, const EsgRemark *remark, const EsgOverrides overrides)
{
	EsgSeverity severity = override_severity(remark->code, remark->severity, overrides);
	EsgFinding *finding = find_code(list, remark->code);
	char		detail[ESG_MAX_DETAIL + 1];
	char	   *copy;

	if (severity == ESG_OK)
		return false;
	if (finding != NULL)
	{
		if (severity > finding->severity)
			finding->severity = severity;
		return true;
	}
	esg_cut_text_copy(detail, sizeof(detail), remark->detail);
	copy = OPENSSL_strdup(detail);
	if (copy == NULL || !grow_list(list))
	{
		OPENSSL_free(copy);
		list->out_of_memory = true;
		return false;
	}
	finding = &list->items[list->count++];
	finding->code = remark->code;
	finding->place = remark->place;
	finding->severity = severity;
	finding->detail = copy;
	return true;
}

bool
esg_findings_has(const EsgFindings *list, EsgCode code)
{
	return find_code(list, code) != NULL;
}

/* ESG_OK for an empty list. */
EsgSeverity
esg_findings_worst(const EsgFindings *list)
{
	EsgSeverity worst = ESG_OK;
	int			i;

	for (i = 0; i < list->count; i++)
	{
		if (list->items[i].severity > worst)
			worst = list->items[i].severity;
	}
	return worst;
}

static bool
comes_before(const EsgFinding *a, const EsgFinding *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return a->code < b->code;
}

/* Lists are short: each code is there once. */
void
esg_findings_sort(EsgFindings *list)
{
	int			i;

	for (i = 1; i < list->count; i++)
	{
		EsgFinding	moved = list->items[i];
		int			j = i;

		while (j > 0 && comes_before(&moved, &list->items[j - 1]))
		{
			list->items[j] = list->items[j - 1];
			j--;
		}
		list->items[j] = moved;
	}
}

/* Leaves an empty list that can be used again. */
void
esg_findings_free(EsgFindings *list)
{
	int			i;

	for (i = 0; i < list->count; i++)
		OPENSSL_free(list->items[i].detail);
	OPENSSL_free(list->items);
	memset(list, 0, sizeof(*list));
}

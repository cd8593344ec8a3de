/*
 * policy/findings.h
 *		The findings: one row of a static table per code, and lists of them.
 *
 * The rows are in finding_list.h.
 *
 * Pure.  No PostgreSQL calls, no clock; memory by OPENSSL_malloc().
 */
#ifndef ESG_POLICY_FINDINGS_H
#define ESG_POLICY_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum EsgSeverity
{
	ESG_OK = 0,
	ESG_NOTICE,
	ESG_WARNING,
	ESG_CRITICAL
} EsgSeverity;

/* What an object is to the server; bits, so that a table row can name several. */
typedef enum EsgPlace
{
	ESG_PLACE_NONE = 0,
	ESG_PLACE_LEAF = 1 << 0,	/* L: first certificate of ssl_cert_file */
	ESG_PLACE_CHAIN = 1 << 1,	/* I: the further ones */
	ESG_PLACE_CA = 1 << 2,		/* A: certificates in ssl_ca_file */
	ESG_PLACE_CLIENT = 1 << 3,	/* C: a client's certificate at login */
	ESG_PLACE_EXTRA = 1 << 4,	/* X: certificates in extra_files */
	ESG_PLACE_CRL = 1 << 5,
	ESG_PLACE_FILE = 1 << 6,
	ESG_PLACE_SERVER = 1 << 7,	/* the running server */

	/* an intermediate that a client presents: what matters in both places */
	ESG_PLACE_CLIENT_CHAIN = ESG_PLACE_CLIENT | ESG_PLACE_CHAIN
} EsgPlace;

#define ESG_PLACE_ALL_CERTS \
	(ESG_PLACE_LEAF | ESG_PLACE_CHAIN | ESG_PLACE_CA | ESG_PLACE_CLIENT | ESG_PLACE_EXTRA)

typedef enum EsgCode
{
	ESG_NO_FINDING = 0,
#define FINDING(code, ...) ESG_##code,
#include "policy/finding_list.h"
	ESG_CODE_COUNT				/* keep last */
} EsgCode;

/* Where a finding comes from. */
typedef enum EsgFinder
{
	ESG_BY_NOBODY = 0,			/* nothing looks for it yet */
	ESG_BY_CERTIFICATE,			/* the checks of policy/certificate */
	ESG_BY_CHAIN,
	ESG_BY_CRL,
	ESG_BY_CERTIFICATE_AND_CRL,
	ESG_BY_FILE,
	ESG_BY_SERVER,				/* the code in server/ */
	ESG_BY_AUDIT,
	ESG_BY_LOGIN
} EsgFinder;

/* One row of the table; see finding_list.h. */
typedef struct EsgFindingDef
{
	EsgCode		code;
	const char *name;			/* lower_snake, as in SQL and in the log */
	char		sqlstate[6];	/* "SG001" */
	EsgSeverity severity;		/* default */
	unsigned	alt_places;		/* places that have alt_severity instead */
	EsgSeverity alt_severity;
	unsigned	places;			/* who can have it, EsgPlace bits */
	unsigned	enforced;		/* places for which enforce refuses */
	const char *message;
	const char *hint;
	const char *extra_hint;		/* NULL: the same */
	const char *crl_dir_hint;	/* NULL: the same */
	const char *client_hint;	/* NULL: the same */
	EsgFinder	finder;
} EsgFindingDef;

typedef struct EsgFinding
{
	EsgCode		code;
	EsgPlace	place;			/* what has it */
	EsgSeverity severity;		/* after overrides; never ESG_OK in a list */
	char	   *detail;			/* owned, UTF-8, printable, at most
								 * ESG_MAX_DETAIL bytes; "" if none */
} EsgFinding;

/* A list of findings; all zero is an empty list. */
typedef struct EsgFindings
{
	int			count;
	int			capacity;
	bool		out_of_memory;	/* an entry was lost */
	EsgFinding *items;
} EsgFindings;

/*
 * Severity that the administrator gave a code: -1 the table's, else an
 * EsgSeverity, ESG_OK meaning off.  Index is EsgCode.
 */
typedef signed char EsgOverrides[ESG_CODE_COUNT];

/* NULL if there is no such code */
extern const EsgFindingDef *esg_findings_def(EsgCode code);
extern const EsgFindingDef *esg_findings_lookup(const char *name, size_t len);
extern const char *esg_findings_severity_name(EsgSeverity severity);
extern bool esg_findings_severity_parse(const char *name, size_t len, EsgSeverity *out);
extern EsgSeverity esg_findings_severity(EsgCode code, EsgPlace place, const EsgOverrides overrides);

/* the remedy for what a setting names: as in EsgTlsFile */
extern const char *esg_findings_hint(EsgCode code, const char *setting);

/* the remedy for a certificate that a client shows */
extern const char *esg_findings_client_hint(EsgCode code);

/* "server", "chain", "ca", "client", "extra", "crl", "file", "running" */
extern const char *esg_findings_place_name(EsgPlace place);

/* longest detail in bytes, the "..." of a cut one included */
#define ESG_MAX_DETAIL 256

/* What a check says of a finding that is there. */
typedef struct EsgRemark
{
	EsgCode		code;
	EsgPlace	place;
	EsgSeverity severity;		/* the table's, unless the check knows better */
	char		detail[ESG_MAX_DETAIL + 8]; /* a longer one must be seen to be
											 * cut */
} EsgRemark;

/* nothing said yet; false: what is in that place cannot have the finding */
extern bool esg_remark_start(EsgRemark *remark, EsgCode code, EsgPlace place);
extern void esg_remark_say(EsgRemark *remark, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));

/* one more of a list separated by ", "; what does not fit is left out */
extern void esg_remark_list(EsgRemark *remark, const char *text);

/*
 * Adds the finding, unless the overrides, which may be NULL, switch it off.  A
 * code that is in the list stays there once, with the worse severity and the
 * first remark.  Returns whether the code is in the list now; false with
 * list->out_of_memory set if memory ran out.
 */
extern bool esg_findings_add(EsgFindings *list, const EsgRemark *remark,
							 const EsgOverrides overrides);
extern bool esg_findings_has(const EsgFindings *list, EsgCode code);
extern EsgSeverity esg_findings_worst(const EsgFindings *list);

/* worst first, then in the order of the table */
extern void esg_findings_sort(EsgFindings *list);
extern void esg_findings_free(EsgFindings *list);

#endif							/* ESG_POLICY_FINDINGS_H */

/*
 * policy/findings.h
 *		The findings: one row of a static table per code, and lists of them.
 *
 * A finding is a verdict about one object (certificate, CRL, file, running
 * server).  Its number is the nnn of its SQLSTATE SGnnn and is never reused;
 * new codes are appended.
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
	ESG_PLACE_SERVER = 1 << 7	/* the running server */
} EsgPlace;

#define ESG_PLACE_ALL_CERTS \
	(ESG_PLACE_LEAF | ESG_PLACE_CHAIN | ESG_PLACE_CA | ESG_PLACE_CLIENT | ESG_PLACE_EXTRA)

typedef enum EsgCode
{
	ESG_NO_FINDING = 0,
	/* signature */
	ESG_WEAK_SIGNATURE = 1,
	ESG_UNKNOWN_SIGNATURE,
	ESG_BAD_PSS_PARAMETERS,
	ESG_SIGNATURE_ALGORITHM_MISMATCH,
	ESG_BAD_SIGNATURE,
	ESG_WEAK_ISSUER_KEY,
	ESG_SCRAM_INCOMPATIBLE_SIGNATURE,
	/* key */
	ESG_WEAK_KEY,
	ESG_BROKEN_KEY,
	ESG_EXPLICIT_EC_PARAMETERS,
	ESG_UNUSABLE_KEY,
	ESG_DSA_KEY,
	ESG_SMALL_EXPONENT,
	ESG_UNCOMMON_CURVE,
	ESG_SHARED_CA_KEY,
	/* time */
	ESG_EXPIRED,
	ESG_EXPIRES_VERY_SOON,
	ESG_EXPIRES_SOON,
	ESG_NOT_YET_VALID,
	ESG_INVALID_TIME,
	ESG_VALIDITY_REVERSED,
	ESG_VALIDITY_TOO_LONG,
	ESG_OUTLIVES_ISSUER,
	/* names, extensions, structure */
	ESG_NO_ALT_NAME,
	ESG_MULTIPLE_COMMON_NAMES,
	ESG_NUL_IN_NAME,
	ESG_MALFORMED_NAME,
	ESG_CA_AS_LEAF,
	ESG_SELF_SIGNED_SERVER,
	ESG_WRONG_PURPOSE,
	ESG_KEY_USAGE_MISMATCH,
	ESG_UNKNOWN_CRITICAL_EXTENSION,
	ESG_MALFORMED_EXTENSION,
	ESG_ODD_SERIAL,
	ESG_MUST_STAPLE,
	/* chain and bundle */
	ESG_CHAIN_OUT_OF_ORDER,
	ESG_LEAF_NOT_FIRST,
	ESG_CHAIN_INCOMPLETE,
	ESG_ROOT_IN_CHAIN,
	ESG_DUPLICATE_CERTIFICATE,
	ESG_UNRELATED_CERTIFICATE,
	ESG_NOT_A_CA,
	ESG_PUBLIC_ROOT_STORE,
	/* CRLs */
	ESG_CRL_EXPIRED,
	ESG_CRL_EXPIRES_VERY_SOON,
	ESG_CRL_EXPIRES_SOON,
	ESG_CRL_NOT_YET_VALID,
	ESG_CRL_MISSING,
	ESG_CRL_BAD_SIGNATURE,
	ESG_CRL_UNKNOWN_ISSUER,
	ESG_CRL_WEAK_SIGNATURE,
	ESG_CRL_NO_NEXT_UPDATE,
	ESG_CRL_REVOKES_OWN,
	ESG_CRL_NOT_HASHED,
	/* files */
	ESG_FILE_MISSING,
	ESG_FILE_UNREADABLE,
	ESG_FILE_NOT_REGULAR,
	ESG_FILE_TOO_LARGE,
	ESG_FILE_UNPARSABLE,
	ESG_FILE_PARTLY_READ,
	ESG_TRUSTED_CERTIFICATE_BLOCK,
	ESG_PERMISSIONS_TOO_OPEN,
	ESG_WRONG_OWNER,
	ESG_DIRECTORY_WRITABLE,
	/* running server */
	ESG_RELOAD_FAILED,
	ESG_RELOAD_PENDING,
	ESG_PROBE_FAILED,
	ESG_HOOK_INACTIVE,
	ESG_ROLE_LABEL_UNSATISFIABLE,
	/* appended after the first release of the list */
	ESG_PASSPHRASE_UNUSABLE,
	ESG_IDENTITY_MISMATCH,
	ESG_ROLE_LABEL_MISMATCH,
	ESG_CERTIFICATE_NOT_JUDGED,
	ESG_FILE_NOT_RELOADED,
	ESG_CODE_COUNT				/* keep last */
} EsgCode;

/*
 * One row of the table.
 *
 * message is the predicate of a sentence whose subject the reporting layer
 * supplies ("certificate \"CN=x\" in file \"y\" " + message).  It holds at most
 * one "%s", which stands for the finding's detail.  hint is one or two
 * sentences with the remedy.
 */
typedef struct EsgFindingDef
{
	EsgCode		code;
	const char *name;			/* lower_snake, as in SQL and in the log */
	char		sqlstate[6];	/* "SG001" */
	EsgSeverity severity;		/* default */
	EsgPlace	alt_places;		/* roles that have alt_severity instead */
	EsgSeverity alt_severity;
	unsigned	places;			/* who can have it, EsgPlace bits */
	unsigned	enforced;		/* roles for which enforce refuses */
	const char *message;
	const char *hint;
} EsgFindingDef;

typedef struct EsgFinding
{
	EsgCode		code;
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

/* longest detail in bytes, the "..." of a cut one included */
#define ESG_MAX_DETAIL 256

/*
 * Adds a finding with its detail, unless the overrides switch the code off.
 * overrides may be NULL.  A code that is in the list stays there once, with the
 * worse severity and the first detail.  Returns whether the code is in the
 * list now; false with list->out_of_memory set if memory ran out.
 */
extern bool esg_findings_add(EsgFindings *list, EsgCode code, EsgPlace place,
							 const EsgOverrides overrides, const char *fmt,...)
			__attribute__((format(printf, 5, 6)));

/*
 * The same with the check's own severity in place of the table's, for a code
 * whose severity depends on more than the place.  Overrides still win.
 */
extern bool esg_findings_add_graded(EsgFindings *list, EsgCode code, EsgSeverity severity,
									const EsgOverrides overrides, const char *fmt,...)
			__attribute__((format(printf, 5, 6)));
extern bool esg_findings_has(const EsgFindings *list, EsgCode code);
extern EsgSeverity esg_findings_worst(const EsgFindings *list);
extern void esg_findings_sort(EsgFindings *list);
extern void esg_findings_free(EsgFindings *list);

#endif							/* ESG_POLICY_FINDINGS_H */

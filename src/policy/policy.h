/*
 * policy/policy.h
 *		What the administrator wants, and how far certificates and CRLs are from
 *		their end.
 *
 * Pure: "now" is an argument, in seconds since 1970.
 */
#ifndef ESG_POLICY_POLICY_H
#define ESG_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/findings.h"
#include "x509/info.h"

typedef struct EsgPolicy
{
	int64_t		alert_threshold;	/* seconds */
	int64_t		critical_threshold; /* seconds, already <= alert_threshold */
	int			alert_lifetime_percent; /* 1..100; 100: no cap */
	int			critical_lifetime_percent;
	int			crl_alert_lifetime_percent; /* the same for CRLs */
	int			crl_critical_lifetime_percent;
	int			min_security_bits;
	int64_t		max_validity;	/* seconds, 0 off */
	unsigned	max_file_mode;
	unsigned	max_key_file_mode;
	uid_t		server_uid;
	EsgOverrides overrides;
} EsgPolicy;

/* How much is left of a lifetime; each excludes the others. */
typedef enum EsgTimeLeft
{
	ESG_LEFT_ENOUGH = 0,		/* also: no end, or none that can be read */
	ESG_LEFT_SOON,
	ESG_LEFT_VERY_SOON,
	ESG_LEFT_NOTHING			/* expired: the end is now or was before */
} EsgTimeLeft;

/* DESIGN defaults; every override -1; server_uid is this process's */
extern void esg_policy_defaults(EsgPolicy *policy);

/* what ext_ssl_guard.file_permission_check = off means: neither mode nor owner matters */
extern void esg_policy_ignore_permissions(EsgPolicy *policy);

/* readable as a point in time; forever is one, too */
extern bool esg_policy_time_known(EsgTime t);

/* OpenSSL refuses what carries this time: not there, not readable, nonconforming */
extern bool esg_policy_time_unusable(EsgTime t);

/*
 * Where now is in a certificate's or CRL's life.  The thresholds are capped at
 * their share of the lifetime if both ends are known.  *left, seconds, is the
 * distance from now to the end, positive on either side; 0 without an end.
 */
extern EsgTimeLeft esg_policy_time_left(EsgTime begin, EsgTime end,
										const EsgPolicy *policy, int64_t now,
										int64_t *left);

/*
 * The first moment after now at which the answer above, or whether the life has
 * begun, is another than now's; until then a verdict holds.
 */
#define ESG_TIME_NEVER INT64_MAX
extern int64_t esg_policy_time_next(EsgTime begin, EsgTime end,
									const EsgPolicy *policy, int64_t now);

/*
 * Is the life at that stage, or not begun yet?  The remark is how long to its
 * end or since then; or when it begins, and, for a wait of less than a day, a
 * word about the clock.
 */
extern bool esg_policy_is_at_stage(EsgTime begin, EsgTime end, const EsgPolicy *policy,
								   int64_t now, EsgTimeLeft stage, EsgRemark *remark);
extern bool esg_policy_is_before(EsgTime begin, int64_t now, EsgRemark *remark);

/* below the floor; the remark is which key it is */
extern bool esg_policy_key_weak(const EsgKeyInfo *key, const EsgPolicy *policy, EsgRemark *remark);

/* the signature's digest is broken or below the floor; not asked: who signed */
extern EsgVerdict esg_policy_signature_weak(const EsgSigInfo *signature, const EsgPolicy *policy);

#endif							/* ESG_POLICY_POLICY_H */

/*
 * policy.h
 *		Judging: facts in, findings out.
 *
 * Every check is a small pure function; "now" is an argument, in seconds since
 * 1970.  The findings come out worst first.
 *
 * Layer 1: pure.
 */
#ifndef ESG_POLICY_H
#define ESG_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "findings.h"
#include "x509_info.h"

typedef struct EsgPolicy
{
	int64_t		alert_threshold;	/* seconds */
	int64_t		critical_threshold; /* seconds, already <= alert_threshold */
	int			alert_lifetime_percent; /* 1..100; 100: no cap */
	int			critical_lifetime_percent;
	int			min_security_bits;
	int64_t		max_validity;	/* seconds, 0 off */
	unsigned	max_file_mode;
	unsigned	max_key_file_mode;
	uid_t		server_uid;
	EsgOverrides overrides;
} EsgPolicy;

/* DESIGN defaults; every override -1 */
extern void esg_policy_defaults(EsgPolicy *policy);

/* One certificate by itself. */
extern void esg_policy_check_cert(const EsgCertInfo *cert, EsgRole role,
								  const EsgPolicy *policy, int64_t now,
								  EsgFindings *out);

#endif							/* ESG_POLICY_H */

/*
 * policy/certificate.h
 *		Judging: facts in, findings out.
 *
 * Every check is a small pure function; "now" is an argument, in seconds since
 * 1970.  The findings come out worst first.
 */
#ifndef ESG_POLICY_CERTIFICATE_H
#define ESG_POLICY_CERTIFICATE_H

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
	ESG_LEFT_NOTHING			/* expired */
} EsgTimeLeft;

/* DESIGN defaults; every override -1; server_uid is this process's */
extern void esg_policy_defaults(EsgPolicy *policy);

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

/* "2026-11-25T08:00:00Z", for a wait of less than a day with a word about the clock; at least 96 bytes */
extern void esg_policy_wait_text(EsgTime begin, int64_t now, char *buf, size_t size);

/* the signature's digest is broken or below the floor; not asked: who signed */
extern EsgVerdict esg_policy_signature_weak(const EsgSigInfo *signature, const EsgPolicy *policy);

/* One certificate by itself. */
extern void esg_policy_check_cert(const EsgCertInfo *cert, EsgPlace place,
								  const EsgPolicy *policy, int64_t now,
								  EsgFindings *out);

#endif							/* ESG_POLICY_CERTIFICATE_H */

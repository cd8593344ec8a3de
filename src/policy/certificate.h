/*
 * policy/certificate.h
 *		Judging one certificate: facts in, findings out.
 *
 * Every check is a small pure function; "now" is an argument, in seconds since
 * 1970.  The findings come out worst first.
 */
#ifndef ESG_POLICY_CERTIFICATE_H
#define ESG_POLICY_CERTIFICATE_H

#include "policy/policy.h"
#include "policy/renewal.h"

/* One certificate by itself. */
extern void esg_policy_check_cert(const EsgCertInfo *cert, EsgPlace place,
								  const EsgPolicy *policy, int64_t now,
								  EsgFindings *out);

/* The same for one in a watched file; usual: how it is renewed. */
extern void esg_policy_check_watched_cert(const EsgCertInfo *cert, EsgPlace place,
										  const EsgPolicy *policy, const EsgUsual *usual,
										  int64_t now, EsgFindings *out);

#endif							/* ESG_POLICY_CERTIFICATE_H */

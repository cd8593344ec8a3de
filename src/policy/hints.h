/*
 * policy/hints.h
 *		Remedies that depend on which setting names the file.
 *
 * The table's hint of a finding is about the files that the server loads.  What
 * extra_files names, the server does not load; and in ssl_crl_dir OpenSSL looks
 * only when it needs a CRL.
 */
#ifndef ESG_POLICY_HINTS_H
#define ESG_POLICY_HINTS_H

#include "policy/findings.h"

/* setting: as in EsgTlsFile.  The table's hint if no other fits better. */
extern const char *esg_hints_get(EsgCode code, const char *setting);

#endif							/* ESG_POLICY_HINTS_H */

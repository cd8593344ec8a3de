/*
 * ctl/load_verdict.h
 *		Would the next start or reload of a server succeed?
 */
#ifndef ESG_CTL_LOAD_VERDICT_H
#define ESG_CTL_LOAD_VERDICT_H

#include "ctl/report.h"
#include "ctl/server_answers.h"
#include "files/audited.h"
#include "files/hosts_file.h"
#include "files/tls_names.h"
#include "secret/format.h"

typedef struct EsgLoadCase
{
	const EsgServerAnswers *answers;
	const EsgTlsNames *names;
	const EsgPolicy *policy;
	const EsgHostsFile *hosts;	/* NULL: ssl_sni is off */
	EsgPassphrase *passphrase;	/* of the key, if its length is not 0; else
								 * room for the pair's */
} EsgLoadCase;

/*
 * Loads all of it as the server would, and says in the report's summary what comes
 * of it.  The findings must still be in the audit.
 */
extern void esg_load_verdict_say(const EsgLoadCase *c, const EsgAudit *audit, EsgReport *report);

#endif							/* ESG_CTL_LOAD_VERDICT_H */

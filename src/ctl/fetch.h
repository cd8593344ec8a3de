/*
 * ctl/fetch.h
 *		What a run of fetch-crl knows.
 */
#ifndef ESG_CTL_FETCH_H
#define ESG_CTL_FETCH_H

#include "ctl/crl_target.h"
#include "ctl/fetch_cas.h"
#include "ctl/fetch_options.h"
#include "ctl/fetch_sources.h"
#include "ctl/report.h"
#include "ctl/settings.h"
#include "policy/crl_plan.h"
#include "wire/http_get.h"

typedef enum EsgFetchSetting
{
	ESG_FETCH_CA_FILE, ESG_FETCH_CRL_FILE, ESG_FETCH_CRL_DIR, ESG_FETCH_CERT_FILE, ESG_FETCH_SETTING_COUNT
} EsgFetchSetting;

/* A URL that was asked, and what came of it. */
typedef struct EsgFetchAnswer
{
	const char *url;
	STACK_OF(X509_CRL) *crls;	/* NULL: it failed, */
	char		reason[ESG_HTTP_REASON_SIZE];	/* and why */
	bool		is_last;		/* no other URL was there for the same */
} EsgFetchAnswer;

/*
 * One run.  fetch_wanted, fetch_ask, fetch_plan, fetch_write and fetch_report fill
 * and read it in this order.
 */
typedef struct EsgFetch
{
	const EsgFetchOptions *options;
	EsgReport	report;
	EsgServerUser user;
	EsgSetting	settings[ESG_FETCH_SETTING_COUNT];
	EsgFetchCas cas;
	STACK_OF(X509) *certs;		/* given */
	STACK_OF(X509) *server_certs;
	EsgFetchSources sources;
	const char *out;
	const char *beside;			/* where the server reads CRLs, too, or NULL */
	EsgFetchAnswer *answers;
	int			answer_count;
	int			failures;		/* sources of which nothing was to be had */
	EsgCrlTarget places[2];		/* the second is only read */
	int			place_count;
	EsgPolicy	policy;
	EsgCrlPlan	plan;
	EsgCrlInfo *infos;			/* of the plan's items */
	int		   *files;			/* of those that are there: where, or -1:
								 * beside */
	const char **urls;			/* of those that were fetched */
	bool		wrote;
} EsgFetch;

#endif							/* ESG_CTL_FETCH_H */

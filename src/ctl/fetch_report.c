/*
 * ctl/fetch_report.c
 *		What a run of fetch-crl has come to.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_report.h"

#include <string.h>

/* Is it what lies there now? */
static bool
lies_there(const EsgFetch *fetch, const EsgCrlPlanItem *item)
{
	if (item->fetched)
		return item->fate == ESG_CRL_COMES && fetch->wrote;
	return item->fate != ESG_CRL_GOES || !fetch->wrote;
}

/* Has the CA of this one a CRL there that will do for now? */
static bool
will_do(const EsgFetch *fetch, const EsgCrlPlanItem *one)
{
	const EsgCrlPlan *plan = &fetch->plan;
	int64_t		left;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		const EsgCrlPlanItem *item = &plan->items[i];

		if (lies_there(fetch, item) && item->is_signed && item->ca == one->ca &&
			esg_policy_crl_time_left(item->info, plan->policy, plan->now, &left) == ESG_LEFT_ENOUGH)
			return true;
	}
	return false;
}

/* How bad is it that not all comes?  As bad as what is there. */
static EsgReportStatus
failure_status(const EsgFetch *fetch)
{
	const EsgCrlPlan *plan = &fetch->plan;
	bool		any = false;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		if (!lies_there(fetch, &plan->items[i]) || !plan->items[i].ca)
			continue;
		any = true;
		if (!will_do(fetch, &plan->items[i]))
			return ESG_STATUS_CRITICAL;
	}
	return any ? ESG_STATUS_WARNING : ESG_STATUS_CRITICAL;
}

static void
report_answers(EsgFetch *fetch)
{
	EsgReportStatus status = failure_status(fetch);
	int			i;

	for (i = 0; i < fetch->answer_count; i++)
	{
		const EsgFetchAnswer *answer = &fetch->answers[i];
		EsgReportObject *object;

		if (answer->crls)
			continue;
		object = esg_report_add(&fetch->report, ESG_OBJECT_SERVER, answer->url);
		/* the next one has what is wanted, or says why not */
		esg_report_remark(object, answer->is_last ? status : ESG_STATUS_OK, NULL, "%s", answer->reason);
	}
	for (i = 0; i < fetch->sources.count; i++)
	{
		const EsgFetchSource *source = &fetch->sources.items[i];

		if (source->count == 0)
			esg_report_remark(esg_report_add(&fetch->report, ESG_OBJECT_SERVER, source->subject), status, NULL,
							  "names no distribution point that could be asked: none has a URL of its "
							  "issuer's complete CRL");
	}
}

static void
remark_fate(EsgFetch *fetch, const EsgCrlPlanItem *item, EsgReportObject *object)
{
	EsgReportStatus bad = failure_status(fetch);
	bool		dry = fetch->options->dry_run;

	switch (item->fate)
	{
		case ESG_CRL_IS_REFUSED:
			esg_report_remark(object, bad, NULL, "%s", item->reason);
			break;
		case ESG_CRL_IS_SURPASSED:
			esg_report_remark(object, ESG_STATUS_OK, NULL, "there is a newer one");
			break;
		case ESG_CRL_IS_THERE:
			esg_report_remark(object, ESG_STATUS_OK, NULL, "is there already");
			break;
		default:
			if (fetch->wrote || (dry && fetch->plan.coming > 0))
				esg_report_remark(object, ESG_STATUS_OK, NULL, "%s%s", fetch->wrote ? "was " : "would be ",
								  item->place >= 0 ? "put in place of the one before" : "added");
			else
				esg_report_remark(object, ESG_STATUS_OK, NULL, "was not written, for the sake of the rest");
			break;
	}
}

static void
report_crls(EsgFetch *fetch)
{
	EsgCrlPlan *plan = &fetch->plan;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		EsgCrlPlanItem *item = &plan->items[i];
		EsgReportObject *object;

		if (!item->fetched)
			continue;
		object = esg_report_add(&fetch->report, ESG_OBJECT_CRL, fetch->out);
		esg_report_set_crl(object, item->info, 0);
		esg_report_fact_bytes(object, "url", fetch->urls[i]);
		if (item->fate == ESG_CRL_COMES && fetch->wrote)
		{
			object->findings = item->findings;
			memset(&item->findings, 0, sizeof(item->findings));
		}
		remark_fate(fetch, item, object);
	}
}

static void
summarize(EsgFetch *fetch, bool failed)
{
	EsgReport  *report = &fetch->report;
	const EsgCrlPlan *plan = &fetch->plan;
	bool		wrong = failed || fetch->failures > 0 || plan->refused > 0;

	if (plan->missing[0] != '\0')
		esg_report_summarize(report, failure_status(fetch), "nothing was written: CA %s would be without a CRL, "
							 "and its clients would be refused", plan->missing);
	else if (fetch->wrote)
		esg_report_summarize(report, wrong ? failure_status(fetch) : ESG_STATUS_OK, "%d %s written%s",
							 plan->coming, plan->coming == 1 ? "CRL was" : "CRLs were", wrong ? ", but not all is well" : "");
	else if (wrong)
		esg_report_summarize(report, failure_status(fetch), "nothing was written");
	else if (plan->coming > 0)
		esg_report_summarize(report, ESG_STATUS_OK, "%d %s would be written", plan->coming,
							 plan->coming == 1 ? "CRL" : "CRLs");
	else
		esg_report_summarize(report, ESG_STATUS_OK, "there is nothing newer");
}

void
esg_fetch_report(EsgFetch *fetch, bool failed)
{
	report_answers(fetch);
	report_crls(fetch);
	summarize(fetch, failed);
}

/*
 * ctl/fetch_crl.c
 *		ssl_guard_ctl fetch-crl: brings CRLs to where the server reads them.
 *
 * What the network has to say is heard before the place is locked.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_crl.h"

#include <signal.h>

#include <openssl/crypto.h>

#include "ctl/fetch_ask.h"
#include "ctl/fetch_plan.h"
#include "ctl/fetch_report.h"
#include "ctl/fetch_wanted.h"
#include "ctl/fetch_write.h"
#include "ctl/message.h"
#include "ctl/moment.h"

/* All that could not be looked at has been said. */
static bool
prepare(EsgFetch *fetch)
{
	return esg_fetch_wanted_find(fetch) && esg_fetch_ask(fetch) && esg_fetch_plan_make(fetch);
}

static void
release(EsgFetch *fetch)
{
	int			i;

	esg_crl_plan_free(&fetch->plan);
	for (i = 0; i < fetch->place_count; i++)
		esg_crl_target_close(&fetch->places[i]);
	for (i = 0; i < fetch->answer_count; i++)
		sk_X509_CRL_pop_free(fetch->answers[i].crls, X509_CRL_free);
	esg_fetch_sources_free(&fetch->sources);
	esg_fetch_cas_free(&fetch->cas);
	sk_X509_pop_free(fetch->certs, X509_free);
	sk_X509_pop_free(fetch->server_certs, X509_free);
	esg_settings_free(fetch->settings, ESG_FETCH_SETTING_COUNT);
	OPENSSL_free(fetch->answers);
	OPENSSL_free(fetch->plan.items);
	OPENSSL_free(fetch->infos);
	OPENSSL_free(fetch->files);
	OPENSSL_free((void *) fetch->urls);
}

static int
run(const EsgFetchOptions *options)
{
	EsgFetch	fetch = {.options = options};
	int			status;

	esg_report_start(&fetch.report, "fetch-crl", esg_moment_now());
	esg_policy_defaults(&fetch.policy);
	if (prepare(&fetch))
		esg_fetch_report(&fetch, !esg_fetch_write(&fetch));
	else
		esg_report_summarize(&fetch.report, ESG_STATUS_UNKNOWN, "could not look: standard error says why");
	release(&fetch);
	status = esg_output_finish(&fetch.report, &options->style);
	return status;
}

int
esg_fetch_crl_run(int argc, char **argv)
{
	EsgFetchOptions options;
	int			status = esg_fetch_options_parse(argc, argv, &options);

	if (status >= 0)
		return status;
	if (!esg_http_get_can())
	{
		esg_message_error("this OpenSSL has no client for HTTP: fetch-crl needs 3.0 or later");
		return ESG_STATUS_UNKNOWN;
	}
	signal(SIGXFSZ, SIG_IGN);	/* a full disk is an error, not a signal */
	signal(SIGPIPE, SIG_IGN);
	return run(&options);
}

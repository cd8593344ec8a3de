/*
 * ctl/fetch_ask.c
 *		Asks the URLs of a run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_ask.h"

#include <stdio.h>

#include "ctl/download.h"
#include "ctl/message.h"
#include "x509/crl_text.h"

static bool
fail_memory(void)
{
	return esg_message_error("out of memory");
}

/* What came is a CRL, or why it is none. */
static void
parse_answer(EsgFetchAnswer *answer, const EsgDownload *download)
{
	char		reason[ESG_CRL_TEXT_REASON_SIZE];

	answer->crls = esg_crl_text_parse(download->data, download->len, reason);
	if (!answer->crls)
		snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

/* One URL after the other, up to the first that works. */
static void
ask_source(EsgFetch *fetch, const EsgFetchSource *source)
{
	EsgDownloadLimits limits = {fetch->options->seconds, fetch->options->bytes, &fetch->user};
	int			i;

	for (i = 0; i < source->count; i++)
	{
		EsgFetchAnswer *answer = &fetch->answers[fetch->answer_count++];
		EsgDownload download;

		answer->url = source->urls[i];
		answer->is_last = i == source->count - 1;
		if (esg_download(answer->url, &limits, &download))
			parse_answer(answer, &download);
		else
			snprintf(answer->reason, sizeof(answer->reason), "%s", download.reason);
		OPENSSL_free(download.data);
		if (answer->crls)
			return;
	}
	fetch->failures++;
}

bool
esg_fetch_ask(EsgFetch *fetch)
{
	int			count = 0;
	int			i;

	for (i = 0; i < fetch->sources.count; i++)
		count += fetch->sources.items[i].count;
	fetch->answers = OPENSSL_zalloc(((size_t) count + 1) * sizeof(EsgFetchAnswer));
	if (!fetch->answers)
		return fail_memory();
	for (i = 0; i < fetch->sources.count; i++)
		ask_source(fetch, &fetch->sources.items[i]);
	return true;
}

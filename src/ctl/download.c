/*
 * ctl/download.c
 *		Gets what a URL leads to, within limits.
 *
 * By a child process, which is ended when the time is over, whatever it waits
 * for: a name, a connection, a byte.  As root it is the server's user.
 */
#include "ctl/download.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "ctl/child.h"

/* the first byte of what the child says */
#define HAS_BODY '+'
#define HAS_REASON '-'

typedef struct Question
{
	const char *url;
	size_t		bytes;
} Question;

/* In the child. */
static int
ask(const void *arg, int fd)
{
	static const char marks[2] = {HAS_BODY, HAS_REASON};
	const Question *question = arg;
	EsgHttpAnswer answer;
	bool		good;

	signal(SIGPIPE, SIG_IGN);
	if (esg_http_get(question->url, question->bytes, &answer))
		good = esg_child_write(fd, &marks[0], 1) && esg_child_write(fd, answer.body, answer.len);
	else
		good = esg_child_write(fd, &marks[1], 1) &&
			esg_child_write(fd, answer.reason, strlen(answer.reason));
	OPENSSL_free(answer.body);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool
fail(EsgDownload *out, const char *reason)
{
	(void) snprintf(out->reason, sizeof(out->reason), "%s", reason);
	return false;
}

static bool
explain(const EsgChildResult *result, const EsgDownloadLimits *limits, EsgDownload *out)
{
	switch (result->end)
	{
		case ESG_CHILD_LATE:
			(void) snprintf(out->reason, sizeof(out->reason), "was not there within %d s", limits->seconds);
			return false;
		case ESG_CHILD_WORDY:
			(void) snprintf(out->reason, sizeof(out->reason), "sends more than %zu bytes", limits->bytes);
			return false;
		case ESG_CHILD_FAILED:
			(void) snprintf(out->reason, sizeof(out->reason), "could not be asked for: %s", strerror(result->status));
			return false;
		default:
			return fail(out, "could not be asked for: the process that did has failed");
	}
}

static bool
take(EsgChildResult *result, EsgDownload *out)
{
	if (result->output[0] == HAS_REASON)
		return fail(out, result->output + 1);
	memmove(result->output, result->output + 1, result->size);
	out->data = result->output;
	out->len = result->size - 1;
	result->output = NULL;
	return true;
}

bool
esg_download(const char *url, const EsgDownloadLimits *limits, EsgDownload *out)
{
	Question	question = {url, limits->bytes};
	EsgChildWork work = {
		.run = ask,.arg = &question,.user = limits->user,
		.time_limit = limits->seconds * 1000,.size_limit = limits->bytes + 1
	};
	EsgChildResult result;
	bool		good;

	memset(out, 0, sizeof(*out));
	if (!esg_http_get_accepts(url, out->reason))
		return false;
	good = esg_child_run(&work, &result) && result.size > 0 ? take(&result, out) :
		explain(&result, limits, out);
	OPENSSL_free(result.output);
	return good;
}

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
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "compat.h"
#include "ctl/crl_target.h"
#include "ctl/download.h"
#include "ctl/fetch_cas.h"
#include "ctl/fetch_options.h"
#include "ctl/fetch_reload.h"
#include "ctl/fetch_sources.h"
#include "ctl/message.h"
#include "ctl/moment.h"
#include "ctl/pem_file.h"
#include "ctl/report.h"
#include "ctl/settings.h"
#include "policy/crl_plan.h"
#include "x509/crl_text.h"

/* of the settings, in this order */
enum
{
	CA_FILE, CRL_FILE, CRL_DIR, CERT_FILE, SETTING_COUNT
};

/* A URL that was asked, and what came of it. */
typedef struct Answer
{
	const char *url;
	STACK_OF(X509_CRL) *crls;	/* NULL: it failed, */
	char		reason[ESG_HTTP_REASON_SIZE];	/* and why */
	bool		is_last;		/* no other URL was there for the same */
} Answer;

typedef struct Fetch
{
	const EsgFetchOptions *options;
	EsgReport	report;
	EsgServerUser user;
	EsgSetting	settings[SETTING_COUNT];
	EsgFetchCas cas;
	STACK_OF(X509) *certs;		/* given */
	STACK_OF(X509) *server_certs;
	EsgFetchSources sources;
	const char *out;
	const char *beside;			/* where the server reads CRLs, too, or NULL */
	Answer	   *answers;
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
} Fetch;

static bool
fail_memory(void)
{
	return esg_message_error("out of memory");
}

/* ---- what is wanted ---- */

static bool
find_user(Fetch *fetch)
{
	const EsgFetchOptions *options = fetch->options;
	const char *start = options->directory ? options->directory : options->out;
	const char *slash = strrchr(start, '/');
	char		directory[PATH_MAX];

	if (options->directory || !slash)
		snprintf(directory, sizeof(directory), "%s", options->directory ? start : ".");
	else
		snprintf(directory, sizeof(directory), "%.*s", (int) (slash - start) + 1, start);
	return esg_server_user_find(options->user, directory, "", &fetch->user);
}

static bool
read_settings(Fetch *fetch)
{
	static const char *const names[] = {"ssl_ca_file", "ssl_crl_file", "ssl_crl_dir", "ssl_cert_file"};
	EsgSettingsServer server = {
		.directory = fetch->options->directory,.program = fetch->options->program,
		.user = &fetch->user
	};
	int			i;

	for (i = 0; i < SETTING_COUNT; i++)
	{
		fetch->settings[i].name = names[i];
		fetch->settings[i].is_path = true;
	}
	return !fetch->options->directory || esg_settings_read(&server, fetch->settings, SETTING_COUNT);
}

/* NULL if it is empty, or nobody was asked. */
static const char *
setting(const Fetch *fetch, int i)
{
	const char *value = fetch->settings[i].value;

	return value && value[0] != '\0' ? value : NULL;
}

/* Where to; with both settings the file, and then the directory counts, too. */
static bool
find_out(Fetch *fetch)
{
	const char *file = setting(fetch, CRL_FILE);
	const char *dir = setting(fetch, CRL_DIR);

	fetch->out = fetch->options->out ? fetch->options->out : file ? file : dir;
	if (!fetch->out)
	{
		esg_message_error("neither ssl_crl_file nor ssl_crl_dir is set, so that nobody knows where to");
		esg_message_hint("Name a file with --out, and set ssl_crl_file to it afterwards.");
		return false;
	}
	if (file && strcmp(file, fetch->out) != 0)
		fetch->beside = file;
	else if (dir && strcmp(dir, fetch->out) != 0)
		fetch->beside = dir;
	return true;
}

static bool
read_words(const EsgFetchWords *files, STACK_OF(X509) *certs)
{
	int			i;

	for (i = 0; i < files->count; i++)
	{
		if (!esg_pem_file_append(files->words[i], certs))
			return false;
	}
	return true;
}

static bool
read_certs(Fetch *fetch)
{
	const char *ca_file = setting(fetch, CA_FILE);

	fetch->cas.certs = sk_X509_new_null();
	fetch->certs = sk_X509_new_null();
	fetch->server_certs = sk_X509_new_null();
	if (!fetch->cas.certs || !fetch->certs || !fetch->server_certs)
		return fail_memory();
	if (!ca_file && fetch->options->cas.count == 0)
		return esg_message_error("ssl_ca_file is not set: the server has no CAs whose CRLs it could need");
	if (ca_file && !esg_pem_file_append(ca_file, fetch->cas.certs))
		return false;
	/* of use if its CA is one of the clients', too */
	if (setting(fetch, CERT_FILE) && !esg_pem_file_append(setting(fetch, CERT_FILE), fetch->server_certs))
		return false;
	return read_words(&fetch->options->cas, fetch->cas.certs) &&
		read_words(&fetch->options->certs, fetch->certs) && esg_fetch_cas_finish(&fetch->cas);
}

static bool
find_sources(Fetch *fetch)
{
	const EsgFetchWords *urls = &fetch->options->urls;
	EsgFetchSources *sources = &fetch->sources;
	int			i;

	for (i = 0; i < urls->count; i++)
	{
		if (!esg_fetch_sources_add_url(sources, urls->words[i]))
			return false;
	}
	if (urls->count == 0 &&
		(!esg_fetch_sources_add_certs(sources, fetch->cas.certs, &fetch->cas, false) ||
		 !esg_fetch_sources_add_certs(sources, fetch->certs, &fetch->cas, true) ||
		 !esg_fetch_sources_add_certs(sources, fetch->server_certs, &fetch->cas, false)))
		return false;
	if (sources->count > 0)
		return true;
	esg_message_error("no certificate names a CRL distribution point");
	esg_message_hint("Say with --url where the CRLs are, or give a certificate of a client with --cert.");
	return false;
}

/* ---- asking ---- */

/* What came is a CRL, or why it is none. */
static void
parse_answer(Answer *answer, const EsgDownload *download)
{
	char		reason[ESG_CRL_TEXT_REASON_SIZE];

	answer->crls = esg_crl_text_parse(download->data, download->len, reason);
	if (!answer->crls)
		snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

/* One URL after the other, up to the first that works. */
static void
ask_source(Fetch *fetch, const EsgFetchSource *source)
{
	EsgDownloadLimits limits = {fetch->options->seconds, fetch->options->bytes, &fetch->user};
	int			i;

	for (i = 0; i < source->count; i++)
	{
		Answer	   *answer = &fetch->answers[fetch->answer_count++];
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

static bool
ask(Fetch *fetch)
{
	int			count = 0;
	int			i;

	for (i = 0; i < fetch->sources.count; i++)
		count += fetch->sources.items[i].count;
	fetch->answers = OPENSSL_zalloc(((size_t) count + 1) * sizeof(Answer));
	if (!fetch->answers)
		return fail_memory();
	for (i = 0; i < fetch->sources.count; i++)
		ask_source(fetch, &fetch->sources.items[i]);
	return true;
}

/* ---- the plan ---- */

static bool
open_place(Fetch *fetch, const char *path)
{
	EsgCrlTarget *target = &fetch->places[fetch->place_count];

	if (!esg_crl_target_open(target, path, &fetch->user))
		return false;
	fetch->place_count++;
	target->new_mode = fetch->options->mode;
	return esg_crl_target_read(target);
}

static int
count_crls(const Fetch *fetch)
{
	int			count = 0;
	int			i;
	int			k;

	for (i = 0; i < fetch->place_count; i++)
	{
		for (k = 0; k < fetch->places[i].count; k++)
			count += fetch->places[i].files[k].crls ? sk_X509_CRL_num(fetch->places[i].files[k].crls) : 0;
	}
	for (i = 0; i < fetch->answer_count; i++)
		count += fetch->answers[i].crls ? sk_X509_CRL_num(fetch->answers[i].crls) : 0;
	return count;
}

static void
add_items(Fetch *fetch, STACK_OF(X509_CRL) *crls, int file, const char *url)
{
	EsgCrlPlan *plan = &fetch->plan;
	int			i;

	for (i = 0; i < sk_X509_CRL_num(crls); i++)
	{
		int			at = plan->count++;

		esg_crl_info_read(sk_X509_CRL_value(crls, i), &fetch->infos[at]);
		plan->items[at].info = &fetch->infos[at];
		plan->items[at].fetched = url != NULL;
		fetch->files[at] = file;
		fetch->urls[at] = url;
	}
}

static bool
allocate_items(Fetch *fetch)
{
	size_t		count = (size_t) count_crls(fetch) + 1;

	fetch->plan.items = OPENSSL_zalloc(count * sizeof(EsgCrlPlanItem));
	fetch->infos = OPENSSL_zalloc(count * sizeof(EsgCrlInfo));
	fetch->files = OPENSSL_zalloc(count * sizeof(int));
	fetch->urls = OPENSSL_zalloc(count * sizeof(char *));
	return (fetch->plan.items && fetch->infos && fetch->files && fetch->urls) || fail_memory();
}

static bool
make_plan(Fetch *fetch)
{
	EsgCrlPlan *plan = &fetch->plan;
	int			i;
	int			k;

	if (!open_place(fetch, fetch->out) || (fetch->beside && !open_place(fetch, fetch->beside)) ||
		!allocate_items(fetch))
		return false;
	for (i = 0; i < fetch->place_count; i++)
	{
		for (k = 0; k < fetch->places[i].count; k++)
			add_items(fetch, fetch->places[i].files[k].crls, i == 0 ? k : -1, NULL);
	}
	for (i = 0; i < fetch->answer_count; i++)
		add_items(fetch, fetch->answers[i].crls, -1, fetch->answers[i].url);
	plan->cas = fetch->cas.list;
	plan->ca_count = fetch->cas.count;
	plan->policy = &fetch->policy;
	plan->memo = fetch->cas.memo;
	plan->now = fetch->report.at;
	plan->keep_going = fetch->options->keep_going;
	plan->allow_missing = fetch->options->allow_missing;
	plan->allow_revoked = fetch->options->allow_revoked;
	esg_crl_plan_make(plan);
	return !plan->out_of_memory || fail_memory();
}

/* ---- writing ---- */

/* Does the item go into a file that there is? */
static int
file_of(const Fetch *fetch, int at)
{
	const EsgCrlPlanItem *item = &fetch->plan.items[at];

	if (!item->fetched)
		return item->fate == ESG_CRL_STAYS ? fetch->files[at] : -1;
	if (item->fate != ESG_CRL_COMES)
		return -1;
	if (item->place >= 0 && fetch->files[item->place] >= 0)
		return fetch->files[item->place];
	return fetch->places[0].is_directory ? -1 : 0;
}

static bool
is_changed(const Fetch *fetch, int file)
{
	int			i;

	for (i = 0; i < fetch->plan.count; i++)
	{
		const EsgCrlPlanItem *item = &fetch->plan.items[i];

		if ((item->fate == ESG_CRL_GOES && fetch->files[i] == file) ||
			(item->fate == ESG_CRL_COMES && file_of(fetch, i) == file))
			return true;
	}
	return false;
}

/* In the order of those that are there; what comes is where the first was that goes for it, or at the end. */
static bool
fill_content(const Fetch *fetch, int file, STACK_OF(X509_CRL) *content)
{
	const EsgCrlPlan *plan = &fetch->plan;
	int			i;
	int			k;

	for (i = 0; i < plan->count; i++)
	{
		if (plan->items[i].fate == ESG_CRL_STAYS && file_of(fetch, i) == file &&
			!sk_X509_CRL_push(content, plan->items[i].info->crl))
			return false;
		for (k = 0; k < plan->count; k++)
		{
			if (plan->items[k].fate == ESG_CRL_COMES && file_of(fetch, k) == file &&
				(plan->items[k].place == i || (k == i && plan->items[k].place < 0)) &&
				!sk_X509_CRL_push(content, plan->items[k].info->crl))
				return false;
		}
	}
	return true;
}

static bool
fill_all(const Fetch *fetch, STACK_OF(X509_CRL) **contents, STACK_OF(X509_CRL) *added)
{
	int			i;

	for (i = 0; i < fetch->places[0].count; i++)
	{
		if (!is_changed(fetch, i))
			continue;
		contents[i] = sk_X509_CRL_new_null();
		if (!contents[i] || !fill_content(fetch, i, contents[i]))
			return false;
	}
	for (i = 0; i < fetch->plan.count; i++)
	{
		if (fetch->plan.items[i].fate == ESG_CRL_COMES && file_of(fetch, i) < 0 &&
			!sk_X509_CRL_push(added, fetch->plan.items[i].info->crl))
			return false;
	}
	return true;
}

static bool
write_marked(Fetch *fetch, STACK_OF(X509_CRL) **contents, STACK_OF(X509_CRL) *added)
{
	EsgCrlTarget *target = &fetch->places[0];
	bool		marks = fetch->options->reload_command != NULL;
	bool		was_due = marks && esg_fetch_reload_is_due(target);

	if (marks && !was_due && !esg_fetch_reload_mark(target))
		return false;
	fetch->wrote = esg_crl_target_write(target, contents, added);
	if (!fetch->wrote && marks && !was_due)
		esg_fetch_reload_unmark(target);
	return fetch->wrote;
}

static bool
write_plan(Fetch *fetch)
{
	int			count = fetch->places[0].count;
	STACK_OF(X509_CRL) **contents = OPENSSL_zalloc(((size_t) count + 1) * sizeof(*contents));
	STACK_OF(X509_CRL) *added = sk_X509_CRL_new_null();
	bool		good;
	int			i;

	good = (contents && added && fill_all(fetch, contents, added)) || fail_memory();
	good = good && write_marked(fetch, contents, added);
	for (i = 0; contents && i < count; i++)
		sk_X509_CRL_free(contents[i]);
	OPENSSL_free(contents);
	sk_X509_CRL_free(added);
	return good;
}

/* ---- the report ---- */

/* Has the CA of this one a CRL there that will do for now? */
static bool
will_do(const EsgCrlPlan *plan, const EsgCrlPlanItem *one)
{
	int64_t		left;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		const EsgCrlPlanItem *item = &plan->items[i];

		if (!item->fetched && item->is_signed && item->ca == one->ca &&
			esg_policy_crl_time_left(item->info, plan->policy, plan->now, &left) == ESG_LEFT_ENOUGH)
			return true;
	}
	return false;
}

/* How bad is it that nothing comes?  As bad as what is there. */
static EsgReportStatus
failure_status(const Fetch *fetch)
{
	const EsgCrlPlan *plan = &fetch->plan;
	bool		any = false;
	int			i;

	for (i = 0; i < plan->count; i++)
	{
		if (plan->items[i].fetched || !plan->items[i].ca)
			continue;
		any = true;
		if (!will_do(plan, &plan->items[i]))
			return ESG_STATUS_CRITICAL;
	}
	return any ? ESG_STATUS_WARNING : ESG_STATUS_CRITICAL;
}

static void
report_answers(Fetch *fetch)
{
	EsgReportStatus status = failure_status(fetch);
	int			i;

	for (i = 0; i < fetch->answer_count; i++)
	{
		const Answer *answer = &fetch->answers[i];
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
remark_fate(Fetch *fetch, const EsgCrlPlanItem *item, EsgReportObject *object)
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
report_crls(Fetch *fetch)
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
summarize(Fetch *fetch, bool failed)
{
	EsgReport  *report = &fetch->report;
	const EsgCrlPlan *plan = &fetch->plan;
	bool		wrong = failed || fetch->failures > 0 || plan->refused > 0;

	if (plan->missing[0] != '\0')
		esg_report_summarize(report, failure_status(fetch), "nothing was written: CA %s would be without a CRL, "
							 "and its clients would be refused", plan->missing);
	else if (fetch->wrote)
		esg_report_summarize(report, wrong ? failure_status(fetch) : ESG_STATUS_OK, "%d CRLs were written%s",
							 plan->coming, wrong ? ", but not all is well" : "");
	else if (wrong)
		esg_report_summarize(report, failure_status(fetch), "nothing was written");
	else if (plan->coming > 0)
		esg_report_summarize(report, ESG_STATUS_OK, "%d CRLs would be written", plan->coming);
	else
		esg_report_summarize(report, ESG_STATUS_OK, "there is nothing newer");
}

/* ---- the whole ---- */

/* All that could not be looked at has been said. */
static bool
prepare(Fetch *fetch)
{
	return find_user(fetch) && read_settings(fetch) && find_out(fetch) && read_certs(fetch) &&
		find_sources(fetch) && ask(fetch) && make_plan(fetch);
}

/* True if all went well. */
static bool
carry_out(Fetch *fetch)
{
	const EsgFetchOptions *options = fetch->options;
	bool		good = true;

	if (fetch->failures > 0 && !options->keep_going)
		fetch->plan.coming = 0;
	if (options->dry_run)
		return true;
	if (fetch->plan.coming > 0)
		good = write_plan(fetch);
	if (options->reload_command && (fetch->wrote || esg_fetch_reload_is_due(&fetch->places[0])))
		good = esg_fetch_reload_run(&fetch->places[0], options->reload_command) && good;
	return good;
}

static void
release(Fetch *fetch)
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
	esg_settings_free(fetch->settings, SETTING_COUNT);
	OPENSSL_free(fetch->answers);
	OPENSSL_free(fetch->plan.items);
	OPENSSL_free(fetch->infos);
	OPENSSL_free(fetch->files);
	OPENSSL_free((void *) fetch->urls);
}

static int
run(const EsgFetchOptions *options)
{
	Fetch		fetch = {.options = options};
	int			status;

	esg_report_start(&fetch.report, "fetch-crl", esg_moment_now());
	esg_policy_defaults(&fetch.policy);
	if (prepare(&fetch))
	{
		bool		failed = !carry_out(&fetch);

		report_answers(&fetch);
		report_crls(&fetch);
		summarize(&fetch, failed);
	}
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

/*
 * ctl/fetch_plan.c
 *		What is there beside what was fetched.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_plan.h"

#include "ctl/message.h"

static bool
fail_memory(void)
{
	return esg_message_error("out of memory");
}

static bool
open_place(EsgFetch *fetch, const char *path)
{
	EsgCrlTarget *target = &fetch->places[fetch->place_count];

	if (!esg_crl_target_open(target, path, &fetch->user))
		return false;
	fetch->place_count++;
	target->new_mode = fetch->options->mode;
	return esg_crl_target_read(target);
}

static int
count_crls(const EsgFetch *fetch)
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
add_items(EsgFetch *fetch, STACK_OF(X509_CRL) *crls, int file, const char *url)
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
allocate_items(EsgFetch *fetch)
{
	size_t		count = (size_t) count_crls(fetch) + 1;

	fetch->plan.items = OPENSSL_zalloc(count * sizeof(EsgCrlPlanItem));
	fetch->infos = OPENSSL_zalloc(count * sizeof(EsgCrlInfo));
	fetch->files = OPENSSL_zalloc(count * sizeof(int));
	fetch->urls = OPENSSL_zalloc(count * sizeof(char *));
	return (fetch->plan.items && fetch->infos && fetch->files && fetch->urls) || fail_memory();
}

bool
esg_fetch_plan_make(EsgFetch *fetch)
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

/*
 * ctl/fetch_write.c
 *		Writes what a plan has come to, and has the server reloaded.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_write.h"

#include "ctl/fetch_reload.h"
#include "ctl/message.h"

static bool
fail_memory(void)
{
	return esg_message_error("out of memory");
}

/* Does the item go into a file that there is? */
static int
file_of(const EsgFetch *fetch, int at)
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
is_changed(const EsgFetch *fetch, int file)
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
fill_content(const EsgFetch *fetch, int file, STACK_OF(X509_CRL) *content)
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
fill_all(const EsgFetch *fetch, STACK_OF(X509_CRL) **contents, STACK_OF(X509_CRL) *added)
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
write_marked(EsgFetch *fetch, STACK_OF(X509_CRL) **contents, STACK_OF(X509_CRL) *added)
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
write_plan(EsgFetch *fetch)
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

/* True if all went well. */
bool
esg_fetch_write(EsgFetch *fetch)
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

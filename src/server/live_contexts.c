/*
 * server/live_contexts.c
 *		The SSL_CTXs with which the server serves, for processes that inherit them.
 */
#include "postgres.h"

#include "server/live_contexts.h"
#include "server/sni_hosts.h"

/* those of two loads: one in service, and one that is being made */
#define MAX_CONTEXTS (2 * (ESG_MAX_HOSTS + 1))

typedef struct LiveContext
{
	SSL_CTX    *context;
	const void *load;
} LiveContext;

static LiveContext contexts[MAX_CONTEXTS];
static int	context_count = 0;
static bool complete = true;

void
esg_live_contexts_add(SSL_CTX *context, const void *load)
{
	if (context_count == MAX_CONTEXTS)
	{
		complete = false;
		return;
	}
	contexts[context_count].context = context;
	contexts[context_count].load = load;
	context_count++;
}

static void
drop(int n)
{
	contexts[n] = contexts[--context_count];
	complete |= context_count == 0;
}

void
esg_live_contexts_remove(const SSL_CTX *context)
{
	for (int i = context_count - 1; i >= 0; i--)
	{
		if (contexts[i].context == context)
			drop(i);
	}
}

void
esg_live_contexts_forget(const void *load)
{
	for (int i = context_count - 1; i >= 0; i--)
	{
		if (contexts[i].load == load)
			drop(i);
	}
}

SSL_CTX *
esg_live_contexts_get(int n)
{
	return n >= 0 && n < context_count ? contexts[n].context : NULL;
}

bool
esg_live_contexts_are_complete(void)
{
	return complete;
}

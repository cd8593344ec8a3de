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
	X509_STORE *store;			/* NULL: the context has it */
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
	contexts[context_count].store = NULL;
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

void
esg_live_contexts_keep_store(SSL_CTX *context)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);

	for (int i = context_count - 1; i >= 0; i--)
	{
		if (contexts[i].context != context)
			continue;
		if (store != NULL && X509_STORE_up_ref(store) == 1)
			contexts[i].store = store;
		else
			drop(i);
	}
}

int
esg_live_contexts_count(void)
{
	return context_count;
}

X509_STORE *
esg_live_contexts_store(int n)
{
	return contexts[n].store != NULL ? contexts[n].store : SSL_CTX_get_cert_store(contexts[n].context);
}

bool
esg_live_contexts_are_complete(void)
{
	return complete;
}

/*
 * server/crl_dir_look.c
 *		The worker's look at what lies in ssl_crl_dir, for all who want to know.
 */
#include "postgres.h"

#include "server/crl_dir_look.h"

static EsgKnownDir known =
{
	0
};

const EsgKnownDir *
esg_crl_dir_look(const char *path, int64 now_ns)
{
	if (!esg_known_dir_look(&known, path, now_ns))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return &known;
}

const EsgKnownDir *
esg_crl_dir_last_look(const char *path)
{
	return known.path != NULL && strcmp(known.path, path) == 0 ? &known : NULL;
}

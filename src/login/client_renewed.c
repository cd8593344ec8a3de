/*
 * login/client_renewed.c
 *		Which client certificates were renewed, and which are used nevertheless.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "login/client_renewed.h"

/* Half of a SHA-256, which nobody can make meet the name of a role. */
static void
identify(const EsgClientEntry *entry, uint64 *out)
{
	const unsigned char *role = (const unsigned char *) entry->role_name;
	int			length = (int) strlen(entry->role_name);

	memcpy(out, entry->facts.subject_digest, 2 * sizeof(*out));
	out[0] ^= hash_bytes_extended(role, length, 0);
	out[1] ^= hash_bytes_extended(role, length, 1);
}

void
esg_client_renewed_describe(const EsgClientEntry *entry, EsgClientLife *out)
{
	memset(out, 0, sizeof(*out));
	identify(entry, out->identity);
	out->not_before = entry->facts.not_before.unix_seconds;
	out->first_seen = entry->first_seen;
	out->last_seen = entry->last_seen;
}

/* the same identity together, what began last first */
static int
compare_lives(const void *a, const void *b)
{
	const EsgClientLife *left = *(EsgClientLife *const *) a;
	const EsgClientLife *right = *(EsgClientLife *const *) b;

	for (int i = 0; i < 2; i++)
	{
		if (left->identity[i] != right->identity[i])
			return left->identity[i] < right->identity[i] ? -1 : 1;
	}
	if (left->not_before != right->not_before)
		return left->not_before > right->not_before ? -1 : 1;
	return 0;
}

static bool
same_identity(const EsgClientLife *a, const EsgClientLife *b)
{
	return a->identity[0] == b->identity[0] && a->identity[1] == b->identity[1];
}

/*
 * An older certificate is superseded once a newer one of the same identity was
 * used after it.  They are in compare_lives's order, so one pass does, with the
 * most recently used of the newer ones remembered.
 */
static void
resolve_superseded(EsgClientLife **lives, int count)
{
	const EsgClientLife *used_last = NULL;

	for (int i = 0; i < count; i++)
	{
		EsgClientLife *life = lives[i];

		life->superseded_by = NULL;
		if (used_last == NULL || !same_identity(used_last, life))
			used_last = life;
		else if (used_last->not_before > life->not_before && used_last->last_seen >= life->last_seen)
			life->superseded_by = used_last;
		else if (life->last_seen > used_last->last_seen)
			used_last = life;
	}
}

/* Which of two newer certificates came into use first?  NULL stands for none. */
static const EsgClientLife *
pick_earlier(const EsgClientLife *a, const EsgClientLife *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return b->first_seen < a->first_seen ? b : a;
}

/*
 * Which have a newer one beside them, whichever is used?  Those that began at one
 * moment are not newer than each other.
 */
static void
resolve_outdated(EsgClientLife **lives, int count)
{
	const EsgClientLife *newer = NULL;	/* began later than those of this
										 * moment */
	const EsgClientLife *equal = NULL;	/* of this moment */

	for (int i = 0; i < count; i++)
	{
		EsgClientLife *life = lives[i];

		if (i == 0 || !same_identity(lives[i - 1], life))
			newer = equal = NULL;
		else if (lives[i - 1]->not_before != life->not_before)
		{
			newer = pick_earlier(newer, equal);
			equal = NULL;
		}
		equal = pick_earlier(equal, life);
		life->renewed_as = newer;
	}
}

void
esg_client_renewed_resolve(EsgClientLife **lives, int count)
{
	qsort(lives, count, sizeof(*lives), compare_lives);
	resolve_superseded(lives, count);
	resolve_outdated(lives, count);
}

/*
 * audit/service_facts.c
 *		What the server has in service, as facts that outlive the files.
 *
 * As for server/loaded_files, which is asked, the first look after a load is
 * taken for what was loaded.
 *
 * The memory outlives a crash.  "served_number" and "config_sequence" say of which
 * load the facts are, and are 0 while they are written.
 */
#include "postgres.h"

#include "libpq/libpq.h"
#include "port/atomics.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "audit/service_facts.h"
#include "compat.h"
#include "server/loaded_files.h"
#include "server/served_hosts.h"
#include "server/shmem.h"

/* CAs, CRLs and names; one above it may be taken away unnoticed */
#define MAX_ITEMS 1000
/* of one certificate */
#define MAX_NAMES 100

typedef struct KeptFile
{
	uint64		name;			/* esg_loaded_files_name() */
	unsigned char sha256[ESG_DIGEST_SIZE];
	EsgWorth	worth;
} KeptFile;

typedef struct Kept
{
	uint32		served_number;	/* of EsgLoadState; 0: nothing is kept */
	int			file_count;
	int			item_count;
	uint32		config_sequence;	/* of EsgLoadState; 0: nothing is kept */
	bool		usable[ESG_CONFIG_FILES];	/* it is what the server has read */
	EsgConfigState config;
	EsgAttempt	attempt;
	KeptFile	files[ESG_MAX_LOADED_FILES];
	EsgWorthItem items[MAX_ITEMS];
} Kept;

static Kept *kept = NULL;

void
esg_service_facts_init(void)
{
	esg_shmem_map("service facts", sizeof(Kept), (void **) &kept, NULL);
}

/* Without the mapping a new worker begins anew. */
static Kept *
get_kept(void)
{
	if (kept == NULL)
		kept = MemoryContextAllocExtended(TopMemoryContext, sizeof(Kept), MCXT_ALLOC_ZERO);
	return kept;
}

EsgAttempt *
esg_service_facts_attempt(void)
{
	return &get_kept()->attempt;
}

/* ------------------------------------------------------------------------
 * Learning
 * ------------------------------------------------------------------------ */

const unsigned char *
esg_service_facts_served(EsgServedSet *set, const char *host, int host_index)
{
	bool		exact = true;

	(void) esg_server_state_served_set(set);
	if (host[0] == '\0')
		return esg_server_state_set_get(set, 0);
	(void) esg_served_hosts(&exact);
	return exact ? esg_server_state_set_get(set, host_index) : NULL;
}

static bool
is_hashed(const EsgTrialFile *file)
{
	static const unsigned char none[ESG_DIGEST_SIZE];

	return memcmp(file->sha256, none, ESG_DIGEST_SIZE) != 0;
}

/* A certificate tells by itself; of the others, one that changed after the load was another then. */
static bool
is_as_loaded(const EsgTrialFile *file, const EsgLoadState *load)
{
	EsgServedSet *set;
	const unsigned char *served;
	bool		same;

	if (file->is_key)
		return true;
	if (is_hashed(file) &&
		esg_loaded_files_differ(file->setting, file->path, file->sha256, load->sequence))
		return false;
	if (file->worth.kind != ESG_WORTH_CERTIFICATE)
		return load->result == ESG_LOAD_OK && file->changed_at <= load->at;
	set = palloc(sizeof(EsgServedSet));
	served = esg_service_facts_served(set, file->host, file->host_index);
	same = served != NULL && memcmp(served, file->worth.fingerprint, ESG_DIGEST_SIZE) == 0;
	pfree(set);
	return same;
}

/* Of a file of which nothing is known, the end of the certificate in service may be. */
static void
forget_worth(KeptFile *out, const EsgTrialFile *file)
{
	EsgServedState served;

	memset(&out->worth, 0, sizeof(out->worth));
	out->worth.kind = file->worth.kind;
	out->worth.security_bits = -1;
	esg_server_state_served(&served);
	if (file->worth.kind != ESG_WORTH_CERTIFICATE || file->host[0] != '\0' ||
		served.not_after_unix == PG_INT64_MIN || served.not_after_unix == PG_INT64_MAX)
		return;
	out->worth.end.state = ESG_TIME_VALID;
	out->worth.end.unix_seconds = served.not_after_unix;
}

/* What fits; names only if all that is in front of them does. */
static void
keep_items(Kept *to, KeptFile *out, const EsgTrial *trial)
{
	int			left = MAX_ITEMS - to->item_count;
	int			count = Min(out->worth.item_count, left);
	int			names = count < out->worth.item_count ? 0 : Min(Min(out->worth.name_count, MAX_NAMES), left - count);

	memcpy(&to->items[to->item_count], esg_trial_items(trial) + out->worth.first_item,
		   (count + names) * sizeof(EsgWorthItem));
	out->worth.first_item = to->item_count;
	out->worth.item_count = count;
	out->worth.name_count = names;
	to->item_count += count + names;
}

static void
keep_file(Kept *to, const EsgTrial *trial, const EsgTrialFile *file, const EsgLoadState *load)
{
	KeptFile   *out = &to->files[to->file_count++];

	out->name = esg_loaded_files_name(file->setting, file->path);
	memcpy(out->sha256, file->sha256, ESG_DIGEST_SIZE);
	out->worth = file->worth;
	if (!is_as_loaded(file, load))
		forget_worth(out, file);
	keep_items(to, out, trial);
}

static void
learn_files(Kept *to, const EsgTrial *trial, const EsgLoadState *load)
{
	to->served_number = 0;
	pg_write_barrier();
	to->file_count = 0;
	to->item_count = 0;
	for (int i = 0; i < trial->file_count && i < ESG_MAX_LOADED_FILES; i++)
		keep_file(to, trial, &trial->files[i], load);
	pg_write_barrier();
	to->served_number = load->served_number;
}

/*
 * The postmaster tells when it had read the first of these files, and reads the
 * others right after it; whatever has changed since may be news to it.
 */
static void
learn_config(Kept *to, const EsgTrial *trial, const EsgLoadState *load)
{
	to->config_sequence = 0;
	pg_write_barrier();
	to->config = trial->config;
	for (int i = 0; i < ESG_CONFIG_FILES; i++)
		to->usable[i] = to->config.readable[i] && to->config.changed_at[i] <= load->config_at;
	pg_write_barrier();
	to->config_sequence = load->sequence;
}

void
esg_service_facts_learn(const EsgTrial *trial, const EsgLoadState *load)
{
	Kept	   *to = get_kept();

	if (to->served_number != load->served_number)
		learn_files(to, trial, load);
	if (to->config_sequence != load->sequence)
		learn_config(to, trial, load);
}

/* ------------------------------------------------------------------------
 * Comparing
 * ------------------------------------------------------------------------ */

static const KeptFile *
find_file(const EsgTrialFile *file)
{
	uint64		name = esg_loaded_files_name(file->setting, file->path);

	for (int i = 0; i < get_kept()->file_count; i++)
	{
		if (kept->files[i].name == name)
			return &kept->files[i];
	}
	return NULL;
}

/* Of what is not kept, nobody says that it differs. */
bool
esg_service_facts_differ(const EsgTrialFile *file)
{
	const KeptFile *served = find_file(file);

	if (served == NULL || file->is_key)
		return false;
	return !served->worth.known ||
		memcmp(served->sha256, file->sha256, ESG_DIGEST_SIZE) != 0 ||
		memcmp(served->worth.fingerprint, file->worth.fingerprint, ESG_DIGEST_SIZE) != 0;
}

bool
esg_service_facts_worse(const EsgTrial *trial, const EsgTrialFile *file, int64 now, char *reason)
{
	const KeptFile *served = find_file(file);

	return served != NULL &&
		esg_worse_than(&served->worth, kept->items, &file->worth, esg_trial_items(trial), now, reason);
}

const char *
esg_service_facts_config_news(const EsgConfigState *config, bool *certain)
{
	const Kept *from = get_kept();

	for (int i = 0; i < ESG_CONFIG_FILES; i++)
	{
		*certain = from->usable[i] && config->readable[i];
		if (!*certain || memcmp(from->config.sha256[i], config->sha256[i], ESG_DIGEST_SIZE) != 0)
			return esg_config_files_path((EsgConfigFile) i);
	}
	*certain = true;
	return ssl_sni && esg_served_hosts_edited() ? HostsFileName : NULL;
}

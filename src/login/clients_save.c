/*
 * login/clients_save.c
 *		The file that keeps the client registry over a restart.
 */
#include "postgres.h"

#include "pgstat.h"

#include "login/clients_save.h"

/* Texts are trusted only if they end, times only if they can be shown. */
static bool
are_facts_sound(const EsgClientFacts *facts)
{
#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)
	return ENDS(facts->subject) && ENDS(facts->issuer) && ENDS(facts->common_name) &&
		ENDS(facts->serial_number) && ENDS(facts->texts.malformed) && ENDS(facts->texts.odd_serial) &&
		esg_cert_facts_time_is_sound(&facts->not_before) &&
		esg_cert_facts_time_is_sound(&facts->not_after) &&
		esg_cert_facts_time_is_sound(&facts->chain_not_before) &&
		esg_cert_facts_time_is_sound(&facts->chain_not_after) &&
		esg_cert_facts_are_sound(&facts->cert) && esg_cert_facts_are_sound(&facts->chain) &&
		esg_cert_facts_key_is_sound(&facts->issuer_key);
}

static bool
is_entry_sound(const void *data)
{
	const EsgClientEntry *entry = data;

	return are_facts_sound(&entry->facts) && ENDS(entry->role_name) && ENDS(entry->last_tls_version) &&
		ENDS(entry->last_cipher) && IS_VALID_TIMESTAMP(entry->first_seen) &&
		IS_VALID_TIMESTAMP(entry->last_seen) && IS_VALID_TIMESTAMP(entry->alarmed_at);
#undef ENDS
}

#define FILE_OF_CLIENTS(version) \
	.path = PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.clients", \
	.magic = version, \
	.content = "client certificates", \
	.foreign = "A copy of a data directory begins without client certificates, as they came to another server.", \
	.entry_size = sizeof(EsgClientEntry), \
	.is_sound = is_entry_sound

/* A login changes what comes behind first_seen, but for a new certificate's. */
const EsgSlotFile esg_clients_save_file = {
	.file = {FILE_OF_CLIENTS("ESGCLI05")},
	.stable_size = offsetof(EsgClientEntry, last_seen)
};

/* All in one, the least recently used first. */
static const EsgSavedFile last_version = {FILE_OF_CLIENTS("ESGCLI04")};

static EsgSlotEntryFn take_old;
static uint32 old_count;

/* EsgSavedEntryFn: such a file may have one twice. */
static void
take_old_entry(const void *entry)
{
	if (take_old(old_count, entry))
		old_count++;
}

bool
esg_clients_save_load(EsgSlotEntryFn each, uint64 *generation)
{
	switch (esg_slot_file_load(&esg_clients_save_file, each, generation))
	{
		case ESG_SLOT_LOADED:
			return true;
		case ESG_SLOT_DROPPED:
			return false;
		case ESG_SLOT_OTHER:
			break;
	}
	take_old = each;
	old_count = 0;
	esg_saved_file_load(&last_version, take_old_entry);
	return true;
}

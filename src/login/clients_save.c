/*
 * login/clients_save.c
 *		The file that keeps the client registry over a restart.
 */
#include "postgres.h"

#include "pgstat.h"

#include "login/clients_save.h"

/* Texts are trusted only if they end. */
static bool
is_entry_sound(const void *data)
{
	const EsgClientEntry *entry = data;
	const EsgClientFacts *facts = &entry->facts;

#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)
	return ENDS(entry->role_name) && ENDS(entry->last_tls_version) &&
		ENDS(entry->last_cipher) && ENDS(facts->subject) && ENDS(facts->issuer) &&
		ENDS(facts->common_name) && ENDS(facts->serial_number) &&
		ENDS(facts->cert.key.algorithm) && ENDS(facts->cert.signature_algorithm) &&
		ENDS(facts->texts.malformed) && ENDS(facts->texts.odd_serial) &&
		ENDS(facts->chain.key.algorithm) && ENDS(facts->chain.signature_algorithm) &&
		ENDS(facts->issuer_key.algorithm);
#undef ENDS
}

static const EsgSavedFile saved = {
	.path = PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.clients",
	.magic = "ESGCLI04",
	.content = "client certificates",
	.foreign = "A copy of a data directory begins without client certificates, as they came to another server.",
	.entry_size = sizeof(EsgClientEntry),
	.is_sound = is_entry_sound
};

void
esg_clients_save_load(EsgSavedEntryFn each)
{
	esg_saved_file_load(&saved, each);
}

bool
esg_clients_save_write(const EsgClientRow *rows, int count)
{
	StaticAssertDecl(offsetof(EsgClientRow, entry) == 0, "the entry comes first");

	return esg_saved_file_write(&saved, rows, sizeof(EsgClientRow), count);
}

/*
 * fuzz_registry.c
 *		The file of the client registry, and its journal, as somebody has left them.
 *
 * The first octet says what they are: the data itself, or a good file with the data
 * over it; whether there is a journal; whether checksums count; whether the file says
 * that it is ours.  Whatever is in them: no error, what is taken ends where it should,
 * and the next file is written and read as if nothing had been.
 */
#include "server_stub.h"

#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "checks.h"
#include "login/clients_save.h"
#include "policy/certificate.h"
#include "policy/chain.h"

#define PATH "pg_stat/ext_ssl_guard.clients"
#define JOURNAL PATH ".journal"
/* the owner stands behind the magic */
#define OWNER_AT 8

#define IS_MENDED 0x01			/* a good one, changed */
#define IS_JOURNAL 0x02			/* the data is the journal's */
#define TAKES_CHECKSUMS 0x04
#define IS_OURS 0x08
#define IS_FORMER 0x10			/* what was written before there were parts */

#define MAX_CHANGE 4096

#define NOW INT64CONST(1790000000)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EsgClientEntry known[2];
static uint32 taken;

static char *good;
static size_t good_size;
static char *good_journal;
static size_t good_journal_size;

/* As the server does with each, now and then. */
static void
judge(const EsgClientFacts *facts)
{
	EsgPolicy	policy;
	EsgFindings findings = {0};
	EsgCertInfo info;
	EsgCertInfo issuer;

	esg_policy_defaults(&policy);
	esg_cert_facts_restore(&facts->cert, &facts->texts, facts->not_before, facts->not_after, &info);
	memset(&issuer, 0, sizeof(issuer));
	esg_cert_facts_restore_key(&facts->issuer_key, &issuer.key);
	esg_policy_check_cert(&info, ESG_PLACE_CLIENT, &policy, NOW, &findings);
	esg_policy_chain_check_client(&info, &issuer, &policy, &findings);
	esg_cert_facts_restore(&facts->chain, NULL, facts->chain_not_before, facts->chain_not_after, &info);
	esg_policy_check_cert(&info, ESG_PLACE_CLIENT_CHAIN, &policy, NOW, &findings);
	must(!findings.out_of_memory && ERR_peek_error() == 0);
	esg_findings_free(&findings);
}

/* EsgSlotEntryFn: texts end, or this reads beyond them. */
static bool
take(uint32 number, const void *data)
{
	const EsgClientEntry *entry = data;
	EsgClientEntry *copy = malloc(sizeof(*copy));
	size_t		length;

	must(copy != NULL && number == taken++);
	memcpy(copy, entry, sizeof(*copy));
	judge(&copy->facts);
	must(IS_VALID_TIMESTAMP(copy->first_seen) && IS_VALID_TIMESTAMP(copy->last_seen));
	length = strlen(copy->facts.subject) + strlen(copy->facts.issuer) + strlen(copy->facts.serial_number) +
		strlen(copy->role_name) + strlen(copy->last_cipher) + strlen(copy->last_tls_version) +
		strlen(copy->facts.common_name) + strlen(copy->facts.texts.malformed);
	must(length < sizeof(*copy));
	free(copy);
	return true;
}

static int
read_known(int number, void *entries, int max)
{
	int			count = Min(lengthof(known) - number, max);

	memcpy(entries, &known[number], sizeof(known[0]) * count);
	return count;
}

static char *
read_file(const char *path, size_t *size)
{
	FILE	   *in = fopen(path, "r");
	char	   *bytes;
	struct stat st;

	must(in != NULL && fstat(fileno(in), &st) == 0);
	*size = (size_t) st.st_size;
	bytes = malloc(*size);
	must(bytes != NULL && fread(bytes, *size, 1, in) == 1);
	fclose(in);
	return bytes;
}

/* A good file, and the journal that a writer has left who was killed. */
static void
begin(void)
{
	EsgSlotBatch batch;
	uint64		generation;

	server_stub_enter_directory();
	for (int i = 0; i < lengthof(known); i++)
	{
		memset(&known[i], 0, sizeof(known[i]));
		snprintf(known[i].role_name, sizeof(known[i].role_name), "role%d", i);
		snprintf(known[i].facts.subject, sizeof(known[i].facts.subject), "CN=client%d", i);
	}
	generation = esg_slot_file_rewrite(&esg_clients_save_file, read_known, lengthof(known));
	must(generation != 0);
	good = read_file(PATH, &good_size);
	must(esg_slot_batch_begin(&batch, &esg_clients_save_file));
	esg_slot_batch_add(&batch, generation, ESG_SLOT_STABLE, 1, &known[0]);
	esg_slot_batch_add(&batch, generation, ESG_SLOT_USE, 1, &known[0]);
	must(esg_slot_batch_save(&batch, generation, lengthof(known)) == ESG_SLOT_SAVED);
	good_journal_size = batch.size;
	good_journal = malloc(batch.size);
	memcpy(good_journal, batch.image, batch.size);
	esg_slot_batch_give_up(&batch);
}

/* The data over the good one, at a place that its first two octets tell; longer or shorter, too. */
static void
write_mended(const char *path, const char *bytes, size_t size, const uint8_t *data, size_t len)
{
	char	   *copy = malloc(size + MAX_CHANGE);
	size_t		at = len >= 2 ? (size_t) (data[0] << 8 | data[1]) : 0;
	size_t		cut = len >= 4 ? (size_t) (data[2] << 8 | data[3]) : 0;

	must(copy != NULL);
	memcpy(copy, bytes, size);
	for (size_t i = 4; i < len && i < MAX_CHANGE; i++)
		copy[(at + i - 4) % size] ^= (char) data[i];
	server_stub_write_file(path, copy, cut < size ? size - cut : 0);
	free(copy);
}

static void
write_data(const char *path, const uint8_t *data, size_t size, unsigned kind)
{
	char	   *copy = malloc(size + sizeof(EsgFileOwner) + OWNER_AT);
	EsgFileOwner owner;

	must(copy != NULL);
	memcpy(copy, data, size);
	esg_saved_file_owner(&owner);
	if ((kind & IS_OURS) != 0 && size >= OWNER_AT + sizeof(owner))
	{
		memcpy(copy, (kind & IS_FORMER) != 0 ? "ESGCLI04" : esg_clients_save_file.file.magic, OWNER_AT);
		memcpy(copy + OWNER_AT, &owner, sizeof(owner));
	}
	server_stub_write_file(path, copy, size);
	free(copy);
}

static void
write_files(const uint8_t *data, size_t size, unsigned kind)
{
	(void) unlink(JOURNAL);
	if ((kind & IS_JOURNAL) != 0)
	{
		server_stub_write_file(PATH, good, good_size);
		if ((kind & IS_MENDED) != 0)
			write_mended(JOURNAL, good_journal, good_journal_size, data, size);
		else
			server_stub_write_file(JOURNAL, data, size);
	}
	else if ((kind & IS_MENDED) != 0)
		write_mended(PATH, good, good_size, data, size);
	else
		write_data(PATH, data, size, kind);
}

/* As the server does at its next start, and after it. */
static void
check_next(void)
{
	uint64		generation = esg_slot_file_rewrite(&esg_clients_save_file, read_known, lengthof(known));
	uint64		found;

	must(generation != 0);
	must(esg_slot_file_count(&esg_clients_save_file) == lengthof(known));
	taken = 0;
	must(esg_slot_file_load(&esg_clients_save_file, take, &found) == ESG_SLOT_LOADED);
	must(found == generation && taken == lengthof(known));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64		generation;
	int64		count;

	if (size == 0)
		return 0;
	if (good == NULL)
		begin();
	server_stub_takes_checksums = false;
	write_files(data + 1, size - 1, data[0]);
	server_stub_takes_checksums = (data[0] & TAKES_CHECKSUMS) != 0;
	count = esg_slot_file_count(&esg_clients_save_file);
	taken = 0;
	if (esg_clients_save_load(take, &generation) && count >= 0 && generation != 0)
		must(taken == count);
	server_stub_takes_checksums = false;
	check_next();
	return 0;
}

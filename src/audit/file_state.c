/*
 * audit/file_state.c
 *		Are the TLS files as they were when they were audited?
 *
 * Both signatures of the content are made of the same bytes in the same order: a check needs
 * not read the files a second time to know what to compare with later.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit/file_state.h"
#include "files/facts.h"
#include "server/crl_dir_look.h"
#include "server/tls_files.h"

/* What is made of each file, one after the other, and of all that lies in ssl_crl_dir. */
typedef void (*VisitFn) (StringInfo buf, const EsgTlsFile *file, void *arg);

typedef struct Visitor
{
	VisitFn		file;
	VisitFn		entries;
	void	   *arg;
} Visitor;

static void
append_number(StringInfo buf, int64 value)
{
	appendBinaryStringInfo(buf, (const char *) &value, sizeof(value));
}

static void
append_string(StringInfo buf, const char *str)
{
	appendBinaryStringInfo(buf, str, (int) strlen(str) + 1);
}

/* Keys are never opened; of a directory the entries follow. */
static bool
is_hashed(EsgFileKind kind)
{
	return !esg_policy_file_is_secret(kind) && kind != ESG_FILE_CRL_DIR;
}

/* kind as the settings have it; resolved may be NULL; sha256 is zero if there was nothing to read */
static void
append_state(StringInfo buf, const EsgTlsFile *file, const char *resolved,
			 const EsgFileFacts *facts, const unsigned char *sha256)
{
	append_string(buf, file->setting);
	append_string(buf, file->path);
	append_string(buf, resolved != NULL ? resolved : "");

	/*
	 * an audit sees that a directory cannot be listed; then its mode tells,
	 * too
	 */
	append_number(buf, file->kind != ESG_FILE_CRL_DIR ? facts->error : 0);
	append_number(buf, facts->too_large);
	append_number(buf, facts->mode);
	append_number(buf, facts->uid);
	append_number(buf, facts->gid);
	if (is_hashed(file->kind))
		appendBinaryStringInfo(buf, (const char *) sha256, ESG_DIGEST_SIZE);
	else
	{
		append_number(buf, facts->size);
		append_number(buf, facts->mtime);
		append_number(buf, (int64) facts->inode);
	}
}

static void
finish_signature(StringInfo buf, unsigned char *sha256)
{
	memset(sha256, 0, ESG_DIGEST_SIZE);
	(void) EVP_Digest(buf->data, buf->len, sha256, NULL, EVP_sha256(), NULL);
	ERR_clear_error();
}

void
esg_file_state_of(const EsgAudit *audit, unsigned char *sha256)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < audit->file_count; i++)
	{
		const EsgAuditFile *file = audit->files[i];
		EsgTlsFile	listed = file->file;

		if (esg_policy_file_is_directory(listed.kind))
			continue;
		/* an extra file that turned out to be a key was read to find out */
		if (file->scanned)
			listed.kind = ESG_FILE_EXTRA;
		append_state(&buf, &listed, file->resolved_path, &file->facts, file->sha256);
	}
	finish_signature(&buf, sha256);
	pfree(buf.data);
}

/* Visits all files, and digests what that appends. */
static void
digest_files(const Visitor *visitor, unsigned char *sha256)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ext_ssl_guard signature",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	EsgTlsFile *files = NULL;
	int			count = esg_tls_files_list(&files);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < count; i++)
	{
		visitor->file(&buf, &files[i], visitor->arg);
		if (files[i].kind == ESG_FILE_CRL_DIR)
			visitor->entries(&buf, &files[i], visitor->arg);
	}
	finish_signature(&buf, sha256);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* The file with its content. */
static void
append_file(StringInfo buf, const EsgTlsFile *file, void *arg)
{
	unsigned char sha256[ESG_DIGEST_SIZE] = {0};
	char		resolved[PATH_MAX];
	bool		is_resolved = esg_facts_resolve(file->path, resolved);
	EsgFileFacts facts;

	CHECK_FOR_INTERRUPTS();
	if (is_hashed(file->kind))
		(void) esg_content_hash(file->path, esg_content_limit(file->kind), &facts, sha256);
	else
		esg_facts_stat(file->path, &facts);
	append_state(buf, file, is_resolved ? resolved : NULL, &facts, sha256);
}

static void
append_entries(StringInfo buf, const EsgTlsFile *dir, void *arg)
{
	char	  **paths;
	int			error;
	int			count = esg_tls_files_list_crl_dir(dir->path, &paths, &error);

	for (int i = 0; i < count; i++)
	{
		EsgTlsFile	entry = {dir->setting, ESG_FILE_CRL, paths[i], false, 0, NULL, 0};

		append_file(buf, &entry, arg);
	}
}

void
esg_file_state_now(unsigned char *sha256)
{
	const Visitor visitor = {append_file, append_entries, NULL};

	digest_files(&visitor, sha256);
}

typedef struct Looking
{
	EsgFileLook *look;
	EsgFactsDirectory directory;
} Looking;

/* All that stat() tells, but for the times of reading. */
static void
append_look(StringInfo buf, const EsgTlsFile *file, void *arg)
{
	Looking    *looking = arg;
	EsgFileLook *look = looking->look;
	char		resolved[PATH_MAX];
	EsgFileFacts facts;
	bool		is_resolved = esg_facts_look(&looking->directory, file->path, resolved, &facts);

	append_string(buf, file->setting);
	append_string(buf, file->path);
	append_string(buf, is_resolved ? resolved : "");
	append_number(buf, facts.error);
	append_number(buf, facts.mode);
	append_number(buf, facts.uid);
	append_number(buf, facts.gid);
	append_number(buf, facts.size);
	append_number(buf, facts.mtime);
	append_number(buf, facts.ctime_ns);
	append_number(buf, (int64) facts.device);
	append_number(buf, (int64) facts.inode);
	look->at_rest_ns = Max(look->at_rest_ns, esg_facts_at_rest(&facts));
}

/* There may be thousands, and hardly ever a change. */
static void
append_entries_look(StringInfo buf, const EsgTlsFile *dir, void *arg)
{
	EsgFileLook *look = ((Looking *) arg)->look;
	const EsgKnownDir *known = esg_crl_dir_look(dir->path, look->at_ns);

	appendBinaryStringInfo(buf, (const char *) known->digest, ESG_DIGEST_SIZE);
	look->at_rest_ns = Max(look->at_rest_ns, known->at_rest_ns);
}

void
esg_file_state_look(EsgFileLook *out)
{
	const int64 epoch = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	Looking		looking = {.look = out};
	const Visitor visitor = {append_look, append_entries_look, &looking};

	memset(out, 0, sizeof(*out));
	out->at_ns = (GetCurrentTimestamp() + epoch) * 1000;
	PG_TRY();
	{
		digest_files(&visitor, out->digest);
	}
	PG_FINALLY();
	{
		esg_facts_leave(&looking.directory);
	}
	PG_END_TRY();
	out->taken = true;
}

bool
esg_file_state_same_look(const EsgFileLook *before, const EsgFileLook *now)
{
	return before->taken && now->taken &&
		memcmp(before->digest, now->digest, ESG_DIGEST_SIZE) == 0;
}

/*
 * Of a file that was written just before the look a second change may bear the
 * same time.  So may one ahead of the clock.
 */
bool
esg_file_state_unchanged(const EsgFileLook *before, const EsgFileLook *now)
{
	return before->at_ns >= before->at_rest_ns && esg_file_state_same_look(before, now);
}

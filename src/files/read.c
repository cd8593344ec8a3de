/*
 * files/read.c
 *		Reading TLS files: files, certificates and CRLs as facts.
 */
#include "files/read.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "files/facts.h"

/* The array of pointers with room for one more; NULL if there is no memory for it. */
static void *
make_room(EsgAudit *audit, void *array, int count, int *capacity)
{
	int			larger = *capacity * 2 + 16;
	void	   *moved;

	if (count < *capacity)
		return array;
	moved = OPENSSL_realloc(array, (size_t) larger * sizeof(void *));
	if (moved != NULL)
		*capacity = larger;
	audit->out_of_memory |= moved == NULL;
	return moved;
}

static char *
copy(EsgAudit *audit, const char *text)
{
	char	   *piece = esg_arena_copy(&audit->arena, text);

	audit->out_of_memory |= piece == NULL;
	return piece;
}

/* NULL if there is no memory for it. */
static EsgAuditFile *
append_file(EsgAudit *audit, const EsgTlsFile *file)
{
	EsgAuditFile *item = esg_audited_take(audit, sizeof(EsgAuditFile));
	EsgAuditFile **room = make_room(audit, audit->files, audit->file_count, &audit->reading.file_capacity);

	if (room != NULL)
		audit->files = room;
	if (item == NULL || room == NULL)
		return NULL;
	item->file = *file;
	item->suggestion = "";
	item->file.path = copy(audit, file->path);
	if (file->host != NULL)
		item->file.host = copy(audit, file->host);
	if (audit->out_of_memory)
		return NULL;
	audit->files[audit->file_count++] = item;
	return item;
}

/* ------------------------------------------------------------------------
 * Blocks of a file
 * ------------------------------------------------------------------------ */

static bool
must_stop(EsgAudit *audit)
{
	EsgAuditReading *reading = &audit->reading;

	reading->stopped = reading->may_stop && audit->interrupts != NULL && audit->interrupts->pending();
	return reading->stopped;
}

static bool
keep_cert(X509 *cert, int position, void *arg)
{
	EsgAudit   *audit = arg;

	(void) position;
	if (sk_X509_push(audit->reading.x509s, cert) > 0)
		return !must_stop(audit);
	X509_free(cert);
	audit->out_of_memory = true;
	return false;
}

static bool
keep_crl(X509_CRL *crl, int position, void *arg)
{
	EsgAudit   *audit = arg;

	(void) position;
	if (sk_X509_CRL_push(audit->reading.x509_crls, crl) > 0)
		return !must_stop(audit);
	X509_CRL_free(crl);
	audit->out_of_memory = true;
	return false;
}

static void
scan_blocks(EsgAudit *audit, const char *data, size_t len, unsigned want,
			EsgPemResult *result)
{
	EsgPemSink	sink = {keep_cert, keep_crl, audit};

	esg_pem_scan(data, len, want, &sink, result);
	if (result->end == ESG_PEM_NO_MEMORY)
		audit->out_of_memory = true;
}

/* The place of a file's first certificate. */
static EsgPlace
first_place(EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CERTIFICATE:
			return ESG_PLACE_LEAF;
		case ESG_FILE_CLIENT:
			return ESG_PLACE_CLIENT;
		case ESG_FILE_CA:
			return ESG_PLACE_CA;
		default:
			return ESG_PLACE_EXTRA;
	}
}

/* The further ones of a chain are its intermediates. */
static EsgPlace
next_place(EsgPlace first)
{
	switch (first)
	{
		case ESG_PLACE_LEAF:
			return ESG_PLACE_CHAIN;
		case ESG_PLACE_CLIENT:
			return ESG_PLACE_CLIENT_CHAIN;
		default:
			return first;
	}
}

/*
 * Reads the facts of the certificates on the stack that have none yet; file is
 * NULL for a text.
 */
static void
append_certs(EsgAudit *audit, EsgAuditFile *file, EsgPlace first, EsgMemo *memo)
{
	STACK_OF(X509) *x509s = audit->reading.x509s;
	int			position = 0;

	while (audit->cert_count < sk_X509_num(x509s))
	{
		X509	   *x509 = sk_X509_value(x509s, audit->cert_count);
		EsgAuditCert *cert = esg_audited_take(audit, sizeof(EsgAuditCert));
		EsgAuditCert **room = make_room(audit, audit->certs, audit->cert_count, &audit->reading.cert_capacity);

		if (room != NULL)
			audit->certs = room;
		if (cert == NULL || room == NULL)
			return;
		esg_audited_allow_interrupt(audit);
		cert->file = file;
		cert->position = ++position;
		cert->place = position == 1 ? first : next_place(first);
		esg_x509_info_read(x509, memo, &cert->info);
		audit->certs[audit->cert_count++] = cert;
	}
}

static void
append_crls(EsgAudit *audit, EsgAuditFile *file)
{
	STACK_OF(X509_CRL) *x509_crls = audit->reading.x509_crls;
	int			position = 0;

	while (audit->crl_count < sk_X509_CRL_num(x509_crls))
	{
		X509_CRL   *x509_crl = sk_X509_CRL_value(x509_crls, audit->crl_count);
		EsgAuditCrl *crl = esg_audited_take(audit, sizeof(EsgAuditCrl));
		EsgAuditCrl **room = make_room(audit, audit->crls, audit->crl_count, &audit->reading.crl_capacity);

		if (room != NULL)
			audit->crls = room;
		if (crl == NULL || room == NULL)
			return;
		esg_audited_allow_interrupt(audit);
		crl->file = file;
		crl->position = ++position;
		esg_crl_info_read(x509_crl, &crl->info);
		audit->crls[audit->crl_count++] = crl;
	}
}

void
esg_read_text(EsgAudit *audit, const char *data, size_t len, EsgPlace place,
			  EsgMemo *memo, EsgPemResult *result)
{
	const unsigned char *p = (const unsigned char *) data;
	X509	   *cert = NULL;

	memset(result, 0, sizeof(*result));
	if (len > 0 && p[0] == 0x30)	/* a DER SEQUENCE */
		cert = d2i_X509(NULL, &p, (long) len);
	if (cert == NULL)
		scan_blocks(audit, data, len, ESG_PEM_CERTS | ESG_PEM_TAILS |
					(place == ESG_PLACE_CA ? ESG_PEM_TRUSTED : 0), result);
	else
	{
		result->certs = 1;
		(void) keep_cert(cert, 1, audit);
		result->fault_offset = p - (const unsigned char *) data;
		if (result->fault_offset < len)
		{
			result->end = ESG_PEM_BROKEN;
			OPENSSL_strlcpy(result->found, "other data behind the DER certificate",
							sizeof(result->found));
		}
	}
	ERR_clear_error();
	if (!audit->out_of_memory)
		append_certs(audit, NULL, place, memo);
}

/* ------------------------------------------------------------------------
 * Files
 * ------------------------------------------------------------------------ */

/*
 * A CA file may hold CRLs, and OpenSSL loads them from there.  They count only
 * when a CRL setting switches the checking on.  TRUSTED CERTIFICATE blocks are
 * taken there, too, while the reader of ssl_cert_file skips all but a first one.
 */
static unsigned
wanted_blocks(const EsgAudit *audit, EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CERTIFICATE:
		case ESG_FILE_CLIENT:
			return ESG_PEM_CERTS;
		case ESG_FILE_CA:
			return ESG_PEM_CERTS | ESG_PEM_TRUSTED |
				(audit->crl_configured ? ESG_PEM_CRLS : 0);
		case ESG_FILE_CRL:
			return ESG_PEM_CRLS;
		case ESG_FILE_EXTRA:
			return ESG_PEM_CERTS | ESG_PEM_CRLS;
		default:
			return 0;
	}
}

/* Only after looking can one know that an extra file is a key. */
static bool
holds_only_a_key(const EsgAuditFile *file)
{
	return file->file.kind == ESG_FILE_EXTRA && file->scanned &&
		file->pem.end == ESG_PEM_NOTHING &&
		(strstr(file->pem.found, "private key") != NULL ||
		 strcmp(file->pem.found, "key parameters") == 0);
}

/*
 * Reads and scans a file; false if it could not be read.  A cancel need not
 * wait for the end of a large bundle, but not every interrupt raises an error:
 * after one that does not, the file is read again, and then to its end.
 */
static bool
scan_file(EsgAudit *audit, EsgAuditFile *file, int64_t limit)
{
	EsgContent *content = &audit->reading.content;

	if (!esg_content_read(file->file.path, limit, &file->facts, content))
		return false;
	audit->reading.bytes += content->len;
	file->hashed = content->hashed;
	memcpy(file->sha256, content->sha256, ESG_DIGEST_SIZE);
	audit->reading.stopped = false;
	scan_blocks(audit, content->data, content->len,
				wanted_blocks(audit, file->file.kind), &file->pem);
	esg_content_release(content);
	return true;
}

static void
forget_new_blocks(EsgAudit *audit)
{
	EsgAuditReading *reading = &audit->reading;

	while (sk_X509_num(reading->x509s) > audit->cert_count)
		X509_free(sk_X509_pop(reading->x509s));
	while (sk_X509_CRL_num(reading->x509_crls) > audit->crl_count)
		X509_CRL_free(sk_X509_CRL_pop(reading->x509_crls));
}

/*
 * The server does not load ssl_crl_file, and goes on with what it had.  With a
 * certificate in place of a CRL it does, and then has none.
 */
static bool
is_refused_crl_file(const EsgAuditFile *file)
{
	return strcmp(file->file.setting, "ssl_crl_file") == 0 && file->pem.crls == 0 &&
		strcmp(file->pem.found, "a certificate") != 0;
}

static void
read_content(EsgAudit *audit, EsgAuditFile *file, int64_t limit, EsgMemo *memo)
{
	audit->reading.may_stop = true;
	file->scanned = scan_file(audit, file, limit);
	if (file->scanned && audit->reading.stopped)
	{
		esg_audited_allow_interrupt(audit);
		forget_new_blocks(audit);
		audit->reading.may_stop = false;
		file->scanned = scan_file(audit, file, limit);
	}
	if (!file->scanned)
	{
		if (file->file.kind == ESG_FILE_CRL && !esg_tls_file_is_extra(&file->file))
			audit->crl_unread = true;
		return;
	}
	if (audit->out_of_memory)
		return;
	if (is_refused_crl_file(file))
		audit->crl_unread = true;
	append_certs(audit, file, first_place(file->file.kind), memo);
	append_crls(audit, file);
	if (holds_only_a_key(file))
		file->file.kind = ESG_FILE_KEY;
}

/* A file that is the certificate and the key shows no hash, as a key shows none. */
static void
hide_key_hashes(EsgAudit *audit)
{
	int			i;
	int			k;

	for (i = 0; i < audit->file_count; i++)
	{
		const EsgAuditFile *key = audit->files[i];

		if (key->file.kind != ESG_FILE_KEY || !key->facts.exists)
			continue;
		for (k = 0; k < audit->file_count; k++)
		{
			if (audit->files[k]->facts.device == key->facts.device &&
				audit->files[k]->facts.inode == key->facts.inode)
				audit->files[k]->hashed = false;
		}
	}
}

static void
read_file(EsgAudit *audit, EsgAuditFile *file, const EsgReadTask *task)
{
	int64_t		limit = esg_content_limit(file->file.kind);

	esg_audited_allow_interrupt(audit);
	switch (file->file.kind)
	{
		case ESG_FILE_CERTIFICATE:
		case ESG_FILE_CLIENT:
		case ESG_FILE_CA:
		case ESG_FILE_EXTRA:
			break;
		case ESG_FILE_DH_PARAMS:
		case ESG_FILE_HOSTS:
			file->hashed = esg_content_hash(file->file.path, limit, &file->facts, file->sha256);
			return;
		case ESG_FILE_CRL:
			if ((task->what & (ESG_AUDIT_CRLS | ESG_AUDIT_FILES)) == 0)
				limit = ESG_CERT_FILE_LIMIT;
			break;
		default:
			esg_facts_stat(file->file.path, &file->facts);
			return;
	}
	read_content(audit, file, limit, task->memo);
}

static void
read_crl_dir(EsgAudit *audit, EsgAuditFile *dir, const EsgReadTask *task)
{
	EsgCrlDirList *listing = &audit->reading.listing;

	esg_crl_dir_list_read(dir->file.path, listing);
	if (listing->error != 0)
	{
		if (listing->error == EFBIG)
			dir->facts.too_large = true;
		else if (dir->facts.error == 0 && S_ISDIR(dir->facts.mode))
			dir->facts.error = listing->error;
		audit->crl_unread = true;
	}
	for (int i = 0; i < listing->count && !audit->out_of_memory; i++)
	{
		EsgTlsFile	entry = {"ssl_crl_dir", ESG_FILE_CRL, listing->paths[i], false, 0, NULL, 0};
		EsgAuditFile *file = append_file(audit, &entry);

		if (file == NULL)
			break;
		file->in_crl_dir = true;
		read_file(audit, file, task);
	}
	esg_crl_dir_list_free(listing);
}

static bool
knows_directory(const EsgAudit *audit, const char *path)
{
	int			i;

	/* the latest are the likeliest */
	for (i = audit->file_count - 1; i >= 0; i--)
	{
		const char *known = audit->files[i]->resolved_path;

		if (known != NULL && strcmp(known, path) == 0)
			return true;
	}
	return false;
}

/* The directories above a resolved path, each once. */
static void
append_directories(EsgAudit *audit, const EsgAuditFile *below)
{
	char		path[PATH_MAX];
	char	   *slash;

	OPENSSL_strlcpy(path, below->resolved_path, sizeof(path));
	while ((slash = strrchr(path, '/')) != NULL && path[1] != '\0')
	{
		EsgTlsFile	entry = {below->file.setting, ESG_FILE_DIRECTORY, path, true, 0, NULL, 0};
		EsgAuditFile *file;

		slash[slash == path ? 1 : 0] = '\0';
		/* then those above it are known, too */
		if (knows_directory(audit, path) || (file = append_file(audit, &entry)) == NULL)
			break;
		file->resolved_path = file->file.path;
		esg_facts_stat(path, &file->facts);
	}
}

static void
resolve_path(EsgAudit *audit, EsgAuditFile *file)
{
	char		resolved[PATH_MAX];

	if (esg_facts_resolve(file->file.path, resolved))
		file->resolved_path = copy(audit, resolved);
}

/* Where the pair is, or what is left of one: by the rule for that. */
static void
append_pair_directory(EsgAudit *audit, const EsgAuditFile *below, const char *directory)
{
	EsgTlsFile	entry = {below->file.setting, ESG_FILE_PAIR_DIRECTORY, (char *) directory, true, 0, NULL, 0};
	EsgAuditFile *file = append_file(audit, &entry);

	if (file == NULL)
		return;
	resolve_path(audit, file);
	esg_facts_stat_directory(file->file.path, &file->facts);
}

static void
append_pair_directory_once(EsgAudit *audit, const char *directory)
{
	for (int i = 0; i < audit->file_count; i++)
	{
		EsgFileKind kind = audit->files[i]->file.kind;

		if (kind == ESG_FILE_PASSPHRASE || kind == ESG_FILE_LEFTOVER)
		{
			append_pair_directory(audit, audit->files[i], directory);
			return;
		}
	}
}

static void
resolve_paths(EsgAudit *audit, const char *pair_directory)
{
	int			count = audit->file_count;

	for (int i = 0; i < count; i++)
		resolve_path(audit, audit->files[i]);
	if (pair_directory != NULL)
		append_pair_directory_once(audit, pair_directory);
	count = audit->file_count;
	for (int i = 0; i < count; i++)
	{
		/* the entries of ssl_crl_dir come after it, and are below it */
		if (audit->files[i]->resolved_path != NULL && !audit->files[i]->in_crl_dir)
			append_directories(audit, audit->files[i]);
	}
}

/* What a host of pg_hosts.conf is served cannot be compared: it depends on who asks. */
static void
set_disk_fingerprint(EsgAudit *audit)
{
	int			i;

	for (i = 0; i < audit->cert_count && !audit->disk_known; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		if (cert->place != ESG_PLACE_LEAF || cert->file->pem.end != ESG_PEM_COMPLETE ||
			strcmp(cert->file->file.setting, "ssl_cert_file") != 0)
			continue;
		audit->disk_known = true;
		memcpy(audit->disk_fingerprint, cert->info.fingerprint, ESG_DIGEST_SIZE);
	}
}

static void
note_crl_settings(EsgAudit *audit, const EsgReadTask *task)
{
	for (int i = 0; i < task->count; i++)
	{
		const EsgTlsFile *file = &task->files[i];

		if ((file->kind == ESG_FILE_CRL && !esg_tls_file_is_extra(file)) || file->kind == ESG_FILE_CRL_DIR)
			audit->crl_configured = true;
	}
}

void
esg_read_files(EsgAudit *audit, const EsgReadTask *task)
{
	note_crl_settings(audit, task);
	for (int i = 0; i < task->count && !audit->out_of_memory; i++)
	{
		EsgAuditFile *file = append_file(audit, &task->files[i]);

		if (file == NULL)
			break;
		read_file(audit, file, task);
		if (file->file.kind == ESG_FILE_CRL_DIR)
			read_crl_dir(audit, file, task);
	}
	hide_key_hashes(audit);
	if ((task->what & ESG_AUDIT_FILES) != 0)
		resolve_paths(audit, task->pair_directory);
	set_disk_fingerprint(audit);
	ERR_clear_error();
}

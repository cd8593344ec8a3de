/*
 * audit/read.c
 *		Reading the server's TLS files: files, certificates and CRLs as facts.
 *
 * OpenSSL's objects belong to the audit's memory context: they are in two
 * stacks, which a reset callback frees.  While a file's content is in memory
 * outside of any context nothing can raise an error.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/stat.h>

#include <openssl/err.h>

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "audit/read.h"
#include "compat.h"
#include "server/report.h"
#include "server/sni_hosts.h"

/* give memory back after reading more than this */
#define TRIM_THRESHOLD (8 << 20)

/* The audit and what only its making needs. */
typedef struct AuditState
{
	EsgAudit	audit;			/* first */
	MemoryContextCallback on_reset;
	STACK_OF(X509) *x509s;		/* of audit.certs, in the same order */
	STACK_OF(X509_CRL) *x509_crls;
	bool		scan_failed;	/* no memory for a stack's entry */
	bool		may_stop;		/* stop scanning when there is an interrupt */
	bool		stopped;		/* that happened */
	int64		bytes_read;		/* of all files */
	int			file_capacity;
	int			cert_capacity;
	int			crl_capacity;
} AuditState;

static void
raise_out_of_memory(void)
{
	ERR_clear_error();
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed while reading TLS files.")));
}

/* ------------------------------------------------------------------------
 * The audit's memory
 * ------------------------------------------------------------------------ */

void
esg_audit_read_forget_findings(EsgAudit *audit)
{
	int			i;

	for (i = 0; i < audit->file_count; i++)
		esg_findings_free(&audit->files[i]->findings);
	for (i = 0; i < audit->cert_count; i++)
		esg_findings_free(&audit->certs[i]->findings);
	for (i = 0; i < audit->crl_count; i++)
		esg_findings_free(&audit->crls[i]->findings);
}

static void
free_openssl_objects(void *arg)
{
	AuditState *state = arg;

	esg_audit_read_forget_findings(&state->audit);
	sk_X509_pop_free(state->x509s, X509_free);
	sk_X509_CRL_pop_free(state->x509_crls, X509_CRL_free);
#ifdef __GLIBC__
	/* a CRL of a million entries is as many small pieces, which glibc keeps */
	if (state->bytes_read > TRIM_THRESHOLD)
		(void) malloc_trim(0);
#endif
}

EsgAudit *
esg_audit_read_start(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ext_ssl_guard audit",
												  ALLOCSET_DEFAULT_SIZES);
	AuditState *state = MemoryContextAllocZero(context, sizeof(AuditState));

	state->audit.context = context;
	state->on_reset.func = free_openssl_objects;
	state->on_reset.arg = state;
	MemoryContextRegisterResetCallback(context, &state->on_reset);
	state->x509s = sk_X509_new_null();
	state->x509_crls = sk_X509_CRL_new_null();
	if (state->x509s == NULL || state->x509_crls == NULL)
		raise_out_of_memory();
	return &state->audit;
}

/* Appends item to an array of pointers of the audit's. */
#define append_item(context, array, count, capacity, item) \
	do { \
		if ((count) == (capacity)) \
			(array) = grow_array(context, array, &(capacity), sizeof(*(array))); \
		(array)[(count)++] = (item); \
	} while (0)

static void *
grow_array(MemoryContext context, void *array, int *capacity, size_t item_size)
{
	*capacity = *capacity * 2 + 16;
	if (array == NULL)
		return MemoryContextAlloc(context, *capacity * item_size);
	return repalloc_huge(array, *capacity * item_size);
}

static EsgAuditFile *
append_file(AuditState *state, const EsgTlsFile *file)
{
	EsgAudit   *audit = &state->audit;
	EsgAuditFile *item = MemoryContextAllocZero(audit->context, sizeof(EsgAuditFile));

	item->file = *file;
	item->file.path = MemoryContextStrdup(audit->context, file->path);
	item->suggestion = MemoryContextStrdup(audit->context, "");
	append_item(audit->context, audit->files, audit->file_count,
				state->file_capacity, item);
	return item;
}

/* ------------------------------------------------------------------------
 * Blocks of a file
 * ------------------------------------------------------------------------ */

static bool
keep_cert(X509 *cert, int position, void *arg)
{
	AuditState *state = arg;

	if (sk_X509_push(state->x509s, cert) > 0)
	{
		state->stopped = state->may_stop && InterruptPending;
		return !state->stopped;
	}
	X509_free(cert);
	state->scan_failed = true;
	return false;
}

static bool
keep_crl(X509_CRL *crl, int position, void *arg)
{
	AuditState *state = arg;

	if (sk_X509_CRL_push(state->x509_crls, crl) > 0)
	{
		state->stopped = state->may_stop && InterruptPending;
		return !state->stopped;
	}
	X509_CRL_free(crl);
	state->scan_failed = true;
	return false;
}

/* Raises no error: the caller holds memory that none would free. */
static void
scan_blocks(AuditState *state, const char *data, size_t len, unsigned want,
			EsgPemResult *result)
{
	EsgPemSink	sink = {keep_cert, keep_crl, state};

	esg_pem_scan(data, len, want, &sink, result);
	if (result->end == ESG_PEM_NO_MEMORY)
		state->scan_failed = true;
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
append_certs(AuditState *state, EsgAuditFile *file, EsgPlace first, EsgMemo *memo)
{
	EsgAudit   *audit = &state->audit;
	int			position = 0;

	while (audit->cert_count < sk_X509_num(state->x509s))
	{
		X509	   *x509 = sk_X509_value(state->x509s, audit->cert_count);
		EsgAuditCert *cert = MemoryContextAllocZero(audit->context, sizeof(EsgAuditCert));

		CHECK_FOR_INTERRUPTS();
		cert->file = file;
		cert->position = ++position;
		cert->place = position == 1 ? first : next_place(first);
		esg_x509_info_read(x509, memo, &cert->info);
		append_item(audit->context, audit->certs, audit->cert_count,
					state->cert_capacity, cert);
	}
}

static void
append_crls(AuditState *state, EsgAuditFile *file)
{
	EsgAudit   *audit = &state->audit;
	int			position = 0;

	while (audit->crl_count < sk_X509_CRL_num(state->x509_crls))
	{
		X509_CRL   *x509_crl = sk_X509_CRL_value(state->x509_crls, audit->crl_count);
		EsgAuditCrl *crl = MemoryContextAllocZero(audit->context, sizeof(EsgAuditCrl));

		CHECK_FOR_INTERRUPTS();
		crl->file = file;
		crl->position = ++position;
		esg_crl_info_read(x509_crl, &crl->info);
		append_item(audit->context, audit->crls, audit->crl_count,
					state->crl_capacity, crl);
	}
}

void
esg_audit_read_text(EsgAudit *audit, const char *data, size_t len, EsgPlace place,
					EsgMemo *memo, EsgPemResult *result)
{
	AuditState *state = (AuditState *) audit;
	const unsigned char *p = (const unsigned char *) data;
	X509	   *cert = NULL;

	memset(result, 0, sizeof(*result));
	if (len > 0 && p[0] == 0x30)	/* a DER SEQUENCE */
		cert = d2i_X509(NULL, &p, (long) len);
	if (cert == NULL)
		scan_blocks(state, data, len, ESG_PEM_CERTS | ESG_PEM_TAILS |
					(place == ESG_PLACE_CA ? ESG_PEM_TRUSTED : 0), result);
	else
	{
		result->certs = 1;
		(void) keep_cert(cert, 1, state);
		result->fault_offset = p - (const unsigned char *) data;
		if (result->fault_offset < len)
		{
			result->end = ESG_PEM_BROKEN;
			strlcpy(result->found, "other data behind the DER certificate",
					sizeof(result->found));
		}
	}
	ERR_clear_error();
	if (state->scan_failed)
		raise_out_of_memory();
	append_certs(state, NULL, place, memo);
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
scan_file(AuditState *state, EsgAuditFile *file, int64 limit)
{
	EsgAudit   *audit = &state->audit;
	EsgContent	content;

	if (!esg_tls_files_read(file->file.path, limit, &file->facts, &content))
		return false;
	state->bytes_read += content.len;
	file->hashed = content.hashed;
	memcpy(file->sha256, content.sha256, ESG_DIGEST_SIZE);
	state->stopped = false;
	scan_blocks(state, content.data, content.len,
				wanted_blocks(audit, file->file.kind), &file->pem);
	esg_tls_files_release(&content);
	if (state->scan_failed)
		raise_out_of_memory();
	return true;
}

static void
forget_new_blocks(AuditState *state)
{
	while (sk_X509_num(state->x509s) > state->audit.cert_count)
		X509_free(sk_X509_pop(state->x509s));
	while (sk_X509_CRL_num(state->x509_crls) > state->audit.crl_count)
		X509_CRL_free(sk_X509_CRL_pop(state->x509_crls));
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
read_content(AuditState *state, EsgAuditFile *file, int64 limit, EsgMemo *memo)
{
	state->may_stop = true;
	file->scanned = scan_file(state, file, limit);
	if (file->scanned && state->stopped)
	{
		CHECK_FOR_INTERRUPTS();
		forget_new_blocks(state);
		state->may_stop = false;
		file->scanned = scan_file(state, file, limit);
	}
	if (!file->scanned)
	{
		if (file->file.kind == ESG_FILE_CRL && !esg_tls_files_is_extra(&file->file))
			state->audit.crl_unread = true;
		return;
	}
	if (is_refused_crl_file(file))
		state->audit.crl_unread = true;
	append_certs(state, file, first_place(file->file.kind), memo);
	append_crls(state, file);
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

/* A fault in an included file is one of the whole, too. */
static void
read_hosts(EsgAuditFile *file)
{
	const EsgHosts *hosts;

	file->hashed = esg_tls_files_hash(file->file.path, ESG_CERT_FILE_LIMIT, &file->facts, file->sha256);
	if (strcmp(file->file.path, HostsFileName) != 0)
		return;
	hosts = esg_sni_hosts_read();
	if (hosts->state != ESG_HOSTS_UNUSABLE)
		return;
	file->hosts_fault = esg_report_printable(hosts->fault);
	if (hosts->fault_line > 0)
		file->hosts_fault = psprintf("line %d: %s", hosts->fault_line, file->hosts_fault);
}

static void
read_file(AuditState *state, EsgAuditFile *file, unsigned what, EsgMemo *memo)
{
	int64		limit = esg_tls_files_limit(file->file.kind);

	CHECK_FOR_INTERRUPTS();
	switch (file->file.kind)
	{
		case ESG_FILE_CERTIFICATE:
		case ESG_FILE_CLIENT:
		case ESG_FILE_CA:
		case ESG_FILE_EXTRA:
			break;
		case ESG_FILE_DH_PARAMS:
			file->hashed = esg_tls_files_hash(file->file.path, limit, &file->facts, file->sha256);
			return;
		case ESG_FILE_HOSTS:
			read_hosts(file);
			return;
		case ESG_FILE_CRL:
			if ((what & (ESG_AUDIT_CRLS | ESG_AUDIT_FILES)) == 0)
				limit = ESG_CERT_FILE_LIMIT;
			break;
		default:
			esg_tls_files_stat(file->file.path, &file->facts);
			return;
	}
	read_content(state, file, limit, memo);
}

static void
read_crl_dir(AuditState *state, EsgAuditFile *dir, unsigned what, EsgMemo *memo)
{
	EsgAudit   *audit = &state->audit;
	char	  **paths;
	int			error;
	int			count;
	int			i;

	count = esg_tls_files_list_crl_dir(dir->file.path, &paths, &error);
	if (error != 0)
	{
		if (error == EFBIG)
			dir->facts.too_large = true;
		else if (dir->facts.error == 0 && S_ISDIR(dir->facts.mode))
			dir->facts.error = error;
		audit->crl_unread = true;
	}
	for (i = 0; i < count; i++)
	{
		EsgTlsFile	entry = {"ssl_crl_dir", ESG_FILE_CRL, paths[i], false, 0, NULL, 0};
		EsgAuditFile *file = append_file(state, &entry);

		file->in_crl_dir = true;
		read_file(state, file, what, memo);
	}
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
append_directories(AuditState *state, const EsgAuditFile *below)
{
	char	   *path = pstrdup(below->resolved_path);
	char	   *slash;

	while ((slash = strrchr(path, '/')) != NULL && path[1] != '\0')
	{
		EsgTlsFile	entry = {below->file.setting, ESG_FILE_DIRECTORY, path, true, 0, NULL, 0};
		EsgAuditFile *file;

		slash[slash == path ? 1 : 0] = '\0';
		/* then those above it are known, too */
		if (knows_directory(&state->audit, path))
			break;
		file = append_file(state, &entry);
		file->resolved_path = file->file.path;
		esg_tls_files_stat(path, &file->facts);
	}
	pfree(path);
}

/* Where the pair is, or what is left of one: by the rule for that. */
static void
append_pair_directory(AuditState *state, const EsgAuditFile *below)
{
	char		directory[MAXPGPATH];
	EsgTlsFile	entry = {below->file.setting, ESG_FILE_PAIR_DIRECTORY, directory, true, 0, NULL, 0};
	EsgAuditFile *file;

	if (!esg_tls_files_passphrase_directory(directory))
		return;
	file = append_file(state, &entry);
	file->resolved_path = esg_tls_files_resolve(file->file.path);
	esg_tls_files_stat_directory(file->file.path, &file->facts);
}

static void
append_pair_directory_once(AuditState *state)
{
	EsgAudit   *audit = &state->audit;
	int			i;

	for (i = 0; i < audit->file_count; i++)
	{
		EsgFileKind kind = audit->files[i]->file.kind;

		if (kind == ESG_FILE_PASSPHRASE || kind == ESG_FILE_LEFTOVER)
		{
			append_pair_directory(state, audit->files[i]);
			return;
		}
	}
}

static void
resolve_paths(AuditState *state)
{
	EsgAudit   *audit = &state->audit;
	int			count = audit->file_count;
	int			i;

	for (i = 0; i < count; i++)
		audit->files[i]->resolved_path = esg_tls_files_resolve(audit->files[i]->file.path);
	append_pair_directory_once(state);
	count = audit->file_count;
	for (i = 0; i < count; i++)
	{
		/* the entries of ssl_crl_dir come after it, and are below it */
		if (audit->files[i]->resolved_path != NULL && !audit->files[i]->in_crl_dir)
			append_directories(state, audit->files[i]);
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

void
esg_audit_read_files(EsgAudit *audit, unsigned what, EsgMemo *memo)
{
	AuditState *state = (AuditState *) audit;
	MemoryContext old = MemoryContextSwitchTo(audit->context);
	EsgTlsFile *list = NULL;
	int			count = esg_tls_files_list(&list);
	int			i;

	for (i = 0; i < count; i++)
	{
		if ((list[i].kind == ESG_FILE_CRL && !esg_tls_files_is_extra(&list[i])) ||
			list[i].kind == ESG_FILE_CRL_DIR)
			audit->crl_configured = true;
	}
	for (i = 0; i < count; i++)
	{
		EsgAuditFile *file = append_file(state, &list[i]);

		read_file(state, file, what, memo);
		if (file->file.kind == ESG_FILE_CRL_DIR)
			read_crl_dir(state, file, what, memo);
	}
	hide_key_hashes(audit);
	if ((what & ESG_AUDIT_FILES) != 0)
		resolve_paths(state);
	set_disk_fingerprint(audit);
	MemoryContextSwitchTo(old);
}

/*
 * login/session_judge.c
 *		Which open sessions have a certificate that the loaded CRLs revoke?
 *
 * Where a process inherits nothing, each backend loads the files as they are when
 * it starts: then what lies on disk is what counts, and is loaded here, too.
 *
 * With several contexts (ssl_sni) a session's certificate counts as revoked if a
 * CRL of any of them says so: hosts that share a CA share its verdict.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "libpq/libpq.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "files/content.h"
#include "login/session_judge.h"
#include "login/sessions.h"
#include "policy/revocation.h"
#include "server/guc.h"
#include "server/live_contexts.h"
#include "server/report.h"
#include "server/state.h"
#include "server/tls_files.h"

#define JUDGE_NAME "ext_ssl_guard session judge"

typedef struct Judgement
{
	EsgRevocationIndex *index;
	bool	   *revoked;		/* of each session */
	bool	   *listed;			/* the same: in the deny-list, by a
								 * certificate of its CA */
} Judgement;

/* An entry of denied_certificates with a serial number. */
typedef const EsgDenyEntry *DeniedIssue;

bool
esg_session_judge_start(BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_PostmasterStart;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "ext_ssl_guard", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "esg_session_judge_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, JUDGE_NAME, sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, JUDGE_NAME, sizeof(worker.bgw_type));
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

/* ---- what there is ---- */

static void
fail_without_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("could not look for revoked certificates: out of memory")));
}

static int
compare_names(const X509_NAME *const *a, const X509_NAME *const *b)
{
	return X509_NAME_cmp(*a, *b);
}

static int
compare_subjects(const X509 *const *a, const X509 *const *b)
{
	return X509_NAME_cmp(X509_get_subject_name(*a), X509_get_subject_name(*b));
}

/* The names of issuers; borrowed or not, they stay until the process exits. */
static void
add_name(STACK_OF(X509_NAME) *names, const X509_NAME *name)
{
	if (name == NULL || sk_X509_NAME_push(names, (X509_NAME *) name) <= 0)
		fail_without_memory();
}

static void
add_names_of_file(STACK_OF(X509_NAME) *names, const char *path)
{
	EsgFileFacts facts;
	EsgContent	content;
	BIO		   *bio;
	X509_CRL   *crl;

	if (!esg_content_read(path, ESG_CRL_FILE_LIMIT, &facts, &content))
		return;
	bio = BIO_new_mem_buf(content.data, (int) Min(content.len, PG_INT32_MAX));
	while (bio != NULL && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL)
	{
		add_name(names, X509_NAME_dup(X509_CRL_get_issuer(crl)));
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	esg_content_release(&content);
	ERR_clear_error();
}

/* OpenSSL looks there for one name at a time, so it has to be known which there are. */
static void
add_names_of_dir(STACK_OF(X509_NAME) *names)
{
	char	  **paths;
	int			error;
	int			count;

	if (ssl_crl_dir == NULL || ssl_crl_dir[0] == '\0')
		return;
	count = esg_tls_files_list_crl_dir(ssl_crl_dir, &paths, &error);
	for (int i = 0; i < count; i++)
		add_names_of_file(names, paths[i]);
}

/* The CAs of a store, and the names of those and of its CRLs' issuers. */
static void
read_store(X509_STORE *store, STACK_OF(X509) *cas, STACK_OF(X509_NAME) *names)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++)
	{
		X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
		X509	   *cert = X509_OBJECT_get0_X509(object);
		X509_CRL   *crl = X509_OBJECT_get0_X509_CRL(object);

		if (cert != NULL)
		{
			(void) sk_X509_push(cas, cert);
			add_name(names, X509_get_subject_name(cert));
		}
		if (crl != NULL)
			add_name(names, X509_CRL_get_issuer(crl));
	}
}

/* ---- the verdict ---- */

/* Those of that name, which lie together. */
static STACK_OF(X509) *
find_cas(STACK_OF(X509) *cas, const X509_NAME *name, int *at)
{
	STACK_OF(X509) *found = sk_X509_new_null();
	int			order = -1;

	for (; found != NULL && *at < sk_X509_num(cas) && order <= 0; *at += order <= 0)
	{
		order = X509_NAME_cmp(X509_get_subject_name(sk_X509_value(cas, *at)), name);
		if (order == 0)
			(void) sk_X509_push(found, sk_X509_value(cas, *at));
	}
	return found;
}

/* Finds the CRLs as a handshake would, in the directory, too. */
static void
judge_name(const Judgement *judgement, X509_STORE_CTX *context, STACK_OF(X509) *signers, X509_NAME *name)
{
	STACK_OF(X509_CRL) *crls = X509_STORE_CTX_get1_crls(context, name);

	if (signers == NULL ||
		(crls != NULL && !esg_revocation_judge(judgement->index, crls, signers, esg_report_unix_now(),
											   judgement->revoked)))
		fail_without_memory();
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	ERR_clear_error();
}

/* cas: sorted */
static void
judge_names(const Judgement *judgement, X509_STORE_CTX *context, STACK_OF(X509) *cas,
			STACK_OF(X509_NAME) *names)
{
	int			next_ca = 0;

	sk_X509_NAME_sort(names);
	for (int i = 0; i < sk_X509_NAME_num(names); i++)
	{
		X509_NAME  *name = sk_X509_NAME_value(names, i);
		STACK_OF(X509) *signers;

		if (i > 0 && X509_NAME_cmp(sk_X509_NAME_value(names, i - 1), name) == 0)
			continue;
		signers = find_cas(cas, name, &next_ca);
		judge_name(judgement, context, signers, name);
		sk_X509_free(signers);
	}
}

/* ---- the deny-list ---- */

static void
mark_listed(const Judgement *judgement, const X509 *ca, const char *serial)
{
	BIGNUM	   *number = NULL;
	ASN1_INTEGER *integer = NULL;

	if (BN_hex2bn(&number, serial) == 0 || (integer = BN_to_ASN1_INTEGER(number, NULL)) == NULL)
		fail_without_memory();
	BN_free(number);
	esg_revocation_find(judgement->index, ca, integer, judgement->listed);
	ASN1_INTEGER_free(integer);
}

static int
compare_digests(const void *a, const void *b)
{
	return memcmp((*(const DeniedIssue *) a)->digest, (*(const DeniedIssue *) b)->digest, ESG_DIGEST_SIZE);
}

/* in the order of their issuers; palloc'd */
static DeniedIssue *
sort_issues(const EsgDenyList *list)
{
	DeniedIssue *issues = palloc_extended((Size) list->serial_count * sizeof(DeniedIssue), MCXT_ALLOC_HUGE);
	int			count = 0;

	for (int i = 0; i < list->count; i++)
	{
		if (list->entries[i].serial[0] != '\0')
			issues[count++] = &list->entries[i];
	}
	Assert(count == list->serial_count);
	qsort(issues, count, sizeof(DeniedIssue), compare_digests);
	return issues;
}

static void
mark_issues_of(const Judgement *judgement, const X509 *ca, const DeniedIssue *issues, int count)
{
	EsgDenyEntry wanted = {.serial = ""};
	DeniedIssue key = &wanted;
	const DeniedIssue *found;

	if (!esg_x509_info_fingerprint(ca, wanted.digest))
		fail_without_memory();
	found = bsearch(&key, issues, count, sizeof(DeniedIssue), compare_digests);
	if (found == NULL)
		return;
	while (found > issues && compare_digests(found - 1, &key) == 0)
		found--;
	for (; found < issues + count && compare_digests(found, &key) == 0; found++)
		mark_listed(judgement, ca, (*found)->serial);
}

/*
 * A CA may have several certificates with its name and key.  Whichever of them an
 * entry of denied_certificates names, and whichever is in a session's chain, it is
 * the same issuer, as it is at a login.
 */
static void
judge_denied(const Judgement *judgement, STACK_OF(X509) *cas)
{
	const EsgDenyList *list = esg_guc_denied_certificates;
	DeniedIssue *issues;

	if (list == NULL || list->serial_count == 0)
		return;
	issues = sort_issues(list);
	for (int i = 0; i < sk_X509_num(cas); i++)
		mark_issues_of(judgement, sk_X509_value(cas, i), issues, list->serial_count);
	pfree(issues);
}

/* ---- all that was loaded ---- */

static void
judge_store(const Judgement *judgement, X509_STORE *store)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *cas = sk_X509_new(compare_subjects);
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new(compare_names);

	if (context == NULL || cas == NULL || names == NULL ||
		X509_STORE_CTX_init(context, store, NULL, NULL) != 1)
		fail_without_memory();
	read_store(store, cas, names);
	sk_X509_sort(cas);
	judge_denied(judgement, cas);
	add_names_of_dir(names);
	judge_names(judgement, context, cas, names);
	X509_STORE_CTX_free(context);
	sk_X509_free(cas);
	sk_X509_NAME_free(names);
}

/* The store that each backend makes for itself. */
static void
judge_files(const Judgement *judgement)
{
	X509_STORE *store = X509_STORE_new();

#define NON_EMPTY(text) ((text) != NULL && (text)[0] != '\0' ? (text) : NULL)
	if (store != NULL && NON_EMPTY(ssl_ca_file) != NULL)
		(void) X509_STORE_load_locations(store, ssl_ca_file, NULL);
	if (store != NULL && (NON_EMPTY(ssl_crl_file) != NULL || NON_EMPTY(ssl_crl_dir) != NULL))
		(void) X509_STORE_load_locations(store, NON_EMPTY(ssl_crl_file), NON_EMPTY(ssl_crl_dir));
#undef NON_EMPTY
	ERR_clear_error();
	if (store != NULL)
		judge_store(judgement, store);
	X509_STORE_free(store);
}

static void
judge_contexts(const Judgement *judgement)
{
	for (int i = 0; i < esg_live_contexts_count(); i++)
	{
		X509_STORE *store = esg_live_contexts_store(i);

		if (store != NULL)
			judge_store(judgement, store);
	}
	if (!esg_live_contexts_are_complete())
		ereport(LOG,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not look for revoked certificates in all TLS contexts: there are too many")));
}

static EsgRevocationIndex *
make_index(const EsgJudging *judging)
{
	int			keys = 0;
	EsgRevocationIndex *index;

	for (int i = 0; i < judging->count; i++)
		keys += judging->sessions[i].key_count;
	index = esg_revocation_index_new(keys, judging->seed);
	if (index == NULL)
		fail_without_memory();
	for (int i = 0; i < judging->count; i++)
		esg_revocation_index_add(index, judging->sessions[i].keys, judging->sessions[i].key_count, i);
	return index;
}

void
esg_session_judge_begin(EsgJudging *out)
{
	EsgSessionEvents events;
	EsgLoadState load;

	/* what comes after this will be judged anew */
	esg_sessions_events(&events);
	esg_server_state_load(&load);
	out->late = events.late;
	out->load = ESG_CHILDREN_INHERIT ? esg_server_state_inherited() : load.served_number;
	out->seed = esg_sessions_seed();
	out->count = esg_sessions_copy(&out->sessions);
}

void *
esg_session_judge_find(void *arg, Size *size)
{
	const EsgJudging *judging = arg;
	Judgement	judgement = {.index = make_index(judging)};

	*size = 2 * (Size) judging->count * sizeof(bool);
	judgement.revoked = palloc0(Max(*size, 1));
	judgement.listed = judgement.revoked + judging->count;
	if (ESG_CHILDREN_INHERIT)
		judge_contexts(&judgement);
	else
		judge_files(&judgement);
	esg_revocation_index_free(judgement.index);
	return judgement.revoked;
}

void
esg_session_judge_conclude(const EsgJudging *judging, const void *found, Size size)
{
	const bool *revoked = found;

	if (size != 2 * (Size) judging->count * sizeof(bool))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not look for revoked certificates: the answer is about other sessions")));
	esg_sessions_judged(judging->sessions, revoked, revoked + judging->count, judging->count,
						judging->load, judging->late);
	esg_server_state_wake_worker();
}

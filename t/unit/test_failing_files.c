/*
 * test_failing_files.c
 *		Files that are read and judged, and loaded, where the system or OpenSSL fails: what is then missing is said.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "certmaker.h"
#include "compat.h"
#include "failing.h"
#include "files/crl_dir.h"
#include "files/hosts_file.h"
#include "files/judge.h"
#include "files/judge_hosts.h"
#include "files/known_dir.h"
#include "files/load.h"
#include "files/read.h"
#include "files/server_settings.h"

FAILS(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), -1)
FAILS(int, stat, (const char *path, struct stat *st), (path, st), -1)
FAILS(int, fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags), -1)
FAILS(int, access, (const char *path, int mode), (path, mode), -1)
FAILS(int, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags), -1)
FAILS(ssize_t, readlinkat, (int at, const char *path, char *out, size_t size), (at, path, out, size), -1)
FAILS(char *, realpath, (const char *path, char *out), (path, out), NULL)
FAILS(int, statvfs, (const char *path, struct statvfs *out), (path, out), -1)
FAILS(DIR *, opendir, (const char *path), (path), NULL)
FAILS(struct dirent *, readdir, (DIR *dir), (dir), NULL)
FAILS(char *, mkdtemp, (char *path), (path), NULL)
FAILS(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len), -1)
FAILS(X509_CRL *, PEM_read_bio_X509_CRL, (BIO *bio, X509_CRL **crl, pem_password_cb *ask, void *arg),
	(bio, crl, ask, arg), NULL)
FAILS(X509_LOOKUP *, X509_STORE_add_lookup, (X509_STORE *store, X509_LOOKUP_METHOD *method), (store, method), NULL)
FAILS(int, X509_LOOKUP_ctrl, (X509_LOOKUP *lookup, int command, const char *text, long n, char **out),
	(lookup, command, text, n, out), 0)
FAILS(int, X509_STORE_load_locations, (X509_STORE *store, const char *file, const char *dir), (store, file, dir), 0)
FAILS(int, SSL_CTX_use_certificate_chain_file, (SSL_CTX *context, const char *path), (context, path), 0)
FAILS(int, SSL_CTX_use_PrivateKey_file, (SSL_CTX *context, const char *path, int type), (context, path, type), 0)
FAILS(int, SSL_CTX_check_private_key, (const SSL_CTX *context), (context), 0)
FAILS(STACK_OF(X509_NAME) *, SSL_load_client_CA_file, (const char *path), (path), NULL)
FAILS(int, SSL_CTX_load_verify_locations, (SSL_CTX *context, const char *file, const char *dir), (context, file, dir), 0)

#define NOW INT64_C(1780000000)	/* in May 2026 */
#define CA "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"

enum
{
	CERT, KEY, CA_FILE, CRL, HOSTS, HOST_CERT, CRL_DIR, DH_FILE, PAIR, FILES
};

static char directory[] = "/tmp/esg_failing.XXXXXX";
static char paths[FILES][200];
static char hash_path[300];
static char odd_path[300];
static char dh_text[2000];
static const char *const names[FILES] = {
	"server.crt", "server.key", "root.crt", "root.crl", "pg_hosts.conf", "db2.crt", "crls", "dh.pem", "server.key.cipher"
};
static EsgTlsFile files[FILES] = {
	{.setting = "ssl_cert_file",.kind = ESG_FILE_CERTIFICATE}, {.setting = "ssl_key_file",.kind = ESG_FILE_KEY},
	{.setting = "ssl_ca_file",.kind = ESG_FILE_CA}, {.setting = "ssl_crl_file",.kind = ESG_FILE_CRL},
	{.setting = "hosts_file",.kind = ESG_FILE_HOSTS},
	{.setting = "hosts_file",.kind = ESG_FILE_CERTIFICATE,.host = (char *) "db1.example.com,db2.example.com,*,*.example.com"},
	{.setting = "ssl_crl_dir",.kind = ESG_FILE_CRL_DIR}, {.setting = "ssl_dh_params_file",.kind = ESG_FILE_DH_PARAMS},
	{.setting = "ext_ssl_guard.passphrase_directory",.kind = ESG_FILE_PASSPHRASE,.optional = true}
};
static EsgPolicy policy;

/* ---- the files ---- */

static void
write_path(const char *path, const char *text)
{
	FILE	   *out = fopen(path, "w");

	ok(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0 && chmod(path, 0600) == 0, "%s is written", path);
}

static void
write_file(int n, const char *text)
{
	write_path(paths[n], text);
}

static void
write_key(EVP_PKEY *key)
{
	BIO		   *out = BIO_new(BIO_s_mem());
	char	   *text;

	PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	BIO_write(out, "", 1);
	BIO_get_mem_data(out, &text);
	write_file(KEY, text);
	BIO_free(out);
}

static void
make_dh(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_DH, NULL);
	EVP_PKEY   *params = NULL;
	BIO		   *out = BIO_new(BIO_s_mem());

	if (maker != NULL && EVP_PKEY_paramgen_init(maker) == 1 && EVP_PKEY_CTX_set_dh_nid(maker, NID_ffdhe2048) == 1)
		(void) EVP_PKEY_paramgen(maker, &params);
	ok(params != NULL && PEM_write_bio_Parameters(out, params) == 1 && BIO_read(out, dh_text, sizeof(dh_text) - 1) > 0, "DH parameters");
	EVP_PKEY_CTX_free(maker);
	EVP_PKEY_free(params);
	BIO_free(out);
	write_file(DH_FILE, dh_text);
}

/* As OpenSSL finds it, and a file that is none of its. */
static void
make_crl_dir(X509_CRL *crl, const char *text)
{
	ok(mkdir(paths[CRL_DIR], 0700) == 0, "a directory of CRLs");
	snprintf(hash_path, sizeof(hash_path), "%s/%08lx.r0", paths[CRL_DIR],
			 X509_NAME_hash_ex(X509_CRL_get_issuer(crl), NULL, NULL, NULL));
	snprintf(odd_path, sizeof(odd_path), "%s/odd.pem", paths[CRL_DIR]);
	write_path(hash_path, text);
	write_path(odd_path, "no CRL\n");
}

/* The certificate has expired, and the CRL, too. */
static void
make_files(void)
{
	CertSpec	ca_spec = {.subject = "CN=CA",.extensions = CA,.key = certmaker_rsa(2048)};
	CertSpec	spec = {.subject = "CN=db1.example.com",.extensions = "subjectAltName=DNS:db1.example.com\n",
		.key = certmaker_ec("prime256v1"),.issuer_key = certmaker_rsa(2048),.not_after = "20260301000000Z"
	};
	CrlSpec		crl_spec = {.issuer_key = certmaker_rsa(2048),.next_update = "20260301000000Z"};
	X509	   *ca = certmaker_cert(&ca_spec);
	X509	   *cert;
	X509_CRL   *crl;
	char	   *texts[3];

	for (int i = 0; i < FILES; i++)
	{
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, names[i]);
		files[i].path = paths[i];
	}
	spec.issuer_cert = crl_spec.issuer_cert = ca;
	cert = certmaker_cert(&spec);
	crl = certmaker_crl(&crl_spec);
	texts[0] = certmaker_pem(cert);
	texts[1] = certmaker_pem(ca);
	texts[2] = certmaker_crl_pem(crl);
	write_file(CERT, texts[0]);
	write_key(spec.key);
	write_file(CA_FILE, texts[1]);
	write_file(CRL, texts[2]);
	write_file(HOST_CERT, texts[0]);
	write_file(HOSTS, "@names db2.crt server.key\ninclude_dir more.d\n");
	write_file(PAIR, "x");
	make_crl_dir(crl, texts[2]);
	make_dh();
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	X509_CRL_free(crl);
	X509_free(cert);
	X509_free(ca);
}

/* ---- reading and judging ---- */

static bool
has_file_fault(const EsgAudit *audit)
{
	bool		fault = false;

	for (int i = 0; i < audit->file_count; i++)
		fault |= audit->files[i]->facts.error != 0 || esg_findings_has(&audit->files[i]->findings, ESG_FILE_UNREADABLE);
	return fault;
}

static bool
is_whole(const EsgAudit *audit)
{
	return audit->cert_count == 3 && audit->crl_count == 2 && esg_findings_has(&audit->certs[0]->findings, ESG_EXPIRED) &&
		esg_findings_has(&audit->certs[2]->findings, ESG_HOST_NAME_NOT_COVERED) &&
		(esg_findings_has(&audit->crls[0]->findings, ESG_CRL_EXPIRED) ||
		 esg_findings_has(&audit->crls[1]->findings, ESG_CRL_EXPIRED)) &&
		esg_findings_has(&audit->files[HOSTS]->findings, ESG_HOSTS_FILE_UNUSABLE);
}

static Outcome
judge_audit(EsgAudit *audit)
{
	EsgJudgement by = {.policy = &policy,.now = NOW,.suggest = true,.scratch = directory};

	if (!audit->out_of_memory)
		esg_judge_all(audit, &by);
	if (audit->out_of_memory || has_file_fault(audit))
		return TOLD;
	return is_whole(audit) ? RIGHT : WRONG;
}

static Outcome
read_and_judge(void)
{
	EsgReadTask task = {.files = files,.count = FILES,.what = ESG_AUDIT_ALL,.pair_directory = directory};
	EsgHostsFault fault = {.text = "some fault",.file = paths[CERT],.line = 7};
	EsgAudit   *audit = esg_audited_start(NULL);
	Outcome		outcome;

	if (audit == NULL)
		return TOLD;
	esg_read_files(audit, &task);
	esg_judge_hosts_note(audit, paths[HOSTS], &fault);
	outcome = judge_audit(audit);
	esg_audited_free(audit);
	return outcome;
}

/* ---- interrupts ---- */

static int	quiet_for;			/* so often nobody interrupts; then somebody does, once */
static int	served;

static bool
is_pending(void)
{
	return quiet_for-- == 0;
}

static void
serve(void)
{
	served++;
}

/* At whatever moment: if it does not end the work, nothing is missing. */
static void
test_interrupts(void)
{
	static const EsgInterrupts interrupts = {is_pending, serve};
	EsgReadTask task = {.files = files,.count = FILES,.what = ESG_AUDIT_ALL};
	EsgHostsFault fault = {.text = "some fault"};
	int			wrong = 0;

	for (int moment = 0; moment < 60; moment++)
	{
		EsgAudit   *audit = esg_audited_start(&interrupts);

		quiet_for = moment;
		esg_read_files(audit, &task);
		esg_judge_hosts_note(audit, paths[HOSTS], &fault);
		wrong += judge_audit(audit) != RIGHT;
		esg_audited_free(audit);
	}
	is_int(wrong, 0, "an interrupt changes nothing");
	ok(served > 20, "and is served");
}

/* ---- texts ---- */

/* A text in PEM, and one in DER; nothing else is told of one that was not read. */
static char *text;
static size_t text_len;

static Outcome
read_text(void)
{
	EsgJudgement by = {.policy = &policy,.now = NOW};
	EsgAudit   *audit = esg_audited_start(NULL);
	EsgPemResult result;
	Outcome		outcome;

	if (audit == NULL)
		return TOLD;
	esg_read_text(audit, text, text_len, ESG_PLACE_CA, NULL, &result);
	if (!audit->out_of_memory)
		esg_judge_certs(audit, &by);
	if (audit->out_of_memory)
		outcome = TOLD;
	else
		outcome = audit->cert_count == 1 && result.end == ESG_PEM_COMPLETE ? RIGHT : WRONG;
	esg_audited_free(audit);
	return outcome;
}

static void
test_texts(void)
{
	CertSpec	spec = {.subject = "CN=CA",.extensions = CA};
	X509	   *cert = certmaker_cert(&spec);

	text = certmaker_pem(cert);
	text_len = strlen(text);
	is_int(read_text(), RIGHT, "PEM");
	ok(fail_each("PEM", read_text) > 5, "it is told");
	free(text);
	text = (char *) certmaker_der(cert, &text_len);
	is_int(read_text(), RIGHT, "DER");
	ok(fail_each("DER", read_text) > 3, "it is told");
	free(text);
	X509_free(cert);
}

/* ---- commands that mend a file ---- */

static EsgFileKind mended_kind;
static const char *mended_path;
static const char *mended_by;

static Outcome
suggest(void)
{
	EsgFileFacts facts = {.exists = true,.mode = S_IFREG | 0666,.uid = policy.server_uid + 1};
	char	   *command = esg_policy_file_suggestion(&facts, mended_kind, mended_path, "postgres", &policy);
	Outcome		outcome = command == NULL ? TOLD : strcmp(command, mended_by) == 0 ? RIGHT : WRONG;

	OPENSSL_free(command);
	return outcome;
}

static void
test_suggestions(void)
{
	static const struct
	{
		EsgFileKind kind;
		const char *path;
		const char *command;
	}			cases[] = {
		{ESG_FILE_KEY, "/srv/server.key", "chown postgres '/srv/server.key' && chmod 0600 '/srv/server.key'"},
		{ESG_FILE_LEFTOVER, "/srv/server.key.rand.new", "ssl_guard_ctl tidy -D '/srv'"},
		{ESG_FILE_LEFTOVER, "/server.key.rand.new", "ssl_guard_ctl tidy -D '/'"},
		{ESG_FILE_LEFTOVER, "server.key.rand.new", "ssl_guard_ctl tidy -D '/'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		mended_kind = cases[i].kind;
		mended_path = cases[i].path;
		mended_by = cases[i].command;
		is_int(suggest(), RIGHT, cases[i].path);
		ok(fail_each(cases[i].path, suggest) > 1, "without memory there is no command");
	}
}

/* ---- loading ---- */

/* The key has no passphrase. */
static void
ask_nobody(SSL_CTX *context, EsgPassphraseSource *source, void *arg)
{
	(void) context;
	(void) arg;
	*source = ESG_PASSPHRASE_NOT_ASKED;
}

static EVP_PKEY *dh;

/* What did not load has not been seen to load. */
static Outcome
load(void)
{
	EsgServerTls tls = {.min_version = TLS1_2_VERSION,.dh = dh,.ciphers = "HIGH",.groups = "prime256v1"};
	EsgLoadSet	set = {.cert = paths[CERT],.key = paths[KEY],.ca = paths[CA_FILE],.crl = paths[CRL],.crl_dir = paths[CRL_DIR],
		.command = "",.tls = &tls,.install = ask_nobody
	};
	EsgProved	proved;

	memset(&proved, 0, sizeof(proved));
	if (esg_load_set(&set, &proved))
		return proved.proof != ESG_PROOF_FAILS ? RIGHT : WRONG;
	return proved.proof == ESG_PROOF_FAILS && proved.reason[0] != '\0' && proved.path[0] != '\0' ? TOLD : WRONG;
}

static Outcome
read_settings(void)
{
	EsgServerValues values = {.min_version = "TLSv1.2",.max_version = "",.ciphers = "HIGH",.groups = "prime256v1",
		.dh_file = paths[DH_FILE],.cert_file = paths[CERT]
	};
	EsgServerSettings settings;
	Outcome		outcome;

	esg_server_settings_read(&values, &settings);
	/* of what was not read it may be any */
	if ((settings.tls.keys & ESG_CIPHER_ECDSA) == 0 || !settings.dh.configured ||
		(settings.dh.valid ? settings.tls.dh == NULL || settings.dh.bits != 2048 : settings.tls.dh != NULL))
		outcome = WRONG;
	else
		outcome = settings.dh.valid && settings.dh.safe && settings.tls.keys == ESG_CIPHER_ECDSA ? RIGHT : TOLD;
	if (settings.dh.unread != NULL && settings.dh.unread[0] == '\0')
		outcome = WRONG;
	esg_server_settings_forget(&settings);
	return outcome;
}

static void
test_loading(void)
{
	EsgServerValues values = {.min_version = "",.max_version = "",.dh_file = paths[DH_FILE]};
	EsgServerSettings settings;

	esg_server_settings_read(&values, &settings);
	dh = settings.own_dh;
	is_int(load(), RIGHT, "loading");
	ok(fail_each("loading", load) > 10, "it is told");
	esg_server_settings_forget(&settings);
	dh = NULL;
	is_int(read_settings(), RIGHT, "settings");
	ok(fail_each("settings", read_settings) > 5, "it is told");
}

/* ---- directories ---- */

/* What cannot be looked at is not there, or has an error. */
static Outcome
look_at_directory(void)
{
	EsgKnownDir dir = {0};
	bool		whole = true;
	Outcome		outcome = TOLD;

	if (esg_known_dir_look(&dir, paths[CRL_DIR], INT64_C(2000000000000000000)))
	{
		for (int i = 0; i < dir.count; i++)
			whole &= dir.files[i].facts.exists && dir.files[i].facts.error == 0 && dir.files[i].resolved != NULL;
		if (dir.count == 3 && dir.error == 0)
			outcome = whole ? RIGHT : TOLD;
		else
			outcome = dir.count == 0 || dir.error != 0 ? TOLD : WRONG;
	}
	else if (dir.count != 0)
		outcome = WRONG;
	esg_known_dir_free(&dir);
	return outcome;
}

/* A second look, at what is known: no change is missed. */
static Outcome
look_again(void)
{
	long		countdown = failing_countdown;
	size_t		size = strlen(failing_name);	/* another one than last time, mostly */
	EsgKnownDir dir = {0};
	bool		done;
	Outcome		outcome;

	failing_countdown = -1;
	(void) esg_known_dir_look(&dir, paths[CRL_DIR], INT64_C(2000000000000000000));
	if (truncate(odd_path, (off_t) size) != 0)
		abort();
	failing_countdown = countdown;
	done = esg_known_dir_look(&dir, paths[CRL_DIR], INT64_C(2000000000000000000));
	if (!done || dir.count == 0)
		outcome = done || dir.count == 0 ? TOLD : WRONG;
	else if (dir.count != 3)
		outcome = WRONG;
	else
		outcome = dir.files[2].facts.error != 0 ? TOLD : dir.files[2].facts.size == (int64_t) size ? RIGHT : WRONG;
	esg_known_dir_free(&dir);
	return outcome;
}

/* It is tried until it is known. */
static Outcome
pass_over(void)
{
	static bool first;
	static bool known;
	bool		passes = esg_crl_dir_passes_over(directory);

	if (failing_countdown < 0)
		return passes ? WRONG : TOLD;
	/* once it is known, nothing is called for it */
	if (!known)
		first = passes;
	known = true;
	return passes == first ? RIGHT : WRONG;
}

static void
test_directories(void)
{
	char		link_path[300];

	ok(fail_each("what OpenSSL does at a file that it cannot read", pass_over) >= 12, "what could not be tried is tried again");
	snprintf(link_path, sizeof(link_path), "%s/00000000.r0", paths[CRL_DIR]);
	ok(symlink("odd.pem", link_path) == 0, "a link");
	is_int(look_at_directory(), RIGHT, "a directory");
	ok(fail_each("a directory", look_at_directory) > 5, "it is told");
	is_int(look_again(), RIGHT, "a directory again");
	ok(fail_each("a directory again", look_again) > 3, "it is told");
	(void) unlink(link_path);
}

/* ---- the list of hosts ---- */

static Outcome
list_hosts(void)
{
	EsgHostsFile list;
	Outcome		outcome = TOLD;
	int			hosts = 0;
	int			parts = 0;

	esg_hosts_file_read(paths[HOSTS], directory, &list);
	for (const EsgListedHost *host = list.hosts; host != NULL; host = host->next)
		hosts++;
	for (const EsgListedFile *file = list.files; file != NULL; file = file->next)
		parts++;
	if (list.fault.text != NULL)
		outcome = list.state == ESG_HOSTS_UNUSABLE && hosts == 0 ? TOLD : WRONG;
	else if (!list.arena.out_of_memory)
		outcome = list.state == ESG_HOSTS_LISTED && hosts == 22 && parts == 23 && strcmp(list.hosts->names, "a.test,b.test") == 0 ? RIGHT : WRONG;
	esg_hosts_file_free(&list);
	return outcome;
}

/* So many that there has to be more room for their names. */
static void
test_hosts(void)
{
	char		path[300];
	char		line[100];

	snprintf(path, sizeof(path), "%s/names", directory);
	write_path(path, "a.test b.test\n");
	snprintf(path, sizeof(path), "%s/more.d", directory);
	ok(mkdir(path, 0700) == 0, "a directory of hosts");
	for (int i = 0; i < 21; i++)
	{
		snprintf(path, sizeof(path), "%s/more.d/%d.conf", directory, i);
		snprintf(line, sizeof(line), "%d.test db2.crt server.key\n", i);
		write_path(path, line);
	}
	is_int(list_hosts(), RIGHT, "hosts");
	ok(fail_each("hosts", list_hosts) > 20, "it is told");
}

int
main(void)
{
	char		command[200];

	if (mkdtemp(directory) == NULL)
		return 1;
	make_files();
	esg_policy_defaults(&policy);
	policy.server_uid = geteuid();
	failing_errno = EIO;
	test_directories();
	is_int(read_and_judge(), RIGHT, "files");
	ok(fail_each("files", read_and_judge) > 10, "it is told");
	test_interrupts();
	test_suggestions();
	test_texts();
	test_loading();
	test_hosts();
	failing_errno = EINTR;
	fail_each("files, interrupted", read_and_judge);
	ok(ERR_peek_error() == 0, "no error is left");
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ok(system(command) == 0, "tidied up");
	return done();
}

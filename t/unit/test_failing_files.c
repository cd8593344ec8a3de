/*
 * test_failing_files.c
 *		Files that are read and judged, and loaded, where the system or OpenSSL fails: what is then missing is said.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certmaker.h"
#include "failing.h"
#include "files/judge.h"
#include "files/load.h"
#include "files/read.h"

#define NOW INT64_C(1780000000)	/* in May 2026 */
#define CA "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"

enum
{
	CERT, KEY, CA_FILE, CRL, FILES
};

static char directory[] = "/tmp/esg_failing.XXXXXX";
static char paths[FILES][200];
static const char *const names[FILES] = {"server.crt", "server.key", "root.crt", "root.crl"};
static EsgTlsFile files[FILES] = {
	{.setting = "ssl_cert_file",.kind = ESG_FILE_CERTIFICATE}, {.setting = "ssl_key_file",.kind = ESG_FILE_KEY},
	{.setting = "ssl_ca_file",.kind = ESG_FILE_CA}, {.setting = "ssl_crl_file",.kind = ESG_FILE_CRL}
};
static EsgPolicy policy;

static void
write_file(int n, const char *text)
{
	FILE	   *out;

	snprintf(paths[n], sizeof(paths[n]), "%s/%s", directory, names[n]);
	files[n].path = paths[n];
	out = fopen(paths[n], "w");
	ok(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0 && chmod(paths[n], 0600) == 0, "%s is written", names[n]);
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
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	X509_CRL_free(crl);
	X509_free(cert);
	X509_free(ca);
}

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
	return audit->cert_count == 2 && audit->crl_count == 1 && esg_findings_has(&audit->certs[0]->findings, ESG_EXPIRED) &&
		esg_findings_has(&audit->crls[0]->findings, ESG_CRL_EXPIRED);
}

static Outcome
read_and_judge(void)
{
	EsgReadTask task = {.files = files,.count = FILES,.what = ESG_AUDIT_ALL,.pair_directory = directory};
	EsgJudgement by = {.policy = &policy,.now = NOW,.suggest = true};
	EsgAudit   *audit = esg_audited_start(NULL);
	Outcome		outcome;

	if (audit == NULL)
		return TOLD;
	esg_read_files(audit, &task);
	if (!audit->out_of_memory)
		esg_judge_all(audit, &by);
	if (audit->out_of_memory || has_file_fault(audit))
		outcome = TOLD;
	else
		outcome = is_whole(audit) ? RIGHT : WRONG;
	esg_audited_free(audit);
	return outcome;
}

/* The key has no passphrase. */
static void
ask_nobody(SSL_CTX *context, EsgPassphraseSource *source, void *arg)
{
	(void) context;
	(void) source;
	(void) arg;
}

/* What did not load has not been seen to load. */
static Outcome
load(void)
{
	EsgServerTls tls = {.min_version = TLS1_2_VERSION};
	EsgLoadSet	set = {.cert = paths[CERT],.key = paths[KEY],.ca = paths[CA_FILE],.crl = paths[CRL],.crl_dir = "",
		.command = "",.tls = &tls,.install = ask_nobody
	};
	EsgProved	proved;

	memset(&proved, 0, sizeof(proved));
	if (esg_load_set(&set, &proved))
		return proved.proof != ESG_PROOF_FAILS ? RIGHT : WRONG;
	return proved.reason[0] != '\0' || proved.refused != ESG_TLS_PART_NONE ? TOLD : WRONG;
}

int
main(void)
{
	if (mkdtemp(directory) == NULL)
		return 1;
	make_files();
	esg_policy_defaults(&policy);
	policy.server_uid = geteuid();
	is_int(read_and_judge(), RIGHT, "files");
	is_int(load(), RIGHT, "loading");
	failing_errno = EIO;
	ok(fail_each("files", read_and_judge) > 10, "it is told");
	fail_each("loading", load);
	ok(ERR_peek_error() == 0, "no error is left");
	for (int i = 0; i < FILES; i++)
		unlink(paths[i]);
	rmdir(directory);
	return done();
}

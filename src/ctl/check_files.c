/*
 * ctl/check_files.c
 *		ssl_guard_ctl check FILE...: files, whoever uses them.
 *
 * They are judged together, as a server that is given them would be: a CA among
 * them is the issuer of the others, a CRL is that CA's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/check_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "ctl/check_case.h"
#include "ctl/check_report.h"
#include "ctl/key_answer.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/server_user.h"
#include "secret/forget.h"

/* ---- what is it ---- */

typedef struct Glance
{
	bool		found;
	EsgFileKind kind;
} Glance;

/* A CA by itself is one; what is good for clients alone is a client's. */
static bool
glance_at_cert(X509 *cert, int position, void *arg)
{
	Glance	   *glance = arg;
	EsgCertInfo info;

	(void) position;
	esg_x509_info_read(cert, NULL, &info);
	glance->found = true;
	glance->kind = info.is_ca ? ESG_FILE_CA :
		info.client_purpose && !info.server_purpose ? ESG_FILE_CLIENT : ESG_FILE_CERTIFICATE;
	X509_free(cert);
	return false;
}

static bool
glance_at_crl(X509_CRL *crl, int position, void *arg)
{
	Glance	   *glance = arg;

	(void) position;
	glance->found = true;
	glance->kind = ESG_FILE_CRL;
	X509_CRL_free(crl);
	return false;
}

/* By the first thing in it.  What cannot be read is judged as a server's certificate would be. */
static EsgFileKind
find_kind(const char *path)
{
	Glance		glance = {false, ESG_FILE_CERTIFICATE};
	EsgPemSink	sink = {glance_at_cert, glance_at_crl, &glance};
	EsgPemResult result;
	EsgFileFacts facts;
	EsgContent	content;

	if (!esg_content_read(path, ESG_CRL_FILE_LIMIT, &facts, &content))
		return glance.kind;
	esg_pem_scan(content.data, content.len, ESG_PEM_CERTS | ESG_PEM_CRLS | ESG_PEM_TRUSTED, &sink, &result);
	if (!glance.found && strstr(result.found, "private key") != NULL)
		glance.kind = ESG_FILE_KEY;
	esg_content_release(&content);
	return glance.kind;
}

static const char *
setting_of(EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CERTIFICATE:
			return "ssl_cert_file";
		case ESG_FILE_KEY:
			return "ssl_key_file";
		case ESG_FILE_CA:
			return "ssl_ca_file";
		case ESG_FILE_CRL:
			return "ssl_crl_file";
		default:
			return ESG_EXTRA_SETTING;
	}
}

static EsgTlsFile *
list_files(const EsgCheckOptions *options)
{
	EsgTlsFile *files = OPENSSL_zalloc((size_t) options->file_count * sizeof(EsgTlsFile));

	for (int i = 0; files && i < options->file_count; i++)
	{
		const EsgCheckFile *given = &options->files[i];

		files[i].path = (char *) given->path;
		files[i].kind = given->said ? given->kind : find_kind(given->path);
		files[i].setting = setting_of(files[i].kind);
	}
	return files;
}

/* ---- keys ---- */

/* Cuts path at its last slash; returns the name behind it. */
static const char *
split_path(char path[PATH_MAX])
{
	char	   *slash = strrchr(path, '/');

	if (!slash)
	{
		const char *name = memmove(path + 2, path, strlen(path) + 1);

		memcpy(path, ".", 2);
		return name;
	}
	*slash = '\0';
	return slash + 1;
}

/* NULL: it cannot be opened; then that is said. */
static EVP_PKEY *
open_key(EsgReportObject *object, const char *path, EsgKeyAnswer *answer)
{
	EsgFileFacts facts;
	EsgContent	content;
	EVP_PKEY   *key = NULL;
	BIO		   *bio;

	/* why it cannot be read is a finding */
	if (!esg_content_read(path, ESG_CERT_FILE_LIMIT, &facts, &content))
		return NULL;
	bio = BIO_new_mem_buf(content.data, (int) content.len);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, esg_key_answer_give, answer);
	BIO_free(bio);
	esg_content_release(&content);
	ERR_clear_error();
	esg_secret_forget_stack();
	if (key)
		return key;
	if (!answer->asked)
		esg_report_remark(object, ESG_STATUS_CRITICAL, NULL, "the file has no private key that OpenSSL can read");
	else if (answer->pair_failed)
	{
		char		reason[ESG_PAIR_REASON_SIZE];

		esg_secret_pair_reason(&answer->status, reason, sizeof(reason));
		esg_report_remark(object, ESG_STATUS_CRITICAL, NULL, "passphrase file \"%s\" cannot be used: %s",
						  answer->status.path, reason);
	}
	else if (answer->typed || answer->from_pair)
		esg_report_remark(object, ESG_STATUS_CRITICAL, NULL, "the passphrase does not open the private key");
	else
		esg_report_remark(object, ESG_STATUS_OK, "Use --ask-passphrase to try it.",
						  "the private key is encrypted, and nobody gave its passphrase: it was not tried");
	return NULL;
}

static bool
is_leaf(const EsgAuditCert *cert)
{
	return cert->position == 1 && (cert->place == ESG_PLACE_LEAF || cert->place == ESG_PLACE_CLIENT);
}

/* The first of all certificates that it belongs to.  A CA's key is elsewhere, and none is missed. */
static void
say_whose(EsgReportObject *object, EVP_PKEY *key, const EsgAudit *audit)
{
	bool		wanted = false;

	for (int i = 0; i < audit->cert_count; i++)
	{
		const EsgAuditCert *cert = audit->certs[i];

		wanted |= is_leaf(cert);
		if (X509_check_private_key(cert->info.cert, key) != 1)
			continue;
		ERR_clear_error();
		esg_report_fact_bytes(object, "certificate", cert->file->file.path);
		return;
	}
	ERR_clear_error();
	if (wanted)
		esg_report_remark(object, ESG_STATUS_CRITICAL, "Give the server the key that the certificate was made for.",
						  "the private key does not belong to the certificate");
}

static void
try_key(EsgReport *report, const EsgAudit *audit, const EsgAuditFile *file, EsgPassphrase *passphrase)
{
	EsgReportObject *object = esg_check_report_find(report, file->file.path);
	char		directory[PATH_MAX];
	EsgKeyAnswer answer = {.passphrase = passphrase,.typed = passphrase->len > 0,.with_pair = true,
		.directory = directory,.rule = {geteuid(), ESG_KEY_MODE_ANY}
	};
	EVP_PKEY   *key;

	if (!object || snprintf(directory, sizeof(directory) - 2, "%s", file->file.path) >= (int) sizeof(directory) - 2)
		return;
	answer.key_name = split_path(directory);
	key = open_key(object, file->file.path, &answer);
	if (!key)
		return;
	esg_report_fact_bool(object, "encrypted", answer.asked);
	say_whose(object, key, audit);
	EVP_PKEY_free(key);
}

/* ---- the whole ---- */

static void
try_keys(EsgReport *report, const EsgAudit *audit, EsgPassphrase *passphrase)
{
	esg_memory_lock();
	for (int i = 0; i < audit->file_count; i++)
	{
		if (audit->files[i]->file.kind == ESG_FILE_KEY && audit->files[i]->facts.exists)
			try_key(report, audit, audit->files[i], passphrase);
	}
}

/* Those of the user whose server it is, for root. */
static bool
take_eyes(const EsgCheckOptions *options)
{
	EsgServerUser user;
	char		directory[PATH_MAX];
	const char *name;

	if (geteuid() != 0 && !options->user)
		return true;
	if (snprintf(directory, sizeof(directory) - 2, "%s", options->files[0].path) >= (int) sizeof(directory) - 2)
		return esg_message_error("the path of a file is too long");
	name = split_path(directory);
	return esg_server_user_find(options->user, directory, name, &user) && esg_server_user_become(&user);
}

int
esg_check_files_run(const EsgCheckOptions *options, EsgPassphrase *passphrase)
{
	EsgCheckCase c = {.at = options->at};
	EsgReport	report;
	EsgTlsFile *files;
	int			status = ESG_STATUS_UNKNOWN;

	if (!take_eyes(options))
		return status;
	esg_policy_defaults(&c.policy);
	c.policy.server_uid = geteuid();
	files = list_files(options);
	if (files && esg_check_case_judge(&c, files, options->file_count, NULL))
	{
		esg_report_start(&report, "check", options->at);
		esg_check_report_fill(&report, c.audit, false);
		try_keys(&report, c.audit, passphrase);
		status = esg_output_finish(&report, &options->style);
	}
	else
		esg_message_error("out of memory");
	esg_check_case_free(&c);
	OPENSSL_free(files);
	return status;
}

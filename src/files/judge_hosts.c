/*
 * files/judge_hosts.c
 *		Do the hosts of pg_hosts.conf have certificates for their names?
 */
#include "files/judge_hosts.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

/* what a name is cut at: a remark has no room for more */
#define NAME_SIZE (2 * ESG_MAX_DETAIL)

/* "line … of …: " */
#define LINE_WORDS_SIZE 32

/* What core takes for no name, any that is not listed, and none at all; and what stands for more names. */
static bool
is_catch_all(const char *name)
{
	return esg_hosts_line_is_general(name) || strcmp(name, "...") == 0;
}

/* Does a client that asks for that name, and means it, accept the certificate? */
static bool
is_covered(X509 *cert, const char *name)
{
	bool		covered = X509_check_host(cert, name, strlen(name), 0, NULL) == 1;

	ERR_clear_error();
	return covered;
}

static void
list_name(EsgRemark *remark, const char *name, const char *comment)
{
	char	   *printable = esg_x509_name_escape((const unsigned char *) name, strlen(name));
	char		text[NAME_SIZE];

	snprintf(text, sizeof(text), "%s%s", printable != NULL ? printable : "", comment);
	esg_remark_list(remark, text);
	OPENSSL_free(printable);
}

static bool
judge_name(X509 *cert, const char *name, EsgRemark *remark)
{
	if (is_catch_all(name))
		return false;
	if (strchr(name, '*') != NULL)
		list_name(remark, name, " (a pattern, for which no client asks)");
	else if (!is_covered(cert, name))
		list_name(remark, name, "");
	else
		return false;
	return true;
}

static void
judge_names(EsgAudit *audit, EsgAuditCert *cert, const EsgPolicy *policy)
{
	char	   *names = esg_arena_copy(&audit->judging.arena, cert->file->file.host);
	EsgRemark	remark;
	bool		found = false;

	audit->out_of_memory |= names == NULL;
	if (names == NULL || !esg_remark_start(&remark, ESG_HOST_NAME_NOT_COVERED, cert->place))
		return;
	for (char *name = names; name != NULL;)
	{
		char	   *comma = strchr(name, ',');

		if (comma != NULL)
			*comma++ = '\0';
		found |= judge_name(cert->info.cert, name, &remark);
		name = comma;
	}
	if (found)
		esg_findings_add(&cert->findings, &remark, policy->overrides);
}

static void
judge_list(EsgAuditFile *file, const EsgPolicy *policy)
{
	EsgRemark	remark;

	if (!esg_remark_start(&remark, ESG_HOSTS_FILE_UNUSABLE, ESG_PLACE_FILE))
		return;
	esg_remark_say(&remark, "%s", file->hosts_fault);
	esg_findings_add(&file->findings, &remark, policy->overrides);
}

static char *
make_printable(const char *bytes)
{
	return bytes != NULL ? esg_x509_name_escape((const unsigned char *) bytes, strlen(bytes)) : NULL;
}

/* NULL: out of memory */
static char *
word_fault(EsgAudit *audit, const char *path, const EsgHostsFault *fault)
{
	char	   *text = make_printable(fault->text);
	bool		elsewhere = fault->file != NULL && strcmp(fault->file, path) != 0;
	char	   *file = elsewhere ? make_printable(fault->file) : NULL;
	size_t		size = (text != NULL ? strlen(text) : 0) + (file != NULL ? strlen(file) : 0) + LINE_WORDS_SIZE;
	char	   *words = NULL;

	if (text != NULL && (file != NULL || !elsewhere))
		words = esg_audited_take(audit, size);
	if (words == NULL)
		audit->out_of_memory = true;
	else if (fault->line <= 0)
		snprintf(words, size, "%s", text);
	else if (elsewhere)
		snprintf(words, size, "line %d of \"%s\": %s", fault->line, file, text);
	else
		snprintf(words, size, "line %d: %s", fault->line, text);
	OPENSSL_free(text);
	OPENSSL_free(file);
	return words;
}

void
esg_judge_hosts_note(EsgAudit *audit, const char *path, const EsgHostsFault *fault)
{
	const char *words = NULL;

	for (int i = 0; fault->text != NULL && i < audit->file_count; i++)
	{
		EsgAuditFile *file = audit->files[i];

		if (file->file.kind != ESG_FILE_HOSTS || strcmp(file->file.path, path) != 0)
			continue;
		if (words == NULL)
			words = word_fault(audit, path, fault);
		file->hosts_fault = words;
	}
}

void
esg_judge_hosts(EsgAudit *audit, const EsgPolicy *policy)
{
	for (int i = 0; i < audit->cert_count; i++)
	{
		EsgAuditCert *cert = audit->certs[i];

		if (cert->place == ESG_PLACE_LEAF && cert->file != NULL && cert->file->file.host != NULL)
			judge_names(audit, cert, policy);
	}
	for (int i = 0; i < audit->file_count; i++)
	{
		if (audit->files[i]->hosts_fault != NULL)
			judge_list(audit->files[i], policy);
	}
}

/*
 * ctl/fetch_wanted.c
 *		Whose CRLs, from where, and where to?
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/fetch_wanted.h"

#include <stdio.h>
#include <string.h>

#include "ctl/message.h"
#include "ctl/pem_file.h"

static bool
fail_memory(void)
{
	return esg_message_error("out of memory");
}

static bool
find_user(EsgFetch *fetch)
{
	const EsgFetchOptions *options = fetch->options;
	const char *start = options->directory ? options->directory : options->out;
	const char *slash = strrchr(start, '/');
	char		directory[PATH_MAX];

	if (options->directory || !slash)
		snprintf(directory, sizeof(directory), "%s", options->directory ? start : ".");
	else
		snprintf(directory, sizeof(directory), "%.*s", (int) (slash - start) + 1, start);
	return esg_server_user_find(options->user, directory, "", &fetch->user);
}

static bool
read_settings(EsgFetch *fetch)
{
	static const char *const names[] = {"ssl_ca_file", "ssl_crl_file", "ssl_crl_dir", "ssl_cert_file"};
	EsgSettingsServer server = {
		.directory = fetch->options->directory,.program = fetch->options->program,
		.user = &fetch->user
	};
	int			i;

	for (i = 0; i < ESG_FETCH_SETTING_COUNT; i++)
	{
		fetch->settings[i].name = names[i];
		fetch->settings[i].is_path = true;
	}
	return !fetch->options->directory || esg_settings_read(&server, fetch->settings, ESG_FETCH_SETTING_COUNT);
}

/* NULL if it is empty, or nobody was asked. */
static const char *
setting(const EsgFetch *fetch, int i)
{
	const char *value = fetch->settings[i].value;

	return value && value[0] != '\0' ? value : NULL;
}

/* Where to; with both settings the file, and then the directory counts, too. */
static bool
find_out(EsgFetch *fetch)
{
	const char *file = setting(fetch, ESG_FETCH_CRL_FILE);
	const char *dir = setting(fetch, ESG_FETCH_CRL_DIR);

	fetch->out = fetch->options->out ? fetch->options->out : file ? file : dir;
	if (!fetch->out)
	{
		esg_message_error("neither ssl_crl_file nor ssl_crl_dir is set, so that nobody knows where to");
		esg_message_hint("Name a file with --out, and set ssl_crl_file to it afterwards.");
		return false;
	}
	if (file && strcmp(file, fetch->out) != 0)
		fetch->beside = file;
	else if (dir && strcmp(dir, fetch->out) != 0)
		fetch->beside = dir;
	return true;
}

static bool
read_words(const EsgFetchWords *files, STACK_OF(X509) *certs)
{
	int			i;

	for (i = 0; i < files->count; i++)
	{
		if (!esg_pem_file_append(files->words[i], certs))
			return false;
	}
	return true;
}

static bool
read_certs(EsgFetch *fetch)
{
	const char *ca_file = setting(fetch, ESG_FETCH_CA_FILE);
	const char *cert_file = setting(fetch, ESG_FETCH_CERT_FILE);

	fetch->cas.certs = sk_X509_new_null();
	fetch->certs = sk_X509_new_null();
	fetch->server_certs = sk_X509_new_null();
	if (!fetch->cas.certs || !fetch->certs || !fetch->server_certs)
		return fail_memory();
	if (!ca_file && fetch->options->cas.count == 0)
		return esg_message_error("ssl_ca_file is not set: the server has no CAs whose CRLs it could need");
	if (ca_file && !esg_pem_file_append(ca_file, fetch->cas.certs))
		return false;
	/* of use if its CA is one of the clients', too */
	if (cert_file && !esg_pem_file_append(cert_file, fetch->server_certs))
		return false;
	return read_words(&fetch->options->cas, fetch->cas.certs) &&
		read_words(&fetch->options->certs, fetch->certs) && esg_fetch_cas_finish(&fetch->cas);
}

static bool
find_sources(EsgFetch *fetch)
{
	const EsgFetchWords *urls = &fetch->options->urls;
	EsgFetchSources *sources = &fetch->sources;
	int			i;

	for (i = 0; i < urls->count; i++)
	{
		if (!esg_fetch_sources_add_url(sources, urls->words[i]))
			return false;
	}
	if (urls->count == 0 &&
		(!esg_fetch_sources_add_certs(sources, fetch->cas.certs, &fetch->cas, false) ||
		 !esg_fetch_sources_add_certs(sources, fetch->certs, &fetch->cas, true) ||
		 !esg_fetch_sources_add_certs(sources, fetch->server_certs, &fetch->cas, false)))
		return false;
	if (sources->count > 0)
		return true;
	esg_message_error("no certificate names a CRL distribution point");
	esg_message_hint("Say with --url where the CRLs are, or give a certificate of a client with --cert.");
	return false;
}

bool
esg_fetch_wanted_find(EsgFetch *fetch)
{
	return find_user(fetch) && read_settings(fetch) && find_out(fetch) && read_certs(fetch) &&
		find_sources(fetch);
}

/*
 * ctl/identity.c
 *		A client's certificate and its key, to be presented.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/identity.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "ctl/key_file.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/pem_file.h"
#include "ctl/prompt.h"
#include "secret/pair.h"

typedef struct Source
{
	const char *key_file;
	const char *passphrase_file;
	bool		given_up;		/* a message has said why */
} Source;

/* The directory of the key, and its name there. */
static bool
split_path(const char *path, char directory[ESG_PAIR_PATH_SIZE], const char **name)
{
	const char *slash = strrchr(path, '/');
	int			len = slash ? (int) (slash - path) + (slash == path) : 0;

	*name = slash ? slash + 1 : path;
	return snprintf(directory, ESG_PAIR_PATH_SIZE, "%.*s", slash ? len : 1, slash ? path : ".") < ESG_PAIR_PATH_SIZE;
}

/* Root may use anybody's; the pair has one owner all the same. */
static uid_t
owner_of(const char *path)
{
	struct stat st;

	return geteuid() == 0 && stat(path, &st) == 0 ? st.st_uid : geteuid();
}

static bool
read_pair(const char *directory, const char *name, uid_t owner, EsgPassphrase *out)
{
	EsgKeyRule	rule = {owner, ESG_KEY_MODE_ANY};
	EsgPairStatus status;
	char		reason[ESG_PAIR_REASON_SIZE];

	if (esg_secret_pair_read(directory, name, &rule, out, &status))
		return true;
	esg_secret_pair_reason(&status, reason, sizeof(reason));
	return esg_message_error("passphrase file \"%s\" cannot be used: %s", status.path, reason);
}

/* An EsgPassphraseFn. */
static bool
find_passphrase(void *arg, EsgPassphrase *out)
{
	Source	   *source = arg;
	char		directory[ESG_PAIR_PATH_SIZE];
	const char *name;
	bool		good;

	if (source->passphrase_file == NULL && split_path(source->key_file, directory, &name) &&
		esg_secret_pair_exists(directory, name))
		good = read_pair(directory, name, owner_of(source->key_file), out);
	else
		good = esg_prompt_read_known(source->passphrase_file, out);
	source->given_up = !good;
	return good;
}

static bool
say_fault(EsgKeyFileResult result, const Source *source, int error)
{
	const char *path = source->key_file;

	switch (result)
	{
		case ESG_KEY_FILE_MISSING:
		case ESG_KEY_FILE_UNREADABLE:
			return esg_message_error("could not read private key file \"%s\": %s", path, strerror(error));
		case ESG_KEY_FILE_NOT_REGULAR:
			return esg_message_error("private key file \"%s\" is not a regular file", path);
		case ESG_KEY_FILE_NO_KEY:
			return esg_message_error("file \"%s\" has no private key that OpenSSL can read", path);
		default:
			return !source->given_up &&
				esg_message_error("the passphrase does not open private key file \"%s\"", path);
	}
}

static bool
load_key(Source *source, EVP_PKEY **key)
{
	EsgPassphrase *passphrase = esg_memory_allocate();
	EsgKeyFileResult result;
	int			error = 0;

	if (passphrase == NULL)
		return esg_message_error("out of memory");
	result = esg_key_file_open(source->key_file, find_passphrase, source, passphrase, key, &error);
	if (result == ESG_KEY_FILE_OPENED || result == ESG_KEY_FILE_NOT_ENCRYPTED)
		return true;
	return say_fault(result, source, error);
}

bool
esg_identity_load(const char *cert_file, const char *key_file, const char *passphrase_file,
				  EsgIdentity *out)
{
	Source		source = {key_file ? key_file : cert_file, passphrase_file, false};

	memset(out, 0, sizeof(*out));
	out->chain = esg_pem_file_certs(cert_file);
	if (out->chain == NULL || !load_key(&source, &out->key))
		return false;
	out->cert = sk_X509_shift(out->chain);
	if (X509_check_private_key(out->cert, out->key) == 1)
		return true;
	ERR_clear_error();
	return esg_message_error("the key in \"%s\" does not belong to the certificate in \"%s\"",
							 source.key_file, cert_file);
}

void
esg_identity_free(EsgIdentity *identity)
{
	X509_free(identity->cert);
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	memset(identity, 0, sizeof(*identity));
}

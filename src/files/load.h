/*
 * files/load.h
 *		Loading certificate, key, CAs and CRLs as the server would.
 *
 * Whether a key fits a certificate, OpenSSL alone can tell, and it wants to have
 * read it: for a process that ends soon.
 */
#ifndef ESG_FILES_LOAD_H
#define ESG_FILES_LOAD_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "policy/worse.h"
#include "wire/server_context.h"

/* Has the server's user loaded certificate, key, CAs and CRLs as the server would? */
typedef enum EsgProof
{
	ESG_PROOF_NONE,				/* it was not tried */
	ESG_PROOF_LOADS,
	ESG_PROOF_NEEDS_COMMAND,	/* only ssl_passphrase_command, which is not
								 * run for it, opens a key; all else loads */
	ESG_PROOF_NEEDS_PERSON,		/* the same of a person, or of a command that
								 * is not for reloads */
	ESG_PROOF_FAILS
} EsgProof;

#define ESG_PROVED_PATH_SIZE 1024

typedef struct EsgProved
{
	EsgProof	proof;
	EsgTlsPart	refused;		/* the setting that OpenSSL does not take, if
								 * that is it */
	char		path[ESG_PROVED_PATH_SIZE]; /* the file at fault, as the
											 * settings name it */
	char		reason[ESG_REASON_SIZE];
} EsgProved;

/* Who answers when a process of ours opens a key, to see whether it fits. */
typedef enum EsgPassphraseSource
{
	ESG_PASSPHRASE_NOT_ASKED,
	ESG_PASSPHRASE_PAIR,
	ESG_PASSPHRASE_PERSON,		/* has typed it, and is not there at a reload */
	ESG_PASSPHRASE_NOBODY		/* no pair: ssl_passphrase_command would be
								 * run, or a person asked */
} EsgPassphraseSource;

/* Sets a pem_password_cb that notes who was asked; source lives until the key is loaded. */
typedef void (*EsgInstallFn) (SSL_CTX *context, EsgPassphraseSource *source, void *arg);

/* What belongs together; "" is what is not there. */
typedef struct EsgLoadSet
{
	const char *cert;
	const char *key;
	const char *ca;
	const char *crl;
	const char *crl_dir;
	const char *command;		/* ssl_passphrase_command */
	bool		command_at_reload;
	const EsgServerTls *tls;
	EsgInstallFn install;
	void	   *install_arg;
} EsgLoadSet;

/*
 * True if all of it loads, at a reload; where the passphrase could not be asked
 * for, out->proof is ESG_PROOF_NEEDS_COMMAND, else it is left as it was.
 */
extern bool esg_load_set(const EsgLoadSet *set, EsgProved *out);

#endif							/* ESG_FILES_LOAD_H */

/*
 * ctl/key_answer.h
 *		Who answers when a private key asks for its passphrase.
 */
#ifndef ESG_CTL_KEY_ANSWER_H
#define ESG_CTL_KEY_ANSWER_H

#include <stdbool.h>

#include "files/load.h"
#include "secret/pair.h"

/* For one key. */
typedef struct EsgKeyAnswer
{
	EsgPassphrase *passphrase;	/* in protected memory */
	bool		typed;			/* it holds what a person has typed; else it
								 * is for the pair's */
	bool		of_several;		/* there are more keys: what was typed may be
								 * another one's */
	bool		with_pair;		/* the pair, if there is one, answers */
	const char *directory;		/* where the pair is */
	const char *key_name;		/* "server.key" */
	EsgKeyRule	rule;
	bool		asked;			/* so the key is encrypted */
	bool		from_pair;		/* the pair was asked */
	bool		pair_failed;	/* and cannot be used: see status */
	EsgPairStatus status;
} EsgKeyAnswer;

/* OpenSSL's pem_password_cb, with an EsgKeyAnswer */
extern int	esg_key_answer_give(char *buf, int size, int rwflag, void *answer);

/* EsgInstallFn, with an EsgKeyAnswer; one at a time in a process */
extern void esg_key_answer_install(SSL_CTX *context, EsgPassphraseSource *source, void *answer);

#endif							/* ESG_CTL_KEY_ANSWER_H */

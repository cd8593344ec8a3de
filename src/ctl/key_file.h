/*
 * ctl/key_file.h
 *		Does a passphrase open a private key file?
 *
 * Only ssl_guard_ctl asks that; of the extension, audit/prove.c alone opens keys.
 */
#ifndef ESG_CTL_KEY_FILE_H
#define ESG_CTL_KEY_FILE_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "secret/format.h"

typedef enum EsgKeyFileResult
{
	ESG_KEY_FILE_OPENED = 0,
	ESG_KEY_FILE_MISSING,
	ESG_KEY_FILE_UNREADABLE,	/* see error */
	ESG_KEY_FILE_NOT_REGULAR,
	ESG_KEY_FILE_NO_KEY,		/* no private key that OpenSSL can read */
	ESG_KEY_FILE_NOT_ENCRYPTED,
	ESG_KEY_FILE_REFUSED		/* not this passphrase */
} EsgKeyFileResult;

/* PEM, as PostgreSQL reads it: PKCS#8 or traditional.  error is an errno. */
extern EsgKeyFileResult esg_key_file_test(const char *path, const EsgPassphrase *passphrase,
										  int *error);

/* where a passphrase comes from; false with a message: there is none */
typedef bool (*EsgPassphraseFn) (void *arg, EsgPassphrase *out);

/*
 * The key itself; ask is called if it is encrypted.  ESG_KEY_FILE_OPENED or
 * ESG_KEY_FILE_NOT_ENCRYPTED: *key is new; ESG_KEY_FILE_REFUSED: also if ask said
 * no.  passphrase is what ask fills, and is left wiped.
 */
extern EsgKeyFileResult esg_key_file_open(const char *path, EsgPassphraseFn ask, void *arg,
										  EsgPassphrase *passphrase, EVP_PKEY **key, int *error);

#endif							/* ESG_CTL_KEY_FILE_H */

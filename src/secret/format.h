/*
 * secret/format.h
 *		The format of the passphrase pair: a .cipher and a .rand file.
 *
 * The .cipher file holds the passphrase under AES-256-GCM; the .rand file holds
 * 32 random bytes from which the key is derived.  Either alone is worthless.
 * The byte layout is in docs/passphrase.md.
 *
 * Pure.  The server and ssl_guard_ctl are built from this source.  It
 * works on bytes in memory; it opens no file.  OpenSSL's error queue is left
 * empty.
 */
#ifndef ESG_SECRET_FORMAT_H
#define ESG_SECRET_FORMAT_H

#include <stddef.h>

/* bytes; OpenSSL's callback has room for 1024 with the terminating zero */
#define ESG_MAX_PASSPHRASE 1023

#define ESG_SECRET_VERSION 1
#define ESG_SECRET_ID_SIZE 16
#define ESG_SECRET_SALT_SIZE 32
#define ESG_SECRET_NONCE_SIZE 12
#define ESG_SECRET_KEY_SIZE 32

/* a file of this version has exactly this many bytes */
#define ESG_CIPHER_FILE_SIZE 1150
#define ESG_RANDOM_FILE_SIZE 96

typedef enum EsgSecretResult
{
	ESG_SECRET_OK = 0,
	ESG_SECRET_WRONG_TYPE,		/* no magic, or the other file's */
	ESG_SECRET_UNKNOWN_VERSION,
	ESG_SECRET_TRUNCATED,
	ESG_SECRET_TRAILING,		/* more bytes than the format has */
	ESG_SECRET_DAMAGED,			/* the checksum says so */
	ESG_SECRET_UNKNOWN_PARAMETERS,	/* key derivation or cipher of another
									 * kind */
	ESG_SECRET_NOT_A_PAIR,		/* the files have different pair ids */
	ESG_SECRET_NOT_AUTHENTIC,	/* GCM tag: changed by someone who mended the
								 * checksum, or the wrong random bytes */
	ESG_SECRET_NO_PASSPHRASE,	/* empty */
	ESG_SECRET_TOO_LONG,
	ESG_SECRET_BAD_CHARACTER,	/* zero byte or line end in the passphrase */
	ESG_SECRET_CRYPTO_FAILED	/* OpenSSL refused or had no memory */
} EsgSecretResult;

/* A passphrase in the clear.  Wipe with esg_secret_format_wipe(). */
typedef struct EsgPassphrase
{
	size_t		len;			/* 1..ESG_MAX_PASSPHRASE */
	char		secret[ESG_MAX_PASSPHRASE + 1]; /* zero-terminated */
} EsgPassphrase;

/* What makes two encryptions of one passphrase differ; all random. */
typedef struct EsgSecretSeed
{
	unsigned char id[ESG_SECRET_ID_SIZE];
	unsigned char salt[ESG_SECRET_SALT_SIZE];
	unsigned char nonce[ESG_SECRET_NONCE_SIZE];
	unsigned char key[ESG_SECRET_KEY_SIZE];
} EsgSecretSeed;

/* 1..1023 bytes, any but zero, CR and LF */
extern EsgSecretResult esg_secret_format_check_passphrase(const char *text, size_t len);

/* is this one file of the pair, whole and of a known version? */
extern EsgSecretResult esg_secret_format_check_cipher(const unsigned char *data, size_t len);
extern EsgSecretResult esg_secret_format_check_random(const unsigned char *data, size_t len);

/* ESG_SECRET_NOT_A_PAIR if the ids differ; both files are checked first */
extern EsgSecretResult esg_secret_format_check_pair(const unsigned char *cipher, size_t cipher_len,
													const unsigned char *random, size_t random_len);

/* out is wiped on failure */
extern EsgSecretResult esg_secret_format_decrypt(const unsigned char *cipher, size_t cipher_len,
												 const unsigned char *random, size_t random_len,
												 EsgPassphrase *out);

/* a new pair from OpenSSL's random generator; the buffers are wiped on failure */
extern EsgSecretResult esg_secret_format_encrypt(const char *text, size_t len,
												 unsigned char cipher[ESG_CIPHER_FILE_SIZE],
												 unsigned char random[ESG_RANDOM_FILE_SIZE]);

/* the same with a given seed: for test vectors; a seed is never used twice */
extern EsgSecretResult esg_secret_format_encrypt_seeded(const char *text, size_t len,
														const EsgSecretSeed *seed,
														unsigned char cipher[ESG_CIPHER_FILE_SIZE],
														unsigned char random[ESG_RANDOM_FILE_SIZE]);
extern void esg_secret_format_wipe(EsgPassphrase *passphrase);

/* what is wrong, to follow "cannot be used: "; static */
extern const char *esg_secret_format_reason(EsgSecretResult result);

#endif							/* ESG_SECRET_FORMAT_H */

/*
 * fuzz_secret.c
 *		Hostile passphrase pairs.
 *
 * The input is a .cipher file followed by a .rand file.  It is tried as it is,
 * then with everything mended that would stop it early: magic, version,
 * parameters, id and checksums, so that the cryptography is reached, too.  Then
 * it is taken as a passphrase, which must come back as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "secret/format.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char good_cipher[ESG_CIPHER_FILE_SIZE];
static unsigned char good_random[ESG_RANDOM_FILE_SIZE];

static void
make_good(void)
{
	EsgSecretSeed seed;

	memset(&seed, 7, sizeof(seed));
	if (esg_secret_format_encrypt_seeded("fuzz", 4, &seed, good_cipher, good_random) != ESG_SECRET_OK)
		abort();
}

/* Decrypts and checks what callers rely on; true if it was accepted. */
static int
try_pair(const unsigned char *cipher, size_t cipher_len,
		 const unsigned char *random, size_t random_len)
{
	static const EsgPassphrase zero;
	EsgPassphrase out;
	EsgSecretResult result;

	memset(&out, 0xff, sizeof(out));
	result = esg_secret_format_decrypt(cipher, cipher_len, random, random_len, &out);
	if (result != ESG_SECRET_OK && memcmp(&out, &zero, sizeof(out)) != 0)
		abort();
	if (result == ESG_SECRET_OK &&
		(out.secret[out.len] != '\0' ||
		 esg_secret_format_check_passphrase(out.secret, out.len) != ESG_SECRET_OK))
		abort();
	if (ERR_peek_error() != 0 || esg_secret_format_reason(result) == NULL)
		abort();
	return result == ESG_SECRET_OK;
}

static void
try_mended(const uint8_t *data, size_t size)
{
	unsigned char cipher[ESG_CIPHER_FILE_SIZE];
	unsigned char random[ESG_RANDOM_FILE_SIZE];
	size_t		i;

	memcpy(cipher, good_cipher, sizeof(cipher));
	memcpy(random, good_random, sizeof(random));
	for (i = 32; i < 1118 && i - 32 < size; i++)
		cipher[i] ^= data[i - 32];
	for (i = 32; i < 64 && i + 1054 < size; i++)
		random[i] ^= data[i + 1054];
	SHA256(cipher, 1118, cipher + 1118);
	SHA256(random, 64, random + 64);
	/* whatever was changed must not go unnoticed */
	if (try_pair(cipher, sizeof(cipher), random, sizeof(random)) &&
		(memcmp(cipher, good_cipher, sizeof(cipher)) != 0 ||
		 memcmp(random, good_random, sizeof(random)) != 0))
		abort();
}

static void
try_passphrase(const uint8_t *data, size_t size)
{
	unsigned char cipher[ESG_CIPHER_FILE_SIZE];
	unsigned char random[ESG_RANDOM_FILE_SIZE];
	EsgPassphrase out;

	if (esg_secret_format_encrypt((const char *) data, size, cipher, random) != ESG_SECRET_OK)
	{
		if (esg_secret_format_check_passphrase((const char *) data, size) == ESG_SECRET_OK)
			abort();
		return;
	}
	if (esg_secret_format_decrypt(cipher, sizeof(cipher), random, sizeof(random), &out) != ESG_SECRET_OK ||
		out.len != size || memcmp(out.secret, data, size) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t		cipher_len = size < ESG_CIPHER_FILE_SIZE ? size : ESG_CIPHER_FILE_SIZE;

	if (good_cipher[0] == '\0')
		make_good();
	try_pair(data, cipher_len, data + cipher_len, size - cipher_len);
	try_pair(data, size, good_random, sizeof(good_random));
	try_pair(good_cipher, sizeof(good_cipher), data, size);
	try_mended(data, size);
	try_passphrase(data, size);
	return 0;
}

/*
 * secret/format.c
 *		The format of the passphrase pair: a .cipher and a .rand file.
 *
 * The order of the tests in check_*() matters for what is said: a later
 * version may have another size, so the version comes before the size; a
 * checksum tells accidental damage from a pair that does not belong together,
 * so it comes before everything that is compared.
 */
#include "secret/format.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#define MAGIC_SIZE 8
#define CIPHER_MAGIC "ESGCIPHR"
#define RANDOM_MAGIC "ESGRANDM"

/* both files */
#define VERSION_OFFSET 8		/* big-endian, 2 bytes */
#define ID_OFFSET 16

/* .cipher */
#define KDF_OFFSET 10
#define ALGORITHM_OFFSET 11
#define PLAIN_SIZE_OFFSET 12	/* big-endian, 2 bytes */
#define CIPHER_ZERO_OFFSET 14	/* 2 bytes */
#define SALT_OFFSET 32
#define NONCE_OFFSET 64
#define BODY_OFFSET 76			/* what is before is authenticated */
#define PLAIN_SIZE 1026
#define TAG_OFFSET (BODY_OFFSET + PLAIN_SIZE)
#define TAG_SIZE 16
#define CIPHER_SUM_OFFSET (TAG_OFFSET + TAG_SIZE)

/* .rand */
#define KEY_SIZE_OFFSET 10
#define RANDOM_ZERO_OFFSET 11	/* 5 bytes */
#define KEY_OFFSET 32
#define RANDOM_SUM_OFFSET 64

#define KDF_HKDF_SHA256 1
#define ALGORITHM_AES_256_GCM 1

/* the plaintext: length, then the passphrase, then zeros: its length is hidden */
#define PLAIN_TEXT_OFFSET 2

static const char kdf_info[] = "ext_ssl_guard passphrase 1";

static unsigned
read_u16(const unsigned char *p)
{
	return (unsigned) p[0] << 8 | p[1];
}

static void
write_u16(unsigned char *p, unsigned value)
{
	p[0] = (unsigned char) (value >> 8);
	p[1] = (unsigned char) value;
}

/* Does data end in the SHA-256 of what is before sum_offset? */
static EsgSecretResult
check_checksum(const unsigned char *data, size_t sum_offset)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];

	if (EVP_Digest(data, sum_offset, sum, NULL, EVP_sha256(), NULL) != 1)
		return ESG_SECRET_CRYPTO_FAILED;
	return CRYPTO_memcmp(sum, data + sum_offset, sizeof(sum)) == 0 ? ESG_SECRET_OK : ESG_SECRET_DAMAGED;
}

static int
write_checksum(unsigned char *data, size_t sum_offset)
{
	return EVP_Digest(data, sum_offset, data + sum_offset, NULL, EVP_sha256(), NULL) == 1;
}

/* What both files have in common: magic, version, size, checksum. */
static EsgSecretResult
check_frame(const unsigned char *data, size_t len, const char *magic,
			size_t file_size, size_t sum_offset)
{
	size_t		start = len < MAGIC_SIZE ? len : MAGIC_SIZE;

	if (memcmp(data, magic, start) != 0)
		return ESG_SECRET_WRONG_TYPE;
	if (len < VERSION_OFFSET + 2)
		return ESG_SECRET_TRUNCATED;
	if (read_u16(data + VERSION_OFFSET) != ESG_SECRET_VERSION)
		return ESG_SECRET_UNKNOWN_VERSION;
	if (len < file_size)
		return ESG_SECRET_TRUNCATED;
	if (len > file_size)
		return ESG_SECRET_TRAILING;
	return check_checksum(data, sum_offset);
}

EsgSecretResult
esg_secret_format_check_cipher(const unsigned char *data, size_t len)
{
	EsgSecretResult result;

	result = check_frame(data, len, CIPHER_MAGIC, ESG_CIPHER_FILE_SIZE, CIPHER_SUM_OFFSET);
	if (result != ESG_SECRET_OK)
		return result;
	if (data[KDF_OFFSET] != KDF_HKDF_SHA256 ||
		data[ALGORITHM_OFFSET] != ALGORITHM_AES_256_GCM ||
		read_u16(data + PLAIN_SIZE_OFFSET) != PLAIN_SIZE ||
		read_u16(data + CIPHER_ZERO_OFFSET) != 0)
		return ESG_SECRET_UNKNOWN_PARAMETERS;
	return ESG_SECRET_OK;
}

EsgSecretResult
esg_secret_format_check_random(const unsigned char *data, size_t len)
{
	static const unsigned char zeros[ID_OFFSET - RANDOM_ZERO_OFFSET];
	EsgSecretResult result;

	result = check_frame(data, len, RANDOM_MAGIC, ESG_RANDOM_FILE_SIZE, RANDOM_SUM_OFFSET);
	if (result != ESG_SECRET_OK)
		return result;
	if (data[KEY_SIZE_OFFSET] != ESG_SECRET_KEY_SIZE ||
		memcmp(data + RANDOM_ZERO_OFFSET, zeros, sizeof(zeros)) != 0)
		return ESG_SECRET_UNKNOWN_PARAMETERS;
	return ESG_SECRET_OK;
}

EsgSecretResult
esg_secret_format_check_pair(const unsigned char *cipher, size_t cipher_len,
							 const unsigned char *random, size_t random_len)
{
	EsgSecretResult result;

	result = esg_secret_format_check_cipher(cipher, cipher_len);
	if (result == ESG_SECRET_OK)
		result = esg_secret_format_check_random(random, random_len);
	if (result == ESG_SECRET_OK &&
		memcmp(cipher + ID_OFFSET, random + ID_OFFSET, ESG_SECRET_ID_SIZE) != 0)
		result = ESG_SECRET_NOT_A_PAIR;
	return result;
}

EsgSecretResult
esg_secret_format_check_passphrase(const char *text, size_t len)
{
	if (len == 0)
		return ESG_SECRET_NO_PASSPHRASE;
	if (len > ESG_MAX_PASSPHRASE)
		return ESG_SECRET_TOO_LONG;
	if (memchr(text, '\0', len) || memchr(text, '\n', len) || memchr(text, '\r', len))
		return ESG_SECRET_BAD_CHARACTER;
	return ESG_SECRET_OK;
}

/* HKDF-SHA256 (RFC 5869) of the random bytes with the .cipher file's salt. */
static int
derive_key(const unsigned char *secret, const unsigned char *salt,
		   unsigned char key[ESG_SECRET_KEY_SIZE])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	size_t		len = ESG_SECRET_KEY_SIZE;
	int			good;

	good = ctx &&
		EVP_PKEY_derive_init(ctx) > 0 &&
		EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) > 0 &&
		EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt, ESG_SECRET_SALT_SIZE) > 0 &&
		EVP_PKEY_CTX_set1_hkdf_key(ctx, secret, ESG_SECRET_KEY_SIZE) > 0 &&
		EVP_PKEY_CTX_add1_hkdf_info(ctx, (const unsigned char *) kdf_info,
									sizeof(kdf_info) - 1) > 0 &&
		EVP_PKEY_derive(ctx, key, &len) > 0 &&
		len == ESG_SECRET_KEY_SIZE;
	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* Encrypts plain into the body of cipher, whose header is complete. */
static int
seal_body(unsigned char *cipher, const unsigned char *key, const unsigned char *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int			n = 0;
	int			good;

	good = ctx &&
		EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, cipher + NONCE_OFFSET) == 1 &&
		EVP_EncryptUpdate(ctx, NULL, &n, cipher, BODY_OFFSET) == 1 &&
		EVP_EncryptUpdate(ctx, cipher + BODY_OFFSET, &n, plain, PLAIN_SIZE) == 1 &&
		n == PLAIN_SIZE &&
		EVP_EncryptFinal_ex(ctx, cipher + TAG_OFFSET, &n) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, cipher + TAG_OFFSET) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

/* Decrypts the body of cipher; plain is not to be trusted unless the result is OK. */
static EsgSecretResult
open_body(const unsigned char *cipher, const unsigned char *key, unsigned char *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char tag[TAG_SIZE];
	unsigned char rest[TAG_SIZE];
	int			n = 0;
	EsgSecretResult result = ESG_SECRET_CRYPTO_FAILED;

	memcpy(tag, cipher + TAG_OFFSET, TAG_SIZE);
	if (ctx &&
		EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, cipher + NONCE_OFFSET) == 1 &&
		EVP_DecryptUpdate(ctx, NULL, &n, cipher, BODY_OFFSET) == 1 &&
		EVP_DecryptUpdate(ctx, plain, &n, cipher + BODY_OFFSET, PLAIN_SIZE) == 1 &&
		n == PLAIN_SIZE &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1)
		result = EVP_DecryptFinal_ex(ctx, rest, &n) == 1 ?
			ESG_SECRET_OK : ESG_SECRET_NOT_AUTHENTIC;
	EVP_CIPHER_CTX_free(ctx);
	return result;
}

/* Takes the passphrase out of an authentic plaintext. */
static EsgSecretResult
unpack_plain(const unsigned char *plain, EsgPassphrase *out)
{
	size_t		len = read_u16(plain);
	EsgSecretResult result;

	result = esg_secret_format_check_passphrase((const char *) plain + PLAIN_TEXT_OFFSET, len);
	if (result != ESG_SECRET_OK)
		return result;
	memcpy(out->secret, plain + PLAIN_TEXT_OFFSET, len);
	out->len = len;
	return ESG_SECRET_OK;
}

EsgSecretResult
esg_secret_format_decrypt(const unsigned char *cipher, size_t cipher_len,
						  const unsigned char *random, size_t random_len,
						  EsgPassphrase *out)
{
	unsigned char key[ESG_SECRET_KEY_SIZE];
	unsigned char plain[PLAIN_SIZE];
	EsgSecretResult result;

	memset(out, 0, sizeof(*out));
	result = esg_secret_format_check_pair(cipher, cipher_len, random, random_len);
	if (result != ESG_SECRET_OK)
		return result;
	if (derive_key(random + KEY_OFFSET, cipher + SALT_OFFSET, key))
		result = open_body(cipher, key, plain);
	else
		result = ESG_SECRET_CRYPTO_FAILED;
	if (result == ESG_SECRET_OK)
		result = unpack_plain(plain, out);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(plain, sizeof(plain));
	ERR_clear_error();
	return result;
}

/*
 * memcpy() of a fixed size is inlined, and gcc was seen to keep the bytes in
 * registers over a later call and so to leave them on the stack, where nothing
 * wipes them.  Hence a call.
 */
__attribute__((noinline))
static void
copy_secret(unsigned char *to, const unsigned char *from, size_t len)
{
	memcpy(to, from, len);
}

/* Everything of the .cipher file that is not secret and not computed. */
static void
write_cipher_header(unsigned char *cipher, const EsgSecretSeed *seed)
{
	memset(cipher, 0, ESG_CIPHER_FILE_SIZE);
	memcpy(cipher, CIPHER_MAGIC, MAGIC_SIZE);
	write_u16(cipher + VERSION_OFFSET, ESG_SECRET_VERSION);
	cipher[KDF_OFFSET] = KDF_HKDF_SHA256;
	cipher[ALGORITHM_OFFSET] = ALGORITHM_AES_256_GCM;
	write_u16(cipher + PLAIN_SIZE_OFFSET, PLAIN_SIZE);
	memcpy(cipher + ID_OFFSET, seed->id, sizeof(seed->id));
	memcpy(cipher + SALT_OFFSET, seed->salt, sizeof(seed->salt));
	memcpy(cipher + NONCE_OFFSET, seed->nonce, sizeof(seed->nonce));
}

static int
write_random(unsigned char *random, const EsgSecretSeed *seed)
{
	memset(random, 0, ESG_RANDOM_FILE_SIZE);
	memcpy(random, RANDOM_MAGIC, MAGIC_SIZE);
	write_u16(random + VERSION_OFFSET, ESG_SECRET_VERSION);
	random[KEY_SIZE_OFFSET] = ESG_SECRET_KEY_SIZE;
	memcpy(random + ID_OFFSET, seed->id, sizeof(seed->id));
	copy_secret(random + KEY_OFFSET, seed->key, sizeof(seed->key));
	return write_checksum(random, RANDOM_SUM_OFFSET);
}

EsgSecretResult
esg_secret_format_encrypt_seeded(const char *text, size_t len, const EsgSecretSeed *seed,
								 unsigned char cipher[ESG_CIPHER_FILE_SIZE],
								 unsigned char random[ESG_RANDOM_FILE_SIZE])
{
	unsigned char key[ESG_SECRET_KEY_SIZE];
	unsigned char plain[PLAIN_SIZE];
	EsgSecretResult result = esg_secret_format_check_passphrase(text, len);

	if (result != ESG_SECRET_OK)
		return result;
	memset(plain, 0, sizeof(plain));
	write_u16(plain, (unsigned) len);
	memcpy(plain + PLAIN_TEXT_OFFSET, text, len);
	write_cipher_header(cipher, seed);
	if (!derive_key(seed->key, seed->salt, key) ||
		!seal_body(cipher, key, plain) ||
		!write_checksum(cipher, CIPHER_SUM_OFFSET) ||
		!write_random(random, seed))
	{
		result = ESG_SECRET_CRYPTO_FAILED;
		OPENSSL_cleanse(cipher, ESG_CIPHER_FILE_SIZE);
		OPENSSL_cleanse(random, ESG_RANDOM_FILE_SIZE);
	}
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(plain, sizeof(plain));
	ERR_clear_error();
	return result;
}

EsgSecretResult
esg_secret_format_encrypt(const char *text, size_t len,
						  unsigned char cipher[ESG_CIPHER_FILE_SIZE],
						  unsigned char random[ESG_RANDOM_FILE_SIZE])
{
	EsgSecretSeed seed;
	EsgSecretResult result = ESG_SECRET_CRYPTO_FAILED;

	if (RAND_bytes(seed.id, sizeof(seed.id)) == 1 &&
		RAND_bytes(seed.salt, sizeof(seed.salt)) == 1 &&
		RAND_bytes(seed.nonce, sizeof(seed.nonce)) == 1 &&
		RAND_priv_bytes(seed.key, sizeof(seed.key)) == 1)
		result = esg_secret_format_encrypt_seeded(text, len, &seed, cipher, random);
	OPENSSL_cleanse(&seed, sizeof(seed));
	ERR_clear_error();
	return result;
}

void
esg_secret_format_wipe(EsgPassphrase *passphrase)
{
	OPENSSL_cleanse(passphrase, sizeof(*passphrase));
}

const char *
esg_secret_format_reason(EsgSecretResult result)
{
	switch (result)
	{
		case ESG_SECRET_OK:
			return "no fault";
		case ESG_SECRET_WRONG_TYPE:
			return "not a file of this kind";
		case ESG_SECRET_UNKNOWN_VERSION:
			return "unknown format version";
		case ESG_SECRET_TRUNCATED:
			return "truncated";
		case ESG_SECRET_TRAILING:
			return "bytes after the end";
		case ESG_SECRET_DAMAGED:
			return "damaged, wrong checksum";
		case ESG_SECRET_UNKNOWN_PARAMETERS:
			return "unknown parameters";
		case ESG_SECRET_NOT_A_PAIR:
			return "the two files are not a pair";
		case ESG_SECRET_NOT_AUTHENTIC:
			return "authentication failed";
		case ESG_SECRET_NO_PASSPHRASE:
			return "empty passphrase";
		case ESG_SECRET_TOO_LONG:
			return "passphrase longer than 1023 bytes";
		case ESG_SECRET_BAD_CHARACTER:
			return "passphrase with a zero byte or a line end";
		case ESG_SECRET_CRYPTO_FAILED:
			return "OpenSSL failed or had no memory";
	}
	return "unknown fault";
}

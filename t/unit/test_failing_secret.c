/* sources: secret/format secret/pair x509/rsa_faults */
/*
 * test_failing_secret.c
 *		The passphrase pair, and the faults of RSA moduli, where OpenSSL or the system fails: nothing is made
 *		that looks like a pair, no passphrase is given out, and no modulus is called good.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "failing.h"
#include "secret/format.h"
#include "secret/pair.h"
#include "x509/rsa_faults.h"

#define PASSPHRASE "open sesame"

static unsigned char cipher[ESG_CIPHER_FILE_SIZE];
static unsigned char secret[ESG_RANDOM_FILE_SIZE];
static char directory[] = "/tmp/esg_failing.XXXXXX";

static bool
is_zero(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	while (len > 0 && *p == 0)
	{
		p++;
		len--;
	}
	return len == 0;
}

static bool
is_passphrase(const EsgPassphrase *out)
{
	return out->len == strlen(PASSPHRASE) && strcmp(out->secret, PASSPHRASE) == 0;
}

static Outcome
encrypt(void)
{
	unsigned char made[ESG_CIPHER_FILE_SIZE];
	unsigned char random[ESG_RANDOM_FILE_SIZE];
	EsgPassphrase out;

	memset(made, 0, sizeof(made));
	memset(random, 0, sizeof(random));
	switch (esg_secret_format_encrypt(PASSPHRASE, strlen(PASSPHRASE), made, random))
	{
		case ESG_SECRET_OK:
			failing_countdown += failing_countdown >= 0 ? 1000 : 0;
			return esg_secret_format_decrypt(made, sizeof(made), random, sizeof(random), &out) == ESG_SECRET_OK &&
				is_passphrase(&out) ? RIGHT : WRONG;
		case ESG_SECRET_CRYPTO_FAILED:
			return is_zero(made, sizeof(made)) && is_zero(random, sizeof(random)) ? TOLD : WRONG;
		default:
			return WRONG;
	}
}

static Outcome
decrypt(void)
{
	EsgPassphrase out;

	switch (esg_secret_format_decrypt(cipher, sizeof(cipher), secret, sizeof(secret), &out))
	{
		case ESG_SECRET_OK:
			return is_passphrase(&out) ? RIGHT : WRONG;
		case ESG_SECRET_CRYPTO_FAILED:
		case ESG_SECRET_NOT_AUTHENTIC:	/* of what comes last OpenSSL says no more */
			return is_zero(&out, sizeof(out)) ? TOLD : WRONG;
		default:
			return WRONG;
	}
}

static Outcome
read_pair(void)
{
	const EsgKeyRule rule = {.user = geteuid(), .max_mode = 0600};
	EsgPassphrase out;
	EsgPairStatus status;

	if (esg_secret_pair_read(directory, "server.key", &rule, &out, &status))
		return is_passphrase(&out) ? RIGHT : WRONG;
	return status.fault != ESG_PAIR_OK && is_zero(&out, sizeof(out)) ? TOLD : WRONG;
}

/* A pair that cannot be looked at is not one that is not there. */
static Outcome
look_for_pair(void)
{
	return esg_secret_pair_exists(directory, "server.key") ? RIGHT : WRONG;
}

/* One that cannot be seen is not known to be there. */
static Outcome
look_for_leftover(void)
{
	return esg_secret_pair_is_leftover(directory, "server.key", ESG_RANDOM_SUFFIX) ? RIGHT : TOLD;
}

static void
write_file(const char *suffix, const unsigned char *data, size_t len)
{
	char		path[200];
	int			fd;

	snprintf(path, sizeof(path), "%s/server.key%s", directory, suffix);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ok(write(fd, data, len) == (ssize_t) len, "%s is written", suffix);
	close(fd);
}

static void
remove_pair(void)
{
	static const char *const suffixes[] = {ESG_CIPHER_SUFFIX, ESG_RANDOM_SUFFIX};
	char		path[200];
	size_t		i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
	{
		snprintf(path, sizeof(path), "%s/server.key%s", directory, suffixes[i]);
		unlink(path);
	}
	rmdir(directory);
}

static void
test_pair(void)
{
	static const int errors[] = {EIO, EINTR, ENOENT, ENXIO, ENODEV, EACCES};
	size_t		i;

	is_int(esg_secret_format_encrypt(PASSPHRASE, strlen(PASSPHRASE), cipher, secret), ESG_SECRET_OK, "a pair");
	ok(fail_each("encrypting", encrypt) > 5, "it is told");
	ok(fail_each("decrypting", decrypt) > 5, "it is told");
	if (mkdtemp(directory) == NULL)
		return (void) ok(0, "a directory");
	write_file(ESG_CIPHER_SUFFIX, cipher, sizeof(cipher));
	write_file(ESG_RANDOM_SUFFIX, secret, sizeof(secret));
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
	{
		failing_errno = errors[i];
		ok(fail_each(strerror(errors[i]), read_pair) > 10, "it is told");
	}
	failing_errno = EACCES;
	fail_each("is there one?", look_for_pair);
	fail_each("is there a leftover?", look_for_leftover);
	remove_pair();
}

/* ---- RSA moduli ---- */

static unsigned char modulus[256];
static size_t modulus_len;
static unsigned faults;

static Outcome
find_faults(void)
{
	unsigned	found = esg_rsa_faults_find(modulus, modulus_len);

	if (found == faults)
		return RIGHT;
	return (found & ESG_RSA_FAULTS_UNKNOWN) != 0 ? TOLD : WRONG;
}

static int
is_prime(const BIGNUM *n, BN_CTX *ctx)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	return BN_check_prime(n, ctx, NULL);
#else
	return BN_is_prime_ex(n, BN_prime_checks, ctx, NULL);
#endif
}

/* p, and another prime that is so far away; 0: the same */
static void
test_modulus(const char *name, int bits, BN_ULONG distance, unsigned want)
{
	BN_CTX	   *ctx = BN_CTX_new();
	BIGNUM	   *p = BN_new();
	BIGNUM	   *n = BN_new();

	BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL);
	BN_copy(n, p);
	BN_add_word(n, distance);
	while (distance > 0 && !is_prime(n, ctx))
		BN_add_word(n, 2);
	BN_mul(n, n, p, ctx);
	modulus_len = (size_t) BN_bn2bin(n, modulus);
	faults = want;
	is_int(esg_rsa_faults_find(modulus, modulus_len), want, name);
	ok(fail_each(name, find_faults) > 5, "it is told");
	BN_free(n);
	BN_free(p);
	BN_CTX_free(ctx);
}

int
main(void)
{
	test_pair();
	test_modulus("a square", 512, 0, ESG_RSA_SQUARE);
	test_modulus("close primes", 512, 2, ESG_RSA_CLOSE_PRIMES);
	test_modulus("close primes that are short", 40, 2, ESG_RSA_CLOSE_PRIMES);
	return done();
}

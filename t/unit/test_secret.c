/* sources: secret/format secret/pair */
/*
 * test_secret.c
 *		The passphrase pair: its format byte by byte, and how it is read.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "esg_test.h"
#include "secret/format.h"
#include "secret/pair.h"

/* offsets of docs/passphrase.md, written down a second time */
#define CIPHER_SUM 1118
#define RANDOM_SUM 64

typedef struct Pair
{
	unsigned char cipher[ESG_CIPHER_FILE_SIZE + 1];
	unsigned char random[ESG_RANDOM_FILE_SIZE + 1];
} Pair;

/* what HKDF makes of the seed of docs/passphrase.md, computed elsewhere */
static const unsigned char vector_key[32 + 1] =
"\xfd\xc2\x4b\x2a\x65\x83\xb0\x11\xa8\x96\xb4\xb3\x12\x1b\x52\x37"
"\x0a\xfc\xc2\x41\x01\x72\xa1\xac\x8e\x7f\x35\x1c\x02\x6d\xb5\x8f";

static const char vector_passphrase[] = "Sesam, \xc3\xb6" "ffne dich!";

static Pair
make_pair(const char *passphrase)
{
	Pair		pair;

	memset(&pair, 0, sizeof(pair));
	if (esg_secret_format_encrypt(passphrase, strlen(passphrase), pair.cipher, pair.random) != ESG_SECRET_OK)
	{
		puts("Bail out! cannot encrypt");
		exit(1);
	}
	return pair;
}

static EsgSecretResult
open_pair(const Pair *pair, EsgPassphrase *out)
{
	return esg_secret_format_decrypt(pair->cipher, ESG_CIPHER_FILE_SIZE,
								   pair->random, ESG_RANDOM_FILE_SIZE, out);
}

static void
mend_checksums(Pair *pair)
{
	SHA256(pair->cipher, CIPHER_SUM, pair->cipher + CIPHER_SUM);
	SHA256(pair->random, RANDOM_SUM, pair->random + RANDOM_SUM);
}

static int
is_wiped(const EsgPassphrase *passphrase)
{
	static const EsgPassphrase zero;

	return memcmp(passphrase, &zero, sizeof(zero)) == 0;
}

static void
test_passphrases(void)
{
	static char longest[ESG_MAX_PASSPHRASE + 1];
	static const struct
	{
		const char *text;
		size_t		len;
		EsgSecretResult want;
		const char *name;
	}			cases[] =
	{
		{"x", 1, ESG_SECRET_OK, "one byte"},
		{longest, ESG_MAX_PASSPHRASE, ESG_SECRET_OK, "1023 bytes"},
		{longest, ESG_MAX_PASSPHRASE + 1, ESG_SECRET_TOO_LONG, "1024 bytes"},
		{"", 0, ESG_SECRET_NO_PASSPHRASE, "none"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91", 9, ESG_SECRET_OK, "UTF-8"},
		{"\xe4\xff\x01 \t", 5, ESG_SECRET_OK, "bytes that are no UTF-8, control characters, space at the end"},
		{"a\0b", 3, ESG_SECRET_BAD_CHARACTER, "zero byte"},
		{"a\nb", 3, ESG_SECRET_BAD_CHARACTER, "line feed"},
		{"a\rb", 3, ESG_SECRET_BAD_CHARACTER, "carriage return"}
	};
	size_t		i;

	memset(longest, 'p', sizeof(longest));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Pair		pair;
		EsgPassphrase out;
		EsgSecretResult result;

		memset(&pair, 0, sizeof(pair));
		result = esg_secret_format_encrypt(cases[i].text, cases[i].len, pair.cipher, pair.random);
		is_int(result, cases[i].want, cases[i].name);
		if (result != ESG_SECRET_OK)
			continue;
		result = open_pair(&pair, &out);
		ok(result == ESG_SECRET_OK && out.len == cases[i].len &&
		   memcmp(out.secret, cases[i].text, out.len) == 0 && out.secret[out.len] == '\0',
		   "%s: comes back", cases[i].name);
	}
}

/* Two encryptions of one passphrase share nothing but the format. */
static void
test_randomness(void)
{
	Pair		a = make_pair("same");
	Pair		b = make_pair("same");
	EsgPassphrase out;
	Pair		mixed = a;

	ok(memcmp(a.cipher + 16, b.cipher + 16, 16) != 0, "pair ids differ");
	ok(memcmp(a.cipher + 32, b.cipher + 32, 32) != 0, "salts differ");
	ok(memcmp(a.cipher + 64, b.cipher + 64, 12) != 0, "nonces differ");
	ok(memcmp(a.random + 32, b.random + 32, 32) != 0, "random bytes differ");
	ok(memcmp(a.cipher + 16, a.random + 16, 16) == 0, "the files of a pair have one id");
	memcpy(mixed.random, b.random, sizeof(b.random));
	is_int(open_pair(&mixed, &out), ESG_SECRET_NOT_A_PAIR, "halves of two pairs");
	ok(is_wiped(&out), "nothing comes out of them");
	/* made to look like a pair */
	memcpy(mixed.random + 16, a.random + 16, 16);
	mend_checksums(&mixed);
	is_int(open_pair(&mixed, &out), ESG_SECRET_NOT_AUTHENTIC, "with one id, still not");
	ok(is_wiped(&out), "and nothing comes out");
	is_int(esg_secret_format_decrypt(a.random, ESG_RANDOM_FILE_SIZE, a.cipher, ESG_CIPHER_FILE_SIZE, &out),
		   ESG_SECRET_WRONG_TYPE, "the two files in each other's place");
}

/* What a changed byte at an offset leads to when the checksum is mended, too. */
static EsgSecretResult
expect_mended(int in_random, size_t offset)
{
	if (offset < 8)
		return ESG_SECRET_WRONG_TYPE;
	if (offset < 10)
		return ESG_SECRET_UNKNOWN_VERSION;
	if (offset < 16)
		return ESG_SECRET_UNKNOWN_PARAMETERS;
	if (offset < 32)
		return ESG_SECRET_NOT_A_PAIR;
	if (offset < (in_random ? RANDOM_SUM : CIPHER_SUM))
		return ESG_SECRET_NOT_AUTHENTIC;
	return ESG_SECRET_OK;		/* was itself mended */
}

static EsgSecretResult
expect_damaged(size_t offset)
{
	if (offset < 8)
		return ESG_SECRET_WRONG_TYPE;
	return offset < 10 ? ESG_SECRET_UNKNOWN_VERSION : ESG_SECRET_DAMAGED;
}

static void
test_flips(int in_random)
{
	Pair		pair = make_pair("flip");
	size_t		size = in_random ? ESG_RANDOM_FILE_SIZE : ESG_CIPHER_FILE_SIZE;
	size_t		offset;
	int			bad = 0;
	int			bad_mended = 0;
	int			unclean = 0;

	for (offset = 0; offset < size; offset++)
	{
		int			bit;

		for (bit = 0; bit < 8; bit++)
		{
			Pair		copy = pair;
			EsgPassphrase out;
			EsgSecretResult want = expect_mended(in_random, offset);

			(in_random ? copy.random : copy.cipher)[offset] ^= (unsigned char) (1 << bit);
			bad += open_pair(&copy, &out) != expect_damaged(offset);
			unclean += !is_wiped(&out);
			mend_checksums(&copy);
			bad_mended += open_pair(&copy, &out) != want;
			unclean += want != ESG_SECRET_OK && !is_wiped(&out);
		}
	}
	is_int(bad, 0, in_random ? "each bit of .rand flipped" : "each bit of .cipher flipped");
	is_int(bad_mended, 0, "the same with mended checksums");
	is_int(unclean, 0, "nothing comes out");
	is_int((long long) ERR_peek_error(), 0, "OpenSSL's error queue is empty");
}

static void
test_lengths(void)
{
	Pair		pair = make_pair("length");
	size_t		len;
	int			bad = 0;

	for (len = 0; len < ESG_CIPHER_FILE_SIZE; len++)
		bad += esg_secret_format_check_cipher(pair.cipher, len) != ESG_SECRET_TRUNCATED;
	is_int(bad, 0, "every shorter .cipher is truncated");
	for (len = 0; len < ESG_RANDOM_FILE_SIZE; len++)
		bad += esg_secret_format_check_random(pair.random, len) != ESG_SECRET_TRUNCATED;
	is_int(bad, 0, "every shorter .rand is truncated");
	is_int(esg_secret_format_check_cipher(pair.cipher, ESG_CIPHER_FILE_SIZE), ESG_SECRET_OK, ".cipher");
	is_int(esg_secret_format_check_random(pair.random, ESG_RANDOM_FILE_SIZE), ESG_SECRET_OK, ".rand");
	is_int(esg_secret_format_check_cipher(pair.cipher, ESG_CIPHER_FILE_SIZE + 1),
		   ESG_SECRET_TRAILING, ".cipher with a byte more");
	is_int(esg_secret_format_check_random(pair.random, ESG_RANDOM_FILE_SIZE + 1),
		   ESG_SECRET_TRAILING, ".rand with a byte more");
}

/* The seed of docs/passphrase.md. */
static EsgSecretSeed
vector_seed(void)
{
	EsgSecretSeed seed;
	size_t		i;

	for (i = 0; i < sizeof(seed.id); i++)
		seed.id[i] = (unsigned char) i;
	for (i = 0; i < sizeof(seed.salt); i++)
		seed.salt[i] = (unsigned char) (0x20 + i);
	for (i = 0; i < sizeof(seed.nonce); i++)
		seed.nonce[i] = (unsigned char) (0x40 + i);
	for (i = 0; i < sizeof(seed.key); i++)
		seed.key[i] = (unsigned char) (0x80 + i);
	return seed;
}

/* Puts another plaintext into the pair of the test vector, all in order. */
static void
seal(Pair *pair, const unsigned char *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int			n;

	if (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, vector_key, pair->cipher + 64) != 1 ||
		EVP_EncryptUpdate(ctx, NULL, &n, pair->cipher, 76) != 1 ||
		EVP_EncryptUpdate(ctx, pair->cipher + 76, &n, plain, 1026) != 1 ||
		EVP_EncryptFinal_ex(ctx, pair->cipher + 1102, &n) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, pair->cipher + 1102) != 1)
	{
		puts("Bail out! cannot seal");
		exit(1);
	}
	EVP_CIPHER_CTX_free(ctx);
	mend_checksums(pair);
}

/* A writer with the key, but without our care. */
static void
test_plaintexts(void)
{
	static const struct
	{
		const char *start;		/* length and first bytes */
		EsgSecretResult want;
		const char *name;
	}			cases[] =
	{
		{"\0\003abc", ESG_SECRET_OK, "good plaintext"},
		{"\0\0abc", ESG_SECRET_NO_PASSPHRASE, "plaintext of length 0"},
		{"\004\0abc", ESG_SECRET_TOO_LONG, "plaintext of length 1024"},
		{"\377\377abc", ESG_SECRET_TOO_LONG, "plaintext of length 65535"},
		{"\0\004abc", ESG_SECRET_BAD_CHARACTER, "plaintext that ends before its length"},
		{"\0\003a\nc", ESG_SECRET_BAD_CHARACTER, "plaintext with a line end"}
	};
	EsgSecretSeed seed = vector_seed();
	Pair		pair;
	EsgPassphrase out;
	size_t		i;

	memset(&pair, 0, sizeof(pair));
	esg_secret_format_encrypt_seeded("x", 1, &seed, pair.cipher, pair.random);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		unsigned char plain[1026] = {0};

		memcpy(plain, cases[i].start, 5);
		seal(&pair, plain);
		is_int(open_pair(&pair, &out), cases[i].want, cases[i].name);
		ok(cases[i].want == ESG_SECRET_OK ? out.len == 3 : is_wiped(&out), "%s: output", cases[i].name);
	}
}

static void
make_hex(const unsigned char *data, size_t len, char *out)
{
	size_t		i;

	for (i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
}

/* the text of docs/passphrase.md, or NULL if it is not to be found */
static char *
read_manual(void)
{
	static char text[65536];
	const char *source = getenv("SRC");
	char		path[4096];
	FILE	   *file;
	size_t		len;

	snprintf(path, sizeof(path), "%s/docs/passphrase.md", source ? source : ".");
	file = fopen(path, "r");
	if (!file)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

static void
test_vector(void)
{
	EsgSecretSeed seed = vector_seed();
	Pair		pair;
	EsgPassphrase out;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char		header[2 * 76 + 1];
	char		body[2 * 16 + 1];
	char		tag[2 * 16 + 1];
	char		sum[2 * 32 + 1];
	char		random[2 * ESG_RANDOM_FILE_SIZE + 1];
	char	   *manual = read_manual();

	memset(&pair, 0, sizeof(pair));
	is_int(esg_secret_format_encrypt_seeded(vector_passphrase, strlen(vector_passphrase), &seed,
										  pair.cipher, pair.random),
		   ESG_SECRET_OK, "test vector: made");
	is_int(open_pair(&pair, &out), ESG_SECRET_OK, "test vector: opened");
	is_text(out.secret, vector_passphrase, "test vector: passphrase");
	make_hex(pair.cipher, 76, header);
	make_hex(pair.cipher + 76, 16, body);
	make_hex(pair.cipher + 1102, 16, tag);
	SHA256(pair.cipher, ESG_CIPHER_FILE_SIZE, digest);
	make_hex(digest, 32, sum);
	make_hex(pair.random, ESG_RANDOM_FILE_SIZE, random);
	is_text(body, "9056fc1ea6ad787e0ae01a3a5372159f", "test vector: start of the ciphertext");
	is_text(tag, "2b1a2a4bf6001e7afcb081a181f17ff6", "test vector: tag");
	is_text(sum, "dd2482b35a52e0bd646001c3880f699f94886cffed3515e68c502885b0f62977", "test vector: SHA-256 of the .cipher file");
	printf("# header %s\n# random %s\n", header, random);
	if (!manual)
		printf("ok %d # skip docs/passphrase.md not found\n", ++esg_test_run);
	else
		ok(strstr(manual, header) && strstr(manual, body) && strstr(manual, tag) &&
		   strstr(manual, sum) && strstr(manual, random),
		   "test vector: as in docs/passphrase.md");
}

static void
test_reasons(void)
{
	int			result;
	int			other;
	int			same = 0;

	for (result = ESG_SECRET_OK; result <= ESG_SECRET_CRYPTO_FAILED; result++)
		for (other = result + 1; other <= ESG_SECRET_CRYPTO_FAILED + 1; other++)
			same += strcmp(esg_secret_format_reason(result), esg_secret_format_reason(other)) == 0;
	is_int(same, 0, "every result has a reason of its own");
}

static void
test_faults(void)
{
	char		reasons[ESG_PAIR_PATH_TOO_LONG + 1][ESG_PAIR_REASON_SIZE];
	EsgPairStatus status;
	int			fault;
	int			other;
	int			same = 0;

	memset(&status, 0, sizeof(status));
	status.error = EIO;
	status.content = ESG_SECRET_DAMAGED;
	for (fault = ESG_PAIR_OK; fault <= ESG_PAIR_PATH_TOO_LONG; fault++)
	{
		status.fault = fault;
		esg_secret_pair_reason(&status, reasons[fault], sizeof(reasons[fault]));
		for (other = 0; other < fault; other++)
			same += strcmp(reasons[fault], reasons[other]) == 0;
	}
	is_int(same, 0, "every fault of a file has a reason of its own");
	is_text(reasons[ESG_PAIR_BAD_CONTENT], esg_secret_format_reason(ESG_SECRET_DAMAGED),
			"that of bad content is the content's");
	ok(strstr(reasons[ESG_PAIR_UNREADABLE], strerror(EIO)) != NULL, "that of an unreadable file is errno's");
}

static void
test_modes(void)
{
	static const struct
	{
		uid_t		owner;
		unsigned	mode;
		uid_t		user;
		EsgPairFault want;
		unsigned	max_mode;	/* 0: no setting */
	}			cases[] =
	{
		{26, 0400, 26, ESG_PAIR_OK},
		{26, 0600, 26, ESG_PAIR_OK},
		{26, 0440, 26, ESG_PAIR_TOO_OPEN},
		{26, 0620, 26, ESG_PAIR_TOO_OPEN},
		{26, 0604, 26, ESG_PAIR_TOO_OPEN},
		{26, 0401, 26, ESG_PAIR_TOO_OPEN},
		{0, 0400, 26, ESG_PAIR_OK},
		{0, 0440, 26, ESG_PAIR_OK},
		{0, 0640, 26, ESG_PAIR_OK},
		{0, 0660, 26, ESG_PAIR_TOO_OPEN},
		{0, 0650, 26, ESG_PAIR_TOO_OPEN},
		{0, 0644, 26, ESG_PAIR_TOO_OPEN},
		{0, 0440, 0, ESG_PAIR_TOO_OPEN},
		{0, 0400, 0, ESG_PAIR_OK},
		{27, 0400, 26, ESG_PAIR_WRONG_OWNER},
		{27, 0400, 0, ESG_PAIR_WRONG_OWNER},
		/* max_key_file_mode */
		{26, 0400, 26, ESG_PAIR_OK, 0400},
		{26, 0600, 26, ESG_PAIR_TOO_OPEN, 0400},
		{0, 0440, 26, ESG_PAIR_TOO_OPEN, 0400},
		{0, 0400, 26, ESG_PAIR_OK, 0400},
		{26, 0600, 26, ESG_PAIR_OK, 0600},
		{0, 0640, 26, ESG_PAIR_OK, 0600},
		{26, 0640, 26, ESG_PAIR_TOO_OPEN, 0640},
		{0, 0644, 26, ESG_PAIR_TOO_OPEN, 0644}
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgKeyRule	rule = {cases[i].user, cases[i].max_mode ? cases[i].max_mode : ESG_KEY_MODE_ANY};

		ok(esg_secret_pair_check_mode(cases[i].owner, S_IFREG | cases[i].mode, &rule) == cases[i].want,
		   "mode %04o of user %u for user %u, at most %04o", cases[i].mode,
		   (unsigned) cases[i].owner, (unsigned) cases[i].user, rule.max_mode);
	}
}

/* The directory of the tests that follow, and what they do there. */
static char directory[] = "/tmp/esg_secret_XXXXXX";

static const char *
in_directory(const char *name)
{
	static char path[4][256];
	static int	next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", directory, name);
	return path[next];
}

static void
put(const char *name, const unsigned char *data, size_t len, mode_t mode)
{
	const char *path = in_directory(name);
	int			fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, data, len) != (ssize_t) len || fchmod(fd, mode) != 0)
	{
		printf("Bail out! cannot write %s\n", path);
		exit(1);
	}
	close(fd);
}

static void
put_pair(const Pair *pair)
{
	put("server.key.cipher", pair->cipher, ESG_CIPHER_FILE_SIZE, 0400);
	put("server.key.rand", pair->random, ESG_RANDOM_FILE_SIZE, 0400);
}

static void
take(const char *name)
{
	unlink(in_directory(name));
}

static unsigned max_mode = ESG_KEY_MODE_ANY;

/* Reads the pair; the text is the passphrase, or "fault/content file" */
static const char *
read_it(EsgPairStatus *status)
{
	static char text[ESG_MAX_PASSPHRASE + 1];
	EsgPassphrase out;
	EsgKeyRule	rule = {geteuid(), max_mode};
	const char *slash;

	if (esg_secret_pair_read(directory, "server.key", &rule, &out, status))
	{
		memcpy(text, out.secret, sizeof(text));
		return text;
	}
	slash = strrchr(status->path, '/');
	snprintf(text, sizeof(text), "%d/%d %s%s", status->fault, status->content,
			 slash ? slash + 1 : "", is_wiped(&out) ? "" : " not wiped");
	return text;
}

static void
is_read(const char *want, const char *name)
{
	EsgPairStatus status;

	is_text(read_it(&status), want, name);
}

static void
is_fault(EsgPairFault fault, EsgSecretResult content, const char *file, const char *name)
{
	char		want[128];

	snprintf(want, sizeof(want), "%d/%d %s", fault, content, file);
	is_read(want, name);
}

static void
test_missing(const Pair *pair)
{
	Pair		forged = *pair;

	ok(!esg_secret_pair_exists(directory, "server.key"), "no pair");
	is_fault(ESG_PAIR_MISSING, 0, "server.key.cipher", "reading no pair");
	put("server.key.rand", pair->random, ESG_RANDOM_FILE_SIZE, 0400);
	ok(esg_secret_pair_exists(directory, "server.key"), "half a pair: .rand");
	is_fault(ESG_PAIR_MISSING, 0, "server.key.cipher", "reading half a pair: .rand");
	take("server.key.rand");
	put("server.key.cipher", pair->cipher, ESG_CIPHER_FILE_SIZE, 0400);
	ok(esg_secret_pair_exists(directory, "server.key"), "half a pair: .cipher");
	is_fault(ESG_PAIR_MISSING, 0, "server.key.rand", "reading half a pair: .cipher");
	put_pair(pair);
	ok(esg_secret_pair_exists(directory, "server.key"), "a pair");
	is_read("first", "reading a pair");
	ok(!esg_secret_pair_exists(directory, "client.key"), "of another key there is none");
	put("server.key.rand", pair->random, ESG_RANDOM_FILE_SIZE - 1, 0400);
	is_fault(ESG_PAIR_BAD_CONTENT, ESG_SECRET_TRUNCATED, "server.key.rand", "short .rand");
	put_pair(pair);
	put("server.key.cipher", pair->cipher, ESG_CIPHER_FILE_SIZE + 1, 0400);
	is_fault(ESG_PAIR_BAD_CONTENT, ESG_SECRET_TRAILING, "server.key.cipher", "long .cipher");
	put("server.key.cipher", pair->cipher, 0, 0400);
	is_fault(ESG_PAIR_BAD_CONTENT, ESG_SECRET_TRUNCATED, "server.key.cipher", "empty .cipher");
	forged.random[40] ^= 1;
	mend_checksums(&forged);
	put_pair(&forged);
	is_fault(ESG_PAIR_BAD_CONTENT, ESG_SECRET_NOT_AUTHENTIC, "server.key.cipher", "forged .rand");
	put_pair(pair);
}

/* What a reader sees of a writer's steps, see pair_writer.c. */
static void
test_pending(const Pair *first, const Pair *second)
{
	EsgPairStatus status;

	put_pair(first);
	put("server.key.rand.new", second->random, 40, 0400);
	is_read("first", "half-written .rand.new: the old pair");
	put("server.key.rand.new", second->random, ESG_RANDOM_FILE_SIZE, 0400);
	is_read("first", "whole .rand.new: the old pair");
	put("server.key.cipher", second->cipher, ESG_CIPHER_FILE_SIZE, 0400);
	is_text(read_it(&status), "second", "new .cipher: the new pair");
	is_int(status.pending, 1, "by way of .rand.new");
	put("server.key.rand.new", second->random, ESG_RANDOM_FILE_SIZE, 0444);
	is_fault(ESG_PAIR_BAD_CONTENT, ESG_SECRET_NOT_A_PAIR, "server.key.rand",
			 "an open .rand.new is not taken");
	take("server.key.rand.new");
	is_fault(ESG_PAIR_BAD_CONTENT, ESG_SECRET_NOT_A_PAIR, "server.key.rand", "halves of two pairs");
	put_pair(second);
	put("server.key.rand.new", first->random, ESG_RANDOM_FILE_SIZE, 0400);
	is_text(read_it(&status), "second", ".rand.new of another pair does not matter");
	is_int(status.pending, 0, "and is not used");
	take("server.key.rand");
	take("server.key.cipher");
	ok(!esg_secret_pair_exists(directory, "server.key"), ".rand.new alone is no pair");
	ok(esg_secret_pair_is_leftover(directory, "server.key", ESG_PENDING_SUFFIX), "but a leftover");
	ok(!esg_secret_pair_is_leftover(directory, "server.key", ESG_UNFINISHED_SUFFIX), ".cipher.new is none while not there");
	take("server.key.rand.new");
}

static int
make_socket(const char *name)
{
	struct sockaddr_un address;
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int			bound;

	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", in_directory(name));
	bound = bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
	close(fd);
	return bound;
}

static void
test_special_files(const Pair *pair)
{
	EsgPairStatus status;
	EsgPassphrase out;
	char		long_path[ESG_PAIR_PATH_SIZE];
	char		reason[ESG_PAIR_REASON_SIZE];
	EsgKeyRule	rule = {geteuid(), ESG_KEY_MODE_ANY};

	put_pair(pair);
	put("server.key.rand", pair->random, ESG_RANDOM_FILE_SIZE, 0440);
	is_fault(ESG_PAIR_TOO_OPEN, 0, "server.key.rand", "group may read .rand");
	put_pair(pair);
	put("server.key.cipher", pair->cipher, ESG_CIPHER_FILE_SIZE, 0644);
	read_it(&status);
	is_int(status.fault, ESG_PAIR_TOO_OPEN, "all may read .cipher");
	is_int(status.mode, 0644, "its mode is told");
	esg_secret_pair_reason(&status, reason, sizeof(reason));
	ok(strstr(reason, "0644") != NULL, "also in words");
	put("server.key.cipher", pair->cipher, ESG_CIPHER_FILE_SIZE, 0600);
	max_mode = 0400;
	read_it(&status);
	esg_secret_pair_reason(&status, reason, sizeof(reason));
	is_text(reason, "mode 0600, more than the 0400 allowed", "0600 where 0400 is allowed");
	max_mode = ESG_KEY_MODE_ANY;
	is_read("first", "and where it is");
	take("server.key.cipher");
	ok(mkfifo(in_directory("server.key.cipher"), 0400) == 0, "a FIFO");
	is_fault(ESG_PAIR_NOT_REGULAR, 0, "server.key.cipher", "does not block");
	take("server.key.cipher");
	ok(make_socket("server.key.cipher"), "a socket");
	is_fault(ESG_PAIR_NOT_REGULAR, 0, "server.key.cipher", "is not opened");
	take("server.key.cipher");
	put("server.key.cipher", pair->cipher, ESG_CIPHER_FILE_SIZE, 0);
	if (geteuid() != 0)
		is_fault(ESG_PAIR_UNREADABLE, 0, "server.key.cipher", "a file that may not be read");
	take("server.key.cipher");
	ok(mkdir(in_directory("server.key.cipher"), 0700) == 0, "a directory");
	is_fault(ESG_PAIR_NOT_REGULAR, 0, "server.key.cipher", "is not read");
	rmdir(in_directory("server.key.cipher"));
	put("elsewhere", pair->cipher, ESG_CIPHER_FILE_SIZE, 0400);
	ok(symlink("elsewhere", in_directory("server.key.cipher")) == 0, "a symbolic link");
	is_read("first", "is followed");
	take("elsewhere");
	is_fault(ESG_PAIR_MISSING, 0, "server.key.cipher", "a dangling one is a missing file");
	ok(esg_secret_pair_exists(directory, "server.key"), "but not no pair");
	take("server.key.cipher");
	take("server.key.rand");
	ok(!esg_secret_pair_read("/nonexistent", "server.key", &rule, &out, &status) &&
	   status.fault == ESG_PAIR_NO_DIRECTORY && status.error == ENOENT, "no directory");
	put("elsewhere", pair->cipher, 1, 0400);
	ok(!esg_secret_pair_read(in_directory("elsewhere"), "server.key", &rule, &out, &status) &&
	   status.fault == ESG_PAIR_NO_DIRECTORY && status.error == ENOTDIR, "a file for a directory");
	ok(esg_secret_pair_exists(in_directory("elsewhere"), "server.key"), "is not no pair");
	take("elsewhere");
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	ok(!esg_secret_pair_read(long_path, "server.key", &rule, &out, &status) &&
	   status.fault == ESG_PAIR_PATH_TOO_LONG, "path too long");
	ok(esg_secret_pair_exists(long_path, "server.key"), "which is not no pair");
}

/*
 * What is left on the stack: each job runs on a stack of its own, which is
 * searched afterwards for 16 bytes of the passphrase, of the random bytes, or
 * of the key made of them.
 */
#define STACK_SIZE (512 * 1024)

static EsgSecretSeed wiping_seed;
static Pair wiping_pair;
static const char wiping_passphrase[] = "the quick brown fox jumps over the lazy dog";

static void *
leave_a_copy(void *unused)
{
	volatile char copy[sizeof(wiping_passphrase)];
	size_t		i;

	for (i = 0; i < sizeof(copy); i++)
		copy[i] = wiping_passphrase[i];
	return unused;
}

static void *
decrypt_something(void *unused)
{
	EsgPassphrase out;

	open_pair(&wiping_pair, &out);
	esg_secret_format_wipe(&out);
	return unused;
}

static void *
encrypt_something(void *unused)
{
	esg_secret_format_encrypt(wiping_passphrase, strlen(wiping_passphrase),
							wiping_pair.cipher, wiping_pair.random);
	return unused;
}

static void *
encrypt_seeded(void *unused)
{
	esg_secret_format_encrypt_seeded(wiping_passphrase, strlen(wiping_passphrase), &wiping_seed,
								   wiping_pair.cipher, wiping_pair.random);
	return unused;
}

static void *
read_something(void *unused)
{
	EsgPassphrase out;
	EsgPairStatus status;
	EsgKeyRule	rule = {geteuid(), ESG_KEY_MODE_ANY};

	esg_secret_pair_read(directory, "server.key", &rule, &out, &status);
	esg_secret_format_wipe(&out);
	return unused;
}

/* Deep enough not to be overwritten by what ends a thread. */
static void *
run_deep(void *job)
{
	volatile char depth[16384];

	depth[0] = 0;
	(*(void *(**) (void *)) job) (NULL);
	return depth[0] ? job : NULL;
}

static int
leaves_traces(void *(*job) (void *))
{
	static unsigned char stack[STACK_SIZE] __attribute__((aligned(4096)));
	pthread_attr_t attributes;
	pthread_t	thread;

	memset(stack, 0, STACK_SIZE);
	pthread_attr_init(&attributes);
	if (pthread_attr_setstack(&attributes, stack, STACK_SIZE) != 0 ||
		pthread_create(&thread, &attributes, run_deep, &job) != 0)
		return -1;
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	return memmem(stack, STACK_SIZE, wiping_passphrase, 16) != NULL ||
		memmem(stack, STACK_SIZE, wiping_passphrase + 20, 16) != NULL ||
		memmem(stack, STACK_SIZE, vector_key, 16) != NULL ||
		memmem(stack, STACK_SIZE, vector_key + 16, 16) != NULL ||
		memmem(stack, STACK_SIZE, wiping_pair.random + 32, 16) != NULL ||
		memmem(stack, STACK_SIZE, wiping_pair.random + 48, 16) != NULL;
}

static void
test_wiping(void)
{
	wiping_seed = vector_seed();
	encrypt_seeded(NULL);
	put_pair(&wiping_pair);
	if (leaves_traces(leave_a_copy) == 1)
		ok(1, "a copy on the stack is found");
	else
		printf("ok %d # skip locals are not on the stack\n", ++esg_test_run);
	is_int(leaves_traces(decrypt_something), 0, "decrypting leaves nothing on the stack");
	is_int(leaves_traces(read_something), 0, "reading leaves nothing on the stack");
	is_int(leaves_traces(encrypt_seeded), 0, "encrypting with a seed leaves nothing on the stack");
	is_int(leaves_traces(encrypt_something), 0, "encrypting leaves nothing on the stack");
	take("server.key.cipher");
	take("server.key.rand");
}

static void
test_pass_through(const Pair *pair)
{
	put_pair(pair);
	chmod(directory, 0300);
	is_read("first", "the directory need not be readable");
	chmod(directory, 0700);
	take("server.key.cipher");
	take("server.key.rand");
}

int
main(void)
{
	Pair		first = make_pair("first");
	Pair		second = make_pair("second");

	test_passphrases();
	test_randomness();
	test_flips(0);
	test_flips(1);
	test_lengths();
	test_vector();
	test_plaintexts();
	test_reasons();
	test_faults();
	test_modes();
	if (!mkdtemp(directory))
	{
		puts("Bail out! no temporary directory");
		return 1;
	}
	test_missing(&first);
	test_pending(&first, &second);
	test_special_files(&first);
	test_pass_through(&first);
	test_wiping();
	rmdir(directory);
	return done();
}

/*
 * files/content.c
 *		The content of a file, read or hashed.
 */
#include "files/content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "files/facts.h"

#define READ_CHUNK 65536

int64_t
esg_content_limit(EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CA:
			return ESG_CA_FILE_LIMIT;
		case ESG_FILE_EXTRA:	/* may hold a CA bundle */
			return ESG_CA_FILE_LIMIT;
		case ESG_FILE_CRL:
			return ESG_CRL_FILE_LIMIT;
		default:
			return ESG_CERT_FILE_LIMIT;
	}
}

/*
 * Opens a regular file of at most limit bytes; -1 if it is something else, the
 * reason is in facts.  The look before the opening spares devices, on which
 * opening alone can have effects; the one after it is what counts.
 */
static int
open_regular(const char *path, int64_t limit, EsgFileFacts *facts)
{
	struct stat st;
	int			fd;

	esg_facts_stat(path, facts);
	if (!facts->exists || !S_ISREG(facts->mode))
		return -1;
	do
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
	{
		facts->error = errno;
		return -1;
	}
	if (fstat(fd, &st) != 0)
	{
		facts->error = errno;
		close(fd);
		return -1;
	}
	esg_facts_take(&st, facts);
	facts->too_large = S_ISREG(facts->mode) && facts->size > limit;
	if (!S_ISREG(facts->mode) || facts->too_large)
	{
		close(fd);
		return -1;
	}
	return fd;
}

static ssize_t
read_some(int fd, char *buf, size_t size)
{
	ssize_t		n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n;
}

static EVP_MD_CTX *
start_hash(void)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
	{
		EVP_MD_CTX_free(hash);
		hash = NULL;
	}
	return hash;
}

/* True if buf has room for another byte, wiping what it outgrows. */
static bool
make_room(EsgContent *content, size_t *capacity)
{
	char	   *larger;

	if (content->len < *capacity)
		return true;
	larger = OPENSSL_malloc(*capacity * 2);
	if (larger == NULL)
		return false;
	memcpy(larger, content->data, content->len);
	OPENSSL_clear_free(content->data, content->len);
	content->data = larger;
	*capacity *= 2;
	return true;
}

/* Reads to the end, but no more than limit; 0 or an errno. */
static int
read_all(int fd, int64_t limit, EsgFileFacts *facts, EsgContent *out)
{
	/* one byte more than the size, so that the end is seen without growing */
	size_t		capacity = (size_t) facts->size + 1;

	out->data = OPENSSL_malloc(capacity);
	if (out->data == NULL)
		return ENOMEM;
	for (;;)
	{
		ssize_t		n;

		if (!make_room(out, &capacity))
			return ENOMEM;
		n = read_some(fd, out->data + out->len, capacity - out->len);
		if (n < 0)
			return errno;
		if (n == 0)
			return 0;
		out->len += n;
		/* what was read is what counts: files in /proc have size 0 */
		if (facts->size < (int64_t) out->len)
			facts->size = (int64_t) out->len;
		if ((int64_t) out->len > limit)
		{
			/* grew while it was read */
			facts->too_large = true;
			return EFBIG;
		}
	}
}

bool
esg_content_read(const char *path, int64_t limit, EsgFileFacts *facts, EsgContent *out)
{
	int			fd;
	int			error;

	memset(out, 0, sizeof(*out));
	fd = open_regular(path, limit, facts);
	if (fd < 0)
		return false;
	error = read_all(fd, limit, facts, out);
	close(fd);
	if (error != 0)
	{
		if (!facts->too_large)
			facts->error = error;
		esg_content_release(out);
		ERR_clear_error();
		return false;
	}
	out->hashed = EVP_Digest(out->data, out->len, out->sha256, NULL, EVP_sha256(), NULL) == 1;
	ERR_clear_error();
	return true;
}

/* Feeds the file into hash; 0 or an errno. */
static int
hash_all(int fd, int64_t limit, EsgFileFacts *facts, EVP_MD_CTX *hash)
{
	char		chunk[READ_CHUNK];
	int64_t		total = 0;
	int			error = 0;

	for (;;)
	{
		ssize_t		n = read_some(fd, chunk, sizeof(chunk));

		if (n <= 0)
		{
			error = n < 0 ? errno : 0;
			break;
		}
		total += n;
		if (facts->size < total)
			facts->size = total;
		if (total > limit)
		{
			facts->too_large = true;
			error = EFBIG;
			break;
		}
		if (EVP_DigestUpdate(hash, chunk, n) != 1)
		{
			error = ENOMEM;
			break;
		}
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	return error;
}

bool
esg_content_hash(const char *path, int64_t limit, EsgFileFacts *facts, unsigned char *sha256)
{
	EVP_MD_CTX *hash;
	int			fd;
	int			error = ENOMEM;

	memset(sha256, 0, ESG_DIGEST_SIZE);
	fd = open_regular(path, limit, facts);
	if (fd < 0)
		return false;
	hash = start_hash();
	if (hash != NULL)
	{
		error = hash_all(fd, limit, facts, hash);
		if (error == 0 && EVP_DigestFinal_ex(hash, sha256, NULL) != 1)
			error = ENOMEM;
		EVP_MD_CTX_free(hash);
	}
	close(fd);
	if (error != 0 && !facts->too_large)
		facts->error = error;
	ERR_clear_error();
	return error == 0;
}

void
esg_content_release(EsgContent *content)
{
	OPENSSL_clear_free(content->data, content->len);
	memset(content, 0, sizeof(*content));
}

const char *
esg_content_reason(const EsgFileFacts *facts)
{
	if (facts->too_large)
		return "it is too large";
	if (facts->exists && !S_ISREG(facts->mode))
		return "it is not a regular file";
	return strerror(facts->error != 0 ? facts->error : ENOENT);
}

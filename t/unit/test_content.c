/* sources: files/content files/facts */
/* wraps: open */
/*
 * test_content.c
 *		Files that are read and hashed, also those that change meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "esg_test.h"
#include "files/content.h"

#define LIMIT 100
#define PROC "/proc/self/status"	/* of size 0, and some hundred bytes */

static char directory[] = "/tmp/esg_content.XXXXXX";
static char path[100];

/* What happens to the file between the look at it and the opening of it. */
static void (*meanwhile) (void);

extern int	__real_open(const char *name, int flags, mode_t mode);
extern int	__wrap_open(const char *name, int flags, mode_t mode);

int
__wrap_open(const char *name, int flags, mode_t mode)
{
	void		(*happens) (void) = meanwhile;

	meanwhile = NULL;
	if (happens != NULL)
		happens();
	return __real_open(name, flags, mode);
}

static void
put(int size)
{
	FILE	   *out = fopen(path, "w");

	for (int i = 0; out != NULL && i < size; i++)
		(void) fputc('x', out);
	if (out == NULL || fclose(out) != 0)
		abort();
}

static void
grow(void)
{
	put(LIMIT + 1);
}

static void
grow_a_little(void)
{
	put(LIMIT / 2);
}

static void
vanish(void)
{
	(void) unlink(path);
}

static void
become_pipe(void)
{
	if (unlink(path) != 0 || mkfifo(path, 0600) != 0)
		abort();
}

typedef struct Case
{
	const char *what;
	int			size;
	void		(*happens) (void);
	int			len;			/* of what is read; -1: nothing, */
	const char *reason;			/* for that */
} Case;

static const Case cases[] = {
	{"a file", 10, NULL, 10, NULL},
	{"an empty file", 0, NULL, 0, NULL},
	{"as large as may be", LIMIT, NULL, LIMIT, NULL},
	{"a byte more", LIMIT + 1, NULL, -1, "it is too large"},
	{"it grows", 10, grow_a_little, LIMIT / 2, NULL},
	{"it grows too large", 10, grow, -1, "it is too large"},
	{"it is removed", 10, vanish, -1, "No such file or directory"},
	{"it is replaced by a pipe", 10, become_pipe, -1, "it is not a regular file"},
};

static void
check_read(const Case *c)
{
	EsgFileFacts facts;
	EsgContent	content;
	bool		read;

	(void) unlink(path);
	put(c->size);
	meanwhile = c->happens;
	read = esg_content_read(path, LIMIT, &facts, &content);
	is_int(read, c->len >= 0, c->what);
	if (read)
	{
		ok(content.len == (size_t) c->len && content.hashed && facts.size == c->len, "all of it");
		ok(c->len == 0 || (content.data[0] == 'x' && content.data[c->len - 1] == 'x'), "as it is");
	}
	else
	{
		ok(content.data == NULL && content.len == 0, "nothing is there");
		is_text(esg_content_reason(&facts), c->reason, "and why");
	}
	esg_content_release(&content);
}

static void
check_hash(const Case *c)
{
	static const unsigned char none[ESG_DIGEST_SIZE];
	unsigned char wanted[ESG_DIGEST_SIZE];
	unsigned char hash[ESG_DIGEST_SIZE];
	char		text[LIMIT];
	EsgFileFacts facts;
	bool		hashed;

	(void) unlink(path);
	put(c->size);
	meanwhile = c->happens;
	hashed = esg_content_hash(path, LIMIT, &facts, hash);
	is_int(hashed, c->len >= 0, c->what);
	memset(text, 'x', sizeof(text));
	(void) EVP_Digest(text, (size_t) (c->len > 0 ? c->len : 0), wanted, NULL, EVP_sha256(), NULL);
	ok(memcmp(hash, c->len >= 0 ? wanted : none, sizeof(hash)) == 0, "the hash, or none");
	if (!hashed)
		is_text(esg_content_reason(&facts), c->reason, "and why");
}

/* Its size says nothing: what is read counts. */
static void
test_proc(void)
{
	unsigned char hash[ESG_DIGEST_SIZE];
	EsgFileFacts facts;
	EsgContent	content;

	if (access(PROC, R_OK) != 0)
		return;
	ok(esg_content_read(PROC, 1 << 20, &facts, &content), "a file that says it is empty");
	ok(content.len > LIMIT && facts.size == (int64_t) content.len && strncmp(content.data, "Name:", 5) == 0, "is read to its end");
	esg_content_release(&content);
	ok(!esg_content_read(PROC, LIMIT, &facts, &content) && content.data == NULL, "but not further than to the limit");
	ok(facts.too_large && facts.error == 0, "it is too large");
	ok(esg_content_hash(PROC, 1 << 20, &facts, hash) && facts.size > LIMIT, "it is hashed");
	ok(!esg_content_hash(PROC, LIMIT, &facts, hash) && facts.too_large && facts.error == 0, "as far");
	is_text(esg_content_reason(&facts), "it is too large", "and why");
}

/* Of a directory, or of what is not there, nothing is opened. */
static void
test_others(void)
{
	unsigned char hash[ESG_DIGEST_SIZE];
	EsgFileFacts facts;
	EsgContent	content;

	ok(!esg_content_read(directory, LIMIT, &facts, &content) && facts.exists, "a directory");
	is_text(esg_content_reason(&facts), "it is not a regular file", "and why");
	(void) unlink(path);
	ok(!esg_content_hash(path, LIMIT, &facts, hash) && !facts.exists, "nothing");
	is_text(esg_content_reason(&facts), "No such file or directory", "and why");
	is_int(esg_content_limit(ESG_FILE_CA), ESG_CA_FILE_LIMIT, "a file of CAs");
	is_int(esg_content_limit(ESG_FILE_EXTRA), ESG_CA_FILE_LIMIT, "one that may be such");
	is_int(esg_content_limit(ESG_FILE_CRL), ESG_CRL_FILE_LIMIT, "a CRL");
	is_int(esg_content_limit(ESG_FILE_CERTIFICATE), ESG_CERT_FILE_LIMIT, "certificates");
}

int
main(void)
{
	if (mkdtemp(directory) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/file", directory);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		check_read(&cases[i]);
		check_hash(&cases[i]);
	}
	test_proc();
	test_others();
	ok(ERR_peek_error() == 0, "no error is left");
	(void) unlink(path);
	(void) rmdir(directory);
	return done();
}

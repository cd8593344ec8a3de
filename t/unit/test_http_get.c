/* sources: wire/http_get x509/cut_text x509/name x509/unicode */
/*
 * test_http_get.c
 *		What a web server sends for a URL, from memory.
 */
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "esg_test.h"
#include "wire/http_get.h"

#define OK "HTTP/1.1 200 OK\r\n"

static const struct
{
	const char *name;
	const char *answer;
	const char *want;			/* the body, or "!" and what the reason begins
								 * with */
}			answers[] = {
	{"a body", OK "\r\nhello", "hello"},
	{"of a known length", OK "Content-Length: 5\r\n\r\nhello", "hello"},
	{"of a known length, and more", OK "Content-Length: 5\r\n\r\nhello, world", "hello"},
	{"lines that end in newlines alone", "HTTP/1.0 200 OK\nX: y\n\nhello", "hello"},
	{"an empty body", OK "\r\n", ""},
	{"cut", OK "Content-Length: 6\r\n\r\nhello", "!closed the connection before the end"},
	{"in chunks", OK "TRANSFER-ENCODING: gzip, Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "!is sent in chunks"},
	{"no chunks", OK "X-Transfer-Encoding: chunked\r\n\r\nhello", "hello"},
	{"larger than allowed", OK "\r\n0123456789abcdef0123456789abcdef!", "!sends more than 32 bytes"},
	{"as large as allowed", OK "\r\n0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"},
	{"that says it is larger", OK "Content-Length: 33\r\n\r\n", "!sends more than 32 bytes"},
	{"404", "HTTP/1.1 404 Not Found\r\n\r\n<html>", "!answered \"404 Not Found\""},
	{"500 with odd words", "HTTP/1.1 500 \x1b[1m\r\n\r\n", "!answered \"500 \\x1b[1m\""},
	{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", "!answered \"304 Not Modified\""},
	{"a redirect", "HTTP/1.1 302 Found\r\nLocation: http://b/\r\n\r\n", "!leads to http://b/"},
	{"a redirect to nowhere", "HTTP/1.1 302 Found\r\n\r\n", "!answered \"302 Found\""},
	{"nothing", "", "!closed the connection without an answer"},
	{"something else", "220 mail.example.com ESMTP\r\n", "!does not answer like a web server"},
	{"half a header", OK "X: y\r\n", "!could not be read"},
	{"a length that is none", OK "Content-Length: x\r\n\r\nhello", "!could not be read"}
};

static const struct
{
	const char *url;
	const char *want;			/* "" or the reason */
}			urls[] = {
	{"http://a/b", ""},
	{"https://a:443/b?c=d", ""},
	{"http://[::1]:80/", ""},
	{"HTTP://a/", ""},
	{"http://a/@b", ""},
	{"ldap:///cn=a", "is an LDAP URL, and only http and https are supported"},
	{"LDAPS://a/", "is an LDAP URL, and only http and https are supported"},
	{"file:///etc/passwd", "is neither http nor https"},
	{"http:/a", "is neither http nor https"},
	{"", "is neither http nor https"},
	{"http://a/ b", "has characters that no URL has"},
	{"http://a/\r\nX: y", "has characters that no URL has"},
	{"http://a/\x7f", "has characters that no URL has"},
	{"http://a/~", ""},
	{"http://\xc3\xa4/", "has characters that no URL has"},
	{"http://me@a/", "has a user name in it, which OpenSSL's client would not send"},
	{"http://me:secret@a/", "has a user name in it, which OpenSSL's client would not send"}
};

static void
ask(const char *text, size_t len, EsgHttpAnswer *answer, char **redirect)
{
	BIO		   *sink = BIO_new(BIO_s_mem());
	BIO		   *source = BIO_new_mem_buf(text, (int) len);

	BIO_set_mem_eof_return(source, 0);
	(void) esg_http_get_from(sink, source, "/b", 32, answer, redirect);
	BIO_free(sink);
	BIO_free(source);
}

static void
test_answers(void)
{
	size_t		i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
	{
		const char *want = answers[i].want;
		EsgHttpAnswer answer;
		char	   *redirect;

		ask(answers[i].answer, strlen(answers[i].answer), &answer, &redirect);
		if (want[0] == '!')
		{
			ok(answer.body == NULL && strncmp(answer.reason, want + 1, strlen(want + 1)) == 0, "%s: %s",
			   answers[i].name, answer.reason);
		}
		else
			ok(answer.body != NULL && answer.len == strlen(want) && memcmp(answer.body, want, answer.len) == 0,
			   "%s%s%s", answers[i].name, answer.reason[0] ? ": " : "", answer.reason);
		ok(ERR_peek_error() == 0, "%s: no error is left", answers[i].name);
		OPENSSL_free(answer.body);
		OPENSSL_free(redirect);
	}
}

/* A header that does not end. */
static void
test_long(void)
{
	size_t		size = 4 * ESG_HTTP_HEADER_LIMIT;
	char	   *text = malloc(size);
	size_t		len = (size_t) snprintf(text, size, OK);
	EsgHttpAnswer answer;
	char	   *redirect;

	while (len + 8 < size)
		len += (size_t) snprintf(text + len, size - len, "X: y\r\n");
	ask(text, len, &answer, &redirect);
	ok(answer.body == NULL, "a header without end is no answer: %s", answer.reason);
	OPENSSL_free(redirect);
	free(text);
}

/* The longest header: its last line, which is empty, begins within the limit.  Each other one is longer than is looked at. */
static void
test_longest(void)
{
	char	   *text = malloc(2 * ESG_HTTP_HEADER_LIMIT);
	size_t		len = (size_t) sprintf(text, OK);
	EsgHttpAnswer answer;
	char	   *redirect;

	while (len < ESG_HTTP_HEADER_LIMIT - 1)
	{
		size_t		left = ESG_HTTP_HEADER_LIMIT - 1 - len;
		size_t		size = left < 2000 ? left : 1000;

		/* "X: yyy...", its end of line in it */
		memset(text + len, 'y', size);
		memcpy(text + len, "X: ", 3);
		memcpy(text + len + size - 2, "\r\n", 2);
		len += size;
	}
	len += (size_t) sprintf(text + len, "\r\nhello");
	ask(text, len, &answer, &redirect);
	ok(answer.body != NULL && answer.len == 5, "the longest header%s%s", answer.reason[0] ? ": " : "", answer.reason);
	OPENSSL_free(answer.body);
	OPENSSL_free(redirect);
	free(text);
}

int
main(void)
{
	size_t		i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
	{
		char		reason[ESG_HTTP_REASON_SIZE];
		int			accepted = esg_http_get_accepts(urls[i].url, reason);

		is_text(reason, urls[i].want, "a URL");
		is_int(accepted, urls[i].want[0] == '\0', "is accepted or not");
	}
	if (esg_http_get_can())
	{
		test_answers();
		test_long();
		test_longest();
	}
	return done();
}

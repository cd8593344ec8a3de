/* sources: wire/http_get x509/cut_text x509/name x509/unicode */
/*
 * test_failing_http.c
 *		What a web server sends for a URL, where the system or OpenSSL fails: it is told, and half an answer is none.
 *
 * The servers are children of the test's, one for http and one for https.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* memmem() */
#endif
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "certmaker.h"
#include "compat.h"
#include "failing.h"
#include "wire/http_get.h"

#ifdef ESG_HTTP_CLIENT

#include <openssl/http.h>
#include <openssl/httperr.h>

static OSSL_HTTP_REQ_CTX *raise_pretended(void);

FAILS(int, OSSL_HTTP_set1_request, (OSSL_HTTP_REQ_CTX *request, const char *path, const STACK_OF(CONF_VALUE) *headers,
	const char *type, BIO *body, const char *expected, int asn1, size_t limit, int timeout, int keep),
	(request, path, headers, type, body, expected, asn1, limit, timeout, keep), 0)
FAILS(OSSL_HTTP_REQ_CTX *, OSSL_HTTP_open, (const char *server, const char *port, const char *proxy, const char *no_proxy,
	int use_ssl, BIO *bio, BIO *rbio, OSSL_HTTP_bio_cb_t update, void *arg, int size, int timeout),
	(server, port, proxy, no_proxy, use_ssl, bio, rbio, update, arg, size, timeout), raise_pretended())
FAILS(int, SSL_CTX_set_default_verify_paths, (SSL_CTX *context), (context), 0)
FAILS(int, SSL_set1_host, (SSL *ssl, const char *name), (ssl, name), 0)
FAILS(int, BIO_read, (BIO *bio, void *data, int size), (bio, data, size), -1)

#define BODY "hello, world"
#define SIZE_LIMIT 1000

/* ---- what OpenSSL may say of why it has no connection ---- */

typedef struct Pretence
{
	int			lib;			/* 0: nothing is in the queue */
	int			reason;
	const char *data;
	const char *words;			/* that come of it */
} Pretence;

static const Pretence *pretence;

static OSSL_HTTP_REQ_CTX *
raise_pretended(void)
{
	if (pretence != NULL && pretence->lib != 0)
	{
		ERR_raise(pretence->lib, pretence->reason);
		if (pretence->data != NULL)
			ERR_add_error_data(1, pretence->data);
	}
	return NULL;
}

/* ---- the servers ---- */

static char bundle[] = "/tmp/esg_http.XXXXXX";
static char plain_url[100];
static char tls_url[100];

static const struct
{
	const char *path;
	const char *answer;
}			pages[] = {
	{"/page", "HTTP/1.0 200 OK\r\n\r\n" BODY},
	{"/page?q=1", "HTTP/1.0 200 OK\r\nContent-Length: 12\r\n\r\n" BODY},
	{"/near", "HTTP/1.0 302 Found\r\nLocation: /page\r\n\r\n"},
	{"/nowhere", "HTTP/1.0 302 Found\r\nLocation: //host/page\r\n\r\n"},
	{"/ldap", "HTTP/1.0 302 Found\r\nLocation: ldap:///cn=a\r\n\r\n"},
	{"/plain", "HTTP/1.0 302 Found\r\nLocation: http://localhost/page\r\n\r\n"},
	{"/loop", "HTTP/1.0 302 Found\r\nLocation: /loop\r\n\r\n"},
	{"/cut", "HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\n" BODY},
	{"/gone", "HTTP/1.0 404 Not Found\r\n\r\n"},
};

static const char *
find_page(const char *request)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
	{
		size_t		len = strlen(pages[i].path);

		if (strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, pages[i].path, len) == 0 && request[4 + len] == ' ')
			return pages[i].answer;
	}
	return "HTTP/1.0 400 Bad Request\r\n\r\n";
}

static void
answer_one(BIO *bio)
{
	char		request[2000];
	size_t		used = 0;
	int			n = 1;
	const char *page;

	while (n > 0 && used < sizeof(request) - 1 && memmem(request, used, "\r\n\r\n", 4) == NULL)
	{
		n = BIO_read(bio, request + used, (int) (sizeof(request) - 1 - used));
		used += n > 0 ? (size_t) n : 0;
	}
	request[used] = '\0';
	if (n <= 0)
		return;
	page = find_page(request);
	(void) BIO_write(bio, page, (int) strlen(page));
	(void) BIO_flush(bio);
}

static void
serve(int listener, SSL_CTX *context)
{
	alarm(300);
	for (;;)
	{
		int			fd = accept(listener, NULL, NULL);
		BIO		   *bio = BIO_new_socket(fd, BIO_CLOSE);
		char		rest[100];

		if (context != NULL)
			bio = BIO_push(BIO_new_ssl(context, 0), bio);
		answer_one(bio);
		if (context != NULL)
			BIO_ssl_shutdown(bio);
		(void) shutdown(fd, SHUT_WR);
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			;
		BIO_free_all(bio);
	}
}

static pid_t
start_server(const char *scheme, SSL_CTX *context, char *url, size_t size)
{
	struct sockaddr_in address;
	socklen_t	address_size = sizeof(address);
	int			fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t		pid;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *) &address, address_size) != 0 || listen(fd, 50) != 0 ||
		getsockname(fd, (struct sockaddr *) &address, &address_size) != 0)
		abort();
	snprintf(url, size, "%slocalhost:%d", scheme, ntohs(address.sin_port));
	pid = fork();
	if (pid == 0)
		serve(fd, context);
	close(fd);
	return pid;
}

/* Its certificate is what the client trusts. */
static SSL_CTX *
make_context(void)
{
	CertSpec	spec = {.subject = "CN=localhost",.key = certmaker_ec("prime256v1"),.not_after = "20990101000000Z",
		.extensions = "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:TRUE\n"
	};
	X509	   *cert = certmaker_cert(&spec);
	SSL_CTX    *context = SSL_CTX_new(TLS_server_method());
	FILE	   *out = fdopen(mkstemp(bundle), "w");

	ok(out != NULL && PEM_write_X509(out, cert) == 1 && fclose(out) == 0 && SSL_CTX_use_certificate(context, cert) == 1 &&
	   SSL_CTX_use_PrivateKey(context, spec.key) == 1, "a server for https");
	X509_free(cert);
	return context;
}

/* ---- the client ---- */

static char url[200];

static Outcome
judge(bool good, EsgHttpAnswer *answer)
{
	Outcome		outcome;

	if (good)
		outcome = answer->body != NULL && answer->len == strlen(BODY) && memcmp(answer->body, BODY, answer->len) == 0 &&
			answer->reason[0] == '\0' ? RIGHT : WRONG;
	else
		outcome = answer->body == NULL && answer->reason[0] != '\0' ? TOLD : WRONG;
	OPENSSL_free(answer->body);
	return ERR_peek_error() == 0 ? outcome : WRONG;
}

static Outcome
get(void)
{
	EsgHttpAnswer answer;
	bool		good = esg_http_get(url, SIZE_LIMIT, &answer);

	return judge(good, &answer);
}

/* From memory, where nothing more comes than what is there. */
static Outcome
get_from_memory(void)
{
	long		countdown = failing_countdown;
	EsgHttpAnswer answer;
	char	   *redirect;
	BIO		   *sink;
	BIO		   *source;
	bool		good;

	failing_countdown = -1;
	sink = BIO_new(BIO_s_mem());
	source = BIO_new_mem_buf("HTTP/1.0 200 OK\r\n\r\n" BODY, -1);
	BIO_set_mem_eof_return(source, 0);
	failing_countdown = countdown;
	good = esg_http_get_from(sink, source, "/page", SIZE_LIMIT, &answer, &redirect);
	OPENSSL_free(redirect);
	BIO_free(sink);
	BIO_free(source);
	return judge(good, &answer);
}

static void
fail_each_of(const char *base, const char *path)
{
	snprintf(url, sizeof(url), "%s%s", base, path);
	is_int(get(), RIGHT, url);
	ok(fail_each(url, get) > 5, "it is told");
}

static void
fails_with(const char *base, const char *path, const char *words)
{
	EsgHttpAnswer answer;

	snprintf(url, sizeof(url), "%s%s", base, path);
	ok(!esg_http_get(url, SIZE_LIMIT, &answer), "%s gives nothing", url);
	ok(answer.body == NULL && strncmp(answer.reason, words, strlen(words)) == 0, "the reason: %s", answer.reason);
	ok(ERR_peek_error() == 0, "no error is left");
}

static void
test_urls(void)
{
	fails_with(plain_url, "/nowhere", "leads to another URL, which is neither http nor https");
	fails_with(plain_url, "/ldap", "leads to another URL, which is an LDAP URL");
	fails_with(tls_url, "/plain", "leads from https to http");
	fails_with(plain_url, "/loop", "leads to one URL after another, without end");
	fails_with(plain_url, "/cut", "closed the connection before the end");
	fails_with(tls_url, "/gone", "answered \"404 Not Found\"");
	fails_with("", "http://[::1", "is no URL of a web server");
	/* without a scheme, of which nobody is told that it is good */
	fails_with(strstr(plain_url, "localhost"), "/near", "leads to another URL, which is neither http nor https");
	(void) setenv("SSL_CERT_FILE", "/dev/null", 1);
	fails_with(tls_url, "/page", "could not be read: certificate verify failed");
	(void) setenv("SSL_CERT_FILE", bundle, 1);
}

static void
test_reasons(void)
{
	static const Pretence cases[] = {
		{0, 0, NULL, "could not be reached: the connection was closed"},
		{ERR_LIB_USER, 99, NULL, "could not be reached: the connection was closed"},
		{ERR_LIB_SYS, ECONNREFUSED, NULL, "could not be reached: Connection refused"},
		{ERR_LIB_BIO, ERR_R_SYS_LIB, "no such name", "could not be reached: no such name"},
		{ERR_LIB_HTTP, HTTP_R_CONNECT_FAILURE, "host=a", "could not be reached: connect failure (host=a)"},
		{ERR_LIB_HTTP, HTTP_R_CONNECT_FAILURE, "", "could not be reached: connect failure"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgHttpAnswer answer;

		/* the second call: the first one copies the URL */
		pretence = &cases[i];
		snprintf(url, sizeof(url), "%s/page", plain_url);
		failing_countdown = 1;
		ok(!esg_http_get(url, SIZE_LIMIT, &answer) && strcmp(failing_name, "OSSL_HTTP_open") == 0, "no connection");
		failing_countdown = -1;
		is_text(answer.reason, cases[i].words, "and why");
		pretence = NULL;
	}
}

/* What was announced does not come, and nobody says that it is over. */
static void
test_pause(void)
{
	BIO		   *sink = BIO_new(BIO_s_mem());
	BIO		   *source = BIO_new_mem_buf("HTTP/1.0 200 OK\r\n\r\n" BODY, -1);
	EsgHttpAnswer answer;
	char	   *redirect;

	BIO_set_mem_eof_return(source, -1);
	ok(!esg_http_get_from(sink, source, "/page", SIZE_LIMIT, &answer, &redirect), "an answer that stops");
	ok(answer.body == NULL && strncmp(answer.reason, "could not be read", 17) == 0, "is none: %s", answer.reason);
	BIO_free(sink);
	BIO_free(source);
}

int
main(void)
{
	SSL_CTX    *context = make_context();
	pid_t		servers[2];

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void) unsetenv("http_proxy");
	(void) unsetenv("https_proxy");
	(void) setenv("no_proxy", "localhost", 1);
	(void) setenv("SSL_CERT_FILE", bundle, 1);
	(void) setenv("SSL_CERT_DIR", "/nonexistent", 1);
	servers[0] = start_server("http://", NULL, plain_url, sizeof(plain_url));
	servers[1] = start_server("https://", context, tls_url, sizeof(tls_url));
	SSL_CTX_free(context);
	failing_errno = EIO;
	fail_each_of(plain_url, "/page");
	fail_each_of(plain_url, "/page?q=1");
	fail_each_of(plain_url, "/near");
	fail_each_of(tls_url, "/page?q=1");
	fail_each_of(tls_url, "/near");
	is_int(get_from_memory(), RIGHT, "from memory");
	ok(fail_each("from memory", get_from_memory) > 3, "it is told");
	test_urls();
	test_reasons();
	test_pause();
	for (size_t i = 0; i < 2; i++)
	{
		(void) kill(servers[i], SIGKILL);
		(void) waitpid(servers[i], NULL, 0);
	}
	(void) unlink(bundle);
	return done();
}

#else

int
main(void)
{
	EsgHttpAnswer answer;

	ok(!esg_http_get("http://localhost/", 1000, &answer) && answer.reason[0] != '\0', "it is said that there is no client");
	return done();
}

#endif

/*
 * wire/http_get.c
 *		What does a web server send for a URL?
 *
 * OpenSSL's client shows no header, and what it says of an answer other than
 * 200 differs between its versions: since 4.0 the page about an error is a body
 * like any other.  So the header is looked at while it passes by.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* strcasestr() */
#endif

#include "wire/http_get.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "compat.h"
#include "x509/cut_text.h"
#include "x509/name.h"

#ifdef ESG_HTTP_CLIENT

#include <openssl/httperr.h>

#define LINE_SIZE 256
#define ONE_TRY (-1)			/* to connect; whoever gives a time limit has
								 * it tried again and again */
#define FIRST_SIZE 65536

/* What has passed by of the header. */
typedef struct Header
{
	char		line[LINE_SIZE];	/* the present one, its start */
	size_t		line_len;
	char		status[80];		/* the first, behind the version: "404 Not
								 * Found" */
	size_t		size;
	bool		begun;			/* there was a line */
	bool		over;			/* there was an empty line */
	bool		chunked;
	bool		foreign;		/* it is none of HTTP */
} Header;

typedef struct Url
{
	int			use_ssl;
	char	   *user;
	char	   *host;
	char	   *port;
	char	   *path;			/* with query */
} Url;

/* A question to one server. */
typedef struct Visit
{
	const Url  *url;
	size_t		size_limit;
	Header		header;
	OSSL_HTTP_REQ_CTX *request;
	SSL_CTX    *context;
	EsgHttpAnswer *answer;
	char	   *redirect;
} Visit;

/* ---- reasons ---- */

/* Whatever a server says is made printable. */
static bool
fail(EsgHttpAnswer *answer, const char *reason)
{
	char	   *text = esg_x509_name_escape((const unsigned char *) reason, strlen(reason));

	esg_cut_text_copy(answer->reason, ESG_HTTP_REASON_SIZE, text != NULL ? text : "out of memory");
	OPENSSL_free(text);
	return false;
}

static bool
fail_with(EsgHttpAnswer *answer, const char *before, const char *words)
{
	char		reason[ESG_HTTP_REASON_SIZE];

	(void) snprintf(reason, sizeof(reason), "%s%s", before, words);
	return fail(answer, reason);
}

/* In OpenSSL's words: the first error is nearest to the cause. */
static bool
fail_openssl(EsgHttpAnswer *answer, const char *before)
{
	const char *data = NULL;
	int			flags = 0;
	unsigned long code = ERR_peek_error_data(&data, &flags);
	const char *words = code != 0 ? ERR_reason_error_string(code) : NULL;
	char		reason[ESG_HTTP_REASON_SIZE];

	if (code != 0 && ERR_SYSTEM_ERROR(code))
		words = strerror(ERR_GET_REASON(code));
	if (words == NULL)
		words = "the connection was closed";
	if ((flags & ERR_TXT_STRING) == 0 || data == NULL || data[0] == '\0')
		data = NULL;
	/* a name that is not found: what comes of the resolver is enough */
	if (data != NULL && ERR_GET_REASON(code) == ERR_R_SYS_LIB)
	{
		words = data;
		data = NULL;
	}
	(void) snprintf(reason, sizeof(reason), "%s: %s%s%s%s", before, words,
					data != NULL ? " (" : "", data != NULL ? data : "", data != NULL ? ")" : "");
	return fail(answer, reason);
}

/* ---- the header ---- */

static void
end_line(Header *header)
{
	static const char encoding[] = "transfer-encoding:";
	const char *line = header->line;

	header->line[header->line_len] = '\0';
	if (!header->begun)
	{
		header->foreign = strncmp(line, "HTTP/", 5) != 0;
		line += strcspn(line, " ");
		(void) snprintf(header->status, sizeof(header->status), "%s", line + strspn(line, " "));
	}
	else if (header->line_len == 0)
		header->over = true;
	else if (strncasecmp(line, encoding, sizeof(encoding) - 1) == 0)
		header->chunked |= strcasestr(line, "chunked") != NULL;
	header->begun = true;
	header->line_len = 0;
}

static void
note_bytes(Header *header, const char *bytes, size_t len)
{
	size_t		i;

	header->size += len;
	for (i = 0; i < len && !header->over; i++)
	{
		if (bytes[i] == '\n')
			end_line(header);
		else if (bytes[i] != '\r' && header->line_len < LINE_SIZE - 1)
			header->line[header->line_len++] = bytes[i];
	}
}

/* BIO_callback_fn_ex: what it returns is the operation's result */
static long
watch(BIO *bio, int operation, const char *bytes, size_t size, int argi, long argl, int result,
	  size_t *processed)
{
	Header	   *header = (Header *) BIO_get_callback_arg(bio);

	(void) size;
	(void) argi;
	(void) argl;
	if ((operation != (BIO_CB_READ | BIO_CB_RETURN) && operation != (BIO_CB_GETS | BIO_CB_RETURN)) ||
		result <= 0 || processed == NULL || header->over)
		return result;
	note_bytes(header, bytes, *processed);
	return header->size > ESG_HTTP_HEADER_LIMIT && !header->over ? -1 : result;
}

static void
watch_header(BIO *bio, Header *header)
{
	BIO_set_callback_arg(bio, (char *) header);
	BIO_set_callback_ex(bio, watch);
}

static bool
check_status(Visit *visit)
{
	const char *status = visit->header.status;
	char		words[sizeof(visit->header.status) + 8];

	if (visit->header.foreign)
		return fail(visit->answer, "does not answer like a web server");
	if (visit->header.size > ESG_HTTP_HEADER_LIMIT && !visit->header.over)
		return fail(visit->answer, "sends a header without end");
	if (!visit->header.begun || strncmp(status, "200", 3) == 0)
		return true;
	(void) snprintf(words, sizeof(words), "\"%s\"", status);
	return fail_with(visit->answer, "answered ", words);
}

/* ---- the body ---- */

static bool
make_room(EsgHttpAnswer *answer, size_t *capacity)
{
	size_t		wanted = *capacity > 0 ? 2 * *capacity : FIRST_SIZE;
	unsigned char *grown;

	if (answer->len < *capacity)
		return true;
	grown = OPENSSL_realloc(answer->body, wanted);
	if (grown == NULL)
		return fail(answer, "could not be read: out of memory");
	answer->body = grown;
	*capacity = wanted;
	return true;
}

static bool
fail_size(const Visit *visit)
{
	char		words[64];

	(void) snprintf(words, sizeof(words), "%zu bytes", visit->size_limit);
	return fail_with(visit->answer, "sends more than ", words);
}

/* Up to its end, or as many bytes as the header says (announced is 0 if it does not). */
static bool
read_body(Visit *visit, BIO *source, size_t announced)
{
	EsgHttpAnswer *answer = visit->answer;
	size_t		capacity = 0;
	int			n = 1;

	while (n > 0 && (announced == 0 || answer->len < announced))
	{
		size_t		room;

		if (!make_room(answer, &capacity))
			return false;
		room = capacity - answer->len;
		if (announced > 0 && room > announced - answer->len)
			room = announced - answer->len;
		n = BIO_read(source, answer->body + answer->len, (int) room);
		if (n > 0)
			answer->len += (size_t) n;
		if (answer->len > visit->size_limit)
			return fail_size(visit);
	}
	if (n < 0)
		return fail_openssl(answer, "could not be read");
	if (answer->len < announced)
		return fail(answer, "closed the connection before the end");
	return true;
}

/* OpenSSL has found the size to be more than the limit, or something else. */
static bool
explain_failure(Visit *visit)
{
	unsigned long code = ERR_peek_error();

	if (!check_status(visit))
		return false;
	if (ERR_GET_LIB(code) == ERR_LIB_HTTP && ERR_GET_REASON(code) == HTTP_R_MAX_RESP_LEN_EXCEEDED)
		return fail_size(visit);
	if (visit->header.size == 0 && (code == 0 || ERR_GET_LIB(code) == ERR_LIB_HTTP))
		return fail(visit->answer, "closed the connection without an answer");
	return fail_openssl(visit->answer, "could not be read");
}

static bool
take_answer(Visit *visit, BIO *source)
{
	if (source == NULL)
	{
		if (visit->redirect == NULL)
			return explain_failure(visit);
		return fail_with(visit->answer, "leads to ", visit->redirect);
	}
	if (!check_status(visit))
		return false;
	if (visit->header.chunked)
		return fail(visit->answer, "is sent in chunks, which OpenSSL's client for HTTP/1.0 cannot read");
	return read_body(visit, source, OSSL_HTTP_REQ_CTX_get_resp_len(visit->request));
}

/* The request is open; a body that is not whole is none. */
static bool
exchange(Visit *visit, const char *path)
{
	BIO		   *source = NULL;
	bool		good;

	if (!OSSL_HTTP_set1_request(visit->request, path, NULL, NULL, NULL, NULL, 0,
								visit->size_limit, 0, 0))
		return fail_openssl(visit->answer, "could not be asked for");
	source = OSSL_HTTP_exchange(visit->request, &visit->redirect);
	good = take_answer(visit, source);
	/* the connection's own, with one more reference; not for BIO_free_all() */
	BIO_free(source);
	if (!good)
	{
		OPENSSL_free(visit->answer->body);
		visit->answer->body = NULL;
		visit->answer->len = 0;
	}
	return good;
}

bool
esg_http_get_from(BIO *sink, BIO *source, const char *path, size_t size_limit,
				  EsgHttpAnswer *out, char **redirect)
{
	Visit		visit = {.size_limit = size_limit,.answer = out};
	bool		good = false;

	memset(out, 0, sizeof(*out));
	watch_header(source, &visit.header);
	visit.request = OSSL_HTTP_open(NULL, NULL, NULL, NULL, 0, sink, source, NULL, NULL, 0, 0);
	if (visit.request == NULL)
		(void) fail_openssl(out, "could not be asked for");
	else
		good = exchange(&visit, path);
	OSSL_HTTP_REQ_CTX_free(visit.request);
	BIO_set_callback_ex(source, NULL);
	*redirect = visit.redirect;
	ERR_clear_error();
	return good;
}

/* ---- the connection ---- */

/* Through a proxy, if OpenSSL has chosen one. */
static bool
pass_proxy(BIO *bio, const Url *url)
{
	return OSSL_HTTP_adapt_proxy(NULL, NULL, url->host, 1) == NULL ||
		OSSL_HTTP_proxy_connect(bio, url->host, url->port, NULL, NULL, 0, NULL, "") == 1;
}

static bool
prepare_tls(Visit *visit, SSL *ssl)
{
	const char *host = visit->url->host;

	/* what is not whole does not decode, so that nobody gains by cutting it */
	SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_set_connect_state(ssl);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static BIO *
push_tls(Visit *visit, BIO *bio)
{
	SSL		   *ssl = NULL;
	BIO		   *top;

	visit->context = SSL_CTX_new(TLS_client_method());
	if (visit->context != NULL && SSL_CTX_set_default_verify_paths(visit->context) == 1)
	{
		SSL_CTX_set_verify(visit->context, SSL_VERIFY_PEER, NULL);
		ssl = SSL_new(visit->context);
	}
	top = ssl != NULL && prepare_tls(visit, ssl) && pass_proxy(bio, visit->url) ? BIO_new(BIO_f_ssl()) : NULL;
	if (top == NULL)
	{
		SSL_free(ssl);
		return NULL;
	}
	(void) BIO_set_ssl(top, ssl, BIO_CLOSE);
	return BIO_push(top, bio);
}

/* OSSL_HTTP_bio_cb_t */
static BIO *
update_connection(BIO *bio, void *arg, int connect, int detail)
{
	Visit	   *visit = arg;
	BIO		   *top = connect && detail ? push_tls(visit, bio) : bio;

	if (connect && top != NULL)
		watch_header(top, &visit->header);
	return top;
}

static bool
ask(const Url *url, size_t size_limit, EsgHttpAnswer *out, char **redirect)
{
	Visit		visit = {.url = url,.size_limit = size_limit,.answer = out};
	bool		good = false;

	visit.request = OSSL_HTTP_open(url->host, url->port, NULL, NULL, url->use_ssl, NULL, NULL,
								   update_connection, &visit, 0, ONE_TRY);
	if (visit.request == NULL)
		(void) fail_openssl(out, "could not be reached");
	else
		good = exchange(&visit, url->path);
	OSSL_HTTP_REQ_CTX_free(visit.request);
	SSL_CTX_free(visit.context);
	*redirect = visit.redirect;
	ERR_clear_error();
	return good;
}

/* ---- URLs ---- */

static void
free_url(Url *url)
{
	OPENSSL_free(url->user);
	OPENSSL_free(url->host);
	OPENSSL_free(url->port);
	OPENSSL_free(url->path);
	memset(url, 0, sizeof(*url));
}

/* The path has the query, which belongs to what is asked for; the fragment does not. */
static bool
append_query(Url *url, const char *query)
{
	size_t		size = strlen(url->path) + strlen(query) + 2;
	char	   *path;

	if (query[0] == '\0')
		return true;
	path = OPENSSL_malloc(size);
	if (path == NULL)
		return false;
	(void) snprintf(path, size, "%s?%s", url->path, query);
	OPENSSL_free(url->path);
	url->path = path;
	return true;
}

static bool
parse_url(const char *text, Url *url)
{
	char	   *query = NULL;
	char	   *fragment = NULL;
	bool		good;

	memset(url, 0, sizeof(*url));
	good = OSSL_HTTP_parse_url(text, &url->use_ssl, &url->user, &url->host, &url->port, NULL,
							   &url->path, &query, &fragment) == 1 && append_query(url, query);
	OPENSSL_free(query);
	OPENSSL_free(fragment);
	ERR_clear_error();
	if (!good)
		free_url(url);
	return good;
}

bool
esg_http_get_can(void)
{
	return true;
}

/* "/path" on the same server: the URL up to there, and that; else the new URL itself. */
static char *
resolve_redirect(const char *from, const char *to)
{
	const char *host = strstr(from, "://");
	size_t		len = host != NULL ? (size_t) (host + 3 - from) + strcspn(host + 3, "/?#") : 0;
	size_t		size = len + strlen(to) + 1;
	char	   *url;

	if (to[0] != '/' || to[1] == '/')
		return OPENSSL_strdup(to);
	url = OPENSSL_malloc(size);
	if (url != NULL)
		(void) snprintf(url, size, "%.*s%s", (int) len, from, to);
	return url;
}

/* From https nobody is led to http: who could make it so could read along. */
static bool
may_follow(const char *from, const char *to, EsgHttpAnswer *out)
{
	char		reason[ESG_HTTP_REASON_SIZE];

	if (!esg_http_get_accepts(to, reason))
		return fail_with(out, "leads to another URL, which ", reason);
	if (strncasecmp(from, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0)
		return fail(out, "leads from https to http");
	return true;
}

/* One step; *url is replaced by where it leads to.  True: there is a body. */
static bool
visit_url(char **url, size_t size_limit, EsgHttpAnswer *out, bool *goes_on)
{
	Url			parts;
	char	   *redirect = NULL;
	char	   *next;
	bool		good;

	*goes_on = false;
	if (!parse_url(*url, &parts))
		return fail(out, "is no URL of a web server");
	good = ask(&parts, size_limit, out, &redirect);
	free_url(&parts);
	if (redirect == NULL)
		return good;
	next = resolve_redirect(*url, redirect);
	OPENSSL_free(redirect);
	*goes_on = next != NULL && may_follow(*url, next, out);
	OPENSSL_free(*url);
	*url = next;
	return false;
}

bool
esg_http_get(const char *url, size_t size_limit, EsgHttpAnswer *out)
{
	char	   *current = OPENSSL_strdup(url);
	bool		goes_on = current != NULL;
	bool		good = false;
	int			i;

	memset(out, 0, sizeof(*out));
	if (current == NULL)
		(void) fail(out, "could not be asked for: out of memory");
	for (i = 0; goes_on && i <= ESG_HTTP_REDIRECTS; i++)
		good = visit_url(&current, size_limit, out, &goes_on);
	if (goes_on)
		(void) fail(out, "leads to one URL after another, without end");
	if (good)
		out->reason[0] = '\0';
	OPENSSL_free(current);
	return good;
}

#else

bool
esg_http_get_can(void)
{
	return false;
}

bool
esg_http_get(const char *url, size_t size_limit, EsgHttpAnswer *out)
{
	(void) url;
	(void) size_limit;
	memset(out, 0, sizeof(*out));
	(void) snprintf(out->reason, ESG_HTTP_REASON_SIZE, "cannot be asked for: this OpenSSL has no client for HTTP");
	return false;
}

bool
esg_http_get_from(BIO *sink, BIO *source, const char *path, size_t size_limit,
				  EsgHttpAnswer *out, char **redirect)
{
	(void) sink;
	(void) source;
	*redirect = NULL;
	return esg_http_get(path, size_limit, out);
}

#endif

/* ---- which URLs ---- */

/* RFC 3986 has no blank, control character or octet above 127: they would end up in the request. */
static bool
has_odd_characters(const char *url)
{
	for (const unsigned char *c = (const unsigned char *) url; *c != '\0'; c++)
	{
		if (*c <= ' ' || *c > 126)
			return true;
	}
	return false;
}

/* Of what begins with "http://" or "https://". */
static bool
has_user(const char *url)
{
	const char *host = strchr(url, ':') + 3;

	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

static bool
refuse(char *reason, const char *words)
{
	(void) snprintf(reason, ESG_HTTP_REASON_SIZE, "%s", words);
	return false;
}

bool
esg_http_get_accepts(const char *url, char reason[ESG_HTTP_REASON_SIZE])
{
	reason[0] = '\0';
	if (has_odd_characters(url))
		return refuse(reason, "has characters that no URL has");
	if (strncasecmp(url, "ldap:", 5) == 0 || strncasecmp(url, "ldaps:", 6) == 0)
		return refuse(reason, "is an LDAP URL, and only http and https are supported");
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return refuse(reason, "is neither http nor https");
	if (has_user(url))
		return refuse(reason, "has a user name in it, which OpenSSL's client would not send");
	return true;
}

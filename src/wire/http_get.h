/*
 * wire/http_get.h
 *		What does a web server send for a URL?
 *
 * By OpenSSL's own client: HTTP/1.0, http and https, proxies as its manual has
 * them (OSSL_HTTP_adapt_proxy(3): http_proxy, https_proxy, no_proxy in the
 * environment).  Who serves https is verified against the CAs that OpenSSL
 * trusts by default (SSL_CERT_FILE, SSL_CERT_DIR).
 *
 * Pure, but blocking: nothing here limits the time, as a name that is not
 * resolved would hold the process up in any case.  The caller does, by a process
 * of its own, and ignores SIGPIPE.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_WIRE_HTTP_GET_H
#define ESG_WIRE_HTTP_GET_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>

/* bytes of a reason */
#define ESG_HTTP_REASON_SIZE 400

/* as many answers may lead to another place */
#define ESG_HTTP_REDIRECTS 5

/* of the header; a server that sends more is no server of files */
#define ESG_HTTP_HEADER_LIMIT 65536

typedef struct EsgHttpAnswer
{
	unsigned char *body;		/* NULL if there is none; for OPENSSL_free() */
	size_t		len;
	char		reason[ESG_HTTP_REASON_SIZE];	/* what follows the URL, if it
												 * failed: "answered \"404 Not
												 * Found\"".  Printable. */
} EsgHttpAnswer;

/* false: this OpenSSL has no such client (it is older than 3.0, or was built without) */
extern bool esg_http_get_can(void);

/* may the URL be asked for at all? If not, reason is set: another scheme, characters that no URL has … */
extern bool esg_http_get_accepts(const char *url, char reason[ESG_HTTP_REASON_SIZE]);

/* true: the body is there, of size_limit bytes at most */
extern bool esg_http_get(const char *url, size_t size_limit, EsgHttpAnswer *out);

/*
 * The same for a connection that is there: the request for the path goes to
 * sink, the answer comes from source, both the caller's.  *redirect is where the
 * answer leads to, OPENSSL_free(), or NULL.
 */
extern bool esg_http_get_from(BIO *sink, BIO *source, const char *path, size_t size_limit,
							  EsgHttpAnswer *out, char **redirect);

#endif							/* ESG_WIRE_HTTP_GET_H */

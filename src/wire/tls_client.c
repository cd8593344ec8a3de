/*
 * wire/tls_client.c
 *		What does a PostgreSQL server show in its TLS handshake?
 *
 * All of it is non-blocking, each step waits until the deadline at most.  At the
 * end the connection is closed in the order that the server takes for a client
 * that has changed its mind: close_notify, end of data, and what the server has
 * still sent is read.  A reset would be an error in its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "compat.h"
#include "wire/tls_client.h"

/* how long the server may take to hang up, milliseconds, when all is said */
#define FAREWELL_PATIENCE 1000

/* whatever has a certificate, weak or strong */
#define ALL_CIPHERS "ALL:COMPLEMENTOFALL:!aNULL:!PSK:!SRP:@SECLEVEL=0"
#define ALL_CIPHERSUITES \
	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:" \
	"TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"

typedef struct Talk
{
	const EsgTlsQuestion *question;
	EsgTlsAnswer *answer;
	int64_t		deadline;		/* as of now() */
	int64_t		begin;			/* of the step, as of now_us() */
	int			fd;				/* -1 if there is none */
	SSL_CTX    *context;
	SSL		   *ssl;
} Talk;

/* Microseconds of a clock that nobody sets. */
static int64_t
now_us(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Milliseconds. */
static int64_t
now(void)
{
	return now_us() / 1000;
}

/* A step is done; the next one begins. */
static bool
end_step(Talk *talk, int64_t *took)
{
	int64_t		at = now_us();

	*took = at - talk->begin;
	talk->begin = at;
	return true;
}

/* ---- why it failed ---- */

static bool
fail(Talk *talk, EsgTlsEnd end, const char *reason)
{
	talk->answer->end = end;
	(void) snprintf(talk->answer->reason, ESG_TLS_REASON_SIZE, "%s", reason);
	return false;
}

/* In whole seconds, where there are any, so that the next time it is said the same. */
static bool
fail_late(Talk *talk)
{
	int			limit = talk->question->time_limit;
	char		reason[64];

	if (limit >= 1000)
		(void) snprintf(reason, sizeof(reason), "did not answer within %d s", (limit + 500) / 1000);
	else
		(void) snprintf(reason, sizeof(reason), "did not answer within 0.%d s", limit / 100);
	return fail(talk, ESG_TLS_SILENT, reason);
}

static bool
fail_connection(Talk *talk, EsgTlsEnd end, const char *what, int error)
{
	char		reason[ESG_TLS_REASON_SIZE];

	(void) snprintf(reason, sizeof(reason), "%s: %s", what, strerror(error));
	return fail(talk, end, reason);
}

static bool
fail_closed(Talk *talk)
{
	return fail(talk, ESG_TLS_CLOSED, "closed the connection");
}

/* Did the server send an alert?  Of one that comes after it has asked for a certificate, that is the reason. */
static void
note_refusal(Talk *talk)
{
	unsigned long code = ERR_peek_error();
	const char *words = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (!talk->answer->wants_cert || ERR_GET_LIB(code) != ERR_LIB_SSL ||
		ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET)
		return;
	talk->answer->taken = ESG_TLS_TAKEN_REFUSED;
	(void) snprintf(talk->answer->refusal, ESG_TLS_REASON_SIZE, "%s", words ? words : "alert");
}

/* After an OpenSSL call: in its words. */
static bool
fail_tls(Talk *talk)
{
	unsigned long code = ERR_peek_error();
	const char *words = code != 0 ? ERR_reason_error_string(code) : NULL;
	char		reason[ESG_TLS_REASON_SIZE];

	note_refusal(talk);

#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
	if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return fail_closed(talk);
#endif
	if (words != NULL)
		(void) snprintf(reason, sizeof(reason), "did not agree on TLS: %s", words);
	else
		(void) snprintf(reason, sizeof(reason), "did not agree on TLS: OpenSSL error %lu", code);
	return fail(talk, ESG_TLS_REFUSED, reason);
}

/* ---- steps: each returns true, or false when the answer has the reason ---- */

/* Until the socket is ready for the events, at most to that moment; 0 if it is not by then. */
static int
wait_until(int fd, short events, int64_t deadline)
{
	for (;;)
	{
		struct pollfd item = {.fd = fd,.events = events};
		int64_t		left = deadline - now();
		int			found = poll(&item, 1, left > 0 ? (int) left : 0);

		if (found >= 0 || errno != EINTR)
			return found;
	}
}

static bool
wait_for(Talk *talk, short events)
{
	int			found = wait_until(talk->fd, events, talk->deadline);

	if (found < 0)
		return fail_connection(talk, ESG_TLS_UNREACHABLE, "cannot be waited for", errno);
	return found > 0 || fail_late(talk);
}

static bool
open_socket(Talk *talk)
{
	talk->fd = socket(talk->question->address->sa_family, SOCK_STREAM, 0);
	if (talk->fd < 0 || fcntl(talk->fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(talk->fd, F_SETFL, O_NONBLOCK) != 0)
		return fail_connection(talk, ESG_TLS_UNREACHABLE, "cannot be reached", errno);
	return true;
}

static bool
make_connection(Talk *talk)
{
	int			error = 0;
	socklen_t	size = sizeof(error);

	if (!open_socket(talk))
		return false;
	if (connect(talk->fd, talk->question->address, talk->question->address_size) == 0)
		return true;
	error = errno;
	if (error == EINPROGRESS || error == EINTR)
	{
		if (!wait_for(talk, POLLOUT))
			return false;
		if (getsockopt(talk->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
	}
	return error == 0 || fail_connection(talk, ESG_TLS_UNREACHABLE, "cannot be reached", error);
}

static bool
connect_socket(Talk *talk)
{
	return make_connection(talk) && end_step(talk, &talk->answer->connect_us);
}

/* SSLRequest, and what it is answered with: 'S', 'N', or something else. */
static bool
send_request(Talk *talk)
{
	static const unsigned char request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
	char		said;
	ssize_t		n;

	/* it fits into the buffer of a new connection */
	if (send(talk->fd, request, sizeof(request), 0) != sizeof(request))
		return fail_closed(talk);
	do
	{
		if (!wait_for(talk, POLLIN))
			return false;
		n = recv(talk->fd, &said, 1, 0);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK));
	if (n <= 0)
		return fail_closed(talk);
	if (said == 'N')
		return fail(talk, ESG_TLS_NONE, "says that it has no TLS");
	/* E begins an error message */
	if (said != 'S')
		return fail(talk, ESG_TLS_NOT_POSTGRES, said == 'E' ? "answered with an error" :
					"does not answer like PostgreSQL");
	return true;
}

static bool
request_tls(Talk *talk)
{
	return talk->question->direct ||
		(send_request(talk) && end_step(talk, &talk->answer->answer_us));
}

/* With one that TLS 1.3 has, too: without it OpenSSL does not even begin. */
static void
set_groups(SSL_CTX *context, const char *groups)
{
	char		more[1024];
	int			len = snprintf(more, sizeof(more), "%s:P-256", groups);

	/* twice the same is refused */
	if (len >= (int) sizeof(more) || SSL_CTX_set1_groups_list(context, more) != 1)
		(void) SSL_CTX_set1_groups_list(context, groups);
}

/* Takes down what the configuration of OpenSSL, or of the system, forbids. */
static bool
lower_limits(SSL_CTX *context, const char *groups)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
	(void) SSL_CTX_set_ciphersuites(context, ALL_CIPHERSUITES);
	if (groups != NULL && groups[0] != '\0')
		set_groups(context, groups);
	return SSL_CTX_set_min_proto_version(context, 0) == 1 &&
		SSL_CTX_set_max_proto_version(context, 0) == 1 &&
		SSL_CTX_set_cipher_list(context, ALL_CIPHERS) == 1;
}

/* OpenSSL's cert_cb: a certificate is asked for, by these CAs. */
static int
note_request(SSL *ssl, void *arg)
{
	EsgTlsAnswer *answer = arg;
	const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);

	answer->wants_cert = true;
	if (names != NULL && sk_X509_NAME_num(names) > 0 && answer->ca_names == NULL)
		answer->ca_names = SSL_dup_CA_list(names);
	return 1;
}

/* What this client shows of itself: names, and its certificate. */
static bool
introduce(Talk *talk)
{
	static const unsigned char protocols[] = "\012postgresql";
	const EsgTlsQuestion *question = talk->question;

	SSL_set_cert_cb(talk->ssl, note_request, talk->answer);
	return (question->host_name == NULL ||
			SSL_set_tlsext_host_name(talk->ssl, question->host_name) == 1) &&
		(!question->direct ||
		 SSL_set_alpn_protos(talk->ssl, protocols, sizeof(protocols) - 1) == 0) &&
		(question->cert == NULL ||
		 SSL_use_cert_and_key(talk->ssl, question->cert, question->key, question->cert_chain, 1) == 1);
}

static bool
prepare_tls(Talk *talk)
{
	talk->context = SSL_CTX_new(TLS_client_method());
	if (talk->context == NULL || !lower_limits(talk->context, talk->question->groups) ||
		(talk->ssl = SSL_new(talk->context)) == NULL || SSL_set_fd(talk->ssl, talk->fd) != 1 ||
		!introduce(talk))
	{
		(void) fail_tls(talk);
		talk->answer->end = ESG_TLS_NO_MEMORY;
		return false;
	}
	return true;
}

/* What an OpenSSL call that returned 0 or less waits for; false if for nothing. */
static bool
wait_for_tls(Talk *talk, int returned)
{
	int			save_errno = errno;

	switch (SSL_get_error(talk->ssl, returned))
	{
		case SSL_ERROR_WANT_READ:
			return wait_for(talk, POLLIN);
		case SSL_ERROR_WANT_WRITE:
			return wait_for(talk, POLLOUT);
		case SSL_ERROR_SYSCALL:
			if (save_errno != 0 && save_errno != EPIPE && save_errno != ECONNRESET)
				return fail_connection(talk, ESG_TLS_CLOSED, "broke off the handshake", save_errno);
			return fail_closed(talk);
		case SSL_ERROR_ZERO_RETURN:
			return fail_closed(talk);
		default:
			return fail_tls(talk);
	}
}

static bool
shake_hands(Talk *talk)
{
	for (;;)
	{
		int			returned;

		ERR_clear_error();
		errno = 0;
		returned = SSL_connect(talk->ssl);
		if (returned == 1)
			return end_step(talk, &talk->answer->handshake_us);
		if (!wait_for_tls(talk, returned))
			return false;
		/* who sends a byte now and then would keep us for ever */
		if (now() >= talk->deadline)
			return fail_late(talk);
	}
}

static bool
take_chain(Talk *talk)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(talk->ssl);

	if (chain == NULL || sk_X509_num(chain) == 0)
		return fail(talk, ESG_TLS_REFUSED, "shows no certificate");
	talk->answer->chain = X509_chain_up_ref(chain);
	if (talk->answer->chain == NULL)
		return fail(talk, ESG_TLS_NO_MEMORY, "could not be asked: out of memory");
	return true;
}

static void
take_words(Talk *talk)
{
	EsgTlsAnswer *answer = talk->answer;
	const char *group = SSL_get0_group_name(talk->ssl);

	(void) snprintf(answer->protocol, ESG_TLS_WORD_SIZE, "%s", SSL_get_version(talk->ssl));
	(void) snprintf(answer->cipher, ESG_TLS_WORD_SIZE, "%s", SSL_get_cipher_name(talk->ssl));
	answer->cipher_used = SSL_get_current_cipher(talk->ssl);
	(void) snprintf(answer->group, ESG_TLS_WORD_SIZE, "%s", group ? group : "");
}

/* The handshake did not come to its end, but the chain may have been shown before. */
static void
take_early_chain(Talk *talk)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(talk->ssl);

	if (chain != NULL && sk_X509_num(chain) > 0)
		talk->answer->chain = X509_chain_up_ref(chain);
}

/*
 * Reads what the server sends to the end: an alert, its own close_notify.  Only
 * an end says that it has nothing against the client.
 */
static void
hear_out(Talk *talk, int64_t deadline)
{
	char		rest[1024];

	do
	{
		int			n;
		int			error;

		ERR_clear_error();
		n = SSL_read(talk->ssl, rest, sizeof(rest));
		error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(talk->ssl, n);
		if (error == SSL_ERROR_SSL)
			note_refusal(talk);
		else if (error == SSL_ERROR_ZERO_RETURN && talk->answer->wants_cert)
			talk->answer->taken = ESG_TLS_TAKEN;
		if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ)
			return;
		if (error == SSL_ERROR_WANT_READ && wait_until(talk->fd, POLLIN, deadline) <= 0)
			return;
	} while (now() < deadline);
}

/*
 * Whoever closes the connection without a word of TLS's has not refused anything either; but what TLS has not
 * heard any more may have been an alert.
 */
static void
wait_for_end(Talk *talk, int64_t deadline)
{
	char		rest[1024];
	bool		unheard = false;
	ssize_t		n;

	do
	{
		if (wait_until(talk->fd, POLLIN, deadline) <= 0)
			return;
		n = recv(talk->fd, rest, sizeof(rest), 0);
		unheard |= n > 0;
	} while ((n > 0 && now() < deadline) || (n < 0 && errno == EINTR));
	if (n == 0 && !unheard && talk->answer->wants_cert && talk->answer->taken == ESG_TLS_TAKEN_UNKNOWN)
		talk->answer->taken = ESG_TLS_TAKEN;
}

static void
say_farewell(Talk *talk)
{
	int64_t		deadline = now() + FAREWELL_PATIENCE;

	bool		closed = SSL_shutdown(talk->ssl) >= 0 && shutdown(talk->fd, SHUT_WR) == 0;

	if (deadline > talk->deadline)
		deadline = talk->deadline;
	/* who has hung up already may have said why */
	hear_out(talk, deadline);
	if (closed)
		wait_for_end(talk, deadline);
}

static void
start_answer(EsgTlsAnswer *out)
{
	memset(out, 0, sizeof(*out));
	out->connect_us = out->answer_us = out->handshake_us = -1;
}

EsgTlsEnd
esg_tls_client_ask(const EsgTlsQuestion *question, EsgTlsAnswer *out)
{
	Talk		talk = {.question = question,.answer = out,.fd = -1,.context = NULL,.ssl = NULL};

	start_answer(out);
	talk.begin = now_us();
	talk.deadline = talk.begin / 1000 + question->time_limit;
	if (connect_socket(&talk) && request_tls(&talk) && prepare_tls(&talk) && shake_hands(&talk) &&
		take_chain(&talk))
	{
		take_words(&talk);
		say_farewell(&talk);
	}
	else if (out->end == ESG_TLS_REFUSED)
		take_early_chain(&talk);
	SSL_free(talk.ssl);
	SSL_CTX_free(talk.context);
	if (talk.fd >= 0)
		(void) close(talk.fd);
	ERR_clear_error();
	return out->end;
}

void
esg_tls_client_forget(EsgTlsAnswer *answer)
{
	sk_X509_pop_free(answer->chain, X509_free);
	sk_X509_NAME_pop_free(answer->ca_names, X509_NAME_free);
	answer->chain = NULL;
	answer->ca_names = NULL;
}

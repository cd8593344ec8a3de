/* sources: wire/tls_client */
/* wraps: SSL_get_error */
/*
 * test_failing_tls_client.c
 *		A client that asks a server for its certificate, where the system or OpenSSL fails: no answer is made up.
 *
 * The server is a child of the test's, a new one for each question.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* mkdtemp() */
#endif
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certmaker.h"
#include "compat.h"
#include "failing.h"
#include "wire/tls_client.h"

FAILS(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
FAILS(int, fcntl, (int fd, int command, long arg), (fd, command, arg), -1)
FAILS(int, connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), -1)
FAILS(int, poll, (struct pollfd *items, nfds_t count, int timeout), (items, count, timeout), -1)
FAILS(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size),
	(fd, level, name, value, size), -1)
FAILS(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags), -1)
FAILS(ssize_t, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags), -1)
FAILS(int, shutdown, (int fd, int how), (fd, how), -1)
FAILS(int, SSL_set_fd, (SSL *ssl, int fd), (ssl, fd), 0)
FAILS(int, SSL_set_alpn_protos, (SSL *ssl, const unsigned char *protocols, unsigned size),
	(ssl, protocols, size), 1)
FAILS(int, SSL_use_cert_and_key, (SSL *ssl, X509 *cert, EVP_PKEY *key, STACK_OF(X509) *chain, int override),
	(ssl, cert, key, chain, override), 0)
FAILS(STACK_OF(X509) *, SSL_get_peer_cert_chain, (const SSL *ssl), (ssl), NULL)
FAILS(STACK_OF(X509) *, X509_chain_up_ref, (STACK_OF(X509) *chain), (chain), NULL)
FAILS(int, SSL_shutdown, (SSL *ssl), (ssl), -1)
FAILS(int, SSL_read, (SSL *ssl, void *data, int size), (ssl, data, size), -1)

/* milliseconds */
#define PATIENT 20000
#define IMPATIENT 400

/* What the server does after the handshake, when the client has said that it ends. */
typedef enum Manner
{
	ENDS,						/* the same, and hangs up */
	HANGS_UP,					/* without a word */
	STAYS,						/* says so, and stays */
	TALKS						/* on and on, and does not listen */
} Manner;

static SSL_CTX *context;		/* the server's */
static X509 *cert;
static EVP_PKEY *key;
static Manner manner = ENDS;
static int	accepts = 1;		/* the client's certificate */

static EsgTlsQuestion question;
static EsgTlsAnswer answer;

/* ---- what OpenSSL says of a call ---- */

typedef struct Pretence
{
	const char *what;
	int			after;			/* the handshake, or during it */
	int			error;			/* what SSL_get_error() says, once */
	int			lib;			/* with that in the queue; 0: nothing */
	int			reason;
	EsgTlsEnd	end;
	const char *words;			/* in the reason */
	int			refused;		/* its certificate */
	const char *refusal;
} Pretence;

static const Pretence *pretence;

extern int	__real_SSL_get_error(const SSL *ssl, int returned);
extern int	__wrap_SSL_get_error(const SSL *ssl, int returned);

int
__wrap_SSL_get_error(const SSL *ssl, int returned)
{
	int			error;

	if (pretence == NULL || SSL_is_init_finished(ssl) != pretence->after)
		return __real_SSL_get_error(ssl, returned);
	if (pretence->lib != 0)
		ERR_raise(pretence->lib, pretence->reason);
	error = pretence->error;
	pretence = NULL;
	return error;
}

/* ---- the server ---- */

static int
judge_client(int good, X509_STORE_CTX *ctx)
{
	(void) good;
	(void) ctx;
	return accepts;
}

static void
make_context(void)
{
	CertSpec	spec = {.subject = "CN=leaf",.key = certmaker_ec("prime256v1")};

	key = spec.key;
	cert = certmaker_cert(&spec);
	context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, judge_client);
	ok(SSL_CTX_use_certificate(context, cert) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1 &&
	   SSL_CTX_add_client_CA(context, cert) == 1, "a server");
}

static void
serve(int listener)
{
	char		bytes[8];
	SSL		   *ssl = SSL_new(context);
	int			fd = accept(listener, NULL, NULL);

	alarm(60);
	if (fd < 0 || (!question.direct && (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes) || write(fd, "S", 1) != 1)))
		_exit(1);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
	{
		while (manner == TALKS && SSL_write(ssl, "12345678", sizeof(bytes)) > 0)
			;
		(void) SSL_read(ssl, bytes, sizeof(bytes));
		if (manner != HANGS_UP)
			(void) SSL_shutdown(ssl);
	}
	if (manner == STAYS)
		(void) pause();
	/* so that what was said last is not lost */
	(void) shutdown(fd, SHUT_WR);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	_exit(0);
}

typedef union Address
{
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
} Address;

static char socket_path[60];	/* "": a loopback address */

static int
listen_on(Address *address, socklen_t *size)
{
	int			fd;

	memset(address, 0, sizeof(*address));
	if (socket_path[0] != '\0')
	{
		(void) unlink(socket_path);
		address->un.sun_family = AF_UNIX;
		memcpy(address->un.sun_path, socket_path, sizeof(socket_path));
		*size = sizeof(address->un);
	}
	else
	{
		address->in.sin_family = AF_INET;
		address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*size = sizeof(address->in);
	}
	fd = socket(address->any.sa_family, SOCK_STREAM, 0);
	if (bind(fd, &address->any, *size) != 0 || listen(fd, 5) != 0 || getsockname(fd, &address->any, size) != 0)
		abort();
	return fd;
}

/* ---- the client ---- */

/* One question; only the client's calls fail. */
static void
ask(void)
{
	Address		address;
	long		countdown = failing_countdown;
	int			listener;
	pid_t		pid;

	failing_countdown = -1;
	listener = listen_on(&address, &question.address_size);
	question.address = &address.any;
	pid = fork();
	if (pid == 0)
		serve(listener);
	close(listener);
	failing_countdown = countdown;
	(void) esg_tls_client_ask(&question, &answer);
	(void) kill(pid, SIGKILL);
	(void) waitpid(pid, NULL, 0);
	question.address = NULL;
}

/* Where it was not heard out, nothing is known of whether the certificate is taken. */
static Outcome
judge(void)
{
	EsgTlsTaken wanted = accepts ? ESG_TLS_TAKEN : ESG_TLS_TAKEN_REFUSED;

	if (answer.end != ESG_TLS_SHOWN)
		return answer.reason[0] != '\0' && answer.protocol[0] == '\0' && answer.taken != ESG_TLS_TAKEN ? TOLD : WRONG;
	if (answer.reason[0] != '\0' || !answer.wants_cert || answer.chain == NULL || sk_X509_num(answer.chain) != 1 ||
		X509_cmp(sk_X509_value(answer.chain, 0), cert) != 0 || answer.cipher_used == NULL)
		return WRONG;
	return answer.taken == wanted ? RIGHT : answer.taken == ESG_TLS_TAKEN_UNKNOWN ? TOLD : WRONG;
}

static Outcome
ask_and_judge(void)
{
	Outcome		outcome;

	ask();
	outcome = judge();
	esg_tls_client_forget(&answer);
	return ERR_peek_error() == 0 ? outcome : WRONG;
}

static void
fail_with(int error)
{
	char		name[64];

	failing_errno = error;
	snprintf(name, sizeof(name), "error %d", error);
	ok(fail_each(name, ask_and_judge) > 10, "it is told");
}

static void
test_failing(void)
{
	static const int errors[] = {EIO, EINTR, EAGAIN, EPIPE, ECONNRESET, 0};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		fail_with(errors[i]);
	question.direct = true;
	question.host_name = "db1.example.com";
	fail_with(EIO);
	question.direct = false;
	question.host_name = NULL;
	accepts = 0;
	fail_with(EIO);
	accepts = 1;
}

static void
test_pretences(void)
{
	static const Pretence cases[] = {
		{"waits to write", 0, SSL_ERROR_WANT_WRITE, 0, 0, ESG_TLS_SHOWN, "", 0, ""},
		{"says that it ends, amid the handshake", 0, SSL_ERROR_ZERO_RETURN, 0, 0, ESG_TLS_CLOSED, "closed the connection", 0, ""},
		{"waits for something else", 0, SSL_ERROR_WANT_X509_LOOKUP, 0, 0, ESG_TLS_REFUSED, "did not agree on TLS: OpenSSL error 0", 0, ""},
		{"an alert without a name", 1, SSL_ERROR_SSL, ERR_LIB_SSL, SSL_AD_REASON_OFFSET + 200, ESG_TLS_SHOWN, "", 1, "alert"},
		{"an alert", 1, SSL_ERROR_SSL, ERR_LIB_SSL, SSL_R_TLSV1_ALERT_UNKNOWN_CA, ESG_TLS_SHOWN, "", 1, "unknown ca"},
		{"an error that is no alert", 1, SSL_ERROR_SSL, ERR_LIB_SSL, SSL_R_BAD_LENGTH, ESG_TLS_SHOWN, "", 0, ""},
		{"an error of another part of OpenSSL", 1, SSL_ERROR_SSL, ERR_LIB_EVP, SSL_AD_REASON_OFFSET + 48, ESG_TLS_SHOWN, "", 0, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		pretence = &cases[i];
		/* the server may be so fast that no handshake waits of its own accord */
		failing_only = "SSL_connect";
		failing_countdown = pretence->after ? -1 : 0;
		ask();
		failing_only = NULL;
		failing_countdown = -1;
		ok(pretence == NULL, "%s: that was seen", cases[i].what);
		pretence = NULL;
		is_int(answer.end, cases[i].end, cases[i].what);
		ok(strstr(answer.reason, cases[i].words) != NULL, "the reason: %s", answer.reason);
		is_int(answer.taken == ESG_TLS_TAKEN_REFUSED, cases[i].refused, "is the certificate refused");
		ok(strstr(answer.refusal, cases[i].refusal) != NULL, "why: %s", answer.refusal);
		ok(ERR_peek_error() == 0, "no error is left");
		esg_tls_client_forget(&answer);
	}
}

static void
test_manners(void)
{
	static const struct
	{
		const char *what;
		Manner		manner;
		EsgTlsTaken taken;
	}			cases[] = {
		{"it hangs up without a word", HANGS_UP, ESG_TLS_TAKEN},
		{"it stays", STAYS, ESG_TLS_TAKEN},
		{"it talks on and on", TALKS, ESG_TLS_TAKEN_UNKNOWN},
	};

	question.time_limit = IMPATIENT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		manner = cases[i].manner;
		ask();
		is_int(answer.end, ESG_TLS_SHOWN, cases[i].what);
		is_int(answer.taken, cases[i].taken, "is it taken");
		esg_tls_client_forget(&answer);
	}
	manner = ENDS;
	question.time_limit = PATIENT;
}

static void
test_groups(void)
{
	char		many[2000];
	const char *const lists[] = {"", "P-256", "P-384", many};

	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
	{
		question.groups = lists[i];
		ask();
		is_int(answer.end, ESG_TLS_SHOWN, i < 3 ? lists[i] : "a list that OpenSSL does not take: its own");
		/* P-256 is offered, too, and from OpenSSL 3.5 on a server prefers as it likes */
		ok(i != 2 || strcmp(answer.group, "secp384r1") == 0 || strcmp(answer.group, "secp256r1") == 0, "the group: %s", answer.group);
		esg_tls_client_forget(&answer);
	}
	question.groups = NULL;
}

/* Where the connection is there at once. */
static void
test_socket(void)
{
	char		dir[] = "/tmp/esg_socket.XXXXXX";

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	is_int(ask_and_judge(), RIGHT, "a socket in the file system");
	(void) unlink(socket_path);
	(void) rmdir(dir);
	socket_path[0] = '\0';
}

/* Whoever asks for a certificate need not say by which CAs. */
static void
test_no_names(void)
{
	static const int versions[] = {TLS1_2_VERSION, 0};

	SSL_CTX_set_client_CA_list(context, sk_X509_NAME_new_null());
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
	{
		ok(SSL_CTX_set_max_proto_version(context, versions[i]) == 1, "a version");
		ask();
		is_int(answer.end, ESG_TLS_SHOWN, "a certificate is asked for without a name of a CA");
		ok(answer.wants_cert && answer.ca_names == NULL, "which is known");
		esg_tls_client_forget(&answer);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_context();
	question.time_limit = PATIENT;
	question.cert = cert;
	question.key = key;
	is_int(ask_and_judge(), RIGHT, "nothing fails");
	test_failing();
	test_pretences();
	test_manners();
	test_groups();
	test_socket();
	test_no_names();
	SSL_CTX_free(context);
	X509_free(cert);
	return done();
}

/*
 * test_tls_client.c
 *		A client that asks servers, good and bad, for their certificate.
 *
 * Each server is a child of the test's, which serves one connection on a loopback
 * address, and says by its exit status whether the client has hung up as
 * it should.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certmaker.h"
#include "esg_test.h"
#include "wire/tls_client.h"

/* milliseconds */
#define PATIENT 20000
#define IMPATIENT 300

typedef struct Server
{
	const char *what;
	const char *answer;			/* to SSLRequest; NULL: none, "": hangs up */
	const char *ciphers;		/* then TLS with these, NULL: not even that */
	int			version;		/* of TLS at most, 0: any */
	int			bits;			/* of the key */
	const char *groups;			/* for key exchange, on both sides */
	int			drips;			/* sends a byte of a record every 50 ms instead */
	EsgTlsEnd	end;
	const char *reason;			/* the beginning of it */
} Server;

static const Server servers[] = {
	{"TLS 1.3", "S", "ALL", 0, 2048, NULL, 0, ESG_TLS_SHOWN, ""},
	{"TLS 1.2", "S", "ALL", TLS1_2_VERSION, 2048, NULL, 0, ESG_TLS_SHOWN, ""},
	{"TLS 1.0", "S", "ALL:@SECLEVEL=0", TLS1_VERSION, 2048, NULL, 0, ESG_TLS_SHOWN, ""},
	{"a weak key", "S", "ALL:@SECLEVEL=0", 0, 1024, NULL, 0, ESG_TLS_SHOWN, ""},
	{"a weak key, TLS 1.2, and no ECDHE", "S", "AES128-SHA:@SECLEVEL=0", TLS1_2_VERSION, 1024, NULL, 0, ESG_TLS_SHOWN, ""},
	{"a group that OpenSSL does not offer by itself", "S", "ALL", TLS1_2_VERSION, 2048, "secp224r1", 0, ESG_TLS_SHOWN, ""},
	{"no certificate", "S", "aNULL:@SECLEVEL=0", TLS1_2_VERSION, 0, NULL, 0, ESG_TLS_REFUSED, "did not agree on TLS: "},
	{"no TLS", "N", NULL, 0, 0, NULL, 0, ESG_TLS_NONE, "says that it has no TLS"},
	{"an error", "E", NULL, 0, 0, NULL, 0, ESG_TLS_NOT_POSTGRES, "answered with an error"},
	{"a web server", "HTTP/1.1 400", NULL, 0, 0, NULL, 0, ESG_TLS_NOT_POSTGRES, "does not answer like PostgreSQL"},
	{"who hangs up", "", NULL, 0, 0, NULL, 0, ESG_TLS_CLOSED, "closed the connection"},
	{"who hangs up before TLS", "S", NULL, 0, 0, NULL, 0, ESG_TLS_CLOSED, "closed the connection"},
	{"nonsense for TLS", "S<html>", NULL, 0, 0, NULL, 0, ESG_TLS_REFUSED, "did not agree on TLS: "},
	{"who says nothing", NULL, NULL, 0, 0, NULL, 0, ESG_TLS_SILENT, "did not answer within 0.3 s"},
	{"who stops before TLS", "S", NULL, 0, 0, NULL, 1, ESG_TLS_SILENT, "did not answer within 0.3 s"},
};

static int
count_fds(void)
{
	int			count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static SSL_CTX *
make_context(const Server *server)
{
	SSL_CTX    *context = SSL_CTX_new(TLS_server_method());
	CertSpec	leaf = {.subject = "CN=leaf",.key = server->bits ? certmaker_rsa(server->bits) : NULL};
	CertSpec	ca = {.subject = "CN=ca"};

	if (context == NULL || SSL_CTX_set_min_proto_version(context, 0) != 1 ||
		SSL_CTX_set_max_proto_version(context, server->version) != 1 ||
		SSL_CTX_set_cipher_list(context, server->ciphers) != 1)
		_exit(10);
	if (strstr(server->ciphers, "@SECLEVEL=0"))
		SSL_CTX_set_security_level(context, 0);
	if (server->groups != NULL && SSL_CTX_set1_groups_list(context, server->groups) != 1)
		_exit(11);
	if (server->bits != 0 &&
		(SSL_CTX_use_certificate(context, certmaker_cert(&leaf)) != 1 ||
		 SSL_CTX_use_PrivateKey(context, leaf.key) != 1 ||
		 SSL_CTX_add0_chain_cert(context, certmaker_cert(&ca)) != 1))
		_exit(12);
	return context;
}

/* 0: the client closes TLS, then the connection, both as one does who is content. */
static int
serve_tls(const Server *server, int fd)
{
	SSL		   *ssl = SSL_new(make_context(server));
	char		byte;
	int			n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		return 20;
	n = SSL_read(ssl, &byte, 1);
	if (n > 0 || SSL_get_error(ssl, n) != SSL_ERROR_ZERO_RETURN)
		return 21;
	SSL_shutdown(ssl);
	return read(fd, &byte, 1) == 0 ? 0 : 22;
}

/* the head of a record that never has an end */
static void
drip(int fd)
{
	static const unsigned char head[] = {22, 3, 3, 0x40, 0};

	for (size_t i = 0; i < 100; i++)
	{
		struct timespec pause = {0, 50000000};

		if (write(fd, i < sizeof(head) ? &head[i] : &head[4], 1) != 1)
			_exit(0);
		nanosleep(&pause, NULL);
	}
	_exit(0);
}

static void
serve(const Server *server, int listener)
{
	static const unsigned char wanted[8] = {0, 0, 0, 8, 4, 210, 22, 47};
	unsigned char request[8];
	int			fd = accept(listener, NULL, NULL);

	alarm(60);
	if (fd < 0 || recv(fd, request, sizeof(request), MSG_WAITALL) != sizeof(request) ||
		memcmp(request, wanted, sizeof(wanted)) != 0)
		_exit(1);
	if (server->answer == NULL)
		_exit(read(fd, request, 1) == 0 ? 0 : 2);
	if (write(fd, server->answer, strlen(server->answer)) != (ssize_t) strlen(server->answer))
		_exit(3);
	if (server->drips)
		drip(fd);
	_exit(server->ciphers != NULL ? serve_tls(server, fd) : 0);
}

static int
listen_on(struct sockaddr_in *address)
{
	socklen_t	size = sizeof(*address);
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *) address, size) != 0 || listen(fd, 5) != 0 ||
		getsockname(fd, (struct sockaddr *) address, &size) != 0)
		_exit(1);
	return fd;
}

static void
try_server(const Server *server)
{
	struct sockaddr_in address;
	int			listener = listen_on(&address);
	EsgTlsQuestion question = {(struct sockaddr *) &address, sizeof(address), NULL, server->groups,
	server->end == ESG_TLS_SILENT ? IMPATIENT : PATIENT};
	EsgTlsAnswer answer;
	char		name[200];
	int			status = 0;
	pid_t		pid = fork();

	if (pid == 0)
		serve(server, listener);
	close(listener);
	(void) esg_tls_client_ask(&question, &answer);
	(void) waitpid(pid, &status, 0);
	snprintf(name, sizeof(name), "%s: %s", server->what, answer.reason);
	is_int(answer.end, server->end, name);
	ok(strncmp(answer.reason, server->reason, strlen(server->reason)) == 0 &&
	   (server->reason[0] != '\0' || answer.reason[0] == '\0'), "%s: the reason", server->what);
	ok(ERR_peek_error() == 0, "%s: no error is left", server->what);
	is_int(answer.chain ? sk_X509_num(answer.chain) : -1, server->end == ESG_TLS_SHOWN ? 2 : -1, "certificates");
	if (server->end == ESG_TLS_SHOWN)
		is_int(status, 0, "and the server sees an orderly end");
	esg_tls_client_forget(&answer);
	ok(answer.chain == NULL, "%s: forgotten", server->what);
}

/* nobody listens there */
static void
try_nobody(void)
{
	struct sockaddr_in address;
	int			listener = listen_on(&address);
	EsgTlsQuestion question = {(struct sockaddr *) &address, sizeof(address), NULL, NULL, PATIENT};
	EsgTlsAnswer answer;

	close(listener);
	is_int(esg_tls_client_ask(&question, &answer), ESG_TLS_UNREACHABLE, "nobody listens");
	ok(strncmp(answer.reason, "cannot be reached: ", 19) == 0, "and the reason: %s", answer.reason);
	esg_tls_client_forget(&answer);
}

/* a backlog that is full: not even the connection comes about */
static void
try_late(void)
{
	struct sockaddr_in address;
	int			listener = listen_on(&address);
	EsgTlsQuestion question = {(struct sockaddr *) &address, sizeof(address), NULL, NULL, IMPATIENT};
	EsgTlsAnswer answer;
	long		began = now();

	/* nobody accepts */
	is_int(esg_tls_client_ask(&question, &answer), ESG_TLS_SILENT, "nobody accepts");
	ok(now() - began >= IMPATIENT && now() - began < PATIENT, "and the time limit holds");
	esg_tls_client_forget(&answer);
	close(listener);
}

/* ---- client certificates, and TLS without SSLRequest ---- */

typedef struct Meeting
{
	const char *what;
	int			version;		/* of TLS at most, 0: any */
	int			verify;			/* SSL_VERIFY_* of the server */
	int			presents;		/* the client has a certificate, */
	int			trusted;		/* of a CA that the server knows */
	int			direct;
	EsgTlsEnd	end;
	EsgTlsTaken taken;
	const char *refusal;		/* part of it */
} Meeting;

#define ASKS SSL_VERIFY_PEER
#define INSISTS (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)

static const Meeting meetings[] = {
	{"does not ask", 0, 0, 1, 1, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN_UNKNOWN, ""},
	{"TLS at once", 0, 0, 0, 0, 1, ESG_TLS_SHOWN, ESG_TLS_TAKEN_UNKNOWN, ""},
	{"TLS 1.3, asks, gets none", 0, ASKS, 0, 0, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN, ""},
	{"TLS 1.2, asks, gets none", TLS1_2_VERSION, ASKS, 0, 0, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN, ""},
	{"TLS 1.3, insists, gets none", 0, INSISTS, 0, 0, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN_REFUSED, "certificate required"},
	{"TLS 1.2, insists, gets none", TLS1_2_VERSION, INSISTS, 0, 0, 0, ESG_TLS_REFUSED, ESG_TLS_TAKEN_REFUSED, "handshake failure"},
	{"TLS 1.3, a good one", 0, INSISTS, 1, 1, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN, ""},
	{"TLS 1.3, a good one, TLS at once", 0, INSISTS, 1, 1, 1, ESG_TLS_SHOWN, ESG_TLS_TAKEN, ""},
	{"TLS 1.2, a good one", TLS1_2_VERSION, INSISTS, 1, 1, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN, ""},
	{"TLS 1.3, an unknown one", 0, ASKS, 1, 0, 0, ESG_TLS_SHOWN, ESG_TLS_TAKEN_REFUSED, "unknown ca"},
	{"TLS 1.2, an unknown one", TLS1_2_VERSION, ASKS, 1, 0, 0, ESG_TLS_REFUSED, ESG_TLS_TAKEN_REFUSED, "unknown ca"},
};

static X509 *client_ca;
static X509 *client_cert;
static X509 *other_ca;

static void
make_clients(void)
{
	CertSpec	ca = {.subject = "CN=client ca",.extensions = "basicConstraints=critical,CA:TRUE\n"};
	CertSpec	other = {.subject = "CN=other ca",.key = certmaker_rsa_other(2048),
	.extensions = "basicConstraints=critical,CA:TRUE\n"};
	CertSpec	leaf = {.subject = "CN=client",.issuer_key = certmaker_rsa(2048)};

	client_ca = certmaker_cert(&ca);
	other_ca = certmaker_cert(&other);
	leaf.issuer_cert = client_ca;
	client_cert = certmaker_cert(&leaf);
}

/* OpenSSL's callback: the protocol that PostgreSQL 17 insists on */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in,
				unsigned in_size, void *arg)
{
	(void) ssl;
	(void) arg;
	if (in_size != 11 || memcmp(in, "\012postgresql", 11) != 0)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = in + 1;
	*size = 10;
	return SSL_TLSEXT_ERR_OK;
}

static void
meet(const Meeting *meeting, int listener)
{
	Server		server = {"", "S", "ALL", meeting->version, 2048, NULL, 0, ESG_TLS_SHOWN, ""};
	SSL_CTX    *context = make_context(&server);
	X509	   *ca = meeting->trusted ? client_ca : other_ca;
	SSL		   *ssl;
	char		request[8];
	int			fd = accept(listener, NULL, NULL);

	alarm(60);
	SSL_CTX_set_verify(context, meeting->verify, NULL);
	/* what has been made is from the past */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
	SSL_CTX_add_client_CA(context, ca);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	if (fd < 0 || (!meeting->direct && (recv(fd, request, sizeof(request), MSG_WAITALL) != 8 ||
										write(fd, "S", 1) != 1)))
		_exit(1);
	ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
	{
		(void) SSL_read(ssl, request, 1);
		(void) SSL_shutdown(ssl);
	}
	_exit(0);
}

static void
check_facts(const Meeting *meeting, const EsgTlsAnswer *answer)
{
	ok(answer->connect_us >= 0 && (answer->answer_us >= 0) == !meeting->direct, "%s: steps", meeting->what);
	is_int(answer->wants_cert, meeting->verify != 0, "is a certificate asked for");
	is_int(answer->ca_names ? sk_X509_NAME_num(answer->ca_names) : 0, meeting->verify != 0, "names of CAs");
	if (answer->end != ESG_TLS_SHOWN)
		return;
	ok(answer->handshake_us >= 0 && answer->handshake_us < (int64_t) PATIENT * 1000, "%s: the handshake took its time",
	   meeting->what);
	is_text(answer->protocol, meeting->version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3", "the protocol");
	ok(answer->cipher[0] != '\0' && answer->group[0] != '\0' && answer->cipher_used != NULL,
	   "%s: %s, %s", meeting->what, answer->cipher, answer->group);
}

static void
try_meeting(const Meeting *meeting)
{
	struct sockaddr_in address;
	int			listener = listen_on(&address);
	EsgTlsQuestion question = {
		.address = (struct sockaddr *) &address,.address_size = sizeof(address),.time_limit = PATIENT,
		.direct = meeting->direct,.cert = meeting->presents ? client_cert : NULL,.key = certmaker_rsa(2048)
	};
	EsgTlsAnswer answer;
	char		name[200];
	pid_t		pid = fork();

	if (pid == 0)
		meet(meeting, listener);
	close(listener);
	(void) esg_tls_client_ask(&question, &answer);
	(void) waitpid(pid, NULL, 0);
	snprintf(name, sizeof(name), "%s: %s", meeting->what, answer.reason);
	is_int(answer.end, meeting->end, name);
	is_int(answer.chain ? sk_X509_num(answer.chain) : 0, 2, "certificates, also where it comes to nothing");
	snprintf(name, sizeof(name), "%s: is it taken (%s)", meeting->what, answer.refusal);
	is_int(answer.taken, meeting->taken, name);
	ok(strstr(answer.refusal, meeting->refusal) != NULL, "%s: why not", meeting->what);
	check_facts(meeting, &answer);
	ok(ERR_peek_error() == 0, "%s: no error is left", meeting->what);
	esg_tls_client_forget(&answer);
	ok(answer.chain == NULL && answer.ca_names == NULL, "%s: forgotten", meeting->what);
}

int
main(void)
{
	int			fds = count_fds();

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* so that children inherit the keys */
	(void) certmaker_rsa(2048);
	(void) certmaker_rsa(1024);
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		try_server(&servers[i]);
	try_nobody();
	try_late();
	make_clients();
	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++)
		try_meeting(&meetings[i]);
	X509_free(client_ca);
	X509_free(client_cert);
	X509_free(other_ca);
	is_int(count_fds(), fds, "no descriptor is left");
	return done();
}

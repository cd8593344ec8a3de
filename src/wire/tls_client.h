/*
 * wire/tls_client.h
 *		What does a PostgreSQL server show in its TLS handshake?
 *
 * Asks as a client does, SSLRequest and then TLS, or TLS at once, but takes
 * whatever is offered: any protocol, any cipher with a certificate, any key.
 * Nothing is verified, and no startup packet follows, so that the server has no
 * session and nothing to log, unless it refuses the client's certificate.
 *
 * Pure.  The clock is looked at for the time limit only.  OpenSSL's error queue is
 * left empty.  The caller ignores SIGPIPE.
 */
#ifndef ESG_WIRE_TLS_CLIENT_H
#define ESG_WIRE_TLS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>
#include <sys/socket.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* bytes of a reason */
#define ESG_TLS_REASON_SIZE 160

typedef enum EsgTlsEnd
{
	ESG_TLS_SHOWN = 0,			/* there is a chain */
	ESG_TLS_UNREACHABLE,		/* no connection */
	ESG_TLS_SILENT,				/* the time limit is over */
	ESG_TLS_CLOSED,				/* it hung up */
	ESG_TLS_NONE,				/* it says that it has no TLS */
	ESG_TLS_NOT_POSTGRES,		/* its answer to SSLRequest is neither */
	ESG_TLS_REFUSED,			/* the handshake failed */
	ESG_TLS_NO_MEMORY			/* nor anything else that OpenSSL needs here */
} EsgTlsEnd;

typedef struct EsgTlsQuestion
{
	const struct sockaddr *address;
	socklen_t	address_size;
	const char *host_name;		/* asked for by SNI; NULL: none is */
	const char *groups;			/* for the key exchange, as OpenSSL's lists
								 * have them; NULL, or a list that it does not
								 * take: its own */
	int			time_limit;		/* milliseconds, for all of it */
	bool		direct;			/* TLS at once, with ALPN "postgresql", as
								 * PostgreSQL 17 takes it */
	X509	   *cert;			/* to present, with its key; NULL: none is */
	STACK_OF(X509) *cert_chain; /* above it; or NULL */
	EVP_PKEY   *key;
} EsgTlsQuestion;

/* What the server makes of the client's certificate, or of its absence. */
typedef enum EsgTlsTaken
{
	ESG_TLS_TAKEN_UNKNOWN = 0,	/* it has not asked, or not said until the
								 * time was over */
	ESG_TLS_TAKEN,
	ESG_TLS_TAKEN_REFUSED		/* see refusal */
} EsgTlsTaken;

/* longest name of a protocol, cipher or group, NUL included */
#define ESG_TLS_WORD_SIZE 64

typedef struct EsgTlsAnswer
{
	EsgTlsEnd	end;
	char		reason[ESG_TLS_REASON_SIZE];	/* what follows the server's
												 * name: "did not answer
												 * within 5 s"; "" if shown */
	STACK_OF(X509) *chain;		/* as presented, the leaf first; NULL unless
								 * shown, or refused after it was */
	int64_t		connect_us;		/* how long the steps took, microseconds; -1:
								 * it has not come to that */
	int64_t		answer_us;		/* to SSLRequest */
	int64_t		handshake_us;
	char		protocol[ESG_TLS_WORD_SIZE];	/* "TLSv1.3"; these three are
												 * "" unless shown */
	char		cipher[ESG_TLS_WORD_SIZE];
	char		group[ESG_TLS_WORD_SIZE];	/* of the key exchange; "" also if
											 * there is none */
	const SSL_CIPHER *cipher_used;	/* static; NULL unless shown */
	bool		wants_cert;		/* asks for a client's certificate, */
	STACK_OF(X509_NAME) *ca_names;	/* by these CAs; NULL if it names none */
	EsgTlsTaken taken;
	char		refusal[ESG_TLS_REASON_SIZE];	/* OpenSSL's name of the alert */
} EsgTlsAnswer;

/* out is for esg_tls_client_forget(), whatever is returned */
extern EsgTlsEnd esg_tls_client_ask(const EsgTlsQuestion *question, EsgTlsAnswer *out);

extern void esg_tls_client_forget(EsgTlsAnswer *answer);

#endif							/* ESG_WIRE_TLS_CLIENT_H */

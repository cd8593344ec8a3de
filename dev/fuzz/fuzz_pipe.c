/*
 * fuzz_pipe.c
 *		The pipe by which backends tell the worker of failed handshakes.
 *
 * The first octet says what the data is.  Records: somebody who has taken over a
 * backend writes what he likes; the worker takes what ends and can be shown, and is
 * not kept busy.  A certificate, in DER: what a verification that fails writes of it
 * is read again, and OpenSSL's errors stay as they were.
 */
#include "server_stub.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "utils/timestamp.h"

#include "checks.h"
#include "login/failure_log.h"
#include "login/handshake.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int	write_end = -1;
static int	noted;
static bool of_certificate;

/* Instead of the log and the table: what is given to them. */
void
esg_failure_log_note(EsgFailure *failure, const EsgFailureCause *cause, TimestampTz now)
{
	(void) now;
	noted++;
	must(memchr(failure->reason, '\0', sizeof(failure->reason)) != NULL && failure->reason[0] != '\0');
	must(memchr(failure->subject, '\0', sizeof(failure->subject)) != NULL);
	must(memchr(failure->issuer, '\0', sizeof(failure->issuer)) != NULL);
	must(memchr(failure->serial_number, '\0', sizeof(failure->serial_number)) != NULL);
	must(IS_VALID_TIMESTAMP(failure->last_seen));
	must(cause->error != NULL && strlen(cause->error) > 0);
	if (of_certificate)
	{
		check_text(OPENSSL_strdup(failure->subject));
		check_text(OPENSSL_strdup(failure->issuer));
		check_text(OPENSSL_strdup(failure->serial_number));
		must(failure->last_address.family == 0 && !failure->known_ca);
	}
}

void
esg_failure_log_tell(TimestampTz now)
{
	(void) now;
}

static void
begin(void)
{
	char		path[64];

	esg_handshake_init();
	must(esg_handshake_fd() >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", esg_handshake_fd());
	write_end = open(path, O_WRONLY | O_NONBLOCK);
	must(write_end >= 0);
}

static bool
is_empty(void)
{
	struct pollfd pipe = {.fd = esg_handshake_fd(),.events = POLLIN};

	return poll(&pipe, 1, 0) == 0;
}

static void
drain(void)
{
	noted = 0;
	for (int i = 0; i < 1000 && !is_empty(); i++)
		esg_handshake_drain();
	must(is_empty());
}

static void
try_certificate(const uint8_t *data, size_t size)
{
	X509	   *cert = d2i_X509(NULL, &data, (long) size);
	SSL_CTX    *context = SSL_CTX_new(TLS_server_method());
	SSL		   *ssl = SSL_new(context);
	X509_STORE_CTX *verification = X509_STORE_CTX_new();
	int			result;

	ERR_clear_error();
	of_certificate = true;
	if (cert != NULL)
	{
		esg_handshake_watch(context);
		must(X509_STORE_CTX_init(verification, SSL_CTX_get_cert_store(context), cert, NULL) == 1);
		must(X509_STORE_CTX_set_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) == 1);
		result = X509_verify_cert(verification);
		ERR_clear_error();
		ERR_raise(ERR_LIB_USER, 42);
		X509_STORE_CTX_cleanup(verification);
		must(ERR_GET_REASON(ERR_get_error()) == 42 && ERR_peek_error() == 0);
		drain();
		must(noted == (result == 1 ? 0 : 1));
	}
	X509_STORE_CTX_free(verification);
	SSL_free(ssl);
	SSL_CTX_free(context);
	X509_free(cert);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (write_end < 0)
		begin();
	of_certificate = false;
	if (data[0] % 2 == 0)
		try_certificate(data + 1, size - 1);
	else if (write(write_end, data + 1, size - 1) >= 0)
		drain();
	ERR_clear_error();
	return 0;
}

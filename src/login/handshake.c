/*
 * login/handshake.c
 *		What did the handshake see?
 *
 * OpenSSL calls the cleanup function of a certificate store at the end of each
 * verification, when the verdict stands: it can be seen there, not changed.
 * Callbacks of the SSL_CTX would not do: since PostgreSQL 19 a context with a
 * certificate is not one that connections are made from, but lends them its
 * store.
 *
 * A record is smaller than PIPE_BUF, so that pipe(7) writes it whole or not at
 * all; when the pipe is full it is dropped and an eventfd(2) counts that.
 */
#include "postgres.h"

#include <limits.h>
#include <unistd.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "login/clients.h"
#include "login/failure_log.h"
#include "login/handshake.h"
#include "policy/elapsed.h"
#include "server/guc.h"
#include "server/report.h"
#include "x509/cut_text.h"
#include "x509/info.h"

/* records taken in one go: the worker has other things to do */
#define MAX_DRAIN 200
/* the longest chain whose signatures are looked at again */
#define MAX_CHAIN 8
/* between two lines about failures that were not even counted */
#define DROPS_PAUSE (10 * USECS_PER_SEC)
/* OpenSSL's error queue holds no more */
#define MAX_ERRORS 16

typedef struct HandshakeRecord
{
	int			verify_error;
	int			depth;			/* 0: the client's own certificate */
	uint8		known_ca;		/* 1, else 0 */
	TimestampTz at;
	EsgClientAddress address;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	char		subject[ESG_CLIENT_NAME_SIZE];
	char		issuer[ESG_CLIENT_NAME_SIZE];
	char		serial_number[ESG_CLIENT_SERIAL_SIZE];
} HandshakeRecord;

StaticAssertDecl(sizeof(HandshakeRecord) <= PIPE_BUF,
				 "a record must fit into a pipe whole");

/* One X509_V_ERR_* and what it means to who reads the log. */
typedef struct Reason
{
	int			verify_error;
	const char *name;
	const char *hint;
} Reason;

#define HINT_CA "Its issuer is not in the file of \"ssl_ca_file\", or the client did not send its intermediate certificates."
#define HINT_RENEW "Issue a new certificate to this client."
#define HINT_ISSUER "This is said of an issuer of the certificate, not of the certificate itself. Replace that CA certificate."
#define HINT_CRL "The certificate itself may be good: while a CRL is missing or out of date every client certificate of that CA is refused. Put a current CRL in place and reload the server."

static const Reason reasons[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, "expired", HINT_RENEW},
	{X509_V_ERR_CERT_NOT_YET_VALID, "not_yet_valid", "Check the clocks of this host and of the CA."},
	{X509_V_ERR_CERT_REVOKED, "revoked", "The CA has revoked it. Find out who still uses it."},
	{X509_V_ERR_CRL_HAS_EXPIRED, "crl_expired", HINT_CRL},
	{X509_V_ERR_UNABLE_TO_GET_CRL, "crl_missing", HINT_CRL},
	{X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, "crl_missing", HINT_CRL},
	{X509_V_ERR_CRL_NOT_YET_VALID, "crl_not_yet_valid", HINT_CRL},
	{X509_V_ERR_CRL_SIGNATURE_FAILURE, "crl_bad_signature", HINT_CRL},
	{X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, "crl_bad_signature", HINT_CRL},
	{X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, "crl_bad_signature", HINT_CRL},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "unknown_ca", HINT_CA},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "unknown_ca", HINT_CA},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "unknown_ca", HINT_CA},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "unknown_ca", HINT_CA},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "unknown_ca", HINT_CA},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, "bad_signature", "A CA of that name is known, but its key does not verify this certificate."},
	{X509_V_ERR_INVALID_PURPOSE, "wrong_purpose", "Issue the certificate with extended key usage clientAuth."},
	{X509_V_ERR_INVALID_CA, "invalid_ca", "One of its issuers is not a CA certificate."},
	{X509_V_ERR_EE_KEY_TOO_SMALL, "weak_key", HINT_RENEW},
	{X509_V_ERR_CA_KEY_TOO_SMALL, "weak_key", "Replace the CA's key."},
	{X509_V_ERR_CA_MD_TOO_WEAK, "weak_signature", HINT_RENEW},
	{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "unknown_critical_extension", HINT_RENEW},
	{X509_V_ERR_CERT_CHAIN_TOO_LONG, "chain_too_long", NULL},
	{X509_V_ERR_OUT_OF_MEM, "out_of_memory", NULL},
};

/* Made once in the postmaster, inherited by every process; -1 where nothing is inherited. */
static int	pipe_read = -1;
static int	pipe_write = -1;
static int	drop_counter = -1;

/* Worker only. */
static TimestampTz drops_reported_at = 0;

static X509_STORE_CTX_cleanup_fn prev_store_cleanup = NULL;

static const Reason *
find_reason(int verify_error)
{
	for (int i = 0; i < lengthof(reasons); i++)
	{
		if (reasons[i].verify_error == verify_error)
			return &reasons[i];
	}
	return NULL;
}

/* Takes the errors off OpenSSL's queue; returns how many. */
static int
take_errors(unsigned long *codes)
{
	int			count = 0;

	while (count < MAX_ERRORS && (codes[count] = ERR_get_error()) != 0)
		count++;
	return count;
}

/* Leaves these and no others on the queue. */
static void
put_errors(const unsigned long *codes, int count)
{
	ERR_clear_error();
	for (int i = 0; i < count; i++)
		ERR_raise(ERR_GET_LIB(codes[i]), ERR_GET_REASON(codes[i]));
}

/*
 * Did a CA of the server's sign the certificate?  Much is found wrong before
 * OpenSSL looks at signatures, and names are anybody's to write.  From the top,
 * so that no key is used that nobody vouches for.
 */
static bool
is_of_known_ca(X509_STORE_CTX *store)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
	int			count = chain ? sk_X509_num(chain) : 0;

	if (count > MAX_CHAIN || X509_STORE_CTX_get_num_untrusted(store) >= count)
		return false;
	for (int i = count - 2; i >= 0; i--)
	{
		EVP_PKEY   *key = X509_get0_pubkey(sk_X509_value(chain, i + 1));

		if (key == NULL || X509_verify(sk_X509_value(chain, i), key) != 1)
			return false;
	}
	return true;
}

static void
fill_record(HandshakeRecord *record, X509_STORE_CTX *store, X509 *cert)
{
	memset(record, 0, sizeof(*record));
	record->verify_error = X509_STORE_CTX_get_error(store);
	record->depth = X509_STORE_CTX_get_error_depth(store);
	record->known_ca = is_of_known_ca(store);
	record->at = GetCurrentTimestamp();
	if (MyProcPort != NULL)
		esg_client_entry_set_address(&MyProcPort->raddr, &record->address);
	(void) esg_x509_info_fingerprint(cert, record->fingerprint);
	esg_cut_text_take(record->subject, sizeof(record->subject),
					  esg_x509_name_start(X509_get_subject_name(cert), sizeof(record->subject)));
	esg_cut_text_take(record->issuer, sizeof(record->issuer),
					  esg_x509_name_start(X509_get_issuer_name(cert), sizeof(record->issuer)));
	esg_cut_text_take(record->serial_number, sizeof(record->serial_number),
					  esg_x509_info_serial_text(X509_get0_serialNumber(cert)));
}

static void
send_record(const HandshakeRecord *record)
{
	uint64		one = 1;

	if (write(pipe_write, record, sizeof(*record)) == sizeof(*record))
		return;
	if (drop_counter >= 0 && write(drop_counter, &one, sizeof(one)) < 0)
		return;					/* nobody left to tell */
}

/*
 * A verification has ended, well or not.  The store also serves the building of
 * the server's own chain, which belongs to no connection.
 */
static int
verification_ended(X509_STORE_CTX *store)
{
	void	   *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509	   *cert = X509_STORE_CTX_get0_cert(store);
	int			save_errno = errno;
	unsigned long errors[MAX_ERRORS];
	int			error_count;
	HandshakeRecord record;

	if (ssl != NULL && cert != NULL && pipe_write >= 0 &&
		X509_STORE_CTX_get_error(store) != X509_V_OK)
	{
		/* core logs the first of them, which is to stay the first */
		error_count = take_errors(errors);
		fill_record(&record, store, cert);
		put_errors(errors, error_count);
		send_record(&record);
	}
	errno = save_errno;
	return prev_store_cleanup ? prev_store_cleanup(store) : 1;
}

void
esg_handshake_watch(SSL_CTX *context)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509_STORE_CTX_cleanup_fn before;

	if (store == NULL)
		return;
	before = X509_STORE_get_cleanup(store);
	if (before != verification_ended)
		prev_store_cleanup = before;
	X509_STORE_set_cleanup(store, verification_ended);
}

void
esg_handshake_init(void)
{
	int			ends[2];

	if (!ESG_CHILDREN_INHERIT || pipe(ends) != 0)
		return;
	pipe_read = ends[0];
	pipe_write = ends[1];
	for (int i = 0; i < 2; i++)
	{
		(void) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		(void) fcntl(ends[i], F_SETFL, O_NONBLOCK);
	}
	drop_counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int
esg_handshake_fd(void)
{
	return pipe_read;
}

/* NULL: nothing to advise */
static const char *
choose_hint(const HandshakeRecord *record)
{
	const Reason *reason = find_reason(record->verify_error);

	switch (record->verify_error)
	{
		case X509_V_ERR_CERT_HAS_EXPIRED:
		case X509_V_ERR_CERT_REVOKED:
		case X509_V_ERR_INVALID_PURPOSE:
		case X509_V_ERR_CA_MD_TOO_WEAK:
		case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
			if (record->depth > 0)
				return HINT_ISSUER;
			break;
		default:
			break;
	}
	return reason ? reason->hint : NULL;
}

/*
 * Whoever has taken over a backend can write what it likes: texts are trusted
 * only if they end, a time only if it can be shown.
 */
static bool
is_record_sound(const HandshakeRecord *record)
{
#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)
	return IS_VALID_TIMESTAMP(record->at) && ENDS(record->subject) && ENDS(record->issuer) &&
		ENDS(record->serial_number);
#undef ENDS
}

static void
note_record(const HandshakeRecord *record)
{
	const Reason *reason = find_reason(record->verify_error);
	EsgFailureCause cause = {
		.error = X509_verify_cert_error_string(record->verify_error),
		.hint = choose_hint(record),
		.depth = record->depth
	};
	EsgFailure	failure;

	memset(&failure, 0, sizeof(failure));
	strlcpy(failure.reason, reason ? reason->name : "other", sizeof(failure.reason));
	strlcpy(failure.subject, record->subject, sizeof(failure.subject));
	strlcpy(failure.issuer, record->issuer, sizeof(failure.issuer));
	strlcpy(failure.serial_number, record->serial_number, sizeof(failure.serial_number));
	memcpy(failure.fingerprint, record->fingerprint, ESG_DIGEST_SIZE);
	failure.known_ca = record->known_ca == 1;
	failure.last_address = record->address;
	failure.last_seen = record->at;
	/* it may be one that is denied and was not seen yet */
	if (esg_guc_denied_certificates != NULL)
		esg_clients_note_news();
	esg_failure_log_note(&failure, &cause, GetCurrentTimestamp());
}

/* The counter keeps what is not reported yet. */
static void
report_drops(TimestampTz now)
{
	uint64		drops = 0;

	if (drop_counter < 0 || !esg_elapsed(drops_reported_at, DROPS_PAUSE, now) ||
		read(drop_counter, &drops, sizeof(drops)) != sizeof(drops))
		return;
	drops_reported_at = now;
	ereport(LOG,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many failed TLS handshakes: " UINT64_FORMAT " were not counted", drops)));
}

void
esg_handshake_drain(void)
{
	TimestampTz now = GetCurrentTimestamp();
	HandshakeRecord record;

	if (pipe_read < 0)
		return;
	for (int i = 0; i < MAX_DRAIN; i++)
	{
		if (read(pipe_read, &record, sizeof(record)) != sizeof(record))
			break;
		if (is_record_sound(&record))
			note_record(&record);
	}
	esg_failure_log_tell(now);
	report_drops(now);
}

/*
 * login/denied.c
 *		Is a client's certificate one of those that the administrator denies?
 *
 * Whoever has stolen a key sends what suits him along with its certificate.  So
 * an entry with a serial number holds for every certificate that the CA itself
 * has (one renewed with the same key, one that another CA has signed) as far as
 * the server knows it, not only for the one in this chain.  What that costs, only
 * a client with such a serial number pays.
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/stringinfo.h"

#include "compat.h"
#include "login/denied.h"
#include "login/failures.h"
#include "server/guc.h"

/* entries that an alarm names */
#define MAX_NAMED 3

/* What is compared with one certificate after the other. */
typedef struct IssuerSearch
{
	const char *serial;			/* of the client's certificate */
	X509	   *issuer;			/* in the chain as verified */
	unsigned char found[ESG_DIGEST_SIZE];	/* the one in the list */
} IssuerSearch;

/* Is it the same CA, by name and key? */
static bool
is_same_ca(X509 *a, X509 *b)
{
	return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
		ASN1_STRING_cmp(X509_get0_pubkey_bitstr(a), X509_get0_pubkey_bitstr(b)) == 0;
}

/* A certificate that cannot be looked at may be one of them. */
static void
fail_to_judge(void)
{
	ERR_clear_error();
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("could not look a certificate up in \"ext_ssl_guard.denied_certificates\": out of memory")));
}

static bool
is_listed_issuer(X509 *cert, IssuerSearch *search)
{
	if (!is_same_ca(cert, search->issuer))
		return false;
	if (!esg_x509_info_fingerprint(cert, search->found))
		fail_to_judge();
	return esg_deny_list_find(esg_guc_denied_certificates, search->serial, search->found) != NULL;
}

static bool
has_listed_issuer(STACK_OF(X509) *certs, IssuerSearch *search)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
	{
		if (is_listed_issuer(sk_X509_value(certs, i), search))
			return true;
	}
	return false;
}

/* The certificates of ssl_ca_file with the name of the issuer; the caller frees them. */
static STACK_OF(X509) *
find_trusted(const EsgPeer *peer, X509 *issuer)
{
	const X509_NAME *name = X509_get_subject_name(issuer);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(peer->ssl));
	STACK_OF(X509) *found = NULL;

	if (context != NULL && X509_STORE_CTX_init(context, store, NULL, NULL) == 1)
		found = X509_STORE_CTX_get1_certs(context, unconstify(X509_NAME *, name));
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return found;
}

static bool
is_listed_under_trusted(const EsgPeer *peer, IssuerSearch *search)
{
	STACK_OF(X509) *volatile trusted = find_trusted(peer, search->issuer);
	volatile bool listed = false;

	PG_TRY();
	{
		listed = has_listed_issuer(trusted, search);
	}
	PG_FINALLY();
	{
		sk_X509_pop_free(trusted, X509_free);
	}
	PG_END_TRY();
	return listed;
}

/* By serial number: *issuer is the fingerprint that the entry has. */
static bool
is_listed_with_issuer(const EsgPeer *peer, const char *serial, unsigned char *issuer)
{
	int			length = sk_X509_num(peer->chain);
	IssuerSearch search = {.serial = serial};
	bool		listed;

	if (length <= 0 || !esg_deny_list_has_serial(esg_guc_denied_certificates, serial))
		return false;
	/* one that is trusted itself is its own */
	search.issuer = sk_X509_value(peer->chain, Min(1, length - 1));
	listed = is_listed_issuer(search.issuer, &search) ||
		has_listed_issuer(SSL_get_peer_cert_chain(peer->ssl), &search) ||
		is_listed_under_trusted(peer, &search);
	memcpy(issuer, search.found, ESG_DIGEST_SIZE);
	return listed;
}

/* The serial number, palloc'd. */
static char *
copy_serial(X509 *cert)
{
	char	   *text = esg_x509_info_serial_text(X509_get0_serialNumber(cert));
	char	   *copy = text != NULL ? pstrdup(text) : NULL;

	OPENSSL_free(text);
	if (copy == NULL)
		fail_to_judge();
	return copy;
}

static void
refuse(const EsgPeer *peer, const char *serial, const EsgDenyEntry *entry, EsgRefusal *out)
{
	char		text[ESG_DENY_TEXT_SIZE];

	esg_deny_list_entry_text(entry, text);
	esg_login_peer_begin_refusal(peer, ESG_CERTIFICATE_DENIED, out);
	esg_login_peer_add_pair(out, "serial", serial);
	esg_login_peer_add_pair(out, "entry", text);
}

void
esg_denied_check(const EsgPeer *peer, EsgRefusal *out)
{
	const EsgDenyList *list = esg_guc_denied_certificates;
	const EsgDenyEntry *entry;
	unsigned char issuer[ESG_DIGEST_SIZE];
	char	   *serial;

	memset(out, 0, sizeof(*out));
	if (peer->cert == NULL || list == NULL)
		return;
	if (!peer->has_fingerprint)
		fail_to_judge();
	entry = esg_deny_list_find(list, NULL, peer->fingerprint);
	if (entry == NULL && list->serial_count == 0)
		return;
	serial = copy_serial(peer->cert);
	if (entry == NULL && is_listed_with_issuer(peer, serial, issuer))
		entry = esg_deny_list_find(list, serial, issuer);
	if (entry != NULL)
		refuse(peer, serial, entry, out);
}

/* ------------------------------------------------------------------------
 * Entries that match nothing
 * ------------------------------------------------------------------------ */

static int
find_place(const char *serial, const unsigned char *digest)
{
	const EsgDenyList *list = esg_guc_denied_certificates;
	const EsgDenyEntry *entry = esg_deny_list_find(list, serial, digest);

	return entry != NULL ? (int) (entry - list->entries) : -1;
}

void
esg_denied_find(const EsgClientFacts *facts, int *entries)
{
	entries[0] = entries[1] = -1;
	if (esg_guc_denied_certificates == NULL)
		return;
	entries[0] = find_place(NULL, facts->fingerprint);
	entries[1] = find_place(facts->serial_number, facts->issuer_fingerprint);
}

/* Of a handshake that failed, the issuer is known by its name only. */
static void
mark_failures(const EsgDenyList *list, bool *seen)
{
	EsgFailure *failures;
	int			count = esg_failures_copy(&failures);

	for (int i = 0; i < count; i++)
	{
		int			first;
		int			last = esg_deny_list_serial_range(list, failures[i].serial_number, &first);
		int			own = find_place(NULL, failures[i].fingerprint);

		if (own >= 0)
			seen[own] = true;
		for (int n = first; n < last; n++)
			seen[n] = true;
	}
	if (failures != NULL)
		pfree(failures);
}

static char *
describe_unseen(const EsgDenyList *list, const bool *seen)
{
	StringInfoData names;
	char		text[ESG_DENY_TEXT_SIZE];
	int			count = 0;

	initStringInfo(&names);
	for (int i = 0; i < list->count; i++)
	{
		if (seen[i] || ++count > MAX_NAMED)
			continue;
		esg_deny_list_entry_text(&list->entries[i], text);
		appendStringInfo(&names, "%s%s", count > 1 ? ", " : "", text);
	}
	if (count == 0)
		return NULL;
	return psprintf("%d certificate%s (%s%s)", count, count > 1 ? "s" : "", names.data,
					count > MAX_NAMED ? ", ..." : "");
}

char *
esg_denied_unseen(const int *matches)
{
	const EsgDenyList *list = esg_guc_denied_certificates;
	bool	   *seen;

	if (list == NULL)
		return NULL;
	seen = palloc(sizeof(bool) * list->count);
	for (int i = 0; i < list->count; i++)
		seen[i] = matches[i] > 0;
	mark_failures(list, seen);
	return describe_unseen(list, seen);
}

/*
 * login/client_entry.h
 *		What is remembered of a client certificate, in shared memory and on disk.
 *
 * Texts are cut at a character with "..." where they do not fit.
 */
#ifndef ESG_LOGIN_CLIENT_ENTRY_H
#define ESG_LOGIN_CLIENT_ENTRY_H

#include "datatype/timestamp.h"
#include "libpq/pqcomm.h"

#include "policy/cert_facts.h"
#include "policy/public_roots.h"
#include "x509/memo.h"
#include "x509/time.h"

/* bytes, with the terminating NUL */
#define ESG_CLIENT_NAME_SIZE 136
#define ESG_CLIENT_CN_SIZE 80
#define ESG_CLIENT_SERIAL_SIZE 48
#define ESG_CLIENT_CIPHER_SIZE 32
#define ESG_CLIENT_TLS_SIZE 12

/*
 * What is known of a certificate and of the chain presented with it.  It does
 * not age, and says nothing of good and bad: the checks are run over it anew.
 */
typedef struct EsgClientFacts
{
	unsigned char fingerprint[ESG_DIGEST_SIZE]; /* SHA-256 of the DER */
	unsigned char chain_digest[ESG_DIGEST_SIZE];	/* of the intermediates
													 * presented, and of the
													 * trust anchor */
	unsigned char subject_digest[ESG_DIGEST_SIZE];	/* of the whole subject's
													 * DER */
	unsigned char issuer_fingerprint[ESG_DIGEST_SIZE];	/* SHA-256 of the
														 * issuer's certificate
														 * in the chain */
	unsigned char public_root[ESG_PUBLIC_ROOT_SIZE];	/* of the trust anchor
														 * if the public trusts
														 * it, too; zeroes: it
														 * does not */
	uint64		policy_stamp;	/* esg_client_check: by what chain was chosen */
	EsgTime		not_before;
	EsgTime		not_after;
	EsgTime		chain_not_before;	/* of the intermediate that ends first */
	EsgTime		chain_not_after;	/* ESG_TIME_ABSENT: none presented */
	EsgCertFacts cert;
	EsgFlawTexts texts;			/* of cert */
	EsgCertFacts chain;			/* the worst intermediate, if there is one */
	EsgKeyFacts issuer_key;		/* the weakest that signed in the chain */
	char		subject[ESG_CLIENT_NAME_SIZE];
	char		issuer[ESG_CLIENT_NAME_SIZE];
	char		common_name[ESG_CLIENT_CN_SIZE];
	char		serial_number[ESG_CLIENT_SERIAL_SIZE];
} EsgClientFacts;

/* An address without its port; family 0: not known. */
typedef struct EsgClientAddress
{
	uint8		family;			/* 4 or 6 */
	uint8		bytes[16];		/* network order */
} EsgClientAddress;

typedef struct EsgClientEntry
{
	EsgClientFacts facts;
	char		role_name[NAMEDATALEN];
	TimestampTz first_seen;
	TimestampTz last_seen;
	TimestampTz alarmed_at;		/* when a login last raised its alarms */
	int64		authenticated;	/* not refused by us; the server may have
								 * refused it after that */
	int64		denials;
	EsgClientAddress last_address;
	char		last_tls_version[ESG_CLIENT_TLS_SIZE];
	char		last_cipher[ESG_CLIENT_CIPHER_SIZE];
	uint8		alarming;		/* an alarm stands for it: 1, else 0 */
} EsgClientEntry;

/* One entry copied out. */
typedef struct EsgClientRow
{
	EsgClientEntry entry;
	bool		superseded;		/* the same role and subject has since used a
								 * certificate that began later */
	unsigned char superseded_by[ESG_DIGEST_SIZE];
	TimestampTz superseded_since;	/* first use of that one */
	bool		outdated;		/* one that began later was used, whichever
								 * was used last */
	unsigned char renewed_as[ESG_DIGEST_SIZE];	/* that one, the first of them
												 * if there are several */
	TimestampTz renewed_since;	/* its first use */
} EsgClientRow;

#define ESG_CLIENT_ADDRESS_TEXT_SIZE 64

extern void esg_client_entry_set_address(const SockAddr *from, EsgClientAddress *out);

/* as inet prints it; "unknown" for family 0 */
extern void esg_client_entry_address_text(const EsgClientAddress *address, char *buf, size_t size);

#endif							/* ESG_LOGIN_CLIENT_ENTRY_H */

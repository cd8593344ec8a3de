/*
 * x509/info.h
 *		The facts about one certificate, for policy and display.
 *
 * Pure.  Reading never fails: what cannot be read is said in the
 * facts.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_INFO_H
#define ESG_X509_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "x509/key.h"
#include "x509/memo.h"
#include "x509/name.h"
#include "x509/signature.h"
#include "x509/time.h"

typedef enum EsgVerdict
{
	ESG_UNKNOWN = -1,
	ESG_NO = 0,
	ESG_YES = 1
} EsgVerdict;

typedef struct EsgCertInfo
{
	X509	   *cert;			/* borrowed; must outlive this */
	EsgMemo    *memo;			/* borrowed; must outlive this; or NULL */
	unsigned char fingerprint[ESG_DIGEST_SIZE]; /* SHA-256 of the DER */
	EsgTime		not_before;
	EsgTime		not_after;
	EsgKeyInfo	key;
	EsgSigInfo	signature;
	EsgNameFacts names;
	bool		is_ca;			/* X509_check_ca() says yes by extension (1)
								 * or as a self-signed v1 (3) */
	bool		claims_ca;		/* basicConstraints say CA, whatever
								 * X509_check_ca() makes of it */
	bool		names_equal;	/* subject = issuer */
	bool		self_signed;	/* proved before: set where facts were kept
								 * and cert was not */
	bool		has_key_usage;
	uint32_t	key_usage;		/* KU_* of OpenSSL */
	bool		has_ext_key_usage;
	uint32_t	ext_key_usage;	/* XKU_* of OpenSSL */
	bool		server_purpose; /* X509_check_purpose(SSL_SERVER), and EKU, if
								 * present, has serverAuth */
	bool		client_purpose;
	bool		unknown_critical;	/* EXFLAG_CRITICAL */
	bool		malformed_extension;	/* EXFLAG_INVALID, duplicate, version
										 * forbids */
	const char *malformed_reason;	/* static text, or NULL */
	char		critical_oid[64];	/* the unknown critical extension */
	bool		odd_serial;
	const char *odd_serial_reason;	/* "zero", "negative", "longer than 20
									 * octets" */
	bool		must_staple;
} EsgCertInfo;

extern void esg_x509_info_read(X509 *cert, EsgMemo *memo, EsgCertInfo *out);

/*
 * Are the names equal, and does the own key verify the signature?  ESG_UNKNOWN:
 * names equal, OpenSSL cannot say.  Proved when asked, as it costs several times
 * what reading the certificate does, and remembered in the memo it was read with.
 */
extern EsgVerdict esg_x509_info_self_signed(const EsgCertInfo *cert);

/*
 * Does issuer's key verify cert?  ESG_UNKNOWN: OpenSSL cannot say, as it cannot
 * use the key or lacks the algorithm.
 */
extern EsgVerdict esg_x509_info_verify(const EsgCertInfo *cert, const EsgCertInfo *issuer,
									   EsgMemo *memo);

/*
 * What that is made of, for whatever else is signed: the key to verify with, or
 * NULL; and what the result of verifying with it means.
 */
extern EVP_PKEY *esg_x509_info_verifier(const EsgCertInfo *issuer);
extern EsgVerdict esg_x509_info_verdict(int result, int signature_nid, EVP_PKEY *key);

/* upper-case hex, two digits an octet, "-" before negative ones; new */
extern char *esg_x509_info_serial_text(const ASN1_INTEGER *serial);

/* SHA-256 of the DER, ESG_DIGEST_SIZE bytes; false if OpenSSL cannot digest it; leaves its error queue to the caller */
extern bool esg_x509_info_fingerprint(const X509 *cert, unsigned char *fingerprint);

/*
 * SHA-1 of the DER, ESG_SHA1_SIZE bytes.  OpenSSL has it at hand for each
 * certificate that it has verified, so that it costs next to nothing there, where
 * a SHA-256 costs 10,000 instructions.  Good for telling apart what was verified,
 * of which nobody can make two with one digest but a CA that is trusted; for
 * nothing else.
 */
#define ESG_SHA1_SIZE 20
extern bool esg_x509_info_sha1(const X509 *cert, unsigned char *digest);

#define ESG_FINGERPRINT_TEXT_SIZE (2 * ESG_DIGEST_SIZE + 1)
extern void esg_x509_info_fingerprint_text(const unsigned char *digest, char *buf);

/* back from 64 hex digits in any case, with or without colons between the octets; false: it is something else */
extern bool esg_x509_info_fingerprint_parse(const char *text, size_t len, unsigned char *digest);

/* RFC 5280 names of the bits, "digitalSignature", into names[]; returns how many */
#define ESG_MAX_USAGES 32
extern int	esg_x509_info_key_usage_names(const EsgCertInfo *cert, const char *names[ESG_MAX_USAGES]);

/* does it name an address of its issuer's certificate (caIssuers, RFC 5280 section 4.2.2.1)? */
extern bool esg_x509_info_says_where_issuer_is(X509 *cert);

/* an attacker's certificate may list any number of them */
#define ESG_MAX_EXT_KEY_USAGES 256

/* "serverAuth", or a dotted OID; each new, OPENSSL_free(); at most max */
extern int	esg_x509_info_ext_key_usage_names(const EsgCertInfo *cert, char *names[], int max);

#endif							/* ESG_X509_INFO_H */

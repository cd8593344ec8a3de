/*
 * x509/name.h
 *		Names in certificates as printable UTF-8 text, and what is wrong with them.
 *
 * Texts are new, NUL-terminated UTF-8, released with OPENSSL_free(); NULL means
 * out of memory.  They never hold a control character: C0, DEL, C1, U+2028,
 * U+2029 and the bidirectional controls come out as \xHH (one byte values) or
 * \uHHHH, NUL as \x00, a byte that is not UTF-8 as \xHH.
 */
#ifndef ESG_X509_NAME_H
#define ESG_X509_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509v3.h>

/* What the subject and subjectAltName hold; zeroed is "nothing". */
typedef struct EsgNameFacts
{
	int			common_names;	/* CN attributes in the subject */
	bool		has_server_name;	/* a dNSName or iPAddress */
	bool		nul_in_name;	/* in a CN or a SAN value */
	bool		bad_utf8;		/* a subject or issuer string not in its
								 * encoding */
	bool		control_character;	/* in subject, issuer or SAN */
	bool		odd_string_type;	/* CN as BMPString, UniversalString,
									 * T61String */
	bool		long_common_name;	/* over 64 characters, RFC 5280 A.1
									 * ub-common-name */
	bool		empty_alt_name; /* subjectAltName without a value, or an empty
								 * value */
	bool		bad_address;	/* iPAddress neither 4 nor 16 octets */
	bool		undecodable_alt_name;	/* the extension does not parse, or
										 * IA5 value with high bytes */
} EsgNameFacts;

typedef enum EsgAltNameKind
{
	ESG_ALT_DNS,
	ESG_ALT_URI,
	ESG_ALT_EMAIL,
	ESG_ALT_IP,
	ESG_ALT_UPN,				/* otherName 1.3.6.1.4.1.311.20.2.3 */
	ESG_ALT_OTHER				/* directoryName, registeredID … */
} EsgAltNameKind;

/* One subjectAltName value. */
typedef struct EsgAltName
{
	EsgAltNameKind kind;
	char	   *text;			/* printable, without prefix */
	bool		exact;			/* text is the value itself: well formed, not
								 * empty, no NUL, nothing had to be escaped */
} EsgAltName;

typedef struct EsgAltNames
{
	int			count;
	EsgAltName *items;
	bool		undecodable;	/* the extension is there, but does not parse
								 * or occurs twice (RFC 5280 4.2) */
} EsgAltNames;

extern void esg_x509_name_facts(X509 *cert, EsgNameFacts *out);

/* RFC 2253 text, most specific first; non-ASCII characters stay readable */
extern char *esg_x509_name_text(const X509_NAME *name);

/* the first CN, as core takes it; *exact as in EsgAltName; *found false and "" if none */
extern char *esg_x509_name_common_name(const X509_NAME *name, bool *found, bool *exact);

/* false: undecodable, or out of memory */
extern bool esg_x509_name_alt_names(X509 *cert, EsgAltNames *out);
extern void esg_x509_name_alt_names_free(EsgAltNames *names);

/* "DNS", "URI", "email", "IP", "UPN", "other" */
extern const char *esg_x509_name_alt_prefix(EsgAltNameKind kind);

/* characters, of whatever encoding; other values are shown as hex */
extern bool esg_x509_name_is_text(const ASN1_STRING *value);

/* any bytes as printable text by the rules above */
extern char *esg_x509_name_escape(const unsigned char *bytes, size_t len);

/* dotted digits; "unprintable-oid" if that does not fit or the OID is over 128 octets */
extern void esg_x509_name_oid(const ASN1_OBJECT *oid, char *buf, size_t size);

#endif							/* ESG_X509_NAME_H */

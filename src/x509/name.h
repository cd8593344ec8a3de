/*
 * x509/name.h
 *		Names in certificates as printable UTF-8 text, and what is wrong with them.
 *
 * Texts are new, NUL-terminated UTF-8, released with OPENSSL_free(); NULL means
 * out of memory.  A printable text can be read back: \xHH is a control character
 * of ASCII, NUL among them, or a byte that is no character; \uHHHH or \UHHHHHHHH
 * is another character that cannot be seen (x509/unicode.h); \\ is a backslash.
 * In RFC 2253 text a backslash is before that text's special characters, too.
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
	bool		ambiguous_string;	/* T61String with high bytes in subject or
									 * issuer */
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

/*
 * Why a value is never compared with anything.  One rule for all string types:
 * what it says must be beyond doubt.  BMPString and UniversalString are
 * Unicode; the upper half of a T61String is Latin-1 to most, but T.61 to its
 * standard, and never both.
 */
typedef enum EsgNameFault
{
	ESG_NAME_SOUND = 0,
	ESG_NAME_ABSENT,
	ESG_NAME_EMPTY,
	ESG_NAME_MALFORMED,			/* not in its encoding, or with NUL, control
								 * or bidirectional characters */
	ESG_NAME_AMBIGUOUS			/* high bytes in a T61String */
} EsgNameFault;

/* One subjectAltName value. */
typedef struct EsgAltName
{
	EsgAltNameKind kind;
	char	   *text;			/* printable, without prefix */
	char	   *exact;			/* the value itself, to be compared; NULL if
								 * it is never to be */
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

/*
 * The same, but no more than what has that many bytes, in whole characters: for a
 * buffer that no more fits into, of a name that may have thousands.  0: all of it
 */
extern char *esg_x509_name_start(const X509_NAME *name, size_t enough);

/* the first CN in printable form; *found false and "" if there is none */
extern char *esg_x509_name_common_name(const X509_NAME *name, bool *found);

/* the same, to be compared; *out NULL for any fault.  False: out of memory */
extern bool esg_x509_name_exact_common_name(const X509_NAME *name, EsgNameFault *fault,
											char **out);

/* may a name with this value in it be compared?  An empty one, and one that is no text, may */
extern EsgNameFault esg_x509_name_value_fault(const ASN1_STRING *value);

/* false: undecodable, or out of memory */
extern bool esg_x509_name_alt_names(X509 *cert, EsgAltNames *out);

/* the same, but what is to be compared has no text (NULL): it is not for readers */
extern bool esg_x509_name_exact_alt_names(X509 *cert, EsgAltNames *out);
extern void esg_x509_name_alt_names_free(EsgAltNames *names);

/* "DNS", "URI", "email", "IP", "UPN", "other" */
extern const char *esg_x509_name_alt_prefix(EsgAltNameKind kind);

/* characters, of whatever encoding; other values are shown as hex */
extern bool esg_x509_name_is_text(const ASN1_STRING *value);

/* any bytes as printable text */
extern char *esg_x509_name_escape(const unsigned char *bytes, size_t len);

/* the same for what has escapes of its own, RFC 2253 text or a shell command: \ stays */
extern char *esg_x509_name_escape_hidden(const char *str);

/* dotted digits; "unprintable-oid" if that does not fit or the OID is over 128 octets */
extern void esg_x509_name_oid(const ASN1_OBJECT *oid, char *buf, size_t size);

#endif							/* ESG_X509_NAME_H */

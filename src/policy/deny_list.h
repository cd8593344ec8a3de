/*
 * policy/deny_list.h
 *		Certificates that are denied by name: a list, parsed and looked up.
 *
 *	  list	= [ entry { "," entry } ]
 *	  entry	= SHA-256 | serial "@" SHA-256
 *
 * The digest alone is the certificate's fingerprint; behind a serial number it is
 * the fingerprint of the certificate that issued it.  Both are hexadecimal, in
 * any case, with or without colons.
 *
 * Pure, and without memory of its own: the caller has it.
 */
#ifndef ESG_POLICY_DENY_LIST_H
#define ESG_POLICY_DENY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "x509/info.h"

/* with the terminating NUL; RFC 5280 4.1.2.2 allows 40 digits */
#define ESG_DENY_SERIAL_SIZE 48

typedef struct EsgDenyEntry
{
	unsigned char digest[ESG_DIGEST_SIZE];	/* of the certificate, or of its
											 * issuer's */
	char		serial[ESG_DENY_SERIAL_SIZE];	/* upper case, no leading
												 * zeros; "": digest is of the
												 * certificate itself */
} EsgDenyEntry;

/* in the order of the serials, then of the digests; each entry once */
typedef struct EsgDenyList
{
	int			count;
	int			serial_count;	/* those with a serial, which come last */
	EsgDenyEntry entries[];
} EsgDenyList;

typedef struct EsgDenyError
{
	int			entry;			/* from 1 */
	int			position;		/* where it begins, in bytes, from 1 */
	const char *reason;			/* static phrase */
} EsgDenyError;

/* bytes that the list needs when it is parsed; 0: it has no entries */
extern size_t esg_deny_list_size(const char *text);

/* out: that many bytes.  False: *error says why. */
extern bool esg_deny_list_parse(const char *text, EsgDenyList *out, EsgDenyError *error);

/*
 * Is the certificate denied?  serial: as esg_x509_info_serial_text() writes it;
 * issuer: SHA-256 of its issuer's certificate, NULL if that is not known.  An
 * empty list, which may be NULL, costs nothing.
 */
extern bool esg_deny_list_matches(const EsgDenyList *list, const unsigned char *fingerprint,
								  const char *serial, const unsigned char *issuer);

/*
 * The entry with that digest, NULL if there is none: of the certificate itself if
 * serial is NULL, else of its issuer's.
 */
extern const EsgDenyEntry *esg_deny_list_find(const EsgDenyList *list, const char *serial,
											  const unsigned char *digest);

/* Are there entries with that serial, for who would have to find out about the issuer first? */
extern bool esg_deny_list_has_serial(const EsgDenyList *list, const char *serial);

/* which: from *first to before the number returned */
extern int	esg_deny_list_serial_range(const EsgDenyList *list, const char *serial, int *first);

/* as it may be written in a list */
#define ESG_DENY_TEXT_SIZE (ESG_DENY_SERIAL_SIZE + ESG_FINGERPRINT_TEXT_SIZE)
extern void esg_deny_list_entry_text(const EsgDenyEntry *entry, char *buf);

#endif							/* ESG_POLICY_DENY_LIST_H */

/*
 * policy/worse.h
 *		Is a renewed TLS file worse than the one in service?
 *
 * What a file is worth is kept as facts, which outlive the file: when it has
 * been replaced, the one in service is not on disk any more.
 *
 * Pure: "now" is an argument, in seconds since 1970.
 */
#ifndef ESG_POLICY_WORSE_H
#define ESG_POLICY_WORSE_H

#include "policy/findings.h"
#include "x509/crl_info.h"

typedef enum EsgWorthKind
{
	ESG_WORTH_CERTIFICATE,		/* a server's chain */
	ESG_WORTH_CA,
	ESG_WORTH_CRL,
	ESG_WORTH_OTHER				/* a key: its findings count, no more */
} EsgWorthKind;

#define ESG_WORTH_NAME_SIZE 96
#define ESG_CRL_NUMBER_SIZE 24

/* A certificate, or a CRL, in its file; or a name by which clients know the server. */
typedef struct EsgWorthItem
{
	unsigned char id[ESG_DIGEST_SIZE];	/* of a certificate's name and key; of
										 * the CRL's issuer and its key; of
										 * the name, in lower case */
	unsigned long subject;		/* of a certificate: its names, hashed by
								 * OpenSSL */
	unsigned long issuer;
	EsgTime		begin;
	EsgTime		end;
	int			number_size;	/* of crlNumber; 0: it has none */
	unsigned char number[ESG_CRL_NUMBER_SIZE];	/* big-endian, without zeroes
												 * in front */
	char		name[ESG_WORTH_NAME_SIZE];	/* of the subject, or the CRL's
											 * issuer, printable */
} EsgWorthItem;

/* A file.  All zero is one of which nothing is known. */
typedef struct EsgWorth
{
	EsgWorthKind kind;
	bool		known;
	bool		sound;			/* it was read to its end */
	EsgTime		begin;			/* of a server's certificate, as the next
								 * three */
	EsgTime		end;
	int			security_bits;	/* -1 if unknown */
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	unsigned char severity[ESG_CODE_COUNT]; /* the worst EsgSeverity of each
											 * code that counts */
	int			first_item;		/* in the items that go with it; a chain's
								 * first one is the server's certificate */
	int			item_count;
	int			name_count;		/* of the server's certificate, right behind
								 * them */
} EsgWorth;

/*
 * Does a finding count?  How long something is valid is compared by itself, but
 * for an intermediate certificate that is not.
 */
extern void esg_worth_add_findings(EsgWorth *worth, const EsgFindings *findings);

/* the item's facts; false: OpenSSL could not tell them */
extern bool esg_worth_read_cert(const EsgCertInfo *cert, EsgWorthItem *out);
extern bool esg_worth_read_crl(const EsgCrlInfo *crl, EsgWorthItem *out);

/*
 * Is the first of two CRLs of the same issuer and scope the older one, by
 * thisUpdate or by crlNumber?  A CA that goes back in either is not to be followed.
 */
extern bool esg_worth_crl_is_older(const EsgWorthItem *crl, const EsgWorthItem *other);

/* the item's facts of a name, which is in lower case */
extern bool esg_worth_read_name(const char *name, EsgWorthItem *out);

#define ESG_REASON_SIZE 200

/*
 * Is it?  Then reason, of ESG_REASON_SIZE, is why.  Where nothing is known of the
 * one in service, the new one must be without a fault.  Notices are none.
 */
extern bool esg_worse_than(const EsgWorth *served, const EsgWorthItem *served_items,
						   const EsgWorth *renewed, const EsgWorthItem *renewed_items,
						   int64_t now, char *reason);

#endif							/* ESG_POLICY_WORSE_H */

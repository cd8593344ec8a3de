/*
 * policy/tls_offer.h
 *		What a server with some settings does for its clients, as OpenSSL says.
 *
 * Pure.
 */
#ifndef ESG_POLICY_TLS_OFFER_H
#define ESG_POLICY_TLS_OFFER_H

#include <stdbool.h>

#include "policy/ciphers.h"

/* The settings in the order in which the server applies them. */
typedef enum EsgTlsPart
{
	ESG_TLS_PART_NONE = 0,		/* all of them are good */
	ESG_TLS_PART_MIN_VERSION,
	ESG_TLS_PART_MAX_VERSION,
	ESG_TLS_PART_DH,
	ESG_TLS_PART_GROUPS,
	ESG_TLS_PART_CIPHERS,
	ESG_TLS_PART_CIPHERSUITES,	/* of TLS 1.3 */
	ESG_TLS_PART_OPENSSL		/* no memory, or a fault of its configuration */
} EsgTlsPart;

/* TLS 1.0 to 1.3 */
#define ESG_TLS_VERSION_COUNT 4
#define ESG_TLS_VERSION_1_2 2
#define ESG_TLS_VERSION_1_3 3

#define ESG_MAX_OFFERED_CIPHERS 256
#define ESG_MAX_OFFERED_GROUPS 64

typedef struct EsgTlsOffer
{
	EsgTlsPart	refused;		/* what OpenSSL does not take: there is no
								 * offer then */
	char		reason[128];	/* OpenSSL's, "" if it has none */
	bool		versions[ESG_TLS_VERSION_COUNT];
	int			cipher_count;	/* usable with the server's key */
	EsgCipher	ciphers[ESG_MAX_OFFERED_CIPHERS];	/* the preferred first */
	int			group_count;
	unsigned	groups[ESG_MAX_OFFERED_GROUPS]; /* IANA's numbers */
	int			default_level;	/* of security, before the settings */
	int			level;
	bool		fips;
} EsgTlsOffer;

#endif							/* ESG_POLICY_TLS_OFFER_H */

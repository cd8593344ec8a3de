/*
 * policy/cert_facts.h
 *		What a certificate that is gone can be judged by.
 *
 * The part of EsgCertInfo that the checks of a client's certificate and of its
 * intermediates look at, without pointers and small, to be kept in shared
 * memory and on disk.  Its two times are kept beside it.
 */
#ifndef ESG_POLICY_CERT_FACTS_H
#define ESG_POLICY_CERT_FACTS_H

#include "x509/info.h"

typedef struct EsgKeyFacts
{
	char		algorithm[24];
	int32_t		bits;
	int32_t		curve_nid;
	int16_t		security_bits;	/* -1 if unknown */
	uint8_t		type;			/* EsgKeyType */
	uint8_t		faults;			/* EsgKeyFault bits */
	bool		usable;
	bool		small_exponent;
	bool		explicit_parameters;
} EsgKeyFacts;

typedef struct EsgCertFacts
{
	EsgKeyFacts key;
	EsgNameFacts names;
	uint32_t	key_usage;
	char		signature_algorithm[32];
	int16_t		signature_strength;
	uint8_t		pss;			/* EsgPssState */
	bool		broken_digest;
	bool		signature_mismatch;
	bool		has_key_usage;
	bool		client_purpose;
	bool		is_ca;
	bool		claims_ca;
	bool		self_signed;
	bool		unknown_critical;
	bool		malformed_extension;
	bool		odd_serial;
} EsgCertFacts;

/* the reasons that go with the last two, for one certificate only */
typedef struct EsgFlawTexts
{
	char		malformed[48];
	char		odd_serial[24];
} EsgFlawTexts;

/* texts may be NULL */
extern void esg_cert_facts_keep(const EsgCertInfo *info, EsgCertFacts *out, EsgFlawTexts *texts);

/*
 * For the checks only: there is no certificate behind it, and it points into
 * texts.  Which critical extension is unknown, or of which type a key is that
 * cannot be used, was not kept: OpenSSL lets no such client in.
 */
extern void esg_cert_facts_restore(const EsgCertFacts *facts, const EsgFlawTexts *texts,
								   EsgTime not_before, EsgTime not_after, EsgCertInfo *out);

extern void esg_cert_facts_keep_key(const EsgKeyInfo *info, EsgKeyFacts *out);
extern void esg_cert_facts_restore_key(const EsgKeyFacts *facts, EsgKeyInfo *out);

/* As they were stored; can they be some? */
extern bool esg_cert_facts_are_sound(const EsgCertFacts *facts);
extern bool esg_cert_facts_key_is_sound(const EsgKeyFacts *facts);
extern bool esg_cert_facts_time_is_sound(const EsgTime *time);

#endif							/* ESG_POLICY_CERT_FACTS_H */

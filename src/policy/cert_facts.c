/*
 * policy/cert_facts.c
 *		What a certificate that is gone can be judged by.
 */
#include "policy/cert_facts.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>

#include "x509/cut_text.h"
#include "x509/errors.h"

#define KEEP_TEXT(to, from) esg_cut_text_copy(to, sizeof(to), (from) != NULL ? (from) : "")

void
esg_cert_facts_keep_key(const EsgKeyInfo *info, EsgKeyFacts *out)
{
	memset(out, 0, sizeof(*out));
	KEEP_TEXT(out->algorithm, info->algorithm);
	out->bits = info->bits;
	out->curve_nid = info->curve_nid;
	out->security_bits = (int16_t) info->security_bits;
	out->type = (uint8_t) info->type;
	out->faults = (uint8_t) info->faults;
	out->usable = info->usable;
	out->small_exponent = info->small_exponent;
	out->explicit_parameters = info->explicit_parameters;
}

/* The number may be of another OpenSSL, which knew more curves. */
static void
name_curve(int nid, char *curve, size_t size)
{
	const char *name = nid != NID_undef ? OBJ_nid2sn(nid) : "";

	if (name == NULL)
		esg_errors_forget();
	snprintf(curve, size, "%s", name != NULL ? name : "");
}

void
esg_cert_facts_restore_key(const EsgKeyFacts *facts, EsgKeyInfo *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->algorithm, sizeof(out->algorithm), "%s", facts->algorithm);
	out->bits = facts->bits;
	out->curve_nid = facts->curve_nid;
	name_curve(facts->curve_nid, out->curve, sizeof(out->curve));
	out->security_bits = facts->security_bits;
	out->type = (EsgKeyType) facts->type;
	out->faults = facts->faults;
	out->usable = facts->usable;
	out->small_exponent = facts->small_exponent;
	out->explicit_parameters = facts->explicit_parameters;
}

void
esg_cert_facts_keep(const EsgCertInfo *info, EsgCertFacts *out, EsgFlawTexts *texts)
{
	memset(out, 0, sizeof(*out));
	esg_cert_facts_keep_key(&info->key, &out->key);
	out->names = info->names;
	out->key_usage = info->key_usage;
	KEEP_TEXT(out->signature_algorithm, info->signature.algorithm);
	out->signature_strength = (int16_t) info->signature.strength;
	out->pss = (uint8_t) info->signature.pss;
	out->broken_digest = info->signature.broken_digest;
	out->signature_mismatch = info->signature.mismatch;
	out->has_key_usage = info->has_key_usage;
	out->client_purpose = info->client_purpose;
	out->is_ca = info->is_ca;
	out->claims_ca = info->claims_ca;
	out->self_signed = esg_x509_info_self_signed(info) == ESG_YES;
	out->unknown_critical = info->unknown_critical;
	out->malformed_extension = info->malformed_extension;
	out->odd_serial = info->odd_serial;
	if (texts == NULL)
		return;
	memset(texts, 0, sizeof(*texts));
	KEEP_TEXT(texts->malformed, info->malformed_reason);
	KEEP_TEXT(texts->odd_serial, info->odd_serial_reason);
}

void
esg_cert_facts_restore(const EsgCertFacts *facts, const EsgFlawTexts *texts, EsgTime not_before,
					   EsgTime not_after, EsgCertInfo *out)
{
	memset(out, 0, sizeof(*out));
	out->not_before = not_before;
	out->not_after = not_after;
	esg_cert_facts_restore_key(&facts->key, &out->key);
	out->names = facts->names;
	out->key_usage = facts->key_usage;
	snprintf(out->signature.algorithm, sizeof(out->signature.algorithm), "%s",
			 facts->signature_algorithm);
	out->signature.strength = facts->signature_strength;
	out->signature.pss = (EsgPssState) facts->pss;
	out->signature.broken_digest = facts->broken_digest;
	out->signature.mismatch = facts->signature_mismatch;
	out->has_key_usage = facts->has_key_usage;
	out->client_purpose = facts->client_purpose;
	out->is_ca = facts->is_ca;
	out->claims_ca = facts->claims_ca;
	out->self_signed = facts->self_signed;
	out->unknown_critical = facts->unknown_critical;
	out->malformed_extension = facts->malformed_extension;
	out->odd_serial = facts->odd_serial;
	out->malformed_reason = texts != NULL ? texts->malformed : NULL;
	out->odd_serial_reason = texts != NULL ? texts->odd_serial : NULL;
}

/* Each is 0 or 1, or it is no bool, of which a compiler makes what it likes. */
static bool
are_flags(const void *facts, size_t first, size_t last)
{
	const unsigned char *bytes = facts;

	for (size_t i = first; i <= last; i++)
	{
		if (bytes[i] > 1)
			return false;
	}
	return true;
}

#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)
#define ARE_FLAGS(type, facts, first, last) are_flags(facts, offsetof(type, first), offsetof(type, last))

bool
esg_cert_facts_key_is_sound(const EsgKeyFacts *facts)
{
	return ENDS(facts->algorithm) && facts->type <= ESG_KEY_CANNOT_SIGN && facts->bits >= 0 &&
		ARE_FLAGS(EsgKeyFacts, facts, usable, explicit_parameters);
}

bool
esg_cert_facts_time_is_sound(const EsgTime *time)
{
	return (unsigned) time->state <= ESG_TIME_FOREVER && esg_x509_time_in_range(time->unix_seconds) &&
		ARE_FLAGS(EsgTime, time, nonconforming, nonconforming);
}

bool
esg_cert_facts_are_sound(const EsgCertFacts *facts)
{
	return esg_cert_facts_key_is_sound(&facts->key) && ENDS(facts->signature_algorithm) &&
		facts->pss <= ESG_PSS_BAD_SALT &&
		ARE_FLAGS(EsgNameFacts, &facts->names, has_server_name, ambiguous_string) &&
		ARE_FLAGS(EsgCertFacts, facts, broken_digest, odd_serial);
}

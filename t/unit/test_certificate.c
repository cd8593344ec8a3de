/* sources: policy/findings policy/policy policy/renewal x509/cut_text x509/memo x509/asn1 x509/rsa_faults x509/time x509/name x509/unicode x509/key x509/signature x509/info x509/host_names x509/strict policy/certificate policy/cert_facts */
/*
 * test_certificate.c
 *		One certificate judged by itself.
 */
/* the modulus of a key is had through its RSA object, also with OpenSSL 1.1.1 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "certmaker.h"
#include "covered.h"
#include "esg_test.h"
#include "policy/cert_facts.h"
#include "policy/certificate.h"

#define L ESG_PLACE_LEAF
#define I ESG_PLACE_CHAIN
#define A ESG_PLACE_CA
#define C ESG_PLACE_CLIENT
#define X ESG_PLACE_EXTRA

#define N ESG_NOTICE
#define W ESG_WARNING
#define CRIT ESG_CRITICAL
#define ABSENT ESG_OK

#define PLAIN "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
#define EKU "extendedKeyUsage=serverAuth,clientAuth\n"
#define SAN "subjectAltName=DNS:db\n"
#define KEY_IDS "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
#define GOOD PLAIN EKU SAN KEY_IDS
#define CA_EXT "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"

static EsgPolicy policy;
static X509 *ca_cert;
static EVP_PKEY *ca_key;
static int64_t now;

/* A certificate without a fault, to which a case adds one. */
static CertSpec
good_spec(void)
{
	CertSpec	spec = {0};

	spec.subject = "CN=db";
	spec.key = certmaker_ec("prime256v1");
	spec.issuer_cert = ca_cert;
	spec.issuer_key = ca_key;
	spec.extensions = GOOD;
	return spec;
}

static CertSpec
self_signed_spec(void)
{
	CertSpec	spec = {0};

	spec.subject = "CN=db";
	spec.extensions = GOOD;
	return spec;
}

/* OpenSSL lets no such client in, so its details are not kept. */
static bool
is_not_kept(EsgCode code)
{
	return code == ESG_UNUSABLE_KEY || code == ESG_UNKNOWN_CRITICAL_EXTENSION;
}

/* What is remembered of a client's certificate must be told in the same words. */
static void
compare_kept(const EsgCertInfo *info, EsgPlace place, const EsgFindings *list, const char *name)
{
	EsgCertFacts facts;
	EsgFlawTexts texts;
	EsgCertInfo restored;
	EsgFindings again = {0};
	bool		same;
	int			i;

	esg_cert_facts_keep(info, &facts, &texts);
	esg_cert_facts_restore(&facts, &texts, info->not_before, info->not_after, &restored);
	/* who has no place for the texts of flaws does without */
	esg_cert_facts_keep(info, &facts, NULL);
	esg_policy_check_cert(&restored, place, &policy, now, &again);
	same = again.count == list->count;
	for (i = 0; same && i < list->count; i++)
		same = again.items[i].code == list->items[i].code &&
			again.items[i].severity == list->items[i].severity &&
			(is_not_kept(again.items[i].code) ||
			 strcmp(again.items[i].detail, list->items[i].detail) == 0);
	if (!ok(same, "%s: the same by what is kept", name))
	{
		print_findings(list);
		print_findings(&again);
	}
	esg_findings_free(&again);
}

static void
judge_info(const EsgCertInfo *info, EsgPlace place, EsgCode code, EsgSeverity want,
		   const char *name)
{
	EsgFindings list = {0};

	if (place == C)
	{
		esg_policy_check_cert(info, ESG_PLACE_CLIENT_CHAIN, &policy, now, &list);
		compare_kept(info, ESG_PLACE_CLIENT_CHAIN, &list, name);
		esg_findings_free(&list);
	}
	esg_policy_check_cert(info, place, &policy, now, &list);
	if (place == C)
		compare_kept(info, place, &list, name);
	if (want == ABSENT)
		lacks(&list, code, name);
	else
		shows(&list, code, want, name);
	esg_findings_free(&list);
}

static void
judge_cert(X509 *cert, EsgPlace place, EsgCode code, EsgSeverity want, const char *name)
{
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	judge_info(&info, place, code, want, name);
}

/* want: its severity, or ABSENT */
static void
judge(const CertSpec *spec, EsgPlace place, EsgCode code, EsgSeverity want, const char *name)
{
	X509	   *cert = certmaker_cert(spec);

	judge_cert(cert, place, code, want, name);
	X509_free(cert);
}

static void
judge_patched(const CertSpec *spec, const void *from, const void *to, size_t len,
			  EsgCode code, EsgSeverity want, const char *name)
{
	X509	   *cert = certmaker_cert(spec);
	X509	   *patched = certmaker_patch(cert, from, to, len);

	judge_cert(patched, C, code, want, name);
	X509_free(cert);
	X509_free(patched);
}

static void
test_clean(void)
{
	static const EsgPlace roles[] = {L, I, A, C, X};
	CertSpec	spec = good_spec();
	X509	   *cert = certmaker_cert(&spec);
	EsgCertInfo info;
	size_t		i;

	esg_x509_info_read(cert, NULL, &info);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
	{
		EsgFindings list = {0};

		esg_policy_check_cert(&info, roles[i], &policy, now, &list);
		is_clean(&list, "a good certificate");
		esg_findings_free(&list);
	}
	X509_free(cert);
}

/* ---- signature ---- */

static void
test_weak_signature(void)
{
	CertSpec	spec = good_spec();

	judge(&spec, C, ESG_WEAK_SIGNATURE, ABSENT, "SHA-256");
	policy.min_security_bits = 192;
	judge(&spec, C, ESG_WEAK_SIGNATURE, CRIT, "SHA-256 where 192 bits are asked for");
	spec.digest = EVP_sha384();
	judge(&spec, C, ESG_WEAK_SIGNATURE, ABSENT, "SHA-384 where 192 bits are asked for");
	policy.min_security_bits = 112;
	spec.digest = EVP_sha1();
	judge(&spec, C, ESG_WEAK_SIGNATURE, CRIT, "SHA-1");
	judge(&spec, A, ESG_WEAK_SIGNATURE, CRIT, "SHA-1 of an intermediate CA");
	spec.pss_salt = 20;
	judge(&spec, L, ESG_WEAK_SIGNATURE, CRIT, "PSS with SHA-1");
	spec.pss_salt = 0;
	spec.digest = EVP_md5();
	policy.min_security_bits = 0;
	judge(&spec, X, ESG_WEAK_SIGNATURE, CRIT, "MD5, whatever the floor");
	judge(&spec, C, ESG_WEAK_SIGNATURE, CRIT, "MD5 of a client");
	policy.min_security_bits = 112;

	spec = self_signed_spec();
	spec.digest = EVP_sha1();
	judge(&spec, L, ESG_WEAK_SIGNATURE, ABSENT, "proven self-signed");
	spec.issuer_key = certmaker_rsa_other(2048);
	judge(&spec, L, ESG_WEAK_SIGNATURE, CRIT, "self-signed by name alone");
}

static void
test_other_signature(void)
{
	CertSpec	spec = good_spec();

	judge_patched(&spec, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
				  "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x7f", 9,
				  ESG_UNKNOWN_SIGNATURE, W, "unknown OID");
	judge(&spec, C, ESG_UNKNOWN_SIGNATURE, ABSENT, "known OID");

	/* the outer one is followed by NULL and the BIT STRING */
	judge_patched(&spec, "\x01\x01\x0b\x05\x00\x03\x82", "\x01\x01\x0c\x05\x00\x03\x82", 7,
				  ESG_SIGNATURE_ALGORITHM_MISMATCH, CRIT, "SHA-384 outside, SHA-256 inside");
	judge(&spec, C, ESG_SIGNATURE_ALGORITHM_MISMATCH, ABSENT, "the same twice");

	spec.pss_salt = 32;
	judge(&spec, C, ESG_BAD_PSS_PARAMETERS, ABSENT, "PSS");
	spec.pss_mgf = EVP_sha1();
	judge(&spec, C, ESG_BAD_PSS_PARAMETERS, W, "PSS with another mask");

	spec = good_spec();
	judge(&spec, L, ESG_SCRAM_INCOMPATIBLE_SIGNATURE, ABSENT, "signed with RSA");
	spec.issuer_key = certmaker_named("ED25519");
	judge(&spec, L, ESG_SCRAM_INCOMPATIBLE_SIGNATURE, W, "signed with Ed25519");
	judge(&spec, L, ESG_WEAK_SIGNATURE, ABSENT, "Ed25519");
	judge(&spec, L, ESG_UNKNOWN_SIGNATURE, ABSENT, "Ed25519");
	judge(&spec, C, ESG_SCRAM_INCOMPATIBLE_SIGNATURE, ABSENT, "a client's matters not");
	spec.issuer_key = certmaker_ec("prime256v1");
	spec.key = certmaker_named("ED25519");
	judge(&spec, L, ESG_SCRAM_INCOMPATIBLE_SIGNATURE, ABSENT, "the key matters not");
}

/* The facts behind these are tested where they are read. */
static void
test_crafted_signature(void)
{
	CertSpec	spec = good_spec();
	X509	   *cert = certmaker_cert(&spec);
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	info.signature.strength = 0;
	judge_info(&info, C, ESG_WEAK_SIGNATURE, CRIT, "no strength at all");
	info.signature.pss = ESG_PSS_BAD_TRAILER;
	judge_info(&info, C, ESG_BAD_PSS_PARAMETERS, W, "odd trailer");
	info.signature.pss = ESG_PSS_BAD_SALT;
	judge_info(&info, C, ESG_BAD_PSS_PARAMETERS, W, "a salt shorter than nothing");
	info.signature.strength = 105;
	judge_info(&info, L, ESG_WEAK_SIGNATURE, CRIT, "GOST R 34.11-94");
	info.signature.strength = 128;
	judge_info(&info, L, ESG_WEAK_SIGNATURE, ABSENT, "Streebog");
	info.signature.pss = ESG_PSS_UNDECODABLE;
	info.signature.strength = -1;
	judge_info(&info, C, ESG_BAD_PSS_PARAMETERS, W, "undecodable");
	judge_info(&info, C, ESG_UNKNOWN_SIGNATURE, W, "no digest known");
	judge_info(&info, C, ESG_WEAK_SIGNATURE, ABSENT, "unknown is not weak");
	X509_free(cert);
}

/* ---- key ---- */

static void
judge_key(EVP_PKEY *key, EsgPlace place, EsgCode code, EsgSeverity want, const char *name)
{
	CertSpec	spec = good_spec();

	spec.key = key;
	judge(&spec, place, code, want, name);
}

/* a public key whose modulus is that of another, several times over */
static EVP_PKEY *
make_rsa(int times, const char *exponent)
{
	const BIGNUM *n;
	char	   *hex;
	char		modulus[2 * 512 + 1] = "";
	int			i;

	RSA_get0_key(EVP_PKEY_get0_RSA(certmaker_rsa(2048)), &n, NULL, NULL);
	hex = BN_bn2hex(n);
	for (i = 0; i < times; i++)
		strcat(modulus, hex);
	OPENSSL_free(hex);
	return certmaker_rsa_raw(modulus, exponent);
}

static void
test_key_strength(void)
{
	CertSpec	spec = self_signed_spec();

	judge_key(certmaker_rsa(1024), C, ESG_WEAK_KEY, CRIT, "RSA 1024");
	judge_key(certmaker_rsa(2040), C, ESG_WEAK_KEY, CRIT, "RSA 2040, 112 bits to OpenSSL");
	judge_key(certmaker_rsa(2048), C, ESG_WEAK_KEY, ABSENT, "RSA 2048");
	judge_key(certmaker_ec("prime192v1"), A, ESG_WEAK_KEY, CRIT, "P-192");
	judge_key(certmaker_ec("prime256v1"), L, ESG_WEAK_KEY, ABSENT, "P-256 signed with RSA");
	spec.key = certmaker_rsa(1024);
	judge(&spec, L, ESG_WEAK_KEY, CRIT, "RSA 1024, self-signed");
	policy.min_security_bits = 128;
	judge_key(certmaker_rsa(2048), C, ESG_WEAK_KEY, CRIT, "RSA 2048 where 128 bits are asked for");
	judge_key(certmaker_ec("prime256v1"), C, ESG_WEAK_KEY, ABSENT, "P-256 for 128 bits");
	judge_key(certmaker_named("ED25519"), C, ESG_WEAK_KEY, ABSENT, "Ed25519 for 128 bits");
	policy.min_security_bits = 112;
}

static void
test_key_kind(void)
{
	judge_key(make_rsa(1, "1"), C, ESG_BROKEN_KEY, CRIT, "exponent 1");
	judge_key(make_rsa(1, "4"), C, ESG_BROKEN_KEY, CRIT, "even exponent");
	judge_key(make_rsa(1, "3"), C, ESG_BROKEN_KEY, ABSENT, "exponent 3");
	judge_key(make_rsa(1, "3"), C, ESG_SMALL_EXPONENT, N, "exponent 3");
	judge_key(certmaker_rsa(2048), C, ESG_SMALL_EXPONENT, ABSENT, "exponent 65537");
	judge_key(certmaker_ec_explicit("prime256v1"), C, ESG_EXPLICIT_EC_PARAMETERS, CRIT, "explicit");
	judge_key(certmaker_ec("prime256v1"), C, ESG_EXPLICIT_EC_PARAMETERS, ABSENT, "named");
	judge_key(certmaker_named("X25519"), C, ESG_UNUSABLE_KEY, CRIT, "X25519");
	judge_key(certmaker_named("X25519"), A, ESG_UNUSABLE_KEY, W, "X25519 of a CA");
	judge_key(certmaker_named("ED448"), C, ESG_UNUSABLE_KEY, ABSENT, "Ed448");
	judge_key(make_rsa(2, "10000000000000001"), C, ESG_UNUSABLE_KEY, CRIT, "exponent of 65 bits, modulus of 4096");
	judge_key(make_rsa(2, "10001"), C, ESG_UNUSABLE_KEY, ABSENT, "usual exponent, modulus of 4096");
	judge_key(make_rsa(1, "10000000000000001"), C, ESG_UNUSABLE_KEY, ABSENT, "exponent of 65 bits, modulus of 2048");
	judge_key(certmaker_dsa(1024), C, ESG_DSA_KEY, W, "DSA");
	judge_key(certmaker_rsa(2048), C, ESG_DSA_KEY, ABSENT, "not DSA");
	judge_key(certmaker_ec("secp256k1"), C, ESG_UNCOMMON_CURVE, N, "secp256k1");
	judge_key(certmaker_ec("secp384r1"), C, ESG_UNCOMMON_CURVE, ABSENT, "P-384");
	judge_key(certmaker_ec("secp521r1"), C, ESG_UNCOMMON_CURVE, ABSENT, "P-521");
	judge_key(certmaker_named("ED448"), C, ESG_UNCOMMON_CURVE, ABSENT, "Ed448");
}

static void
test_crafted_key(void)
{
	static const unsigned faults[] = {
		ESG_KEY_BAD_EXPONENT, ESG_KEY_BAD_MODULUS, ESG_KEY_SMALL_FACTOR, ESG_KEY_ROCA,
		ESG_KEY_CLOSE_PRIMES, ESG_KEY_ROCA | ESG_KEY_SMALL_FACTOR,
	};
	CertSpec	spec = good_spec();
	X509	   *cert = certmaker_cert(&spec);
	EsgCertInfo info;
	size_t		i;

	esg_x509_info_read(cert, NULL, &info);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
	{
		info.key.faults = faults[i];
		judge_info(&info, C, ESG_BROKEN_KEY, CRIT, "a fault of the key");
	}
	info.key.faults = 0;
	info.key.security_bits = 0;
	judge_info(&info, C, ESG_WEAK_KEY, CRIT, "no strength at all");
	judge_info(&info, C, ESG_UNUSABLE_KEY, ABSENT, "no strength at all is known");
	/* p of 2048 bits, q of 160 */
	info.key.type = ESG_KEY_DSA;
	info.key.bits = 2048;
	info.key.security_bits = 80;
	judge_info(&info, C, ESG_WEAK_KEY, CRIT, "DSA with a small q");
	info.key.security_bits = 112;
	judge_info(&info, C, ESG_WEAK_KEY, ABSENT, "DSA with a q of 224 bits");
	info.key.security_bits = -1;
	judge_info(&info, C, ESG_UNUSABLE_KEY, W, "usable, but nobody knows its strength");
	judge_info(&info, C, ESG_WEAK_KEY, ABSENT, "unknown is not weak");
	X509_free(cert);
}

/* ---- time ---- */

#define DAY ESG_SECONDS_PER_DAY
#define HOUR 3600

/* a life of that many days, looked at left seconds before its end */
static const struct
{
	int			days;
	int64_t		left;
	int			alert_percent;
	int			critical_percent;
	EsgTimeLeft want;
}			lives[] = {
	{365, 90 * DAY, 25, 10, ESG_LEFT_ENOUGH},
	{365, 90 * DAY - 1, 25, 10, ESG_LEFT_SOON},
	{365, 7 * DAY, 25, 10, ESG_LEFT_SOON},
	{365, 7 * DAY - 1, 25, 10, ESG_LEFT_VERY_SOON},
	{365, 1, 25, 10, ESG_LEFT_VERY_SOON},
	{365, 0, 25, 10, ESG_LEFT_NOTHING},
	{365, -1, 25, 10, ESG_LEFT_NOTHING},
	{365, -500 * DAY, 25, 10, ESG_LEFT_NOTHING},
	/* a week: 25 % are 42 hours, 10 % are 16.8 */
	{7, 7 * DAY, 25, 10, ESG_LEFT_ENOUGH},
	{7, 42 * HOUR, 25, 10, ESG_LEFT_ENOUGH},
	{7, 42 * HOUR - 1, 25, 10, ESG_LEFT_SOON},
	{7, 17 * HOUR, 25, 10, ESG_LEFT_SOON},
	{7, 16 * HOUR, 25, 10, ESG_LEFT_VERY_SOON},
	/* caps switched off */
	{7, 7 * DAY - 1, 100, 100, ESG_LEFT_VERY_SOON},
	{30, 29 * DAY, 100, 10, ESG_LEFT_SOON},
	/* renewed at two thirds, with a month's delay */
	{90, 30 * DAY, 25, 10, ESG_LEFT_ENOUGH},
	{90, 23 * DAY, 25, 10, ESG_LEFT_ENOUGH},
	/* a cap does not raise a threshold */
	{36500, 91 * DAY, 25, 10, ESG_LEFT_ENOUGH},
	/* reversed: no lifetime, no cap */
	{-10, 80 * DAY, 25, 10, ESG_LEFT_SOON},
};

static void
test_time_left(void)
{
	EsgPolicy	own = policy;
	EsgTime		end = {ESG_TIME_VALID, INT64_C(1800000000), false};
	EsgTime		begin = {ESG_TIME_INVALID, 0, false};
	int64_t		left;
	size_t		i;

	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
	{
		begin.state = ESG_TIME_VALID;
		begin.unix_seconds = end.unix_seconds - lives[i].days * DAY;
		own.alert_lifetime_percent = lives[i].alert_percent;
		own.critical_lifetime_percent = lives[i].critical_percent;
		is_int(esg_policy_time_left(begin, end, &own, end.unix_seconds - lives[i].left, &left),
			   lives[i].want, "time left");
		is_int(left, lives[i].left < 0 ? -lives[i].left : lives[i].left, "how much");
	}
	begin.state = ESG_TIME_INVALID;
	is_int(esg_policy_time_left(begin, end, &policy, end.unix_seconds - 80 * DAY, &left),
		   ESG_LEFT_SOON, "no cap without a beginning");
	end.state = ESG_TIME_FOREVER;
	is_int(esg_policy_time_left(begin, end, &policy, end.unix_seconds + 1, &left),
		   ESG_LEFT_ENOUGH, "infinity");
	end.state = ESG_TIME_INVALID;
	is_int(esg_policy_time_left(begin, end, &policy, end.unix_seconds + 1, &left),
		   ESG_LEFT_ENOUGH, "no end that can be read");
}

/* What a verdict says of a life at a moment. */
static int
verdict(EsgTime begin, EsgTime end, const EsgPolicy *own, int64_t at)
{
	int64_t		left;

	return (int) esg_policy_time_left(begin, end, own, at, &left) * 2 +
		(esg_policy_time_known(begin) && begin.unix_seconds > at);
}

/* Steps the clock over a life second by second: does each change come when it was announced, and nothing else? */
static int
count_wrong_steps(EsgTime begin, EsgTime end, const EsgPolicy *own, int64_t from, int64_t to)
{
	int64_t		next = esg_policy_time_next(begin, end, own, from);
	int			wrong = 0;
	int64_t		at;

	for (at = from + 1; at <= to; at++)
	{
		int			before = verdict(begin, end, own, at - 1);

		wrong += (verdict(begin, end, own, at) != before) != (at == next);
		if (at == next)
			next = esg_policy_time_next(begin, end, own, at);
		wrong += next <= at;
	}
	return wrong + (next != ESG_TIME_NEVER);
}

static void
test_time_next(void)
{
	static const EsgTimeState ends[] = {ESG_TIME_VALID, ESG_TIME_FOREVER, ESG_TIME_INVALID, ESG_TIME_ABSENT};
	EsgPolicy	own = policy;
	EsgTime		begin = {ESG_TIME_VALID, 1000, false};
	EsgTime		end = {ESG_TIME_VALID, 1000, false};
	int			wrong = 0;
	int			i;

	srand(1);
	for (i = 0; i < 4000; i++)
	{
		begin.state = i % 5 ? ESG_TIME_VALID : ESG_TIME_INVALID;
		end.state = i % 7 ? ESG_TIME_VALID : ends[rand() % 4];
		begin.unix_seconds = 1000 + rand() % 200;
		/* also reversed, and empty */
		end.unix_seconds = begin.unix_seconds + rand() % 300 - 20;
		own.alert_threshold = rand() % 150;
		own.critical_threshold = rand() % 150;
		own.alert_lifetime_percent = 1 + rand() % 100;
		own.critical_lifetime_percent = 1 + rand() % 100;
		wrong += count_wrong_steps(begin, end, &own, 700, 1600);
	}
	is_int(wrong, 0, "every change is announced to the second, and nothing else");

	begin.state = end.state = ESG_TIME_VALID;
	begin.unix_seconds = 0;
	end.unix_seconds = 1000 * DAY;
	is_int(esg_policy_time_next(begin, end, &policy, 1), 910 * DAY + 1, "the alert threshold");
	is_int(esg_policy_time_next(begin, end, &policy, 910 * DAY + 1), 993 * DAY + 1, "the critical threshold");
	is_int(esg_policy_time_next(begin, end, &policy, 993 * DAY + 1), 1000 * DAY, "the end");
	ok(esg_policy_time_next(begin, end, &policy, 1000 * DAY) == ESG_TIME_NEVER, "nothing after the end");
	is_int(esg_policy_time_next(begin, end, &policy, -1), 0, "the beginning");
}

/* now is 2026-06-01 */
static const struct
{
	const char *not_before;
	const char *not_after;
	EsgPlace		place;
	EsgCode		code;
	EsgSeverity want;
}			times[] = {
	{"20250101000000Z", "20260531235959Z", C, ESG_EXPIRED, CRIT},
	{"20250101000000Z", "20260531235959Z", A, ESG_EXPIRED, W},
	{"20250101000000Z", "20260531235959Z", X, ESG_EXPIRED, W},
	{"20250101000000Z", "20260606000000Z", A, ESG_EXPIRES_VERY_SOON, W},
	{"20250101000000Z", "20260606000000Z", X, ESG_EXPIRES_VERY_SOON, W},
	{"20250101000000Z", "20260701000000Z", A, ESG_EXPIRES_SOON, N},
	{"20250101000000Z", "20260701000000Z", X, ESG_EXPIRES_SOON, N},
	{"20250101000000Z", "20260531235959Z", C, ESG_EXPIRES_VERY_SOON, ABSENT},
	{"20250101000000Z", "20260531235959Z", C, ESG_EXPIRES_SOON, ABSENT},
	/* the last second is over when it begins */
	{"20250101000000Z", "20260601000000Z", C, ESG_EXPIRED, CRIT},
	{"20250101000000Z", "20260601000000Z", C, ESG_EXPIRES_VERY_SOON, ABSENT},
	{"20250101000000Z", "20260601000001Z", C, ESG_EXPIRED, ABSENT},
	{"20250101000000Z", "20260601000001Z", C, ESG_EXPIRES_VERY_SOON, CRIT},
	{"500101000000Z", "20250101000000Z", C, ESG_EXPIRED, CRIT},
	{"00000101000000Z", "00010101000000Z", C, ESG_EXPIRED, CRIT},
	{"20250101000000Z", "491231235959Z", C, ESG_EXPIRED, ABSENT},
	{"490101000000Z", "500101000000Z", C, ESG_EXPIRED, CRIT},	/* 1950 */
	{"20250101000000Z", "20260606000000Z", C, ESG_EXPIRES_VERY_SOON, CRIT},
	{"20250101000000Z", "20260606000000Z", C, ESG_EXPIRES_SOON, ABSENT},
	{"20250101000000Z", "20260606000000Z", C, ESG_EXPIRED, ABSENT},
	{"20250101000000Z", "20260701000000Z", C, ESG_EXPIRES_SOON, W},
	{"20250101000000Z", "20260701000000Z", C, ESG_EXPIRES_VERY_SOON, ABSENT},
	{"20250101000000Z", "20261001000000Z", C, ESG_EXPIRES_SOON, ABSENT},
	{"20250101000000Z", "99991231235959Z", C, ESG_EXPIRED, ABSENT},
	{"20250101000000Z", "99991231235959Z", C, ESG_EXPIRES_SOON, ABSENT},
	/* a week's certificate, fresh */
	{"20260531000000Z", "20260607000000Z", C, ESG_EXPIRES_VERY_SOON, ABSENT},
	{"20260531000000Z", "20260607000000Z", C, ESG_EXPIRES_SOON, ABSENT},
	{"20260526000000Z", "20260602000000Z", C, ESG_EXPIRES_SOON, W},
	{"20260525060000Z", "20260601060000Z", C, ESG_EXPIRES_VERY_SOON, CRIT},
	{"20260601000001Z", "20270101000000Z", C, ESG_NOT_YET_VALID, CRIT},
	{"20260601000000Z", "20270101000000Z", C, ESG_NOT_YET_VALID, ABSENT},
	{"99991231235959Z", "99991231235959Z", C, ESG_NOT_YET_VALID, CRIT},
	{"20260101000000Z", "20261301000000Z", C, ESG_INVALID_TIME, CRIT},
	{"20260101000000Z", "20261301000000Z", C, ESG_EXPIRED, ABSENT},
	{"hello", "20270101000000Z", C, ESG_INVALID_TIME, CRIT},
	{"202601010000Z", "20270101000000Z", C, ESG_INVALID_TIME, CRIT},
	{"20260101000000Z", "20270101000000+0100", C, ESG_INVALID_TIME, CRIT},
	{"20260101000000Z", "20270101000000Z", C, ESG_INVALID_TIME, ABSENT},
	{"20260501000000Z", "20260101000000Z", C, ESG_VALIDITY_REVERSED, CRIT},
	{"20260101000000Z", "20260101000000Z", C, ESG_VALIDITY_REVERSED, ABSENT},
	{"20260101000000Z", "hello", C, ESG_VALIDITY_REVERSED, ABSENT},
	{"hello", "20260101000000Z", C, ESG_VALIDITY_TOO_LONG, ABSENT},
	{"20260101000000Z", "20280405000000Z", C, ESG_VALIDITY_TOO_LONG, ABSENT},	/* 825 days */
	{"20260101000000Z", "20280405235959Z", C, ESG_VALIDITY_TOO_LONG, ABSENT},
	{"20260101000000Z", "20280406000000Z", C, ESG_VALIDITY_TOO_LONG, N},
	{"20260101000000Z", "20280406000000Z", L, ESG_VALIDITY_TOO_LONG, N},
	{"20260101000000Z", "20280406000000Z", A, ESG_VALIDITY_TOO_LONG, ABSENT},
	{"20260101000000Z", "99991231235959Z", C, ESG_VALIDITY_TOO_LONG, N},
};

static void
test_times(void)
{
	size_t		i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		CertSpec	spec = good_spec();
		char		name[80];

		spec.not_before = times[i].not_before;
		spec.not_after = times[i].not_after;
		snprintf(name, sizeof(name), "%s to %s", times[i].not_before, times[i].not_after);
		judge(&spec, times[i].place, times[i].code, times[i].want, name);
	}
}

static void
test_time_settings(void)
{
	CertSpec	spec = good_spec();
	EsgTime		begin = {ESG_TIME_VALID, 0, false};
	EsgRemark	remark;

	spec.not_after = "99991231235959Z";
	policy.max_validity = 0;
	judge(&spec, C, ESG_VALIDITY_TOO_LONG, ABSENT, "no limit");
	policy.max_validity = 825 * DAY;
	judge(&spec, C, ESG_VALIDITY_TOO_LONG, N, "for ever");
	spec = self_signed_spec();
	spec.not_after = "99991231235959Z";
	judge(&spec, L, ESG_VALIDITY_TOO_LONG, ABSENT, "self-signed");
	judge(&spec, C, ESG_VALIDITY_TOO_LONG, ABSENT, "a self-signed client");
	spec.issuer_key = certmaker_rsa_other(2048);
	judge(&spec, L, ESG_VALIDITY_TOO_LONG, N, "self-signed by name alone");
	begin.unix_seconds = now + 3 * HOUR;
	ok(esg_policy_is_before(begin, now, &remark) && strstr(remark.detail, "clock") != NULL,
	   "less than a day: %s", remark.detail);
	begin.unix_seconds = now + DAY;
	ok(esg_policy_is_before(begin, now, &remark), "a day");
	is_text(remark.detail, "2026-06-02T00:00:00Z", "a day");
	begin.unix_seconds = now;
	ok(!esg_policy_is_before(begin, now, &remark), "now");
}

/* ---- names, extensions, structure ---- */

#define LONG_CN "CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* NULL: as in the good one */
static const struct
{
	const char *name;
	EsgCode		code;
	EsgPlace		place;
	EsgSeverity want;
	const char *subject;
	const char *extensions;
	const char *serial;
	int			version;
}			structures[] = {
	{"no subjectAltName", ESG_NO_ALT_NAME, L, N, NULL, PLAIN EKU},
	{"no subjectAltName", ESG_NO_ALT_NAME, C, ABSENT, NULL, PLAIN EKU},
	{"e-mail only", ESG_NO_ALT_NAME, L, N, NULL, PLAIN EKU "subjectAltName=email:a@b.c\n"},
	{"address only", ESG_NO_ALT_NAME, L, ABSENT, NULL, PLAIN EKU "subjectAltName=IP:10.0.0.1\n"},
	{"two CNs", ESG_MULTIPLE_COMMON_NAMES, L, N, "CN=a,CN=b"},
	{"two CNs", ESG_MULTIPLE_COMMON_NAMES, C, W, "CN=a,CN=b"},
	{"two CNs", ESG_MULTIPLE_COMMON_NAMES, A, ABSENT, "CN=a,CN=b"},
	{"one CN", ESG_MULTIPLE_COMMON_NAMES, C, ABSENT, "CN=a,O=b"},
	{"NUL in CN", ESG_NUL_IN_NAME, C, CRIT, "CN=a\\x00b"},
	{"NUL in SAN", ESG_NUL_IN_NAME, L, CRIT, NULL, PLAIN "subjectAltName=DER:3005820361006f\n"},
	{"no NUL", ESG_NUL_IN_NAME, C, ABSENT, "CN=a0b"},
	{"good UTF-8", ESG_MALFORMED_NAME, C, ABSENT, "CN=a\\xc3\\xbc"},
	{"newline", ESG_MALFORMED_NAME, C, W, "CN=a\\x0a"},
	{"newline", ESG_MALFORMED_NAME, L, N, "CN=a\\x0a"},
	{"65 characters", ESG_MALFORMED_NAME, C, W, LONG_CN},
	{"empty SAN", ESG_MALFORMED_NAME, C, W, NULL, PLAIN "subjectAltName=DER:3000\n"},
	{"address of 5", ESG_MALFORMED_NAME, C, W, NULL, PLAIN "subjectAltName=DER:300787050102030405\n"},
	{"undecodable SAN", ESG_MALFORMED_NAME, C, W, NULL, PLAIN "subjectAltName=DER:0500\n"},
	{"CA", ESG_CA_AS_LEAF, L, W, NULL, CA_EXT},
	{"CA", ESG_CA_AS_LEAF, C, W, NULL, CA_EXT},
	{"CA", ESG_CA_AS_LEAF, A, ABSENT, NULL, CA_EXT},
	{"no CA", ESG_CA_AS_LEAF, L, ABSENT, NULL, GOOD},
	{"client only", ESG_WRONG_PURPOSE, L, CRIT, NULL, PLAIN "extendedKeyUsage=clientAuth\n"},
	{"client only", ESG_WRONG_PURPOSE, C, ABSENT, NULL, PLAIN "extendedKeyUsage=clientAuth\n"},
	{"server only", ESG_WRONG_PURPOSE, C, CRIT, NULL, PLAIN "extendedKeyUsage=serverAuth\n"},
	{"server only", ESG_WRONG_PURPOSE, L, ABSENT, NULL, PLAIN "extendedKeyUsage=serverAuth\n"},
	{"no extended usage", ESG_WRONG_PURPOSE, C, ABSENT, NULL, PLAIN},
	{"keyEncipherment", ESG_KEY_USAGE_MISMATCH, C, W, NULL, "keyUsage=keyEncipherment\n"},
	{"no key usage", ESG_KEY_USAGE_MISMATCH, C, ABSENT, NULL, SAN},
	{"CA without keyCertSign", ESG_KEY_USAGE_MISMATCH, L, W, NULL,
	CA_EXT "keyUsage=digitalSignature\n"},
	{"CA with keyCertSign", ESG_KEY_USAGE_MISMATCH, L, ABSENT, NULL,
	CA_EXT "keyUsage=digitalSignature,keyCertSign\n"},
	{"unknown critical", ESG_UNKNOWN_CRITICAL_EXTENSION, C, CRIT, NULL,
	GOOD "1.2.3.4.5=critical,ASN1:UTF8String:x\n"},
	{"unknown", ESG_UNKNOWN_CRITICAL_EXTENSION, C, ABSENT, NULL,
	GOOD "1.2.3.4.5=ASN1:UTF8String:x\n"},
	{"version 1", ESG_MALFORMED_EXTENSION, C, CRIT, NULL, GOOD, NULL, 1},
	{"bad basicConstraints", ESG_MALFORMED_EXTENSION, C, CRIT, NULL,
	"basicConstraints=DER:0500\n"},
	{"version 3", ESG_MALFORMED_EXTENSION, C, ABSENT, NULL, GOOD, NULL, 3},
	{"serial 0", ESG_ODD_SERIAL, C, N, NULL, NULL, "0"},
	{"serial -5", ESG_ODD_SERIAL, C, N, NULL, NULL, "-5"},
	{"serial of 21 octets", ESG_ODD_SERIAL, C, N, NULL, NULL,
	"730750818665451459101842416358141509827966271488"},
	{"serial of 20 octets", ESG_ODD_SERIAL, C, ABSENT, NULL, NULL,
	"730750818665451459101842416358141509827966271487"},
	{"must staple", ESG_MUST_STAPLE, L, W, NULL, GOOD "tlsfeature=status_request\n"},
	{"must staple", ESG_MUST_STAPLE, C, ABSENT, NULL, GOOD "tlsfeature=status_request\n"},
	{"need not staple", ESG_MUST_STAPLE, L, ABSENT, NULL, GOOD},
};

static void
test_structures(void)
{
	size_t		i;

	for (i = 0; i < sizeof(structures) / sizeof(structures[0]); i++)
	{
		CertSpec	spec = good_spec();

		if (structures[i].subject)
			spec.subject = structures[i].subject;
		if (structures[i].extensions)
			spec.extensions = structures[i].extensions;
		spec.serial = structures[i].serial;
		spec.version = structures[i].version;
		judge(&spec, structures[i].place, structures[i].code, structures[i].want,
			  structures[i].name);
	}
}

/* OpenSSL will not make such names. */
static void
test_crafted_names(void)
{
	CertSpec	spec = good_spec();
	X509	   *cert = certmaker_cert(&spec);
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	info.names.bad_utf8 = true;
	judge_info(&info, C, ESG_MALFORMED_NAME, W, "a string not in its encoding");
	info.names.bad_utf8 = false;
	info.names.odd_string_type = true;
	judge_info(&info, A, ESG_MALFORMED_NAME, N, "BMPString");
	info.names.odd_string_type = false;
	info.names.ambiguous_string = true;
	judge_info(&info, C, ESG_MALFORMED_NAME, W, "a T61String that may be read in several ways");
	info.names.ambiguous_string = false;
	judge_info(&info, C, ESG_MALFORMED_NAME, ABSENT, "neither");
	X509_free(cert);
}

static void
test_self_signed(void)
{
	CertSpec	spec = self_signed_spec();

	judge(&spec, L, ESG_SELF_SIGNED_SERVER, N, "self-signed");
	judge(&spec, C, ESG_SELF_SIGNED_SERVER, ABSENT, "a client's");
	spec.extensions = CA_EXT;
	judge(&spec, L, ESG_CA_AS_LEAF, N, "self-signed CA, only a notice");
	judge(&spec, C, ESG_CA_AS_LEAF, N, "self-signed CA, only a notice");
	spec.issuer_key = certmaker_rsa_other(2048);
	judge(&spec, L, ESG_SELF_SIGNED_SERVER, ABSENT, "names alone prove nothing");
	judge(&spec, L, ESG_CA_AS_LEAF, W, "names alone excuse nothing");
}

/* What the sentence says beside the code. */
static void
expect_detail(const CertSpec *spec, EsgCode code, const char *want)
{
	X509	   *cert = certmaker_cert(spec);
	EsgFindings list = {0};
	EsgCertInfo info;
	const char *got = NULL;
	int			i;

	esg_x509_info_read(cert, NULL, &info);
	esg_policy_check_cert(&info, C, &policy, now, &list);
	for (i = 0; i < list.count; i++)
	{
		if (list.items[i].code == code)
			got = list.items[i].detail;
	}
	is_text(got, want, esg_findings_def(code)->name);
	esg_findings_free(&list);
	X509_free(cert);
}

static void
test_details(void)
{
	CertSpec	spec = good_spec();

	spec.key = certmaker_rsa(1024);
	expect_detail(&spec, ESG_WEAK_KEY, "RSA, 1024 bits");
	spec.key = certmaker_dsa(1024);
	expect_detail(&spec, ESG_WEAK_KEY, "DSA, 1024 bits, strength 80");
	spec.key = certmaker_ec("prime192v1");
	expect_detail(&spec, ESG_WEAK_KEY, "EC prime192v1, 192 bits");
	spec.key = certmaker_named("X25519");
	expect_detail(&spec, ESG_UNUSABLE_KEY, "this OpenSSL cannot use it to sign: X25519, OID 1.3.101.110");
	spec = good_spec();
	spec.not_after = "20260606000000Z";
	expect_detail(&spec, ESG_EXPIRES_VERY_SOON, "5 days");
	spec.not_after = "99991231235959Z";
	expect_detail(&spec, ESG_VALIDITY_TOO_LONG, "an unlimited time");
	spec.not_before = "20260101000000Z";
	spec.not_after = "20280406000000Z";
	expect_detail(&spec, ESG_VALIDITY_TOO_LONG, "826 days");
	policy.max_validity = 36 * HOUR;
	spec.not_after = "20260102160000Z";
	expect_detail(&spec, ESG_VALIDITY_TOO_LONG, "40 hours");
	spec.not_after = "20260102125959Z";
	judge(&spec, C, ESG_VALIDITY_TOO_LONG, ABSENT, "36 hours and 59 minutes");
	policy.max_validity = 90;
	expect_detail(&spec, ESG_VALIDITY_TOO_LONG, "133199 seconds");
	policy.max_validity = 825 * DAY;
	spec.not_before = "20260601050000Z";
	spec.not_after = "20260701000000Z";
	expect_detail(&spec, ESG_NOT_YET_VALID, "2026-06-01T05:00:00Z (in 5 hours: is the clock right?)");
	spec.not_before = "20260604000000Z";
	expect_detail(&spec, ESG_NOT_YET_VALID, "2026-06-04T00:00:00Z");
	spec.not_before = "hello";
	spec.not_after = "hello";
	expect_detail(&spec, ESG_INVALID_TIME, "notBefore, notAfter");
}

static void
test_overrides(void)
{
	CertSpec	spec = good_spec();

	spec.serial = "0";
	expect_detail(&spec, ESG_ODD_SERIAL, "zero");
	policy.overrides[ESG_ODD_SERIAL] = ESG_CRITICAL;
	judge(&spec, C, ESG_ODD_SERIAL, CRIT, "regraded");
	policy.overrides[ESG_ODD_SERIAL] = ESG_OK;
	judge(&spec, C, ESG_ODD_SERIAL, ABSENT, "switched off");
	policy.overrides[ESG_ODD_SERIAL] = -1;
	spec.not_after = "20260501000000Z";
	spec.digest = EVP_sha1();
	{
		X509	   *cert = certmaker_cert(&spec);
		EsgFindings list = {0};
		EsgCertInfo info;

		esg_x509_info_read(cert, NULL, &info);
		esg_policy_check_cert(&info, C, &policy, now, &list);
		ok(list.count == 3 && list.items[0].code == ESG_WEAK_SIGNATURE &&
		   list.items[1].code == ESG_EXPIRED && list.items[2].code == ESG_ODD_SERIAL,
		   "worst first, then by code");
		ok(ERR_peek_error() == 0, "error queue is empty");
		esg_findings_free(&list);
		X509_free(cert);
	}
}

static const char *
find_detail(const EsgFindings *list, EsgCode code)
{
	for (int i = 0; i < list->count; i++)
	{
		if (list->items[i].code == code)
			return list->items[i].detail;
	}
	return NULL;
}

/*
 * Of a server's certificate only facts, as they are kept of a client's: what needs the certificate itself is not
 * found, and what is malformed without a reason is said to be.
 */
static void
test_facts_alone(void)
{
	CertSpec	spec = good_spec();
	EsgCertInfo info;
	EsgCertInfo restored;
	EsgCertFacts facts;
	EsgFindings list = {0};
	X509	   *cert;

	spec.subject = "CN=other.example.com";
	spec.extensions = PLAIN EKU "subjectAltName=DNS:db1..example.com\n";
	cert = certmaker_cert(&spec);
	esg_x509_info_read(cert, NULL, &info);
	esg_policy_check_cert(&info, L, &policy, now, &list);
	ok(esg_findings_has(&list, ESG_BAD_DNS_NAME) && esg_findings_has(&list, ESG_CN_NOT_IN_ALT_NAME) &&
	   esg_findings_has(&list, ESG_STRICT_CLIENT_REFUSES), "what the certificate has");
	esg_findings_free(&list);
	esg_cert_facts_keep(&info, &facts, NULL);
	esg_cert_facts_restore(&facts, NULL, info.not_before, info.not_after, &restored);
	restored.malformed_extension = restored.odd_serial = true;
	restored.malformed_reason = restored.odd_serial_reason = NULL;
	esg_policy_check_cert(&restored, L, &policy, now, &list);
	lacks(&list, ESG_BAD_DNS_NAME, "without the certificate");
	lacks(&list, ESG_CN_NOT_IN_ALT_NAME, "without the certificate");
	lacks(&list, ESG_STRICT_CLIENT_REFUSES, "without the certificate");
	is_text(find_detail(&list, ESG_MALFORMED_EXTENSION), "invalid", "a word for it");
	is_text(find_detail(&list, ESG_ODD_SERIAL), "odd", "a word for it");
	esg_findings_free(&list);
	X509_free(cert);
}

int
main(void)
{
	CertSpec	ca = {0};

	esg_policy_defaults(&policy);
	now = INT64_C(1780272000); /* 2026-06-01 */
	ca.subject = "CN=CA";
	ca.key = ca_key = certmaker_rsa(3072);
	ca.extensions = CA_EXT;
	ca_cert = certmaker_cert(&ca);

	test_clean();
	test_weak_signature();
	test_other_signature();
	test_crafted_signature();
	test_key_strength();
	test_key_kind();
	test_crafted_key();
	test_time_left();
	test_time_next();
	test_times();
	test_time_settings();
	test_structures();
	test_crafted_names();
	test_self_signed();
	test_details();
	test_overrides();
	test_facts_alone();
	X509_free(ca_cert);
	return done();
}

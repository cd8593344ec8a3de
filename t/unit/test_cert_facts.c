/*
 * test_cert_facts.c
 *		Facts that were kept are judged as the certificate was; what cannot be
 *		some is seen.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "certmaker.h"
#include "esg_test.h"
#include "policy/cert_facts.h"

static EsgCertFacts
keep(X509 *cert)
{
	EsgCertInfo info;
	EsgCertFacts facts;

	esg_x509_info_read(cert, NULL, &info);
	esg_cert_facts_keep(&info, &facts, NULL);
	return facts;
}

static void
test_curve(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.key = certmaker_ec("prime256v1")});
	EsgCertFacts facts = keep(cert);
	EsgKeyInfo	key;

	esg_cert_facts_restore_key(&facts.key, &key);
	is_text(key.curve, "prime256v1", "a curve has its name");
	/* as an OpenSSL that knows more has left it */
	facts.key.curve_nid = 1000000;
	ERR_clear_error();
	esg_cert_facts_restore_key(&facts.key, &key);
	is_text(key.curve, "", "one that this OpenSSL does not know has none");
	ok(ERR_peek_error() == 0, "and leaves no error");
	is_int(key.bits, 256, "the size is known all the same");
	X509_free(cert);
}

/* One byte at a place is another. */
static void
refused(const EsgCertFacts *good, const void *at, int value, const char *name)
{
	EsgCertFacts bad = *good;

	memset((char *) &bad + ((const char *) at - (const char *) good), value, 1);
	ok(!esg_cert_facts_are_sound(&bad), "not sound: %s", name);
}

static void
test_sound(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.extensions = "keyUsage=digitalSignature\n"});
	EsgCertFacts facts = keep(cert);
	EsgCertFacts bad = facts;

	ok(esg_cert_facts_are_sound(&facts), "a certificate's");
	memset(&bad, 0, sizeof(bad));
	ok(esg_cert_facts_are_sound(&bad), "those of none");
	refused(&facts, &facts.odd_serial, 2, "the last flag");
	refused(&facts, &facts.broken_digest, 255, "the first flag");
	refused(&facts, &facts.names.ambiguous_string, 2, "of the names");
	refused(&facts, &facts.names.has_server_name, 2, "of the names, the first");
	refused(&facts, &facts.key.explicit_parameters, 2, "of the key");
	refused(&facts, &facts.key.type, ESG_KEY_CANNOT_SIGN + 1, "the key's type");
	refused(&facts, &facts.pss, ESG_PSS_BAD_SALT + 1, "the state of RSASSA-PSS");
	bad = facts;
	memset(bad.signature_algorithm, 'x', sizeof(bad.signature_algorithm));
	ok(!esg_cert_facts_are_sound(&bad), "not sound: a text without an end");
	bad = facts;
	memset(bad.key.algorithm, 'x', sizeof(bad.key.algorithm));
	ok(!esg_cert_facts_are_sound(&bad), "not sound: the key's");
	bad = facts;
	bad.key.bits = -1;
	ok(!esg_cert_facts_key_is_sound(&bad.key), "not sound: a size below zero");
	X509_free(cert);
}

static void
test_time_sound(void)
{
	EsgTime		good = {.state = ESG_TIME_VALID};
	EsgTime		bad = good;

	ok(esg_cert_facts_time_is_sound(&good), "a time");
	memset(&bad.nonconforming, 2, 1);
	ok(!esg_cert_facts_time_is_sound(&bad), "not sound: its flag");
	bad = good;
	bad.state = (EsgTimeState) (ESG_TIME_FOREVER + 1);
	ok(!esg_cert_facts_time_is_sound(&bad), "not sound: its state");
	bad = good;
	bad.unix_seconds = INT64_MAX;
	ok(!esg_cert_facts_time_is_sound(&bad), "not sound: after the year 9999");
}

int
main(void)
{
	test_curve();
	test_sound();
	test_time_sound();
	return done();
}

/*
 * test_failing_alarm_text.c
 *		A finding in words, where memory ends: it is told all the same, without what there was no memory for.
 */
#include <openssl/err.h>

#include "certmaker.h"
#include "failing.h"
#include "policy/alarm_text.h"

static const EsgLocation of_host = {"hosts_file", "/srv/x.crt", 3, 7, "db1,db2", false};
static EsgCertInfo cert_info;
static EsgCrlInfo crl_info;

static bool is_first;			/* nothing fails yet: what is said is what is right */
static EsgAlarm whole;

static Outcome
judge(const EsgAlarm *alarm, const char *words)
{
	if (is_first)
		whole = *alarm;
	if (alarm->code != whole.code || alarm->severity != whole.severity || strstr(alarm->message, words) == NULL ||
		alarm->object[0] == '\0' || alarm->hint[0] == '\0' ||
		memcmp(alarm->fingerprint, whole.fingerprint, sizeof(whole.fingerprint)) != 0)
		return WRONG;
	return strcmp(alarm->message, whole.message) == 0 && strcmp(alarm->object, whole.object) == 0 &&
		strcmp(alarm->hint, whole.hint) == 0 && strcmp(alarm->detail, whole.detail) == 0 ? RIGHT : TOLD;
}

static Outcome
tell_cert(void)
{
	EsgFinding	finding = {ESG_EXPIRES_SOON, ESG_PLACE_LEAF, ESG_WARNING, "5 days"};
	EsgAlarm	alarm;

	esg_alarm_text_cert(&finding, &cert_info, &of_host, &alarm);
	return judge(&alarm, "expires in 5 days");
}

static Outcome
tell_crl(void)
{
	EsgFinding	finding = {ESG_CRL_EXPIRED, ESG_PLACE_CRL, ESG_CRITICAL, "2 days"};
	EsgAlarm	alarm;

	esg_alarm_text_crl(&finding, &crl_info, &of_host, &alarm);
	return judge(&alarm, "2 days");
}

static Outcome
tell_file(void)
{
	EsgFinding	finding = {ESG_PERMISSIONS_TOO_OPEN, ESG_PLACE_FILE, ESG_CRITICAL, "0666"};
	EsgAlarm	alarm;

	esg_alarm_text_file(&finding, &of_host, "chmod 0600 /srv/x.crt", &alarm);
	return judge(&alarm, "0666");
}

static void
test(const char *name, Outcome (*tell) (void), int told)
{
	is_first = true;
	is_int(tell(), RIGHT, name);
	is_first = false;
	ok(fail_each(name, tell) >= told, "something is missing then");
}

int
main(void)
{
	X509	   *ca = certmaker_cert(&(CertSpec) {.subject = "CN=ca"});
	X509_CRL   *crl = certmaker_crl(&(CrlSpec) {.issuer_cert = ca,.issuer_key = certmaker_rsa(2048)});

	esg_x509_info_read(ca, NULL, &cert_info);
	esg_crl_info_read(crl, &crl_info);
	test("a certificate", tell_cert, 4);
	test("a CRL", tell_crl, 4);
	test("a file", tell_file, 5);
	ok(ERR_peek_error() == 0, "no error is left");
	X509_CRL_free(crl);
	X509_free(ca);
	return done();
}

/*
 * test_alarm_text.c
 *		A finding in words.
 */
#include <stdlib.h>

#include <openssl/err.h>

#include "policy/alarm_text.h"
#include "certmaker.h"
#include "esg_test.h"

static const EsgLocation in_file = {"ssl_cert_file", "/srv/a\nb.crt", 2, 0, NULL, false};
static const EsgLocation at_server = {"", "db1:5432", 1, 0, NULL, true};
static const EsgLocation of_host = {"hosts_file", "/srv/x.crt", 0, 7, "db1,db2", false};

/* where a certificate is makes the message, the object and DETAIL */
static void
test_cert(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.subject = "CN=a \"b\""});
	X509	   *nameless = certmaker_cert(&(CertSpec){.subject = "",.issuer = "CN=x"});
	EsgFinding	finding = {ESG_EXPIRES_SOON, ESG_PLACE_LEAF, ESG_WARNING, "5 days"};
	EsgCertInfo info;
	EsgAlarm	alarm;

	esg_x509_info_read(cert, NULL, &info);
	esg_alarm_text_cert(&finding, &info, &in_file, &alarm);
	is_text(alarm.message, "certificate \"CN=a \\\"b\\\"\" in file \"/srv/a\\x0ab.crt\" expires in 5 days", "in a file");
	is_text(alarm.object, "/srv/a\\x0ab.crt:2", "its object");
	ok(strncmp(alarm.detail, "code=expires_soon severity=warning setting=ssl_cert_file position=2 not_after=2027-01-01T00:00:00Z fingerprint=", 110) == 0,
	   "its DETAIL: %s", alarm.detail);
	is_text(alarm.hint, esg_findings_def(ESG_EXPIRES_SOON)->hint, "its hint");
	is_int(alarm.end.unix_seconds, info.not_after.unix_seconds, "its end");
	esg_alarm_text_cert(&finding, &info, &at_server, &alarm);
	is_text(alarm.message, "certificate \"CN=a \\\"b\\\"\" of server \"db1:5432\" expires in 5 days", "of a server");
	ok(strstr(alarm.detail, "setting=") == NULL, "which no setting names");
	esg_x509_info_read(nameless, NULL, &info);
	esg_alarm_text_cert(&finding, &info, &at_server, &alarm);
	is_text(alarm.message, "certificate with an empty name of server \"db1:5432\" expires in 5 days", "without a name");
	X509_free(cert);
	X509_free(nameless);
}

static void
test_crl(void)
{
	X509	   *ca = certmaker_cert(&(CertSpec){.subject = "CN=ca"});
	X509_CRL   *crl = certmaker_crl(&(CrlSpec){.issuer_cert = ca,.issuer_key = certmaker_rsa(2048)});
	EsgFinding	finding = {ESG_CRL_EXPIRED, ESG_PLACE_CRL, ESG_CRITICAL, "2 days"};
	EsgCrlInfo	info;
	EsgAlarm	alarm;

	esg_crl_info_read(crl, &info);
	esg_alarm_text_crl(&finding, &info, &in_file, &alarm);
	ok(strncmp(alarm.message, "CRL of \"CN=ca\" in file \"/srv/a\\x0ab.crt\" ", 39) == 0, "%s", alarm.message);
	ok(strstr(alarm.detail, " next_update=2027-01-01T00:00:00Z ") != NULL, "its DETAIL");
	X509_CRL_free(crl);
	X509_free(ca);
}

/* a command mends modes; not what else is wrong with a file */
static void
test_file(void)
{
	EsgFinding	finding = {ESG_PERMISSIONS_TOO_OPEN, ESG_PLACE_FILE, ESG_CRITICAL, "0666"};
	EsgAlarm	alarm;

	esg_alarm_text_file(&finding, &of_host, "chmod 0600 'a\nb'", &alarm);
	is_text(alarm.hint, "Run: chmod 0600 'a\\x0ab'", "the command, escaped");
	ok(strstr(alarm.detail, " line=7 host=db1,db2 path=/srv/x.crt") != NULL, "line and host: %s", alarm.detail);
	ok(strncmp(alarm.message, "file \"/srv/x.crt\" ", 18) == 0, "%s", alarm.message);
	esg_alarm_text_file(&finding, &of_host, NULL, &alarm);
	is_text(alarm.hint, esg_findings_def(ESG_PERMISSIONS_TOO_OPEN)->hint, "the table's hint");
	finding.code = ESG_DIRECTORY_WRITABLE;
	esg_alarm_text_file(&finding, &of_host, "", &alarm);
	ok(strncmp(alarm.message, "path \"", 6) == 0, "a directory is a path");
	ok(esg_alarm_text_is_mended(ESG_PERMISSIONS_TOO_OPEN, "chmod 0600 x"), "a mode is mended");
	ok(!esg_alarm_text_is_mended(ESG_WRONG_OWNER, "chmod 0600 x"), "an owner is not by that");
	ok(esg_alarm_text_is_mended(ESG_WRONG_OWNER, "chown a x; chmod 0600 x"), "but by this");
	ok(!esg_alarm_text_is_mended(ESG_FILE_UNPARSABLE, "chmod 0600 x"), "nor is a content");
}

/* %s, (%s) and "%s" */
static void
test_predicate(void)
{
	static const struct
	{
		EsgCode		code;
		const char *detail;
		const char *want;
	}			cases[] = {
		{ESG_EXPIRED, "5 days", "expired 5 days ago"},
		{ESG_WEAK_KEY, "RSA 512", "has a weak key (RSA 512)"},
		{ESG_WEAK_KEY, "", "has a weak key"},
		{ESG_WEAK_KEY, NULL, "has a weak key"},
		{ESG_SHARED_CA_KEY, "CN=a \"b\"", "has the same key as CA certificate \"CN=a \\\"b\\\"\""},
		{ESG_TLS13_OFF, "x", "support for TLS 1.3 is switched off"},
	};
	char		buf[ESG_PREDICATE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		esg_alarm_text_predicate(cases[i].code, cases[i].detail, buf, sizeof(buf));
		is_text(buf, cases[i].want, "predicate");
	}
}

static void
test_pairs(void)
{
	static const struct
	{
		const char *before;
		size_t		size;
		const char *value;
		const char *want;
	}			cases[] = {
		{"", 40, "v", "key=v"},
		{"a=b", 40, "v", "a=b key=v"},
		{"", 40, "", "key=\"\""},
		{"", 40, "a b", "key=\"a b\""},
		{"", 40, "a\"\\=", "key=\"a\\\"\\\\=\""},
		{"", 24, "01234567890123456789", "key=\"01234567890123...\""},
		{"", 24, "0123456789012\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "key=\"0123456789012...\""},
		{"a=b", 20, "01234567890123456789", "a=b"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char	   *buf = malloc(cases[i].size);	/* so that a byte too many is noticed */

		strcpy(buf, cases[i].before);
		esg_alarm_text_append_pair(buf, cases[i].size, "key", cases[i].value);
		is_text(buf, cases[i].want, "pair");
		free(buf);
	}
}

/* what is too long is cut, and the rest of the sentence stays */
static void
test_long(void)
{
	char		path[3000];
	EsgLocation location = {"ssl_ca_file", path, 12345, 0, NULL, false};
	EsgFinding	finding = {ESG_FILE_MISSING, ESG_PLACE_FILE, ESG_CRITICAL, ""};
	EsgAlarm	alarm;
	size_t		len;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	esg_alarm_text_file(&finding, &location, NULL, &alarm);
	len = strlen(alarm.object);
	ok(strncmp(alarm.object, "...x", 4) == 0 && strcmp(alarm.object + len - 7, "x:12345") == 0, "the end of the object is kept");
	ok(strstr(alarm.message, "xxx...\" ") != NULL && strlen(alarm.message) < ESG_MESSAGE_SIZE - 1, "%s", alarm.message);
	ok(ERR_peek_error() == 0, "no error is left");
}

int
main(void)
{
	test_cert();
	test_crl();
	test_file();
	test_predicate();
	test_pairs();
	test_long();
	return done();
}

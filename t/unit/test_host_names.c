/* sources: x509/cut_text x509/host_names x509/name x509/unicode */
/*
 * test_host_names.c
 *		Names that no client matches, and common names that no client reads.
 */
#include <string.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/host_names.h"

/* A name that is well, or what is said of it. */
static const struct
{
	const char *name;
	const char *why;
}			names[] = {
	{"db1.example.com", NULL},
	{"db1", NULL},
	{"*.example.com", NULL},
	{"db_1.example.com", NULL},
	{"xn--bcher-kva.example", NULL},
	{"DB1.EXAMPLE.COM", NULL},
	{"10.0.0.1", "IP address"},
	{"::1", "IP address"},
	{"https://db1.example.com", "scheme"},
	{"postgresql://db1.example.com:5432/x", "scheme"},
	{"db1.example.com:5432", "port"},
	{"db1.example.com ", "blank"},
	{"db1 example.com", "blank"},
	{"db1.example.com,db2.example.com", "comma"},
	{"*", "asterisk"},
	{"db1..example.com", "empty label"},
	{".example.com", "empty label"},
	{"example.com.", "empty label"},
	{"db1:", NULL},
	{"db1:x", NULL},
};

static X509 *
cert_with(const char *subject, const char *lines)
{
	CertSpec	spec = {0};

	spec.subject = subject;
	spec.key = certmaker_ec("prime256v1");
	spec.extensions = lines;
	return certmaker_cert(&spec);
}

static X509 *
cert_with_dns(const char *first, const char *second)
{
	char		lines[400];

	snprintf(lines, sizeof(lines), "subjectAltName=@names\n[names]\nDNS.1=%s\nDNS.2=\"%s\"\n",
			 first, second);
	return cert_with("CN=db1.example.com", lines);
}

static void
test_bad_names(void)
{
	char		fault[200];
	size_t		i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		X509	   *cert = cert_with_dns("good.example.com", names[i].name);
		bool		bad = esg_x509_host_names_bad(cert, fault, sizeof(fault));

		ok(bad == (names[i].why != NULL) &&
		   (!bad || strstr(fault, names[i].why) != NULL),
		   "\"%s\" is %s", names[i].name, names[i].why ? names[i].why : "well");
		if (bad)
			ok(fault[0] == '"' && strncmp(fault + 1, names[i].name, strlen(names[i].name)) == 0, "and is named: %s", fault);
		X509_free(cert);
	}
}

/* subject, extensions, and whether the common name is lost */
static const struct
{
	const char *subject;
	const char *lines;
	bool		lost;
}			subjects[] = {
	{"CN=db1.example.com", "subjectAltName=DNS:db1.example.com\n", false},
	{"CN=db1.example.com", "subjectAltName=DNS:DB1.example.com\n", false},
	{"CN=db1.example.com", "subjectAltName=DNS:*.example.com\n", false},
	{"CN=*.example.com", "subjectAltName=DNS:*.example.com\n", false},
	{"CN=db1.example.com", "subjectAltName=DNS:db2.example.com\n", true},
	{"CN=a.db1.example.com", "subjectAltName=DNS:*.example.com\n", true},
	{"CN=*.example.com", "subjectAltName=DNS:db1.example.com\n", true},
	{"CN=db1.example.com", "subjectAltName=IP:10.0.0.1\n", false},
	{"CN=db1.example.com", NULL, false},
	{"CN=PostgreSQL server", "subjectAltName=DNS:db1.example.com\n", false},
	{"CN=db1", "subjectAltName=DNS:db2\n", false},
	{"CN=10.0.0.1", "subjectAltName=DNS:db2\n", false},
	{"O=Example", "subjectAltName=DNS:db2\n", false},
	{"", "subjectAltName=DNS:db2\n", false},
	{"CN=.example.com", "subjectAltName=DNS:db2\n", false},
	{"CN=db1.ex\303\244mple.com", "subjectAltName=DNS:db2\n", false},
	{"CN=db1.example.com/x", "subjectAltName=DNS:db2\n", false},
	{"CN=db-1.example_1.com", "subjectAltName=DNS:db2\n", true},
};

static void
test_lost_names(void)
{
	char		name[100];
	size_t		i;

	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
	{
		X509	   *cert = cert_with(subjects[i].subject, subjects[i].lines);
		bool		lost;

		memset(name, 'x', sizeof(name));
		lost = esg_x509_host_names_lost(cert, name, sizeof(name));
		ok(lost == subjects[i].lost, "\"%s\" beside %.40s is %slost", subjects[i].subject,
		   subjects[i].lines ? subjects[i].lines : "nothing", subjects[i].lost ? "" : "not ");
		is_text(name, lost ? subjects[i].subject + 3 : "", "and only then named");
		X509_free(cert);
	}
}

/* RFC 6125 6.4.3: the asterisk stands for the first label as a whole, which is one. */
static void
test_cover(void)
{
	ok(esg_x509_host_names_cover("*.example.com", "db1.example.com"), "an asterisk stands for a label");
	ok(!esg_x509_host_names_cover("*.example.com", "example.com"), "and not for none");
	ok(!esg_x509_host_names_cover("*.example.com", ".example.com"), "nor for an empty one");
	ok(!esg_x509_host_names_cover("*.com", "localhost"), "a name without a dot has one label");
	ok(!esg_x509_host_names_cover("*.0.0.1", "10.0.0.1"), "an address has no labels");
	ok(!esg_x509_host_names_cover("a*.example.com", "ab.example.com"), "a part of a label is not stood for");
}

/* A dNSName that is no text covers nothing, and is not counted as none. */
static void
test_unusable_name(void)
{
	CertSpec	spec = {.subject = "CN=db1.example.com",.key = certmaker_ec("prime256v1"),
		.extensions = "subjectAltName=DNS:db1.exampleXcom\n"
	};
	X509	   *cert = certmaker_cert(&spec);
	X509	   *patched = certmaker_patch(cert, "db1.exampleXcom", "db1.example\0com", 15);
	char		name[100];

	ok(esg_x509_host_names_lost(patched, name, sizeof(name)), "a name with a zero byte covers nobody");
	ok(!esg_x509_host_names_bad(patched, name, sizeof(name)), "and what is wrong with it is said elsewhere");
	X509_free(cert);
	X509_free(patched);
}

/* A name that is longer than the room for it is cut. */
static void
test_cut(void)
{
	char		long_name[200];
	char		fault[40];
	X509	   *cert;

	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name + 180, ":5432", 6);
	cert = cert_with_dns("x.example.com", long_name);
	ok(esg_x509_host_names_bad(cert, fault, sizeof(fault)), "a long name with a port");
	is_int((long long) strlen(fault), sizeof(fault) - 1, "is cut");
	X509_free(cert);
}

int
main(void)
{
	test_bad_names();
	test_lost_names();
	test_cover();
	test_unusable_name();
	test_cut();
	return done();
}

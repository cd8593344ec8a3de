/* sources: policy/worse policy/findings x509/cut_text x509/crl_info x509/info x509/host_names x509/name x509/unicode x509/key x509/signature x509/time x509/asn1 x509/rsa_faults x509/memo */
/*
 * test_worse.c
 *		Is a renewed TLS file worse than the one in service?
 */
#include <openssl/err.h>

#include "certmaker.h"
#include "esg_test.h"
#include "policy/worse.h"
#include "x509/host_names.h"

#define NOW 1000
#define LETTER_SIZE ESG_DIGEST_SIZE

/* What a case has to say of a file; zeroes are "not there", an end of 0 is none that is known. */
typedef struct Side
{
	bool		unknown;
	bool		unsound;
	int			begin;
	int			end;
	int			bits;
	struct
	{
		EsgCode		code;
		EsgSeverity severity;
	}			findings[3];
	const char *items;			/* "A" an item of that name, "A5" its number,
								 * "A5@900-2000" and its times, "A<B" its
								 * issuer; blanks between */
	const char *name;			/* a host's, behind them */
} Side;

typedef struct Case
{
	const char *name;
	EsgWorthKind kind;
	Side		served;
	Side		renewed;
	const char *reason;			/* a part of it; NULL: it is not worse */
} Case;

#define CERT ESG_WORTH_CERTIFICATE
#define CA ESG_WORTH_CA
#define CRL ESG_WORTH_CRL

static const Case cases[] = {
	{"a later end", CERT, {.end = 2000,.bits = 128}, {.end = 3000,.bits = 128}, NULL},
	{"the same end", CERT, {.end = 2000,.bits = 128}, {.end = 2000,.bits = 128}, NULL},
	{"an earlier end", CERT, {.end = 3000,.bits = 128}, {.end = 2999,.bits = 128}, "ends earlier"},
	{"no end that is known", CERT, {.bits = 128}, {.end = 2000,.bits = 128}, NULL},
	{"expired", CERT, {.end = 900}, {.end = 1000}, "has expired"},
	{"one second is left", CERT, {.end = 900}, {.end = 1001}, NULL},
	{"not valid yet", CERT, {.end = 2000}, {.begin = 1001,.end = 3000}, "not valid yet"},
	{"valid from now on", CERT, {.end = 2000}, {.begin = 1000,.end = 3000}, NULL},
	{"a weaker key", CERT, {.end = 2000,.bits = 128}, {.end = 3000,.bits = 112}, "key is weaker (112"},
	{"a stronger key", CERT, {.end = 2000,.bits = 112}, {.end = 3000,.bits = 128}, NULL},
	{"a key of no known strength", CERT, {.end = 2000,.bits = 112}, {.end = 3000,.bits = -1}, "key is weaker"},
	{"in place of such a key", CERT, {.end = 2000,.bits = -1}, {.end = 3000,.bits = 80}, NULL},
	{"not readable", CERT, {.end = 2000}, {.end = 3000,.unsound = true}, "cannot be read"},

	/* findings */
	{"the chain is broken now", CERT, {.end = 2000},
	{.end = 3000,.findings = {{ESG_CHAIN_INCOMPLETE, ESG_WARNING}}}, "finding chain_incomplete (warning)"},
	{"it was before", CERT, {.end = 2000,.findings = {{ESG_CHAIN_INCOMPLETE, ESG_WARNING}}},
	{.end = 3000,.findings = {{ESG_CHAIN_INCOMPLETE, ESG_WARNING}}}, NULL},
	{"the chain is broken, and something else was wrong before", CERT,
		{.end = 2000,.findings = {{ESG_DSA_KEY, ESG_WARNING}}},
	{.end = 3000,.findings = {{ESG_CHAIN_INCOMPLETE, ESG_WARNING}}}, "chain_incomplete"},
	{"another warning instead", CERT, {.end = 2000,.findings = {{ESG_DSA_KEY, ESG_WARNING}}},
	{.end = 3000,.findings = {{ESG_MUST_STAPLE, ESG_WARNING}}}, NULL},
	{"another critical one", CERT, {.end = 2000,.findings = {{ESG_WEAK_KEY, ESG_CRITICAL}}},
	{.end = 3000,.findings = {{ESG_WRONG_PURPOSE, ESG_CRITICAL}}}, "wrong_purpose (critical)"},
	{"the same, but graver", CERT, {.end = 2000,.findings = {{ESG_MUST_STAPLE, ESG_NOTICE}}},
	{.end = 3000,.findings = {{ESG_MUST_STAPLE, ESG_WARNING}}}, "must_staple (warning)"},
	{"a notice in place of none", CERT, {.end = 2000},
	{.end = 3000,.findings = {{ESG_NO_ALT_NAME, ESG_NOTICE}}}, NULL},
	{"a notice more", CERT, {.end = 2000,.findings = {{ESG_NO_ALT_NAME, ESG_NOTICE}}},
	{.end = 3000,.findings = {{ESG_ROOT_IN_CHAIN, ESG_NOTICE}}}, NULL},
	{"the gravest is named", CERT, {.end = 2000},
		{.end = 3000,.findings = {{ESG_CHAIN_INCOMPLETE, ESG_WARNING}, {ESG_WRONG_PURPOSE, ESG_CRITICAL}}},
	"wrong_purpose"},
	{"less of it", CERT, {.end = 2000,.findings = {{ESG_WEAK_KEY, ESG_CRITICAL}}}, {.end = 3000}, NULL},

	/* chains */
	{"the same chain", CERT, {.items = "S<I I<R"}, {.items = "S<I I<R"}, NULL},
	{"no intermediate any more", CERT, {.items = "S<I I<R"}, {.items = "S<I"}, "lacks intermediate"},
	{"one of two", CERT, {.items = "S<I I<J J<R"}, {.items = "S<I I<J"}, "lacks intermediate"},
	{"the first of two", CERT, {.items = "S<I I<J J<R"}, {.items = "S<I J<R"}, "lacks intermediate"},
	{"it was not there before", CERT, {.items = "S<I"}, {.items = "S<I"}, NULL},
	{"one more", CERT, {.items = "S<I"}, {.items = "S<I I<R"}, NULL},
	{"another order", CERT, {.items = "S<I I<J J<R"}, {.items = "S<I J<R I<J"}, NULL},
	{"the root, too", CERT, {.items = "S<I I<R"}, {.items = "S<I I<R R<R"}, NULL},
	{"the root no more", CERT, {.items = "S<I I<R R<R"}, {.items = "S<I I<R"}, NULL},
	{"nothing but the root is lacking", CERT, {.items = "S<R R<R"}, {.items = "S<R"}, NULL},
	{"another intermediate of the same root", CERT, {.items = "S<I I<R"}, {.items = "S<J J<R"}, NULL},
	{"which is not there", CERT, {.items = "S<I I<R"}, {.items = "S<J"}, "lacks intermediate"},
	{"issued by the root itself", CERT, {.items = "S<I I<R"}, {.items = "S<R"}, NULL},
	{"another root", CERT, {.items = "S<I I<R"}, {.items = "S<K K<Q"}, NULL},
	{"two that issued each other", CERT, {.items = "S<I I<R"}, {.items = "S<I I<J J<I"}, "lacks intermediate"},
	{"self-signed, and renewed", CERT, {.items = "S<S"}, {.items = "S<S"}, NULL},
	{"self-signed instead of issued", CERT, {.items = "S<I I<R"}, {.items = "S<S"}, "lacks intermediate"},
	{"nothing is known of the chain in service", CERT, {.unknown = true}, {.items = "S<I"}, NULL},

	/* a name, of which the chain's items are told apart */
	{"a name and a chain", CERT, {.items = "S<I I<R",.name = "a.example.com"}, {.items = "S<I I<R",.name = "a.example.com"}, NULL},
	{"the name is another", CERT, {.items = "S<I I<R",.name = "a.example.com"}, {.items = "S<I I<R",.name = "b.example.com"},
	"it lacks the name \"a.example.com\", which the one in service has"},
	{"there is none any more", CERT, {.items = "S<S",.name = "a.example.com"}, {.items = "S<S"}, "lacks the name"},
	{"there was none before", CERT, {.items = "S<S"}, {.items = "S<S",.name = "a.example.com"}, NULL},
	{"nothing is known of the one in service", CERT, {.unknown = true}, {.items = "S<S",.name = "a.example.com"}, NULL},
	{"a name is no certificate of the chain", CERT, {.items = "S<I I<R",.name = "I"}, {.items = "S<I",.name = "I"}, "lacks intermediate"},
	{"the name comes before findings", CERT, {.end = 2000,.name = "a.example.com"},
	{.end = 3000,.findings = {{ESG_WRONG_PURPOSE, ESG_CRITICAL}}}, "lacks the name"},

	/* nothing is known of what is in service */
	{"unknown: without a fault", CERT, {.unknown = true,.bits = -1}, {.end = 3000,.bits = 128}, NULL},
	{"unknown: with a notice", CERT, {.unknown = true,.bits = -1},
	{.end = 3000,.findings = {{ESG_NO_ALT_NAME, ESG_NOTICE}}}, NULL},
	{"unknown: with a warning", CERT, {.unknown = true,.bits = -1},
	{.end = 3000,.findings = {{ESG_MUST_STAPLE, ESG_WARNING}}}, "must_staple"},
	{"unknown: but its end", CERT, {.unknown = true,.bits = -1,.end = 3500}, {.end = 3000}, "ends earlier"},

	/* a key */
	{"a key that is as it was", ESG_WORTH_OTHER, {0}, {.unsound = true}, NULL},
	{"a key that others may read", ESG_WORTH_OTHER, {0},
	{.findings = {{ESG_PERMISSIONS_TOO_OPEN, ESG_CRITICAL}}}, "permissions_too_open"},

	/* CAs */
	{"the same CAs", CA, {.items = "A B"}, {.items = "B A"}, NULL},
	{"one more", CA, {.items = "A"}, {.items = "A B"}, NULL},
	{"one less", CA, {.items = "A B"}, {.items = "A"}, "CA \"B\""},
	{"another", CA, {.items = "A"}, {.items = "B"}, "CA \"A\""},
	{"one less that had expired", CA, {.items = "A B1@1-900"}, {.items = "A"}, NULL},
	{"a CA renewed", CA, {.items = "A1@1-900"}, {.items = "A2@900-2000"}, NULL},
	{"unsound CAs", CA, {.items = "A"}, {.items = "A",.unsound = true}, "cannot be read"},
	{"a CA with a finding", CA, {.items = "A"},
	{.items = "A",.findings = {{ESG_WEAK_KEY, ESG_CRITICAL}}}, "weak_key"},

	/* CRLs */
	{"a newer CRL", CRL, {.items = "A5@900-2000"}, {.items = "A6@950-2100"}, NULL},
	{"an older CRL", CRL, {.items = "A5@900-2000"}, {.items = "A4@850-1900"}, "is older"},
	{"an older one with a higher number", CRL, {.items = "A5@900-2000"}, {.items = "A6@850-2000"}, "is older"},
	{"a lower number", CRL, {.items = "A300@900-2000"}, {.items = "A5@950-2000"}, "is older"},
	{"no number any more", CRL, {.items = "A5@900-2000"}, {.items = "A@950-2000"}, NULL},
	{"an older one without numbers", CRL, {.items = "A@900-2000"}, {.items = "A@850-2000"}, "is older"},
	{"a CRL less", CRL, {.items = "A5@900-2000 B5@900-2000"}, {.items = "A6@950-2000"}, "CRL of \"B\""},
	{"a CRL more", CRL, {.items = "A5@900-2000"}, {.items = "A6@950-2000 B5@900-2000"}, NULL},
	{"the newest of two counts", CRL, {.items = "A4@800-1900 A5@900-2000"}, {.items = "A4@800-1900 A6@950-2000"}, NULL},
	{"the newest of two is gone", CRL, {.items = "A4@800-1900 A5@900-2000"}, {.items = "A4@800-1900"}, "is older"},
	{"an expired CRL", CRL, {.items = "A5@800-900"}, {.items = "A6@900-1000"}, "has expired"},
	{"a newer one beside one that is as it was, expired", CRL, {.items = "A5@800-2000 B5@800-900"}, {.items = "A6@900-2100 B5@800-900"}, NULL},
	{"the same expired one, and nothing of it in service", CRL, {.items = "A5@800-2000"}, {.items = "A6@900-2100 B5@800-900"}, "has expired"},
	{"the expired one has become another", CRL, {.items = "A5@800-2000 B5@800-900"}, {.items = "A6@900-2100 B6@850-950"}, "has expired"},
	{"a CRL of tomorrow", CRL, {.items = "A5@800-900"}, {.items = "A6@1100-2000"}, "not valid yet"},
	{"a CRL without an end", CRL, {.items = "A5@800-900"}, {.items = "A6@900-0"}, NULL},
	{"an unusable CRL", CRL, {.items = "A5@800-2000"},
	{.items = "A6@900-2000",.findings = {{ESG_CRL_UNUSABLE, ESG_CRITICAL}}}, "crl_unusable"},
	{"a broken CRL", CRL, {.items = "A5@800-2000"}, {.unsound = true}, "cannot be read"},
};

static EsgTime
at(int seconds)
{
	EsgTime		t = {seconds != 0 ? ESG_TIME_VALID : ESG_TIME_ABSENT, seconds, false};

	return t;
}

static const char *
read_item(const char *p, EsgWorthItem *out)
{
	long		number = 0;
	long		begin = 1;
	long		end = 2000;
	char	   *next;

	memset(out, 0, sizeof(*out));
	out->id[0] = (unsigned char) *p;
	out->name[0] = *p++;
	number = strtol(p, &next, 10);
	p = next;
	if (*p == '@')
	{
		begin = strtol(p + 1, &next, 10);
		end = strtol(next + 1, &next, 10);
		p = next;
	}
	if (*p == '<')
	{
		out->issuer = (unsigned char) p[1];
		p += 2;
	}
	out->subject = out->id[0];
	out->begin = at((int) begin);
	out->end = at((int) end);
	if (number > 255)
		out->number[out->number_size++] = (unsigned char) (number >> 8);
	if (number > 0)
		out->number[out->number_size++] = (unsigned char) number;
	return p + strspn(p, " ");
}

static void
make_side(const Side *side, EsgWorthKind kind, EsgWorth *out, EsgWorthItem *items)
{
	memset(out, 0, sizeof(*out));
	out->kind = kind;
	out->known = !side->unknown;
	out->sound = !side->unsound;
	out->begin = at(side->begin);
	out->end = at(side->end);
	out->security_bits = side->bits;
	for (int i = 0; i < 3; i++)
		out->severity[side->findings[i].code] = (unsigned char) side->findings[i].severity;
	/* those of another file are in front */
	out->first_item = 1;
	memset(items, 0, sizeof(*items));
	for (const char *p = side->items; p != NULL && *p != '\0';)
		p = read_item(p, &items[out->first_item + out->item_count++]);
	if (side->name != NULL && esg_worth_read_name(side->name, &items[out->first_item + out->item_count]))
		out->name_count = 1;
}

static void
try_case(const Case *c)
{
	EsgWorthItem served_items[8];
	EsgWorthItem renewed_items[8];
	EsgWorth	served;
	EsgWorth	renewed;
	char		reason[ESG_REASON_SIZE];
	bool		worse;

	make_side(&c->served, c->kind, &served, served_items);
	make_side(&c->renewed, c->kind, &renewed, renewed_items);
	worse = esg_worse_than(&served, served_items, &renewed, renewed_items, NOW, reason);
	if (c->reason == NULL)
		ok(!worse && reason[0] == '\0', "%s: not worse%s%s", c->name, worse ? ", but: " : "", reason);
	else
		ok(worse && strstr(reason, c->reason) != NULL, "%s: %s", c->name, reason);
}

/* ---- which findings count ---- */

static void
try_finding(EsgCode code, EsgPlace place, bool counts, const char *name)
{
	EsgFinding	finding = {code, place, ESG_WARNING, NULL};
	EsgFindings list = {1, 1, false, &finding};
	EsgWorth	worth;

	memset(&worth, 0, sizeof(worth));
	esg_worth_add_findings(&worth, &list);
	is_int(worth.severity[code], counts ? ESG_WARNING : ESG_OK, name);
	finding.severity = ESG_NOTICE;
	esg_worth_add_findings(&worth, &list);
	is_int(worth.severity[code], counts ? ESG_WARNING : ESG_OK, "the worst stays");
}

static void
try_findings(void)
{
	try_finding(ESG_WEAK_KEY, ESG_PLACE_LEAF, true, "a finding counts");
	try_finding(ESG_EXPIRES_SOON, ESG_PLACE_LEAF, false, "not how long it is valid");
	try_finding(ESG_EXPIRES_VERY_SOON, ESG_PLACE_CHAIN, false, "nor an intermediate");
	try_finding(ESG_RENEWAL_OVERDUE, ESG_PLACE_LEAF, false, "nor when it is usually renewed");
	try_finding(ESG_CRL_EXPIRES_SOON, ESG_PLACE_CRL, false, "nor how long a CRL is");
	try_finding(ESG_EXPIRED, ESG_PLACE_LEAF, false, "whether it is valid is compared by itself");
	try_finding(ESG_EXPIRED, ESG_PLACE_CA, false, "an expired CA is no loss");
	try_finding(ESG_EXPIRED, ESG_PLACE_CHAIN, true, "an expired intermediate counts");
	try_finding(ESG_CRL_EXPIRED, ESG_PLACE_CRL, false, "a CRL is compared by itself, too");
}

/* ---- what identifies CAs and CRLs ---- */

static EsgWorthItem
read_ca(const CertSpec *spec)
{
	X509	   *cert = certmaker_cert(spec);
	EsgWorthItem item;
	EsgCertInfo info;

	esg_x509_info_read(cert, NULL, &info);
	ok(esg_worth_read_cert(&info, &item), "a CA is read");
	X509_free(cert);
	return item;
}

static void
try_cas(void)
{
	EsgWorthItem first = read_ca(&(CertSpec) {.subject = "CN=a"});
	EsgWorthItem renewed = read_ca(&(CertSpec) {.subject = "CN=a",.serial = "2",.not_after = "20280101000000Z"});
	EsgWorthItem other_key = read_ca(&(CertSpec) {.subject = "CN=a",.key = certmaker_ec("prime256v1")});
	EsgWorthItem other_name = read_ca(&(CertSpec) {.subject = "CN=b"});

	is_text(first.name, "CN=a", "its name");
	ok(memcmp(first.id, renewed.id, LETTER_SIZE) == 0, "a renewed CA is the same");
	ok(first.end.unix_seconds < renewed.end.unix_seconds, "but for its end");
	ok(memcmp(first.id, other_key.id, LETTER_SIZE) != 0, "one with another key is not");
	ok(memcmp(first.id, other_name.id, LETTER_SIZE) != 0, "nor one with another name");
}

static EsgWorthItem
read_crl(X509 *ca, EVP_PKEY *key, const char *extensions)
{
	X509_CRL   *crl = certmaker_crl(&(CrlSpec) {.issuer_cert = ca,.issuer_key = key,.extensions = extensions});
	EsgWorthItem item;
	EsgCrlInfo	info;

	esg_crl_info_read(crl, &info);
	ok(esg_worth_read_crl(&info, &item), "a CRL is read");
	X509_CRL_free(crl);
	return item;
}

static void
try_crls(void)
{
	EVP_PKEY   *key = certmaker_rsa(2048);
	EVP_PKEY   *other_key = certmaker_ec("prime256v1");
	const char *named = "subjectKeyIdentifier=hash\n";
	X509	   *ca = certmaker_cert(&(CertSpec) {.subject = "CN=a",.key = key,.extensions = named});
	X509	   *other = certmaker_cert(&(CertSpec) {.subject = "CN=a",.key = other_key,.extensions = named});
	EsgWorthItem bare = read_crl(ca, key, NULL);
	EsgWorthItem numbered = read_crl(ca, key, "2.5.29.20=ASN1:INTEGER:258\n");
	EsgWorthItem negative = read_crl(ca, key, "2.5.29.20=ASN1:INTEGER:-1\n");
	EsgWorthItem huge = read_crl(ca, key, "2.5.29.20=ASN1:INTEGER:0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n");
	EsgWorthItem of_key = read_crl(ca, key, "authorityKeyIdentifier=keyid\n");
	EsgWorthItem of_other_key = read_crl(other, other_key, "authorityKeyIdentifier=keyid\n");

	is_int(bare.number_size, 0, "no number");
	is_int(numbered.number_size, 2, "a number");
	ok(memcmp(numbered.number, "\001\002", 2) == 0, "the right one");
	is_int(negative.number_size, 0, "a negative number is none");
	is_int(huge.number_size, 0, "nor is one that no CA may use");
	ok(memcmp(bare.id, numbered.id, LETTER_SIZE) == 0, "the number is not what it is known by");
	ok(memcmp(of_key.id, of_other_key.id, LETTER_SIZE) != 0, "CRLs of two keys of one name are told apart");
	is_int(bare.end.state, ESG_TIME_VALID, "its end");
	X509_free(ca);
	X509_free(other);
}

/* ---- names of real certificates ---- */

#define MANY_NAMES 20
#define SAN "subjectAltName="
#define LABEL_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

typedef struct Names
{
	const char *subject;
	const char *lines;
} Names;

static const struct
{
	const char *name;
	Names		served;
	Names		renewed;
	const char *lost;			/* NULL: none */
}			name_cases[] = {
	{"the same", {"CN=x", SAN "DNS:a.test,DNS:b.test"}, {"CN=x", SAN "DNS:a.test,DNS:b.test"}, NULL},
	{"another order", {"CN=x", SAN "DNS:a.test,DNS:b.test"}, {"CN=x", SAN "DNS:b.test,DNS:a.test"}, NULL},
	{"another case", {"CN=x", SAN "DNS:DB.Test"}, {"CN=x", SAN "DNS:db.tEST"}, NULL},
	{"one more", {"CN=x", SAN "DNS:a.test"}, {"CN=x", SAN "DNS:a.test,DNS:b.test,IP:10.0.0.1"}, NULL},
	{"one less", {"CN=x", SAN "DNS:a.test,DNS:B.test"}, {"CN=x", SAN "DNS:a.test"}, "b.test"},
	{"another", {"CN=x", SAN "DNS:a.test"}, {"CN=x", SAN "DNS:b.test"}, "a.test"},
	{"all", {"CN=x", SAN "DNS:a.test"}, {"CN=y", NULL}, "a.test"},
	{"a wildcard instead", {"CN=x", SAN "DNS:A.example.test"}, {"CN=x", SAN "DNS:*.EXAMPLE.test"}, NULL},
	{"one of another domain", {"CN=x", SAN "DNS:a.example.test"}, {"CN=x", SAN "DNS:*.test"}, "a.example.test"},
	{"one for the domain itself", {"CN=x", SAN "DNS:example.test"}, {"CN=x", SAN "DNS:*.example.test"}, "example.test"},
	{"the same wildcard", {"CN=x", SAN "DNS:*.test"}, {"CN=x", SAN "DNS:*.test"}, NULL},
	{"a wildcard no more", {"CN=x", SAN "DNS:*.test"}, {"CN=x", SAN "DNS:a.test,DNS:b.test"}, "*.test"},
	{"a wider wildcard", {"CN=x", SAN "DNS:*.a.test"}, {"CN=x", SAN "DNS:*.test"}, "*.a.test"},
	{"the common name alone", {"CN=a.test", NULL}, {"CN=A.test", NULL}, NULL},
	{"which is another", {"CN=a.test", NULL}, {"CN=b.test", NULL}, "a.test"},
	{"which is a dNSName now", {"CN=a.test", NULL}, {"CN=x", SAN "DNS:a.test"}, NULL},
	{"which counts no more", {"CN=a.test", NULL}, {"CN=a.test", SAN "DNS:b.test"}, "a.test"},
	{"which does not count beside a name", {"CN=a.test", SAN "DNS:b.test"}, {"CN=c.test", SAN "DNS:b.test"}, NULL},
	{"which counts beside a URI", {"CN=a.test", SAN "URI:https://b.test"}, {"CN=b.test", NULL}, "a.test"},
	{"which is no host", {"CN=Example server", NULL}, {"CN=Example server 2", NULL}, NULL},
	{"no name at all", {"O=Example", NULL}, {"O=Example", NULL}, NULL},
	{"an address", {"CN=x", SAN "IP:10.0.0.1,IP:::1"}, {"CN=x", SAN "IP:0:0:0:0:0:0:0:1,IP:10.0.0.1"}, NULL},
	{"another address", {"CN=x", SAN "IP:10.0.0.1"}, {"CN=x", SAN "IP:10.0.0.2"}, "10.0.0.1"},
	{"no wildcard for an address", {"CN=x", SAN "IP:10.0.0.1"}, {"CN=x", SAN "DNS:*.0.0.1"}, "10.0.0.1"},
	{"an address as a dNSName, mended", {"CN=x", SAN "DNS:10.0.0.1"}, {"CN=x", SAN "IP:10.0.0.1"}, NULL},
	{"what no client matched is no loss", {"CN=x", SAN "DNS:a.test,DNS:a.test\\:5432"}, {"CN=x", SAN "DNS:a.test"}, NULL},
	{"a long one", {"CN=x", SAN "DNS:" LABEL_60 "." LABEL_60 ".test"}, {"CN=x", SAN "DNS:" LABEL_60 "." LABEL_60 ".TEST"}, NULL},
	{"long ones that differ at their ends", {"CN=x", SAN "DNS:a." LABEL_60 "." LABEL_60 ".one"},
	{"CN=x", SAN "DNS:*." LABEL_60 "." LABEL_60 ".two"}, "a." LABEL_60},
};

typedef struct Named
{
	EsgWorth	worth;
	EsgWorthItem items[MANY_NAMES];
} Named;

static void
add_name(const char *name, void *arg)
{
	Named	   *to = arg;

	ok(to->worth.name_count < MANY_NAMES &&
	   esg_worth_read_name(name, &to->items[to->worth.name_count++]), "\"%s\" is read", name);
}

static void
read_names(const Names *names, Named *out)
{
	CertSpec	spec = {.subject = names->subject,.key = certmaker_ec("prime256v1"),.extensions = names->lines};
	X509	   *cert = certmaker_cert(&spec);
	int			count;

	memset(out, 0, sizeof(*out));
	out->worth.kind = ESG_WORTH_CERTIFICATE;
	out->worth.known = true;
	out->worth.sound = true;
	count = esg_x509_host_names_each(cert, add_name, out);
	is_int(count, out->worth.name_count, "as many as are told");
	is_int(esg_x509_host_names_each(cert, NULL, NULL), out->worth.name_count, "or only counted");
	X509_free(cert);
}

static void
try_names(void)
{
	static Named served;
	static Named renewed;
	char		reason[ESG_REASON_SIZE];
	char		expected[ESG_REASON_SIZE] = "";

	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++)
	{
		const char *lost = name_cases[i].lost;
		bool		worse;

		read_names(&name_cases[i].served, &served);
		read_names(&name_cases[i].renewed, &renewed);
		worse = esg_worse_than(&served.worth, served.items, &renewed.worth, renewed.items, NOW, reason);
		if (lost != NULL)
			snprintf(expected, sizeof(expected), "it lacks the name \"%s", lost);
		ok(worse == (lost != NULL) && (!worse || strstr(reason, expected) == reason),
		   "names: %s: %s", name_cases[i].name, worse ? reason : "not worse");
	}
}

/* More than any CA puts into one are cut. */
static void
try_many_names(void)
{
	static char lines[ESG_MAX_HOST_NAMES * 30];
	size_t		len = (size_t) snprintf(lines, sizeof(lines), SAN "@names\n[names]\n");
	X509	   *cert;

	for (int i = 0; i <= ESG_MAX_HOST_NAMES; i++)
		len += (size_t) snprintf(lines + len, sizeof(lines) - len, "DNS.%d=h%d.test\n", i, i);
	cert = certmaker_cert(&(CertSpec) {.subject = "CN=x",.key = certmaker_ec("prime256v1"),.extensions = lines});
	is_int(esg_x509_host_names_each(cert, NULL, NULL), ESG_MAX_HOST_NAMES, "very many names");
	X509_free(cert);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		try_case(&cases[i]);
	try_findings();
	try_cas();
	try_crls();
	try_names();
	try_many_names();
	ok(ERR_peek_error() == 0, "OpenSSL's error queue is empty");
	return done();
}

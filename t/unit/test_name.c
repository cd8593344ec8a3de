/* sources: x509/cut_text x509/name x509/unicode */
/*
 * test_name.c
 *		Names as text, and what is wrong with them.
 */
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/cut_text.h"
#include "x509/name.h"

#define UTF8 V_ASN1_UTF8STRING
#define PRINTABLE V_ASN1_PRINTABLESTRING
#define IA5 V_ASN1_IA5STRING
#define T61 V_ASN1_T61STRING
#define BMP V_ASN1_BMPSTRING
#define UNIVERSAL V_ASN1_UNIVERSALSTRING

#define SIXTEEN "0123456789abcdef"
#define SIXTYFOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN

/* a literal and its length: values may hold NUL */
#define BYTES(literal) literal, sizeof(literal) - 1

/* One CN; facts are "" where nothing is wrong. */
static const struct
{
	const char *name;
	int			type;
	const char *value;
	size_t		len;
	const char *dn;				/* without "CN=" */
	const char *cn;				/* NULL: as dn */
	bool		exact;
	const char *facts;
}			common_names[] = {
	{"plain", UTF8, BYTES("alice"), "alice", NULL, true, ""},
	{"printable", PRINTABLE, BYTES("alice"), "alice", NULL, true, ""},
	{"umlaut", UTF8, BYTES("M\xc3\xbcller"), "M\xc3\xbcller", NULL, true, ""},
	{"four octets", UTF8, BYTES("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80", NULL, true, ""},

	/* RFC 2253 specials, of which the plain text escapes the backslash alone */
	{"comma", UTF8, BYTES("a,b"), "a\\,b", "a,b", true, ""},
	{"plus", UTF8, BYTES("a+b"), "a\\+b", "a+b", true, ""},
	{"quote", UTF8, BYTES("a\"b"), "a\\\"b", "a\"b", true, ""},
	{"backslash", UTF8, BYTES("a\\b"), "a\\\\b", NULL, true, ""},
	{"brackets", UTF8, BYTES("<a>;b"), "\\<a\\>\\;b", "<a>;b", true, ""},
	{"leading #", UTF8, BYTES("#a#"), "\\#a#", "#a#", true, ""},
	{"outer blanks", UTF8, BYTES(" a b "), "\\ a b\\ ", " a b ", true, ""},
	{"one blank", UTF8, BYTES(" "), "\\ ", " ", true, ""},
	{"equals sign", UTF8, BYTES("a=b"), "a=b", NULL, true, ""},

	/* what must not reach a log */
	{"NUL", UTF8, BYTES("alice\0.evil"), "alice\\x00.evil", NULL, false, "nul control"},
	{"newline", UTF8, BYTES("a\nLOG: b"), "a\\x0aLOG: b", NULL, false, "control"},
	{"DEL", UTF8, BYTES("a\x7f"), "a\\x7f", NULL, false, "control"},
	{"C1", UTF8, BYTES("a\xc2\x85"), "a\\u0085", NULL, false, "control"},
	{"no-break space", UTF8, BYTES("a\xc2\xa0"), "a\\u00a0", NULL, true, ""},
	{"soft hyphen", UTF8, BYTES("\xc2\xad"), "\\u00ad", NULL, true, ""},
	{"zero-width space", UTF8, BYTES("\xe2\x80\x8b"), "\\u200b", NULL, true, ""},
	{"byte order mark", UTF8, BYTES("\xef\xbb\xbf"), "\\ufeff", NULL, true, ""},
	{"Hangul filler", UTF8, BYTES("\xe3\x85\xa4"), "\\u3164", NULL, true, ""},
	{"tag", UTF8, BYTES("\xf3\xa0\x81\x81"), "\\U000e0041", NULL, true, ""},
	{"what looks like an escape", UTF8, BYTES("\\u200b\\x00"), "\\\\u200b\\\\x00", NULL, true, ""},
	{"line separator", UTF8, BYTES("\xe2\x80\xa8"), "\\u2028", NULL, false, "control"},
	{"paragraph separator", UTF8, BYTES("\xe2\x80\xa9"), "\\u2029", NULL, false, "control"},
	{"right-to-left override", UTF8, BYTES("\xe2\x80\xae"), "\\u202e", NULL, false, "control"},
	{"narrow no-break space", UTF8, BYTES("\xe2\x80\xaf"), "\\u202f", NULL, true, ""},
	{"isolate", UTF8, BYTES("\xe2\x81\xa6"), "\\u2066", NULL, false, "control"},
	{"pop isolate", UTF8, BYTES("\xe2\x81\xa9"), "\\u2069", NULL, false, "control"},
	{"right-to-left mark", UTF8, BYTES("\xe2\x80\x8f"), "\\u200f", NULL, false, "control"},
	{"Arabic letter mark", UTF8, BYTES("\xd8\x9c"), "\\u061c", NULL, false, "control"},

	/* bytes that are not UTF-8 */
	{"lone byte", UTF8, BYTES("a\xff"), "a\\xff", NULL, false, "utf8"},
	{"overlong", UTF8, BYTES("\xc0\xaf"), "\\xc0\\xaf", NULL, false, "utf8"},
	{"overlong in three", UTF8, BYTES("\xe0\x80\xaf"), "\\xe0\\x80\\xaf", NULL, false, "utf8"},
	{"surrogate", UTF8, BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", NULL, false, "utf8"},
	{"over U+10FFFF", UTF8, BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", NULL, false, "utf8"},
	{"cut short", UTF8, BYTES("a\xe2\x82"), "a\\xe2\\x82", NULL, false, "utf8"},
	{"printable with high bytes", PRINTABLE, BYTES("\xd7\x9c\x90"), "\xd7\x9c\\x90", NULL, false, "utf8"},
	{"IA5 that happens to be UTF-8", IA5, BYTES("\xc3\xbc"), "\xc3\xbc", NULL, false, "utf8"},

	/* other types */
	{"T61 of ASCII", T61, BYTES("alice"), "alice", NULL, true, "type"},
	{"T61 taken for Latin-1", T61, BYTES("\xfc"), "\xc3\xbc", NULL, false, "type ambiguous"},
	{"T61 of C1", T61, BYTES("\x85"), "\\u0085", NULL, false, "control type ambiguous"},
	{"BMP", BMP, BYTES("\0a\x04\x20"), "a\xd0\xa0", NULL, true, "type"},
	{"BMP with NUL", BMP, BYTES("\0a\0\0"), "a\\x00", NULL, false, "nul control type"},
	{"BMP surrogate", BMP, BYTES("\xd8\x3d\xde\x00"), "\\xd8\\x3d\\xde\\x00", NULL, false, "utf8 type"},
	{"Universal", UNIVERSAL, BYTES("\0\0\0a\0\1\xf6\0"), "a\xf0\x9f\x98\x80", NULL, true, "type"},
	{"Universal out of range", UNIVERSAL, BYTES("\0\x11\0\0"), "\\x00\\x11\\x00\\x00", NULL, false, "utf8 type"},
	{"bit string", V_ASN1_BIT_STRING, BYTES("\xa5"), "#030200A5", NULL, false, "type"},

	{"empty", UTF8, BYTES(""), "", NULL, false, ""},
	{"64 characters", UTF8, BYTES(SIXTYFOUR), SIXTYFOUR, NULL, true, ""},
	{"65 characters", UTF8, BYTES(SIXTYFOUR "x"), SIXTYFOUR "x", NULL, true, "long"}
};

/* One subjectAltName; for UPN the value of the otherName. */
static const struct
{
	const char *name;
	int			gen_type;		/* -1: UPN */
	int			string_type;
	const char *value;
	size_t		len;
	const char *text;
	bool		exact;
	const char *facts;
}			alt_names[] = {
	{"dns", GEN_DNS, IA5, BYTES("db.example.com"), "DNS:db.example.com", true, "server"},
	{"dns with NUL", GEN_DNS, IA5, BYTES("a\0b"), "DNS:a\\x00b", false, "server nul control"},
	{"dns with high bytes", GEN_DNS, IA5, BYTES("\xc0\xa8"), "DNS:\\xc0\\xa8", false, "server undecodable"},
	{"empty dns", GEN_DNS, IA5, BYTES(""), "DNS:", false, "empty"},
	{"uri", GEN_URI, IA5, BYTES("spiffe://prod/a\\b"), "URI:spiffe://prod/a\\\\b", true, ""},
	{"uri with newline", GEN_URI, IA5, BYTES("x:\n"), "URI:x:\\x0a", false, "control"},
	{"email", GEN_EMAIL, IA5, BYTES("a@b.c"), "email:a@b.c", true, ""},
	{"ip", GEN_IPADD, V_ASN1_OCTET_STRING, BYTES("\xc0\xa8\0\1"), "IP:192.168.0.1", true, "server"},
	{"ipv6", GEN_IPADD, V_ASN1_OCTET_STRING, BYTES("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "IP:2001:db8::1", true, "server"},
	{"ip of 5 octets", GEN_IPADD, V_ASN1_OCTET_STRING, BYTES("\1\2\3\4\5"), "IP:\\x01\\x02\\x03\\x04\\x05", false, "address"},
	{"empty ip", GEN_IPADD, V_ASN1_OCTET_STRING, BYTES(""), "IP:", false, "empty address"},
	{"upn", -1, UTF8, BYTES("j\xc3\xb6@corp"), "UPN:j\xc3\xb6@corp", true, ""},
	{"upn not UTF-8", -1, UTF8, BYTES("\xff@corp"), "UPN:\\xff@corp", false, "undecodable"},
	{"upn of another type", -1, IA5, BYTES("a@corp"), "UPN:", false, "undecodable"}
};

static const char *
facts_text(const EsgNameFacts *f)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "%s%s%s%s%s%s%s%s%s%s",
			 f->has_server_name ? " server" : "", f->nul_in_name ? " nul" : "",
			 f->control_character ? " control" : "", f->bad_utf8 ? " utf8" : "",
			 f->odd_string_type ? " type" : "", f->long_common_name ? " long" : "",
			 f->empty_alt_name ? " empty" : "", f->bad_address ? " address" : "",
			 f->undecodable_alt_name ? " undecodable" : "", f->ambiguous_string ? " ambiguous" : "");
	return buf[0] ? buf + 1 : buf;
}

static void
is_facts(X509 *cert, const char *want, const char *name)
{
	EsgNameFacts facts;

	esg_x509_name_facts(cert, &facts);
	is_text(facts_text(&facts), want, name);
}

static void
is_owned(char *got, const char *want, const char *name)
{
	is_text(got, want, name);
	OPENSSL_free(got);
}

/* A value of any type and bytes, past OpenSSL's own conversions. */
static void
add_entry(X509_NAME *name, const char *oid, int type, const char *value, size_t len, int set)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 0);
	X509_NAME_ENTRY *entry = X509_NAME_ENTRY_new();

	X509_NAME_ENTRY_set_object(entry, object);
	X509_NAME_ENTRY_set_data(entry, type, (const unsigned char *) value, (int) len);
	X509_NAME_add_entry(name, entry, -1, set);
	X509_NAME_ENTRY_free(entry);
	ASN1_OBJECT_free(object);
}

/*
 * The subject in place: X509_set_subject_name() takes no invalid strings.  The
 * cast is for OpenSSL 4, where the name is const.
 */
static X509_NAME *
subject_of(X509 *cert)
{
	return (X509_NAME *) X509_get_subject_name(cert);
}

/* What should be wrong with it: the table says whether anything is. */
static EsgNameFault
expected_fault(size_t i)
{
	if (common_names[i].exact)
		return ESG_NAME_SOUND;
	if (common_names[i].len == 0)
		return ESG_NAME_EMPTY;
	if (common_names[i].type == T61 && strstr(common_names[i].facts, "control") == NULL)
		return ESG_NAME_AMBIGUOUS;
	return ESG_NAME_MALFORMED;
}

/* The value itself: OpenSSL's own conversion, where it is one to be compared. */
static void
test_exact(size_t i, const X509_NAME *name)
{
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0));
	EsgNameFault fault;
	EsgNameFault part;
	unsigned char *utf8 = NULL;
	char	   *text;
	int			len;

	ok(esg_x509_name_exact_common_name(name, &fault, &text), "%s: memory", common_names[i].name);
	is_int(fault, expected_fault(i), common_names[i].name);
	/* an empty attribute of a name, and one that is no text, do no harm */
	part = esg_x509_name_value_fault(value);
	is_int(part, fault == ESG_NAME_EMPTY || !esg_x509_name_is_text(value) ? ESG_NAME_SOUND : fault,
		   common_names[i].name);
	if (fault != ESG_NAME_SOUND)
		ok(text == NULL, "%s: nothing to compare", common_names[i].name);
	else
	{
		len = ASN1_STRING_to_UTF8(&utf8, value);
		ok(len >= 0 && strlen(text) == (size_t) len && memcmp(text, utf8, (size_t) len) == 0,
		   "%s: the value itself", common_names[i].name);
	}
	OPENSSL_free(text);
	OPENSSL_free(utf8);
}

static void
test_common_name(size_t i)
{
	X509	   *cert = X509_new();
	X509_NAME  *name = subject_of(cert);
	char		want[256];
	bool		found;
	char	   *text;

	add_entry(name, "CN", common_names[i].type, common_names[i].value, common_names[i].len, 0);
	snprintf(want, sizeof(want), "CN=%s", common_names[i].dn);
	is_owned(esg_x509_name_text(name), want, common_names[i].name);
	text = esg_x509_name_common_name(name, &found);
	is_owned(text, common_names[i].cn ? common_names[i].cn : common_names[i].dn, common_names[i].name);
	ok(found, "%s: found", common_names[i].name);
	test_exact(i, name);
	is_facts(cert, common_names[i].facts, common_names[i].name);
	X509_free(cert);
}

static GENERAL_NAME *
make_alt_name(int gen_type, int string_type, const char *value, size_t len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *string = ASN1_STRING_type_new(string_type);

	ASN1_STRING_set(string, value, (int) len);
	if (gen_type >= 0)
		GENERAL_NAME_set0_value(name, gen_type, string);
	else
	{
		ASN1_TYPE  *type = ASN1_TYPE_new();

		ASN1_TYPE_set(type, string_type, string);
		GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), type);
	}
	return name;
}

static char *
first_alt_text(const EsgAltNames *names)
{
	static char buf[256];

	snprintf(buf, sizeof(buf), "%s:%s", esg_x509_name_alt_prefix(names->items[0].kind),
			 names->items[0].text);
	return buf;
}

/* Who only compares gets the same value, and text only where there is no value. */
static void
is_same_exact(X509 *cert, const EsgAltName *read, const char *name)
{
	EsgAltNames names;
	const EsgAltName *exact;

	ok(esg_x509_name_exact_alt_names(cert, &names) && names.count == 1, "%s: decoded to be compared", name);
	exact = &names.items[0];
	is_int(exact->kind, read->kind, name);
	if (read->exact != NULL)
		is_text(exact->exact, read->exact, name);
	else
		is_text(exact->exact == NULL ? exact->text : "exact", read->text, name);
	ok(read->exact == NULL || exact->text == NULL || exact->kind == ESG_ALT_IP, "%s: no text for readers", name);
	esg_x509_name_alt_names_free(&names);
}

static void
test_alt_name(size_t i)
{
	X509	   *cert = X509_new();
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	EsgAltNames names;

	sk_GENERAL_NAME_push(list, make_alt_name(alt_names[i].gen_type, alt_names[i].string_type,
											 alt_names[i].value, alt_names[i].len));
	X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 0, 0);
	ok(esg_x509_name_alt_names(cert, &names), "%s: decoded", alt_names[i].name);
	is_int(names.count, 1, alt_names[i].name);
	is_text(first_alt_text(&names), alt_names[i].text, alt_names[i].name);
	is_int(names.items[0].exact != NULL, alt_names[i].exact, alt_names[i].name);
	is_facts(cert, alt_names[i].facts, alt_names[i].name);
	is_same_exact(cert, &names.items[0], alt_names[i].name);
	esg_x509_name_alt_names_free(&names);
	is_int(names.count, 0, "freed");
	GENERAL_NAMES_free(list);
	X509_free(cert);
}

/* Order, multi-valued RDNs, unknown types. */
static void
test_structure(void)
{
	X509_NAME  *name = X509_NAME_new();
	bool		found;
	EsgNameFault fault;
	char	   *exact;

	is_owned(esg_x509_name_text(name), "", "empty name");
	is_owned(esg_x509_name_common_name(name, &found), "", "no CN");
	ok(!found, "no CN is not found");
	ok(esg_x509_name_exact_common_name(name, &fault, &exact) && exact == NULL &&
	   fault == ESG_NAME_ABSENT, "nor to be compared");

	add_entry(name, "C", PRINTABLE, "DE", 2, 0);
	add_entry(name, "OU", UTF8, "b", 1, 0);
	add_entry(name, "CN", UTF8, "a", 1, -1);
	add_entry(name, "1.2.3.4.5", UTF8, "x", 1, 0);
	add_entry(name, "CN", UTF8, "second", 6, 0);
	is_owned(esg_x509_name_text(name), "CN=second,1.2.3.4.5=#0C0178,CN=a+OU=b,C=DE",
			 "most specific first, + inside an RDN, unknown type in hex");
	is_owned(esg_x509_name_common_name(name, &found), "a", "first CN in encoding order");
	X509_NAME_free(name);
}

/* The text must be what "openssl x509 -nameopt RFC2253" prints where both agree on the escapes. */
static void
test_like_openssl(void)
{
	X509_NAME  *name = X509_NAME_new();
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *want;
	long		len;
	char	   *text;

	add_entry(name, "DC", IA5, "example", 7, 0);
	add_entry(name, "emailAddress", IA5, "a@b", 3, 0);
	add_entry(name, "serialNumber", PRINTABLE, "1", 1, -1);
	add_entry(name, "O", UTF8, " #x, \"y\" ", 9, 0);
	add_entry(name, "x500UniqueIdentifier", V_ASN1_BIT_STRING, "\xa5", 1, 0);
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	len = BIO_get_mem_data(bio, &want);
	text = esg_x509_name_text(name);
	ok(text && strlen(text) == (size_t) len && memcmp(text, want, (size_t) len) == 0,
	   "as OpenSSL prints it: %s", text);
	OPENSSL_free(text);
	BIO_free(bio);
	X509_NAME_free(name);
}

/* What fits into a buffer is the same, whether the name was made to its end or only as far as that. */
static void
test_start(void)
{
	X509_NAME  *name = X509_NAME_new();
	char	   *whole;
	int			wrong = 0;
	int			longer = 0;

	for (int i = 0; i < 40; i++)
	{
		add_entry(name, "OU", UTF8, " \xc3\xa4, \\#\xe2\x80\x8e\x01+ ", 13, 0);
		add_entry(name, "1.2.3.4.5", UTF8, "abcdefghij", 10, i % 2 ? 0 : -1);
	}
	whole = esg_x509_name_text(name);
	for (size_t size = 5; size < strlen(whole) + 3; size++)
	{
		char		want[8192];
		char		got[8192];
		char	   *start = esg_x509_name_start(name, size);

		longer += strlen(start) > size + 20;
		esg_cut_text_copy(want, size, whole);
		esg_cut_text_take(got, size, start);
		wrong += strcmp(want, got) != 0;
	}
	ok(strlen(whole) > 2000 && strlen(whole) < 8000 && wrong == 0, "the start of a name: %d of %zu differ", wrong, strlen(whole));
	ok(longer == 0, "no more of it is made: %d are longer", longer);
	OPENSSL_free(whole);
	X509_NAME_free(name);
}

static void
test_several_names(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.subject = "CN=a,CN=b,O=c",
		.issuer = "CN=ca", .extensions = "subjectAltName=DNS:a,RID:1.2.3,dirName:d,email:e@f\n"
			"[d]\nCN=x\n"});
	X509	   *twin = certmaker_cert(&(CertSpec){.subject = "CN=a"});
	EsgNameFacts facts;
	EsgAltNames names;

	esg_x509_name_facts(cert, &facts);
	is_int(facts.common_names, 2, "two CNs");
	is_text(facts_text(&facts), "server", "nothing wrong with registeredID, directoryName");
	ok(esg_x509_name_alt_names(cert, &names) && names.count == 4, "four values");
	is_text(names.items[1].text, "1.2.3", "registeredID");
	is_text(names.items[2].text, "CN=x", "directoryName");
	ok(names.items[1].kind == ESG_ALT_OTHER && !names.items[1].exact && !names.items[2].exact,
	   "never exact");
	is_text(esg_x509_name_alt_prefix(names.items[1].kind), "other", "prefix");
	esg_x509_name_alt_names_free(&names);

	esg_x509_name_facts(twin, &facts);
	is_int(facts.common_names, 1, "one CN");
	is_facts(twin, "", "no alternative name at all");
	ok(esg_x509_name_alt_names(twin, &names) && names.count == 0, "absent is not undecodable");
	X509_free(cert);
	X509_free(twin);
}

/* Values without a kind of their own, and OIDs that nobody should print. */
static void
test_unusual(void)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.issuer = "CN=ca",
		.extensions = "subjectAltName=otherName:1.2.3.4;UTF8:x,dirName:empty\n[empty]\n"});
	EsgAltNames names;
	char		dotted[600] = "1.2";
	char		buf[64];
	ASN1_OBJECT *oid;

	is_facts(cert, "empty", "an empty directoryName");
	ok(esg_x509_name_alt_names(cert, &names) && names.count == 2, "two values");
	is_text(first_alt_text(&names), "other:1.2.3.4", "otherName of an unknown type");
	esg_x509_name_alt_names_free(&names);
	X509_free(cert);

	while (strlen(dotted) < 300)
		strncat(dotted, ".3", 3);
	oid = OBJ_txt2obj(dotted, 1);
	esg_x509_name_oid(oid, buf, sizeof(buf));
	is_text(buf, "unprintable-oid", "an OID of too many octets");
	ASN1_OBJECT_free(oid);
	dotted[strlen("1.2.3.3.3")] = '\0';
	oid = OBJ_txt2obj(dotted, 1);
	esg_x509_name_oid(oid, buf, sizeof(buf));
	is_text(buf, "1.2.3.3.3", "an OID");
	esg_x509_name_oid(oid, buf, 9);
	is_text(buf, "unprint" "a", "an OID that does not fit");
	ASN1_OBJECT_free(oid);
}

static void
add_raw_extension(X509 *cert, int nid, const char *value, size_t len)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(octets, (const unsigned char *) value, (int) len);
	ext = X509_EXTENSION_create_by_NID(NULL, nid, 0, octets);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(octets);
}

static void
test_broken_extension(void)
{
	X509	   *broken = X509_new();
	X509	   *empty = X509_new();
	X509	   *twice = X509_new();
	EsgAltNames names;

	add_raw_extension(broken, NID_subject_alt_name, BYTES("\x30\x05\x82\x09x"));
	is_facts(broken, "undecodable", "subjectAltName cut short");
	ok(!esg_x509_name_alt_names(broken, &names) && names.count == 0, "undecodable is told");

	add_raw_extension(empty, NID_subject_alt_name, BYTES("\x30\x00"));
	is_facts(empty, "empty", "subjectAltName without a value");
	ok(esg_x509_name_alt_names(empty, &names) && names.count == 0, "empty is not undecodable");

	add_raw_extension(twice, NID_subject_alt_name, BYTES("\x30\x03\x82\x01x"));
	is_facts(twice, "server", "subjectAltName once");
	add_raw_extension(twice, NID_subject_alt_name, BYTES("\x30\x03\x82\x01y"));
	is_facts(twice, "undecodable", "subjectAltName twice");
	X509_free(broken);
	X509_free(empty);
	X509_free(twice);
}

/* Control characters count wherever they are, NUL only in CN and SAN. */
static void
test_other_attributes(void)
{
	X509	   *cert = X509_new();

	add_entry(subject_of(cert), "O", UTF8, "a\0b", 3, 0);
	is_facts(cert, "control", "NUL in an organization");
	add_entry(subject_of(cert), "OU", T61, "\xfc", 1, 0);
	is_facts(cert, "control ambiguous", "a T61String in an organizational unit");
	add_entry((X509_NAME *) X509_get_issuer_name(cert), "CN", BMP, "\xd8\x00", 2, 0);
	is_facts(cert, "control utf8 ambiguous", "the issuer's CN is no CN of the subject");
	X509_free(cert);
}

static double
seconds_for(size_t len)
{
	X509_NAME  *name = X509_NAME_new();
	char	   *value = malloc(len);
	clock_t		start;
	double		spent;

	memset(value, ',', len);
	add_entry(name, "CN", UTF8, value, len, 0);
	add_entry(name, "1.2.3.4.5", UTF8, value, len, 0);
	start = clock();
	OPENSSL_free(esg_x509_name_text(name));
	spent = (double) (clock() - start) / CLOCKS_PER_SEC;
	X509_NAME_free(name);
	free(value);
	return spent;
}

int
main(void)
{
	size_t		i;

	for (i = 0; i < sizeof(common_names) / sizeof(common_names[0]); i++)
		test_common_name(i);
	for (i = 0; i < sizeof(alt_names) / sizeof(alt_names[0]); i++)
		test_alt_name(i);
	test_structure();
	test_like_openssl();
	test_start();
	test_several_names();
	test_unusual();
	test_broken_extension();
	test_other_attributes();
	is_owned(esg_x509_name_escape((const unsigned char *) "a\0\xff\xc3\xbc\n\\", 7),
			 "a\\x00\\xff\xc3\xbc\\x0a\\\\", "any bytes");
	is_owned(esg_x509_name_escape_hidden("a\\,\xff\xe2\x80\x8b\n"), "a\\,\\xff\\u200b\\x0a",
			 "what has escapes of its own");
	ok(seconds_for(4 << 20) < 64 * seconds_for(256 << 10) + 0.5, "linear time");
	is_int((long long) ERR_peek_error(), 0, "error queue is empty");
	return done();
}

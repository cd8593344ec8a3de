/* sources: policy/revocation policy/revocation_key x509/time */
/*
 * test_revocation.c
 *		Which certificates do CRLs list?
 */
#include <stdlib.h>
#include <string.h>

#include "certmaker.h"
#include "compat.h"
#include "esg_test.h"
#include "policy/revocation.h"
#include "x509/time.h"

#define SEED UINT64_C(0x1234567890abcdef)
#define MAX_OWNERS 4
#define AKI "authorityKeyIdentifier=keyid:always\n"
#define POINT(limits) AKI "issuingDistributionPoint=critical,@point\n[point]\n" limits "\n"

static X509 *ca;				/* CN=CA */
static X509 *renewed;			/* the same name, another key */
static X509 *other;				/* another name */
static X509 *intermediate;		/* of ca, serial 50 */
static EVP_PKEY *ca_key;
static EVP_PKEY *renewed_key;
static EVP_PKEY *leaf_key;
static int64_t now;

static X509 *
make_ca(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *serial)
{
	CertSpec	spec = {
		.subject = name, .key = key, .issuer_cert = issuer, .issuer_key = issuer_key, .serial = serial,
		.extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
	};

	return certmaker_cert(&spec);
}

static X509 *
make_leaf(X509 *issuer, EVP_PKEY *issuer_key, const char *serial)
{
	CertSpec	spec = {
		.subject = "CN=leaf", .key = leaf_key, .issuer_cert = issuer, .issuer_key = issuer_key, .serial = serial
	};

	return certmaker_cert(&spec);
}

/* What a case starts from: one chain after the other. */
static EsgRevocationIndex *list;
static int	owners;

static void
add_chain(X509 *leaf, X509 *second, X509 *third)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	EsgRevocationKey keys[ESG_REVOCATION_DEPTH];
	int			count;

	sk_X509_push(chain, leaf);
	if (second != NULL)
		sk_X509_push(chain, second);
	if (third != NULL)
		sk_X509_push(chain, third);
	count = esg_revocation_keys(chain, SEED, keys);
	esg_revocation_index_add(list, keys, count, owners++);
	sk_X509_free(chain);
	X509_free(leaf);
}

static void
begin(void)
{
	list = esg_revocation_index_new(MAX_OWNERS * ESG_REVOCATION_DEPTH, SEED);
	owners = 0;
}

/* The owners that these CRLs revoke, "0 2"; frees all that the case made. */
static void
expect(const char *name, STACK_OF(X509_CRL) *crls, X509 *first, X509 *second, const char *want)
{
	STACK_OF(X509) *cas = sk_X509_new_null();
	bool		revoked[MAX_OWNERS] = {false};
	char		got[32] = "";

	if (first != NULL)
		sk_X509_push(cas, first);
	if (second != NULL)
		sk_X509_push(cas, second);
	esg_revocation_judge(list, crls, cas, now, revoked);
	for (int i = 0; i < MAX_OWNERS; i++)
	{
		if (revoked[i])
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%d", got[0] ? " " : "", i);
	}
	is_text(got, want, name);
	esg_revocation_index_free(list);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	sk_X509_free(cas);
}

static STACK_OF(X509_CRL) *
add_crl(STACK_OF(X509_CRL) *crls, X509 *issuer, EVP_PKEY *key, const char *serial, CrlSpec spec)
{
	const char *serials[] = {serial, NULL};

	if (crls == NULL)
		crls = sk_X509_CRL_new_null();
	spec.issuer_cert = issuer;
	spec.issuer_key = key;
	spec.revoked = serials;
	sk_X509_CRL_push(crls, certmaker_crl(&spec));
	return crls;
}

static const CrlSpec plain = {.extensions = AKI};

/* leaves 7 and 8 of ca */
static void
begin_two(void)
{
	begin();
	add_chain(make_leaf(ca, ca_key, "7"), ca, NULL);
	add_chain(make_leaf(ca, ca_key, "8"), ca, NULL);
}

static void
test_whose(void)
{
	begin_two();
	expect("the one that is listed", add_crl(NULL, ca, ca_key, "8", plain), ca, NULL, "1");
	begin_two();
	expect("none is listed", add_crl(NULL, ca, ca_key, "9", plain), ca, NULL, "");
	begin_two();
	add_chain(make_leaf(renewed, renewed_key, "7"), renewed, NULL);
	expect("a CA of the same name has another key", add_crl(NULL, ca, ca_key, "7", plain), ca, renewed, "0");
	begin_two();
	add_chain(make_leaf(renewed, renewed_key, "7"), renewed, NULL);
	expect("a CRL that names no key: who has signed it",
		   add_crl(NULL, renewed, renewed_key, "7", (CrlSpec) {.extensions = NULL}), ca, renewed, "2");
	begin_two();
	expect("signed with another key", add_crl(NULL, ca, renewed_key, "7", (CrlSpec) {.extensions = NULL}), ca, NULL, "");
	begin_two();
	expect("the CA is not known: by its name", add_crl(NULL, ca, ca_key, "7", plain), NULL, NULL, "0");
	begin_two();
	expect("a CA of another name", add_crl(NULL, other, renewed_key, "7", plain), other, NULL, "");
}

/* A CA that is known by one name may have another one, and a name may be written in several ways. */
static void
test_names(void)
{
	X509	   *alias = make_ca("CN=Alias", ca_key, NULL, NULL, "4");
	X509	   *same = make_ca("CN= ca ", ca_key, NULL, NULL, "5");

	begin_two();
	add_chain(make_leaf(alias, ca_key, "7"), alias, NULL);
	expect("the key under another name", add_crl(NULL, ca, ca_key, "7", plain), ca, NULL, "0");
	begin_two();
	add_chain(make_leaf(alias, ca_key, "7"), alias, NULL);
	expect("and the other way round", add_crl(NULL, alias, ca_key, "7", plain), alias, NULL, "2");
	begin_two();
	expect("the name, written otherwise", add_crl(NULL, same, ca_key, "7", plain), ca, NULL, "0");
	begin();
	add_chain(make_leaf(same, ca_key, "7"), same, NULL);
	expect("and in the certificate", add_crl(NULL, ca, ca_key, "7", plain), ca, NULL, "0");
	X509_free(alias);
	X509_free(same);
}

/* Two CAs of one name that the server does not know. */
static void
begin_unknown(void)
{
	begin();
	add_chain(make_leaf(ca, ca_key, "7"), ca, NULL);
	add_chain(make_leaf(renewed, renewed_key, "7"), renewed, NULL);
}

static void
test_unknown(void)
{
	begin_unknown();
	expect("unknown CAs of one name: the key that the CRL names", add_crl(NULL, renewed, renewed_key, "7", plain), NULL, NULL, "1");
	begin_unknown();
	expect("one CRL does not stand for the other's",
		   add_crl(add_crl(NULL, ca, ca_key, "9", plain), renewed, renewed_key, "7", plain), NULL, NULL, "1");
	begin_unknown();
	expect("it names none", add_crl(NULL, renewed, renewed_key, "7", (CrlSpec) {.extensions = NULL}), NULL, NULL, "0 1");
}

/* ca has become renewed, which vouches for its old key. */
static void
begin_changed(void)
{
	X509	   *bridge = make_ca("CN=CA", ca_key, renewed, renewed_key, "60");

	begin();
	add_chain(make_leaf(ca, ca_key, "7"), bridge, renewed);
	X509_free(bridge);
}

static void
test_changed_key(void)
{
	const CrlSpec stale = {.this_update = "20260301000000Z", .next_update = "20260302000000Z", .extensions = AKI};

	begin_changed();
	expect("a CA with a new key: its CRL", add_crl(NULL, renewed, renewed_key, "7", plain), renewed, NULL, "0");
	begin_changed();
	expect("which lists the old certificate of the CA", add_crl(NULL, renewed, renewed_key, "60", plain), renewed, NULL, "0");
	begin_changed();
	expect("the old key's CRL counts", add_crl(add_crl(NULL, renewed, renewed_key, "7", plain), ca, ca_key, "9", plain), renewed, ca, "");
	begin_changed();
	expect("unless it has ended", add_crl(add_crl(NULL, renewed, renewed_key, "7", plain), ca, ca_key, "9", stale), renewed, ca, "0");
	begin_changed();
	expect("not signed with the new key", add_crl(NULL, renewed, ca_key, "7", plain), renewed, NULL, "");
	begin_two();
	expect("a new key that is not in the chain", add_crl(NULL, renewed, renewed_key, "7", plain), renewed, ca, "");
}

/* Each has its own certificate, of whichever CA. */
static void
test_find(void)
{
	bool		found[MAX_OWNERS] = {false};
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	X509	   *alias = make_ca("CN=Alias", ca_key, NULL, NULL, "4");

	begin();
	add_chain(make_leaf(ca, ca_key, "50"), ca, NULL);
	add_chain(make_leaf(alias, ca_key, "50"), alias, NULL);
	add_chain(make_leaf(renewed, renewed_key, "50"), renewed, NULL);
	add_chain(make_leaf(intermediate, renewed_key, "9"), intermediate, ca);
	(void) ASN1_INTEGER_set(serial, 50);
	esg_revocation_find(list, ca, serial, found);
	ok(found[0] && !found[1] && !found[2] && !found[3], "by number and CA: name and key, and no CA above");
	esg_revocation_index_free(list);
	ASN1_INTEGER_free(serial);
	X509_free(alias);
}

static void
test_chain(void)
{
	begin();
	add_chain(make_leaf(intermediate, renewed_key, "9"), intermediate, ca);
	add_chain(make_leaf(ca, ca_key, "9"), ca, NULL);
	expect("the intermediate is listed", add_crl(NULL, ca, ca_key, "50", plain), ca, NULL, "0");
	begin();
	add_chain(make_leaf(intermediate, renewed_key, "9"), intermediate, ca);
	add_chain(make_leaf(ca, ca_key, "9"), ca, NULL);
	expect("the root's own number", add_crl(NULL, ca, ca_key, "1", plain), ca, NULL, "0 1");
	begin();
	add_chain(make_leaf(ca, ca_key, "-1"), ca, NULL);
	add_chain(make_leaf(ca, ca_key, "1000"), ca, NULL);
	expect("-1", add_crl(NULL, ca, ca_key, "-1", plain), ca, NULL, "0");
}

static void
test_best(void)
{
	const CrlSpec newer = {.this_update = "20260201000000Z", .extensions = AKI};
	const CrlSpec stale = {.this_update = "20260301000000Z", .next_update = "20260302000000Z", .extensions = AKI};

	begin_two();
	expect("the newer of two counts",
		   add_crl(add_crl(NULL, ca, ca_key, "7", plain), ca, ca_key, "8", newer), ca, NULL, "1");
	begin_two();
	expect("in either order",
		   add_crl(add_crl(NULL, ca, ca_key, "8", newer), ca, ca_key, "7", plain), ca, NULL, "1");
	begin_two();
	expect("one that has ended comes last",
		   add_crl(add_crl(NULL, ca, ca_key, "8", stale), ca, ca_key, "7", newer), ca, NULL, "0");
	begin_two();
	expect("but what it lists is revoked", add_crl(NULL, ca, ca_key, "8", stale), ca, NULL, "1");
	begin_two();
	expect("of two equal ones the first",
		   add_crl(add_crl(NULL, ca, ca_key, "7", plain), ca, ca_key, "8", plain), ca, NULL, "0");
}

static void
test_limits(void)
{
	begin();
	add_chain(make_leaf(intermediate, renewed_key, "9"), intermediate, ca);
	expect("for users only: not the CA", add_crl(NULL, ca, ca_key, "50", (CrlSpec) {.extensions = POINT("onlyuser=TRUE")}), ca, NULL, "");
	begin_two();
	expect("for users only: the user", add_crl(NULL, ca, ca_key, "7", (CrlSpec) {.extensions = POINT("onlyuser=TRUE")}), ca, NULL, "0");
	begin_two();
	expect("for CAs only", add_crl(NULL, ca, ca_key, "7", (CrlSpec) {.extensions = POINT("onlyCA=TRUE")}), ca, NULL, "");
	begin_two();
	expect("indirect", add_crl(NULL, ca, ca_key, "7", (CrlSpec) {.extensions = POINT("indirectCRL=TRUE")}), ca, NULL, "");
	begin_two();
	expect("two parts, both count",
		   add_crl(add_crl(NULL, ca, ca_key, "7", (CrlSpec) {.extensions = POINT("fullname=URI:http://a/")}),
				   ca, ca_key, "8", (CrlSpec) {.extensions = POINT("fullname=URI:http://b/")}), ca, NULL, "0 1");
	begin_two();
	expect("the end of a hold",
		   add_crl(NULL, ca, ca_key, "7", (CrlSpec) {.extensions = AKI, .entry_extensions = "2.5.29.21=DER:0A:01:08"}), ca, NULL, "");
	begin_two();
	expect("another reason",
		   add_crl(NULL, ca, ca_key, "7", (CrlSpec) {.extensions = AKI, .entry_extensions = "2.5.29.21=DER:0A:01:01"}), ca, NULL, "0");
}

static void
test_hash(void)
{
	unsigned char data[40] = {0};
	uint64_t	seen[40];
	bool		distinct = true;

	for (int i = 0; i < 40; i++)
	{
		seen[i] = esg_revocation_hash(SEED, data, (size_t) i);
		for (int j = 0; j < i; j++)
			distinct = distinct && seen[i] != seen[j];
	}
	ok(distinct, "zeros of different length");
	ok(esg_revocation_hash(SEED + 1, data, 8) != seen[8], "another seed");
}

/* A name with one value, in that encoding. */
static uint64_t
name_hash(int encoding, const char *bytes, int len)
{
	X509_NAME  *name = X509_NAME_new();
	uint64_t	hash = 0;

	if (X509_NAME_add_entry_by_NID(name, NID_commonName, encoding, (const unsigned char *) bytes, len, -1, 0) == 1)
		hash = esg_revocation_name(name, SEED);
	else
		ok(0, "a name");
	X509_NAME_free(name);
	return hash;
}

/* As X509_NAME_cmp(3) has it: names that are the same to OpenSSL are so here, however they are written. */
static void
test_encodings(void)
{
	static const char wide[] = "\0\0\0J\0\0\0\366\0\0\0r\0\0\0g";
	uint64_t	utf8 = name_hash(V_ASN1_UTF8STRING, "J\303\266rg", 5);
	char		lengthy[400];

	ok(name_hash(V_ASN1_BMPSTRING, "\0J\0\366\0r\0g", 8) == utf8, "two octets for a character");
	ok(name_hash(V_ASN1_UNIVERSALSTRING, wide, 16) == utf8, "four");
	ok(name_hash(V_ASN1_T61STRING, "J\366rg", 4) == utf8, "one");
	ok(name_hash(V_ASN1_UTF8STRING, "J\303\226rg", 5) != utf8, "another character");
	ok(name_hash(V_ASN1_IA5STRING, "Jim", 3) == name_hash(V_ASN1_PRINTABLESTRING, "JIM", 3), "an IA5String");
	ok(name_hash(V_ASN1_IA5STRING, " J  im ", 7) == name_hash(V_ASN1_UTF8STRING, "j im", 4), "blanks");
	/* of what is no text the octets count, and their kind */
	ok(name_hash(V_ASN1_BIT_STRING, "Jim", 3) != name_hash(V_ASN1_BIT_STRING, "JIM", 3), "bits");
	ok(name_hash(V_ASN1_BIT_STRING, "jim", 3) != name_hash(V_ASN1_UTF8STRING, "jim", 3), "of another kind");
	ok(name_hash(V_ASN1_NUMERICSTRING, "12", 2) != name_hash(V_ASN1_UTF8STRING, "12", 2), "digits, which OpenSSL compares with digits alone");
	memset(lengthy, 'a', sizeof(lengthy));
	ok(name_hash(V_ASN1_UTF8STRING, lengthy, 400) != name_hash(V_ASN1_UTF8STRING, lengthy, 399), "a long one, and a shorter one");
	utf8 = name_hash(V_ASN1_UTF8STRING, lengthy, 400);
	memset(lengthy, 'A', 200);
	ok(name_hash(V_ASN1_PRINTABLESTRING, lengthy, 400) == utf8, "a long one in another case");
	lengthy[300] = 'b';
	ok(name_hash(V_ASN1_UTF8STRING, lengthy, 400) != utf8, "a letter far behind");
}

int
main(void)
{
	ASN1_TIME  *date = ASN1_TIME_new();

	(void) ASN1_TIME_set_string(date, "20261129000000Z");
	now = esg_x509_time_read(date).unix_seconds;
	ASN1_TIME_free(date);
	ca_key = certmaker_rsa(2048);
	renewed_key = certmaker_rsa_other(2048);
	leaf_key = certmaker_ec("prime256v1");
	ca = make_ca("CN=CA", ca_key, NULL, NULL, "1");
	renewed = make_ca("CN=CA", renewed_key, NULL, NULL, "2");
	other = make_ca("CN=Other", renewed_key, NULL, NULL, "3");
	intermediate = make_ca("CN=Intermediate", renewed_key, ca, ca_key, "50");
	test_whose();
	test_names();
	test_unknown();
	test_changed_key();
	test_find();
	test_chain();
	test_best();
	test_limits();
	test_hash();
	test_encodings();
	X509_free(ca);
	X509_free(renewed);
	X509_free(other);
	X509_free(intermediate);
	return done();
}

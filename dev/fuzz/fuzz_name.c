/*
 * fuzz_name.c
 *		Hostile names: a common name of any string type, and a subjectAltName.
 *
 * The first octet chooses the type, the second is the length of the common name,
 * which follows; what is behind it is the extension.  What may be compared is what
 * OpenSSL reads, what is shown can be shown, and whoever has a host's name is found
 * by OpenSSL under it.
 */
#include <stdint.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "checks.h"
#include "x509/cut_text.h"
#include "x509/host_names.h"
#include "x509/identities.h"
#include "x509/name.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* that a name can have, of those that are text */
static const int types[] = {
	V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING, V_ASN1_IA5STRING, V_ASN1_T61STRING, V_ASN1_BMPSTRING,
	V_ASN1_UNIVERSALSTRING, V_ASN1_NUMERICSTRING
};

/* As it is, without a look at what is in it; false: no certificate can have it. */
static bool
add_common_name(X509_NAME *name, int type, const uint8_t *value, size_t len)
{
	X509_NAME_ENTRY *entry = X509_NAME_ENTRY_new();
	bool		added;

	must(entry != NULL);
	must(X509_NAME_ENTRY_set_object(entry, OBJ_nid2obj(NID_commonName)));
	must(X509_NAME_ENTRY_set_data(entry, type, value, (int) len));
	added = X509_NAME_add_entry(name, entry, -1, 0) == 1;
	X509_NAME_ENTRY_free(entry);
	return added;
}

static void
add_alt_names(X509 *cert, const uint8_t *value, size_t len)
{
	ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	must(string != NULL && ASN1_OCTET_STRING_set(string, value, (int) len));
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, string);
	must(extension != NULL && X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(string);
}

static void
check_common_name(X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0));
	EsgNameFault fault;
	bool		found;
	char	   *shown = esg_x509_name_common_name(name, &found);
	char	   *exact;
	unsigned char *theirs = NULL;
	int			len;

	must(found);
	must(esg_x509_name_exact_common_name(name, &fault, &exact));
	must((exact != NULL) == (fault == ESG_NAME_SOUND));
	if (exact != NULL)
	{
		len = ASN1_STRING_to_UTF8(&theirs, value);
		must(len >= 0 && (size_t) len == strlen(exact) && memcmp(theirs, exact, (size_t) len) == 0);
		check_exact(shown, exact);
		OPENSSL_free(theirs);
	}
	check_text(shown);
	OPENSSL_free(exact);
}

/* A name of ours and OpenSSL's. */
static void
compare_alt_name(const EsgAltName *ours, const GENERAL_NAME *theirs)
{
	int			kind;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(theirs, &kind);
	char		address[INET6_ADDRSTRLEN];

	if (ours->exact == NULL)
		return;
	check_exact(ours->text, ours->exact);
	if (kind == GEN_DNS || kind == GEN_URI || kind == GEN_EMAIL)
		must((size_t) ASN1_STRING_length(value) == strlen(ours->exact) &&
			 memcmp(ASN1_STRING_get0_data(value), ours->exact, strlen(ours->exact)) == 0);
	if (kind == GEN_IPADD)
		must(inet_ntop(ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value),
					   address, sizeof(address)) != NULL && strcmp(address, ours->exact) == 0);
}

static void
check_alt_names(X509 *cert)
{
	GENERAL_NAMES *theirs = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	EsgAltNames ours;
	bool		read = esg_x509_name_exact_alt_names(cert, &ours);

	must(read == (theirs != NULL) && ours.undecodable == !read);
	esg_x509_name_alt_names_free(&ours);
	if (esg_x509_name_alt_names(cert, &ours))
	{
		must(ours.count == sk_GENERAL_NAME_num(theirs));
		for (int i = 0; i < ours.count; i++)
		{
			compare_alt_name(&ours.items[i], sk_GENERAL_NAME_value(theirs, i));
			check_text(OPENSSL_strdup(ours.items[i].text));
		}
	}
	esg_x509_name_alt_names_free(&ours);
	GENERAL_NAMES_free(theirs);
}

/* EsgHostNameFn: clients find it there.  A pattern may be one that OpenSSL takes for none. */
static void
check_host(const char *name, void *cert)
{
	unsigned char octets[16];

	must(esg_x509_host_names_cover(name, name));
	if (strchr(name, '*') != NULL)
		return;
	if (inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1)
		must(X509_check_ip_asc(cert, name, 0) == 1 || X509_check_host(cert, name, 0, 0, NULL) == 1);
	else
		must(X509_check_host(cert, name, 0, 0, NULL) == 1);
}

static void
check_hosts(X509 *cert)
{
	char		text[200];

	must(esg_x509_host_names_each(cert, check_host, cert) <= ESG_MAX_HOST_NAMES);
	if (esg_x509_host_names_bad(cert, text, sizeof(text)))
		check_text(OPENSSL_strdup(text));
	if (esg_x509_host_names_lost(cert, text, sizeof(text)))
		check_text(OPENSSL_strdup(text));
}

static void
check_identities(X509 *cert)
{
	unsigned char sources[ESG_LABEL_KEY_COUNT];
	EsgCandidates list;

	for (int i = 0; i < ESG_LABEL_KEY_COUNT; i++)
		sources[i] = (unsigned char) i;
	(void) esg_identities_candidates(cert, sources, ESG_LABEL_KEY_COUNT, &list);
	for (int i = 0; i < list.count; i++)
		check_text(esg_identities_shown(&list.items[i]));
	esg_identities_candidates_free(&list);
}

/* Cut anywhere it is a text, and no longer than there is room. */
static void
check_cuts(const X509_NAME *name, unsigned size)
{
	char		room[64];

	size = 7 + size % (sizeof(room) - 7);
	esg_cut_text_take(room, size, esg_x509_name_text(name));
	must(strlen(room) < size);
	check_text(OPENSSL_strdup(room));
	esg_cut_text_take(room, size, esg_x509_name_start(name, size));
	check_text(OPENSSL_strdup(room));
}

static void
check_cert(X509 *cert, bool has_alt_names, unsigned cut)
{
	ERR_clear_error();
	check_common_name(cert);
	if (has_alt_names)
		check_alt_names(cert);
	ERR_clear_error();
	check_hosts(cert);
	check_identities(cert);
	check_cuts(X509_get_subject_name(cert), cut);
	must(ERR_peek_error() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509	   *cert;
	size_t		len;
	bool		has_alt_names;

	if (size < 2)
		return 0;
	cert = X509_new();
	len = data[1] < size - 2 ? data[1] : size - 2;
	has_alt_names = 2 + len < size;
	must(cert != NULL && X509_set_version(cert, 2));
	if (has_alt_names)
		add_alt_names(cert, data + 2 + len, size - 2 - len);
	if (add_common_name(X509_get_subject_name(cert), types[data[0] % (sizeof(types) / sizeof(types[0]))], data + 2, len))
		check_cert(cert, has_alt_names, data[0]);
	ERR_clear_error();
	X509_free(cert);
	return 0;
}

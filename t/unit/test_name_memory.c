/*
 * test_name_memory.c
 *		Identities, labels and certificates when memory runs out: refused, never
 *		mistaken.
 *
 * The n-th allocation fails, for each n until all is well.  A sanitizer sees
 * what is not given back.
 */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "certmaker.h"
#include "esg_test.h"
#include "policy/label.h"
#include "x509/info.h"

static long countdown = -1;		/* allocations until one fails; -1: none does */

static bool
is_due(void)
{
	return countdown >= 0 && countdown-- == 0;
}

static void *
failing_malloc(size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	return is_due() ? NULL : malloc(size);
}

static void *
failing_realloc(void *old, size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	return is_due() ? NULL : realloc(old, size);
}

static void
plain_free(void *memory, const char *file, int line)
{
	(void) file;
	(void) line;
	free(memory);
}

/* Is each usable candidate one of the complete list? */
static bool
is_part_of(const EsgCandidates *list, const EsgCandidates *complete)
{
	int			i;
	int			j;

	for (i = 0; i < list->count; i++)
	{
		for (j = 0; j < complete->count; j++)
		{
			if (list->items[i].source == complete->items[j].source &&
				strcmp(list->items[i].text, complete->items[j].text) == 0 &&
				(list->items[i].unusable || !complete->items[j].unusable))
				break;
		}
		if (list->items[i].unusable == NULL && j == complete->count)
			return false;
	}
	return true;
}

static void
test_candidates(X509 *cert)
{
	unsigned char sources[ESG_LABEL_KEY_COUNT];
	EsgCandidates complete;
	EsgCandidates list;
	EsgNamesResult result = ESG_NAMES_NO_MEMORY;
	bool		sound = true;
	long		failing;
	int			refused = 0;
	int			i;

	for (i = 0; i < ESG_LABEL_KEY_COUNT; i++)
		sources[i] = (unsigned char) i;
	is_int(esg_identities_candidates(cert, sources, ESG_LABEL_KEY_COUNT, &complete), ESG_NAMES_OK,
		   "with memory");
	for (failing = 0; failing < 2000 && countdown < 0; failing++)
	{
		countdown = failing;
		result = esg_identities_candidates(cert, sources, ESG_LABEL_KEY_COUNT, &list);
		if (countdown >= 0)
			break;
		sound = sound && (result == ESG_NAMES_OK ? is_part_of(&list, &complete) : list.count == 0);
		refused += result != ESG_NAMES_OK;
		esg_identities_candidates_free(&list);
	}
	countdown = -1;
	ok(sound, "no wrong identity when an allocation fails, %ld tried", failing);
	ok(refused > 10, "%d of them are told", refused);
	is_int(list.count, complete.count, "the last one is complete");
	esg_identities_candidates_free(&list);
	esg_identities_candidates_free(&complete);
}

/* A label that is not met must not be met by failing; one that parses must be whole. */
static void
test_label(X509 *cert)
{
	static const char text[] = "cn=alice dn=CN=alice,O=x dns=a dns=b email=a@b serial=01 uri=nobody";
	EsgLabelPeer peer = {true, 0x0304, cert, NULL};
	EsgLabel	label;
	EsgLabelError error = {0, ""};
	EsgLabelVerdict verdict;
	bool		sound = true;
	bool		parsed;
	long		failing;

	for (failing = 0; failing < 2000 && countdown < 0; failing++)
	{
		countdown = failing;
		parsed = esg_label_parse(text, strlen(text), &label, &error);
		sound = sound && (parsed ? label.count == 7 : error.position == 0 && label.count == 0);
		if (!parsed)
			is_text(error.reason, "out of memory", "why there is none");
		if (parsed)
		{
			esg_label_check(&label, &peer, &verdict);
			sound = sound && verdict.refused;
		}
		esg_label_free(&label);
	}
	countdown = -1;
	ok(sound, "a label that is not met stays so, %ld tried", failing);
}

/* A serial number that cannot be looked at is no good one. */
static void
test_serial(X509 *cert)
{
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);
	EsgCertInfo info;
	int			unreadable = 0;
	bool		sound = true;
	long		failing;

	for (failing = 0; failing < 2000 && countdown < 0; failing++)
	{
		/* anew, as OpenSSL remembers what it has found */
		X509	   *copy = certmaker_parse(der, len);

		countdown = failing;
		esg_x509_info_read(copy, NULL, &info);
		if (info.odd_serial)
			sound = sound && strcmp(info.odd_serial_reason, "unreadable") == 0;
		unreadable += info.odd_serial;
		X509_free(copy);
	}
	countdown = -1;
	ok(sound && unreadable > 0, "%d times of %ld the serial number is unreadable", unreadable, failing);
	ok(!info.odd_serial, "with memory it is a good one");
	free(der);
}

int
main(void)
{
	CertSpec	spec = {.subject = "O=x,CN=alice", .issuer = "CN=J\303\266rg CA",
		.extensions = "subjectAltName=DNS:a,DNS:b,email:a@b,URI:spiffe://a/b,IP:192.0.2.1\n"};
	X509	   *cert;

	if (CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free) != 1)
		return 1;
	cert = certmaker_cert(&spec);
	test_candidates(cert);
	test_label(cert);
	test_serial(cert);
	X509_free(cert);
	return done();
}

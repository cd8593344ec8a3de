/*
 * fuzz_label.c
 *		Role labels, and the identities of hostile certificates.
 *
 * Data that is a certificate, in DER: a label made of any identity that may
 * match parses and is met by that certificate.  Other data is a label: the
 * fault, if any, is within the text, and nothing is left over.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "checks.h"
#include "policy/label.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_label(const char *text, size_t len)
{
	EsgLabelPeer peer = {true, TLS1_2_VERSION, NULL, NULL};
	EsgLabel	label;
	EsgLabelError error;
	EsgLabelVerdict verdict;

	if (!esg_label_parse(text, len, &label, &error))
	{
		must(error.position >= 1 && (size_t) error.position <= len + 1 && error.reason[0] != '\0');
		must(label.count == 0 && label.rules == NULL);
		return;
	}
	must(label.tls || label.x509 || label.min_tls || label.count > 0);
	esg_label_check(&label, &peer, &verdict);
	must(verdict.refused || !esg_label_needs_certificate(&label));
	esg_label_free(&label);
}

/* key="text", quoted; the serial number's issuer is no part of its label */
static size_t
write_label(const EsgCandidate *candidate, char *buf)
{
	size_t		used = strlen(esg_identities_source_name(candidate->source));
	const char *p;

	memcpy(buf, esg_identities_source_name(candidate->source), used);
	buf[used++] = '=';
	buf[used++] = '"';
	for (p = candidate->text; *p; p++)
	{
		if (candidate->source == ESG_SOURCE_SERIAL && *p == '/')
			break;
		if (*p == '"' || *p == '\\')
			buf[used++] = '\\';
		buf[used++] = *p;
	}
	buf[used++] = '"';
	return used;
}

static void
check_candidate(const EsgCandidate *candidate, X509 *cert)
{
	char		text[2 * ESG_MAX_IDENTITY_LENGTH + 40];
	EsgLabelPeer peer = {true, TLS1_3_VERSION, cert, NULL};
	EsgLabel	label;
	EsgLabelError error;
	EsgLabelVerdict verdict;

	must(candidate->text[0] != '\0' && strlen(candidate->text) <= ESG_MAX_IDENTITY_LENGTH);
	must(esg_label_parse(text, write_label(candidate, text), &label, &error));
	esg_label_check(&label, &peer, &verdict);
	must(!verdict.refused);
	esg_label_free(&label);
}

static void
try_cert(X509 *cert)
{
	unsigned char sources[ESG_LABEL_KEY_COUNT];
	EsgCandidates list;
	int			i;

	for (i = 0; i < ESG_LABEL_KEY_COUNT; i++)
		sources[i] = (unsigned char) i;
	if (esg_identities_candidates(cert, sources, ESG_LABEL_KEY_COUNT, &list) != ESG_NAMES_OK)
		must(list.count == 0);
	/* each costs a look at the whole certificate */
	for (i = 0; i < list.count && i < 20; i++)
	{
		if (list.items[i].unusable == NULL)
			check_candidate(&list.items[i], cert);
	}
	esg_identities_candidates_free(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	X509	   *cert = d2i_X509(NULL, &p, (long) size);

	ERR_clear_error();
	if (cert != NULL)
		try_cert(cert);
	else
		try_label((const char *) data, size);
	X509_free(cert);
	must(ERR_peek_error() == 0);
	return 0;
}

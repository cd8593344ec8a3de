/* sources: x509/crl_text x509/pem */
/*
 * test_crl_text.c
 *		CRLs as they come over the wire, and as PostgreSQL reads them.
 */
#include <stdlib.h>

#include <openssl/err.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/crl_text.h"

static char *pem;
static unsigned char *der;
static int	der_len;

/* How many CRLs; or the reason. */
static void
check(const char *text, size_t len, const char *of_wire, const char *of_file, const char *name)
{
	char		reason[ESG_CRL_TEXT_REASON_SIZE];
	char		said[ESG_CRL_TEXT_REASON_SIZE];
	int			file;

	for (file = 0; file < 2; file++)
	{
		STACK_OF(X509_CRL) *crls;

		memset(reason, 'x', sizeof(reason));
		crls = file ? esg_crl_text_parse_file(text, len, reason) : esg_crl_text_parse(text, len, reason);
		ok(crls == NULL || reason[0] == '\0', "%s: no reason where there is no fault", name);
		if (crls)
			snprintf(said, sizeof(said), "%d", sk_X509_CRL_num(crls));
		else
			snprintf(said, sizeof(said), "%s", reason);
		is_text(said, file ? of_file : of_wire, name);
		ok(ERR_peek_error() == 0, "%s: no error is left", name);
		sk_X509_CRL_pop_free(crls, X509_CRL_free);
	}
}

static void
check_text(const char *before, const char *middle, const char *after, const char *of_wire, const char *of_file, const char *name)
{
	char		text[16384];

	snprintf(text, sizeof(text), "%s%s%s", before, middle, after);
	check(text, strlen(text), of_wire, of_file, name);
}

static void
test_der(void)
{
	char		text[4096];

	memcpy(text, der, (size_t) der_len);
	text[der_len] = 'x';
	check(text, (size_t) der_len, "1", "has a DER CRL, and no CRL", "DER");
	check(text, (size_t) der_len + 1, "has something behind the CRL", "has a DER CRL, and no CRL", "DER and more");
	check(text, (size_t) der_len - 1, "has DER that is no CRL", "has DER that does not decode, and no CRL", "DER that is cut");
	check("\x30\x80", 2, "has DER that is no CRL", "has text without a PEM block, and no CRL", "the start of DER");
}

/* OpenSSL takes it, and has something to say against it all the same. */
static void
test_odd(X509 *cert)
{
	CrlSpec		spec = {.issuer_cert = cert,.issuer_key = certmaker_rsa(2048),.extensions = "2.5.29.28=critical,DER:0500\n"};
	X509_CRL   *crl = certmaker_crl(&spec);
	unsigned char *odd = NULL;
	int			len = i2d_X509_CRL(crl, &odd);

	check((char *) odd, (size_t) len, "1", "has a DER CRL, and no CRL", "DER with an extension that does not decode");
	OPENSSL_free(odd);
	X509_CRL_free(crl);
}

static void
test_same(X509_CRL *crl)
{
	BIO		   *out = BIO_new(BIO_s_mem());
	char	   *data;
	long		len;

	ok(esg_crl_text_append(out, crl), "written");
	len = BIO_get_mem_data(out, &data);
	ok((size_t) len == strlen(pem) && memcmp(data, pem, (size_t) len) == 0, "as OpenSSL writes it");
	BIO_free(out);
}

int
main(void)
{
	CertSpec	ca = {.extensions = "basicConstraints=critical,CA:TRUE\n"};
	X509	   *cert = certmaker_cert(&ca);
	CrlSpec		spec = {.issuer_cert = cert,.issuer_key = certmaker_rsa(2048)};
	X509_CRL   *crl = certmaker_crl(&spec);
	char	   *cert_pem = certmaker_pem(cert);

	pem = certmaker_crl_pem(crl);
	der_len = i2d_X509_CRL(crl, &der);
	check_text(pem, "", "", "1", "1", "PEM");
	check_text(pem, pem, pem, "3", "3", "three in PEM");
	check_text("a text\n", pem, "and more\n", "1", "1", "with text around");
	/* the octet 0x30, which begins DER as well */
	check_text("0 CRLs before\n", pem, "", "1", "1", "with text before that begins with 0");
	check_text(pem, cert_pem, "", "has something beside CRLs", "has something beside CRLs", "and a certificate");
	check_text(cert_pem, "", "", "has a certificate, and no CRL", "has a certificate, and no CRL", "a certificate");
	check_text("", "", "", "has nothing, and no CRL", "0", "nothing");
	check_text(" \n\t\n", "", "", "has nothing but blanks, and no CRL", "0", "blanks");
	check_text("<html>", "", "", "has HTML, and no CRL", "has HTML, and no CRL", "HTML");
	check_text("-----BEGIN X509 CRL-----\nAA==\n", "", "", "has a block without a proper END line at byte 0",
			   "has a block without a proper END line at byte 0", "half a block");
	test_der();
	test_odd(cert);
	test_same(crl);
	OPENSSL_free(der);
	free(pem);
	free(cert_pem);
	X509_CRL_free(crl);
	X509_free(cert);
	return done();
}

/*
 * test_server_settings.c
 *		What the files of a server's settings are for TLS: whose key it is, and DH parameters.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "certmaker.h"
#include "esg_test.h"
#include "files/server_settings.h"

#define ANY_KEY (ESG_CIPHER_RSA | ESG_CIPHER_ECDSA)

static char path[] = "/tmp/esg_settings.XXXXXX";

static void
put(const char *text)
{
	FILE	   *out = fopen(path, "w");

	if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0)
		abort();
}

static void
has_keys(const char *cert_file, unsigned keys, const char *what)
{
	EsgServerValues values = {.min_version = "TLSv1.2",.max_version = "",.cert_file = cert_file};
	EsgServerSettings settings;

	esg_server_settings_read(&values, &settings);
	is_int(settings.tls.keys, keys, what);
	ok(!settings.dh.configured && settings.tls.dh == NULL, "without DH parameters");
	esg_server_settings_forget(&settings);
}

/* Takes the certificate over. */
static void
cert_has_keys(X509 *cert, unsigned keys, const char *what)
{
	char	   *text = certmaker_pem(cert);

	put(text);
	has_keys(path, keys, what);
	free(text);
	X509_free(cert);
}

static EVP_PKEY *
make_pss_key(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
	EVP_PKEY   *key = NULL;

	if (maker == NULL || EVP_PKEY_keygen_init(maker) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 2048) != 1 ||
		EVP_PKEY_keygen(maker, &key) != 1)
		abort();
	EVP_PKEY_CTX_free(maker);
	return key;
}

static void
test_keys(void)
{
	CertSpec	spec = {.subject = "CN=db",.issuer_key = certmaker_rsa(2048)};
	EVP_PKEY   *pss = make_pss_key();
	X509	   *cert;

	cert_has_keys(certmaker_cert(&spec), ESG_CIPHER_RSA, "RSA");
	spec.key = pss;
	cert_has_keys(certmaker_cert(&spec), ESG_CIPHER_RSA, "RSA for RSASSA-PSS");
	EVP_PKEY_free(pss);
	spec.key = certmaker_named("ED25519");
	cert_has_keys(certmaker_cert(&spec), ESG_CIPHER_ECDSA, "Ed25519");
	spec.key = certmaker_named("ED448");
	cert_has_keys(certmaker_cert(&spec), ESG_CIPHER_ECDSA, "Ed448");
	spec.key = certmaker_named("X25519");
	cert_has_keys(certmaker_cert(&spec), ANY_KEY, "a key that is for neither may be any");
	spec.key = certmaker_ec("prime256v1");
	cert = certmaker_cert(&spec);
	/* id-ecPublicKey, and a type that OpenSSL does not know */
	cert_has_keys(certmaker_patch(cert, "\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f", 7), ANY_KEY, "a key that cannot be read");
	cert_has_keys(cert, ESG_CIPHER_ECDSA, "ECDSA");
	put("no certificate\n");
	has_keys(path, ANY_KEY, "no certificate");
	has_keys("/nonexistent", ANY_KEY, "no file");
	has_keys(NULL, ANY_KEY, "several certificates");
}

static void
dh_is(const char *file, bool configured, bool read, const char *what)
{
	EsgServerValues values = {.min_version = "",.max_version = "TLSv1.3",.dh_file = file};
	EsgServerSettings settings;

	esg_server_settings_read(&values, &settings);
	is_int(settings.dh.configured, configured, what);
	is_int(settings.dh.unread == NULL, read, "is it read");
	ok(!settings.dh.valid && settings.tls.dh == NULL, "there are none");
	esg_server_settings_forget(&settings);
}

static void
test_dh(void)
{
	dh_is(NULL, false, true, "no DH parameters");
	dh_is("", false, true, "no file of DH parameters");
	dh_is("/nonexistent", true, false, "a file that is not there");
	put("-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n");
	dh_is(path, true, true, "what is none");
}

int
main(void)
{
	int			fd = mkstemp(path);

	if (fd < 0 || close(fd) != 0)
		return 1;
	test_keys();
	test_dh();
	ok(ERR_peek_error() == 0, "no error is left");
	(void) unlink(path);
	return done();
}

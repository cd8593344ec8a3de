/*
 * seeds.c
 *		What the fuzzers start from: seeds DIRECTORY
 *
 * Writes certificates and CRLs of many kinds into DIRECTORY/fuzz_cert, files of
 * PEM blocks into DIRECTORY/fuzz_pem, times into DIRECTORY/fuzz_time, and what
 * servers say into DIRECTORY/fuzz_probe, which must be there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "certmaker.h"
#include "fixed_random.h"

static void
write_file(const char *dir, const char *kind, const char *name, const void *data, size_t len)
{
	char		path[1024];
	FILE	   *out;

	snprintf(path, sizeof(path), "%s/%s/seed_%s", dir, kind, name);
	out = fopen(path, "wb");
	if (out == NULL || fwrite(data, 1, len, out) != len || fclose(out) != 0)
	{
		perror(path);
		exit(1);
	}
}

static void
write_cert(const char *dir, const char *name, const CertSpec *spec)
{
	X509	   *cert = certmaker_cert(spec);
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);

	write_file(dir, "fuzz_cert", name, der, len);
	free(der);
	X509_free(cert);
}

static void
write_certs(const char *dir)
{
	write_cert(dir, "plain", &(CertSpec){0});
	write_cert(dir, "version1", &(CertSpec){.version = 1});
	write_cert(dir, "names", &(CertSpec){.issuer = "CN=a\\,b,O=c",
		.subject = "C=DE,O=M\xc3\xbcller,OU=\\x00,CN=\\xe2\\x80\\xae,CN=b,1.2.3.4=x",
		.extensions = "subjectAltName=DNS:a,URI:x:y,email:a@b,IP:1.2.3.4,IP:::1,RID:1.2.3,"
		"dirName:d,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d\n[d]\nCN=x\n"});
	write_cert(dir, "usages", &(CertSpec){.extensions =
		"basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,digitalSignature\n"
		"extendedKeyUsage=serverAuth,1.2.3\ntlsfeature=status_request\n1.2.3.4=critical,DER:0500"});
	write_cert(dir, "ec", &(CertSpec){.key = certmaker_ec("prime256v1")});
	write_cert(dir, "explicit", &(CertSpec){.key = certmaker_ec_explicit("prime256v1")});
	write_cert(dir, "ed25519", &(CertSpec){.key = certmaker_named("ED25519")});
	write_cert(dir, "pss", &(CertSpec){.pss_salt = 32});
	write_cert(dir, "times", &(CertSpec){.not_before = "500101000000Z", .not_after = "99991231235959Z",
		.serial = "-1"});
}

/* What a web server says before, and then this. */
static void
write_answer(const char *dir, const char *name, const void *body, size_t len)
{
	char		text[16384];
	size_t		head = (size_t) snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n"
										 "Content-Length: %zu\r\n\r\n", len);

	if (head + len > sizeof(text))
		return;
	memcpy(text + head, body, len);
	write_file(dir, "fuzz_http", name, text, head + len);
}

static void
write_answers(const char *dir)
{
	static const char *const heads[] = {
		"HTTP/1.1 302 Found\r\nLocation: http://a/b\r\n\r\n", "HTTP/1.0 404 Not Found\n\n<html>",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n\x30\x80"
	};
	char		name[32];
	size_t		i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
	{
		snprintf(name, sizeof(name), "head%zu", i);
		write_file(dir, "fuzz_http", name, heads[i], strlen(heads[i]));
	}
}

static void
write_crl(const char *dir, X509 *ca, const char *name, const char *extensions, const char *entry_extensions)
{
	const char *const revoked[] = {"1", "2", NULL};
	X509_CRL   *crl = certmaker_crl(&(CrlSpec){.issuer_cert = ca, .issuer_key = certmaker_rsa(2048),
		.revoked = revoked, .extensions = extensions, .entry_extensions = entry_extensions});
	unsigned char *der = NULL;
	int			len = i2d_X509_CRL(crl, &der);
	char	   *pem = certmaker_crl_pem(crl);
	char		pem_name[64];

	write_file(dir, "fuzz_cert", name, der, (size_t) len);
	write_file(dir, "fuzz_crl", name, der, (size_t) len);
	write_file(dir, "fuzz_pem", name, pem, strlen(pem));
	write_answer(dir, name, der, (size_t) len);
	snprintf(pem_name, sizeof(pem_name), "%s_pem", name);
	write_answer(dir, pem_name, pem, strlen(pem));
	OPENSSL_free(der);
	free(pem);
	X509_CRL_free(crl);
}

static void
write_crls(const char *dir, X509 *ca)
{
	write_crl(dir, ca, "crl", NULL, NULL);
	write_crl(dir, ca, "crl_scope",
			  "issuingDistributionPoint=critical,@scope\n[scope]\nonlyuser=TRUE\nindirectCRL=TRUE\n"
			  "onlysomereasons=keyCompromise\nfullname=URI:http://a/b,dirName:name\n[name]\nCN=a\n",
			  "2.5.29.21=critical,ASN1:ENUM:1\n");
	write_crl(dir, ca, "crl_point",
			  "issuingDistributionPoint=critical,@scope\n[scope]\nrelativename=name\n[name]\nCN=a\n", NULL);
	write_crl(dir, ca, "crl_delta",
			  "2.5.29.27=critical,ASN1:INTEGER:3\n2.5.29.20=ASN1:INTEGER:4\n"
			  "authorityKeyIdentifier=issuer:always\n1.3.6.1.4.1.311.21.4=ASN1:UTCTIME:260301120000Z\n",
			  "2.5.29.29=critical,DER:300DA40B300931073005060355040313\n");
	write_crl(dir, ca, "crl_key", "2.5.29.35=DER:300480020102\n1.2.3.4=critical,ASN1:NULL\n", NULL);
}

/* a file without fault, with a block that core's loop skips */
static void
write_trusted(const char *dir, X509 *cert, const char *pem)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *text;
	long		len;

	X509_add1_trust_object(cert, OBJ_nid2obj(NID_server_auth));
	BIO_printf(bio, "%s", pem);
	PEM_write_bio_X509_AUX(bio, cert);
	BIO_printf(bio, "%s", pem);
	len = BIO_get_mem_data(bio, &text);
	write_file(dir, "fuzz_pem", "trusted", text, (size_t) len);
	BIO_free(bio);
}

/* Small certificates, so that the fuzzer can put several into one file. */
static void
write_pems(const char *dir)
{
	X509	   *cert = certmaker_cert(&(CertSpec){.key = certmaker_ec("prime256v1")});
	char	   *pem = certmaker_pem(cert);
	size_t		len = strlen(pem);
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *text;
	long		text_len;

	write_file(dir, "fuzz_pem", "one", pem, len);
	BIO_printf(bio, "text\n%s", pem);
	PEM_write_bio_X509_AUX(bio, cert);
	PEM_write_bio_PrivateKey(bio, certmaker_ec("prime256v1"), NULL, NULL, 0, NULL, NULL);
	BIO_printf(bio, "%.*s%s", (int) len - 1, pem, pem);
	text_len = BIO_get_mem_data(bio, &text);
	write_file(dir, "fuzz_pem", "many", text, (size_t) text_len);
	BIO_free(bio);
	write_trusted(dir, cert, pem);
	free(pem);
	X509_free(cert);
}

/* the first octet is the type */
static void
write_times(const char *dir)
{
	static const char *const times[] = {
		"\x03" "491231235959Z", "\x03" "500101000000Z", "\x03" "1204270000+0800",
		"\1" "00000101000000Z", "\1" "19691231235959Z", "\1" "20240229120000Z",
		"\1" "99991231235959Z", "\1" "20260101000000.5-0130", "\2" "20260101000000Z"
	};
	char		name[32];
	size_t		i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		snprintf(name, sizeof(name), "%zu", i);
		write_file(dir, "fuzz_time", name, times[i], strlen(times[i]));
	}
}

/* What a server of that version has said to a client, from its answer to SSLRequest on. */
static void
write_talk(const char *dir, const char *name, X509 *cert, EVP_PKEY *key, int version)
{
	SSL_CTX    *contexts[] = {SSL_CTX_new(TLS_server_method()), SSL_CTX_new(TLS_client_method())};
	SSL		   *server;
	SSL		   *client;
	BIO		   *to_client = BIO_new(BIO_s_mem());
	BIO		   *to_server = BIO_new(BIO_s_mem());
	unsigned char said[65536] = {2, 'S'};
	size_t		size = 2;
	int			i;

	SSL_CTX_use_certificate(contexts[0], cert);
	SSL_CTX_use_PrivateKey(contexts[0], key);
	SSL_CTX_set_max_proto_version(contexts[0], version);
	SSL_CTX_set_verify(contexts[0], SSL_VERIFY_PEER, NULL);
	SSL_CTX_add_client_CA(contexts[0], cert);
	server = SSL_new(contexts[0]);
	client = SSL_new(contexts[1]);
	SSL_set_tlsext_host_name(client, "localhost");
	BIO_up_ref(to_server);
	BIO_up_ref(to_client);
	SSL_set_bio(server, to_server, to_client);
	SSL_set_bio(client, to_client, to_server);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (i = 0; i < 10; i++)
	{
		char	   *bytes;
		long		len;

		(void) SSL_do_handshake(client);
		(void) SSL_do_handshake(server);
		len = BIO_get_mem_data(to_client, &bytes);
		if (len > 0 && size + (size_t) len <= sizeof(said))
		{
			memcpy(said + size, bytes, (size_t) len);
			size += (size_t) len;
		}
	}
	write_file(dir, "fuzz_probe", name, said, size);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(contexts[0]);
	SSL_CTX_free(contexts[1]);
}

static void
write_chain(const char *dir, X509 *const *certs, int count)
{
	unsigned char all[65536] = {0};
	size_t		size = 1;
	int			i;

	for (i = 0; i < count; i++)
	{
		size_t		len;
		unsigned char *der = certmaker_der(certs[i], &len);

		memcpy(all + size, der, len);
		size += len;
		free(der);
	}
	write_file(dir, "fuzz_probe", "chain", all, size);
}

static void
write_servers(const char *dir)
{
	EVP_PKEY   *key = certmaker_rsa(2048);
	X509	   *ca = certmaker_cert(&(CertSpec){.subject = "CN=ca",.extensions = "basicConstraints=critical,CA:TRUE\n"});
	X509	   *leaf = certmaker_cert(&(CertSpec){.subject = "CN=db1",.issuer_cert = ca,.issuer_key = key,
		.extensions = "subjectAltName=DNS:localhost,DNS:db1.example.com,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"});
	X509	   *certs[] = {leaf, ca};

	write_chain(dir, certs, 2);
	write_file(dir, "fuzz_probe", "none", "\2N", 2);
	write_file(dir, "fuzz_probe", "error", "\2E\0\0\0\10Mno\0", 10);
	write_file(dir, "fuzz_probe", "alert", "\2S\25\3\3\0\2\2\50", 9);
	/* from now on nothing is random */
	fixed_random_use();
	write_talk(dir, "tls12", leaf, key, TLS1_2_VERSION);
	write_talk(dir, "tls13", leaf, key, TLS1_3_VERSION);
	X509_free(leaf);
	X509_free(ca);
}

int
main(int argc, char **argv)
{
	X509	   *ca;

	if (argc != 2)
		return 2;
	ca = certmaker_cert(&(CertSpec){0});
	write_certs(argv[1]);
	write_crls(argv[1], ca);
	write_answers(argv[1]);
	write_pems(argv[1]);
	write_times(argv[1]);
	write_servers(argv[1]);
	X509_free(ca);
	return 0;
}

/*
 * bench/certificates.c
 *		Makes certificates by the thousand, and merely keeps them.
 *
 * certificates make issued|self-signed|ca N	writes N certificates to standard output
 * certificates hold FILE...				keeps all; prints the most memory that this took, kB
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

/* Any two of them are the factors of a key of 2048 bits. */
#define MAX_PRIMES 330
#define PRIME_BITS 1024

static void *
need(void *p, const char *what)
{
	if (p == NULL)
	{
		fprintf(stderr, "certificates: %s failed\n", what);
		exit(1);
	}
	return p;
}

/* ---- keys: each is another one ---- */

static EVP_PKEY *
make_ec_key(void)
{
	EVP_PKEY   *key = NULL;
	EVP_PKEY_CTX *ctx = need(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL), "EVP_PKEY_CTX_new_id");

	EVP_PKEY_keygen_init(ctx);
	EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1);
	EVP_PKEY_keygen(ctx, &key);
	EVP_PKEY_CTX_free(ctx);
	return need(key, "EVP_PKEY_keygen");
}

static const BIGNUM *
get_prime(int i)
{
	static BIGNUM *primes[MAX_PRIMES];

	if (primes[i] == NULL)
	{
		primes[i] = need(BN_new(), "BN_new");
		BN_generate_prime_ex(primes[i], PRIME_BITS, 0, NULL, NULL, NULL);
	}
	return primes[i];
}

/* The public half only: making two primes for each would take hours. */
static EVP_PKEY *
make_rsa_key(long i)
{
	RSA		   *rsa = need(RSA_new(), "RSA_new");
	EVP_PKEY   *key = need(EVP_PKEY_new(), "EVP_PKEY_new");
	BIGNUM	   *n = need(BN_new(), "BN_new");
	BIGNUM	   *e = need(BN_new(), "BN_new");
	BN_CTX	   *ctx = need(BN_CTX_new(), "BN_CTX_new");
	int			larger = 1;

	/* the i-th pair of different numbers */
	while (i >= larger)
		i -= larger++;
	BN_mul(n, get_prime(larger), get_prime((int) i), ctx);
	BN_set_word(e, RSA_F4);
	RSA_set0_key(rsa, n, e, NULL);
	EVP_PKEY_assign_RSA(key, rsa);
	BN_CTX_free(ctx);
	return key;
}

/* ---- certificates ---- */

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = need(X509V3_EXT_conf_nid(NULL, NULL, nid, value), "X509V3_EXT_conf_nid");

	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static void
set_names(X509 *cert, int issued)
{
	X509_NAME  *name = need(X509_NAME_new(), "X509_NAME_new");

	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *) "Example", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *) "db1.example.com", -1, -1, 0);
	X509_set_subject_name(cert, name);
	if (issued)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *) "CA", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_NAME_free(name);
}

/* A CA's: each has a name of its own. */
static void
set_ca_name(X509 *cert, long number)
{
	X509_NAME  *name = need(X509_NAME_new(), "X509_NAME_new");
	char		text[40];

	snprintf(text, sizeof(text), "CA %ld", number);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *) text, -1, -1, 0);
	X509_set_subject_name(cert, name);
	X509_set_issuer_name(cert, name);
	X509_NAME_free(name);
}

static X509 *
make_template(int issued, int is_ca)
{
	X509	   *cert = need(X509_new(), "X509_new");

	X509_set_version(cert, 2);
	set_names(cert, issued);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * 30);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * 335);
	if (is_ca)
	{
		add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
		return cert;
	}
	add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(cert, NID_key_usage, "critical,digitalSignature,keyEncipherment");
	add_extension(cert, NID_ext_key_usage, "serverAuth,clientAuth");
	add_extension(cert, NID_subject_alt_name, "DNS:db1.example.com,DNS:db.example.com,IP:10.0.0.1");
	return cert;
}

/* Every second issued one has an RSA key; the others, and who issues, have one on P-256. */
static void
make_certificates(int issued, int is_ca, long count)
{
	X509	   *cert = make_template(issued, is_ca);
	EVP_PKEY   *ca = make_ec_key();
	long		i;

	for (i = 0; i < count; i++)
	{
		EVP_PKEY   *key = issued && i % 2 == 0 ? make_rsa_key(i / 2) : make_ec_key();

		if (is_ca)
			set_ca_name(cert, i);
		X509_set_pubkey(cert, key);
		ASN1_INTEGER_set(X509_get_serialNumber(cert), i + 1);
		X509_sign(cert, issued ? ca : key, EVP_sha256());
		PEM_write_X509(stdout, cert);
		EVP_PKEY_free(key);
	}
	EVP_PKEY_free(ca);
	X509_free(cert);
}

/* ---- reading ---- */

static char *
read_file(const char *path, size_t *len)
{
	FILE	   *in = need(fopen(path, "rb"), path);
	char	   *text;

	fseek(in, 0, SEEK_END);
	*len = (size_t) ftell(in);
	rewind(in);
	text = need(malloc(*len + 1), "malloc");
	if (fread(text, 1, *len, in) != *len)
		need(NULL, path);
	fclose(in);
	return text;
}

/* With what OpenSSL itself keeps of the extensions, once it was asked for anything. */
static void
hold_certificates(const char *path)
{
	size_t		len;
	char	   *text = read_file(path, &len);
	BIO		   *bio = need(BIO_new_mem_buf(text, (int) len), "BIO_new_mem_buf");
	STACK_OF(X509) *all = need(sk_X509_new_null(), "sk_X509_new_null");
	X509	   *cert;

	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
	{
		(void) X509_check_purpose(cert, -1, 0);
		sk_X509_push(all, cert);
	}
	BIO_free(bio);
	free(text);
	ERR_clear_error();
}

static long
peak_memory(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_maxrss;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "make") == 0)
		make_certificates(strcmp(argv[2], "issued") == 0, strcmp(argv[2], "ca") == 0, atol(argv[3]));
	else if (argc > 2 && strcmp(argv[1], "hold") == 0)
	{
		int			i;

		for (i = 2; i < argc; i++)
			hold_certificates(argv[i]);
		printf("%ld\n", peak_memory());
	}
	else
	{
		fprintf(stderr, "usage: certificates make issued|self-signed|ca N\n"
				"       certificates hold FILE...\n");
		return 2;
	}
	return 0;
}

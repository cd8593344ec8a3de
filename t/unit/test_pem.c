/* sources: x509/pem */
/*
 * test_pem.c
 *		What is found in files, good, odd and broken.
 */
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

#include "certmaker.h"
#include "esg_test.h"
#include "x509/pem.h"

#define CERTS ESG_PEM_CERTS
#define CRLS ESG_PEM_CRLS
#define TRUSTED ESG_PEM_TRUSTED
#define TAILS ESG_PEM_TAILS

/* What "{name}" in a file of the table below stands for. */
typedef struct Part
{
	const char *name;
	char	   *text;
} Part;

static Part parts[16];
static int	part_count;

/* Files are text with {parts}, "~" for NUL, and the final newline as written. */
static const struct
{
	const char *name;
	const char *file;
	unsigned	want;
	EsgPemEnd	end;
	int			certs;
	int			crls;
	const char *found;
}			files[] = {
	{"one", "{cert}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},
	{"three", "{cert}{cert}{cert}", CERTS, ESG_PEM_COMPLETE, 3, 0, ""},
	{"a CRL", "{crl}", CRLS, ESG_PEM_COMPLETE, 0, 1, ""},
	{"both wanted", "{crl}{cert}{crl}", CERTS | CRLS, ESG_PEM_COMPLETE, 1, 2, ""},
	{"only certificates wanted", "{crl}{cert}{crl}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},
	{"only CRLs wanted", "{crl}{cert}{crl}", CRLS, ESG_PEM_COMPLETE, 0, 2, ""},
	{"old name", "{oldcert}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},

	/* fine for OpenSSL, fine here */
	{"text around", "subject=x\n\n{cert}\nand\n{cert}bye", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"byte order mark", "\xef\xbb\xbf\n{cert}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},
	{"NUL in the text", "~~~\n~{key}~x~\n{cert}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},
	{"key first", "{key}{cert}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},
	{"request between", "{cert}{request}{cert}", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"something behind the second", "{cert}{padded}", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},

	/* TRUSTED CERTIFICATE */
	{"trusted first", "{trusted}{cert}", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"trusted later", "{cert}{trusted}{cert}{trusted}", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"trusted first behind a key", "{key}{trusted}", CERTS, ESG_PEM_COMPLETE, 1, 0, ""},
	{"trusted wanted", "{cert}{trusted}{cert}{trusted}", CERTS | TRUSTED, ESG_PEM_COMPLETE, 4, 0, ""},

	/* good ones, then a broken one */
	{"garbage second", "{cert}{garbage}{cert}", CERTS, ESG_PEM_BROKEN, 1, 0, "a CERTIFICATE block that does not decode"},
	{"garbage CRL", "{crl}{badcrl}", CRLS, ESG_PEM_BROKEN, 0, 1, "an X509 CRL block that does not decode"},
	{"garbage nobody wants", "{cert}{badcrl}{cert}", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"bad base64", "{cert}-----BEGIN X-----\nA===\n-----END X-----\n", CERTS, ESG_PEM_BROKEN, 1, 0, "a block with bad base64"},
	{"no END line", "{cert}-----BEGIN X-----\nAAAA\n", CERTS, ESG_PEM_BROKEN, 1, 0, "a block without a proper END line"},
	{"END of another", "{cert}-----BEGIN X-----\nAAAA\n-----END Y-----\n", CERTS, ESG_PEM_BROKEN, 1, 0, "a block without a proper END line"},
	{"glued", "{cert}{cert0}{cert}", CERTS, ESG_PEM_BROKEN, 1, 0, "an END and a BEGIN line glued together"},
	{"glued with a CRL", "{cert0}{crl}", CERTS | CRLS, ESG_PEM_BROKEN, 0, 0, "an END and a BEGIN line glued together"},
	{"no final newline", "{cert}{cert0}", CERTS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"something behind the first", "{padded}{cert}", CERTS, ESG_PEM_BROKEN, 0, 0, "a CERTIFICATE block that does not decode"},
	{"something behind the first, wanted", "{padded}{cert}", CERTS | TAILS, ESG_PEM_COMPLETE, 2, 0, ""},
	{"something behind the first of a CA file", "{padded}{cert}", CERTS | TRUSTED, ESG_PEM_COMPLETE, 2, 0, ""},
	{"garbage first, tails wanted", "{garbage}{cert}", CERTS | TAILS, ESG_PEM_BROKEN, 0, 0, "a CERTIFICATE block that does not decode"},
	{"encrypted", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n\nAAAA\n-----END CERTIFICATE-----\n", CERTS, ESG_PEM_BROKEN, 0, 0, "an encrypted block"},
	{"header", "-----BEGIN CERTIFICATE-----\nColour: red\n\nAAAA\n-----END CERTIFICATE-----\n", CERTS, ESG_PEM_BROKEN, 0, 0, "a block with a blank line or a bad header"},

	/* nothing that is wanted */
	{"empty", "", CERTS, ESG_PEM_NOTHING, 0, 0, "nothing"},
	{"blanks", " \n\n", CERTS, ESG_PEM_NOTHING, 0, 0, "nothing but blanks"},
	{"NULs", "~~~~", CERTS, ESG_PEM_NOTHING, 0, 0, "only NUL bytes"},
	{"a key", "{key}", CERTS, ESG_PEM_NOTHING, 0, 0, "a private key"},
	{"an encrypted key", "{cryptkey}", CERTS, ESG_PEM_NOTHING, 0, 0, "a private key"},
	{"a public key", "{public}", CERTS, ESG_PEM_NOTHING, 0, 0, "a public key"},
	{"a request", "{request}", CERTS, ESG_PEM_NOTHING, 0, 0, "a CERTIFICATE REQUEST"},
	{"PKCS#7", "{pkcs7}", CERTS, ESG_PEM_NOTHING, 0, 0, "a PKCS#7 structure"},
	{"CRL for certificate", "{crl}", CERTS, ESG_PEM_NOTHING, 0, 0, "a CRL"},
	{"certificate for CRL", "{cert}", CRLS, ESG_PEM_NOTHING, 0, 0, "a certificate"},
	{"parameters", "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n", CERTS, ESG_PEM_NOTHING, 0, 0, "key parameters"},
	{"unheard of", "-----BEGIN A\x1b[1m B-----\nAAAA\n-----END A\x1b[1m B-----\n", CERTS, ESG_PEM_NOTHING, 0, 0, "a block \"A??1m B\""},
	{"HTML", "\n <!DOCTYPE html><p>404", CERTS, ESG_PEM_NOTHING, 0, 0, "HTML"},
	{"HTML without type", "<HTML>", CERTS, ESG_PEM_NOTHING, 0, 0, "HTML"},
	{"HTML that is cut", "<htm", CERTS, ESG_PEM_NOTHING, 0, 0, "text without a PEM block"},
	{"XML", "\xef\xbb\xbf<?xml version=\"1.0\"?>", CERTS, ESG_PEM_NOTHING, 0, 0, "XML"},
	{"UTF-16 with mark", "\xff\xfe-~-~-~-~-~B~E~G~", CERTS, ESG_PEM_NOTHING, 0, 0, "UTF-16 text"},
	{"UTF-16 without mark", "~-~-~-~-~-~B~E~G~I", CERTS, ESG_PEM_NOTHING, 0, 0, "UTF-16 text"},
	{"text", "certificate goes here\n", CERTS, ESG_PEM_NOTHING, 0, 0, "text without a PEM block"},
	{"base64 alone", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n", CERTS, ESG_PEM_NOTHING, 0, 0, "base64 without BEGIN and END lines"},
	{"binary", "\x7f" "ELF\1\2", CERTS, ESG_PEM_NOTHING, 0, 0, "binary data"},
	{"key store", "\xfe\xed\xfe\xed~~~\2", CERTS, ESG_PEM_NOTHING, 0, 0, "a Java key store"},
	{"CR line ends", "{crcert}", CERTS, ESG_PEM_NOTHING, 0, 0, "text with CR line ends"},
	{"CR line ends, short", "-----BEGIN CERTIFICATE-----\rAAAA\r-----END CERTIFICATE-----\r", CERTS, ESG_PEM_BROKEN, 0, 0, "text with CR line ends"},
	{"indented", "  -----BEGIN CERTIFICATE-----\nAAAA\n", CERTS, ESG_PEM_NOTHING, 0, 0, "a BEGIN line that is not on a line of its own"},
	{"one byte", "x", CERTS, ESG_PEM_NOTHING, 0, 0, "text without a PEM block"},
	{"UTF-16 with a mark, the other way round", "\xfe\xff~-~-~-", CERTS, ESG_PEM_NOTHING, 0, 0, "UTF-16 text"},
	{"UTF-16 without mark, the other way round", "-~-~-~-~-~B~", CERTS, ESG_PEM_NOTHING, 0, 0, "UTF-16 text"},
	{"half a mark", "\xff\1ab", CERTS, ESG_PEM_NOTHING, 0, 0, "binary data"},
	{"a NUL before what is no character", "~\1ab", CERTS, ESG_PEM_NOTHING, 0, 0, "binary data"},
	{"text that ends as DOS had it", "no certificate\x1a", CERTS, ESG_PEM_NOTHING, 0, 0, "text without a PEM block"},
	{"a long name", "-----BEGIN AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDE-----\nAAAA\n"
		"-----END AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDE-----\n", CERTS, ESG_PEM_NOTHING, 0, 0,
	"a block \"AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD\""},
	{"trusted for CRL", "{trusted}", CRLS, ESG_PEM_NOTHING, 0, 0, "a certificate"},
	{"an encrypted CRL", "-----BEGIN X509 CRL-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n\nAAAA\n-----END X509 CRL-----\n", CRLS, ESG_PEM_BROKEN, 0, 0, "an encrypted block"},
	{"DER cut short", "\x30\x82\3\x20\x30\x82", CERTS, ESG_PEM_NOTHING, 0, 0, "DER that does not decode"}
};

/*
 * OpenSSL's memory, to see what is in it when it is given back.  The first 16
 * octets of an allocation hold its length.
 */
static const char secret[] = "SeCrEtKeYmAtErIaL";
static bool watching;
static int	leaks;

static void
watched_free(void *p, const char *file, int line)
{
	size_t		len;
	size_t		i;

	(void) file;
	(void) line;
	if (p == NULL)
		return;
	memcpy(&len, (char *) p - 16, sizeof(len));
	for (i = 0; watching && i + sizeof(secret) - 1 <= len; i++)
		if (memcmp((char *) p + i, secret, sizeof(secret) - 1) == 0)
		{
			leaks++;
			break;
		}
	free((char *) p - 16);
}

static void *
watched_malloc(size_t len, const char *file, int line)
{
	char	   *p = calloc(1, len + 16);

	(void) file;
	(void) line;
	if (p == NULL)
		return NULL;
	memcpy(p, &len, sizeof(len));
	return p + 16;
}

static void *
watched_realloc(void *p, size_t len, const char *file, int line)
{
	void	   *to = watched_malloc(len, file, line);
	size_t		old;

	if (p == NULL || to == NULL)
		return to;
	memcpy(&old, (char *) p - 16, sizeof(old));
	memcpy(to, p, old < len ? old : len);
	watched_free(p, file, line);
	return to;
}

static void
add_part(const char *name, const char *text)
{
	parts[part_count].name = name;
	parts[part_count++].text = strdup(text);
}

/* What a BIO holds becomes a part. */
static void
add_bio(const char *name, BIO *bio)
{
	char	   *text;

	BIO_write(bio, "", 1);
	BIO_get_mem_data(bio, &text);
	add_part(name, text);
	BIO_free(bio);
}

static void
make_cert_parts(X509 *cert)
{
	char	   *pem = certmaker_pem(cert);
	char	   *newline;
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);
	unsigned char *padded = OPENSSL_zalloc(len + 2);
	BIO		   *bio = BIO_new(BIO_s_mem());

	add_part("cert", pem);
	pem[strlen(pem) - 1] = '\0';
	add_part("cert0", pem);
	while ((newline = strchr(pem, '\n')) != NULL)
		*newline = '\r';
	add_part("crcert", pem);
	free(pem);

	PEM_write_bio(bio, PEM_STRING_X509_OLD, "", der, (long) len);
	add_bio("oldcert", bio);
	memcpy(padded, der, len);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio(bio, PEM_STRING_X509, "", padded, (long) len + 2);
	add_bio("padded", bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_AUX(bio, cert);
	add_bio("trusted", bio);
	free(der);
	OPENSSL_free(padded);
}

static void
make_key_parts(EVP_PKEY *key)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	X509_REQ   *request = X509_REQ_new();

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	add_bio("key", bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
	add_bio("cryptkey", bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PUBKEY(bio, key);
	add_bio("public", bio);
	X509_REQ_set_pubkey(request, key);
	X509_REQ_sign(request, key, EVP_sha256());
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_REQ(bio, request);
	add_bio("request", bio);
	X509_REQ_free(request);
}

static PKCS7 *
make_pkcs7(X509 *cert)
{
	PKCS7	   *p7 = PKCS7_new();

	PKCS7_set_type(p7, NID_pkcs7_signed);
	PKCS7_content_new(p7, NID_pkcs7_data);
	PKCS7_add_certificate(p7, cert);
	return p7;
}

static void
make_parts(X509 *cert, X509_CRL *crl)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	PKCS7	   *p7 = make_pkcs7(cert);
	char	   *pem = certmaker_crl_pem(crl);

	make_cert_parts(cert);
	make_key_parts(certmaker_rsa(2048));
	PEM_write_bio_PKCS7(bio, p7);
	add_bio("pkcs7", bio);
	PKCS7_free(p7);
	add_part("crl", pem);
	free(pem);
	add_part("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	add_part("badcrl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
}

static char *
expand(const char *file, size_t *len)
{
	char	   *text = malloc(65536);
	char	   *to = text;
	int			i;

	while (*file)
	{
		if (*file != '{')
		{
			*to++ = *file == '~' ? '\0' : *file;
			file++;
			continue;
		}
		for (i = 0; i < part_count; i++)
		{
			size_t		n = strlen(parts[i].name);

			if (strncmp(file + 1, parts[i].name, n) == 0 && file[n + 1] == '}')
			{
				memcpy(to, parts[i].text, strlen(parts[i].text));
				to += strlen(parts[i].text);
				file += n + 2;
				break;
			}
		}
		if (i == part_count)
			abort();
	}
	*len = (size_t) (to - text);
	return text;
}

/* How many the sink has seen; stop_after 0: all. */
typedef struct Seen
{
	int			certs;
	int			crls;
	int			stop_after;
	bool		positions_good;
} Seen;

static bool
see_cert(X509 *cert, int position, void *arg)
{
	Seen	   *seen = arg;

	seen->certs++;
	seen->positions_good &= cert != NULL && position == seen->certs;
	X509_free(cert);
	return seen->certs != seen->stop_after;
}

static bool
see_crl(X509_CRL *crl, int position, void *arg)
{
	Seen	   *seen = arg;

	seen->crls++;
	seen->positions_good &= crl != NULL && position == seen->crls;
	X509_CRL_free(crl);
	return true;
}

static Seen
scan(const char *text, size_t len, unsigned want, int stop_after, EsgPemResult *result)
{
	Seen		seen = {0, 0, stop_after, true};
	EsgPemSink	sink = {see_cert, see_crl, &seen};

	esg_pem_scan(text, len, want, &sink, result);
	return seen;
}

/* What core's loop loads. */
static int
count_by_openssl(const char *text, size_t len)
{
	BIO		   *bio = BIO_new_mem_buf(text, (int) len);
	X509	   *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, (char *) "");
	int			count = 0;

	while (cert != NULL)
	{
		count++;
		X509_free(cert);
		cert = PEM_read_bio_X509(bio, NULL, NULL, (char *) "");
	}
	BIO_free(bio);
	ERR_clear_error();
	return count;
}

static void
test_file(size_t i)
{
	size_t		len;
	char	   *text = expand(files[i].file, &len);
	EsgPemResult result;
	Seen		seen = scan(text, len, files[i].want, 0, &result);

	is_int(result.end, files[i].end, files[i].name);
	is_int(result.certs, files[i].certs, files[i].name);
	is_int(result.crls, files[i].crls, files[i].name);
	is_text(result.found, files[i].found, files[i].name);
	ok(seen.certs == result.certs && seen.crls == result.crls && seen.positions_good,
	   "%s: as the sink saw it", files[i].name);
	is_int(result.glued, strstr(files[i].found, "glued") != NULL, files[i].name);
	if (files[i].want == CERTS)
		is_int(result.certs, count_by_openssl(text, len), "as OpenSSL counts");
	free(text);
}

/* The same with CRLF. */
static void
test_crlf(void)
{
	size_t		len;
	char	   *text = expand("{cert}{key}{cert}", &len);
	char	   *crlf = malloc(2 * len);
	EsgPemResult result;
	size_t		i;
	size_t		n = 0;

	for (i = 0; i < len; i++)
	{
		if (text[i] == '\n')
			crlf[n++] = '\r';
		crlf[n++] = text[i];
	}
	scan(crlf, n, CERTS, 0, &result);
	ok(result.end == ESG_PEM_COMPLETE && result.certs == 2, "CRLF");
	free(text);
	free(crlf);
}

static void
test_details(void)
{
	size_t		len;
	char	   *text = expand("{cert}{trusted}{trusted}{garbage}", &len);
	size_t		fault = len - strlen("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	EsgPemResult result;

	scan(text, len, CERTS, 0, &result);
	is_int(result.skipped_trusted, 2, "TRUSTED CERTIFICATE counted");
	is_int((long long) result.fault_offset, (long long) fault, "offset of the fault");
	scan(text, fault, CERTS | TRUSTED, 0, &result);
	is_int(result.skipped_trusted, 2, "counted where they are wanted, too");
	is_int(result.certs, 3, "but taken");
	scan(text, fault, CERTS | TRUSTED, 2, &result);
	is_int(result.certs, 2, "the sink can stop");
	is_int(result.end, ESG_PEM_COMPLETE, "which is no fault");
	scan(text, (size_t) INT_MAX + 1, CERTS, 0, &result);
	is_int(result.end, ESG_PEM_BROKEN, "more than OpenSSL can take is not read");
	is_int(result.certs, 0, "at all");
	free(text);
}

/* Data behind a certificate: where it is refused, and how many there are. */
static void
test_tails(void)
{
	static const struct
	{
		const char *file;
		unsigned	want;
		int			tails;
		bool		refused;
	}			tails[] = {
		{"{cert}{cert}", CERTS | TAILS, 0, false},
		{"{cert}{padded}", CERTS | TAILS, 1, false},
		{"{padded}{padded}", CERTS | TAILS, 2, true},
		{"{padded}{cert}", CERTS | TRUSTED | TAILS, 1, false},
		{"{trusted}{cert}", CERTS | TAILS, 0, false},
		{"{garbage}{cert}", CERTS | TAILS, 0, false},
	};
	size_t		i;

	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
	{
		size_t		len;
		char	   *text = expand(tails[i].file, &len);
		EsgPemResult result;

		scan(text, len, tails[i].want, 0, &result);
		is_int(result.tails, tails[i].tails, tails[i].file);
		is_int(result.refused_tail, tails[i].refused, tails[i].file);
		ok(ERR_peek_error() == 0, "error queue is empty");
		free(text);
	}
}

/* DER is told by its kind. */
static void
test_der(X509 *cert, X509_CRL *crl)
{
	EVP_PKEY   *key = certmaker_rsa(2048);
	PKCS7	   *p7 = make_pkcs7(cert);
	PKCS12	   *p12 = PKCS12_create("x", "x", key, cert, NULL, 0, 0, 1, -1, 0);
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
	X509_REQ   *request = X509_to_X509_REQ(cert, key, EVP_sha256());
	unsigned char *der[8] = {NULL};
	int			len[8];
	static const char *const want[8] = {"a DER certificate", "a DER CRL", "a PKCS#7 structure",
	"a PKCS#12 structure", "a DER private key", "a DER public key", "a DER private key", "a DER certificate request"};
	EsgPemResult result;
	int			i;

	len[0] = i2d_X509(cert, &der[0]);
	len[1] = i2d_X509_CRL(crl, &der[1]);
	len[2] = i2d_PKCS7(p7, &der[2]);
	len[3] = i2d_PKCS12(p12, &der[3]);
	len[4] = i2d_PKCS8_PRIV_KEY_INFO(p8, &der[4]);
	len[5] = i2d_PUBKEY(key, &der[5]);
	len[6] = i2d_PrivateKey(key, &der[6]);
	len[7] = i2d_X509_REQ(request, &der[7]);
	for (i = 0; i < 8; i++)
	{
		scan((char *) der[i], (size_t) len[i], CERTS | CRLS, 0, &result);
		is_int(result.end, ESG_PEM_NOTHING, want[i]);
		is_text(result.found, want[i], want[i]);
		OPENSSL_free(der[i]);
	}
	X509_REQ_free(request);
	PKCS7_free(p7);
	PKCS12_free(p12);
	PKCS8_PRIV_KEY_INFO_free(p8);
}

/* The content of blocks nobody wants is wiped, however the scan ends. */
static void
test_wiping(void)
{
	static const char *const ends[] = {"", "{cert}", "{garbage}", "-----BEGIN X-----\n"};
	unsigned char key[600];
	BIO		   *bio = BIO_new(BIO_s_mem());
	EsgPemResult result;
	size_t		i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char) secret[i % (sizeof(secret) - 1)];
	PEM_write_bio(bio, "RSA PRIVATE KEY", "", key, sizeof(key));
	add_bio("secret", bio);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
	{
		char		file[64];
		size_t		len;
		char	   *text;

		snprintf(file, sizeof(file), "{secret}%s", ends[i]);
		text = expand(file, &len);
		leaks = 0;
		watching = true;
		scan(text, len, CERTS, 0, &result);
		watching = false;
		is_int(leaks, 0, "no key in memory that was given back");
		free(text);
	}
	watching = true;
	leaks = 0;
	OPENSSL_free(OPENSSL_memdup(key, sizeof(key)));
	watching = false;
	is_int(leaks, 1, "the watch would see it");
}

static double
seconds_for(const char *line, size_t len, unsigned want)
{
	char	   *text = malloc(len);
	size_t		n = strlen(line);
	EsgPemResult result;
	clock_t		start;
	double		spent;
	size_t		i;

	for (i = 0; i < len; i++)
		text[i] = line[i % n];
	start = clock();
	scan(text, len, want, 0, &result);
	spent = (double) (clock() - start) / CLOCKS_PER_SEC;
	free(text);
	return spent;
}

/* Sixteen times as much may take some twenty times as long, not 256 times. */
static void
test_linear(void)
{
	static const char *const lines[] = {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN ", "-", "\n",
		"-----END X-----\n", "-----BEGIN X-----\n-----END X-----\n", "0",
	"-----BEGIN X-----\nAAAA\n-----END X-----\n"};
	size_t		i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ok(seconds_for(lines[i], 4 << 20, CERTS) < 64 * seconds_for(lines[i], 256 << 10, CERTS) + 0.5,
		   "linear: %.11s", lines[i]);
}

/* Up to 16 MB are looked into, and what follows the certificate is no matter. */
static void
test_long_der(X509 *cert)
{
	size_t		limit = (size_t) 16 << 20;
	size_t		len;
	unsigned char *der = certmaker_der(cert, &len);
	char	   *file = calloc(limit + 1, 1);
	EsgPemResult result;

	memcpy(file, der, len);
	scan(file, limit, CERTS, 0, &result);
	is_text(result.found, "a DER certificate", "DER of 16 MB");
	scan(file, limit + 1, CERTS, 0, &result);
	is_text(result.found, "DER that does not decode", "DER of more is not tried");
	free(file);
	free(der);
}

int
main(void)
{
	X509	   *cert;
	X509_CRL   *crl;
	size_t		i;

	if (!CRYPTO_set_mem_functions(watched_malloc, watched_realloc, watched_free))
		abort();
	cert = certmaker_cert(&(CertSpec){.subject = "CN=a"});
	crl = certmaker_crl(&(CrlSpec){.issuer_cert = cert, .issuer_key = certmaker_rsa(2048)});
	make_parts(cert, crl);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		test_file(i);
	test_crlf();
	test_details();
	test_tails();
	test_der(cert, crl);
	test_long_der(cert);
	test_wiping();
	test_linear();
	is_int((long long) ERR_peek_error(), 0, "error queue is empty");
	X509_free(cert);
	X509_CRL_free(crl);
	for (i = 0; i < (size_t) part_count; i++)
		free(parts[i].text);
	return done();
}

/* sources: policy/ciphers policy/groups x509/dh_params wire/server_context wire/handshake_trial */
/*
 * test_server_context.c
 *		What an SSL_CTX with a server's settings offers, and DH parameters.
 */
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "esg_test.h"
#include "policy/groups.h"
#include "wire/server_context.h"
#include "x509/dh_params.h"

static EsgTlsOffer offer;

/* "1.2 1.3 | prime256v1", or "refused N" */
static const char *
describe(void)
{
	static const char *const names[] = {"1.0 ", "1.1 ", "1.2 ", "1.3 "};
	static char text[1024];
	size_t		used = 0;

	if (offer.refused != ESG_TLS_PART_NONE)
	{
		snprintf(text, sizeof(text), "refused %d", offer.refused);
		return text;
	}
	text[0] = '\0';
	for (int i = 0; i < ESG_TLS_VERSION_COUNT; i++)
		used += (size_t) snprintf(text + used, sizeof(text) - used, "%s", offer.versions[i] ? names[i] : "");
	used += (size_t) snprintf(text + used, sizeof(text) - used, "|");
	for (int i = 0; i < offer.group_count; i++)
		used += (size_t) snprintf(text + used, sizeof(text) - used, " %s", esg_groups_name(offer.groups[i]));
	return text;
}

static bool
has_cipher(const char *name)
{
	for (int i = 0; i < offer.cipher_count; i++)
	{
		if (strcmp(offer.ciphers[i].name, name) == 0)
			return true;
	}
	return false;
}

typedef struct Case
{
	const char *min;
	const char *max;
	const char *ciphers;
	const char *groups;
	bool		list;
	const char *wanted;
} Case;

/* at level 2 or 0, whatever OpenSSL's own is */
static const Case cases[] = {
	{"TLSv1.2", "", "HIGH:!aNULL:@SECLEVEL=2", "prime256v1", false, "1.2 1.3 | prime256v1"},
	{"TLSv1.3", "", "HIGH:!aNULL:@SECLEVEL=2", "prime256v1", false, "1.3 | prime256v1"},
	{"TLSv1.2", "TLSv1.2", "HIGH:!aNULL:@SECLEVEL=2", "prime256v1", false, "1.2 | prime256v1"},
	{"TLSv1.2", "", "HIGH:!aNULL:@SECLEVEL=2", "X25519:secp384r1", true, "1.2 1.3 | X25519 secp384r1"},
	{"TLSv1", "", "HIGH:!aNULL:@SECLEVEL=0", "prime256v1", false, "1.0 1.1 1.2 1.3 | prime256v1"},
	{"TLSv1.1", "TLSv1.2", "HIGH:!aNULL:@SECLEVEL=0", "prime256v1", false, "1.1 1.2 | prime256v1"},
	{"TLSv1", "", "ECDHE+AESGCM:@SECLEVEL=0", "prime256v1", false, "1.2 1.3 | prime256v1"},
	{"TLSv1.2", "", "HIGH:!aNULL:@SECLEVEL=2", "prime192v1", false, "1.2 1.3 |"},
	{"TLSv1.3", "", "HIGH:!aNULL:@SECLEVEL=2", "prime192v1", false, "1.3 |"},
	{"TLSv1.2", "", "HIGH:!aNULL:@SECLEVEL=0", "prime192v1", false, "1.2 1.3 | prime192v1"},
	{"TLSv1.2", "TLSv1.2", "kRSA:@SECLEVEL=2", "prime256v1", false, "1.2 |"},
	{"TLSv1.3", "TLSv1.2", "HIGH", "prime256v1", false, "refused 2"},
	{"TLSv1.2", "", "HIGH", "nonsense", false, "refused 4"},
	{"TLSv1.2", "", "HIGH", "X25519", false, "refused 4"},
	/* a name that OpenSSL knows, of no curve; a curve that TLS has no group of */
	{"TLSv1.2", "", "HIGH", "SHA256", false, "refused 4"},
	{"TLSv1.2", "", "HIGH", "secp112r1", false, "refused 4"},
	{"TLSv1.2", "", "HIGH", "prime256v1:nonsense", true, "refused 4"},
	{"TLSv1.2", "", "nonsense", "prime256v1", false, "refused 5"},
};

static void
ask(const Case *one, unsigned keys)
{
	EsgServerTls settings = {
		.min_version = esg_server_context_version(one->min),
		.max_version = esg_server_context_version(one->max),
		.ciphers = one->ciphers,.groups = one->groups,.groups_are_list = one->list,.keys = keys
	};

	esg_server_context_ask(&settings, &offer);
	is_int((long long) ERR_peek_error(), 0, "no error is left behind");
}

static void
test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char		name[256];

		snprintf(name, sizeof(name), "%s to \"%s\", %s, %s", cases[i].min, cases[i].max, cases[i].ciphers, cases[i].groups);
		ask(&cases[i], ESG_CIPHER_RSA | ESG_CIPHER_ECDSA);
		is_text(describe(), cases[i].wanted, name);
	}
}

static void
test_ciphers(void)
{
	static const Case weak = {"TLSv1.2", "", "NULL-SHA256:AECDH-AES256-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "prime256v1", false, ""};

	ask(&weak, ESG_CIPHER_RSA);
	ok(has_cipher("NULL-SHA256") && has_cipher("AECDH-AES256-SHA") && has_cipher("AES256-SHA"), "for an RSA key");
	ok(!has_cipher("ECDHE-ECDSA-AES128-SHA"), "and not another's");
	ok(has_cipher("TLS_AES_256_GCM_SHA384") && offer.ciphers[0].tls13, "those of TLS 1.3 first");
	is_int(offer.level, 0, "the level of the list counts");
	ask(&weak, ESG_CIPHER_ECDSA);
	ok(!has_cipher("NULL-SHA256") && !has_cipher("AES256-SHA") && has_cipher("ECDHE-ECDSA-AES128-SHA"), "for an ECDSA key");
	ok(has_cipher("AECDH-AES256-SHA"), "what needs no key");
}

/* A version is offered if there is a suite for the server's key. */
static void
test_key_and_version(void)
{
	static const Case ecdsa = {"TLSv1.2", "", "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=2", "prime256v1", false, ""};

	ask(&ecdsa, ESG_CIPHER_RSA);
	is_text(describe(), "1.3 | prime256v1", "no suite of TLS 1.2 for an RSA key");
	ask(&ecdsa, ESG_CIPHER_ECDSA);
	is_text(describe(), "1.2 1.3 | prime256v1", "one for an ECDSA key");
}

/* Parameters that are good enough for each level that PostgreSQL's own are for. */
static void
test_good_dh(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_DH, NULL);
	EVP_PKEY   *params = NULL;
	EsgServerTls settings = {.min_version = TLS1_2_VERSION,.ciphers = "DHE+AESGCM:@SECLEVEL=2",.keys = ESG_CIPHER_RSA};

	if (maker != NULL && EVP_PKEY_paramgen_init(maker) == 1 && EVP_PKEY_CTX_set_dh_nid(maker, NID_ffdhe2048) == 1)
		(void) EVP_PKEY_paramgen(maker, &params);
	EVP_PKEY_CTX_free(maker);
	ok(params != NULL, "parameters of 2048 bits");
	settings.dh = params;
	esg_server_context_ask(&settings, &offer);
	is_int(offer.refused, ESG_TLS_PART_NONE, "are taken");
	ok(has_cipher("DHE-RSA-AES256-GCM-SHA384"), "for what they are needed for");
	EVP_PKEY_free(params);
}

/* Versions that there are not; and all that need not be set. */
static void
test_versions(void)
{
	EsgServerTls settings = {.min_version = 0x7777,.ciphers = "HIGH",.keys = ESG_CIPHER_RSA};

	esg_server_context_ask(&settings, &offer);
	is_int(offer.refused, ESG_TLS_PART_MIN_VERSION, "no such lowest version");
	settings.min_version = 0;
	settings.max_version = 0x7777;
	esg_server_context_ask(&settings, &offer);
	is_int(offer.refused, ESG_TLS_PART_MAX_VERSION, "no such highest version");
	settings = (EsgServerTls) {.ciphersuites = "",.keys = ESG_CIPHER_RSA};
	esg_server_context_ask(&settings, &offer);
	is_int(offer.refused, ESG_TLS_PART_NONE, "nothing is set");
	ok(offer.cipher_count > 0 && offer.versions[ESG_TLS_VERSION_1_2] && offer.versions[ESG_TLS_VERSION_1_3], "as OpenSSL has it");
	is_int((long long) ERR_peek_error(), 0, "no error is left behind");
}

static void
test_ciphersuites(void)
{
	EsgServerTls settings = {.min_version = TLS1_2_VERSION,.ciphers = "HIGH",.ciphersuites = "TLS_AES_128_GCM_SHA256",.keys = ESG_CIPHER_RSA};

	esg_server_context_ask(&settings, &offer);
	ok(has_cipher("TLS_AES_128_GCM_SHA256") && !has_cipher("TLS_AES_256_GCM_SHA384"), "suites of TLS 1.3");
	settings.ciphersuites = "nonsense";
	esg_server_context_ask(&settings, &offer);
	is_int(offer.refused, ESG_TLS_PART_CIPHERSUITES, "that there are not");
	ok(offer.reason[0] != '\0', "with OpenSSL's reason");
}

/* A safe prime of 512 bits is quickly made. */
static EVP_PKEY *
make_params(int bits)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_DH, NULL);
	EVP_PKEY   *params = NULL;

	if (maker != NULL && EVP_PKEY_paramgen_init(maker) == 1 &&
		EVP_PKEY_CTX_ctrl(maker, EVP_PKEY_DH, EVP_PKEY_OP_PARAMGEN, EVP_PKEY_CTRL_DH_PARAMGEN_PRIME_LEN, bits, NULL) == 1)
		(void) EVP_PKEY_paramgen(maker, &params);
	EVP_PKEY_CTX_free(maker);
	return params;
}

/* The text of the parameters, with another one before; how long it is. */
static size_t
write_params(EVP_PKEY *params, const char *before, char *out, size_t size)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *data;
	size_t		length;

	(void) BIO_puts(bio, before);
	(void) PEM_write_bio_Parameters(bio, params);
	length = (size_t) BIO_get_mem_data(bio, &data);
	length = length < size ? length : size;
	memcpy(out, data, length);
	BIO_free(bio);
	return length;
}

static void
test_dh(void)
{
	static const char curve[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
	static const char not_prime[] = "-----BEGIN DH PARAMETERS-----\nMEYCQQD//////////////////////////////////////////////////////////////////////////////////////AgEC\n-----END DH PARAMETERS-----\n";
	EVP_PKEY   *params = make_params(512);
	EsgServerTls settings = {.min_version = TLS1_2_VERSION,.ciphers = "HIGH",.keys = ESG_CIPHER_RSA};
	EsgDhParams read;
	char		text[4096];
	size_t		length = write_params(params, curve, text, sizeof(text));

	esg_dh_params_read(text, length, &read);
	is_int(read.bits, 512, "behind other parameters");
	ok(read.prime && read.safe && !esg_dh_params_are_invalid(&read), "a safe prime");
	settings.dh = read.params;
	esg_server_context_ask(&settings, &offer);
	is_int(offer.refused, offer.default_level > 0 ? ESG_TLS_PART_DH : ESG_TLS_PART_NONE, "which OpenSSL does not take");
	esg_dh_params_free(&read);

	for (size_t i = 0; i < length; i++)
	{
		esg_dh_params_read(text, i, &read);
		esg_dh_params_free(&read);
	}
	esg_dh_params_read(text, length / 2, &read);
	ok(esg_dh_params_are_invalid(&read) && read.bits == 0, "half of it is none");
	esg_dh_params_free(&read);
	esg_dh_params_read(not_prime, strlen(not_prime), &read);
	ok(esg_dh_params_are_invalid(&read), "2^512 - 1 is no prime");
	esg_dh_params_free(&read);
	esg_dh_params_read("", 0, &read);
	ok(esg_dh_params_are_invalid(&read), "nothing is none");
	ok(!read.prime && !read.safe && !read.good_generator, "and has no good side");
	ok(esg_dh_params_are_invalid(&(EsgDhParams){.params = params, .safe = true, .good_generator = true}), "no prime, but a generator");
	ok(!esg_dh_params_are_invalid(&(EsgDhParams){.params = params, .prime = true, .safe = true}), "a safe prime has no bad generator");
	is_int((long long) ERR_peek_error(), 0, "no error is left behind");
	EVP_PKEY_free(params);
}

int
main(void)
{
	test_cases();
	test_ciphers();
	test_versions();
	test_ciphersuites();
	test_key_and_version();
	test_good_dh();
	test_dh();
	return done();
}

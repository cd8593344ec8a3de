/*
 * analyse.c
 *		What analysing certificates costs beside merely reading them.
 *
 * analyse make KIND N		writes N certificates to standard output
 * analyse time FILE...		prints the ratios of CPU time
 * analyse count WHAT FILE	does one of the three loops once, for callgrind
 *
 * The three loops over a file's text are "bare", PEM_read_bio_X509() and nothing
 * else; "first", the whole analysis with an empty memo; and "again", the same
 * with the memo that the first look has left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/pem.h"
#include "policy/certificate.h"
#include "x509/info.h"

#define KEYS 4					/* different keys among the certificates made */
#define MEMO_ENTRIES 1000000
#define NOW INT64_C(1790000000)

typedef struct File
{
	char	   *text;
	size_t		len;
} File;

typedef struct Analysis
{
	EsgMemo    *memo;
	EsgPolicy	policy;
	int			findings;
} Analysis;

static void *
need(void *p, const char *what)
{
	if (p == NULL)
	{
		fprintf(stderr, "analyse: %s failed\n", what);
		exit(1);
	}
	return p;
}

/* ---------- certificates ---------- */

/* even ones RSA, odd ones EC */
static EVP_PKEY *
make_key(int i)
{
	EVP_PKEY   *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(i % 2 ? EVP_PKEY_EC : EVP_PKEY_RSA, NULL);

	EVP_PKEY_keygen_init(need(ctx, "EVP_PKEY_CTX_new_id"));
	if (i % 2)
		EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1);
	else
		EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048);
	EVP_PKEY_keygen(ctx, &key);
	EVP_PKEY_CTX_free(ctx);
	return need(key, "EVP_PKEY_keygen");
}

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, (char *) value);

	X509_add_ext(cert, need(ext, "X509V3_EXT_conf_nid"), -1);
	X509_EXTENSION_free(ext);
}

static X509 *
make_template(EVP_PKEY *key, bool issued)
{
	X509	   *cert = need(X509_new(), "X509_new");
	X509_NAME  *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *) "Example", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
							   (const unsigned char *) "db1.example.com", -1, -1, 0);
	X509_set_version(cert, 2);
	X509_set_subject_name(cert, name);
	if (issued)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *) "CA", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_NAME_free(name);
	ASN1_TIME_set(X509_getm_notBefore(cert), NOW - 86400 * 30);
	ASN1_TIME_set(X509_getm_notAfter(cert), NOW + 86400 * 335);
	X509_set_pubkey(cert, key);
	add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(cert, NID_key_usage, "critical,digitalSignature,keyEncipherment");
	add_extension(cert, NID_ext_key_usage, "serverAuth,clientAuth");
	add_extension(cert, NID_subject_alt_name, "DNS:db1.example.com,DNS:db.example.com,IP:10.0.0.1");
	return cert;
}

/*
 * Certificates with serial numbers of their own, but few keys: making a hundred
 * thousand keys would take hours, and the analysis judges each key only once.
 * Issued ones are signed by an EC key, which is quick.
 */
static void
make_file(bool issued, long count)
{
	EVP_PKEY   *keys[KEYS];
	X509	   *templates[KEYS];
	EVP_PKEY   *ca = make_key(1);
	long		i;

	for (i = 0; i < KEYS; i++)
	{
		keys[i] = make_key((int) i);
		templates[i] = make_template(keys[i], issued);
	}
	for (i = 0; i < count; i++)
	{
		X509	   *cert = templates[i % KEYS];

		ASN1_INTEGER_set(X509_get_serialNumber(cert), i + 1);
		X509_sign(cert, issued ? ca : keys[i % KEYS], EVP_sha256());
		PEM_write_X509(stdout, cert);
	}
	for (i = 0; i < KEYS; i++)
	{
		EVP_PKEY_free(keys[i]);
		X509_free(templates[i]);
	}
	EVP_PKEY_free(ca);
}

/* ---------- the loops ---------- */

static File
read_file(const char *path)
{
	File		file = {NULL, 0};
	FILE	   *in = need(fopen(path, "rb"), path);

	fseek(in, 0, SEEK_END);
	file.len = (size_t) ftell(in);
	rewind(in);
	file.text = need(malloc(file.len + 1), "malloc");
	if (fread(file.text, 1, file.len, in) != file.len)
		need(NULL, path);
	fclose(in);
	return file;
}

/* how many certificates */
static int
run_bare(const File *file)
{
	BIO		   *bio = need(BIO_new_mem_buf(file->text, (int) file->len), "BIO_new_mem_buf");
	X509	   *cert;
	int			count = 0;

	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
	{
		count++;
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	return count;
}

static bool
judge(X509 *cert, int position, void *arg)
{
	Analysis   *analysis = arg;
	EsgCertInfo info;
	EsgFindings findings;

	memset(&findings, 0, sizeof(findings));
	esg_x509_info_read(cert, analysis->memo, &info);
	esg_policy_check_cert(&info, position == 1 ? ESG_PLACE_LEAF : ESG_PLACE_CHAIN,
						  &analysis->policy, NOW, &findings);
	analysis->findings += findings.count;
	esg_findings_free(&findings);
	X509_free(cert);
	return true;
}

static int
run_analysis(const File *file, EsgMemo *memo)
{
	Analysis	analysis = {memo, {0}, 0};
	EsgPemSink	sink = {judge, NULL, &analysis};
	EsgPemResult result;

	esg_policy_defaults(&analysis.policy);
	esg_pem_scan(file->text, file->len, ESG_PEM_CERTS, &sink, &result);
	return result.certs;
}

extern int	run_counted(const File *file, EsgMemo *memo);

/* What callgrind is told to count: its name must survive the optimiser. */
__attribute__((noinline)) int
run_counted(const File *file, EsgMemo *memo)
{
	return memo ? run_analysis(file, memo) : run_bare(file);
}

/* ---------- measuring ---------- */

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* The loops take turns, so that a busy machine disturbs them alike. */
static void
time_file(const char *path)
{
	File		file = read_file(path);
	int			count = run_bare(&file);
	int			rounds = count > 0 ? 20000 / count : 1;
	double		spent[3] = {0, 0, 0};
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	int			i;

	rounds = rounds < 1 ? 1 : rounds > 2000 ? 2000 : rounds;
	for (i = 0; i < rounds; i++)
	{
		EsgMemo    *memo = need(esg_memo_create(MEMO_ENTRIES), "esg_memo_create");
		double		start = cpu_seconds();
		double		bare;
		double		first;

		run_bare(&file);
		bare = cpu_seconds();
		if (run_analysis(&file, memo) != count)
			need(NULL, "counting as OpenSSL does");
		first = cpu_seconds();
		run_analysis(&file, memo);
		spent[2] += cpu_seconds() - first;
		spent[1] += first - bare;
		spent[0] += bare - start;
		esg_memo_free(memo);
	}
	printf("%-24s %8d %10.1f %10.2f %10.2f\n", name, count,
		   spent[0] / rounds / count * 1e6, spent[1] / spent[0], spent[2] / spent[0]);
	fflush(stdout);
	free(file.text);
}

/*
 * A look beforehand loads what OpenSSL loads once.  That makes its later
 * decoding dearer, so it must come before the bare loop, too.
 */
static void
count_file(const char *what, const char *path)
{
	File		file = read_file(path);
	EsgMemo    *empty = need(esg_memo_create(MEMO_ENTRIES), "esg_memo_create");
	EsgMemo    *full = need(esg_memo_create(MEMO_ENTRIES), "esg_memo_create");

	run_analysis(&file, full);
	if (strcmp(what, "bare") == 0)
		run_counted(&file, NULL);
	else
		run_counted(&file, strcmp(what, "first") == 0 ? empty : full);
	esg_memo_free(empty);
	esg_memo_free(full);
	free(file.text);
}

int
main(int argc, char **argv)
{
	int			i;

	if (argc == 4 && strcmp(argv[1], "make") == 0)
		make_file(strcmp(argv[2], "issued") == 0, atol(argv[3]));
	else if (argc == 4 && strcmp(argv[1], "count") == 0)
		count_file(argv[2], argv[3]);
	else if (argc > 2 && strcmp(argv[1], "time") == 0)
	{
		printf("%-24s %8s %10s %10s %10s\n", "file", "N", "bare us", "first", "again");
		for (i = 2; i < argc; i++)
			time_file(argv[i]);
	}
	else
	{
		fprintf(stderr, "usage: analyse make issued|self-signed N\n"
				"       analyse time FILE...\n"
				"       analyse count bare|first|again FILE\n");
		return 2;
	}
	return 0;
}

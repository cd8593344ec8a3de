/* sources: policy/findings policy/policy x509/cut_text x509/memo policy/public_roots x509/asn1 x509/rsa_faults x509/time x509/name x509/unicode x509/key x509/signature x509/info policy/verify policy/chain */
/*
 * test_chain.c
 *		Certificates judged together.
 */
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>

#include "certmaker.h"
#include "covered.h"
#include "esg_test.h"
#include "policy/chain.h"

#define MAX_CERTS 64
#define N ESG_NOTICE
#define W ESG_WARNING
#define CRIT ESG_CRITICAL
#define ABSENT ESG_OK

#define CA_EXT "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
#define LEAF_EXT "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:db\n"
/* in the middle of what certmaker makes valid: 2026-06-01 */
#define NOW INT64_C(1780272000)
#define KEY_IDS "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"

/*
 * The family: root "CN=R" issues int "CN=I", which issues int2 "CN=J" and the
 * leaf; each letter of a file stands for one of them.
 */
static EVP_PKEY *root_key;
static EVP_PKEY *int_key;
static EVP_PKEY *int2_key;
static EVP_PKEY *leaf_key;
static EVP_PKEY *weak_key;
static EVP_PKEY *other_key;

typedef struct Member
{
	char		letter;
	X509	   *cert;
	EsgCertInfo info;
} Member;

static Member family[MAX_CERTS];
static int	family_size;
static EsgPolicy policy;
static EsgMemo *memo;

static X509 *
add_member(char letter, const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
		   const char *extensions, const char *not_after)
{
	CertSpec	spec = {0};
	Member	   *member = &family[family_size++];
	static int	serial;
	char		serial_text[16];

	snprintf(serial_text, sizeof(serial_text), "%d", ++serial);
	spec.subject = subject;
	spec.key = key;
	spec.issuer_cert = issuer;
	spec.issuer_key = issuer_key;
	spec.extensions = extensions;
	spec.not_after = not_after;
	spec.serial = serial_text;
	member->letter = letter;
	member->cert = certmaker_cert(&spec);
	esg_x509_info_read(member->cert, NULL, &member->info);
	return member->cert;
}

static const EsgCertInfo *
find_member(char letter)
{
	int			i;

	for (i = 0; i < family_size; i++)
	{
		if (family[i].letter == letter)
			return &family[i].info;
	}
	abort();
}

static void
make_keys(void)
{
	root_key = certmaker_ec("prime256v1");
	int_key = certmaker_ec("secp384r1");
	int2_key = certmaker_ec("secp521r1");
	leaf_key = certmaker_rsa(2048);
	weak_key = certmaker_rsa(1024);
	other_key = certmaker_ec("secp256k1");
}

static void
make_family(void)
{
	X509	   *root = add_member('R', "CN=R", root_key, NULL, NULL, CA_EXT, NULL);
	X509	   *mid = add_member('I', "CN=I", int_key, root, root_key, CA_EXT, NULL);
	X509	   *low = add_member('J', "CN=J", int2_key, mid, int_key, CA_EXT, NULL);
	X509	   *weak;
	X509	   *weak_mid;
	X509	   *loop;
	X509	   *unfit;
	X509	   *twin;
	X509	   *limited;
	X509	   *renewed;
	X509	   *endless;

	add_member('L', "CN=db", leaf_key, low, int2_key, LEAF_EXT, NULL);
	add_member('M', "CN=db", leaf_key, mid, int_key, LEAF_EXT, NULL);
	add_member('U', "CN=unrelated", other_key, NULL, NULL, CA_EXT, NULL);
	add_member('V', "CN=other leaf", other_key, mid, int_key, LEAF_EXT, NULL);
	/* says it is of I, but is not */
	add_member('F', "CN=db", leaf_key, mid, other_key, LEAF_EXT, NULL);
	/* lives longer than I, shares I's key */
	add_member('O', "CN=db", leaf_key, mid, int_key, LEAF_EXT, "20280101000000Z");
	add_member('K', "CN=db", int_key, mid, int_key, LEAF_EXT, NULL);
	/* I again: another key, and the same key for longer */
	add_member('i', "CN=I", other_key, root, root_key, CA_EXT, NULL);
	add_member('r', "CN=I", int_key, root, root_key, CA_EXT, "20300101000000Z");
	/* self-signed leaf, and one that only names itself */
	add_member('S', "CN=db", leaf_key, NULL, NULL, LEAF_EXT, NULL);
	add_member('T', "CN=R", root_key, NULL, other_key, CA_EXT, NULL);
	/* a weak root and what it issued */
	weak = add_member('w', "CN=weak", weak_key, NULL, NULL, CA_EXT, NULL);
	add_member('x', "CN=db", leaf_key, weak, weak_key, LEAF_EXT, NULL);
	weak_mid = add_member('y', "CN=y", int_key, weak, weak_key, CA_EXT, NULL);
	add_member('z', "CN=db", leaf_key, weak_mid, int_key, LEAF_EXT, NULL);
	/* two CAs that sign each other */
	loop = add_member('1', "CN=1", root_key, find_member('J')->cert, int2_key, CA_EXT, NULL);
	loop = add_member('2', "CN=2", int_key, loop, root_key, CA_EXT, NULL);
	loop = add_member('3', "CN=1", root_key, loop, int_key, CA_EXT, NULL);
	add_member('4', "CN=db", leaf_key, loop, root_key, LEAF_EXT, NULL);
	add_member('0', "CN=1", root_key, NULL, NULL, CA_EXT, NULL);
	/* an issuer that may not issue */
	unfit = add_member('5', "CN=unfit", other_key, root, root_key,
					   "basicConstraints=CA:TRUE\nkeyUsage=cRLSign\n", NULL);
	add_member('6', "CN=db", leaf_key, unfit, other_key, LEAF_EXT, NULL);
	/* says where its issuer is */
	add_member('A', "CN=db", leaf_key, low, int2_key,
			   LEAF_EXT "authorityInfoAccess=caIssuers;URI:http://ca.example.com/j.crt\n", NULL);
	/* a root, its cross-signed twin by R, and what it issued */
	twin = add_member('D', "CN=D", weak_key, NULL, NULL, CA_EXT, NULL);
	add_member('d', "CN=D", weak_key, root, root_key, CA_EXT, NULL);
	add_member('e', "CN=db", leaf_key, twin, weak_key, LEAF_EXT, NULL);
	/* a CA that permits other names, and a leaf that it must not issue */
	limited = add_member('N', "CN=N", other_key, root, root_key,
						 CA_EXT "nameConstraints=critical,permitted;DNS:example.org\n", NULL);
	add_member('n', "CN=db", leaf_key, limited, other_key,
			   LEAF_EXT "subjectAltName=DNS:db.example.com\n", NULL);
	/* two CAs of one name that say which key is theirs, and a leaf of the second */
	add_member('g', "CN=G", root_key, NULL, NULL, CA_EXT "subjectKeyIdentifier=hash\n", NULL);
	renewed = add_member('h', "CN=G", int_key, NULL, NULL, CA_EXT "subjectKeyIdentifier=hash\n", NULL);
	add_member('H', "CN=db", leaf_key, renewed, int_key, LEAF_EXT "authorityKeyIdentifier=keyid\n", NULL);
	/* I's key under another name */
	add_member('k', "CN=k", int_key, root, root_key, CA_EXT, NULL);
	/* an issuer whose end cannot be read, and what lives long after it */
	endless = add_member('Q', "CN=Q", other_key, root, root_key, CA_EXT, "G:20270101000000");
	add_member('q', "CN=db", leaf_key, endless, other_key, LEAF_EXT, "20280101000000Z");
}

/* an index of some members, as of ssl_ca_file */
static EsgIssuerIndex *
index_members(const char *letters)
{
	const EsgCertInfo *infos[MAX_CERTS];
	int			count = (int) strlen(letters);
	int			i;

	for (i = 0; i < count; i++)
		infos[i] = find_member(letters[i]);
	return esg_policy_chain_index(infos, count);
}

static bool
is_subject(const X509_NAME *name, char letter)
{
	return X509_NAME_cmp(name, X509_get_subject_name(find_member(letter)->cert)) == 0;
}

/* R, and that D is a root, too; and the intermediate I */
static EsgKnownIssuer
know_issuer(const EsgCertInfo *cert)
{
	if (is_subject(X509_get_issuer_name(cert->cert), 'R') || is_subject(X509_get_subject_name(cert->cert), 'D'))
		return ESG_ISSUER_ROOT;
	return is_subject(X509_get_issuer_name(cert->cert), 'I') ? ESG_ISSUER_INTERMEDIATE : ESG_ISSUER_UNKNOWN;
}

/* whoever it is, an intermediate */
static EsgKnownIssuer
know_intermediate(const EsgCertInfo *cert)
{
	(void) cert;
	return ESG_ISSUER_INTERMEDIATE;
}

typedef enum FilePlace
{
	SERVER,						/* ssl_cert_file, empty system store */
	SYSTEM,						/* ssl_cert_file, the system knows R, D and I */
	SERVER_EXTRAS,				/* ssl_cert_file, I and D are in extra_files */
	BUNDLE,
	EXTRA
} FilePlace;

/* at: position from 1; 0: the file itself */
static const struct
{
	FilePlace	place;
	const char *file;
	const char *cas;			/* NULL: none */
	int			at;
	EsgCode		code;
	EsgSeverity want;
}			cases[] = {
	{SERVER, "LJIR", NULL, 1, ESG_CHAIN_OUT_OF_ORDER, ABSENT},
	{SERVER, "LJI", "R", 2, ESG_CHAIN_OUT_OF_ORDER, ABSENT},
	{SERVER, "LIJ", "R", 1, ESG_CHAIN_OUT_OF_ORDER, W},
	{SERVER, "LUJI", "R", 1, ESG_CHAIN_OUT_OF_ORDER, W},
	{SERVER, "LJJI", "R", 2, ESG_CHAIN_OUT_OF_ORDER, ABSENT},
	{SERVER, "65", "R", 1, ESG_CHAIN_OUT_OF_ORDER, ABSENT},
	{SERVER, "65", "R", 2, ESG_CHAIN_REFUSED, CRIT},
	{SERVER, "LJI", "R", 2, ESG_CHAIN_REFUSED, ABSENT},
	{SERVER, "nN", "R", 1, ESG_CHAIN_REFUSED, CRIT},	/* a name that N does not permit */
	{SERVER, "n", "R", 1, ESG_CHAIN_REFUSED, ABSENT},	/* nobody sees N here */
	{EXTRA, "nN", "R", 1, ESG_CHAIN_REFUSED, ABSENT},
	{SERVER, "M", "IR", 1, ESG_CHAIN_OUT_OF_ORDER, ABSENT},
	{BUNDLE, "RLJ", NULL, 2, ESG_CHAIN_OUT_OF_ORDER, ABSENT},

	{SERVER, "IM", "R", 1, ESG_LEAF_NOT_FIRST, CRIT},
	{SERVER, "IM", "R", 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "IM", "R", 2, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "MI", "R", 1, ESG_LEAF_NOT_FIRST, ABSENT},
	{SERVER, "IR", "R", 1, ESG_LEAF_NOT_FIRST, ABSENT},
	/* the key of one on the way up is not enough, nor is an issuer of what does not belong there */
	{SERVER, "MIk", "R", 3, ESG_UNRELATED_CERTIFICATE, W},
	{SERVER, "MIyw", "R", 3, ESG_UNRELATED_CERTIFICATE, W},
	{SERVER, "MIyw", "R", 4, ESG_UNRELATED_CERTIFICATE, W},
	{SERVER, "eDdR", NULL, 3, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{SERVER, "eDdR", NULL, 4, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{SERVER, "IM", "R", 1, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{SERVER, "IM", "R", 2, ESG_UNRELATED_CERTIFICATE, ABSENT},

	/* an issuer of which nothing is known may be the clients' root */
	{SERVER, "L", NULL, 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "LJ", "R", 2, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "A", NULL, 1, ESG_CHAIN_INCOMPLETE, N},	/* unless it can be fetched */
	{SERVER, "AJ", NULL, 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER_EXTRAS, "LJ", NULL, 2, ESG_CHAIN_INCOMPLETE, W},
	{SERVER_EXTRAS, "M", NULL, 1, ESG_CHAIN_INCOMPLETE, W},
	{SERVER_EXTRAS, "MI", NULL, 2, ESG_CHAIN_INCOMPLETE, ABSENT},
	/* the twin of a known root is as good as the root */
	{SERVER, "ed", "D", 2, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER_EXTRAS, "ed", NULL, 2, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SYSTEM, "ed", NULL, 2, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "LJI", "R", 3, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "LJI", NULL, 3, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SYSTEM, "LJI", NULL, 3, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SYSTEM, "LJ", NULL, 2, ESG_CHAIN_INCOMPLETE, W},
	{SERVER, "LJIR", NULL, 4, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "S", NULL, 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	/* one certificate is completed from ssl_ca_file, more are not */
	{SERVER, "L", "JIR", 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "L", "JI", 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "LJ", "IR", 2, ESG_CHAIN_INCOMPLETE, W},
	/* a CA of that name and another key is no root of it, but another fault */
	{SERVER, "F", "IR", 1, ESG_CHAIN_INCOMPLETE, ABSENT},
	{SERVER, "F", "IR", 1, ESG_BAD_SIGNATURE, CRIT},

	{SERVER, "qQ", "R", 1, ESG_BAD_SIGNATURE, ABSENT},
	{SERVER, "qQ", "R", 1, ESG_OUTLIVES_ISSUER, ABSENT},

	{SERVER, "LJIR", NULL, 4, ESG_ROOT_IN_CHAIN, N},
	{SERVER, "LJI", NULL, 3, ESG_ROOT_IN_CHAIN, ABSENT},
	{SERVER, "S", NULL, 1, ESG_ROOT_IN_CHAIN, ABSENT},
	{SERVER, "R", NULL, 1, ESG_ROOT_IN_CHAIN, ABSENT},
	{BUNDLE, "IR", NULL, 2, ESG_ROOT_IN_CHAIN, ABSENT},

	{SERVER, "MIMI", "R", 3, ESG_DUPLICATE_CERTIFICATE, N},
	{SERVER, "MIMI", "R", 1, ESG_DUPLICATE_CERTIFICATE, ABSENT},
	{SERVER, "MIMI", "R", 3, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{BUNDLE, "RIR", NULL, 3, ESG_DUPLICATE_CERTIFICATE, N},
	{BUNDLE, "IiR", NULL, 2, ESG_DUPLICATE_CERTIFICATE, ABSENT},
	{EXTRA, "LL", NULL, 2, ESG_DUPLICATE_CERTIFICATE, N},

	{SERVER, "MIU", "R", 3, ESG_UNRELATED_CERTIFICATE, W},
	{SERVER, "MIV", "R", 3, ESG_UNRELATED_CERTIFICATE, W},
	{SERVER, "MI", "R", 2, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{SERVER, "eDd", NULL, 3, ESG_UNRELATED_CERTIFICATE, ABSENT},	/* another variant */
	{SERVER, "MrI", "R", 3, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{SERVER, "423", NULL, 2, ESG_UNRELATED_CERTIFICATE, W}, /* 4 by 3, 3 by 2, 2 by 3 */
	{SERVER, "4321JI", "R", 5, ESG_UNRELATED_CERTIFICATE, ABSENT},	/* a way out */
	{SERVER, "4302", NULL, 4, ESG_UNRELATED_CERTIFICATE, ABSENT},	/* a root before a loop */
	{SERVER, "MIIIIIIIIII", "R", 11, ESG_UNRELATED_CERTIFICATE, W},
	{SERVER, "MIIIIIIIII", "R", 10, ESG_UNRELATED_CERTIFICATE, ABSENT},
	{BUNDLE, "RU", NULL, 2, ESG_UNRELATED_CERTIFICATE, ABSENT},

	{SERVER, "K", "IR", 1, ESG_SHARED_CA_KEY, ABSENT},	/* not in the file */
	{SERVER, "KI", "R", 1, ESG_SHARED_CA_KEY, W},
	{SERVER, "MI", "R", 1, ESG_SHARED_CA_KEY, ABSENT},
	{SERVER, "Mr", "R", 2, ESG_SHARED_CA_KEY, ABSENT},
	{SERVER, "MrI", "R", 2, ESG_SHARED_CA_KEY, ABSENT}, /* CA and CA */

	{SERVER, "OI", "R", 1, ESG_OUTLIVES_ISSUER, N},
	{SERVER, "O", "IR", 1, ESG_OUTLIVES_ISSUER, N},
	{SERVER, "OI", "rR", 1, ESG_OUTLIVES_ISSUER, ABSENT},	/* a renewed one is there */
	{SERVER, "MI", "R", 1, ESG_OUTLIVES_ISSUER, ABSENT},
	{SERVER, "Mr", "R", 2, ESG_OUTLIVES_ISSUER, N},

	{SERVER, "FI", "R", 1, ESG_BAD_SIGNATURE, CRIT},
	{SERVER, "Fi", "R", 1, ESG_BAD_SIGNATURE, ABSENT},	/* other_key signed it */
	{SERVER, "FiI", "R", 1, ESG_BAD_SIGNATURE, ABSENT}, /* each is tried */
	{SERVER, "FI", "iR", 1, ESG_BAD_SIGNATURE, ABSENT},
	{SERVER, "F", "R", 1, ESG_BAD_SIGNATURE, ABSENT},	/* no issuer, no verdict */
	{SERVER, "MI", "R", 1, ESG_BAD_SIGNATURE, ABSENT},
	{SERVER, "H", "g", 1, ESG_BAD_SIGNATURE, ABSENT},	/* it names another key */
	{SERVER, "H", "gh", 1, ESG_BAD_SIGNATURE, ABSENT},
	{BUNDLE, "RT", NULL, 2, ESG_BAD_SIGNATURE, CRIT},
	{BUNDLE, "R", NULL, 1, ESG_BAD_SIGNATURE, ABSENT},
	{BUNDLE, "T", NULL, 1, ESG_BAD_SIGNATURE, CRIT},	/* issuer of itself */
	{EXTRA, "F", "I", 1, ESG_BAD_SIGNATURE, CRIT},
	{EXTRA, "M", "I", 1, ESG_BAD_SIGNATURE, ABSENT},

	{SERVER, "x", "w", 1, ESG_WEAK_ISSUER_KEY, W},
	{SERVER, "zy", "w", 2, ESG_WEAK_ISSUER_KEY, W},
	{SERVER, "zy", "w", 1, ESG_WEAK_ISSUER_KEY, ABSENT},
	{SERVER, "w", NULL, 1, ESG_WEAK_ISSUER_KEY, ABSENT},	/* weak_key says it */

	{BUNDLE, "RL", NULL, 2, ESG_NOT_A_CA, W},
	{BUNDLE, "RL", NULL, 1, ESG_NOT_A_CA, ABSENT},
	{SERVER, "L", NULL, 1, ESG_NOT_A_CA, ABSENT},
	{BUNDLE, "RI", NULL, 0, ESG_PUBLIC_ROOT_STORE, ABSENT},
	{BUNDLE, "RRRRRRRRRRRRRRRRRRRR", NULL, 0, ESG_PUBLIC_ROOT_STORE, ABSENT},
	{BUNDLE, "RRRRRRRRRRRRRRRRRRRRL", NULL, 0, ESG_PUBLIC_ROOT_STORE, ABSENT},
	{BUNDLE, "RRRRRRRRRRRRRRRRRRRRR", NULL, 0, ESG_PUBLIC_ROOT_STORE, W},
};

static EsgPlace
place_at(FilePlace place, int at)
{
	if (place == BUNDLE)
		return ESG_PLACE_CA;
	if (place == EXTRA)
		return ESG_PLACE_EXTRA;
	return at == 0 ? ESG_PLACE_LEAF : ESG_PLACE_CHAIN;
}

/* lists[0] is the file's, the others are the certificates' */
static void
judge_file(FilePlace place, const char *file, const EsgIssuerIndex *cas, EsgFindings *lists)
{
	EsgChainCert certs[MAX_CERTS];
	EsgIssuerIndex *extras = place == SERVER_EXTRAS ? index_members("ID") : NULL;
	EsgChainContext context = {
		.cas = place == BUNDLE ? NULL : cas, .extras = extras,
		.system_issuer = place == SYSTEM ? know_issuer : NULL, .policy = &policy, .memo = memo, .now = NOW
	};
	int			count = (int) strlen(file);
	int			i;

	for (i = 0; i < count; i++)
	{
		certs[i].info = find_member(file[i]);
		certs[i].place = place_at(place, i);
		certs[i].findings = &lists[i + 1];
	}
	esg_policy_chain_check(certs, count, &context, place == BUNDLE ? &lists[0] : NULL);
	esg_policy_chain_index_free(extras);
}

static void
free_lists(EsgFindings *lists)
{
	int			i;

	for (i = 0; i <= MAX_CERTS; i++)
		esg_findings_free(&lists[i]);
}

static void
test_cases(void)
{
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgFindings lists[MAX_CERTS + 1] = {{0}};
		EsgIssuerIndex *cas = cases[i].cas ? index_members(cases[i].cas) : NULL;
		char		name[80];

		snprintf(name, sizeof(name), "%d of %s with %s", cases[i].at, cases[i].file,
				 cases[i].cas ? cases[i].cas : "no CA");
		judge_file(cases[i].place, cases[i].file, cas, lists);
		if (cases[i].want == ABSENT)
			lacks(&lists[cases[i].at], cases[i].code, name);
		else
			shows(&lists[cases[i].at], cases[i].code, cases[i].want, name);
		if (ERR_peek_error() != 0)
			ok(0, "%s: error queue is empty", name);
		free_lists(lists);
		esg_policy_chain_index_free(cas);
	}
}

/* Nothing at all about files as they should be. */
static void
test_clean(void)
{
	static const struct
	{
		FilePlace	place;
		const char *file;
		const char *cas;
	}			files[] = {
		{SERVER, "LJI", "R"}, {SYSTEM, "LJI", ""}, {SERVER, "MI", "R"}, {SERVER, "S", ""},
		{BUNDLE, "R", ""}, {BUNDLE, "RIJU", ""}, {EXTRA, "LRV", "R"},
	};
	size_t		i;
	int			j;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		EsgFindings lists[MAX_CERTS + 1] = {{0}};
		EsgIssuerIndex *cas = index_members(files[i].cas);

		judge_file(files[i].place, files[i].file, cas, lists);
		for (j = 0; j <= (int) strlen(files[i].file); j++)
			is_clean(&lists[j], files[i].file);
		esg_policy_chain_index_free(cas);
	}
}

/* A CA with a new key, certified by the old: key identifiers tell it from a forged root. */
static void
test_rollover(void)
{
	X509	   *old = add_member('a', "CN=roll", root_key, NULL, NULL,
								 CA_EXT "subjectKeyIdentifier=hash\n", NULL);
	EsgFindings lists[MAX_CERTS + 1] = {{0}};

	add_member('b', "CN=roll", int_key, old, root_key, CA_EXT KEY_IDS, NULL);
	judge_file(BUNDLE, "b", NULL, lists);
	lacks(&lists[1], ESG_BAD_SIGNATURE, "new with old, without the old");
	free_lists(lists);
	judge_file(BUNDLE, "ba", NULL, lists);
	lacks(&lists[1], ESG_BAD_SIGNATURE, "new with old");
	free_lists(lists);
}

/* An algorithm that nobody has, MD4 with OpenSSL 3 for one: unsupported, not bad. */
static void
test_unsupported(void)
{
	static const char letters[] = "RM";
	EsgFindings lists[MAX_CERTS + 1] = {{0}};
	int			i;

	for (i = 0; i < 2; i++)
	{
		Member	   *member = &family[family_size++];

		member->letter = (char) ('0' + i);
		member->cert = certmaker_patch(find_member(letters[i])->cert,
									   "\x2a\x86\x48\xce\x3d\x04\x03\x02",
									   "\x2a\x86\x48\xce\x3d\x04\x03\x7f", 8);
		esg_x509_info_read(member->cert, NULL, &member->info);
	}
	judge_file(BUNDLE, "0", NULL, lists);
	lacks(&lists[1], ESG_BAD_SIGNATURE, "an unsupported self-signature");
	free_lists(lists);
	judge_file(SERVER, "1I", NULL, lists);
	lacks(&lists[1], ESG_BAD_SIGNATURE, "an unsupported signature");
	free_lists(lists);
}

static void
test_public_roots(void)
{
	/* Baltimore CyberTrust Root */
	static const unsigned char fingerprint[] = {
		0x16, 0xaf, 0x57, 0xa9, 0xf6, 0x76, 0xb0, 0xab, 0x12, 0x60, 0x95, 0xaa, 0x5e, 0xba,
		0xde, 0xf2, 0x2a, 0xb3, 0x11, 0x19, 0xd6, 0x44, 0xac, 0x95, 0xcd, 0x4b, 0x93, 0xdb,
		0xf3, 0xf2, 0x6a, 0xeb
	};
	EsgCertInfo info = *find_member('R');
	EsgFindings list = {0};
	EsgFindings file = {0};
	EsgChainCert cert = {&info, ESG_PLACE_CA, &list};
	EsgChainContext context = {.policy = &policy, .memo = memo};

	memcpy(info.fingerprint, fingerprint, sizeof(fingerprint));
	esg_policy_chain_check(&cert, 1, &context, &file);
	shows(&file, ESG_PUBLIC_ROOT_STORE, W, "a public root");
	esg_findings_free(&file);
	info.fingerprint[31] ^= 1;
	esg_policy_chain_check(&cert, 1, &context, &file);
	lacks(&file, ESG_PUBLIC_ROOT_STORE, "another fingerprint");
	esg_findings_free(&list);
}

/* What a login has verified: no certificates, only what is known of them. */
static void
test_client(void)
{
	EsgCertInfo cert = {0};
	EsgCertInfo issuer = {0};
	EsgFindings list = {0};

	issuer.key.security_bits = 112;
	snprintf(issuer.key.algorithm, sizeof(issuer.key.algorithm), "RSA");
	esg_policy_chain_check_client(&cert, &issuer, &policy, &list);
	is_clean(&list, "a strong issuer of a client");
	issuer.key.security_bits = 80;
	issuer.key.bits = 1024;
	esg_policy_chain_check_client(&cert, &issuer, &policy, &list);
	shows(&list, ESG_WEAK_ISSUER_KEY, W, "a weak issuer of a client");
	is_text(list.items[0].detail, "RSA, 1024 bits", "which key it is");
	esg_findings_free(&list);
}

static void
test_index(void)
{
	EsgIssuerIndex *index = index_members("RIiJrU");
	EsgIssuerIndex *empty = index_members("");
	EsgChainContext context = {.policy = &policy};
	const EsgCertInfo *const *found;
	int			count;

	found = esg_policy_chain_find(index, X509_get_subject_name(find_member('I')->cert), &count);
	ok(count == 3 && found[0] == find_member('I') && found[1] == find_member('i') &&
	   found[2] == find_member('r'), "three of one name, in order");
	found = esg_policy_chain_find(index, X509_get_subject_name(find_member('L')->cert), &count);
	ok(count == 0 && found == NULL, "none of that name");
	found = esg_policy_chain_find(empty, X509_get_subject_name(find_member('L')->cert), &count);
	ok(count == 0 && found == NULL, "an empty index");
	found = esg_policy_chain_find(NULL, X509_get_subject_name(find_member('L')->cert), &count);
	ok(count == 0 && found == NULL, "no index");
	esg_policy_chain_index_free(index);
	esg_policy_chain_index_free(empty);
	esg_policy_chain_check(NULL, 0, &context, NULL);
	ok(1, "an empty file");
}

/* copies of I, with fingerprints of their own, after a leaf that none of them issued */
static void
judge_tries(int tries, EsgSeverity want)
{
	EsgCertInfo copies[ESG_CHAIN_MAX_TRIES + 2];
	EsgChainCert certs[ESG_CHAIN_MAX_TRIES + 2];
	EsgFindings lists[ESG_CHAIN_MAX_TRIES + 2] = {{0}};
	EsgChainContext context = {.policy = &policy, .memo = memo};
	char		name[40];
	int			i;

	for (i = 0; i <= tries; i++)
	{
		copies[i] = *find_member(i == 0 ? 'F' : 'I');
		copies[i].fingerprint[0] ^= (unsigned char) i;
		certs[i].info = &copies[i];
		certs[i].place = place_at(SERVER, i);
		certs[i].findings = &lists[i];
	}
	esg_policy_chain_check(certs, tries + 1, &context, NULL);
	snprintf(name, sizeof(name), "%d issuers of one name", tries);
	if (want == ABSENT)
		lacks(&lists[0], ESG_BAD_SIGNATURE, name);
	else
		shows(&lists[0], ESG_BAD_SIGNATURE, want, name);
	for (i = 0; i <= tries; i++)
		esg_findings_free(&lists[i]);
}

static void
test_details(void)
{
	static const struct
	{
		const char *file;
		int			at;
		EsgCode		code;
		const char *detail;
	}			details[] = {
		{"LIJ", 1, ESG_CHAIN_OUT_OF_ORDER, "that is at position 3"},
		{"IM", 1, ESG_LEAF_NOT_FIRST, "2"},
		{"MIMI", 4, ESG_DUPLICATE_CERTIFICATE, "2"},
		{"A", 1, ESG_CHAIN_INCOMPLETE, "CN=J"},
		{"nN", 1, ESG_CHAIN_REFUSED, "permitted subtree violation"},
		{"OI", 1, ESG_OUTLIVES_ISSUER, "2027-01-01T00:00:00Z"},
		{"KI", 1, ESG_SHARED_CA_KEY, "CN=I"},
		{"xw", 1, ESG_WEAK_ISSUER_KEY, "RSA, 1024 bits"},
	};
	size_t		i;
	int			j;

	for (i = 0; i < sizeof(details) / sizeof(details[0]); i++)
	{
		EsgFindings lists[MAX_CERTS + 1] = {{0}};
		EsgFindings *list = &lists[details[i].at];
		const char *got = NULL;

		judge_file(SERVER, details[i].file, NULL, lists);
		for (j = 0; j < list->count; j++)
		{
			if (list->items[j].code == details[i].code)
				got = list->items[j].detail;
		}
		is_text(got, details[i].detail, details[i].file);
		free_lists(lists);
	}
}

/* Longer than is looked at: each of "CN=0", "CN=1" ... has issued the one before it, the first one is the leaf. */
static void
test_long_way(void)
{
	enum
	{
		LENGTH = ESG_CHAIN_MAX_LENGTH + 3
	};
	EVP_PKEY   *keys[2] = {root_key, int_key};
	EsgChainCert certs[LENGTH];
	EsgCertInfo infos[LENGTH];
	const EsgCertInfo *cas[LENGTH];
	EsgFindings lists[LENGTH] = {{0}};
	X509	   *made[LENGTH + 1];
	EsgChainContext context = {.policy = &policy,.memo = memo};
	EsgIssuerIndex *index;
	char		name[16];

	made[LENGTH] = find_member('R')->cert;
	for (int i = LENGTH - 1; i >= 0; i--)
	{
		CertSpec	spec = {.subject = name,.key = keys[i % 2],.issuer_cert = made[i + 1],
			.issuer_key = i + 1 == LENGTH ? root_key : keys[(i + 1) % 2],.extensions = i > 0 ? CA_EXT : LEAF_EXT
		};

		snprintf(name, sizeof(name), "CN=%d", i);
		made[i] = certmaker_cert(&spec);
		esg_x509_info_read(made[i], NULL, &infos[i]);
		cas[i] = certs[i].info = &infos[i];
		certs[i].place = i == 0 ? ESG_PLACE_LEAF : ESG_PLACE_CHAIN;
		certs[i].findings = &lists[i];
	}
	esg_policy_chain_check(certs, LENGTH, &context, NULL);
	lacks(&lists[ESG_CHAIN_MAX_LENGTH - 1], ESG_UNRELATED_CERTIFICATE, "the tenth");
	shows(&lists[ESG_CHAIN_MAX_LENGTH], ESG_UNRELATED_CERTIFICATE, W, "the eleventh");
	lacks(&lists[0], ESG_CHAIN_REFUSED, "a long way up");
	for (int i = 0; i < LENGTH; i++)
		esg_findings_free(&lists[i]);
	/* in ssl_ca_file, without their root: where looking for more ends, an issuer is missing */
	context.cas = index = esg_policy_chain_index(cas + 1, LENGTH - 1);
	esg_policy_chain_check(certs, 1, &context, NULL);
	shows(&lists[0], ESG_CHAIN_INCOMPLETE, W, "a long way up among the CAs");
	esg_findings_free(&lists[0]);
	esg_policy_chain_index_free(index);
	for (int i = 0; i < LENGTH; i++)
		X509_free(made[i]);
}

/* So many roots of one name that the one with the key is not looked at. */
static void
test_many_roots(void)
{
	EsgCertInfo copies[ESG_CHAIN_MAX_TRIES + 1];
	const EsgCertInfo *cas[ESG_CHAIN_MAX_TRIES + 1];
	EsgFindings list = {0};
	EsgChainCert certs[1] = {{find_member('d'), ESG_PLACE_LEAF, &list}};
	EsgChainContext context = {.policy = &policy,.memo = memo,.system_issuer = know_intermediate};
	EsgIssuerIndex *index;

	for (int count = ESG_CHAIN_MAX_TRIES; count <= ESG_CHAIN_MAX_TRIES + 1; count++)
	{
		for (int i = 0; i < count; i++)
		{
			copies[i] = *find_member('D');
			if (i + 1 < count)
				copies[i].key.digest[0] ^= 1;
			cas[i] = &copies[i];
		}
		context.cas = index = esg_policy_chain_index(cas, count);
		esg_policy_chain_check(certs, 1, &context, NULL);
		if (count == ESG_CHAIN_MAX_TRIES)
			lacks(&list, ESG_CHAIN_INCOMPLETE, "as many roots of one name as are looked at, the last one is it");
		else
			shows(&list, ESG_CHAIN_INCOMPLETE, W, "one more");
		esg_findings_free(&list);
		esg_policy_chain_index_free(index);
	}
}

/* More issuers of one name than are tried: no verdict, and no time lost. */
static void
test_many(void)
{
	enum
	{
		MANY = 20000
	};
	EsgChainCert *certs = calloc(MANY, sizeof(EsgChainCert));
	EsgFindings *lists = calloc(MANY, sizeof(EsgFindings));
	EsgFindings file = {0};
	EsgChainContext context = {.policy = &policy, .memo = memo};
	EsgCertInfo *copies = calloc(MANY, sizeof(EsgCertInfo));
	clock_t		start = clock();
	int			i;

	for (i = 0; i < MANY; i++)
	{
		copies[i] = *find_member(i == 0 ? 'F' : 'I');
		memcpy(copies[i].fingerprint, &i, sizeof(i));
		certs[i].info = &copies[i];
		certs[i].place = i == 0 ? ESG_PLACE_LEAF : ESG_PLACE_CHAIN;
		certs[i].findings = &lists[i];
	}
	esg_policy_chain_check(certs, MANY, &context, NULL);
	lacks(&lists[0], ESG_BAD_SIGNATURE, "not all were tried");
	shows(&lists[MANY - 1], ESG_UNRELATED_CERTIFICATE, W, "the last of many");
	for (i = 0; i < MANY; i++)
	{
		esg_findings_free(&lists[i]);
		certs[i].place = ESG_PLACE_CA;
	}
	esg_policy_chain_check(certs, MANY, &context, &file);
	shows(&file, ESG_PUBLIC_ROOT_STORE, W, "many");
	printf("# %d certificates twice: %.2f s\n", MANY, (double) (clock() - start) / CLOCKS_PER_SEC);
	ok((double) (clock() - start) / CLOCKS_PER_SEC < 30, "many certificates take no time");
	for (i = 0; i < MANY; i++)
		esg_findings_free(&lists[i]);
	esg_findings_free(&file);
	free(certs);
	free(lists);
	free(copies);
}

int
main(void)
{
	int			i;

	esg_policy_defaults(&policy);
	memo = esg_memo_create(1000);
	make_keys();
	make_family();
	test_cases();
	test_clean();
	test_rollover();
	test_unsupported();
	test_public_roots();
	test_client();
	test_index();
	test_details();
	judge_tries(ESG_CHAIN_MAX_TRIES, CRIT);
	judge_tries(ESG_CHAIN_MAX_TRIES + 1, ABSENT);
	test_many();
	test_long_way();
	test_many_roots();
	for (i = 0; i < family_size; i++)
		X509_free(family[i].cert);
	esg_memo_free(memo);
	return done();
}

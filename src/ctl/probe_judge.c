/*
 * ctl/probe_judge.c
 *		Judges what a server has shown, by the rules of the audit.
 */
#include "ctl/probe_judge.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "ctl/message.h"
#include "ctl/pem_file.h"
#include "policy/certificate.h"
#include "policy/ciphers.h"
#include "wire/system_roots.h"
#include "x509/host_names.h"

/* ---- what the servers are judged by ---- */

static bool
index_cas(EsgProbeJudge *judge)
{
	int			count = sk_X509_num(judge->cas);
	const EsgCertInfo **infos = OPENSSL_malloc((size_t) count * sizeof(*infos));
	int			i;

	judge->ca_infos = OPENSSL_malloc((size_t) count * sizeof(*judge->ca_infos));
	if (infos != NULL && judge->ca_infos != NULL)
	{
		for (i = 0; i < count; i++)
		{
			esg_x509_info_read(sk_X509_value(judge->cas, i), NULL, &judge->ca_infos[i]);
			infos[i] = &judge->ca_infos[i];
		}
		judge->ca_index = esg_policy_chain_index(infos, count);
	}
	OPENSSL_free(infos);
	return judge->ca_index != NULL;
}

/* Twins are no fault. */
static bool
fill_store(EsgProbeJudge *judge)
{
	int			i;

	judge->store = X509_STORE_new();
	if (judge->store == NULL)
		return false;
	for (i = 0; i < sk_X509_num(judge->cas); i++)
		(void) X509_STORE_add_cert(judge->store, sk_X509_value(judge->cas, i));
	ERR_clear_error();
	return true;
}

bool
esg_probe_judge_start(const char *ca_file, int64_t now, EsgProbeJudge *out)
{
	memset(out, 0, sizeof(*out));
	esg_policy_defaults(&out->policy);
	out->now = now;
	out->ca_file = ca_file;
	if (ca_file == NULL)
		return true;
	out->cas = esg_pem_file_certs(ca_file);
	if (out->cas == NULL)
		return false;
	return (index_cas(out) && fill_store(out)) || esg_message_error("out of memory");
}

void
esg_probe_judge_free(EsgProbeJudge *judge)
{
	esg_policy_chain_index_free(judge->ca_index);
	OPENSSL_free(judge->ca_infos);
	sk_X509_pop_free(judge->cas, X509_free);
	X509_STORE_free(judge->store);
	memset(judge, 0, sizeof(*judge));
}

/* ---- the name ---- */

typedef struct Search
{
	const EsgTarget *target;
	char		host[ESG_HOST_SIZE];	/* in lower case, without a dot at the
										 * end */
	bool		found;
} Search;

static void
compare_name(const char *name, void *arg)
{
	Search	   *search = arg;

	search->found |= search->target->is_address ? esg_target_is_address(search->target, name) :
		esg_x509_host_names_cover(name, search->host);
}

static bool
has_name(const EsgTarget *target, X509 *leaf)
{
	Search		search = {.target = target,.found = false};
	size_t		len = strlen(target->host);
	size_t		i;

	if (len > 1 && target->host[len - 1] == '.')
		len--;
	for (i = 0; i < len; i++)
	{
		char		c = target->host[i];

		search.host[i] = (char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	search.host[len] = '\0';
	(void) esg_x509_host_names_each(leaf, compare_name, &search);
	return search.found;
}

static void
judge_name(const EsgProbeJudge *judge, const EsgTarget *target, const EsgCertInfo *leaf,
		   EsgReportObject *server, EsgReportObject *object)
{
	bool		found = has_name(target, leaf->cert);
	char	   *printable;
	EsgRemark	remark;

	esg_report_fact_bool(server, "name_matches", found);
	if (found || !esg_remark_start(&remark, ESG_HOST_NAME_NOT_COVERED, ESG_PLACE_LEAF))
		return;
	printable = esg_x509_name_escape((const unsigned char *) target->host, strlen(target->host));
	esg_remark_say(&remark, "%s", printable ? printable : "?");
	OPENSSL_free(printable);
	(void) esg_findings_add(&object->findings, &remark, judge->policy.overrides);
	esg_report_advise(object, ESG_HOST_NAME_NOT_COVERED,
					  "Clients with sslmode=verify-full do not connect by this name. Have a certificate "
					  "issued that has it as subjectAltName, or connect by a name that it has.");
}

/* ---- the certificates ---- */

/* One array each, as the policy code wants them. */
typedef struct Shown
{
	int			count;
	EsgCertInfo *infos;
	EsgChainCert *certs;
	EsgReportObject **objects;
} Shown;

static bool
open_shown(Shown *shown, int count)
{
	size_t		size = (size_t) count;

	shown->count = count;
	shown->infos = OPENSSL_malloc(size * sizeof(*shown->infos));
	shown->certs = OPENSSL_malloc(size * sizeof(*shown->certs));
	shown->objects = OPENSSL_malloc(size * sizeof(*shown->objects));
	return shown->infos != NULL && shown->certs != NULL && shown->objects != NULL;
}

static void
close_shown(Shown *shown)
{
	OPENSSL_free(shown->infos);
	OPENSSL_free(shown->certs);
	OPENSSL_free(shown->objects);
}

static void
judge_certs(const EsgProbeJudge *judge, Shown *shown)
{
	EsgChainContext context = {
		.cas = judge->ca_index,.system_issuer = esg_system_roots_know_issuer,
		.policy = &judge->policy,.now = judge->now
	};
	int			i;

	for (i = 0; i < shown->count; i++)
	{
		EsgPlace	place = i == 0 ? ESG_PLACE_LEAF : ESG_PLACE_CHAIN;

		shown->certs[i].info = &shown->infos[i];
		shown->certs[i].place = place;
		shown->certs[i].findings = &shown->objects[i]->findings;
		esg_policy_check_cert(&shown->infos[i], place, &judge->policy, judge->now,
							  &shown->objects[i]->findings);
	}
	esg_policy_chain_check(shown->certs, shown->count, &context, NULL);
	/* who looks from outside does not know which file it comes from */
	for (i = 0; i < shown->count; i++)
		if (esg_findings_has(&shown->objects[i]->findings, ESG_ROOT_IN_CHAIN))
			esg_report_advise(shown->objects[i], ESG_ROOT_IN_CHAIN,
							  "Clients use their own copy of the root. Remove it from the file of \"ssl_cert_file\". "
							  "Where that has a single certificate, the server adds what \"ssl_ca_file\" has above it: "
							  "put the intermediate CAs behind the certificate.");
}

static void
list_certs(const EsgTarget *target, const EsgAddress *address, STACK_OF(X509) *chain,
		   EsgReport *report, Shown *shown)
{
	int			i;

	for (i = 0; i < shown->count; i++)
	{
		EsgReportObject *object = esg_report_add_server(report, ESG_OBJECT_CERTIFICATE, target->name,
														address->text);

		esg_x509_info_read(sk_X509_value(chain, i), NULL, &shown->infos[i]);
		esg_report_set_cert(object, &shown->infos[i], i == 0 ? ESG_PLACE_LEAF : ESG_PLACE_CHAIN, i + 1);
		shown->objects[i] = object;
	}
}

/* ---- against a CA file ---- */

/* As a client with sslrootcert does that has our OpenSSL; X509_V_OK, or why not. */
static int
verify_chain(const EsgProbeJudge *judge, STACK_OF(X509) *chain)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	SSL_CTX    *client = SSL_CTX_new(TLS_client_method());
	int			error = X509_V_ERR_OUT_OF_MEM;

	if (context != NULL && client != NULL &&
		X509_STORE_CTX_init(context, judge->store, sk_X509_value(chain, 0), chain) == 1)
	{
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

		X509_VERIFY_PARAM_set_time(param, (time_t) judge->now);
		X509_VERIFY_PARAM_set_auth_level(param, SSL_CTX_get_security_level(client));
		(void) X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
		(void) X509_verify_cert(context);
		error = X509_STORE_CTX_get_error(context);
	}
	X509_STORE_CTX_free(context);
	SSL_CTX_free(client);
	ERR_clear_error();
	return error;
}

static void
judge_trust(const EsgProbeJudge *judge, STACK_OF(X509) *chain, EsgReportObject *server)
{
	int			error;

	if (judge->store == NULL)
		return;
	error = verify_chain(judge, chain);
	esg_report_fact_bool(server, "verified", error == X509_V_OK);
	if (error != X509_V_OK)
		esg_report_remark(server, ESG_STATUS_CRITICAL,
						  "Clients with sslmode=verify-ca or verify-full and this file as sslrootcert do not connect.",
						  "could not verify the chain by the CAs in file \"%s\": %s", judge->ca_file,
						  X509_verify_cert_error_string(error));
}

void
esg_probe_judge_chain(const EsgProbeJudge *judge, const EsgTarget *target,
					  const EsgAddress *address, const EsgTlsAnswer *answer, EsgReport *report,
					  EsgReportObject *server)
{
	Shown		shown = {0, NULL, NULL, NULL};

	if (open_shown(&shown, sk_X509_num(answer->chain)))
	{
		list_certs(target, address, answer->chain, report, &shown);
		judge_certs(judge, &shown);
		judge_name(judge, judge->named ? judge->named : target, &shown.infos[0], server, shown.objects[0]);
		judge_trust(judge, answer->chain, server);
	}
	else
		report->out_of_memory = true;
	close_shown(&shown);
}

/* ---- what was agreed on ---- */

/* Whatever is older than TLS 1.2 (RFC 8996). */
static bool
is_old(const char *protocol)
{
	return strcmp(protocol, "TLSv1") == 0 || strcmp(protocol, "TLSv1.1") == 0 ||
		strncmp(protocol, "SSL", 3) == 0;
}

static void
add_word(EsgReportObject *server, const char *name, const char *word)
{
	if (word[0] != '\0')
		esg_report_fact_text(server, name, word);
}

/* Codes and words of the server's audit, of what was agreed on; hint: for those who look from outside. */
static void
add_finding(const EsgProbeJudge *judge, EsgReportObject *server, const EsgRemark *remark, const char *hint)
{
	(void) esg_findings_add(&server->findings, remark, judge->policy.overrides);
	esg_report_advise(server, remark->code, hint);
}

static void
judge_protocol(const EsgProbeJudge *judge, const EsgTlsAnswer *answer, EsgReportObject *server)
{
	EsgRemark	remark;

	if (!is_old(answer->protocol) || !esg_remark_start(&remark, ESG_WEAK_PROTOCOL, ESG_PLACE_SERVER))
		return;
	esg_remark_say(&remark, "%s, and no newer one is agreed on", answer->protocol);
	add_finding(judge, server, &remark,
				"Where it is PostgreSQL, set \"ssl_max_protocol_version\" to '', \"ssl_min_protocol_version\" to TLSv1.2 and reload the server.");
}

static void
list_faults(unsigned faults, char *text, size_t size)
{
	size_t		used = 0;

	text[0] = '\0';
	for (int n = 0; n < ESG_CIPHER_FAULT_COUNT && used < size; n++)
		if (faults & (1U << n))
			used += (size_t) snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
									  esg_ciphers_fault_name(n));
}

static void
judge_cipher(const EsgProbeJudge *judge, const EsgTlsAnswer *answer, EsgReportObject *server)
{
	EsgCipher	cipher;
	EsgRemark	remark;
	char		faults[128];

	if (answer->cipher_used == NULL)
		return;
	esg_ciphers_read(answer->cipher_used, &cipher);
	if (cipher.faults == 0 || !esg_remark_start(&remark, ESG_WEAK_CIPHER, ESG_PLACE_SERVER))
		return;
	if (cipher.faults & (ESG_CIPHER_NO_ENCRYPTION | ESG_CIPHER_NO_AUTHENTICATION))
		remark.severity = ESG_CRITICAL;
	list_faults(cipher.faults, faults, sizeof(faults));
	esg_remark_say(&remark, "%s (%s), which is agreed on where all are offered", answer->cipher, faults);
	add_finding(judge, server, &remark, "Where it is PostgreSQL, set \"ssl_ciphers\" to HIGH:!aNULL:!kRSA and reload the server.");
}

void
esg_probe_judge_words(const EsgProbeJudge *judge, const EsgTlsAnswer *answer, EsgReportObject *server)
{
	add_word(server, "protocol", answer->protocol);
	add_word(server, "cipher", answer->cipher);
	add_word(server, "group", answer->group);
	judge_protocol(judge, answer, server);
	judge_cipher(judge, answer, server);
}

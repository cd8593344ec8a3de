/*
 * files/audited.c
 *		TLS files, certificates and CRLs as facts, with what was found.
 */
#include "files/audited.h"

#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <openssl/crypto.h>
#include <openssl/err.h>

/* give memory back after reading more than this */
#define TRIM_THRESHOLD (8 << 20)

EsgAudit *
esg_audited_start(const EsgInterrupts *interrupts)
{
	EsgAudit   *audit = OPENSSL_zalloc(sizeof(EsgAudit));

	if (audit == NULL)
		return NULL;
	audit->interrupts = interrupts;
	audit->reading.x509s = sk_X509_new_null();
	audit->reading.x509_crls = sk_X509_CRL_new_null();
	if (audit->reading.x509s == NULL || audit->reading.x509_crls == NULL)
	{
		esg_audited_free(audit);
		audit = NULL;
	}
	ERR_clear_error();
	return audit;
}

void
esg_audited_forget_findings(EsgAudit *audit)
{
	int			i;

	for (i = 0; i < audit->file_count; i++)
		esg_findings_free(&audit->files[i]->findings);
	for (i = 0; i < audit->cert_count; i++)
		esg_findings_free(&audit->certs[i]->findings);
	for (i = 0; i < audit->crl_count; i++)
		esg_findings_free(&audit->crls[i]->findings);
}

void
esg_audited_end_judging(EsgAudit *audit)
{
	EsgAuditJudging *judging = &audit->judging;

	esg_policy_chain_index_free(judging->cas);
	esg_policy_chain_index_free(judging->extras);
	esg_crl_uses_free(judging->uses);
	esg_crl_names_free(judging->names);
	esg_arena_free(&judging->arena);
	memset(judging, 0, sizeof(*judging));
}

void
esg_audited_free(EsgAudit *audit)
{
	EsgAuditReading *reading = &audit->reading;
	bool		large = reading->bytes > TRIM_THRESHOLD;

	esg_audited_end_judging(audit);
	esg_audited_forget_findings(audit);
	esg_content_release(&reading->content);
	esg_crl_dir_list_free(&reading->listing);
	sk_X509_pop_free(reading->x509s, X509_free);
	sk_X509_CRL_pop_free(reading->x509_crls, X509_CRL_free);
	OPENSSL_free(audit->files);
	OPENSSL_free(audit->certs);
	OPENSSL_free(audit->crls);
	esg_arena_free(&audit->arena);
	OPENSSL_free(audit);
#ifdef __GLIBC__
	/* a CRL of a million entries is as many small pieces, which glibc keeps */
	if (large)
		(void) malloc_trim(0);
#else
	(void) large;
#endif
}

void *
esg_audited_take(EsgAudit *audit, size_t size)
{
	void	   *piece = esg_arena_take(&audit->arena, size);

	audit->out_of_memory |= piece == NULL;
	return piece;
}

void *
esg_audited_take_for_judging(EsgAudit *audit, size_t count, size_t size)
{
	void	   *piece = esg_arena_take(&audit->judging.arena, count * size);

	audit->out_of_memory |= piece == NULL;
	return piece;
}

void
esg_audited_allow_interrupt(const EsgAudit *audit)
{
	if (audit->interrupts != NULL && audit->interrupts->pending())
		audit->interrupts->serve();
}

bool
esg_audited_is_loaded(const EsgAuditFile *file)
{
	if (file->in_crl_dir)
		return false;
	return strcmp(file->file.setting, "ssl_cert_file") == 0 ||
		strcmp(file->file.setting, "ssl_ca_file") == 0 ||
		strcmp(file->file.setting, "ssl_crl_file") == 0 ||
		(file->file.host != NULL && file->file.kind != ESG_FILE_KEY);
}

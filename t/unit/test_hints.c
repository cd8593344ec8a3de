/* sources: policy/findings policy/hints x509/cut_text */
/*
 * test_hints.c
 *		No remedy speaks of a reload where none helps.
 */
#include "esg_test.h"
#include "policy/hints.h"

#define EXTRA "ext_ssl_guard.extra_files"

/* Codes that a file of extra_files can have and whose usual hint is about the server. */
static const EsgCode others[] = {
	ESG_FILE_MISSING, ESG_FILE_UNREADABLE, ESG_FILE_NOT_REGULAR, ESG_FILE_TOO_LARGE,
	ESG_FILE_UNPARSABLE, ESG_TRUSTED_CERTIFICATE_BLOCK, ESG_EXPIRED, ESG_EXPIRES_VERY_SOON,
	ESG_EXPIRES_SOON, ESG_CRL_EXPIRED, ESG_CRL_EXPIRES_VERY_SOON, ESG_CRL_EXPIRES_SOON,
	ESG_CRL_NOT_YET_VALID,
};

int
main(void)
{
	int			code;
	size_t		i;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		const EsgFindingDef *def = esg_findings_def((EsgCode) code);

		is_text(esg_hints_get((EsgCode) code, "ssl_cert_file"), def->hint, def->name);
		if (!(def->places & (ESG_PLACE_EXTRA | ESG_PLACE_FILE | ESG_PLACE_CRL)))
			continue;
		if (def->code == ESG_PASSPHRASE_UNUSABLE || def->code == ESG_CRL_NOT_HASHED ||
			def->code == ESG_CRL_REVOKES_OWN || strcmp(def->name, "file_not_reloaded") == 0)
			continue;			/* never of an extra file, or about the server's own */
		ok(strstr(esg_hints_get((EsgCode) code, EXTRA), "reload") == NULL,
		   "%s of an extra file: no reload", def->name);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ok(strcmp(esg_hints_get(others[i], EXTRA), esg_findings_def(others[i])->hint) != 0,
		   "%s has its own hint for an extra file", esg_findings_def(others[i])->name);
	ok(strstr(esg_hints_get(ESG_FILE_MISSING, "ssl_crl_file"), "reload") != NULL,
	   "without ssl_crl_file a reload fails");
	ok(strstr(esg_hints_get(ESG_FILE_MISSING, "ssl_crl_dir"), "reload") == NULL,
	   "without ssl_crl_dir none does");
	return done();
}

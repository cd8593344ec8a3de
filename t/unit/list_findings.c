/* sources: policy/findings x509/cut_text */
/*
 * list_findings.c
 *		Prints the table of findings, for tests of what is said elsewhere:
 *		tab-separated code, SQLSTATE, severity, places with another one, that
 *		one, places, places where enforce refuses, message, hint, and the hints
 *		for extra_files, ssl_crl_dir and clients where they are others.
 */
#include <stdio.h>

#include "policy/findings.h"

/* "server, chain", and a tab */
static void
print_places(unsigned places)
{
	unsigned	place;
	const char *separator = "";

	for (place = 1; place <= ESG_PLACE_SERVER; place <<= 1)
	{
		if ((places & place) == 0)
			continue;
		printf("%s%s", separator, esg_findings_place_name((EsgPlace) place));
		separator = ", ";
	}
	putchar('\t');
}

int
main(void)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		const EsgFindingDef *def = esg_findings_def((EsgCode) code);

		printf("%s\t%s\t%s\t", def->name, def->sqlstate, esg_findings_severity_name(def->severity));
		print_places(def->alt_places);
		printf("%s\t", esg_findings_severity_name(def->alt_severity));
		print_places(def->places);
		print_places(def->enforced);
		printf("%s\t%s\t%s\t%s\t%s\n", def->message, def->hint,
			   def->extra_hint ? def->extra_hint : "",
			   def->crl_dir_hint ? def->crl_dir_hint : "",
			   def->client_hint ? def->client_hint : "");
	}
	return 0;
}

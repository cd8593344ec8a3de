/* sources: policy/findings x509/cut_text */
/*
 * list_findings.c
 *		Prints the table of findings, for tests of what is said elsewhere:
 *		tab-separated code, SQLSTATE, severity, places with another one, that
 *		one, places, places where enforce refuses, message, hint.
 */
#include <stdio.h>

#include "policy/findings.h"

int
main(void)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		const EsgFindingDef *def = esg_findings_def((EsgCode) code);
		char		others[96];
		char		places[96];
		char		enforced[96];

		esg_findings_place_text(def->alt_places, others, sizeof(others));
		esg_findings_place_text(def->places, places, sizeof(places));
		esg_findings_place_text(def->enforced, enforced, sizeof(enforced));
		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", def->name, def->sqlstate,
			   esg_findings_severity_name(def->severity), others,
			   esg_findings_severity_name(def->alt_severity), places, enforced,
			   def->message, def->hint);
	}
	return 0;
}

/*
 * server/guc_denied.c
 *		The check hook of ext_ssl_guard.denied_certificates.
 *
 * Each process parses the list at each reload, whether or not it has changed.
 */
#include "postgres.h"

#include "compat.h"
#include "policy/deny_list.h"
#include "server/guc_denied.h"

bool
esg_guc_denied_check(char **newval, void **extra, GucSource source)
{
	size_t		size = esg_deny_list_size(*newval);
	EsgDenyList *list;
	EsgDenyError error;

	if (size == 0)
		return true;
	list = guc_malloc(LOG, size);
	if (list == NULL)
		return false;
	if (!esg_deny_list_parse(*newval, list, &error))
	{
		GUC_check_errdetail("Entry %d, at character %d, %s.", error.entry, error.position,
							error.reason);
		GUC_check_errhint("Give SHA-256 fingerprints of 64 hexadecimal digits, with or without colons, separated by commas; or serial numbers in hexadecimal, each with \"@\" and the fingerprint of its issuer's certificate.");
		guc_free(list);
		return false;
	}
	*extra = list;
	return true;
}

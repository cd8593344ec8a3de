/*
 * files/tls_file.c
 *		One of the files that settings name.
 */
#include "files/tls_file.h"

#include <string.h>

bool
esg_tls_file_is_extra(const EsgTlsFile *file)
{
	return strcmp(file->setting, ESG_EXTRA_SETTING) == 0;
}

/*
 * server/guc_denied.h
 *		The check hook of ext_ssl_guard.denied_certificates.
 */
#ifndef ESG_SERVER_GUC_DENIED_H
#define ESG_SERVER_GUC_DENIED_H

#include "utils/guc.h"

/* *extra: an EsgDenyList; NULL if it has no entries */
extern bool esg_guc_denied_check(char **newval, void **extra, GucSource source);

#endif							/* ESG_SERVER_GUC_DENIED_H */

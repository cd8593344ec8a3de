/*
 * server/crl_dir_look.h
 *		The worker's look at what lies in ssl_crl_dir, for all who want to know.
 */
#ifndef ESG_SERVER_CRL_DIR_LOOK_H
#define ESG_SERVER_CRL_DIR_LOOK_H

#include "files/known_dir.h"

/* Looks now; now_ns: since 1970.  Never NULL; holds until the next look. */
extern const EsgKnownDir *esg_crl_dir_look(const char *path, int64 now_ns);

/* What the last look found; NULL: there was none, or it could not be entered. */
extern const EsgKnownDir *esg_crl_dir_last_look(const char *path);

#endif							/* ESG_SERVER_CRL_DIR_LOOK_H */

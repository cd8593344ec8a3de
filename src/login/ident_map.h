/*
 * login/ident_map.h
 *		Core's user name maps, asked at a login and afterwards.
 */
#ifndef ESG_LOGIN_IDENT_MAP_H
#define ESG_LOGIN_IDENT_MAP_H

#include "libpq/hba.h"

/*
 * At every login: keeps this process's copy of pg_ident.conf, see ident_map.c.
 * matched: the line of pg_hba.conf that let it in.
 */
extern void esg_ident_map_keep(const HbaLine *matched);

/* preloading only, after other parts of ours have put in their emit_log_hook */
extern void esg_ident_map_init(void);

/*
 * Reads pg_ident.conf as it is now into this process.  False: it could not be
 * read (logged), or has an error, and what the session began with stays.
 * ERROR if the copy was not kept, as in a background process.
 */
extern bool esg_ident_map_reload(void);

/*
 * Does the map let this identity (UTF-8) be that role?  Only at a login, or
 * after esg_ident_map_reload().  A mismatch is not logged; a regular
 * expression that fails is.
 */
extern bool esg_ident_map_accepts(const char *map, const char *role_name, const char *identity);

#endif							/* ESG_LOGIN_IDENT_MAP_H */

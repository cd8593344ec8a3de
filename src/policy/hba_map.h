/*
 * policy/hba_map.h
 *		Whom a line of pg_ident.conf lets be somebody else.
 *
 * Pure.
 */
#ifndef ESG_POLICY_HBA_MAP_H
#define ESG_POLICY_HBA_MAP_H

#include <stdbool.h>

/* What the line lets be: the role, "all", or those that an expression fits. */
typedef struct EsgHbaMapRole
{
	const char *text;
	bool		is_all;
	bool		is_regex;
} EsgHbaMapRole;

/*
 * Does its regular expression lack an anchor, so that a name that only holds the
 * right one is taken for it, or does it let anybody be a role of choice?  Said
 * only where it is certain.
 */
extern bool esg_hba_map_is_loose(const char *system_user, const EsgHbaMapRole *role);

#endif							/* ESG_POLICY_HBA_MAP_H */

/*
 * server/guc_strict.h
 *		A value that cannot be accepted is not passed over.
 *
 * Core defines an extension's settings after it has read postgresql.conf; a
 * value that does not suit them then is a WARNING, and the default counts: a
 * check that somebody switched on would be off.
 */
#ifndef ESG_SERVER_GUC_STRICT_H
#define ESG_SERVER_GUC_STRICT_H

#include "nodes/pg_list.h"

/* One setting of ours as the configuration files have it; texts palloc'd. */
typedef struct EsgRejectedSetting
{
	char	   *name;
	char	   *value;
	char	   *reason;			/* core's words: message, detail and hint */
	char	   *file;
	int			line;
} EsgRejectedSetting;

/*
 * At server start: remember before our settings are defined, insist after.  A
 * value that was not accepted, or a name that is none of ours, is FATAL.
 */
extern void esg_guc_strict_remember(void);
extern void esg_guc_strict_insist(void);

/*
 * After a reload: what of the configuration files is not accepted, a List of
 * EsgRejectedSetting's.  False: the files cannot be read.
 */
extern bool esg_guc_strict_find(List **out);

#endif							/* ESG_SERVER_GUC_STRICT_H */

/*
 * login/resets.h
 *		What is counted of logins, by name: since when, and how to begin anew.
 */
#ifndef ESG_LOGIN_RESETS_H
#define ESG_LOGIN_RESETS_H

#include "datatype/timestamp.h"

/* how many there are, and the n-th one's name */
extern int	esg_resets_count(void);
extern const char *esg_resets_name(int n);

extern void esg_resets_init(void);

/* when the n-th began to count; needs shared memory */
extern TimestampTz esg_resets_since(int n);

/* Forgets what the n-th has, returns how many entries that were; needs shared memory. */
extern int64 esg_resets_reset(int n);

/* writes the file if anything changed since; worker, and postmaster at exit */
extern void esg_resets_save(void);

#endif							/* ESG_LOGIN_RESETS_H */

/*
 * ctl/fetch_reload.h
 *		What is to be done when a CRL was written.
 *
 * A mark beside the file says that it is still to be done: whoever is killed in
 * between, or fails, leaves it to the next run.
 */
#ifndef ESG_CTL_FETCH_RELOAD_H
#define ESG_CTL_FETCH_RELOAD_H

#include "ctl/crl_target.h"

/* is there one that is still to be done? */
extern bool esg_fetch_reload_is_due(const EsgCrlTarget *target);

/* before the first file is replaced; reports its errors */
extern bool esg_fetch_reload_mark(EsgCrlTarget *target);

/* by the shell, as the server's user; takes the mark away if it succeeds.  False with a message. */
extern bool esg_fetch_reload_run(EsgCrlTarget *target, const char *command);

/* nothing was written after all */
extern void esg_fetch_reload_unmark(const EsgCrlTarget *target);

#endif							/* ESG_CTL_FETCH_RELOAD_H */

/*
 * ctl/prompt.h
 *		Where ssl_guard_ctl gets a passphrase from.
 */
#ifndef ESG_CTL_PROMPT_H
#define ESG_CTL_PROMPT_H

#include <stdbool.h>

#include "secret/format.h"

/*
 * From the first line of file if that is not NULL; else from the terminal,
 * twice and without echo, if standard input is one; else from the first line of
 * standard input.  False with a message, out wiped, if there is none that can
 * be used.
 */
extern bool esg_prompt_read(const char *file, EsgPassphrase *out);

/* the same for one that will be tried: the terminal is asked once */
extern bool esg_prompt_read_known(const char *file, EsgPassphrase *out);

#endif							/* ESG_CTL_PROMPT_H */

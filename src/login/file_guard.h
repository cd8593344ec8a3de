/*
 * login/file_guard.h
 *		May a connection be set up with the TLS files as they are right now?
 *
 * Looks with stat() and access() only, at each call: what is mended is mended
 * at once.  Of what lies in ssl_crl_dir there may be too much for that; see
 * crl_dir_verdict.h.
 */
#ifndef ESG_LOGIN_FILE_GUARD_H
#define ESG_LOGIN_FILE_GUARD_H

#include "policy/file.h"

/* The first violation of the file rules that enforce refuses for. */
typedef struct EsgFileViolation
{
	EsgCode		code;			/* ESG_NO_FINDING: none, and the rest is unset */
	char	   *path;			/* palloc'd, printable */
	char	   *message;		/* "has mode 0666" */
	char	   *suggestion;		/* the command that mends it, "" if there is
								 * none */
} EsgFileViolation;

extern void esg_file_guard_check(EsgFileViolation *out);

/* the same at server start: FATAL with the file and the remedy */
extern void esg_file_guard_start(void);

/* The worker's: judges what its last look found in ssl_crl_dir, so that no login need. */
extern void esg_file_guard_renew(void);

#endif							/* ESG_LOGIN_FILE_GUARD_H */

/*
 * ctl/run_program.h
 *		Runs other programs side by side, with a time limit.
 */
#ifndef ESG_CTL_RUN_PROGRAM_H
#define ESG_CTL_RUN_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#define ESG_RUN_MAX_ARGUMENTS 32

/* What is to be run, and what came of it. */
typedef struct EsgRun
{
	const char *argv[ESG_RUN_MAX_ARGUMENTS + 1];	/* the program first */
	char	   *out;			/* standard output; "" if none */
	char	   *err;			/* standard error; "" if none */
	int			exit_code;		/* -1: it did not get so far */
	bool		late;			/* it was ended, as time was up */
	pid_t		pid;			/* from here on nobody else's */
	int			out_fd;
	int			err_fd;
} EsgRun;

/*
 * All of them, some at a time; what is not done after so many seconds is ended.
 * Without standard input, in the C locale.  False with a message if one could not be
 * started.  Texts are for esg_run_program_free() in any case.
 */
extern bool esg_run_program_all(EsgRun *runs, int count, int seconds);
extern void esg_run_program_free(EsgRun *runs, int count);

#endif							/* ESG_CTL_RUN_PROGRAM_H */

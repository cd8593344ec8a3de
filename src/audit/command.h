/*
 * audit/command.h
 *		A shell command with a time limit, run by a child of the worker.
 *
 * Between the worker and the command stands a process of ours (audit/child.h),
 * which may block as long as it likes: it feeds the command, reads what it says,
 * and ends its whole process group when time is up, or when the worker ends for
 * whatever reason.
 */
#ifndef ESG_AUDIT_COMMAND_H
#define ESG_AUDIT_COMMAND_H

/* the last so many bytes of what a command says are kept */
#define ESG_COMMAND_OUTPUT 1000

typedef struct EsgCommand
{
	const char *text;			/* for /bin/sh -c */
	char	  **environment;	/* "NAME=value", NULL at the end: added to the
								 * server's */
	const char *input;			/* its standard input */
	Size		input_size;
	int			time_limit;		/* seconds */
} EsgCommand;

typedef struct EsgCommandResult
{
	int			status;			/* as of waitpid(); -1: it could not be run,
								 * or does not end */
	int			late;			/* the time limit that ended it, 0 if none did */
	int			output_size;
	char		output[ESG_COMMAND_OUTPUT]; /* of both standard output and
											 * error, any bytes */
} EsgCommandResult;

/* EsgChildWorkFn: arg is an EsgCommand, the result an EsgCommandResult. */
extern void *esg_command_run(void *arg, Size *size);

#endif							/* ESG_AUDIT_COMMAND_H */

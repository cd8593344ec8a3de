/*
 * audit/trial.h
 *		What would a reload load, and would it succeed?
 *
 * Found out by a child (audit/child.h), which the worker waits for no longer than
 * it wants to.
 */
#ifndef ESG_AUDIT_TRIAL_H
#define ESG_AUDIT_TRIAL_H

#include "audit/config_files.h"
#include "audit/prove.h"
#include "policy/worse.h"
#include "server/sni_hosts.h"

/* A file that the server loads, or one of its keys.  Names that are too long are cut. */
typedef struct EsgTrialFile
{
	char		setting[32];
	char		path[MAXPGPATH];
	int			line;			/* as in EsgTlsFile */
	char		host[ESG_WORTH_NAME_SIZE];	/* "" if it is no host's */
	int			host_index;
	bool		is_key;
	unsigned char sha256[ESG_DIGEST_SIZE];	/* zeroes: it could not be read,
											 * or is a key */
	TimestampTz changed_at;		/* by the file system */
	EsgWorth	worth;
} EsgTrialFile;

/* One flat piece of memory without pointers. */
typedef struct EsgTrial
{
	unsigned char signature[ESG_DIGEST_SIZE];	/* see audit/file_state.h */
	bool		at_rest;		/* the files stayed as they are while it
								 * lasted */
	EsgConfigState config;
	EsgProved	proved;
	int			file_count;
	int			item_count;
	EsgTrialFile files[FLEXIBLE_ARRAY_MEMBER];
	/* the items are behind them */
} EsgTrial;

extern const EsgWorthItem *esg_trial_items(const EsgTrial *trial);

typedef struct EsgTrialTask
{
	bool		prove;
	const EsgHosts *hosts;		/* in service */
} EsgTrialTask;

/* EsgChildWorkFn, of an EsgTrialTask */
extern void *esg_trial_run(void *arg, Size *size);

#endif							/* ESG_AUDIT_TRIAL_H */

/*
 * policy/file.h
 *		Judging files by what stat() says of them, and by what was found inside.
 *
 * Pure.  Filling EsgFileFacts is tls_files' job.
 */
#ifndef ESG_POLICY_FILE_H
#define ESG_POLICY_FILE_H

#include <sys/types.h>

#include "policy/policy.h"
#include "x509/pem.h"

typedef enum EsgFileKind
{
	ESG_FILE_CERTIFICATE,		/* server chain */
	ESG_FILE_KEY,
	ESG_FILE_CLIENT,			/* a client's chain */
	ESG_FILE_CA,
	ESG_FILE_CRL,
	ESG_FILE_CRL_DIR,
	ESG_FILE_DH_PARAMS,			/* watched, not looked into */
	ESG_FILE_EXTRA,				/* nobody said what it is */
	ESG_FILE_PASSPHRASE,		/* server.key.cipher, server.key.rand: key
								 * rules */
	ESG_FILE_HOSTS,				/* pg_hosts.conf, or a part of it: has
								 * commands that the server runs */
	ESG_FILE_LEFTOVER,			/* server.key.cipher.new, server.key.rand.new:
								 * key rules, and should not be there */
	ESG_FILE_PAIR_DIRECTORY,	/* where these are looked for */
	ESG_FILE_DIRECTORY			/* on the path of one of the above */
} EsgFileKind;

/* the longest name of an account, NUL included; a longer one counts as none */
#define ESG_OWNER_NAME_SIZE 128

typedef struct EsgFileFacts
{
	int			error;			/* errno of stat or open, 0 if all is well */
	bool		exists;
	mode_t		mode;			/* st_mode, type bits included */
	uid_t		uid;
	gid_t		gid;
	char		owner_name[ESG_OWNER_NAME_SIZE];	/* "" if there is none, or
													 * nobody asked */
	bool		system_owner;	/* uid is one of those for accounts of the
								 * system; false if nobody asked */
	int64_t		size;
	int64_t		mtime;			/* seconds since 1970 */
	int64_t		ctime_ns;		/* change time, for "did anything change" only */
	uint64_t	device;
	uint64_t	inode;
	bool		too_large;		/* capped while reading, or by size */
	bool		read_only;		/* nobody may write there, whatever the mode;
								 * false if nobody asked */
} EsgFileFacts;

/* "certificate", "key", "client", "ca", "crl", "crl_dir", "dh_params", "extra", "passphrase", "hosts", "directory" */
extern const char *esg_policy_file_kind_name(EsgFileKind kind);

/* a directory that is there for what lies below; a file that only the server should read */
extern bool esg_policy_file_is_directory(EsgFileKind kind);
extern bool esg_policy_file_is_secret(EsgFileKind kind);

/* content: what was found in it; NULL for one that was not, or need not be, read */
extern void esg_policy_file_check(const EsgFileFacts *facts, EsgFileKind kind,
								  const EsgPemResult *content,
								  const EsgPolicy *policy, EsgFindings *out);

/* Would esg_policy_file_check() find nothing, the content aside?  Costs next to nothing. */
extern bool esg_policy_file_is_good(const EsgFileFacts *facts, EsgFileKind kind, const EsgPolicy *policy);

/* is it a stranger's?  Then the facts should have owner_name and system_owner. */
extern bool esg_policy_file_is_strange(const EsgFileFacts *facts, const EsgPolicy *policy);

/* the mode chmod should set, or 0 if the mode is fine */
extern unsigned esg_policy_file_wanted_mode(const EsgFileFacts *facts, EsgFileKind kind,
											const EsgPolicy *policy);

/*
 * Shell command that mends the worst finding about mode or owner, or tidies up
 * what was left of writing a pair; new text, "" if none; path is quoted for the shell; owner_name is the server's user.  It
 * begins with chown if it changes the owner.
 */
extern char *esg_policy_file_suggestion(const EsgFileFacts *facts, EsgFileKind kind,
										const char *path, const char *owner_name,
										const EsgPolicy *policy);

#endif							/* ESG_POLICY_FILE_H */

/*
 * secret/pair.h
 *		Reading a passphrase pair from a directory.
 *
 * The same rules for the server and for ssl_guard_ctl: who may own the files,
 * which modes they may have, and what to do when a writer was interrupted or is
 * at work.  Never blocks on a special file; follows symbolic links and judges
 * their targets.
 *
 * Pure.  POSIX calls, but nothing of PostgreSQL.
 */
#ifndef ESG_SECRET_PAIR_H
#define ESG_SECRET_PAIR_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "policy/key_mode.h"
#include "secret/format.h"

/* names in the directory: "server.key" or "client.key" and one of these */
#define ESG_CIPHER_SUFFIX ".cipher"
#define ESG_RANDOM_SUFFIX ".rand"
/* a writer's .rand file that takes effect when its .cipher file is in place */
#define ESG_PENDING_SUFFIX ".rand.new"
/* and that .cipher file before it is in place; no reader looks at it */
#define ESG_UNFINISHED_SUFFIX ".cipher.new"

#define ESG_PAIR_PATH_SIZE 1280

typedef enum EsgPairFault
{
	ESG_PAIR_OK = 0,
	ESG_PAIR_NO_DIRECTORY,		/* see error */
	ESG_PAIR_MISSING,			/* this half is not there */
	ESG_PAIR_UNREADABLE,		/* see error */
	ESG_PAIR_NOT_REGULAR,
	ESG_PAIR_WRONG_OWNER,
	ESG_PAIR_TOO_OPEN,			/* see mode */
	ESG_PAIR_BAD_CONTENT,		/* see content */
	ESG_PAIR_PATH_TOO_LONG
} EsgPairFault;

/* What became of reading a pair. */
typedef struct EsgPairStatus
{
	EsgPairFault fault;
	int			error;			/* errno */
	mode_t		mode;			/* permission bits of the file at fault */
	unsigned	allowed;		/* those that it may have */
	EsgSecretResult content;
	bool		pending;		/* the random bytes are in .rand.new: a writer
								 * was interrupted */
	char		path[ESG_PAIR_PATH_SIZE];	/* the file at fault, or the
											 * .cipher file */
} EsgPairStatus;

/* is a private key with that owner and mode as the rule has it? */
extern EsgPairFault esg_secret_pair_check_mode(uid_t owner, mode_t mode, const EsgKeyRule *rule);

/* is there a .cipher or a .rand file, or something that cannot be looked at? */
extern bool esg_secret_pair_exists(const char *directory, const char *key_name);

/* is there a file of a writer's, ESG_PENDING_SUFFIX or ESG_UNFINISHED_SUFFIX, as far as one can see? */
extern bool esg_secret_pair_is_leftover(const char *directory, const char *key_name,
										const char *suffix);

/*
 * Reads and decrypts files that are as the rule has it; key_name is
 * "server.key" or "client.key".  True if out holds the passphrase; else out is
 * wiped and status says why.
 */
extern bool esg_secret_pair_read(const char *directory, const char *key_name,
								 const EsgKeyRule *rule, EsgPassphrase *out,
								 EsgPairStatus *status);

/* reads a regular file into size bytes, no more; 0 or errno */
extern int	esg_secret_pair_read_fd(int fd, unsigned char *data, size_t size, size_t *len);

/* the reason, to follow "cannot be used: "; at most ESG_PAIR_REASON_SIZE */
#define ESG_PAIR_REASON_SIZE 256
extern void esg_secret_pair_reason(const EsgPairStatus *status, char *buf, size_t size);

#endif							/* ESG_SECRET_PAIR_H */

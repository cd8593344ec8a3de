/*
 * files/content.h
 *		The content of a file, read or hashed.
 *
 * Never blocks: opens with O_NONBLOCK, reads regular files only, with a cap that
 * also holds while reading.  No error; what is allocated is OpenSSL's.
 */
#ifndef ESG_FILES_CONTENT_H
#define ESG_FILES_CONTENT_H

#include "policy/file.h"

#define ESG_CERT_FILE_LIMIT (INT64_C(1) << 20)
#define ESG_CA_FILE_LIMIT (INT64_C(64) << 20)
#define ESG_CRL_FILE_LIMIT (INT64_C(1) << 30)

/* All zero is none. */
typedef struct EsgContent
{
	char	   *data;			/* NULL if there is none */
	size_t		len;
	bool		hashed;
	unsigned char sha256[ESG_DIGEST_SIZE];
} EsgContent;

/* the most that is read of such a file */
extern int64_t esg_content_limit(EsgFileKind kind);

/* Reads and hashes; false if out->data is not there, the reason is in facts */
extern bool esg_content_read(const char *path, int64_t limit, EsgFileFacts *facts, EsgContent *out);

/* Hashes only, in constant memory */
extern bool esg_content_hash(const char *path, int64_t limit, EsgFileFacts *facts, unsigned char *sha256);

/* wipes; none afterwards */
extern void esg_content_release(EsgContent *content);

/* Why there is none: for a person, in the words of strerror(3) where the file system refused. */
extern const char *esg_content_reason(const EsgFileFacts *facts);

#endif							/* ESG_FILES_CONTENT_H */

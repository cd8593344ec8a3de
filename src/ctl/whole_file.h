/*
 * ctl/whole_file.h
 *		A file's content, by way of its directory.
 */
#ifndef ESG_CTL_WHOLE_FILE_H
#define ESG_CTL_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Reads a regular file of at most limit bytes; never blocks, follows symbolic
 * links only if it is told to.  directory: descriptor, or AT_FDCWD.  0, and *data, with a NUL behind it, is for OPENSSL_free(); else an
 * errno, EFBIG for one that is larger.
 */
extern int	esg_whole_file_read(int directory, const char *name, bool follow, size_t limit,
								struct stat *st, char **data, size_t *len);

#endif							/* ESG_CTL_WHOLE_FILE_H */

/*
 * ctl/data_directory.h
 *		Is this directory a part of a server's data directory?
 */
#ifndef ESG_CTL_DATA_DIRECTORY_H
#define ESG_CTL_DATA_DIRECTORY_H

#include <limits.h>
#include <stdbool.h>

/* of a directory or file, symbolic links resolved; true: found is the data directory */
extern bool esg_data_directory_find(const char *start, char found[PATH_MAX]);

#endif							/* ESG_CTL_DATA_DIRECTORY_H */

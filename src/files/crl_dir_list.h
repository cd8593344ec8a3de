/*
 * files/crl_dir_list.h
 *		What lies in ssl_crl_dir.
 */
#ifndef ESG_FILES_CRL_DIR_LIST_H
#define ESG_FILES_CRL_DIR_LIST_H

#include <stdbool.h>

/* more than that are not looked at */
#define ESG_MAX_CRL_DIR_FILES 4096

/* All zero is an empty one. */
typedef struct EsgCrlDirList
{
	char	  **paths;			/* sorted */
	int			count;
	int			error;			/* errno; EFBIG: there are more; 0 if these
								 * are all */
	bool		depends;		/* not on the directory alone: a link to
								 * elsewhere counts by what is there */
	int			capacity;
} EsgCrlDirList;

/*
 * Entries worth looking at, sorted by name: what is named as OpenSSL looks for it,
 * whatever it is, and regular files of any other name.
 */
extern void esg_crl_dir_list_read(const char *dir, EsgCrlDirList *out);
extern void esg_crl_dir_list_free(EsgCrlDirList *list);

#endif							/* ESG_FILES_CRL_DIR_LIST_H */

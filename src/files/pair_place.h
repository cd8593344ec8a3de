/*
 * files/pair_place.h
 *		Is a passphrase pair where backups take it along with the key?
 */
#ifndef ESG_FILES_PAIR_PLACE_H
#define ESG_FILES_PAIR_PLACE_H

#include <stdbool.h>

/* Both halves of the server's pair in directory are in the data directory, or below it, links followed. */
extern bool esg_pair_place_is_in_backup(const char *directory, const char *data_directory);

#endif							/* ESG_FILES_PAIR_PLACE_H */

/*
 * server/loaded_files.h
 *		Which content of the TLS files the server has loaded.
 *
 * Core loads the files at start and at each reload, and never says what it
 * read.  So the first look at a file after a successful load is taken for what
 * was loaded; a later look that finds other content has found a file that
 * nobody reloaded.  A look that began before the load says nothing about it.
 */
#ifndef ESG_SERVER_LOADED_FILES_H
#define ESG_SERVER_LOADED_FILES_H

#include "x509/memo.h"

extern void esg_loaded_files_init(void);

/* a file's name to all who remember what was loaded */
extern uint64 esg_loaded_files_name(const char *setting, const char *path);

/*
 * Is this content (SHA-256) another than what the server loaded from the file
 * that the setting names?  Where nothing is known, and for files above
 * ESG_MAX_LOADED_FILES, no.  as_of: the sequence of EsgLoadState when the look
 * began.
 */
#define ESG_MAX_LOADED_FILES 1024
extern bool esg_loaded_files_differ(const char *setting, const char *path,
									const unsigned char *sha256, uint32 as_of);

#endif							/* ESG_SERVER_LOADED_FILES_H */

/*
 * login/clients_save.h
 *		The file that keeps the client registry over a restart.
 *
 * pg_stat/ext_ssl_guard.clients in the data directory: a header with magic,
 * owner, sizes, count and CRC-32C, then the entries as they are in memory.
 * Replaced atomically.  A file that is not whole is renamed to
 * ext_ssl_guard.clients.damaged with a log line; one that came with a copy of
 * another data directory is removed with a log line; never an error.
 */
#ifndef ESG_LOGIN_CLIENTS_SAVE_H
#define ESG_LOGIN_CLIENTS_SAVE_H

#include "login/client_entry.h"

typedef void (*EsgClientLoadFn) (const EsgClientEntry *entry);

extern void esg_clients_save_load(EsgClientLoadFn each);

/* false: not written, the old file stays; the reason is in the log */
extern bool esg_clients_save_write(const EsgClientRow *rows, int count);

#endif							/* ESG_LOGIN_CLIENTS_SAVE_H */

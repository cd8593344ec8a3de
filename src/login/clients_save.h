/*
 * login/clients_save.h
 *		The file that keeps the client registry over a restart.
 *
 * pg_stat/ext_ssl_guard.clients, see server/saved_file.h.
 */
#ifndef ESG_LOGIN_CLIENTS_SAVE_H
#define ESG_LOGIN_CLIENTS_SAVE_H

#include "login/client_entry.h"
#include "server/saved_file.h"

/* each entry is an EsgClientEntry */
extern void esg_clients_save_load(EsgSavedEntryFn each);

/* false: not written, the old file stays; the reason is in the log */
extern bool esg_clients_save_write(const EsgClientRow *rows, int count);

#endif							/* ESG_LOGIN_CLIENTS_SAVE_H */

/*
 * login/clients_save.h
 *		The file that keeps the client registry over a restart.
 *
 * pg_stat/ext_ssl_guard.clients, see server/slot_file.h; its entries have the
 * numbers of the registry's.
 */
#ifndef ESG_LOGIN_CLIENTS_SAVE_H
#define ESG_LOGIN_CLIENTS_SAVE_H

#include "login/client_entry.h"
#include "server/slot_file.h"

extern const EsgSlotFile esg_clients_save_file;

/*
 * Calls each with all entries, which are EsgClientEntry.  False: there are none, and
 * what was taken is not to be kept.  *generation: of the file, 0 if it is to be
 * written anew, as when it is one of the last version's.
 */
extern bool esg_clients_save_load(EsgSlotEntryFn each, uint64 *generation);

#endif							/* ESG_LOGIN_CLIENTS_SAVE_H */

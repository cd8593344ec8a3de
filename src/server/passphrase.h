/*
 * server/passphrase.h
 *		What opens the private key: the passphrase pair.
 */
#ifndef ESG_SERVER_PASSPHRASE_H
#define ESG_SERVER_PASSPHRASE_H

#include <openssl/ssl.h>

#include "server/report.h"

/* preloading only: from now on nothing of a passphrase stays behind a load */
extern void esg_passphrase_init(void);

/*
 * For the TLS hook, after the hooks before ours: if there is a pair, or half of
 * one, it answers OpenSSL's question for the passphrase instead of
 * ssl_passphrase_command or the terminal.  No lock, no allocation, no ERROR.
 */
extern void esg_passphrase_install(SSL_CTX *context, bool is_server_start);

/*
 * True if there is a pair that cannot be used, or passphrase_directory is not
 * there; then out is the alarm of it (passphrase_unusable).  Not in the
 * postmaster.
 */
extern bool esg_passphrase_check(const EsgOverrides overrides, EsgAlarm *out);

/* is there a pair, and do copies of the data directory have all of it?  Not in the postmaster. */
extern bool esg_passphrase_in_backup(void);

#endif							/* ESG_SERVER_PASSPHRASE_H */

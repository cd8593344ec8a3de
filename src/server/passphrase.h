/*
 * server/passphrase.h
 *		What opens the private key: the passphrase pair.
 */
#ifndef ESG_SERVER_PASSPHRASE_H
#define ESG_SERVER_PASSPHRASE_H

#include <openssl/ssl.h>

#include "files/load.h"
#include "server/report.h"

/*
 * For the TLS hook, after the hooks before ours: if there is a pair, or half of
 * one, it answers OpenSSL's question for the passphrase instead of
 * ssl_passphrase_command or the terminal.  No lock, no allocation, no ERROR.
 */
extern void esg_passphrase_install(SSL_CTX *context, bool is_server_start);

/*
 * For a process that opens a key and ends right after it: like the above, but nobody is
 * asked where there is no pair.  with_pair: false where the server would not use
 * it.  *source says afterwards who was asked.  Nothing of a passphrase stays in
 * memory that is freed.
 */
extern void esg_passphrase_install_for_trial(SSL_CTX *context, bool with_pair,
											 EsgPassphraseSource *source);

/*
 * True if there is a pair that cannot be used, or passphrase_directory is not
 * there; then out is the alarm of it (passphrase_unusable).  Not in the
 * postmaster.
 */
extern bool esg_passphrase_check(const EsgOverrides overrides, EsgAlarm *out);

/* is there a pair, and do copies of the data directory have all of it?  Not in the postmaster. */
extern bool esg_passphrase_in_backup(void);

#endif							/* ESG_SERVER_PASSPHRASE_H */

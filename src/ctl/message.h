/*
 * ctl/message.h
 *		What ssl_guard_ctl says on standard error.
 *
 * Never a passphrase.
 */
#ifndef ESG_CTL_MESSAGE_H
#define ESG_CTL_MESSAGE_H

#include <stdbool.h>

/* "ssl_guard_ctl: error: …"; false, for the caller to return */
extern bool esg_message_error(const char *fmt,...) __attribute__((format(printf, 1, 2)));
extern void esg_message_warning(const char *fmt,...) __attribute__((format(printf, 1, 2)));
extern void esg_message_hint(const char *fmt,...) __attribute__((format(printf, 1, 2)));
extern void esg_message_note(const char *fmt,...) __attribute__((format(printf, 1, 2)));

#endif							/* ESG_CTL_MESSAGE_H */

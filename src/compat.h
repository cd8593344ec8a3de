/*
 * compat.h
 *		Every test of PG_VERSION_NUM and OPENSSL_VERSION_NUMBER.
 *
 * Supplies the newest API to older versions.  The OpenSSL part is usable
 * without PostgreSQL's headers: the pure layer includes this file too.
 *
 * Layer 0.
 */
#ifndef ESG_COMPAT_H
#define ESG_COMPAT_H

#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER < 0x10101000L
#error "ext_ssl_guard needs OpenSSL 1.1.1 or newer"
#endif

#endif							/* ESG_COMPAT_H */

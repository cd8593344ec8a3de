/*
 * server/one_openssl.h
 *		Is our OpenSSL the server's?
 */
#ifndef ESG_SERVER_ONE_OPENSSL_H
#define ESG_SERVER_ONE_OPENSSL_H

/* ERROR if not, before anything else of OpenSSL is called */
extern void esg_one_openssl_require(void);

#endif							/* ESG_SERVER_ONE_OPENSSL_H */

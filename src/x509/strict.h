/*
 * x509/strict.h
 *		What strict clients refuse in a certificate: the rules of RFC 5280 that
 *		OpenSSL enforces with X509_V_FLAG_X509_STRICT.
 *
 * Python 3.13 and later, for one, set that flag by default.
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_X509_STRICT_H
#define ESG_X509_STRICT_H

#include <stdbool.h>

#include <openssl/x509.h>

/*
 * The first rule that the certificate breaks, as a phrase ("no authority key
 * identifier"), static; NULL if it keeps them all.  self_signed: its own key
 * verifies its signature, so that it need not name its issuer's.  issues: it
 * stands where a CA stands.
 */
extern const char *esg_x509_strict_fault(X509 *cert, bool self_signed, bool issues);

#endif							/* ESG_X509_STRICT_H */

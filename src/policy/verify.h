/*
 * policy/verify.h
 *		What OpenSSL itself says of a chain as the server sends it.
 *
 * Pure.  OpenSSL's error queue is left empty.
 */
#ifndef ESG_POLICY_VERIFY_H
#define ESG_POLICY_VERIFY_H

#include <stdbool.h>

#include <openssl/x509.h>

/* Why clients refuse a chain. */
typedef struct EsgChainFault
{
	int			error;			/* X509_V_ERR_*; X509_V_OK: they do not */
	int			depth;			/* of the certificate at fault; 0: the leaf */
} EsgChainFault;

/*
 * Verifies path[0], the leaf, up to path[count - 1], which is taken for trusted,
 * as clients do for a server's certificate (X509_verify_cert, RFC 5280 section
 * 6), but for times and signatures by weak algorithms.  *out is the first reason
 * that has no finding of its own; false: memory ran out.
 */
extern bool esg_policy_verify_path(X509 *const *path, int count, EsgChainFault *out);

#endif							/* ESG_POLICY_VERIFY_H */

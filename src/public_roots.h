/*
 * public_roots.h
 *		Root certificates that the public trusts, known by their fingerprint.
 *
 * Layer 1: pure.
 */
#ifndef ESG_PUBLIC_ROOTS_H
#define ESG_PUBLIC_ROOTS_H

#include <stdbool.h>

/* fingerprint: SHA-256 of the certificate, 32 bytes */
extern bool esg_public_roots_has(const unsigned char *fingerprint);

#endif							/* ESG_PUBLIC_ROOTS_H */

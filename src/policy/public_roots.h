/*
 * policy/public_roots.h
 *		Root certificates that the public trusts, known by their fingerprint.
 */
#ifndef ESG_POLICY_PUBLIC_ROOTS_H
#define ESG_POLICY_PUBLIC_ROOTS_H

/* its name, or NULL; fingerprint: SHA-256 of the certificate, 32 bytes */
extern const char *esg_public_roots_name(const unsigned char *fingerprint);

#endif							/* ESG_POLICY_PUBLIC_ROOTS_H */

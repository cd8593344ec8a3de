/*
 * policy/public_roots.h
 *		Root certificates that the public trusts, known by their fingerprint.
 */
#ifndef ESG_POLICY_PUBLIC_ROOTS_H
#define ESG_POLICY_PUBLIC_ROOTS_H

/* as much of a fingerprint tells them apart */
#define ESG_PUBLIC_ROOT_SIZE 8

/* its name, or NULL; fingerprint: SHA-256 of the certificate, or the first len bytes of it */
extern const char *esg_public_roots_name(const unsigned char *fingerprint, int len);

#endif							/* ESG_POLICY_PUBLIC_ROOTS_H */

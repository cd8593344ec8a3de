/*
 * ctl/identity.h
 *		A client's certificate and its key, to be presented.
 */
#ifndef ESG_CTL_IDENTITY_H
#define ESG_CTL_IDENTITY_H

#include <stdbool.h>

#include <openssl/x509.h>

typedef struct EsgIdentity
{
	X509	   *cert;
	STACK_OF(X509) *chain;		/* the further ones in the file */
	EVP_PKEY   *key;
} EsgIdentity;

/*
 * cert_file: PEM, the certificate first; key_file: PEM, or NULL: cert_file has it,
 * too.  The passphrase of an encrypted key comes from the pair beside it, if there
 * is one; else from where esg_prompt_read_known() has it.  The memory should be
 * protected (ctl/memory.h).  False with a message; out is to be freed in either
 * case.
 */
extern bool esg_identity_load(const char *cert_file, const char *key_file,
							  const char *passphrase_file, EsgIdentity *out);
extern void esg_identity_free(EsgIdentity *identity);

#endif							/* ESG_CTL_IDENTITY_H */

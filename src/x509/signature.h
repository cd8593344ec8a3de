/*
 * x509/signature.h
 *		Signature algorithms of certificates and CRLs, judged by their digest.
 */
#ifndef ESG_X509_SIGNATURE_H
#define ESG_X509_SIGNATURE_H

#include <stdbool.h>

#include <openssl/x509.h>

typedef enum EsgPssState
{
	ESG_PSS_NONE = 0,			/* not RSASSA-PSS */
	ESG_PSS_GOOD,
	ESG_PSS_UNDECODABLE,
	ESG_PSS_MGF_MISMATCH,		/* hash differs from the mask's, or unknown
								 * mask */
	ESG_PSS_BAD_TRAILER,
	ESG_PSS_BAD_SALT			/* a length below zero, or beyond an int */
} EsgPssState;

typedef struct EsgSigInfo
{
	char		algorithm[80];	/* "sha256WithRSAEncryption", or the dotted
								 * OID */
	char		digest[24];		/* "sha256"; "" if the algorithm has none of
								 * its own (Ed25519) or nobody knows */
	int			strength;		/* collision strength of the digest in bits, 0
								 * broken, -1 unknown */
	bool		broken_digest;	/* MD2 MD4 MD5 SHA-0 SHA-1 RIPEMD-* MDC2 */
	bool		no_separate_digest; /* SCRAM channel binding finds no digest */
	EsgPssState pss;
	bool		mismatch;		/* inner and outer algorithm differ */
} EsgSigInfo;

extern void esg_x509_sig_read_cert(const X509 *cert, EsgSigInfo *out);
extern void esg_x509_sig_read_crl(const X509_CRL *crl, EsgSigInfo *out);

#endif							/* ESG_X509_SIGNATURE_H */

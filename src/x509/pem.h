/*
 * x509/pem.h
 *		What is in the text of a certificate or CRL file.
 *
 * Walks the blocks just as OpenSSL's PEM reader does, so that what it yields is
 * what core loads, and says what stopped it.  Content of private keys that are
 * met on the way is wiped.
 */
#ifndef ESG_X509_PEM_H
#define ESG_X509_PEM_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

typedef enum EsgPemWant
{
	ESG_PEM_CERTS = 1 << 0,		/* CERTIFICATE, X509 CERTIFICATE, TRUSTED
								 * CERTIFICATE */
	ESG_PEM_CRLS = 1 << 1,		/* X509 CRL */
	ESG_PEM_TRUSTED = 1 << 2,	/* with ESG_PEM_CERTS: take TRUSTED
								 * CERTIFICATE at every position, as OpenSSL's
								 * reader of CA files does */
	ESG_PEM_TAILS = 1 << 3		/* with ESG_PEM_CERTS: take a first one with
								 * other data behind its DER, too */
} EsgPemWant;

typedef enum EsgPemEnd
{
	ESG_PEM_COMPLETE = 0,		/* read to the end */
	ESG_PEM_NOTHING,			/* no wanted block at all; see found */
	ESG_PEM_BROKEN,				/* a block that does not decode; see found */
	ESG_PEM_NO_MEMORY
} EsgPemEnd;

/*
 * How the first block of a file may be read: core reads the first certificate
 * of ssl_cert_file with PEM_read_bio_X509_AUX (which takes TRUSTED
 * CERTIFICATE), the others with PEM_read_bio_X509, which skips it silently.
 */
typedef struct EsgPemResult
{
	EsgPemEnd	end;
	int			certs;			/* callbacks made */
	int			crls;
	int			skipped_trusted;	/* TRUSTED CERTIFICATE blocks after the
									 * first certificate: PEM_read_bio_X509
									 * skips them, so core does in
									 * ssl_cert_file and in the list of CA
									 * names that it makes of ssl_ca_file for
									 * clients */
	int			tails;			/* certificates with other data behind their
								 * DER, which OpenSSL ignores */
	bool		refused_tail;	/* but as the first of ssl_cert_file */
	bool		glued;			/* "-----END X----------BEGIN X-----" is the
								 * fault */
	size_t		fault_offset;	/* byte of the fault, if end is ESG_PEM_BROKEN */
	char		found[96];		/* what was found instead, in words: "a
								 * CERTIFICATE REQUEST", "DER", "a PKCS#7
								 * structure", "HTML", "UTF-16 text",
								 * "nothing", … or the reason why a block is
								 * broken */
} EsgPemResult;

/* position counts from 1 by kind; return false to stop; the object is the callee's */
typedef bool (*EsgPemCertFn) (X509 *cert, int position, void *arg);
typedef bool (*EsgPemCrlFn) (X509_CRL *crl, int position, void *arg);

typedef struct EsgPemSink
{
	EsgPemCertFn cert;
	EsgPemCrlFn crl;
	void	   *arg;
} EsgPemSink;

extern void esg_pem_scan(const char *text, size_t len, unsigned want,
						 const EsgPemSink *sink, EsgPemResult *out);

#endif							/* ESG_X509_PEM_H */

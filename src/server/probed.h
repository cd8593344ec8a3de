/*
 * server/probed.h
 *		What the self-probe has seen last.
 *
 * Written by the worker, read by all.  What it has seen of the certificate in
 * service, where there is one, goes to server/state, too, which knows what is
 * the latest news of it.
 */
#ifndef ESG_SERVER_PROBED_H
#define ESG_SERVER_PROBED_H

#include "datatype/timestamp.h"

#include "x509/memo.h"

/* certificates of a chain that are kept, and bytes of a reason */
#define ESG_PROBED_CHAIN 10
#define ESG_PROBED_REASON_SIZE 512

typedef enum EsgProbeOutcome
{
	ESG_PROBED_NOT_YET = 0,		/* or it is switched off, or there is no TLS */
	ESG_PROBED_OK,
	ESG_PROBED_FAILED,
	ESG_PROBED_NO_ADDRESS,		/* the server listens on Unix sockets only */
	ESG_PROBED_NO_HOSTS			/* it is not known what hosts are in service */
} EsgProbeOutcome;

typedef struct EsgProbed
{
	EsgProbeOutcome outcome;
	TimestampTz at;				/* of the outcome */
	uint32		number;			/* rises with each; 0: none yet */
	uint32		load_sequence;	/* EsgLoadState's: it is about that load */
	bool		alarming;		/* failed, and not for the first time */
	char		reason[ESG_PROBED_REASON_SIZE]; /* if failed; printable */
	int			chain_count;	/* as shown, the leaf first; 0 if there are
								 * several hosts, or it has failed */
	unsigned char chain[ESG_PROBED_CHAIN][ESG_DIGEST_SIZE];
} EsgProbed;

extern void esg_probed_init(void);

extern void esg_probed_get(EsgProbed *out);
extern void esg_probed_set(const EsgProbed *probed);

/* the certificate of that host, counted from 0, of the load with that EsgLoadState's served_number */
extern void esg_probed_set_host(uint32 served_number, int index, const unsigned char *fingerprint);

/* Puts what is known of that load in the place of what was loaded. */
extern void esg_probed_apply(uint32 served_number, unsigned char (*fingerprints)[ESG_DIGEST_SIZE],
							 int count);

#endif							/* ESG_SERVER_PROBED_H */

/*
 * ctl/fetch_sources.h
 *		Where CRLs are to be had.
 */
#ifndef ESG_CTL_FETCH_SOURCES_H
#define ESG_CTL_FETCH_SOURCES_H

#include "ctl/fetch_cas.h"

/* URLs for one purpose: the first that works will do. */
typedef struct EsgFetchSource
{
	char	   *subject;		/* of the certificate that names them,
								 * printable; NULL: they were given */
	bool		has_other;		/* it names points that are none of these */
	int			count;
	char	  **urls;
} EsgFetchSource;

typedef struct EsgFetchSources
{
	int			count;
	EsgFetchSource *items;
} EsgFetchSources;

/* All report their errors: false then. */
extern bool esg_fetch_sources_add_url(EsgFetchSources *sources, const char *url);

/*
 * The distribution points of certificates whose issuer is one of the CAs, each
 * set of URLs once.  must: it has to be one of theirs.
 */
extern bool esg_fetch_sources_add_certs(EsgFetchSources *sources, STACK_OF(X509) *certs,
										const EsgFetchCas *cas, bool must);
extern void esg_fetch_sources_free(EsgFetchSources *sources);

#endif							/* ESG_CTL_FETCH_SOURCES_H */

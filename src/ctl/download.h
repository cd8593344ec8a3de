/*
 * ctl/download.h
 *		Gets what a URL leads to, within limits.
 */
#ifndef ESG_CTL_DOWNLOAD_H
#define ESG_CTL_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/server_user.h"
#include "wire/http_get.h"

typedef struct EsgDownloadLimits
{
	int			seconds;		/* for one URL, with all redirects */
	size_t		bytes;
	const EsgServerUser *user;	/* who asks, if root would */
} EsgDownloadLimits;

typedef struct EsgDownload
{
	char	   *data;			/* OPENSSL_free() */
	size_t		len;
	char		reason[ESG_HTTP_REASON_SIZE];	/* what follows the URL;
												 * printable */
} EsgDownload;

extern bool esg_download(const char *url, const EsgDownloadLimits *limits, EsgDownload *out);

#endif							/* ESG_CTL_DOWNLOAD_H */

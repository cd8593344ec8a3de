/*
 * ctl/fetch_sources.c
 *		Where CRLs are to be had.
 */
#include "ctl/fetch_sources.h"

#include <string.h>

#include <openssl/crypto.h>

#include "ctl/message.h"
#include "x509/crl_points.h"

static bool
fail_memory(void)
{
	return esg_message_error("out of memory");
}

static EsgFetchSource *
add_source(EsgFetchSources *sources)
{
	size_t		count = (size_t) sources->count;
	EsgFetchSource *grown = OPENSSL_realloc(sources->items, (count + 1) * sizeof(EsgFetchSource));

	if (!grown)
		return NULL;
	sources->items = grown;
	sources->count++;
	memset(&grown[count], 0, sizeof(EsgFetchSource));
	return &grown[count];
}

static bool
copy_urls(EsgFetchSource *source, const char *const *urls, int count)
{
	source->urls = OPENSSL_zalloc(((size_t) count + 1) * sizeof(char *));
	while (source->urls && source->count < count)
	{
		source->urls[source->count] = OPENSSL_strdup(urls[source->count]);
		if (!source->urls[source->count])
			return false;
		source->count++;
	}
	return source->urls != NULL;
}

bool
esg_fetch_sources_add_url(EsgFetchSources *sources, const char *url)
{
	EsgFetchSource *source = add_source(sources);

	return (source && copy_urls(source, &url, 1)) || fail_memory();
}

static bool
has_urls(const EsgFetchSource *source, const EsgCrlPoints *points)
{
	int			i;

	for (i = 0; i < points->count && i < source->count; i++)
	{
		if (strcmp(points->urls[i], source->urls[i]) != 0)
			return false;
	}
	return points->count == source->count;
}

static bool
is_known(const EsgFetchSources *sources, const EsgCrlPoints *points)
{
	int			i;

	for (i = 0; i < sources->count; i++)
	{
		if (has_urls(&sources->items[i], points))
			return true;
	}
	return false;
}

static bool
names_other(const EsgCrlPoints *points)
{
	return points->malformed || points->some_reasons || points->indirect || points->nameless;
}

static bool
add_points(EsgFetchSources *sources, const EsgCrlPoints *points, X509 *cert)
{
	EsgFetchSource *source;

	if ((points->count == 0 && !names_other(points)) || (points->count > 0 && is_known(sources, points)))
		return true;
	source = add_source(sources);
	if (!source || !copy_urls(source, (const char *const *) points->urls, points->count))
		return fail_memory();
	source->subject = esg_x509_name_text(X509_get_subject_name(cert));
	source->has_other = names_other(points);
	return source->subject || fail_memory();
}

static bool
refuse_stranger(X509 *cert)
{
	char	   *name = esg_x509_name_text(X509_get_subject_name(cert));

	esg_message_error("certificate \"%s\" is of none of the CAs", name ? name : "");
	OPENSSL_free(name);
	return false;
}

bool
esg_fetch_sources_add_certs(EsgFetchSources *sources, STACK_OF(X509) *certs,
							const EsgFetchCas *cas, bool must)
{
	bool		good = true;
	int			i;

	for (i = 0; good && i < sk_X509_num(certs); i++)
	{
		X509	   *cert = sk_X509_value(certs, i);
		EsgCrlPoints points;
		int			count;

		if (!esg_policy_chain_find(cas->index, X509_get_issuer_name(cert), &count))
		{
			if (must)
				return refuse_stranger(cert);
			continue;
		}
		good = esg_crl_points_read(cert, &points) ? add_points(sources, &points, cert) : fail_memory();
		esg_crl_points_free(&points);
	}
	return good;
}

void
esg_fetch_sources_free(EsgFetchSources *sources)
{
	int			i;
	int			k;

	for (i = 0; i < sources->count; i++)
	{
		for (k = 0; k < sources->items[i].count; k++)
			OPENSSL_free(sources->items[i].urls[k]);
		OPENSSL_free(sources->items[i].urls);
		OPENSSL_free(sources->items[i].subject);
	}
	OPENSSL_free(sources->items);
	memset(sources, 0, sizeof(*sources));
}

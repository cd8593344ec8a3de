/*
 * x509/identities.c
 *		Which identities a certificate offers.
 */
#include "x509/identities.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include "x509/errors.h"
#include "x509/info.h"
#include "x509/name.h"

#define EMPTY "value is empty"
#define OVER_LONG "value is over-long"
#define MALFORMED "value is badly encoded or has control characters"
#define AMBIGUOUS "value is a T61String with characters outside ASCII"

static const char *const source_names[ESG_LABEL_KEY_COUNT] = {
	"cn", "dn", "dns", "email", "uri", "upn", "ip", "serial", "fingerprint",
	"issuer", "ca"
};

const char *
esg_identities_source_name(EsgIdentitySource source)
{
	return source_names[source];
}

bool
esg_identities_source_lookup(const char *name, size_t len, EsgIdentitySource *out)
{
	int			i;

	for (i = 0; i < ESG_SOURCE_COUNT; i++)
	{
		if (strlen(source_names[i]) == len && memcmp(source_names[i], name, len) == 0)
		{
			*out = (EsgIdentitySource) i;
			return true;
		}
	}
	return false;
}

const char *
esg_identities_result_text(EsgNamesResult result)
{
	switch (result)
	{
		case ESG_NAMES_OK:
			return "";
		case ESG_NAMES_NO_MEMORY:
			return "out of memory";
		case ESG_NAMES_BAD_ALT_NAME:
			return "the certificate's subjectAltName cannot be read";
		case ESG_NAMES_TOO_MANY:
			return "the certificate has too many identities";
	}
	return "";
}

/* Takes text over, freed here on failure; NULL is out of memory. */
static EsgNamesResult
add_candidate(EsgCandidates *list, EsgIdentitySource source, char *text, const char *unusable)
{
	EsgCandidate *grown;
	int			capacity;

	if (text == NULL)
		return ESG_NAMES_NO_MEMORY;
	if (list->count >= ESG_MAX_CANDIDATES)
	{
		OPENSSL_free(text);
		return ESG_NAMES_TOO_MANY;
	}
	if (list->count == list->capacity)
	{
		capacity = list->capacity ? 2 * list->capacity : 8;
		grown = OPENSSL_realloc(list->items, capacity * sizeof(*grown));
		if (grown == NULL)
		{
			OPENSSL_free(text);
			return ESG_NAMES_NO_MEMORY;
		}
		list->items = grown;
		list->capacity = capacity;
	}
	list->items[list->count].printable = unusable != NULL;
	if (unusable == NULL && text[0] == '\0')
		unusable = EMPTY;
	else if (unusable == NULL && strlen(text) > ESG_MAX_IDENTITY_LENGTH)
		unusable = OVER_LONG;
	list->items[list->count].source = source;
	list->items[list->count].text = text;
	list->items[list->count].unusable = unusable;
	list->count++;
	return ESG_NAMES_OK;
}

static const char *
explain_fault(EsgNameFault fault)
{
	switch (fault)
	{
		case ESG_NAME_EMPTY:
			return EMPTY;
		case ESG_NAME_MALFORMED:
			return MALFORMED;
		case ESG_NAME_AMBIGUOUS:
			return AMBIGUOUS;
		default:
			return NULL;
	}
}

/* Why a name is never compared, or NULL. */
static const char *
check_name(const X509_NAME *name)
{
	const char *unusable = NULL;
	int			entries = X509_NAME_entry_count(name);
	int			i;

	for (i = 0; i < entries && unusable == NULL; i++)
		unusable = explain_fault(esg_x509_name_value_fault(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i))));
	return entries > 0 ? unusable : EMPTY;
}

/*
 * The name as core prints it for clientname=DN: XN_FLAG_RFC2253, characters
 * outside ASCII as \HH.  NULL: out of memory, or *unusable says why.
 */
static char *
print_name(const X509_NAME *name, const char **unusable)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *data;
	char	   *text = NULL;
	long		len;

	if (bio == NULL)
		return NULL;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		*unusable = MALFORMED;
	else
	{
		len = BIO_get_mem_data(bio, &data);
		text = OPENSSL_strndup(len > 0 ? data : "", len > 0 ? (size_t) len : 0);
	}
	BIO_free(bio);
	return text;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * The same name with \HH from 80 on as the bytes themselves.  Every other
 * escape stays, so two names never get one text.  *differs: there was one.
 */
static char *
unescape_name(const char *core, bool *differs)
{
	char	   *text = OPENSSL_malloc(strlen(core) + 1);
	char	   *p = text;

	*differs = false;
	if (text == NULL)
		return NULL;
	while (*core != '\0')
	{
		if (core[0] != '\\' || core[1] == '\0')
			*p++ = *core++;
		else if (hex_value(core[1]) >= 8 && hex_value(core[2]) >= 0)
		{
			*p++ = (char) (hex_value(core[1]) * 16 + hex_value(core[2]));
			core += 3;
			*differs = true;
		}
		else
		{
			*p++ = *core++;
			*p++ = *core++;
		}
	}
	*p = '\0';
	return text;
}

/* A name no text can be had for is shown as far as it can be. */
static EsgNamesResult
add_unusable_name(EsgCandidates *list, EsgIdentitySource source, const X509_NAME *name,
				  const char *unusable)
{
	return add_candidate(list, source, esg_x509_name_text(name), unusable);
}

static EsgNamesResult
add_name(EsgCandidates *list, EsgIdentitySource source, const X509_NAME *name)
{
	EsgNamesResult result;
	const char *unusable;
	char	   *core;
	char	   *readable;
	bool		differs;

	unusable = check_name(name);
	core = unusable == NULL ? print_name(name, &unusable) : NULL;
	if (unusable != NULL)
		return add_unusable_name(list, source, name, unusable);
	if (core == NULL)
		return ESG_NAMES_NO_MEMORY;
	readable = unescape_name(core, &differs);
	if (readable == NULL)
	{
		OPENSSL_free(core);
		return ESG_NAMES_NO_MEMORY;
	}
	result = add_candidate(list, source, core, NULL);
	if (result == ESG_NAMES_OK && differs)
		return add_candidate(list, source, readable, NULL);
	OPENSSL_free(readable);
	return result;
}

static EsgNamesResult
add_common_name(EsgCandidates *list, X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	EsgNameFault fault;
	bool		found;
	char	   *text;

	if (!esg_x509_name_exact_common_name(subject, &fault, &text))
		return ESG_NAMES_NO_MEMORY;
	if (fault == ESG_NAME_ABSENT)
		return ESG_NAMES_OK;
	if (fault != ESG_NAME_SOUND)
		text = esg_x509_name_common_name(subject, &found);
	return add_candidate(list, ESG_SOURCE_CN, text, explain_fault(fault));
}

/* "0A1B/CN=Prod CA": a serial number is unique only among one issuer's. */
static char *
join_serial(const char *serial, const char *issuer)
{
	size_t		serial_len = strlen(serial);
	size_t		issuer_len = strlen(issuer);
	char	   *text = OPENSSL_malloc(serial_len + 1 + issuer_len + 1);

	if (text != NULL)
	{
		memcpy(text, serial, serial_len);
		text[serial_len] = '/';
		memcpy(text + serial_len + 1, issuer, issuer_len + 1);
	}
	return text;
}

static EsgNamesResult
add_serial(EsgCandidates *list, X509 *cert)
{
	EsgNamesResult result = ESG_NAMES_NO_MEMORY;
	EsgCandidates issuer;
	char	   *serial;

	memset(&issuer, 0, sizeof(issuer));
	serial = esg_x509_info_serial_text(X509_get0_serialNumber(cert));
	if (serial != NULL)
		result = add_name(&issuer, ESG_SOURCE_ISSUER, X509_get_issuer_name(cert));
	if (result == ESG_NAMES_OK)
		result = add_candidate(list, ESG_SOURCE_SERIAL,
							   join_serial(serial, issuer.items[0].text),
							   issuer.items[0].unusable);
	OPENSSL_free(serial);
	esg_identities_candidates_free(&issuer);
	return result;
}

static EsgNamesResult
add_fingerprint(EsgCandidates *list, X509 *cert)
{
	unsigned char digest[ESG_DIGEST_SIZE];
	char		plain[ESG_FINGERPRINT_TEXT_SIZE];
	EsgNamesResult result;

	if (!esg_x509_info_fingerprint(cert, digest))
		return ESG_NAMES_NO_MEMORY;
	esg_x509_info_fingerprint_text(digest, plain);
	result = add_candidate(list, ESG_SOURCE_FINGERPRINT, OPENSSL_strdup(plain), NULL);
	if (result == ESG_NAMES_OK)
		result = add_candidate(list, ESG_SOURCE_FINGERPRINT,
							   OPENSSL_buf2hexstr(digest, ESG_DIGEST_SIZE), NULL);
	return result;
}

static EsgNamesResult
read_alt_names(X509 *cert, EsgAltNames *names)
{
	if (esg_x509_name_exact_alt_names(cert, names))
		return ESG_NAMES_OK;
	return names->undecodable ? ESG_NAMES_BAD_ALT_NAME : ESG_NAMES_NO_MEMORY;
}

static bool
alt_name_source(EsgAltNameKind kind, EsgIdentitySource *source)
{
	switch (kind)
	{
		case ESG_ALT_DNS:
			*source = ESG_SOURCE_DNS;
			return true;
		case ESG_ALT_URI:
			*source = ESG_SOURCE_URI;
			return true;
		case ESG_ALT_EMAIL:
			*source = ESG_SOURCE_EMAIL;
			return true;
		case ESG_ALT_IP:
			*source = ESG_SOURCE_IP;
			return true;
		case ESG_ALT_UPN:
			*source = ESG_SOURCE_UPN;
			return true;
		case ESG_ALT_OTHER:
			break;
	}
	return false;
}

static EsgNamesResult
add_alt_names(EsgCandidates *list, EsgIdentitySource source, const EsgAltNames *names)
{
	EsgNamesResult result = ESG_NAMES_OK;
	EsgIdentitySource kind;
	int			i;

	for (i = 0; i < names->count && result == ESG_NAMES_OK; i++)
	{
		const EsgAltName *name = &names->items[i];

		if (!alt_name_source(name->kind, &kind) || kind != source)
			continue;
		result = add_candidate(list, source, OPENSSL_strdup(name->exact ? name->exact : name->text),
							   name->exact || name->text[0] == '\0' ? NULL : MALFORMED);
	}
	return result;
}

static EsgNamesResult
add_source(EsgCandidates *list, EsgIdentitySource source, X509 *cert, const EsgAltNames *names)
{
	switch (source)
	{
		case ESG_SOURCE_CN:
			return add_common_name(list, cert);
		case ESG_SOURCE_DN:
			return add_name(list, source, X509_get_subject_name(cert));
		case ESG_SOURCE_ISSUER:
			return add_name(list, source, X509_get_issuer_name(cert));
		case ESG_SOURCE_SERIAL:
			return add_serial(list, cert);
		case ESG_SOURCE_FINGERPRINT:
			return add_fingerprint(list, cert);
		case ESG_SOURCE_CA:
			return ESG_NAMES_OK;
		default:
			return add_alt_names(list, source, names);
	}
}

static bool
is_alt_name_source(EsgIdentitySource source)
{
	return source >= ESG_SOURCE_DNS && source <= ESG_SOURCE_IP;
}

EsgNamesResult
esg_identities_candidates(X509 *cert, const unsigned char *sources, int source_count,
						  EsgCandidates *out)
{
	EsgNamesResult result = ESG_NAMES_OK;
	EsgAltNames names = {0, NULL, false};
	bool		have_names = false;
	int			i;

	memset(out, 0, sizeof(*out));
	esg_errors_forget();
	for (i = 0; i < source_count && result == ESG_NAMES_OK; i++)
	{
		EsgIdentitySource source = (EsgIdentitySource) sources[i];

		if (is_alt_name_source(source) && !have_names)
		{
			result = read_alt_names(cert, &names);
			have_names = true;
		}
		if (result == ESG_NAMES_OK)
			result = add_source(out, source, cert, &names);
	}
	esg_x509_name_alt_names_free(&names);
	if (result != ESG_NAMES_OK)
		esg_identities_candidates_free(out);
	esg_errors_forget();
	return result;
}

/* Those with a distinguished name are RFC 2253 text, which has its own escapes. */
char *
esg_identities_shown(const EsgCandidate *candidate)
{
	const char *text = candidate->text;

	if (candidate->printable)
		return OPENSSL_strdup(text);
	if (candidate->source == ESG_SOURCE_DN || candidate->source == ESG_SOURCE_ISSUER ||
		candidate->source == ESG_SOURCE_SERIAL)
		return esg_x509_name_escape_hidden(text);
	return esg_x509_name_escape((const unsigned char *) text, strlen(text));
}

void
esg_identities_candidates_free(EsgCandidates *candidates)
{
	int			i;

	for (i = 0; i < candidates->count; i++)
		OPENSSL_free(candidates->items[i].text);
	OPENSSL_free(candidates->items);
	memset(candidates, 0, sizeof(*candidates));
}

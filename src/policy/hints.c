/*
 * policy/hints.c
 *		Remedies that depend on which setting names the file.
 */
#include "policy/hints.h"

#include <string.h>

#define EXTRA "ext_ssl_guard.extra_files"
#define NEW_CRL "Publish a new CRL at the CA and put it in place of the old one."

typedef struct Hint
{
	const char *setting;
	EsgCode		code;
	const char *hint;
} Hint;

static const Hint hints[] = {
	{EXTRA, ESG_FILE_MISSING,
	"Put the file in place or correct \"ext_ssl_guard.extra_files\"."},
	{EXTRA, ESG_FILE_UNREADABLE,
	"Make the file readable for the server's user, or take it out of \"ext_ssl_guard.extra_files\"."},
	{EXTRA, ESG_FILE_NOT_REGULAR,
	"Put a file in its place or correct \"ext_ssl_guard.extra_files\"."},
	{EXTRA, ESG_FILE_TOO_LARGE,
	"Extra files may have 64 MB. Check that \"ext_ssl_guard.extra_files\" names the right file."},
	{EXTRA, ESG_FILE_UNPARSABLE,
	"Put PEM text (-----BEGIN CERTIFICATE----- or -----BEGIN X509 CRL-----) into the file."},
	{EXTRA, ESG_TRUSTED_CERTIFICATE_BLOCK,
	"Rewrite the block as a plain CERTIFICATE with openssl x509."},
	{EXTRA, ESG_EXPIRED,
	"Replace the certificate and let the program that uses it load the new one."},
	{EXTRA, ESG_EXPIRES_VERY_SOON,
	"Replace the certificate and let the program that uses it load the new one."},
	{EXTRA, ESG_EXPIRES_SOON,
	"Have the certificate renewed, replace it and let the program that uses it load the new one."},
	{EXTRA, ESG_CRL_EXPIRED, NEW_CRL},
	{EXTRA, ESG_CRL_EXPIRES_VERY_SOON, NEW_CRL},
	{EXTRA, ESG_CRL_EXPIRES_SOON, NEW_CRL},
	{EXTRA, ESG_CRL_NOT_YET_VALID,
	"Check the clocks of this host and of the CA, or install a CRL that is valid now."},
	{"ssl_crl_dir", ESG_FILE_MISSING,
	"Put it in place or correct \"ssl_crl_dir\". While OpenSSL finds no CRL there, every client certificate is refused."},
	{"ssl_crl_dir", ESG_FILE_UNREADABLE,
	"Make it readable for the server's user. While OpenSSL cannot read a CRL, the client certificates of its CA are refused."},
};

const char *
esg_hints_get(EsgCode code, const char *setting)
{
	const EsgFindingDef *def = esg_findings_def(code);
	size_t		i;

	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
	{
		if (hints[i].code == code && strcmp(hints[i].setting, setting) == 0)
			return hints[i].hint;
	}
	return def != NULL ? def->hint : "";
}

/*
 * x509/pem.c
 *		What is in the text of a certificate or CRL file.
 *
 * The blocks are cut by OpenSSL's own reader, so its rules about line ends,
 * byte order marks, long lines and junk are the rules here, in whatever
 * version.  It is asked for secure memory, which it wipes: a private key in a
 * certificate file must not be left on the heap.
 */
#include "x509/pem.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

#include "compat.h"

/* longest file whose DER is looked into only to name it */
#define MAX_DER_GUESS (16 * 1024 * 1024)

#define CR_LINE_ENDS "text with CR line ends"

typedef struct EsgScan
{
	BIO		   *bio;
	const char *text;
	size_t		len;
	unsigned	want;
	const EsgPemSink *sink;
	EsgPemResult *out;
	char		other[96];		/* the first block nobody wanted */
} EsgScan;

typedef struct EsgBlock
{
	char	   *name;
	char	   *header;
	unsigned char *data;
	long		len;
	size_t		offset;			/* where OpenSSL began to look for it */
} EsgBlock;

typedef enum EsgBlockKind
{
	ESG_BLOCK_OTHER,
	ESG_BLOCK_CERT,
	ESG_BLOCK_TRUSTED_CERT,
	ESG_BLOCK_CRL
} EsgBlockKind;

/* What to call a block by its name. */
static const struct
{
	const char *name;
	bool		is_suffix;
	const char *words;
}			block_words[] = {
	{PEM_STRING_X509, false, "a certificate"},
	{PEM_STRING_X509_OLD, false, "a certificate"},
	{PEM_STRING_X509_TRUSTED, false, "a certificate"},
	{PEM_STRING_X509_CRL, false, "a CRL"},
	{"CERTIFICATE REQUEST", true, "a CERTIFICATE REQUEST"},
	{"PRIVATE KEY", true, "a private key"},
	{"PUBLIC KEY", true, "a public key"},
	{PEM_STRING_PKCS7, false, "a PKCS#7 structure"},
	{PEM_STRING_PKCS7_SIGNED, false, "a PKCS#7 structure"},
	{PEM_STRING_CMS, false, "a PKCS#7 structure"},
	{"PARAMETERS", true, "key parameters"}
};

static void
set_words(EsgScan *scan, const char *words)
{
	snprintf(scan->out->found, sizeof(scan->out->found), "%s", words);
}

/* Offset of the first needle at or after from; len if there is none. */
static size_t
find_bytes(const EsgScan *scan, size_t from, const char *needle)
{
	size_t		n = strlen(needle);

	while (from + n <= scan->len)
	{
		const char *hit = memchr(scan->text + from, needle[0], scan->len - from - n + 1);

		if (hit == NULL)
			break;
		from = (size_t) (hit - scan->text);
		if (memcmp(hit, needle, n) == 0)
			return from;
		from++;
	}
	return scan->len;
}

static size_t
current_offset(const EsgScan *scan)
{
	return scan->len - (size_t) BIO_pending(scan->bio);
}

static void
free_block(EsgBlock *block)
{
	OPENSSL_secure_free(block->name);
	OPENSSL_secure_free(block->header);
	OPENSSL_secure_clear_free(block->data, block->data ? (size_t) block->len : 0);
	memset(block, 0, sizeof(*block));
}

static EsgBlockKind
find_kind(const char *name)
{
	if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0)
		return ESG_BLOCK_CERT;
	if (strcmp(name, PEM_STRING_X509_TRUSTED) == 0)
		return ESG_BLOCK_TRUSTED_CERT;
	if (strcmp(name, PEM_STRING_X509_CRL) == 0)
		return ESG_BLOCK_CRL;
	return ESG_BLOCK_OTHER;
}

/* The name comes from the file: nothing but letters, digits and blanks passes. */
static void
remember_other(EsgScan *scan, const char *name)
{
	char		clean[41];
	size_t		len = strlen(name);
	size_t		i;

	if (scan->other[0] != '\0')
		return;
	for (i = 0; i < sizeof(block_words) / sizeof(block_words[0]); i++)
	{
		size_t		n = strlen(block_words[i].name);

		if (block_words[i].is_suffix ?
			len >= n && strcmp(name + len - n, block_words[i].name) == 0 :
			strcmp(name, block_words[i].name) == 0)
		{
			snprintf(scan->other, sizeof(scan->other), "%s", block_words[i].words);
			return;
		}
	}
	for (i = 0; i < sizeof(clean) - 1 && i < len; i++)
		clean[i] = isalnum((unsigned char) name[i]) || name[i] == ' ' ? name[i] : '?';
	clean[i] = '\0';
	snprintf(scan->other, sizeof(scan->other), "a block \"%s\"", clean);
}

static void
set_broken(EsgScan *scan, size_t offset, const char *words)
{
	scan->out->end = ESG_PEM_BROKEN;
	scan->out->fault_offset = find_bytes(scan, offset, "-----BEGIN ");
	if (scan->out->fault_offset == scan->len)
		scan->out->fault_offset = offset;
	set_words(scan, words);
}

/* The content of a block is not what its name says, or there is no room for it. */
static void
note_decode_failure(EsgScan *scan, const EsgBlock *block, const char *words)
{
	if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
		scan->out->end = ESG_PEM_NO_MEMORY;
	else
		set_broken(scan, block->offset, words);
}

/*
 * Is the line that OpenSSL read last "-----END X----------BEGIN Y-----"?  That
 * is what concatenating files makes of one without a final newline.
 */
static bool
is_glued(const EsgScan *scan)
{
	size_t		end = current_offset(scan);
	size_t		start = end;

	while (start > 0 && end - start < 256 && (start == end || scan->text[start - 1] != '\n'))
		start--;
	if (find_bytes(scan, start, "-----END ") != start)
		return false;
	return find_bytes(scan, start, "----------BEGIN ") < end;
}

/* Line ends of old Macintoshes, which OpenSSL does not take for such. */
static bool
has_only_cr(const EsgScan *scan)
{
	return memchr(scan->text, '\n', scan->len) == NULL &&
		memchr(scan->text, '\r', scan->len) != NULL;
}

/* PEM_read_bio_ex() has failed: end of the text, or a damaged block? */
static void
note_read_failure(EsgScan *scan, size_t offset)
{
	unsigned long error = ERR_peek_last_error();
	int			reason = ERR_GET_REASON(error);

	if (reason == ERR_R_MALLOC_FAILURE)
		scan->out->end = ESG_PEM_NO_MEMORY;
	else if (ERR_GET_LIB(error) == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE)
		return;
	else if (reason == PEM_R_BAD_BASE64_DECODE)
		set_broken(scan, offset, "a block with bad base64");
	else if (reason == PEM_R_BAD_END_LINE && is_glued(scan))
	{
		scan->out->glued = true;
		set_broken(scan, offset, "an END and a BEGIN line glued together");
	}
	else if (reason == PEM_R_BAD_END_LINE && has_only_cr(scan))
		set_broken(scan, offset, CR_LINE_ENDS);
	else if (reason == PEM_R_BAD_END_LINE)
		set_broken(scan, offset, "a block without a proper END line");
	else
		set_broken(scan, offset, "a damaged block");
}

static bool
read_block(EsgScan *scan, EsgBlock *block)
{
	memset(block, 0, sizeof(*block));
	block->offset = current_offset(scan);
	if (PEM_read_bio_ex(scan->bio, &block->name, &block->header, &block->data, &block->len,
						PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE))
		return true;
	note_read_failure(scan, block->offset);
	return false;
}

/* RFC 1421 headers: OpenSSL takes none, or those of encryption. */
static bool
check_header(EsgScan *scan, EsgBlock *block)
{
	EVP_CIPHER_INFO cipher;

	if (!PEM_get_EVP_CIPHER_INFO(block->header, &cipher))
		set_broken(scan, block->offset, "a block with a blank line or a bad header");
	else if (cipher.cipher != NULL)
		set_broken(scan, block->offset, "an encrypted block");
	else
		return true;
	return false;
}

/*
 * Decodes a certificate as core does: the first of a chain may carry trust
 * settings and must not carry anything else, the others may have what they
 * like behind the certificate.
 */
static X509 *
decode_cert(EsgScan *scan, const EsgBlock *block, bool trusted)
{
	const unsigned char *p = block->data;
	X509	   *cert = trusted ? d2i_X509_AUX(NULL, &p, block->len) : d2i_X509(NULL, &p, block->len);

	if (cert == NULL && trusted && (scan->want & ESG_PEM_TAILS))
	{
		p = block->data;
		cert = d2i_X509(NULL, &p, block->len);
		scan->out->refused_tail = cert != NULL;
	}
	if (cert != NULL && p < block->data + block->len)
		scan->out->tails++;
	return cert;
}

static bool
take_cert(EsgScan *scan, EsgBlock *block, bool trusted)
{
	X509	   *cert;

	if (!check_header(scan, block))
		return false;
	if (scan->out->certs == 0 && !(scan->want & ESG_PEM_TRUSTED))
		trusted = true;
	cert = decode_cert(scan, block, trusted);
	if (cert == NULL)
	{
		note_decode_failure(scan, block, "a CERTIFICATE block that does not decode");
		return false;
	}
	return scan->sink->cert(cert, ++scan->out->certs, scan->sink->arg);
}

static bool
take_crl(EsgScan *scan, EsgBlock *block)
{
	const unsigned char *p = block->data;
	X509_CRL   *crl;

	if (!check_header(scan, block))
		return false;
	crl = d2i_X509_CRL(NULL, &p, block->len);
	if (crl == NULL)
	{
		note_decode_failure(scan, block, "an X509 CRL block that does not decode");
		return false;
	}
	return scan->sink->crl(crl, ++scan->out->crls, scan->sink->arg);
}

/* False ends the scan. */
static bool
take_block(EsgScan *scan, EsgBlock *block)
{
	EsgBlockKind kind = find_kind(block->name);
	bool		certs = (scan->want & ESG_PEM_CERTS) != 0;

	if (kind == ESG_BLOCK_TRUSTED_CERT && certs && scan->out->certs > 0)
		scan->out->skipped_trusted++;
	if (kind == ESG_BLOCK_CERT && certs)
		return take_cert(scan, block, false);
	if (kind == ESG_BLOCK_TRUSTED_CERT && certs &&
		(scan->out->certs == 0 || (scan->want & ESG_PEM_TRUSTED)))
		return take_cert(scan, block, true);
	if (kind == ESG_BLOCK_CRL && (scan->want & ESG_PEM_CRLS))
		return take_crl(scan, block);

	if (kind != ESG_BLOCK_TRUSTED_CERT || !certs)
		remember_other(scan, block->name);
	return true;
}

/*
 * What DER is it?  One attempt after the other, each owner freed at once; NULL
 * if none fits.
 */
static const char *
name_der(const EsgScan *scan)
{
	long		len = (long) scan->len;
	const char *words = NULL;

#define TRY_DER(type, what) \
	do { \
		if (words == NULL) \
		{ \
			const unsigned char *p = (const unsigned char *) scan->text; \
			type *object = d2i_##type(NULL, &p, len); \
			\
			if (object != NULL) \
				words = (what); \
			type##_free(object); \
		} \
	} while (0)

	TRY_DER(X509, "a DER certificate");
	TRY_DER(X509_CRL, "a DER CRL");
	TRY_DER(X509_REQ, "a DER certificate request");
	TRY_DER(PKCS7, "a PKCS#7 structure");
	TRY_DER(PKCS12, "a PKCS#12 structure");
	TRY_DER(PKCS8_PRIV_KEY_INFO, "a DER private key");
	TRY_DER(X509_PUBKEY, "a DER public key");
#undef TRY_DER

	if (words == NULL)
	{
		const unsigned char *p = (const unsigned char *) scan->text;
		EVP_PKEY   *key = d2i_AutoPrivateKey(NULL, &p, len);

		if (key != NULL)
			words = "a DER private key";
		EVP_PKEY_free(key);
	}
	return words;
}

static bool
starts_with(const EsgScan *scan, size_t from, const char *word)
{
	size_t		i;

	for (i = 0; word[i] != '\0'; i++)
		if (from + i >= scan->len ||
			tolower((unsigned char) scan->text[from + i]) != (unsigned char) word[i])
			return false;
	return true;
}

/* A byte order mark, or a first ASCII character of two bytes. */
static bool
is_utf16(const EsgScan *scan)
{
	const unsigned char *t = (const unsigned char *) scan->text;

	if (scan->len < 2)
		return false;
	return (t[0] == 0xFF && t[1] == 0xFE) || (t[0] == 0xFE && t[1] == 0xFF) ||
		(isprint(t[0]) && t[1] == 0) || (t[0] == 0 && isprint(t[1]));
}

static bool
is_binary(const EsgScan *scan)
{
	size_t		i;

	for (i = 0; i < scan->len; i++)
	{
		unsigned char c = (unsigned char) scan->text[i];

		if (c < 0x20 && !isspace(c) && c != 0x1A)
			return true;
	}
	return false;
}

/* Text or binary data in which OpenSSL saw no block. */
static const char *
name_text(const EsgScan *scan)
{
	size_t		start = starts_with(scan, 0, "\xef\xbb\xbf") ? 3 : 0;

	while (start < scan->len && isspace((unsigned char) scan->text[start]))
		start++;
	if (start == scan->len)
		return "nothing but blanks";
	if (starts_with(scan, start, "<!doctype html") || starts_with(scan, start, "<html"))
		return "HTML";
	if (starts_with(scan, start, "<?xml"))
		return "XML";
	if (find_bytes(scan, 0, "-----BEGIN ") < scan->len)
		return has_only_cr(scan) ? CR_LINE_ENDS :
			"a BEGIN line that is not on a line of its own";
	if (is_binary(scan))
		return "binary data";
	if (starts_with(scan, start, "mii"))
		return "base64 without BEGIN and END lines";
	return "text without a PEM block";
}

static bool
is_all_nul(const EsgScan *scan)
{
	return scan->text[0] == '\0' &&
		memcmp(scan->text, scan->text + 1, scan->len - 1) == 0;
}

/* Not one wanted block: says what the file is instead. */
static void
name_contents(EsgScan *scan)
{
	const unsigned char *t = (const unsigned char *) scan->text;
	const char *der = NULL;

	scan->out->end = ESG_PEM_NOTHING;
	if (scan->other[0] != '\0')
		set_words(scan, scan->other);
	else if (scan->len == 0)
		set_words(scan, "nothing");
	else if (is_all_nul(scan))
		set_words(scan, "only NUL bytes");
	else if (is_utf16(scan))
		set_words(scan, "UTF-16 text");
	else if (t[0] == 0x30 && scan->len <= MAX_DER_GUESS && (der = name_der(scan)) != NULL)
		set_words(scan, der);
	else if (t[0] == 0x30 && scan->len > 2 && (t[1] & 0x80) != 0)
		set_words(scan, "DER that does not decode");
	else if (starts_with(scan, 0, "\xfe\xed\xfe\xed"))
		set_words(scan, "a Java key store");
	else
		set_words(scan, name_text(scan));
}

static void
scan_blocks(EsgScan *scan)
{
	EsgBlock	block;
	bool		more = true;

	while (more && read_block(scan, &block))
	{
		more = take_block(scan, &block);
		free_block(&block);
	}
}

void
esg_pem_scan(const char *text, size_t len, unsigned want,
			 const EsgPemSink *sink, EsgPemResult *out)
{
	EsgScan		scan = {NULL, text, len, want, sink, out, ""};

	memset(out, 0, sizeof(*out));
	ERR_clear_error();
	if (len > INT_MAX)
	{
		out->end = ESG_PEM_BROKEN;
		set_words(&scan, "more than 2 GB");
		return;
	}
	scan.bio = BIO_new_mem_buf(len > 0 ? text : "", (int) len);
	if (scan.bio == NULL)
		out->end = ESG_PEM_NO_MEMORY;
	else
		scan_blocks(&scan);
	if (out->end == ESG_PEM_COMPLETE && out->certs == 0 && out->crls == 0)
		name_contents(&scan);
	BIO_free(scan.bio);
	ERR_clear_error();
}

/*
 * x509/name.c
 *		Names in certificates as printable UTF-8 text, and what is wrong with them.
 *
 * Strings are decoded here, character by character, instead of by
 * ASN1_STRING_to_UTF8(): that takes the high bytes of a PrintableString for
 * Latin-1 and stops at the first fault, while this must show every byte.
 *
 * All work is linear in the size of the name.
 */
#include "x509/name.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>

#include "compat.h"
#include "x509/errors.h"
#include "x509/unicode.h"

/* RFC 5280 appendix A.1, ub-common-name */
#define MAX_COMMON_NAME 64
/* OBJ_obj2txt() takes quadratic time, CVE-2023-2650 */
#define MAX_OID_OCTETS 128

typedef struct EsgText
{
	char	   *data;
	size_t		used;
	size_t		room;
	bool		failed;			/* out of memory */
	size_t		enough;			/* bytes after which no more is wanted, 0: all
								 * is */
} EsgText;

/* How the octets of a string make characters. */
typedef enum EsgCharset
{
	ESG_CHARSET_NONE,			/* not a character string */
	ESG_CHARSET_ASCII,
	ESG_CHARSET_LATIN1,			/* what most take T61String for */
	ESG_CHARSET_UTF8,
	ESG_CHARSET_UCS2,
	ESG_CHARSET_UCS4
} EsgCharset;

typedef struct EsgReader
{
	const unsigned char *next;
	size_t		left;
	EsgCharset	charset;
} EsgReader;

/* What was met in a string; zeroed is "nothing". */
typedef struct EsgSeen
{
	size_t		characters;
	bool		nul;
	bool		control;		/* never to be compared, NUL included */
	bool		invalid;		/* not in its encoding, or no character string */
	bool		ambiguous;		/* high bytes in a T61String */
} EsgSeen;

/* One character, or the octets that do not make one. */
typedef struct EsgChar
{
	bool		valid;
	uint32_t	code;
	const unsigned char *octets;
	size_t		len;
} EsgChar;

static void
append_bytes(EsgText *text, const char *bytes, size_t len)
{
	if (text->failed)
		return;
	if (len >= text->room - text->used)
	{
		size_t		room = 2 * (text->used + len) + 64;
		char	   *data = OPENSSL_realloc(text->data, room);

		if (data == NULL)
		{
			text->failed = true;
			return;
		}
		text->data = data;
		text->room = room;
	}
	memcpy(text->data + text->used, bytes, len);
	text->used += len;
	text->data[text->used] = '\0';
}

static void
append_text(EsgText *text, const char *s)
{
	append_bytes(text, s, strlen(s));
}

static bool
is_enough(const EsgText *text)
{
	return text->failed || (text->enough > 0 && text->used >= text->enough);
}

/* The text, which the caller then owns; NULL if memory ran out. */
static char *
finish_text(EsgText *text)
{
	append_bytes(text, "", 0);
	if (text->failed)
	{
		OPENSSL_free(text->data);
		text->data = NULL;
	}
	return text->data;
}

static EsgCharset
find_charset(int asn1_type)
{
	switch (asn1_type)
	{
		case V_ASN1_PRINTABLESTRING:
		case V_ASN1_IA5STRING:
		case V_ASN1_NUMERICSTRING:
		case V_ASN1_VISIBLESTRING:
			return ESG_CHARSET_ASCII;
		case V_ASN1_T61STRING:
			return ESG_CHARSET_LATIN1;
		case V_ASN1_UTF8STRING:
			return ESG_CHARSET_UTF8;
		case V_ASN1_BMPSTRING:
			return ESG_CHARSET_UCS2;
		case V_ASN1_UNIVERSALSTRING:
			return ESG_CHARSET_UCS4;
		default:
			return ESG_CHARSET_NONE;
	}
}

bool
esg_x509_name_is_text(const ASN1_STRING *value)
{
	return find_charset(ASN1_STRING_type(value)) != ESG_CHARSET_NONE;
}

/* Octets of a UTF-8 character by the first of them; 0 if it cannot be one. */
static size_t
count_octets(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2)
		return 0;
	return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/* RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
static void
read_utf8(const EsgReader *in, EsgChar *c)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = in->next[0];
	size_t		len = count_octets(lead);
	size_t		i;

	if (len == 0 || len > in->left)
		return;
	c->code = len == 1 ? lead : lead & (0x7F >> len);
	for (i = 1; i < len; i++)
	{
		if ((in->next[i] & 0xC0) != 0x80)
			return;
		c->code = c->code << 6 | (in->next[i] & 0x3F);
	}
	if (c->code < smallest[len] || c->code > 0x10FFFF ||
		(c->code >= 0xD800 && c->code <= 0xDFFF))
		return;
	c->len = len;
	c->valid = true;
}

/* Big-endian units of width octets. */
static void
read_ucs(const EsgReader *in, size_t width, EsgChar *c)
{
	size_t		i;

	c->len = width < in->left ? width : in->left;
	for (i = 0; i < c->len; i++)
		c->code = c->code << 8 | in->next[i];
	c->valid = c->len == width && c->code <= 0x10FFFF &&
		(c->code < 0xD800 || c->code > 0xDFFF);
}

/* The next character; the reader must not be at its end. */
static EsgChar
read_char(EsgReader *in)
{
	EsgChar		c = {false, 0, in->next, 1};

	switch (in->charset)
	{
		case ESG_CHARSET_LATIN1:
			c.code = in->next[0];
			c.valid = true;
			break;
		case ESG_CHARSET_UCS2:
			read_ucs(in, 2, &c);
			break;
		case ESG_CHARSET_UCS4:
			read_ucs(in, 4, &c);
			break;
		default:
			read_utf8(in, &c);
			break;
	}
	in->next += c.len;
	in->left -= c.len;
	return c;
}

/*
 * Characters that nobody has in an identity but to deceive.  Others that are
 * hidden, too, may be a part of it, and are only shown escaped.
 */
static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||
		code == 0x061C ||		/* Arabic letter mark */
		code == 0x200E || code == 0x200F || /* left-to-right mark … */
		(code >= 0x2028 && code <= 0x202E) ||	/* separators, embeddings */
		(code >= 0x2066 && code <= 0x2069); /* isolates */
}

static void
note_char(const EsgReader *in, const EsgChar *c, EsgSeen *seen)
{
	seen->characters++;
	if (!c->valid)
	{
		seen->invalid = true;
		return;
	}
	if (c->code == 0)
		seen->nul = true;
	if (is_control(c->code))
		seen->control = true;
	if (c->code >= 0x80)
	{
		if (in->charset == ESG_CHARSET_ASCII)
			seen->invalid = true;
		if (in->charset == ESG_CHARSET_LATIN1)
			seen->ambiguous = true;
	}
}

static void
append_utf8(EsgText *text, uint32_t code)
{
	char		buf[4];
	size_t		len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	size_t		i;

	for (i = len - 1; i > 0; i--, code >>= 6)
		buf[i] = (char) (0x80 | (code & 0x3F));
	buf[0] = (char) (len == 1 ? code : (0xF00U >> len & 0xFF) | code);
	append_bytes(text, buf, len);
}

/* A byte that is no character, or ASCII, as \xHH; else \uHHHH or \UHHHHHHHH. */
static void
append_char(EsgText *text, const EsgChar *c)
{
	char		buf[16];
	size_t		i;

	if (!c->valid)
	{
		for (i = 0; i < c->len; i++)
		{
			snprintf(buf, sizeof(buf), "\\x%02x", c->octets[i]);
			append_text(text, buf);
		}
	}
	else if (esg_unicode_is_hidden(c->code))
	{
		snprintf(buf, sizeof(buf),
				 c->code < 0x80 ? "\\x%02x" : c->code <= 0xFFFF ? "\\u%04x" : "\\U%08x",
				 (unsigned) c->code);
		append_text(text, buf);
	}
	else
		append_utf8(text, c->code);
}

/* A reader for a string of characters; false if it is something else. */
static bool
open_string(const ASN1_STRING *s, EsgReader *in)
{
	in->charset = find_charset(ASN1_STRING_type(s));
	in->next = ASN1_STRING_get0_data(s);
	in->left = (size_t) ASN1_STRING_length(s);
	return in->charset != ESG_CHARSET_NONE;
}

/* For a reader: what is hidden is escaped, and so is what escapes begin with. */
static void
append_reader(EsgText *text, EsgReader in)
{
	while (in.left > 0)
	{
		EsgChar		c = read_char(&in);

		if (c.valid && c.code == '\\')
			append_bytes(text, "\\", 1);
		append_char(text, &c);
	}
}

/* What is in it. */
static void
scan_string(const ASN1_STRING *s, EsgSeen *seen)
{
	EsgReader	in;

	if (!open_string(s, &in))
		seen->invalid = true;
	else
		while (in.left > 0)
		{
			EsgChar		c = read_char(&in);

			note_char(&in, &c, seen);
		}
}

static EsgNameFault
judge_seen(const EsgSeen *seen)
{
	if (seen->control || seen->invalid)
		return ESG_NAME_MALFORMED;
	return seen->ambiguous ? ESG_NAME_AMBIGUOUS : ESG_NAME_SOUND;
}

EsgNameFault
esg_x509_name_value_fault(const ASN1_STRING *value)
{
	EsgSeen		seen = {0};

	if (!esg_x509_name_is_text(value))
		return ESG_NAME_SOUND;
	scan_string(value, &seen);
	return judge_seen(&seen);
}

static EsgReader
open_bytes(const unsigned char *bytes, size_t len)
{
	EsgReader	in = {bytes, len, ESG_CHARSET_UTF8};

	return in;
}

char *
esg_x509_name_escape(const unsigned char *bytes, size_t len)
{
	EsgText		text = {NULL, 0, 0, false, 0};

	append_reader(&text, open_bytes(bytes, len));
	return finish_text(&text);
}

char *
esg_x509_name_escape_hidden(const char *str)
{
	EsgText		text = {NULL, 0, 0, false, 0};
	EsgReader	in = open_bytes((const unsigned char *) str, strlen(str));

	while (in.left > 0)
	{
		EsgChar		c = read_char(&in);

		append_char(&text, &c);
	}
	return finish_text(&text);
}

void
esg_x509_name_oid(const ASN1_OBJECT *oid, char *buf, size_t size)
{
	if (OBJ_length(oid) > MAX_OID_OCTETS ||
		OBJ_obj2txt(buf, (int) size, oid, 1) >= (int) size || buf[0] == '\0')
		snprintf(buf, size, "unprintable-oid");
}

/*
 * "#" and the DER of the value in hex, RFC 2253 section 2.4: for attribute
 * types nobody knows and values that are not text.
 */
static void
append_hex_value(EsgText *text, const ASN1_STRING *s)
{
	ASN1_TYPE  *value = ASN1_TYPE_new();
	unsigned char *der = NULL;
	int			len = -1;
	int			i;

	if (value != NULL && ASN1_TYPE_set1(value, ASN1_STRING_type(s), s))
		len = i2d_ASN1_TYPE(value, &der);
	if (len < 0)
		text->failed = true;
	append_text(text, "#");
	for (i = 0; i < len && !is_enough(text); i++)
	{
		char		buf[3];

		snprintf(buf, sizeof(buf), "%02X", der[i]);
		append_bytes(text, buf, 2);
	}
	OPENSSL_free(der);
	ASN1_TYPE_free(value);
}

/* A value with the escapes of RFC 2253 section 2.4. */
static void
append_dn_value(EsgText *text, const ASN1_STRING *s)
{
	EsgReader	in;
	bool		first = true;
	bool		space = false;

	if (!open_string(s, &in))
	{
		append_hex_value(text, s);
		return;
	}
	while (in.left > 0 && !is_enough(text))
	{
		EsgChar		c = read_char(&in);
		bool		ascii = c.valid && c.code > 0 && c.code < 0x80;

		space = ascii && c.code == ' ';
		if (ascii && (strchr(",+\"\\<>;", (int) c.code) != NULL ||
					  (first && (space || c.code == '#')) ||
					  (space && in.left == 0)))
			append_bytes(text, "\\", 1);
		append_char(text, &c);
		first = false;
	}
}

static void
append_dn_entry(EsgText *text, const X509_NAME_ENTRY *entry)
{
	const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(entry);
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	int			nid = OBJ_obj2nid(type);

	if (nid != NID_undef)
	{
		append_text(text, OBJ_nid2sn(nid));
		append_text(text, "=");
		append_dn_value(text, value);
	}
	else
	{
		char		oid[512];

		esg_x509_name_oid(type, oid, sizeof(oid));
		append_text(text, oid);
		append_text(text, "=");
		append_hex_value(text, value);
	}
}

static void
append_dn(EsgText *text, const X509_NAME *name)
{
	int			last_set = 0;
	int			i;

	for (i = X509_NAME_entry_count(name) - 1; i >= 0 && !is_enough(text); i--)
	{
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		int			set = X509_NAME_ENTRY_set(entry);

		if (i < X509_NAME_entry_count(name) - 1)
			append_text(text, set == last_set ? "+" : ",");
		append_dn_entry(text, entry);
		last_set = set;
	}
}

char *
esg_x509_name_text(const X509_NAME *name)
{
	return esg_x509_name_start(name, 0);
}

char *
esg_x509_name_start(const X509_NAME *name, size_t enough)
{
	EsgText		text = {NULL, 0, 0, false, enough};
	char	   *result;

	append_dn(&text, name);
	result = finish_text(&text);
	esg_errors_forget();
	return result;
}

/* The value of the first CN in encoding order, or NULL. */
static const ASN1_STRING *
find_common_name(const X509_NAME *name)
{
	int			count = X509_NAME_entry_count(name);
	int			i;

	for (i = 0; i < count; i++)
	{
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_commonName)
			return X509_NAME_ENTRY_get_data(entry);
	}
	return NULL;
}

/* A value for a reader; what is no character string comes out as #hex. */
static void
append_value(EsgText *text, const ASN1_STRING *s)
{
	EsgReader	in;

	if (open_string(s, &in))
		append_reader(text, in);
	else
		append_hex_value(text, s);
}

/* The value itself; *out is NULL if it is never to be compared.  False: out of memory. */
static bool
read_exact(const ASN1_STRING *s, EsgNameFault *fault, char **out)
{
	EsgText		text = {NULL, 0, 0, false, 0};
	EsgSeen		seen = {0};
	EsgReader	in;

	*out = NULL;
	scan_string(s, &seen);
	*fault = seen.characters == 0 && !seen.invalid ? ESG_NAME_EMPTY : judge_seen(&seen);
	if (*fault != ESG_NAME_SOUND || !open_string(s, &in))
		return true;
	while (in.left > 0)
		append_utf8(&text, read_char(&in).code);
	*out = finish_text(&text);
	return *out != NULL;
}

char *
esg_x509_name_common_name(const X509_NAME *name, bool *found)
{
	EsgText		text = {NULL, 0, 0, false, 0};
	const ASN1_STRING *value = find_common_name(name);
	char	   *result;

	*found = value != NULL;
	if (value != NULL)
		append_value(&text, value);
	result = finish_text(&text);
	esg_errors_forget();
	return result;
}

bool
esg_x509_name_exact_common_name(const X509_NAME *name, EsgNameFault *fault, char **out)
{
	const ASN1_STRING *value = find_common_name(name);

	*fault = ESG_NAME_ABSENT;
	*out = NULL;
	return value == NULL || read_exact(value, fault, out);
}

static void
note_common_name(const ASN1_STRING *value, const EsgSeen *seen, EsgNameFacts *out)
{
	EsgCharset	charset = find_charset(ASN1_STRING_type(value));

	out->common_names++;
	if (seen->nul)
		out->nul_in_name = true;
	if (charset != ESG_CHARSET_ASCII && charset != ESG_CHARSET_UTF8)
		out->odd_string_type = true;
	if (seen->characters > MAX_COMMON_NAME)
		out->long_common_name = true;
}

static void
note_name(const X509_NAME *name, bool subject, EsgNameFacts *out)
{
	int			count = X509_NAME_entry_count(name);
	int			i;

	for (i = 0; i < count; i++)
	{
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		EsgSeen		seen = {0};

		/* x500UniqueIdentifier is a BIT STRING, and rightly so */
		if (esg_x509_name_is_text(value))
			scan_string(value, &seen);
		if (seen.invalid)
			out->bad_utf8 = true;
		if (seen.control)
			out->control_character = true;
		if (seen.ambiguous)
			out->ambiguous_string = true;
		if (subject && OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == NID_commonName)
			note_common_name(value, &seen, out);
	}
}

/*
 * The subjectAltName.  False if the extension is there but does not decode, or
 * is there twice; *names is NULL if it is absent, too.
 */
static bool
decode_alt_names(X509 *cert, GENERAL_NAMES **names)
{
	int			critical;

	*names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	return *names != NULL || critical == -1;
}

static EsgAltNameKind
find_alt_kind(const GENERAL_NAME *name, const ASN1_STRING **value)
{
	ASN1_OBJECT *oid;
	ASN1_TYPE  *other;

	*value = NULL;
	switch (name->type)
	{
		case GEN_DNS:
			*value = name->d.dNSName;
			return ESG_ALT_DNS;
		case GEN_URI:
			*value = name->d.uniformResourceIdentifier;
			return ESG_ALT_URI;
		case GEN_EMAIL:
			*value = name->d.rfc822Name;
			return ESG_ALT_EMAIL;
		case GEN_IPADD:
			*value = name->d.iPAddress;
			return ESG_ALT_IP;
		case GEN_OTHERNAME:
			if (!GENERAL_NAME_get0_otherName(name, &oid, &other) ||
				OBJ_obj2nid(oid) != NID_ms_upn)
				return ESG_ALT_OTHER;
			if (ASN1_TYPE_get(other) == V_ASN1_UTF8STRING)
				*value = other->value.utf8string;
			return ESG_ALT_UPN;
		default:
			return ESG_ALT_OTHER;
	}
}

static void
note_alt_name(const GENERAL_NAME *name, EsgNameFacts *out)
{
	EsgSeen		seen = {0};
	const ASN1_STRING *value;
	EsgAltNameKind kind = find_alt_kind(name, &value);
	int			len = value ? ASN1_STRING_length(value) : 0;

	if (kind == ESG_ALT_IP)
	{
		out->bad_address |= len != 4 && len != 16;
		out->has_server_name |= len == 4 || len == 16;
		out->empty_alt_name |= len == 0;
		return;
	}
	if (kind == ESG_ALT_OTHER)
	{
		if (name->type == GEN_DIRNAME && X509_NAME_entry_count(name->d.directoryName) == 0)
			out->empty_alt_name = true;
		else if (name->type == GEN_DIRNAME)
			note_name(name->d.directoryName, false, out);
		return;
	}
	if (value == NULL)
	{
		out->undecodable_alt_name = true;	/* UPN that is no UTF8String */
		return;
	}
	scan_string(value, &seen);
	out->empty_alt_name |= len == 0;
	out->has_server_name |= kind == ESG_ALT_DNS && len > 0;
	out->nul_in_name |= seen.nul;
	out->control_character |= seen.control;
	out->undecodable_alt_name |= seen.invalid;
}

void
esg_x509_name_facts(X509 *cert, EsgNameFacts *out)
{
	GENERAL_NAMES *names = NULL;
	int			i;

	memset(out, 0, sizeof(*out));
	note_name(X509_get_subject_name(cert), true, out);
	note_name(X509_get_issuer_name(cert), false, out);
	if (!decode_alt_names(cert, &names))
		out->undecodable_alt_name = true;
	if (names != NULL && sk_GENERAL_NAME_num(names) == 0)
		out->empty_alt_name = true;
	for (i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++)
		note_alt_name(sk_GENERAL_NAME_value(names, i), out);
	GENERAL_NAMES_free(names);
	esg_errors_forget();
}

/* RFC 5280 4.2.1.6: 4 or 16 octets; any other number is shown as octets. */
static bool
append_address(EsgText *text, const ASN1_STRING *value)
{
	char		buf[INET6_ADDRSTRLEN];
	int			len = ASN1_STRING_length(value);
	EsgChar		octets = {false, 0, ASN1_STRING_get0_data(value), (size_t) len};

	if ((len == 4 || len == 16) &&
		inet_ntop(len == 4 ? AF_INET : AF_INET6, octets.octets, buf, sizeof(buf)) != NULL)
	{
		append_text(text, buf);
		return true;
	}
	append_char(text, &octets);
	return false;
}

/* Values that no rule can name, for display only. */
static void
append_other_alt_name(EsgText *text, const GENERAL_NAME *name)
{
	char		oid[512];
	const ASN1_OBJECT *type = NULL;

	if (name->type == GEN_RID)
		type = name->d.registeredID;
	else if (name->type == GEN_OTHERNAME)
		type = name->d.otherName->type_id;

	if (type != NULL)
	{
		esg_x509_name_oid(type, oid, sizeof(oid));
		append_text(text, oid);
	}
	else if (name->type == GEN_DIRNAME)
		append_dn(text, name->d.directoryName);
	else
		append_text(text, name->type == GEN_X400 ? "x400Address" : "ediPartyName");
}

/* What a reader gets to see; false: out of memory. */
static bool
read_shown(const GENERAL_NAME *name, const ASN1_STRING *value, EsgAltName *out)
{
	EsgText		text = {NULL, 0, 0, false, 0};

	if (value != NULL)
		append_value(&text, value);
	else if (out->kind == ESG_ALT_OTHER)
		append_other_alt_name(&text, name);
	out->text = finish_text(&text);
	return out->text != NULL;
}

/* An address is compared as it is shown. */
static bool
read_address(const ASN1_STRING *value, EsgAltName *out)
{
	EsgText		text = {NULL, 0, 0, false, 0};
	bool		exact = append_address(&text, value);

	out->text = finish_text(&text);
	if (out->text == NULL || !exact)
		return out->text != NULL;
	out->exact = OPENSSL_strdup(out->text);
	return out->exact != NULL;
}

static bool
read_alt_name(const GENERAL_NAME *name, bool shown, EsgAltName *out)
{
	EsgNameFault fault;
	const ASN1_STRING *value;

	out->kind = find_alt_kind(name, &value);
	if (out->kind == ESG_ALT_IP)
		return read_address(value, out);
	if (out->kind == ESG_ALT_OTHER)
		value = NULL;
	if (value != NULL && !read_exact(value, &fault, &out->exact))
		return false;
	return (out->exact != NULL && !shown) || read_shown(name, value, out);
}

static bool
read_alt_names(X509 *cert, bool shown, EsgAltNames *out)
{
	GENERAL_NAMES *names = NULL;
	bool		decodable = decode_alt_names(cert, &names);
	bool		good = decodable;
	int			count = names ? sk_GENERAL_NAME_num(names) : 0;
	int			i;

	memset(out, 0, sizeof(*out));
	if (count > 0)
	{
		out->items = OPENSSL_zalloc((size_t) count * sizeof(EsgAltName));
		good = out->items != NULL;
	}
	for (i = 0; good && i < count; i++)
	{
		out->count++;
		good = read_alt_name(sk_GENERAL_NAME_value(names, i), shown, &out->items[i]);
	}
	if (!good)
		esg_x509_name_alt_names_free(out);
	out->undecodable = !decodable;
	GENERAL_NAMES_free(names);
	esg_errors_forget();
	return good;
}

bool
esg_x509_name_alt_names(X509 *cert, EsgAltNames *out)
{
	return read_alt_names(cert, true, out);
}

bool
esg_x509_name_exact_alt_names(X509 *cert, EsgAltNames *out)
{
	return read_alt_names(cert, false, out);
}

void
esg_x509_name_alt_names_free(EsgAltNames *names)
{
	int			i;

	for (i = 0; i < names->count; i++)
	{
		OPENSSL_free(names->items[i].text);
		OPENSSL_free(names->items[i].exact);
	}
	OPENSSL_free(names->items);
	memset(names, 0, sizeof(*names));
}

const char *
esg_x509_name_alt_prefix(EsgAltNameKind kind)
{
	static const char *const prefixes[] = {
		[ESG_ALT_DNS] = "DNS",
		[ESG_ALT_URI] = "URI",
		[ESG_ALT_EMAIL] = "email",
		[ESG_ALT_IP] = "IP",
		[ESG_ALT_UPN] = "UPN",
		[ESG_ALT_OTHER] = "other"
	};

	return prefixes[kind];
}

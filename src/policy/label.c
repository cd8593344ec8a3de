/*
 * policy/label.c
 *		What a role requires of a connection: the text of a security label.
 */
#include "policy/label.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "x509/cut_text.h"
#include "x509/info.h"

typedef struct Scanner
{
	const char *text;
	size_t		len;
	size_t		pos;			/* in bytes, from 0 */
	EsgLabelError *error;
} Scanner;

static const struct
{
	const char *name;
	int			version;
}			tls_versions[] = {
	{"TLSv1", TLS1_VERSION},
	{"TLSv1.1", TLS1_1_VERSION},
	{"TLSv1.2", TLS1_2_VERSION},
	{"TLSv1.3", TLS1_3_VERSION}
};

/* Position in characters: UTF-8 continuation bytes do not count. */
static int
count_characters(const char *text, size_t len)
{
	int			count = 0;
	size_t		i;

	for (i = 0; i < len; i++)
		count += ((unsigned char) text[i] & 0xC0) != 0x80;
	return count;
}

static bool fail(Scanner *scan, size_t pos, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));

/* always false, for "return fail(...)" */
static bool
fail(Scanner *scan, size_t pos, const char *fmt,...)
{
	va_list		ap;

	scan->error->position = count_characters(scan->text, pos) + 1;
	va_start(ap, fmt);
	BIO_vsnprintf(scan->error->reason, sizeof(scan->error->reason), fmt, ap);
	va_end(ap);
	return false;
}

static bool
fail_memory(Scanner *scan)
{
	scan->error->position = 0;
	BIO_snprintf(scan->error->reason, sizeof(scan->error->reason), "out of memory");
	return false;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip_space(Scanner *scan)
{
	while (scan->pos < scan->len && is_space(scan->text[scan->pos]))
		scan->pos++;
}

static bool
at_end_of_item(const Scanner *scan)
{
	return scan->pos == scan->len || is_space(scan->text[scan->pos]);
}

/* One character of a value into buf; the limit is that of identities. */
static bool
put_byte(Scanner *scan, char *buf, size_t *used, size_t start)
{
	unsigned char c = (unsigned char) scan->text[scan->pos];

	if (c < 0x20 || c == 0x7F)
		return fail(scan, scan->pos, "control character in a value");
	if (*used == ESG_MAX_IDENTITY_LENGTH)
		return fail(scan, start, "value is longer than %d bytes", ESG_MAX_IDENTITY_LENGTH);
	buf[(*used)++] = (char) c;
	scan->pos++;
	return true;
}

static bool
scan_quoted(Scanner *scan, char *buf, size_t *used)
{
	size_t		start = scan->pos++;

	while (scan->pos < scan->len && scan->text[scan->pos] != '"')
	{
		if (scan->text[scan->pos] == '\\')
		{
			scan->pos++;
			if (scan->pos < scan->len && scan->text[scan->pos] != '"' &&
				scan->text[scan->pos] != '\\')
				return fail(scan, scan->pos - 1,
							"only \\\" and \\\\ are escapes in a quoted value");
			if (scan->pos == scan->len)
				break;
		}
		if (!put_byte(scan, buf, used, start))
			return false;
	}
	if (scan->pos == scan->len)
		return fail(scan, start, "unterminated quote");
	scan->pos++;
	if (!at_end_of_item(scan))
		return fail(scan, scan->pos, "space expected after a quoted value");
	return true;
}

static bool
scan_bare(Scanner *scan, char *buf, size_t *used)
{
	size_t		start = scan->pos;

	while (!at_end_of_item(scan))
	{
		if (scan->text[scan->pos] == '"')
			return fail(scan, scan->pos, "quote inside a value that does not begin with one");
		if (!put_byte(scan, buf, used, start))
			return false;
	}
	return true;
}

/* buf holds ESG_MAX_IDENTITY_LENGTH + 1 bytes */
static bool
scan_value(Scanner *scan, const char *key, char *buf)
{
	size_t		start = scan->pos;
	size_t		used = 0;
	bool		good;

	if (!at_end_of_item(scan) && scan->text[scan->pos] == '"')
		good = scan_quoted(scan, buf, &used);
	else
		good = scan_bare(scan, buf, &used);
	if (!good)
		return false;
	buf[used] = '\0';
	if (used == 0)
		return fail(scan, start, "empty value for \"%s\"", key);
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char
change_case(char c, bool upper)
{
	if (upper && c >= 'a' && c <= 'z')
		return (char) (c - 'a' + 'A');
	if (!upper && c >= 'A' && c <= 'Z')
		return (char) (c - 'A' + 'a');
	return c;
}

/*
 * Hex digits without colons, in upper case, in place.  False if there is
 * anything else, or a colon that is not between two pairs of digits.
 */
static bool
strip_hex(char *value)
{
	size_t		len = strlen(value);
	bool		colons = memchr(value, ':', len) != NULL;
	size_t		used = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (colons && i % 3 == 2)
		{
			if (value[i] != ':' || i + 1 == len)
				return false;
			continue;
		}
		if (!is_hex(value[i]))
			return false;
		value[used++] = change_case(value[i], true);
	}
	value[used] = '\0';
	return used > 0 && !(colons && used % 2 != 0);
}

/* upper case, no leading zeros; "-" before a negative one */
static bool
normalize_serial(char *value)
{
	char	   *digits = value[0] == '-' ? value + 1 : value;
	size_t		zeros;

	if (!strip_hex(digits))
		return false;
	zeros = strspn(digits, "0");
	if (digits[zeros] == '\0')
		zeros--;
	memmove(digits, digits + zeros, strlen(digits + zeros) + 1);
	return true;
}

static bool
normalize_fingerprint(char *value)
{
	unsigned char digest[ESG_DIGEST_SIZE];

	if (!esg_x509_info_fingerprint_parse(value, strlen(value), digest))
		return false;
	esg_x509_info_fingerprint_text(digest, value);
	return true;
}

/* inet_ntop()'s form; buf holds INET6_ADDRSTRLEN bytes */
static bool
normalize_address(const char *value, char *buf)
{
	unsigned char bytes[16];
	int			family = strchr(value, ':') != NULL ? AF_INET6 : AF_INET;

	return inet_pton(family, value, bytes) == 1 &&
		inet_ntop(family, bytes, buf, INET6_ADDRSTRLEN) != NULL;
}

/* One form for the values that have several; false: it has none. */
static bool
normalize_value(EsgIdentitySource key, char *value, const char **expected)
{
	char		address[INET6_ADDRSTRLEN];

	switch (key)
	{
		case ESG_SOURCE_SERIAL:
			*expected = "hexadecimal digits, with or without colons";
			return normalize_serial(value);
		case ESG_SOURCE_FINGERPRINT:
		case ESG_SOURCE_CA:
			*expected = "64 hexadecimal digits (SHA-256), with or without colons";
			return normalize_fingerprint(value);
		case ESG_SOURCE_IP:
			*expected = "an IPv4 or IPv6 address";
			if (!normalize_address(value, address))
				return false;
			/* the normal form can be the longer one: "::1.2.3.4" */
			memcpy(value, address, strlen(address) + 1);
			return true;
		default:
			return true;
	}
}

static bool
add_rule(Scanner *scan, size_t start, EsgIdentitySource key, const char *value, EsgLabel *out)
{
	EsgLabelRule *grown;

	if (out->count == ESG_MAX_LABEL_RULES)
		return fail(scan, start, "more than %d requirements", ESG_MAX_LABEL_RULES);
	grown = OPENSSL_realloc(out->rules, (out->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return fail_memory(scan);
	out->rules = grown;
	grown[out->count].key = key;
	grown[out->count].value = OPENSSL_strdup(value);
	if (grown[out->count].value == NULL)
		return fail_memory(scan);
	out->count++;
	return true;
}

static bool
set_min_tls(Scanner *scan, size_t start, size_t value_start, const char *value, EsgLabel *out)
{
	size_t		i;

	if (out->min_tls != 0)
		return fail(scan, start, "\"min_tls\" given twice");
	for (i = 0; i < sizeof(tls_versions) / sizeof(tls_versions[0]); i++)
	{
		if (strcmp(value, tls_versions[i].name) == 0)
		{
			out->min_tls = tls_versions[i].version;
			return true;
		}
	}
	return fail(scan, value_start,
				"value for \"min_tls\" must be TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3");
}

static bool
set_flag(Scanner *scan, size_t start, const char *name, bool *flag)
{
	if (*flag)
		return fail(scan, start, "\"%s\" given twice", name);
	*flag = true;
	return true;
}

/* How much of a word a message shows. */
static int
shown_length(const char *word, size_t len)
{
	return (int) esg_cut_text_length(word, len, 40);
}

static bool
is_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(word, name, len) == 0;
}

static bool
lookup_key(const char *word, size_t len, EsgIdentitySource *key)
{
	for (int i = ESG_SOURCE_COUNT; i < ESG_LABEL_KEY_COUNT; i++)
	{
		*key = (EsgIdentitySource) i;
		if (is_word(word, len, esg_identities_source_name(*key)))
			return true;
	}
	return esg_identities_source_lookup(word, len, key);
}

static bool
is_known_key(const char *word, size_t len)
{
	EsgIdentitySource key;

	return is_word(word, len, "min_tls") || lookup_key(word, len, &key);
}

/* an item without "=" */
static bool
parse_flag(Scanner *scan, size_t start, EsgLabel *out)
{
	const char *word = scan->text + start;
	size_t		len = scan->pos - start;

	if (is_word(word, len, "tls"))
		return set_flag(scan, start, "tls", &out->tls);
	if (is_word(word, len, "x509"))
		return set_flag(scan, start, "x509", &out->x509);
	if (is_known_key(word, len))
		return fail(scan, scan->pos, "\"%.*s\" needs \"=\" and a value", (int) len, word);
	return fail(scan, start, "unknown requirement \"%.*s\"", shown_length(word, len), word);
}

static bool
parse_pair(Scanner *scan, size_t start, EsgLabel *out)
{
	char		value[ESG_MAX_IDENTITY_LENGTH + INET6_ADDRSTRLEN + 1];
	const char *word = scan->text + start;
	size_t		len = scan->pos - start;
	size_t		value_start = ++scan->pos;
	const char *expected = NULL;
	char		name[16];
	EsgIdentitySource key;

	if (!is_known_key(word, len))
	{
		if (is_word(word, len, "tls") || is_word(word, len, "x509"))
			return fail(scan, start + len, "\"%.*s\" takes no value", (int) len, word);
		return fail(scan, start, "unknown key \"%.*s\"", shown_length(word, len), word);
	}
	BIO_snprintf(name, sizeof(name), "%.*s", (int) len, word);
	if (!scan_value(scan, name, value))
		return false;
	if (!lookup_key(word, len, &key))
		return set_min_tls(scan, start, value_start, value, out);
	if (!normalize_value(key, value, &expected))
		return fail(scan, value_start, "value for \"%s\" must be %s", name, expected);
	return add_rule(scan, start, key, value, out);
}

static bool
parse_item(Scanner *scan, EsgLabel *out)
{
	size_t		start = scan->pos;

	while (!at_end_of_item(scan) && scan->text[scan->pos] != '=')
		scan->pos++;
	if (at_end_of_item(scan))
		return parse_flag(scan, start, out);
	return parse_pair(scan, start, out);
}

bool
esg_label_parse(const char *text, size_t len, EsgLabel *out, EsgLabelError *error)
{
	Scanner		scan = {text, len, 0, error};
	bool		good = true;

	memset(out, 0, sizeof(*out));
	memset(error, 0, sizeof(*error));
	skip_space(&scan);
	if (scan.pos == len)
		return fail(&scan, 0, "no requirement");
	while (good && scan.pos < len)
	{
		good = parse_item(&scan, out);
		skip_space(&scan);
	}
	if (!good)
		esg_label_free(out);
	return good;
}

void
esg_label_free(EsgLabel *label)
{
	int			i;

	for (i = 0; i < label->count; i++)
		OPENSSL_free(label->rules[i].value);
	OPENSSL_free(label->rules);
	memset(label, 0, sizeof(*label));
}

bool
esg_label_has(const EsgLabel *label, EsgIdentitySource key)
{
	int			i;

	for (i = 0; i < label->count; i++)
	{
		if (label->rules[i].key == key)
			return true;
	}
	return false;
}

bool
esg_label_needs_certificate(const EsgLabel *label)
{
	return label->x509 || label->count > 0;
}

bool
esg_label_needs_tls(const EsgLabel *label)
{
	return label->tls || label->min_tls != 0 || esg_label_needs_certificate(label);
}

/* ASCII letters only: what is outside ASCII in a DNS name is punycode. */
static bool
equal_ignoring_case(const char *a, const char *b)
{
	while (*a != '\0' && change_case(*a, false) == change_case(*b, false))
	{
		a++;
		b++;
	}
	return *a == *b;
}

/* RFC 5321 2.4: the local part is the domain's own business */
static bool
equal_email(const char *a, const char *b)
{
	const char *a_at = strrchr(a, '@');
	const char *b_at = strrchr(b, '@');

	if (a_at == NULL || b_at == NULL)
		return strcmp(a, b) == 0;
	return a_at - a == b_at - b && memcmp(a, b, (size_t) (a_at - a)) == 0 &&
		equal_ignoring_case(a_at, b_at);
}

/* The candidate is "SERIAL/issuer". */
static bool
equal_serial(const char *rule, const char *candidate)
{
	char		serial[ESG_MAX_IDENTITY_LENGTH + 1];
	size_t		len = strcspn(candidate, "/");

	if (len >= sizeof(serial))
		return false;
	memcpy(serial, candidate, len);
	serial[len] = '\0';
	return normalize_serial(serial) && strcmp(rule, serial) == 0;
}

static bool
equal_address(const char *rule, const char *candidate)
{
	char		address[INET6_ADDRSTRLEN];

	return normalize_address(candidate, address) && strcmp(rule, address) == 0;
}

static bool
equal_value(EsgIdentitySource key, const char *rule, const char *candidate)
{
	switch (key)
	{
		case ESG_SOURCE_DNS:
			return equal_ignoring_case(rule, candidate);
		case ESG_SOURCE_EMAIL:
			return equal_email(rule, candidate);
		case ESG_SOURCE_SERIAL:
			return equal_serial(rule, candidate);
		case ESG_SOURCE_IP:
			return equal_address(rule, candidate);
		default:
			return strcmp(rule, candidate) == 0;
	}
}

/* Does any value of that key match any candidate of that source? */
static bool
key_is_met(const EsgLabel *label, EsgIdentitySource key, const EsgCandidates *candidates)
{
	int			i;
	int			j;

	for (i = 0; i < candidates->count; i++)
	{
		const EsgCandidate *candidate = &candidates->items[i];

		if (candidate->source != key || candidate->unusable != NULL)
			continue;
		for (j = 0; j < label->count; j++)
		{
			if (label->rules[j].key == key &&
				equal_value(key, label->rules[j].value, candidate->text))
				return true;
		}
	}
	return false;
}

static void
refuse(EsgLabelVerdict *out, const char *key, const char *reason)
{
	out->refused = true;
	out->key = key;
	out->reason = reason;
}

static void
check_names(const EsgLabel *label, X509 *cert, EsgLabelVerdict *out)
{
	unsigned char keys[ESG_LABEL_KEY_COUNT];
	int			key_count = 0;
	EsgCandidates candidates;
	EsgNamesResult result;
	int			i;

	for (i = 0; i < ESG_LABEL_KEY_COUNT; i++)
	{
		if (i != ESG_SOURCE_CA && esg_label_has(label, (EsgIdentitySource) i))
			keys[key_count++] = (unsigned char) i;
	}
	if (key_count == 0)
		return;
	result = esg_identities_candidates(cert, keys, key_count, &candidates);
	if (result != ESG_NAMES_OK)
	{
		refuse(out, "x509", esg_identities_result_text(result));
		return;
	}
	for (i = 0; i < key_count && !out->refused; i++)
	{
		if (!key_is_met(label, (EsgIdentitySource) keys[i], &candidates))
			refuse(out, esg_identities_source_name((EsgIdentitySource) keys[i]),
				   "the certificate has no such value");
	}
	esg_identities_candidates_free(&candidates);
}

bool
esg_label_names_ca(const EsgLabel *label, X509 *ca)
{
	unsigned char digest[ESG_DIGEST_SIZE];
	char		text[ESG_FINGERPRINT_TEXT_SIZE];
	int			i;

	if (!esg_x509_info_fingerprint(ca, digest))
		return false;
	esg_x509_info_fingerprint_text(digest, text);
	for (i = 0; i < label->count; i++)
	{
		if (label->rules[i].key == ESG_SOURCE_CA && strcmp(label->rules[i].value, text) == 0)
			return true;
	}
	return false;
}

/* The first of the chain is the client's own certificate, which is no CA of its. */
static void
check_chain(const EsgLabel *label, STACK_OF(X509) *chain, EsgLabelVerdict *out)
{
	int			i;

	if (!esg_label_has(label, ESG_SOURCE_CA))
		return;
	for (i = 1; i < sk_X509_num(chain); i++)
	{
		if (esg_label_names_ca(label, sk_X509_value(chain, i)))
			return;
	}
	refuse(out, "ca", chain == NULL ? "the certificate's chain is not known" :
		   "the certificate's chain has no such CA");
}

void
esg_label_check(const EsgLabel *label, const EsgLabelPeer *peer, EsgLabelVerdict *out)
{
	memset(out, 0, sizeof(*out));
	if (esg_label_needs_tls(label) && !peer->tls)
		refuse(out, "tls", "the connection is not encrypted with TLS");
	else if (label->min_tls != 0 && peer->tls_version < label->min_tls)
		refuse(out, "min_tls", "the connection's TLS version is lower");
	else if (esg_label_needs_certificate(label) && peer->cert == NULL)
		refuse(out, "x509", "the client showed no certificate");
	else if (peer->cert != NULL)
	{
		check_names(label, peer->cert, out);
		if (!out->refused)
			check_chain(label, peer->chain, out);
	}
}

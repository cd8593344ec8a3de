/*
 * policy/auth_text.c
 *		Lines and words of files that are written as pg_hba.conf is.
 */
#include "policy/auth_text.h"

#include <string.h>

/* ---- lines ---- */

/* Appends to line, of which there are len bytes, up to the next newline; returns the new length. */
static size_t
append_part(EsgAuthText *text, char *line, size_t len)
{
	bool		hidden = true;

	/* a NUL hides what is behind it, and the newline, too */
	while (hidden && text->at < text->len)
	{
		const char *begin = text->data + text->at;
		const char *newline = memchr(begin, '\n', text->len - text->at);
		size_t		size = newline != NULL ? (size_t) (newline - begin) : text->len - text->at;
		const char *nul = memchr(begin, '\0', size);
		size_t		shown = nul != NULL ? (size_t) (nul - begin) : size;

		memcpy(line + len, begin, shown);
		len += shown;
		text->at += size + (newline != NULL);
		hidden = nul != NULL;
	}
	text->lines++;
	return len;
}

static size_t
cut_returns(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	return len;
}

bool
esg_auth_text_line(EsgAuthText *text, char *line, int *number)
{
	size_t		len = 0;
	size_t		continued = 0;

	*number = text->lines + 1;
	line[0] = '\0';
	if (text->at >= text->len)
		return false;
	while (text->at < text->len)
	{
		len = cut_returns(line, append_part(text, line, len));
		/* a backslash counts once */
		if (len <= continued || line[len - 1] != '\\')
			break;
		continued = --len;
	}
	line[len] = '\0';
	return true;
}

/* ---- words ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What of a word was read. */
typedef struct Word
{
	EsgAuthToken *token;
	size_t		len;
	bool		in_quotes;
	bool		closed;			/* the character before ended a quoted part */
	bool		seen_quote;
} Word;

static void
take_quote(Word *word)
{
	if (word->closed)
		word->token->text[word->len++] = '"';
	word->closed = word->in_quotes;
	word->in_quotes = !word->in_quotes;
	word->seen_quote = true;
	if (word->len == 0)
		word->token->quoted = true;
}

static void
take_other(Word *word, char c)
{
	word->token->text[word->len++] = c;
	word->closed = false;
}

static bool
ends_word(const Word *word, char c)
{
	return c == '\0' || (!word->in_quotes && (is_blank(c) || c == ',' || c == '#'));
}

bool
esg_auth_text_word(const char **rest, EsgAuthToken *token)
{
	Word		word = {.token = token};
	const char *p = *rest;

	token->quoted = token->more = false;
	while (is_blank(*p) || *p == ',')
		p++;
	for (; !ends_word(&word, *p); p++)
	{
		if (*p == '"')
			take_quote(&word);
		else
			take_other(&word, *p);
	}
	token->text[word.len] = '\0';
	token->more = *p == ',';
	if (*p == '#')
		p += strlen(p);
	*rest = p;
	return word.seen_quote || word.len > 0;
}

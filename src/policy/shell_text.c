/*
 * policy/shell_text.c
 *		Commands for a shell, as text that grows.
 */
#include "policy/shell_text.h"

#include <string.h>

#include <openssl/crypto.h>

static void
append_bytes(EsgShellText *t, const char *bytes, size_t len)
{
	char	   *grown;

	if (t->out_of_memory)
		return;
	grown = OPENSSL_realloc(t->text, t->len + len + 1);
	if (grown == NULL)
	{
		OPENSSL_free(t->text);
		t->text = NULL;
		t->out_of_memory = true;
		return;
	}
	memcpy(grown + t->len, bytes, len);
	t->text = grown;
	t->len += len;
	t->text[t->len] = '\0';
}

void
esg_shell_text_append(EsgShellText *t, const char *text)
{
	append_bytes(t, text, strlen(text));
}

void
esg_shell_text_append_quoted(EsgShellText *t, const char *word)
{
	const char *quote;

	esg_shell_text_append(t, "'");
	while ((quote = strchr(word, '\'')) != NULL)
	{
		append_bytes(t, word, (size_t) (quote - word));
		esg_shell_text_append(t, "'\\''");
		word = quote + 1;
	}
	esg_shell_text_append(t, word);
	esg_shell_text_append(t, "'");
}

void
esg_shell_text_append_name(EsgShellText *t, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	if (name[0] != '\0' && name[0] != '-' && strspn(name, plain) == strlen(name))
		esg_shell_text_append(t, name);
	else
		esg_shell_text_append_quoted(t, name);
}

char *
esg_shell_text_take(EsgShellText *t)
{
	char	   *text;

	esg_shell_text_append(t, "");
	/* a part of a command is none */
	if (t->out_of_memory)
	{
		OPENSSL_free(t->text);
		t->text = NULL;
	}
	text = t->text;
	t->text = NULL;
	t->len = 0;
	return text;
}

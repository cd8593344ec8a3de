/*
 * policy/shell_text.h
 *		Commands for a shell, as text that grows.
 *
 * Pure.
 */
#ifndef ESG_POLICY_SHELL_TEXT_H
#define ESG_POLICY_SHELL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Begins as {NULL, 0, false}; text is NULL while empty, and after memory ran out. */
typedef struct EsgShellText
{
	char	   *text;			/* OpenSSL's to free */
	size_t		len;
	bool		out_of_memory;
} EsgShellText;

extern void esg_shell_text_append(EsgShellText *t, const char *text);

/* in single quotes, for any shell that is like sh */
extern void esg_shell_text_append_quoted(EsgShellText *t, const char *word);

/* quoted only if a shell could misunderstand it */
extern void esg_shell_text_append_name(EsgShellText *t, const char *name);

/* The text, "" if nothing was appended, NULL if memory ran out; the caller's to free. */
extern char *esg_shell_text_take(EsgShellText *t);

#endif							/* ESG_POLICY_SHELL_TEXT_H */

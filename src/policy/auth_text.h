/*
 * policy/auth_text.h
 *		Lines and words of files that are written as pg_hba.conf is.
 *
 * Pure.  What they are is what PostgreSQL's own reader makes of them: a line goes
 * on behind a backslash at its end, words are separated by white space and commas,
 * and within double quotes, of which two are one, everything is text.
 */
#ifndef ESG_POLICY_AUTH_TEXT_H
#define ESG_POLICY_AUTH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A text, and how far it was read: at and lines are 0 at first. */
typedef struct EsgAuthText
{
	const char *data;
	size_t		len;
	size_t		at;				/* where the next line begins */
	int			lines;			/* so many are before it */
} EsgAuthText;

/*
 * The next line into line, which has room for the whole text and a NUL; number is
 * that of its first part.  False at the end.
 */
extern bool esg_auth_text_line(EsgAuthText *text, char *line, int *number);

typedef struct EsgAuthToken
{
	char	   *text;			/* the caller's: room for the line and a NUL */
	bool		quoted;			/* it begins with a quote */
	bool		more;			/* a comma ends it: the next one belongs to
								 * the same field */
} EsgAuthToken;

/* The next word of *rest; false if there is none.  A comment is none. */
extern bool esg_auth_text_word(const char **rest, EsgAuthToken *token);

/* What stands between white space, "a,b": words of a line, or of files that it names. */
typedef struct EsgAuthWord
{
	const char *text;
	struct EsgAuthWord *next;
} EsgAuthWord;

typedef struct EsgAuthField
{
	EsgAuthWord *first;			/* there is one at least */
	EsgAuthWord *last;
	struct EsgAuthField *next;
} EsgAuthField;

#endif							/* ESG_POLICY_AUTH_TEXT_H */

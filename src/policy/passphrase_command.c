/*
 * policy/passphrase_command.c
 *		What the text of ssl_passphrase_command shows without being run.
 *
 * The text is cut into words and simple commands as a shell would, no more: what
 * comes of $ and ` is not known, and no secret of the text.  What is not
 * understood is no fault.
 */
#include "policy/passphrase_command.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include <openssl/crypto.h>

/* how often sh -c may stand within sh -c */
#define MAX_DEPTH 3

/* What the first word of a simple command makes of the others. */
typedef enum Role
{
	NO_PROGRAM,					/* it has not come yet */
	OTHER,
	PRINTS,						/* echo: its words */
	SHOWS,						/* cat: what is in the files that they name */
	SHELL						/* the word behind -c is a text like this one */
} Role;

typedef struct Reader
{
	EsgPassphraseCommand *out;
	int			depth;
	bool		program_taken;
	Role		role;			/* of the simple command at hand */
	bool		prefixed;		/* there was something like "env" before it */
	bool		is_text_next;	/* behind sh -c */
	bool		is_secret_next; /* behind an option like --passphrase */
	bool		behind_option;
	int			inputs;			/* '<' before the next word */
	bool		is_output;		/* '>' */
	char		word[ESG_COMMAND_WORD_SIZE];
	size_t		length;
	bool		in_word;
	bool		quoted;			/* some of it */
	bool		expanded;		/* nobody knows what comes of it */
} Reader;

static void read_text(EsgPassphraseCommand *out, const char *text, int depth, bool program_taken);

static void
copy_word(char out[ESG_COMMAND_WORD_SIZE], const char *word)
{
	OPENSSL_strlcpy(out, word, ESG_COMMAND_WORD_SIZE);
}

/* ends with NULL */
static bool
is_one_of(const char *const *names, const char *word)
{
	for (; *names != NULL; names++)
	{
		if (strcmp(*names, word) == 0)
			return true;
	}
	return false;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- what a word is ---- */

/* Is it the name of something secret, and not of where it is kept? */
static bool
names_secret(const char *name, size_t length)
{
	static const char *const secrets[] = {"pass", "pwd", "secret", "token", "pin", NULL};
	static const char *const places[] = {
		"file", "path", "dir", "fd", "env", "url", "mapping", "spin", "ping", "pinentry", "label", "repeat", NULL
	};

	/* names in a store */
	static const char *const references[] = {"--secret", "--secret-id", "--secret-name", NULL};
	char		lower[64];
	size_t		size = length < sizeof(lower) ? length : sizeof(lower) - 1;

	for (size_t i = 0; i < size; i++)
		lower[i] = (char) tolower((unsigned char) name[i]);
	lower[size] = '\0';
	if (is_one_of(references, lower))
		return false;
	for (const char *const *place = places; *place != NULL; place++)
	{
		if (strstr(lower, *place) != NULL)
			return false;
	}
	for (const char *const *secret = secrets; *secret != NULL; secret++)
	{
		if (strstr(lower, *secret) != NULL)
			return true;
	}
	return false;
}

/* NAME=value, --name=value, pass:value, with a secret as it is */
static bool
is_secret_pair(const Reader *reader)
{
	const char *equals = strchr(reader->word, '=');

	if (reader->expanded)
		return false;
	if (strncmp(reader->word, "pass:", 5) == 0)
		return reader->word[5] != '\0';
	return equals != NULL && equals[1] != '\0' && equals[1] != '/' &&
		names_secret(reader->word, (size_t) (equals - reader->word));
}

/* The next word is one, whatever it looks like. */
static bool
announces_secret(const char *option)
{
	static const char *const options[] = {"--passphrase", "--password", "--pin", "--token", NULL};

	return is_one_of(options, option);
}

static bool
is_number(const char *word)
{
	return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* NAME=value before a program */
static bool
is_assignment(const char *word)
{
	size_t		length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	return length > 0 && !isdigit((unsigned char) word[0]) && word[length] == '=';
}

/* Is there something to print beside conversions and escapes, "%s\n"? */
static bool
has_text(const char *word)
{
	while (*word != '\0')
	{
		if (*word == '%')
			word += 1 + strspn(word + 1, "-+ #0123456789.*");
		else if (*word != '\\')
			return true;
		if (*word == '\\')
			word++;
		if (*word != '\0')
			word++;
	}
	return false;
}

static Role
role_of(const char *program)
{
	static const char *const printing[] = {"echo", "printf", NULL};
	static const char *const showing[] = {"cat", "head", "tail", "tac", "base64", "base32", "rev", "xxd", NULL};
	static const char *const shells[] = {"sh", "bash", "dash", "ksh", "zsh", "ash", NULL};
	const char *name = base_name(program);

	if (is_one_of(printing, name))
		return PRINTS;
	if (is_one_of(showing, name))
		return SHOWS;
	return is_one_of(shells, name) ? SHELL : OTHER;
}

/* Behind these stands a program. */
static bool
is_prefix(const char *word)
{
	static const char *const prefixes[] = {"!", "{", "if", "then", "else", "elif", "do", "while", "until", "exec", "env", "command", "time", "nice", "nohup", NULL};

	return is_one_of(prefixes, word);
}

/* What the shell has itself, or understands itself: no file need be there. */
static bool
is_of_shell(const char *word)
{
	static const char *const words[] = {
		"echo", "printf", "read", "cd", "test", "[", ":", ".", "eval", "export", "set", "unset", "umask", "trap",
		"exit", "return", "shift", "true", "false", "wait", "for", "case", "fi", "done", "esac", "}", "function", "source",
		"ulimit", "local", "type", "alias", "pwd", "kill", "getopts", "hash", "times", NULL
	};

	return is_one_of(words, word);
}

static bool
asks_person(const char *program)
{
	static const char *const programs[] = {
		"stty", "systemd-ask-password", "ssh-askpass", "zenity", "kdialog", "dialog", "whiptail", "yad", NULL
	};
	const char *name = base_name(program);

	return is_one_of(programs, name) || strncmp(name, "pinentry", 8) == 0;
}

/* With these nobody knows which files are looked for, and where. */
static bool
is_condition(const char *word)
{
	static const char *const words[] = {"if", "while", "until", "for", "case", "test", "[", "cd", NULL};

	return is_one_of(words, word);
}

/* ---- variables that have a value as it stands there ---- */

static void
note_variable(const Reader *reader)
{
	EsgPassphraseCommand *out = reader->out;
	size_t		length = strcspn(reader->word, "=");
	const char *value = reader->word + length + 1;

	if (reader->expanded || value[0] == '\0' || value[0] == '/' ||
		length >= ESG_COMMAND_NAME_SIZE || out->variable_count == ESG_COMMAND_MAX_VARIABLES)
		return;
	memcpy(out->variables[out->variable_count], reader->word, length);
	out->variables[out->variable_count++][length] = '\0';
}

/* Is it $NAME, or ${NAME}? */
static bool
is_variable_at(const char *at, const char *name)
{
	size_t		length = strlen(name);

	at += at[1] == '{' ? 2 : 1;
	return strncmp(at, name, length) == 0 && !isalnum((unsigned char) at[length]) && at[length] != '_';
}

static bool
has_known_variable(const Reader *reader)
{
	for (const char *at = strchr(reader->word, '$'); at != NULL; at = strchr(at + 1, '$'))
	{
		for (int i = 0; i < reader->out->variable_count; i++)
		{
			if (is_variable_at(at, reader->out->variables[i]))
				return true;
		}
	}
	return false;
}

/* ---- words come ---- */

static void
add_file(Reader *reader)
{
	EsgPassphraseCommand *out = reader->out;

	if (!reader->expanded && out->file_count < ESG_COMMAND_MAX_FILES)
		copy_word(out->files[out->file_count++], reader->word);
}

static void
take_assignment(Reader *reader)
{
	reader->out->has_secret |= is_secret_pair(reader);
	note_variable(reader);
}

static void
begin_program(Reader *reader)
{
	reader->role = reader->expanded ? OTHER : role_of(reader->word);
	reader->out->asks_person |= !reader->expanded && asks_person(reader->word);
	reader->out->reads_input |= strcmp(reader->word, "read") == 0;
	if (!reader->program_taken && !reader->expanded && !is_of_shell(reader->word))
		copy_word(reader->out->program, reader->word);
	reader->program_taken = true;
}

static void
take_program(Reader *reader)
{
	reader->out->files_may_be_missing |= is_condition(reader->word);
	if (!reader->quoted && is_prefix(reader->word))
		reader->prefixed = true;
	else if (is_assignment(reader->word))
		take_assignment(reader);
	/* env -i, nice -n 10: what these have of their own */
	else if (reader->prefixed && (reader->word[0] == '-' || is_number(reader->word)))
		reader->program_taken = true;
	else
		begin_program(reader);
}

/* "-n", "-ne", "--": of a program that prints what else begins with a minus */
static bool
is_printing_option(const char *word)
{
	return word[0] == '-' && (strcmp(word, "-v") == 0 || strcmp(word, "--") == 0 || word[1 + strspn(word + 1, "neE")] == '\0');
}

static bool
is_printed_secret(const Reader *reader)
{
	return reader->expanded ? has_known_variable(reader) : !is_printing_option(reader->word) && has_text(reader->word);
}

static void
take_argument(Reader *reader)
{
	bool		is_option = reader->word[0] == '-';

	reader->out->has_secret |= is_secret_pair(reader) ||
		(reader->is_secret_next && !reader->expanded && !is_option && reader->word[0] != '/');
	if (reader->is_text_next && !reader->expanded)
		read_text(reader->out, reader->word, reader->depth + 1, true);
	else if (reader->role == PRINTS)
		reader->out->has_secret |= is_printed_secret(reader);
	else if (reader->role == SHOWS && !is_option && !(reader->behind_option && is_number(reader->word)))
		add_file(reader);
	reader->is_text_next = reader->role == SHELL && is_option && reader->word[1] != '-' &&
		strchr(reader->word, 'c') != NULL;
	reader->is_secret_next = announces_secret(reader->word);
	reader->behind_option = is_option;
}

static void
take_input(Reader *reader)
{
	/* "<<< text", and what follows "<< END" */
	if (reader->inputs > 1)
		reader->out->has_secret |= !reader->expanded;
	else
		add_file(reader);
}

static void
end_word(Reader *reader)
{
	if (!reader->in_word)
		return;
	reader->word[reader->length] = '\0';
	if (strcmp(reader->word, "/dev/tty") == 0)
		reader->out->asks_person = true;
	else if (reader->inputs > 0)
		take_input(reader);
	else if (reader->is_output)
		;
	else if (reader->role == NO_PROGRAM)
		take_program(reader);
	else
		take_argument(reader);
	reader->inputs = 0;
	reader->is_output = reader->in_word = reader->quoted = reader->expanded = false;
	reader->length = 0;
}

static void
end_command(Reader *reader)
{
	end_word(reader);
	reader->role = NO_PROGRAM;
	reader->prefixed = reader->is_text_next = reader->is_secret_next = reader->behind_option = false;
	reader->inputs = 0;
	reader->is_output = false;
}

/* What is too long for a file's name is not taken for one. */
static void
add_char(Reader *reader, char c)
{
	reader->in_word = true;
	if (reader->length + 1 < sizeof(reader->word))
		reader->word[reader->length++] = c;
	else
		reader->expanded = true;
}

/* Behind "$(" or "`": to the end of it, with quotes as they come; there is a command, too. */
static const char *
read_substitution(Reader *reader, const char *at, char end)
{
	const char *begin = at;
	int			open = 1;
	char		text[ESG_COMMAND_WORD_SIZE];
	size_t		length;

	for (; *at != '\0' && (*at != end || (end == ')' && open > 1)); at++)
		open += *at == '(' ? 1 : *at == ')' ? -1 : 0;
	length = (size_t) (at - begin);
	reader->in_word = reader->expanded = true;
	if (length < sizeof(text))
	{
		memcpy(text, begin, length);
		text[length] = '\0';
		read_text(reader->out, text, reader->depth + 1, true);
	}
	return *at == end ? at + 1 : at;
}

/* At a $ or `, of which nobody knows what comes; returns what follows. */
static const char *
read_expansion(Reader *reader, const char *at)
{
	if (*at == '`')
		return read_substitution(reader, at + 1, '`');
	if (at[1] == '(')
		return read_substitution(reader, at + 2, ')');
	reader->expanded = true;
	add_char(reader, '$');
	return at + 1;
}

/* The rest of a quoted part; returns where it ends. */
static const char *
read_quoted(Reader *reader, const char *at, char quote)
{
	reader->in_word = reader->quoted = true;
	while (*at != '\0' && *at != quote)
	{
		if (quote == '"' && (*at == '$' || *at == '`'))
		{
			at = read_expansion(reader, at);
			continue;
		}
		if (quote == '"' && *at == '\\' && at[1] != '\0' && strchr("\"\\$`", at[1]) != NULL)
			at++;
		add_char(reader, *at++);
	}
	return *at == quote ? at + 1 : at;
}

static void
begin_redirection(Reader *reader, char direction)
{
	/* the number before it is a descriptor's */
	reader->word[reader->length] = '\0';
	if (!reader->quoted && is_number(reader->word))
	{
		reader->in_word = false;
		reader->length = 0;
	}
	end_word(reader);
	reader->inputs += direction == '<' ? 1 : 0;
	reader->is_output = direction == '>';
}

static void
read_operator(Reader *reader, const char *at)
{
	/* "name() { ...": no program */
	if (*at == '(' && reader->in_word && reader->role == NO_PROGRAM)
		reader->expanded = true;
	if (at[0] == at[1] && (*at == '&' || *at == '|'))
		reader->out->files_may_be_missing = true;
	end_command(reader);
}

/* One character that is not quoted, or an operator; returns what follows. */
static const char *
read_plain(Reader *reader, const char *at)
{
	if (*at == '\'' || *at == '"')
		return read_quoted(reader, at + 1, *at);
	if (*at == '\\' && at[1] != '\0')
	{
		add_char(reader, at[1]);
		return at + 2;
	}
	if (*at == '$' || *at == '`')
		return read_expansion(reader, at);
	if (strchr(" \t", *at) != NULL)
		end_word(reader);
	else if (strchr("|&;()\n", *at) != NULL)
		read_operator(reader, at);
	else if (*at == '<' || *at == '>')
		begin_redirection(reader, *at);
	else
	{
		reader->expanded |= strchr("*?[~", *at) != NULL;
		add_char(reader, *at);
	}
	return at + 1;
}

static void
read_text(EsgPassphraseCommand *out, const char *text, int depth, bool program_taken)
{
	Reader		reader = {.out = out,.depth = depth,.program_taken = program_taken};

	if (depth > MAX_DEPTH)
		return;
	while (*text != '\0')
	{
		if (*text == '#' && !reader.in_word)
			text += strcspn(text, "\n");
		else
			text = read_plain(&reader, text);
	}
	end_command(&reader);
}

/* The program, if it stands at the beginning as it is, and that there is more. */
static void
show(const char *text, EsgPassphraseCommand *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
	size_t		length = strspn(text, plain);
	bool		is_all = text[length] == '\0';

	if (length >= ESG_COMMAND_WORD_SIZE || (!is_all && text[length] != ' '))
		length = 0;
	memcpy(out->shown, text, length);
	OPENSSL_strlcpy(out->shown + length, is_all ? "" : length > 0 ? " ..." : "...", sizeof(out->shown) - length);
}

void
esg_passphrase_command_read(const char *text, EsgPassphraseCommand *out)
{
	char		unescaped[4 * ESG_COMMAND_WORD_SIZE];
	size_t		length = 0;

	memset(out, 0, sizeof(*out));
	show(text, out);
	/* the server's own: %p is the prompt, %% a percent sign */
	for (const char *at = text; *at != '\0' && length + 1 < sizeof(unescaped); at++)
	{
		if (at[0] == '%' && at[1] == 'p')
			at++;
		else
		{
			at += at[0] == '%' && at[1] == '%' ? 1 : 0;
			unescaped[length++] = *at;
		}
	}
	unescaped[length] = '\0';
	read_text(out, unescaped, 0, false);
	/* a file, or another program, may be what it reads */
	out->asks_person |= out->reads_input && strpbrk(unescaped, "<|") == NULL;
}

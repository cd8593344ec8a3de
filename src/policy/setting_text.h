/*
 * policy/setting_text.h
 *		What stands in settings: lists, modes, spans of time.
 *
 * Pure.  The server reads its settings with it, and so does the program, which
 * finds them as they stand in the configuration files.
 */
#ifndef ESG_POLICY_SETTING_TEXT_H
#define ESG_POLICY_SETTING_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/file.h"

/* Why a value is none: a sentence, and maybe what to do. */
typedef struct EsgSettingFault
{
	char		detail[256];
	const char *hint;			/* static; NULL if none */
} EsgSettingFault;

/* Cuts white space at both ends; *len shrinks. */
extern const char *esg_setting_text_trim(const char *token, size_t *len);
extern bool esg_setting_text_is_blank(const char *text);

/*
 * The next comma-separated item of *rest, trimmed; false at the end.  An empty
 * text has no items, "a," has two, the second one empty.
 */
extern bool esg_setting_text_next(const char **rest, const char **item, size_t *len);

/* Copies a word in lower case; false if it is longer than any that is known. */
extern bool esg_setting_text_lower(const char *word, size_t len, char *lower, size_t size);

/* "code=severity, …"; false with fault */
extern bool esg_setting_text_overrides(const char *list, signed char *overrides, EsgSettingFault *fault);

/*
 * The next item of a list of paths, without its quotes in size bytes, cut if it is
 * longer; *rest is NULL after the last.  The syntax is that of
 * unix_socket_directories.  False: it is none.
 */
extern bool esg_setting_text_next_path(const char **rest, char *path, size_t size);

/* What stands before the path: "client:/srv/client.crt"; a path that begins so is written "./client:...". */
extern EsgFileKind esg_setting_text_take_kind(const char **path);

/* octal, with or without a leading zero, 0000 to 0777 */
extern bool esg_setting_text_mode(const char *text, unsigned *mode);

/* a whole number; one with a unit, "90d", in seconds: as PostgreSQL has it */
extern bool esg_setting_text_number(const char *text, int64_t *number);
extern bool esg_setting_text_seconds(const char *text, int64_t *seconds);

#endif							/* ESG_POLICY_SETTING_TEXT_H */

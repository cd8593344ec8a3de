/*
 * audit/config_files.c
 *		What a reload of the server would apply beside TLS files.
 *
 * Core's own parsers are asked: they know what is included.  A file that is
 * included and has nothing in it does not matter.
 */
#include "postgres.h"

#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/stringinfo.h"
#include "libpq/hba.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "audit/config_files.h"
#include "compat.h"

/* core's messages about what it cannot parse are for those who reload */
#define SILENT DEBUG5

/* One of them while it is read. */
typedef struct Reading
{
	StringInfoData text;		/* what it says, to be digested */
	TimestampTz changed_at;
} Reading;

static void
append_string(Reading *reading, const char *str)
{
	appendBinaryStringInfo(&reading->text, str != NULL ? str : "",
						   str != NULL ? (int) strlen(str) + 1 : 1);
}

static void
note_change(Reading *reading, const char *path)
{
	const int64 epoch = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	struct stat st;
	TimestampTz changed_at;

	if (path == NULL || stat(path, &st) != 0)
		return;
	changed_at = ((int64) st.st_ctim.tv_sec - epoch) * USECS_PER_SEC + st.st_ctim.tv_nsec / 1000;
	reading->changed_at = Max(reading->changed_at, changed_at);
}

/* Later lines stand for earlier ones of the same name, so the order counts. */
static bool
read_settings_of(Reading *reading, const char *path, bool must_exist)
{
	ConfigVariable *head = NULL;
	ConfigVariable *tail = NULL;
	const char *file = NULL;

	note_change(reading, path);
	if (!ParseConfigFile(path, must_exist, NULL, 0, 0, SILENT, &head, &tail))
		return false;
	for (const ConfigVariable *item = head; item != NULL; item = item->next)
	{
		append_string(reading, item->name);
		append_string(reading, item->value);
		if (item->filename == NULL || (file != NULL && strcmp(file, item->filename) == 0))
			continue;
		file = item->filename;
		note_change(reading, file);
	}
	return true;
}

static bool
read_settings(Reading *reading)
{
	return read_settings_of(reading, ConfigFileName, true) &&
		read_settings_of(reading, PG_AUTOCONF_FILENAME, false);
}

static void
append_line(Reading *reading, const TokenizedAuthLine *line)
{
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, line->fields)
	{
		foreach(inner, (List *) lfirst(cell))
		{
			const AuthToken *token = lfirst(inner);

			appendStringInfoChar(&reading->text, token->quoted ? '"' : ' ');
			append_string(reading, token->string);
		}
		appendStringInfoChar(&reading->text, '\n');
	}
	append_string(reading, line->err_msg);
	note_change(reading, esg_auth_line_file(line));
}

static bool
read_auth_file(Reading *reading, const char *path)
{
	char	   *error = NULL;
	FILE	   *file = open_auth_file(path, SILENT, 0, &error);
	List	   *lines = NIL;
	ListCell   *cell;

	if (file == NULL)
		return false;
	tokenize_auth_file(path, file, &lines, SILENT, 0);
	note_change(reading, path);
	foreach(cell, lines)
		append_line(reading, lfirst(cell));
	free_auth_file(file, 0);
	return true;
}

const char *
esg_config_files_path(EsgConfigFile file)
{
	switch (file)
	{
		case ESG_CONFIG_HBA:
			return HbaFileName;
		case ESG_CONFIG_IDENT:
			return IdentFileName;
		default:
			return ConfigFileName;
	}
}

void
esg_config_files_read(EsgConfigState *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < ESG_CONFIG_FILES; i++)
	{
		Reading		reading = {.changed_at = 0};

		initStringInfo(&reading.text);
		out->readable[i] = (i == ESG_CONFIG_SETTINGS ? read_settings(&reading) :
							read_auth_file(&reading, esg_config_files_path(i))) &&
			EVP_Digest(reading.text.data, reading.text.len, out->sha256[i], NULL, EVP_sha256(), NULL) == 1;
		out->changed_at[i] = reading.changed_at;
		pfree(reading.text.data);
	}
	ERR_clear_error();
}

/*
 * sql/argument.c
 *		Certificates that a caller hands over: PEM text, or DER.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "compat.h"
#include "sql/argument.h"

#define SIZE_LIMIT (1 << 20)

void
esg_sql_argument_check(const struct varlena *argument)
{
	size_t		len = VARSIZE_ANY_EXHDR(argument);

	if (len > SIZE_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("certificate is too large"),
				 errdetail("%zu bytes were given, %d are allowed.", len, SIZE_LIMIT)));
}

/*
 * One short line without control characters, which begins as paths do, or has
 * no blank but a dot, which base64 has not.
 */
static bool
looks_like_path(const char *data, size_t len)
{
	if (len == 0 || len >= MAXPGPATH)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if ((unsigned char) data[i] < ' ')
			return false;
	}
	if (data[0] == '/' || data[0] == '~' || data[0] == '.')
		return true;
	return memchr(data, ' ', len) == NULL && memchr(data, '.', len) != NULL;
}

void
esg_sql_argument_refuse(const struct varlena *argument, const EsgPemResult *result,
						const char *hint)
{
	bool		path = looks_like_path(VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument));

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no certificate found"),
			 errdetail("The argument holds %s.", result->found),
			 path ? errhint("Give what is in the file, not its name: pg_read_file() returns PEM text, pg_read_binary_file() DER.") :
			 errhint("%s", hint)));
}

static bool
is_place(EsgPlace place, const struct varlena *name)
{
	const char *known = esg_findings_place_name(place);

	return strlen(known) == VARSIZE_ANY_EXHDR(name) &&
		memcmp(known, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0;
}

EsgPlace
esg_sql_argument_place(const struct varlena *name)
{
	static const EsgPlace places[] = {
		ESG_PLACE_LEAF, ESG_PLACE_CHAIN, ESG_PLACE_CA, ESG_PLACE_CLIENT, ESG_PLACE_EXTRA
	};

	for (int i = 0; i < (int) lengthof(places); i++)
	{
		if (is_place(places[i], name))
			return places[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("certificates have no place \"%s\"", text_to_cstring(name)),
			 errhint("Valid values are \"server\", \"chain\", \"ca\", \"client\" and \"extra\".")));
}

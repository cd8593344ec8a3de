/* sources: policy/shell_text */
/*
 * test_shell_text.c
 *		Commands for a shell: what has to be quoted, is.
 */
#include <openssl/crypto.h>

#include "esg_test.h"
#include "policy/shell_text.h"

static void
names_as(const char *name, const char *wanted, const char *what)
{
	EsgShellText text = {0};
	char	   *taken;

	esg_shell_text_append_name(&text, name);
	taken = esg_shell_text_take(&text);
	is_text(taken, wanted, what);
	OPENSSL_free(taken);
}

int
main(void)
{
	names_as("postgres", "postgres", "a plain name");
	names_as("web_1.db-2", "web_1.db-2", "all that a plain name may have");
	names_as("", "''", "no name");
	names_as("-R", "'-R'", "what would be an option");
	names_as("a b", "'a b'", "a blank");
	names_as("a'b", "'a'\\''b'", "a quote");
	names_as("a;rm", "'a;rm'", "what would be another command");
	return done();
}

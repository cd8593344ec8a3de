/*
 * ctl/tidy.c
 *		ssl_guard_ctl tidy: takes away what an interrupted "encrypt" has left.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/tidy.h"

#include "ctl/pair_case.h"
#include "ctl/pair_writer.h"

static bool
run_tidy(const EsgPairOptions *options, EsgPassphrase *passphrase)
{
	EsgPairCase c;
	EsgPairWriter writer;
	bool		good;

	(void) passphrase;
	if (!esg_pair_case_begin(&c, options) ||
		!esg_pair_writer_open(&writer, options->directory, &c.rules))
		return false;
	good = esg_pair_writer_tidy(&writer);
	esg_pair_writer_close(&writer);
	esg_pair_case_end(&c);
	return good;
}

static const EsgPairCommand command = {
	.name = "tidy",
	.judges = true,
	.run = run_tidy,
	.help =
	"ssl_guard_ctl tidy takes away what an interrupted \"encrypt\" has left, or puts it\n"
	"where it belongs.\n"
	"\n"
	"Usage:\n"
	"  ssl_guard_ctl tidy -D DIR [-M server|client] [--user USER]\n"
	"\n"
	"Options:\n"
	ESG_PAIR_HELP_WHERE
	ESG_PAIR_HELP_USER
	ESG_PAIR_HELP_END
};

int
esg_tidy_run(int argc, char **argv)
{
	return esg_pair_case_run(&command, argc, argv);
}

/*
 * ctl/pair_writer.h
 *		Writing a passphrase pair so that at every moment, and after a crash at
 *		any moment, the old pair or the new one can be read.
 */
#ifndef ESG_CTL_PAIR_WRITER_H
#define ESG_CTL_PAIR_WRITER_H

#include <stdbool.h>

#include "ctl/file_writer.h"
#include "ctl/rules.h"
#include "secret/format.h"

typedef struct EsgPairWriter
{
	const EsgRules *rules;
	const char *key_name;		/* "server.key", "client.key" */
	EsgFileWriter files;
} EsgPairWriter;

/*
 * Locks the directory and refuses what must not be touched: a directory in which
 * somebody else may write, and for root one of somebody else's.  Nothing is
 * changed yet.  All report their errors; after a failed open there is nothing to
 * close.
 */
extern bool esg_pair_writer_open(EsgPairWriter *writer, const char *directory,
								 const EsgRules *rules);

/*
 * Refuses symbolic links and other special files at the names to be written, an
 * existing pair unless force is set, and for root one of somebody else's.
 */
extern bool esg_pair_writer_prepare(EsgPairWriter *writer, bool force);

/* The old pair stays if the new one could not be read by the user of the rules. */
extern bool esg_pair_writer_write(EsgPairWriter *writer, const EsgPassphrase *passphrase);

/* takes away what an interrupted writer left, or puts it where it belongs */
extern bool esg_pair_writer_tidy(const EsgPairWriter *writer);
extern void esg_pair_writer_close(EsgPairWriter *writer);

#endif							/* ESG_CTL_PAIR_WRITER_H */

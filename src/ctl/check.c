/*
 * ctl/check.c
 *		ssl_guard_ctl check: what is it that is to be checked?
 */
#include "ctl/check.h"

#include <openssl/crypto.h>

#include "ctl/check_files.h"
#include "ctl/check_options.h"
#include "ctl/check_server.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/pair_check.h"
#include "ctl/prompt.h"
#include "secret/forget.h"

/* Before anything is asked of OpenSSL: keys are opened. */
static int
run_protected(const EsgCheckOptions *options)
{
	EsgPassphrase *passphrase;
	int			status = ESG_STATUS_UNKNOWN;

	esg_memory_protect();
	passphrase = esg_memory_allocate();
	if (!passphrase)
	{
		esg_message_error("out of memory");
		return status;
	}
	passphrase->len = 0;
	esg_memory_unlock();
	if (!options->ask_passphrase || esg_prompt_read_known(NULL, passphrase))
		status = options->directory ? esg_check_server_run(options, passphrase) :
			esg_check_files_run(options, passphrase);
	esg_secret_format_wipe(passphrase);
	esg_secret_forget_stack();
	return status;
}

int
esg_check_run(int argc, char **argv)
{
	EsgCheckOptions options;
	int			status;

	if (esg_check_options_mean_pair(argc, argv))
		return esg_pair_check_run(argc, argv);
	status = esg_check_options_parse(argc, argv, &options);
	if (status < 0)
		status = run_protected(&options);
	OPENSSL_free(options.files);
	return status;
}

/*
 * ctl/key_answer.c
 *		Who answers when a private key asks for its passphrase.
 */
#include "ctl/key_answer.h"

#include <string.h>

/* of the key that is loaded right now */
static EsgPassphraseSource *current_source;

static bool
find_passphrase(EsgKeyAnswer *answer)
{
	if (answer->typed)
		return true;
	if (!answer->with_pair || !esg_secret_pair_exists(answer->directory, answer->key_name))
		return false;
	answer->from_pair = true;
	answer->pair_failed = !esg_secret_pair_read(answer->directory, answer->key_name, &answer->rule,
												answer->passphrase, &answer->status);
	return !answer->pair_failed;
}

int
esg_key_answer_give(char *buf, int size, int rwflag, void *arg)
{
	EsgKeyAnswer *answer = arg;
	size_t		len;

	(void) rwflag;
	answer->asked = true;
	if (!find_passphrase(answer) || size < 0 || answer->passphrase->len > (size_t) size)
		return -1;
	len = answer->passphrase->len;
	memcpy(buf, answer->passphrase->secret, len);
	if (!answer->typed)
		esg_secret_format_wipe(answer->passphrase);
	return (int) len;
}

static int
give_and_note(char *buf, int size, int rwflag, void *arg)
{
	EsgKeyAnswer *answer = arg;
	int			len = esg_key_answer_give(buf, size, rwflag, answer);

	if (answer->from_pair)
		*current_source = ESG_PASSPHRASE_PAIR;
	else if (answer->typed && !answer->of_several)
		*current_source = ESG_PASSPHRASE_PERSON;
	else
		*current_source = ESG_PASSPHRASE_NOBODY;
	return len;
}

void
esg_key_answer_install(SSL_CTX *context, EsgPassphraseSource *source, void *answer)
{
	*source = ESG_PASSPHRASE_NOT_ASKED;
	current_source = source;
	SSL_CTX_set_default_passwd_cb(context, give_and_note);
	SSL_CTX_set_default_passwd_cb_userdata(context, answer);
}

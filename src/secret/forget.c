/*
 * secret/forget.c
 *		Clears what earlier calls have left on the stack.
 *
 * OpenSSL keeps an answered passphrase in buffers on the stack and does not
 * clear all of them; what is called there later overwrites them by chance, or
 * not.  Whatever is below the stack pointer belongs to nobody.
 */
#include "secret/forget.h"

#include <openssl/crypto.h>

/*
 * Loading a key reaches 16 kB down (OpenSSL 3.0), and the passphrase is found
 * not further than 6 kB down; the rest is for other versions, for a signal's
 * frame with its copy of the registers, and for what core calls to run a
 * command.
 */
#define DEPTH (64 * 1024)

/* Not inlined: else the buffer is the caller's, and what it called lies beneath. */
__attribute__((noinline))
void
esg_secret_forget_stack(void)
{
	unsigned char below[DEPTH];

	OPENSSL_cleanse(below, sizeof(below));
}

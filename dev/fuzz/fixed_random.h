/*
 * fixed_random.h
 *		Random numbers that are always the same: a recorded TLS handshake can be
 *		played to a client again.  For fuzzing only.
 */
#ifndef FIXED_RANDOM_H
#define FIXED_RANDOM_H

#include <openssl/rand.h>

/* deprecated since 3.0 in favour of a provider of one's own, which is a lot for a constant */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int
fixed_bytes(unsigned char *buf, int num)
{
	int			i;

	for (i = 0; i < num; i++)
		buf[i] = (unsigned char) (0x11 + 7 * i);
	return 1;
}

static int
fixed_status(void)
{
	return 1;
}

static void
fixed_random_use(void)
{
	static const RAND_METHOD method = {NULL, fixed_bytes, NULL, NULL, fixed_bytes, fixed_status};

	(void) RAND_set_rand_method(&method);
}

#endif							/* FIXED_RANDOM_H */

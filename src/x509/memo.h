/*
 * x509/memo.h
 *		A bounded table that remembers the results of costly tests.
 *
 * The key is two SHA-256 digests (certificate and issuer's key, or a key and
 * zeros); the value a small number.  When full it is emptied: the results can
 * be had again.  One table per process; NULL means "remember nothing".
 */
#ifndef ESG_X509_MEMO_H
#define ESG_X509_MEMO_H

#include <stdbool.h>
#include <stddef.h>

#define ESG_DIGEST_SIZE 32		/* SHA-256 */

typedef struct EsgMemo EsgMemo;

extern EsgMemo *esg_memo_create(size_t max_entries);
extern bool esg_memo_get(const EsgMemo *memo, const unsigned char *first,
						 const unsigned char *second, int *value);
extern void esg_memo_put(EsgMemo *memo, const unsigned char *first,
						 const unsigned char *second, int value);
extern void esg_memo_free(EsgMemo *memo);

#endif							/* ESG_X509_MEMO_H */

/* sources: x509/memo */
/*
 * test_memo.c
 *		The bounded table of costly results.
 */
#include <stdint.h>

#include "esg_test.h"
#include "x509/memo.h"

static const unsigned char zeros[ESG_DIGEST_SIZE];

static void
make_key(unsigned char *key, unsigned int number, int collide)
{
	memset(key, 0, ESG_DIGEST_SIZE);
	/* colliding keys differ only in octets that the hash does not look at */
	memcpy(key + (collide ? 24 : 0), &number, sizeof(number));
}

static void
test_null(void)
{
	int			value = 7;

	ok(esg_memo_create(0) == NULL, "no entries, no table");
	esg_memo_put(NULL, zeros, zeros, 1);
	ok(!esg_memo_get(NULL, zeros, zeros, &value), "NULL remembers nothing");
	is_int(value, 7, "a miss leaves the value alone");
	esg_memo_free(NULL);
}

static void
test_both_halves(void)
{
	EsgMemo    *memo = esg_memo_create(10);
	unsigned char a[ESG_DIGEST_SIZE];
	unsigned char b[ESG_DIGEST_SIZE];
	unsigned char c[ESG_DIGEST_SIZE];
	int			value = 0;

	make_key(a, 1, 0);
	make_key(b, 2, 0);
	esg_memo_put(memo, a, b, 12);
	ok(esg_memo_get(memo, a, b, &value) && value == 12, "found by both digests");
	ok(!esg_memo_get(memo, b, a, &value), "digests in the other order are another key");
	ok(!esg_memo_get(memo, a, zeros, &value), "another second digest is another key");
	esg_memo_put(memo, a, zeros, -3);
	ok(esg_memo_get(memo, a, zeros, &value) && value == -3, "negative value");
	/* differs only in octets that the hash does not look at */
	memcpy(c, b, sizeof(c));
	c[31] ^= 1;
	ok(!esg_memo_get(memo, a, c, &value), "second digest compared to its end");
	memcpy(c, a, sizeof(c));
	c[31] ^= 1;
	ok(!esg_memo_get(memo, c, b, &value), "and the first");
	esg_memo_put(memo, a, b, 13);
	ok(esg_memo_get(memo, a, b, &value) && value == 13, "put again replaces");
	esg_memo_free(memo);
}

/* how many of the keys 0..count-1 are remembered with their value */
static int
count_remembered(const EsgMemo *memo, int count, int collide)
{
	unsigned char key[ESG_DIGEST_SIZE];
	int			found = 0;
	int			value;
	int			i;

	for (i = 0; i < count; i++)
	{
		make_key(key, (unsigned int) i, collide);
		if (esg_memo_get(memo, key, zeros, &value) && value == i)
			found++;
	}
	return found;
}

static void
test_bound(int max, int collide)
{
	EsgMemo    *memo = esg_memo_create((size_t) max);
	unsigned char key[ESG_DIGEST_SIZE];
	int			i;

	for (i = 0; i < max; i++)
	{
		make_key(key, (unsigned int) i, collide);
		esg_memo_put(memo, key, zeros, i);
	}
	ok(count_remembered(memo, max, collide) == max, "%d entries fit, collide=%d", max, collide);
	make_key(key, 0, collide);
	esg_memo_put(memo, key, zeros, 0);
	ok(count_remembered(memo, max, collide) == max, "an old key empties nothing");
	make_key(key, (unsigned int) max, collide);
	esg_memo_put(memo, key, zeros, max);
	ok(count_remembered(memo, max + 1, collide) == 1, "one more empties it, and is kept");
	esg_memo_free(memo);
}

int
main(void)
{
	test_null();
	test_both_halves();
	test_bound(1, 0);
	test_bound(1000, 0);
	test_bound(500, 1);
	return done();
}

/* sources: x509/rsa_faults */
/*
 * test_rsa_faults.c
 *		Moduli that are easy to factor, each with a twin that is not.
 */
#include <openssl/bn.h>
#include <openssl/crypto.h>

#include "esg_test.h"
#include "x509/rsa_faults.h"

static BN_CTX *ctx;

static unsigned
find(const BIGNUM *n)
{
	unsigned char octets[4096];
	int			len = BN_bn2bin(n, octets);

	return esg_rsa_faults_find(octets, (size_t) len);
}

static BIGNUM *
prime_of(int bits)
{
	BIGNUM	   *p = BN_new();

	BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL);
	return p;
}

/* a product of two far primes of that size in all */
static BIGNUM *
good_modulus(int bits)
{
	BIGNUM	   *p = prime_of(bits / 2 - 3);
	BIGNUM	   *q = prime_of(bits - bits / 2 + 3);

	BN_mul(p, p, q, ctx);
	BN_free(q);
	return p;
}

static void
test_good(void)
{
	static const int sizes[] = {64, 512, 1024, 2048};
	size_t		i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		BIGNUM	   *n = good_modulus(sizes[i]);

		ok(find(n) == 0, "nothing wrong with far primes, %d bits", sizes[i]);
		BN_free(n);
	}
}

static void
test_small_factors(void)
{
	static const struct
	{
		BN_ULONG	factor;
		unsigned	want;
	}			cases[] = {
		{3, ESG_RSA_SMALL_FACTOR}, {53, ESG_RSA_SMALL_FACTOR}, {59, ESG_RSA_SMALL_FACTOR},
		{383, ESG_RSA_SMALL_FACTOR}, {743, ESG_RSA_SMALL_FACTOR}, {751, ESG_RSA_SMALL_FACTOR},
		{757, 0}, {65537, 0}, {2, 0},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		BIGNUM	   *n = good_modulus(1000);

		BN_mul_word(n, cases[i].factor);
		is_int(find(n), cases[i].want, "small factor");
		BN_free(n);
	}
}

/* squares of every length, and their neighbours: the square root is exact */
static void
test_squares(void)
{
	int			missed = 0;
	int			invented = 0;
	int			bits;

	for (bits = 2; bits <= 1100; bits += bits < 300 ? 1 : 37)
	{
		BIGNUM	   *n = BN_new();

		BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
		BN_sqr(n, n, ctx);
		missed += (find(n) & ESG_RSA_SQUARE) == 0;
		BN_add_word(n, 2);
		invented += (find(n) & ESG_RSA_SQUARE) != 0;
		BN_sub_word(n, 4);
		invented += (find(n) & ESG_RSA_SQUARE) != 0;
		/* (x - 2) * (x + 2): the first round, if the root is not one too high */
		BN_sub_word(n, 2);
		missed += bits > 2 && (find(n) & ESG_RSA_CLOSE_PRIMES) == 0;
		/* all ones and its square */
		BN_one(n);
		BN_lshift(n, n, bits);
		BN_sub_word(n, 1);
		invented += bits > 1 && (find(n) & ESG_RSA_SQUARE) != 0;
		BN_sqr(n, n, ctx);
		missed += (find(n) & ESG_RSA_SQUARE) == 0;
		BN_free(n);
	}
	is_int(missed, 0, "squares");
	is_int(invented, 0, "neighbours of squares");
}

/*
 * n = a^2 - b^2 with a = b^2 / (2 * rounds - 1), so that a is as many above the
 * rounded-down root of n as there are rounds
 */
static BIGNUM *
fermat_modulus(int rounds)
{
	BIGNUM	   *a = BN_new();
	BIGNUM	   *b = BN_new();

	BN_rand(b, 600, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
	BN_sqr(a, b, ctx);
	BN_div_word(a, 2 * rounds - 1);
	if (BN_is_odd(a) == BN_is_odd(b))
		BN_add_word(a, 1);
	BN_sqr(a, a, ctx);
	BN_sqr(b, b, ctx);
	BN_sub(a, a, b);
	BN_free(b);
	return a;
}

static void
test_fermat(void)
{
	static const struct
	{
		int			rounds;
		unsigned	want;
	}			cases[] = {
		{1, ESG_RSA_CLOSE_PRIMES}, {2, ESG_RSA_CLOSE_PRIMES}, {37, ESG_RSA_CLOSE_PRIMES},
		{99, ESG_RSA_CLOSE_PRIMES}, {100, ESG_RSA_CLOSE_PRIMES}, {101, 0}, {200, 0},
	};
	size_t		i;
	int			turn;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (turn = 0; turn < 5; turn++)
		{
			BIGNUM	   *n = fermat_modulus(cases[i].rounds);

			ok((find(n) & ESG_RSA_CLOSE_PRIMES) == cases[i].want, "Fermat's method, %d rounds",
			   cases[i].rounds);
			BN_free(n);
		}
}

/* k * M + 65537^a mod M, M the product of the 17 primes */
static void
test_roca(void)
{
	static const BN_ULONG primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127,
	151, 157};
	BIGNUM	   *m = BN_new();
	BIGNUM	   *e = BN_new();
	BIGNUM	   *n = BN_new();
	BIGNUM	   *k = BN_new();
	size_t		i;

	BN_one(m);
	for (i = 0; i < sizeof(primes) / sizeof(primes[0]); i++)
		BN_mul_word(m, primes[i]);
	BN_set_word(n, 65537);
	BN_set_word(e, 123456789);
	BN_mod_exp(n, n, e, m, ctx);
	BN_rand(k, 1900, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
	BN_mul(k, k, m, ctx);
	BN_add(n, n, k);
	if (!BN_is_odd(n))
		BN_add(n, n, m);
	ok((find(n) & ESG_RSA_ROCA) != 0, "ROCA fingerprint");

	/*
	 * modulo 157 the powers of 65537 are a subgroup, so some multiple leaves
	 * it
	 */
	for (i = 0; i < 157 && (find(n) & ESG_RSA_ROCA) != 0; i++)
	{
		BN_copy(k, m);
		BN_div_word(k, 157);
		BN_lshift1(k, k);
		BN_add(n, n, k);
	}
	ok(i < 157 && i > 0, "another residue modulo the last prime alone, no ROCA");
	BN_free(m);
	BN_free(e);
	BN_free(n);
	BN_free(k);
}

static void
test_odd_sizes(void)
{
	static const unsigned char zeros[4];
	static const unsigned char one[] = {0, 0, 1};
	static unsigned char huge[16384 / 8 + 1];

	is_int(esg_rsa_faults_find(zeros, 0), 0, "no octets");
	is_int(esg_rsa_faults_find(zeros, 4), 0, "zero");
	ok((esg_rsa_faults_find(one, 3) & ESG_RSA_SQUARE) != 0, "one is a square");
	huge[0] = 1;
	/* 2^16384 + 2, a multiple of three */
	huge[16384 / 8] = 2;
	is_int(esg_rsa_faults_find(huge, sizeof(huge)), 0, "over 16384 bits is not looked at");
	/* 257 times a power of two */
	huge[1] = 1;
	is_int(esg_rsa_faults_find(huge, sizeof(huge) - 1), ESG_RSA_SMALL_FACTOR,
		   "up to there it is");
}

int
main(void)
{
	ctx = BN_CTX_new();
	test_good();
	test_small_factors();
	test_squares();
	test_fermat();
	test_roca();
	test_odd_sizes();
	BN_CTX_free(ctx);
	return done();
}

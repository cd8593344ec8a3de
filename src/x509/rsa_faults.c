/*
 * x509/rsa_faults.c
 *		What makes an RSA modulus easy to factor.
 *
 * A certificate file may hold thousands of keys, so the work on numbers of the
 * modulus's size is kept to one division per handful of primes and one square
 * root.  The rest is done with residues in machine words.
 */
#include <stdbool.h>
#include <stdint.h>

#include <openssl/bn.h>
#include <openssl/rsa.h>

#include "x509/rsa_faults.h"

#define FERMAT_ROUNDS 100
#define PRIME_COUNT (sizeof(primes) / sizeof(primes[0]))

/* the odd primes below 752 */
static const uint16_t primes[] = {
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73,
	79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157,
	163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239,
	241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307, 311, 313, 317, 331,
	337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419, 421,
	431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509,
	521, 523, 541, 547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613,
	617, 619, 631, 641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709,
	719, 727, 733, 739, 743, 751
};

/*
 * Those of them modulo which the powers of 65537 are not everything: the keys of
 * the faulty library are recognized by them.
 */
static const uint16_t roca_primes[] = {
	11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157
};

/* Big numbers to work with, all owned by ctx. */
typedef struct Workspace
{
	BN_CTX	   *ctx;
	BIGNUM	   *n;
	BIGNUM	   *root;
	BIGNUM	   *square;
	BIGNUM	   *scratch;
	BIGNUM	   *part;
} Workspace;

/* ---------- residues ---------- */

/*
 * number modulo the primes from the first on, as many as the product of which
 * fits a machine word; returns how many
 */
static size_t
reduce_group(const BIGNUM *number, size_t first, uint16_t *residues)
{
	const		BN_ULONG most = ~(BN_ULONG) 0;
	BN_ULONG	product = 1;
	BN_ULONG	rest;
	size_t		end;
	size_t		i;

	for (end = first; end < PRIME_COUNT && product <= most / primes[end]; end++)
		product *= primes[end];
	rest = BN_mod_word(number, product);
	for (i = first; i < end; i++)
		residues[i] = (uint16_t) (rest % primes[i]);
	return end - first;
}

static bool
has_small_factor(const uint16_t *residues)
{
	size_t		i;

	for (i = 0; i < PRIME_COUNT; i++)
		if (residues[i] == 0)
			return true;
	return false;
}

static bool
is_power_of_65537(unsigned residue, unsigned prime)
{
	unsigned	power = 1;

	do
	{
		if (power == residue)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/* Nemec et al., "The Return of Coppersmith's Attack", section 2.1 */
static bool
is_roca(const uint16_t *residues)
{
	size_t		at = 0;
	size_t		i;

	for (i = 0; i < sizeof(roca_primes) / sizeof(roca_primes[0]); i++)
	{
		while (primes[at] != roca_primes[i])
			at++;
		if (!is_power_of_65537(residues[at], primes[at]))
			return false;
	}
	return true;
}

/* ---------- square roots ---------- */

static uint64_t
word_root(uint64_t n)
{
	uint64_t	root = 0;
	uint64_t	bit;

	for (bit = UINT64_C(1) << 31; bit != 0; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/* the bits of n from the given one on, which must be at most 64 */
static bool
top_bits(const BIGNUM *n, int from, BIGNUM *scratch, uint64_t *out)
{
	unsigned char octets[8];
	int			i;

	if (!BN_rshift(scratch, n, from) || BN_bn2binpad(scratch, octets, sizeof(octets)) < 0)
		return false;
	for (*out = 0, i = 0; i < 8; i++)
		*out = *out << 8 | octets[i];
	return true;
}

/* the root's length in bits when that many steps are still to come */
static int
length_at(int root_bits, int steps)
{
	return ((root_bits - 2 + (1 << steps) - 1) >> steps) + 2;
}

/* the first guess: the root's top bits, exactly; n's length is 2 * (have + shift) or one less */
static bool
guess_root(const BIGNUM *n, int shift, BIGNUM *root, BIGNUM *scratch)
{
	unsigned char octets[4];
	uint64_t	top;
	int			i;

	if (!top_bits(n, 2 * shift, scratch, &top))
		return false;
	top = word_root(top);
	for (i = 3; i >= 0; i--, top >>= 8)
		octets[i] = (unsigned char) top;
	return BN_bin2bn(octets, sizeof(octets), root) != NULL;
}

/*
 * root = floor(sqrt(n)), square = root * root, by Newton's method with as many
 * bits in each step as it makes right: a step doubles them, less two, and only
 * the last one divides numbers of full length.  n > 0.  False if out of memory.
 */
static bool
big_root(const BIGNUM *n, BIGNUM *root, BIGNUM *square, const Workspace *w)
{
	int			root_bits = (BN_num_bits(n) + 1) / 2;
	int			steps = 0;
	int			have;

	while (length_at(root_bits, steps) > 32)
		steps++;
	have = length_at(root_bits, steps);
	if (!guess_root(n, root_bits - have, root, w->scratch))
		return false;
	while (steps-- > 0)
	{
		int			want = length_at(root_bits, steps);

		/* (root + n / root) / 2 with the top bits of n; never below the floor */
		if (!BN_lshift(root, root, want - have) ||
			!BN_rshift(w->scratch, n, 2 * (root_bits - want)) ||
			!BN_div(w->part, NULL, w->scratch, root, w->ctx) ||
			!BN_add(root, root, w->part) || !BN_rshift1(root, root))
			return false;
		have = want;
	}
	/* too high by one or two at most */
	for (;;)
	{
		if (!BN_sqr(square, root, w->ctx))
			return false;
		if (BN_cmp(square, n) <= 0)
			return true;
		if (!BN_sub_word(root, 1))
			return false;
	}
}

/* ---------- Fermat ---------- */

/* squares modulo each prime of the first group, as bit masks; those primes are below 64 */
static void
make_square_masks(size_t count, uint64_t *masks)
{
	size_t		i;
	unsigned	x;

	for (i = 0; i < count; i++)
		for (masks[i] = 0, x = 0; x < primes[i]; x++)
			masks[i] |= UINT64_C(1) << (x * x % primes[i]);
}

/* could (root + step)^2 - n be a square, going by its residues? */
static bool
may_be_square(const uint16_t *root, const uint16_t *n, const uint64_t *masks,
			  size_t count, unsigned step)
{
	size_t		i;

	for (i = 0; i < count; i++)
	{
		unsigned	x = root[i] + step;

		if ((masks[i] >> ((x * x + primes[i] - n[i]) % primes[i]) & 1) == 0)
			return false;
	}
	return true;
}

/* is (root + step)^2 - n a square?  1, 0, -1 out of memory */
static int
is_square_at(const Workspace *work, unsigned step)
{
	Workspace	w = *work;
	int			result = -1;
	BIGNUM	   *difference;
	BIGNUM	   *found;

	BN_CTX_start(w.ctx);
	difference = BN_CTX_get(w.ctx);
	found = BN_CTX_get(w.ctx);
	w.square = BN_CTX_get(w.ctx);
	if (w.square && BN_copy(difference, w.root) && BN_add_word(difference, step) &&
		BN_sqr(difference, difference, w.ctx) && BN_sub(difference, difference, w.n) &&
		big_root(difference, found, w.square, &w))
		result = BN_cmp(w.square, difference) == 0;
	BN_CTX_end(w.ctx);
	return result;
}

/* n odd and no square: from the root rounded up; residues are those of n */
static unsigned
try_fermat(const Workspace *w, const uint16_t *residues)
{
	uint16_t	root_residues[PRIME_COUNT];
	uint64_t	masks[PRIME_COUNT];
	size_t		count = reduce_group(w->root, 0, root_residues);
	unsigned	step;

	make_square_masks(count, masks);
	for (step = 1; step <= FERMAT_ROUNDS; step++)
	{
		int			hit;

		if (!may_be_square(root_residues, residues, masks, count, step))
			continue;
		hit = is_square_at(w, step);
		if (hit < 0)
			return ESG_RSA_FAULTS_UNKNOWN;
		if (hit)
			return ESG_RSA_CLOSE_PRIMES;
	}
	return 0;
}

/* ---------- all of it ---------- */

static bool
open_workspace(Workspace *w)
{
	w->ctx = BN_CTX_new();
	if (w->ctx == NULL)
		return false;
	BN_CTX_start(w->ctx);
	w->n = BN_CTX_get(w->ctx);
	w->root = BN_CTX_get(w->ctx);
	w->square = BN_CTX_get(w->ctx);
	w->scratch = BN_CTX_get(w->ctx);
	w->part = BN_CTX_get(w->ctx);
	return w->part != NULL;
}

static void
close_workspace(Workspace *w)
{
	if (w->ctx == NULL)
		return;
	BN_CTX_end(w->ctx);
	BN_CTX_free(w->ctx);
}

static unsigned
find_faults(Workspace *w)
{
	uint16_t	residues[PRIME_COUNT];
	unsigned	faults = 0;
	size_t		i = 0;

	while (i < PRIME_COUNT)
		i += reduce_group(w->n, i, residues);
	if (has_small_factor(residues))
		faults |= ESG_RSA_SMALL_FACTOR;
	if (is_roca(residues))
		faults |= ESG_RSA_ROCA;
	if (!BN_is_odd(w->n))
		return faults;
	if (!big_root(w->n, w->root, w->square, w))
		return ESG_RSA_FAULTS_UNKNOWN;
	if (BN_cmp(w->square, w->n) == 0)
		return faults | ESG_RSA_SQUARE;
	return faults | try_fermat(w, residues);
}

unsigned
esg_rsa_faults_find(const unsigned char *modulus, size_t len)
{
	Workspace	w = {0};
	unsigned	faults = ESG_RSA_FAULTS_UNKNOWN;

	while (len > 0 && *modulus == 0)
	{
		modulus++;
		len--;
	}
	if (len > OPENSSL_RSA_MAX_MODULUS_BITS / 8)
		return 0;
	if (open_workspace(&w) && BN_bin2bn(modulus, (int) len, w.n))
		faults = BN_is_zero(w.n) ? 0 : find_faults(&w);
	close_workspace(&w);
	return faults;
}

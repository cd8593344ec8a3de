/* sources: secret/forget */
/*
 * test_forget.c
 *		No vector register keeps what was in it.
 *
 * What is left on the stack is looked for from outside, by t/055_remains.t.
 */
#include <string.h>

#include "esg_test.h"
#include "secret/forget.h"

#if defined(__x86_64__)

static const unsigned char known[64] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+";
static unsigned char seen[64];

static void
nothing(void)
{
}

/*
 * Puts what is known into a register, calls, and takes out what is there then:
 * in one piece, so that the compiler has no use for the register meanwhile.
 * The stack pointer goes beneath what a function may use without moving it.
 */
#define THROUGH(move, name) \
	__asm__ volatile(move " (%0), %%" name "\n\t" \
					 "mov %%rsp, %%rbx\n\tsub $256, %%rsp\n\tand $-64, %%rsp\n\t" \
					 "call *%2\n\t" \
					 "mov %%rbx, %%rsp\n\t" \
					 move " %%" name ", (%1)" \
					 : : "r" (known), "r" (seen), "r" (call) \
					 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory", \
					 "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
					 "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

/* size: of the register */
#define COUNT(move, name, size) \
	do { \
		memset(seen, 0, sizeof(seen)); \
		THROUGH(move, name); \
		kept += memcmp(seen, known, size) == 0; \
	} while (0)

#define COUNT_LOWER(move, kind, size) \
	COUNT(move, kind "0", size); COUNT(move, kind "1", size); COUNT(move, kind "2", size); \
	COUNT(move, kind "3", size); COUNT(move, kind "4", size); COUNT(move, kind "5", size); \
	COUNT(move, kind "6", size); COUNT(move, kind "7", size); COUNT(move, kind "8", size); \
	COUNT(move, kind "9", size); COUNT(move, kind "10", size); COUNT(move, kind "11", size); \
	COUNT(move, kind "12", size); COUNT(move, kind "13", size); COUNT(move, kind "14", size); \
	COUNT(move, kind "15", size)

#define COUNT_UPPER(move, kind, size) \
	COUNT(move, kind "16", size); COUNT(move, kind "17", size); COUNT(move, kind "18", size); \
	COUNT(move, kind "19", size); COUNT(move, kind "20", size); COUNT(move, kind "21", size); \
	COUNT(move, kind "22", size); COUNT(move, kind "23", size); COUNT(move, kind "24", size); \
	COUNT(move, kind "25", size); COUNT(move, kind "26", size); COUNT(move, kind "27", size); \
	COUNT(move, kind "28", size); COUNT(move, kind "29", size); COUNT(move, kind "30", size); \
	COUNT(move, kind "31", size)

static int
kept_16(void (*call) (void))
{
	int			kept = 0;

	COUNT_LOWER("movdqu", "xmm", 16);
	return kept;
}

/* the upper half of each counts as well */
static int
kept_32(void (*call) (void))
{
	int			kept = 0;

	COUNT_LOWER("vmovdqu", "ymm", 32);
	return kept;
}

static int
kept_64(void (*call) (void))
{
	int			kept = 0;

	COUNT_LOWER("vmovdqu64", "zmm", 64);
	COUNT_UPPER("vmovdqu64", "zmm", 64);
	return kept;
}

int
main(void)
{
	is_int(kept_16(nothing), 16, "16 bytes: all registers are as before where nothing is forgotten");
	is_int(kept_16(esg_secret_forget_stack), 0, "16 bytes: none is");
	if (__builtin_cpu_supports("avx"))
	{
		is_int(kept_32(nothing), 16, "32 bytes: all registers are as before where nothing is forgotten");
		is_int(kept_32(esg_secret_forget_stack), 0, "32 bytes: none is");
	}
	if (__builtin_cpu_supports("avx512f"))
	{
		is_int(kept_64(nothing), 32, "64 bytes: all registers are as before where nothing is forgotten");
		is_int(kept_64(esg_secret_forget_stack), 0, "64 bytes: none is");
	}
	return done();
}

#else

int
main(void)
{
	puts("1..0 # SKIP the registers of this processor are not read here");
	return 0;
}

#endif

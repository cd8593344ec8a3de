/*
 * secret/forget.c
 *		Clears what earlier calls have left on the stack, and in registers from
 *		where it could get there again.
 *
 * OpenSSL keeps an answered passphrase in buffers on the stack and does not
 * clear all of them; what is called there later overwrites them by chance, or
 * not.  Whatever is below the stack pointer belongs to nobody.
 *
 * What copies memory leaves the last pieces in vector registers, some of which
 * nothing else uses for a long time; a child inherits them.  All of them are
 * saved on the stack when a signal comes, or a function is called for the first
 * time that the dynamic linker had not yet looked up.
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

/* those that a called function may change; of other processors none */
#if defined(__x86_64__)

/* The compiler uses them only where it is told that all processors have them. */
static void
forget_upper_registers(void)
{
	__asm__ volatile ("vpxorq %zmm16, %zmm16, %zmm16\n\tvpxorq %zmm17, %zmm17, %zmm17\n\t"
					  "vpxorq %zmm18, %zmm18, %zmm18\n\tvpxorq %zmm19, %zmm19, %zmm19\n\t"
					  "vpxorq %zmm20, %zmm20, %zmm20\n\tvpxorq %zmm21, %zmm21, %zmm21\n\t"
					  "vpxorq %zmm22, %zmm22, %zmm22\n\tvpxorq %zmm23, %zmm23, %zmm23\n\t"
					  "vpxorq %zmm24, %zmm24, %zmm24\n\tvpxorq %zmm25, %zmm25, %zmm25\n\t"
					  "vpxorq %zmm26, %zmm26, %zmm26\n\tvpxorq %zmm27, %zmm27, %zmm27\n\t"
					  "vpxorq %zmm28, %zmm28, %zmm28\n\tvpxorq %zmm29, %zmm29, %zmm29\n\t"
					  "vpxorq %zmm30, %zmm30, %zmm30\n\tvpxorq %zmm31, %zmm31, %zmm31");
}

#define LOWER_REGISTERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

static void
forget_registers(void)
{
	if (__builtin_cpu_supports("avx512f"))
		forget_upper_registers();
	if (__builtin_cpu_supports("avx"))
	{
		__asm__ volatile ("vzeroall":::LOWER_REGISTERS);

		return;
	}
	__asm__ volatile ("pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\t"
					  "pxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
					  "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\t"
					  "pxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
					  "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\t"
					  "pxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
					  "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\t"
					  "pxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15":::LOWER_REGISTERS);
}

#elif defined(__aarch64__)

static void
forget_registers(void)
{
	__asm__ volatile ("movi v0.2d, #0\n\tmovi v1.2d, #0\n\tmovi v2.2d, #0\n\tmovi v3.2d, #0\n\t"
					  "movi v4.2d, #0\n\tmovi v5.2d, #0\n\tmovi v6.2d, #0\n\tmovi v7.2d, #0\n\t"
					  "movi v16.2d, #0\n\tmovi v17.2d, #0\n\tmovi v18.2d, #0\n\tmovi v19.2d, #0\n\t"
					  "movi v20.2d, #0\n\tmovi v21.2d, #0\n\tmovi v22.2d, #0\n\tmovi v23.2d, #0\n\t"
					  "movi v24.2d, #0\n\tmovi v25.2d, #0\n\tmovi v26.2d, #0\n\tmovi v27.2d, #0\n\t"
					  "movi v28.2d, #0\n\tmovi v29.2d, #0\n\tmovi v30.2d, #0\n\tmovi v31.2d, #0"
					  :::"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20",
					  "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}

#else

static void
forget_registers(void)
{
}

#endif

/*
 * Not inlined: else the buffer is the caller's, and what it called lies beneath.
 * The registers go first: the next call may save them, beneath the buffer.
 */
__attribute__((noinline))
void
esg_secret_forget_stack(void)
{
	unsigned char below[DEPTH];

	forget_registers();
	OPENSSL_cleanse(below, sizeof(below));
}

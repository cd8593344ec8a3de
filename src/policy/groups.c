/*
 * policy/groups.c
 *		Groups of the TLS key exchange, by the numbers that IANA gave them.
 */
#include "policy/groups.h"

#include <stddef.h>

typedef struct Group
{
	unsigned	number;
	const char *name;
	int			curve_bits;
} Group;

static const Group groups[] = {
	{1, "sect163k1", 163}, {2, "sect163r1", 163}, {3, "sect163r2", 163}, {4, "sect193r1", 193},
	{5, "sect193r2", 193}, {6, "sect233k1", 233}, {7, "sect233r1", 233}, {8, "sect239k1", 239},
	{9, "sect283k1", 283}, {10, "sect283r1", 283}, {11, "sect409k1", 409}, {12, "sect409r1", 409},
	{13, "sect571k1", 571}, {14, "sect571r1", 571}, {15, "secp160k1", 160}, {16, "secp160r1", 160},
	{17, "secp160r2", 160}, {18, "secp192k1", 192}, {19, "prime192v1", 192}, {20, "secp224k1", 224},
	{21, "secp224r1", 224}, {22, "secp256k1", 256}, {23, "prime256v1", 256}, {24, "secp384r1", 384},
	{25, "secp521r1", 521}, {26, "brainpoolP256r1", 256}, {27, "brainpoolP384r1", 384},
	{28, "brainpoolP512r1", 512}, {29, "X25519", 255}, {30, "X448", 448},
	{31, "brainpoolP256r1tls13", 256}, {32, "brainpoolP384r1tls13", 384},
	{33, "brainpoolP512r1tls13", 512}, {41, "curveSM2", 256},
	{256, "ffdhe2048", 0}, {257, "ffdhe3072", 0}, {258, "ffdhe4096", 0}, {259, "ffdhe6144", 0},
	{260, "ffdhe8192", 0}, {512, "MLKEM512", 0}, {513, "MLKEM768", 0}, {514, "MLKEM1024", 0},
	{4587, "SecP256r1MLKEM768", 0}, {4588, "X25519MLKEM768", 0}, {4589, "SecP384r1MLKEM1024", 0}
};

static const Group *
find_group(unsigned number)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
	{
		if (groups[i].number == number)
			return &groups[i];
	}
	return NULL;
}

const char *
esg_groups_name(unsigned number)
{
	const Group *group = find_group(number);

	return group != NULL ? group->name : NULL;
}

int
esg_groups_curve_bits(unsigned number)
{
	const Group *group = find_group(number);

	return group != NULL ? group->curve_bits : 0;
}

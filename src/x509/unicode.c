/*
 * x509/unicode.c
 *		Characters that a reader does not see, or does not see as what they are.
 */
#include "x509/unicode.h"

#include <stdlib.h>

typedef struct Range
{
	uint32_t	first;
	uint32_t	last;
} Range;

/*
 * Unicode Character Database 15.0: general categories Cc, Cf, Zl, Zp, Co and Zs
 * but U+0020, Default_Ignorable_Code_Point, Noncharacter_Code_Point; and three
 * symbols that are blank: U+2800, U+16FE4, U+1D159.  In order.
 */
static const Range hidden[] = {
	{0x0000, 0x001F},
	{0x007F, 0x00A0},			/* DEL, C1, no-break space */
	{0x00AD, 0x00AD},			/* soft hyphen */
	{0x034F, 0x034F},			/* combining grapheme joiner */
	{0x0600, 0x0605},			/* Arabic number signs */
	{0x061C, 0x061C},			/* Arabic letter mark */
	{0x06DD, 0x06DD},
	{0x070F, 0x070F},
	{0x0890, 0x0891},
	{0x08E2, 0x08E2},
	{0x115F, 0x1160},			/* Hangul fillers */
	{0x1680, 0x1680},			/* Ogham space mark */
	{0x17B4, 0x17B5},			/* Khmer inherent vowels */
	{0x180B, 0x180F},			/* Mongolian selectors, vowel separator */
	{0x2000, 0x200F},			/* spaces, zero-width characters, marks */
	{0x2028, 0x202F},			/* separators, embeddings, overrides */
	{0x205F, 0x206F},			/* space, invisible operators, isolates */
	{0x2800, 0x2800},			/* Braille pattern without a dot */
	{0x3000, 0x3000},			/* ideographic space */
	{0x3164, 0x3164},			/* Hangul filler */
	{0xE000, 0xF8FF},			/* private use */
	{0xFDD0, 0xFDEF},			/* noncharacters */
	{0xFE00, 0xFE0F},			/* variation selectors */
	{0xFEFF, 0xFEFF},			/* byte order mark */
	{0xFFA0, 0xFFA0},			/* Hangul filler */
	{0xFFF0, 0xFFFB},			/* interlinear annotation */
	{0xFFFE, 0xFFFF},
	{0x110BD, 0x110BD},
	{0x110CD, 0x110CD},
	{0x13430, 0x1343F},			/* Egyptian format controls */
	{0x16FE4, 0x16FE4},			/* Khitan filler */
	{0x1BCA0, 0x1BCA3},			/* shorthand format controls */
	{0x1D159, 0x1D159},			/* null notehead */
	{0x1D173, 0x1D17A},			/* musical format controls */
	{0x1FFFE, 0x1FFFF},
	{0x2FFFE, 0x2FFFF},
	{0x3FFFE, 0x3FFFF},
	{0x4FFFE, 0x4FFFF},
	{0x5FFFE, 0x5FFFF},
	{0x6FFFE, 0x6FFFF},
	{0x7FFFE, 0x7FFFF},
	{0x8FFFE, 0x8FFFF},
	{0x9FFFE, 0x9FFFF},
	{0xAFFFE, 0xAFFFF},
	{0xBFFFE, 0xBFFFF},
	{0xCFFFE, 0xCFFFF},
	{0xDFFFE, 0xE0FFF},			/* tags, variation selectors */
	{0xEFFFE, 0x10FFFF},		/* private use */
};

static int
compare(const void *key, const void *item)
{
	uint32_t	code = *(const uint32_t *) key;
	const Range *range = item;

	if (code < range->first)
		return -1;
	return code > range->last ? 1 : 0;
}

bool
esg_unicode_is_hidden(uint32_t code)
{
	/* most of what there is */
	if (code >= 0x20 && code < 0x7F)
		return false;
	return bsearch(&code, hidden, sizeof(hidden) / sizeof(hidden[0]), sizeof(hidden[0]),
				   compare) != NULL;
}

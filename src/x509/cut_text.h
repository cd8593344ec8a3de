/*
 * x509/cut_text.h
 *		Text that must fit a buffer: cut at a character, with "...".
 *
 * Texts are UTF-8 and NUL-terminated; sizes are in bytes, with the NUL, and
 * more than four, with quotes more than six.  An escape of a printable text
 * (x509/name.h) counts as a character.
 */
#ifndef ESG_X509_CUT_TEXT_H
#define ESG_X509_CUT_TEXT_H

#include <stddef.h>

/* how many of the first max bytes of str, which has len, make whole characters */
extern size_t esg_cut_text_length(const char *str, size_t len, size_t max);

extern void esg_cut_text_copy(char *dst, size_t size, const char *str);

/* keeps the end of a long text, where that is what differs */
extern void esg_cut_text_copy_end(char *dst, size_t size, const char *str);

/* copies a string of OpenSSL's, which it frees; NULL gives "" */
extern void esg_cut_text_take(char *dst, size_t size, char *str);

/*
 * A printable text in quotes, which always close: a quote in it has a backslash
 * before it.  Twice its length and three bytes are enough for all of it.
 */
extern void esg_cut_text_quote(char *dst, size_t size, const char *str);

#endif							/* ESG_X509_CUT_TEXT_H */

/*
 * x509/unicode.h
 *		Characters that a reader does not see, or does not see as what they are.
 */
#ifndef ESG_X509_UNICODE_H
#define ESG_X509_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* controls, format characters, odd blanks and fillers; no printable ASCII, no plain blank */
extern bool esg_unicode_is_hidden(uint32_t code);

#endif							/* ESG_X509_UNICODE_H */

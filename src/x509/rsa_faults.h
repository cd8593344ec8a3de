/*
 * x509/rsa_faults.h
 *		What makes an RSA modulus easy to factor.
 */
#ifndef ESG_X509_RSA_FAULTS_H
#define ESG_X509_RSA_FAULTS_H

#include <stddef.h>

#define ESG_RSA_SQUARE			(1 << 0)
#define ESG_RSA_SMALL_FACTOR	(1 << 1)	/* an odd prime below 752 */
#define ESG_RSA_ROCA			(1 << 2)	/* CVE-2017-15361 */
#define ESG_RSA_CLOSE_PRIMES	(1 << 3)	/* Fermat's method ends within 100
											 * rounds */
#define ESG_RSA_FAULTS_UNKNOWN	(1 << 4)	/* out of memory: no answer */

/*
 * The modulus in big-endian octets, without a sign.  An even one is not
 * put to the square and Fermat tests, one of over 16384 bits to none: no
 * OpenSSL uses it, and its size has no bound.
 */
extern unsigned esg_rsa_faults_find(const unsigned char *modulus, size_t len);

#endif							/* ESG_X509_RSA_FAULTS_H */

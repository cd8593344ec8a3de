/*
 * ctl/pem_file.h
 *		The certificates of a PEM file.
 */
#ifndef ESG_CTL_PEM_FILE_H
#define ESG_CTL_PEM_FILE_H

#include <stdbool.h>

#include <openssl/x509.h>

/* In the order of the file, which has one at least; false with a message. */
extern bool esg_pem_file_append(const char *path, STACK_OF(X509) *certs);

/* In the order of the file, which is not empty; new, sk_X509_pop_free().  NULL with a message. */
extern STACK_OF(X509) *esg_pem_file_certs(const char *path);

#endif							/* ESG_CTL_PEM_FILE_H */

/*
 * policy/groups.h
 *		Groups of the TLS key exchange, by the numbers that IANA gave them.
 *
 * Pure.
 */
#ifndef ESG_POLICY_GROUPS_H
#define ESG_POLICY_GROUPS_H

/* as OpenSSL's lists have it; NULL: nobody here knows it */
extern const char *esg_groups_name(unsigned number);

/* of a curve the size of its field in bits; 0: it is none, or nobody here knows it */
extern int	esg_groups_curve_bits(unsigned number);

#endif							/* ESG_POLICY_GROUPS_H */

/*
 * secret/forget.h
 *		Clears what earlier calls have left on the stack, and in vector registers.
 *
 * Pure.
 */
#ifndef ESG_SECRET_FORGET_H
#define ESG_SECRET_FORGET_H

/*
 * To be called where the calls that held a secret have returned to: their
 * frames were below the caller's.
 */
extern void esg_secret_forget_stack(void);

#endif							/* ESG_SECRET_FORGET_H */

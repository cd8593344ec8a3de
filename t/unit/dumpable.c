/*
 * dumpable.c
 *		For a program under LeakSanitizer, which looks into it as a debugger does: nothing
 *		forbids that.
 */
#ifdef __linux__
#include <sys/prctl.h>

int
prctl(int option,...)
{
	(void) option;
	return 0;
}
#else
extern int	esg_no_prctl;
int			esg_no_prctl;
#endif

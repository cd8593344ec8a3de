/*
 * ctl/check.c
 *		ssl_guard_ctl check: what is it that is to be checked?
 */
#include "ctl/check.h"

#include "ctl/pair_check.h"

int
esg_check_run(int argc, char **argv)
{
	return esg_pair_check_run(argc, argv);
}

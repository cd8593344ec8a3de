/*
 * coverage.h
 *		Included first by each source of a build whose coverage is measured: what a process has
 *		counted is written down, too, when it ends by _exit().
 */
#ifndef COVERAGE_H
#define COVERAGE_H

extern void __gcov_dump(void);
extern void _exit(int status) __attribute__((noreturn));

__attribute__((noreturn, unused))
static void
dump_and_exit(int status)
{
	__gcov_dump();
	_exit(status);
}

#define _exit(status) dump_and_exit(status)

#endif							/* COVERAGE_H */

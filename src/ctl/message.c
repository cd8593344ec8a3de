/*
 * ctl/message.c
 *		What ssl_guard_ctl says on standard error.
 */
#include "ctl/message.h"

#include <stdarg.h>
#include <stdio.h>

#define PROGRAM "ssl_guard_ctl: "

static void print(const char *prefix, const char *fmt, va_list ap)
			__attribute__((format(printf, 2, 0)));

static void
print(const char *prefix, const char *fmt, va_list ap)
{
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

bool
esg_message_error(const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	print(PROGRAM "error: ", fmt, ap);
	va_end(ap);
	return false;
}

void
esg_message_warning(const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	print(PROGRAM "warning: ", fmt, ap);
	va_end(ap);
}

void
esg_message_note(const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	print(PROGRAM, fmt, ap);
	va_end(ap);
}

void
esg_message_hint(const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	print(PROGRAM "hint: ", fmt, ap);
	va_end(ap);
}

/*
 * audit/alarm_command.h
 *		Alarms for a person: ext_ssl_guard.alarm_command, run by the worker.
 */
#ifndef ESG_AUDIT_ALARM_COMMAND_H
#define ESG_AUDIT_ALARM_COMMAND_H

#include "datatype/timestamp.h"

/*
 * Does what is to be done now: looks what has become of the command, runs it for
 * what has happened meanwhile.  Does not wait.
 */
extern void esg_alarm_command_serve(void);

/* microseconds until the next try is due; PG_INT64_MAX if there is none */
extern int64 esg_alarm_command_time_left(TimestampTz now);

/* The worker ends: says what will not be told. */
extern void esg_alarm_command_stop(void);

#endif							/* ESG_AUDIT_ALARM_COMMAND_H */

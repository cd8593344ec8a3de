/*
 * server/setting_alarms.h
 *		Settings that do not do what they seem to.
 */
#ifndef ESG_SERVER_SETTING_ALARMS_H
#define ESG_SERVER_SETTING_ALARMS_H

/*
 * The worker, at its start and after each reload: values that the server does
 * not accept, and a map without lines.  Needs no database.
 */
extern void esg_setting_alarms_review(void);

#endif							/* ESG_SERVER_SETTING_ALARMS_H */

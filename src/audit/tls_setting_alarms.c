/*
 * audit/tls_setting_alarms.c
 *		What is wrong with the settings that matter to TLS, as alarms.
 */
#include "postgres.h"

#include "audit/tls_setting_alarms.h"
#include "audit/tls_settings.h"
#include "server/alarm_list.h"
#include "server/state.h"
#include "x509/cut_text.h"

/* so many one setting has at most */
#define MAX_ALARMS (2 * ESG_SET_COUNT)

static EsgKeyAsked key_asked = ESG_KEY_ASKED_UNKNOWN;

void
esg_tls_setting_alarms_prepare(void)
{
	EsgLoadState load;

	esg_server_state_load(&load);
	key_asked = load.key_asked;
}

static void
fill_alarm(const EsgTlsSettingRow *row, const EsgFinding *finding, EsgAlarm *out)
{
	char		pairs[ESG_DETAIL_SIZE] = "";

	esg_alarm_text_append_pair(pairs, sizeof(pairs), "setting", row->name);
	esg_alarm_text_append_pair(pairs, sizeof(pairs), "value", row->value);
	esg_report_server_alarm(finding->code, finding->severity, finding->detail, pairs, out);
	esg_cut_text_copy(out->object, sizeof(out->object), row->name);
}

static void
make_alarms(EsgAlarmList *list, void *arg)
{
	const EsgTlsSettings *settings = arg;

	for (int i = 0; i < ESG_SET_COUNT; i++)
	{
		const EsgTlsSettingRow *row = &settings->rows[i];

		for (int j = 0; j < row->findings.count; j++)
		{
			EsgAlarm   *alarm = esg_alarm_list_next(list, &row->findings.items[j]);

			if (alarm != NULL)
				fill_alarm(row, &row->findings.items[j], alarm);
		}
	}
}

int
esg_tls_setting_alarms_collect(EsgAlarm *alarms, int room)
{
	EsgTlsSettings *settings = esg_tls_settings_read(key_asked);
	EsgAlarmList list;

	esg_alarm_list_fill(&list, Min(MAX_ALARMS, room), make_alarms, settings);
	memcpy(alarms, list.items, list.count * sizeof(EsgAlarm));
	esg_tls_settings_free(settings);
	return list.count;
}

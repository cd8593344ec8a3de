/*
 * server/guc.h
 *		Settings, parsed: what the administrator decided.
 */
#ifndef ESG_SERVER_GUC_H
#define ESG_SERVER_GUC_H

#include "policy/certificate.h"
#include "policy/deny_list.h"
#include "policy/file.h"
#include "x509/identities.h"

typedef enum EsgMode
{
	ESG_MODE_OFF,
	ESG_MODE_WARN,
	ESG_MODE_ENFORCE
} EsgMode;

#define ESG_MAX_SOURCE_ENTRIES 100

/* "cn", or "cn@FINGERPRINT": then it counts only under this CA. */
typedef struct EsgSourceEntry
{
	EsgIdentitySource source;
	bool		has_ca;
	unsigned char ca[ESG_DIGEST_SIZE];	/* SHA-256 of the CA's certificate */
} EsgSourceEntry;

/* identity_sources, parsed; both lists in its order. */
typedef struct EsgSourceList
{
	int			source_count;
	unsigned char sources[ESG_SOURCE_COUNT];	/* EsgIdentitySource's, each
												 * once */
	int			entry_count;
	EsgSourceEntry entries[ESG_MAX_SOURCE_ENTRIES];
} EsgSourceList;

/* seconds */
extern int	esg_guc_expire_alert_threshold;
extern int	esg_guc_expire_critical_threshold;
extern int	esg_guc_expire_check_interval;	/* of all checks, whatever its
											 * name says; 0 = only when
											 * something happens */
extern int	esg_guc_file_poll_interval; /* 0 = off */
extern int	esg_guc_alarm_repeat_interval;
extern int	esg_guc_max_validity;
extern int	esg_guc_alarm_command_timeout;

/* percent */
extern int	esg_guc_expire_alert_lifetime_percent;
extern int	esg_guc_expire_critical_lifetime_percent;
extern int	esg_guc_crl_alert_lifetime_percent;
extern int	esg_guc_crl_critical_lifetime_percent;

extern bool esg_guc_learn_renewals;
extern bool esg_guc_auto_reload;
extern bool esg_guc_posture_check;
extern bool esg_guc_self_probe;
extern int	esg_guc_min_security_bits;

/* permission bits, as in st_mode */
extern int	esg_guc_max_file_mode;
extern int	esg_guc_max_key_file_mode;

/* modes */
extern int	esg_guc_file_permission_check;
extern int	esg_guc_client_certificate_check;
extern int	esg_guc_identity_check;
extern int	esg_guc_role_label_check;
extern int	esg_guc_session_check;

/* open sessions */
extern int	esg_guc_session_grace;	/* seconds */
extern bool esg_guc_session_check_replication;

/* registry of client certificates */
extern int	esg_guc_max_client_certificates;
extern int	esg_guc_max_transport_entries;
extern bool esg_guc_save_client_certificates;

/* texts as they were set, never NULL; "" stands for none */
extern char *esg_guc_alarm_command;
extern char *esg_guc_identity_map;
extern char *esg_guc_passphrase_directory;

/* identity_sources; never NULL after init */
extern const EsgSourceList *esg_guc_identity_sources;

/* denied_certificates, NULL if empty; and an EsgMode: enforce if it is not empty, else off */
extern const EsgDenyList *esg_guc_denied_certificates;
extern int	esg_guc_denied_mode;

/*
 * extra_files: count, and the n-th path, not made absolute, with what it was
 * said to be; ESG_FILE_EXTRA: nothing was said
 */
extern int	esg_guc_extra_file_count(void);
extern const char *esg_guc_extra_file(int n, EsgFileKind *kind);

/* exempt_roles: exact role names; the n-th, or NULL */
extern const char *esg_guc_exempt_role(int n);
extern bool esg_guc_is_exempt_role(const char *role_name);

extern void esg_guc_init(void);

/* the settings as the pure layer wants them */
extern void esg_guc_policy(EsgPolicy *out);

/* true once for each change that makes the critical threshold exceed the alert threshold; the worker logs it */
extern bool esg_guc_thresholds_crossed(void);

#endif							/* ESG_SERVER_GUC_H */

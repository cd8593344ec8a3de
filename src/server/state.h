/*
 * server/state.h
 *		What the running server does: TLS loads, what is served, the worker.
 *
 * Written from four places, see the locking notes in state.c: the
 * postmaster writes its part with atomics only and never waits; logins and the
 * worker use the area's lock for moments.
 */
#ifndef ESG_SERVER_STATE_H
#define ESG_SERVER_STATE_H

#include "datatype/timestamp.h"

#include "policy/findings.h"
#include "policy/tls_settings.h"
#include "server/sni_hosts.h"
#include "x509/memo.h"

typedef enum EsgLoadResult
{
	ESG_LOAD_NONE = 0,			/* TLS never loaded (ssl = off) */
	ESG_LOAD_PENDING,			/* begun, outcome not yet known */
	ESG_LOAD_OK,
	ESG_LOAD_FAILED
} EsgLoadResult;

typedef enum EsgSeenBy
{
	ESG_SEEN_NOT = 0,
	ESG_SEEN_LOAD,				/* in the postmaster, when core loaded it */
	ESG_SEEN_LOGIN,
	ESG_SEEN_PROBE
} EsgSeenBy;

typedef struct EsgLoadState
{
	bool		hook_active;	/* a load was seen in this server's life */
	uint32		sequence;		/* rises at every change */
	EsgLoadResult result;		/* PENDING becomes OK after two seconds if
								 * success does not show otherwise; NONE while
								 * ssl is off */
	TimestampTz at;				/* of the last outcome */
	bool		in_service;		/* there is TLS, be it of an earlier load */
	int			failed_host;	/* at which of the certificates, 0.., the last
								 * load failed; -1: not known, or none */
	uint32		served_number;	/* rises with each load that changed what is
								 * in service; 0: none has */
	int			served_count;	/* certificates in service */
	EsgFileMark hosts_mark;		/* of pg_hosts.conf when the last load began */
	TimestampTz config_at;		/* when the postmaster had read
								 * postgresql.conf, before that load */
	EsgKeyAsked key_asked;		/* at the last load */
} EsgLoadState;

/* The certificates that a load has put into service, in the order in which core loaded them. */
typedef struct EsgServedSet
{
	int			count;			/* of all, also those above the limit */
	int64		not_after_unix; /* of the first */
	unsigned char fingerprints[ESG_MAX_HOSTS][ESG_DIGEST_SIZE]; /* zeroes: not known */
} EsgServedSet;

typedef struct EsgServedState
{
	EsgSeenBy	seen_by;
	TimestampTz seen_at;
	unsigned char fingerprint[ESG_DIGEST_SIZE];
	int64		not_after_unix; /* PG_INT64_MAX: infinity, PG_INT64_MIN: not
								 * known */
} EsgServedState;

/* Are all hosts on disk as they are in service? */
typedef struct EsgHostsSync
{
	bool		known;			/* there are hosts, and it was found out */
	bool		in_sync;
	uint32		sequence;		/* of the load that this is about */
} EsgHostsSync;

typedef struct EsgCheckState
{
	int			worker_pid;		/* 0 if none runs */
	TimestampTz last_check_at;	/* 0 if never */
	TimestampTz next_check_at;	/* 0 if none is planned and no verdict will
								 * change */
	bool		disk_known;
	unsigned char disk_fingerprint[ESG_DIGEST_SIZE];	/* first certificate of
														 * ssl_cert_file */
	EsgHostsSync hosts;
} EsgCheckState;

extern void esg_server_state_init(void);

/*
 * Postmaster only; no lock, no error, no allocation.  Kept in statics until
 * shared memory exists, and copied there when it does (also after a crash).
 */
/* Of a load that has begun: who is asked for the passphrase of its private key; nobody, before. */
extern void esg_server_state_key_asked(EsgKeyAsked asked);

/* success_shows: there is an old context, whose freeing will tell of success */
extern void esg_server_state_load_started(bool success_shows, const EsgFileMark *hosts_mark,
										  TimestampTz now);

/* What began was no load: all is as before. */
extern void esg_server_state_load_withdrawn(void);

/* all certificates are loaded, and nothing was in service before */
extern void esg_server_state_load_first(const EsgServedSet *served, TimestampTz now);
extern void esg_server_state_load_succeeded(const EsgServedSet *served, TimestampTz now);

/* host: at which certificate, 0.., if it is known, or -1 */
extern void esg_server_state_load_failed(int host, TimestampTz now);
extern void esg_server_state_tls_off(TimestampTz now);

/*
 * Backends and the worker.  All answer zeroes without shared memory.  A login's
 * report is ignored when its backend was forked before the last load.
 */
extern void esg_server_state_load(EsgLoadState *out);

/*
 * EsgLoadState's served_number as it was when this process was forked: of what
 * it has inherited.  0: nothing.
 */
extern uint32 esg_server_state_inherited(void);

/* of the one certificate in service; nothing is seen where there are several */
extern void esg_server_state_served(EsgServedState *out);

/*
 * All that are in service, as the last self-probe saw those that it has asked
 * for; returns EsgLoadState's served_number.
 */
extern uint32 esg_server_state_served_set(EsgServedSet *out);

/* the index-th of them, from 0; NULL if it is not known */
extern const unsigned char *esg_server_state_set_get(const EsgServedSet *set, int index);

extern void esg_server_state_report_served(EsgSeenBy by, const unsigned char *fingerprint,
										   int64 not_after_unix, TimestampTz now);
extern void esg_server_state_check(EsgCheckState *out);
extern void esg_server_state_set_worker(int pid);

/* There is something to do.  The worker finds out what. */
extern void esg_server_state_wake_worker(void);

/*
 * When does the verdict about a client's certificate change next?  Seconds since
 * 1970, ESG_TIME_NEVER if at no time that is known.  A login that knows of an
 * earlier moment wakes the worker; the worker forgets the moment before it looks
 * at all clients to find it anew.
 */
extern void esg_server_state_note_client_change(int64 at);
extern void esg_server_state_forget_client_change(void);
extern int64 esg_server_state_client_change(void);

/* A connection was refused for the TLS files' sake: counts it and wakes the worker; how many were. */
extern void esg_server_state_note_refusal(void);
extern uint32 esg_server_state_refusals(void);

/* disk_fingerprint: NULL if there is no certificate on disk */
extern void esg_server_state_set_check(TimestampTz last, const unsigned char *disk_fingerprint,
									   const EsgHostsSync *hosts);
extern void esg_server_state_set_next_check(TimestampTz next);

#endif							/* ESG_SERVER_STATE_H */

/*
 * login/clients.h
 *		The registry of client certificates: one entry per (certificate, role)
 *		seen at a login.
 *
 * Fixed number of entries in shared memory, ext_ssl_guard.max_client_certificates;
 * when full, the least recently used one gives way and is counted, those for
 * which an alarm stands last.  Texts are printable UTF-8, cut at a character
 * with "..." where they do not fit; role names are bytes in no known encoding.
 */
#ifndef ESG_LOGIN_CLIENTS_H
#define ESG_LOGIN_CLIENTS_H

#include "datatype/timestamp.h"

#include "login/client_entry.h"

/* What a look-up goes by. */
typedef struct EsgClientKey
{
	const char *role_name;
	const unsigned char *fingerprint;
	const unsigned char *chain_digest;
	uint64		policy_stamp;
} EsgClientKey;

/*
 * When was no reason seen to refuse a certificate, by its facts and the settings
 * of then?  Seconds since 1970; until is no part of it.
 */
typedef struct EsgGoodSpan
{
	int64		from;
	int64		until;			/* not after from: at no time */
} EsgGoodSpan;

/* What a look-up finds beside the facts. */
typedef struct EsgClientKnown
{
	TimestampTz alarmed_at;		/* of the role's own entry, 0 if there is none */
	EsgGoodSpan good;
} EsgClientKnown;

/*
 * One login that has got as far as our hook: the client has proved who it is.
 * The server looks only after it whether the database exists, and whether the
 * role may connect to it now.
 */
typedef struct EsgClientLogin
{
	const EsgClientFacts *facts;
	const char *role_name;
	bool		denied;
	bool		alarmed;		/* this login raised its alarms */
	EsgGoodSpan good;
	TimestampTz at;
	EsgClientAddress address;
	const char *tls_version;
	const char *cipher;
} EsgClientLogin;

/* one not seen for longer bothers nobody any more: its alarms go */
#define ESG_CLIENT_IDLE_DAYS 30
/* one that was used beside a newer one counts as replaced after so long */
#define ESG_CLIENT_OVERLAP_DAYS 1

extern void esg_clients_init(void);

/*
 * The facts last found for this certificate, presented with this chain and
 * judged by these settings; false: there are none, and *known holds nothing
 * but alarmed_at.
 */
extern bool esg_clients_lookup(const EsgClientKey *key, EsgClientFacts *out, EsgClientKnown *known);

/* counts it, in a new entry if need be; nothing happens without shared memory */
extern void esg_clients_record(const EsgClientLogin *login);

/* cut as in EsgClientFacts, ESG_CLIENT_NAME_SIZE bytes; false: not known, or not any more */
extern bool esg_clients_subject(const unsigned char *fingerprint, char *subject);

/* whether an alarm stands for an entry, which then gives way later than others */
extern void esg_clients_mark(const unsigned char *fingerprint, const char *role_name, bool alarming);

/* palloc'd, in no particular order; superseded is resolved */
extern int	esg_clients_copy(EsgClientRow **out);

/* forgets all of them, returns how many; needs shared memory */
extern int64 esg_clients_reset(void);

/* evicted: gave way since the start or the last reset; both 0 without shared memory */
extern void esg_clients_count(int *used, int64 *evicted);

/*
 * The worker's review looks at what has changed since the last one, by the number of
 * its place.  version tells whether it still is the same certificate, role and facts;
 * 0: nothing is there.
 */
typedef struct EsgClientUse
{
	uint32		version;
	TimestampTz last_seen;
	bool		alarming;
} EsgClientUse;

/* Did something change that may be another verdict, not only a counter? */
extern bool esg_clients_have_news(void);
extern void esg_clients_note_news(void);

/* After a look at all: this process's mapping of them is not needed soon again. */
extern void esg_clients_let_go(void);

/*
 * The numbers of those that have changed since the last call, or of all; palloc'd, in order.
 * *resets is another after a reset; places [0, *used) are in use.
 */
extern int	esg_clients_take_changed(bool all, uint32 *resets, int *used, int **numbers);

extern void esg_clients_read_uses(const int *numbers, int count, EsgClientUse *out);

/* returns the version */
extern uint32 esg_clients_read(int number, EsgClientEntry *out);

/* whether its next login is news */
extern void esg_clients_watch(int number, uint32 version, bool watched);

/* The places of the certificate, one for each role: how many, of which max are returned. */
extern int	esg_clients_find(const unsigned char *fingerprint, int *numbers, int max);

/*
 * A large save file is not read at the server's start, which would have to wait, but by the
 * first that needs all entries: the worker, or who asks for them with SQL; others wait
 * meanwhile, logins do not.  What they record until then is put together with what is read.
 */
extern void esg_clients_load(void);

/*
 * Writes to the save file what has changed since, up to ESG_SLOT_FILE_MAX_SAVE bytes;
 * returns whether there is more.  The worker's, as is what follows, which writes all; that
 * is also the postmaster's at exit.
 */
extern bool esg_clients_save_some(void);
extern void esg_clients_save(void);

#endif							/* ESG_LOGIN_CLIENTS_H */

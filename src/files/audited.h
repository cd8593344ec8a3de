/*
 * files/audited.h
 *		TLS files, certificates and CRLs as facts, with what was found.
 *
 * Everything hangs on one object.  Reading and judging may be left by longjmp()
 * whenever they call EsgInterrupts.serve(): esg_audited_free() finds it all.
 */
#ifndef ESG_FILES_AUDITED_H
#define ESG_FILES_AUDITED_H

#include "files/arena.h"
#include "files/content.h"
#include "files/crl_dir_list.h"
#include "files/tls_file.h"
#include "policy/crl.h"
#include "policy/tracks.h"
#include "x509/crl_info.h"
#include "x509/pem.h"

typedef struct EsgAuditFile
{
	EsgTlsFile	file;
	char	   *resolved_path;	/* NULL if it cannot be resolved, or without
								 * ESG_AUDIT_FILES */
	EsgFileFacts facts;
	bool		hashed;			/* never for private keys */
	unsigned char sha256[ESG_DIGEST_SIZE];
	bool		scanned;		/* pem is set */
	bool		in_crl_dir;		/* an entry of ssl_crl_dir */
	EsgPemResult pem;
	const char *hosts_fault;	/* why core refuses the list of hosts, UTF-8,
								 * printable; NULL if it does not.  Of whoever
								 * knows it */
	EsgFindings findings;
	bool		sound;			/* hashed and without a fault: worth comparing
								 * with what the server has loaded */
	const char *suggestion;		/* UTF-8, "" if none */
} EsgAuditFile;

typedef struct EsgAuditCert
{
	EsgAuditFile *file;			/* NULL if inspected */
	int			position;
	EsgPlace	place;
	EsgCertInfo info;			/* info.cert is owned by the audit */
	const EsgTrack *track;		/* its renewals; NULL: nothing is known */
	EsgFindings findings;
} EsgAuditCert;

typedef struct EsgAuditCrl
{
	EsgAuditFile *file;
	int			position;
	EsgCrlInfo	info;
	const EsgTrack *track;		/* its renewals; NULL: nothing is known */
	EsgFindings findings;
} EsgAuditCrl;

/* For work that takes long: does somebody want it to end, and how is he served? */
typedef struct EsgInterrupts
{
	bool		(*pending) (void);
	void		(*serve) (void);	/* may return, or leave by longjmp() */
} EsgInterrupts;

/* What reading needs while it lasts. */
typedef struct EsgAuditReading
{
	EsgContent	content;
	EsgCrlDirList listing;
	bool		may_stop;		/* stop scanning when there is an interrupt */
	bool		stopped;		/* that happened */
	int64_t		bytes;			/* of all files */
	int			file_capacity;
	int			cert_capacity;
	int			crl_capacity;
	STACK_OF(X509) *x509s;		/* of the audit's certificates, in the same
								 * order */
	STACK_OF(X509_CRL) *x509_crls;
} EsgAuditReading;

/* What judging needs while it lasts. */
typedef struct EsgAuditJudging
{
	EsgArena	arena;
	EsgIssuerIndex *cas;		/* of ssl_ca_file; NULL if there is none */
	EsgIssuerIndex *extras;		/* of extra_files; likewise */
	EsgCrlUses *uses;
	EsgCrlNames *names;
} EsgAuditJudging;

typedef struct EsgAudit
{
	void	   *keeper;			/* whoever keeps it; nothing here looks at it */
	const EsgInterrupts *interrupts;	/* NULL: nobody interrupts */
	bool		out_of_memory;	/* something is missing */
	int			file_count;
	EsgAuditFile **files;
	int			cert_count;
	EsgAuditCert **certs;		/* those of one file are neighbours */
	int			crl_count;
	EsgAuditCrl **crls;
	bool		crl_configured; /* ssl_crl_file or ssl_crl_dir is set */
	bool		crl_unread;		/* some CRL could not be read or was skipped */
	int64_t		judged_at;		/* seconds since 1970: what the findings are
								 * as of */
	bool		disk_known;		/* ssl_cert_file is sound PEM and has a first
								 * certificate */
	unsigned char disk_fingerprint[ESG_DIGEST_SIZE];
	/* the rest is for files/ alone */
	EsgArena	arena;
	EsgAuditReading reading;
	EsgAuditJudging judging;
} EsgAudit;

/* An empty one; NULL if memory ran out. */
extern EsgAudit *esg_audited_start(const EsgInterrupts *interrupts);
extern void esg_audited_free(EsgAudit *audit);

/* Lets an interrupt happen; not while anything is held that does not hang on the audit. */
extern void esg_audited_allow_interrupt(const EsgAudit *audit);

/*
 * Memory for what stays, and for count pieces of that size while it is judged: all
 * zero.  NULL, which audit->out_of_memory remembers, if there is none.
 */
extern void *esg_audited_take(EsgAudit *audit, size_t size);
extern void *esg_audited_take_for_judging(EsgAudit *audit, size_t count, size_t size);

/* What judging needed goes; the findings stay. */
extern void esg_audited_end_judging(EsgAudit *audit);

/* Back to what was read, so that it can be judged anew. */
extern void esg_audited_forget_findings(EsgAudit *audit);

/*
 * Does the server load it at start and reload, and keep its content?  What lies in
 * ssl_crl_dir is read by OpenSSL when it is needed, and a key is not looked into.
 */
extern bool esg_audited_is_loaded(const EsgAuditFile *file);

#endif							/* ESG_FILES_AUDITED_H */

/*
 * audit/read.h
 *		Reading the server's TLS files: files, certificates and CRLs as facts.
 */
#ifndef ESG_AUDIT_READ_H
#define ESG_AUDIT_READ_H

#include "utils/palloc.h"

#include "policy/file.h"
#include "policy/tracks.h"
#include "server/tls_files.h"
#include "x509/crl_info.h"
#include "x509/pem.h"

/* what a caller wants to see; each file is read at most once */
#define ESG_AUDIT_CERTS	(1 << 0)	/* CRLs above 1 MB are not read for it */
#define ESG_AUDIT_CRLS	(1 << 1)
#define ESG_AUDIT_FILES	(1 << 2)	/* look at the directories, too */
#define ESG_AUDIT_ALL	(ESG_AUDIT_CERTS | ESG_AUDIT_CRLS | ESG_AUDIT_FILES)

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
	char	   *hosts_fault;	/* why core refuses the list of hosts, UTF-8;
								 * NULL if it does not */
	EsgFindings findings;
	bool		sound;			/* hashed and without a fault: worth comparing
								 * with what the server has loaded */
	char	   *suggestion;		/* UTF-8, "" if none */
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

/* Lives in a memory context of its own, whose deletion frees OpenSSL's objects too (also on ERROR). */
typedef struct EsgAudit
{
	MemoryContext context;
	int			file_count;
	EsgAuditFile **files;
	int			cert_count;
	EsgAuditCert **certs;		/* those of one file are neighbours */
	int			crl_count;
	EsgAuditCrl **crls;
	bool		crl_configured; /* ssl_crl_file or ssl_crl_dir is set */
	bool		crl_unread;		/* some CRL could not be read or was skipped */
	int64		judged_at;		/* seconds since 1970: what the findings are
								 * as of */
	bool		disk_known;		/* ssl_cert_file is sound PEM and has a first
								 * certificate */
	unsigned char disk_fingerprint[ESG_DIGEST_SIZE];
} EsgAudit;

/* An empty audit in a context below the current one; delete the context to free it. */
extern EsgAudit *esg_audit_read_start(void);

/* Back to what was read, so that it can be judged anew. */
extern void esg_audit_read_forget_findings(EsgAudit *audit);

/* What the settings name.  Errors: out of memory, cancel. */
extern void esg_audit_read_files(EsgAudit *audit, unsigned what, EsgMemo *memo);

/*
 * The certificates of a PEM text, or one in DER; file is NULL.  place is the
 * first one's; those after a server's or client's are its intermediates.
 */
extern void esg_audit_read_text(EsgAudit *audit, const char *data, size_t len, EsgPlace place,
								EsgMemo *memo, EsgPemResult *result);

#endif							/* ESG_AUDIT_READ_H */

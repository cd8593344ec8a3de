/*
 * audit.h
 *		Is the server's TLS set-up sound?  Files, certificates and CRLs, read
 *		once, with their findings.
 *
 * Layer 3.
 */
#ifndef ESG_AUDIT_H
#define ESG_AUDIT_H

#include "pem_scan.h"
#include "policy_file.h"
#include "report.h"
#include "tls_files.h"
#include "x509_info.h"

/* what a caller wants read; each file is read at most once */
#define ESG_AUDIT_CERTS	(1 << 0)
#define ESG_AUDIT_CRLS	(1 << 1)
#define ESG_AUDIT_FILES	(1 << 2)	/* hash and look at every file, directories too */
#define ESG_AUDIT_ALL	(ESG_AUDIT_CERTS | ESG_AUDIT_CRLS | ESG_AUDIT_FILES)

typedef struct EsgAuditFile
{
	EsgTlsFile	file;
	char	   *resolved_path;	/* NULL if it cannot be resolved */
	EsgFileFacts facts;
	bool		hashed;
	unsigned char sha256[ESG_DIGEST_SIZE];
	EsgFindings findings;
	char	   *suggestion;		/* UTF-8, "" if none */
} EsgAuditFile;

typedef struct EsgAuditCert
{
	const EsgAuditFile *file;
	int			position;
	EsgRole		role;
	EsgCertInfo info;			/* info.cert is owned by the audit */
	EsgFindings findings;
} EsgAuditCert;

typedef struct EsgAuditCrl
{
	const EsgAuditFile *file;
	int			position;
	EsgCrlInfo	info;
	EsgFindings findings;
} EsgAuditCrl;

/* Lives in a memory context of its own, whose deletion frees OpenSSL's objects too (also on ERROR). */
typedef struct EsgAudit
{
	MemoryContext context;
	int			file_count;
	EsgAuditFile **files;
	int			cert_count;
	EsgAuditCert **certs;
	int			crl_count;
	EsgAuditCrl **crls;
	bool		disk_known;		/* ssl_cert_file has a first certificate */
	unsigned char disk_fingerprint[ESG_DIGEST_SIZE];
} EsgAudit;

extern EsgAudit *esg_audit_run(unsigned what);
extern void esg_audit_free(EsgAudit *audit);
/* palloc'd alarms of all findings */
extern int	esg_audit_alarms(const EsgAudit *audit, EsgAlarm **out);
/* changes if any TLS file's content, mode, owner or target did; no certificate is parsed */
extern void esg_audit_signature(unsigned char *sha256);
/* the certificates in PEM text or one DER certificate, as ssl_guard_inspect() judges them: role EXTRA */
extern EsgAudit *esg_audit_inspect(const char *data, size_t len, EsgPemResult *result);
/* "server", "chain", "ca", "extra" */
extern const char *esg_audit_cert_kind(EsgRole role);

#endif							/* ESG_AUDIT_H */

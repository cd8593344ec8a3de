/*
 * audit/outlook.h
 *		What an audit found, and what it will find as time goes on.
 *
 * Certificates and CRLs grow old while nothing is read.  So whoever has read
 * them judges them as of now and as of each coming moment at which a verdict
 * changes, and keeps the alarms of each moment; the files' content, which may
 * be a CRL of a million entries, is not kept.  One flat piece of memory without
 * pointers.
 */
#ifndef ESG_AUDIT_OUTLOOK_H
#define ESG_AUDIT_OUTLOOK_H

#include "audit/renewals.h"
#include "server/report.h"

#define ESG_MAX_MOMENTS 16
#define ESG_MAX_HOST_TEXT 256

/* From then on these alarms stand; the first moment is that of the reading. */
typedef struct EsgMoment
{
	int64		from;			/* seconds since 1970 */
	int			first;			/* in alarms[] */
	int			count;
} EsgMoment;

/*
 * A file that the server loads, and that it could load now: only shared memory
 * tells whether it has.  Names that are too long are cut.
 */
typedef struct EsgLoadedFile
{
	char		setting[32];
	char		path[MAXPGPATH];
	int			line;			/* as in EsgTlsFile */
	char		host[ESG_MAX_HOST_TEXT];	/* "" if it is no host's */
	int			host_index;
	bool		is_certificate;
	bool		sound;			/* sha256 is worth comparing */
	unsigned char sha256[ESG_DIGEST_SIZE];
	bool		leaf_known;
	unsigned char leaf[ESG_DIGEST_SIZE];	/* fingerprint of the first
											 * certificate */
} EsgLoadedFile;

typedef struct EsgOutlook
{
	bool		unchanged;		/* the files are as the caller knows them: all
								 * else is empty */
	unsigned char signature[ESG_DIGEST_SIZE];	/* see audit/file_state.h */
	bool		disk_known;
	unsigned char disk_fingerprint[ESG_DIGEST_SIZE];
	int			file_count;		/* that are there, without directories */
	int			cert_count;
	int			crl_count;
	EsgSeen		seen;			/* to be learned from */
	int			loaded_count;	/* of what esg_outlook_loaded() gives */
	int64		until;			/* the first change that was not judged;
								 * ESG_TIME_NEVER if all were */
	int			moment_count;
	EsgMoment	moments[ESG_MAX_MOMENTS];
	int			posture_first;	/* in alarms[]: of the server's settings and
								 * pg_hba.conf, at any moment */
	int			posture_count;
	int			alarm_count;
	EsgAlarm	alarms[FLEXIBLE_ARRAY_MEMBER];
} EsgOutlook;

/*
 * Reads the files and judges them for up to max_moments; palloc'd, of *size
 * bytes.  known: the signature of the content at the last reading; if that is
 * still it, nothing is judged.  NULL to judge anyway.  renewals: as for
 * esg_audit_run().  Does not look at shared memory.  Errors: out of memory, cancel.
 */
extern EsgOutlook *esg_outlook_make(const unsigned char *known, EsgRenewals *renewals,
									int max_moments, Size *size);

/* the files that the server loads; they are behind the alarms */
extern const EsgLoadedFile *esg_outlook_loaded(const EsgOutlook *outlook);

/* the moment in force at now; -1 if now is before the first, or not judged any more */
extern int	esg_outlook_find(const EsgOutlook *outlook, int64 now);

/* the next change after the moment in force */
extern int64 esg_outlook_next(const EsgOutlook *outlook, int moment);

#endif							/* ESG_AUDIT_OUTLOOK_H */

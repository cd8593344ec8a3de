/*
 * audit/hba_files.h
 *		May pg_hba.conf or pg_ident.conf be read, with all that it includes?
 */
#ifndef ESG_AUDIT_HBA_FILES_H
#define ESG_AUDIT_HBA_FILES_H

/*
 * Core's reader opens whatever a line names: a named pipe makes it wait for ever,
 * and a large file is taken into memory whole.  False: there is something like
 * that among the files, or more than can be looked at.  What is not there, or
 * may not be read, is core's to complain of.
 */
extern bool esg_hba_files_are_harmless(const char *path);

#endif							/* ESG_AUDIT_HBA_FILES_H */

/*
 * audit/renewals.c
 *		The renewals of the watched files, remembered.
 *
 * Locking: the area's lock guards everything in it, and is held for a copy at
 * most.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "lib/stringinfo.h"
#include "pgstat.h"
#include "storage/lwlock.h"

#include "audit/renewals.h"
#include "server/guc.h"
#include "server/report.h"
#include "server/saved_file.h"
#include "server/shmem.h"

typedef struct RenewalArea
{
	uint32		looks;			/* begun so far */
	uint32		learned;		/* the one learned from last */
	uint64		changes;		/* rises with every look that brought news */
	uint64		saved_changes;	/* what the file holds */
	EsgTracks	tracks;
} RenewalArea;

static RenewalArea *area = NULL;
static LWLock *area_lock = NULL;

/* ------------------------------------------------------------------------
 * The file
 * ------------------------------------------------------------------------ */

static bool
is_entry_sound(const void *entry)
{
	return esg_tracks_is_sound(entry);
}

static const EsgSavedFile saved = {
	.path = PGSTAT_STAT_PERMANENT_DIRECTORY "/ext_ssl_guard.renewals",
	.magic = "ESGREN01",
	.content = "learned renewals",
	.foreign = "A copy of a data directory begins without, as they were seen at another server.",
	.entry_size = sizeof(EsgTrack),
	.is_sound = is_entry_sound
};

static void
insert_loaded(const void *entry)
{
	if (area->tracks.count < ESG_MAX_TRACKS)
		memcpy(&area->tracks.tracks[area->tracks.count++], entry, sizeof(EsgTrack));
}

static void
begin_area(void)
{
	esg_saved_file_load(&saved, insert_loaded);
}

void
esg_renewals_init(void)
{
	esg_shmem_register("renewals", sizeof(RenewalArea), (void **) &area, &area_lock, begin_area);
}

void
esg_renewals_save(bool at_end)
{
	EsgTracks  *copy;
	uint64		changes;
	bool		due;

	copy = palloc_extended(sizeof(EsgTracks), MCXT_ALLOC_NO_OOM);
	if (copy == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	*copy = area->tracks;
	changes = area->changes;
	due = changes != area->saved_changes || (at_end && copy->count > 0);
	LWLockRelease(area_lock);
	if (due && esg_saved_file_write(&saved, copy->tracks, sizeof(EsgTrack), copy->count))
	{
		LWLockAcquire(area_lock, LW_EXCLUSIVE);
		area->saved_changes = changes;
		LWLockRelease(area_lock);
	}
	pfree(copy);
}

/* ------------------------------------------------------------------------
 * What is seen
 * ------------------------------------------------------------------------ */

EsgRenewals *
esg_renewals_copy(void)
{
	EsgRenewals *copy;

	if (area == NULL || !esg_guc_learn_renewals)
		return NULL;
	copy = palloc0(sizeof(EsgRenewals));
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	copy->seen.look = ++area->looks;
	copy->tracks = area->tracks;
	LWLockRelease(area_lock);
	return copy;
}

/* DER of a name; what cannot be written is as no name. */
static void
append_name(StringInfo buf, const X509_NAME *name)
{
	unsigned char *der = NULL;
	int			len = i2d_X509_NAME((X509_NAME *) name, &der);

	if (len > 0)
		appendBinaryStringInfo(buf, (const char *) der, len);
	OPENSSL_free(der);
}

static void
append_crl_extension(StringInfo buf, X509_CRL *crl, int nid)
{
	int			index = X509_CRL_get_ext_by_NID(crl, nid, -1);
	const ASN1_OCTET_STRING *value;

	if (index < 0)
		return;
	value = X509_EXTENSION_get_data(X509_CRL_get_ext(crl, index));
	appendBinaryStringInfo(buf, (const char *) ASN1_STRING_get0_data(value),
						   ASN1_STRING_length(value));
}

/* Its file, as the server opens it, links and all. */
static void
start_place(StringInfo buf, const EsgAuditFile *file, const char *kind)
{
	initStringInfo(buf);
	appendBinaryStringInfo(buf, file->file.setting, (int) strlen(file->file.setting) + 1);
	appendBinaryStringInfo(buf, file->file.path, (int) strlen(file->file.path) + 1);
	appendBinaryStringInfo(buf, kind, (int) strlen(kind) + 1);
}

static bool
finish_place(StringInfo buf, unsigned char *place)
{
	unsigned char digest[ESG_DIGEST_SIZE] = {0};
	bool		good = EVP_Digest(buf->data, buf->len, digest, NULL, EVP_sha256(), NULL) == 1;

	memcpy(place, digest, ESG_TRACK_DIGEST_SIZE);
	pfree(buf->data);
	ERR_clear_error();
	return good;
}

/* False: it does not end, or nobody knows when. */
static bool
set_life(EsgSighting *out, EsgTime begin, EsgTime end, const unsigned char *fingerprint)
{
	if (!esg_policy_time_known(begin) || end.state != ESG_TIME_VALID)
		return false;
	memcpy(out->fingerprint, fingerprint, ESG_TRACK_DIGEST_SIZE);
	out->begin = begin.unix_seconds;
	out->end = end.unix_seconds;
	return true;
}

/* A certificate is renewed by one of that name, mostly with another key. */
static bool
sight_cert(const EsgAuditCert *cert, EsgSighting *out)
{
	StringInfoData buf;

	if (!set_life(out, cert->info.not_before, cert->info.not_after, cert->info.fingerprint))
		return false;
	start_place(&buf, cert->file, "certificate");
	append_name(&buf, X509_get_subject_name(cert->info.cert));
	return finish_place(&buf, out->place);
}

/* A CRL by one of that name, of that key. */
static bool
sight_crl(const EsgAuditCrl *crl, EsgSighting *out)
{
	StringInfoData buf;

	if (!set_life(out, crl->info.this_update, crl->info.next_update, crl->info.fingerprint))
		return false;
	start_place(&buf, crl->file, crl->info.delta ? "delta CRL" : "CRL");
	append_name(&buf, X509_CRL_get_issuer(crl->info.crl));
	append_crl_extension(&buf, crl->info.crl, NID_authority_key_identifier);
	return finish_place(&buf, out->place);
}

/* numbers: where each one's sighting is, -1 if it has none */
static void
see_certs(EsgSeen *seen, const EsgAudit *audit, int *numbers)
{
	const EsgAuditFile *file = NULL;
	int			of_file = 0;

	for (int i = 0; i < audit->cert_count; i++)
	{
		numbers[i] = -1;
		of_file = audit->certs[i]->file == file ? of_file + 1 : 1;
		file = audit->certs[i]->file;
		if (of_file <= ESG_MAX_SIGHTINGS_OF_FILE && seen->count < ESG_MAX_SIGHTINGS_OF_KIND &&
			sight_cert(audit->certs[i], &seen->sightings[seen->count]))
			numbers[i] = seen->count++;
	}
}

static void
see_crls(EsgSeen *seen, const EsgAudit *audit, int *numbers)
{
	int			most = seen->count + ESG_MAX_SIGHTINGS_OF_KIND;

	for (int i = 0; i < audit->crl_count; i++)
	{
		numbers[i] = -1;
		if (seen->count < most && sight_crl(audit->crls[i], &seen->sightings[seen->count]))
			numbers[i] = seen->count++;
	}
}

static const EsgTrack *
find_track(const EsgRenewals *renewals, int number)
{
	if (number < 0)
		return NULL;
	return esg_tracks_find(&renewals->tracks, &renewals->seen.sightings[number]);
}

void
esg_renewals_see(EsgRenewals *renewals, EsgAudit *audit, int64 now)
{
	EsgSeen    *seen = &renewals->seen;
	int		   *certs = palloc_extended((audit->cert_count + 1) * sizeof(int), MCXT_ALLOC_HUGE);
	int		   *crls = palloc_extended((audit->crl_count + 1) * sizeof(int), MCXT_ALLOC_HUGE);

	seen->at = now;
	see_certs(seen, audit, certs);
	see_crls(seen, audit, crls);
	(void) esg_tracks_observe(&renewals->tracks, seen->sightings, seen->count, seen->at);
	for (int i = 0; i < audit->cert_count; i++)
		audit->certs[i]->track = find_track(renewals, certs[i]);
	for (int i = 0; i < audit->crl_count; i++)
		audit->crls[i]->track = find_track(renewals, crls[i]);
	pfree(certs);
	pfree(crls);
}

/* ------------------------------------------------------------------------
 * What is learned
 * ------------------------------------------------------------------------ */

void
esg_renewals_learn(const EsgSeen *seen)
{
	if (area == NULL || seen->look == 0)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	if (seen->look > area->learned)
	{
		area->learned = seen->look;
		if (esg_tracks_observe(&area->tracks, seen->sightings, seen->count, seen->at))
			area->changes++;
	}
	LWLockRelease(area_lock);
}

void
esg_renewals_confirm(void)
{
	if (!esg_guc_learn_renewals)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	esg_tracks_confirm(&area->tracks, esg_report_unix_now());
	LWLockRelease(area_lock);
}

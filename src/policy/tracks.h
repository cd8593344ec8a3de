/*
 * policy/tracks.h
 *		What lies where, since when, and how much life was left when it was
 *		replaced.
 *
 * A track is one certificate's or CRL's place in a file: what is put there later
 * renews what lay there before.  All in one piece of memory without pointers, to
 * be kept in shared memory and on disk.
 *
 * Pure: "now" is an argument, in seconds since 1970.
 */
#ifndef ESG_POLICY_TRACKS_H
#define ESG_POLICY_TRACKS_H

#include "policy/renewal.h"
#include "x509/memo.h"

#define ESG_MAX_TRACKS 128
/* of a SHA-256, to tell them from each other */
#define ESG_TRACK_DIGEST_SIZE 16

/* What was seen in a file. */
typedef struct EsgSighting
{
	/*
	 * digest of what does not change with a renewal: the file, and whose it
	 * is; that of several may be the same
	 */
	unsigned char place[ESG_TRACK_DIGEST_SIZE];
	unsigned char fingerprint[ESG_TRACK_DIGEST_SIZE];
	int64_t		begin;			/* of its life */
	int64_t		end;
} EsgSighting;

typedef struct EsgTrack
{
	EsgSighting last;			/* what lies there, or lay there last */
	int64_t		latest_end;		/* of all that ever did */
	int64_t		seen_at;
	int64_t		renewed_at;		/* 0: never */
	int32_t		present;		/* 1: it was there at the last look; else 0 */
	int32_t		count;
	EsgRenewal	renewals[ESG_MAX_RENEWALS]; /* the latest one first */
} EsgTrack;

typedef struct EsgTracks
{
	int			count;
	EsgTrack	tracks[ESG_MAX_TRACKS];
} EsgTracks;

/*
 * All that is there now.  A place of which nothing is among it keeps its past:
 * its file may be just being replaced.  If there are too many, those that were
 * not seen for longest make room.  False: nothing is another than it was, but for
 * when it was seen.
 */
extern bool esg_tracks_observe(EsgTracks *tracks, const EsgSighting *sightings, int count,
							   int64_t now);

/* What was there at the last look still is. */
extern void esg_tracks_confirm(EsgTracks *tracks, int64_t now);

/* NULL if it is not known */
extern const EsgTrack *esg_tracks_find(const EsgTracks *tracks, const EsgSighting *sighting);

/* How what a track is about is usually renewed; nothing is known if track is NULL. */
extern EsgUsual esg_tracks_usual(const EsgTrack *track, EsgTime begin, EsgTime end);

/* As it was stored; is it one? */
extern bool esg_tracks_is_sound(const EsgTrack *track);

#endif							/* ESG_POLICY_TRACKS_H */

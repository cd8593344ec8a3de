/*
 * policy/tracks.c
 *		What lies where, since when, and how much life was left when it was
 *		replaced.
 */
#include "policy/tracks.h"

#include <string.h>

static bool
is_place(const EsgTrack *track, const EsgSighting *sighting)
{
	return memcmp(track->last.place, sighting->place, ESG_TRACK_DIGEST_SIZE) == 0;
}

static bool
is_of(const EsgTrack *track, const EsgSighting *sighting)
{
	return is_place(track, sighting) &&
		memcmp(track->last.fingerprint, sighting->fingerprint, ESG_TRACK_DIGEST_SIZE) == 0;
}

static EsgTrack *
find_track(EsgTracks *tracks, const EsgSighting *sighting)
{
	int			i;

	for (i = 0; i < tracks->count; i++)
	{
		if (is_of(&tracks->tracks[i], sighting))
			return &tracks->tracks[i];
	}
	return NULL;
}

const EsgTrack *
esg_tracks_find(const EsgTracks *tracks, const EsgSighting *sighting)
{
	return find_track((EsgTracks *) tracks, sighting);
}

/* Whose successor is what was not there before?  Of several that are gone, of the one that ends first; NULL: nobody's. */
static EsgTrack *
find_predecessor(EsgTracks *tracks, const EsgSighting *sighting)
{
	EsgTrack   *best = NULL;
	int			i;

	for (i = 0; i < tracks->count; i++)
	{
		EsgTrack   *track = &tracks->tracks[i];

		if (!track->present && is_place(track, sighting) &&
			(best == NULL || track->last.end < best->last.end))
			best = track;
	}
	return best;
}

/*
 * When did it come?  After the one before was seen last; for a server that was
 * down that may be long ago.  If it was made in that time, then when it was made.
 */
static int64_t
moment_of_change(const EsgTrack *track, const EsgSighting *sighting, int64_t now)
{
	if (sighting->begin > track->seen_at && sighting->begin < now)
		return sighting->begin;
	return now;
}

static void
note_renewal(EsgTrack *track, int64_t at)
{
	int64_t		left = track->last.end > at ? track->last.end - at : 0;
	int64_t		lifetime = track->last.end - track->last.begin;
	EsgRenewal	renewal = {(uint32_t) left, (uint32_t) lifetime};

	track->renewed_at = at;
	if (!esg_renewal_is_telling(left, lifetime))
		return;
	memmove(&track->renewals[1], &track->renewals[0], (ESG_MAX_RENEWALS - 1) * sizeof(EsgRenewal));
	track->renewals[0] = renewal;
	if (track->count < ESG_MAX_RENEWALS)
		track->count++;
}

/*
 * Only what ends later than all before is a renewal: not the old file, put back,
 * nor the new one after that, nor one reissued with the same dates.
 */
static void
succeed(EsgTrack *track, const EsgSighting *sighting, int64_t now)
{
	if (sighting->end > track->latest_end)
	{
		note_renewal(track, moment_of_change(track, sighting, now));
		track->latest_end = sighting->end;
	}
	track->last = *sighting;
}

/* The one not seen for longest; NULL if all are there. */
static EsgTrack *
find_oldest(EsgTracks *tracks)
{
	EsgTrack   *oldest = NULL;
	int			i;

	for (i = 0; i < tracks->count; i++)
	{
		EsgTrack   *track = &tracks->tracks[i];

		if (!track->present && (oldest == NULL || track->seen_at < oldest->seen_at))
			oldest = track;
	}
	return oldest;
}

/* A track without a past; NULL if there is no room. */
static EsgTrack *
take_track(EsgTracks *tracks, const EsgSighting *sighting)
{
	EsgTrack   *track;

	if (tracks->count < ESG_MAX_TRACKS)
		track = &tracks->tracks[tracks->count++];
	else
		track = find_oldest(tracks);
	if (track == NULL)
		return NULL;
	memset(track, 0, sizeof(*track));
	track->last = *sighting;
	track->latest_end = sighting->end;
	return track;
}

static void
mark_present(EsgTrack *track, int64_t now)
{
	if (track == NULL)
		return;
	track->present = 1;
	track->seen_at = now;
}

/* Has something else come to lie in its place, which is not its successor? */
static bool
was_taken_out(const EsgTrack *track, const EsgSighting *sightings, int count)
{
	int			i;

	for (i = 0; i < count && !track->present; i++)
	{
		if (is_place(track, &sightings[i]))
			return true;
	}
	return false;
}

/* A CA's old certificate that is taken out from beside the new one was not renewed then. */
static bool
forget_taken_out(EsgTracks *tracks, const EsgSighting *sightings, int count)
{
	int			before = tracks->count;
	int			kept = 0;
	int			i;

	for (i = 0; i < tracks->count; i++)
	{
		if (!was_taken_out(&tracks->tracks[i], sightings, count))
			tracks->tracks[kept++] = tracks->tracks[i];
	}
	tracks->count = kept;
	return kept != before;
}

/* What was not there before, in place of what is gone. */
static bool
find_successors(EsgTracks *tracks, const EsgSighting *sightings, int count, int64_t now)
{
	bool		found = false;
	int			i;

	for (i = 0; i < count; i++)
	{
		EsgTrack   *track;

		if (find_track(tracks, &sightings[i]) != NULL)
			continue;
		track = find_predecessor(tracks, &sightings[i]);
		if (track == NULL)
			continue;
		succeed(track, &sightings[i], now);
		mark_present(track, now);
		found = true;
	}
	return found;
}

bool
esg_tracks_observe(EsgTracks *tracks, const EsgSighting *sightings, int count, int64_t now)
{
	bool		changed;
	int			i;

	for (i = 0; i < tracks->count; i++)
		tracks->tracks[i].present = 0;
	for (i = 0; i < count; i++)
		mark_present(find_track(tracks, &sightings[i]), now);
	changed = find_successors(tracks, sightings, count, now);
	changed |= forget_taken_out(tracks, sightings, count);
	for (i = 0; i < count; i++)
	{
		EsgTrack   *track;

		if (find_track(tracks, &sightings[i]) != NULL)
			continue;
		track = take_track(tracks, &sightings[i]);
		mark_present(track, now);
		changed |= track != NULL;
	}
	return changed;
}

void
esg_tracks_confirm(EsgTracks *tracks, int64_t now)
{
	int			i;

	for (i = 0; i < tracks->count; i++)
	{
		if (tracks->tracks[i].present)
			tracks->tracks[i].seen_at = now;
	}
}

/* They are subtracted from each other, and shown. */
static bool
has_sound_times(const EsgTrack *track)
{
	return esg_x509_time_in_range(track->last.begin) && esg_x509_time_in_range(track->last.end) &&
		esg_x509_time_in_range(track->latest_end) && esg_x509_time_in_range(track->seen_at) &&
		esg_x509_time_in_range(track->renewed_at);
}

bool
esg_tracks_is_sound(const EsgTrack *track)
{
	int			i;

	if (!has_sound_times(track) || track->count < 0 || track->count > ESG_MAX_RENEWALS || (track->present & ~1) != 0)
		return false;
	for (i = 0; i < track->count; i++)
	{
		if (!esg_renewal_is_telling(track->renewals[i].left, track->renewals[i].lifetime))
			return false;
	}
	return true;
}

EsgUsual
esg_tracks_usual(const EsgTrack *track, EsgTime begin, EsgTime end)
{
	EsgUsual	nothing = {0, 0, 0};

	if (track == NULL)
		return nothing;
	return esg_renewal_usual(track->renewals, track->count, begin, end);
}

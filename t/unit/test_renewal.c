/* sources: policy/findings policy/policy policy/renewal policy/tracks x509/cut_text x509/memo policy/public_roots x509/asn1 x509/rsa_faults x509/time x509/name x509/unicode x509/key x509/signature x509/info x509/crl_info x509/host_names x509/strict policy/certificate policy/verify policy/chain policy/crl_names policy/crl_uses policy/crl */
/*
 * test_renewal.c
 *		Renewals: what is learned from them, and when one is late.
 */
#include <stdlib.h>

#include "certmaker.h"
#include "covered.h"
#include "esg_test.h"
#include "policy/certificate.h"
#include "policy/crl.h"
#include "policy/tracks.h"

#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
#define START INT64_C(1800000000)

static EsgPolicy policy;
static EsgCertInfo cert;
static EsgCrlInfo crl;

static EsgTime
at(int64_t seconds)
{
	EsgTime		t = {ESG_TIME_VALID, seconds, false};

	return t;
}

/* ---- what is usual ---- */

typedef struct UsualCase
{
	const char *name;
	EsgRenewal	renewals[ESG_MAX_RENEWALS]; /* the latest one first, days */
	int			count;
	int64_t		lifetime;		/* days, of what is judged */
	double		left;			/* days, 0: not known */
	int			agreeing;
} UsualCase;

static const UsualCase usual_cases[] = {
	{"none", {{0, 0}}, 0, 90, 0, 0},
	{"one is no habit", {{30, 90}}, 1, 90, 0, 0},
	{"two", {{30, 90}, {30, 90}}, 2, 90, 30, 2},
	{"two, a fifth apart", {{24, 90}, {30, 90}}, 2, 90, 24, 2},
	{"two, more than that", {{23, 90}, {30, 90}}, 2, 90, 0, 0},
	{"the least of those alike", {{30, 90}, {28, 90}, {29, 90}, {30, 90}}, 4, 90, 28, 4},
	{"one was late", {{2, 90}, {30, 90}, {30, 90}}, 3, 90, 30, 2},
	{"one was early by hand", {{50, 90}, {30, 90}, {29, 90}}, 3, 90, 29, 2},
	{"early and late", {{50, 90}, {2, 90}, {30, 90}, {30, 90}}, 4, 90, 30, 2},
	{"another program since", {{7, 90}, {7, 90}, {30, 90}, {30, 90}}, 4, 90, 7, 2},
	{"and the other way round", {{30, 90}, {30, 90}, {7, 90}, {7, 90}}, 4, 90, 30, 2},
	{"the old habit counts until the new one is as strong", {{7, 90}, {30, 90}, {30, 90}, {30, 90}}, 4, 90, 30, 3},
	{"each time another", {{40, 90}, {10, 90}, {20, 90}, {5, 90}}, 4, 90, 0, 0},
	{"always after the end", {{0, 90}, {0, 90}, {0, 90}}, 3, 90, 0, 3},
	{"a shorter life: the share", {{30, 90}, {30, 90}}, 2, 45, 15, 2},
	{"a longer life: the days", {{28, 365}, {28, 365}}, 2, 730, 28, 2},
	{"after the change of the lifetime", {{15, 45}, {30, 90}, {30, 90}, {30, 90}}, 4, 45, 15, 4},
	{"days, after the change of the lifetime", {{28, 365}, {28, 730}, {28, 730}, {28, 730}}, 4, 365, 14, 3},
	{"days, twice after it", {{28, 365}, {28, 365}, {28, 730}, {28, 730}}, 4, 365, 28, 2},
};

static void
test_usual(void)
{
	size_t		i;
	int			k;

	for (i = 0; i < sizeof(usual_cases) / sizeof(usual_cases[0]); i++)
	{
		const UsualCase *c = &usual_cases[i];
		EsgRenewal	renewals[ESG_MAX_RENEWALS];
		EsgUsual	usual;

		for (k = 0; k < c->count; k++)
		{
			renewals[k].left = (uint32_t) (c->renewals[k].left * DAY);
			renewals[k].lifetime = (uint32_t) (c->renewals[k].lifetime * DAY);
		}
		usual = esg_renewal_usual(renewals, c->count, at(START), at(START + c->lifetime * DAY));
		is_int(usual.left, (long long) (c->left * DAY), c->name);
		is_int(usual.agreeing, c->agreeing, "so many agree");
	}
}

static void
test_unusable_lives(void)
{
	EsgRenewal	renewals[] = {{30 * DAY, 90 * DAY}, {30 * DAY, 90 * DAY}};
	EsgTime		forever = {ESG_TIME_FOREVER, INT64_C(253402300799), false};
	EsgTime		invalid = {ESG_TIME_INVALID, 0, false};
	EsgUsual	usual = {30 * DAY, 2, 2};
	EsgRemark	remark;

	is_int(esg_renewal_usual(renewals, 2, at(START), forever).left, 0, "no end, no renewal");
	is_int(esg_renewal_usual(renewals, 2, invalid, at(START)).left, 0, "no beginning");
	is_int(esg_renewal_usual(renewals, ESG_MAX_RENEWALS + 1, at(0), at(START)).left, 0, "more than there can be");
	ok(!esg_renewal_as_usual(&usual, forever, START) && !esg_renewal_as_usual(NULL, at(START), 0),
	   "nothing is as usual of which nothing is known");
	ok(!esg_renewal_is_overdue(NULL, at(0), START, &remark) &&
	   !esg_renewal_is_overdue(&usual, invalid, START, &remark), "nor overdue");
	ok(esg_renewal_next(NULL, at(START), 0) == ESG_TIME_NEVER &&
	   esg_renewal_next(&usual, invalid, 0) == ESG_TIME_NEVER, "nor does that change");
}

static void
test_telling(void)
{
	ok(esg_renewal_is_telling(45, 90) && esg_renewal_is_telling(54, 90) && esg_renewal_is_telling(0, 90),
	   "a renewal in the last three fifths of a life");
	ok(!esg_renewal_is_telling(55, 90), "not one in the first two: something was wrong");
	ok(!esg_renewal_is_telling(0, 0) && !esg_renewal_is_telling(10, -5) && !esg_renewal_is_telling(-1, 90),
	   "nor one of no possible life");
	ok(!esg_renewal_is_telling(DAY, 140 * 366 * DAY) && !esg_renewal_is_telling(INT64_MAX, INT64_MAX),
	   "nor one of more than a hundred years");
}

/* ---- the words ---- */

static void
test_words(void)
{
	static const struct
	{
		EsgUsual	usual;
		int64_t		left;
		EsgSeverity severity;
		const char *text;
	}			cases[] = {
		{{29 * DAY, 3, 3}, 22 * DAY, ESG_WARNING, "29 days left the last 3 times, now 22 are left"},
		{{29 * DAY + 7 * HOUR, 3, 4}, 22 * DAY, ESG_WARNING, "29 days left 3 of the last 4 times, now 22 are left"},
		{{2 * DAY, 2, 2}, 20 * HOUR, ESG_CRITICAL, "2 days left the last 2 times, now 20 hours are left"},
		{{4 * DAY, 2, 2}, DAY + HOUR, ESG_CRITICAL, "4 days left the last 2 times, now 1 day is left"},
		{{DAY, 2, 2}, 19 * HOUR, ESG_WARNING, "1 day left the last 2 times, now 19 hours are left"},
		{{8 * HOUR, 2, 2}, 5 * HOUR, ESG_WARNING, "8 hours left the last 2 times, now 5 are left"},
		{{8 * HOUR, 2, 2}, 30, ESG_CRITICAL, "8 hours left the last 2 times, now less than a minute is left"},
		{{8 * HOUR, 2, 2}, 0, ESG_CRITICAL, "8 hours left the last 2 times, now nothing is left"},
		{{8 * HOUR, 2, 2}, -DAY, ESG_CRITICAL, "8 hours left the last 2 times, now nothing is left"},
	};
	size_t		i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		EsgRemark	remark;

		esg_remark_start(&remark, ESG_RENEWAL_OVERDUE, ESG_PLACE_LEAF);
		ok(esg_renewal_is_overdue(&cases[i].usual, at(START + cases[i].left), START, &remark), "overdue");
		is_text(remark.detail, cases[i].text, "said so");
		is_int(remark.severity, cases[i].severity, "how bad");
	}
}

/* ---- moments ---- */

/* 0 as usual or not known, 1 late, 2 very late */
static int
stage(const EsgUsual *usual, EsgTime end, int64_t now)
{
	EsgRemark	remark;

	esg_remark_start(&remark, ESG_RENEWAL_OVERDUE, ESG_PLACE_LEAF);
	if (!esg_renewal_is_overdue(usual, end, now, &remark))
		return 0;
	return remark.severity == ESG_CRITICAL ? 2 : 1;
}

/* Steps the clock second by second: does each change come when it was announced, and nothing else? */
static void
test_moments(void)
{
	EsgTime		end = at(1000);
	int			wrong = 0;
	int64_t		left;
	int64_t		now;

	for (left = 0; left <= 300; left += 7)
	{
		EsgUsual	usual = {left, 2, 2};
		int64_t		next = esg_renewal_next(&usual, end, 500);

		for (now = 501; now < 1100; now++)
		{
			bool		changed = stage(&usual, end, now) != stage(&usual, end, now - 1);

			/* half of the remainder and four fifths of it may be the same second */
			wrong += changed && now != next;
			wrong += left > 4 && now == next && !changed;
			wrong += left > 0 && esg_renewal_as_usual(&usual, end, now) != (stage(&usual, end, now) == 0);
			if (now == next)
				next = esg_renewal_next(&usual, end, now);
		}
		wrong += next != ESG_TIME_NEVER;
	}
	is_int(wrong, 0, "every change is announced to the second, and nothing else");
}

/* ---- tracks ---- */

/* place and content are named by a letter; the life is in days from START */
static EsgSighting
sight(char place, char content, int64_t begin, int64_t end)
{
	EsgSighting sighting;

	memset(&sighting, 0, sizeof(sighting));
	memset(sighting.place, place, ESG_TRACK_DIGEST_SIZE);
	memset(sighting.fingerprint, content, ESG_TRACK_DIGEST_SIZE);
	sighting.begin = START + begin * DAY;
	sighting.end = START + end * DAY;
	return sighting;
}

static bool
observe(EsgTracks *tracks, const EsgSighting *sightings, int count, double day)
{
	return esg_tracks_observe(tracks, sightings, count, START + (int64_t) (day * DAY));
}

/* "30 of 90, 29 of 90", the latest one first, of the track that lies there; "unknown" */
static const char *
past_of(const EsgTracks *tracks, const EsgSighting *sighting)
{
	static char text[200];
	const EsgTrack *track = esg_tracks_find(tracks, sighting);
	size_t		used = 0;
	int			i;

	if (track == NULL)
		return "unknown";
	text[0] = '\0';
	for (i = 0; i < track->count; i++)
		used += (size_t) snprintf(text + used, sizeof(text) - used, "%s%lld of %lld", i > 0 ? ", " : "",
								  (long long) (track->renewals[i].left / DAY),
								  (long long) (track->renewals[i].lifetime / DAY));
	return text;
}

static void
test_one_file(void)
{
	EsgTracks	tracks = {0};
	EsgSighting a = sight('p', 'a', 0, 90);
	EsgSighting b = sight('p', 'b', 60, 150);
	EsgSighting rekeyed = sight('p', 'r', 60, 150);
	EsgSighting c = sight('p', 'c', 121, 211);

	ok(observe(&tracks, &a, 1, 1), "news");
	is_text(past_of(&tracks, &a), "", "what is seen for the first time has no past");
	observe(&tracks, &a, 1, 59);
	ok(observe(&tracks, &b, 1, 60), "news");
	is_text(past_of(&tracks, &b), "30 of 90", "renewed");
	is_int(esg_tracks_find(&tracks, &b)->renewed_at, START + 60 * DAY, "that day");
	ok(!observe(&tracks, &b, 1, 60), "no news");
	is_text(past_of(&tracks, &b), "30 of 90", "seen twice, by two processes");
	observe(&tracks, &rekeyed, 1, 61);
	is_text(past_of(&tracks, &rekeyed), "30 of 90", "reissued with the same dates");
	observe(&tracks, &a, 1, 62);
	is_text(past_of(&tracks, &a), "30 of 90", "the old one put back");
	observe(&tracks, &b, 1, 63);
	is_text(past_of(&tracks, &b), "30 of 90", "and the new one again");
	observe(&tracks, NULL, 0, 100);
	is_text(past_of(&tracks, &b), "30 of 90", "the file is gone for a moment");
	observe(&tracks, &c, 1, 121);
	is_text(past_of(&tracks, &c), "29 of 90, 30 of 90", "and comes back renewed");
	is_int(tracks.count, 1, "all that is one track");
}

static void
test_early_replacement(void)
{
	EsgTracks	tracks = {0};
	int			day;

	for (day = 0; day < 6; day++)
	{
		EsgSighting s = sight('p', (char) ('a' + day), day, day + 90);

		observe(&tracks, &s, 1, day);
		is_text(past_of(&tracks, &s), "", "replaced when it was new: nothing is learned");
	}
	ok(tracks.tracks[0].renewed_at == START + 5 * DAY, "but it was replaced");
}

/* down: days on which the server did not run */
static void
test_seen_late(void)
{
	EsgTracks	tracks = {0};
	EsgSighting a = sight('p', 'a', 0, 90);
	EsgSighting b = sight('p', 'b', 60, 150);
	EsgSighting c = sight('p', 'c', 100, 190);

	observe(&tracks, &a, 1, 55);
	observe(&tracks, &b, 1, 85);
	is_text(past_of(&tracks, &b), "30 of 90", "a month later, renewed meanwhile: on the day when it was made");
	esg_tracks_confirm(&tracks, START + 119 * DAY);
	observe(&tracks, &c, 1, 120);
	is_text(past_of(&tracks, &c), "30 of 90, 30 of 90", "made long before, but put there now");
	is_int(esg_tracks_find(&tracks, &c)->renewed_at, START + 120 * DAY, "that is now");
}

static void
test_several(void)
{
	EsgTracks	tracks = {0};
	EsgSighting first[] = {sight('p', 'a', 0, 90), sight('q', 'b', 0, 365), sight('p', 'c', 10, 100)};
	EsgSighting swapped[] = {first[2], first[1], first[0]};
	EsgSighting later[] = {sight('p', 'd', 60, 150), first[1], first[2]};
	EsgSighting last[] = {sight('p', 'd', 60, 150), first[1], sight('p', 'e', 70, 160)};

	observe(&tracks, first, 3, 20);
	observe(&tracks, swapped, 3, 30);
	is_int(tracks.count, 3, "two of one name in a file, in another order: nothing new");
	observe(&tracks, later, 3, 60);
	is_text(past_of(&tracks, &later[0]), "30 of 90", "one is renewed");
	is_text(past_of(&tracks, &later[2]), "", "the other is not");
	observe(&tracks, last, 3, 70);
	is_text(past_of(&tracks, &last[2]), "30 of 90", "then the other");
	is_text(past_of(&tracks, &first[1]), "", "a neighbour of another name has nothing to do with it");
}

/* Two of one name in a file, both renewed at once: the one that ends first comes first. */
static void
test_both_at_once(void)
{
	EsgTracks	tracks = {0};
	EsgSighting before[] = {sight('p', 'b', 10, 100), sight('p', 'a', 0, 90)};
	EsgSighting after[] = {sight('p', 'c', 60, 150), sight('p', 'd', 60, 160)};

	observe(&tracks, before, 2, 20);
	observe(&tracks, after, 2, 60);
	is_text(past_of(&tracks, &after[0]), "30 of 90", "of two renewed at once the first");
	is_text(past_of(&tracks, &after[1]), "40 of 90", "and the second");
}

static void
test_overlapping_cas(void)
{
	EsgTracks	tracks = {0};
	EsgSighting old = sight('p', 'o', 0, 1000);
	EsgSighting both[] = {old, sight('p', 'n', 700, 1700)};
	EsgSighting three[] = {both[1], sight('p', 'm', 1400, 2400)};

	observe(&tracks, &old, 1, 1);
	observe(&tracks, both, 2, 710);
	is_text(past_of(&tracks, &both[1]), "", "a CA's new certificate beside the old one");
	ok(observe(&tracks, &both[1], 1, 990), "news");
	is_text(past_of(&tracks, &both[1]), "", "the old one is taken out");
	is_int(tracks.count, 1, "and forgotten");
	observe(&tracks, three, 2, 1410);
	is_text(past_of(&tracks, &three[1]), "", "the next one does not come in its place");
}

static void
test_bounds(void)
{
	static EsgSighting many[ESG_MAX_TRACKS + 5];
	EsgTracks	tracks = {0};
	int			i;

	for (i = 0; i < ESG_MAX_TRACKS + 5; i++)
	{
		many[i] = sight('p', 'a', 0, 90);
		memcpy(many[i].place, &i, sizeof(i));
	}
	observe(&tracks, many, ESG_MAX_TRACKS + 5, 1);
	is_int(tracks.count, ESG_MAX_TRACKS, "no more than there is room for");
	is_text(past_of(&tracks, &many[ESG_MAX_TRACKS]), "unknown", "the last ones are left out");
	observe(&tracks, many + 5, ESG_MAX_TRACKS, 2);
	is_text(past_of(&tracks, &many[ESG_MAX_TRACKS]), "", "what is gone makes room");
	is_text(past_of(&tracks, &many[0]), "unknown", "and is forgotten");
	is_int(tracks.count, ESG_MAX_TRACKS, "as many as before");
}

static void
test_room(void)
{
	static EsgSighting many[ESG_MAX_TRACKS + 1];
	EsgTracks	tracks = {0};
	int			i;

	for (i = 0; i <= ESG_MAX_TRACKS; i++)
		many[i] = sight((char) i, (char) (i + 1), 0, 90);
	observe(&tracks, many, ESG_MAX_TRACKS - 1, 1);
	observe(&tracks, &many[ESG_MAX_TRACKS - 1], 1, 2);
	observe(&tracks, &many[ESG_MAX_TRACKS], 1, 3);
	is_text(past_of(&tracks, &many[ESG_MAX_TRACKS]), "", "a new one");
	is_text(past_of(&tracks, &many[ESG_MAX_TRACKS - 1]), "", "takes the place of one not seen for longest, not of another");
	is_int(tracks.count, ESG_MAX_TRACKS, "there is no room but that");
}

static void
test_soundness(void)
{
	EsgTrack	track;
	int64_t    *times[] = {&track.last.begin, &track.last.end, &track.latest_end, &track.seen_at, &track.renewed_at};

	memset(&track, 0, sizeof(track));
	ok(esg_tracks_is_sound(&track), "an empty track");
	track.count = 1;
	ok(!esg_tracks_is_sound(&track), "a renewal of no life");
	track.renewals[0].lifetime = 90;
	ok(esg_tracks_is_sound(&track), "one that ended with its life");
	track.count = ESG_MAX_RENEWALS + 1;
	ok(!esg_tracks_is_sound(&track), "more than there is room for");
	track.count = -1;
	ok(!esg_tracks_is_sound(&track), "less than none");
	track.count = 0;
	track.present = 2;
	ok(!esg_tracks_is_sound(&track), "neither there nor not");
	track.present = 1;
	for (int i = 0; i < (int) (sizeof(times) / sizeof(times[0])); i++)
	{
		*times[i] = INT64_C(253402300799);
		ok(esg_tracks_is_sound(&track), "time %d is the last one", i);
		*times[i] += 1;
		ok(!esg_tracks_is_sound(&track), "time %d is after the year 9999", i);
		*times[i] = INT64_MIN;
		ok(!esg_tracks_is_sound(&track), "time %d is before all years", i);
		*times[i] = 0;
	}
}

/* ---- simulated years ---- */

typedef struct Automation
{
	const char *name;
	bool		is_crl;
	int64_t		lifetime;
	int64_t		least_left;		/* at a renewal, */
	int64_t		most_left;		/* with the program's jitter */
	int64_t		critical_threshold; /* 0: the default */
	EsgSeverity without;		/* what the thresholds alone say of a healthy
								 * year */
} Automation;

static const Automation automations[] = {
	{"certbot", false, 90 * DAY, 29 * DAY + 12 * HOUR, 30 * DAY, 0, ESG_OK},
	{"cert-manager", false, 90 * DAY, 30 * DAY, 30 * DAY, 0, ESG_OK},
	{"CloudNativePG", false, 90 * DAY, 7 * DAY, 7 * DAY, 0, ESG_WARNING},
	{"CloudNativePG, a while later, critical at 3 days", false, 90 * DAY, 6 * DAY + 12 * HOUR, 7 * DAY, 3 * DAY, ESG_WARNING},
	{"certmonger", false, 730 * DAY, 27 * DAY, 28 * DAY, 0, ESG_WARNING},
	{"Vault agent", false, 72 * HOUR, 22 * HOUR, 24 * HOUR, 0, ESG_OK},
	{"step-ca", false, 24 * HOUR, 8 * HOUR, 9 * HOUR, 0, ESG_OK},
	{"AD CS", false, 365 * DAY, 41 * DAY, 42 * DAY, 0, ESG_WARNING},
	{"a weekly CRL with 12 hours of overlap", true, 7 * DAY + 12 * HOUR, 11 * HOUR, 12 * HOUR, 0, ESG_OK},
	{"a weekly CRL that is fetched 8 hours late", true, 7 * DAY + 12 * HOUR, 4 * HOUR, 4 * HOUR + 1800, 0, ESG_WARNING},
};

/* A file, who looks at it, and what it saw. */
typedef struct World
{
	const Automation *automation;
	bool		learning;
	EsgTracks	tracks;
	EsgSighting content;
	int64_t		now;
	EsgSeverity worst;
	int64_t		warned_at;		/* first of warning or worse; 0: never */
	int64_t		critical_at;
} World;

static EsgUsual
usual_of(const World *w)
{
	const EsgTrack *track = esg_tracks_find(&w->tracks, &w->content);
	EsgUsual	nothing = {0, 0, 0};

	if (!w->learning || track == NULL)
		return nothing;
	return esg_renewal_usual(track->renewals, track->count, at(w->content.begin), at(w->content.end));
}

static void
find_faults(const World *w, const EsgUsual *usual, EsgFindings *out)
{
	EsgCrlContext context = {.policy = &policy};

	cert.not_before = crl.this_update = at(w->content.begin);
	cert.not_after = crl.next_update = at(w->content.end);
	if (w->automation->is_crl)
		esg_policy_crl_check_watched(&crl, ESG_CRL_EXTRA, -1, &context, usual, w->now, out);
	else
		esg_policy_check_watched_cert(&cert, ESG_PLACE_LEAF, &policy, usual, w->now, out);
}

static void
look(World *w)
{
	EsgFindings found = {0};
	EsgUsual	usual;
	EsgSeverity severity;

	esg_tracks_observe(&w->tracks, &w->content, 1, w->now);
	usual = usual_of(w);
	find_faults(w, &usual, &found);
	severity = esg_findings_worst(&found);
	esg_findings_free(&found);
	if (severity > w->worst)
		w->worst = severity;
	if (severity >= ESG_WARNING && w->warned_at == 0)
		w->warned_at = w->now;
	if (severity == ESG_CRITICAL && w->critical_at == 0)
		w->critical_at = w->now;
}

static int64_t
next_look(const World *w, int64_t pause)
{
	EsgUsual	usual = usual_of(w);
	int64_t		next = w->now + pause;
	int64_t		change;

	if (w->automation->is_crl)
		change = esg_policy_crl_time_next(&crl, &policy, w->now);
	else
		change = esg_policy_time_next(cert.not_before, cert.not_after, &policy, w->now);
	if (change < next)
		next = change;
	change = esg_renewal_next(&usual, at(w->content.end), w->now);
	return change < next ? change : next;
}

/* Looks at regular intervals, and when a verdict changes, until then. */
static void
live_until(World *w, int64_t until)
{
	int64_t		pause = w->automation->lifetime / 60;

	while (w->now < until)
	{
		look(w);
		w->now = next_look(w, pause);
	}
	w->now = until;
}

static void
renew(World *w)
{
	w->content.fingerprint[0]++;
	w->content.begin = w->now;
	w->content.end = w->now + w->automation->lifetime;
}

/* A life, up to its renewal. */
static void
live(World *w)
{
	const Automation *a = w->automation;
	int64_t		spread = a->most_left - a->least_left;

	live_until(w, w->content.end - a->least_left - (spread > 0 ? rand() % (spread + 1) : 0));
	renew(w);
}

static void
forget_findings(World *w)
{
	w->worst = ESG_OK;
	w->warned_at = w->critical_at = 0;
}

/* Of that program, with a first file of a moment ago. */
static World
start_world(const Automation *automation, bool learning)
{
	World		w;

	memset(&w, 0, sizeof(w));
	w.automation = automation;
	w.learning = learning;
	w.now = START;
	w.content = sight('p', 'a', 0, 0);
	renew(&w);
	esg_policy_defaults(&policy);
	if (automation->critical_threshold > 0)
		policy.critical_threshold = automation->critical_threshold;
	return w;
}

/* Healthy for a year, and at least so many renewals. */
static void
live_healthily(World *w, int renewals)
{
	int64_t		until = w->now + 365 * DAY;
	int			i;

	for (i = 0; i < renewals || w->now < until; i++)
		live(w);
}

static void
test_healthy(const Automation *a)
{
	World		w = start_world(a, true);

	live(&w);
	live(&w);
	forget_findings(&w);
	live_healthily(&w, 4);
	ok(w.worst < ESG_WARNING, "%s: a healthy year, no warning", a->name);
	w = start_world(a, false);
	live_healthily(&w, 4);
	ok(a->without == ESG_OK ? w.worst < ESG_WARNING : w.worst == a->without,
	   "%s: nothing learned: what the thresholds say", a->name);
}

/* The renewal does not come: not before the usual time has passed, at the latest a fifth of it later. */
static void
test_missed(const Automation *a, bool learning)
{
	World		w = start_world(a, learning);
	EsgUsual	usual;
	int64_t		stated;
	int64_t		half;

	live_healthily(&w, 3);
	look(&w);
	usual = usual_of(&w);
	forget_findings(&w);
	live_until(&w, w.content.end + HOUR);
	if (!learning)
	{
		ok(w.warned_at < w.content.end - a->most_left || w.warned_at > w.content.end - a->least_left,
		   "%s: without learning the warning comes when the thresholds say", a->name);
		return;
	}
	stated = w.content.end + 1 - (usual.left - usual.left / 5);
	half = w.content.end + 1 - usual.left / 2;
	ok(usual.left >= a->least_left && usual.left <= a->most_left, "%s: learned", a->name);
	ok(w.warned_at > w.content.end - usual.left && w.warned_at <= stated, "%s: missed, a warning in time", a->name);
	ok(w.critical_at != 0 && w.critical_at <= half, "%s: critical at half of what is usually left", a->name);
	renew(&w);
	forget_findings(&w);
	live_until(&w, w.now + a->lifetime / 2);
	ok(w.worst < ESG_WARNING, "%s: renewed by hand: no warning", a->name);
}

/* To the second, by its own code, where no threshold comes before. */
static void
test_overdue_code(const Automation *a)
{
	World		w = start_world(a, true);
	EsgUsual	usual;
	EsgFindings found = {0};

	live_healthily(&w, 3);
	look(&w);
	usual = usual_of(&w);
	w.now = w.content.end - (usual.left - usual.left / 5);
	find_faults(&w, &usual, &found);
	lacks(&found, ESG_RENEWAL_OVERDUE, a->name);
	esg_findings_free(&found);
	w.now++;
	find_faults(&w, &usual, &found);
	shows(&found, ESG_RENEWAL_OVERDUE, ESG_WARNING, a->name);
	esg_findings_free(&found);
	w.now = w.content.end + 1 - usual.left / 2;
	find_faults(&w, &usual, &found);
	shows(&found, ESG_RENEWAL_OVERDUE, ESG_CRITICAL, a->name);
	esg_findings_free(&found);
	find_faults(&w, NULL, &found);
	lacks(&found, ESG_RENEWAL_OVERDUE, "nothing learned");
	esg_findings_free(&found);
}

/* While it is renewed as usual it is a notice, whatever the thresholds say; when it is late, what it was. */
static void
test_soon(void)
{
	World		w = start_world(&automations[7], true);
	EsgUsual	usual = {42 * DAY, 3, 3};
	EsgFindings found = {0};

	w.now = w.content.end - 60 * DAY;
	find_faults(&w, NULL, &found);
	shows(&found, ESG_EXPIRES_SOON, ESG_WARNING, "nothing learned");
	esg_findings_free(&found);
	find_faults(&w, &usual, &found);
	shows(&found, ESG_EXPIRES_SOON, ESG_NOTICE, "renewed as usual");
	esg_findings_free(&found);
	w.now = w.content.end - 20 * DAY;
	find_faults(&w, &usual, &found);
	shows(&found, ESG_EXPIRES_SOON, ESG_WARNING, "overdue");
	esg_findings_free(&found);
	w.now = w.content.end - 6 * DAY;
	usual.left = 7 * DAY;
	find_faults(&w, &usual, &found);
	shows(&found, ESG_EXPIRES_VERY_SOON, ESG_CRITICAL, "the critical threshold stays");
	esg_findings_free(&found);
}

/* 90 days become 45, for a program that knows shares and for one that knows days. */
static void
test_shorter_lives(void)
{
	Automation	shares[] = {automations[0], automations[0]};
	Automation	days[] = {automations[4], automations[4]};
	World		w = start_world(&shares[0], true);

	shares[1].lifetime = 45 * DAY;
	shares[1].least_left = shares[1].most_left = 15 * DAY;
	live_healthily(&w, 4);
	forget_findings(&w);
	live_until(&w, w.content.end - 30 * DAY);
	w.automation = &shares[1];
	renew(&w);
	live_healthily(&w, 8);
	ok(w.worst < ESG_WARNING, "a third is left, of 90 and then of 45 days: no warning");

	days[1].lifetime = 365 * DAY;
	w = start_world(&days[0], true);
	live_healthily(&w, 4);
	forget_findings(&w);
	live_until(&w, w.content.end - 28 * DAY);
	w.automation = &days[1];
	renew(&w);
	live_healthily(&w, 8);
	ok(w.worst < ESG_WARNING, "28 days are left, of two years and then of one: no warning");
}

/* What happens to a healthy server: a renewal by hand, one that is seen late, a way back. */
static void
test_disturbances(void)
{
	World		w = start_world(&automations[4], true);
	EsgSighting old;

	live_healthily(&w, 3);
	forget_findings(&w);
	live_until(&w, w.content.end - 350 * DAY);
	renew(&w);
	live_healthily(&w, 3);
	ok(w.worst < ESG_WARNING, "an early renewal by hand");
	look(&w);
	is_int(usual_of(&w).left / DAY, 27, "does not count");

	/* the server is down when it is renewed */
	live_until(&w, w.content.end - 40 * DAY);
	w.now = w.content.end - 28 * DAY;
	old = w.content;
	renew(&w);
	w.now += 8 * DAY;
	look(&w);
	is_int(esg_tracks_find(&w.tracks, &w.content)->renewals[0].left / DAY, 28, "one that is seen a week later");

	w.content = old;
	look(&w);
	ok(w.critical_at == 0 && w.warned_at != 0, "the old file put back is overdue");
	renew(&w);
	forget_findings(&w);
	live_healthily(&w, 3);
	ok(w.worst < ESG_WARNING, "and healthy again");
}

static void
test_years(void)
{
	size_t		i;

	srand(1);
	for (i = 0; i < sizeof(automations) / sizeof(automations[0]); i++)
	{
		test_healthy(&automations[i]);
		test_missed(&automations[i], true);
		test_missed(&automations[i], false);
		test_overdue_code(&automations[i]);
	}
}

int
main(void)
{
	CertSpec	spec = {0};
	CrlSpec		crl_spec = {0};
	X509	   *ca;
	X509_CRL   *list;
	EsgMemo    *memo = esg_memo_create(64);

	spec.key = certmaker_ec("prime256v1");
	spec.extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
		"extendedKeyUsage=serverAuth\nsubjectAltName=DNS:db\nsubjectKeyIdentifier=hash\n";
	ca = certmaker_cert(&spec);
	crl_spec.issuer_cert = ca;
	crl_spec.issuer_key = spec.key;
	list = certmaker_crl(&crl_spec);
	/* remembers signatures: a year is many looks */
	esg_x509_info_read(ca, memo, &cert);
	esg_crl_info_read(list, &crl);
	esg_policy_defaults(&policy);

	test_usual();
	test_unusable_lives();
	test_telling();
	test_words();
	test_moments();
	test_one_file();
	test_early_replacement();
	test_seen_late();
	test_several();
	test_both_at_once();
	test_overlapping_cas();
	test_bounds();
	test_room();
	test_soundness();
	test_years();
	test_soon();
	test_shorter_lives();
	test_disturbances();
	X509_CRL_free(list);
	X509_free(ca);
	esg_memo_free(memo);
	return done();
}

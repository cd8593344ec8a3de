/*
 * server/probed.c
 *		What the self-probe has seen last.
 *
 * All of the area is guarded by its lock.
 */
#include "postgres.h"

#include "storage/lwlock.h"

#include "server/probed.h"
#include "server/shmem.h"
#include "server/sni_hosts.h"

typedef struct ProbedArea
{
	EsgProbed	last;
	uint32		hosts_number;	/* served_number of what follows; 0: nothing
								 * does */
	unsigned char hosts[ESG_MAX_HOSTS][ESG_DIGEST_SIZE];	/* zeroes: not seen */
} ProbedArea;

static ProbedArea *area = NULL;
static LWLock *area_lock = NULL;

static const unsigned char unseen[ESG_DIGEST_SIZE];

void
esg_probed_init(void)
{
	esg_shmem_register("self-probe", sizeof(ProbedArea), (void **) &area, &area_lock, NULL);
}

void
esg_probed_get(EsgProbed *out)
{
	memset(out, 0, sizeof(*out));
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	*out = area->last;
	LWLockRelease(area_lock);
}

void
esg_probed_set(const EsgProbed *probed)
{
	if (area == NULL)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	area->last = *probed;
	LWLockRelease(area_lock);
}

void
esg_probed_set_host(uint32 served_number, int index, const unsigned char *fingerprint)
{
	if (area == NULL || index < 0 || index >= ESG_MAX_HOSTS)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	if (area->hosts_number != served_number)
		memset(area->hosts, 0, sizeof(area->hosts));
	area->hosts_number = served_number;
	memcpy(area->hosts[index], fingerprint, ESG_DIGEST_SIZE);
	LWLockRelease(area_lock);
}

void
esg_probed_apply(uint32 served_number, unsigned char (*fingerprints)[ESG_DIGEST_SIZE], int count)
{
	if (area == NULL || served_number == 0)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	for (int i = 0; i < count && area->hosts_number == served_number; i++)
		if (memcmp(area->hosts[i], unseen, ESG_DIGEST_SIZE) != 0)
			memcpy(fingerprints[i], area->hosts[i], ESG_DIGEST_SIZE);
	LWLockRelease(area_lock);
}

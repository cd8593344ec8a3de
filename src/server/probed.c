/*
 * server/probed.c
 *		What the self-probe has seen last.
 *
 * All is guarded by the area's lock.  What was seen of hosts lies beside shared
 * memory, for its size, and where there can be hosts only.  It counts while the
 * area says of which load it is, which a restart after a crash does not.
 */
#include "postgres.h"

#include "storage/lwlock.h"

#include "compat.h"
#include "server/probed.h"
#include "server/shmem.h"
#include "server/sni_hosts.h"

typedef struct ProbedArea
{
	EsgProbed	last;
	uint32		hosts_number;	/* served_number of "hosts"; 0: of none */
} ProbedArea;

typedef unsigned char HostDigest[ESG_DIGEST_SIZE];

static ProbedArea *area = NULL;
static LWLock *area_lock = NULL;
static HostDigest *hosts = NULL;	/* ESG_MAX_HOSTS; zeroes: not seen */

static const unsigned char unseen[ESG_DIGEST_SIZE];

void
esg_probed_init(void)
{
	esg_shmem_register("self-probe", sizeof(ProbedArea), (void **) &area, &area_lock, NULL);
	if (ESG_LAST_CTX_IS_BARE)
		hosts = esg_shmem_map(ESG_MAX_HOSTS * sizeof(HostDigest));
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
	if (hosts == NULL || area == NULL || index < 0 || index >= ESG_MAX_HOSTS)
		return;
	LWLockAcquire(area_lock, LW_EXCLUSIVE);
	if (area->hosts_number != served_number)
		memset(hosts, 0, ESG_MAX_HOSTS * sizeof(HostDigest));
	area->hosts_number = served_number;
	memcpy(hosts[index], fingerprint, ESG_DIGEST_SIZE);
	LWLockRelease(area_lock);
}

void
esg_probed_apply(uint32 served_number, unsigned char (*fingerprints)[ESG_DIGEST_SIZE], int count)
{
	if (hosts == NULL || area == NULL || served_number == 0)
		return;
	LWLockAcquire(area_lock, LW_SHARED);
	for (int i = 0; i < count && area->hosts_number == served_number; i++)
		if (memcmp(hosts[i], unseen, ESG_DIGEST_SIZE) != 0)
			memcpy(fingerprints[i], hosts[i], ESG_DIGEST_SIZE);
	LWLockRelease(area_lock);
}

/*
 * ext_ssl_guard.c
 *		Wiring: the module's magic and the order in which its parts start.
 */
#include "postgres.h"

#include "fmgr.h"

#include "src/audit/renewals.h"
#include "src/audit/service_facts.h"
#include "src/server/alarms.h"
#include "src/hooks/client_auth.h"
#include "src/login/ca_usage.h"
#include "src/login/clients.h"
#include "src/login/crl_dir_verdict.h"
#include "src/login/failures.h"
#include "src/login/fallback.h"
#include "src/server/guc.h"
#include "src/login/handshake.h"
#include "src/login/ident_map.h"
#include "src/login/label_page.h"
#include "src/server/loaded_files.h"
#include "src/server/one_openssl.h"
#include "src/server/probed.h"
#include "src/login/resets.h"
#include "src/login/role_label.h"
#include "src/login/sessions.h"
#include "src/login/transport.h"
#include "src/server/state.h"
#include "src/server/served_hosts.h"
#include "src/server/shmem.h"
#include "src/hooks/tls_contexts.h"
#include "src/hooks/tls_init.h"
#include "src/hooks/worker.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	esg_one_openssl_require();
	esg_guc_init();
	if (!esg_shmem_preloading())
		return;

	/*
	 * Shared memory in this order: what each login looks at, the end of the
	 * alarms and the beginning of the others, is close together, as each
	 * piece of 64 kB costs a login a page fault.
	 */
	esg_alarms_init();
	esg_server_state_init();
	esg_ca_usage_init();
	esg_sessions_init();
	esg_label_page_init();
	esg_crl_dir_verdict_init();
	esg_fallback_init();
	esg_transport_init();
	esg_clients_init();
	esg_resets_init();
	esg_failures_init();
	esg_loaded_files_init();
	esg_renewals_init();
	esg_probed_init();
	esg_served_hosts_init();
	esg_service_facts_init();
	esg_shmem_init();
	esg_handshake_init();
	esg_tls_contexts_init();
	esg_tls_init_init();
	esg_client_auth_init();
	esg_ident_map_init();
	esg_role_label_init();
	esg_worker_init();
}

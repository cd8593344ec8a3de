/*
 * bench/control.c
 *		A library as large as ext_ssl_guard that does nothing: what any preloaded
 *		library costs a login.
 *
 * It is compiled with TEXT, RODATA, RELRO, DATA, BSS, the sizes of sections, and
 * SHMEM, that of the shared memory; linked as ext_ssl_guard is; and has hooks in
 * the same places, which call those that were there before.
 */
#include "postgres.h"

#include <openssl/ssl.h>

#include "fmgr.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

__asm__(".text\n.fill " CppAsString2(TEXT) ", 1, 0x90\n"
		".section .rodata\n.fill " CppAsString2(RODATA) ", 1, 1\n.text\n");

#define POINTERS (RELRO / sizeof(void *))

static char data[DATA] pg_attribute_unused() = {1};
static char bss[BSS] pg_attribute_unused();
void	   *const control_pointers[POINTERS] = {[0 ... POINTERS - 1] = bss};
int			(*const control_uses[]) () = {X509_cmp, SSL_version};

static ClientAuthentication_hook_type prev_ClientAuthentication_hook = NULL;
static openssl_tls_init_hook_typ prev_openssl_tls_init_hook = NULL;
static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

static void
control_client_auth(Port *port, int status)
{
	if (prev_ClientAuthentication_hook)
		prev_ClientAuthentication_hook(port, status);
}

static void
control_tls_init(SSL_CTX *context, bool isServerStart)
{
	if (prev_openssl_tls_init_hook)
		prev_openssl_tls_init_hook(context, isServerStart);
}

static void
control_shmem_request(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(SHMEM);
}

static void
control_shmem_startup(void)
{
	bool		found;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	memset(ShmemInitStruct("control", SHMEM, &found), 0, SHMEM);
}

void
_PG_init(void)
{
	prev_ClientAuthentication_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = control_client_auth;
	prev_openssl_tls_init_hook = openssl_tls_init_hook;
	openssl_tls_init_hook = control_tls_init;
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = control_shmem_request;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = control_shmem_startup;
}

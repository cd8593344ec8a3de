/*
 * compat.h
 *		Every test of PG_VERSION_NUM and OPENSSL_VERSION_NUMBER.
 *
 * Supplies the newest API to older versions, and stands in for what a platform
 * lacks: no other file knows in which version there is what.  (What can simply
 * be left out on some platforms is tested where it is used.)  The OpenSSL part
 * is usable without PostgreSQL's headers: the pure layer includes this file too.
 * The PostgreSQL part is there when postgres.h came first.
 */
#ifndef ESG_COMPAT_H
#define ESG_COMPAT_H

#include <string.h>

#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER < 0x10101000L
#error "ext_ssl_guard needs OpenSSL 1.1.1 or newer"
#endif

/* What the headers are of; what is used may be something else. */
#define ESG_OPENSSL_BUILT ((unsigned long) OPENSSL_VERSION_NUMBER)

/* Before 3.0 a key is asked by its type. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* it means const, but does not say so */
#define X509_NAME_hash_ex(name, libctx, propq, ok) X509_NAME_hash((X509_NAME *) (name))
#define EVP_PKEY_get_bits(pkey) EVP_PKEY_bits(pkey)
#define ERR_raise(lib, reason) ERR_put_error(lib, 0, reason, __FILE__, __LINE__)
/* whoever asks has taken the types that cannot for himself */
#define EVP_PKEY_can_sign(pkey) ((void) (pkey), 1)
/* nothing belongs to a provider */
#define EVP_MD_fetch(libctx, name, propq) ((EVP_MD *) EVP_get_digestbyname(name))
#define EVP_default_properties_is_fips_enabled(libctx) FIPS_mode()

/* takes the key only where it succeeds */
static inline int
SSL_CTX_set0_tmp_dh_pkey(SSL_CTX *context, EVP_PKEY *pkey)
{
	DH		   *dh = EVP_PKEY_get0_DH(pkey);

	if (dh == NULL || SSL_CTX_set_tmp_dh(context, dh) != 1)
		return 0;
	EVP_PKEY_free(pkey);
	return 1;
}

static inline int
EVP_PKEY_get_group_name(const EVP_PKEY *pkey, char *name, size_t size, size_t *len)
{
	const EC_KEY *key = EVP_PKEY_get0_EC_KEY((EVP_PKEY *) pkey);
	int			nid = key ? EC_GROUP_get_curve_name(EC_KEY_get0_group(key)) : NID_undef;

	if (nid == NID_undef || OPENSSL_strlcpy(name, OBJ_nid2sn(nid), size) >= size)
		return 0;
	if (len)
		*len = strlen(name);
	return 1;
}
#endif

#ifdef PG_VERSION_NUM

#if PG_VERSION_NUM < 150000
#error "ext_ssl_guard needs PostgreSQL 15 or newer"
#endif

/* Where there is no eventfd(2), nothing is counted by it. */
#ifdef __linux__
#include <sys/eventfd.h>
#else
#define EFD_CLOEXEC 0
#define EFD_NONBLOCK 0
#define eventfd(count, flags) (-1)
#endif

/*
 * A server built with EXEC_BACKEND, as developers do to test that it is possible,
 * starts its processes anew: they have shared memory at the same address as the
 * postmaster, and neither its variables nor descriptors nor TLS contexts.
 */
#ifdef EXEC_BACKEND
#define ESG_CHILDREN_INHERIT false
#else
#define ESG_CHILDREN_INHERIT true
#endif

/*
 * What a check hook returns as "extra" belongs to guc.c: since 16 it lives in
 * a memory context of guc.c's and is made with guc_malloc(); before, it came
 * from malloc() and guc.c calls free().
 */
#if PG_VERSION_NUM < 160000
#define guc_malloc(elevel, size) malloc(size)
#define guc_free(ptr) free(ptr)
#endif

/* Since 16 a relation's file has a number, and no node. */
#if PG_VERSION_NUM < 160000
#define RelationMapOidToFilenumber(relation, shared) RelationMapOidToFilenode(relation, shared)
#define RelFileNumber Oid
#define RelFileLocator RelFileNode
#define rd_locator rd_node
#define relNumber relNode
#endif

/* Macros for variable-length data; before 16 postgres.h had them. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * Since 16 the list of settings is made for the caller, who is told its length,
 * and lines of pg_ident.conf may come from included files.
 */
#if PG_VERSION_NUM < 160000
#include "libpq/hba.h"
#include "utils/guc_tables.h"

#define get_guc_variables(count) (*(count) = GetNumConfigOptions(), (get_guc_variables)())
#define open_auth_file(name, elevel, depth, error) ((void) (error), AllocateFile(name, "r"))
#define tokenize_auth_file(name, file, lines, elevel, depth) \
	((void) (tokenize_auth_file)(name, file, lines, elevel))
#define free_auth_file(file, depth) ((void) FreeFile(file))
#define esg_auth_line_file(line) ((void) (line), (const char *) NULL)
/* and words of pg_hba.conf, and roles of a map, are no regular expressions */
#define esg_auth_token_is_regex(token) ((void) (token), false)
#define esg_ident_system_user(line) ((line)->ident_user)
#define esg_ident_role(line) ((line)->pg_role)
#define esg_ident_role_token(line) ((void) (line), (const AuthToken *) NULL)
#define esg_ident_is_role_word(line) ((void) (line), false)
/* a compiled expression is not the memory context's */
#define esg_ident_line_free(line) \
	do { \
		if ((line)->ident_user[0] == '/') \
			pg_regfree(&(line)->re); \
	} while (0)
#else
#include "libpq/hba.h"

#define esg_auth_line_file(line) ((line)->file_name)
#define esg_auth_token_is_regex(token) ((token)->regex != NULL)
#define esg_ident_system_user(line) ((line)->system_user->string)
#define esg_ident_role(line) ((line)->pg_user->string)
#define esg_ident_role_token(line) ((line)->pg_user)
#define esg_ident_is_role_word(line) ((void) (line), true)
#define esg_ident_line_free(line) ((void) (line))
#endif

/* Since 16 the name says what the number is. */
#if PG_VERSION_NUM < 160000
#define pgstat_get_local_beentry_by_index(index) pgstat_fetch_stat_local_beentry(index)
#endif

/*
 * Since 17 an extension names its own wait events, and pg_stat_activity shows
 * the name; before, all extensions share one event.
 */
#if PG_VERSION_NUM < 170000
#define WaitEventExtensionNew(name) PG_WAIT_EXTENSION
#endif

/* Since 19 a signal handler is told more, so that the constants need a cast. */
#if PG_VERSION_NUM < 190000
#define PG_SIG_IGN SIG_IGN
#define PG_SIG_DFL SIG_DFL
#endif

/*
 * Before 19 a server has one set of TLS files, one SSL_CTX with them, and no
 * pg_hosts.conf.  Since then a load makes an SSL_CTX for each set of files, and
 * a last one without a certificate, from which connections are made: it gets the
 * certificate and the store of one of the others, with ssl_sni of the one that
 * the client asks for.
 */
#if PG_VERSION_NUM < 190000
#include "nodes/pg_list.h"

#define ESG_LAST_CTX_IS_BARE false
#define ssl_sni false
#define HostsFileName ""

typedef struct HostsLine
{
	int			linenumber;
	char	   *sourcefile;
	char	   *rawline;
	List	   *hostnames;
	char	   *ssl_key;
	char	   *ssl_cert;
	char	   *ssl_ca;
	char	   *ssl_passphrase_cmd;
	bool		ssl_passphrase_reload;
} HostsLine;

typedef enum HostsFileLoadResult
{
	HOSTSFILE_LOAD_OK = 0,
	HOSTSFILE_LOAD_FAILED,
	HOSTSFILE_EMPTY,
	HOSTSFILE_MISSING,
	HOSTSFILE_DISABLED
} HostsFileLoadResult;

static inline HostsFileLoadResult
load_hosts(List **hosts, char **err_msg)
{
	(void) err_msg;
	*hosts = NIL;
	return HOSTSFILE_DISABLED;
}
#else
#define ESG_LAST_CTX_IS_BARE true
#endif

#endif							/* PG_VERSION_NUM */

#endif							/* ESG_COMPAT_H */

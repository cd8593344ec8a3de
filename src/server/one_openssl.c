/*
 * server/one_openssl.c
 *		Is our OpenSSL the server's?
 *
 * A library that was built for another OpenSSL brings that along: its symbols
 * have versions, so that ours are bound to libssl.so.4 although the server uses
 * libssl.so.3.  Both would then work on the same SSL_CTX, whose layout is their
 * own business, and crash.  Where symbols have no versions all is bound to the
 * server's, and what differs are the headers that we were compiled with.
 *
 * The server's is what a search of the whole process, from the executable on,
 * comes upon first.  One that is linked into it, and hidden, cannot be found.
 */
#include "postgres.h"

#include <dlfcn.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "compat.h"
#include "server/one_openssl.h"

/* "4294967295.255.255", and more than enough for a compiler that counts */
#define VERSION_SIZE 80

typedef unsigned long (*VersionFn) (void);

/* Since 3.0 the first number says what goes together, before it was the first two. */
static unsigned long
get_abi(unsigned long version)
{
	return version >= 0x30000000UL ? version >> 28 : version >> 20;
}

static void
print_version(unsigned long version, char *buf)
{
	snprintf(buf, VERSION_SIZE, "%lu.%lu.%lu", version >> 28, version >> 20 & 0xFF,
			 version >> (version >= 0x30000000UL ? 4 : 12) & 0xFF);
}

/* The file that a function is from. */
static const char *
find_file(void *function)
{
	Dl_info		info;

	return dladdr(function, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "unknown file";
}

/* How the server has these two; NULL: not at all, as far as can be seen. */
static void
find_server(void **version, void **ssl)
{
	void	   *process = dlopen(NULL, RTLD_LAZY);

	*version = *ssl = NULL;
	if (process == NULL)
		return;
	*version = dlsym(process, "OpenSSL_version_num");
	*ssl = dlsym(process, "SSL_CTX_get_cert_store");
	dlclose(process);
}

static void
refuse(unsigned long theirs, void *server, unsigned long ours)
{
	char		server_version[VERSION_SIZE];
	char		built_version[VERSION_SIZE];
	char		our_version[VERSION_SIZE];

	print_version(theirs, server_version);
	print_version(ESG_OPENSSL_BUILT, built_version);
	print_version(ours, our_version);
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("library \"ext_ssl_guard\" was built for another OpenSSL than the server's"),
			 errdetail("The server uses OpenSSL %s (\"%s\"), the library was compiled for %s and uses %s (\"%s\").",
					   server_version, find_file(server), built_version, our_version,
					   find_file((void *) OpenSSL_version_num)),
			 errhint("Build the library with the headers and the libraries of the server's OpenSSL.")));
}

void
esg_one_openssl_require(void)
{
	void	   *version;
	void	   *ssl;
	unsigned long theirs;
	unsigned long ours = OpenSSL_version_num();

	find_server(&version, &ssl);
	if (version == NULL)
		return;
	theirs = ((VersionFn) version) ();
	if (get_abi(theirs) != get_abi(ESG_OPENSSL_BUILT) || get_abi(theirs) != get_abi(ours) ||
		(ssl != NULL && ssl != (void *) SSL_CTX_get_cert_store))
		refuse(theirs, version, ours);
}

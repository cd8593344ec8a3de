# An ERROR inside a check is a verdict: it goes through mode and exemption like
# any other, and nothing is left behind.  FATAL and cancelling pass through.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $fault = $certs->dir . '/fault';
my $shim = $certs->dir . '/shim.so';

# Functions of libcrypto, libssl and libc that only one check calls raise the
# ERROR while a file is there, with a catalog open: that has to be given back.
ESG::Certs::spew($certs->dir . '/shim.c', <<"SHIM");
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct stat;

/* in the server only: the same library is loaded into pg_ctl and psql */
static void *
find(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static bool
there(const char *name)
{
	char		path[1024] = "$fault.";

	strncat(path, name, 100);
	return access(path, F_OK) == 0;
}

static void
fail(const char *name)
{
	bool	   *in_login = find("ClientAuthInProgress");
	void	  **port = find("MyProcPort");
	bool		(*start) (int, const char *) = find("errstart");
	void		(*finish) (const char *, int, const char *) = find("errfinish");
	int			(*message) (const char *,...) = find("errmsg_internal");
	int			(*code) (int) = find("errcode");
	void	   *(*open_table) (unsigned, int) = find("table_open");
	int			level = 21;

	if (in_login == NULL || !*in_login || *port == NULL || !there(name))
		return;
	if (there("level"))
		level++;
	open_table(3592, 1);
	if (start(level, NULL))
	{
		if (there("cancel"))
			code(67371461);		/* ERRCODE_QUERY_CANCELED */
		message("injected into %s", name);
		finish("shim.c", 1, "fail");
	}
}

#define NEXT(name) (*(void **) &next = next ? *(void **) &next : dlsym(RTLD_NEXT, name), next)

int X509_NAME_digest(const void *n, const void *t, unsigned char *d, unsigned *l);
int X509_NAME_digest(const void *n, const void *t, unsigned char *d, unsigned *l)
{
	static int (*next) (const void *, const void *, unsigned char *, unsigned *);

	fail("certificate");
	return NEXT("X509_NAME_digest")(n, t, d, l);
}

const char *SSL_get_version(const void *ssl);
const char *SSL_get_version(const void *ssl)
{
	static const char *(*next) (const void *);

	fail("record");
	return NEXT("SSL_get_version")(ssl);
}

int stat(const char *path, struct stat *out);
int stat(const char *path, struct stat *out)
{
	static int (*next) (const char *, struct stat *);

	fail("files");
	return NEXT("stat")(path, out);
}

static void
fail_in(const char *file)
{
	/* OpenSSL itself may have been built without names of files */
	if (file == NULL)
		return;
	if (strstr(file, "policy/label.c"))
		fail("label");
	if (strstr(file, "x509/identities.c"))
		fail("identity");
	if (strstr(file, "policy/findings.c"))
		fail("findings");
}

void *CRYPTO_malloc(size_t size, const char *file, int line);
void *CRYPTO_malloc(size_t size, const char *file, int line)
{
	static void *(*next) (size_t, const char *, int);

	fail_in(file);
	return NEXT("CRYPTO_malloc")(size, file, line);
}

void *CRYPTO_realloc(void *old, size_t size, const char *file, int line);
void *CRYPTO_realloc(void *old, size_t size, const char *file, int line)
{
	static void *(*next) (void *, size_t, const char *, int);

	fail_in(file);
	return NEXT("CRYPTO_realloc")(old, size, file, line);
}
SHIM
plan skip_all => 'needs a C compiler'
  if !eval { IPC::Run::run([ 'cc', '-shared', '-fPIC', '-o', $shim, $certs->dir . '/shim.c' ], '>&', \my $said) };

my $ca = $certs->make_ca('ca');
# something is found about it, so that there is something to judge
my $app = $certs->make_client('app', ca => $ca, san => ['URI:spiffe://prod/app'], days_left => 5);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.exempt_roles = 'exempt'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
{
	local $ENV{LD_PRELOAD} = $shim;
	$node->start;
}
$node->safe_psql('postgres', q{
	CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN; CREATE ROLE labelled LOGIN;
	SECURITY LABEL FOR ext_ssl_guard ON ROLE labelled IS 'uri=spiffe://prod/app'});

sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

# "in", or what the client was told, which is a generic sentence
sub login
{
	my ($user) = @_;
	my ($status, $out, $err) = $node->tcp_psql('SELECT 1', user => $user, client => $app);

	return "in$err" if $status == 0;
	return $1 if $err =~ /FATAL:  (?:client certificate|connection) was refused \((\w+)\)$/;
	return $err;
}

# the outcome of a login while these faults are there
sub login_with
{
	my ($user, @faults) = @_;

	ESG::Certs::spew("$fault.$_", '') foreach @faults;
	my $outcome = login($user);
	unlink "$fault.$_" foreach @faults;
	return $outcome;
}

my %off = (client_certificate_check => 'off', file_permission_check => 'off', identity_check => 'off',
	role_label_check => 'off');

# [check, its setting, fault, role, code]
foreach my $case (
	[ 'certificate', 'client_certificate_check', 'certificate', 'app', 'certificate_not_judged' ],
	[ 'findings of the certificate', 'client_certificate_check', 'findings', 'app', 'certificate_not_judged' ],
	[ 'files', 'file_permission_check', 'files', 'app', 'file_unreadable' ],
	[ 'identity', 'identity_check', 'identity', 'app', 'identity_mismatch' ],
	[ 'label', 'role_label_check', 'label', 'labelled', 'role_label_mismatch' ])
{
	my ($check, $setting, $name, $role, $code) = @$case;

	# what was remembered of the certificate is not looked at again
	apply(%off, $setting => 'enforce');
	$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
	my $offset = $node->log_end;
	is(login_with($role, $name), $code, "$check: enforce refuses with the check's code");
	like($node->log_since($offset),
		qr/DETAIL:  code=$code role=$role .*reason="could not be judged" sqlstate=XX000 error="injected into $name"/,
		"$check: the log has the cause");
	is(login($role), 'in', "$check: the next one gets in");
	$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
	is(login_with('exempt', $name), 'in', "$check: an exempt role gets in");
	is($node->safe_psql('postgres', 'SELECT 1'), '1', "$check: so does a Unix socket");

	# FATAL is the end, and so is a request to cancel
	apply($setting => 'warn') if $check ne 'files' && $name ne 'findings';
	$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
	like(login_with($role, $name, 'level'), qr/FATAL:  injected into $name/, "$check: FATAL passes through");
	like(login_with($role, $name, 'cancel'), qr/FATAL:  injected into $name/, "$check: and cancelling");

	if ($check ne 'files' && $name ne 'findings')
	{
		$offset = $node->log_end;
		is(login_with($role, $name), 'in', "$check: warn lets in");
		is($node->count_log(qr/DETAIL:  code=$code severity=\w+ .*error="injected into $name"/, $offset), 1,
			"$check: with an alarm that has the cause");
		is(login($role), 'in', "$check: and the next one");
		is($node->count_log(qr/DETAIL:  code=$code severity=\w+ cleared=yes/, $offset), 1, "$check: clears it");
	}
	apply($setting => 'off');
	$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
	is(login_with($role, $name), 'in', "$check: off lets in");
}

# What cannot be written down is logged, and refuses nobody.
apply(client_certificate_check => 'enforce');
my $offset = $node->log_end;
is(login_with('app', 'record'), 'in', 'a login that cannot be recorded gets in');
like($node->log_since($offset), qr/LOG:  could not take note of a login of role "app": injected into record/, 'the log says so');

# Nothing was left open: core would have complained at the end of its transaction.
unlike($node->log_since(0), qr/leak|PANIC|TRAP/, 'nothing was left open');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE relation = 'pg_shseclabel'::regclass AND pid <> pg_backend_pid()"),
	'0', 'no lock is left');

$node->stop;
done_testing();

# "make faults" holds where nothing is wrong, and sees it where something is: a library
# that refuses, counts twice, keeps files open and hides an alarm.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $dir = PostgreSQL::Test::Utils::tempdir();

# Behind our library: its hooks are called before ours.
my $misbehaves = ESG::Node::build_library("$dir/misbehaves", <<'SOURCE');
#include "postgres.h"

#include <fcntl.h>

#include "fmgr.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static ClientAuthentication_hook_type prev_auth;
static openssl_tls_init_hook_typ prev_tls;

static void
let_in(Port *port, int status)
{
	prev_auth(port, status);
	if (status != STATUS_OK || strcmp(port->user_name, "app") != 0)
		return;
	if (MyProcPid % 5 == 0)
		ereport(FATAL, (errmsg("misbehaves")));
	prev_auth(port, status);
}

static void
load(SSL_CTX *context, bool is_server_start)
{
	prev_tls(context, is_server_start);
	if (!is_server_start)
		(void) open("/dev/null", O_RDONLY);
}

void
_PG_init(void)
{
	prev_auth = ClientAuthentication_hook;
	ClientAuthentication_hook = let_in;
	prev_tls = openssl_tls_init_hook;
	openssl_tls_init_hook = load;
	SetConfigOption("ext_ssl_guard.finding_overrides", "file_missing=off", PGC_POSTMASTER, PGC_S_OVERRIDE);
}
SOURCE
plan skip_all => 'needs a C compiler' unless $misbehaves;
plan skip_all => 'EXEC_BACKEND: processes inherit nothing' if ESG::Node::exec_backend();

# exit status, what it says
sub run_faults
{
	my (@options) = @_;
	my $said = '';

	IPC::Run::run([ $^X, '-I', "$ENV{SRC}/t", "$ENV{SRC}/dev/faults", @options ], '<', \undef, '>&', \$said);
	return ($? >> 8 || $? & 127, $said);
}

my ($status, $said) = run_faults('--list');
is($status, 0, 'the faults are listed');
like($said, qr/^vanished\n.*^worker_killed\n.*^lock_alarms\n.*^disk_full\n.*^clock_back\n/ms, 'one a line');
is((run_faults('--only', 'vanished,nonsense'))[0] != 0, 1, 'what there is not is an error');

($status, $said) = run_faults('--only', 'vanished', '--reloads', 1);
is($status, 0, 'a good server') or diag($said);
like($said, qr/^\| vanished \| [1-9]\d* \| [1-9]\d* \| 0 \| crl_unknown_issuer file_missing reload_failed \| held \|$/m, 'holds');

{
	# how long an alarm is waited for, twice over
	local $ENV{ESG_TEST_TIMEOUT} = 12;
	($status, $said) = run_faults('--only', 'vanished', '--reloads', 1, '--preload', $misbehaves);
}
is($status, 1, 'one that misbehaves');
like($said, qr/^\| vanished \|.*\| \*\*.*\*\* \|$/m, 'does not');
like($said, qr/^ +app: .*FATAL: +misbehaves/m, 'a refused login is seen');
like($said, qr/^ +logins by transport: \d+, expected \d+/m, 'one that is counted twice');
like($said, qr/^ +postmaster: \d+ files are open, were \d+$/m, 'a file that stays open');
like($said, qr/^ +server\.key: there is no alarm file_missing$/m, 'an alarm that does not come');
done_testing();

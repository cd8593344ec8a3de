# Whether there are labels at all is told by the length of their catalog's file.
# A login that is under way while the catalog is rewritten into another file, or
# while the first label is set, finds the label all the same.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
# Loaded after ext_ssl_guard: holds a login up, with what it knows of the catalogs, before the checks.
my $library = ESG::Node::build_library($certs->dir . '/hold', <<'SOURCE');
#include "postgres.h"
#include <sys/stat.h>
#include "fmgr.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"

PG_MODULE_MAGIC;

static ClientAuthentication_hook_type prev_hook = NULL;

static void
hook(Port *port, int status)
{
	struct stat st;

	if (stat("hold", &st) == 0)
	{
		ereport(LOG, (errmsg_internal("login of %s waits", port->user_name)));
		for (int i = 0; i < 6000 && stat("hold", &st) == 0; i++)
			pg_usleep(10000L);
	}
	if (prev_hook)
		prev_hook(port, status);
}

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	prev_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = hook;
}
SOURCE
plan skip_all => 'needs a C compiler and the headers of the server' if !$library;

my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	preload => "ext_ssl_guard,$library",
	hba => ['hostssl all all 127.0.0.1/32 trust']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my $set = q{SECURITY LABEL FOR ext_ssl_guard ON ROLE app IS 'cn=nobody'};
my $hold = $node->path('hold');

sub label_file
{
	return $node->path($node->safe_psql('postgres', q{SELECT pg_relation_filepath('pg_shseclabel')}));
}

# What a login is told during which that is done; the session that does it was there before.
sub login_during
{
	my (@statements) = @_;
	my $session = $node->background_psql('postgres');
	my $offset = $node->log_end;
	my ($out, $err) = ('', '');

	ESG::Certs::spew($hold, '');
	my $login = IPC::Run::start(
		['psql', '-XAtw', '-c', 'SELECT 1', '-d', $node->connstr('postgres') . ' host=127.0.0.1 sslmode=require user=app'],
		'<', \undef, '>', \$out, '2>', \$err);
	$node->wait_log(qr/login of app waits/, $offset);
	$session->query_safe($_) foreach @statements;
	unlink $hold or die "unlink: $!";
	$login->finish;
	$session->quit;
	return "$out$err";
}

is(-s label_file(), 0, 'there is no label');
is(login_during('SELECT 1'), "1\n", 'and everybody gets in');
like(login_during($set), qr/FATAL: .*\(role_label_mismatch\)/, 'the first label is set during a login');
my $before = label_file();
like(login_during('VACUUM FULL pg_shseclabel', 'CHECKPOINT'), qr/FATAL: .*\(role_label_mismatch\)/, 'their catalog is rewritten during a login, and the old file is gone');
isnt(label_file(), $before, 'into another file');
$before = label_file();
like(login_during('VACUUM FULL pg_shseclabel'), qr/FATAL: .*\(role_label_mismatch\)/, 'the same while the old file is there, and empty');
is(-s $before, 0, 'which it is');
$node->safe_psql('postgres', q{SECURITY LABEL FOR ext_ssl_guard ON ROLE app IS NULL});
$node->safe_psql('postgres', 'VACUUM pg_shseclabel');
is(-s label_file(), 0, 'the last label is gone, and cut off');
is(login_during('SELECT 1'), "1\n", 'everybody gets in again');
like(login_during($set), qr/FATAL: .*\(role_label_mismatch\)/, 'until there is one');
$node->stop('immediate');
$node->start;
like((($node->tcp_psql('SELECT 1', user => 'app'))[2]), qr/\(role_label_mismatch\)/, 'which a crash does not end');

$node->stop;
done_testing();

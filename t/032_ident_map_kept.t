# The user name map after the login: wherever core keeps its lines, nothing is
# freed twice; where it cannot be known that they were kept, there is an error.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;

# A library that rearranges core's memory before our login hook sees it, in the
# way that the role's name tells.
my $library = ESG::Node::build_library($certs->dir . '/moves', <<'SOURCE');
#include "postgres.h"

#include "fmgr.h"
#include "libpq/auth.h"
#include "libpq/hba.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static ClientAuthentication_hook_type next_hook = NULL;

/* as a later version of PostgreSQL may call its own */
static void
rename_all(MemoryContext parent)
{
	for (MemoryContext child = parent->firstchild; child != NULL; child = child->nextchild)
		child->name = "renamed";
}

static void
move(Port *port, int status)
{
	const char *how = port->user_name;
	HbaLine    *matched = port->hba;
	MemoryContext lines = GetMemoryChunkContext(matched);

	if (strcmp(how, "renamed") == 0)
		rename_all(PostmasterContext);
	else if (strcmp(how, "crowded") == 0)
	{
		for (int i = 0; i < 3; i++)
			(void) AllocSetContextCreate(PostmasterContext, "foreign", ALLOCSET_SMALL_SIZES);
	}
	else if (strcmp(how, "deeper") == 0)
		MemoryContextSetParent(lines, AllocSetContextCreate(PostmasterContext, "between",
															ALLOCSET_SMALL_SIZES));
	else if (strcmp(how, "elsewhere") == 0)
		MemoryContextSetParent(lines, TopMemoryContext);
	else if (strcmp(how, "unmatched") == 0)
		port->hba = NULL;
	if (next_hook)
		next_hook(port, status);
	port->hba = matched;
}

void
_PG_init(void)
{
	next_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = move;
}
SOURCE
plan skip_all => 'needs a C compiler' unless $library;

my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');
my @good = qw(postgres renamed crowded);
my @bad = qw(deeper elsewhere unmatched);

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	preload => "ext_ssl_guard,$library",
	conf => "ext_ssl_guard.identity_map = 'known'\next_ssl_guard.identity_check = 'enforce'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
write_map(@good, @bad);
$node->start;
$node->safe_psql('postgres', join(';', map { "CREATE ROLE $_ SUPERUSER LOGIN" } grep { $_ ne 'postgres' } @good, @bad));

sub write_map { return ESG::Certs::spew($node->path('pg_ident.conf'), map { "known app $_\n" } @_); }

# one session that asks three times, while the file changes
sub ask
{
	my ($role) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', $role ]);
	my @answers;

	foreach my $known ($role, 'nobody', $role)
	{
		write_map($known);
		$session->query("\\set VERBOSITY verbose");
		my $out = $session->query("SELECT matched FROM ssl_guard_identity_check('$role', pg_read_file('$client->{cert}'))
			WHERE source = 'decision'");
		my $err = $session->{stderr};
		push @answers, $err =~ /ERROR: +(.*)/ ? $1 : $out;
		$session->{stderr} = '';
	}
	push @answers, scalar $session->query('SELECT 1');
	$session->quit;
	write_map(@good, @bad);
	return join(' ', @answers);
}

my $offset = $node->log_end;
is(ask($_), 't f t 1', "$_: read anew, again and again") foreach @good;
my $error = '0A000: user name maps cannot be consulted in this session';
is(ask($_), "$error $error $error 1", "$_: not known to be kept, an error") foreach @bad;
foreach my $role (@good, @bad)
{
	my ($status, $out, $err) = $node->tcp_psql('SELECT 1', user => $role, client => $client);

	is("$status $out", '0 1', "$role: its login asks the map") or diag($err);
}
unlike($node->log_since($offset), qr/was terminated by signal/, 'no crash');

# What is kept is not pg_hba.conf: "deeper" keeps nothing, "elsewhere" keeps it.
sub memory
{
	return $node->safe_psql('postgres', 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts',
		extra_params => [ '-U', $_[0] ]);
}

$node->append_conf('pg_hba.conf', join('', map { "host base$_ user$_ 10.0.0.$_/32 reject\n" } (1 .. 250) x 20));
$node->restart;
memory($_) foreach qw(deeper postgres elsewhere);
my $nothing = memory('deeper');
cmp_ok(memory('postgres'), '<', $nothing + 50_000, 'the lines of pg_hba.conf are not kept');
cmp_ok(memory('elsewhere'), '>', $nothing + 500_000, 'which would show');
is(ask('postgres'), 't f t 1', 'but the map is');

$node->stop;
done_testing();

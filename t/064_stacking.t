# Other libraries on the same hooks, before and after ours; failures of core's
# own authentication pass untouched.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('app', ca => $ca);
my $weak = $certs->make_client('soon', ca => $ca, days_left => 2);

foreach my $preload ('auth_delay,ext_ssl_guard', 'ext_ssl_guard,auth_delay')
{
	my $node = ESG::Node->new($preload =~ /^auth/ ? 'before' : 'after');

	$node->setup(
		ca => $ca,
		server => $certs->make_server('server', ca => $ca),
		preload => $preload,
		conf => "auth_delay.milliseconds = 700\npassword_encryption = 'scram-sha-256'",
		hba => ['hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca']);
	$node->start;
	$node->safe_psql('postgres', "CREATE ROLE app LOGIN PASSWORD 'right'");

	local $ENV{PGPASSWORD} = 'right';
	my ($status) = $node->tcp_psql('SELECT 1', user => 'app', client => $weak);
	is($status, 0, "$preload: login");
	is($node->safe_psql('postgres', 'SELECT logins FROM ssl_guard_client_certificates'), '1',
		"$preload: our hook saw it");

	local $ENV{PGPASSWORD} = 'wrong';
	my $start = Time::HiRes::time();
	my ($bad, undef, $err) = $node->tcp_psql('SELECT 1', user => 'app', client => $client);
	isnt($bad, 0, "$preload: a wrong password is refused");
	like($err, qr/password authentication failed/, "$preload: with core's own words");
	cmp_ok(Time::HiRes::time() - $start, '>=', 0.7, "$preload: auth_delay's hook ran");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_client_certificates'), '1',
		"$preload: a failed login is none of ours");
	$node->stop;
}

# --- contexts that another library makes in the postmaster are no loads -------------

sub build
{
	my ($name, $body) = @_;

	return ESG::Node::build_library($certs->dir . "/$name", <<"SOURCE" . $body);
#include "postgres.h"
#include "fmgr.h"
#include "libpq/libpq.h"
#include "libpq/libpq-be.h"
#include "storage/ipc.h"
#include <openssl/ssl.h>
PG_MODULE_MAGIC;
static openssl_tls_init_hook_typ prev_init;
static shmem_startup_hook_type prev_startup;
SOURCE
}

my %made = (
	hook => build('hook', <<'SOURCE'),
static void
make_context(SSL_CTX *context, bool is_start)
{
	if (prev_init)
		prev_init(context, is_start);
	SSL_CTX_free(SSL_CTX_new(TLS_method()));
}
void
_PG_init(void)
{
	prev_init = openssl_tls_init_hook;
	openssl_tls_init_hook = make_context;
}
SOURCE
	start => build('start', <<'SOURCE'),
static void
make_contexts(void)
{
	if (prev_startup)
		prev_startup();
	SSL_CTX_free(SSL_CTX_new(TLS_method()));
	(void) SSL_CTX_new(TLS_method());
}
void
_PG_init(void)
{
	prev_startup = shmem_startup_hook;
	shmem_startup_hook = make_contexts;
}
SOURCE
);

SKIP:
{
	skip 'no compiler, or no headers of the server', 1 if grep { !defined } values %made;
	my $server = $certs->make_server('served', ca => $ca);

	foreach my $when (sort keys %made)
	{
		(my $library = $made{$when}) =~ s/\.so$//;
		foreach my $preload ("$library,ext_ssl_guard", "ext_ssl_guard,$library")
		{
			my $name = "contexts, $when, " . ($preload =~ /^ext/ ? 'after ours' : 'before ours');
			my $node = ESG::Node->new($name =~ s/\W+/_/gr);
			my $state = "SELECT in_sync, last_reload_ok, (SELECT count(*) FROM ssl_guard_alarms) FROM ssl_guard_status";

			$node->setup(ca => $ca, server => $server, preload => $preload, conf => "ext_ssl_guard.file_poll_interval = '1s'");
			$node->start;
			is($node->wait_sql($state, 't|t|0'), 't|t|0', "$name: at start");
			$node->replace($weak->{cert}, 'server.crt');
			$node->reload;
			like($node->wait_sql($state, qr/^f?\|f\|[1-9]/), qr/^f?\|f\|[1-9]/, "$name: a reload that fails");
			$node->replace($server->{cert}, 'server.crt');
			$node->reload;
			is($node->wait_sql($state, 't|t|0'), 't|t|0', "$name: and one that does not");
			$node->stop;
		}
	}
}

done_testing();

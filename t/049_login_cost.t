# What a healthy login does besides what core does anyway is little, and does not
# grow: no subtransaction whatever is checked, no words about healthy files, no
# look at extra_files, nor at each file in ssl_crl_dir, no page for a role without a
# label, no lock for one, no callback for the BIOs of a connection unless the server's key
# has a passphrase.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Shim;

my $certs = ESG::Certs->new;
my $calls = ESG::Shim::count_calls($certs->dir);
# Loaded after ext_ssl_guard: calls its hook and logs what that did.
my $library = $calls && ESG::Node::build_library($certs->dir . '/cost', <<'SOURCE');
#include "postgres.h"
#include <dlfcn.h>
#include "access/xact.h"
#include "executor/instrument.h"
#include "fmgr.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"

PG_MODULE_MAGIC;

static ClientAuthentication_hook_type prev_hook = NULL;
static int	subtransactions = 0;

static void
count_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_START_SUB)
		subtransactions++;
}

static int
calls(const char *name)
{
	return *(int *) dlsym(RTLD_DEFAULT, name);
}

/* How many look at the BIOs: the first place of the class is OpenSSL's own, the next one that is free is ours. */
static int
count_bio_watchers(void)
{
	static int	index = 0;
	int			(*take) (int, long, void *, void *, void *, void *) = dlsym(RTLD_DEFAULT, "CRYPTO_get_ex_new_index");

	if (index == 0)
		index = take(12, 0, NULL, NULL, NULL, NULL);	/* CRYPTO_EX_INDEX_BIO */
	return index - 1;
}

static void
hook(Port *port, int status)
{
	int64		pages = pgBufferUsage.shared_blks_hit + pgBufferUsage.shared_blks_read;
	int			stats = calls("calls_of_stat");
	int			strerrors = calls("calls_of_strerror");

	subtransactions = 0;
	if (prev_hook)
		prev_hook(port, status);
	ereport(LOG,
			(errmsg_internal("login of %s: subtransactions=%d stat=%d strerror=%d pages=%d bio_watchers=%d",
							 port->user_name, subtransactions,
							 calls("calls_of_stat") - stats, calls("calls_of_strerror") - strerrors,
							 (int) (pgBufferUsage.shared_blks_hit + pgBufferUsage.shared_blks_read - pages),
							 count_bio_watchers())));
}

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	prev_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = hook;
	RegisterSubXactCallback(count_subtransaction, NULL);
}
SOURCE
plan skip_all => 'needs a C compiler and the headers of the server' if !$library;

my $ca = $certs->make_ca('ca');
my $app = $certs->make_client('app', ca => $ca, san => ['URI:spiffe://prod/app']);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	preload => "ext_ssl_guard,$library",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
ESG::Certs::spew($node->path('pg_ident.conf'), "prod spiffe://prod/app all\nprod spiffe://prod/app app\nprod spiffe://prod/app labelled\n");
{
	local $ENV{LD_PRELOAD} = $calls;
	$node->start;
}
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE labelled LOGIN');


sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

# { subtransactions, stat, strerror, pages, bio_watchers } of a login, the first, which fills caches, left out
sub cost
{
	my ($user) = @_;
	my $offset;

	for (1 .. 2)
	{
		$offset = $node->log_end;
		my ($status, undef, $said) = $node->tcp_psql('SELECT 1', user => $user, client => $app);
		is("$status$said", '0', "$user gets in");
	}
	$node->wait_log(qr/login of $user: .*\n/, $offset);
	my ($line) = $node->log_since($offset) =~ /login of $user: (.*)/;
	note $line;
	return { $line =~ /(\w+)=(\d+)/g };
}

apply(client_certificate_check => 'off', file_permission_check => 'off', identity_check => 'off', role_label_check => 'off');
my $off = cost('app');
is($off->{subtransactions}, 0, 'all checks off: no subtransaction');
is($off->{stat}, 0, 'no file is looked at');
is($off->{bio_watchers}, 0, 'nobody looks at BIOs');

apply(role_label_check => 'enforce');
{
	my $locked = $node->background_psql('postgres');

	$locked->query_safe('BEGIN; LOCK TABLE pg_shseclabel IN ACCESS EXCLUSIVE MODE');
	is(cost('app')->{pages}, $off->{pages}, 'while there are no labels, a look for one takes no page and no lock');
	$locked->quit;
}
$node->safe_psql('postgres', q{SECURITY LABEL FOR ext_ssl_guard ON ROLE labelled IS 'uri=spiffe://prod/app'});
is(cost('app')->{pages}, $off->{pages} + 1, 'among few labels, it takes one');
$node->safe_psql('postgres', 'VACUUM FULL pg_shseclabel');
is(cost('app')->{pages}, $off->{pages} + 1, 'also when their catalog is in another file');

apply(client_certificate_check => 'enforce', file_permission_check => 'enforce', identity_check => 'enforce', identity_sources => 'uri',
	identity_map => 'prod');
my $enforce = cost('labelled');
is($enforce->{subtransactions}, 0, 'all checks at enforce: no subtransaction');
is($enforce->{strerror}, 0, 'a healthy file is not put into words');
is($enforce->{pages}, $off->{pages} + 1, 'a label takes one page');
cmp_ok($enforce->{stat}, '>', 2, 'the files are looked at');

my @extra = map { ESG::Certs::spew($certs->dir . "/extra$_.crt", ESG::Certs::slurp($ca->{cert})) } 1 .. 20;
apply(extra_files => join(', ', @extra));
is(cost('labelled')->{stat}, $enforce->{stat}, 'extra_files are no matter of logins');

# what lies in ssl_crl_dir: one login looks at all of it, those after it at the directory
{
	my $dir = $node->path('crls');
	my ($hash) = `openssl x509 -noout -hash -in '$ca->{cert}'` =~ /(\w+)/;
	my $crl = ESG::Certs::slurp($certs->make_crl($ca, 'crl'));

	mkdir $dir or die "$dir: $!";
	ESG::Certs::spew("$dir/$_", $crl) foreach "$hash.r0", map { sprintf '%08x.r0', $_ } 1 .. 40;
	$node->apply(ssl_crl_dir => $dir);
	cmp_ok(cost('labelled')->{stat}, '<', $enforce->{stat} + 10, 'a login does not look at each CRL');
	$node->apply(ssl_crl_dir => '');
}

# the twin: the words are there when there is something to say
chmod 0666, $node->path('root.crt') or die "chmod: $!";
my (undef, undef, $said) = $node->tcp_psql('SELECT 1', user => 'labelled', client => $app);
like($said, qr/\(permissions_too_open\)/, 'an open file refuses');
SKIP:
{
	skip 'EXEC_BACKEND: a backend that cannot load the files has no TLS', 2 if ESG::Node::exec_backend();
	unlink $node->path('root.crt') or die "unlink: $!";
	my $offset = $node->log_end;
	(undef, undef, $said) = $node->tcp_psql('SELECT 1', user => 'labelled', client => $app);
	like($said, qr/\(file_missing\)/, 'a file that is gone refuses');
	like($node->log_since($offset), qr/code=file_missing .*No such file/, 'with the reason in the log');
}

# the twin: it has to be seen when a key with a passphrase has been read
SKIP:
{
	skip 'EXEC_BACKEND: what is inherited is not seen', 3 if ESG::Node::exec_backend();
	my $key = $node->path('server.key');

	chmod 0600, $node->path('root.crt');
	ESG::Certs::spew($node->path('root.crt'), ESG::Certs::slurp($ca->{cert}));
	chmod 0600, $node->path('root.crt');
	system("openssl pkey -in '$key' -aes256 -passout pass:secret -out '$key.new'") == 0 or die 'openssl pkey';
	rename "$key.new", $key or die "rename: $!";
	chmod 0600, $key;
	$node->set_conf(ssl_passphrase_command => 'echo secret');
	{
		local $ENV{LD_PRELOAD} = $calls;
		$node->restart;
	}
	is(cost('labelled')->{bio_watchers}, 1, 'a key with a passphrase: we do');
}

$node->stop;
done_testing();

# pg_upgrade, also with labels of roles: these need the library preloaded in the
# new cluster.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Find qw(find);
use Test::More;

use ESG::Catalog;
use ESG::Certs;
use ESG::Node;

my $bindir = dirname($ENV{PG_CONFIG});
plan skip_all => 'there is no pg_upgrade' unless -x "$bindir/pg_upgrade";

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $old = ESG::Node->new('old');
my $label = 'uri=spiffe://prod/billing issuer="CN=Test CA"';

# both made in the same way: pg_upgrade wants the same superuser
sub make_new
{
	my ($name, %options) = @_;
	my $node = ESG::Node->new($name);

	$node->setup(ca => $ca, server => $server, extension => 0, %options);
	return $node;
}

# (status, what was said on the screen and in pg_upgrade's logs)
sub upgrade
{
	my ($new, @options) = @_;
	my $said = '';

	# it leaves its files in the working directory, before 15, and its scripts
	my $dir = PostgreSQL::Test::Utils::tempdir();
	IPC::Run::run(
		[ 'pg_upgrade', '--no-sync', '-U', 'postgres', '-b', $bindir, '-B', $bindir, '-d', $old->data_dir, '-D', $new->data_dir,
			'-p', $old->port, '-P', $new->port, '-s', $new->host, @options ],
		'<', \undef, '>&', \$said, init => sub { chdir $dir or die "chdir: $!" });
	my $status = $? >> 8;

	find(sub { $said .= ESG::Certs::slurp($File::Find::name) if /\.(log|txt)$/ && -f }, $new->data_dir . '/pg_upgrade_output.d')
	  if $status && -d $new->data_dir . '/pg_upgrade_output.d';
	return ($status, $said);
}

$old->setup(ca => $ca, server => $server, extension => 0);
$old->start;
$old->safe_psql('postgres', qq{CREATE ROLE billing LOGIN; CREATE ROLE viewer; CREATE DATABASE app; CREATE DATABASE v1_0;
	SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS '$label'});
$old->safe_psql('app', q{CREATE EXTENSION ext_ssl_guard;
	CREATE VIEW mine AS SELECT setting, common_name FROM ssl_guard_certificates WHERE kind = 'server';
	GRANT SELECT ON ssl_guard_status TO viewer});
$old->safe_psql('v1_0', "CREATE EXTENSION ext_ssl_guard VERSION '1.0'; CREATE VIEW mine AS SELECT source, common_name FROM ssl_guard_certificates WHERE kind = 'server'");
my @catalog = ESG::Catalog::describe($old, 'app');
my @catalog_1_0 = ESG::Catalog::describe($old, 'v1_0');
$old->stop;

# without the library: an error that says what is missing
my $bare = make_new('bare', preload => '');
my ($status, $said) = upgrade($bare, '--check');
is($status, 0, 'not preloaded: --check finds nothing') or diag($said);
($status, $said) = upgrade($bare);
isnt($status, 0, 'not preloaded: labels stop pg_upgrade');
like($said, qr/ERROR:  security label provider "ext_ssl_guard" is not loaded/, 'with the reason in its log');
like($said, qr/SECURITY LABEL FOR "?ext_ssl_guard"? ON ROLE "?billing"?/, 'and the statement');

# with it
my $new = make_new('new');
($status, $said) = upgrade($new);
is($status, 0, 'preloaded: pg_upgrade') or diag($said);
$new->start;
is($new->safe_psql('postgres', "SELECT label FROM pg_shseclabel WHERE objoid = 'billing'::regrole"), $label, 'the label is there');
like(($new->tcp_psql('SELECT 1', user => 'billing'))[2], qr/role_label_mismatch/, 'and enforced');
is_deeply([ ESG::Catalog::describe($new, 'app') ], \@catalog, 'the catalogs are the same');
is_deeply([ ESG::Catalog::describe($new, 'v1_0') ], \@catalog_1_0, 'those of 1.0 are, too: pg_upgrade leaves the version alone');
is($new->safe_psql('app', 'SELECT * FROM mine'), 'ssl_cert_file|localhost', 'a view upon ours answers');
is($new->safe_psql('v1_0', 'SELECT * FROM mine'), 'ssl_cert_file|localhost', 'and one upon those of 1.0');
is($new->safe_psql('app', 'SELECT worker_pid IS NOT NULL FROM ssl_guard_status'), 't', 'the worker runs');
$new->safe_psql('v1_0', 'ALTER EXTENSION ext_ssl_guard UPDATE');
is($new->safe_psql('v1_0', 'SELECT * FROM mine'), 'ssl_cert_file|localhost', 'the version is updated afterwards');
$new->stop;

# labels taken away before: the new cluster needs no library preloaded
$old->start;
$old->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS NULL');
$old->stop;
my $plain = make_new('plain', preload => '');
($status, $said) = upgrade($plain);
is($status, 0, 'without labels the library need not be preloaded') or diag($said);
$plain->start;
is($plain->safe_psql('app', 'SELECT * FROM mine'), 'ssl_cert_file|localhost', 'and what needs no preloading answers');
$plain->stop;

done_testing();

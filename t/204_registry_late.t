# A large file of the registry: the server's start does not wait for its being read, nor
# do logins, and what they record meanwhile is put together with what is in the file.

use strict;
use warnings;

use Test::More;

use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Registry;

my $many = 4500;
my $room = $many + 2;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('client', ca => $ca, subject => '/CN=app');
my $other = $certs->make_client('other', ca => $ca, subject => '/CN=other');
my @new = map { $certs->make_client("new$_", ca => $ca, subject => "/CN=new$_") } 1 .. 3;
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.max_client_certificates = $room\nautovacuum = off\next_ssl_guard.self_probe = off\nrestart_after_crash = on",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
my $file = $node->path('pg_stat/ext_ssl_guard.clients');

# whoever reads the file's entries waits while the one named HOLD is there, and says so
my $hold = $ENV{HOLD} = $node->path('../hold');
my $shim = ESG::Node::build_library($node->path('../holder'), <<'SHIM');
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
size_t
fread(void *out, size_t size, size_t count, FILE *file)
{
	size_t		(*next) (void *, size_t, size_t, FILE *);
	char		link[64];
	char		path[1024] = "";
	char		held[1024];

	*(void **) &next = dlsym(RTLD_NEXT, "fread");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fileno(file));
	if (getenv("HOLD") != NULL && readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, "ssl_guard.clients") != NULL)
	{
		snprintf(held, sizeof(held), "%s.held", getenv("HOLD"));
		while (access(getenv("HOLD"), F_OK) == 0)
		{
			close(open(held, O_WRONLY | O_CREAT, 0600));
			usleep(10000);
		}
	}
	return next(out, size, count, file);
}
size_t
__fread_chk(void *out, size_t room, size_t size, size_t count, FILE *file)
{
	return fread(out, size, count, file);
}
SHIM
plan skip_all => 'no compiler' if !defined $shim;

sub query { return $node->safe_psql('postgres', $_[0]); }

sub login { return ($node->tcp_psql('SELECT 1', user => 'app', client => $_[0]))[0] == 0; }

sub start_held
{
	local $ENV{LD_PRELOAD} = $shim;

	unlink "$hold.held";
	ESG::Certs::spew($hold, '');
	return $node->start;
}

sub wait_held
{
	my $until = time + $ESG::Node::timeout;

	sleep 0.05 while !-e "$hold.held" && time < $until;
	return -e "$hold.held";
}

sub count { return query('SELECT client_certificates FROM ssl_guard_status'); }

sub logins
{
	my ($cert) = @_;

	return query("SELECT sum(logins) FROM ssl_guard_client_certificates WHERE fingerprint = '$cert->{fingerprint}'");
}

sub has
{
	my ($entry) = @_;

	return query("SELECT count(*) FROM ssl_guard_client_certificates WHERE fingerprint = '" . unpack('H64', $entry) . "'");
}

sub contents
{
	return query("SELECT count(*), md5(string_agg(fingerprint || role_name || logins || first_seen_at || last_seen_at, ' ' ORDER BY fingerprint)) FROM ssl_guard_client_certificates");
}

$node->start;
query('CREATE ROLE app LOGIN');
ok(login($_), 'a login') foreach $client, $other;
$node->stop;
my $registry = ESG::Registry->read($file);
is($registry->{count}, 2, 'are two entries');
my ($first_seen) = unpack('q', substr($registry->{entries}[0], $registry->{stable} - 8, 8));
$registry->multiply($many);
# the one that was used least recently
substr($registry->{entries}[7], $registry->{stable}, 8) = pack('q', 1000);
$registry->write($file);

# --- logins beside it ------------------------------------------------------------------------------

start_held();
pass('the server starts while nothing can be read');
ok(wait_held(), 'the worker reads the file');
ok(login($client), 'a login of who is in the file');
ok(login($_), "a login of $_->{name}, who is not") foreach @new;
ok(login($client), 'a login again');
ok(-e $hold, 'and the file is not read yet');
unlink $hold;
is(count(), $room, 'as many as there is room for');
is(logins($client), 3, 'logins of before and after are added up');
is(logins($other), 1, 'another has its own');
is(logins($_), 1, "$_->{name} has been") foreach @new;
is(query("SELECT ((extract(epoch FROM first_seen_at) - 946684800) * 1000000)::bigint FROM ssl_guard_client_certificates WHERE fingerprint = '$client->{fingerprint}'"),
	$first_seen, 'seen first when it was');
is(has($registry->{entries}[ $many - $_ ]), 1, "entry $_ from the end found another place") foreach 1, 2, 3;
is(has($registry->{entries}[7]), 0, 'the one not used for longest gave way');
is(query('SELECT client_certificates_evicted FROM ssl_guard_status'), 1, 'alone');
my $contents = contents();
$node->stop;
my $saved = ESG::Registry->read($file);
is($saved->{count}, $room, 'all are saved');
is(scalar(keys %{ { map { substr($_, 0, 32) => 1 } @{ $saved->{entries} } } }), $room, 'each once');
is($saved->{generation}, $registry->{generation}, 'in the same file');
$node->start;
is(contents(), $contents, 'and read again');
SKIP: {
	skip 'only Linux lets go of shared memory that way', 1 if $^O ne 'linux';
	my $reader = $node->wait_sql('SELECT coalesce(worker_pid, 0) FROM ssl_guard_status', qr/^[1-9]/);
	my $mapped = sub { return ESG::Node::slurp("/proc/$reader/status") =~ /^RssShmem:\s+(\d+) kB/m ? $1 : die 'no RssShmem' };
	my $until = time + 60;
	sleep 0.1 while $mapped->() > $many / 1.5 && time < $until;
	cmp_ok($mapped->(), '<', $many / 1.5, 'kB: after a look at all the worker has let go of the most');
}
is(contents(), $contents, 'of which nothing is lost');
is(logins($client), 3, 'with their counters');

# the order of use holds: what is used least recently gives way
ok(login($certs->make_client('one', ca => $ca)), 'one more');
is(count(), $room, 'than there is room for');
is(logins($client), 3, 'who was here last stays');

# --- nobody reads it ---------------------------------------------------------------------------------

$node->stop;
$registry->write($file);
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->start;
ok(login($client), 'a login where there is no worker');
$node->stop;
$saved = ESG::Registry->read($file);
is($saved->{count}, $many, 'nothing is lost at the end');
is(unpack('q', substr($saved->{entries}[0], $saved->{stable} + 16, 8)), 2, 'the login counts');
$node->start;
is(query('SELECT ssl_guard_reset_client_certificates()'), $many, 'a reset removes what was not read yet');
is(count(), 0, 'and nothing comes back');
$node->stop;
$registry->write($file);
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');

# --- killed while it is read ----------------------------------------------------------------------------

my $offset = $node->log_end;
start_held();
ok(wait_held(), 'the worker reads the file');
my ($worker) = grep { (eval { ESG::Node::slurp("/proc/$_/cmdline") } // '') =~ /ext_ssl_guard worker/ && (readlink("/proc/$_/cwd") // '') eq $node->data_dir } map { m{(\d+)} } glob('/proc/[0-9]*');
ok($worker, 'it is there');
kill 'KILL', $worker;
$node->wait_log(qr/all server processes terminated; reinitializing/, $offset);
unlink $hold;
$node->wait_log(qr/reinitializing.*database system is ready to accept connections/s, $offset);
is(count(), $many, 'after its end all are read');

# --- damaged -----------------------------------------------------------------------------------------------

$node->stop;
my %damage = (
	'a flipped bit' => sub { my $text = ESG::Certs::slurp($file); substr($text, $registry->place_of(use => 4000) + 20, 1) ^= "\x10"; ESG::Certs::spew($file, $text); },
	'a block less' => sub { my $text = ESG::Certs::slurp($file); substr($text, $registry->place_of(stable => 4416)) = ''; ESG::Certs::spew($file, $text); },
	'the same entry twice' => sub { local $registry->{entries}[5] = $registry->{entries}[6]; $registry->write($file); });
foreach my $name (sort keys %damage)
{
	$registry->write($file);
	$damage{$name}->();
	unlink "$file.damaged";
	$offset = $node->log_end;
	$node->start;
	is(count(), 0, "$name: nothing of it counts");
	like($node->log_since($offset), qr/ignoring damaged file "pg_stat\/ext_ssl_guard\.clients"/, "$name: said");
	ok(-e "$file.damaged", "$name: it is kept");
	ok(login($client), "$name: a login");
	$node->stop;
	is(eval { ESG::Registry->read($file)->{count} }, 1, "$name: and a good file again");
}

# --- a lower limit ------------------------------------------------------------------------------------------

$registry->write($file);
$node->append_conf('postgresql.conf', 'ext_ssl_guard.max_client_certificates = 4000');
$node->start;
is(count(), 4000, 'fewer places than entries');
is(has($registry->{entries}[7]), 0, 'the one not used for longest is left out');
$node->stop;
is(ESG::Registry->read($file)->{count}, 4000, 'and the file is as long');

done_testing();

# The file of the registry: a save writes what has changed, and whoever is killed
# while he writes it, whatever is full or damaged, what was saved is there.

use strict;
use warnings;

use Test::More;

use POSIX ();
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Registry;

my $many = 3000;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('client', ca => $ca, subject => '/CN=app');
my $other = $certs->make_client('other', ca => $ca, subject => '/CN=other');
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.max_client_certificates = 10000\nrestart_after_crash = on\nautovacuum = off\next_ssl_guard.self_probe = off",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
my $file = $node->path('pg_stat/ext_ssl_guard.clients');

# kills whoever writes the registry's file, and if so told the postmaster, when the
# journal is in its place, or when part of the file is written
my $shim = ESG::Node::build_library($node->path('../killer'), <<'SHIM');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
static void
end_here(const char *at)
{
	char		wanted[32] = "";
	FILE	   *fault = fopen(getenv("KILLER"), "r");

	if (fault == NULL)
		return;
	(void) !fgets(wanted, sizeof(wanted), fault);
	fclose(fault);
	if (strncmp(wanted, at, strlen(at)) != 0)
		return;
	unlink(getenv("KILLER"));
	if (strstr(wanted, "postmaster") != NULL)
		kill(getppid(), SIGKILL);
	kill(getpid(), SIGKILL);
}
int
rename(const char *from, const char *to)
{
	int			(*next) (const char *, const char *);
	int			result;

	*(void **) &next = dlsym(RTLD_NEXT, "rename");
	if (strstr(to, "clients.journal") != NULL)
		end_here("before");
	result = next(from, to);
	if (strstr(to, "clients.journal") != NULL)
		end_here("journal");
	return result;
}
static ssize_t
put(const char *name, int fd, const void *buf, size_t size, off_t at)
{
	ssize_t		(*next) (int, const void *, size_t, off_t);
	char		link[64];
	char		path[1024] = "";

	*(void **) &next = dlsym(RTLD_NEXT, name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, "ssl_guard.clients") != NULL && access(getenv("KILLER"), F_OK) == 0)
	{
		(void) !next(fd, buf, size / 2, at);
		end_here("half");
	}
	return next(fd, buf, size, at);
}
ssize_t
pwrite(int fd, const void *buf, size_t size, off_t at)
{
	return put("pwrite", fd, buf, size, at);
}
ssize_t
pwrite64(int fd, const void *buf, size_t size, off_t at)
{
	return put("pwrite64", fd, buf, size, at);
}
SHIM
my $fault = $ENV{KILLER} = $node->path('../killer.wanted');

sub query { return $node->safe_psql('postgres', $_[0]); }

sub start { local $ENV{LD_PRELOAD} = $shim // ''; return $node->start; }

sub login { return ($node->tcp_psql('SELECT 1', user => 'app', client => $_[0]))[0] == 0; }

sub logins
{
	my ($cert) = @_;

	return query("SELECT logins FROM ssl_guard_client_certificates WHERE fingerprint = '$cert->{fingerprint}' AND role_name = 'app'");
}

sub worker { return $node->wait_sql("SELECT coalesce(worker_pid, 0) FROM ssl_guard_status", qr/^[1-9]/); }

# It saves when it is ended, and comes again.
sub end_worker
{
	my $pid = worker();

	kill 'TERM', $pid;
	sleep 0.05 while kill(0, $pid) && ESG::Node::slurp("/proc/$pid/stat") !~ /\) Z/;
	return;
}

sub written_by
{
	my ($pid) = @_;

	return ESG::Node::slurp("/proc/$pid/io") =~ /^wchar: (\d+)/m ? $1 : die 'no wchar';
}

# Which records of the file are others?
sub changed
{
	my ($before, $after) = @_;
	my $old = ESG::Registry->read($before);
	my $new = ESG::Registry->read($after);
	my @changed;

	foreach my $n (0 .. $new->{count} - 1)
	{
		push @changed, "stable $n" if substr($old->{entries}[$n] // '', 0, $new->{stable}) ne substr($new->{entries}[$n], 0, $new->{stable});
		push @changed, "use $n" if substr($old->{entries}[$n] // ' ' x 2000, $new->{stable}) ne substr($new->{entries}[$n], $new->{stable});
	}
	return join(', ', @changed);
}

sub keep_copy
{
	ESG::Certs::spew("$file.before", ESG::Certs::slurp($file));
	return "$file.before";
}

# 3000 entries, made of a real one
$node->start;
query('CREATE ROLE app LOGIN');
ok(login($client), 'a login');
$node->stop;
my $registry = ESG::Registry->read($file);
is($registry->{count}, 1, 'is an entry');
$registry->multiply($many);
$registry->write($file);
start();
is(query('SELECT client_certificates FROM ssl_guard_status'), $many, "$many entries are read");
is(logins($client), 1, 'with their counters');

# --- what a save writes -------------------------------------------------------------------------------

my $before = keep_copy();
ok(login($client), 'a login');
my $pid = worker();
my $bytes = written_by($pid);
# the worker does it by itself
my $until = time + $ESG::Node::timeout;
my $counter = sub { my $now = eval { ESG::Registry->read($file) }; return $now ? unpack('q', substr($now->{entries}[0], $now->{stable} + 16, 8)) : -1; };
sleep 0.5 while $counter->() != 2 && time < $until;
is($counter->(), 2, 'is saved within half a minute');
is(changed($before, $file), 'use 0', 'what has changed is written, nothing else');
cmp_ok(written_by($pid) - $bytes, '<', 100_000, 'of a file of ' . (-s $file) . ' bytes, the log and the other files included');

$before = keep_copy();
ok(login($other), 'another certificate');
end_worker();
is(changed($before, $file), "stable $many, use $many", 'is one entry more');
is(-s $file, ESG::Registry->read($file)->place_of(stable => 64 * int(($many + 64) / 64)), 'the file is as long as it should be');

# stopping writes no more than that, too
$before = keep_copy();
my $inode = (stat $file)[1];
ok(login($client), 'a login');
$node->stop;
is(changed($before, $file), 'use 0', 'stopping: the same');
is((stat $file)[1], $inode, 'in the same file');
start();
is(logins($client), 3, 'read again');

# a reset is an empty file
query('SELECT ssl_guard_reset_client_certificates()');
end_worker();
is(ESG::Registry->read($file)->{count}, 0, 'a reset is saved');
worker();
ok(login($client), 'a login');
$node->stop;
$registry->{generation}++;
$registry->write($file);
start();
is(query('SELECT client_certificates FROM ssl_guard_status'), $many, 'a file put in place of it');

# --- killed in between ------------------------------------------------------------------------------------

SKIP:
{
	skip 'no compiler', 30 if !defined $shim;
	my $count = 1;

	foreach my $where ('before', 'journal', 'half', 'before postmaster', 'journal postmaster', 'half postmaster')
	{
		my $saved = $count;

		ok(login($client), "$where: a login");
		worker();
		my $offset = $node->log_end;
		my $postmaster = ESG::Node::slurp($node->path('postmaster.pid')) =~ /^(\d+)/ ? $1 : die;
		ESG::Certs::spew($fault, $where);
		kill 'TERM', worker();
		my $end = time + $ESG::Node::timeout;
		sleep 0.05 while -e $fault && time < $end;
		if ($where =~ /postmaster/)
		{
			sleep 0.05 while kill(0, $postmaster) && time < $end && (eval { ESG::Node::slurp("/proc/$postmaster/stat") } // 'Z) Z') !~ /\) Z/;
			$node->{_pid} = undef;
			my $left = time + 30;
			# its children see that it is gone
			sleep 0.1 while time < $left && grep { (eval { ESG::Node::slurp("/proc/$_/stat") } // '') =~ /^\d+ \(postgres\) [^Z] 1 / && (readlink("/proc/$_/cwd") // '') eq $node->data_dir } map { m{(\d+)} } glob('/proc/[0-9]*');
			# nobody may have waited for it yet, which looks as if it lived
			unlink $node->path('postmaster.pid'), $node->host . '/.s.PGSQL.' . $node->port . '.lock';
			start();
		}
		else
		{
			$node->wait_log(qr/was terminated by signal 9/, $offset);
			$node->wait_log(qr/database system is ready to accept connections/, $offset);
		}
		$count++ if $where !~ /before/;
		# what was not in the journal was not saved
		is(logins($client), $count, "$where: what was saved is there");
		is(query('SELECT client_certificates FROM ssl_guard_status'), $many, "$where: and all else");
		unlike($node->log_since($offset), qr/damaged|could not (?:read|write)/, "$where: nothing is damaged");
		ok(!-e "$file.journal", "$where: the journal is done");
	}
}

# --- full -------------------------------------------------------------------------------------------------------

SKIP:
{
	skip 'no prlimit', 8 if system('prlimit --version >/dev/null 2>&1') != 0;
	my $limited = worker();
	my $offset = $node->log_end;
	my $was = logins($client);

	system('prlimit', '--pid', $limited, '--fsize=1000000:unlimited') == 0 or die 'prlimit';
	ok(login($other), 'a login that goes where the file may not be written');
	ok(login($client), 'and one');
	$node->wait_log(qr/LOG:  could not write file "pg_stat\/ext_ssl_guard\.clients": File too large/, $offset);
	pass('is said');
	my $pending = -e "$file.journal";
	ok($pending, 'the journal is kept');
	$node->stop('immediate');
	start();
	is(logins($client), $was + 1, 'what was in the journal is carried out at the next start');
	is(logins($other), 1, 'all of it');
	# the journal itself does not fit
	$limited = worker();
	system('prlimit', '--pid', $limited, '--fsize=10:unlimited') == 0 or die 'prlimit';
	ok(login($client), 'a login');
	sleep 1;
	system('prlimit', '--pid', $limited, '--fsize=unlimited:unlimited') == 0 or die 'prlimit';
	end_worker();
	$node->stop('immediate');
	start();
	is(logins($client), $was + 2, 'saved when there is room again');
}

# --- damaged -------------------------------------------------------------------------------------------------------

$node->stop;
my $good = ESG::Certs::slurp($file);
my $shape = ESG::Registry->read($file);
my %damage = (
	'a flipped bit in a first part' => sub { substr($good, $shape->place_of(stable => 70) + 40, 1) ^= "\x10" },
	'a flipped bit in a second part' => sub { substr($good, $shape->place_of(use => 2000) + 20, 1) ^= "\x10" },
	'a flipped bit in the header' => sub { substr($good, 48, 1) ^= "\x02" },
	'one byte less' => sub { substr($good, -1) = '' },
	'a block less' => sub { substr($good, $shape->place_of(stable => 2944)) = '' },
	'a block more' => sub { $good .= "\0" x ($shape->place_of(stable => 64) - 56) },
	'half a header' => sub { $good = substr($good, 0, 30) },
	'no byte' => sub { $good = '' },
	'garbage' => sub { $good = join('', map { chr int rand 256 } 1 .. 5000) },
	'two parts exchanged' => sub {
		my ($a, $b) = map { $shape->place_of(use => $_) } 10, 11;
		my $size = $shape->record('use');
		(substr($good, $a, $size), substr($good, $b, $size)) = (substr($good, $b, $size), substr($good, $a, $size));
	},
	'the same entry twice' => sub { local $shape->{entries}[5] = $shape->{entries}[6]; $shape->write($file); $good = ESG::Certs::slurp($file); },
	'of another size' => sub { local $shape->{size} = $shape->{size} + 8; substr($good, 0, 56) = $shape->header; });
foreach my $name (sort keys %damage)
{
	my $content = $good;

	unlink "$file.damaged";
	$damage{$name}->();
	ESG::Certs::spew($file, $good);
	$good = $content;
	my $offset = $node->log_end;
	start();
	like($node->log_since($offset), qr/ignoring damaged file "pg_stat\/ext_ssl_guard\.clients"/, "$name: said");
	is(query('SELECT client_certificates FROM ssl_guard_status'), 0, "$name: nothing of it counts");
	ok(-e "$file.damaged", "$name: it is kept");
	ok(login($client), "$name: a login");
	$node->stop;
	is(eval { ESG::Registry->read($file)->{count} }, 1, "$name: and a good file again");
}

# a journal that is garbage, of another file, or too large
my %journal = (
	'garbage' => 'ESGJNL01' . 'x' x 300,
	'empty' => '',
	'too large' => 'ESGJNL01' . "\0" x 3_000_000);
foreach my $name (sort keys %journal)
{
	ESG::Certs::spew($file, $good);
	ESG::Certs::spew("$file.journal", $journal{$name});
	my $offset = $node->log_end;
	start();
	like($node->log_since($offset), qr/ignoring damaged file "pg_stat\/ext_ssl_guard\.clients\.journal"/, "a journal, $name: said");
	is(query('SELECT client_certificates FROM ssl_guard_status'), $shape->{count}, "$name: the file is as it was");
	ok(!-e "$file.journal", "$name: it is gone");
	$node->stop;
}
unlink "$file.journal";
POSIX::mkfifo("$file.journal", 0600) or die "mkfifo: $!";
my $began = time;
start();
cmp_ok(time - $began, '<', 20, 'a FIFO in its place is not waited for');
$node->stop;

# of another data directory
{
	local $shape->{owner} = 'x' x 24;
	my $offset = $node->log_end;

	$shape->write($file);
	start();
	like($node->log_since($offset), qr/removed file "pg_stat\/ext_ssl_guard\.clients" of client certificates, which belongs to another data directory/, "another's file");
	is(query('SELECT client_certificates FROM ssl_guard_status'), 0, 'counts for nothing');
	$node->stop;
	# a copy may have been taken of a file that was being written
	ESG::Certs::spew($file, substr(do { $shape->write($file); ESG::Certs::slurp($file) }, 0, 9000));
	unlink "$file.damaged";
	$offset = $node->log_end;
	start();
	like($node->log_since($offset), qr/which belongs to another data directory/, 'even half of it');
	unlike($node->log_since($offset), qr/damaged/, 'is nothing to worry about');
	$node->stop;
}

# the version before is read once, and written as it is now
$shape->write_old($file, @{ $shape->{entries} }[ 0 .. 99 ]);
start();
is(query('SELECT client_certificates FROM ssl_guard_status'), 100, 'a file of the version before');
end_worker();
is(ESG::Registry->read($file)->{count}, 100, 'is written anew');
$node->stop;

done_testing();

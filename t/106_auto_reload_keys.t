# auto_reload: encrypted keys, keys that cannot be read, and that no key is left
# in the worker; on a standby, too.

use strict;
use warnings;

use IPC::Run ();
use POSIX qw(mkfifo);
use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Memory;
use ESG::Node;
use ESG::Renewal;
use ESG::Shim;

my $passphrase = 'Sesam oeffne dich 4711';
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $made = 0;

sub renewed { return $certs->make_server('server' . ++$made, ca => $ca, days_left => 100 + $made, key => 'rsa:2048', @_); }

my $first = renewed(passphrase => $passphrase);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $first, conf => $ESG::Renewal::settings, init => { allows_streaming => 1 },
	hba => [ 'local replication all trust', 'hostssl all all 127.0.0.1/32 trust' ]);
my $r = ESG::Renewal->new($node);

sub encrypt
{
	my ($secret) = @_;
	my $said = '';

	ESG::Certs::spew($certs->dir . '/input', "$secret\n");
	IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '-D', $node->data_dir ], '<', $certs->dir . '/input', '>&', \$said)
	  or die "ssl_guard_ctl: $said";
	return;
}

# the numbers that make the key, as they are in memory
sub numbers
{
	my ($path, @options) = @_;
	my $text = ESG::Certs::openssl('rsa', '-in', $path, @options, '-noout', '-text');
	my @numbers;

	foreach my $name (qw(privateExponent prime1 prime2))
	{
		die "no $name" unless $text =~ /^$name:\n((?: .*\n)+)/m;
		my $bytes = pack('H*', $1 =~ s/[:\s]//gr) =~ s/^\0+//r;
		push @numbers, $bytes, scalar reverse $bytes;
	}
	return @numbers;
}

sub worker { return $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status'); }

# --- with the passphrase pair ------------------------------------------------------

encrypt($passphrase);
$node->start;
$node->wait_sql('SELECT in_sync FROM ssl_guard_status');
my $cert = renewed(passphrase => $passphrase);
$r->begin;
$r->put(ESG::Renewal::pair($cert));
$r->in_service($cert, 'an encrypted key, opened by the pair');
SKIP:
{
	my $pid = worker();

	skip 'the memory of other processes cannot be read here', 2 unless ESG::Memory::readable($pid);
	is(join('; ', ESG::Memory::find($pid, ESG::Memory::masked($passphrase))), '', 'the worker has nothing of the passphrase');
	is(join('; ', ESG::Memory::find($pid, numbers($cert->{key}, '-passin', "pass:$passphrase"))), '', 'nor of the key');
}

$r->begin;
$r->put(ESG::Renewal::pair(renewed(passphrase => 'another passphrase')));
$r->refused(qr{file ".*/server\.key" has changed and is not loaded automatically: \S}, 'a key that the pair does not open');
unlike($node->log_since($r->{offset}), qr/another passphrase|$passphrase/, 'of which the log says nothing secret');
$cert = renewed(passphrase => 'another passphrase');
$r->put(ESG::Renewal::pair($cert));
encrypt('another passphrase');
$r->in_service($cert, 'with its pair it is loaded');

# --- who opens the key ------------------------------------------------------------------

# Stops where the key has been loaded, in a process of which nobody shall get a dump.
my $shim = ESG::Shim::build($certs->dir . '/stop', <<'SHIM');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int
SSL_CTX_check_private_key(const void *context)
{
	if (prctl(PR_GET_DUMPABLE) == 0)
		kill(getpid(), SIGSTOP);
	return ((int (*) (const void *)) dlsym(RTLD_NEXT, "SSL_CTX_check_private_key")) (context);
}
SHIM

sub stopped_child
{
	my ($parent) = @_;
	my $until = time + 60;

	while (time < $until)
	{
		foreach my $stat (glob '/proc/[0-9]*/stat')
		{
			return $1 if eval { ESG::Certs::slurp($stat) } && ESG::Certs::slurp($stat) =~ /^(\d+) \(.*\) T $parent /s;
		}
		sleep 0.1;
	}
	return;
}

SKIP:
{
	skip 'no C compiler, or no /proc', 7 unless $shim && -d "/proc/$$";
	$node->stop;
	{
		local $ENV{LD_PRELOAD} = $shim;
		$node->start;
	}
	$node->wait_sql('SELECT in_sync FROM ssl_guard_status');
	$cert = renewed(passphrase => 'another passphrase');
	$r->begin;
	$r->put(ESG::Renewal::pair($cert));
	my $child = stopped_child(worker());
	ok($child, 'a child of the worker has loaded the key, and gets no core dump') or skip 'no child', 6;
	like(ESG::Certs::slurp("/proc/$child/limits"), qr/^Max core file size +0 +0 /m, 'nor may it');
	is((stat "/proc/$child/environ")[4], 0, 'its memory is for root alone');
	my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
	$node->reload;
	is($node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status"), 't', 'while it hangs, the worker goes on');
	is($r->wait_served($cert), $cert->{fingerprint}, 'and somebody else may reload');
	my $start = time;
	$node->stop;
	cmp_ok(time - $start, '<', 20, 'the server stops');
	ok(!kill(0, $child), 'and the child is gone');
	$node->start;
	$node->wait_sql('SELECT in_sync FROM ssl_guard_status');
}

# --- a key that is none --------------------------------------------------------------

$r->begin;
unlink $node->path('server.key');
mkfifo($node->path('server.key'), 0600) or die "mkfifo: $!";
$r->put('server.crt' => \renewed()->{cert});
$r->refused(qr/not a regular file|file_not_regular/, 'a named pipe in place of the key');
my $checked = $node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()');
cmp_ok($checked, '>', 0, 'which holds up nothing');
$cert = renewed();
$r->put(ESG::Renewal::pair($cert));
$r->in_service($cert, 'a key that is not encrypted');

# --- without the pair -------------------------------------------------------------------

unlink map { $node->path("server.key.$_") } qw(cipher rand);
$node->apply('ssl_passphrase_command' => 'echo secret', 'ssl_passphrase_command_supports_reload' => 'off');
$r->begin;
$cert = renewed(passphrase => 'secret');
$r->put(ESG::Renewal::pair($cert));
$r->refused(qr{file ".*/server\.key" has changed and is not loaded automatically: the key is encrypted, and nobody gives its passphrase at a reload},
	'an encrypted key that nobody opens');
$node->apply('ssl_passphrase_command_supports_reload' => 'on');
is($r->wait_served($cert), $cert->{fingerprint}, 'ssl_passphrase_command does');
$cert = renewed(passphrase => 'secret');
$r->begin;
$r->put(ESG::Renewal::pair($cert));
$r->in_service($cert, 'and at the next renewal');
like($node->log_since($r->{offset}), qr/LOG:  whether the private key fits is known only when the server loads it/, 'which the log says');
my $before = $cert;
$r->begin;
$r->put('server.crt' => \renewed()->{cert});
$r->alarm_stands('auto_reload_failed', qr/the server could not load them/, 'a key of which only the server finds out that it does not fit');
is($r->reloads, 1, 'at one reload');
# EXEC_BACKEND: each backend loads the files by itself
is(ESG::Sni::served($node), $before->{fingerprint}, 'which changes nothing') unless ESG::Node::exec_backend();
$r->put(ESG::Renewal::pair($before));
$node->reload;

# --- a standby ------------------------------------------------------------------------------

$node->apply('ssl_passphrase_command' => '');
$cert = renewed();
$r->put(ESG::Renewal::pair($cert));
$node->reload;
is($r->wait_served($cert), $cert->{fingerprint}, 'the primary');
$node->backup('base');
my $standby = ESG::Node->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
chmod 0600, $standby->path('server.key') or die "chmod: $!";
$standby->start;
my $s = ESG::Renewal->new($standby);
is($s->wait_served($cert), $cert->{fingerprint}, 'a standby');
$standby->wait_sql('SELECT in_sync FROM ssl_guard_status');
$s->begin;
$r->begin;
$cert = renewed();
$s->put(ESG::Renewal::pair($cert));
$s->in_service($cert, 'of which the files are renewed');
$r->untouched('the primary');

$standby->stop;
$node->stop;
done_testing();

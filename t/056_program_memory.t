# What ssl_guard_ctl has in memory when it is done: nothing of the passphrase,
# nothing of the private key.  See t/ESG/Memory.pm.
#
# A library loaded into the program (LD_PRELOAD) lets others of its user look
# into it, and stops it before it ends.  Its own calls are bound at once (-z now,
# as the program's): binding late saves all vector registers on the stack.

use strict;
use warnings;

use IPC::Run ();
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Memory;
use PostgreSQL::Test::Utils ();

my $base = PostgreSQL::Test::Utils::tempdir();
my $certs = ESG::Certs->new;

plan skip_all => 'no /proc/PID/mem' unless -e "/proc/$$/mem";
plan skip_all => 'even its own memory cannot be read through /proc here' unless ESG::Memory::readable($$);

ESG::Certs::spew("$base/stop.c", <<'SOURCE');
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int
prctl(int option, ...)
{
	(void) option;
	return 0;
}

/* what the program calls when all is done and said */
int
fflush(FILE *file)
{
	(void) file;
	kill(getpid(), SIGSTOP);
	return 0;
}
SOURCE
plan skip_all => 'no C compiler'
  if system("cc -shared -fPIC -Wl,-z,now -o '$base/stop.so' '$base/stop.c' 2>'$base/cc.out'") != 0;

sub random_text { return join '', map { ('a' .. 'z', 'A' .. 'Z', 0 .. 9)[ rand 62 ] } 1 .. $_[0]; }

# waitpid() does not tell perl that a process was stopped
sub wait_stopped
{
	my ($pid) = @_;
	my $until = time + 60;

	while (ESG::Certs::slurp("/proc/$pid/stat") !~ /\) T /)
	{
		die "ssl_guard_ctl has not stopped: $?, " . ESG::Certs::slurp("$base/out") if waitpid($pid, WNOHANG) == $pid || time > $until;
		sleep 0.02;
	}
	return;
}

# Runs ssl_guard_ctl and looks into it when it has stopped; (what is found, what it said)
sub look
{
	my ($input, $secrets, @arguments) = @_;
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		$ENV{LD_PRELOAD} = "$base/stop.so";
		open STDIN, '<', $input;
		open STDOUT, '>', "$base/out";
		open STDERR, '>&', \*STDOUT;
		exec('ssl_guard_ctl', @arguments) or POSIX::_exit(1);
	}
	wait_stopped($pid);
	my @found = ESG::Memory::find($pid, @$secrets);
	my @control = ESG::Memory::find($pid, $arguments[-1]);
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return (join('; ', @found), join('; ', @control), ESG::Certs::slurp("$base/out"));
}

# The secret numbers of a key, as DER and as the limbs of OpenSSL's numbers have them.
sub numbers
{
	my ($key) = @_;
	my $text = ESG::Certs::openssl('pkey', '-in', $key, '-noout', '-text');
	my @numbers;

	while ($text =~ /^(privateExponent|prime\d|exponent\d|coefficient|priv):\s*\n((?:\s+[0-9a-f:]+\n)+)/mg)
	{
		my $bytes = pack 'H*', $2 =~ s/[\s:]//gr;

		push @numbers, $bytes, scalar reverse $bytes;
	}
	return @numbers;
}

my $count = 0;
foreach my $kind ('rsa:2048', 'ec:prime256v1')
{
	foreach my $traditional (0, 1)
	{
		foreach my $length (48, 1023)
		{
			my $dir = "$base/d" . ++$count . random_text(40);
			my $name = "$kind, " . ($traditional ? 'traditional' : 'PKCS#8') . ", $length bytes";
			my $passphrase = random_text($length);
			my $input = ESG::Certs::spew("$base/input", "$passphrase\n");

			mkdir $dir, 0700;
			$certs->make_key("$base/plain.key", $kind);
			ESG::Certs::openssl($traditional ? ('pkey', '-traditional', '-aes256') : ('pkcs8', '-topk8', '-v2', 'aes256'),
				'-in', "$base/plain.key", '-out', "$dir/server.key", '-passout', "file:$input");
			my @secrets = (ESG::Memory::masked($passphrase), numbers("$base/plain.key"));
			cmp_ok(scalar @secrets, '>=', $kind =~ /rsa/ ? 15 : 5, "$name: the key's numbers are known");
			foreach my $command ('encrypt', 'check', 'decrypt')
			{
				my ($found, $control, $said) = look($input, \@secrets, $command, '-D', $dir);

				like($said, $command eq 'decrypt' ? qr/\A\Q$passphrase\E\n\z/ : qr/\A\z/, "$name: $command is done");
				isnt($control, '', "$name: $command: the search finds what is there");
				is($found, '', "$name: $command: nothing is left");
			}
		}
	}
}

# the passphrase is found while the program has it: it waits for the rest of the line
{
	my $dir = "$base/waits";
	my $passphrase = random_text(48);

	mkdir $dir, 0700;
	pipe(my $read, my $write) or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		close $write;
		$ENV{LD_PRELOAD} = "$base/stop.so";
		open STDIN, '<&', $read;
		open STDOUT, '>', "$base/out";
		exec('ssl_guard_ctl', 'encrypt', '-D', $dir) or POSIX::_exit(1);
	}
	close $read;
	syswrite $write, $passphrase;
	my $until = time + 60;
	my @found;
	# not before it is the program: this test has it in its memory, too
	sleep 0.1 until time > $until ||
	  ESG::Certs::slurp("/proc/$pid/cmdline") =~ /^ssl_guard_ctl/ && (@found = ESG::Memory::find($pid, $passphrase));
	is(join('; ', @found), 'anonymous: 48 bytes', 'while it is needed it is there, once');
	my ($locked) = ESG::Certs::slurp("/proc/$pid/status") =~ /^VmLck:\s*(\d+)/m;
	SKIP:
	{
		skip 'no memory may be locked here', 1 if `bash -c 'ulimit -H -l'` =~ /^[0-4]\n/;
		cmp_ok($locked, '>=', 4, 'in memory that is not swapped out');
	}
	note("locked: $locked kB");
	close $write;
	wait_stopped($pid);
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

done_testing();

# ssl_guard_ctl by itself: what it accepts, what it refuses, what it leaves
# behind.  t/051 kills it at every step; t/052 is about the server.

use strict;
use warnings;

use Config;
use Fcntl qw(:DEFAULT :flock);
use IPC::Run ();
use POSIX ();
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $certs = ESG::Certs->new;
my $base = PostgreSQL::Test::Utils::tempdir();
my $count = 0;
my %number;

# what else ends a program, as far as this system has it
my @signals = grep { exists $SIG{$_} } qw(QUIT ALRM PIPE USR1 USR2 XCPU PROF VTALRM IO PWR STKFLT ABRT RTMIN RTMAX);

@number{ split ' ', $Config{sig_name} } = split ' ', $Config{sig_num};

sub new_dir
{
	my $dir = "$base/d" . ++$count;

	mkdir $dir, 0700 or die "mkdir: $!";
	return $dir;
}

# (exit status, standard output, standard error); input is standard input's
sub run_ctl
{
	my ($input, @arguments) = @_;
	my ($out, $err) = ('', '');

	# not a pipe: who refuses early does not read it
	ESG::Certs::spew("$base/input", $input);
	IPC::Run::run([ 'ssl_guard_ctl', @arguments ], '<', "$base/input", '>', \$out, '2>', \$err);
	return ($? & 127 ? "signal $?" : $? >> 8, $out, $err);
}

sub ctl_is
{
	my ($input, $arguments, $want, $pattern, $name) = @_;
	my ($status, $out, $err) = run_ctl($input, @$arguments);

	is($status, $want, "$name: exit status") or diag("$out$err");
	like($err, $pattern, "$name: standard error");
	return $out;
}

# Runs a program in the terminal as a shell does, in a process group of its own:
# only so can it be stopped.  Writes its number, then its wait status.
sub run_job
{
	my ($terminal, $write, @command) = @_;
	my $pid = fork // POSIX::_exit(1);

	if ($pid == 0)
	{
		POSIX::setpgid(0, 0);
		$SIG{TTOU} = 'IGNORE';
		POSIX::tcsetpgrp(fileno $terminal, $$);
		$SIG{$_} = 'DEFAULT' foreach 'TTOU', 'PIPE', @signals;
		POSIX::dup2(fileno $terminal, $_) foreach 0 .. 2;
		exec(@command) or POSIX::_exit(1);
	}
	syswrite $write, "$pid\n";
	waitpid $pid, 0;
	syswrite $write, "$?\n";
	POSIX::_exit(0);
}

sub slurp { return ESG::Certs::slurp($_[0]); }

sub mode_of { return sprintf('%04o', (stat $_[0])[2] & 07777); }

sub files_of
{
	my ($dir) = @_;

	return join ' ', sort map { s{.*/}{}r } glob("$dir/*");
}

my $quiet = qr/\A\z/;
my $no_key = qr/\Assl_guard_ctl: there is no ".*" to try the passphrase on\n\z/;

# ---- usage

{
	my $dir = new_dir();

	ctl_is('', [], 2, qr/no command/, 'no command');
	ctl_is('', ['melt'], 2, qr/unknown command/, 'unknown command');
	ctl_is('', [ 'encrypt', 'secret', '-D', $dir ], 2, qr/more than one command/, 'two words');
	ctl_is('', ['encrypt'], 2, qr/-D is needed/, 'no directory');
	ctl_is('', [ 'encrypt', '-D' ], 2, qr/requires an argument/, 'option without its argument');
	ctl_is('', [ 'encrypt', '-D', $dir, '--nonsense' ], 2, qr/unknown option "--nonsense"$/m, 'unknown option');
	# whoever thinks that there is such an option has his passphrase not shown, nor taken for a file
	foreach my $option ('passphrase', 'pass', 'password', 'passphrase-fil', 'p')
	{
		ctl_is('', [ 'encrypt', '-D', $dir, "--$option=sesam" ], 2,
			qr/\Assl_guard_ctl: error: unknown option "--$option"\nTry .*\n\z/, "--$option with a value");
		ctl_is('', [ 'encrypt', '-D', $dir, "--$option", 'sesam' ], 2,
			qr/\Assl_guard_ctl: error: unknown option "--$option"\nTry .*\n\z/, "--$option, then a value");
	}
	ctl_is('', [ 'encrypt', '-D', $dir, '-M', 'both' ], 2, qr/unknown mode/, 'unknown mode');
	ctl_is('', [ 'decrypt', '-D', $dir, '--force' ], 2, qr/for "encrypt" only/, 'decrypt --force');
	ctl_is('', [ 'check', '-D', $dir, '--passphrase-file', '/dev/null' ], 2, qr/for "encrypt" only/, 'check with passphrase');
	is(files_of($dir), '', 'wrong usage writes nothing');
	like(ctl_is('', ['--help'], 0, $quiet, 'help'), qr/^Usage:/m, 'help is on standard output');
	like(ctl_is('', ['--version'], 0, $quiet, 'version'), qr/^ssl_guard_ctl \(ext_ssl_guard\) \d+\.\d+\n\z/, 'version');
}

# ---- a pair, and the ways to give the passphrase

{
	my $dir = new_dir();
	my $old_umask = umask 0777;
	my $out = ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 0, $no_key, 'encrypt from standard input');

	umask $old_umask;
	like($out, qr/wrote/, 'and says so');
	unlike($out, qr/sesam/, 'but not the passphrase');
	is(files_of($dir), 'server.key.cipher server.key.rand', 'two files');
	is(mode_of("$dir/server.key.cipher"), '0400', 'mode of .cipher whatever the umask is');
	is(mode_of("$dir/server.key.rand"), '0400', 'mode of .rand');
	is(ctl_is('', [ 'decrypt', '-D', $dir ], 0, $quiet, 'decrypt'), "sesam\n", 'it is the passphrase');
	like(ctl_is('', [ 'check', '-D', $dir ], 0, $no_key, 'check'), qr/usable/, 'the pair is usable');
	unlike(slurp("$dir/server.key.cipher") . slurp("$dir/server.key.rand"), qr/sesam/, 'not in the clear');

	my $before = slurp("$dir/server.key.cipher");
	ctl_is("other\n", [ 'encrypt', '-D', $dir ], 1, qr/exists already; --force/, 'a second time');
	is(slurp("$dir/server.key.cipher"), $before, 'nothing is changed');
	ctl_is("other\n", [ 'encrypt', '-D', $dir, '--force' ], 0, $no_key, 'with --force');
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "other\n", 'it is replaced');
	unlink "$dir/server.key.cipher";
	ctl_is("third\n", [ 'encrypt', '-D', $dir ], 1, qr/\.rand" exists already/, 'half a pair is not replaced either');

	ctl_is("client\n", [ 'encrypt', '-M', 'client', '-D', $dir ], 0, qr/client\.key/, 'a pair for a client');
	is((run_ctl('', 'decrypt', '-D', $dir, '--mode=client'))[1], "client\n", 'comes back');
	is(files_of($dir), 'client.key.cipher client.key.rand server.key.rand', 'beside the other');
}

foreach my $case (
	[ 'no line end', 'sesam', 'sesam' ],
	[ 'CR LF', "sesam\r\n", 'sesam' ],
	[ 'only the first line counts', "sesam\nmore\n", 'sesam' ],
	[ 'spaces are part of it', "  ses am \t\n", "  ses am \t" ],
	[ 'one byte', "x\n", 'x' ],
	[ '1023 bytes', 'p' x 1023 . "\n", 'p' x 1023 ],
	[ '1023 bytes and CR LF', 'p' x 1023 . "\r\n", 'p' x 1023 ],
	[ 'UTF-8', "\xc3\xb6ffne \xf0\x9f\x94\x91\n", "\xc3\xb6ffne \xf0\x9f\x94\x91" ],
	[ 'not UTF-8', "\xff\xe4\x01\n", "\xff\xe4\x01" ])
{
	my ($name, $input, $want) = @$case;
	my $dir = new_dir();
	my $file = ESG::Certs::spew("$dir/passphrase", $input);

	chmod 0600, $file;
	ctl_is($input, [ 'encrypt', '-D', $dir ], 0, $no_key, $name);
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "$want\n", "$name: comes back");
	ctl_is('', [ 'encrypt', '-D', $dir, '--force', '--passphrase-file', $file ], 0, $no_key, "$name, from a file");
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "$want\n", "$name, from a file: comes back");
	is(-s "$dir/server.key.cipher", 1150, "$name: the size tells nothing");
}

foreach my $case (
	[ 'nothing', '', qr/empty/ ],
	[ 'an empty line', "\nsesam\n", qr/empty/ ],
	[ 'only CR LF', "\r\n", qr/empty/ ],
	[ '1024 bytes', 'p' x 1024 . "\n", qr/longer than 1023/ ],
	[ 'a megabyte', 'p' x 1_000_000, qr/longer than 1023/ ],
	[ '1024 bytes and CR LF', 'p' x 1024 . "\r\n", qr/longer than 1023/ ],
	[ 'a zero byte', "se\0sam\n", qr/zero byte/ ],
	[ 'CR inside', "se\rsam\n", qr/line end/ ])
{
	my ($name, $input, $pattern) = @$case;
	my $dir = new_dir();

	ctl_is($input, [ 'encrypt', '-D', $dir ], 1, $pattern, $name);
	is(files_of($dir), '', "$name: nothing is written");
}

{
	my $dir = new_dir();
	my $file = ESG::Certs::spew("$dir/passphrase", "sesam\n");

	chmod 0644, $file;
	ctl_is('', [ 'encrypt', '-D', $dir, '--passphrase-file', $file ], 0, qr/accessible to others: mode 0644/,
		'a passphrase file open to others is a warning');
	ctl_is('', [ 'encrypt', '-D', $dir, '--force', '--passphrase-file', "$dir/none" ], 1,
		qr/could not open file/, 'no such passphrase file');
	my ($status, $out) = run_ctl('', 'decrypt', '-D', $dir);
	is("$status $out", "0 sesam\n", 'which changed nothing');
	ctl_is('', [ 'encrypt', '-D', $dir, '--force', '--passphrase-file', '/dev/zero' ], 1,
		qr/longer than 1023/, 'a passphrase file without an end');
	ctl_is('', [ 'encrypt', '-D', $dir, '--force', '--passphrase-file', $dir ], 1,
		qr/could not read .*directory/, 'a directory for a passphrase file');
	is(system('bash', '-c', 'ssl_guard_ctl encrypt -D "$0" --force --passphrase-file <(echo pipe) 2>/dev/null >&2', $dir),
		0, 'from a pipe');
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "pipe\n", 'comes back');
	SKIP:
	{
		skip 'no /dev/full', 2 unless -w '/dev/full';
		is(system("ssl_guard_ctl decrypt -D '$dir' >/dev/full 2>'$base/full'") >> 8, 1, 'decrypt into a full device');
		like(slurp("$base/full"), qr/could not write/, 'says so');
	}
}

# ---- the terminal

SKIP:
{
	skip 'no pseudo-terminals here', 21 + 2 * @signals + 12 unless eval { require IO::Pty; IO::Pty->new };

	# Answers each question; returns (wait status, output, echo seen off, echo after).
	my $talk = sub {
		my ($dir, $signal, @answers) = @_;
		my $pty = IO::Pty->new;
		pipe(my $read, my $write) or die "pipe: $!";
		my $shell = fork // die "fork: $!";
		my ($out, $quiet_echo, $chunk) = ('', 1, '');

		if ($shell == 0)
		{
			$pty->make_slave_controlling_terminal;
			run_job($pty->slave, $write, 'ssl_guard_ctl', 'encrypt', '--force', '-D', $dir);
		}
		close $write;
		chomp(my $pid = <$read>);
		# our own descriptor keeps the terminal's state readable afterwards
		my $slave = $pty->slave;
		my $has_echo = sub {
			my $termios = POSIX::Termios->new;

			$termios->getattr(fileno $slave);
			return $termios->getlflag & POSIX::ECHO() ? 1 : 0;
		};
		alarm 60;
		foreach my $answer (@answers)
		{
			my $asked = '';

			while ($asked !~ /: \z/)
			{
				sysread $pty, $chunk, 1000 or last;
				$asked .= $chunk;
			}
			$out .= $asked;
			$quiet_echo = 0 if $has_echo->();
			syswrite $pty, ref $answer ? $answer->($pid, $has_echo) : $answer;
		}
		kill $signal, $pid if $signal;
		chomp(my $status = <$read>);
		waitpid $shell, 0;
		alarm 0;
		$pty->blocking(0);
		$out .= $chunk while sysread $pty, $chunk, 1000;
		return ($status, $out, $quiet_echo, $has_echo->());
	};
	my $dir = new_dir();
	my ($status, $out, $quiet_echo, $echo) = $talk->($dir, undef, "typed\n", "typed\n");

	is($status, 0, 'terminal: asked twice');
	ok($quiet_echo, 'terminal: no echo');
	ok($echo, 'terminal: echo is back');
	unlike($out, qr/typed/, 'terminal: nothing shown');
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "typed\n", 'terminal: comes back');

	($status, $out, $quiet_echo, $echo) = $talk->($dir, undef, "typed\n", "typod\n");
	is($status >> 8, 1, 'terminal: different answers');
	like($out, qr/differ/, 'terminal: said so');
	unlike($out, qr/typ[eo]d/, 'terminal: still nothing shown');
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "typed\n", 'terminal: nothing changed');
	foreach my $case (
		[ 'control-C', undef, "ty\003", POSIX::SIGINT() ],
		[ 'TERM', 'TERM', 'ty', POSIX::SIGTERM() ],
		[ 'HUP', 'HUP', 'ty', POSIX::SIGHUP() ],
		(map { [ $_, $_, 'ty', $number{$_} ] } @signals))
	{
		($status, $out, $quiet_echo, $echo) = $talk->($dir, $case->[1], $case->[2]);
		is($status & 127, $case->[3], "terminal: ended by $case->[0]");
		ok($echo, "terminal: echo is back after $case->[0]");
	}
	($status, $out, $quiet_echo, $echo) = $talk->($dir, undef, "\004");
	is($status >> 8, 1, 'terminal: end of file');
	ok($echo, 'terminal: echo is back after end of file');
	($status, $out, $quiet_echo, $echo) = $talk->($dir, undef, 'p' x 1100 . "\n");
	is($status >> 8, 1, 'terminal: too long');
	like($out, qr/longer than 1023/, 'terminal: said so');

	# a terminal under another name would show what is typed
	my $shown = IO::Pty->new;
	ctl_is('', [ 'encrypt', '--force', '-D', $dir, '--passphrase-file', $shown->slave->ttyname ], 1,
		qr/is a terminal/, 'terminal: not as a passphrase file');

	# stopped, and going on: the echo is back meanwhile, and the question comes once more
	foreach my $signal ('TSTP', 'TTIN', 'TTOU')
	{
		my $stopped;

		($status, $out, $quiet_echo, $echo) = $talk->($dir, undef, sub {
			my ($pid, $has_echo) = @_;

			kill $signal, $pid;
			for (my $tries = 0; $tries < 600 && slurp("/proc/$pid/stat") !~ /\) T /; $tries++)
			{
				select undef, undef, undef, 0.1;
			}
			$stopped = $has_echo->();
			kill 'CONT', $pid;
			return '';
		}, "again\n", "again\n");
		ok($stopped, "terminal: stopped by $signal: echo is back");
		ok($quiet_echo, "terminal: stopped by $signal: and off again when it goes on");
		is($status, 0, "terminal: stopped by $signal: then it is done");
		is((run_ctl('', 'decrypt', '-D', $dir))[1], "again\n", "terminal: stopped by $signal: what was typed then");
	}
}

# ---- standard input, output and error closed: no file that is opened takes their place

foreach my $case (
	[ 'encrypt', '0<&-', 1, 'the pair is not written' ], [ 'encrypt', '2>&-', 0, 'the pair is written' ],
	[ 'encrypt', '>&- 2>&-', 1, 'the pair is written' ], [ 'encrypt', '0<&- >&- 2>&-', 1, 'the pair is not written' ],
	[ 'decrypt', '>&-', 1, 'the passphrase goes nowhere' ], [ 'check', '>&- 2>&-', 1, 'the pair is looked at' ])
{
	my ($command, $closed, $want, $what) = @$case;
	my $dir = new_dir();
	my $key = $certs->make_key("$dir/server.key", 'ec:prime256v1', passphrase => 'sesam');
	my $before = slurp("$dir/server.key");

	run_ctl("sesam\n", 'encrypt', '-D', $dir) if $command ne 'encrypt';
	ESG::Certs::spew("$base/input", "sesam\n");
	my $status = system('bash', '-c', "ssl_guard_ctl $command -D '$dir' <'$base/input' >/dev/null 2>/dev/null $closed") >> 8;
	my $name = "$command $closed";
	is($status, $want, "$name: exit status");
	is(slurp("$dir/server.key"), $before, "$name: the key is as it was");
	my $pair = $what =~ /not written/ ? 'server.key' : 'server.key server.key.cipher server.key.rand';
	is(files_of($dir), $pair, "$name: $what");
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "sesam\n", "$name: it is whole") if $pair =~ /rand/;
}

# ---- the key beside the pair

foreach my $kind ('rsa:2048', 'ec:prime256v1')
{
	foreach my $traditional (0, 1)
	{
		my $name = $kind . ($traditional ? ', traditional' : ', PKCS#8');
		my $dir = new_dir();
		my $passphrase = "\xc3\xb6ffne dich";

		$certs->make_key("$dir/server.key", $kind, passphrase => $passphrase, traditional => $traditional);
		like(slurp("$dir/server.key"), $traditional ? qr/Proc-Type: 4,ENCRYPTED/ : qr/BEGIN ENCRYPTED PRIVATE KEY/,
			"$name: the key is of that kind");
		ctl_is("wrong\n", [ 'encrypt', '-D', $dir ], 1, qr/does not open private key file/, "$name: wrong passphrase");
		is(files_of($dir), 'server.key', "$name: writes nothing");
		ctl_is("$passphrase\n", [ 'encrypt', '-D', $dir ], 0, $quiet, "$name: right passphrase");
		like(ctl_is('', [ 'check', '-D', $dir ], 0, $quiet, "$name: check"), qr/usable/, "$name: usable");
		$certs->make_key("$dir/server.key", $kind, passphrase => 'another');
		ctl_is('', [ 'check', '-D', $dir ], 1, qr/does not open private key file/, "$name: check with another key");
	}
}

foreach my $length (1, 1023)
{
	my $dir = new_dir();
	my $passphrase = 'k' x $length;

	$certs->make_key("$dir/plain.key", 'ec:prime256v1');
	ESG::Certs::spew("$dir/passphrase", "$passphrase\n");
	ESG::Certs::openssl('pkcs8', '-topk8', '-v2', 'aes256', '-in', "$dir/plain.key", '-out', "$dir/server.key",
		'-passout', "file:$dir/passphrase");
	ctl_is("$passphrase\n", [ 'encrypt', '-D', $dir ], 0, $quiet, "key with a passphrase of $length bytes");
	ctl_is('', [ 'check', '-D', $dir ], 0, $quiet, "key with a passphrase of $length bytes: check");
}

{
	my $dir = new_dir();

	$certs->make_key("$dir/server.key", 'ec:prime256v1');
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 0, qr/warning: .* not encrypted/, 'a key in the clear');
	ctl_is('', [ 'check', '-D', $dir ], 1, qr/error: .* not encrypted/, 'check finds it');
	ESG::Certs::spew("$dir/server.key", "-----BEGIN NONSENSE-----\n");
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir, '--force' ], 1, qr/no private key/, 'no key in the key file');
	unlink "$dir/server.key";
	POSIX::mkfifo("$dir/server.key", 0600);
	ctl_is('', [ 'check', '-D', $dir ], 1, qr/not a regular file/, 'a FIFO for a key does not block');
}

# ---- pairs that are refused

{
	my $made = new_dir();
	my $dir;
	my $other = new_dir();
	my $fresh = sub {
		$dir = new_dir();
		foreach my $file ('server.key.cipher', 'server.key.rand')
		{
			ESG::Certs::spew("$dir/$file", slurp("$made/$file"));
			chmod 0400, "$dir/$file";
		}
	};
	my $change = sub {
		my ($file, $content) = @_;

		unlink "$dir/$file";
		ESG::Certs::spew("$dir/$file", $content) if defined $content;
		chmod 0400, "$dir/$file";
	};
	my $refused = sub {
		my ($pattern, $name) = @_;
		my ($status, $out, $err) = run_ctl('', 'decrypt', '-D', $dir);

		is("$status $out", '1 ', "$name: decrypt refuses and prints nothing");
		like($err, $pattern, "$name: says why");
		is((run_ctl('', 'check', '-D', $dir))[0], 1, "$name: check refuses");
	};

	run_ctl("made\n", 'encrypt', '-D', $made);
	run_ctl("other\n", 'encrypt', '-D', $other);
	$fresh->();
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "made\n", 'a copied pair works');
	$change->('server.key.rand', undef);
	$refused->(qr/server\.key\.rand" cannot be used: No such file/, 'no .rand');
	$fresh->();
	$change->('server.key.cipher', undef);
	$refused->(qr/server\.key\.cipher" cannot be used: No such file/, 'no .cipher');
	$fresh->();
	$change->('server.key.rand', slurp("$other/server.key.rand"));
	$refused->(qr/not a pair/, 'halves of two pairs');
	$fresh->();
	$change->('server.key.cipher', slurp("$made/server.key.rand"));
	$change->('server.key.rand', slurp("$made/server.key.cipher"));
	$refused->(qr/not a file of this kind/, 'the files in each other\'s place');

	# one byte in each field of docs/passphrase.md
	my %fields = (
		'server.key.cipher' => {
			0 => qr/not a file of this kind/, 8 => qr/version/,
			map { $_ => qr/checksum/ } 10, 11, 12, 14, 16, 32, 64, 76, 1101, 1102, 1118, 1149
		},
		'server.key.rand' =>
		  { 7 => qr/not a file of this kind/, 9 => qr/version/, map { $_ => qr/checksum/ } 10, 11, 16, 32, 63, 64, 95 });
	foreach my $file (sort keys %fields)
	{
		foreach my $offset (sort { $a <=> $b } keys %{ $fields{$file} })
		{
			$fresh->();
			my $content = slurp("$dir/$file");
			substr($content, $offset, 1) ^= "\x01";
			$change->($file, $content);
			$refused->($fields{$file}{$offset}, "byte $offset of $file");
		}
		$fresh->();
		$change->($file, substr(slurp("$dir/$file"), 0, -1));
		$refused->(qr/truncated/, "truncated $file");
		$change->($file, '');
		$refused->(qr/truncated/, "empty $file");
		$fresh->();
		$change->($file, slurp("$dir/$file") . "\n");
		$refused->(qr/after the end/, "a byte after $file");
		foreach my $mode (0440, 0404, 0644, 0620)
		{
			$fresh->();
			chmod $mode, "$dir/$file";
			$refused->(qr/accessible to others, mode @{[ sprintf '%04o', $mode ]}/, sprintf('mode %04o of %s', $mode, $file));
		}
		$fresh->();
		chmod 0600, "$dir/$file";
		is((run_ctl('', 'decrypt', '-D', $dir))[1], "made\n", "mode 0600 of $file is fine");
	}
	$dir = "$base/none";
	$refused->(qr/directory/, 'no such directory');
	ctl_is("x\n", [ 'encrypt', '-D', $dir ], 1, qr/could not open directory/, 'encrypt without directory');
}

# ---- the directory: nobody but its owner may write there

foreach my $mode (0770, 0702, 0775, 01777)
{
	my $name = sprintf('mode %04o', $mode);
	my $dir = new_dir();
	my $command;

	chmod $mode, $dir;
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 1, qr/error: directory ".*" is writable by others: $name/, "$name: encrypt");
	is(files_of($dir), '', "$name: nothing is written");
	chmod 0700, $dir;
	run_ctl("sesam\n", 'encrypt', '-D', $dir);
	chmod $mode, $dir;
	my ($status, $out, $err) = run_ctl('', 'check', '-D', $dir);
	is("$status $out", '1 ', "$name: check says no");
	($command) = $err =~ /hint: Run: (chmod .*)$/m;
	is(system('sh', '-c', $command // 'false'), 0, "$name: it names the command");
	ctl_is('', [ 'check', '-D', $dir ], 0, $no_key, "$name: mended");
}
foreach my $mode (0755, 0750, 02711)
{
	my $name = sprintf('mode %04o', $mode);
	my $dir = new_dir();

	chmod $mode, $dir;
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 0, $no_key, "$name: encrypt");
	ctl_is('', [ 'check', '-D', $dir ], 0, $no_key, "$name: check");
}

# ---- key and pair as the rule for a key has it

{
	my $dir = new_dir();

	$certs->make_key("$dir/server.key", 'ec:prime256v1', passphrase => 'sesam');
	chmod 0600, "$dir/server.key";
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 0, $quiet, 'a key with mode 0600');
	ctl_is('', [ 'check', '-D', $dir ], 0, $quiet, 'is fine');
	ctl_is('', [ 'check', '-D', $dir, '--max-mode', '0400' ], 1, qr/server\.key" has mode 0600, more than the 0400 allowed\n.*hint: Run: chmod 0400 /,
		'but not where 0400 is the rule');
	chmod 0400, "$dir/server.key";
	ctl_is('', [ 'check', '-D', $dir, '--max-mode', '0400' ], 0, $quiet, 'with 0400 it is');
	foreach my $half (qw(cipher rand))
	{
		chmod 0600, "$dir/server.key.$half";
		ctl_is('', [ 'check', '-D', $dir ], 0, $quiet, ".$half with mode 0600");
		ctl_is('', [ 'check', '-D', $dir, '--max-mode', '0400' ], 1, qr/\.$half" cannot be used: mode 0600, more than the 0400 allowed/,
			".$half with mode 0600, where 0400 is the rule");
		chmod 0400, "$dir/server.key.$half";
	}
	foreach my $mode (0640, 0604, 0644)
	{
		chmod $mode, "$dir/server.key";
		ctl_is('', [ 'check', '-D', $dir ], 1, qr/server\.key" has mode @{[ sprintf '%04o', $mode ]}, more than the 0600 allowed/,
			'check of a key that PostgreSQL refuses');
		ctl_is("sesam\n", [ 'encrypt', '--force', '-D', $dir ], 1, qr/server\.key" has mode/, 'encrypt beside a key that PostgreSQL refuses');
	}
	ctl_is('', [ 'check', '-D', $dir, '--max-mode', 'rw' ], 2, qr/invalid mode "rw"/, 'a mode of letters');
	ctl_is('', [ 'check', '-D', $dir, '--max-mode', '0800' ], 2, qr/invalid mode/, 'a mode that is not octal');
	ctl_is('', [ 'decrypt', '-D', $dir, '--max-mode', '0400' ], 2, qr/for "check" only/, 'decrypt with a mode');
	ctl_is('', [ 'decrypt', '-D', $dir, '--user', 'x' ], 2, qr/--user is not for "decrypt"/, 'decrypt with a user');
}

# ---- what was left behind, of a pair for a client

{
	my $dir = new_dir();

	run_ctl("sesam\n", 'encrypt', '-M', 'client', '-D', $dir);
	ESG::Certs::spew("$dir/client.key.rand.new", 'x');
	ctl_is('', [ 'check', '-D', $dir ], 1, qr/\A(?!.*left behind)/s, 'check of the server\'s pair says nothing of it');
	my (undef, undef, $err) = run_ctl('', 'check', '-M', 'client', '-D', $dir);
	like($err, qr/client\.key\.rand\.new" was left behind/, 'check of the client\'s does');
	my ($command) = $err =~ /hint: Run: (.*)$/m;
	is(system('sh', '-c', $command // 'false'), 0, 'and names the command');
	is(files_of($dir), 'client.key.cipher client.key.rand', 'which takes it away');
}

# ---- what is in the way

foreach my $name ('server.key.cipher', 'server.key.rand', 'server.key.cipher.new', 'server.key.rand.new')
{
	my $dir = new_dir();
	my $victim = ESG::Certs::spew("$base/victim$count", 'precious');

	symlink $victim, "$dir/$name" or die "symlink: $!";
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir, '--force' ], 1, qr/symbolic link/, "symbolic link at $name");
	is(slurp($victim), 'precious', "$name: the target is as it was");
	is(files_of($dir), $name, "$name: nothing is written");
	unlink "$dir/$name";
	symlink "$dir/nowhere", "$dir/$name";
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir, '--force' ], 1, qr/symbolic link/, "dangling link at $name");
	ok(!-e "$dir/nowhere", "$name: nothing is made through it");
	unlink "$dir/$name";
	mkdir "$dir/$name";
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir, '--force' ], 1, qr/not a regular file/, "directory at $name");
}

# a hard link is not written through: the name gets a new file
foreach my $name ('server.key.cipher', 'server.key.rand', 'server.key.cipher.new', 'server.key.rand.new')
{
	my $dir = new_dir();
	my $victim = ESG::Certs::spew("$base/linked$count", 'precious');

	link $victim, "$dir/$name" or die "link: $!";
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir, '--force' ], 0, $no_key, "hard link at $name");
	is(slurp($victim), 'precious', "$name: the other name keeps its content");
	is((stat $victim)[3], 1, "$name: and is the only one left");
	is(files_of($dir), 'server.key.cipher server.key.rand', "$name: the pair is there");
}

{
	my $dir = new_dir();
	my $link = "$base/link";

	symlink $dir, $link;
	ctl_is("sesam\n", [ 'encrypt', '-D', $link ], 0, $no_key, 'the directory itself may be named by a link');
	is((run_ctl('', 'decrypt', '-D', $link))[1], "sesam\n", 'and read through it');

	# as Kubernetes mounts secrets
	mkdir "$dir/mounted", 0700;
	symlink "../server.key.$_", "$dir/mounted/server.key.$_" foreach qw(cipher rand);
	is((run_ctl('', 'decrypt', '-D', "$dir/mounted"))[1], "sesam\n", 'a pair behind links is read');
}

{
	my $dir = new_dir();

	run_ctl("old\n", 'encrypt', '-D', $dir);
	foreach my $blocks (0, 1)
	{
		# SIGXFSZ must not kill it, EFBIG is as good as ENOSPC
		my $err = `echo new | bash -c 'ulimit -f $blocks; exec ssl_guard_ctl encrypt --force -D "\$0" 2>&1 | cat' '$dir'`;

		like($err, qr/could not write file ".*\.new"/, "no room for more than $blocks kB");
		is(files_of($dir), 'server.key.cipher server.key.rand', 'leaves nothing behind');
		is((run_ctl('', 'decrypt', '-D', $dir))[1], "old\n", 'and the old pair as it was');
	}
	SKIP:
	{
		skip 'root may write anywhere', 3 if $> == 0;
		chmod 0500, $dir;
		ctl_is("new\n", [ 'encrypt', '--force', '-D', $dir ], 1, qr/could not create file/, 'read-only directory');
		is((run_ctl('', 'decrypt', '-D', $dir))[1], "old\n", 'the old pair is as it was');
		chmod 0700, $dir;
	}
}

# ---- one writer at a time

{
	my $dir = new_dir();

	sysopen(my $handle, $dir, O_RDONLY) or die "open: $!";
	flock($handle, LOCK_EX) or die "flock: $!";
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 1, qr/another ssl_guard_ctl/, 'a second writer');
	is(files_of($dir), '', 'writes nothing');
	close $handle;
	ctl_is("sesam\n", [ 'encrypt', '-D', $dir ], 0, $no_key, 'a first one');
}

# ---- the passphrase is nowhere to be seen while the program has it

{
	my $dir = new_dir();
	my ($in, $out, $err) = ('visi', '', '');
	my $run = IPC::Run::start([ 'ssl_guard_ctl', 'encrypt', '-D', $dir ], '<', \$in, '>', \$out, '2>', \$err,
		IPC::Run::timeout(60));

	$run->pump while length $in;
	my $pid = $run->{KIDS}[0]{PID};
	SKIP:
	{
		skip 'no /proc', 4 unless -r "/proc/$pid/cmdline";
		# it protects itself before it reads anything, maybe not yet
		my $limit = qr/^Max core file size +0 +0 /m;
		foreach (1 .. 100)
		{
			last if slurp("/proc/$pid/limits") =~ $limit && (stat "/proc/$pid/environ")[4] == 0;
			select undef, undef, undef, 0.1;
		}
		like(slurp("/proc/$pid/limits"), $limit, 'no core file');
		is((stat "/proc/$pid/environ")[4], 0, 'and no other process of the user may look into it');
		unlike(slurp("/proc/$pid/cmdline"), qr/visi/, 'it is no argument');
		my $environ = eval { slurp("/proc/$pid/environ") } // '';
		unlike($environ, qr/visi/, 'nor in the environment');
	}
	$in = "ble\n";
	$run->finish;
	is($run->result(0), 0, 'encrypt ends well');
	is((run_ctl('', 'decrypt', '-D', $dir))[1], "visible\n", 'with all of the passphrase');
}

done_testing();

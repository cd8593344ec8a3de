# Whose the passphrase pair is, and who can read it, when root runs
# ssl_guard_ctl: judged with the eyes of the server's user, on files of several
# users, in Debian's layout among others, and with a server.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Users;

my $base = ESG::Users::enter();
my %uid = %ESG::Users::users;
my %gid = %ESG::Users::groups;
my $count = 0;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $cert = $certs->make_server('server', ca => $ca, passphrase => 'sesam');
my $key = ESG::Certs::slurp($cert->{key});

ESG::Certs::spew("$base/input", "sesam\n");
chmod 0644, "$base/input";

# (exit status, what it says) of ssl_guard_ctl as root
sub run_ctl
{
	my (@arguments) = @_;
	my $said = '';

	IPC::Run::run([ 'ssl_guard_ctl', @arguments ], '<', "$base/input", '>&', \$said);
	return ($? >> 8, $said);
}

# "root:ssl-cert 0640", or "-"
sub look
{
	my ($path) = @_;
	my @st = stat $path or return '-';

	return sprintf '%s:%s %04o', scalar getpwuid $st[4], scalar getgrgid $st[5], $st[2] & 07777;
}

sub set
{
	my ($path, $owner, $group, $mode) = "$_[0] $_[1]" =~ /\A(.*) (\S+):(\S+) (\d+)\z/ or die "set: @_";

	chown $uid{$owner}, $gid{$group}, $path or die "chown $path: $!";
	chmod oct $mode, $path or die "chmod $path: $!";
	return;
}

# A directory with files; '.' is the directory.
sub make
{
	my (%files) = @_;
	my $dir = "$base/d" . ++$count;

	mkdir $dir, 0700 or die "mkdir: $!";
	if ($files{'server.key.cipher'} || $files{'server.key.rand'})
	{
		is((run_ctl('encrypt', '-D', $dir, '--user', 'root'))[0], 0, 'a pair is made');
	}
	foreach my $name (sort keys %files)
	{
		next if $name eq '.';
		ESG::Certs::spew("$dir/$name", $name eq 'PG_VERSION' ? "15\n" : $key) unless -e "$dir/$name";
		set("$dir/$name", $files{$name});
	}
	set($dir, $files{'.'} // 'root:root 0755');
	return $dir;
}

sub pair { return join ', ', map { look("$_[0]/server.key.$_") } qw(cipher rand); }

sub leftovers { return join ' ', map { s{.*/}{}r } glob("$_[0]/*.new"); }

# Follows the hint of the program, to the letter.
sub follow
{
	my ($said, $name) = @_;
	my ($command) = $said =~ /hint: Run(?: as root)?: (.*)$/m;

	ok(defined $command, "$name: there is a hint") or diag($said);
	is(system('sh', '-c', $command // 'false'), 0, "$name: which can be run") or diag($command);
	return $command // '';
}

# usermod's way to its files leads by ones of other names
mkdir "$base/bin", 0755;
ESG::Certs::spew("$base/bin/usermod", <<'SCRIPT');
#!/bin/sh
[ "$1 $2 $3 $#" = "-a -G ssl-cert 4" ] || exit 1
sed "s/^\(ssl-cert:.*\)$/\1$4/" /etc/group >"$0.group" && cat "$0.group" >/etc/group
SCRIPT
chmod 0755, "$base/bin/usermod";
$ENV{PATH} = "$base/bin:$ENV{PATH}";

# ---- who gets the pair

foreach my $case (
	[ 'nothing there', {}, [], 'postgres:postgres 0400' ],
	[ 'named', {}, [ '--user', 'other' ], 'other:other 0400' ],
	[ 'named by number', {}, [ '--user', '27' ], 'other:other 0400' ],
	[ 'a number without an account', {}, [ '--user', '4999' ], '4999:4999 0400' ],
	[ 'a data directory', { '.' => 'other:other 0700', PG_VERSION => 'other:other 0600' }, [], 'other:other 0400' ],
	[ "a data directory of root's, which is none", { PG_VERSION => 'root:root 0644' }, [], 'postgres:postgres 0400' ],
	[ "the server's key", { 'server.key' => 'postgres:postgres 0600' }, [], 'postgres:postgres 0400' ],
	[ "the server's directory", { '.' => 'postgres:postgres 0700', 'server.key' => 'postgres:postgres 0600' }, [],
		'postgres:postgres 0400' ],
	[ "Debian's layout", { '.' => 'root:ssl-cert 0710', 'server.key' => 'root:ssl-cert 0640' }, [], 'root:ssl-cert 0440' ],
	[ "Debian's layout, an old pair that nobody can read",
		{ '.' => 'root:ssl-cert 0710', 'server.key' => 'root:ssl-cert 0640',
			'server.key.cipher' => 'root:root 0400', 'server.key.rand' => 'root:root 0400' }, ['--force'], 'root:ssl-cert 0440' ],
	[ "root's pair for the group, the key elsewhere",
		{ 'server.key.cipher' => 'root:ssl-cert 0440', 'server.key.rand' => 'root:ssl-cert 0440' }, ['--force'],
		'root:ssl-cert 0440' ],
	[ "an old pair of the server's that is open",
		{ 'server.key.cipher' => 'postgres:ssl-cert 0440', 'server.key.rand' => 'postgres:ssl-cert 0440' }, ['--force'],
		'postgres:postgres 0400' ],
	[ "a client's key", { '.' => 'other:other 0700', 'client.key' => 'other:other 0600' }, [qw(-M client)],
		'other:other 0400' ])
{
	my ($name, $files, $options, $want) = @$case;
	my $dir = make(%$files);
	my ($status, $said) = run_ctl('encrypt', '-D', $dir, @$options);
	my $kind = grep({ $_ eq 'client' } @$options) ? 'client' : 'server';
	my $got = join ', ', map {
		my @st = stat "$dir/$kind.key.$_";
		@st ? sprintf('%s:%s %04o', getpwuid $st[4] // $st[4], getgrgid $st[5] // $st[5], $st[2] & 07777) : '-';
	} qw(cipher rand);

	$got = join ', ', map { my @st = stat "$dir/$kind.key.$_"; sprintf '%d:%d %04o', @st[ 4, 5 ], $st[2] & 07777 } qw(cipher rand)
	  if $want =~ /^\d/;
	is($status, 0, "$name: done") or diag($said);
	is($got, "$want, $want", "$name: owner, group and mode of both");
	# by the kernel
	my ($user) = $said =~ /for user "(\w+)"$/m;
	ok(defined $user, "$name: said for whom") or diag($said);
	next if ($user // '') !~ /^[a-z]/;
	is((ESG::Users::run($user, 'ssl_guard_ctl', 'decrypt', '-D', $dir, '-M', $kind))[1], "sesam\n", "$name: $user can read it");
	($status, $said) = run_ctl('check', '-D', $dir, '-M', $kind, '--user', $user);
	is($status, 0, "$name: check") or diag($said);
}

# ---- for whom root writes nothing, and leaves what is there

foreach my $case (
	[ "somebody's directory", { '.' => 'mallory:mallory 0755' }, [], qr/directory ".*" belongs to user ID 4713, neither root nor the server's user "postgres"/ ],
	[ "somebody's directory with the server's key", { '.' => 'mallory:mallory 0755', 'server.key' => 'postgres:postgres 0600' }, [],
		qr/directory ".*" belongs to user ID 4713/ ],
	[ "somebody's directory with root's key", { '.' => 'mallory:mallory 0755', 'server.key' => 'root:ssl-cert 0640' }, [],
		qr/directory ".*" belongs to user ID 4713/ ],
	[ 'a planted .cipher', { 'server.key' => 'postgres:postgres 0600', 'server.key.cipher' => 'mallory:mallory 0400' }, ['--force'],
		qr/\.cipher" belongs to user ID 4713, neither root nor the server's user "postgres"/ ],
	[ 'a planted .rand', { 'server.key.rand' => 'mallory:mallory 0400' }, ['--force'],
		qr/\.rand" belongs to user ID 4713/ ],
	[ "somebody's key", { 'server.key' => 'mallory:mallory 0600' }, [], qr/server\.key" belongs to user ID 4713, neither root nor user "postgres"|could not read/ ],
	[ 'a data directory of another', { '.' => 'other:other 0755', PG_VERSION => 'other:other 0644', 'server.key' => 'postgres:postgres 0600' }, [],
		qr/user "other" could not read ".*server\.key": Permission denied/ ],
	[ 'a key that is open', { 'server.key' => 'root:root 0644' }, [], qr/server\.key" has mode 0644, more than the 0640 allowed/ ],
	[ 'a group that may write', { '.' => 'root:ssl-cert 0770' }, [], qr/directory ".*" is writable by others: mode 0770/ ],
	[ 'a directory for all', { '.' => 'root:root 01777' }, [], qr/directory ".*" is writable by others: mode 1777/ ],
	[ 'nobody of that name', {}, [ '--user', 'nobody_at_all' ], qr/there is no user "nobody_at_all"/ ])
{
	my ($name, $files, $options, $pattern) = @$case;
	my $dir = make(%$files);
	my $before = pair($dir);
	my ($status, $said) = run_ctl('encrypt', '-D', $dir, @$options);

	is($status, 1, "$name: refused");
	like($said, $pattern, "$name: said why");
	is(pair($dir), $before, "$name: what is there stays");
	is(leftovers($dir), '', "$name: nothing is left behind");
	($status, $said) = run_ctl('check', '-M', 'server', '-D', $dir, grep { $_ ne '--force' } @$options);
	is($status, 1, "$name: check says no, too") or diag($said);
}

# the eyes are root's alone
{
	my $dir = make('.' => 'postgres:postgres 0700');
	my ($status, $said) = ESG::Users::run('postgres', 'ssl_guard_ctl', 'check', '-D', $dir, '--user', 'other');

	is($status, 1, 'the eyes of another user');
	like($said, qr/only root can look with the eyes of user "other"/, 'are root\'s to look with');
}

# ---- what the server's user cannot read: the hint mends it

my %debian = ('.' => 'root:ssl-cert 0710', 'server.key' => 'root:ssl-cert 0640',
	'server.key.cipher' => 'root:ssl-cert 0440', 'server.key.rand' => 'root:ssl-cert 0440');
my @mends = (
	[ "root's pair", { 'server.key.cipher' => 'root:root 0400', 'server.key.rand' => 'root:root 0400' },
		qr/^chgrp ssl-cert '\S+\.cipher' && chmod 0440 '\S+\.cipher' && chgrp ssl-cert '\S+\.rand' && chmod 0440 '\S+\.rand'$/ ],
	[ 'one half', { 'server.key.rand' => 'root:root 0400' }, qr/^chgrp ssl-cert '\S+\.rand' && chmod 0440 '\S+\.rand'$/ ],
	[ 'the group may not', { 'server.key.cipher' => 'root:ssl-cert 0400' }, qr/^chmod 0440 '\S+\.cipher'$/ ],
	[ "root's key", { 'server.key' => 'root:root 0600' }, qr/^chgrp ssl-cert '\S+server\.key' && chmod 0640 '\S+server\.key'$/ ],
	[ "root's directory", { '.' => 'root:root 0700' }, qr/^chgrp postgres '\S+' && chmod 0710 '\S+'$/ ],
	[ 'a directory that the group cannot pass', { '.' => 'root:ssl-cert 0700' }, qr/^chmod 0710 '\S+'$/ ],
	[ 'all of it', { '.' => 'root:root 0700', 'server.key' => 'root:root 0600',
			'server.key.cipher' => 'root:root 0400', 'server.key.rand' => 'root:root 0400' }, qr/^chgrp .* && / ],
	[ "the server's files, closed to itself", { '.' => 'postgres:postgres 0700', 'server.key' => 'postgres:postgres 0600',
			'server.key.cipher' => 'postgres:postgres 0000', 'server.key.rand' => 'postgres:postgres 0400' }, qr/^chmod 0400 '\S+\.cipher'$/ ],
	[ 'not in the group', { members => '' }, qr/^usermod -a -G ssl-cert postgres$/ ]);

foreach my $mend (@mends)
{
	my ($name, $change, $pattern) = @$mend;
	my %change = %$change;
	my $no_member = exists $change{members};

	delete $change{members};
	my $dir = make(%debian, %change);
	ESG::Users::set_members() if $no_member;
	my ($status, $said) = run_ctl('check', '-D', $dir);
	is($status, 1, "$name: check says no");
	like($said, qr/Permission denied/, "$name: and why");
	like(follow($said, $name), $pattern, "$name: the hint");
	($status, $said) = run_ctl('check', '-D', $dir);
	is($status, 0, "$name: mended") or diag($said);
	is((ESG::Users::run('postgres', 'ssl_guard_ctl', 'check', '-D', $dir))[0], 0, "$name: that user finds so, too");
	ESG::Users::set_members('postgres');
}

# encrypt finds it before it asks for the passphrase, and leaves the old pair
foreach my $name ("root's key", "root's directory", 'not in the group')
{
	my ($mend) = grep { $_->[0] eq $name } @mends;
	my %change = %{ $mend->[1] };
	my $no_member = exists $change{members};

	delete $change{members};
	my $dir = make(%debian, %change);
	my $before = ESG::Certs::slurp("$dir/server.key.cipher");
	ESG::Users::set_members() if $no_member;
	my ($status, $said) = run_ctl('encrypt', '--force', '-D', $dir);
	is($status, 1, "$name: encrypt says no");
	is(ESG::Certs::slurp("$dir/server.key.cipher"), $before, "$name: the old pair stays");
	is(leftovers($dir), '', "$name: nothing else is there");
	follow($said, "$name, encrypt");
	($status, $said) = run_ctl('encrypt', '--force', '-D', $dir);
	is($status, 0, "$name: mended, encrypt works") or diag($said);
	is((run_ctl('check', '-D', $dir))[0], 0, "$name: and so does check");
	ESG::Users::set_members('postgres');
}

# a directory above that does not let pass; the key behind a link
{
	my $above = make('.' => 'root:root 0700');
	my $dir = "$above/pair";
	my $elsewhere = make('.' => 'root:root 0700', 'server.key' => 'root:ssl-cert 0640');

	mkdir $dir, 0755;
	symlink "$elsewhere/server.key", "$dir/server.key";
	my ($status, $said) = run_ctl('encrypt', '-D', $dir);
	is($status, 1, 'a directory above: encrypt says no');
	is(leftovers($dir) . pair($dir), '-, -', 'a directory above: and writes nothing');
	like(follow($said, 'a directory above'), qr/^chgrp postgres '\Q$above\E' && chmod 0710 '\Q$above\E' && chgrp postgres '\Q$elsewhere\E'/,
		'a directory above: the hint has both ways');
	($status, $said) = run_ctl('encrypt', '-D', $dir);
	is("$status @{[ pair($dir) ]}", '0 root:ssl-cert 0440, root:ssl-cert 0440', 'a directory above: mended') or diag($said);
}

# nor does it need a key to see that the way is closed
{
	my $above = make('.' => 'root:root 0755');
	my $dir = "$above/pair";

	mkdir $dir, 0755;
	is((run_ctl('encrypt', '-D', $dir))[0], 0, 'no key: a pair');
	my $before = ESG::Certs::slurp("$dir/server.key.cipher");
	chmod 0700, $above;
	my ($status, $said) = run_ctl('encrypt', '--force', '-D', $dir);
	is($status, 1, 'no key, a directory above is closed: encrypt says no');
	like($said, qr/user "postgres" could not read ".*": Permission denied/, 'no key: said why');
	is(ESG::Certs::slurp("$dir/server.key.cipher"), $before, 'no key: the old pair stays');
	is(leftovers($dir), '', 'no key: nothing is left behind');
	follow($said, 'no key');
	is((run_ctl('encrypt', '--force', '-D', $dir))[0], 0, 'no key: mended');
}

# a file system that does not care for owners: what was written tells, and goes again
SKIP:
{
	ESG::Certs::spew("$base/chown.c", "#include <unistd.h>\nint fchown(int fd, uid_t uid, gid_t gid) { return 0; }\n");
	skip 'no C compiler', 4 if system("cc -shared -fPIC -o '$base/chown.so' '$base/chown.c' 2>'$base/cc.out'") != 0;
	my $dir = make('server.key' => 'root:ssl-cert 0640');
	is((run_ctl('encrypt', '-D', $dir))[0], 0, 'a pair');
	my $before = ESG::Certs::slurp("$dir/server.key.cipher");
	local $ENV{LD_PRELOAD} = "$base/chown.so";
	my ($status, $said) = run_ctl('encrypt', '--force', '-D', $dir);
	is($status, 1, 'owners that cannot be set: encrypt says no');
	like($said, qr/user "postgres" could not read ".*\.new": Permission denied/, 'owners that cannot be set: that user was not able to read the new pair');
	is(ESG::Certs::slurp("$dir/server.key.cipher") eq $before ? leftovers($dir) : 'changed', '', 'owners that cannot be set: the old pair is as it was');
}

# ---- root looks at a pair

foreach my $case (
	[ "the server's user's", 'postgres:postgres 0400', 'postgres:postgres 0400', qr/usable for user "postgres"/ ],
	[ "root's, for a group", 'root:ssl-cert 0440', 'root:ssl-cert 0440', qr/usable for user "postgres"/ ],
	[ "root's, for a group that the server's user is not in", 'root:other 0440', 'root:other 0440', qr/\.cipher" cannot be used: could not read it/ ],
	[ "root's, open to all", 'root:root 0444', 'root:root 0444', qr/\.cipher" cannot be used: accessible to others, mode 0444/ ],
	[ "the server's user's, open to a group", 'postgres:postgres 0440', 'postgres:postgres 0440', qr/\.cipher" cannot be used: accessible to others, mode 0440/ ],
	[ 'two users\'', 'postgres:postgres 0400', 'other:postgres 0440', qr/\.rand" cannot be used: it belongs to another user/ ])
{
	my ($name, $cipher, $random, $want) = @$case;
	my $dir = make('server.key.cipher' => $cipher, 'server.key.rand' => $random);
	my ($status, $said) = run_ctl('check', '-D', $dir);

	like($said, $want, "root looks at a pair: $name");
	is($status, $said =~ /usable/ ? 0 : 1, "root looks at a pair: $name: exit status");
}

# ---- tidy as root

{
	my $dir = make(%debian);

	ESG::Certs::spew("$dir/server.key.$_.new", 'x') foreach qw(cipher rand);
	my ($status, $said) = run_ctl('check', '-D', $dir);
	is($status, 0, 'leftovers: the pair is usable');
	like($said, qr/server\.key\.$_\.new" was left behind/, "leftovers: check names .$_.new") foreach qw(cipher rand);
	follow($said, 'leftovers');
	is(leftovers($dir), '', 'leftovers: tidied');
	is((run_ctl('check', '-D', $dir))[1], "the pair is usable for user \"postgres\"\n", 'leftovers: and nothing is said');
}

# ---- a server in Debian's layout

my $private = make('.' => 'root:ssl-cert 0710', 'server.key' => 'root:ssl-cert 0640');
my $data = "$base/data";
my $log = "$base/log";
my $socket = "$base/s";

foreach my $dir ($data, $socket)
{
	mkdir $dir, 0700 or die "mkdir: $!";
	set($dir, 'postgres:postgres 0700');
}
ESG::Certs::spew($log, '');
set($log, 'postgres:postgres 0600');
my ($status, $said) = ESG::Users::run('postgres', 'initdb', '-D', $data, '-A', 'trust', '-U', 'postgres', '-N');
is($status, 0, 'initdb') or diag($said);
ESG::Certs::spew("$base/server.crt", ESG::Certs::slurp($cert->{cert}));
chmod 0644, "$base/server.crt";
open(my $conf, '>>', "$data/postgresql.conf") or die "postgresql.conf: $!";
print $conf <<"CONF";
listen_addresses = ''
unix_socket_directories = '$socket'
shared_preload_libraries = 'ext_ssl_guard'
ssl = on
ssl_cert_file = '$base/server.crt'
ssl_key_file = '$private/server.key'
fsync = off
CONF
close $conf;

sub ctl { return ESG::Users::run('postgres', 'pg_ctl', '-s', '-w', '-D', $data, '-l', $log, @_); }

sub log_since { return substr ESG::Certs::slurp($log), $_[0]; }

sub sql
{
	my ($status, $said) = ESG::Users::run('postgres', 'psql', '-XAtqw', '-h', $socket, '-U', 'postgres', '-d', 'postgres', '-c', $_[0]);

	chomp $said;
	return $said;
}

# Waits for the answer.
sub sql_is
{
	my ($sql, $want, $name) = @_;
	my $until = time + 60;
	my $got = sql($sql);

	while ($got ne $want && time < $until)
	{
		select undef, undef, undef, 0.1;
		$got = sql($sql);
	}
	return is($got, $want, $name);
}

is((run_ctl('encrypt', '-D', $private))[0], 0, "root's encrypt in Debian's layout");
is((run_ctl('check', '-D', $private))[0], 0, 'check');
is((ctl('start'))[0], 0, 'the server starts') or diag(log_since(0));
like(log_since(0), qr/taking the passphrase of the private key from "\Q$private\E\/server\.key\.cipher"/, 'with the pair');
sql('CREATE EXTENSION ext_ssl_guard');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE code ~ 'passphrase|directory|permission|owner'"), '0', 'no alarm about it');

# what root wrote before: check says no, the alarm and the log say how
set("$private/server.key.$_", 'root:root 0400') foreach qw(cipher rand);
is((run_ctl('check', '-D', $private))[0], 1, "root's own pair: check says no");
is(sql("SELECT hint ~ '^Run: chgrp ssl-cert ' FROM ssl_guard_check() WHERE code = 'passphrase_unusable'"), 't', 'the alarm has the command');
my $command = sql("SELECT hint FROM ssl_guard_alarms WHERE code = 'passphrase_unusable'") =~ s/^Run: //r;
is(system('sh', '-c', $command), 0, 'which can be run');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE code = 'passphrase_unusable'"), '0', 'and ends the alarm');

set("$private/server.key.$_", 'root:root 0400') foreach qw(cipher rand);
my $offset = -s $log;
my $before = sql('SELECT last_reload_at FROM ssl_guard_status');
ctl('reload');
sql_is("SELECT last_reload_ok, last_reload_at > '$before' FROM ssl_guard_status", 'f|t', 'a reload fails');
like(log_since($offset), qr/LOG:  passphrase file ".*Permission denied\n.*HINT:  Run as root: chgrp $gid{'ssl-cert'} /, 'the log has the command, of numbers');
ctl('stop', '-m', 'fast');
$offset = -s $log;
isnt((ctl('start'))[0], 0, 'a start fails');
like(log_since($offset), qr/FATAL:  passphrase file ".*Permission denied/, 'said why');
($command) = log_since($offset) =~ /HINT:  Run as root: (.*)/;
like($command // '', qr/^chgrp ssl-cert '.*\.cipher' && chmod 0440 '.*\.cipher' && chgrp ssl-cert '.*\.rand' && chmod 0440 '.*\.rand'$/, 'and the command');
is(system('sh', '-c', $command // 'false'), 0, 'which can be run');
is((ctl('start'))[0], 0, 'then the server starts') or diag(log_since($offset));

# one rule for the directory
chmod 0770, $private;
is((run_ctl('check', '-D', $private))[0], 1, 'a directory that the group may write: check says no');
is((run_ctl('encrypt', '--force', '-D', $private))[0], 1, 'and so does encrypt');
is(sql("SELECT hint FROM ssl_guard_check() WHERE code = 'directory_writable' AND object ~ 'd\\d+\$'"), "Run: chmod 0750 '$private'", 'and the server');
follow((run_ctl('check', '-D', $private))[1], 'a directory that the group may write');
is((run_ctl('check', '-D', $private))[0], 0, 'mended for check');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE code = 'directory_writable' AND object ~ 'd\\d+\$'"), '0', 'and for the server');

# mounted read-only, as volumes of containers are, the mode does not count
SKIP:
{
	my $volume = "$base/volume";
	my $alarms = "SELECT count(*) FROM ssl_guard_check() WHERE code = 'directory_writable' AND object ~ 'volume\$'";

	mkdir $volume, 0755;
	skip 'no file system can be mounted here', 6 if system("mount -t tmpfs -o mode=0755 none '$volume' 2>/dev/null") != 0;
	is((run_ctl('encrypt', '-D', $volume))[0], 0, 'a pair in a volume');
	chmod 01777, $volume or die "chmod: $!";
	open(my $conf, '>>', "$data/postgresql.conf") or die "postgresql.conf: $!";
	print $conf "ext_ssl_guard.passphrase_directory = '$volume'\n";
	close $conf;
	ctl('reload');
	sql_is('SHOW ext_ssl_guard.passphrase_directory', $volume, 'the server takes it from there');
	is(sql($alarms), '1', 'for all to write: an alarm');
	is((run_ctl('check', '-D', $volume))[0], 1, 'and check says no');
	system('mount', '-o', 'remount,ro', $volume) == 0 or skip 'it cannot be mounted read-only', 2;
	is(sql($alarms), '0', 'mounted read-only: no alarm');
	is((run_ctl('check', '-D', $volume))[0], 0, 'and check is content');
}

# ---- who gets the key, as docs/passphrase.md has it

# the passphrase, or ''
sub passphrase_for
{
	my ($user, $dir) = @_;
	my ($status, $said) = ESG::Users::run($user, 'ssl_guard_ctl', 'decrypt', '-D', $dir);

	return $status ? '' : $said =~ s/\n//r;
}

is(passphrase_for('other', $private), '', 'another user of the machine: nothing');
is(passphrase_for('postgres', $private), 'sesam', "the server's user: the passphrase");
is(passphrase_for('root', $private), 'sesam', 'root: the passphrase');
ESG::Users::set_members(qw(postgres other));
is(passphrase_for('other', $private), 'sesam', 'a member of the group: the passphrase');
ESG::Users::set_members('postgres');
isnt((ESG::Users::run('root', 'openssl', 'pkey', '-in', "$private/server.key", '-passin', 'pass:', '-noout'))[0], 0,
	'a copy of the key: nothing');
sql('CREATE ROLE reader LOGIN IN ROLE pg_read_server_files; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO reader');
sql('CREATE ROLE runner LOGIN IN ROLE pg_execute_server_program; CREATE ROLE nobody LOGIN');
my $function = "SELECT encode(pg_read_binary_file('%s'), 'hex')";
foreach my $case (
	[ 'postgres', 'sesam', $function ],
	[ 'reader', 'sesam', $function ],
	[ 'runner', 'sesam', "CREATE TEMP TABLE t (line text); COPY t FROM PROGRAM 'od -An -v -tx1 %s'; TABLE t" ],
	[ 'nobody', '', $function ])
{
	my ($role, $want, $query) = @$case;
	my $copy = "$base/copy_$role";

	mkdir $copy, 0700 or die "mkdir: $!";
	foreach my $half (qw(cipher rand))
	{
		my ($status, $hex) = ESG::Users::run('postgres', 'psql', '-XAtqw', '-h', $socket, '-U', $role, '-d', 'postgres', '-c',
			sprintf $query, "$private/server.key.$half");

		ESG::Certs::spew("$copy/server.key.$half", pack 'H*', $hex =~ s/\s//gr) unless $status;
		chmod 0400, "$copy/server.key.$half";
		is(passphrase_for('root', $copy), '', "$role: one half is nothing") if $half eq 'cipher';
	}
	is(passphrase_for('root', $copy), $want, "$role, who " . ($want ? 'may' : 'may not') . ' read files through the server');
}

# nobody knows for whom, without that account
ctl('stop', '-m', 'fast');
{
	my $text = ESG::Certs::slurp('/etc/passwd') =~ s/^postgres:/pg:/mr;
	open(my $out, '>', '/etc/passwd') or die "passwd: $!";
	print $out $text;
	close $out;
	my $dir = make();
	my ($status, $said) = run_ctl('encrypt', '-D', $dir);
	is($status, 1, "without a hint at the server's user nothing is written");
	like($said, qr/name its user with --user/, 'but asked');
	is(pair($dir), '-, -', 'really nothing');
	is((run_ctl('encrypt', '-D', $dir, '--user', 'pg'))[0], 0, 'answered, it is');
	$dir = make('server.key' => 'other:other 0600');
	like((run_ctl('encrypt', '-D', $dir))[1], qr/for user "other"/, "the key's owner is a hint");
}

done_testing();

# dev/setup on machines that are made up: apt-get, dpkg-query and the others
# are programs of this test, which write down how they are called and answer
# from a table.  What matters is what is not done: a package that is there is
# neither named nor upgraded nor removed, and no cluster comes into being.

use strict;
use warnings;

use Cwd qw(realpath);
use Data::Dumper qw(Dumper);
use File::Path qw(make_path);
use Test::More;

use ESG::Certs;
use PostgreSQL::Test::Utils ();

my $setup = realpath(($ENV{SRC} // '.') . '/dev/setup');
my $base = realpath(PostgreSQL::Test::Utils::tempdir());
my $count = 0;
$Data::Dumper::Terse = 1;
my ($world, $said, $printed, $status);

sub spew { return ESG::Certs::spew(@_); }

sub slurp { return -f $_[0] ? ESG::Certs::slurp($_[0]) : ''; }

sub write_program
{
	my ($name, $text) = @_;

	spew("$world/bin/$name", $text =~ s/WORLD/$world/gr);
	chmod 0755, "$world/bin/$name" or die "chmod: $!";
	return;
}

# The answers: [[pattern of the packages asked for, lines of the simulation], ...];
# "updated " stands before the packages once there was an "apt-get update".
my $apt_get = <<'PROGRAM';
use strict;
use warnings;
my $wish = -d 'WORLD/etc' ? join '', map { open(my $in, '<', $_); <$in> } glob('WORLD/etc/createcluster.d/*.conf') : '';
my @packages = grep { !/^-|^install$|::/ } @ARGV;
my $what = (-f 'WORLD/updated' ? 'updated ' : '') . "@packages";
open(my $calls, '>>', 'WORLD/calls') or die;
print $calls "@ARGV\n";
if ($ARGV[0] eq 'download' && -f 'WORLD/downloads') { foreach my $name (grep { $_ ne 'download' } @packages) { open(my $new, '>', "$name.deb") or die; } exit(-f 'WORLD/gone' ? 100 : 0); }
if (grep { $_ eq 'update' } @ARGV) { open(my $new, '>', 'WORLD/updated'); exit 0; }
my ($answer) = grep { $what =~ $_->[0] } @{ do 'WORLD/plans' };
if (!$answer) { print STDERR "E: Unable to locate package $packages[0]\n"; exit 100; }
if (grep { $_ eq '--simulate' } @ARGV) { print map { "$_\n" } @$answer[1 .. $#$answer]; exit 0; }
if (grep { $_ eq '--print-uris' } @ARGV)
{
	print "Need to get 12.3 MB/45.6 MB of archives.\nAfter this operation, 78.9 MB of additional disk space will be used.\n";
	exit 0;
}
print "line $_ of many\n" foreach 1 .. 600;
open(my $done, '>>', 'WORLD/installed_now') or die;
print $done "@packages; wish=", $wish =~ s/\n//gr, '; needrestart=', $ENV{NEEDRESTART_SUSPEND} // 'on', "\n";
if (-f 'WORLD/gone' && !-f 'WORLD/updated') { print "E: Failed to fetch 404\n"; exit 100; }
exit system('WORLD/on_install') >> 8;
PROGRAM

my $dpkg_query = <<'PROGRAM';
my %installed = %{ do 'WORLD/installed' };
my ($format, $name) = @ARGV[2, 3];
if ($format =~ /Package/) { print map { "ii =$_\n" } grep { /^postgresql-[0-9]/ } sort keys %installed; }
elsif ($installed{$name}) { print "ii =$installed{$name}\n"; }
PROGRAM

my $apt_cache = <<'PROGRAM';
my %archive = %{ do 'WORLD/archive' };
my ($verb, @names) = @ARGV;
if ($verb eq 'depends') { print "postgresql\n  Depends: postgresql-97\n"; }
else { foreach my $name (@names) { print " $name | $_ | http://mirror suite/main amd64 Packages\n" foreach @{ $archive{$name} // [] }; } }
PROGRAM

# A package brings a program and a module of Python of its own name.
my $dpkg_deb = <<'PROGRAM';
my (undef, $archive, $dir) = @ARGV;
my ($name) = $archive =~ m{([^/]+)\.deb$};
foreach my $file ("bin/$name", 'lib/python3/dist-packages/' . ($name =~ s/^python3-//r) . '.py')
{
	my $path = $dir;
	foreach my $part (split m{/}, "usr/$file") { mkdir $path; $path .= "/$part"; }
	open(my $new, '>', $path) or die "$path: $!";
	chmod 0755, $path;
}
PROGRAM

my $sudo = <<'PROGRAM';
exit 0 if "@ARGV" eq '-n true';
s{/etc/postgresql-common}{WORLD/etc}g foreach @ARGV;
exec @ARGV;
PROGRAM

my $pg_config = <<'PROGRAM';
#!/bin/sh
case $1 in
	--pgxs) echo WORLD/pg/pgxs/src/makefiles/pgxs.mk ;;
	--bindir) echo WORLD/pg/bin ;;
	--includedir-server) echo WORLD/pg/include ;;
	--version) echo PostgreSQL 97.1 ;;
esac
PROGRAM

# A server with everything; PG_CONFIG names it unless the test says otherwise.
sub make_server
{
	foreach my $file (qw(pgxs/src/makefiles/pgxs.mk bin/postgres bin/initdb pgxs/src/test/regress/pg_regress
		pgxs/src/test/perl/PostgreSQL/Test/Cluster.pm include/postgres.h))
	{
		make_path("$world/pg/" . ($file =~ s{/[^/]*$}{}r));
		spew("$world/pg/$file", '');
		chmod 0755, "$world/pg/$file";
	}
	write_program('pg_config', $pg_config);
	rename "$world/bin/pg_config", "$world/pg/bin/pg_config" or die "rename: $!";
	return;
}

# new_world(installed => {}, archive => {}, plans => [], without => [programs],
# uid => 0, on_install => 'shell commands')
sub new_world
{
	my (%is) = @_;
	my %without = map { $_ => 1 } @{ $is{without} // [] };
	my %program = (
		'apt-get' => "#!$^X\n$apt_get", 'dpkg-query' => "#!$^X\n$dpkg_query", 'apt-cache' => "#!$^X\n$apt_cache",
		'dpkg-deb' => "#!$^X\n$dpkg_deb", sudo => "#!$^X\n$sudo", id => "#!/bin/sh\necho " . ($is{uid} // 0) . "\n",
		# what it looks for and finds; /usr/lib/postgresql has nothing
		map { $_ => "#!/bin/sh\nexit 0\n" } qw(make cc openssl perl ls curl));

	$world = "$base/w" . ++$count;
	make_path("$world/bin", "$world/tmp");
	make_server();
	write_program($_, $program{$_}) foreach grep { !$without{$_} } keys %program;
	foreach my $tool (qw(sh sed grep awk head sort uniq tr cat mktemp mkdir rmdir rm wc chmod dirname))
	{
		my ($path) = grep { -x $_ } map { "$_/$tool" } qw(/bin /usr/bin);
		symlink $path, "$world/bin/$tool" or die "$tool: $!";
	}
	spew("$world/$_", Dumper($is{$_} // ($_ eq 'plans' ? [] : {}))) foreach qw(installed archive plans);
	spew("$world/on_install", "#!/bin/sh\n" . ($is{on_install} // '') . "\n");
	chmod 0755, "$world/on_install";
	return;
}

# makes a program appear
sub appears { return "printf '#!/bin/sh\\nexit 0\\n' >$world/bin/$_[0]; chmod 755 $world/bin/$_[0]"; }

sub run_in_world
{
	my (@command) = @_;

	$status = system("cd '$world' && env -i PATH='$world/bin' TMPDIR='$world/tmp' PG_CONFIG='"
		. ($ENV{WANTED_PG_CONFIG} // "$world/pg/bin/pg_config") . "' @command >out 2>err </dev/null") >> 8;
	($printed, $said) = (slurp("$world/out"), slurp("$world/err"));
	return;
}

sub run_setup { return run_in_world("$world/bin/sh", $setup, @_); }

sub calls { return slurp("$world/calls"); }

# the packages of the calls with this option, one call per line
sub asked
{
	my ($option) = @_;

	return join '', map { join(' ', grep { !/^-|^install$|::/ } split) . "\n" } grep { /\Q$option\E/ } split /\n/, calls();
}

# what was really installed, and the surroundings
sub installed_now { return slurp("$world/installed_now"); }

# ---- nothing is missing
new_world();
run_setup();
is("$status $printed", "0 $world/pg/bin/pg_config\n", 'nothing is missing: the path of pg_config');
is(calls(), '', 'apt-get is not asked');
like($said, qr/\A== PG_CONFIG=\S+ \(PostgreSQL 97\.1\)\n\z/, 'and one line is said');

# ---- one program is missing
my @harmless = ([ 'openssl', 'Inst openssl (3.1 Debian:12/stable [amd64])', 'Conf openssl (3.1 Debian:12/stable [amd64])' ]);
new_world(without => ['openssl'], plans => \@harmless);
spew("$world/on_install", "#!/bin/sh\n" . appears('openssl') . "\n");
run_setup();
is("$status $printed", "0 $world/pg/bin/pg_config\n", 'one is missing: it is installed');
is(installed_now(), "openssl; wish=; needrestart=1\n", 'it alone, without needrestart');
like(calls(), qr/\A[^\n]*--simulate[^\n]*\n[^\n]*--print-uris[^\n]*\n[^\n]*\n\z/, 'after a simulation');
is(scalar(() = calls() =~ /--no-upgrade/g), 3, 'each time with --no-upgrade');
like($said, qr/^== missing: openssl$/m, 'it is named');
like($said, qr/^== packages to be installed: 1, 12\.3 MB to download, 78\.9 MB on disk\n(?s:.*)^== installing/m, 'the cost is said before');
my ($log) = $said =~ /\(log: (\S+)\)$/m;
like(slurp($log // ''), qr/line 600 of many/, 'what apt-get said is in the log that is named');
cmp_ok($said =~ tr/\n//, '<', 6, 'not on the screen');

# ---- what is installed is not named
new_world(without => ['cc'], installed => { 'libc6-dev' => '2.36', 'libssl-dev' => '3.0', 'libkrb5-dev' => '1.20' },
	plans => [ [ '^gcc$', 'Inst gcc (12 x [amd64])' ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('cc') . "\n");
run_setup();
is("$status " . installed_now(), "0 gcc; wish=; needrestart=1\n", 'without a compiler headers cannot be tried: those installed are not named');
unlike(calls(), qr/-dev/, 'in no call');

new_world(without => ['cc'], plans => [ [ '^gcc libc6-dev libssl-dev libkrb5-dev$', 'Inst gcc (12 x [amd64])' ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('cc') . "\n");
run_setup();
is($status, 0, 'those not installed are');

new_world(without => ['openssl'], installed => { openssl => '3.0' });
run_setup();
is("$status " . calls(), '1 ', 'an installed package without what is needed is not installed again');
like($said, qr/installed, but do not have what is needed: openssl/, 'but named');

# ---- an upgrade, a removal, a package that is not configured
my $new = 'Inst openssl (3.1 Debian:12/stable [amd64])';
foreach my $case (
	[ 'an upgrade', 'Inst libssl3 [3.0] (3.1 Debian:12/stable [amd64])', 'upgrade libssl3 [3.0] to 3.1' ],
	[ 'an upgrade that breaks others', 'Inst libssl3 [3.0] (3.1 Debian:12/stable [amd64]) [curl:amd64 ]', 'upgrade libssl3 [3.0] to 3.1' ],
	[ 'a removal', 'Remv postgresql-97 [97.1-1]', 'remove postgresql-97' ],
	[ 'a purge', 'Purg postgresql-97 [97.1-1]', 'remove postgresql-97' ],
	[ 'a package that waits for its configuration', 'Conf postgresql-97 (97.1-1 Debian:12/stable [amd64])', 'configure postgresql-97' ])
{
	my ($what, $line, $reason) = @$case;

	new_world(without => ['openssl'], plans => [ [ 'openssl', $new, $line, 'Conf openssl (3.1 Debian:12/stable [amd64])' ] ]);
	run_setup();
	is("$status $printed" . installed_now(), '1 ', "$what: nothing is done");
	unlike(calls(), qr/^(?!.*--simulate)/m, "$what: but simulated");
	like($said, qr/^    \Q$reason\E$/m, "$what: the reason");
	like($said, qr/^    apt-get install --no-install-recommends --no-upgrade openssl$/m, "$what: the command");
}

# ---- on a machine that is there for nothing else
foreach my $case (
	[ 'a library is upgraded', 0, 'Inst libssl3 [3.0] (3.1 Debian:12/stable [amd64])' ],
	[ 'a server is not', 1, 'Inst postgresql-97 [97.0-1] (97.1-1 Debian:12/stable [amd64])' ],
	[ 'nor is anything removed', 1, 'Remv curl [7]' ])
{
	my ($what, $wanted, $line) = @$case;

	new_world(without => ['openssl'], plans => [ [ 'openssl', $new, $line ] ]);
	spew("$world/on_install", "#!/bin/sh\n" . appears('openssl') . "\n");
	run_setup('--may-upgrade');
	is("$status " . installed_now(), $wanted ? '1 ' : "0 openssl; wish=; needrestart=1\n", "--may-upgrade: $what");
}

# ---- an older version spares the upgrade, where the archive has it
my @upgrade = ([ '^openssl=3\.0$', 'Inst openssl (3.0 Debian:12/stable [amd64])' ],
	[ 'openssl', 'Inst libssl3 [3.0] (3.1 Debian:12/stable [amd64])', $new ]);
new_world(without => ['openssl'], archive => { openssl => [ '3.1', '3.0' ] }, plans => \@upgrade);
spew("$world/on_install", "#!/bin/sh\n" . appears('openssl') . "\n");
run_setup();
is("$status " . installed_now(), "0 openssl=3.0; wish=; needrestart=1\n", 'the version that fits what is installed');
is(asked('--simulate'), "openssl\nopenssl=3.0\n", 'found by simulations');
new_world(without => ['openssl'], archive => { openssl => [ '3.1', '2.9' ] }, plans => \@upgrade);
run_setup();
is("$status " . installed_now(), '1 ', 'no such version: nothing is done');
like($said, qr/upgrade libssl3 \[3\.0\] to 3\.1/, 'and why');
# of what a package needs, too
new_world(without => ['openssl'], archive => { openssl => ['3.1'], 'libfoo-dev' => [ '8', '7' ] },
	plans => [ [ '^openssl libfoo-dev=7', $new, 'Inst libfoo-dev (7 x [all])' ], [ '^openssl ?$', 'Inst libfoo1 [7] (8 x [amd64])', 'Inst libfoo-dev (8 x [all])', $new ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('openssl') . "\n");
run_setup();
is("$status " . installed_now(), "0 openssl libfoo-dev=7; wish=; needrestart=1\n", 'of a package it needs as well');
# a version that fits nothing else
new_world(without => ['openssl'], archive => { openssl => [ '3.1', '3.0' ] }, plans => [ [ 'openssl=3\.0' => 'Remv curl [7]' ], $upgrade[1] ]);
run_setup();
is("$status " . installed_now(), '1 ', 'the older version does harm: nothing is done');

# ---- the development files of the server that is installed
sub plans_of_server
{
	my (%harm) = @_;

	return [ map { my $version = $_;
			[ "postgresql-server-dev-98=\Q$version\E", "Inst postgresql-server-dev-98 ($version x [amd64])", $harm{$version} // () ] } qw(98.1 98.2 98.3) ];
}
my %server = (installed => { 'postgresql-98' => '98.1', 'postgresql-98-plr' => '5', 'postgresql-14' => '14.1', 'postgresql-common' => '248' });
$ENV{WANTED_PG_CONFIG} = 'pg_config';
new_world(%server, archive => { 'postgresql-server-dev-98' => [ '98.2', '98.1' ] }, plans => plans_of_server());
run_setup();
is(installed_now(), "postgresql-server-dev-98=98.1; wish=; needrestart=1\n", 'the server is here: its development files, of its version');
unlike(calls(), qr/postgresql-(?!server-dev)/, 'the server itself is not named');
is($status, 1, 'and no path is printed if there is no server afterwards');

new_world(%server, archive => { 'postgresql-server-dev-98' => [ '98.3', '98.2' ] },
	plans => plans_of_server('98.3' => 'Inst libpq5 [98.1] (98.3 x [amd64])'));
run_setup();
is(installed_now(), "postgresql-server-dev-98=98.2; wish=; needrestart=1\n", 'of another version, if the archive has not that one: one without harm');

new_world(%server, archive => { 'postgresql-server-dev-98' => [ '98.3', '98.2' ] },
	plans => plans_of_server(map { $_ => "Inst postgresql-98 [98.1] ($_ x [amd64])" } qw(98.2 98.3)));
run_setup();
is("$status " . installed_now(), '1 ', 'each of them would upgrade the server: nothing is done');
like($said, qr/^    upgrade postgresql-98 \[98\.1\] to 98\.3$/m, 'and why');

$ENV{WANTED_PG_CONFIG} = '/usr/lib/postgresql/98/bin/pg_config';
new_world(%server, archive => { 'postgresql-server-dev-98' => [ '98.2', '98.1' ] }, plans => plans_of_server());
run_setup();
is(asked('--simulate'), "postgresql-server-dev-98=98.1\n", 'the same if PG_CONFIG names it');

# ---- a server, and no cluster
my @server_plan = ([ 'postgresql-97', 'Inst postgresql-97 (97.1 x [amd64])', 'Inst postgresql-server-dev-97 (97.1 x [amd64])' ]);
my $cluster_off = 'create_main_cluster = false';
$ENV{WANTED_PG_CONFIG} = 'pg_config';
new_world(uid => 1000, plans => \@server_plan);
run_setup();
is(installed_now(), "postgresql-97 postgresql-server-dev-97; wish=$cluster_off; needrestart=1\n",
	'no server: the default one, by sudo, and no cluster');
ok(!-e "$world/etc", 'the wish is gone afterwards');

new_world(uid => 1000, without => ['sudo'], plans => \@server_plan);
run_setup();
is("$status $printed" . installed_now(), '1 ', 'no rights: nothing is done');
like($said, qr/^== packages to be installed: 2, 12\.3 MB/m, 'the cost is said');
my ($command) = $said =~ /^(    \(mkdir.*\))$/ms;
isnt($command, undef, 'and a command is printed') or diag($said);
spew("$world/command", ($command // '') =~ s{/etc/postgresql-common}{$world/etc}gr);
run_in_world("$world/bin/sh", "$world/command");
is("$status " . installed_now(), "0 postgresql-97 postgresql-server-dev-97; wish=$cluster_off; needrestart=on\n", 'which creates no cluster, either');
is(join(' ', glob("$world/etc/createcluster.d/*")), '', 'and leaves nothing behind');

# ---- package lists that are not there, or out of date
new_world(without => ['openssl'], plans => [ [ '^updated openssl', $new ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('openssl') . "\n");
delete $ENV{WANTED_PG_CONFIG};
run_setup();
is("$status " . installed_now(), "0 openssl; wish=; needrestart=1\n", 'no package lists: they are fetched');
new_world(without => [ 'openssl', 'sudo' ], uid => 1000, plans => [ [ '^updated openssl', $new ] ]);
run_setup();
is("$status " . asked('update'), '1 ', 'not without rights');
like($said, qr/^    apt-get update$/m, 'which is said');
new_world(without => ['openssl'], plans => [ [ '^updated openssl', $new, 'Inst libssl3 [3.0] (3.1 x [amd64])' ] ]);
run_setup();
is("$status " . installed_now(), '1 ', 'the plan made with new lists is looked at');

new_world(without => ['openssl'], plans => \@harmless);
spew("$world/on_install", "#!/bin/sh\n" . appears('openssl') . "\n");
spew("$world/gone", '');
run_setup();
is($status, 0, 'a package that has gone from the archive: new lists, and once more');
new_world(without => ['openssl'], plans => [ [ '^updated openssl', $new, 'Remv curl [7]' ], @harmless ]);
spew("$world/gone", '');
run_setup();
is("$status " . (() = installed_now() =~ /\n/g), '1 1', 'not if that would do harm then');
new_world(without => ['openssl'], plans => [ [ '^openssl', $new ] ]);
spew("$world/gone", '');
run_setup();
is($status, 1, 'apt-get knows no way any more');
like($said, qr/^setup: apt-get knows no way to install openssl: see \S+$/m, 'which is said');

# ---- options
new_world(plans => [ [ '^pg-bsd-indent$', 'Inst pg-bsd-indent (2 x [amd64])' ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('pg_bsd_indent') . "\n");
run_setup('--with-format');
is("$status " . installed_now(), "0 pg-bsd-indent; wish=; needrestart=1\n", '--with-format');
run_setup('--with-format');
is(scalar(() = installed_now() =~ /\n/g), 1, 'only once');
new_world(plans => [ [ '^libclang-rt-14-dev$', 'Inst libclang-rt-14-dev (14 x [amd64])' ] ],
	on_install => '');
write_program('clang', "#!/bin/sh\ncase \$1 in -dumpversion) echo 14.0.6 ;; *) echo WORLD/res ;; esac\n");
spew("$world/on_install", "#!/bin/sh\nmkdir -p $world/res/lib/linux; : >$world/res/lib/linux/libclang_rt.fuzzer-x86_64.a\n");
run_setup('--with-fuzz');
is("$status " . installed_now(), "0 libclang-rt-14-dev; wish=; needrestart=1\n", '--with-fuzz: for the clang that is here');
new_world(plans => [ [ '^clang libclang-rt-dev$', 'Inst clang (14 x [amd64])' ] ]);
run_setup('--with-fuzz');
is(asked('--simulate'), "clang libclang-rt-dev\n", '--with-fuzz: or both');
new_world(plans => [ [ '^faketime$', 'Inst faketime (1 x [amd64])' ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('faketime') . "\n");
run_setup('--with-faketime');
is("$status " . installed_now(), "0 faketime; wish=; needrestart=1\n", '--with-faketime');

new_world(plans => [ [ '^mmdebstrap', 'Inst mmdebstrap (1.3 x [all])' ] ]);
spew("$world/on_install", "#!/bin/sh\n" . appears('mmdebstrap') . "\n");
run_setup('--with-packaging');
is("$status " . installed_now(), "0 mmdebstrap; wish=; needrestart=1\n", '--with-packaging');

# ---- what would start services is unpacked, by whoever it is
SKIP:
{
	skip 'no /usr/bin/python3', 7 unless -x '/usr/bin/python3';
	my @closure = map { "Inst $_ (1 x [amd64])" } qw(etcd psycopg2 idna patroni);
	my $tree = sub { return join ' ', map { s{.*/}{}r } sort glob("$world/top/.build/patroni/usr/bin/*"); };
	my $run = sub { return run_in_world("$world/bin/sh", "$world/top/dev/setup", '--with-patroni'); };
	my $begin = sub {
		new_world(uid => 1000, without => ['sudo'], plans => [ [ '^etcd-server patroni python3-etcd python3-idna$', @_ ] ]);
		make_path("$world/top/dev");
		spew("$world/downloads", '');
		spew("$world/top/dev/setup", slurp($setup));
	};

	$begin->(@closure, 'Inst libc6 [2.36] (2.37 x [amd64])', 'Conf etcd (1 x [amd64])');
	$run->();
	is($status, 0, '--with-patroni, without rights') or diag($said);
	is($tree->(), 'etcd idna patroni psycopg2', 'what is missing of all that it needs is unpacked');
	is(installed_now() . join('', glob("$world/top/.build/patroni/archive*")), '', 'nothing is installed, no archive is left');
	$run->();
	is("$status " . asked('download') =~ s/download //r, "0 etcd psycopg2 idna patroni\n", 'only once');

	$begin->(@closure);
	spew("$world/gone", '');
	$run->();
	is("$status " . ($said =~ /could not download etcd psycopg2 idna patroni : see / ? 'said' : $said), '1 said', 'none to be had');
	$begin->('Inst etcd (1 x [amd64])');
	$run->();
	is("$status " . ($said =~ /do not have what is needed: patroni / ? 'said' : $said), '1 said', 'what was unpacked is not enough');
	$begin->();
	spew("$world/plans", '[]');
	$run->();
	is("$status " . ($said =~ /knows no way to install etcd-server patroni / ? 'said' : $said), '1 said', 'not to be had at all');
}

# not installed: their services would start
new_world(plans => [ [ '^download prometheus' ] ]);
make_path("$world/dev");
spew("$world/dev/setup", slurp($setup));
write_program('jq', "#!/bin/sh\n");
write_program('check_postgres', "#!/bin/sh\n");
spew("$world/on_install", "#!/bin/sh\n: >one.deb; : >two.deb\n");
write_program('dpkg-deb', <<'PROGRAM');
#!/bin/sh
[ "$1" = -x ] && mkdir -p "$3/usr/bin" || exit 1
for name in prometheus prometheus-postgres-exporter rsyslogd; do
	[ -f "$2" ] && : >"$3/usr/bin/$name" && chmod 755 "$3/usr/bin/$name"
done
PROGRAM
run_in_world("$world/bin/sh", "$world/dev/setup", '--with-monitoring');
is("$status " . installed_now() =~ s/; wish.*//r, "0 download prometheus prometheus-postgres-exporter rsyslog libestr0 libfastjson4 liblognorm5\n",
	'--with-monitoring: downloads what is not here');
is(join(' ', map { s{.*/}{}r } glob("$world/.build/monitoring/*")), 'setup.log usr', 'and unpacks it in the tree');
is(calls() =~ /^(install|update)/m ? calls() : '', '', 'but installs nothing');
run_in_world("$world/bin/sh", "$world/dev/setup", '--with-monitoring');
is("$status " . (() = installed_now() =~ /\n/g), '0 1', 'only once');
new_world();
make_path("$world/dev");
spew("$world/dev/setup", slurp($setup));
write_program('jq', "#!/bin/sh\n");
run_in_world("$world/bin/sh", "$world/dev/setup", '--with-monitoring');
is($status, 1, 'where it cannot be had');
like($said, qr{^setup: apt-get could not download prometheus .*: see \S+/setup\.log$}m, 'it says so');
run_setup('--with-care');
is("$status " . ($said =~ /usage/ ? 'usage' : $said), '1 usage', 'an unknown option');

done_testing();

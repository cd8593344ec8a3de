# kill -9 at every step of "ssl_guard_ctl encrypt": afterwards the old pair can
# be read, or the new one; and the next encrypt goes well.
#
# A library loaded into the program (LD_PRELOAD) kills it before its nth call
# of a function that changes something in the file system, or runs a command
# before it opens a file.  It also writes down these calls: what a power failure
# leaves depends on their order, and on what was synced in between.

use strict;
use warnings;

use IPC::Run ();
use POSIX ();
use Test::More;

use ESG::Certs;
use ESG::Killer;
use PostgreSQL::Test::Utils ();

my $base = PostgreSQL::Test::Utils::tempdir();
my $count = 0;

my $killer = ESG::Killer::build($base) or plan skip_all => 'no C compiler';

sub new_dir
{
	my $dir = "$base/d" . ++$count;

	mkdir $dir, 0700 or die "mkdir: $!";
	return $dir;
}

sub put
{
	my ($dir, $file, $content) = @_;

	ESG::Certs::spew("$dir/$file", $content);
	chmod 0400, "$dir/$file";
	return;
}

# the files of a directory by name, and a directory with such files
sub remember
{
	my ($dir) = @_;

	return { map { (s{.*/}{}r => ESG::Certs::slurp($_)) } glob("$dir/*") };
}

sub restore
{
	my ($files) = @_;
	my $dir = new_dir();

	put($dir, $_, $files->{$_}) foreach keys %$files;
	return $dir;
}

# true if it ended by itself, with success; dies if it failed by itself; without
# a passphrase it is "tidy"
sub encrypt
{
	my ($dir, $passphrase, $kill_at) = @_;
	my @command = defined $passphrase ? ('encrypt', '--force') : ('tidy');
	my $said = '';

	ESG::Certs::spew("$base/input", ($passphrase // '') . "\n");
	{
		local $ENV{LD_PRELOAD} = $kill_at ? $killer : '';
		local $ENV{KILL_AT} = $kill_at // '';
		IPC::Run::run([ 'ssl_guard_ctl', @command, '-D', $dir ], '<', "$base/input", '>&', \$said);
	}
	return 1 if $? == 0;
	return 0 if $kill_at && ($? & 127) == 9;
	die "ssl_guard_ctl failed (status $?): $said";
}

# the passphrase, or '' if there is no pair
sub decrypt
{
	my ($dir) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'ssl_guard_ctl', 'decrypt', '-D', $dir ], '<', \undef, '>', \$out, '2>', \$err);
	return '' if $err =~ /cipher" cannot be used: No such file/;
	return "failed: $err" if $? != 0;
	chomp $out;
	return $out;
}

# Kills at each step in turn, starting from the files given.  Returns the list
# of [ step, what can be read, files ].
sub kill_everywhere
{
	my ($start, $passphrase) = @_;
	my @states;

	for (my $step = 1; $step < 100; $step++)
	{
		my $dir = restore($start);

		return @states if encrypt($dir, $passphrase, $step);
		push @states, [ $step, decrypt($dir), remember($dir) ];
	}
	die 'it never ends';
}

# The old answer up to some step, the new one from then on, and both occur.
sub is_switch
{
	my ($old, $new, $name, @states) = @_;
	my $answers = join ' ', map { $_->[1] eq $old ? 'old' : $_->[1] eq $new ? 'new' : "($_->[1])" } @states;

	like($answers, qr/\A(old )+(new ?)+\z/, $name);
	return;
}

my $old_dir = new_dir();
encrypt($old_dir, 'old');
my $old = remember($old_dir);

my @first = kill_everywhere({}, 'new');
is_switch('', 'new', 'the first pair: nothing, then the pair', @first);
cmp_ok(scalar @first, '>=', 14, 'every step was reached');

my @states = kill_everywhere($old, 'new');
is_switch('old', 'new', 'a pair is replaced: the old one, then the new one', @states);

my (@after, @tidy, @again);
foreach my $state (@states)
{
	my $dir = restore($state->[2]);

	encrypt($dir, 'next');
	push @after, decrypt($dir);
	push @tidy, join ' ', sort keys %{ remember($dir) };

	# killed a second time, at each step: nothing that could be read gets lost
	my @second = kill_everywhere($state->[2], 'next');
	my $answers = join ' ', map { $_->[1] } @second;
	push @again, "step $state->[0]: $answers" if $answers !~ /\A($state->[1] )+(next ?)+\z/;
}
is_deeply([ grep { $_ ne 'next' } @after ], [], 'encrypt works after a crash at any step');
is_deeply([ grep { $_ ne 'server.key.cipher server.key.rand' } @tidy ], [], 'and tidies up');
is_deeply(\@again, [], 'a second crash does no harm either');

# whatever the kill left is told, and taken away; what could be read can still be read
my (@untold, @untidy, @lost);
foreach my $state (@first, @states)
{
	my ($step, $answer, $files) = @$state;
	my $dir = restore($files);
	my $said = '';

	IPC::Run::run([ 'ssl_guard_ctl', 'check', '-D', $dir ], '<', \undef, '>&', \$said);
	foreach my $name ('server.key.rand.new', 'server.key.cipher.new')
	{
		push @untold, "step $step: $said"
		  if ($said =~ /\Q$name\E" was left behind/ xor exists $files->{$name});
	}
	push @untold, "step $step: no command" if ($said =~ /hint: Run: ssl_guard_ctl tidy -D '\Q$dir\E'$/m xor grep { /new/ } keys %$files);
	encrypt($dir);
	push @untidy, "step $step" if grep { /new/ } keys %{ remember($dir) };
	push @lost, "step $step" if decrypt($dir) ne $answer;
	push @lost, map { "step $step and $_->[0]" } grep { $_->[1] ne $answer } kill_everywhere($files);
}
is_deeply(\@untold, [], 'check tells of each file that was left behind, and of nothing else');
is_deeply(\@untidy, [], 'tidy takes them away');
is_deeply(\@lost, [], 'and takes no pair away, not even if it is killed');

# a complete pair that never took its place
{
	my ($complete) = grep { $_->[1] eq '' && length($_->[2]{'server.key.cipher.new'} // '') == 1150 } @first;
	my $dir = restore($complete->[2]);
	my $said = '';

	ok($complete, 'there is a state with a complete .new pair and nothing else');
	IPC::Run::run([ 'ssl_guard_ctl', 'check', '-D', $dir ], '<', \undef, '>&', \$said);
	is($? >> 8, 1, 'which is no pair');
	like($said, qr/rand\.new" was left behind.*cipher\.new" was left behind.*cipher" cannot be used: No such file/s, 'but told of');
	chmod 0000, "$dir/server.key.rand.new";
	IPC::Run::run([ 'ssl_guard_ctl', 'tidy', '-D', $dir ], '<', \undef, '>&', \$said);
	SKIP:
	{
		skip 'root may read anything', 2 if $> == 0;
		is($? >> 8, 1, 'what cannot be read might be needed');
		is(join(' ', map { s{.*/}{}r } glob("$dir/*")), 'server.key.cipher.new server.key.rand.new', 'and stays');
	}
	chmod 0400, "$dir/server.key.rand.new";
	encrypt($dir);
	is(join(' ', glob("$dir/*")), '', 'tidied, there is nothing');
}

# the order of the steps: nothing is renamed before it is on disk
{
	my $dir = restore($old);

	local $ENV{STEP_LOG} = "$base/steps";
	encrypt($dir, 'new', 1000);
	is(ESG::Certs::slurp("$base/steps"), <<'STEPS', 'files, directory and renames reach the disk in order');
unlink server.key.rand.new
unlink server.key.cipher.new
create server.key.rand.new
chmod file
write file
fsync file
create server.key.cipher.new
chmod file
write file
fsync file
fsync directory
rename server.key.cipher.new
fsync directory
rename server.key.rand.new
fsync directory
STEPS
}

# a directory that cannot be synced: because the file system has no such thing,
# or because the disk is failing, at each of the three times
foreach my $case ([ 'EINVAL', '', 'new', '' ], [ 'EIO', 1, 'old', '' ], [ 'EIO', 2, 'new', ' server.key.rand.new' ], [ 'EIO', 3, 'new', '' ])
{
	my ($error, $at, $want, $more) = @$case;
	my $dir = restore($old);
	my $said = '';

	ESG::Certs::spew("$base/input", "new\n");
	{
		local $ENV{LD_PRELOAD} = $killer;
		local $ENV{SYNC_ERROR} = $error eq 'EINVAL' ? POSIX::EINVAL() : POSIX::EIO();
		local $ENV{SYNC_ERROR_AT} = $at;
		delete local $ENV{SYNC_ERROR_AT} unless $at;
		IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '-D', $dir ], '<', "$base/input", '>&', \$said);
	}
	is($? >> 8, $error eq 'EIO' ? 1 : 0, "fsync of the directory $at: $error: exit status");
	like($said, $error eq 'EIO' ? qr/could not fsync directory/ : qr/^wrote/m, "fsync of the directory $at: $error: said");
	is(decrypt($dir), $want, "fsync of the directory $at: $error: what can be read");
	is(join(' ', sort keys %{ remember($dir) }), "server.key.cipher server.key.rand$more",
		"fsync of the directory $at: $error: files");
}

# check tells of the interrupted one
my ($pending) = grep { $_->[1] eq 'new' && $_->[2]{'server.key.rand.new'} } @states;
ok($pending, 'there is a state in which .rand.new is the one that counts');
my $dir = restore($pending->[2]);
my $said = '';
IPC::Run::run([ 'ssl_guard_ctl', 'check', '-D', $dir ], '<', \undef, '>&', \$said);
is($?, 0, 'check calls it usable');
like($said, qr/interrupted/, 'and tells that encrypt was interrupted');

# encrypt finished it before it failed for lack of room: the pair is still there
my $failed = `echo next | bash -c 'ulimit -f 0; ssl_guard_ctl encrypt --force -D "\$0" 2>&1 | cat' '$dir'`;
like($failed, qr/could not write/, 'a full disk after the crash');
is(decrypt($dir), 'new', 'the pair is as it was');
is(join(' ', sort keys %{ remember($dir) }), 'server.key.cipher server.key.rand', 'but tidy');

# ---- a writer that runs between two reads of a reader

sub decrypt_while
{
	my ($dir, $file, $command) = @_;

	local $ENV{LD_PRELOAD} = $killer;
	local $ENV{RUN_BEFORE} = $file;
	local $ENV{RUN} = $command;
	return decrypt($dir);
}

foreach my $file ('server.key.cipher', 'server.key.rand')
{
	$dir = restore($old);
	is(decrypt_while($dir, $file, "echo next | ssl_guard_ctl encrypt --force -D '$dir' 2>/dev/null >&2"),
		'next', "the pair is replaced before $file is read");
}
# the reader has .cipher and .rand of before, then looks for a .rand.new that is one already
$dir = restore($pending->[2]);
is(decrypt_while($dir, 'server.key.rand.new', "echo next | ssl_guard_ctl encrypt --force -D '$dir' 2>/dev/null >&2"),
	'next', 'the interrupted pair is replaced before server.key.rand.new is read');
# a second half that comes late
$dir = restore($old);
rename "$dir/server.key.cipher", "$base/late";
is(decrypt_while($dir, 'server.key.rand', "false"), '', 'no .cipher is no pair');
rename "$base/late", "$dir/server.key.cipher";
rename "$dir/server.key.rand", "$base/late";
is(decrypt_while($dir, 'server.key.rand.new', "mv '$base/late' '$dir/server.key.rand'"), 'old', 'a late .rand');

done_testing();

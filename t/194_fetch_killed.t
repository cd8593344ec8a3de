# kill -9 at every step of fetch-crl: what is there is old or new, never half, and
# the next run goes well and leaves nothing behind; also when the disk is full, and
# when somebody else writes meanwhile.

use strict;
use warnings;

use File::Copy qw(copy);
use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Fetch;
use ESG::Killer;
use ESG::Web;

my $certs = ESG::Certs->new;
my $killer = ESG::Killer::build($certs->{dir}) or plan skip_all => 'no C compiler';
my $web = ESG::Web->new;
my $ca = $certs->make_ca('ca', subject => '/CN=one');
my $other = $certs->make_ca('other', subject => '/CN=other');
my %old = (ca => $certs->make_crl($ca, 'old_ca', last_update => -3000), other => $certs->make_crl($other, 'old_other', last_update => -3000));
my %new = (ca => $certs->make_crl($ca, 'new_ca', last_update => -60), other => $certs->make_crl($other, 'new_other', last_update => -60));
my @all = map { ('--url', $web->put($_, ESG::Certs::slurp($new{$_}))) } sort keys %new;
my @cas = map { ('--ca', $_->{cert}) } $ca, $other;
my $count = 0;

sub text { return ESG::Certs::slurp($_[0]); }

sub hash_of { return ESG::Certs::openssl('crl', '-in', $_[0], '-noout', '-hash') =~ s/\s//gr; }

my %names = map { $_ => hash_of($old{$_}) . '.r0' } keys %old;

sub new_dir
{
	my $dir = $certs->{dir} . '/d' . ++$count;

	mkdir $dir or die "mkdir: $!";
	return $dir;
}

# KILL_AT and others; the exit status, or "signal 9"
sub fetch
{
	my ($f, $out, $environment, @more) = @_;
	my %set = $environment ? (LD_PRELOAD => $killer, %$environment) : ();

	local @ENV{ keys %set } = values %set;
	return $f->run(@cas, @all, '--out', $out, @more);
}

# What of it is there: for each file "old", "new", or what else.
sub state_of
{
	my ($path, $old, $new) = @_;

	return 'none' unless -e $path;
	my $text = text($path);
	return $text eq $old ? 'old' : $text eq $new ? 'new' : "($text)";
}

# --- a file --------------------------------------------------------------------------

my ($old_text, $new_text) = map { my $set = $_; join '', map { text($set->{$_}) } sort keys %$set } \%old, \%new;
my (@states, @again, @left, @marks_after);
my $ended = 0;

for (my $step = 1; $step < 60 && !$ended; $step++)
{
	my $f = ESG::Fetch->new(new_dir());
	my $out = $f->path('root.crl');
	my $reload = "echo done >>'" . $f->path('marks') . "'";

	ESG::Certs::spew($out, $old_text);
	chmod 0640, $out;
	my $status = fetch($f, $out, { KILL_AT => $step }, '--reload-command', $reload);
	push @states, state_of($out, $old_text, $new_text);
	$ended = $status eq '0';
	push @again, fetch($f, $out, undef, '--reload-command', $reload) . state_of($out, $old_text, $new_text);
	push @left, join ' ', grep { !/^(root\.crl|marks)$/ } $f->names;
	push @marks_after, -s $f->path('marks') ? 'reloaded' : 'not';
}
ok($ended, 'a file: in the end nothing is left to be killed');
like("@states", qr/\A(old )+(new ?)+\z/, 'it is the old one up to some step, and the new one from then on');
cmp_ok(scalar @states, '>=', 12, 'every step was reached');
is_deeply([ grep { $_ ne '0new' } @again ], [], 'the next run goes well');
is_deeply([ grep { $_ ne '' } @left ], [], 'and nothing is left behind');
is_deeply([ grep { $_ ne 'reloaded' } @marks_after ], [], 'the server is reloaded, by one of the two');

# --- a directory ------------------------------------------------------------------------

my (@pairs, @bad);
$ended = 0;
for (my $step = 1; $step < 60 && !$ended; $step++)
{
	my $f = ESG::Fetch->new(new_dir());

	copy($old{$_}, $f->path($names{$_})) foreach keys %old;
	$ended = fetch($f, $f->{dir}, { KILL_AT => $step }) eq '0';
	push @pairs, join '/', map { state_of($f->path($names{$_}), text($old{$_}), text($new{$_})) } sort keys %old;
	my $again = fetch($f, $f->{dir}, undef);
	push @bad, $again if $again ne '0' || join(' ', sort $f->names) ne join(' ', sort values %names);
}
ok($ended, 'a directory: in the end nothing is left to be killed');
like("@pairs", qr{\A(old/old )+((old/new|new/old) )*(new/new ?)+\z}, 'each file is the old one, then the new one');
is_deeply(\@bad, [], 'the next run goes well, and leaves nothing behind');

# --- the order -----------------------------------------------------------------------------

my $f = ESG::Fetch->new(new_dir());
my $out = $f->path('root.crl');
my $log = $certs->{dir} . '/steps';
ESG::Certs::spew($out, $old_text);
is(fetch($f, $out, { STEP_LOG => $log }), 0, 'it goes well');
like(join(' ', grep { /^(create|fsync|rename)/ } split /\n/, text($log)),
	qr/\Acreate \.root\.crl\.new fsync file fsync directory rename \.root\.crl\.new fsync directory\z/,
	'the new file is on disk before it is renamed, and the name afterwards');

# --- a full disk, and a disk that fails -------------------------------------------------------

ESG::Certs::spew($out, $old_text);
$f->remember;
{
	my ($said, $arguments) = ('', join ' ', map { "'$_'" } @cas, @all, '--out', $out);

	IPC::Run::run([ 'sh', '-c', "ulimit -f 0; exec ssl_guard_ctl fetch-crl $arguments" ], '<', '/dev/null', '>&', \$said);
	is($? >> 8, 1, 'no room: a warning');
	like($said, qr/could not write file ".*\.root\.crl\.new": File too large/, 'which it says');
}
ok($f->unchanged, 'the file is as it was, and nothing is beside it');
is(fetch($f, $out, { SYNC_ERROR => 5, SYNC_ERROR_AT => 1 }), 1, 'an error of the disk');
ok($f->unchanged, 'the file is as it was, and nothing is beside it');

# --- somebody else ---------------------------------------------------------------------------

ESG::Certs::spew($out, $old_text);
is(fetch($f, $out, { RUN_BEFORE => '.root.crl.new', RUN => "echo '# mine' >>'$out'" }), 1, 'the file is changed meanwhile');
like($f->{err}, qr/was changed by somebody else meanwhile/, 'which it says');
is(text($out), "$old_text# mine\n", 'and what somebody else has written stays');
is_deeply([ $f->names ], ['root.crl'], 'nothing is beside it');

# two at a time: one waits for the other
ESG::Certs::spew($out, $old_text);
my @runs = map { my $said = ''; [ IPC::Run::start([ 'ssl_guard_ctl', 'fetch-crl', @cas, @all, '--out', $out ], '<', '/dev/null', '>&', \$said) ] } 1 .. 4;
is_deeply([ map { $_->[0]->finish ? 'well' : 'badly' } @runs ], [ ('well') x 4 ], 'four at a time');
is(text($out), $new_text, 'all go well');
is_deeply([ $f->names ], ['root.crl'], 'and leave nothing behind');

done_testing();

# What ssl_guard_ctl prints: text, JSON, Prometheus' format, a monitoring plugin's
# output; with certificates that would like to print something else.

use strict;
use warnings;

use Encode ();
use IPC::Run ();
use JSON::PP;
use POSIX ();

use Test::More;

use ESG::Certs;
use ESG::Ctl;
use ESG::Monitoring;
use ESG::Node;
use PostgreSQL::Test::Utils ();

my $certs = ESG::Certs->new;
my $evil = "/CN=\x1b[2J|'\"=\n\xc2\x9b31m\xe2\x80\xae`\\\\x/O=\xd0\x9f\xd1\x80";
my $ca = $certs->make_ca('ca', subject => $evil);
my $server = $certs->make_server('server', ca => $ca, subject => "$evil one", days_left => 5);
my $node = ESG::Node->new('main');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->setup(ca => $ca, server => $server, conf => 'ext_ssl_guard.self_probe = off');
$node->start;
my $other = ESG::Node->new('good');
$other->setup(server => $certs->make_server('good', ca => $ca, subject => '/CN=localhost/CN=localhost'), conf => 'ext_ssl_guard.self_probe = off');
$other->start;
my $good = '127.0.0.1:' . $other->port;
my @probe = ('probe', '127.0.0.1:' . $node->port, '--ca', $ca->{cert});

sub output
{
	my ($format, @more) = @_;
	my ($status, $out, $err) = ESG::Ctl::run(@probe, '--format', $format, @more);

	is("$status $err", '2 ', "$format: status");
	ok(eval { Encode::decode('UTF-8', my $copy = $out, Encode::FB_CROAK); 1 }, "$format: it is UTF-8");
	unlike($out =~ s/\n//gr, qr/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]/, "$format: nothing controls the terminal");
	return $out;
}

# ---- text

my $out = output('text');
like($out, qr/^CRITICAL  certificate O=\xd0\x9f\xd1\x80 one,CN=.*, 127\.0\.0\.1:\d+:1 \(server\)$/m, 'who it is');
like($out, qr/^    CRITICAL expires_very_soon \(SG017\): certificate "O=.*" of server "127\.0\.0\.1:\d+" expires in [45] days$/m, 'a finding');
like($out, qr/^        Hint: Replace the certificate and reload the server\.$/m, 'its hint');
like($out, qr/\\x1b\[2J/, 'a control character is shown');
like($out, qr/^CRITICAL: 3 looked at, 2 ok, 1 critical\n\z/m, 'the outcome');
unlike($out, qr/\x1b/, 'no colour in a file');
{
	local $ENV{NO_COLOR} = '1';
	my (undef, $colored) = ESG::Ctl::run(@probe, '--color', 'always');

	like($colored, qr/^\x1b\[1;31mCRITICAL\x1b\[0m  certificate/m, '--color always');
	is($colored =~ s/\x1b\[[\d;]*m//gr =~ s/[\d.]+ ms//gr, $out =~ s/[\d.]+ ms//gr, 'is the same otherwise');
}
(undef, my $quiet) = ESG::Ctl::run(@probe, '--quiet');
like($quiet, qr/\ACRITICAL  certificate .*\n    CRITICAL expires_very_soon/, '--quiet: what has a finding');
unlike($quiet, qr/fingerprint|protocol/, 'no more');
is_deeply([ ESG::Ctl::run('probe', $probe[1], '-q', '--at', '-1d') ]->[0], 3, 'a span into the past is none');

# What it prints on a terminal.
sub on_terminal
{
	my ($environment) = @_;
	my $said = '';
	my $harness = IPC::Run::start([ 'env', %$environment ? map { "$_=$environment->{$_}" } keys %$environment : (), 'TERM=xterm', 'ssl_guard_ctl', @probe ], '<pty<', \my $in, '>pty>', \$said, IPC::Run::timeout(60));

	eval { $harness->finish };
	return $said;
}
SKIP:
{
	skip 'there is no IO::Pty', 2 unless eval { require IO::Pty; 1 };
	like(on_terminal({}), qr/\x1b\[1;31mCRITICAL/, 'colour on a terminal');
	unlike(on_terminal({ NO_COLOR => '1' }), qr/\x1b/, 'but not with NO_COLOR');
}

# ---- JSON

$out = output('json');
my $report = decode_json($out);
my ($shown) = ESG::Ctl::objects($report, 'certificate');
is($report->{status}, 'critical', 'JSON: status');
is($shown->{findings}[0]{code}, 'expires_very_soon', 'the worst comes first');
is($shown->{findings}[0]{sqlstate}, 'SG017', 'SQLSTATE');
like($shown->{findings}[0]{detail}, qr/^code=expires_very_soon severity=critical position=1 not_after=\S+Z fingerprint=$server->{fingerprint}$/, 'DETAIL as the log has it');
is($shown->{subject}, $node->safe_psql('postgres', q{SELECT subject FROM ssl_guard_certificates WHERE setting = 'ssl_cert_file'}) =~ s/(.*)/Encode::decode('UTF-8', $1)/er, 'the subject as SQL has it');
my @files;
foreach my $case ([$probe[1]], [ @probe[ 1 .. $#probe ], '--at', '2099-01-01' ], ['127.0.0.1:1'], [ $probe[1], 'localhost:' . $node->port ], ["no\x1bhost\xff.invalid"])
{
	my (undef, $text) = ESG::Ctl::run('probe', @$case, '--format', 'json', '--timeout', '10');

	push @files, ESG::Certs::spew("$dir/" . @files . '.json', $text);
	ok(eval { decode_json($text) }, 'JSON: ' . join(' ', map { s/[^ -~]/?/gr } @$case));
}
SKIP:
{
	my $complaints = ESG::Ctl::schema_complaints(ESG::Certs::spew("$dir/report.json", $out), @files);

	skip 'python3-jsonschema is not there (dev/setup --with-monitoring): the schema is NOT TESTED', 2 unless defined $complaints;
	is($complaints, '', 'JSON: as the schema has it');
	isnt(ESG::Ctl::schema_complaints(ESG::Certs::spew("$dir/wrong.json", $out =~ s/"critical"/"fine"/r)), '', 'which says no to something else');
}

# ---- Prometheus

$out = output('prometheus');
my %samples;
push @{ $samples{ $_->{name} } }, $_ foreach ESG::Monitoring::samples($out);
is($samples{ssl_guard_ctl_status}[0]{value}, 2, 'metrics: status');
my ($end) = grep { $_->{labels}{position} eq '1' } @{ $samples{ssl_guard_ctl_not_after_timestamp_seconds} };
cmp_ok(abs($end->{value} - time - 5 * 86400), '<', 3600, 'the end is a moment');
is(Encode::decode('UTF-8', $end->{labels}{subject}), $shown->{subject}, 'labels are escaped so that they come back');
is(join(' ', map { $_->{labels}{code} } grep { $_->{labels}{severity} eq 'critical' } @{ $samples{ssl_guard_ctl_finding} }), 'expires_very_soon', 'findings');
is(join(' ', sort map { $_->{labels}{step} } @{ $samples{ssl_guard_ctl_step_duration_seconds} }), 'answer connect handshake', 'steps');
SKIP:
{
	my $promtool = ESG::Monitoring::program('promtool');

	skip 'promtool is not there (dev/setup --with-monitoring): the metrics are NOT TESTED', 2 unless $promtool;
	foreach my $case ($out, (ESG::Ctl::run(@probe, $probe[1], '--format', 'prometheus'))[1])
	{
		my $said = '';

		ok(IPC::Run::run([ $promtool, 'check', 'metrics' ], '<', \$case, '>&', \$said), 'promtool accepts the metrics');
		is($said, '', 'and has nothing to say');
	}
}

# ---- a monitoring plugin

$out = output('nagios');
my ($first, @rest) = split /\n/, $out;
my ($words, $performance, @more) = split /\|/, $first;
is(scalar @more, 0, 'plugin: one bar');
like($words, qr/^SSL_GUARD CRITICAL - certificate ".*" expires in [45] days \z/, 'the status, and what is worst');
my $number = qr/-?\d+(?:\.\d+)?/;
my $item = qr/'(?:[^'=|]|'')+'=${number}s(?:;(?:$number)?){0,4}/;
like($performance, qr/^(?: $item)+$/, 'performance data as the guidelines have it');
like($performance, qr/ '127\.0\.0\.1:\d+:1 server expires_in'=4\d{5}s/, 'how long the certificate is good');
like($performance, qr/ '127\.0\.0\.1:\d+ handshake'=0\.\d{6}s;;;0/, 'how long the handshake took');
is(scalar(grep { /\|/ } @rest), 0, 'no bar in the long text');
(my $status, $out) = ESG::Ctl::run('probe', '127.0.0.1:1', '--format', 'nagios');
is($status, 3, 'nobody there');
like($out, qr/\ASSL_GUARD UNKNOWN - 127\.0\.0\.1:1: it cannot be reached: Connection refused \|\n/, 'is UNKNOWN');

# ---- of several outcomes

foreach my $case (
	[ 2, 'critical, and could not look', @probe[ 1 .. 3 ], '127.0.0.1:1' ],
	[ 1, 'a warning', $good, '--name', 'db1.example.com' ],
	[ 3, 'could not look, and a warning', $good, '127.0.0.1:1', '--name', 'db1.example.com' ],
	[ 0, 'notices', $good ])
{
	my ($want, $what, @arguments) = @$case;

	is((ESG::Ctl::run('probe', @arguments))[0], $want, "$what: $want");
}

# ---- where it cannot be written

SKIP:
{
	skip 'there is no /dev/full', 2 unless -e '/dev/full';
	my $said = `ssl_guard_ctl $probe[0] $probe[1] 2>&1 >/dev/full`;

	is($? >> 8, 3, 'a full disk');
	like($said, qr/could not write to standard output: No space left/, 'is said');
}
done_testing();

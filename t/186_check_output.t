# What ssl_guard_ctl check prints for programs: of all faults of the catalogue, of odd
# files, and of a server, as JSON by its schema, as metrics that promtool takes, and
# as a monitoring plugin does; the same findings in each.

use strict;
use warnings;

use IPC::Run ();
use JSON::PP;

use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Check;
use ESG::Ctl;
use ESG::Monitoring;
use ESG::Node;
use PostgreSQL::Test::Utils ();

ESG::Cases::begin(ESG::Certs->new);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = ESG::Node->new('main');
my $count = 0;
my @files;

$node->setup(ca => $ESG::Cases::ca, server => $ESG::Cases::server, crl => $ESG::Cases::crl, conf => "ssl_crl_file = 'root.crl'");

sub add
{
	my ($kind, $text, $mode) = @_;
	my $file = sprintf '%s/%03d %s.pem', $dir, ++$count, $count % 7 ? $kind : "it's \"odd\" | é";

	return unless defined $text;
	ESG::Certs::spew($file, $text);
	chmod $mode // 0644, $file;
	push @files, '--as', $kind, $file;
	return;
}

foreach my $code (sort keys %ESG::Cases::case)
{
	my ($place) = sort keys %{ $ESG::Cases::case{$code} };
	my $case = eval { $ESG::Cases::case{$code}{$place}->() } // next;

	add('server', $case->{'server.crt'});
	add('ca', $case->{'root.crt'});
	add('crl', $case->{'root.crl'});
	add('client', ESG::Cases::text($case->{client})) if $case->{client};
}
my %form = ESG::Cases::odd_forms();
add('server', $form{$_}) foreach sort keys %form;
add('key', ESG::Cases::text($ESG::Cases::server->{key}), $_) foreach 0600, 0644;

my $postgres = ESG::Check::stand_in(ssl_cert_file => 'late.crt');
ESG::Certs::spew($node->path('late.crt'), ESG::Cases::text($ESG::Cases::certs->make_server('late', ca => $ESG::Cases::ca, days_left => -3)));

# name, arguments; the status that all formats have
my @reports;
foreach my $case (
	[ 'files', 2, @files ],
	[ 'one that is good', 0, '--as', 'ca', $ESG::Cases::ca->{cert} ],
	[ 'one that is not there', 2, "$dir/nowhere" ],
	[ 'a server', 2, '-D', $node->data_dir, '--postgres', $postgres ],
	[ 'in other times', 2, '-D', $node->data_dir, '--postgres', $postgres, '--at', '2099-01-01' ])
{
	my ($name, $status, @arguments) = @$case;
	my ($got, $text, $err) = ESG::Ctl::run('check', @arguments, '--format', 'json');
	my $report = eval { decode_json($text) } // {};
	my %codes;

	is("$got $err", "$status ", "$name: JSON: status");
	is({ ok => 0, warning => 1, critical => 2 }->{ $report->{status} // '' }, $status, "$name: it is told");
	push @reports, ESG::Certs::spew("$dir/report" . @reports . '.json', $text);
	$codes{ $_->{code} }++ foreach map { @{ $_->{findings} } } @{ $report->{objects} };
	cmp_ok(scalar keys %codes, '>', 40, "$name: codes") if $name eq 'files';

	($got, $text, $err) = ESG::Ctl::run('check', @arguments, '--format', 'prometheus');
	is("$got $err", "$status ", "$name: metrics: status");
	my @samples = ESG::Monitoring::samples($text);
	my %counted = map { $_->{labels}{code} => 1 } grep { $_->{name} eq 'ssl_guard_ctl_finding' } @samples;

	is(join(' ', sort keys %counted), join(' ', sort keys %codes), "$name: the same codes");
	is((map { $_->{value} } grep { $_->{name} eq 'ssl_guard_ctl_status' } @samples)[0], $status, "$name: the same status");
	SKIP:
	{
		my $promtool = ESG::Monitoring::program('promtool');
		my $said = '';

		skip 'promtool is not there (dev/setup --with-monitoring): the metrics are NOT TESTED', 1 unless $promtool;
		IPC::Run::run([ $promtool, 'check', 'metrics' ], '<', \$text, '>&', \$said);
		is($? . $said, '0', "$name: promtool has nothing to say");
	}

	($got, $text, $err) = ESG::Ctl::run('check', @arguments, '--format', 'nagios');
	is("$got $err", "$status ", "$name: plugin: status");
	my ($first, @rest) = split /\n/, $text;
	my $number = qr/-?\d+(?:\.\d+)?/;

	like($first, qr/^SSL_GUARD (?:OK|WARNING|CRITICAL) - [^|]+(?:\|(?: '(?:[^'=|]|'')+'=${number}s(?:;(?:$number)?){0,4})*)?$/, "$name: words, and performance data");
	is(scalar(grep { /\|/ } @rest), 0, "$name: no bar in the long text");

	($got, $text, $err) = ESG::Ctl::run('check', @arguments);
	is("$got $err", "$status ", "$name: text: status");
	my %told = map { $_ => 1 } $text =~ /^ +(?:NOTICE|WARNING|CRITICAL) (\w+) \(SG\d+\): /mg;

	is(join(' ', sort keys %told), join(' ', sort keys %codes), "$name: and as text");
}
SKIP:
{
	my $complaints = ESG::Ctl::schema_complaints(@reports);

	skip 'python3-jsonschema is not there (dev/setup --with-monitoring): the schema is NOT TESTED', 1 unless defined $complaints;
	is($complaints, '', 'JSON: as the schema has it');
}
done_testing();

# A primary and its standby, seen through Prometheus: the dashboard's list of all
# servers has a line for each, which tells them apart.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Monitoring;
use ESG::Node;
use PostgreSQL::Test::Utils ();

ESG::Monitoring::need('a fleet in Prometheus', 'prometheus', 'prometheus-postgres-exporter');

my $limit = 2 * $ESG::Node::timeout;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %node = map { $_ => ESG::Node->new($_) } qw(one two);
my %port;

$node{one}->setup(ca => $ca, server => $certs->make_server('one', ca => $ca), init => { allows_streaming => 1 },
	conf => "ext_ssl_guard.file_poll_interval = 1s");
$node{one}->set_hba('local replication all trust');
$node{one}->start;
$node{one}->safe_psql('postgres', 'CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
$node{one}->backup('base');
$node{two}->init_from_backup($node{one}, 'base', has_streaming => 1);
# three days are left of the standby's own
my $short = $certs->make_server('two', ca => $ca, days_left => 3);
$node{two}->replace($short->{key}, 'server.key');
$node{two}->replace($short->{cert}, 'server.crt');
chmod 0600, $node{two}->path('server.key') or die "chmod: $!";
$node{two}->start;

foreach my $name (sort keys %node)
{
	$node{$name}->wait_sql("SELECT last_check_at IS NOT NULL FROM ssl_guard_status");
	$port{$name} = ESG::Monitoring->exporter($node{$name}, 'watcher')->{port};
}
my $prometheus = ESG::Monitoring->prometheus(dir => PostgreSQL::Test::Utils::tempdir(), config => <<"CONFIG");
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: postgres
    static_configs:
      - targets: ['127.0.0.1:$port{one}', '127.0.0.1:$port{two}']
CONFIG

# { cluster => value } for a query whose labels are cluster and server
sub query
{
	my ($promql) = @_;
	my $encoded = $promql =~ s/([^\w.])/sprintf '%%%02X', ord $1/ger;
	my $answer = ESG::Monitoring::get_json($prometheus->url("/api/v1/query?query=$encoded"));
	my %found;

	die "$promql: $answer->{error}\n" if $answer->{status} ne 'success';
	foreach my $row (@{ $answer->{data}{result} })
	{
		my ($name) = $row->{metric}{cluster_name};

		die "$promql: a server is not what it says\n" if $row->{metric}{instance} ne "127.0.0.1:$port{$name}";
		$found{$name} = $row->{value}[1];
	}
	return \%found;
}

# Polls until the answer is that of the pattern "one two".
sub wait_for
{
	my ($promql, $pattern, $what) = @_;
	my $until = time + $limit;
	my $text;

	do
	{
		my $found = query($promql);

		$text = join ' ', map { $found->{$_} // '-' } qw(one two);
		return pass("$what: $text") if $text =~ $pattern;
		sleep 0.3;
	} while (time < $until);
	return is($text, "$pattern", $what);
}

my ($panel) = grep { $_->{title} eq 'All servers' }
  @{ decode_json(ESG::Certs::slurp(ESG::Monitoring::source() . '/grafana/ssl_guard.json'))->{panels} };
my ($organize) = map { $_->{options}{renameByName} } grep { $_->{id} eq 'organize' } @{ $panel->{transformations} };
# what the columns show, of one and two
my %expected = (
	worker => qr/^1 1$/, standby => qr/^0 1$/, 'in sync' => qr/^1 1$/, 'last reload' => qr/^(?:1|NaN) (?:1|NaN)$/, critical => qr/^0 [12]$/,
	warnings => qr/^0 0$/, 'served ends in' => qr/^3\d{7}\S* 2\d{5}\S*$/, 'next end in' => qr/^3\d{7}\S* 2\d{5}\S*$/,
	'last check ago' => qr/^\d{1,3}(?:\.\d+)? \d{1,3}(?:\.\d+)?$/);
my %promql = map { $organize->{"Value #$_->{refId}"} => $_->{expr} =~ s/\$(?:cluster_name|instance)/.*/gr } @{ $panel->{targets} };

# a login shows which certificate is in service
is(($node{$_}->tcp_psql('SELECT 1', user => 'watcher'))[0], 2, "$_: a handshake") foreach qw(one two);
is(join(', ', sort keys %promql), join(', ', sort keys %expected), 'the columns of the fleet');
wait_for($promql{$_}, $expected{$_}, $_) foreach sort keys %promql;

$node{two}->promote;
wait_for($promql{standby}, qr/^0 0$/, 'after the promotion');
$_->stop foreach @node{qw(two one)};
done_testing();

# A server, prometheus-postgres-exporter and Prometheus: a certificate comes to its
# end, the alerts fire one after the other, and are over after its renewal.  The
# rules are ours, with seconds in the place of days and minutes.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Monitoring;
use ESG::Node;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();

ESG::Monitoring::need('an alert in Prometheus', 'prometheus', 'prometheus-postgres-exporter');

my $limit = 3 * $ESG::Node::timeout;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('watched');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->setup(ca => $ca, server => $certs->make_server('first', ca => $ca), conf => 'ext_ssl_guard.file_poll_interval = 1s');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

my $rules = ESG::Certs::slurp(ESG::Monitoring::source() . '/prometheus/ssl_guard.rules.yml');
$rules =~ s/ \* 86400\b/ * 1/g;
$rules =~ s/\bfor: \d+[mh]\b/for: 1s/g;
ESG::Certs::spew("$dir/rules.yml", $rules);

my $exporter = ESG::Monitoring->exporter($node, 'watcher');
my $prometheus = ESG::Monitoring->prometheus(dir => $dir, config => <<"CONFIG");
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
  - job_name: postgres
    static_configs:
      - targets: ['127.0.0.1:$exporter->{port}']
CONFIG

# [{ metric, value }, ...]
sub query
{
	my ($promql) = @_;
	my $encoded = $promql =~ s/([^\w.])/sprintf '%%%02X', ord $1/ger;
	my $answer = ESG::Monitoring::get_json($prometheus->url("/api/v1/query?query=$encoded"));

	die "$promql: $answer->{error}\n" if $answer->{status} ne 'success';
	return @{ $answer->{data}{result} };
}

sub wait_query
{
	my ($promql, $count) = @_;
	my $until = time + $limit;
	my @found;

	do
	{
		@found = query($promql);
		return @found if $count ? @found > 0 : !@found;
		sleep 0.3;
	} while (time < $until);
	diag("$promql: " . join ' ', map { $_->{metric}{alertname} // '?' } @found);
	return @found;
}

# the alerts of the API that fire now: { name => alert }
sub firing
{
	my $answer = ESG::Monitoring::get_json($prometheus->url('/api/v1/alerts'));

	return { map { $_->{labels}{alertname} => $_ } grep { $_->{state} eq 'firing' } @{ $answer->{data}{alerts} } };
}

# Has it fired meanwhile?  A slow machine may see it only afterwards.
sub fires
{
	my ($alert, $labels, $what) = @_;
	my @found = wait_query("max_over_time(ALERTS{alertname=\"$alert\",alertstate=\"firing\"$labels}[30m])", 1);

	is(scalar @found, 1, $what // "$alert fires");
	return;
}

sub serve
{
	my ($cert) = @_;

	$node->replace($cert->{key}, 'server.key');
	$node->replace($cert->{cert}, 'server.crt');
	$node->reload;
	return $node->wait_sql("SELECT in_sync AND last_reload_ok AND served_fingerprint = '$cert->{fingerprint}' FROM ssl_guard_status");
}

ok(wait_query('ssl_guard_worker_running == 1', 1), 'Prometheus has the metrics');
is(scalar wait_query('ALERTS', 0), 0, 'and no alert');
is(scalar query('ALERTS{alertname=~"SslGuardCert.*"}'), 0, 'none about a certificate');

# 160 seconds of life, of which 45 are left: with seconds for days, "soon" is 30
my $short = $certs->make_server('short', ca => $ca, not_before => ESG::Certs::stamp(-115), not_after => ESG::Certs::stamp(45));
is(serve($short), 't', 'a certificate that ends soon');
my $path = $node->safe_psql('postgres', "SELECT path FROM ssl_guard_certificates WHERE kind = 'server'");
fires('SslGuardCriticalAlarm', ',code="expires_very_soon"', 'what the extension finds');
fires('SslGuardCertificateExpiresSoon', ",path=\"$path\",position=\"1\"");
fires('SslGuardCertificateExpiresVerySoon', '');
fires('SslGuardCertificateExpired', '');
fires('SslGuardServedCertificateExpired', '');
fires('SslGuardCriticalAlarm', ',code="expired"', 'the extension says so, too');
my $alert = firing()->{SslGuardCertificateExpired};
is($alert->{annotations}{summary}, "Certificate localhost of 127.0.0.1:$exporter->{port} has expired", 'its summary');
is($alert->{annotations}{description}, "File $path, position 1 (ssl_cert_file).", 'its description');
is("$alert->{labels}{severity} $alert->{labels}{cluster_name}", 'critical watched', 'its severity, and the cluster');

# each query of the dashboard has an answer, but those about what is not there
my $dashboard = decode_json(ESG::Certs::slurp(ESG::Monitoring::source() . '/grafana/ssl_guard.json'));
my (@failed, @empty, $asked);
foreach my $text (map { $_->{expr} } map { @{ $_->{targets} // [] } } @{ $dashboard->{panels} })
{
	my $real = $text =~ s/\$__rate_interval/1m/gr =~ s/\$(?:instance|cluster_name)/.*/gr;
	my @found = eval { query($real) };

	$asked++;
	push @failed, $@ if $@;
	push @empty, $text if !@found && $text !~ /ssl_guard_(?:host|crl|handshake)_/;
}
is(join("\n", @failed), '', "Prometheus understands the $asked queries of the dashboard");
is(join("\n", @empty), '', 'and has something to show');

# the renewed one lies on disk, then it is loaded
my $renewed = $certs->make_server('renewed', ca => $ca);
$node->replace($renewed->{cert}, 'server.crt');
fires('SslGuardNotInSync', '');
is(serve($renewed), 't', 'renewed and reloaded');
is(scalar wait_query('ALERTS', 0), 0, 'all alerts are over');
is(join(' ', sort keys %{ firing() }), '', 'the API says so, too');

# --- what watches is itself watched -------------------------------------------------

my $port = $exporter->{port};
$exporter->stop;
fires('SslGuardExporterDown', '');
$exporter = ESG::Monitoring->exporter($node, 'watcher', port => $port);
is(scalar wait_query('ALERTS', 0), 0, 'it is back: over');
$node->safe_psql('postgres', 'DROP EXTENSION ext_ssl_guard');
fires('SslGuardMetricsGone', '');
$node->safe_psql('postgres', 'CREATE EXTENSION ext_ssl_guard');
is(scalar wait_query('ALERTS', 0), 0, 'it is back: over');

$prometheus->stop;
$exporter->stop;
$node->stop;
done_testing();

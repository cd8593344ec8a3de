# monitoring/prometheus/ssl_guard.rules.yml, by promtool: the file is sound, each
# alert fires when it should, and none does otherwise.

use strict;
use warnings;

use IPC::Run ();
use JSON::PP;
use Test::More;

use ESG::Certs;
use ESG::Monitoring;
use PostgreSQL::Test::Utils ();

ESG::Monitoring::need('monitoring/prometheus/ssl_guard.rules.yml', 'promtool');

my $dir = PostgreSQL::Test::Utils::tempdir();
my $rules = ESG::Monitoring::source() . '/prometheus/ssl_guard.rules.yml';
my $promtool = ESG::Monitoring::program('promtool');
my $metrics = ESG::Monitoring::metrics();
my ($minute, $hour, $day) = (60, 3600, 86400);

sub run_promtool
{
	my (@words) = @_;
	my $said = '';

	IPC::Run::run([ $promtool, @words ], '<', \undef, '>&', \$said);
	return ($?, $said);
}

my ($status, $said) = run_promtool('check', 'rules', $rules);
is($status, 0, 'promtool check rules') or diag($said);
my $text = ESG::Certs::slurp($rules);
my @alerts = $text =~ /^      - alert: (\w+)$/mg;
my %used = map { $_ => 1 } $text =~ /\b(ssl_guard_\w+)/g;
is(join(' ', grep { !$metrics->{$_} && !/^ssl_guard_alarms$|^ssl_guard_client_certificates$|^ssl_guard_handshake_failures$/ } sort keys %used), '', 'each metric is one of the queries');

# --- what a healthy server says, from second 0 ------------------------------------

my $of = 'instance="db1:9187",job="postgres",server="s",cluster_name="billing"';
my $cert = "$of,setting=\"ssl_cert_file\",path=\"/c\",position=\"1\",kind=\"server\",common_name=\"db1\"";
my %healthy = (
	'up{instance="db1:9187",job="postgres"}' => 1,
	"ssl_guard_worker_running{$of}" => 1,
	"ssl_guard_last_check_timestamp_seconds{$of}" => 0,
	"ssl_guard_next_check_timestamp_seconds{$of}" => $day,
	"ssl_guard_check_interval_seconds{$of}" => $day,
	"ssl_guard_last_reload_successful{$of}" => 1,
	"ssl_guard_in_sync{$of}" => 1,
	"ssl_guard_served_not_after_timestamp_seconds{$of}" => 60 * $day,
	"ssl_guard_alarms_evicted_total{$of}" => 7,
	"ssl_guard_alarm_events_dropped_total{$of}" => 7,
	"ssl_guard_alarm_command_failures_total{$of}" => 7,
	"ssl_guard_alarms_standing{$of,code=\"no_alt_name\",severity=\"notice\"}" => 1,
	"ssl_guard_certificate_not_before_timestamp_seconds{$cert}" => -30 * $day,
	"ssl_guard_certificate_not_after_timestamp_seconds{$cert}" => 60 * $day,
	"ssl_guard_certificate_usual_renewal_seconds{$cert}" => 'NaN',
	"ssl_guard_crl_next_update_timestamp_seconds{$of,issuer=\"CA\",path=\"/r\",position=\"1\"}" => 2 * $day,
	"ssl_guard_host_in_sync{$of,host=\"a.example\",line=\"1\"}" => 1,
	"ssl_guard_client_certificates_ending{$of,within=\"7d\"}" => 2,
	"ssl_guard_client_certificates_ending{$of,within=\"0d\"}" => 2,
	"ssl_guard_handshake_failures_total{$of,reason=\"expired\"}" => 100);

my $in = 2 * $hour;
my @cases;

# What fires two hours later, when this is otherwise: metric => values in
# promtool's notation, or undef for none.
sub expect
{
	my ($what, $alerts, %changes) = @_;
	my %series = %healthy;

	foreach my $name (keys %changes)
	{
		my ($full) = $name =~ /\{/ ? $name : grep { /^\Q$name\E\{/ } keys %series;
		defined $changes{$name} ? ($series{$full} = $changes{$name}) : delete $series{$full};
	}
	push @cases, { what => $what, alerts => $alerts, series => \%series };
	return;
}

sub for_an_hour { return join ' ', ($_[0]) x 61, 'stale'; }

sub with_end
{
	my ($life, $left) = @_;

	return ('ssl_guard_certificate_not_after_timestamp_seconds' => $in + $left,
		'ssl_guard_certificate_not_before_timestamp_seconds' => $in + $left - $life);
}

expect('all is well', []);
expect('the worker is gone', ['SslGuardWorkerGone'], ssl_guard_worker_running => 0);
expect('it was gone for a minute', [], ssl_guard_worker_running => '1x100 0 1x100');
expect('the next check is overdue', ['SslGuardCheckTooOld'], ssl_guard_next_check_timestamp_seconds => $hour);
expect('it is due', [], ssl_guard_next_check_timestamp_seconds => $in - 5 * $minute);
expect('the last check is too old', ['SslGuardCheckTooOld'], ssl_guard_check_interval_seconds => 30 * $minute);
expect('checks only at reloads', [], ssl_guard_check_interval_seconds => 0);
expect('the next check is not known', [], ssl_guard_next_check_timestamp_seconds => 'NaN');
my @ours = grep { !/^up/ } keys %healthy;
expect('the exporter is down', [ 'SslGuardAbsent', 'SslGuardExporterDown' ],
	'up{instance="db1:9187",job="postgres"}' => '1x60 0x100', map { ($_ => for_an_hour($healthy{$_})) } @ours);
expect('another exporter is down', [], 'up{instance="web1:9100",job="node"}' => 0);
my %other = map { my $name = s/db1/db2/gr; $name => $healthy{$_} } keys %healthy;
expect('of two one is down', ['SslGuardExporterDown'], %other,
	'up{instance="db1:9187",job="postgres"}' => '1x60 0x100', map { ($_ => for_an_hour($healthy{$_})) } @ours);
expect('it has no metrics of ours any more', [ 'SslGuardAbsent', 'SslGuardMetricsGone' ], map { ($_ => for_an_hour($healthy{$_})) } @ours);
expect('of two one has none', ['SslGuardMetricsGone'], %other, map { ($_ => for_an_hour($healthy{$_})) } @ours);
expect('there never was one', ['SslGuardAbsent'], map { ($_ => undef) } @ours);
expect('a certificate has expired', ['SslGuardCertificateExpired'], with_end(90 * $day, -1));
expect('one without an end', [], 'ssl_guard_certificate_not_after_timestamp_seconds' => '+Inf');
expect('one that cannot be read', [], 'ssl_guard_certificate_not_after_timestamp_seconds' => 'NaN');
expect('6 days of a year', [ 'SslGuardCertificateExpiresSoon', 'SslGuardCertificateExpiresVerySoon' ], with_end(365 * $day, 6 * $day));
expect('8 days of a year', ['SslGuardCertificateExpiresSoon'], with_end(365 * $day, 8 * $day));
expect('31 days of a year', [], with_end(365 * $day, 31 * $day));
expect('a day, renewed at a third', [], with_end($day, 9 * $hour));
expect('a day, at a fifth', ['SslGuardCertificateExpiresSoon'], with_end($day, 5 * $hour));
expect('90 days, renewed at a third', [], with_end(90 * $day, 30 * $day));
expect('a year, 8 days left, and usually renewed with 9', [], with_end(365 * $day, 8 * $day), ssl_guard_certificate_usual_renewal_seconds => 9 * $day);
expect('a year, 8 days left, and usually renewed with 28', ['SslGuardCertificateExpiresSoon'],
	with_end(365 * $day, 8 * $day), ssl_guard_certificate_usual_renewal_seconds => 28 * $day);
expect('the one in service has expired', ['SslGuardServedCertificateExpired'], ssl_guard_served_not_after_timestamp_seconds => $hour);
expect('which one is served is not known', [], ssl_guard_served_not_after_timestamp_seconds => 'NaN');
expect('a stale CRL', ['SslGuardCrlStale'], ssl_guard_crl_next_update_timestamp_seconds => $hour);
expect('a CRL that does not say', [], ssl_guard_crl_next_update_timestamp_seconds => 'NaN');
expect('not in sync', ['SslGuardNotInSync'], ssl_guard_in_sync => 0);
expect('not in sync for five minutes', [], ssl_guard_in_sync => '1x115 0x20');
expect('not known whether in sync', [], ssl_guard_in_sync => 'NaN');
expect('a host is not in sync', ['SslGuardNotInSync'], ssl_guard_host_in_sync => 0);
expect('a reload failed', ['SslGuardReloadFailed'], ssl_guard_last_reload_successful => 0);
expect('a critical alarm', ['SslGuardCriticalAlarm'], "ssl_guard_alarms_standing{$of,code=\"expired\",severity=\"critical\"}" => 2);
expect('a warning', ['SslGuardWarning'], "ssl_guard_alarms_standing{$of,code=\"weak_key\",severity=\"warning\"}" => 1);
expect('alarms had no place', ['SslGuardAlarmsLost'], ssl_guard_alarms_evicted_total => '7x100 9x60');
expect('ends were not told', ['SslGuardAlarmsLost'], ssl_guard_alarm_events_dropped_total => '7x100 9x60');
expect('the alarm command fails', ['SslGuardAlarmCommandFails'], ssl_guard_alarm_command_failures_total => '7x100 20x60');
expect('it failed once', [], ssl_guard_alarm_command_failures_total => '7x100 8x60');
expect('certificates of clients end', ['SslGuardClientCertificatesEnding'], "ssl_guard_client_certificates_ending{$of,within=\"7d\"}" => 3);
expect('handshakes fail', ['SslGuardHandshakesFail'], ssl_guard_handshake_failures_total => '100x110 200x60');
expect('one fails now and then', [], ssl_guard_handshake_failures_total => '100x110 101x60');

# --- promtool says -------------------------------------------------------------------

# the notation for three hours of it
sub values_of
{
	my ($values) = @_;

	return $values if $values =~ /[ x]/;
	return $values =~ /^[-\d]+$/ ? "${values}x180" : join(' ', ($values) x 181);
}

sub test_of
{
	my ($case) = @_;

	return {
		name => $case->{what}, interval => '1m',
		input_series => [ map { { series => $_, values => values_of($case->{series}{$_}) } } sort keys %{ $case->{series} } ],
		promql_expr_test => [ {
			expr => 'count by (alertname) (ALERTS{alertstate="firing"})', eval_time => '2h',
			exp_samples => [ map { { labels => "{alertname=\"$_\"}", value => 1 } } @{ $case->{alerts} } ] } ] };
}

sub file_of
{
	return encode_json({ rule_files => [$rules], evaluation_interval => '5m', tests => [ map { test_of($_) } @_ ] });
}

# one run for all is much faster; if it fails, each by itself says which it is
my $together = ESG::Certs::spew("$dir/all.yml", file_of(@cases));
($status) = run_promtool('test', 'rules', $together);
foreach my $case ($status == 0 ? () : @cases)
{
	(my $failed, $said) = run_promtool('test', 'rules', ESG::Certs::spew("$dir/test.yml", file_of($case)));
	diag("$case->{what}:\n$said") if $failed;
}
is($status, 0, 'promtool test rules: ' . join('; ', map { $_->{what} } @cases));
my %fired = map { $_ => 1 } map { @{ $_->{alerts} } } @cases;
is(join(' ', sort keys %fired), join(' ', sort @alerts), 'each alert has fired');

done_testing();

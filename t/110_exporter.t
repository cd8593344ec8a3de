# prometheus-postgres-exporter with monitoring/prometheus/queries.yaml: what it
# says is what the views say, as a role that has nothing but pg_monitor.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Docs;
use ESG::Monitoring;
use ESG::Node;

ESG::Monitoring::need("monitoring/prometheus/queries.yaml", 'prometheus-postgres-exporter');

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $other_ca = $certs->make_ca('other');
my $server = $certs->make_server('server', ca => $ca, days_left => 300);
# two of one name in one file, and one without an end
my @twins = map { $certs->make_cert("twin$_", ca => $ca, subject => '/CN=twin', days_left => 100 + $_) } 1 .. 2;
my $endless = $certs->make_cert('endless', ca => $ca, subject => '/CN=endless', not_after => '99991231235959Z');
my $hostile = $certs->make_cert('hostile', ca => $ca, subject => "/CN=a\"b\\\\c\x{c3}\x{a9}{x=y}");
my %client = map { $_->[0] => $certs->make_client("client_$_->[0]", ca => $ca, subject => "/CN=$_->[0]", days_left => $_->[1], lifetime => 400) }
  ([ alice => 3 ], [ bob => 20 ], [ carol => 200 ], [ dave => -1 ], [ postgres => 300 ]);
my $node = ESG::Node->new('billing');
my @samples;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# the value of a metric with at least these labels; undef if there is not exactly one
sub value
{
	my ($name, %labels) = @_;
	my @found = grep {
		my $sample = $_;
		$sample->{name} eq $name && !grep { ($sample->{labels}{$_} // '') ne $labels{$_} } keys %labels;
	} @samples;

	return @found == 1 ? $found[0]{value} : undef;
}

sub same_number
{
	my ($got, $expected, $what) = @_;

	return is(defined $got ? sprintf('%.3f', $got) : undef, sprintf('%.3f', $expected), $what);
}

$node->setup(ca => $ca, server => $server, crl => $certs->make_crl($ca, 'crl'),
	hba => ['hostssl all all 127.0.0.1/32 trust', 'hostnossl all alice 127.0.0.1/32 trust'],
	conf => "ext_ssl_guard.file_poll_interval = 1s\next_ssl_guard.expire_check_interval = 1h\n"
	  . "ext_ssl_guard.extra_files = 'extra.crt, extra.crt, root.crt'");
$node->replace($certs->concat('extra', (map { $_->{cert} } @twins), $endless->{cert}, $hostile->{cert}), 'extra.crt');
$node->start;
sql('CREATE ROLE watcher LOGIN IN ROLE pg_monitor; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE carol LOGIN');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
is(($node->tcp_psql('SELECT 1', user => $_, client => $client{$_}))[0], 0, "$_ logs in") foreach qw(alice bob carol);
is(($node->tcp_psql('SELECT 1', user => 'alice', sslmode => 'disable'))[0], 0, 'alice comes without TLS, too');
isnt(($node->tcp_psql('SELECT 1', client => $client{dave}))[0], 0, 'an expired certificate does not');
# none is seen with EXEC_BACKEND
my $failures = ESG::Node::exec_backend() ? 0 : 1;
$node->wait_sql("SELECT coalesce(sum(failures), 0) = $failures FROM ssl_guard_handshake_failures");

my $exporter = ESG::Monitoring->exporter($node, 'watcher');
my $metrics = ESG::Monitoring::metrics();

# One scrape, without an error; sets @samples.
sub scrape
{
	my ($what) = @_;
	my ($status, $text) = ESG::Monitoring::get($exporter->url('/metrics'));

	is($status, 200, "$what: a scrape") or diag($text);
	@samples = $status == 200 ? ESG::Monitoring::samples($text) : ();
	is(value('pg_exporter_last_scrape_error'), 0, "$what: without an error") or diag($exporter->log_text);
	return $text;
}

# What the exporter has kept from before, a second or a lost connection, must be over.
sub wait_scrape
{
	my ($condition) = @_;
	my $until = time + $ESG::Node::timeout;

	while (time < $until)
	{
		my ($status, $text) = ESG::Monitoring::get($exporter->url('/metrics'));
		@samples = $status == 200 ? ESG::Monitoring::samples($text) : ();
		return 1 if $condition->();
		sleep 0.2;
	}
	return 0;
}

sub count_of
{
	my ($name, %labels) = @_;

	return scalar grep { my $sample = $_; $sample->{name} eq $name && !grep { ($sample->{labels}{$_} // '') ne $labels{$_} } keys %labels } @samples;
}

my $text = scrape('all is well');

# --- names and types ---------------------------------------------------------------

my %type = $text =~ /^# TYPE (ssl_guard_\w+) (\w+)$/mg;
my %seen = map { $_->{name} => $_ } grep { $_->{name} =~ /^ssl_guard/ } @samples;
my ($version) = sql('SHOW server_version_num') =~ /^(\d+)\d{4}$/;
my %expected = map { $_ => 1 } grep { $version >= 19 || !/^ssl_guard_host_/ } keys %$metrics;
delete @expected{ grep { /^ssl_guard_host_/ } keys %expected } unless $seen{ssl_guard_host_in_sync};
is(join(' ', sort keys %seen), join(' ', sort grep { $expected{$_} } keys %$metrics), 'each metric of the queries, and no other');
foreach my $name (sort keys %seen)
{
	my @labels = sort grep { $_ ne 'server' } keys %{ $seen{$name}{labels} };

	is("$type{$name} @labels", lc($metrics->{$name}{usage}) . " @{$metrics->{$name}{labels}}", "$name: type and labels");
	is($name =~ /_total$/ ? 'COUNTER' : 'GAUGE', $metrics->{$name}{usage}, "$name: a counter is called _total");
	like($name, qr/_seconds$/, "$name: times have their unit") if $name =~ /timestamp|interval|renewal/;
}
is(scalar(grep { $_->{name} =~ /^ssl_guard/ && $_->{labels}{cluster_name} ne 'billing' } @samples), 0, 'all have the name of the cluster');
cmp_ok(scalar(grep { $_->{name} =~ /^ssl_guard/ } @samples), '<', 150, 'and there are not too many');

# --- values ----------------------------------------------------------------------

my %status = (
	worker_running => '(worker_pid IS NOT NULL)::int', in_recovery => 'pg_is_in_recovery()::int', tls_enabled => 'ssl::int',
	tls_hook_active => 'tls_hook_active::int',
	last_check_timestamp_seconds => 'extract(epoch FROM last_check_at)', next_check_timestamp_seconds => 'extract(epoch FROM next_check_at)',
	last_reload_timestamp_seconds => 'extract(epoch FROM last_reload_at)', last_reload_successful => 'last_reload_ok::int',
	in_sync => 'in_sync::int', served_not_after_timestamp_seconds => 'extract(epoch FROM served_not_after)',
	served_seen_timestamp_seconds => 'extract(epoch FROM served_seen_at)', check_interval_seconds => '3600',
	criticals => 'criticals', warnings => 'warnings', notices => 'notices', alarms_evicted_total => 'alarms_evicted',
	alarm_command_runs_total => 'alarm_commands_run', alarm_command_failures_total => 'alarm_commands_failed',
	alarm_events_dropped_total => 'alarm_events_dropped', registry_entries => 'client_certificates',
	registry_entries_max => 'max_client_certificates', registry_evicted_total => 'client_certificates_evicted');
is(join(' ', sort keys %status), join(' ', sort grep { !/cluster_name/ } keys %{ ESG::Monitoring::columns()->{ssl_guard} }), 'the columns of the status');
same_number(value("ssl_guard_$_"), sql("SELECT $status{$_} FROM ssl_guard_status"), "ssl_guard_$_") foreach sort keys %status;
same_number(value('ssl_guard_build_info', version => sql('SELECT version FROM ssl_guard_status')), 1, 'the version');

my $extra = sql("SELECT path FROM ssl_guard_certificates WHERE common_name = 'endless' LIMIT 1");
my @places = map { [ split /\|/ ] } split /\n/, sql(<<'SQL');
SELECT DISTINCT setting, path, position, kind, extract(epoch FROM not_before), extract(epoch FROM not_after) FROM ssl_guard_certificates WHERE isfinite(not_after)
SQL
cmp_ok(scalar @places, '>=', 5, 'there are certificates');
foreach my $place (@places)
{
	my ($setting, $path, $position, $kind, $from, $to) = @$place;
	my @labels = (setting => $setting, path => $path, position => $position, kind => $kind);

	same_number(value('ssl_guard_certificate_not_before_timestamp_seconds', @labels), $from, "$setting $position: begin");
	same_number(value('ssl_guard_certificate_not_after_timestamp_seconds', @labels), $to, "$setting $position: end");
}
is(count_of('ssl_guard_certificate_severity', common_name => 'twin'), 2, 'two of one name in one file');
is(value('ssl_guard_certificate_not_after_timestamp_seconds', path => $extra, position => 3), '+Inf', 'one without an end');
is(value('ssl_guard_certificate_usual_renewal_seconds', setting => 'ssl_cert_file', position => 1), 'NaN', 'what is not known');
is((grep { $_->{name} eq 'ssl_guard_certificate_severity' && $_->{labels}{path} eq $extra && $_->{labels}{position} == 4 } @samples)[0]{labels}{common_name},
	sql("SELECT common_name FROM ssl_guard_certificates WHERE path = '$extra' AND position = 4 LIMIT 1"), 'a hostile name');
same_number(value('ssl_guard_crl_next_update_timestamp_seconds'), sql('SELECT extract(epoch FROM next_update) FROM ssl_guard_crls'), 'the CRL');
same_number(value('ssl_guard_crl_this_update_timestamp_seconds'), sql('SELECT extract(epoch FROM this_update) FROM ssl_guard_crls'), 'its begin');
same_number(value('ssl_guard_crl_revoked_certificates'), 0, 'which revokes nothing');
same_number(value('ssl_guard_client_certificates_ending', within => $_->[0]), $_->[1], "$_->[1] certificates of clients end within $_->[0]")
  foreach [ '0d' => 0 ], [ '1d' => 0 ], [ '7d' => 1 ], [ '30d' => 2 ];
same_number(value('ssl_guard_client_certificate_next_end_timestamp_seconds'),
	sql("SELECT extract(epoch FROM not_after) FROM ssl_guard_client_certificates WHERE role_name = 'alice'"), 'the next of them');
foreach my $change (qw(hostssl tls13 clientcert))
{
	same_number(value('ssl_guard_transport_refused_roles', change => $change), $change eq 'tls13' ? 0 : 1, "$change: roles that it would refuse");
	same_number(value('ssl_guard_transport_last_seen_timestamp_seconds', change => $change),
		sql("SELECT extract(epoch FROM last_seen_at) FROM ssl_guard_transport WHERE transport = 'plain'"), "$change: when one came last")
	  if $change ne 'tls13';
}
is(value('ssl_guard_transport_last_seen_timestamp_seconds', change => 'tls13'), 'NaN', 'tls13: none has come');
same_number(value('ssl_guard_handshake_failures_total', reason => 'expired'), $failures, 'a handshake has failed');
same_number(value('ssl_guard_handshake_failures_total', reason => 'revoked'), 0, 'none for another reason');
my ($reasons) = ESG::Docs->new('docs/clients.md')->{text} =~ /^Reasons: (.*?)\. /ms;
is(join(' ', sort map { $_->{labels}{reason} } grep { $_->{name} eq 'ssl_guard_handshake_failures_total' } @samples),
	join(' ', sort $reasons =~ /`(\w+)`/g), 'each reason there is');
my %alarms = map { /(.*)\|(.*)/; $1 => $2 } split /\n/, sql("SELECT code || ' ' || severity, count(*) FROM ssl_guard_alarms GROUP BY 1");
is_deeply({ map { ("$_->{labels}{code} $_->{labels}{severity}" => $_->{value}) } grep { $_->{name} eq 'ssl_guard_alarms_standing' } @samples },
	\%alarms, 'the alarms');

# a database without an encoding: what is not UTF-8 would end the exporter
sql("CREATE DATABASE plain TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
$node->safe_psql('plain', 'CREATE EXTENSION ext_ssl_guard');
my $first = $exporter;
my $plain_file = "plain\xe9.crt";
$node->replace($hostile->{cert}, $plain_file);
$node->apply('ext_ssl_guard.extra_files' => $plain_file);
$exporter = ESG::Monitoring->exporter($node, 'watcher', database => 'plain');
scrape('a database without an encoding');
is(count_of('ssl_guard_certificate_severity', setting => 'ext_ssl_guard.extra_files'), 1, 'has the certificate of a file with a strange name');
$exporter->stop;
$exporter = $first;

# --- when it is bad ------------------------------------------------------------------

# ten objects of one code are one series
$node->apply('ext_ssl_guard.extra_files' => join(', ', map { "missing$_.crt" } 1 .. 10));
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'file_missing'", 10), 10, 'files are missing');
scrape('files are missing');
same_number(value('ssl_guard_alarms_standing', code => 'file_missing'), 10, 'one series with their number');
$node->apply('ext_ssl_guard.extra_files' => '');
$node->replace($certs->make_server('renewed', ca => $ca)->{cert}, 'server.crt');
is($node->wait_sql("SELECT in_sync FROM ssl_guard_status", 'f'), 'f', 'not in sync');
$node->reload;
is($node->wait_sql("SELECT last_reload_ok FROM ssl_guard_status", 'f'), 'f', 'and the reload failed, since the key is another');
scrape('a reload failed');
same_number(value('ssl_guard_in_sync'), 0, 'not in sync');
same_number(value('ssl_guard_last_reload_successful'), 0, 'the last reload');
# more than 200 certificates: the worst are told
$node->replace($certs->concat('many', ($ca->{cert}) x 250, $client{dave}{cert}), 'many.crt');
$node->apply('ext_ssl_guard.extra_files' => 'many.crt');
wait_scrape(sub { count_of('ssl_guard_certificate_severity') > 20 });
scrape('very many certificates');
is(count_of('ssl_guard_certificate_severity'), 200, 'no more than 200');
is(count_of('ssl_guard_certificate_severity', common_name => 'dave'), 1, 'among them the worst');

# --- when it is not there ---------------------------------------------------------------

$node->apply('ext_ssl_guard.extra_files' => '');
$node->replace($server->{cert}, 'server.crt');
$node->set_conf(max_worker_processes => 0);
$node->restart;
wait_scrape(sub { defined value('ssl_guard_worker_running') });
scrape('no place for the worker');
same_number(value('ssl_guard_worker_running'), 0, 'it does not run');
is(value('ssl_guard_last_check_timestamp_seconds'), 'NaN', 'and has not checked');
sql('REVOKE pg_monitor FROM watcher');
ok(wait_scrape(sub { @samples && !grep { $_->{name} =~ /^ssl_guard/ } @samples }), 'without pg_monitor: nothing of ours');
is(value('pg_exporter_last_scrape_error'), 1, 'and an error');
$exporter->stop;
$node->stop;
done_testing();

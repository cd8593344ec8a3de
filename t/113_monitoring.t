# The rest of monitoring/: the dashboard and docs/monitoring.md fit the queries and
# the rules, check_postgres and our plugin say what is so, and what the server
# writes as jsonlog is understood.

use strict;
use warnings;

use Cwd qw(realpath);
use IPC::Run ();
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Docs;
use ESG::Monitoring;
use ESG::Node;
use PostgreSQL::Test::Utils ();

my $source = ESG::Monitoring::source();
my $metrics = ESG::Monitoring::metrics();
my $docs = ESG::Docs->new('docs/monitoring.md');

# what a program says, and its exit status
sub run_program
{
	my (@command) = @_;
	my $said = '';

	IPC::Run::run(\@command, '<', \undef, '>&', \$said);
	return ($? >> 8, $said);
}

# --- the document ------------------------------------------------------------------

sub compare
{
	my ($heading, $expected, $what) = @_;
	my $show = sub { join '', map { '| ' . join(' | ', @$_) . " |\n" } @_ };

	is($show->($docs->table($heading)), $show->(@$expected), $what);
	return;
}

compare('Metrics', [ map { [ "`$_`", lc $metrics->{$_}{usage}, join(', ', map { "`$_`" } @{ $metrics->{$_}{labels} }), $metrics->{$_}{description} ] } sort keys %$metrics ],
	'docs/monitoring.md has each metric');
my $rules = ESG::Certs::slurp("$source/prometheus/ssl_guard.rules.yml");
my @alerts;
while ($rules =~ /^      - alert: (\w+)\n(.*?)(?=^      (?:- alert|#)|\z)/gms)
{
	my ($name, $text) = ($1, $2);
	my ($for) = $text =~ /^        for: (\w+)$/m;
	my ($severity) = $text =~ /^          severity: (\w+)$/m;
	push @alerts, [ "`$name`", $severity, $for // '0' ];
}
cmp_ok(scalar @alerts, '>', 15, 'there are alerts');
is(join(' ', map { "@{$_}[0 .. 2]" } $docs->table('Alerts')), join(' ', map { "@$_" } @alerts), 'docs/monitoring.md has each alert') or
  diag(join '', map { "| $_->[0] | $_->[1] | $_->[2] | |\n" } @alerts);
is(join(' ', sort map { $_->[0] =~ /`([^`]+)`/g } $docs->table), join(' ', sort map { substr $_, 1 + length $source } glob("'$source'/*/*")),
	'docs/monitoring.md has each file');

# --- the dashboard -------------------------------------------------------------------

my $dashboard = decode_json(ESG::Certs::slurp("$source/grafana/ssl_guard.json"));
my @panels = @{ $dashboard->{panels} };
my @expressions = map { my $panel = $_; map { [ $panel->{title}, $_->{expr} ] } @{ $panel->{targets} // [] } } @panels;
my %added = map { $_ => 1 } qw(instance job server __rate_interval);
my %refs;

cmp_ok(scalar @expressions, '>', 30, 'the dashboard has queries');
cmp_ok($dashboard->{schemaVersion}, '>=', 36, 'of a schema of today');
is(scalar(keys %{ { map { $_->{id} => 1 } @panels } }), scalar @panels, 'each panel has a number of its own');
foreach my $panel (@panels)
{
	my $place = $panel->{gridPos};
	my @over = grep {
		my $other = $_->{gridPos};
		$_ != $panel && $place->{x} < $other->{x} + $other->{w} && $other->{x} < $place->{x} + $place->{w}
		  && $place->{y} < $other->{y} + $other->{h} && $other->{y} < $place->{y} + $place->{h}
	} @panels;

	ok($place->{x} >= 0 && $place->{w} > 0 && $place->{h} > 0 && $place->{x} + $place->{w} <= 24 && !@over, "\"$panel->{title}\" has a place")
	  or diag("over " . join ', ', map { $_->{title} } @over);
	next if $panel->{type} eq 'row';
	is(scalar(grep { $_->{datasource}{uid} ne '${datasource}' } $panel, @{ $panel->{targets} }), 0, "\"$panel->{title}\" asks the data source that was chosen");
	is(scalar(keys %{ { map { $_->{refId} => 1 } @{ $panel->{targets} } } }), scalar @{ $panel->{targets} }, 'each query of it has a name');
}
my %used;
foreach my $expression (@expressions)
{
	my ($title, $text) = @$expression;
	my $bare = $text =~ s/"[^"]*"//gr;
	my @names = $bare =~ /\b(ssl_guard_\w+)/g;
	my %labels = map { $_ => 1 } map { $_ =~ /(\w+)/g } $bare =~ /\bby \(([^)]*)\)/g, map { s/[=~!]+//gr } $bare =~ /\{([^}]*)\}/g;
	my @unknown = grep { my $label = $_; !$added{$label} && grep { my $metric = $metrics->{$_}; $metric && !grep { $_ eq $label } @{ $metric->{labels} } } @names } sort keys %labels;

	$used{$_} = 1 foreach @names;
	is(join(' ', (grep { !$metrics->{$_} } @names), @unknown), '', "\"$title\": metrics and labels are those of the queries");
	like($text, qr/cluster_name=~"\$cluster_name",instance=~"\$instance"/, "\"$title\" is about the chosen servers");
}
is(join(' ', grep { !$used{$_} && !/oldest|not_before|this_update|next_check|check_interval|_enabled|hook_active|last_reload_timestamp|served_seen|crl_usual|next_end/ } sort keys %$metrics),
	'', 'and no metric is forgotten');
is(join(' ', map { $_->{name} } @{ $dashboard->{templating}{list} }), 'datasource cluster_name instance', 'its variables');
foreach my $panel (grep { $_->{type} eq 'table' } @panels)
{
	my ($organize) = map { $_->{options} } grep { $_->{id} eq 'organize' } @{ $panel->{transformations} };
	my %columns = map { ($organize->{renameByName}{$_} // $_) => 1 } keys %{ $organize->{indexByName} };

	is(join(' ', grep { !$columns{$_} } map { $_->{matcher}{options} } @{ $panel->{fieldConfig}{overrides} }), '', "\"$panel->{title}\": columns that are dressed are there");
}

# --- a server ------------------------------------------------------------------------------

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('monitored');

sub sql { return $node->safe_psql('postgres', $_[0]); }

$node->setup(ca => $ca, server => $server,
	conf => "ext_ssl_guard.file_poll_interval = 1s\nlogging_collector = on\nlog_destination = 'jsonlog'\nlog_directory = 'log'\nlog_filename = 'postgresql.log'");
$node->start;
sql('CREATE ROLE monitoring LOGIN IN ROLE pg_monitor; CREATE ROLE nobody_special LOGIN');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

sub alarms { return $node->wait_sql("SELECT string_agg(severity || ' ' || code, ', ' ORDER BY 1) FROM ssl_guard_alarms WHERE severity >= 'warning'", $_[0]); }

# --- Nagios ------------------------------------------------------------------------------

sub plugin
{
	my ($role, $port) = @_;

	return run_program("$source/nagios/check_ssl_guard", '-h', $node->host, '-p', $port // $node->port, '-U', $role // 'monitoring', '-d', 'postgres');
}

sub check_postgres
{
	my ($role) = @_;
	my $program = ESG::Monitoring::program('check_postgres');

	return (undef, '') unless $program;
	return run_program($^X, $program, '--action=custom_query', '--host=' . $node->host, '--port=' . $node->port, '--dbuser=' . ($role // 'monitoring'), '--dbname=postgres',
		'--query=' . ESG::Certs::slurp("$source/nagios/ssl_guard.sql"), '--valtype=integer', '--warning=1', '--critical=2');
}

sub check_nagios
{
	my ($expected, $pattern, $what) = @_;
	my @ours = plugin();
	my @theirs = check_postgres();

	is($ours[0], $expected, "check_ssl_guard: $what");
	like($ours[1], $pattern, 'and says so');
	unlike($ours[1], qr/\|.*\|/s, 'one bar, before the figures');
  SKIP:
	{
		skip 'check_postgres is not there (dev/setup --with-monitoring): monitoring/nagios/ssl_guard.sql NOT TESTED', 2 unless defined $theirs[0];
		is($theirs[0], $expected, "check_postgres: $what") or diag($theirs[1]);
		like($theirs[1], qr/^POSTGRES_CUSTOM_QUERY (?:OK|WARNING|CRITICAL): .*\Q$expected\E \|.* alarms=\d+;1;2/, 'with figures');
	}
	return;
}

is(alarms(''), '', 'all is well');
check_nagios(0, qr/^SSL_GUARD OK: no alarm of weight stands \| criticals=0 warnings=0 notices=\d+\n\z/, 'all is well');
my $other = $certs->make_cert('other', ca => $ca, subject => '/CN=a|b', days_left => -2);
$node->replace($other->{cert}, 'other.crt');
$node->apply('ext_ssl_guard.extra_files' => 'other.crt');
is(alarms('warning expired'), 'warning expired', 'a warning stands');
check_nagios(1, qr{^SSL_GUARD WARNING: warning: certificate "CN=a/b" in file "[^"]*" expired 2 days ago \| criticals=0 warnings=1 notices=\d+\n\z}, 'a warning');
my $short = $certs->make_server('short', ca => $ca, key => $server, days_left => 3);
$node->replace($short->{cert}, 'server.crt');
$node->reload;
my $both = 'critical expires_very_soon, warning expired';
is(alarms($both), $both, 'and a critical alarm');
check_nagios(2, qr{^SSL_GUARD CRITICAL: critical: .*\nwarning: .* \| criticals=1 warnings=1 notices=\d+\n\z}, 'a critical alarm, the worst first');
is((plugin('nobody_special'))[0], 3, 'without the privilege: unknown');
like((plugin('nobody_special'))[1], qr/^SSL_GUARD UNKNOWN: .*permission denied/, 'and says so');
is((plugin(undef, 1))[0], 3, 'without a server: unknown');

# --- jsonlog ----------------------------------------------------------------------------

my $log = $node->path('log/postgresql.json');
my $expected = "WARNING critical $short->{fingerprint}";

sub wait_text
{
	my ($file, $pattern) = @_;
	my $until = time + $ESG::Node::timeout;

	while (time < $until)
	{
		my $text = -e $file ? ESG::Certs::slurp($file) : '';
		return $text if $text =~ $pattern;
		sleep 0.1;
	}
	return '';
}

sub decode_lines { return map { decode_json($_) } split /\n/, $_[0]; }

SKIP:
{
	skip 'jsonlog came with PostgreSQL 15', 5 if $node->pg_version < 15;
	skip 'jq is not there (dev/setup --with-monitoring): monitoring/logs/ssl_guard.jq NOT TESTED', 5 unless ESG::Monitoring::program('jq');
	my @written = grep { ($_->{state_code} // '') =~ /^SG/ } decode_lines(wait_text($log, qr/code=expires_very_soon/));
	my ($status, $said) = run_program('jq', '-c', '-f', "$source/logs/ssl_guard.jq", $log);
	is($status, 0, 'jq') or diag($said);
	my @told = decode_lines($said);
	is(join("\n", map { $_->{message} } @told), join("\n", map { $_->{message} } @written), 'all our lines, and no others');
	my ($soon) = grep { $_->{facts}{code} eq 'expires_very_soon' } @told;
	is("$soon->{level} $soon->{facts}{severity} $soon->{facts}{fingerprint}", $expected, 'the facts');
	# values in quotes
	my ($made, $facts) = run_program('sh', '-c', qq{printf '%s\\n' '{"state_code":"SG001","detail":"code=a object=\\"b \\\\\\"c\\\\\\\\d\\" e= role=\\"\\""}' | jq -c -f '$source/logs/ssl_guard.jq'});
	is_deeply($made == 0 ? decode_json($facts)->{facts} : $facts, { code => 'a', object => 'b "c\\d', e => '', role => '' }, 'values in quotes');
	is(scalar(grep { !defined $_->{facts}{code} || !defined $_->{facts}{severity} } @told), 0, 'each has a code and a severity');
}

# rsyslogd of an unpacked package finds its modules and libraries there
sub start_rsyslogd
{
	my ($program, $dir) = @_;
	my $root = $program =~ s{/usr/s?bin/rsyslogd$}{}r;
	my @modules = glob("'$root'/usr/lib/*/rsyslog '$root'/usr/lib/rsyslog");
	my $conf = ESG::Certs::slurp("$source/logs/rsyslog.conf");

	$conf =~ s{/var/log/postgresql/\*\.json}{$log};
	$conf =~ s{/var/log/ssl_guard\.json}{$dir/out.json};
	ESG::Certs::spew("$dir/rsyslog.conf", qq{global(workDirectory="$dir")\n$conf});
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	$ENV{LD_LIBRARY_PATH} = join ':', glob("'$root'/usr/lib/*-linux-*") if $root ne '';
	open(STDIN, '<', '/dev/null');
	open(STDOUT, '>', "$dir/rsyslogd.log");
	open(STDERR, '>&', \*STDOUT);
	exec $program, '-n', '-C', '-f', "$dir/rsyslog.conf", '-i', "$dir/rsyslogd.pid", '-M', join(':', grep { -d } @modules) or POSIX::_exit(127);
}

SKIP:
{
	my $program = ESG::Monitoring::program('rsyslogd');
	my $dir = realpath(PostgreSQL::Test::Utils::tempdir());

	skip 'rsyslogd is not there (dev/setup --with-monitoring): monitoring/logs/rsyslog.conf NOT TESTED', 4 unless $program && $node->pg_version >= 15;
	# a role's name that looks like what follows it
	PostgreSQL::Test::Utils::append_to_file($log, encode_json({ state_code => 'SG023',
		detail => 'code=forged severity=warning role="x\\" not_after=2099-01-01T00:00:00Z fingerprint=00 \\\\" not_after=2026-12-01T00:00:00Z fingerprint=abcdef serial=01' }) . "\n");
	my $pid = start_rsyslogd($program, $dir);
	my $text = wait_text("$dir/out.json", qr/"code": *"expires_very_soon"(?s:.*)"code": *"forged"/);
	kill 'TERM', $pid;
	waitpid $pid, 0;
	my @told = decode_lines($text);
	my ($soon) = grep { $_->{ssl_guard}{code} eq 'expires_very_soon' } @told;
	is("$soon->{error_severity} $soon->{ssl_guard}{severity} $soon->{ssl_guard}{fingerprint}", $expected, 'rsyslogd: the facts')
	  or diag(ESG::Certs::slurp("$dir/rsyslogd.log"));
	is(scalar(grep { $_->{state_code} !~ /^SG/ } @told), 0, 'only our lines');
	my ($forged) = grep { $_->{ssl_guard}{code} eq 'forged' } @told;
	is("$forged->{ssl_guard}{not_after} $forged->{ssl_guard}{fingerprint}", '2026-12-01T00:00:00Z abcdef', 'a name in quotes is no fact');
	like($soon->{ssl_guard}{not_after}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'the end');
}
$node->stop;

done_testing();

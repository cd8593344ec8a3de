# Two nodes that Patroni runs with the configuration of docs/fleets.md: all
# connections with client certificates, replication among them; certificates are
# renewed one node after the other while clients log in all the time; then the
# nodes change their roles, and certificates are renewed again.

use strict;
use warnings;

use IPC::Run ();
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Patroni;

my $reason = ESG::Patroni::missing();
plan skip_all => $reason if $reason;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %client = map { $_ => $certs->make_client($_, ca => $ca) } qw(replicator rewinder billing);
my %served;

# Another certificate of a node; served from now on, if all goes well.
sub issue
{
	my ($name, $days_left) = @_;

	return $served{$name} = $certs->make_server("server_$name", ca => $ca, subject => "/CN=$name.example.com",
		san => [ "DNS:$name.example.com", 'IP:127.0.0.1' ], days_left => $days_left, lifetime => 365);
}

# Both server and client: the members ask each other.
sub issue_patroni
{
	my ($name) = @_;

	return $certs->make_cert("patroni_$name", ca => $ca, subject => "/CN=patroni.$name.example.com",
		san => [ "DNS:$name.example.com", 'IP:127.0.0.1' ], eku => 'serverAuth,clientAuth');
}

# What a client that asks the port for TLS is shown: a fingerprint.
sub seen_by_client { return ESG::Patroni::shown($ca, $_[0]->port, '-starttls', 'postgres'); }

sub wait_for
{
	my ($function) = @_;
	my $until = time + $ESG::Node::timeout;

	sleep 0.2 while !$function->() && time < $until;
	return;
}

# Waits until a client is shown that certificate.
sub wait_served
{
	my ($node, $fingerprint) = @_;

	wait_for(sub { seen_by_client($node) eq $fingerprint });
	return is(seen_by_client($node), $fingerprint, $node->name . ': served to whoever asks');
}

# ---- clients that log in all the time

my %logging_in;

# One process for each node, which writes a line for each login: 'ok', or what psql said.
sub start_logins
{
	my ($node) = @_;
	my ($file, $stop) = map { $certs->dir . '/' . $node->name . ".$_" } qw(logins stop);
	my @command = ('psql', '-XAtqw', '-d', $node->tcp(user => 'billing', client => $client{billing}, sslmode => 'verify-full'), '-c', 'SELECT 1');
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		open(my $lines, '>', $file) or _exit(1);
		$lines->autoflush(1);
		until (-e $stop)
		{
			my ($out, $err) = ('', '');

			eval { IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err) };
			print $lines $out eq "1\n" ? "ok\n" : 'failed: ' . "$err$@" =~ s/\s+/ /gr . "\n";
		}
		_exit(0);
	}
	$logging_in{ $node->name } = { pid => $pid, file => $file, stop => $stop };
	return;
}

sub logins
{
	my ($name) = @_;

	return -e $logging_in{$name}{file} ? grep { /./ } split /\n/, ESG::Certs::slurp($logging_in{$name}{file}) : ();
}

sub wait_logins
{
	my ($name, $more) = @_;
	my $target = logins($name) + $more;

	wait_for(sub { logins($name) >= $target });
	return;
}

# Returns the lines.
sub stop_logins
{
	my ($name) = @_;

	ESG::Certs::spew($logging_in{$name}{stop}, '');
	waitpid $logging_in{$name}{pid}, 0;
	return logins($name);
}

sub warnings_of
{
	my ($node) = @_;

	return $node->safe_psql('postgres', "SELECT coalesce(string_agg(code || ' ' || object, ', '), 'none') FROM ssl_guard_alarms WHERE severity >= 'warning'");
}

# ---- a cluster
my $patroni = ESG::Patroni->new(ca => $ca);
my %common = map { $_ => $client{$_} } qw(replicator rewinder);
my $one = $patroni->start_member('db1', server => issue('db1', 200), patroni => issue_patroni('db1'), %common);
$patroni->wait_role($one, 'primary');
my $two = $patroni->start_member('db2', server => issue('db2', 200), patroni => issue_patroni('db2'), %common);
$patroni->wait_role($two, 'replica');
my @nodes = ($one, $two);

$one->safe_psql('postgres', 'CREATE EXTENSION ext_ssl_guard; CREATE ROLE billing LOGIN; CREATE TABLE written (what text)');
$one->safe_psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS 'cn=billing x509'");
is($two->wait_sql("SELECT count(*) FROM pg_shseclabel WHERE provider = 'ext_ssl_guard'", 1), 1, 'the standby follows');
is($one->safe_psql('postgres', "SELECT s.client_dn FROM pg_stat_ssl s JOIN pg_stat_replication r USING (pid) WHERE r.usename = 'replicator'"), '/CN=replicator',
	'with its client certificate');
is($_->wait_sql('SELECT worker_pid IS NOT NULL AND last_check_at IS NOT NULL FROM ssl_guard_status'), 't', $_->name . ': the worker is there') foreach @nodes;
is(warnings_of($_), 'none', $_->name . ': and finds nothing amiss') foreach @nodes;
is($_->safe_psql('postgres', 'SHOW cluster_name'), 'billing', $_->name . ': has the cluster\'s name') foreach @nodes;
is(seen_by_client($_), $served{ $_->name }{fingerprint}, $_->name . ': shows its certificate') foreach @nodes;

# ---- the interface between the members
like(($patroni->rest($one, 'GET', '/patroni', issue_patroni('asks')))[1], qr/"role": "(?:master|primary)"/, 'REST: over TLS');
is(($patroni->rest($one, 'PATCH', '/config', undef, '{}'))[0], '403', 'and who changes something needs a certificate');
is(($patroni->rest($one, 'PATCH', '/config', issue_patroni('changes'), '{"loop_wait": 1}'))[0], '200', 'which is accepted');

# ---- a typing error reaches all nodes
sub set_for_all
{
	my ($value) = @_;

	return ($patroni->rest($one, 'PATCH', '/config', issue_patroni('changes'), qq({"postgresql": {"parameters": {"ext_ssl_guard.finding_overrides": $value}}})))[0];
}

my $rejected = "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'setting_rejected' AND severity = 'critical'";
is(set_for_all('"no_such_code=off"'), '200', 'Patroni takes what the extension does not');
is($_->wait_sql($rejected, 1), 1, $_->name . ': says so') foreach @nodes;
is(set_for_all('null'), '200', 'taken back');
is($_->wait_sql($rejected, 0), 0, $_->name . ': cleared') foreach @nodes;

# ---- one node after the other gets another certificate
start_logins($_) foreach @nodes;
wait_logins($_, 5) foreach map { $_->name } @nodes;

my $sighup = qr/received SIGHUP, reloading configuration files/;

sub renew
{
	my ($node, $days_left) = @_;
	my $name = $node->name;
	my $offset = $node->log_end;
	my $loaded_at = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');

	$patroni->install($node, issue($name, $days_left), 'server');
	wait_served($node, $served{$name}{fingerprint});
	# with EXEC_BACKEND new backends show it before that
	wait_for(sub { $node->count_log($sighup, $offset) > 0 });
	wait_logins($name, 5) if kill 0, $logging_in{$name}{pid};
	is($node->wait_sql('SELECT in_sync AND last_reload_ok FROM ssl_guard_status'), 't', "$name: in service");
	is($node->safe_psql('postgres', "SELECT pg_conf_load_time() > '$loaded_at'"), 't', "$name: because it was reloaded");
	is($node->count_log($sighup, $offset), 1, "$name: once");
	is(warnings_of($node), 'none', "$name: nothing is amiss");
	return;
}

renew($two, 300);
renew($one, 301);

# that of the interface, and that with which the nodes will connect to each other
sub renew_others
{
	my ($node) = @_;
	my $new = issue_patroni($node->name);

	$patroni->install($node, $new, 'patroni');
	$patroni->install($node, $client{replicator}, 'replicator');
	is(($patroni->ctl($node, 'reload', 'billing', $node->name, '--force'))[0], 0, $node->name . ': patronictl reload');
	wait_for(sub { $patroni->rest_fingerprint($node) eq $new->{fingerprint} });
	is($patroni->rest_fingerprint($node), $new->{fingerprint}, $node->name . ': the interface has another certificate');
	return;
}

$client{replicator} = $certs->make_client('replicator_2', ca => $ca, subject => '/CN=replicator');
renew_others($_) foreach $two, $one;

# ---- the other way round
sub switch_over
{
	my ($from, $to) = @_;
	my ($status, $said) = $patroni->ctl($from, 'switchover', '--leader', $from->name, '--candidate', $to->name, '--force');

	is($status, 0, 'patronictl switchover') or diag($said);
	$patroni->wait_role($to, 'primary');
	$patroni->wait_role($from, 'replica');
	return;
}

# Each of these holds until Patroni takes the server down; logins fail meanwhile, as they must.
my %lines = map { $_ => [ stop_logins($_) ] } map { $_->name } @nodes;
foreach my $name (sort keys %lines)
{
	is(join("\n", grep { $_ ne 'ok' } @{ $lines{$name} }), '', "$name: no login failed");
	cmp_ok(scalar @{ $lines{$name} }, '>=', 10, "$name: of " . @{ $lines{$name} });
}

my %clients = map { $_->name => $_->safe_psql('postgres', "SELECT logins FROM ssl_guard_client_certificates WHERE role_name = 'billing'") } @nodes;
cmp_ok($clients{$_}, '>=', scalar @{ $lines{$_} }, "$_: and each was counted there") foreach sort keys %clients;
switch_over($one, $two);
$two->safe_psql('postgres', "INSERT INTO written VALUES ('after the switchover')");
is($one->wait_sql('SELECT count(*) FROM written', 1), 1, 'replication goes on, from the new primary');
is($two->safe_psql('postgres', "SELECT s.client_dn FROM pg_stat_ssl s JOIN pg_stat_replication r USING (pid) WHERE r.usename = 'replicator'"), '/CN=replicator',
	'with a client certificate');
is($two->safe_psql('postgres', "SELECT logins FROM ssl_guard_client_certificates WHERE role_name = 'billing'"), $clients{db2}, 'db2 goes on counting clients');
is($two->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_client_certificates WHERE fingerprint = '$client{replicator}{fingerprint}'"), 1, 'the renewed one');
is(warnings_of($_), 'none', $_->name . ': nothing is amiss') foreach @nodes;
is(seen_by_client($_), $served{ $_->name }{fingerprint}, $_->name . ': shows its own certificate') foreach @nodes;
renew($_, 302) foreach @nodes;
$two->safe_psql('postgres', "INSERT INTO written VALUES ('after the renewal')");
is($one->wait_sql('SELECT count(*) FROM written', 2), 2, 'and replication goes on');

# ---- what has been edited behind Patroni's back
$two->safe_psql('postgres', "ALTER SYSTEM SET work_mem = '5MB'");
my $before = $served{db2}{fingerprint};
$patroni->install($two, issue('db2', 303), 'server');
my $held = "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'auto_reload_held'";
is($two->wait_sql($held, 1), 1, 'is not applied by a renewal, which is said');
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
	is(seen_by_client($two), $before, 'and what was served is served');
}
is(($patroni->ctl($two, 'reload', 'billing', 'db2', '--force'))[0], 0, 'patronictl reload');
wait_served($two, $served{db2}{fingerprint});
is($two->wait_sql($held, 0), 0, 'and the alarm is cleared');

# without the label's certificate, on both
is(($_->tcp_psql('SELECT 1', user => 'billing', sslmode => 'verify-full'))[0] == 0 ? 'in' : 'out', 'out', $_->name . ': nobody without a certificate') foreach @nodes;
$patroni->stop;
done_testing();

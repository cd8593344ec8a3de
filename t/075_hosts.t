# Hosts of PostgreSQL 19, each by its own: renewed and not reloaded, failed
# reloads, names that the certificate does not have.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $other_ca = $certs->make_ca('other');
my %name = map { $_ => [ subject => "/CN=$_.test", san => [ "DNS:$_.test", 'DNS:*.wild.test' ] ] } 'a', 'b';
my %first = map { $_ => $certs->make_server("first$_", ca => $ca, @{ $name{$_} }) } 'a', 'b';
my %second = map { $_ => $certs->make_server("second$_", ca => $ca, key => $first{$_}, @{ $name{$_} }) } 'a', 'b';
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, conf => 'ext_ssl_guard.file_poll_interval = 1s');
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}
ESG::Sni::put_host($node, $_, $first{$_}) foreach 'a', 'b';
$node->replace($ca->{cert}, 'hosts.ca');
ESG::Sni::write_hosts($node, '# hosts', 'a.test a.crt a.key hosts.ca', 'b.test,x.wild.test b.crt b.key', '/no_sni/ a.crt a.key');
$node->append_conf('postgresql.conf', "ssl = on\nssl_sni = on\nssl_ca_file = ''");
$node->restart;

sub alarms_are
{
	my ($expected, $name) = @_;

	is($node->wait_sql(ESG::Sni::alarms(), $expected), $expected, $name);
	return;
}

sub hosts
{
	return $node->safe_psql('postgres', "SELECT string_agg(line_number || ' ' || coalesce(in_sync::text, '?') || ' ' || severity, ', ' ORDER BY line_number) FROM ssl_guard_hosts");
}

$node->wait_sql('SELECT in_sync FROM ssl_guard_status', 't');
alarms_are('', 'all is well');
is(hosts(), '2 true ok, 3 true ok, 4 true ok', 'each host, too');
is($node->safe_psql('postgres', 'SELECT host_names FROM ssl_guard_hosts WHERE line_number = 3'), '{b.test,x.wild.test}', 'with all its names');

# --- renewed on disk ---------------------------------------------------------------

my $offset = $node->log_end;
$node->replace($second{b}{cert}, 'b.crt');
alarms_are('warning reload_pending b.crt', 'a certificate is renewed');
like($node->log_since($offset),
	qr/WARNING:  host "b\.test,x\.wild\.test": the server certificate on disk is not the one in service\n.*code=reload_pending severity=warning setting=hosts_file line=3 host=b\.test,x\.wild\.test served_fingerprint=$first{b}{fingerprint} disk_fingerprint=$second{b}{fingerprint}/,
	'the log has the host, the line and the fingerprints');
is(hosts(), '2 true ok, 3 false ok, 4 true ok', 'of that host');
is(ESG::Sni::served($node, 'b.test'), $first{b}{fingerprint}, 'which is so');
is($node->safe_psql('postgres', 'SELECT in_sync FROM ssl_guard_status'), 'f', 'in the status, too');
ESG::Sni::reload($node);
alarms_are('', 'reloaded');
is(ESG::Sni::served($node, 'b.test'), $second{b}{fingerprint}, 'and served');
is($node->safe_psql('postgres', 'SELECT in_sync, last_reload_ok FROM ssl_guard_status'), 't|t', 'in sync');

# a chain, a CA file
$node->replace($certs->concat('chain.crt', $second{b}{cert}, $ca->{cert}), 'b.crt');
like($node->wait_sql(ESG::Sni::alarms(), qr/file_not_reloaded b\.crt/), qr/warning file_not_reloaded b\.crt/, 'a chain is changed');
$node->replace($second{b}{cert}, 'b.crt');
alarms_are('', 'and changed back');
$offset = $node->log_end;
$node->replace($certs->concat('both.ca', $ca->{cert}, $other_ca->{cert}), 'hosts.ca');
alarms_are('warning file_not_reloaded hosts.ca', "a host's CA file");
like($node->log_since($offset), qr/code=file_not_reloaded severity=warning setting=hosts_file line=2 host=a\.test /, 'with its host');
ESG::Sni::reload($node);
alarms_are('', 'reloaded');

# --- a reload that fails -----------------------------------------------------------

$offset = $node->log_end;
ESG::Certs::spew($node->path('b.crt'), 'no certificate');
$node->replace($second{a}{cert}, 'a.crt');
ESG::Sni::reload($node);
alarms_are('critical file_unparsable b.crt, critical reload_failed server, warning reload_pending a.crt', 'a file of one host is broken');
like($node->log_since($offset), qr/code=reload_failed severity=critical line=3 host=b\.test,x\.wild\.test/, 'the log says at which host it failed');
is($node->safe_psql('postgres', 'SELECT last_reload_ok, failed_host FROM ssl_guard_status'), 'f|b.test,x.wild.test', 'and so does the status');
like($node->log_since($offset), qr/code=file_unparsable severity=critical setting=hosts_file line=3 host=b\.test,x\.wild\.test/, 'and which host the file is of');
is(ESG::Sni::served($node, 'a.test'), $first{a}{fingerprint}, 'no host is served with a new certificate');
$node->replace($second{b}{cert}, 'b.crt');
ESG::Sni::reload($node);
alarms_are('', 'mended');
is($node->safe_psql('postgres', 'SELECT last_reload_ok, failed_host FROM ssl_guard_status'), 't|', 'in the status, too');

# --- names ---------------------------------------------------------------------------

$offset = $node->log_end;
ESG::Sni::write_hosts($node, 'a.test,c.test a.crt a.key', '*.wild.test b.crt b.key', '* b.crt b.key');
ESG::Sni::reload($node);
alarms_are('warning host_name_not_covered a.crt:1, warning host_name_not_covered b.crt:1', 'a name that the certificate does not have, and a pattern');
like($node->log_since($offset), qr/a\.crt" is shown for hosts whose names it does not have: c\.test\n.*setting=hosts_file line=1 host=a\.test,c\.test/, 'the name is told');
like($node->log_since($offset), qr/b\.crt" is shown for hosts whose names it does not have: \*\.wild\.test \(a pattern, for which no client asks\)/, 'and the pattern');
ESG::Sni::write_hosts($node, 'a.test a.crt a.key');
ESG::Sni::reload($node);
is(ESG::Sni::served($node, 'x.wild.test'), '', 'core has no certificate for a name that is not listed');
ESG::Sni::write_hosts($node, 'a.test a.crt a.key', '*.wild.test b.crt b.key');
ESG::Sni::reload($node);
is(ESG::Sni::served($node, 'x.wild.test'), '', 'nor for one that a pattern would fit');
ESG::Sni::write_hosts($node, 'a.test a.crt a.key', 'x.wild.test b.crt b.key');
ESG::Sni::reload($node);
is(ESG::Sni::served($node, 'x.wild.test'), $second{b}{fingerprint}, 'but for one that is');
alarms_are('', 'which its certificate covers');

# --- more hosts than are told apart ----------------------------------------------------

ESG::Sni::write_hosts($node, map { "h$_.wild.test b.crt b.key" } 1 .. 600);
ESG::Sni::reload($node);
alarms_are('', '600 hosts with one certificate');
is($node->safe_psql('postgres', 'SELECT count(*), count(in_sync), bool_and(in_sync) FROM ssl_guard_hosts'), '600|512|t', 'those above 512 are not compared');
is(ESG::Sni::served($node, 'h600.wild.test'), $second{b}{fingerprint}, 'but served');
$node->replace($first{b}{cert}, 'b.crt');
alarms_are('warning reload_pending b.crt', 'renewed: one alarm');
ESG::Sni::reload($node);
alarms_are('', 'reloaded');
ESG::Sni::write_hosts($node, (map { "h$_.wild.test b.crt b.key" } 1 .. 600), 'last.test gone.crt b.key');
$offset = $node->log_end;
ESG::Sni::reload($node);
is($node->wait_sql('SELECT last_reload_ok FROM ssl_guard_status', 'f'), 'f', 'one above 512 fails');
like($node->log_since($offset), qr/code=reload_failed severity=critical line=601 host=last\.test/, 'and is named');
is($node->safe_psql('postgres', 'SELECT count(*), count(in_sync), bool_and(in_sync) FROM ssl_guard_hosts'), '600|512|t', 'the others go on');

$node->stop;
done_testing();

# auto_reload with the hosts of PostgreSQL 19: the files of each count.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Renewal;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $made = 0;
my $node = ESG::Node->new('main');

sub renewed
{
	my ($host, @options) = @_;

	return $certs->make_server('server' . ++$made, ca => $ca, days_left => 100 + $made, subject => "/CN=$host.test", san => ["DNS:$host.test"], @options);
}

$node->setup(ca => $ca, conf => $ESG::Renewal::settings);
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}
my %now = map { $_ => renewed($_) } 'a', 'b';
ESG::Sni::put_host($node, $_, $now{$_}) foreach 'a', 'b';
$node->replace($ca->{cert}, 'hosts.ca');
my @lines = ('a.test a.crt a.key hosts.ca', 'b.test b.crt b.key hosts.ca', '/no_sni/ a.crt a.key');
ESG::Sni::write_hosts($node, @lines);
$node->append_conf('postgresql.conf', "ssl = on\nssl_sni = on\nssl_ca_file = ''");
$node->restart;
$node->wait_sql('SELECT in_sync FROM ssl_guard_status', 't');

my $r = ESG::Renewal->new($node);

sub served_is
{
	my ($host, $cert, $name) = @_;
	my $until = time + 60;

	select(undef, undef, undef, 0.2) while ESG::Sni::served($node, "$host.test") ne $cert->{fingerprint} && time < $until;
	is(ESG::Sni::served($node, "$host.test"), $cert->{fingerprint}, $name);
	return;
}

# --- one host -----------------------------------------------------------------------

my $next = renewed('b');
$r->begin;
$r->put(ESG::Renewal::pair($next, 'b'));
served_is('b', $next, 'a host is renewed');
$node->wait_log(qr/LOG:  renewed TLS files are in service\n.*settings=hosts_file old_fingerprint=$now{b}{fingerprint} new_fingerprint=$next->{fingerprint}/, $r->{offset});
is($r->reloads, 1, 'by one reload');
served_is('a', $now{a}, 'the other one goes on');
$now{b} = $next;

# --- both ----------------------------------------------------------------------------

my %next = map { $_ => renewed($_) } 'a', 'b';
$r->begin;
$r->put(map { ESG::Renewal::pair($next{$_}, $_) } 'a', 'b');
served_is($_, $next{$_}, "both are: $_") foreach 'a', 'b';
cmp_ok($r->reloads, '<=', 2, 'by few reloads');
%now = %next;

# --- one is worse --------------------------------------------------------------------

$r->begin;
$next = renewed('a');
$r->put(ESG::Renewal::pair($next, 'a'), ESG::Renewal::pair(renewed('b', days_left => 20), 'b'));
$r->refused(qr{file ".*/b\.crt" has changed and is not loaded automatically: its certificate ends earlier}, 'one of two is worse');
served_is('a', $now{a}, 'so neither is loaded');
$next{b} = renewed('b');
$r->begin;
$r->put(ESG::Renewal::pair($next{b}, 'b'));
served_is('a', $next, 'it is put right: the other one is');
served_is('b', $next{b}, 'and this one');
%now = (a => $next, b => $next{b});

$r->begin;
$r->put('b.crt' => \renewed('b')->{cert});
$r->refused(qr{file ".*/b\.key" .*: key values mismatch}, 'a key that does not fit');
$r->put(ESG::Renewal::pair($now{b}, 'b'));
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'auto_reload%'", '0'), '0', 'put back');

# --- the list of hosts has changed ------------------------------------------------------

$r->begin;
ESG::Sni::write_hosts($node, @lines[ 0, 1 ], 'c.test b.crt b.key', $lines[2]);
$next = renewed('a');
$r->put(ESG::Renewal::pair($next, 'a'));
$r->alarm_stands('auto_reload_held', qr/file ".*pg_hosts\.conf" has changed since it was last loaded/, 'another list of hosts');
$r->untouched('which nobody has loaded');
$node->reload;
served_is('a', $next, 'until somebody does');

$node->stop;
done_testing();

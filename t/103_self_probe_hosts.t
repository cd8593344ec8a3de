# self_probe on PostgreSQL 19 with ssl_sni: each host in service is asked for by
# its name.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my @names = map { "h$_.test" } 1 .. 20;
my $server = $certs->make_server('server', ca => $ca, san => [ map { "DNS:$_" } 'localhost', @names ]);
my $other = $certs->make_server('other', ca => $ca, san => [ 'DNS:other.test', 'DNS:more.test' ], subject => '/CN=other.test');
my $third = $certs->make_server('third', ca => $ca, san => ['DNS:third.test'], subject => '/CN=third.test');
my $node = ESG::Node->new('main');

sub sql { return $node->safe_psql('postgres', $_[0]); }

$node->setup(ca => $ca, server => $server, conf => 'log_connections = on');
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}

sub put_hosts
{
	my (@lines) = @_;

	ESG::Sni::write_hosts($node, map { "$_ root.crt" } @lines);
	return;
}

sub probed
{
	my ($since) = @_;

	$node->wait_sql("SELECT coalesce(probed_at > '$since', false) FROM ssl_guard_status");
	return sql('SELECT probe_result, in_sync, served_chain IS NULL FROM ssl_guard_status');
}

sub reload
{
	my $since = ESG::Sni::now($node);

	$node->reload;
	return probed($since);
}

ESG::Sni::put_host($node, 'server', $server);
ESG::Sni::put_host($node, 'other', $other);
ESG::Sni::put_host($node, 'third', $third);
ESG::Sni::write_hosts($node);
$node->append_conf('postgresql.conf', 'ssl_sni = on');
$node->restart;
is(probed('-infinity'), 'ok|t|f', 'no host listed: one certificate');

# more than one round's
put_hosts((map { "$_ server.crt server.key" } @names), 'more.test,other.test other.crt other.key', '* third.crt third.key', '/no_sni/ server.crt server.key');
my $offset = $node->log_end;
is(reload(), 'ok|t|t', 'hosts: all answer');
is($node->count_log(qr/connection received: host=127\.0\.0\.1/, $offset), 23, 'one handshake each');
is($node->count_log(qr/could not accept SSL/, $offset), 0, 'and no name that the server does not know');
is(sql('SELECT count(*), count(*) FILTER (WHERE in_sync) FROM ssl_guard_hosts'), '23|23', 'all are in sync');
foreach my $asked ($names[0], $names[19], 'other.test', 'somebody.else', undef)
{
	my $line = !defined $asked ? '/no_sni/' : $asked eq 'somebody.else' ? '*' : $asked;

	is(sql("SELECT served_fingerprint FROM ssl_guard_hosts WHERE '$line' = ANY (host_names)"), ESG::Sni::served($node, $asked),
		"as openssl sees $line");
}

# a renewed one, not loaded yet
ESG::Sni::put_host($node, 'other', $certs->make_server('renewed', ca => $ca, san => ['DNS:other.test', 'DNS:more.test'], subject => '/CN=other.test'));
sql('SELECT count(*) FROM ssl_guard_check()');
is(sql('SELECT in_sync FROM ssl_guard_status'), 'f', 'renewed: not in sync');
is(sql("SELECT served_fingerprint = '$other->{fingerprint}' FROM ssl_guard_hosts WHERE NOT in_sync"), 't', 'the old one is served');
is(reload(), 'ok|t|t', 'reloaded');

# one host only, which must be asked for
put_hosts('third.test third.crt third.key');
is(reload(), 'ok|t|f', 'a single host');
is(sql('SELECT served_seen_by, served_fingerprint FROM ssl_guard_status'), "probe|$third->{fingerprint}", 'is what is served');

$node->stop;
done_testing();

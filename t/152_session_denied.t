# Sessions whose certificate is put into denied_certificates end as a new login with
# it is refused: also if the entry names another certificate of the same CA.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
my $renewed = $certs->make_ca('renewed', key => $ca, subject => '/CN=Client CA', days_left => 3000);
my $other_ca = $certs->make_ca('other_ca', subject => '/CN=Other CA');
my %client = (
	good => $certs->make_client('good', ca => $ca),
	alone => $certs->make_client('alone', ca => $ca),
	by_old => $certs->make_client('by_old', ca => $ca),
	by_new => $certs->make_client('by_new', ca => $ca),
	by_new_too => $certs->make_client('by_new_too', ca => $ca),
	stranger => $certs->make_client('stranger', ca => $ca));
my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('cas.crt', map { $_->{cert} } $ca, $renewed, $other_ca),
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.session_check = 'enforce'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my %session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } sort keys %client;
my $entries = join(', ', $client{alone}{fingerprint}, "$client{by_old}{serial}\@$ca->{fingerprint}",
	# the first and the last of many of one issuer
	"$client{by_new}{serial}\@$renewed->{fingerprint}", (map { "7F$_\@$renewed->{fingerprint}" } 10 .. 29), "$client{by_new_too}{serial}\@$renewed->{fingerprint}",
	"$client{stranger}{serial}\@$other_ca->{fingerprint}");

my $offset = $node->log_end;
$node->apply('ext_ssl_guard.denied_certificates' => $entries);
$node->wait_sql('SELECT count(*) FROM ssl_guard_sessions', 2);
my %alive = map { ($_ => $session{$_}->alive ? 1 : 0) } sort keys %session;
is(join(' ', map { "$_=$alive{$_}" } sort keys %alive), 'alone=0 by_new=0 by_new_too=0 by_old=0 good=1 stranger=1', 'those that are in the list are ended');
is($node->count_log(qr/DETAIL:  code=session_denied role=app /, $offset), 4, 'the log has each');
foreach my $name (sort keys %client)
{
	my ($status) = $node->tcp_psql('SELECT 1', user => 'app', client => $client{$name});

	is($status == 0 ? 1 : 0, $alive{$name}, "$name: a new login");
}

$node->apply('ext_ssl_guard.denied_certificates' => '', 'ext_ssl_guard.session_check' => 'warn');
$session{by_new} = ESG::Sessions->open($node, user => 'app', client => $client{by_new});
$node->apply('ext_ssl_guard.denied_certificates' => $entries);
is($node->wait_sql("SELECT state FROM ssl_guard_sessions WHERE pid = $session{by_new}{pid}", 'denied'), 'denied', 'warn: it is shown');
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'session_denied'}, 1), 1, 'and an alarm');
$node->apply('ext_ssl_guard.denied_certificates' => '');
is($node->wait_sql("SELECT state FROM ssl_guard_sessions WHERE pid = $session{by_new}{pid}", 'valid'), 'valid', 'taken out of the list: it is good again');
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'session_denied'}, 0), 0, 'and the alarm is cleared');

$node->stop;
done_testing();

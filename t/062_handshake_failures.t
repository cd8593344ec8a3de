# Client certificates that the handshake refuses: reason, certificate, count.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

plan skip_all => 'failed handshakes are not seen where processes inherit nothing (EXEC_BACKEND)' if ESG::Node::exec_backend();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
my $stranger_ca = $certs->make_ca('stranger', subject => '/CN=Stranger CA');
my %client = (
	good => $certs->make_client('good', ca => $ca),
	expired => $certs->make_client('expired', ca => $ca, days_left => -3, lifetime => 100),
	revoked => $certs->make_client('revoked', ca => $ca),
	unknown_ca => $certs->make_client('unknown', ca => $stranger_ca),
	wrong_purpose => $certs->make_client('purpose', ca => $ca, eku => 'serverAuth'),
	not_yet_valid => $certs->make_client('future', ca => $ca,
		not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(864000)),
	evil => $certs->make_client('evil', ca => $stranger_ca, subject => "/CN=evil\nLOG:  forged line"),
);
$certs->revoke($ca, $client{revoked});
my $crl = $certs->make_crl($ca, 'good');
my $stale = $certs->make_crl($ca, 'stale', last_update => -864000, next_update => -86400);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	crl => $crl,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;

sub login
{
	my ($name) = @_;
	my ($status) = $node->tcp_psql('SELECT 1', client => $client{$name});

	return $status == 0;
}

sub failures
{
	my ($reason, $name) = @_;

	return $node->wait_sql("SELECT failures FROM ssl_guard_handshake_failures
		WHERE reason = '$reason' AND fingerprint = '$client{$name}{fingerprint}'", $_[2] // qr/./);
}

ok(login('good'), 'a good certificate gets in');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_handshake_failures'), '0',
	'and is no failure');

foreach my $reason (qw(expired revoked unknown_ca wrong_purpose not_yet_valid))
{
	my $offset = $node->log_end;

	ok(!login($reason), "$reason: refused");
	is(failures($reason, $reason), '1', "$reason: counted");
	$node->wait_log(qr/TLS refused client certificate "CN=\w+" from 127\.0\.0\.1: .*\n.*reason=$reason address=127\.0\.0\.1 serial=$client{$reason}{serial}/,
		$offset);
	ok(!login($reason), "$reason: refused again");
	is(failures($reason, $reason, '2'), '2', "$reason: counted again");
	is($node->count_log(qr/reason=$reason /, $offset), 1, "$reason: one line");
}
is( $node->safe_psql('postgres',
		"SELECT subject, issuer, serial_number, host(last_address), last_seen_at >= first_seen_at
		 FROM ssl_guard_handshake_failures WHERE reason = 'unknown_ca'"),
	"CN=unknown|CN=Stranger CA|$client{unknown_ca}{serial}|127.0.0.1|t",
	'the row');

# a stale CRL refuses the good ones, too, and the log says so
my $offset = $node->log_end;
$node->replace($stale, 'root.crl');
$node->reload;
$node->wait_log(qr/code=crl_expired/, $offset);
$offset = $node->log_end;
ok(!login('good'), 'crl_expired: a good certificate is refused');
is(failures('crl_expired', 'good'), '1', 'crl_expired: counted');
$node->wait_log(qr/HINT:.*The certificate itself may be good/, $offset);
$node->replace($crl, 'root.crl');
$node->reload;
$node->wait_log(qr/alarm cleared.*\n.*code=crl_expired/, $offset);
ok(login('good'), 'crl_expired: mended, it gets in');

# a name made to deceive
$offset = $node->log_end;
ok(!login('evil'), 'an evil name is refused');
$node->wait_log(qr/reason=unknown_ca/, $offset);
is($node->count_log(qr/^LOG:  forged line/, $offset), 0, 'a newline in a name makes no line');
like($node->log_since($offset), qr/\\x0a/i, 'it is shown escaped');

# a flood neither blocks nor grows
foreach my $n (1 .. 120)
{
	my $flood = $n % 2 ? 'unknown_ca' : 'expired';
	login($flood);
}
is(failures('unknown_ca', 'unknown_ca', '62'), '62', 'a flood is counted');
is($node->safe_psql('postgres', 'SELECT count(*) <= 100 FROM ssl_guard_handshake_failures'), 't',
	'the table is bounded');
ok(login('good'), 'and the next login gets in');

done_testing();

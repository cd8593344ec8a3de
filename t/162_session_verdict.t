# session_check = enforce ends nobody for what was found out before the settings
# changed: who switches it on may have put the CRL right in the same breath.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
my $renewed = $certs->make_ca('renewed', key => $ca, subject => '/CN=Client CA', days_left => 3000);
my %client = map { ($_ => $certs->make_client($_, ca => $ca)) } qw(held listed bad);
my $node = ESG::Node->new('main');
my $made = 0;

$node->setup(
	ca => $certs->concat('cas.crt', $ca->{cert}, $renewed->{cert}),
	server => $certs->make_server('server', ca => $ca),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "ext_ssl_guard.session_check = 'warn'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my $index = ESG::Certs::slurp($certs->dir . '/ca.ca/index.txt');

sub put_crl { return $node->replace($certs->make_crl($ca, 'made' . ++$made, last_update => $made - 3600), 'root.crl'); }

# the same serial number, by the CA's other certificate: found out like a revocation
my $entry = "$client{listed}{serial}\@$renewed->{fingerprint}";
my $harmless = "01\@$renewed->{fingerprint}";

sub state { return $node->wait_sql("SELECT state FROM ssl_guard_sessions WHERE pid = $_[0]{pid}", $_[1]); }

my %session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } qw(held listed);

foreach my $round (1 .. 3)
{
	# a hold, and an entry that was a mistake
	$certs->revoke($ca, $client{held});
	put_crl();
	$node->apply('ext_ssl_guard.denied_certificates' => "$entry, $harmless", 'ext_ssl_guard.session_check' => 'warn');
	is(state($session{held}, 'revoked'), 'revoked', "round $round: warn: revoked");
	is(state($session{listed}, 'denied'), 'denied', 'warn: denied');

	# put right, and enforced
	ESG::Certs::spew($certs->dir . '/ca.ca/index.txt', $index);
	put_crl();
	$node->apply('ext_ssl_guard.denied_certificates' => $harmless, 'ext_ssl_guard.session_check' => 'enforce');
	is(state($session{$_}, 'valid'), 'valid', "enforce, and put right: $_ is good") foreach qw(held listed);
	ok($session{$_}->alive, "$_ goes on") foreach qw(held listed);
}

# the twins: not put right
$node->apply('ext_ssl_guard.session_check' => 'warn');
$certs->revoke($ca, $client{held});
put_crl();
$node->apply('ext_ssl_guard.denied_certificates' => "$entry, $harmless");
is(state($session{held}, 'revoked'), 'revoked', 'revoked for good');
is(state($session{listed}, 'denied'), 'denied', 'denied for good');
my $offset = $node->log_end;
my $began = time;
$node->apply('ext_ssl_guard.session_check' => 'enforce');
like($session{$_}->wait_end, qr/FATAL/, "enforce: $_ is ended") foreach qw(held listed);
cmp_ok(time - $began, '<', 4, 'soon');

# also a session that was spared before: nothing of it is loaded anew
$node->apply('ext_ssl_guard.exempt_roles' => 'app');
my $spared = ESG::Sessions->open($node, user => 'app', client => $client{bad});
$certs->revoke($ca, $client{bad});
put_crl();
$node->reload;
is(state($spared, 'revoked'), 'revoked', 'exempt: revoked');
ok($spared->alive, 'and goes on');
$node->apply('ext_ssl_guard.exempt_roles' => '');
like($spared->wait_end, qr/FATAL/, 'exempt no more: ended');

$node->stop;
done_testing();

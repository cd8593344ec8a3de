# denied_certificates: who is refused, whatever else is set, and who is not.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
# the same CA, name and key, with a certificate of another age: renewed, and not yet in ssl_ca_file
my $ca_again = $certs->make_ca('ca_again', key => $ca, subject => '/CN=Client CA', days_left => 3000);
my $middle = $certs->make_ca('middle', ca => $ca, subject => '/CN=Middle CA');
my $middle_again = $certs->make_ca('middle_again', key => $middle, ca => $ca, subject => '/CN=Middle CA', days_left => 3000);
# with the serial number of somebody else's, and with the name of somebody else's issuer
my $other_ca = $certs->make_ca('other_ca', subject => '/CN=Client CA');
my %client = (
	stolen => $certs->make_client('stolen', ca => $ca, serial => '0AB1'),
	again => $certs->make_client('again', ca => $ca, subject => '/CN=stolen'),
	namesake => $certs->make_client('namesake', ca => $other_ca, serial => '0AB1', subject => '/CN=stolen'),
	under_middle => $certs->make_client('under_middle', ca => $middle, serial => '0C', chain => [$middle]),
	by_itself => $certs->make_client('by_itself', serial => '0D'),
);
my $node = ESG::Node->new('main');

$client{under_again} = { %{ $client{under_middle} }, cert => $certs->concat('under_again.crt', $client{under_middle}{single}, $middle_again->{single}) };
$node->setup(
	ca => $certs->concat('root.crt', $ca->{cert}, $other_ca->{cert}, $client{by_itself}{cert}),
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'",
	hba => [ 'hostssl all cert 127.0.0.1/32 trust clientcert=verify-ca', 'host all all 127.0.0.1/32 trust' ]);
$node->start;
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") foreach qw(app cert exempt);

sub query { return $node->safe_psql('postgres', $_[0]); }

sub deny { $node->apply('ext_ssl_guard.denied_certificates' => join(', ', @_)); return; }

# "in", or the code that the client is told
sub login
{
	my ($name, %options) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => 'app', client => $client{$name}, %options);

	return 'in' if $status == 0;
	return $err =~ /FATAL:  client certificate was refused \((\w+)\)$/m ? $1 : $err;
}

sub colons { return join(':', uc($_[0]) =~ /../g); }
sub by_serial { return "$client{$_[0]}{serial}\@$_[1]{fingerprint}"; }

# --- by fingerprint ---------------------------------------------------------------

is(login('stolen'), 'in', 'nobody is denied');
deny($client{stolen}{fingerprint});
my $offset = $node->log_end;
is(login('stolen'), 'certificate_denied', 'denied');
like($node->log_since($offset), qr/DETAIL:  code=certificate_denied role=app host=127\.0\.0\.1 fingerprint=$client{stolen}{fingerprint} serial=0AB1 entry=$client{stolen}{fingerprint}/,
	'the log says by which entry');
is(login('stolen', user => 'cert'), 'certificate_denied', 'on a line that wants a certificate, too');
is(login('again'), 'in', 'another certificate of the same name gets in');
is(($node->tcp_psql('SELECT 1', user => 'app'))[0], 0, 'and so does who shows none');
is(($node->tcp_psql('SELECT 1', user => 'app', sslmode => 'disable'))[0], 0, 'or comes without TLS');
is(query("SELECT logins, denials FROM ssl_guard_client_certificates WHERE role_name = 'app' AND fingerprint = '$client{stolen}{fingerprint}'"),
	'1|1', 'the registry has login and denial');

# whatever the other settings
$node->apply("ext_ssl_guard.$_" => 'off') foreach qw(client_certificate_check identity_check role_label_check file_permission_check);
$node->apply('ext_ssl_guard.finding_overrides' => 'certificate_denied=off');
is(login('stolen'), 'certificate_denied', 'with all checks off');
$node->apply('ext_ssl_guard.client_certificate_check' => 'enforce', 'ext_ssl_guard.finding_overrides' => '');
is(login('stolen'), 'certificate_denied', 'and enforced');
$node->apply('ext_ssl_guard.client_certificate_check' => 'warn');

# an open session is not affected by what is decided about logins
deny(colons($client{again}{fingerprint}));
is(login('again'), 'certificate_denied', 'with colons and upper case');
is(login('stolen'), 'in', 'taken off the list');

# the administrator's way in
$node->apply('ext_ssl_guard.exempt_roles' => 'exempt');
my $alarms = "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'certificate_denied' AND severity = 'critical' AND object = 'role \"exempt\", $client{again}{fingerprint}'";
is(login('again', user => 'exempt'), 'in', 'an exempt role gets in');
is(query($alarms), '1', 'which is an alarm');
is(login('again'), 'certificate_denied', 'others do not');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'certificate_denied'"), '1', 'which is none');
deny($client{stolen}{fingerprint});
is(query($alarms), '1', 'it stands');
is(login('again', user => 'exempt'), 'in', 'until it logs in again');
is(query($alarms), '0', 'with what is not denied');
deny($client{again}{fingerprint});
is(login('again', user => 'exempt'), 'in', 'denied again');
is(query($alarms), '1', 'an alarm again');
deny();
is($node->wait_sql($alarms, '0'), '0', 'an empty list clears it');
$node->apply('ext_ssl_guard.exempt_roles' => '');

# --- by serial number and issuer ------------------------------------------------------

deny(by_serial('stolen', $ca));
$offset = $node->log_end;
is(login('stolen'), 'certificate_denied', 'by serial number and issuer');
like($node->log_since($offset), qr/code=certificate_denied .* entry=AB1\@$ca->{fingerprint}/, 'which the log says');
is(login('namesake'), 'in', 'the same number under another CA of that name gets in');
is(login('again'), 'in', 'and another number');
deny('00:0a:b1@' . colons($ca->{fingerprint}));
is(login('stolen'), 'certificate_denied', 'as openssl writes it');
deny(by_serial('stolen', $other_ca));
is(login('stolen'), 'in', 'an issuer that only has the name');
is(login('namesake'), 'certificate_denied', 'denies its own');
deny(by_serial('by_itself', $client{by_itself}));
is(login('by_itself'), 'certificate_denied', 'one that is trusted itself is its own issuer');
deny(by_serial('stolen', $ca));
is(login('by_itself'), 'in', 'it gets in');

# An intermediate; whoever has the key chooses which of its certificates he sends.
deny(by_serial('under_middle', $middle));
is(login('under_middle'), 'certificate_denied', 'below an intermediate');
is(login('under_again'), 'in', 'with another certificate of the intermediate, of which the server knows nothing');
deny(by_serial('under_middle', $middle), by_serial('under_middle', $middle_again));
is(login('under_again'), 'certificate_denied', 'both named');
deny(by_serial('under_middle', $ca));
is(login('under_middle'), 'in', 'the CA above the issuer is not the issuer');

# Where the server knows both certificates of a CA, either stands for it.
$node->replace($certs->concat('both.crt', $ca->{cert}, $ca_again->{cert}, $middle->{single}), 'root.crt');
deny(by_serial('stolen', $ca));
is(login('stolen'), 'certificate_denied', 'the old certificate of a renewed CA');
deny(by_serial('stolen', $ca_again));
is(login('stolen'), 'certificate_denied', 'and the new one');
deny(by_serial('under_middle', $middle));
is(login('under_again'), 'certificate_denied', 'an intermediate that the server has, too');
deny(by_serial('stolen', $other_ca));
is(login('stolen'), 'in', 'not one that it has not');

# --- many -----------------------------------------------------------------------------

my @many = map { sprintf('%064x', $_ * 7919 % 10007) } 1 .. 9998;
deny(@many, $client{stolen}{fingerprint}, by_serial('under_middle', $middle));
is(login('stolen'), 'certificate_denied', '10,000 entries: by fingerprint');
is(login('under_middle'), 'certificate_denied', 'by serial number');
is(login('again'), 'in', 'others get in');

# --- what cannot be accepted ------------------------------------------------------------

$offset = $node->log_end;
$node->set_conf('ext_ssl_guard.denied_certificates' => "$client{again}{fingerprint}, $client{stolen}{fingerprint}x");
$node->reload;
$node->wait_log(qr/code=setting_rejected .*denied_certificates/, $offset);
like($node->log_since($offset), qr/Entry 2, at character 67, is neither a SHA-256 fingerprint/, 'the log says where the fault is');
is(login('stolen'), 'certificate_denied', 'the list before stays in force');
is(login('again'), 'in', 'all of it');

done_testing();

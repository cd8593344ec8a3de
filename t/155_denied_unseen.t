# Entries of denied_certificates that nobody has shown a certificate for: one
# notice, which goes when somebody does, or when the list is mended.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $middle = $certs->make_ca('middle', ca => $ca);
my $seen = $certs->make_client('seen', ca => $ca, subject => '/CN=app');
my $below = $certs->make_client('below', ca => $middle, subject => '/CN=app', chain => [$middle], serial => '0A0B');
my $late = $certs->make_client('late', ca => $ca, subject => '/CN=app');
my $revoked = $certs->make_client('revoked', ca => $ca, subject => '/CN=app');
my $unknown = $certs->make_client('unknown', ca => $ca, subject => '/CN=app');
my $node = ESG::Node->new('main');

$certs->revoke($ca, $revoked);
$node->setup(
	ca => $certs->concat('root.crt', $ca->{cert}, $middle->{single}), server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my $alarms = "SELECT coalesce(string_agg(severity || ' ' || object || ' ' || message, ';'), '') FROM ssl_guard_alarms WHERE code = 'denied_certificate_unseen'";

sub deny { $node->apply('ext_ssl_guard.denied_certificates' => join(', ', @_)); return; }

sub login { return ($node->tcp_psql('SELECT 1', user => 'app', client => $_[0]))[0] == 0 ? 'in' : 'refused'; }

sub unseen
{
	my ($what) = @_;

	return qr/^notice ext_ssl_guard\.denied_certificates setting "ext_ssl_guard\.denied_certificates" names what no known client has shown: $what$/;
}

is(login($_), 'in', 'a login') foreach $seen, $below;
# beside one that is not, which shows that they were looked for
my $nobodys = '0' x 63 . '1';
deny($seen->{fingerprint}, "$below->{serial}\@$middle->{fingerprint}", $nobodys);
like($node->wait_sql($alarms, unseen("1 certificate \\($nobodys\\)")), unseen("1 certificate \\($nobodys\\)"), 'what was shown before it was denied was seen');
is(login($_), 'refused', 'it is denied now') foreach $seen, $below;

deny($late->{fingerprint}, $seen->{fingerprint});
like($node->wait_sql($alarms, unseen("1 certificate \\($late->{fingerprint}\\)")), unseen("1 certificate \\($late->{fingerprint}\\)"), 'one that nobody has shown');
is(login($late), 'refused', 'somebody does');
is($node->wait_sql($alarms, ''), '', 'a denied login is one that was seen');
is($node->safe_psql('postgres', "SELECT logins, denials FROM ssl_guard_client_certificates WHERE fingerprint = '$late->{fingerprint}'"),
	'0|1', 'the registry has it');

# the number of one CA under another's name, and a mistyped one
my @wrong = ("$below->{serial}\@$ca->{fingerprint}", $seen->{fingerprint} =~ tr/0-9a-f/1-9a-f0/r, map { sprintf('%064x', $_) } 1 .. 3);
my $five = unseen('5 certificates \(0{63}1, 0{63}2, 0{63}3, \.\.\.\)');
deny($late->{fingerprint}, @wrong);
like($node->wait_sql($alarms, $five), $five, 'one alarm for all, with the first of them');
deny($wrong[0]);
my $one = unseen("1 certificate \\(A0B\@$ca->{fingerprint}\\)");
like($node->wait_sql($alarms, $one), $one, 'a serial number under another CA');
deny();
is($node->wait_sql($alarms, ''), '', 'an empty list has none');

# whom the handshake refuses was seen, too
deny($revoked->{fingerprint}, "$revoked->{serial}\@$ca->{fingerprint}");
like($node->wait_sql($alarms, unseen('2 certificates .*')), unseen('2 certificates .*'), 'a revoked one that nobody has shown');
$node->replace($certs->make_crl($ca, 'crl'), 'root.crl');
$node->replace($certs->make_crl($middle, 'crl2'), 'root2.crl');
ESG::Certs::spew($node->path('root.crl'), ESG::Certs::slurp($node->path('root.crl')) . ESG::Certs::slurp($node->path('root2.crl')));
$node->apply(ssl_crl_file => 'root.crl');
is(login($revoked), 'refused', 'the handshake refuses it');
SKIP:
{
	skip 'failed handshakes are not seen with EXEC_BACKEND', 1 if ESG::Node::exec_backend();
	is($node->wait_sql($alarms, ''), '', 'a failed handshake counts');
}

# off is off
deny($unknown->{fingerprint});
like($node->wait_sql($alarms, unseen('1 certificate .*')), unseen('1 certificate .*'), 'again one');
$node->apply('ext_ssl_guard.finding_overrides' => 'denied_certificate_unseen=off');
is($node->wait_sql($alarms, ''), '', 'regraded');

done_testing();

# What cannot be judged: OpenSSL fails, as it does without memory.  warn lets
# in and says so, enforce refuses.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Findings;
use ESG::Node;
use ESG::Shim;

my $certs = ESG::Certs->new;
my $fault = $certs->dir . '/fault';
my $shim = ESG::Shim::no_digest($certs->dir, $fault);
plan skip_all => 'needs a C compiler' unless $shim;

my $ca = $certs->make_ca('ca');
my $app = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.identity_sources = 'fingerprint'\next_ssl_guard.identity_map = 'fp'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
ESG::Certs::spew($node->path('pg_ident.conf'), "fp $app->{fingerprint} app\n");
{
	local $ENV{LD_PRELOAD} = $shim;
	$node->start;
}
$node->safe_psql('postgres', qq{
	CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN; CREATE ROLE labelled LOGIN;
	SECURITY LABEL FOR ext_ssl_guard ON ROLE labelled IS 'fingerprint=$app->{fingerprint}'});

sub apply
{
	my (%settings) = @_;

	$node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

sub login
{
	my ($user) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => $user, client => $app);

	return 'in' if $status == 0;
	return $err =~ /client certificate was refused \((\w+)\)$/ ? $1 : $err;
}

sub set_fault { $_[0] ? ESG::Certs::spew($fault, '') : unlink $fault; }

# the twin, whose certificate can be judged
is(login('exempt'), 'in', 'warn: what is judged gets in');
is($node->count_log(qr/certificate_not_judged/, 0), 0, 'warn: without a line')
  and ESG::Findings::record(absent => 'certificate_not_judged');
is($node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()'), '1', 'it was remembered');

# warn, the default
set_fault(1);
my $offset = $node->log_end;
is(login('app'), 'in', 'warn: what is not judged gets in');
is($node->count_log(qr/code=certificate_not_judged severity=\w+ role=app host=127\.0\.0\.1/, $offset), 1, 'warn: a line');
is(login('app'), 'in', 'warn: and again');
is($node->count_log(qr/code=certificate_not_judged/, $offset), 1, 'warn: no further line');
is(login('labelled'), 'role_label_mismatch', 'a label of which nobody knows whether it is met');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_client_certificates'), '0', 'nothing to remember');

# enforce
apply(client_certificate_check => 'enforce', exempt_roles => 'exempt');
is(login('app'), 'certificate_not_judged', 'enforce: refused');
is(login('exempt'), 'in', 'enforce: an exempt role gets in');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'enforce: a Unix socket is never refused');
set_fault(0);
my $standing = q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'certificate_not_judged' AND object ~ '"app"'};
is($node->safe_psql('postgres', $standing), '1', 'the alarm stands');
is(login('app'), 'in', 'enforce: when it can be judged, it gets in');
is($node->safe_psql('postgres', $standing), '0', 'and the alarm is gone');
is(login('labelled'), 'in', 'and the label is met');

# the other checks
apply(client_certificate_check => 'off', identity_check => 'enforce', role_label_check => 'off');
is(login('app'), 'in', 'identity: mapped');
set_fault(1);
$offset = $node->log_end;
is(login('app'), 'identity_mismatch', 'identity: nobody knows');
like($node->log_since($offset), qr/reason="out of memory"/, 'identity: says the log');
apply(identity_check => 'warn');
is(login('app'), 'in', 'identity: warn lets it in');
set_fault(0);

$node->stop;
done_testing();

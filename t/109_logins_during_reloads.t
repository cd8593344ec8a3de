# 64 clients log in again and again while the server's certificate is renewed
# under them: auto_reload loads each, and nobody is refused.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Renewal;

my ($clients, $renewals) = (64, 4);
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=postgres');
my $node = ESG::Node->new('busy');
my $made = 0;

sub logins { return $node->safe_psql('postgres', 'SELECT coalesce(sum(logins), 0) FROM ssl_guard_client_certificates'); }

# each ends later than the one before
sub renewed { return $certs->make_server('server' . ++$made, ca => $ca, days_left => 100 + $made); }

$node->setup(ca => $ca, server => renewed(), crl => $certs->make_crl($ca, 'crl0'), conf => $ESG::Renewal::settings);
$node->set_conf('ext_ssl_guard.client_certificate_check' => 'enforce', 'ext_ssl_guard.identity_check' => 'enforce');
$node->start;
my $r = ESG::Renewal->new($node);
my $script = $node->basedir . '/one.sql';
ESG::Certs::spew($script, "SELECT 1;\n");
my $offset = $node->log_end;
my ($out, $err) = ('', '');
my $run = IPC::Run::start(
	[ 'pgbench', '-n', '-C', '-c', $clients, '-j', 4, '-T', 600, '-f', $script, $node->tcp(client => $client) ],
	'<', '/dev/null', '>', \$out, '2>', \$err);

foreach my $round (1 .. $renewals)
{
	my $cert = renewed();
	my $logins = logins();

	$r->begin;
	$r->put(ESG::Renewal::pair($cert));
	is($r->wait_served($cert), $cert->{fingerprint}, "renewal $round is served, with $clients clients");
	cmp_ok(logins() - $logins, '>', $clients, 'more logins than clients meanwhile');
	is($r->reloads, 1, 'by one reload');
}
is($node->count_log(qr/FATAL|could not accept SSL connection/, $offset), 0, 'nobody was refused');
is($err =~ /(fatal|aborted|failed|refused).*/i ? $1 : '', '', 'and no client says so') or diag($err);
$run->kill_kill(grace => 5);
$node->stop;
done_testing();

# Other libraries on the same hooks, before and after ours; failures of core's
# own authentication pass untouched.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('app', ca => $ca);
my $weak = $certs->make_client('soon', ca => $ca, days_left => 2);

foreach my $preload ('auth_delay,ext_ssl_guard', 'ext_ssl_guard,auth_delay')
{
	my $node = ESG::Node->new($preload =~ /^auth/ ? 'before' : 'after');

	$node->setup(
		ca => $ca,
		server => $certs->make_server('server', ca => $ca),
		preload => $preload,
		conf => "auth_delay.milliseconds = 700\npassword_encryption = 'scram-sha-256'",
		hba => ['hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca']);
	$node->start;
	$node->safe_psql('postgres', "CREATE ROLE app LOGIN PASSWORD 'right'");

	local $ENV{PGPASSWORD} = 'right';
	my ($status) = $node->tcp_psql('SELECT 1', user => 'app', client => $weak);
	is($status, 0, "$preload: login");
	is($node->safe_psql('postgres', 'SELECT logins FROM ssl_guard_client_certificates'), '1',
		"$preload: our hook saw it");

	local $ENV{PGPASSWORD} = 'wrong';
	my $start = Time::HiRes::time();
	my ($bad, undef, $err) = $node->tcp_psql('SELECT 1', user => 'app', client => $client);
	isnt($bad, 0, "$preload: a wrong password is refused");
	like($err, qr/password authentication failed/, "$preload: with core's own words");
	cmp_ok(Time::HiRes::time() - $start, '>=', 0.7, "$preload: auth_delay's hook ran");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_client_certificates'), '1',
		"$preload: a failed login is none of ours");
	$node->stop;
}

done_testing();

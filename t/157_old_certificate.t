# old_certificate_in_use: a client goes on with a certificate although the same
# role and subject has a newer one.  On a clock that is set forward.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Clock;
use ESG::Node;

my $clock = ESG::Clock->new('certificates that are used beside newer ones are');

my $day = 86400;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');

# began so many days ago, to the second the same for the same number of days
my %began;

sub client
{
	my ($name, $began, %options) = @_;

	$began{$began} //= ESG::Certs::stamp(-$began * $day);
	return $certs->make_client($name, ca => $ca, subject => '/CN=job', not_before => $began{$began}, not_after => ESG::Certs::stamp(300 * $day), %options);
}

my %client = (
	old => client('old', 100),
	newer => client('newer', 10),
	newest => client('newest', 5),
	# of one moment
	twin => client('twin', 10),
	other => client('other', 100, subject => '/CN=other'),
	ending => client('ending', 100, subject => '/CN=ending', not_after => ESG::Certs::stamp(12 * $day)),
	ending_newer => client('ending_newer', 10, subject => '/CN=ending'),
);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca),
	conf => "autovacuum = off\next_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.expire_check_interval = 0\next_ssl_guard.learn_renewals = off",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$clock->start($node);

my $now = 0;
my %name = map { $client{$_}{fingerprint} => $_ } keys %client;
my $alarms = "SELECT coalesce(string_agg(object, ' ' ORDER BY object), '') FROM ssl_guard_alarms WHERE code = 'old_certificate_in_use' AND severity = 'notice'";

sub query { return $node->safe_psql('postgres', $_[0]); }
sub later { $now += $_[0] * $day; $clock->set($now); return; }

# all of these get in
sub login
{
	my ($role, @names) = @_;

	is(($node->tcp_psql('SELECT 1', user => $role, client => $client{$_}))[0], 0, "$role logs in: $_") foreach @names;
	return;
}

# is the alarm about these, and do the registry's findings say the same?
sub in_use
{
	my ($what, @names) = @_;
	my $expected = join(' ', sort map { "client:$client{$_}{fingerprint}" } @names);

	is($node->wait_sql($alarms, $expected), $expected, "$what: alarms");
	is(query("SELECT coalesce(string_agg('client:' || fingerprint, ' ' ORDER BY fingerprint), '') FROM ssl_guard_client_certificates
		WHERE 'old_certificate_in_use' = ANY (findings)"), $expected, "$what: findings");
	return;
}

$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") foreach qw(job host ending);

login('job', 'old', 'newer');
later(0.9);
login('job', 'old', 'newer');
# what is found beside this is found, too
login('ending', 'ending', 'ending_newer');
later(0.05);
in_use('during the overlap');
later(0.1);
login('job', 'newer');
in_use('the old one is not used any more');
login('job', 'old');
in_use('used after the overlap', 'old');
is(query("SELECT message FROM ssl_guard_alarms WHERE code = 'old_certificate_in_use'"),
	"client certificate \"CN=job\" is still in use beside a newer one of its role and subject ($client{newer}{fingerprint})", 'beside which');
login('job', 'newer');
later(5);
in_use('stands whichever was used last, and some days later', 'old');

# others of the same name, role or moment are not older
login('host', 'old');
login('job', 'twin', 'other', 'newer');
in_use('another role, another subject, one of the same moment', 'old');

# one more renewal: both are older now, each beside the first of the newer ones
login('job', 'newest');
later(2);
in_use('the overlap of the next renewal', 'old');
login('job', 'newer', 'twin');
in_use('after it', qw(old newer twin));
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'old_certificate_in_use' AND message LIKE '%($client{newest}{fingerprint})'"), '2', 'the newest one is beside these');

# in force wherever client certificates are judged
$node->apply('ext_ssl_guard.client_certificate_check' => 'off');
is($node->wait_sql($alarms, ''), '', 'off');
$node->apply('ext_ssl_guard.client_certificate_check' => 'warn');
in_use('and on', qw(old newer twin));

# an expired one cannot be in use
login('ending', 'ending');
in_use('one that ends', qw(old newer twin ending));
later(5);
in_use('and has ended', qw(old newer twin));

# idle
later(31);
in_use('nobody has used them for a month');

# gone
login('job', 'newest', 'old');
in_use('used again', 'old');
query('SELECT ssl_guard_reset_client_certificates()');
in_use('forgotten');

done_testing();

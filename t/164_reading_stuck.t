# Reading the files comes to no end, as with a FIFO that somebody put in the place of
# pg_hba.conf at the worst moment: everything else goes on, the log has it, and it is
# tried again.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;
use ESG::Shim;

plan skip_all => 'needs /proc' unless -r '/proc/self/cmdline';

my $dir = PostgreSQL::Test::Utils::tempdir();
my $fault = "$dir/fault";
my $shim = ESG::Shim::stuck($dir, $fault) or plan skip_all => 'no C compiler';
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %client = map { ($_ => $certs->make_client($_, ca => $ca)) } qw(good bad);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	crl => $certs->make_crl($ca, 'empty'),
	conf => "ext_ssl_guard.session_check = 'enforce'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
{
	local $ENV{LD_PRELOAD} = $shim;
	$node->start;
}
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
$node->wait_log(qr/has checked the TLS set-up/);

sub checked { return $node->safe_psql('postgres', 'SELECT last_check_at FROM ssl_guard_status'); }


my %session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } sort keys %client;
my $before = checked();
ESG::Certs::spew($fault, '');
my $offset = $node->log_end;
my $began = time;

# more often than a check is given up for a reload
foreach (1 .. 5)
{
	$node->reload;
	sleep 2;
}
$certs->revoke($ca, $client{bad});
$node->replace($certs->make_crl($ca, 'revoked'), 'root.crl');
$node->reload;
like($session{bad}->wait_end, qr/FATAL/, 'sessions are ended meanwhile');
ok($session{good}->alive, 'and others are not');
is(($node->tcp_psql('SELECT 1', user => 'app', client => $client{good}))[0], 0, 'logins go on');
is(checked(), $before, 'the files are not checked');
$node->wait_log(qr/LOG:  could not check the TLS files: it takes longer than 60 seconds/, $offset, 100);
cmp_ok(time - $began, '>', 59, 'that is said in the log, after a minute');
unlink $fault;
$node->reload;
is($node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status"), 't', 'then they are checked');

# nor does a stop of the server wait for it
ESG::Certs::spew($fault, '');
$node->reload;
sleep 3;
$began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 5, 'a stop does not wait for it');

done_testing();

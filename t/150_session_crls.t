# session_check: where revocation is found, and what hinders it.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $intermediate = $certs->make_ca('intermediate', ca => $ca);
my %client = (
	good => $certs->make_client('good', ca => $ca),
	bad => $certs->make_client('bad', ca => $ca),
	below => $certs->make_client('below', ca => $intermediate, chain => [$intermediate]),
	late => $certs->make_client('late', ca => $ca));
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ssl_crl_dir = 'crls'\next_ssl_guard.session_check = 'enforce'\next_ssl_guard.file_poll_interval = '1s'",
	hba => [ 'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
mkdir $node->path('crls') or die "mkdir: $!";

# a new CRL of that CA, in the directory
sub hash_crl
{
	my ($of, $name) = @_;
	my $crl = $certs->make_crl($of, $name);
	my $hash = ESG::Certs::openssl('crl', '-in', $crl, '-noout', '-hash') =~ s/\n//r;

	ESG::Certs::spew($node->path("crls/$hash.r0.new"), ESG::Certs::slurp($crl));
	rename $node->path("crls/$hash.r0.new"), $node->path("crls/$hash.r0") or die "rename: $!";
	return;
}

hash_crl($ca, 'first');
hash_crl($intermediate, 'first_of_intermediate');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my %session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } sort keys %client;

# --- ssl_crl_dir: no reload -----------------------------------------------------------------

$certs->revoke($ca, $client{bad});
hash_crl($ca, 'second');
like($session{bad}->wait_end, qr/FATAL:  terminating connection/, 'a new CRL in ssl_crl_dir, without a reload');
ok($session{$_}->alive, "$_ goes on") foreach qw(good below late);

# the CA of this one is in no file of the server's
$certs->revoke($intermediate, $client{below});
hash_crl($intermediate, 'second_of_intermediate');
like($session{below}->wait_end, qr/FATAL:  terminating connection/, 'the CRL of a CA that the client brought along');
ok($session{good}->alive, 'the others go on');

# --- no place for the process -----------------------------------------------------------------

$node->set_conf(max_worker_processes => 1, max_logical_replication_workers => 0);
my $offset = $node->log_end;
$node->restart;
%session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } qw(good late);
$certs->revoke($ca, $client{late});
hash_crl($ca, 'third');
$node->reload;
$node->wait_log(qr/LOG:  could not look for revoked certificates of open sessions: too many background workers\n.*\n.*HINT:  You might need to increase "max_worker_processes"/, $offset);
ok($session{late}->alive, 'no place for a background worker: said in the log');
sleep 3;
is($node->count_log(qr/could not look for revoked certificates/, $offset), 1, 'once');

# a server without a CRL, and one without TLS, have nothing to ask
$node->set_conf(max_worker_processes => 8);
$node->restart;
$session{late} = eval { ESG::Sessions->open($node, user => 'app', client => $client{late}) };
is($session{late}, undef, 'core refuses what is revoked');

# --- the log is quiet ---------------------------------------------------------------------------

$offset = $node->log_end;
my $good = ESG::Sessions->open($node, user => 'app', client => $client{good});
$node->reload;
$node->reload;
$certs->revoke($ca, $client{good});
hash_crl($ca, 'fourth');
$node->reload;
like($good->wait_end, qr/FATAL/, 'judged again');
unlike($node->log_since($offset), qr/judge|background worker/, 'the process that does it is not in the log');

# --- off -------------------------------------------------------------------------------------------

$node->set_conf('ext_ssl_guard.session_check' => 'off', log_min_messages => 'debug1');
$node->restart;
my $other = $certs->make_client('other', ca => $ca);
my $watched = ESG::Sessions->open($node, user => 'app', client => $other);
$certs->revoke($ca, $other);
hash_crl($ca, 'fifth');
$offset = $node->log_end;
my $before = $node->safe_psql('postgres', 'SELECT last_check_at FROM ssl_guard_status');
$node->reload;
$node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status");
is($node->safe_psql('postgres', "SELECT state FROM ssl_guard_sessions WHERE pid = $watched->{pid}"), 'valid', 'off: revocation is not looked for');
unlike($node->log_since($offset), qr/session judge/, 'and nothing is started for it');
$node->set_conf('ext_ssl_guard.session_check' => 'warn');
$node->reload;
is($node->wait_sql("SELECT state FROM ssl_guard_sessions WHERE pid = $watched->{pid}", 'revoked'), 'revoked', 'warn: then it is');

$node->stop;
done_testing();

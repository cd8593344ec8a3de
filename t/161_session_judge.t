# The process that looks for revoked certificates of open sessions: what hinders it
# is found out and said, nothing waits for it, and what it was to find is found.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $other_ca = $certs->make_ca('other_ca');
my %client = map { ($_ => $certs->make_client($_, ca => $ca)) } qw(good bad second);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('cas.crt', $ca->{cert}, $other_ca->{cert}),
	server => $certs->make_server('server', ca => $ca),
	conf => "ssl_crl_dir = 'crls'\next_ssl_guard.session_check = 'enforce'\next_ssl_guard.file_poll_interval = '1s'\nlog_min_messages = debug1",
	hba => [ 'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
mkdir $node->path('crls') or die "mkdir: $!";

sub hash_name
{
	my ($of) = @_;

	return $node->path('crls/' . (ESG::Certs::openssl('crl', '-in', $certs->make_crl($of, "$of->{name}_hash"), '-noout', '-hash') =~ s/\n//r) . '.r0');
}

sub hash_crl
{
	my ($of, $name) = @_;
	my $path = hash_name($of);

	ESG::Certs::spew("$path.new", ESG::Certs::slurp($certs->make_crl($of, $name)));
	rename "$path.new", $path or die "rename: $!";
	return;
}

# its process, "" if there is none
sub judge
{
	my ($postmaster) = ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/;

	return `ps -o pid=,args= --ppid $postmaster` =~ /^ *(\d+) .*ext_ssl_guard session judge/m ? $1 : '';
}

sub wait_judge
{
	my ($there) = @_;
	my $until = time + $ESG::Node::timeout;

	sleep 0.02 while (judge() eq '') == $there && time < $until;
	return judge();
}

hash_crl($ca, 'first');
hash_crl($other_ca, 'first_of_other');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
my %session = map { ($_ => ESG::Sessions->open($node, user => 'app', client => $client{$_})) } sort keys %client;

# --- OpenSSL waits for a FIFO in ssl_crl_dir, for ever -------------------------------------------

my $fifo = hash_name($other_ca);
unlink $fifo;
mkfifo($fifo, 0600) or die "mkfifo: $!";
$certs->revoke($ca, $client{bad});
hash_crl($ca, 'second');
$node->reload;
my $pid = wait_judge(1);
sleep 1;
is(judge(), $pid, 'it waits');
my $offset = $node->log_end;
my $began = time;
kill 'TERM', $pid;
is(wait_judge(0), '', 'and can be ended');
cmp_ok(time - $began, '<', 3, 'at once');
unlink $fifo;
hash_crl($other_ca, 'second_of_other');
like($session{bad}->wait_end(30), qr/FATAL:  terminating connection/, 'what it was to find is found by the next one');
ok($session{$_}->alive, "$_ goes on") foreach qw(good second);

unlink $fifo;
mkfifo($fifo, 0600) or die "mkfifo: $!";
$node->reload;
wait_judge(1);
sleep 1;
like(judge(), qr/^\d+$/, 'it waits again');
$began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 5, 'a stop of the server does not wait for it');
unlink $fifo;
hash_crl($other_ca, 'third_of_other');

done_testing();

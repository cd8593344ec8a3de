# file_permission_check = enforce and the files in ssl_crl_dir: looked at by the worker, or by
# one login for those after it.  What comes to the directory is seen at once; a mode that
# changes is, within the time of two polls.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $app = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');
my $dir = $node->path('crls');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
mkdir $dir or die "$dir: $!";
my $crl = ESG::Certs::slurp($certs->make_crl($ca, 'crl'));
my ($hash) = `openssl x509 -noout -hash -in '$ca->{cert}'` =~ /(\w+)/;
ESG::Certs::spew("$dir/$_", $crl) foreach "$hash.r0", map { sprintf '%08x.r0', $_ } 1 .. 20;
chmod 0644, glob("$dir/*");
my $one = "$dir/00000007.r0";

# "": let in, else the code
sub outcome
{
	my ($status, undef, $said) = $node->tcp_psql('SELECT 1', user => 'app', client => $app);

	return $status == 0 ? '' : $said =~ /\((\w+)\)/ ? $1 : $said;
}

sub comes_to
{
	my ($want, $what) = @_;
	my $until = time + 60;
	my $got;

	sleep 0.2 while ($got = outcome()) ne $want && time < $until;
	is($got, $want, $what);
	return;
}

sub mode
{
	my ($mode, $file) = @_;

	chmod $mode, $file or die "chmod: $!";
	return;
}

$node->set_conf(ssl_crl_dir => $dir, 'ext_ssl_guard.file_permission_check' => 'enforce', 'ext_ssl_guard.file_poll_interval' => '1h');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
is(outcome(), '', 'all files are good: let in');

mode(0666, $one);
is(outcome(), '', 'a mode that changed just now is not seen: polls are rare');

# a verdict is about the directory as it was
ESG::Certs::spew("$dir/000000ff.r0", $crl);
is(outcome(), 'permissions_too_open', 'a file that came has all be looked at, and the bad one is found');
is(outcome(), 'permissions_too_open', 'each time');
mode(0644, $one);
is(outcome(), '', 'what is mended is mended at once');
ESG::Certs::spew("$dir/000000fe.r0", $crl);
mode(0666, "$dir/000000fe.r0");
is(outcome(), 'permissions_too_open', 'an open file that came is seen at once');
unlink "$dir/000000fe.r0" or die "unlink: $!";
is(outcome(), '', 'and that it went');

$node->apply('ext_ssl_guard.max_file_mode' => '0600');
comes_to('permissions_too_open', 'a verdict by another rule does not count');
$node->apply('ext_ssl_guard.max_file_mode' => '0644');
comes_to('', 'let in by the old rule');

$node->apply('ext_ssl_guard.file_poll_interval' => '1s');
comes_to('', 'with polls each second: let in');
mode(0666, $one);
comes_to('permissions_too_open', 'the worker sees an open file, and logins are refused');
mode(0644, $one);
is(outcome(), '', 'mended: let in at once');

$node->apply('ext_ssl_guard.file_poll_interval' => '0');
comes_to('', 'without polls: let in');
mode(0666, $one);
is(outcome(), 'permissions_too_open', 'each login looks for itself');
mode(0644, $one);
is(outcome(), '', 'the twin');

# nobody to look but the logins
$node->set_conf(max_worker_processes => 0, 'ext_ssl_guard.file_poll_interval' => '1s');
$node->restart;
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE \'ext_ssl_guard%\''), '0', 'there is no worker');
is(outcome(), '', 'without a worker: let in');
mode(0666, $one);
comes_to('permissions_too_open', 'an open file is seen all the same, when the verdict has aged');
mode(0644, $one);
is(outcome(), '', 'and mended at once');

$node->stop;
done_testing();

# fetch-crl -D: what the server's settings say, and a server that uses what was
# fetched: a client that was revoked is refused, after a reload by hand, by
# --reload-command, and by auto_reload.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Fetch;
use ESG::Node;
use ESG::Web;

my $certs = ESG::Certs->new;
my $web = ESG::Web->new;
my $url = $web->url('ca.crl');
my $ca = $certs->make_ca('ca');
my @names = (extensions => ["crlDistributionPoints=URI:$url"]);
my $server = $certs->make_server('server', ca => $ca, @names);
my %clients = map { $_ => $certs->make_client($_, ca => $ca, subject => "/CN=$_") } qw(alice bob carol dave);
my $node = ESG::Node->new('main');
my $issued = 0;

# each is newer than the one before
sub publish
{
	my (@revoked) = @_;

	$certs->revoke($ca, $clients{$_}) foreach @revoked;
	my $crl = $certs->make_crl($ca, 'crl' . ++$issued, last_update => -3600 + $issued * 60);
	$web->put('ca.crl', ESG::Certs::slurp($crl));
	return $crl;
}

sub gets_in
{
	my ($name) = @_;

	return ($node->tcp_psql('SELECT 1', client => $clients{$name}))[0] == 0 ? 1 : 0;
}

sub wait_refused
{
	my ($name) = @_;
	my $until = time + 60;

	sleep 0.2 while gets_in($name) && time < $until;
	return !gets_in($name);
}

my $first = publish();
$node->setup(ca => $ca, server => $server, crl => $first,
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca'],
	conf => "ext_ssl_guard.auto_reload = off\next_ssl_guard.expire_check_interval = '1d'");
$node->start;
is(gets_in($_), 1, "$_ gets in") foreach sort keys %clients;

my $f = ESG::Fetch->new($node->data_dir);
my @in = ('-D', $node->data_dir);

# --- by hand --------------------------------------------------------------------

is($f->run(@in), 0, 'what the server has is the newest') or diag $f->{out} . $f->{err};
like($f->{out}, qr/there is nothing newer/, 'it says so');
like(join("\n", $web->requests), qr/^GET \/ca\.crl /, 'the URL is that of the server\'s own certificate');
my $second = publish('alice');
is($f->run(@in), 0, 'a newer CRL') or diag $f->{out} . $f->{err};
is(ESG::Certs::slurp($node->path('root.crl')), ESG::Certs::slurp($second), 'is in ssl_crl_file');
is(gets_in('alice'), 1, 'which changes nothing');
$node->reload;
ok(wait_refused('alice'), 'until the server is reloaded: who was revoked is refused');
is(gets_in('bob'), 1, 'and the others are not');

# --- by the command ---------------------------------------------------------------

my $marks = $node->path('marks');
my $pg_ctl = "pg_ctl reload -D '" . $node->data_dir . "' && echo done >>'$marks'";
is($f->run(@in, '--reload-command', $pg_ctl), 0, 'nothing newer');
ok(!-e $marks, 'nothing is reloaded');
publish('bob');
is($f->run(@in, '--reload-command', $pg_ctl), 0, 'newer, with --reload-command') or diag $f->{out} . $f->{err};
ok(wait_refused('bob'), 'who was revoked is refused');
is(ESG::Certs::slurp($marks), "done\n", 'by one reload');
is($f->run(@in, '--reload-command', $pg_ctl), 0, 'and not once more');
is(ESG::Certs::slurp($marks), "done\n", 'by one reload');

# a command that fails is run again the next time
publish('carol');
is($f->run(@in, '--reload-command', 'echo it hurts >&2; exit 7'), 1, 'the command fails');
like($f->{err}, qr/failed with exit status 7: it hurts/, 'with its words');
is(gets_in('carol'), 1, 'the server does not know yet');
is($f->run(@in, '--reload-command', $pg_ctl), 0, 'the next time there is nothing newer');
ok(wait_refused('carol'), 'but the reload is made up for');
is_deeply([ grep { /^\.root/ } $f->names ], [], 'and no mark is left');

# --- by the extension ---------------------------------------------------------------

$node->apply('ext_ssl_guard.auto_reload' => 'on', 'ext_ssl_guard.file_poll_interval' => '1s');
publish('dave');
is($f->run(@in), 0, 'newer, with auto_reload');
ok(wait_refused('dave'), 'the server picks it up by itself');

# --- the settings ---------------------------------------------------------------------

my $other = $certs->make_ca('other');
$node->set_conf('ssl_crl_file' => '');
is($f->run(@in), 3, 'neither ssl_crl_file nor ssl_crl_dir');
like($f->{err}, qr/neither ssl_crl_file nor ssl_crl_dir is set/, 'is said');
ok($f->unchanged, 'and nothing is made');
unlink $node->path('new.crl');
is($f->run(@in, '--out', $node->path('new.crl')), 0, '--out says where to') or diag $f->{out} . $f->{err};
ok(-f $node->path('new.crl'), 'which is done');
mkdir $node->path('crls');
$node->set_conf('ssl_crl_dir' => 'crls');
is($f->run(@in), 0, 'ssl_crl_dir, relative to the data directory') or diag $f->{out} . $f->{err};
my $hash = ESG::Certs::openssl('crl', '-in', $first, '-noout', '-hash') =~ s/\s//gr;
ok(-f $node->path("crls/$hash.r0"), 'has a file that OpenSSL finds');
$node->set_conf('ssl_crl_file' => $node->path('root.crl'));
is($f->run(@in), 0, 'both, and the file has it');
like($f->{out}, qr/there is nothing newer/, 'so that nothing is to do');
$node->set_conf('ssl_ca_file' => '');
is($f->run(@in), 3, 'no ssl_ca_file');
like($f->{err}, qr/ssl_ca_file is not set/, 'is said');
is($f->run(@in, '--ca', $ca->{cert}), 0, '--ca names the CAs, then');
$node->set_conf('nonsense' => 1);
is($f->run(@in), 3, 'a configuration that cannot be read');
like($f->{err}, qr/unrecognized configuration parameter "nonsense"/, 'in the server\'s words');
is($f->run('-D', $certs->{dir}), 3, 'a directory that is none of a server');
like($f->{err}, qr/-D may also name the directory that has postgresql\.conf/, 'is said');
is($f->run(@in, '--postgres', '/bin/true'), 3, 'a program that is no server\'s');
like($f->{err}, qr/is no server's program that runs here/, 'is said');
is($f->run('-D', $node->path('gone')), 3, 'no directory');
like($f->{err}, qr/could not find directory/, 'is said');

# a configuration in another directory, as Debian has it: by its own name, or from
# the command line of the last start
$node->stop;
my $conf = ESG::Certs::slurp($node->path('postgresql.conf')) =~ s/^nonsense = .*\n//mgr =~ s/^ssl_ca_file = ''\n//mr;
mkdir $certs->{dir} . '/etc';
ESG::Certs::spew("$certs->{dir}/etc/postgresql.conf", $conf, "data_directory = '" . $node->data_dir . "'\n");
unlink $node->path('postgresql.conf');
is($f->run('-D', "$certs->{dir}/etc"), 0, '-D with the directory of postgresql.conf') or diag $f->{out} . $f->{err};
is($f->run(@in), 3, 'a data directory without it');
ESG::Certs::spew($node->path('postmaster.opts'), qq{/x/postgres "-D" "/y" "-c" "config_file=$certs->{dir}/etc/postgresql.conf"\n});
is($f->run(@in), 0, 'is found out by postmaster.opts') or diag $f->{out} . $f->{err};

done_testing();

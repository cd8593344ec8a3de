# What only the system's store of roots, or the whole bundle, tells:
# chain_incomplete and public_root_store.  And that a cancel need not wait for
# the end of a long file.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Public Root');
my $clients_ca = $certs->make_ca('clients_ca', subject => '/CN=Clients Only');
my $server = $certs->make_server('server', ca => $ca,
	extensions => ['authorityInfoAccess=caIssuers;URI:http://ca.example.com/root.crt']);
my $roots = PostgreSQL::Test::Utils::tempdir();
my $no_roots = PostgreSQL::Test::Utils::tempdir();
chomp(my $hash = `openssl x509 -hash -noout -in '$ca->{cert}'`);
system('cp', $ca->{cert}, "$roots/$hash.0") == 0 or die 'cp failed';

$ENV{SSL_CERT_DIR} = $no_roots;
$ENV{SSL_CERT_FILE} = "$no_roots/none.pem";
my $node = ESG::Node->new('roots');
$node->setup(ca => $clients_ca, server => $server,
	conf => "ext_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 0");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub server_findings { return sql("SELECT findings FROM ssl_guard_certificates WHERE kind = 'server'"); }
sub ca_findings { return sql("SELECT findings FROM ssl_guard_files WHERE kind = 'ca'"); }

is(server_findings(), '{chain_incomplete}', 'an issuer that nobody here knows');
$node->replace($certs->concat('with_root.crt', $clients_ca->{cert}, $ca->{cert}), 'root.crt');
is(server_findings(), '{}', 'its root is in ssl_ca_file');
$node->replace($clients_ca->{cert}, 'root.crt');

$ENV{SSL_CERT_DIR} = $roots;
$node->restart;
is(server_findings(), '{}', "its root is in the system's directory");
$ENV{SSL_CERT_DIR} = $no_roots;
$ENV{SSL_CERT_FILE} = $ca->{cert};
$node->restart;
is(server_findings(), '{}', "its root is in the system's file");

is(ca_findings(), '{}', 'one CA is no store of public roots');
my @many = map { $certs->make_ca("ca$_", subject => "/CN=Root $_")->{cert} } 1 .. 21;
$node->replace($certs->concat('many.crt', @many), 'root.crt');
is(ca_findings(), '{public_root_store}', 'more than 20 are');
is(sql("SELECT severity FROM ssl_guard_check() WHERE code = 'public_root_store'"), 'warning', 'with an alarm');
$node->replace($certs->concat('twenty.crt', @many[ 0 .. 19 ]), 'root.crt');
is(ca_findings(), '{}', '20 are not');

# ---- a long file
my $text = join '', map { ESG::Node::slurp($_) } @many;
open(my $out, '>', $node->path('root.crt')) or die $!;
print $out $text x 1000;
close $out;
my $started = time;
my ($ret, $stdout, $stderr) = $node->psql('postgres',
	"SET statement_timeout = '200ms'; SELECT count(*) FROM ssl_guard_certificates");
like($stderr, qr/canceling statement due to statement timeout/, 'reading 21,000 certificates can be cancelled');
my $cancelled_after = time - $started;
is(sql('SELECT 1'), 1, 'and does no harm');
$started = time;
sql("SELECT count(*) FROM ssl_guard_certificates");
SKIP:
{
	skip 'EXEC_BACKEND: each backend begins with loading the file', 1 if ESG::Node::exec_backend();
	cmp_ok($cancelled_after, '<', (time - $started) / 2, 'long before its end');
}

$node->stop;
done_testing();

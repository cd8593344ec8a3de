# Strangers cannot flush what is known of failed handshakes, nor fill the log.

use strict;
use warnings;

use IPC::Run ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;
use Time::HiRes ();

use ESG::Certs;
use ESG::Node;

plan skip_all => 'failed handshakes are not seen where processes inherit nothing (EXEC_BACKEND)' if ESG::Node::exec_backend();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
my $stranger_ca = $certs->make_ca('stranger', subject => '/CN=Stranger CA');
my @expired = map { $certs->make_client("expired$_", ca => $ca, days_left => -3, lifetime => 100) } 1 .. 4;
my $revoked = $certs->make_client('revoked', ca => $ca, subject => '/CN=revokedXXXX');
my $stranger = $certs->make_client('steady', ca => $stranger_ca);
my $flood = $certs->make_client('flood', ca => $stranger_ca, subject => '/CN=strangerXXXX');
my $good = $certs->make_client('good', ca => $ca);
$certs->revoke($ca, $revoked);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	crl => $certs->make_crl($ca, 'crl'),
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;

sub login { return ($node->tcp_psql('SELECT 1', client => $_[0]))[0] == 0; }

sub query { return $node->safe_psql('postgres', $_[0]); }

# Certificates like this one, with other names: their signatures are wrong, which
# OpenSSL does not come to see.
sub forge
{
	my ($cert, $from, $to) = @_;
	my ($base64) = ESG::Certs::slurp($cert->{single}) =~ /-----BEGIN CERTIFICATE-----\n(.*?)-----END/s;
	my $der = decode_base64($base64);
	my @paths;

	die 'no name to forge' if $der !~ /XXXX/;
	foreach my $n ($from .. $to)
	{
		my $number = sprintf('%04d', $n);
		my $path = PostgreSQL::Test::Utils::tempdir_short() . "/$number.crt";

		ESG::Certs::spew($path, "-----BEGIN CERTIFICATE-----\n", encode_base64($der =~ s/XXXX/$number/r), "-----END CERTIFICATE-----\n");
		push @paths, $path;
	}
	return @paths;
}

# A login with each, several at a time; returns how many got in.
sub flood
{
	my ($key, @paths) = @_;
	my $connection = $node->tcp(client => { cert => '{}', key => $key });
	my ($in, $out, $err) = (join("\n", @paths), '', '');

	IPC::Run::run([ qw(xargs -P 6 -I {} psql -XAtqw -c), "SELECT 'in'", '-d', $connection ],
		'<', \$in, '>', \$out, '2>', \$err);
	return scalar(() = $out =~ /^in$/mg);
}

sub failures { return "SELECT coalesce(sum(failures), 0) FROM ssl_guard_handshake_failures WHERE fingerprint = '$_[0]{fingerprint}'"; }

# Some that are known, and a stranger who tries again and again.
ok(!login($_), 'refused') foreach @expired[ 0 .. 2 ], $revoked, $stranger, $stranger;
is($node->wait_sql(failures($_), 1), 1, 'counted') foreach @expired[ 0 .. 2 ], $revoked;
is($node->wait_sql(failures($stranger), 2), 2, 'counted twice');

# Strangers, and some who write our CA's name and a revoked number into theirs.
my $offset = $node->log_end;
my @forged = forge($revoked, 1, 150);
is(flood($flood->{key}, forge($flood, 1, 150)), 0, '150 certificates of an unknown CA');
is(flood($revoked->{key}, @forged), 0, '150 forged ones');
my $total = "SELECT count(*), count(*) FILTER (WHERE reason = 'revoked') > 1 FROM ssl_guard_handshake_failures";
is($node->wait_sql($total, '100|t'), '100|t', 'the table is full');
$node->wait_sql("SELECT count(*) FROM ssl_guard_handshake_failures WHERE subject = 'CN=revoked0150'", 1);
is(query(failures($_)), 1, 'what is known is there') foreach @expired[ 0 .. 2 ], $revoked;
is(query(failures($stranger)), 2, 'so is the stranger who came twice');

# The others' lines are fewer.
my $mine = $node->log_end;
ok(!login($expired[3]), 'a client of ours is refused after that');
$node->wait_log(qr/TLS refused client certificate "CN=expired4"/, $mine);
pass('and has its line');

sub suppressed
{
	my $sum = 0;

	$sum += $_ foreach $node->log_since($offset) =~ /LOG:  too many failed TLS handshakes: (\d+) (?:log lines about clients of other CAs were suppressed|were not counted)/g;
	return $sum;
}
my $lines = $node->count_log(qr/TLS refused client certificate "CN=(?:stranger|revoked)\d/, $offset);
cmp_ok($lines, '<', 100, "300 strangers made $lines lines");
# they are told of after a minute; a few, after five
foreach (1 .. 3400)
{
	last if $lines + suppressed() >= 300;
	Time::HiRes::sleep(0.1);
}
is($lines + suppressed(), 300, 'and the rest is counted');
cmp_ok($node->count_log(qr/were suppressed/, $offset), '<', 20, 'in few lines');

# Clients of ours take what they need, but for half of the table.
my %sum = map { split /\|/ } split /\n/,
  query("SELECT CASE WHEN reason = 'expired' OR subject = 'CN=revokedXXXX' THEN 'ours' ELSE 'others' END, count(*)
	FROM ssl_guard_handshake_failures GROUP BY 1");
is_deeply(\%sum, { ours => 5, others => 95 }, 'places that nobody needs are anybody\'s');
my @more = map { $certs->make_client("more$_", ca => $ca, days_left => -3, lifetime => 100) } 1 .. 8;
login($_) foreach @more;
is($node->wait_sql(failures($_), 1), 1, 'another one finds a place') foreach @more;
is(query(failures($stranger)), 2, 'of one who came once');
ok(login($good), 'a good certificate gets in');

$node->stop;
done_testing();

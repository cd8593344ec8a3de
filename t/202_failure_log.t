# However many handshakes fail, of whom and how fast: the log grows no faster by our
# lines than by core's, and what has no line is counted.

use strict;
use warnings;

use IPC::Run ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

plan skip_all => 'failed handshakes are not seen where processes inherit nothing (EXEC_BACKEND)' if ESG::Node::exec_backend();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Client CA');
my $stranger_ca = $certs->make_ca('stranger', subject => '/CN=Stranger CA');
my $flood = $certs->make_client('flood', ca => $stranger_ca, subject => '/CN=strangerXXXX');
my @expired = map { $certs->make_client("expired$_", ca => $ca, days_left => -3, lifetime => 100) } 1 .. 12;
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'",
	hba => [ 'hostssl all all 127.0.0.0/8 trust clientcert=verify-ca' ]);
$node->start;

# Certificates like this one, with other names: their signatures are wrong, which
# OpenSSL does not come to see.
sub forge
{
	my ($count) = @_;
	my ($base64) = ESG::Certs::slurp($flood->{single}) =~ /-----BEGIN CERTIFICATE-----\n(.*?)-----END/s;
	my $der = decode_base64($base64);
	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my @paths;

	foreach my $n (1 .. $count)
	{
		my $number = sprintf('%04d', $n);

		push @paths, ESG::Certs::spew("$dir/$number.crt", "-----BEGIN CERTIFICATE-----\n",
			encode_base64($der =~ s/XXXX/$number/r), "-----END CERTIFICATE-----\n");
	}
	return @paths;
}

# A login with each, several at a time.
sub attack
{
	my ($key, $width, @paths) = @_;
	my $connection = $node->tcp(client => { cert => '{}', key => $key });
	my ($in, $out, $err) = (join("\n", @paths), '', '');

	IPC::Run::run([ 'xargs', '-P', $width, '-I', '{}', qw(psql -XAtqw -c), "SELECT 'in'", '-d', $connection ],
		'<', \$in, '>', \$out, '2>', \$err);
	is($out, '', 'nobody gets in');
	return;
}

# bytes in the log: (core's, ours, lines of ours about one failure, failures told of without a line)
sub weigh
{
	my ($offset) = @_;
	my ($cores, $ours, $lines, $suppressed) = (0, 0, 0, 0);
	my $is_ours = 0;

	foreach my $line (split /^/m, $node->log_since($offset))
	{
		# a DETAIL or HINT belongs to the line before
		$is_ours = $line =~ /TLS refused client certificate|too many failed TLS handshakes/ if $line =~ /(?:LOG|WARNING|FATAL|ERROR):  /;
		$lines++ if $line =~ /TLS refused client certificate/;
		$suppressed += $1 if $line =~ /too many failed TLS handshakes: (\d+) log lines about/;
		$cores += length $line if !$is_ours && $line =~ /SSL connection|certificate/;
		$ours += length $line if $is_ours;
	}
	return ($cores, $ours, $lines, $suppressed);
}

# Waits until all $due lines were written or told of.
sub settle
{
	my ($offset, $due) = @_;
	my $until = time + 330;
	my @weight;

	do
	{
		sleep 0.5;
		@weight = weigh($offset);
	} while ($weight[2] + $weight[3] < $due && time < $until);
	return @weight;
}

# 600 with 150 certificates
my $offset = $node->log_end;
my @paths = forge(150);
attack($flood->{key}, 6, @paths) foreach 1 .. 4;
# the table has a hundred places: how many of them were due again depends on the order
my ($cores, $ours, $lines, $suppressed) = settle($offset, 450);
my $until = time + 75;
while (time < $until && $lines + $suppressed < 600)
{
	sleep 1;
	($cores, $ours, $lines, $suppressed) = weigh($offset);
}
note "150 certificates: core $cores bytes, ours $ours, $lines lines, $suppressed suppressed";
cmp_ok($cores, '>', 600 * 80, 'core has its 600 lines');
cmp_ok($ours, '<=', $cores, '150 certificates: ours are no more than core\'s');
cmp_ok($lines, '>=', 5, 'the first ones have a line');
cmp_ok($lines, '<=', 60, 'not all');
cmp_ok($lines + $suppressed, '>=', 450, 'the others are counted');
like($node->log_since($offset),
	qr/LOG:  too many failed TLS handshakes: (\d+) log lines about clients of other CAs were suppressed\n.*DETAIL:  unknown_ca from 127\.0\.0\.1: \1\n.*HINT:  The view "ssl_guard_handshake_failures"/,
	'by reason and address');
cmp_ok($node->count_log(qr/too many failed TLS handshakes/, $offset), '<=', 8, 'once in a while');
is($node->count_log(qr/too many failed TLS handshakes: 0/, $offset), 0, 'never of nothing');

# Others' floods take no line from a client of ours; the first of each has one.
$offset = $node->log_end;
ok(($node->tcp_psql('SELECT 1', client => $expired[0]))[0] != 0, 'a client of ours is refused');
$node->wait_log(qr/TLS refused client certificate "CN=expired1" from 127\.0\.0\.1: certificate has expired\n.*DETAIL:  reason=expired/, $offset);
pass('and has its line');

# slowly, each with another certificate: a line for each would be six times core's
$offset = $node->log_end;
foreach my $path (forge(230))
{
	next if $path =~ m{/0(?:0\d\d|1[0-4]\d|150)\.crt$};
	$node->tcp_psql('SELECT 1', client => { cert => $path, key => $flood->{key} });
	sleep 0.5;
}
($cores, $ours, $lines, $suppressed) = settle($offset, 80);
note "slowly: core $cores bytes, ours $ours, $lines lines, $suppressed suppressed";
cmp_ok($ours, '<=', $cores, 'slowly: ours are no more than core\'s');
is($lines + $suppressed, 80, 'and all are counted');

# from many addresses, some more often than others
$offset = $node->log_end;
my @from = ((2) x 12, (3) x 9, 4 .. 43);
foreach my $path (forge(400))
{
	next if $path !~ m{/0(3[0-9]{2})\.crt$} || !@from;
	my $address = '127.0.0.' . shift @from;
	my ($out, $in) = ('', '');
	IPC::Run::run([ qw(openssl s_client -starttls postgres -connect), '127.0.0.1:' . $node->port, '-bind', "$address:0", '-cert', $path, '-key', $flood->{key} ],
		'<', \$in, '>', \$out, '2>', \$out, IPC::Run::timeout(30));
}
($cores, $ours, $lines, $suppressed) = settle($offset, 61);
note "many addresses: core $cores bytes, ours $ours, $lines lines, $suppressed suppressed";
is($lines + $suppressed, 61, 'many addresses: all are counted');
cmp_ok($ours, '<=', $cores, 'ours are no more than core\'s');
like($node->log_since($offset), qr/DETAIL:  unknown_ca from 127\.0\.0\.2: \d+, unknown_ca from 127\.0\.0\.3: \d+, unknown_ca from 127\.0\.0\.\d+: 1, unknown_ca from 127\.0\.0\.\d+: 1, others: \d+$/m,
	'the first of the addresses are named');

# one certificate, again and again: one line, nothing suppressed
$offset = $node->log_end;
attack($expired[0]{key}, 6, ($expired[0]{cert}) x 60);
is($node->wait_sql("SELECT failures FROM ssl_guard_handshake_failures WHERE fingerprint = '$expired[0]{fingerprint}'", 61), 61, 'one certificate: counted');
($cores, $ours, $lines, $suppressed) = weigh($offset);
is("$lines $suppressed", '0 0', 'one certificate: nothing more to say');
cmp_ok($cores, '>', 60 * 80, 'but for core');

# some of ours, slowly: those that have no line at first have it later, as they go on
$offset = $node->log_end;
foreach my $round (1 .. 12)
{
	$node->tcp_psql('SELECT 1', client => $_) foreach @expired;
}
my $due = "SELECT count(*) FROM ssl_guard_handshake_failures WHERE reason = 'expired' AND failures >= 12";
is($node->wait_sql($due, 12), 12, 'twelve of ours, twelve times each: counted');
my %named = map { $_ => 1 } $node->log_since($offset) =~ /TLS refused client certificate "CN=expired(\d+)"/g;
is(join(' ', sort { $a <=> $b } keys %named), join(' ', 2 .. 12), 'and each has its line');
($cores, $ours, $lines, $suppressed) = weigh($offset);
note "twelve: core $cores bytes, ours $ours, $lines lines";
cmp_ok($ours, '<=', $cores, 'twelve: ours are no more than core\'s');
is($lines, 11, 'once each');
$node->stop;

done_testing();

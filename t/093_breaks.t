# docs/findings.md says what a fault breaks.  Here each of those faults is made,
# on a server without the extension, and libpq and core say what breaks:
#
#   start    the server does not start
#   all      no TLS connection
#   verify   clients with sslmode=verify-ca
#   full     only those with sslmode=verify-full
#   scram    logins with scram-sha-256
#   tls12    TLS 1.2
#   login    logins with a client certificate
#   client   libpq does not load that client certificate, or keeps it back
#   nothing
#
# An entry has it in a comment, <!-- tried: L=verify C=login -->: the letters are
# those of the entry's first line, and of a file A and R if it has CAs or CRLs.
# "start/verify" is what older and newer releases of OpenSSL do: all such entries
# are of the one or of the other.

use strict;
use warnings;

use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Docs;
use ESG::Node;

my $certs = ESG::Certs->new;
ESG::Cases::begin($certs);
my %case = %ESG::Cases::case;
my ($ca, $server, $client, $crl) = ($ESG::Cases::ca, $ESG::Cases::server, $ESG::Cases::client, $ESG::Cases::crl);
my $node = ESG::Node->new('breaks');

# The same for every distribution's OpenSSL.
$ENV{OPENSSL_CONF} = ESG::Certs::spew($certs->dir . '/openssl.cnf', <<'CNF');
openssl_conf = begin
[begin]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = TLSv1.2
CipherString = DEFAULT:@SECLEVEL=2
CNF

$node->setup(ca => $ca, server => $server, preload => '', hba => [
		'hostssl all alice 127.0.0.1/32 trust clientcert=verify-ca',
		'hostssl all bob 127.0.0.1/32 scram-sha-256',
		'hostssl all all 127.0.0.1/32 trust' ]);
$node->start;
$node->safe_psql('postgres', "SET password_encryption = 'scram-sha-256'; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN PASSWORD 'secret'");
$node->stop;

# --- what breaks ------------------------------------------------------------------

sub put
{
	my ($name, $text) = @_;
	my $path = $node->path($name);

	unlink $path;
	return unless defined $text;
	ESG::Certs::spew($path, $text);
	chmod $name =~ /key/ ? 0600 : 0644, $path or die "chmod: $!";
	return;
}

sub install
{
	my ($case) = @_;
	my %good = (ESG::Cases::good(), 'root.crl' => undef);

	put($_, exists $case->{$_} ? $case->{$_} : $good{$_}) foreach keys %good;
	chmod $case->{mode}[0], $node->path($case->{mode}[1]) or die "chmod: $!" if $case->{mode};
	$node->set_conf(ssl_crl_file => $case->{'root.crl'} ? 'root.crl' : '');
	return;
}

sub fails
{
	my (%options) = @_;
	my ($status, $out, $err) = $node->tcp_psql('SELECT 1', %options);

	return $status ? $err || 'failed' : '';
}

# what breaks for clients without a certificate
sub server_breaks
{
	my ($case) = @_;
	my @root = (root => $case->{root} // $node->{esg_ca});

	return 'all' if fails();
	return 'verify' if fails(sslmode => 'verify-ca', @root);
	return 'full' if fails(sslmode => 'verify-full', host => 'localhost', more => 'hostaddr=127.0.0.1', @root);
	return 'tls12' if fails(more => 'ssl_max_protocol_version=TLSv1.2');
	local $ENV{PGPASSWORD} = 'secret';
	return 'scram' if fails(user => 'bob');
	return 'nothing';
}

sub client_breaks
{
	my ($case) = @_;
	my $said = fails(user => 'alice', client => $case->{client} // $client);

	return $said eq '' ? 'nothing' : $said =~ /could not read certificate|requires a valid client certificate/ ? 'client' : 'login';
}

sub breaks
{
	my ($place, $case) = @_;
	my $result = 'start';

	install($case);
	if ($node->start(fail_ok => 1))
	{
		$result = $place =~ /[CAR]/ ? client_breaks($case) : server_breaks($case);
		$node->stop;
	}
	return $result;
}

is(breaks('L', {}), 'nothing', 'nothing is broken');
is(breaks('C', { client => $client, 'root.crl' => ESG::Certs::slurp($crl) }), 'nothing', 'and a client gets in, with a CRL');

my %entry = ESG::Docs->new('docs/findings.md')->{text} =~ /^### (\w+)\n(.*?)(?=^##|\z)/gms;
my $is_newer;
foreach my $code (sort { $a cmp $b } keys %entry)
{
	my %said = ($entry{$code} =~ /^<!-- tried: (.*?) -->$/m ? $1 : '') =~ m{(\w)=([\w/]+)}g;

	is(join(' ', sort keys %said), join(' ', sort keys %{ $case{$code} // {} }), "$code: the places that are tried");
	foreach my $place (sort keys %{ $case{$code} // {} })
	{
		my $broken = breaks($place, $case{$code}{$place}->());
		my @all = split m{/}, $said{$place};

		$is_newer //= $broken eq $all[1] if @all == 2;
		is($broken, $all[ @all == 2 && $is_newer ? 1 : 0 ], "$code in $place");
	}
	delete $case{$code};
}
is(join(' ', sort keys %case), '', 'each code that is tried has an entry');
done_testing();

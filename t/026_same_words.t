# What core says about TLS files it cannot load is the same with the extension
# as without: it logs the oldest entry of OpenSSL's error queue, so whatever our
# hook left there would be said instead.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $other = $certs->make_server('other', ca => $ca);
my $crl = $certs->make_crl($ca, 'crl');
my %node;
foreach my $name (qw(without with))
{
	$node{$name} = ESG::Node->new($name);
	$node{$name}->setup(ca => $ca, server => $server, crl => $crl, preload => $name eq 'with' ? 'ext_ssl_guard' : '');
	$node{$name}->start;
}

my $broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
my %content = (
	'server.crt' => ESG::Certs::slurp($server->{cert}), 'server.key' => ESG::Certs::slurp($server->{key}),
	'root.crt' => ESG::Certs::slurp($ca->{cert}), 'root.crl' => ESG::Certs::slurp($crl));

# core's words after a reload with one file spoiled, data directory and time left out
sub words
{
	my ($node, $file, $text) = @_;
	my $offset = $node->log_end;
	my $path = $node->path($file);

	if (defined $text) { ESG::Certs::spew($path, $text); }
	else { unlink $path; }
	$node->reload;
	$node->wait_log(qr/LOG:  SSL configuration was not reloaded/, $offset);
	my ($said) = $node->log_since($offset) =~ /LOG:  ((?:could not|private key|no ssl|check of).*)/;
	ESG::Certs::spew($path, $content{$file});
	chmod 0600, $path if $file =~ /key/;
	return $said // 'nothing';
}

foreach my $case (
	[ 'server.crt', 'broken', $broken ], [ 'server.crt', 'empty', '' ], [ 'server.crt', 'missing', undef ],
	[ 'server.crt', "another's", ESG::Certs::slurp($other->{cert}) ], [ 'server.key', 'broken', "-----BEGIN PRIVATE KEY-----\nAAAA\n" ],
	[ 'server.key', 'missing', undef ], [ 'root.crt', 'broken', $broken ], [ 'root.crt', 'missing', undef ],
	[ 'root.crl', 'broken', $broken ], [ 'root.crl', 'missing', undef ])
{
	my ($file, $what, $text) = @$case;
	my $expected = words($node{without}, $file, $text);

	like($expected, qr/\w+ \w+/, "$file $what: core says something");
	is(words($node{with}, $file, $text), $expected, "$file $what: and the same with the extension");
}

$_->stop foreach values %node;
done_testing();

# ESG::Der: faults that no CA's program makes, by editing certificates and CRLs
# made by ESG::Certs and signing them anew.
#
#   use ESG::Der;
#
#   # $part: the fields of tbsCertificate or tbsCertList, each a whole TLV
#   my $pem = ESG::Der::resign($server->{cert}, $ca->{key}, sub { my ($part) = @_; ... });
#   my $pem = ESG::Der::edit($server->{cert}, sub { my ($part) = @_; ... });  # fields of the whole, not signed
#   my $tlv = ESG::Der::tlv(0x02, "\x00");
#
# The signer's key is an EC key, the signature ECDSA over SHA-256.

package ESG::Der;

use strict;
use warnings;

use Carp;
use MIME::Base64 qw(decode_base64 encode_base64);

use PostgreSQL::Test::Utils ();

use ESG::Certs;

# indexes of a certificate's fields, RFC 5280 4.1; and of a CRL's, 5.1
our %cert = (version => 0, serial => 1, signature => 2, issuer => 3, validity => 4, subject => 5, key => 6, extensions => 7);
our %crl = (version => 0, signature => 1, issuer => 2, this_update => 3, next_update => 4);

sub tlv
{
	my ($tag, $content) = @_;
	my $length = length $content;
	my $size = pack('N', $length) =~ s/^\0+//r;

	return chr($tag) . ($length < 128 ? chr($length) : chr(0x80 | length $size) . $size) . $content;
}

# the content of the first TLV of $$text, which loses it; the TLV itself in list context
sub take
{
	my ($text) = @_;
	my ($tag, $first) = unpack('CC', $$text);
	my ($header, $length) = (2, $first);

	if ($first & 0x80)
	{
		my $bytes = $first & 0x7f;

		$header += $bytes;
		$length = oct('0x' . unpack('H*', substr($$text, 2, $bytes)));
	}
	my $whole = substr($$text, 0, $header + $length, '');
	return ($whole, substr($whole, $header));
}

sub fields
{
	my ($tlv) = @_;
	my (undef, $content) = take(\$tlv);
	my @fields;

	while (length $content)
	{
		my ($whole) = take(\$content);
		push @fields, $whole;
	}
	return \@fields;
}

# (kind, DER) of the first block in a file
sub read_pem
{
	my ($path) = @_;
	my ($kind, $base64) = ESG::Certs::slurp($path) =~ /-----BEGIN ([^-]+)-----\s*(.*?)-----END/s
	  or croak "no PEM block in \"$path\"";

	return ($kind, decode_base64($base64));
}

sub pem
{
	my ($kind, $der) = @_;

	return "-----BEGIN $kind-----\n" . encode_base64($der) . "-----END $kind-----\n";
}

sub sign
{
	my ($text, $key) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();

	ESG::Certs::spew("$dir/tbs", $text);
	ESG::Certs::openssl('dgst', '-sha256', '-sign', $key, '-out', "$dir/signature", "$dir/tbs");
	return ESG::Certs::slurp("$dir/signature");
}

sub resign
{
	my ($path, $key, $edit) = @_;
	my ($kind, $der) = read_pem($path);
	my $whole = fields($der);
	my $part = fields($whole->[0]);

	$edit->($part);
	my $tbs = tlv(0x30, join('', @$part));
	return pem($kind, tlv(0x30, $tbs . $whole->[1] . tlv(0x03, "\0" . sign($tbs, $key))));
}

sub edit
{
	my ($path, $edit) = @_;
	my ($kind, $der) = read_pem($path);
	my $part = fields($der);

	$edit->($part);
	return pem($kind, tlv(0x30, join('', @$part)));
}

1;

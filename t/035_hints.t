# Every hint works: followed to the letter, the alarm is cleared and no other has
# come.  Here those about chains and CRLs; see t/ESG/Hints.pm.

use strict;
use warnings;

use File::Basename qw(basename);
use File::Path ();
use Test::More;

use ESG::Cases qw(text with_server);
use ESG::Certs;
use ESG::Der;
use ESG::Hints qw(extra follow edit put set path shell done);

ESG::Hints::begin();

my $certs = $ESG::Cases::certs;
my ($ca, $middle, $server, $below) = ($ESG::Cases::ca, $ESG::Cases::middle, $ESG::Cases::server, $ESG::Cases::below);
my ($good, $chain, $leaf) = (text($server), text($below) . text($middle), text($below));
my %server = %{ with_server($server) };
my %below = %{ with_server($below, $chain) };

# the certificate of that CA with its key, for as long as usual
sub renewed_ca
{
	my ($own, %options) = @_;

	return $certs->make_ca($own->{name} . '_renewed', key => $own, subject => "/CN=$own->{name}", %options);
}

my $only_ca = sub { edit('root.crt' => text($ca)) };

# --- chains ------------------------------------------------------------------------

my $stranger = text($ESG::Cases::stranger);
my $low = $certs->make_ca('low', ca => $middle, days_left => 900);
my $lowest = $certs->make_server('lowest', ca => $low);
my %long = %{ with_server($lowest, text($lowest) . text($low) . text($middle)) };

follow('chain_out_of_order',
	"Put the certificates in order, the server's own first, then each one's issuer, without the root, and reload the server.",
	[ 'a root between', sub { edit(%below) }, $ESG::Cases::case{chain_out_of_order}{L} ],
	[ 'upside down', sub { edit(%long) }, sub { with_server($lowest, text($lowest) . text($middle) . text($low)) } ]);
follow('chain_out_of_order', "Put the certificates in order, the server's own first, then each one's issuer, without the root.",
	[ 'elsewhere', sub { edit('extra.crt' => $chain) }, sub { extra('server', $leaf . text($ca) . text($middle)) } ]);
my $in_order = "Put the server's own first, then each one's issuer, without the root";
follow('leaf_not_first', "PostgreSQL serves the first certificate of the file. $in_order, and reload the server.",
	[ 'L', sub { edit(%below) } ], [ 'root first', sub { edit(%below) }, sub { with_server($below, text($ca) . text($middle) . $leaf) } ]);
follow('leaf_not_first', "Programs serve the first certificate of such a file. $in_order.",
	[ 'elsewhere', sub { edit('extra.crt' => $chain) }, sub { extra('server', text($middle) . $leaf) } ]);
my $fetched = $certs->make_server('fetched', ca => $middle, extensions => ['authorityInfoAccess=caIssuers;URI:http://ca.example.com/m.crt']);
my $far_ca = $certs->make_ca('far');
my $far = $certs->make_server('from_far', ca => $far_ca, extensions => ['authorityInfoAccess=caIssuers;URI:http://ca.example.com/m.crt']);
follow('chain_incomplete',
	'If the issuer is an intermediate, put the certificates of all intermediates into the file of "ssl_cert_file", each behind the one that it issued, and reload the server. If it is a root that clients have, name a file that holds it in "ext_ssl_guard.extra_files".',
	[ 'a known one, of one', sub { edit(%below) }, sub { with_server($below, text($below), 'extra.crt' => text($middle)) } ],
	[ 'a known one, of two', sub { edit(%long) },
		sub { with_server($lowest, text($lowest) . text($low), 'root.crt' => text($ca) . text($middle)) } ],
	[ 'both', sub { edit(%long) }, sub { with_server($lowest, text($lowest), 'extra.crt' => text($low) . text($middle)) } ],
	[ 'the upper, where the lower is in ssl_ca_file', sub { edit(%long) },
		sub { with_server($lowest, text($lowest), 'root.crt' => text($ca) . text($low), 'extra.crt' => text($middle)) } ],
	[ 'an unknown one', sub { edit('server.crt' => text($fetched) . text($middle)) }, sub { with_server($fetched) } ],
	[ 'a root', sub { put('far.crt' => text($far_ca)); set('ext_ssl_guard.extra_files' => 'extra.crt, far.crt') },
		sub { with_server($far) } ]);
follow('chain_incomplete',
	'If the issuer is an intermediate, put the certificates of all intermediates into the file, each behind the one that it issued. If it is a root that clients have, name a file that holds it in "ext_ssl_guard.extra_files", too.',
	[ 'an intermediate', sub { edit('extra.crt' => text($fetched) . text($middle)) }, sub { extra('server', text($fetched)) } ],
	[ 'a root', sub { put('far.crt' => text($far_ca)); set('ext_ssl_guard.extra_files' => 'server:extra.crt, far.crt') },
		sub { extra('server', text($far)) } ]);
my $limited = $certs->make_ca('limited', ca => $ca, days_left => 900, extensions => ['nameConstraints=critical,permitted;DNS:example.org']);
my $outside = $certs->make_server('outside', ca => $limited);
follow('chain_refused',
	'Have this certificate, or the CA certificate above it that sets the limit, reissued so that "openssl verify" accepts the chain, replace it and reload the server.',
	[ 'this certificate', sub {
			my $inside = $certs->make_server('inside', ca => $limited, subject => '/CN=db.example.org', san => ['DNS:db.example.org']);

			edit(%{ with_server($inside, text($inside) . text($limited)) });
		}, sub { with_server($outside, text($outside) . text($limited)) } ],
	[ 'the one above it', sub { edit('server.crt' => text($outside) . text(renewed_ca($limited, ca => $ca, days_left => 900))) },
		sub { with_server($outside, text($outside) . text($limited)) } ],
	[ 'I', sub { edit(%below) } ]);
follow('chain_refused',
	'Have this certificate, or the CA certificate above it that sets the limit, reissued so that "openssl verify" accepts the chain, and replace it.',
	[ 'elsewhere', sub { edit('extra.crt' => text($outside) . text(renewed_ca($limited, ca => $ca, days_left => 900))) },
		sub { extra('server', text($outside) . text($limited)) } ]);
my $above = $certs->make_ca('above');
my $under = $certs->make_ca('under', ca => $above, days_left => 900, extensions => ['authorityInfoAccess=caIssuers;URI:http://ca.example.com/a.crt']);
my $undermost = $certs->make_server('undermost', ca => $under);
follow('root_in_chain',
	'Clients use their own copy of the root. Remove it from the file of "ssl_cert_file" and reload the server. If it is not in "ssl_ca_file" either, name a file that holds it in "ext_ssl_guard.extra_files", so that the end of the chain is known.',
	[ 'I', sub { edit(%server) } ],
	[ 'one that is nowhere else', sub {
			put('above.crt' => text($above));
			put('server.crt' => text($undermost) . text($under));
			set('ext_ssl_guard.extra_files' => 'extra.crt, above.crt');
		}, sub { with_server($undermost, text($undermost) . text($under) . text($above)) } ]);
follow('root_in_chain',
	'Clients use their own copy of the root. Remove it from the file. If the server does not know it otherwise, name a file that holds it in "ext_ssl_guard.extra_files", too, so that the end of the chain is known.',
	[ 'known', sub { edit('extra.crt' => $chain) }, sub { extra('server', $chain . text($ca)) } ],
	[ 'not known', sub {
			put('above.crt' => text($above));
			put('extra.crt' => text($undermost) . text($under));
			set('ext_ssl_guard.extra_files' => 'server:extra.crt, above.crt');
		}, sub { extra('server', text($undermost) . text($under) . text($above)) } ]);
follow('duplicate_certificate', 'Remove the second copy from the file and reload the server.',
	[ 'I', sub { edit(%server) } ], [ 'A', sub { edit('root.crt' => text($ca)) }, sub { { 'root.crt' => text($ca) x 2 } } ]);
follow('duplicate_certificate', 'Remove the second copy from the file.',
	[ 'X', sub { edit('extra.crt' => $good) }, sub { { 'extra.crt' => $good x 2 } } ]);
follow('unrelated_certificate',
	"Keep in the file of \"ssl_cert_file\" only the server's certificate and the intermediate CA certificates that lead to the root, and reload the server.",
	[ 'I', sub { edit(%server) } ],
	[ 'and its issuers', sub { edit(%below) }, sub { with_server($below, $chain . $stranger . text($ESG::Cases::client)) } ],
	[ 'more than ten', sub { edit(%below) }, sub { with_server($below, $chain . join('', map { text($certs->make_ca("many$_")) } 1 .. 10)) } ]);
follow('unrelated_certificate', "Keep in the file only the server's certificate and the intermediate CA certificates that lead to the root.",
	[ 'elsewhere', sub { edit('extra.crt' => $chain) }, sub { extra('server', $chain . $stranger) } ]);
my $cas_only = "Keep in the file of \"ssl_ca_file\" only the certificates of CAs that issue your clients' certificates, and reload the server.";
follow('not_a_ca', $cas_only, [ 'A', $only_ca ],
	[ 'beside one', $only_ca, sub { { 'root.crt' => text($ca) . text($ESG::Cases::client) } } ]);
follow('not_a_ca', 'Keep only CA certificates in the file, or say in "ext_ssl_guard.extra_files" that it is something else.',
	[ 'removed', sub { edit('extra.crt' => text($ca)) }, sub { extra('ca', text($ca) . text($ESG::Cases::client)) } ],
	[ 'something else', sub { set('ext_ssl_guard.extra_files' => 'client:extra.crt') }, sub { extra('ca', text($ESG::Cases::client)) } ]);
follow('public_root_store',
	"With clientcert=verify-ca any of these CAs can mint a login. Keep in the file of \"ssl_ca_file\" only the CA that issues your clients' certificates, and reload the server.",
	[ '22 CAs', $only_ca, sub { { 'root.crt' => join('', text($ca), map { text($certs->make_ca("root$_")) } 1 .. 21) } } ]);

# --- CRLs --------------------------------------------------------------------------

my $day = 86400;
my $crl = text($ESG::Cases::crl);
my $hashed = 'crls/' . ESG::Certs::openssl('crl', '-in', $ESG::Cases::crl, '-noout', '-hash') =~ s/\n//r . '.r0';
my $made = 0;

sub new_crl { my ($own, @options) = @_; return text($certs->make_crl($own, 'hint' . ++$made, @options)); }

# the case of ssl_crl_file again, in an extra file; in ssl_crl_dir
sub crl_at
{
	my ($code, $file) = @_;
	my $text = ($ESG::Cases::case{$code}{R} // $ESG::Cases::further{$code}{R})->()->{'root.crl'};

	return { 'extra.crt' => $text, no_reload => 1 } if $file eq 'extra.crt';
	return crl_dir($file => $text);
}

# signed, but not by that key
sub damaged
{
	my $path = $certs->make_crl($ca, 'damaged' . ++$made, extensions => ['authorityKeyIdentifier=keyid']);

	return ESG::Der::edit($path, sub { substr($_[0][2], -1) ^= "\x01" });
}

sub crl_dir
{
	my (%entries) = @_;

	mkdir path('crls') or die "mkdir: $!";
	put(%entries);
	return { conf => { ssl_crl_dir => 'crls' } };
}

# Newer versions look behind a file that is no CRL.
sub stops_at_nonsense
{
	my $dir = path('stops');

	mkdir $dir or die "mkdir: $!";
	ESG::Certs::spew("$dir/" . basename($hashed), 'no CRL');
	ESG::Certs::spew("$dir/" . basename($hashed) =~ s/0$/1/r, $crl);
	my $said = `openssl verify -crl_check -CAfile '$ca->{cert}' -CApath '$dir' '$server->{single}' 2>&1`;
	File::Path::remove_tree($dir);
	return $said !~ /: OK$/m;
}

foreach my $code (qw(crl_expired crl_expires_very_soon crl_expires_soon))
{
	my ($lead, $old) = ('Publish a new CRL at the CA', 'put it in place of the old one');

	follow($code, "$lead, $old and reload the server" . ($code eq 'crl_expired' ? '.' : ' before that.'), [ 'R', sub { edit('root.crl' => new_crl($ca)) } ]);
	follow($code, "$lead and $old.", map { my $file = $_; [ $file, sub { edit($file => new_crl($ca)) }, sub { crl_at($code, $file) } ] } 'extra.crt', $hashed);
}
my $clocks = 'Check the clocks of this host and of the CA, or put a CRL that is valid now in its place';
my $sign = 'Let the CA sign its CRLs over SHA-256 or better';
my $grows_old = 'Nobody notices when it grows old. Let the CA write nextUpdate (RFC 5280 section 5.1.2.5)';
my $new_one = 'put a new one in place of this one';
foreach my $row (
	[ 'crl_not_yet_valid', "$clocks and reload the server.", "$clocks." ],
	[ 'crl_weak_signature', "$sign, $new_one and reload the server.", "$sign and $new_one." ],
	[ 'crl_no_next_update', "$grows_old, $new_one and reload the server.", "$grows_old and $new_one." ])
{
	my ($code, $loaded, $read) = @$row;

	follow($code, $loaded, [ 'R', sub { edit('root.crl' => new_crl($ca, digest => 'sha256')) } ]);
	follow($code, $read, map { my $file = $_; [ $file, sub { edit($file => new_crl($ca, digest => 'sha256')) }, sub { crl_at($code, $file) } ] } 'extra.crt', $hashed);
}
my $unfit = $certs->make_ca('unfit', key_usage => 'critical,keyCertSign');
my $namesake = $certs->make_ca('namesake', subject => '/CN=ca');
follow('crl_missing',
	"Put a complete CRL made with this CA's key, even an empty one, into the file of \"ssl_crl_file\", or into \"ssl_crl_dir\" under the name that openssl rehash gives it, and reload the server.",
	[ 'into the file', sub { edit('root.crl' => $crl . new_crl($ESG::Cases::stranger)) },
		sub { { 'root.crt' => text($ca) . $stranger, 'root.crl' => $crl } } ],
	[ "of a CA's new key", sub { edit('root.crl' => new_crl($namesake)) },
		sub { { 'root.crt' => text($namesake), 'root.crl' => $crl } } ],
	[ 'into the directory', sub { put('crls/ca.crl' => $crl); shell('openssl rehash crls'); edit() }, sub { crl_dir() } ]);
follow('crl_bad_signature',
	"Put the CA's present CRL in its place and reload the server. If it is the key usage, have the CA's certificate reissued with cRLSign.",
	[ 'damaged', sub { edit('root.crl' => new_crl($ca)) }, sub { { 'root.crl' => damaged() } } ],
	[ 'key usage', sub { edit('root.crt' => text(renewed_ca($unfit))) },
		sub { { 'root.crt' => text($unfit), 'root.crl' => new_crl($unfit) } } ],
	[ 'in the directory', sub { edit($hashed => new_crl($ca)) }, sub { crl_dir($hashed => damaged()) } ]);
follow('crl_bad_signature', "Put the CA's present CRL in its place.",
	[ 'an extra file', sub { edit('extra.crt' => new_crl($ca)) }, sub { { 'extra.crt' => damaged(), no_reload => 1 } } ]);
follow('crl_unknown_issuer',
	"Clients that send this CA's certificate along with their own need it. To have it checked, add the CA's certificate to the file of \"ssl_ca_file\" and reload the server.",
	[ 'R', sub { edit('root.crt' => text($ca) . $stranger) } ]);
my $complete = 'Let the CA publish a complete CRL for all its certificates, without critical extensions';
follow('crl_unusable',
	"$complete, put it in place of this one and reload the server. Where several CAs have one name, each CRL needs an authorityKeyIdentifier.",
	[ 'R', sub { edit('root.crl' => new_crl($ca)) } ],
	[ 'several CAs', sub { edit('root.crl' => join '', map { new_crl($_, extensions => ['authorityKeyIdentifier=keyid']) } $ca, $namesake) },
		sub { { 'root.crt' => text($ca) . text($namesake), 'root.crl' => new_crl($ca) . new_crl($namesake) } } ]);
follow('crl_not_hashed',
	'Rename the file so, or mend the one at which OpenSSL stops. openssl rehash makes such names for files that end in .pem, .crt, .cer or .crl and hold one CRL each.',
	[ 'renamed', sub {
			my ($name) = ESG::Hints::message('crl_not_hashed') =~ /named "(\w+\.r\d+)"/;

			shell("mv crls/ca.crl crls/$name");
		}, sub { crl_dir('crls/ca.crl' => $crl) } ],
	[ 'rehashed', sub { shell('openssl rehash crls') }, sub { crl_dir('crls/ca.crl' => $crl) } ],
	[ 'two of them', sub { shell('openssl rehash crls') },
		sub { +{ %{ crl_dir('crls/ca.crl' => $crl, 'crls/other.pem' => new_crl($ESG::Cases::stranger)) }, 'root.crt' => text($ca) . $stranger } } ],
	stops_at_nonsense() ? [ 'where OpenSSL stops', sub {
			my ($name) = ESG::Hints::message('crl_not_hashed') =~ /stops at file "(\w+\.r\d+)"/;

			edit("crls/$name" => new_crl($ca));
		}, sub { crl_dir($hashed => 'no CRL', $hashed =~ s/0$/1/r => $crl) } ] : ());
$certs->revoke($ca, $server);
follow('crl_revokes_own', 'Replace the revoked certificate and everything it issued, and reload the server.',
	[ "the server's", sub { edit(%{ with_server($certs->make_server('not_revoked', ca => $ca)) }) }, sub { { 'root.crl' => new_crl($ca) } } ]);
$certs->revoke($ca, $middle);
follow('crl_revokes_own', 'Replace the revoked certificate and everything it issued, and reload the server.',
	[ 'an intermediate', sub {
			my $next = $certs->make_ca('next', ca => $ca, days_left => 900);
			my $cert = $certs->make_server('below_next', ca => $next);

			edit(%{ with_server($cert, text($cert) . text($next)) });
		}, sub { +{ %below, 'root.crl' => new_crl($ca) } } ]);

done('chains', 'crls');

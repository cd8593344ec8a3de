# Every finding about certificates, CRLs and files, from the file to the log
# line, the views and the line that clears it; and finding_overrides.
#
# No reload is needed: ssl_guard_check() looks at the files as they are.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Der;
use ESG::Node;

# FINDINGS in their order, which numbers the SQLSTATEs
my @codes = qw(
  weak_signature unknown_signature bad_pss_parameters signature_algorithm_mismatch bad_signature weak_issuer_key
  scram_incompatible_signature
  weak_key broken_key explicit_ec_parameters unusable_key dsa_key small_exponent uncommon_curve shared_ca_key
  expired expires_very_soon expires_soon not_yet_valid invalid_time validity_reversed validity_too_long outlives_issuer
  no_alt_name multiple_common_names nul_in_name malformed_name ca_as_leaf self_signed_server wrong_purpose
  key_usage_mismatch unknown_critical_extension malformed_extension odd_serial must_staple
  chain_out_of_order leaf_not_first chain_incomplete root_in_chain duplicate_certificate unrelated_certificate
  not_a_ca public_root_store
  crl_expired crl_expires_very_soon crl_expires_soon crl_not_yet_valid crl_missing crl_bad_signature
  crl_unknown_issuer crl_weak_signature crl_no_next_update crl_revokes_own crl_not_hashed
  file_missing file_unreadable file_not_regular file_too_large file_unparsable file_partly_read
  trusted_certificate_block permissions_too_open wrong_owner directory_writable);
my %sqlstate = map { $codes[$_] => sprintf('SG%03d', $_ + 1) } 0 .. $#codes;
# and those that were appended
push @codes, qw(chain_refused bad_dns_name cn_not_in_alt_name strict_client_refuses crl_unusable);
%sqlstate = (%sqlstate, chain_refused => 'SG075', bad_dns_name => 'SG076', cn_not_in_alt_name => 'SG077',
	strict_client_refuses => 'SG078', crl_unusable => 'SG079');

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $stranger = $certs->make_ca('stranger');
my $node = ESG::Node->new('findings');
$node->setup(ca => $ca, server => $server, crl => $certs->make_crl($ca, 'good'), conf => <<'CONF');
log_error_verbosity = verbose
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.expire_check_interval = 0
ext_ssl_guard.extra_files = 'extra.crt'
CONF
my %path = map { $_ => $node->path($_) } qw(server.crt root.crt root.crl extra.crt);
my %good = (
	'server.crt' => text($server->{cert}), 'root.crt' => text($ca->{cert}),
	'root.crl' => text($node->path('root.crl')), 'extra.crt' => text($server->{cert}));
put(%good);
$node->start;
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

sub text { return ESG::Certs::slurp($_[0]); }

sub put
{
	my (%files) = @_;

	foreach my $name (keys %files)
	{
		ESG::Certs::spew($path{$name}, $files{$name});
		chmod 0644, $path{$name} or die "chmod: $!";
	}
	return;
}

# 'file:position severity' of the alarms of that code after a fresh look
sub look
{
	my ($code) = @_;

	return $node->safe_psql('postgres', <<"SQL");
SELECT coalesce(string_agg(regexp_replace(object, '^.*/', '') || ' ' || severity, ', ' ORDER BY object), 'none')
FROM ssl_guard_check() WHERE code = '$code'
SQL
}

# how many rows of the view that shows such findings have it
sub shown
{
	my ($code, $view) = @_;

	return $node->safe_psql('postgres', <<"SQL");
SELECT (SELECT count(*) FROM $view WHERE findings \@> ARRAY['$code'] AND severity > 'ok') || ' ' ||
  (SELECT count(*) FROM ssl_guard_alarms WHERE code = '$code')
SQL
}

# Raised, shown, cleared; the rest of the arguments are what look() should say.
sub try
{
	my ($code, $view, $what, $spoil, $mend, @expected) = @_;
	my $count = @expected;
	my $offset = $node->log_end;

	$spoil->();
	is(look($code), join(', ', @expected), "$code: $what");
	is(shown($code, $view), "$count $count", "$code: $view and ssl_guard_alarms have $count");
	is($node->count_log(qr/(WARNING|LOG):  $sqlstate{$code}: (?!alarm cleared)/, $offset), $count, "$code: a log line each");
	is($node->count_log(qr/DETAIL:  code=$code severity=\w+ setting=\S+ (position=\d+|path=)/, $offset), $count,
		"$code: DETAIL in its order");
	look($code);
	$offset = $node->log_end;
	$mend->();
	is(look($code), 'none', "$code: mended");
	is($node->count_log(qr/LOG:  $sqlstate{$code}: alarm cleared: /, $offset), $count, "$code: cleared in the log");
	return;
}

my @cases;					# for finding_overrides: code, how to make it, how to mend it

sub test_case
{
	my ($code, @rest) = @_;

	push @cases, [ $code, @rest[ 2, 3 ] ];
	return try($code, @rest);
}

my %place = (L => 'server.crt:1', I => 'server.crt:2', A => 'root.crt:2', X => 'extra.crt:1');

# A faulty certificate in all four places; $who are those where it is one.
sub test_cert
{
	my ($code, $what, $pem, $who, $severity, %other) = @_;

	return test_case($code, 'ssl_guard_certificates', $what,
		sub { put('server.crt' => $pem . $pem, 'root.crt' => $good{'root.crt'} . $pem, 'extra.crt' => $pem); },
		sub { put(%good); },
		sort map { "$place{$_} " . ($other{$_} // $severity) } split //, $who);
}

sub test_file
{
	my ($code, $what, $name, $content, @expected) = @_;
	my $view = $code =~ /^crl_/ && $code ne 'crl_missing' ? 'ssl_guard_crls'
	  : $code =~ /^(file_|trusted_|public_)/ ? 'ssl_guard_files' : 'ssl_guard_certificates';

	return test_case($code, $view, $what, sub { put($name => $content); }, sub { put(%good); }, @expected);
}

my %der = %ESG::Der::cert;

sub make { return text($certs->make_server('bad' . scalar(@cases), ca => $ca, @_)->{cert}); }

sub forge { return ESG::Der::resign($server->{cert}, $ca->{key}, $_[0]); }

is(look('weak_signature'), 'none', 'the good files have no finding');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_alarms'), 0, 'at all');

# ---- signature
test_cert('weak_signature', 'SHA-1', make(digest => 'sha1'), 'LIAX', 'critical');
my $oid = "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03";	# ecdsa-with-SHA..., but for its last octet
test_cert('unknown_signature', 'an unknown OID', ESG::Der::edit($server->{cert},
		sub { s/\Q$oid\E\x02/$oid\x77/ foreach @{ $_[0] }[ 0, 1 ]; }), 'LIAX', 'warning');
my $pss = $certs->make_ca('pss', key => 'rsa:2048');
test_cert('bad_pss_parameters', 'two digests', make(ca => $pss, sigopt => [ 'rsa_padding_mode:pss', 'rsa_mgf1_md:sha1' ]), 'LIAX', 'warning');
test_cert('signature_algorithm_mismatch', 'SHA-256 inside, SHA-384 outside',
	ESG::Der::edit($server->{cert}, sub { $_[0][1] =~ s/\Q$oid\E\x02/$oid\x03/ }), 'LIAX', 'critical');
test_cert('bad_signature', 'one bit', ESG::Der::edit($server->{cert}, sub { substr($_[0][2], -1) ^= "\x01" }), 'LIAX', 'critical');
my $weak_ca = $certs->make_ca('weak', key => 'rsa:1024');
my $under_weak = make(ca => $weak_ca);
test_case('weak_issuer_key', 'ssl_guard_certificates', 'RSA 1024',
	sub { put('server.crt' => $under_weak, 'root.crt' => text($weak_ca->{cert})); }, sub { put(%good); }, 'server.crt:1 warning');
my $edwards = $certs->make_ca('edwards', key => 'ed25519', digest => 'null');
test_cert('scram_incompatible_signature', 'Ed25519', make(ca => $edwards, digest => 'null'), 'L', 'warning');

# ---- key
test_cert('weak_key', 'RSA 1024', make(key => 'rsa:1024'), 'LIAX', 'critical');
my $rsa = $certs->make_server('rsa', ca => $ca, key => 'rsa:2048');
test_cert('broken_key', 'an even exponent', ESG::Der::resign($rsa->{cert}, $ca->{key},
		sub { $_[0][ $der{key} ] =~ s/\x02\x03\x01\x00\x01\z/\x02\x03\x01\x00\x00/ }), 'LIAX', 'critical');
my $explicit = { key => $certs->dir . '/explicit.key' };
ESG::Certs::openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
	'-pkeyopt', 'ec_param_enc:explicit', '-out', $explicit->{key});
test_cert('explicit_ec_parameters', 'P-256 spelled out', make(key => $explicit), 'LIAX', 'critical');
my $agreement = ESG::Der::resign($certs->make_server('ed', ca => $ca, key => 'ed25519')->{cert}, $ca->{key},
	sub { $_[0][ $der{key} ] =~ s/\x06\x03\x2b\x65\x70/\x06\x03\x2b\x65\x6e/ });
test_cert('unusable_key', 'X25519', $agreement, 'LIAX', 'critical', A => 'warning');
test_cert('dsa_key', 'DSA', make(key => 'dsa:2048'), 'LIAX', 'warning');
my $small = { key => $certs->dir . '/small.key' };
ESG::Certs::openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3',
	'-out', $small->{key});
test_cert('small_exponent', '3', make(key => $small), 'LIAX', 'notice');
test_cert('uncommon_curve', 'secp256k1', make(key => 'ec:secp256k1'), 'LIAX', 'notice');
my $shared = make(key => $ca);
test_case('shared_ca_key', 'ssl_guard_certificates', "the CA's key",
	sub { put('server.crt' => $shared . $good{'root.crt'}); }, sub { put(%good); }, 'server.crt:1 warning');

# ---- time
test_cert('expired', 'a day ago', make(not_before => ESG::Certs::stamp(-90 * 86400), not_after => ESG::Certs::stamp(-86400)),
	'LIAX', 'critical', A => 'warning', X => 'warning');
test_cert('expires_very_soon', '5 days left', make(days_left => 5), 'LIAX', 'critical', A => 'warning', X => 'warning');
test_cert('expires_soon', '60 days left', make(days_left => 60), 'LIAX', 'warning', A => 'notice', X => 'notice');
test_cert('not_yet_valid', 'tomorrow', make(not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(300 * 86400)),
	'LIAX', 'critical');
test_cert('invalid_time', 'no digits', forge(sub { $_[0][ $der{validity} ] =~ s/..Z\z/xxZ/s }), 'LIAX', 'critical');
test_cert('validity_reversed', 'the end first', forge(sub {
			my $times = ESG::Der::fields($_[0][ $der{validity} ]);
			$_[0][ $der{validity} ] = ESG::Der::tlv(0x30, $times->[1] . $times->[0]); }), 'LIAX', 'critical');
test_cert('validity_too_long', '900 days', make(lifetime => 900, days_left => 899), 'L', 'notice');
my $short_ca = $certs->make_ca('short', days_left => 200);
my $long = make(ca => $short_ca);
test_case('outlives_issuer', 'ssl_guard_certificates', 'a CA that ends first',
	sub { put('server.crt' => $long, 'root.crt' => text($short_ca->{cert})); }, sub { put(%good); }, 'server.crt:1 notice');
my $ending_ca = $certs->make_ca('ending', days_left => 60);
test_case('outlives_issuer', 'ssl_guard_certificates', 'a CA that ends soon',
	sub { put('server.crt' => make(ca => $ending_ca), 'root.crt' => text($ending_ca->{cert})); }, sub { put(%good); }, 'server.crt:1 warning');

# ---- names, extensions, structure
test_cert('no_alt_name', 'none', make(san => []), 'L', 'notice');
test_cert('multiple_common_names', 'two', make(subject => '/CN=a/CN=b'), 'L', 'notice');
test_cert('nul_in_name', 'a NUL', forge(sub { $_[0][ $der{subject} ] =~ s/localhost/local\0ost/ }), 'LIAX', 'critical');
test_cert('malformed_name', 'a line feed', forge(sub { $_[0][ $der{subject} ] =~ s/localhost/local\nost/ }), 'LIAX', 'notice');
test_cert('ca_as_leaf', 'CA:TRUE', make(is_ca => 1, key_usage => 'digitalSignature,keyCertSign'), 'L', 'warning');
test_cert('self_signed_server', 'its own issuer', text($certs->make_server('alone')->{cert}), 'L', 'notice');
test_cert('wrong_purpose', 'clientAuth', make(eku => 'clientAuth'), 'L', 'critical');
test_cert('key_usage_mismatch', 'no digitalSignature', make(key_usage => 'keyEncipherment'), 'L', 'warning');
test_cert('unknown_critical_extension', 'an OID of nobody', make(extensions => ['1.2.3.4=critical,ASN1:UTF8String:x']), 'LIAX', 'critical');
test_cert('malformed_extension', 'no DER', make(extensions => ['nsCertType=DER:04:01'], san => []), 'LIAX', 'critical');
test_cert('odd_serial', 'zero', forge(sub { $_[0][ $der{serial} ] = ESG::Der::tlv(0x02, "\0") }), 'LIAX', 'notice');
test_cert('must_staple', 'the TLS feature', make(extensions => ['tlsfeature=status_request']), 'L', 'warning');

# ---- chain and bundle
my $middle = $certs->make_ca('middle', ca => $ca, days_left => 1000);
my $below = $certs->make_server('below', ca => $middle);
my ($leaf_text, $middle_text) = (text($below->{cert}), text($middle->{cert}));
test_file('chain_out_of_order', 'the issuer after its own', 'server.crt', $leaf_text . $good{'root.crt'} . $middle_text, 'server.crt:1 warning', 'server.crt:3 warning');
test_file('leaf_not_first', 'the CA first', 'server.crt', $middle_text . $leaf_text, 'server.crt:1 critical');
my $low = $certs->make_ca('low', ca => $middle, days_left => 900);
my $lowest = $certs->make_server('lowest', ca => $low);
test_case('chain_incomplete', 'ssl_guard_certificates', 'a known intermediate is missing',
	sub { put('server.crt' => text($lowest->{cert}) . text($low->{cert}), 'root.crt' => $good{'root.crt'} . $middle_text); },
	sub { put(%good); }, 'server.crt:2 warning');
test_file('chain_incomplete', 'an unknown issuer that can be fetched', 'server.crt',
	make(ca => $middle, extensions => ['authorityInfoAccess=caIssuers;URI:http://ca.example.com/m.crt']), 'server.crt:1 notice');
my $limited = $certs->make_ca('limited', ca => $ca, days_left => 900, extensions => ['nameConstraints=critical,permitted;DNS:example.org']);
test_file('chain_refused', 'a name that the CA may not certify', 'server.crt', make(ca => $limited) . text($limited->{cert}), 'server.crt:1 critical');
test_cert('bad_dns_name', 'a port', make(san => [ 'DNS:localhost:5432', 'DNS:localhost' ]), 'L', 'warning');
test_cert('cn_not_in_alt_name', 'another name', make(subject => '/CN=db.example.com', san => ['DNS:db2.example.com']), 'L', 'notice');
test_cert('strict_client_refuses', 'keyCertSign in a leaf', make(key_usage => 'critical,digitalSignature,keyCertSign'), 'LIA', 'notice');
test_file('root_in_chain', 'the root', 'server.crt', $good{'server.crt'} . $good{'root.crt'}, 'server.crt:2 notice');
test_cert('duplicate_certificate', 'twice', $good{'server.crt'}, 'I', 'notice');
test_file('duplicate_certificate', 'a CA twice', 'root.crt', $good{'root.crt'} x 2, 'root.crt:2 notice');
test_file('unrelated_certificate', 'a stranger', 'server.crt', $good{'server.crt'} . text($stranger->{cert}), 'server.crt:2 warning');
test_file('not_a_ca', 'a leaf', 'root.crt', $good{'root.crt'} . $good{'server.crt'}, 'root.crt:2 warning');
my $many = join('', map { my $n = $_; ESG::Der::resign($ca->{cert}, $ca->{key},
			sub { $_[0][ $der{serial} ] = ESG::Der::tlv(0x02, chr $n); $_[0][$_] =~ s/ca\z/c@{[chr(64 + $n)]}/ foreach @der{qw(subject issuer)} }) } 1 .. 21);
test_file('public_root_store', '22 CAs', 'root.crt', $good{'root.crt'} . $many, 'root.crt warning');

# ---- CRLs
sub crl { return text($certs->make_crl($ca, 'crl' . scalar(@cases), @_)); }
my %list = %ESG::Der::crl;
test_file('crl_expired', 'an hour ago', 'root.crl', crl(last_update => -90000, next_update => -3600), 'root.crl:1 critical');
test_file('crl_expires_very_soon', 'a day left', 'root.crl', crl(last_update => -90 * 86400, next_update => 86400), 'root.crl:1 critical');
test_file('crl_expires_soon', 'four days left', 'root.crl', crl(last_update => -96 * 86400, next_update => 4 * 86400), 'root.crl:1 warning');
test_file('crl_not_yet_valid', 'tomorrow', 'root.crl', crl(last_update => 86400), 'root.crl:1 critical');
test_file('crl_missing', 'of the second CA', 'root.crt', $good{'root.crt'} . text($stranger->{cert}), 'root.crt:2 critical');
my $good_crl = $path{'root.crl'};
test_file('crl_bad_signature', 'one bit', 'root.crl', ESG::Der::edit($good_crl, sub { substr($_[0][2], -1) ^= "\x01" }), 'root.crl:1 critical');
test_file('crl_unknown_issuer', "a stranger's", 'root.crl', $good{'root.crl'} . text($certs->make_crl($stranger, 'strange')), 'root.crl:2 notice');
test_file('crl_unusable', 'for attribute certificates', 'root.crl',
	crl(extensions => [ 'issuingDistributionPoint=critical,@scope', '[scope]', 'onlyAA=TRUE' ]), 'root.crl:1 critical');
test_file('crl_weak_signature', 'SHA-1', 'root.crl', crl(digest => 'sha1'), 'root.crl:1 warning');
test_file('crl_no_next_update', 'none', 'root.crl', ESG::Der::resign($good_crl, $ca->{key}, sub { splice @{ $_[0] }, $list{next_update}, 1 }), 'root.crl:1 notice');
$certs->revoke($ca, $server);
test_file('crl_revokes_own', "the server's", 'root.crl', crl(), 'root.crl:1 critical');

# ---- files
my $broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
my $trusted = ESG::Certs::openssl('x509', '-in', $ca->{cert}, '-trustout', '-addtrust', 'serverAuth');

sub test_path
{
	my ($code, $what, $name, $make, $unmake) = @_;

	return test_case($code, 'ssl_guard_files', $what,
		sub { unlink $path{$name}; $make->($path{$name}); },
		sub { $unmake ? $unmake->($path{$name}) : unlink($path{$name}); put(%good); },
		$name . ($code eq 'directory_writable' ? ' warning' : ' critical'));
}

test_path('file_missing', 'unlinked', $_, sub { }) foreach qw(server.crt root.crt root.crl extra.crt);
unlink $path{'root.crt'}, $path{'extra.crt'};
is($node->safe_psql('postgres', "SELECT string_agg(regexp_replace(object, '.*/', '') || ' ' || (hint LIKE '%reload%'), ', ' ORDER BY object) FROM ssl_guard_check() WHERE code = 'file_missing'"),
	'extra.crt false, root.crt true', 'only the hint about a file that the server loads speaks of a reload');
put(%good);
SKIP:
{
	skip 'root reads everything', 6 if $> == 0;
	test_path('file_unreadable', 'mode 0000', 'root.crl', sub { put('root.crl' => 'x'); chmod 0, $_[0]; });
}
SKIP:
{
	skip 'EXEC_BACKEND: each backend would read it, without end', 24 if ESG::Node::exec_backend();
	test_path('file_not_regular', 'a FIFO', $_, sub { mkfifo($_[0], 0600) or die $! }) foreach qw(server.crt root.crt root.crl);
	test_path('file_not_regular', 'a device', 'root.crl', sub { symlink '/dev/zero', $_[0] or die $! });
}
test_path('file_not_regular', 'a FIFO', 'extra.crt', sub { mkfifo($_[0], 0600) or die $! });
test_path('file_not_regular', 'a directory', 'root.crl', sub { mkdir $_[0] or die $! }, sub { rmdir $_[0] });
test_path('file_not_regular', 'a loop', 'root.crl', sub { symlink $_[0], $_[0] or die $! });
my %limit = ('server.crt' => 1 << 20, 'root.crt' => 64 << 20, 'root.crl' => 1 << 30, 'extra.crt' => 64 << 20);
foreach my $name (sort keys %limit)
{
	test_path('file_too_large', "$name, one byte too many", $name,
		sub { open(my $out, '>', $_[0]) or die $!; truncate($out, $limit{$name} + 1) or die $!; });
}
test_file('file_unparsable', 'HTML', 'server.crt', '<html>', 'server.crt critical');
test_file('file_unparsable', 'a certificate', 'root.crl', $good{'server.crt'}, 'root.crl critical');
test_file('file_partly_read', 'a broken block', 'server.crt', $good{'server.crt'} . $broken, 'server.crt critical');
test_file('trusted_certificate_block', 'the second', 'server.crt', $good{'server.crt'} . $trusted, 'server.crt warning');
test_path('permissions_too_open', '0666', 'root.crt', sub { put(%good); chmod 0666, $_[0] });

# ---- a hashed directory, with something that is none of ours
mkdir $node->path('crls') or die $!;
mkdir $node->path('crls/directory') or die $!;
$node->set_conf(ssl_crl_dir => 'crls', 'ext_ssl_guard.alarm_repeat_interval' => '2d');
$node->reload;
$node->wait_sql('SHOW ext_ssl_guard.alarm_repeat_interval', '2d');
$path{'crls/ca.crl'} = $node->path('crls/ca.crl');
test_case('crl_not_hashed', 'ssl_guard_crls', 'a name of its own', sub { put('crls/ca.crl' => $good{'root.crl'}) },
	sub { unlink $path{'crls/ca.crl'} }, 'ca.crl:1 warning');
test_case('directory_writable', 'ssl_guard_files', '0777', sub { chmod 0777, $node->path('crls') },
	sub { chmod 0755, $node->path('crls') }, 'crls warning');
my @files = map { $node->path("crls/entry$_") } 1 .. 4097;
test_case('file_too_large', 'ssl_guard_files', 'a directory with too many entries',
	sub { ESG::Certs::spew($_, '') foreach @files }, sub { unlink @files }, 'crls critical');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_alarms'), 0, 'nothing is left');

# ---- finding_overrides: each code regraded, then off
sub regrade
{
	my ($severity, $mark) = @_;

	$node->set_conf('ext_ssl_guard.finding_overrides' => join(', ', map { "$_=$severity" } @codes),
		'ext_ssl_guard.alarm_repeat_interval' => $mark);
	$node->reload;
	$node->wait_sql('SHOW ext_ssl_guard.alarm_repeat_interval', $mark);
	return;
}

foreach my $step ([ 'notice', '3d', 'notice' ], [ 'off', '4d', '' ])
{
	my ($severity, $mark, $expected) = @$step;

	regrade($severity, $mark);
	foreach my $case (@cases)
	{
		my ($code, $spoil, $mend) = @$case;

		$spoil->();
		is($node->safe_psql('postgres', "SELECT DISTINCT severity FROM ssl_guard_check() WHERE code = '$code'"),
			$expected, "$code=$severity");
		$mend->();
	}
}

my %tried = map { $_->[0] => 1 } @cases;
delete @tried{ 'file_unreadable', 'wrong_owner' };
is(join(' ', grep { !$tried{$_} } @codes), 'file_unreadable wrong_owner', 'no code was forgotten; wrong_owner is t/012_owner.t');

$node->stop;
done_testing();

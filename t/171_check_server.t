# ssl_guard_ctl check -D says that the next start or reload of a server would
# succeed exactly when it does, for set-ups that are broken in many ways; and what
# it says besides: exit status, --at, a configuration that is refused.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Check;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca, key => 'rsa:2048');
my $other = $certs->make_server('other', ca => $ca, key => 'rsa:2048');
my $locked = $certs->make_server('locked', ca => $ca, key => 'rsa:2048', passphrase => 'open sesame');
my $crl = $certs->make_crl($ca, 'crl');
my $node = ESG::Node->new('main');
my $data = $node->data_dir;
my %good = ('server.crt' => $server->{cert}, 'server.key' => $server->{key}, 'root.crt' => $ca->{cert}, 'root.crl' => $crl);

$node->setup(ca => $ca, server => $server, crl => $crl,
	conf => "include = 'more.conf'\next_ssl_guard.self_probe = off\next_ssl_guard.posture_check = off");
ESG::Certs::spew($node->path('more.conf'), '');
$node->start;

sub check
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'ssl_guard_ctl', 'check', @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out . $err);
}

sub lay
{
	my (%change) = @_;

	unlink map { $node->path($_) } qw(server.key.cipher server.key.rand dh.pem);
	foreach my $file (sort keys %good)
	{
		unlink $node->path($file);
		ESG::Certs::spew($node->path($file), ESG::Certs::slurp($good{$file}));
		chmod $file =~ /key/ ? 0600 : 0644, $node->path($file) or die "chmod: $!";
	}
	ESG::Certs::spew($node->path('more.conf'), $change{conf} // '');
	foreach my $file (grep { $_ ne 'conf' && $_ ne 'mode' && $_ ne 'pair' } sort keys %change)
	{
		if (defined $change{$file}) { ESG::Certs::spew($node->path($file), $change{$file}); }
		else { unlink $node->path($file); }
		chmod 0600, $node->path($file) if $file =~ /key/;
	}
	make_pair($change{pair}) if defined $change{pair};
	chmod $change{mode}[0], $node->path($change{mode}[1]) or die "chmod: $!" if $change{mode};
	return;
}

# With a passphrase that need not be the key's: it is tried where there is a key.
sub make_pair
{
	my ($passphrase) = @_;
	my $dir = $certs->dir . '/pair';
	my $said = '';

	mkdir $dir, 0700;
	IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '-D', $dir ], '<', \"$passphrase\n", '>&', \$said) or die $said;
	foreach my $half (qw(server.key.cipher server.key.rand))
	{
		ESG::Certs::spew($node->path($half), ESG::Certs::slurp("$dir/$half"));
		chmod 0400, $node->path($half);
	}
	return;
}

my $broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
my $sesame = "ssl_passphrase_command = 'echo open sesame'\n";
my %locked = ('server.crt' => ESG::Certs::slurp($locked->{cert}), 'server.key' => ESG::Certs::slurp($locked->{key}));
my $dh = `openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 2>/dev/null`;

# name, change, what is said of it
my @cases = (
	[ 'nothing', {}, qr/would succeed$/m ],
	[ "another's certificate", { 'server.crt' => ESG::Certs::slurp($other->{cert}) }, qr/server\.key": key values mismatch/ ],
	[ 'no key', { 'server.key' => undef }, qr/server\.key": No such file/ ],
	[ 'a key that is none', { 'server.key' => "no key\n" }, qr/server\.key": / ],
	[ 'a key that cannot be read', { mode => [ 0, 'server.key' ] }, qr/server\.key": Permission denied$/m ],
	[ 'a key that all may read', { mode => [ 0644, 'server.key' ] }, qr/a key that others may read/ ],
	[ 'a key that the group may read', { mode => [ 0640, 'server.key' ] }, qr/a key that others may read/ ],
	[ 'a key of mode 0400', { mode => [ 0400, 'server.key' ] }, qr/would succeed$/m ],
	[ 'a certificate that is none', { 'server.crt' => $broken }, qr/server\.crt": / ],
	[ 'no certificate', { 'server.crt' => undef }, qr/server\.crt": No such file/ ],
	[ 'a certificate that cannot be read', { mode => [ 0, 'server.crt' ] }, qr/server\.crt": Permission denied$/m ],
	[ 'a CA file that is none', { 'root.crt' => $broken }, qr/root\.crt": / ],
	[ 'no CA file', { 'root.crt' => undef }, qr/root\.crt": No such file/ ],
	[ 'an empty CA file', { 'root.crt' => '' }, qr/root\.crt": / ],
	[ 'a CRL file that is none', { 'root.crl' => "no CRL\n" }, qr/root\.crl": / ],
	[ 'no CRL file', { 'root.crl' => undef }, qr/root\.crl": No such file/ ],
	[ 'a CA in the CRL file', { 'root.crl' => ESG::Certs::slurp($ca->{cert}) }, qr/would succeed$/m ],
	[ 'an unusable list of ciphers', { conf => "ssl_ciphers = 'NOTHING'" }, qr/"ssl_ciphers" is refused: no cipher match/ ],
	[ 'a range of protocols upside down', { conf => "ssl_min_protocol_version = 'TLSv1.3'\nssl_max_protocol_version = 'TLSv1.2'" },
		qr/"ssl_max_protocol_version" is refused|configuration file/ ],
	[ 'one protocol', { conf => "ssl_min_protocol_version = 'TLSv1.2'\nssl_max_protocol_version = 'TLSv1.2'" }, qr/would succeed$/m ],
	[ 'a bad curve', { conf => "ssl_ecdh_curve = 'nocurve'" }, qr/"ssl_\w+" is refused/ ],
	[ 'no DH parameters', { conf => "ssl_dh_params_file = 'dh.pem'" }, qr/start would fail: file ".*dh\.pem": No such file/ ],
	[ 'DH parameters that are none', { conf => "ssl_dh_params_file = 'dh.pem'", 'dh.pem' => 'none' }, qr/start would fail: file ".*dh\.pem"/ ],
	$dh ? [ 'DH parameters', { conf => "ssl_dh_params_file = 'dh.pem'", 'dh.pem' => $dh }, qr/would succeed$/m ] : (),
	[ 'a key with a passphrase, for a command at start', { %locked, conf => $sesame }, qr/start would succeed, if "ssl_passphrase_command" opens the key; the next reload would fail/ ],
	[ 'the same, at reload, too', { %locked, conf => "${sesame}ssl_passphrase_command_supports_reload = on" }, qr/would succeed, if "ssl_passphrase_command" opens the key$/m ],
	[ 'the same, and no DH parameters', { %locked, conf => "$sesame\nssl_dh_params_file = 'dh.pem'" },
		qr/start would fail: file ".*dh\.pem": No such file.*; the next reload would fail: .*nobody gives its passphrase at a reload$/m ],
	[ 'the same, and CAs that are none', { %locked, conf => $sesame, 'root.crt' => $broken }, qr/start or reload would fail: file ".*root\.crt": / ],
	[ 'a key with a pair', { %locked, pair => 'open sesame' }, qr/would succeed$/m ],
	[ 'a wrong pair', { %locked, pair => 'open barley' }, qr/server\.key": / ],
	[ 'half a pair', { %locked, 'server.key.rand' => 'x' }, qr/passphrase file ".*server\.key\.\w+" cannot be used: / ],
	[ 'files by mode, enforced', { conf => "ext_ssl_guard.file_permission_check = enforce", mode => [ 0666, 'root.crt' ] }, qr/start would fail: .*permissions_too_open/ ],
	[ 'tls off', { conf => 'ssl = off', 'server.crt' => $broken }, qr/"ssl" is off/ ]);

foreach my $case (@cases)
{
	my ($name, $change, $pattern) = @$case;

	lay(%$change);
	my ($status, $said) = check('-D', $data);
	my $foretold = ESG::Check::foretold($said);

	like($said, $pattern, "$name: what is said");
	next if $name eq 'tls off';
	is(ESG::Check::reload_succeeds($node), $foretold->[1], "$name: the reload") or diag($said);
	cmp_ok($status, '>=', 1, "$name: status") unless $foretold->[0] && $foretold->[1];
	$node->stop;
	is(ESG::Check::start_succeeds($node), $foretold->[0], "$name: the start") or diag($said);
	lay();
	$node->start;
}

# what belongs to no file
lay(conf => "no_such_setting = 1");
my ($status, $said) = check('-D', $data);
is($status, 2, 'a configuration that the server refuses');
like($said, qr/^CRITICAL: the next start would fail, and a reload would change nothing: .*no_such_setting/m, 'and why');
$node->stop;
is(ESG::Check::start_succeeds($node), 0, 'it does not start, indeed');
lay();
$node->start;

($status, $said) = check('-D', $data, '-q');
is($status, 0, 'all is well') or diag($said);
is($said, '', 'and with --quiet nothing is said');
($status, $said) = check('-D', $data, '--at', '+400d', '-q');
is($status, 2, 'in 400 days it is not');
like($said, qr/expired \(SG016\)/, 'as the certificate will have ended');
($status, $said) = check('-D', $data, '--at', 'tomorrow');
is($status, 3, 'a day that is none');
($status, $said) = check('-D', $data, '--postgres', '/nonexistent');
is($status, 3, 'a program that is not there');
my $complaining = ESG::Certs::spew($certs->dir . '/complaining', "#!/bin/sh\ncase \$1 in -C) echo 'not today'; exit 1 ;; esac\nexec postgres \"\$@\"\n");
chmod 0755, $complaining;
($status, $said) = check('-D', $data, '--postgres', $complaining);
is($status, 2, 'a program that does not tell the settings');
like($said, qr/not today/, 'is heard, wherever it says why');
($status, $said) = check($node->path('nothing.crt'), '-q');
is($status, 2, 'a file that is not there');
like($said, qr/file_missing/, 'is a finding');
($status, $said) = check();
is($status, 3, 'nothing to check') or diag($said);
($status, $said) = check('--as', 'nothing', 'x');
is($status, 3, 'an unknown kind');

# a pair beside any key, and nobody who is asked
my $key = $certs->dir . '/locked.key';
($status, $said) = check('--as', 'server', $locked->{cert}, '--as', 'key', $key);
like($said, qr/nobody gave its passphrase: it was not tried/, 'a key that is encrypted');
is($status, 0, 'is no fault');
IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--key', $key ], '<', \"open sesame\n", '>&', \$said) or die $said;
($status, $said) = check($locked->{cert}, $key, '-q');
is($status, 0, 'with a pair it opens') or diag($said);
($status, $said) = check($server->{cert}, $key, '-q');
like($said, qr/the private key does not belong to the certificate/, "and is not another's");
is($status, 2, 'which is critical');

$node->stop;
done_testing();

# ssl_guard_settings: what is configured, what OpenSSL makes of it, and what is
# wrong, in the view and as alarms.  What it says is asked of the server itself:
# openssl s_client makes the handshakes.

use strict;
use warnings;

use IPC::Run ();
use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca, key => 'rsa:2048');
my $node = ESG::Node->new('main');
$node->setup(ca => $ca, server => $server, conf => <<'CONF');
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.self_probe = off
CONF
$node->start;
my $groups = $node->safe_psql('postgres', "SELECT name FROM pg_settings WHERE name IN ('ssl_groups', 'ssl_ecdh_curve')");

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub column { return sql("SELECT coalesce($_[1]::text, 'NULL') FROM ssl_guard_settings WHERE setting = '$_[0]'"); }

sub findings
{
	return sql("SELECT coalesce(string_agg(setting || ' ' || array_to_string(findings, ',') || ' ' || severity, '; ' ORDER BY setting), '') FROM ssl_guard_settings WHERE findings <> '{}'");
}

sub alarms
{
	return sql("SELECT coalesce(string_agg(object || ' ' || code || ' ' || severity, '; ' ORDER BY object, code), '') FROM ssl_guard_check()");
}

# What a client with these options gets: version and cipher, group; "" if nothing.
sub talk
{
	my (@options) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'openssl', 's_client', '-starttls', 'postgres', '-connect', '127.0.0.1:' . $node->port, @options ],
		'<', \"", '>', \$out, '2>', \$err, IPC::Run::timeout(60));
	my ($version, $cipher) = $out =~ /^New, (\S+), Cipher is (\S+)/m;
	my ($protocol) = $out =~ /^\s+Protocol\s*: (\S+)/m;
	my ($group) = $out =~ /^(?:Server Temp Key|Peer Temp Key|Negotiated TLS1.3 group): (.*?)(?:, \d+ bits)?$/m;

	return '' if !defined $cipher || $cipher eq '(NONE)' || $cipher eq '0000';
	return join ' ', $protocol // $version, $cipher, $group // ();
}

# ---- at the defaults nothing is wrong
is(findings(), '', 'at the defaults: nothing');
is(alarms(), '', 'nor an alarm');
is(sql("SELECT string_agg(setting, ' ') FROM ssl_guard_settings WHERE value IS DISTINCT FROM CASE setting WHEN 'openssl_security_level' THEN value WHEN 'openssl_fips' THEN value ELSE current_setting(setting) END"),
	'', 'values as they are configured');
is(column('ssl_min_protocol_version', 'effective'), 'TLSv1.2', 'the floor');
is(column('ssl_max_protocol_version', 'effective'), 'TLSv1.3', 'and the ceiling');
is(column('openssl_fips', 'effective'), 'off', 'FIPS');
my $level = column('openssl_security_level', 'value');
like($level, qr/^[1-5]$/, 'a security level');
sql('CREATE ROLE watcher; GRANT pg_monitor TO watcher; CREATE ROLE nobody_special');
is(sql('SET ROLE watcher; SELECT count(*) >= 12 FROM ssl_guard_settings'), 't', 'pg_monitor may read it');
like(($node->psql('postgres', 'SET ROLE nobody_special; SELECT 1 FROM ssl_guard_settings'))[2], qr/permission denied/, 'others may not');

# ---- each cipher that is said to be enabled is, and no other
sub check_ciphers
{
	my ($name) = @_;
	my %said = map { $_ => 1 } split /:/, column('ssl_ciphers', 'effective');
	my @all = map { (split)[0] } grep { !/TLSv1\.3|Au=(?:PSK|DSS|SRP|GOST|unknown)|Kx=\w*(?:PSK|SRP|GOST)/ } split /\n/, `openssl ciphers -v 'ALL:COMPLEMENTOFALL:\@SECLEVEL=0'`;
	my @wrong;

	cmp_ok(scalar @all, '>', 30, "$name: all that this OpenSSL has");
	foreach my $cipher (@all)
	{
		my $got = talk('-tls1_2', '-cipher', "$cipher:\@SECLEVEL=0");

		push @wrong, "$cipher: $got" if ($got ne '') != ($said{$cipher} // 0);
	}
	is(join("\n", @wrong), '', "$name: the effective ciphers are those that clients get");
	is(join(' ', grep { my $cipher = $_; !grep { $_ eq $cipher } @all } sort keys %said), '', "$name: and no other is named");
	return;
}

check_ciphers('defaults');
$node->apply(ssl_ciphers => 'NULL-SHA256:AECDH-AES256-SHA:AES256-SHA:ECDHE-RSA-AES128-SHA256:@SECLEVEL=0');
check_ciphers('weak ones');
is(findings(), 'openssl_security_level low_security_level warning; ssl_ciphers weak_cipher critical', 'weak ones are found');
is(alarms(), findings() =~ s/ (\w+) (\w+)(;|$)/ $1 $2$3/gr, 'and are alarms');
like(sql("SELECT message FROM ssl_guard_alarms WHERE code = 'weak_cipher'"),
	qr/^weak ciphers are enabled: NULL-SHA256 \(no encryption\), AECDH-AES256-SHA \(no authentication\), AES256-SHA \(no forward secrecy\)$/, 'each with its fault');
is(talk('-tls1_2', '-cipher', 'NULL-SHA256:@SECLEVEL=0'), 'TLSv1.2 NULL-SHA256', 'a client without encryption gets in');
# TLS 1.3 alone has none of them
$node->apply(ssl_min_protocol_version => 'TLSv1.3');
is(column('ssl_ciphers', 'effective'), '', 'with TLS 1.3 alone they are of no effect');
is(findings(), 'openssl_security_level low_security_level warning', 'and no finding');
is(talk('-tls1_2', '-cipher', 'NULL-SHA256:@SECLEVEL=0'), '', 'nor does a client get them');
$node->apply(ssl_min_protocol_version => 'TLSv1.2', ssl_ciphers => 'HIGH:!aNULL:!kRSA');
is(findings(), '', 'what is recommended has no finding');
unlike(column('ssl_ciphers', 'effective'), qr/(?:^|:)AES256/, 'and none without forward secrecy');

# ---- forward secrecy: whose choice is it?
sub found { return column('ssl_ciphers', 'findings'); }

$node->apply(ssl_ciphers => 'ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384');
is(found(), '{}', 'one without forward secrecy behind one with it');
is(talk('-tls1_2', '-cipher', 'AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384') =~ s/^(\S+ \S+).*/$1/r, 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384', 'is for those who have no other');
$node->apply(ssl_ciphers => 'AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384');
is(found(), '{weak_cipher}', 'before one with it');
is(talk('-tls1_2', '-cipher', 'ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384'), 'TLSv1.2 AES256-GCM-SHA384', 'who has both loses it');
$node->apply(ssl_ciphers => 'AES256-GCM-SHA384');
is(found(), '{weak_cipher}', 'alone');
$node->apply(ssl_ciphers => 'HIGH:!aNULL', ssl_prefer_server_ciphers => 'off');
is(findings(), 'ssl_prefer_server_ciphers client_cipher_preference notice', 'clients choose');
like(talk('-tls1_2', '-cipher', 'AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384'), qr/^TLSv1.2 AES128-GCM-SHA256/, 'and one does');
$node->apply(ssl_prefer_server_ciphers => 'on');
like(talk('-tls1_2', '-cipher', 'AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384'), qr/^TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384/, 'the server chooses');

# ---- the key decides, too
my $ec = $certs->make_server('ec', ca => $ca, key => 'ec:prime256v1');
$node->apply(ssl_ciphers => 'AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384');
$node->replace($ec->{cert}, 'server.crt');
$node->replace($ec->{key}, 'server.key');
$node->apply();
is(column('ssl_ciphers', 'effective'), 'ECDHE-ECDSA-AES256-GCM-SHA384', 'with an ECDSA key others are of no effect');
is(findings(), '', 'and no finding');
is(talk('-tls1_2', '-cipher', 'AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384'), '', 'nor does a client get them');
$node->replace($server->{cert}, 'server.crt');
$node->replace($server->{key}, 'server.key');

# ---- versions
my %option = ('TLSv1' => '-tls1', 'TLSv1.1' => '-tls1_1', 'TLSv1.2' => '-tls1_2', 'TLSv1.3' => '-tls1_3');

foreach my $case ([ 'TLSv1', '', 'HIGH:!aNULL' ], [ 'TLSv1', '', 'HIGH:!aNULL:@SECLEVEL=0' ], [ 'TLSv1.1', 'TLSv1.2', 'HIGH:!aNULL:@SECLEVEL=0' ], [ 'TLSv1', '', 'ECDHE+AESGCM:@SECLEVEL=0' ],
	[ 'TLSv1.1', '', 'HIGH:!aNULL:@SECLEVEL=1' ], [ 'TLSv1.3', '', 'HIGH:!aNULL' ], [ 'TLSv1.2', 'TLSv1.2', 'HIGH:!aNULL' ])
{
	my ($min, $max, $ciphers) = @$case;
	$node->apply(ssl_min_protocol_version => $min, ssl_max_protocol_version => $max, ssl_ciphers => $ciphers);
	my @got = grep { talk($option{$_}, '-cipher', 'ALL:@SECLEVEL=0') ne '' } sort keys %option;
	my $found = $got[0] lt 'TLSv1.2' ? '{weak_protocol}' : '{}';

	is(column('ssl_min_protocol_version', 'effective'), $got[0], "$min to \"$max\", $ciphers: from $got[0]");
	is(column('ssl_max_protocol_version', 'effective'), $got[-1], "to $got[-1]");
	is(column('ssl_min_protocol_version', 'findings'), $found, "finding: $found");
	is(column('ssl_max_protocol_version', 'findings'), $got[-1] eq 'TLSv1.3' ? '{}' : '{tls13_off}', 'and that of the ceiling');
}
$node->apply(ssl_min_protocol_version => 'TLSv1.2', ssl_max_protocol_version => '', ssl_ciphers => 'HIGH:!aNULL');
is(findings() . alarms(), '', 'back: nothing');

# ---- groups
sub shares { my ($group, @more) = @_; return talk('-groups', $group, '-cipher', 'ALL:@SECLEVEL=0', @more) ne ''; }

foreach my $case ([ 'secp384r1', '@SECLEVEL=2', 'secp384r1', '{}' ], [ 'secp224r1', '@SECLEVEL=0', 'secp224r1', '{weak_group}' ],
	[ 'prime192v1', '@SECLEVEL=0', 'prime192v1', '{weak_group}' ], [ 'prime192v1', '@SECLEVEL=2', '', '{weak_group}' ])
{
	my ($group, $at, $effective, $found) = @$case;
	$node->apply($groups => $group, ssl_ciphers => "ECDHE-RSA-AES128-GCM-SHA256:$at");

	is(column($groups, 'effective'), $effective, "$group at $at: \"$effective\"");
	is(column($groups, 'findings'), $found, "finding: $found");
	is(shares($group, '-tls1_2') ? 1 : 0, $effective eq '' ? 0 : 1, 'as a client sees it');
	ok(!shares('secp521r1', '-tls1_2'), 'another one is not shared');
}
is(sql("SELECT severity FROM ssl_guard_settings WHERE setting = '$groups'"), 'warning', 'a small curve is a warning');
$node->apply($groups => 'prime256v1', ssl_ciphers => 'HIGH:!aNULL');

# ---- what OpenSSL refuses: the server goes on, and says so
my $served = talk('-tls1_2');
foreach my $case ([ $groups, 'nonsense' ], [ 'ssl_ciphers', 'nonsense' ], [ 'ssl_max_protocol_version', 'TLSv1.1' ])
{
	my ($setting, $value) = @$case;
	my $before = column($setting, 'value');

	$node->apply($setting => $value);
	is(findings(), "$setting tls_setting_refused critical", "$setting = $value is refused");
	is(column($_, 'effective'), 'NULL', "no effective $_") foreach qw(ssl_ciphers ssl_min_protocol_version);
	like(alarms(), qr/^server reload_failed critical; \Q$setting\E tls_setting_refused critical$/, 'the reload has failed');
	SKIP:
	{
		skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
		is(talk('-tls1_2'), $served, 'what was loaded is served');
	}
	$node->apply($setting => $before);
	is(findings() . alarms(), '', 'mended');
}

# ---- DH
my $dh = $node->path('dh.pem');
my $small = `openssl dhparam 1024 2>/dev/null`;
my %dh = (
	'good' => [ `openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 2>/dev/null` || `openssl dhparam 2048 2>/dev/null`, '' ],
	'nothing' => [ "nothing\n", 'it has no DH parameters' ],
	'a certificate' => [ ESG::Certs::slurp($ca->{cert}), 'it has no DH parameters' ],
	'a certificate before' => [ ESG::Certs::slurp($ca->{cert}) . $small, '1024 bits' ]);
my $dhe = 'DHE-RSA-AES256-GCM-SHA384';

foreach my $name (sort keys %dh)
{
	my ($text, $detail) = @{ $dh{$name} };

	ESG::Certs::spew($dh, $text);
	$node->apply(ssl_dh_params_file => $dh);
	like(column('ssl_dh_params_file', 'findings'), $detail ? qr/weak_dh_params/ : qr/^\{\}$/, "$name: finding");
	like(sql("SELECT message FROM ssl_guard_check() WHERE code = 'weak_dh_params'"), qr/: \Q$detail\E$/, $detail) if $detail;
}
# core sets them before the ciphers, at the level that OpenSSL begins with
ESG::Certs::spew($dh, $small);
$node->apply(ssl_dh_params_file => $dh, ssl_ciphers => "$dhe:\@SECLEVEL=0");
is(column('ssl_dh_params_file', 'findings'), $level >= 2 ? '{tls_setting_refused,weak_dh_params}' : '{weak_dh_params}', "small ones at level $level");
is(alarms() =~ /reload_failed/ ? 'refused' : 'taken', $level >= 2 ? 'refused' : 'taken', 'the server does with them what is said');
ESG::Certs::spew($dh, $dh{good}[0]);
$node->apply(ssl_ciphers => "$dhe");
like(talk('-tls1_2', '-cipher', $dhe), qr/DH$|DH, 2048/, 'a client gets DH');
is(column('ssl_dh_params_file', 'effective'), '2048 bits', 'of the file');
unlink $dh;
SKIP:
{
	skip 'with EXEC_BACKEND each new process of the server waits for it by itself', 2 if ESG::Node::exec_backend();
	mkfifo($dh, 0600) or die $!;
	is(sql("SET statement_timeout = '20s'; SELECT findings FROM ssl_guard_settings WHERE setting = 'ssl_dh_params_file'"), '{weak_dh_params}', 'a FIFO is not waited for');
	like(sql("SET statement_timeout = '20s'; SELECT message FROM ssl_guard_check() WHERE code = 'weak_dh_params'"), qr/it is not a regular file$/, 'it is an alarm');
	unlink $dh;
}
open(my $out, '>', $dh) or die $!;
truncate($out, 100 << 20) or die $!;
close $out;
like(sql("SELECT message FROM ssl_guard_check() WHERE code = 'weak_dh_params'"), qr/it is too large$/, 'a hundred megabytes are not read');
unlink $dh;
like(sql("SELECT message FROM ssl_guard_check() WHERE code = 'weak_dh_params'"), qr/No such file or directory$/, 'not there');
is(column('ssl_dh_params_file', 'effective'), q{2048 bits, the server's own}, 'the server has its own');
$node->apply(ssl_dh_params_file => '', ssl_ciphers => 'HIGH:!aNULL');
is(findings() . alarms(), '', 'none configured: nothing');

# ---- passwords
$node->apply(password_encryption => 'md5');
is(findings(), 'password_encryption md5_passwords notice', 'md5');
is(sql("SET password_encryption = 'scram-sha-256'; SELECT count(*) FROM ssl_guard_check()"), '1', 'whatever a session has set for itself');
$node->apply(password_encryption => 'scram-sha-256');
is(findings(), '', 'scram-sha-256');
is(sql('SET password_encryption = md5; SELECT count(*) FROM ssl_guard_check()'), '0', 'what a session has set for itself is nothing of the server');
is(sql("SET password_encryption = md5; SELECT value FROM ssl_guard_settings WHERE setting = 'password_encryption'"), 'scram-sha-256', 'nor shown');

# ---- the worker finds it by itself, at a reload, without a database
$node->apply(ssl_prefer_server_ciphers => 'off');
is($node->wait_sql("SELECT string_agg(code || ' ' || object, ' ') FROM ssl_guard_alarms", 'client_cipher_preference ssl_prefer_server_ciphers'),
	'client_cipher_preference ssl_prefer_server_ciphers', 'the worker, at a reload');
$node->wait_log(qr/code=client_cipher_preference severity=notice setting=ssl_prefer_server_ciphers value=off/);
$node->apply('ext_ssl_guard.posture_check' => 'off');
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'posture_check = off: no alarm');
is(findings(), 'ssl_prefer_server_ciphers client_cipher_preference notice', 'the view still shows it');
$node->apply('ext_ssl_guard.posture_check' => 'on', 'ext_ssl_guard.finding_overrides' => 'client_cipher_preference=off');
is(findings() . alarms(), '', 'switched off');
$node->apply('ext_ssl_guard.finding_overrides' => '', ssl_prefer_server_ciphers => 'on');

# ---- ssl = off
$node->apply(ssl => 'off', ssl_prefer_server_ciphers => 'off');
is(findings(), '', 'off, on this host only: nothing, whatever the rest is');
$node->set_conf(listen_addresses => '127.0.0.1,192.0.2.1');
$node->restart;
is(findings(), 'ssl tls_off warning', 'off, and listening for others');
like(sql('SELECT message FROM ssl_guard_check()'), qr{\(127\.0\.0\.1,192\.0\.2\.1\)$}, 'where');
$node->apply(ssl => 'on', ssl_prefer_server_ciphers => 'on');
is(findings() . alarms(), '', 'on');

# ---- OpenSSL's own configuration counts
$node->stop;
ESG::Certs::spew($dh, $small);
$node->set_conf(ssl_dh_params_file => $dh, ssl_ciphers => $dhe . ':HIGH:!aNULL', listen_addresses => '127.0.0.1');
{
	local $ENV{OPENSSL_CONF} = ESG::Certs::spew($certs->dir . '/openssl.cnf', <<'CNF');
openssl_conf = begin
[begin]
ssl_conf = ssl
[ssl]
system_default = all
[all]
Protocol = ALL,-TLSv1.3
CipherString = DEFAULT:@SECLEVEL=1
CNF
	$node->start;
}
is(findings(), 'openssl_security_level low_security_level notice; ssl_dh_params_file weak_dh_params warning; ssl_max_protocol_version tls13_off notice',
	'OpenSSL without TLS 1.3, at level 1, with small DH parameters');
is(column('ssl_max_protocol_version', 'value') . ' ' . column('ssl_max_protocol_version', 'effective'), ' TLSv1.2', 'configured and effective');
is(column('openssl_security_level', 'value'), '1', 'the level');
is(talk('-tls1_3'), '', 'a client gets no TLS 1.3');
like(talk('-tls1_2', '-cipher', "$dhe:\@SECLEVEL=1"), qr/ DH/, 'and small parameters');

$node->stop;
done_testing();

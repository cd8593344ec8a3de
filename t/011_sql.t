# The views on certificates, CRLs and status, against certificates made here.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/O=Example/CN=Test CA');
my $other_ca = $certs->make_ca('other_ca', subject => '/CN=Other CA');
my $intermediate = $certs->make_ca('intermediate', ca => $ca, subject => '/CN=Intermediate', days_left => 3000);
my $server = $certs->make_server('server', ca => $intermediate, chain => [$intermediate], days_left => 200,
	san => [ 'DNS:localhost', 'IP:127.0.0.1' ]);
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
my $node = ESG::Node->new('sql');
$node->setup(ca => $ca, server => $server,
	conf => "ext_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 0\n"
	  # what it meets with EXEC_BACKEND is what lies on disk
	  . (ESG::Node::exec_backend() ? 'ext_ssl_guard.self_probe = off' : ''));
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

my $serial = 0;
sub configure
{
	my (%settings) = @_;
	$serial++;
	$node->set_conf(%settings, 'ext_ssl_guard.alarm_repeat_interval' => 86400 + $serial . 's');
	$node->reload;
	$node->wait_sql("SELECT setting FROM pg_settings WHERE name = 'ext_ssl_guard.alarm_repeat_interval'",
		86400 + $serial, 20) eq 86400 + $serial or die 'the settings were not accepted';
	return;
}

# ---- certificates
is(sql('SELECT setting, position, kind, subject, issuer FROM ssl_guard_certificates'),
	join("\n", 'ssl_cert_file|1|server|CN=localhost|CN=Intermediate',
		'ssl_cert_file|2|chain|CN=Intermediate|CN=Test CA,O=Example',
		'ssl_ca_file|1|ca|CN=Test CA,O=Example|CN=Test CA,O=Example'),
	'the certificates of the server');
is(sql("SELECT serial_number, fingerprint FROM ssl_guard_certificates WHERE kind = 'server'"),
	"$server->{serial}|$server->{fingerprint}", 'serial number and fingerprint');
is(sql("SELECT common_name, alt_names, key_algorithm, key_bits, security_bits, signature_digest, is_ca, self_signed"
	. " FROM ssl_guard_certificates WHERE kind = 'server'"),
	'localhost|{DNS:localhost,IP:127.0.0.1}|EC|256|128|sha256|f|f', 'facts of the server certificate');
is(sql("SELECT is_ca, self_signed FROM ssl_guard_certificates WHERE kind = 'ca'"), 't|t', 'and of the CA');
is(sql("SELECT expires_in BETWEEN '199 days' AND '201 days', not_after - now() BETWEEN '199 days' AND '201 days'"
	. " FROM ssl_guard_certificates WHERE kind = 'server'"), 't|t', 'the time that is left');
is(sql("SELECT position, findings FROM ssl_guard_certificates WHERE findings <> '{}' OR severity <> 'ok'"), '',
	'a sound set-up has no finding');
is(sql('SELECT count(*) FROM ssl_guard_crls'), 0, 'no CRL');

# ---- extra files, the worst finding first
my $weak = $certs->make_server('weak', ca => $ca, key => 'rsa:1024', not_before => '19990101000000Z',
	not_after => '20000101000000Z');
configure('ext_ssl_guard.extra_files' => "$weak->{cert}, $weak->{cert}");
is(sql("SELECT setting, kind, findings @> '{weak_key,expired}', severity, expires_in < '0'"
	. " FROM ssl_guard_certificates WHERE path = '$weak->{cert}'"),
	'ext_ssl_guard.extra_files|extra|t|critical|t', 'a certificate among the extra files, once');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE object = '$weak->{cert}:1' AND code IN ('weak_key', 'expired')"),
	2, 'and its alarms');
configure('ext_ssl_guard.extra_files' => '');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE object LIKE '$weak->{cert}%'"), 0, 'cleared');

# ---- CRLs in a file
$certs->revoke($ca, $client);
my $crl = $certs->make_crl($ca, 'crl');
my $stale = $certs->make_crl($ca, 'stale', last_update => -20 * 86400, next_update => -86400);
$node->replace($crl, 'root.crl');
configure(ssl_crl_file => 'root.crl');
is(sql('SELECT setting, path, position, issuer, revoked_count, next_update > now(), expires_in > interval \'29 days\', findings, severity'
	. ' FROM ssl_guard_crls'),
	join('|', 'ssl_crl_file', $node->path('root.crl'), 1, 'CN=Test CA,O=Example', 1, 't', 't', '{}', 'ok'),
	'a CRL');
is(sql("SELECT crl_number ~ '^[0-9A-F]+\$' FROM ssl_guard_crls"), 't', 'its number');
is(sql("SELECT findings FROM ssl_guard_certificates WHERE kind = 'ca'"), '{}', 'its CA has a CRL');
$node->replace($stale, 'root.crl');
is(sql('SELECT findings, severity, expires_in < \'0\' FROM ssl_guard_crls'), '{crl_expired}|critical|t', 'a stale CRL');
is(sql("SELECT severity FROM ssl_guard_check() WHERE code = 'crl_expired'"), 'critical', 'and its alarm');
$node->replace($crl, 'root.crl');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE code = 'crl_expired'"), 0, 'a fresh one clears it');

# a CA without CRL
my $both = $certs->concat('both.crt', $ca->{cert}, $other_ca->{cert});
$node->replace($both, 'root.crt');
is(sql("SELECT position, findings FROM ssl_guard_certificates WHERE kind = 'ca'"), "1|{}\n2|{crl_missing}",
	'a CA without a CRL');
# OpenSSL also takes CRLs from the CA file
my $other_crl = $certs->make_crl($other_ca, 'other_crl');
$node->replace($certs->concat('with_crl.crt', $ca->{cert}, $other_ca->{cert}, $other_crl), 'root.crt');
is(sql("SELECT position, findings FROM ssl_guard_certificates WHERE kind = 'ca'"), "1|{}\n2|{}",
	'its CRL in the CA file');
is(sql("SELECT setting, issuer FROM ssl_guard_crls WHERE setting = 'ssl_ca_file'"), 'ssl_ca_file|CN=Other CA', 'is shown');
# the server's own
$certs->revoke($ca, $intermediate);
$node->replace($certs->make_crl($ca, 'own'), 'root.crl');
is(sql("SELECT findings FROM ssl_guard_crls WHERE setting = 'ssl_crl_file'"), '{crl_revokes_own}',
	'a CRL that revokes the chain of the server');
# a CRL file that holds none: not every CA is without CRL because of it
$node->replace($ca->{cert}, 'root.crl');
is(sql("SELECT findings FROM ssl_guard_files WHERE setting = 'ssl_crl_file' AND kind = 'crl'"), '{file_unparsable}',
	'a certificate in place of a CRL');
$node->replace($ca->{cert}, 'root.crt');
configure(ssl_crl_file => '');

# ---- CRLs in a directory
my $dir = $node->path('crls');
mkdir $dir, 0755 or die $!;
mkdir "$dir/subdirectory", 0755;
open(my $readme, '>', "$dir/README") or die $!;
print $readme "no CRL\n";
close $readme;
chomp(my $hash = `openssl crl -hash -noout -in '$crl'`);
$node->replace($crl, "crls/$hash.r0");
configure(ssl_crl_dir => 'crls');
is(sql('SELECT setting, path, findings FROM ssl_guard_crls'), "ssl_crl_dir|$dir/$hash.r0|{}", 'a CRL in ssl_crl_dir');
is(sql("SELECT findings FROM ssl_guard_certificates WHERE kind = 'ca'"), '{}', 'is found for its CA');
is(sql("SELECT setting, kind, findings FROM ssl_guard_files WHERE path = '$dir'"), 'ssl_crl_dir|crl_dir|{}', 'the directory');
is(sql("SELECT count(*) FROM ssl_guard_files WHERE path LIKE '$dir/%' AND severity <> 'ok'"), 0,
	'what is no CRL there does no harm');
rename "$dir/$hash.r0", "$dir/test.crl";
is(sql('SELECT path, findings FROM ssl_guard_crls'), "$dir/test.crl|{crl_not_hashed}", 'a CRL that OpenSSL does not find');
is(sql("SELECT findings FROM ssl_guard_certificates WHERE kind = 'ca'"), '{crl_missing}', 'is none');
rename "$dir/test.crl", "$dir/$hash.r01";
is(sql("SELECT findings FROM ssl_guard_certificates WHERE kind = 'ca'"), '{crl_missing}', 'nor is one with an odd number');
unlink "$dir/$hash.r01";
$node->replace($ca->{cert}, "crls/$hash.r0");
is(sql("SELECT findings FROM ssl_guard_files WHERE path = '$dir/$hash.r0'"), '{file_unparsable}',
	'a file with the name of a CRL that is none');
configure(ssl_crl_dir => 'no_such_directory');
is(sql("SELECT findings FROM ssl_guard_files WHERE setting = 'ssl_crl_dir' AND kind = 'crl_dir'"), '{file_missing}',
	'no such directory');
configure(ssl_crl_dir => '');

# ---- what is served, what is on disk
is($node->wait_sql('SELECT in_sync FROM ssl_guard_status'), 't', 'in sync');
is(sql("SELECT served_fingerprint, disk_fingerprint, served_not_after = (SELECT not_after FROM ssl_guard_certificates"
	. " WHERE kind = 'server') FROM ssl_guard_status"),
	"$server->{fingerprint}|$server->{fingerprint}|t", 'the certificate served and on disk');
my $renewed = $certs->make_server('renewed', ca => $ca);
my $offset = $node->log_end;
$node->replace($renewed->{cert}, 'server.crt');
$node->replace($renewed->{key}, 'server.key');
is(sql("SELECT severity FROM ssl_guard_check() WHERE code = 'reload_pending' AND object = 'server'"), 'warning',
	'replaced, but not reloaded');
is(sql('SELECT in_sync, served_fingerprint, disk_fingerprint, warnings FROM ssl_guard_status'),
	"f|$server->{fingerprint}|$renewed->{fingerprint}|1", 'not in sync');
like($node->log_since($offset), qr/served_fingerprint=$server->{fingerprint} disk_fingerprint=$renewed->{fingerprint}/,
	'the log has both fingerprints');
$node->reload;
is($node->wait_sql('SELECT in_sync FROM ssl_guard_status'), 't', 'reloaded');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'reload_pending'", '0'), '0', 'cleared');
my $broken = $certs->make_server('broken', ca => $ca);
$node->replace($broken->{key}, 'server.key');
$node->reload;
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'reload_failed'", '1'), '1', 'a key that does not fit');
is(sql('SELECT last_reload_ok, in_sync FROM ssl_guard_status'), 'f|t', 'the reload failed');
is(sql("SELECT count(*) FROM ssl_guard_check() WHERE code = 'reload_failed'"), 1, 'a check does not clear it');
$node->replace($renewed->{key}, 'server.key');
$node->reload;
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'reload_failed'", '0'), '0', 'a reload does');
is(sql('SELECT count(*), min(client_certificates), min(max_client_certificates), min(client_certificates_evicted), min(alarms_evicted)'
	. ' FROM ssl_guard_status'), '1|0|1000|0|0', 'one row of status');

# ---- the session's own certificate
my $bob = $certs->make_client('bob', ca => $ca, subject => '/CN=bob', san => ['email:bob@example.com']);
$node->safe_psql('postgres', 'CREATE ROLE bob LOGIN');
my ($ret, $out, $err) = $node->tcp_psql(
	'SELECT position, subject, alt_names, serial_number, fingerprint, severity FROM ssl_guard_session_certificate()',
	user => 'bob', client => $bob);
is($out, "1|CN=bob|{email:bob\@example.com}|$bob->{serial}|$bob->{fingerprint}|ok", 'the certificate of the session')
	or diag($err);
($ret, $out, $err) = $node->tcp_psql('SELECT count(*) FROM ssl_guard_session_certificate()', user => 'bob');
is($out, '0', 'no certificate, no row');
is(sql('SELECT count(*) FROM ssl_guard_session_certificate()'), '0', 'none without TLS');
($ret, $out, $err) = $node->tcp_psql('SELECT count(*) FROM ssl_guard_certificates', user => 'bob');
like($err, qr/permission denied/, 'the rest is not for everybody');

# ---- encodings: names that do not fit
my $name = $certs->make_cert('names', ca => $ca, subject => "/CN=Zo\xc3\xab \xe6\x97\xa5\xe6\x9c\xac \xe2\x82\xac \xf0\x9f\x94\x92");
my %shown = (
	UTF8 => '5a6fc3ab20e697a5e69cac20e282ac20f09f9492',
	# the bytes as they are
	SQL_ASCII => '5a6fc3ab20e697a5e69cac20e282ac20f09f9492',
	LATIN1 => unpack('H*', "Zo\xeb \\u65e5\\u672c \\u20ac \\U0001f512"),
	EUC_JP => unpack('H*', "Zo"));
configure('ext_ssl_guard.extra_files' => $name->{cert});
foreach my $encoding (sort keys %shown)
{
	my $db = 'db_' . lc $encoding;
	$node->safe_psql('postgres',
		"CREATE DATABASE $db ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($db, 'CREATE EXTENSION ext_ssl_guard');
	my $hex = lc $node->safe_psql($db,
		"SELECT encode(convert_to(common_name, '$encoding'), 'hex') FROM ssl_guard_certificates WHERE kind = 'extra'");
	like($hex, qr/^$shown{$encoding}/, "a name in $encoding");
	is($node->safe_psql($db,
			"SELECT (SELECT count(*) FROM ssl_guard_certificates) > 0, (SELECT count(*) FROM ssl_guard_files) > 0,"
			. ' (SELECT count(*) FROM ssl_guard_check()) >= 0, (SELECT count(*) FROM ssl_guard_alarms) >= 0'),
		't|t|t|t', "all views in $encoding");
	is($node->safe_psql($db, "SELECT common_name = (SELECT common_name FROM ssl_guard_inspect("
			. "pg_read_binary_file('$name->{cert}'))) FROM ssl_guard_certificates WHERE kind = 'extra'"),
		't', "inspect in $encoding");
}

# ---- names never break a line of the log
my $evil = $certs->make_cert('evil', ca => $ca, subject => "/CN=x\nLOG:  all is well", not_before => '20000101000000Z',
	not_after => '20010101000000Z');
$offset = $node->log_end;
configure('ext_ssl_guard.extra_files' => $evil->{cert});
sql('SELECT count(*) FROM ssl_guard_check()');
is($node->count_log(qr/^LOG:  all is well/, $offset), 0, 'a line break in a name does not reach the log');
is($node->count_log(qr/x\\x0aLOG:  all is well/i, $offset) > 0, 1, 'but is shown');

$node->stop;
done_testing();

# Each setting: what it takes and shows, what it refuses, and how it says so.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my %ca_of = (plain => '0123456789abcdef' x 4, other => 'fedcba9876543210' x 4, colons => join(':', ('01:23:45:67:89:AB:CD:EF') x 4));

# [name, default, [good value, as shown] ..., [bad value, pattern of the message]]
my @settings = (
	[ 'expire_alert_threshold', '90d', [ [ '1d', '1d' ], [ '3650d', '3650d' ], [ '48h', '2d' ] ],
		[ [ '23h', qr/outside the valid range/ ], [ '3651d', qr/outside/ ], [ 'soon', qr/invalid value/ ] ] ],
	[ 'expire_critical_threshold', '7d', [ [ '0', '0' ], [ '36h', '36h' ] ],
		[ [ '-1', qr/outside/ ], [ '3651d', qr/outside/ ] ] ],
	[ 'expire_alert_lifetime_percent', '25', [ [ '1', '1' ], [ '100', '100' ] ],
		[ [ '0', qr/outside/ ], [ '101', qr/outside/ ] ] ],
	[ 'expire_critical_lifetime_percent', '10', [ [ '1', '1' ], [ '100', '100' ] ],
		[ [ '0', qr/outside/ ], [ '101', qr/outside/ ] ] ],
	[ 'expire_check_interval', '1d', [ [ '0', '0' ], [ '1s', '1s' ], [ '1500ms', '2s' ], [ '2h', '2h' ] ],
		[ [ '-1', qr/outside/ ], [ '366d', qr/outside/ ], [ '0.9', qr/shortest interval is 1s/ ],
			[ '999ms', qr/shortest interval is 1s/ ], [ '1us', qr/shortest interval is 1s/ ] ] ],
	[ 'file_poll_interval', '1min', [ [ '0', '0' ], [ '1s', '1s' ] ],
		[ [ '25h', qr/outside/ ], [ '400ms', qr/shortest interval is 1s/ ] ] ],
	[ 'crl_alert_lifetime_percent', '5', [ [ '1', '1' ], [ '100', '100' ] ],
		[ [ '0', qr/outside/ ], [ '101', qr/outside/ ] ] ],
	[ 'crl_critical_lifetime_percent', '2', [ [ '1', '1' ], [ '100', '100' ] ],
		[ [ '0', qr/outside/ ], [ '101', qr/outside/ ] ] ],
	[ 'auto_reload', 'off', [ [ 'on', 'on' ] ], [ [ 'maybe', qr/Boolean/ ] ] ],
	[ 'posture_check', 'on', [ [ 'off', 'off' ] ], [ [ 'maybe', qr/Boolean/ ] ] ],
	[ 'self_probe', 'on', [ [ 'off', 'off' ] ], [ [ 'maybe', qr/Boolean/ ] ] ],
	[ 'learn_renewals', 'on', [ [ 'off', 'off' ] ], [ [ 'maybe', qr/Boolean/ ] ] ],
	[ 'alarm_repeat_interval', '1d', [ [ '1s', '1s' ] ], [ [ '0', qr/outside/ ], [ '366d', qr/outside/ ] ] ],
	[ 'alarm_command', '', [ [ 'exec /bin/true', 'exec /bin/true' ], [ '', '' ] ], [] ],
	[ 'alarm_command_timeout', '30s', [ [ '1s', '1s' ], [ '1h', '1h' ] ], [ [ '0', qr/outside/ ], [ '3601s', qr/outside/ ] ] ],
	[ 'min_security_bits', '112', [ [ '0', '0' ], [ '128', '128' ] ],
		[ [ '-1', qr/outside/ ], [ '257', qr/outside/ ] ] ],
	[ 'max_validity', '825d', [ [ '0', '0' ], [ '398d', '398d' ] ],
		[ [ '-1', qr/outside/ ], [ '18251d', qr/outside/ ] ] ],
	[ 'finding_overrides', '',
		[ [ 'no_alt_name=off, expired = Warning', 'no_alt_name=off, expired = Warning' ] ],
		[ [ 'expird=off', qr/Unknown finding code "expird"/ ],
			[ 'expired=fatal', qr/Unknown severity "fatal" of finding code "expired"/ ],
			[ 'expired=ok', qr/Unknown severity "ok"/ ],
			[ 'expired', qr/"expired" is not of the form code=severity/ ],
			[ 'expired=off,', qr/"" is not of the form/ ],
			[ 'expired=off,expired=notice', qr/"expired" is listed more than once/ ] ] ],
	[ 'file_permission_check', 'warn', [ [ 'off', 'off' ], [ 'ENFORCE', 'enforce' ] ],
		[ [ 'on', qr/Available values: off, warn, enforce/ ] ] ],
	# octal, whether or not it begins with a zero
	[ 'max_file_mode', '0644', [ [ '444', '0444' ], [ '0640', '0640' ], [ '0', '0000' ] ],
		[ [ '0888', qr/octal number from 0000 to 0777/ ], [ '1000', qr/octal/ ], [ '-1', qr/octal/ ],
			[ '', qr/octal/ ], [ '0x1ff', qr/octal/ ] ] ],
	[ 'max_key_file_mode', '0600', [ [ '400', '0400' ] ], [ [ 'rw', qr/octal/ ] ] ],
	[ 'extra_files', '', [ [ ' ', ' ' ], [ 'client:/a, "server:/b, c" ,ca: d,crl:e,key:f', 'client:/a, "server:/b, c" ,ca: d,crl:e,key:f' ],
			[ '"a""b"', '"a""b"' ], [ '/' . 'x' x 1022, '/' . 'x' x 1022 ], [ '/a/b.crt, "c, d.crt"', '/a/b.crt, "c, d.crt"' ] ],
		[ [ '/a,,/b', qr/List syntax/ ], [ '""', qr/List syntax/ ], [ '"x', qr/List syntax/ ], [ '"', qr/List syntax/ ],
			[ '"a""', qr/List syntax/ ], [ '/a,', qr/List syntax/ ], [ ',', qr/List syntax/ ], [ '"/a"b', qr/List syntax/ ],
			[ 'client:', qr/There is no path in "client:"/ ], [ '/a, "ca: "', qr/There is no path in "ca: "/ ],
			[ '/a, /' . 'x' x 1023, qr/A path must be shorter than 1024 bytes/ ] ] ],
	[ 'client_certificate_check', 'warn', [ [ 'off', 'off' ], [ 'enforce', 'enforce' ] ],
		[ [ 'yes', qr/Available values/ ] ] ],
	[ 'identity_check', 'off', [ [ 'warn', 'warn' ], [ 'enforce', 'enforce' ] ],
		[ [ '1', qr/Available values/ ] ] ],
	[ 'identity_sources', 'cn',
		[ [ 'URI, email,fingerprint', 'URI, email,fingerprint' ],
			[ join(',', map { sprintf('uri@%064x', $_) } 1 .. 100), join(',', map { sprintf('uri@%064x', $_) } 1 .. 100) ],
			[ "CN\@$ca_of{plain}, cn\@$ca_of{other}, uri", "CN\@$ca_of{plain}, cn\@$ca_of{other}, uri" ],
			[ "cn\@$ca_of{colons}", "cn\@$ca_of{colons}" ],
			[ 'cn,dn,dns,email,uri,upn,ip,serial,fingerprint', 'cn,dn,dns,email,uri,upn,ip,serial,fingerprint' ] ],
		[ [ 'name', qr/Unknown identity source "name"/ ], [ 'cn,cn', qr/"cn" is listed more than once\./ ],
			[ '', qr/At least one identity source/ ], [ 'cn,', qr/Unknown identity source ""/ ],
			[ "uri, name\@$ca_of{plain}", qr/Unknown identity source "name\@$ca_of{plain}"/ ],
			[ "uri, \@$ca_of{plain}", qr/Unknown identity source "\@$ca_of{plain}"/ ],
			[ "cn \@$ca_of{plain}", qr/Unknown identity source/ ],
			[ 'uri, cn@', qr/There is no fingerprint of a CA behind the "@" of identity source "cn@"\..*HINT:  Give its SHA-256: 64 hex/s ],
			[ "cn\@$ca_of{plain}0", qr/There is no fingerprint of a CA behind the "@" of identity source "cn\@$ca_of{plain}0"/ ],
			[ "cn\@ $ca_of{plain}", qr/There is no fingerprint/ ], [ 'cn@Example CA', qr/There is no fingerprint .* "cn\@Example CA"/ ],
			[ "cn\@$ca_of{plain}, uri, CN\@$ca_of{colons}", qr/"cn" is listed more than once with the same CA\./ ],
			[ "cn\@$ca_of{plain}, cn", qr/"cn" is listed both with a CA and without/ ],
			[ "cn, cn\@$ca_of{plain}", qr/"cn" is listed both with a CA and without/ ],
			[ join(',', map { sprintf('uri@%064x', $_) } 1 .. 101), qr/There are more than 100 identity sources/ ] ] ],
	[ 'identity_map', '', [ [ 'certmap', 'certmap' ] ], [] ],
	[ 'session_check', 'off', [ [ 'warn', 'warn' ], [ 'enforce', 'enforce' ] ], [ [ 'on', qr/Available values/ ] ] ],
	[ 'session_grace', '0', [ [ '90s', '90s' ], [ '1h', '1h' ] ], [ [ '-1', qr/outside/ ], [ '366d', qr/outside/ ] ] ],
	[ 'session_check_replication', 'off', [ [ 'on', 'on' ] ], [ [ 'maybe', qr/Boolean/ ] ] ],
	[ 'role_label_check', 'enforce', [ [ 'off', 'off' ], [ 'warn', 'warn' ] ], [ [ 'none', qr/Available values/ ] ] ],
	[ 'denied_certificates', '',
		[ [ " ", " " ], [ "$ca_of{plain} , $ca_of{colons}", "$ca_of{plain} , $ca_of{colons}" ],
			[ "0a:1B\@$ca_of{colons},$ca_of{plain},0A1B\@$ca_of{plain}", "0a:1B\@$ca_of{colons},$ca_of{plain},0A1B\@$ca_of{plain}" ] ],
		[ [ 'abc', qr/Entry 1, at character 1, is neither a SHA-256 fingerprint nor of the form serial\@fingerprint\./ ],
			[ "$ca_of{plain},", qr/Entry 2, at character 66, is empty\./ ],
			[ "$ca_of{plain}, 1g\@$ca_of{plain}", qr/Entry 2, at character 67, has no serial number of at most 47 hexadecimal digits before the "\@"\./ ],
			[ "$ca_of{plain}, 1\@$ca_of{plain}0", qr/Entry 2, at character 67, has no SHA-256 fingerprint of an issuer behind the "\@"\..*HINT:  Give SHA-256/s ] ] ],
	[ 'exempt_roles', '', [ [ 'root, "Big Role"', 'root, "Big Role"' ] ],
		[ [ 'a b', qr/List syntax/ ], [ '"x', qr/List syntax/ ] ] ],
	[ 'passphrase_directory', '', [ [ '/srv/pg', '/srv/pg' ] ], [] ],
	[ 'max_client_certificates', '1000', [ [ '10', undef ], [ '500', undef ] ],
		[ [ '9', qr/outside/ ], [ 'many', qr/invalid value/ ] ] ],
	[ 'max_transport_entries', '200', [ [ '10', undef ], [ '500', undef ] ],
		[ [ '9', qr/outside/ ], [ '10001', qr/outside/ ] ] ],
	[ 'save_client_certificates', 'on', [ [ 'off', 'off' ] ], [ [ 'maybe', qr/Boolean/ ] ] ]);

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server);
$node->start;

sub alter
{
	my ($name, $value) = @_;

	return $node->psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.$name = '$value'");
}

sub show
{
	return $node->safe_psql('postgres', "SHOW ext_ssl_guard.$_[0]");
}

# A new session sees what the postmaster read.
sub reload
{
	$node->reload;
	$node->wait_sql("SELECT pg_conf_load_time() > '$_[0]'");
	return;
}

foreach my $setting (@settings)
{
	my ($name, $default, $good, $bad) = @$setting;

	is(show($name), $default, "$name: default");
	foreach my $case (@$bad)
	{
		my ($status, $out, $err) = alter($name, $case->[0]);

		like($err, $case->[1], "$name: \"$case->[0]\" is refused");
	}
	foreach my $case (@$good)
	{
		my ($status, $out, $err) = alter($name, $case->[0]);

		is("$status$err", '0', "$name: \"$case->[0]\" is taken");
	}
}

# the last good value of each stands in postgresql.auto.conf
my $before = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');
my $offset = $node->log_end;
reload($before);
foreach my $setting (@settings)
{
	my ($name, $default, $good) = @$setting;
	my $shown = $good->[-1][1];

	is(show($name), $shown, "$name: shows \"$shown\" after a reload") if defined $shown;
}
like($node->log_since($offset), qr/"ext_ssl_guard.max_client_certificates" cannot be changed without restarting/,
	'the size of the registry is fixed at start');

my @unknown = map { $_->[0] } grep { my $row = $_; !grep { $_->[0] eq $row->[0] } @settings }
  map { [$_] } split /\n/, $node->safe_psql('postgres',
	"SELECT substr(name, 15) FROM pg_settings WHERE name LIKE 'ext_ssl_guard.%' ORDER BY name");
is("@unknown", '', 'every setting is tested here');
is($node->safe_psql('postgres',
		"SELECT string_agg(name, ' ') FROM pg_settings WHERE name LIKE 'ext_ssl_guard.%' AND context NOT IN ('sighup', 'postmaster')"),
	'', 'no setting can be changed by a session');

foreach my $statement ("SET ext_ssl_guard.identity_check = off", "SET ext_ssl_guard.identity_chek = off")
{
	my ($status, $out, $err) = $node->psql('postgres', $statement);

	isnt($status, 0, "$statement: refused");
}

# critical above alert: said once for each change, and the lower value counts
$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');
$node->restart;
my $crossed = qr/"ext_ssl_guard.expire_critical_threshold" exceeds "ext_ssl_guard.expire_alert_threshold"/;
$offset = $node->log_end;
alter('expire_critical_threshold', '100d');
$node->reload;
my $end = $node->wait_log($crossed, $offset);
$before = $node->safe_psql('postgres', 'SELECT last_check_at FROM ssl_guard_status');
$node->reload;
$node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status");
is($node->count_log($crossed, $offset), 1, 'crossed thresholds are logged once');
alter('expire_critical_threshold', '101d');
$node->reload;
$node->wait_log($crossed, $end);
pass('and again after a change');

$node->stop;
done_testing();

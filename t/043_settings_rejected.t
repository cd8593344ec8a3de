# A setting that cannot be accepted: the server does not start with it, and at
# a reload an alarm stands until it is mended.  Settings that name what is not
# there.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');
my $marker = 0;

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca));
$node->start;
$node->stop;
my $good_conf = ESG::Certs::slurp($node->path('postgresql.conf'));

sub spew { ESG::Certs::spew($node->path('postgresql.conf'), $good_conf . join("\n", @_, '')); }

# --- at start ---------------------------------------------------------------------

# [line, what FATAL says, and with it what is allowed]
foreach my $case (
	[ "identity_check = enforced", qr/invalid value for parameter "ext_ssl_guard.identity_check": "enforced"/,
		qr/HINT:  Available values: off, warn, enforce\./ ],
	[ "expire_alert_threshold = '5000d'", qr/outside the valid range for parameter "ext_ssl_guard.expire_alert_threshold"/,
		qr/86400 s? ?\.\. 315360000|86400 \.\. 315360000/ ],
	[ "min_security_bits = many", qr/invalid value for parameter "ext_ssl_guard.min_security_bits": "many"/, qr/./ ],
	[ "save_client_certificates = maybe", qr/parameter "ext_ssl_guard.save_client_certificates" requires a Boolean value/, qr/./ ],
	[ "max_client_certificates = 3", qr/3 is outside the valid range for parameter "ext_ssl_guard.max_client_certificates" \(10 \.\. 100000\)/, qr/./ ],
	[ "identity_sources = 'cn,name'", qr/invalid value for parameter "ext_ssl_guard.identity_sources": "cn,name"/,
		qr/DETAIL:  Unknown identity source "name"\.\n.*HINT:  Valid values are "cn"/ ],
	[ "identity_sources = 'uri,cn\@9f86'", qr/invalid value for parameter "ext_ssl_guard.identity_sources": "uri,cn\@9f86"/,
		qr/DETAIL:  There is no fingerprint of a CA behind the "\@" of identity source "cn\@9f86"\.\n.*HINT:  Give its SHA-256/ ],
	[ "max_file_mode = 0999", qr/invalid value for parameter "ext_ssl_guard.max_file_mode"/, qr/octal number from 0000 to 0777/ ],
	[ "finding_overrides = 'expird=off'", qr/invalid value for parameter "ext_ssl_guard.finding_overrides"/, qr/Unknown finding code "expird"/ ],
	[ "denied_certificates = '9f86'", qr/invalid value for parameter "ext_ssl_guard.denied_certificates": "9f86"/,
		qr/DETAIL:  Entry 1, at character 1, is neither a SHA-256 fingerprint.*\n.*HINT:  Give SHA-256 fingerprints/ ],
	[ "identity_chek = enforce", qr/unrecognized configuration parameter "ext_ssl_guard.identity_chek"/, qr/./ ])
{
	my ($line, $fatal, $allowed) = @$case;
	my $offset = $node->log_end;

	spew("ext_ssl_guard.$line");
	is($node->start(fail_ok => 1), 0, "$line: the server does not start");
	like($node->log_since($offset), qr/FATAL:  [^\n]*$fatal/, "$line: FATAL names setting and value");
	like($node->log_since($offset), $allowed, "$line: and says what is allowed");
}

# the last line for a setting counts, as it does for core
spew('ext_ssl_guard.identity_check = enforced', 'ext_ssl_guard.identity_check = Enforce', "ext_ssl_guard.file_poll_interval = '2min'");
is($node->start, 1, 'a bad line that is overruled does no harm');
is($node->safe_psql('postgres', 'SHOW ext_ssl_guard.identity_check'), 'enforce', 'the good one counts');
is($node->safe_psql('postgres', 'SHOW ext_ssl_guard.file_poll_interval'), '2min', 'and so do others');
$node->stop;
is(system("LC_ALL=C postgres -D '" . $node->data_dir . "' -C ext_ssl_guard.no_such 2>/dev/null >/dev/null") ? 1 : 0, 1, 'postgres -C is left to core');

# without the library nobody minds
ESG::Certs::spew($node->path('postgresql.conf'),
	$good_conf . "shared_preload_libraries = ''\next_ssl_guard.identity_check = enforced\n");
is($node->start, 1, 'not preloaded: starts');
$node->psql('postgres', "LOAD 'ext_ssl_guard'");
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'and a session that loads it by itself does no harm');
is(($node->psql('postgres', 'SELECT count(*) FROM ssl_guard_findings'))[0], 0, 'nor one that uses it');
$node->stop;

# --- at reload --------------------------------------------------------------------

sub reload
{
	spew(@_, "esg_test.marker = '" . ++$marker . "'");
	$node->reload;
	$node->wait_sql('SHOW esg_test.marker', $marker);
	return;
}

sub alarms
{
	my ($expected) = @_;

	return $node->wait_sql(q{SELECT coalesce(string_agg(code || ' ' || severity || ' ' || object, '; ' ORDER BY code, object), '')
		FROM ssl_guard_alarms WHERE code IN ('setting_rejected', 'identity_map_empty', 'exempt_role_unknown')}, $expected, 15);
}

spew('ext_ssl_guard.identity_check = warn');
$node->start;
is(alarms(''), '', 'nothing is rejected');
my $offset = $node->log_end;
reload('ext_ssl_guard.identity_check = enforced', 'ext_ssl_guard.no_such = 1', "ext_ssl_guard.alarm_repeat_interval = '2d'");
is(alarms('setting_rejected critical ext_ssl_guard.identity_check; setting_rejected critical ext_ssl_guard.no_such'),
	'setting_rejected critical ext_ssl_guard.identity_check; setting_rejected critical ext_ssl_guard.no_such',
	'two alarms');
is($node->safe_psql('postgres', 'SHOW ext_ssl_guard.identity_check'), 'warn', 'the old value stays');
like($node->log_since($offset),
	qr/DETAIL:  code=setting_rejected severity=critical line=\d+ reason="invalid value for parameter \\"ext_ssl_guard.identity_check\\": \\"enforced\\"\. Available values: off, warn, enforce\." file=\S*postgresql\.conf/,
	'with line, reason, what is allowed, and file');
reload('ext_ssl_guard.identity_check = enforced');
is(alarms('setting_rejected critical ext_ssl_guard.identity_check'), 'setting_rejected critical ext_ssl_guard.identity_check',
	'one is mended, one stands');
is($node->count_log(qr/DETAIL:  code=setting_rejected severity=critical line/, $offset), 2, 'and is not logged again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check() WHERE code = $$setting_rejected$$'), '1', 'a check leaves it');
reload('ext_ssl_guard.identity_check = enforce');
is(alarms(''), '', 'mended');
is($node->count_log(qr/DETAIL:  code=setting_rejected severity=critical cleared=yes/, $offset), 2, 'and cleared');

# a reload that core refuses as a whole takes nothing back, and says nothing new
reload('ext_ssl_guard.identity_check = enforced');
alarms('setting_rejected critical ext_ssl_guard.identity_check');
spew('this is no configuration');
$node->reload;
sleep 1;
is(alarms('setting_rejected critical ext_ssl_guard.identity_check'), 'setting_rejected critical ext_ssl_guard.identity_check',
	'a file that cannot be read clears nothing');
reload();
is(alarms(''), '', 'mended again');
$node->safe_psql('postgres', q{ALTER SYSTEM SET ext_ssl_guard.identity_check = 'warn'});
ESG::Certs::spew($node->path('postgresql.auto.conf'), "ext_ssl_guard.identity_check = 'perhaps'\n");
reload('ext_ssl_guard.identity_check = enforce');
is(alarms('setting_rejected critical ext_ssl_guard.identity_check'), 'setting_rejected critical ext_ssl_guard.identity_check',
	'postgresql.auto.conf overrules');
ESG::Certs::spew($node->path('postgresql.auto.conf'), '');

# --- what is not there ------------------------------------------------------------

ESG::Certs::spew($node->path('pg_ident.conf'), "# empty no no\nmap app app\n\"quoted map\" a b\n");
reload('ext_ssl_guard.identity_check = warn', "ext_ssl_guard.identity_map = 'empty'");
is(alarms('identity_map_empty warning empty'), 'identity_map_empty warning empty', 'a map without lines');
ESG::Certs::spew($node->path('pg_ident.conf'), "map app app\n\"quoted map\" a b\nempty a b\n");
reload('ext_ssl_guard.identity_check = warn', "ext_ssl_guard.identity_map = 'empty'");
is(alarms(''), '', 'it has one now');
reload('ext_ssl_guard.identity_check = warn', "ext_ssl_guard.identity_map = 'Empty'");
is(alarms('identity_map_empty warning Empty'), 'identity_map_empty warning Empty', 'another name');
reload('ext_ssl_guard.identity_check = warn', "ext_ssl_guard.identity_map = 'quoted map'");
is(alarms(''), '', 'a name with a space');
unlink $node->path('pg_ident.conf');
reload('ext_ssl_guard.identity_check = warn', "ext_ssl_guard.identity_map = 'map'");
is(alarms('identity_map_empty warning map'), 'identity_map_empty warning map', 'no file');
reload('ext_ssl_guard.identity_check = off', "ext_ssl_guard.identity_map = 'map'");
is(alarms(''), '', 'the check is off');

reload(q{ext_ssl_guard.exempt_roles = 'postgres, nobody_here, "Big"'});
is($node->safe_psql('postgres', q{SELECT string_agg(object, ',' ORDER BY object) FROM ssl_guard_check() WHERE code = 'exempt_role_unknown'}),
	'role "Big",role "nobody_here"', 'exempt roles that do not exist');
$node->safe_psql('postgres', 'CREATE ROLE nobody_here; CREATE ROLE "Big"');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ssl_guard_check() WHERE code = 'exempt_role_unknown'}),
	'0', 'and are cleared when they do');
is($node->count_log(qr/DETAIL:  code=exempt_role_unknown severity=warning cleared=yes/, $offset), 2, 'says the log');

$node->stop;
done_testing();

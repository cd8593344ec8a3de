# ssl_guard_hba: the lines as core parses them, what is wrong with each, and the
# same as alarms, without a secret of the file and without waiting for anything.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');
$node->setup(ca => $ca, server => $server, conf => 'ext_ssl_guard.file_poll_interval = 0');
$node->start;

my $includes = $node->pg_version->major >= 16;
# with EXEC_BACKEND each backend loads the files, and nobody gets in if it cannot
my $loads = ESG::Node::exec_backend();
my $ldap = `'$ENV{PG_CONFIG}' --configure` =~ /--with-ldap\b/;
my $marker = 0;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The lines of both files, and all alarms judged by them.
sub install
{
	my ($hba, $ident) = @_;

	$node->set_hba(@$hba);
	ESG::Certs::spew($node->path('pg_ident.conf'), map { "$_\n" } @{ $ident // [] });
	return;
}

sub findings
{
	return sql("SELECT coalesce(string_agg(line_number || ' ' || array_to_string(findings, ','), '; ' ORDER BY file_name, line_number), '')
	            FROM ssl_guard_hba WHERE findings <> '{}'");
}

sub alarms
{
	return sql("SELECT coalesce(string_agg(severity || ' ' || code || ' ' || regexp_replace(object, '.*/', ''), '; ' ORDER BY code), '') FROM ssl_guard_check()");
}

# ---- as core parses them
my @many = (
	'# a comment', '', 'local replication all peer',
	'host "all",b sameuser,+staff 10.0.0.0/8 md5',
	'host all all 10.1.0.0 255.255.0.0 scram-sha-256',
	'hostssl samerole alice ::1/128 cert map=users', 'hostnossl all all samenet reject',
	'host all all db.test ldap ldapserver=ldap.test ldapbasedn="dc=secret" ldapbindpasswd=topsecret',
	'host nothing all all radius radiusservers=127.0.0.1 radiussecrets=topsecret', 'hostssl all all bogus',
	'host topsecret all 10.0.0.0/33 md5');
@many = grep { !/radius/ } @many if $node->pg_version->major >= 19;
@many = grep { !/bogus|\/33/ && ($ldap || !/ldap/) } @many if $loads;
install(\@many, ['users /^(.*)$ \1']);
my $core = "SELECT line_number, type, database, user_name, auth_method FROM pg_hba_file_rules WHERE error IS NULL ORDER BY 1";
my $ours = "SELECT line_number, type, database, user_name, auth_method FROM ssl_guard_hba WHERE type <> 'map' ORDER BY 1";
is(sql($ours), sql($core), 'the lines that core shows, with type, names and method');
is(sql("SELECT string_agg(line_number::text, ',' ORDER BY line_number) FROM ssl_guard_hba WHERE type IS NULL"),
	sql("SELECT string_agg(line_number::text, ',' ORDER BY line_number) FROM pg_hba_file_rules WHERE error IS NOT NULL"),
	'those that core cannot parse, without their text');
is(sql("SELECT string_agg(coalesce(address, '-'), ' ' ORDER BY line_number) FROM ssl_guard_hba WHERE type <> 'map'"),
	'- - 10.0.0.0/8 10.1.0.0/16 ::1/128 samenet' . ($ldap ? ' db.test' : '') . ($node->pg_version->major >= 19 ? '' : ' all'), 'addresses');
unlike(sql('SELECT string_agg(h::text, chr(10)) FROM ssl_guard_hba h'), qr/secret/, 'no secret is shown');
unlike(sql('SELECT string_agg(a::text, chr(10)) FROM ssl_guard_check() a'), qr/secret/, 'nor in an alarm');
sql('CREATE ROLE watcher; GRANT pg_monitor TO watcher; CREATE ROLE nobody_special');
is(sql("SET ROLE watcher; SELECT count(*) > 5 FROM ssl_guard_hba"), 't', 'pg_monitor may read it');
like(($node->psql('postgres', 'SET ROLE nobody_special; SELECT 1 FROM ssl_guard_hba'))[2], qr/permission denied/, 'others may not');

# ---- findings, in the view and as alarms
my @good = ('host all all 127.0.0.1/32 scram-sha-256', 'hostssl all all all scram-sha-256');
my @cases = (
	[ 'hba_plaintext', 'warning', 'host all all 10.0.0.0/8 scram-sha-256' ],
	[ 'hba_trust', 'critical', 'hostssl all all 10.0.0.0/8 trust' ],
	[ 'hba_any_certificate', 'notice', 'hostssl all all 10.0.0.0/8 password clientcert=verify-ca' ],
	[ 'hba_md5', 'notice', 'hostssl all all 10.0.0.0/8 md5' ],
	[ 'hba_map_empty', 'warning', 'hostssl all all 10.0.0.0/8 cert map=nothing' ],
	[ 'hba_unparsable', 'critical', 'hostssl all all 10.0.0.0/8 nonsense' ],
	[ 'hba_never_matches', 'warning', 'host all all 127.0.0.1/32 scram-sha-256', 'last' ],
);
@cases = grep { $_->[0] ne 'hba_unparsable' } @cases if $loads;
install(\@good);
is(findings() . alarms(), '', 'ordinary lines: nothing');
foreach my $case (@cases)
{
	my ($code, $severity, $line, $last) = @$case;

	install($last ? [ @good, $line ] : [ $line, @good ]);
	is(findings(), ($last ? 4 : 2) . " $code", "$code in the view");
	is(alarms(), "$severity $code pg_hba.conf", "$code is an alarm");
	is(sql("SELECT count(*) FROM ssl_guard_hba h JOIN ssl_guard_findings f ON f.code = '$code' AND f.hint = h.hint WHERE h.severity = '$severity'"),
		1, "$code has its hint");
	install(\@good);
	is(alarms(), '', "$code is gone");
}
install([ 'hostssl all all all scram-sha-256', 'host all all 10.0.0.0/8 password' ]);
is(findings(), '3 hba_cleartext_password,hba_plaintext,hba_fallback', 'password in clear text behind a hostssl line');
install(\@good, [ 'users /alice bob', 'users alice bob' ]);
is(alarms(), 'warning ident_unanchored pg_ident.conf', 'an expression without anchors');
is(findings(), '1 ident_unanchored', 'in its line');
install(\@good, ['users alice bob']);
is(alarms(), '', 'and none without expression');

# ---- hundreds of lines are one alarm
install([ map { "hostssl d$_ all 10.0.0.0/8 trust" } 1 .. 700 ]);
is(alarms(), 'critical hba_trust pg_hba.conf', 'seven hundred lines: one alarm');
like(sql("SELECT message FROM ssl_guard_alarms"), qr/\(line 2, 3, 4, 5, 6 and 695 more\)$/, 'which names the first ones and the number');
is(sql("SELECT count(*) FROM ssl_guard_hba WHERE findings = '{hba_trust}'"), 700, 'and each has its row');
install([ map { "hostssl d$_ all 10.0.0.0/8 trust" } 1 .. 2 ]);

# ---- the worker finds it by itself, at a reload, without a database
install([ 'hostssl all all 10.0.0.0/8 trust', @good ]);
$node->reload;
is($node->wait_sql("SELECT string_agg(code, ' ') FROM ssl_guard_alarms", 'hba_trust'), 'hba_trust', 'the worker, at a reload');
$node->apply('ext_ssl_guard.finding_overrides' => 'hba_trust=off');
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'switched off');
is(findings(), '', 'in the view, too');
$node->apply('ext_ssl_guard.finding_overrides' => '');
install(\@good);
is(alarms(), '', 'mended');

# ---- nothing that is named in the file is waited for, or taken into memory
sub unreadable
{
	my ($what) = @_;

	is(sql("SET statement_timeout = '20s'; SELECT line_number, severity, findings FROM ssl_guard_hba WHERE type IS NULL OR type <> 'map'"),
		'0|critical|{hba_unparsable}', "$what: one row");
	is(sql("SET statement_timeout = '20s'; SELECT code FROM ssl_guard_check()"), 'hba_unparsable', "$what: an alarm");
	return;
}

my $list = $node->path('list');
my @names = ('host @list all 127.0.0.1/32 scram-sha-256', $includes ? ('include list', 'include_if_exists "list"') : ());
my $hba = $node->path('pg_hba.conf');
SKIP:
{
	skip 'EXEC_BACKEND: each backend would wait for who writes into it, and lets nobody in if it cannot read the file', 6 * @names + 4 if $loads;
	foreach my $line (@names)
	{
		install([$line]);
		mkfifo($list, 0600) or die $!;
		unreadable("$line: a FIFO");
		unlink $list;
		symlink '/dev/zero', $list or die $!;
		unreadable("$line: a device");
		unlink $list;
		open(my $out, '>', $list) or die $!;
		truncate($out, 100 << 20) or die $!;
		close $out;
		unreadable("$line: a hundred megabytes");
		unlink $list;
	}
	unlink $hba;
	unreadable('no pg_hba.conf');
	mkfifo($hba, 0600) or die $!;
	unreadable('a FIFO as pg_hba.conf');
	unlink $hba;
}

# ---- what is included
ESG::Certs::spew($list, "a\nb\n");
install(['host @list all 127.0.0.1/32 scram-sha-256']);
is(sql("SELECT database FROM ssl_guard_hba WHERE line_number = 2"), '{a,b}', 'a list of databases');
SKIP:
{
	skip 'include came with PostgreSQL 16', 2 unless $includes;
	ESG::Certs::spew($list, "\nhostssl all all 10.0.0.0/8 trust\n");
	install(['include list']);
	is(sql("SELECT regexp_replace(file_name, '.*/', ''), line_number, findings FROM ssl_guard_hba WHERE type <> 'local' AND type <> 'map'"),
		'list|2|{hba_trust}', 'an included file');
	is(alarms(), 'critical hba_trust list', 'whose alarm it is');
}
install(\@good);
is(alarms(), '', 'nothing is left');

$node->stop;
done_testing();

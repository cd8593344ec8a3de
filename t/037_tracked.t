# What the registry says of alarms and logins: an alarm is cleared when
# something was mended, and not when its entry gave way; what counts as a login;
# names of roles in any encoding.

use strict;
use warnings;

use Test::More;

use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $good = $certs->make_client('good', ca => $ca);
my @ending = map { $certs->make_client("ending$_", ca => $ca, days_left => 3) } 0 .. 10;
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.max_client_certificates = 10",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;

sub query { return $node->safe_psql('postgres', $_[0]); }

# how many got in
sub logins
{
	my ($client, @roles) = @_;

	return scalar grep { ($node->tcp_psql('SELECT 1', user => $_, client => $client))[0] == 0 } @roles;
}

sub alarms_of { return "SELECT count(*) FROM ssl_guard_alarms WHERE object = 'client:$_[0]{fingerprint}'"; }

# two reviews of the registry have certainly begun and ended since
sub wait_review { sleep 2.5; return; }

query(join(';', map { "CREATE ROLE r$_ LOGIN" } 0 .. 12));

# Entries with a standing alarm give way last.
my $offset = $node->log_end;
is(logins($ending[0], 'r0'), 1, 'a certificate near its end');
is(query(alarms_of($ending[0])), 1, 'alarms');
is(logins($good, map { "r$_" } 1 .. 12), 12, 'then more good ones than there are places');
is(query('SELECT client_certificates, client_certificates_evicted FROM ssl_guard_status'), '10|3', 'three gave way');
is(query("SELECT logins FROM ssl_guard_client_certificates WHERE fingerprint = '$ending[0]{fingerprint}'"), 1,
	'the one with an alarm did not');
wait_review();
is(query(alarms_of($ending[0])), 1, 'its alarm stands');

# A certificate that was judged while idle, too; over a restart as well.
my $gone = qr/alarm (?:cleared|no longer tracked): client certificate/;
$node->apply('ext_ssl_guard.finding_overrides' => 'expires_very_soon=off');
is($node->wait_sql(alarms_of($ending[0]), 0), 0, 'regraded to off');
is($node->count_log(qr/alarm cleared: client certificate "CN=ending0"/, $offset), 1, 'is cleared');
is($node->count_log(qr/no longer tracked/, $offset), 0, 'and tracked');
$node->apply('ext_ssl_guard.finding_overrides' => '');
is($node->wait_sql(alarms_of($ending[0]), 1), 1, 'regraded again: raised by the worker');
wait_review();
$node->restart;
$offset = $node->log_end;
is(logins($good, map { "r$_" } 1 .. 12), 12, 'again more good ones than there are places');
wait_review();
is(query(alarms_of($ending[0])), 1, 'the alarm stands');
is($node->count_log($gone, $offset), 0, 'and nothing else is said of it');

# More of them than there are places: the first one is not known any more.
$offset = $node->log_end;
is(logins($ending[$_], 'r1'), 1, "another one near its end, $_") foreach 1 .. 10;
is($node->wait_sql(alarms_of($ending[0]), 0), 0, 'the first one has given way, and its alarm with it');
$node->wait_log(qr/LOG:  alarm no longer tracked: client certificate "CN=ending0" expires in .*\n.*DETAIL:  code=expires_very_soon severity=critical tracked=no object=client:$ending[0]{fingerprint}/, $offset);
is($node->count_log($gone, $offset), 1, 'nothing is called cleared');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE 'client:%'"), 10, 'the others stand');

# Renewed: cleared.  Forgotten by the administrator: not.
$offset = $node->log_end;
my $renewed = $certs->make_client('renewed', ca => $ca, subject => '/CN=ending5');
is(logins($renewed, 'r1'), 1, 'a renewed one');
is($node->wait_sql(alarms_of($ending[5]), 0), 0, 'its predecessor\'s alarm goes');
is($node->count_log(qr/alarm cleared: client certificate "CN=ending5"/, $offset), 1, 'as cleared');
$offset = $node->log_end;
my $standing = query("SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE 'client:%'");
query('SELECT ssl_guard_reset_client_certificates()');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE 'client:%'", 0), 0, 'the registry is emptied');
is($node->count_log(qr/no longer tracked: client certificate/, $offset), $standing, 'that is no mending');
is($node->count_log(qr/alarm cleared/, $offset), 0, 'none is called cleared');

# What counts as a login: the server looks after us whether it can be one.
is(logins($good, 'r1'), 1, 'a login');
isnt(($node->tcp_psql('SELECT 1', user => 'r1', client => $good, dbname => 'nowhere'))[0], 0, 'no such database');
query('ALTER ROLE r1 CONNECTION LIMIT 0');
is(logins($good, 'r1'), 0, 'no connection left');
query('ALTER ROLE r1 NOLOGIN');
is(logins($good, 'r1'), 0, 'no login');
is(query("SELECT logins, denials FROM ssl_guard_client_certificates WHERE role_name = 'r1'"), '3|0',
	'authenticated three times as a role that may log in');
like(query("SELECT col_description('ssl_guard_client_certificates'::regclass, attnum) FROM pg_attribute
	WHERE attrelid = 'ssl_guard_client_certificates'::regclass AND attname = 'logins'"),
	qr/authenticated.*the server may have refused/, 'as the comment says');

# A role from a database with another encoding.
my $latin = "j\xf6rg";
my $utf = "j\xc3\xb6rg";
my %database = (utf8 => 'UTF8', latin1 => 'LATIN1', plain => 'SQL_ASCII');
foreach my $name (sort keys %database)
{
	query("CREATE DATABASE $name TEMPLATE template0 ENCODING '$database{$name}' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($name, 'CREATE EXTENSION ext_ssl_guard');
}
$node->apply('ext_ssl_guard.identity_check' => 'warn');
query('SELECT ssl_guard_reset_client_certificates()');
{
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';
	$node->safe_psql('plain', qq{CREATE ROLE "$_" LOGIN}) foreach $latin, $utf;
	is(logins($good, $latin, $utf), 2, 'roles whose names are Latin-1 and UTF-8');
}
my $names = "SELECT encode(convert_to(role_name, getdatabaseencoding()), 'escape') FROM ssl_guard_client_certificates ORDER BY role_name COLLATE \"C\"";
sub as_escape { return $_[0] =~ s/\\/\\\\/gr =~ s/([\x80-\xff])/sprintf('\\%03o', ord $1)/ger; }
is($node->safe_psql('utf8', $names), join("\n", map { as_escape($_) } 'j\xf6rg', $utf), 'UTF8: what is not valid is escaped');
is($node->safe_psql('latin1', $names), join("\n", map { as_escape($_) } $utf, $latin), 'LATIN1: all bytes are valid');
is($node->safe_psql('plain', $names), join("\n", map { as_escape($_) } $utf, $latin), 'SQL_ASCII: all bytes are valid');
foreach my $name (sort keys %database)
{
	my $expected = $name eq 'utf8' ? 1 : 2;

	is($node->safe_psql($name, 'SELECT count(*) FROM ssl_guard_client_certificates c JOIN pg_roles r ON r.rolname = c.role_name'),
		$expected, "$name: those that are valid are the roles' names");
	is($node->safe_psql($name, "SELECT count(*) FROM ssl_guard_alarms WHERE code = 'identity_mismatch' AND object || message || hint <> ''"),
		2, "$name: alarms");
}
is($node->safe_psql('utf8', q{SELECT object ~ 'j\\\\xf6rg' AND message ~ 'j\\\\xf6rg' FROM ssl_guard_alarms WHERE code = 'identity_mismatch' AND object ~ 'xf6'}),
	't', 'their names are escaped, too');

$node->stop;
done_testing();

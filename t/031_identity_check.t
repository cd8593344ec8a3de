# ssl_guard_identity_check(): the dry run gives the login's answer.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/O=Example/CN=Prod CA');
my $server = $certs->make_server('server', ca => $ca);
my $job = $certs->make_client(
	'job',
	ca => $ca,
	subject => "/O=Example/CN=J\xc3\xb6b",
	serial => '0A1B',
	san => [ 'URI:spiffe://prod/billing', 'email:billing@example.com', 'DNS:billing' ]);
# a subjectAltName that breaks off
my $broken = $certs->make_client('broken', ca => $ca,
	extensions => ['2.5.29.17=DER:30:05:82:09:61:62:63']);
my $tab = $certs->make_client('tab', ca => $ca, subject => "/CN=bill\ting");
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $server,
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);

sub spew
{
	my ($path, @lines) = @_;

	open(my $out, '>', $path) or die "$path: $!";
	print $out join("\n", @lines), "\n";
	close $out;
}

sub write_map { spew($node->path('pg_ident.conf'), @_); }

sub apply
{
	my (%settings) = @_;

	$node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

# the rows, or the error
sub check
{
	my ($role, $cert, %options) = @_;
	my $pem = ref $cert ? "pg_read_file('$cert->{cert}')" : "'$cert'";
	my ($status, $out, $err) = $node->psql($options{dbname} // 'postgres',
		"SELECT source, identity, matched, rule FROM ssl_guard_identity_check('$role', $pem)");

	return $status == 0 ? $out : $err;
}

sub decision
{
	my @rows = split /\n/, check(@_);

	return (split /\|/, $rows[-1])[2];
}

sub login
{
	my ($user, $client) = @_;
	my ($status) = $node->tcp_psql('SELECT 1', user => $user, client => $client);

	return $status == 0 ? 't' : 'f';
}

$node->start;
$node->safe_psql('postgres',
	'CREATE ROLE billing LOGIN; CREATE ROLE other LOGIN; CREATE ROLE watcher; GRANT pg_monitor TO watcher');
apply(identity_sources => 'cn, dns, uri, serial');

is(check('billing', $job), <<"ROWS" =~ s/\n\z//r, 'every candidate, then the decision');
cn|J\xc3\xb6b|f|differs from the role name
dns|billing|t|equals the role name
uri|spiffe://prod/billing|f|differs from the role name
serial|0A1B/CN=Prod CA,O=Example|f|differs from the role name
decision||t|dns "billing" equals the role name
ROWS
is((split /\n/, check('other', $job))[-1],
	'decision||f|identity_mismatch: no identity equals the role name', 'and if nothing matches');
is(decision('billing', $broken), 'f', 'a subjectAltName that cannot be read');
like(check('billing', $broken),
	qr/^decision\|\|f\|identity_mismatch: the certificate's subjectAltName cannot be read$/,
	'has no candidates');
apply(identity_sources => 'cn');
like(check('other', $broken), qr/^cn\|broken\|f\|.*\ndecision\|\|f\|/, 'unless it is not asked for');
like(check('billing', $tab), qr/^cn\|bill\\x09ing\|f\|never matches: value is badly encoded/,
	'a value with a control character never matches');
apply(identity_sources => 'email');
like(check('billing', $tab), qr/^decision\|\|f\|identity_mismatch: the certificate has no value/, 'no candidate at all');

# With a map: as the file is now, also in the middle of a session, again and again.
write_map('mail /^(.*)@example\.com$ \1');
apply(identity_sources => 'email', identity_map => 'mail', identity_check => 'enforce');
is(check('billing', $job), <<'ROWS' =~ s/\n\z//r, 'mapped');
email|billing@example.com|t|accepted by map "mail"
decision||t|email "billing@example.com" accepted by map "mail"
ROWS
is(check('other', $job), <<'ROWS' =~ s/\n\z//r, 'another role');
email|billing@example.com|f|no match in map "mail"
decision||f|identity_mismatch: no identity matches in map "mail"
ROWS
my $offset = $node->log_end;
is(decision('other', $job), login('other', $job), 'refused, as the login');
is(decision('billing', $job), login('billing', $job), 'accepted, as the login');
unlike($node->log_since($offset), qr/no match in usermap/, 'mismatches are not logged');

write_map('mail billing@example.com other');
is(decision('other', $job), 't', 'a change of pg_ident.conf can be tried');
# EXEC_BACKEND: each backend reads the file by itself, the broken one as well
is(login('other', $job), ESG::Node::exec_backend() ? 't' : 'f', 'before the server has it');
apply();
is(login('other', $job), 't', 'and then is as was said');
my $pem = "pg_read_file('$job->{cert}')";
my $session = $node->background_psql('postgres');
foreach my $round (1 .. 3)
{
	foreach my $role (qw(billing other))
	{
		write_map("mail billing\@example.com $role");
		# some minor versions of 16 leave the newline
		my $said = $session->query_safe(
			"SELECT matched FROM ssl_guard_identity_check('$role', $pem) WHERE source = 'decision'") =~ s/\n\z//r;
		is($said, 't', "one session, round $round, $role");
	}
}
write_map('mail /^( other');
my ($status, $out, $err) = $node->psql('postgres',
	"SELECT matched FROM ssl_guard_identity_check('other', $pem) WHERE source = 'decision'");
my $kept = ESG::Node::exec_backend() ? 'f' : 't';
is("$status $out", "0 $kept", 'a broken pg_ident.conf: the answer is that of the file before it');
like($err, qr/WARNING:  could not load "pg_ident\.conf"/, 'with a warning');
unlink $node->path('pg_ident.conf');
is(decision('other', $job), $kept, 'the same without the file');
$session->quit;
write_map('mail /^(.*)@example\.com$ \1');
apply();

# A server that has never had the file.
unlink $node->path('pg_ident.conf');
$node->restart;
like(check('billing', $job), qr/email\|.*\|f\|no match in map "mail"/, 'no pg_ident.conf at all');
write_map('mail /^(.*)@example\.com$ \1');
is(decision('billing', $job), 't', 'and then it is there');
apply();

# The answer does not depend on the database's encoding, as the login's does not.
$node->safe_psql('postgres',
	"CREATE DATABASE latin ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'CREATE EXTENSION ext_ssl_guard');
write_map("mail /^J..b\$ billing");
apply(identity_sources => 'cn');
is(decision('billing', $job), login('billing', $job), 'UTF8: two bytes, as the login');
is(decision('billing', $job, dbname => 'latin'), 't', 'LATIN1: the same');
is( $node->safe_psql('latin',
		"SELECT identity = U&'J\\00F6b' FROM ssl_guard_identity_check('billing', $pem) WHERE source = 'cn'"),
	't', 'and it is shown in the database\'s encoding');

# Exempt roles, roles with labels.
apply(exempt_roles => 'other');
like(check('other', $job), qr/^decision\|\|t\|the role is one of "ext_ssl_guard\.exempt_roles"$/m, 'an exempt role');
apply(exempt_roles => '');
$node->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS \'uri=spiffe://prod/other\'');
like(check('billing', $job), qr/^role_label\|uri=spiffe:\/\/prod\/other\|f\|"uri" is not met.*\ndecision\|\|f\|role_label_mismatch: "uri"/m,
	'a label that is not met');
is(login('billing', $job), 'f', 'as the login');
$node->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS \'uri=spiffe://prod/billing\'');
like(check('billing', $job), qr/^role_label\|.*\|t\|met\ndecision\|\|t\|/m, 'one that is met');
is(login('billing', $job), 't', 'as the login');

# Arguments and privileges.
like(check('nobody_known', $job), qr/ERROR:  role "nobody_known" does not exist/, 'no such role');
like(check('billing', 'x'), qr/ERROR:  no certificate found/, 'no certificate');
like(check('billing', 'x' x (1 << 20) . 'x'), qr/ERROR:  certificate is too large/, 'over a megabyte');
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_identity_check(NULL, 'x')"), '0', 'NULL');
is($node->safe_psql('postgres',
		"SELECT r, has_function_privilege(r, 'ssl_guard_identity_check(name, text)', 'execute') FROM unnest(ARRAY['watcher', 'billing']) r"),
	"watcher|t\nbilling|f", 'pg_monitor may ask, others may not');
is($node->safe_psql('postgres',
		"SET ROLE watcher; SELECT matched FROM ssl_guard_identity_check('billing', '"
		  . ESG::Certs::slurp($job->{cert}) . "') WHERE source = 'decision'"),
	't', 'and gets an answer');

$node->stop;
done_testing();

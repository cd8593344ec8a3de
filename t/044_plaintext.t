# Refused over TLS, and in through plaintext: libpq's sslmode=prefer.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $app = $certs->make_client('app', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.exempt_roles = 'exempt'\npassword_encryption = 'scram-sha-256'",
	hba => [
		'hostnossl template1 all 127.0.0.1/32 trust',
		'hostssl all identified 127.0.0.1/32 trust clientcert=verify-ca',
		'hostssl all certified 127.0.0.1/32 cert',
		'hostssl all scram 127.0.0.1/32 scram-sha-256',
		'hostssl all rejected 127.0.0.1/32 reject',
		'hostnossl postgres nossl 127.0.0.1/32 trust',
		'host postgres nossl 127.0.0.1/32 reject',
		'host all plain 127.0.0.1/32 password',
		'host all all 127.0.0.1/32 trust' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN; CREATE ROLE identified LOGIN; CREATE ROLE certified LOGIN;
	CREATE ROLE scram LOGIN PASSWORD 'secret'; CREATE ROLE plain LOGIN PASSWORD 'secret'; CREATE ROLE other LOGIN;
	CREATE ROLE rejected LOGIN; CREATE ROLE nossl LOGIN});

sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

# how it got in: "tls" or "plain"; or what it was told last
sub login
{
	my ($user, $mode, %options) = @_;
	my ($status, $out, $err) = $node->tcp_psql('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
		user => $user, sslmode => $mode, %options);

	return $out eq 't' ? 'tls' : 'plain' if $status == 0;
	return $err =~ /refused \((\w+)\)$/ ? $1 : $err;
}

sub fallbacks
{
	return $node->safe_psql('postgres',
		q{SELECT coalesce(string_agg(object, '; ' ORDER BY object), '') FROM ssl_guard_alarms WHERE code = 'plaintext_fallback'});
}

# --- unsafe files ---------------------------------------------------------------------

is(login('app', 'prefer'), 'tls', 'prefer: over TLS');
apply(file_permission_check => 'enforce');
chmod 0666, $node->path('root.crt') or die "chmod: $!";
is(login('app', 'require'), 'permissions_too_open', 'enforce: refused over TLS');
is(login('app', 'disable'), 'permissions_too_open', 'and without, on a line of type host');
is(login('app', 'prefer'), 'permissions_too_open', 'and so there is no way round for prefer');
is(login('plain', 'prefer', more => 'password=secret'), 'permissions_too_open', 'nor with a password');
is(login('app', 'disable', dbname => 'template1'), 'plain', "hostnossl is the administrator's word");
like(fallbacks(), qr/role "app", 127\.0\.0\.1/, 'who tried is told of');
is(login('ghost', 'prefer'), 'permissions_too_open', 'a role that does not exist');
unlike(fallbacks(), qr/ghost/, 'has no alarm');
is(login('exempt', 'prefer'), 'tls', 'an exempt role gets in');
is(login('exempt', 'disable'), 'plain', 'either way');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'so does a Unix socket');
apply(file_permission_check => 'warn');
is(login('app', 'disable'), 'plain', 'warn lets in');
apply(file_permission_check => 'enforce');
chmod 0644, $node->path('root.crt') or die "chmod: $!";
is(login('app', 'disable'), 'plain', 'mended, without TLS');
is(login('app', 'require'), 'tls', 'and with');

# without TLS there are no TLS files
$node->set_conf(ssl => 'off');
apply();
chmod 0666, $node->path('root.crt') or die "chmod: $!";
is(login('app', 'disable'), 'plain', 'ssl = off: no TLS file is in use');
chmod 0644, $node->path('root.crt') or die "chmod: $!";
$node->set_conf(ssl => 'on');
apply();

# --- plaintext_fallback ------------------------------------------------------------------

$node->stop;
$node->start;
is(login('identified', 'disable'), 'plain', 'plaintext alone');
is(fallbacks(), '', 'is no fallback');
apply(identity_check => 'enforce');
my $offset = $node->log_end;
is(login('identified', 'require', client => $app), 'identity_mismatch', 'refused by us');
is(login('other', 'disable'), 'plain', 'another role');
is(fallbacks(), '', 'is no fallback either');
is(login('identified', 'prefer', client => $app), 'plain', 'prefer: in plaintext');
is(fallbacks(), 'role "identified", 127.0.0.1', 'that is one');
like($node->log_since($offset),
	qr/WARNING:  role "identified" came without encryption right after it was refused over TLS\n.*DETAIL:  code=plaintext_fallback severity=warning role=identified host=127\.0\.0\.1/,
	'in the log');
apply(identity_check => 'off');
is(login('identified', 'prefer', client => $app), 'tls', 'when TLS works again');
is(fallbacks(), '', 'it is cleared');
is(login('identified', 'disable'), 'plain', 'and what was before');
is(fallbacks(), '', 'is forgotten');

is(login('certified', 'prefer', client => $app), 'plain', 'refused by core: cert, another name');
is(login('scram', 'prefer', more => 'password=wrong'), 'plain', 'refused by core: password');
is(fallbacks(), 'role "certified", 127.0.0.1; role "scram", 127.0.0.1', 'the same');

# in the server's own words, before it asks us
like(login('identified', 'require'), qr/connection requires a valid client certificate/, 'no certificate where clientcert wants one');
is(login('identified', 'prefer'), 'plain', 'prefer: in plaintext');
is(login('rejected', 'prefer'), 'plain', 'a line that rejects');
is(login('ghost', 'prefer') =~ /role "ghost" does not exist/, 1, 'a role that does not exist');
is(fallbacks(), 'role "certified", 127.0.0.1; role "identified", 127.0.0.1; role "rejected", 127.0.0.1; role "scram", 127.0.0.1', 'are some, too');
is(login('nossl', 'disable'), 'plain', 'another one');
unlike(fallbacks(), qr/nossl/, 'who has not tried TLS is none');
is(login('nossl', 'prefer'), 'plain', 'no line that takes TLS');
like(fallbacks(), qr/role "nossl"/, 'now it has');

apply(identity_check => 'off');
is(login('identified', 'prefer', client => $app), 'tls', 'over TLS again');
unlike(fallbacks(), qr/identified/, 'cleared');
apply(identity_check => 'enforce');
is(login('identified', 'require', client => $app), 'identity_mismatch', 'refused');
sleep 11;
is(login('identified', 'disable'), 'plain', 'eleven seconds later');
unlike(fallbacks(), qr/identified/, 'it is somebody\'s own decision');

$node->stop;
done_testing();

# auto_reload: what is worse than what is in service, or would bring more into
# service than TLS files, is not loaded; with the reason, and without a loop.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Renewal;

my $certs = ESG::Certs->new;
my $root = $certs->make_ca('root');
my $ca = $certs->make_ca('ca', ca => $root);
my $other_ca = $certs->make_ca('other');
my $made = 0;

sub renewed { return $certs->make_server('server' . ++$made, ca => $ca, chain => [$ca], days_left => 100 + $made, key => 'rsa:3072', @_); }

my $first = renewed();
my $node = ESG::Node->new('main');
my $bundle = $certs->concat('bundle', $root->{cert}, $other_ca->{cert});

$node->setup(
	ca => $bundle,
	server => $first,
	conf => "$ESG::Renewal::settings\next_ssl_guard.extra_files = ''\nssl_crl_file = 'root.crl'\next_ssl_guard.finding_overrides = 'crl_missing=off'");
my $r = ESG::Renewal->new($node);
my $old_crl = $certs->make_crl($root, 'old_crl', last_update => -7200);
my $crl = $certs->make_crl($root, 'crl');
$r->put('root.crl' => \$crl);
$node->start;
$node->wait_sql('SELECT in_sync FROM ssl_guard_status');

my $served = $first;

# After each case the files in service are put back, which ends the alarm.
sub put_back
{
	my ($name) = @_;

	$r->put(ESG::Renewal::pair($served), 'root.crt' => \$bundle, 'root.crl' => \$crl);
	is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'auto_reload%'", '0'), '0', "$name: put back, which ends the alarm");
	$r->untouched($name);
	return;
}

sub refuse
{
	my ($name, $pattern, @files) = @_;

	$r->begin;
	$r->put(@files);
	$r->refused($pattern, $name);
	put_back($name);
	return;
}

refuse('an old pair', qr{file ".*/server\.crt" has changed and is not loaded automatically: its certificate ends earlier \(\S+Z\) than the one in service},
	ESG::Renewal::pair(renewed(days_left => 50)));
refuse('not valid yet', qr/its certificate is not valid yet/,
	ESG::Renewal::pair(renewed(not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(400 * 86400))));
refuse('a weaker key', qr/its key is weaker \(112 bits of security\) than the one in service \(128\)/,
	ESG::Renewal::pair(renewed(key => 'rsa:2048')));
refuse('a key that does not fit', qr{file ".*/server\.key" .*: key values mismatch}, 'server.crt' => \renewed()->{cert});
refuse('a chain that is broken', qr/it lacks intermediate certificates, and the one in service has them/,
	ESG::Renewal::pair(renewed(chain => [])));
refuse('a certificate for another name', qr/it lacks the name "localhost", which the one in service has/,
	ESG::Renewal::pair(renewed(subject => '/CN=db.example.com', san => [ 'DNS:db.example.com', 'IP:127.0.0.1' ])));
refuse('a worse finding', qr/finding wrong_purpose \(critical\)/, ESG::Renewal::pair(renewed(eku => 'clientAuth')));
refuse('garbage', qr/it cannot be read to its end/, 'server.crt' => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
refuse('a CA less', qr/CA "CN=other", whose clients are let in now, is not in it any more/, 'root.crt' => \$root->{cert});
refuse('an older CRL', qr/its CRL of "CN=root" is older than the one in service/, 'root.crl' => \$old_crl);
refuse('an expired CRL', qr/its CRL of "CN=root" has expired/,
	'root.crl' => \$certs->make_crl($root, 'crl3', last_update => -7200, next_update => -10));
refuse('a CRL of somebody else', qr/the CRL of "CN=root" is not in it any more/, 'root.crl' => \$certs->make_crl($other_ca, 'crl4'));

# a key that the server would not take, with a certificate that is fine
my $good = renewed();
$r->begin;
$r->put(ESG::Renewal::pair($good));
chmod 0644, $node->path('server.key');
$r->refused(qr/permissions_too_open|may read/, 'a key that others may read');
chmod 0600, $node->path('server.key');
$r->in_service($good, 'its mode is mended');
$served = $good;

# --- standing, and not for ever ------------------------------------------------------

$r->begin;
$r->put(ESG::Renewal::pair(renewed(days_left => 50)));
$r->refused(qr/ends earlier/, 'it stands');
is($node->count_log(qr/WARNING:.*has changed and is not loaded automatically/, $r->{offset}), 1, 'it is logged once');
sleep 4;
is($node->count_log(qr/WARNING:.*has changed and is not loaded automatically/, $r->{offset}), 1, 'and not again');
$r->untouched('there is no loop');
$node->reload;
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE '%reload%'", '0'), '0', 'a reload by somebody ends it, too');
isnt(ESG::Sni::served($node), $served->{fingerprint}, 'who has the last word');

# --- what else a reload would apply ------------------------------------------------------

$served = renewed();
$r->begin;
$r->put(ESG::Renewal::pair($served));
$r->in_service($served, 'before that');

my $count = 0;

sub hold
{
	my ($name, $file, $change) = @_;
	my $next = renewed();

	$r->begin;
	$change->();
	$r->put(ESG::Renewal::pair($next));
	$r->alarm_stands('auto_reload_held', qr/^renewed TLS files are not loaded automatically: file ".*\Q$file\E" has changed since it was last loaded$/, $name);
	$r->untouched($name);
	$node->reload;
	is($r->wait_served($next), $next->{fingerprint}, "$name: reloaded by somebody");
	is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE 'auto_reload%'", '0'), '0', "$name: which ends the alarm");
	return if $count++ > 0;
	$next = renewed();
	$r->begin;
	$r->put(ESG::Renewal::pair($next));
	$r->in_service($next, "$name: and the next renewal is loaded");
	return;
}

hold('postgresql.conf', 'postgresql.conf', sub { $node->append_conf('postgresql.conf', "work_mem = '5MB'") });
hold('ALTER SYSTEM', 'postgresql.conf', sub { $node->safe_psql('postgres', "ALTER SYSTEM SET work_mem = '6MB'") });
hold('pg_hba.conf', 'pg_hba.conf', sub { $node->set_hba('hostssl all all 127.0.0.1/32 trust', 'host all all ::1/128 reject') });
hold('pg_ident.conf', 'pg_ident.conf', sub { PostgreSQL::Test::Utils::append_to_file($node->path('pg_ident.conf'), "a b c\n") });

# included, whatever way
mkdir $node->path('conf.d');
ESG::Certs::spew($node->path('conf.d/a.conf'), "work_mem = '7MB'\n");
ESG::Certs::spew($node->path('users'), "alice\n");
$node->set_hba('hostssl all all 127.0.0.1/32 trust', 'hostssl all @users ::1/128 reject');
$node->append_conf('postgresql.conf', "include_dir 'conf.d'\ninclude_if_exists 'later.conf'");
$node->apply('ext_ssl_guard.auto_reload' => 'on');
hold('a file of include_dir', 'postgresql.conf', sub { ESG::Certs::spew($node->path('conf.d/a.conf'), "work_mem = '8MB'\n") });
hold('a new one', 'postgresql.conf', sub { ESG::Certs::spew($node->path('conf.d/b.conf'), "work_mem = '8MB'\n") });
hold('include_if_exists', 'postgresql.conf', sub { ESG::Certs::spew($node->path('later.conf'), "work_mem = '9MB'\n") });
hold('a list of users', 'pg_hba.conf', sub { ESG::Certs::spew($node->path('users'), "alice\nbob\n") });

# what says the same does not count
my $next = renewed();
$r->begin;
$node->append_conf('postgresql.conf', "# a comment\n");
$r->put(ESG::Renewal::pair($next));
$r->in_service($next, 'a comment in postgresql.conf holds up nothing');

# --- a reload that fails ---------------------------------------------------------------

# what is wrong is none of what was tried: the command, which is not run for that, has another passphrase
$node->apply(ssl_passphrase_command => 'echo wrong', ssl_passphrase_command_supports_reload => 'on');
$next = renewed(passphrase => 'right');
$r->begin;
$r->put(ESG::Renewal::pair($next));
$r->alarm_stands('auto_reload_failed', qr/^automatic reload has not brought renewed TLS files into service: the server could not load them$/, 'a reload that fails');
is($r->reloads, 1, 'after one reload');
is(ESG::Sni::served($node), $r->{before}, 'what was in service is');
sleep 4;
is($r->reloads, 1, 'which is the only one');
$next = renewed(passphrase => 'right');
$r->put(ESG::Renewal::pair($next));
my $until = time + 60;
sleep 0.2 while $r->reloads < 2 && time < $until;
is($r->reloads, 2, 'until the files change again');
$node->apply(ssl_passphrase_command => 'echo right');
is($r->wait_served($next), $next->{fingerprint}, 'it is mended');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code LIKE '%reload%'", '0'), '0', 'and the alarm gone');

$node->stop;
done_testing();

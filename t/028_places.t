# As what a certificate is judged: what ssl_guard_inspect() is told, what
# extra_files says of its files, and ssl_dh_params_file, which holds none.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Test CA');
my $other_ca = $certs->make_ca('other_ca', subject => '/CN=Other CA');
my $middle = $certs->make_ca('middle', ca => $other_ca, subject => '/CN=Middle', days_left => 3000);
my $server = $certs->make_server('server', ca => $ca, san => ['DNS:localhost']);
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
my $replica = $certs->make_client('replica', ca => $middle, subject => '/CN=replica', chain => [$middle]);
my $pooler = $certs->make_server('pooler', ca => $middle, san => ['DNS:pooler'], chain => [ $middle, $other_ca ]);
my $node = ESG::Node->new('places');

$node->setup(ca => $ca, server => $server, conf => 'ext_ssl_guard.file_poll_interval = 1s');
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub watch { return $node->apply('ext_ssl_guard.extra_files' => join(', ', @_)); }

# the position of each certificate and, of these findings, those it has
sub inspect
{
	my ($cert, $place, @codes) = @_;
	my $text = ESG::Certs::slurp($cert->{cert});
	my $wanted = join(',', @codes);

	return sql("SELECT string_agg(format('%s %s', position, (SELECT string_agg(f, ',' ORDER BY f) FROM unnest(findings) AS f"
		  . " WHERE f = ANY ('{$wanted}'))), '; ' ORDER BY position) FROM ssl_guard_inspect('$text'" . ($place ? ", '$place')" : ')'));
}

# ---- ssl_guard_inspect()
is(inspect($client, undef, 'wrong_purpose'), '1 ', 'a client\'s certificate, judged as nothing in particular');
is(inspect($client, 'server', 'wrong_purpose'), '1 wrong_purpose', 'meant for the server');
is(inspect($client, 'client', 'wrong_purpose'), '1 ', 'meant for a client');
is(inspect($server, 'client', 'wrong_purpose'), '1 wrong_purpose', 'the server\'s certificate, meant for a client');
is(inspect($server, 'server', 'wrong_purpose'), '1 ', 'meant for the server');
is(inspect($server, 'ca', 'not_a_ca'), '1 not_a_ca', 'meant for a CA');
is(inspect($ca, 'ca', 'not_a_ca', 'ca_as_leaf'), '1 ', 'the CA, meant for one');
is(inspect($ca, 'server', 'not_a_ca', 'ca_as_leaf'), '1 ca_as_leaf', 'meant for the server');
is(inspect($pooler, 'server', 'root_in_chain', 'ca_as_leaf', 'wrong_purpose'), '1 ; 2 ; 3 root_in_chain',
	'a chain: the first is the server\'s, the others lead to the root');
is(inspect($pooler, 'extra', 'root_in_chain', 'ca_as_leaf', 'wrong_purpose'), '1 ; 2 ; 3 ', 'no chain');
is(inspect($replica, 'client', 'ca_as_leaf', 'wrong_purpose', 'root_in_chain'), '1 ; 2 ', 'a client\'s chain');
my $both = { cert => $certs->concat('reversed.crt', $ca->{cert}, $server->{cert}) };
is(inspect($both, 'server', 'leaf_not_first'), '1 leaf_not_first; 2 ', 'a chain in the wrong order');

# ---- what the files are
my $disguised = ESG::Certs::spew($node->path('disguised.pem'), ESG::Certs::slurp($server->{key}));
chmod 0600, $disguised or die "chmod: $!";
my $crl = $certs->make_crl($other_ca, 'other_crl', last_update => -20 * 86400, next_update => -86400);
watch("client:$client->{cert}", "client: $replica->{cert}", "server:$pooler->{cert}", "ca:$other_ca->{cert}", "crl:$crl", 'key:disguised.pem');
is(sql("SELECT string_agg(format('%s %s', kind, sha256 IS NULL), ', ' ORDER BY kind, path) FROM ssl_guard_files"
	  . " WHERE setting = 'ext_ssl_guard.extra_files' AND kind <> 'directory'"),
	'ca f, certificate f, client f, client f, crl f, key t', 'each file is what it was said to be');
is(sql("SELECT path FROM ssl_guard_files WHERE kind = 'key' AND setting LIKE '%extra_files'"), $disguised, 'a relative path');
my $listed = "SELECT string_agg(format('%s %s %s', common_name, position, kind), ', ' ORDER BY common_name, kind) FROM ssl_guard_certificates"
  . " WHERE setting = 'ext_ssl_guard.extra_files' AND path";
is(sql("$listed = '$replica->{cert}'"), 'Middle 2 chain, replica 1 client', 'a client with its intermediate');
is(sql("$listed = '$pooler->{cert}'"), 'Middle 2 chain, Other CA 3 chain, localhost 1 server', 'a server with its chain');
is(sql("$listed = '$other_ca->{cert}'"), 'Other CA 1 ca', 'a CA');
is(sql("SELECT 'root_in_chain' = ANY (findings) FROM ssl_guard_certificates WHERE path = '$pooler->{cert}' AND position = 3"), 't',
	'and is judged as such');
is(sql("SELECT string_agg(code, ' ') FROM ssl_guard_check() WHERE object = '$pooler->{cert}:3' AND code = 'root_in_chain'"), 'root_in_chain',
	'with an alarm');
is(sql("SELECT findings FROM ssl_guard_crls WHERE setting LIKE '%extra_files'"), '{crl_expired}', 'a CRL of others');
is(sql('SELECT in_sync, disk_fingerprint FROM ssl_guard_status'), "t|$server->{fingerprint}", 'what the server serves is its own');
is(sql("SELECT count(*) FROM ssl_guard_certificates WHERE 'crl_missing' = ANY (findings)"), 0, 'a CRL of others configures none');
$node->apply(ssl_crl_file => $certs->make_crl($ca, 'crl'));
is(sql("SELECT count(*) FROM ssl_guard_certificates WHERE 'crl_missing' = ANY (findings)"), 0, 'and CAs of others need none here');
is(sql("SELECT findings FROM ssl_guard_crls WHERE setting = 'ssl_crl_file'"), '{}', 'the server\'s own CRL');
$node->apply(ssl_crl_file => '');

# what is not what it was said to be
watch("server:$client->{cert}", "ca:$server->{cert}", "client:$crl", "crl:$ca->{cert}");
sub findings { return sql("SELECT array_to_string(findings, ' ') FROM $_[0] WHERE setting LIKE '%extra_files' AND path = '$_[1]'"); }
like(findings('ssl_guard_certificates', $client->{cert}), qr/wrong_purpose/, 'a client\'s certificate said to be a server\'s');
like(findings('ssl_guard_certificates', $server->{cert}), qr/not_a_ca/, 'a server\'s certificate said to be a CA');
is(findings('ssl_guard_files', $crl), 'file_unparsable', 'a CRL said to be a client\'s certificate');
is(findings('ssl_guard_files', $ca->{cert}), 'file_unparsable', 'a CA said to be a CRL');

# words that are part of a name, and files that are two things
ESG::Certs::spew($node->path('client:x.crt'), ESG::Certs::slurp($client->{cert}));
watch('./client:x.crt', 'client:' . $node->path('client:x.crt'), 'client:server.crt', 'server.crt', 'ca:a/../root.crt', 'CA:b');
is(sql("SELECT string_agg(kind || ' ' || path, ', ' ORDER BY kind, path COLLATE \"C\") FROM ssl_guard_files"
	  . " WHERE setting LIKE '%extra_files' AND kind <> 'directory'"),
	join(', ', 'client ' . $node->path('client:x.crt'), 'client ' . $node->path('server.crt'),
		'extra ' . $node->path('CA:b'), 'extra ' . $node->path('client:x.crt')),
	'./ hides a word; a file of the server\'s may be a client\'s, too, but is not listed twice as the same');
is(sql("SELECT string_agg(kind, ' ' ORDER BY kind) FROM ssl_guard_certificates WHERE path = '" . $node->path('server.crt')
	  . "' AND 'wrong_purpose' = ANY (findings)"), 'client', 'and is judged as both');
watch(qq("client:$client->{cert}"), $node->path('client:x.crt'));
is(sql("SELECT string_agg(kind, ' ' ORDER BY kind) FROM ssl_guard_certificates WHERE setting LIKE '%extra_files'"), 'client extra',
	'the word is inside of the quotes; an absolute path has none');

# never a reason to refuse
watch(map { "$_:missing.$_" } qw(server client ca crl key));
$node->apply('ext_ssl_guard.file_permission_check' => 'enforce');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'file_missing'", 5), 5, 'what is missing has an alarm');
is(($node->tcp_psql('SELECT 1'))[1], '1', 'but nobody is refused');
$node->restart;
is(($node->tcp_psql('SELECT 1'))[1], '1', 'nor the start');

# ---- ssl_dh_params_file
my $params = $node->path('dh.pem');
sub dh { return sql("SELECT concat_ws(' ', $_[0]) FROM ssl_guard_files WHERE kind = 'dh_params'"); }
is(sql("SELECT count(*) FROM ssl_guard_files WHERE kind = 'dh_params'"), 0, 'no ssl_dh_params_file, no row');
ESG::Certs::spew($params, 'not looked into');
$node->apply('ext_ssl_guard.file_permission_check' => 'warn', 'ext_ssl_guard.extra_files' => "client:$client->{cert}, crl:$crl, ca:$ca->{cert}",
	ssl_dh_params_file => 'dh.pem');
is(dh('setting, path, mode, findings, sha256'), join(' ', 'ssl_dh_params_file', $params, '0644', '{}', sha256_hex('not looked into')),
	'is looked at');
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
sleep 1.5;
my $before = sql('SELECT last_check_at FROM ssl_guard_status');
sleep 2.5;
is(sql('SELECT last_check_at FROM ssl_guard_status'), $before, 'and looked at again, without another check');
ESG::Certs::spew($params, 'changed');
is($node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status"), 't', 'until it changes');
chmod 0666, $params or die "chmod: $!";
is(dh('findings, suggestion'), "{permissions_too_open} chmod 0644 '$params'", 'anybody may write it');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'permissions_too_open' AND object = '$params'", 1), 1, 'has an alarm');
$node->apply('ext_ssl_guard.file_permission_check' => 'enforce');
like(($node->tcp_psql('SELECT 1'))[2], qr/connection was refused \(permissions_too_open\)/, 'enforce refuses');
chmod 0644, $params or die "chmod: $!";
is(($node->tcp_psql('SELECT 1'))[1], '1', 'until it is mended');
unlink $params;
is(dh('findings'), '{file_missing}', 'a file that is gone');
$node->apply(ssl_dh_params_file => '');
is(($node->tcp_psql('SELECT 1'))[1], '1', 'a setting that is empty names none');

$node->stop;
done_testing();

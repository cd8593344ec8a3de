# auto_reload: renewed files come into service, in whatever way they are
# written, by one reload each.

use strict;
use warnings;

use File::Copy qw(copy);
use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Renewal;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=postgres');
my $node = ESG::Node->new('main');
my $made = 0;

# each ends later than the one before
sub renewed { return $certs->make_server('server' . ++$made, ca => $ca, days_left => 100 + $made, @_); }

my $first = renewed();

$node->setup(ca => $ca, server => $first, crl => $certs->make_crl($ca, 'crl0'), conf => $ESG::Renewal::settings);
$node->start;
my $r = ESG::Renewal->new($node);

# --- nothing has changed -------------------------------------------------------

$node->wait_sql('SELECT in_sync FROM ssl_guard_status');
$r->begin;
sleep 3;
$r->untouched('nothing has changed');
$node->reload;
$node->wait_log(qr/received SIGHUP, reloading/, $r->{offset});
sleep 3;
is($r->reloads, 1, 'a reload by somebody is followed by no other');
$node->replace($first->{cert}, 'server.crt');
chmod 0640, $node->path('server.crt');
sleep 3;
is($r->reloads, 1, 'the same content in another file, and another mode, are no renewal');

# --- ways to write them --------------------------------------------------------

my $cert = renewed();
$r->begin;
$r->put(ESG::Renewal::pair($cert));
$r->in_service($cert, 'replaced together');

$cert = renewed();
$r->begin;
$r->put('server.key' => \$cert->{key});
sleep 3;
$r->untouched('a key alone');
$r->put('server.crt' => \$cert->{cert});
$r->in_service($cert, 'key first');

$cert = renewed();
$r->begin;
$r->put('server.crt' => \$cert->{cert});
sleep 3;
$r->untouched('a certificate alone');
$r->put('server.key' => \$cert->{key});
$r->in_service($cert, 'certificate first');
is($node->count_log(qr/code=auto_reload_refused/, $r->{offset}), 0, 'which was no alarm');
is($node->count_log(qr/code=reload_pending/, $r->{offset}), 0, 'nor is what will be reloaded');

# whoever reads the files meanwhile
$node->apply('ext_ssl_guard.expire_check_interval' => '1s');
$cert = renewed();
$r->begin;
$r->put('server.crt' => \$cert->{cert});
sleep 3;
$r->untouched('a certificate alone, with checks each second');
$r->put('server.key' => \$cert->{key});
$r->in_service($cert, 'its key');
is($node->count_log(qr/code=reload_pending/, $r->{offset}), 0, 'no check took that for forgotten');
$node->apply('ext_ssl_guard.expire_check_interval' => '1d');

$cert = renewed(key => $cert);
$r->begin;
$r->put('server.crt' => \$cert->{cert});
$r->in_service($cert, 'the key stays');

# half a file, and the rest later
$cert = renewed();
$r->begin;
$r->put('server.key' => \$cert->{key});
my $text = ESG::Certs::slurp($cert->{cert});
my $path = $node->path('server.crt');
open(my $out, '>', $path) or die "$path: $!";
syswrite($out, substr($text, 0, 300));
sleep 4;
$r->untouched('half a file');
syswrite($out, substr($text, 300));
close $out;
$r->in_service($cert, 'a file in two halves');

# --- Kubernetes: the link ..data is swapped --------------------------------------

my $volume = $node->path('volume');
mkdir $volume or die "mkdir: $!";

sub mount
{
	my ($new, $version) = @_;

	mkdir "$volume/..$version" or die "mkdir: $!";
	copy($new->{cert}, "$volume/..$version/tls.crt") or die "copy: $!";
	copy($new->{key}, "$volume/..$version/tls.key") or die "copy: $!";
	chmod 0600, "$volume/..$version/tls.key";
	symlink "..$version", "$volume/..data_tmp" or die "symlink: $!";
	rename "$volume/..data_tmp", "$volume/..data" or die "rename: $!";
	return;
}

$cert = renewed();
mount($cert, 'v1');
symlink "..data/$_", "$volume/$_" or die "symlink: $!" foreach 'tls.crt', 'tls.key';
$node->apply('ssl_cert_file' => 'volume/tls.crt', 'ssl_key_file' => 'volume/tls.key');
is($r->wait_served($cert), $cert->{fingerprint}, 'a volume of Kubernetes');
$r->begin;
$cert = renewed();
mount($cert, 'v2');
$r->in_service($cert, 'its ..data is swapped');

# --- certbot: live/ points to archive/ -------------------------------------------

mkdir $node->path($_) or die "mkdir: $!" foreach qw(archive live);

sub link_live
{
	my ($new, $version) = @_;

	$r->put("archive/privkey$version.pem" => \$new->{key}, "archive/cert$version.pem" => \$new->{cert});
	chmod 0600, $node->path("archive/privkey$version.pem");
	foreach my $name ('privkey', 'cert')
	{
		unlink $node->path("live/$name.pem");
		symlink "../archive/$name$version.pem", $node->path("live/$name.pem") or die "symlink: $!";
	}
	return;
}

$cert = renewed();
link_live($cert, 1);
$node->apply('ssl_cert_file' => 'live/cert.pem', 'ssl_key_file' => 'live/privkey.pem');
is($r->wait_served($cert), $cert->{fingerprint}, 'links of certbot');
$r->begin;
$cert = renewed();
link_live($cert, 2);
$r->in_service($cert, 'which point to the next version');
$node->apply('ssl_cert_file' => 'server.crt', 'ssl_key_file' => 'server.key');

# --- several in quick succession ---------------------------------------------------

my @row = map { renewed() } 1 .. 8;
$r->begin;
foreach (@row)
{
	$cert = $_;
	$r->put(ESG::Renewal::pair($cert));
	sleep 0.3;
}
is($r->wait_served($cert), $cert->{fingerprint}, 'eight renewals in a row: the last one is served');
# EXEC_BACKEND: who logs in has it before the reload
$node->wait_log(qr/renewed TLS files are in service\n.* new_fingerprint=$cert->{fingerprint}/, $r->{offset});
my $reloads = $r->reloads;
cmp_ok($reloads, '<', 8, 'by fewer reloads');
sleep 3;
is($r->reloads, $reloads, 'and then there is peace');

# --- CRL ---------------------------------------------------------------------------

my @tls = (client => $client, dbname => 'postgres');
$node->apply('ext_ssl_guard.finding_overrides' => 'crl_expires_soon=off,crl_expires_very_soon=off');
$r->put('root.crl' => \$certs->make_crl($ca, 'short', next_update => 6));
$node->reload;
my $refused = sub { return ($node->tcp_psql('SELECT 1', @tls))[0] != 0; };
my $until = time + 60;
sleep 0.3 until $refused->() || time > $until;
ok($refused->(), 'the CRL expires: a client is refused');
$r->begin;
$r->put('root.crl' => \$certs->make_crl($ca, 'fresh'));
$until = time + 60;
sleep 0.3 while $refused->() && time < $until;
ok(!$refused->(), 'a renewed CRL lets it in');
$node->wait_log(qr/renewed TLS files are in service\n.*DETAIL:  settings=ssl_crl_file$/m, $r->{offset});
is($r->reloads, 1, 'by one reload');

# --- the worker ----------------------------------------------------------------------

my $worker = $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status');
$cert = renewed();
$r->begin;
kill 'TERM', $worker;
$node->wait_sql("SELECT worker_pid IS NULL FROM ssl_guard_status");
$r->put(ESG::Renewal::pair($cert));
$r->in_service($cert, 'renewed while the worker was away');
isnt($node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status'), $worker, 'by another worker');

# --- somebody reloads at the same moment -----------------------------------------------

$cert = renewed();
$r->begin;
$r->put(ESG::Renewal::pair($cert));
$node->reload;
is($r->wait_served($cert), $cert->{fingerprint}, 'reloaded by somebody');
sleep 4;
cmp_ok($r->reloads, '<=', 2, 'once more at most');

# --- turned on while files differ --------------------------------------------------------

$node->apply('ext_ssl_guard.auto_reload' => 'off');
$cert = renewed();
$r->begin;
$r->put(ESG::Renewal::pair($cert));
$node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'reload_pending'", '1');
$r->untouched('off');
$node->apply('ext_ssl_guard.auto_reload' => 'on');
is($r->wait_served($cert), $cert->{fingerprint}, 'to turn it on takes a reload, which loads them');
sleep 3;
is($r->reloads, 1, 'and there is no other');

$node->stop;
done_testing();

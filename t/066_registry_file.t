# The registry of client certificates: idle and superseded certificates, refusals
# of every kind, and what the save file may hold.

use strict;
use warnings;

use Test::More;

use POSIX ();
use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Node;
use ESG::Registry;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $forgotten = $certs->make_client('forgotten', ca => $ca, subject => '/CN=r1', days_left => 3);
my $rare = $certs->make_client('rare', ca => $ca, subject => '/CN=rare', days_left => 3);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.expire_alert_lifetime_percent = 100",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', join(';', map { "CREATE ROLE r$_ LOGIN" } 1 .. 3));

sub login
{
	my ($client, $role) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => $role, client => $client);

	return 'in' if $status == 0;
	return $err =~ /refused \((\w+)\)/ ? $1 : $err;
}

sub query { return $node->safe_psql('postgres', $_[0]); }

sub row
{
	my ($columns, $client, $role) = @_;

	return query("SELECT $columns FROM ssl_guard_client_certificates
		WHERE fingerprint = '$client->{fingerprint}' AND role_name = '$role'");
}

sub alarms_of
{
	my ($client) = @_;

	return "SELECT coalesce(string_agg(code, ','), '') FROM ssl_guard_alarms WHERE object = 'client:$client->{fingerprint}'";
}

# two reviews of the registry have certainly begun and ended since
sub wait_review { sleep 2.5; return; }

# Refusals of the other checks are denials, too; two roles share a certificate.
is(login($rare, $_), 'in', "$_ gets in") foreach qw(r1 r1 r2);
$node->apply('ext_ssl_guard.identity_check' => 'enforce');
is(login($rare, 'r1'), 'identity_mismatch', 'no identity');
$node->apply('ext_ssl_guard.identity_check' => 'off');
query("SECURITY LABEL FOR ext_ssl_guard ON ROLE r2 IS 'cn=nobody'");
is(login($rare, 'r2'), 'role_label_mismatch', 'no label') foreach 1, 2;
query('SECURITY LABEL FOR ext_ssl_guard ON ROLE r2 IS NULL');
is(row('logins, denials', $rare, 'r1'), '2|1', 'r1: logins and denials');
is(row('logins, denials', $rare, 'r2'), '1|2', 'r2: its own');
is($node->wait_sql(alarms_of($rare), 'expires_very_soon'), 'expires_very_soon', 'one alarm for both');

# An idle client's certificate grows old.
my $aging = $certs->make_client('aging', ca => $ca, days_left => 1 + 12 / 86400);
$node->apply('ext_ssl_guard.expire_alert_threshold' => '1d', 'ext_ssl_guard.expire_critical_threshold' => '0');
is(login($aging, 'r3'), 'in', 'nothing to say of it');
is(query(alarms_of($aging)), '', 'at the login');
is($node->wait_sql(alarms_of($aging), 'expires_soon'), 'expires_soon', 'but later, without another login');
$node->apply('ext_ssl_guard.expire_alert_threshold' => '90d', 'ext_ssl_guard.expire_critical_threshold' => '7d');

# Superseded: the older one's alarm goes; used again, it comes back.
my $renewed = $certs->make_client('renewed', ca => $ca, subject => '/CN=r1');
is(login($forgotten, 'r1'), 'in', 'a certificate near its end');
is($node->wait_sql(alarms_of($forgotten), 'expires_very_soon'), 'expires_very_soon', 'alarms');
is(login($renewed, 'r1'), 'in', 'it is renewed');
is($node->wait_sql(alarms_of($forgotten), ''), '', 'no alarm any more');
wait_review();
is(query(alarms_of($forgotten)), '', 'nor later');
is(login($forgotten, 'r1'), 'in', 'used again');
is($node->wait_sql(alarms_of($forgotten), 'expires_very_soon'), 'expires_very_soon', 'alarms again');

# The save file, read as it is now, and written as it was before, which is read, too.
my $file = $node->path('pg_stat/ext_ssl_guard.clients');

our ($magic, $owner) = ('ESGCLI04');

# (size of an entry, entries)
sub read_file
{
	my $registry = ESG::Registry->read($file);

	$owner = $registry->{owner};
	return ($registry->{size}, @{ $registry->{entries} });
}

sub write_file
{
	my ($size, $count, @entries) = @_;
	my $body = join('', @entries);

	ESG::Certs::spew($file, pack('a8 a24 L L L x4', $magic, $owner, $size, $count, ESG::Registry::crc32c($body)), $body);
	return;
}

# last_seen of the entry of a certificate and role, days ago, and so when it last raised its alarms: else
# its next login need not do so again for a minute, and it is left to the worker
sub age_entry
{
	my ($entry, $client, $role, $days) = @_;
	my $place = rindex($entry, "\0$role\0") + 1;

	return $entry if $entry !~ /^\Q@{[ pack('H*', $client->{fingerprint}) ]}/s || $place == 0;
	foreach my $time (8, 16)
	{
		substr($entry, $place + 64 + $time, 8) =
		  pack('q', unpack('q', substr($entry, $place + 64 + $time, 8)) - $days * 86400 * 1000000);
	}
	return $entry;
}

query('SELECT ssl_guard_reset_client_certificates()');
login($forgotten, 'r1');
login($rare, 'r2');
$node->stop;
my ($size, @entries) = read_file();
is(scalar @entries, 2, 'two entries');
write_file($size, 2, map { age_entry(age_entry($_, $forgotten, 'r1', 31), $rare, 'r2', 29) } @entries);
$node->start;
is(query("SELECT role_name, date_trunc('day', now() - last_seen_at) FROM ssl_guard_client_certificates ORDER BY 1"),
	"r1|31 days\nr2|29 days", 'loaded');
is($node->wait_sql(alarms_of($rare), 'expires_very_soon'), 'expires_very_soon', 'not seen for 29 days: alarm');
is(query(alarms_of($forgotten)), '', 'not seen for 31 days: none');
is(login($forgotten, 'r1'), 'in', 'it comes back');
is($node->wait_sql(alarms_of($forgotten), 'expires_very_soon'), 'expires_very_soon', 'and alarms');

# An analysis of somebody else's, or of other settings, is made anew.
$node->stop;
($size, @entries) = read_file();
write_file($size, scalar @entries, map { my $e = $_; substr($e, 136, 8) ^= chr(1) x 8; substr($e, index($e, 'CN='), 2) = 'XX'; $e } @entries);
$node->start;
is(row('subject', $rare, 'r2'), 'XX=rare', 'an analysis with another stamp');
is(login($rare, 'r2'), 'in', 'login');
is(row('subject', $rare, 'r2'), 'CN=rare', 'is made anew');
is(login($forgotten, 'r1'), 'in', 'login');
my $made = row('logins', $forgotten, 'r1');
$node->restart;
is(row('subject, logins', $forgotten, 'r1'), "CN=r1|$made", 'counters stay');

# More entries than places: the newest stay.
$node->stop;
($size, @entries) = read_file();
my $sample = $entries[-1];
my @many = map { my $e = $sample; substr($e, 0, 32) = chr($_) x 32; $e } 1 .. 25;
write_file($size, 25, @many);
$node->set_conf('ext_ssl_guard.max_client_certificates' => '10');
$node->start;
is(query('SELECT count(*), min(fingerprint) FROM ssl_guard_client_certificates'), '10|' . '10' x 32,
	'more entries than places');
is(query('SELECT client_certificates_evicted FROM ssl_guard_status'), '0', 'are no evictions');
$node->stop;

# More alarms than places: the worst ones have them.
my $spring = $certs->make_client('spring', ca => $ca, days_left => 60);
$node->set_conf('ext_ssl_guard.max_client_certificates' => '1000');
unlink $file;
$node->start;
login($spring, 'r1');
login($rare, 'r1');
$node->stop;
($size, @entries) = read_file();
@many = map { my $e = $entries[0]; substr($e, 0, 32) = pack('N', $_) . chr(7) x 28; $e } 1 .. 600;
write_file($size, 601, @many, $entries[1]);
$node->start;
is($node->wait_sql('SELECT max(severity), count(*) > 340 FROM ssl_guard_alarms', 'critical|t'), 'critical|t',
	'more alarms than places');
is(query(alarms_of($rare)), 'expires_very_soon', 'the worst one has one');
$node->set_conf('ext_ssl_guard.max_client_certificates' => '10');
$node->stop;

# A matching checksum is not everything.
sub overwritten
{
	my ($text) = @_;
	my $entry = $sample;
	my $place = index($entry, $text);

	die "no $text" if $place < 0;
	substr($entry, $place, 192) = 'A' x 192;
	return $entry;
}

my %damage = (
	'entries of another size' => sub { write_file($size + 8, 2, map { $_ . 'x' x 8 } $sample, $sample) },
	'a count too large' => sub { write_file($size, 0xFFFFFFFF, $sample) },
	'a count too small' => sub { write_file($size, 1, $sample, $sample) },
	'a file of version 1.0' => sub {
		local $magic = 'ESGCLI01';
		write_file($size, 1, $sample);
	},
	'a text without end' => sub { write_file($size, 1, overwritten('CN=')) },
	'a directory' => sub { unlink $file; mkdir $file },
	'a FIFO' => sub { unlink $file; POSIX::mkfifo($file, 0600) });
foreach my $name (sort keys %damage)
{
	$damage{$name}->();
	unlink "$file.damaged";
	my $offset = $node->log_end;
	$node->start;
	like($node->log_since($offset), qr/ignoring damaged file/, "$name: log line");
	ok(-e "$file.damaged" && !-e $file, "$name: set aside");
	is(query('SELECT count(*) FROM ssl_guard_client_certificates'), '0', "$name: nothing is loaded");
	is(login($rare, 'r1'), 'in', "$name: login");
	$node->stop;
	ok(-f $file, "$name: a good file is there again");
	-d "$file.damaged" ? rmdir "$file.damaged" : unlink "$file.damaged";
}

# No links are written through, and what cannot be written is said.
my $victim = ESG::Certs::spew($node->path('victim'), "precious\n");
rename $file, "$file.real" or die "rename: $!";
symlink "$file.real", $file or die "symlink: $!";
symlink $victim, "$file.tmp" or die "symlink: $!";
$node->start;
is(query('SELECT count(*) FROM ssl_guard_client_certificates'), '1', 'read through a link');
is(login($rare, 'r1'), 'in', 'login');
$node->stop;
is(ESG::Certs::slurp($victim), "precious\n", 'a link in place of the temporary file');
ok(-f $file && !-l $file, 'the file replaces a link');
is((stat $file)[2] & 07777, 0600, 'for the server alone');
POSIX::mkfifo("$file.tmp", 0600);
$node->start;
is(login($rare, 'r1'), 'in', 'login');
$node->stop;
is((read_file())[0], $size, 'a FIFO in place of the temporary file');
mkdir "$file.tmp";
$node->start;
is(login($rare, 'r1'), 'in', 'login');
my $offset = $node->log_end;
$node->stop;
like($node->log_since($offset), qr/LOG:  could not write file "pg_stat\/ext_ssl_guard\.clients\.tmp": Is a directory/,
	'what cannot be written');
rmdir "$file.tmp";
chmod 0, $file;
$offset = $node->log_end;
$node->start;
like($node->log_since($offset), qr/LOG:  could not open file "pg_stat\/ext_ssl_guard\.clients": Permission denied/,
	'what cannot be read') if $> != 0;
is(login($rare, 'r1'), 'in', 'login');
$node->stop;

done_testing();

# denied_certificates as people write it, and as nobody should: what is accepted denies,
# what is not stops the start, and at a reload leaves the list as it was.

use strict;
use warnings;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $bad = $certs->make_client('bad', ca => $ca, serial => '0A1B');
my $good = $certs->make_client('good', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.alarm_repeat_interval = '1d'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my $fp = $bad->{fingerprint};
my $upper = uc $fp;
my $colons = join ':', $fp =~ /../g;
my $issuer = $ca->{fingerprint};
my $other = $good->{fingerprint};

sub login { return ($node->tcp_psql('SELECT 1', user => 'app', client => $_[0]))[0] == 0 ? 'in' : 'out'; }

# what a line of the file says: '\n' is one
sub put
{
	my ($value) = @_;

	$node->append_conf('postgresql.conf', "ext_ssl_guard.denied_certificates = '$value'");
	return;
}

my $serial = 0;

sub reload
{
	$serial++;
	$node->append_conf('postgresql.conf', "esg_test.n = '$serial'");
	$node->reload;
	$node->wait_sql('SHOW esg_test.n', $serial);
	return;
}

# --- accepted --------------------------------------------------------------------------------

foreach my $value ($fp, $upper, $colons, uc $colons, "  $fp\t", "\\n$fp\\n", "$fp,$fp", "$fp, $upper,\\n\\t$colons", "$other , $fp",
	"0a1b\@$issuer", "0A:1B\@$issuer", "000a1b\@" . uc $issuer, "00:0A:1b\@" . join(':', $issuer =~ /../g), "$other, A1B\@$issuer")
{
	put('');
	reload();
	is(login($bad), 'in', 'nothing is denied');
	put($value);
	reload();
	my $shown = substr($value, 0, 20);
	is(login($bad), 'out', "\"$shown...\": denied");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'setting_rejected'}), 0, 'and accepted');
}

# --- not accepted ------------------------------------------------------------------------------

my @broken = (
	'garbage', "$fp,", ",$fp", "$fp,,$other", substr($fp, 1), "${fp}0", "0x$fp", "$fp;$other", "$fp $other", "\@$issuer", "0A1B\@", "0A1B\@\@$issuer",
	"0A1B\@$issuer\@$issuer", "0x0A1B\@$issuer", "0A 1B\@$issuer", "0A::1B\@$issuer", ":0A1B\@$issuer", "0A1B:\@$issuer", '-@' . $issuer, ('1' x 48) . "\@$issuer",
	"\xff\xfe$fp", 'x' x 100_000, ',' x 10_000, $fp =~ s/^../:/r, $colons =~ s/:/::/r);

put("$fp");
reload();
foreach my $value (@broken)
{
	my $shown = substr($value, 0, 30) =~ s/[^ -~]/?/gr;
	my $offset = $node->log_end;

	put($value);
	reload();
	$node->wait_log(qr/invalid value for parameter "ext_ssl_guard\.denied_certificates"/, $offset);
	is(login($bad), 'out', "\"$shown\": the list before stays in force");
	put($fp);
	reload();
}
put('garbage');
reload();
is($node->wait_sql(q{SELECT string_agg(code || ' ' || severity, ', ') FROM ssl_guard_alarms WHERE code = 'setting_rejected'}, qr/setting_rejected/), 'setting_rejected critical', 'an alarm');
put($fp);
reload();
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'setting_rejected'}, 0), 0, 'which is cleared');

# at a start
$node->stop;
foreach my $value ('garbage', "$fp,", "0A1B\@", ('x' x 100_000))
{
	my $offset = $node->log_end;

	put($value);
	is($node->start(fail_ok => 1), 0, 'the server does not start with a broken list');
	like($node->log_since($offset), qr/FATAL:  invalid value for parameter "ext_ssl_guard\.denied_certificates": "\Q@{[ substr($value, 0, 60) ]}\E/, 'FATAL names setting and value');
}
put($fp);
$node->start;
is(login($bad), 'out', 'started: denied');

# --- 10,000 entries, set and reset while others log in -------------------------------------------

my $many = join ', ', (map { sprintf('%x@%s', $_ * 7 + 100_000, $issuer) } 1 .. 5000), map { sprintf('%064x', $_) } 1 .. 4999;
my $stop = $node->path('stop');
my @clients;

foreach (1, 2)
{
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		alarm 200;
		my $failures = 0;
		$failures += login($good) ne 'in' until -e $stop;
		POSIX::_exit($failures ? 1 : 0);
	}
	push @clients, $pid;
}
foreach my $round (1 .. 5)
{
	ESG::Certs::spew($node->path('postgresql.auto.conf'), '');
	$node->safe_psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.denied_certificates = '$many, $fp'");
	reload();
	is(login($bad), 'out', "round $round: 10,000 entries, denied");
	$node->safe_psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.denied_certificates = '$many'");
	reload();
	is(login($bad), 'in', 'not denied any more');
}
ESG::Certs::spew($stop, '');
is(join(' ', map { waitpid($_, 0); $? } @clients), '0 0', 'nobody else was refused');
my ($status, undef, $err) = $node->psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.denied_certificates = 'garbage'");
isnt($status, 0, 'ALTER SYSTEM refuses a broken list');
like($err, qr/Entry 1, at character 1, is neither a SHA-256 fingerprint nor/, 'and says why');
is($node->safe_psql('postgres', q{SELECT length(setting) > 600000 FROM pg_settings WHERE name = 'ext_ssl_guard.denied_certificates'}), 't', 'it is shown as it was written');
is($node->safe_psql('postgres', 'SET ROLE app; SELECT count(*) FROM pg_settings WHERE name LIKE $$ext_ssl_guard.denied%$$') ne '', 1, 'for others as other settings');

$node->stop;
done_testing();

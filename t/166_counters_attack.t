# The counters of logins by somebody who means harm: a flood of roles, damaged and
# foreign files, resets while others log in.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('client', ca => $ca);
my $node = ESG::Node->new('main');
$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.max_transport_entries = 20\nmax_connections = 40",
	hba => [ 'host all all 127.0.0.1/32 trust' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE nologin NOLOGIN; CREATE ROLE watch LOGIN; GRANT pg_monitor TO watch');

sub query { return $node->safe_psql('postgres', $_[0]); }

sub login { my ($user, %options) = @_; return ($node->tcp_psql('SELECT 1', user => $user, %options))[0] == 0 ? 'in' : 'out'; }

# --- who cannot log in leaves nothing ----------------------------------------------------------

is(login('app', client => $client), 'in', 'a login');
my $rows = query('SELECT count(*) FROM ssl_guard_transport');
is($rows, 1, 'is a row');
foreach my $name ((map { "ghost$_" } 1 .. 30), 'nologin', 'x' x 200, "quo'ted\"", "\xff\xfe")
{
	login($name, sslmode => $_) eq 'out' or fail("$name is in") foreach qw(disable require);
}
is(query('SELECT count(*), (SELECT transport_evicted FROM ssl_guard_status) FROM ssl_guard_transport'), '1|0', 'those who are no roles, or may not, push nobody out');
is(query('SELECT count(*) FROM ssl_guard_sessions'), 0, 'and leave no session');

# --- 1,000 roles ----------------------------------------------------------------------------------

query(q{SELECT format('CREATE ROLE r%s LOGIN', n) FROM generate_series(1, 200) n \gexec});
login("r$_", sslmode => 'disable') eq 'in' or fail("r$_") foreach 1 .. 200;
is(query('SELECT count(*), (SELECT transport_evicted FROM ssl_guard_status) FROM ssl_guard_transport'), '20|181', 'many roles: bounded, and counted');
is(query(q{SELECT string_agg(role_name, ' ' ORDER BY role_name) = (SELECT string_agg('r' || n, ' ' ORDER BY 'r' || n) FROM generate_series(181, 200) n) FROM ssl_guard_transport}), 't', 'the last ones');

# --- resets while others log in -------------------------------------------------------------------

my $stop = $node->path('stop');
my @clients;
foreach (1, 2)
{
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		alarm 100;
		my $failures = 0;
		$failures += login('app', client => $client) ne 'in' until -e $stop;
		POSIX::_exit($failures ? 1 : 0);
	}
	push @clients, $pid;
}
foreach (1 .. 100)
{
	query('SELECT ssl_guard_reset(name) FROM ssl_guard_resets; SELECT count(*) FROM ssl_guard_transport; SELECT count(*) FROM ssl_guard_client_certificates');
}
ESG::Certs::spew($stop, '');
is(join(' ', map { waitpid($_, 0); $? } @clients), '0 0', 'resets are in nobody\'s way');
query(q{SELECT ssl_guard_reset('transport')});
is(login('app', client => $client), 'in', 'a login');
is(query('SELECT logins FROM ssl_guard_transport'), 1, 'counted from one');

# --- who may, and what with ------------------------------------------------------------------------

foreach my $role (qw(app watch))
{
	my ($status, undef, $err) = $node->psql('postgres', "SET ROLE $role; SELECT ssl_guard_reset('transport')");

	like($err, qr/permission denied for function ssl_guard_reset/, "$role may not reset");
}
foreach my $garbage ("''", "'TRANSPORT'", "' transport'", "repeat('x', 1000000)", "E'\\x01'", "'transport; DROP TABLE x'")
{
	my (undef, undef, $err) = $node->psql('postgres', "SELECT ssl_guard_reset($garbage)");

	like($err, qr/ERROR:  there are no counters "/, "$garbage: there are no such counters");
	cmp_ok(length $err, '<', 2_000_000, 'no flood of words');
}
is(query('SELECT count(*) FROM ssl_guard_transport'), 1, 'nothing was reset');

# --- files: damaged, cut, foreign, none ----------------------------------------------------------------

foreach my $name (qw(transport ca_usage resets))
{
	$node->stop;
	my $file = $node->path("pg_stat/ext_ssl_guard.$name");
	my $content = ESG::Certs::slurp($file);
	my %bad = (
		'empty' => '',
		'cut in the header' => substr($content, 0, 20),
		'cut in an entry' => substr($content, 0, -1),
		'longer' => $content . 'x',
		'of another kind' => 'X' . substr($content, 1),
		'zeroes' => "\0" x length $content,
		'a count of billions' => substr($content, 0, 36) . "\xff\xff\xff\xff" . substr($content, 40));

	foreach my $fault (sort keys %bad)
	{
		my $offset = $node->log_end;

		ESG::Certs::spew($file, $bad{$fault});
		$node->start;
		like($node->log_since($offset), qr/ignoring damaged file "pg_stat\/ext_ssl_guard\.$name"/, "$name: $fault: said");
		is(login('app', client => $client), 'in', 'and logins go on');
		$node->stop;
	}
	foreach my $kind (qw(fifo directory loop))
	{
		my $offset = $node->log_end;

		unlink $file;
		$kind eq 'fifo' ? mkfifo($file, 0600) : $kind eq 'directory' ? mkdir($file) : symlink("ext_ssl_guard.$name", $file) or die "$kind: $!";
		my $began = time;
		$node->start;
		cmp_ok(time - $began, '<', 10, "$name: a $kind in its place is not waited for");
		is(login('app', client => $client), 'in', 'and logins go on');
		$node->stop;
		rmdir $file if -d $file && !-l $file;
		unlink $file;
	}
	ESG::Certs::spew($file, $content);
	$node->start;
	is(query('SELECT count(*) FROM ssl_guard_transport') >= 1, 1, "$name: it is read again when it is good");
}
$node->stop;
done_testing();

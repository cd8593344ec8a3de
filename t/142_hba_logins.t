# What ssl_guard_hba says of a line is what the server does with it: logins are
# made, and core's log names the line that each of them has matched.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');
$node->setup(ca => $ca, server => $server, conf => <<'CONF');
log_connections = on
listen_addresses = '*'
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.self_probe = off
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(q{CREATE ROLE a LOGIN SUPERUSER PASSWORD 'secret'; CREATE ROLE b LOGIN PASSWORD 'secret'; CREATE ROLE staff; GRANT staff TO b});
sql('CREATE DATABASE a');

my $hba = $node->path('pg_hba.conf');

# The lines are in force when it returns; not so if core refuses them.
sub install
{
	my (@lines) = @_;

	ESG::Certs::spew($hba, map { "$_\n" } 'local all postgres trust', @lines);
	return $node->apply;
}

# One login: the number of the line that core names; 0 if it names none.
sub login
{
	my ($role, $database, $address, $mode, $more) = @_;
	my $offset = $node->log_end;
	my @where = $address ? ("host=$address", "sslmode=$mode") : ('host=' . $node->host);
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtqw', '-d', join(' ', @where, 'port=' . $node->port, "user=$role", "dbname=$database",
			'sslcert=invalid', 'sslkey=invalid', 'sslrootcert=invalid', 'gssencmode=disable', $more // ()), '-c', 'SELECT 1' ],
		'<', '/dev/null', '>', \$out, '2>', \$err, IPC::Run::timeout(60));
	my $ret = $? == 0;
	my $log = $node->log_since($offset);
	return (($log =~ /connection authenticated: .* method=password \(\Q$hba\E:(\d+)\)/)[0] // 0, $ret);
}

sub dead { return map { $_ => 1 } split /,/, sql("SELECT coalesce(string_agg(line_number::text, ','), '') FROM ssl_guard_hba WHERE 'hba_never_matches' = ANY(findings)"); }

my @grid;
foreach my $role (qw(a b))
{
	foreach my $database (qw(postgres a))
	{
		push @grid, [ $role, $database, '127.0.0.1', $_ ], foreach qw(disable require);
		push @grid, [ $role, $database, '::1', 'disable' ];
		push @grid, [ $role, $database, undef, '' ];
	}
}

# only a method that asks for something is logged with its line
local $ENV{PGPASSWORD} = 'secret';

# ---- by hand: a line that is dead is passed over for the one that takes everything
install('host all all 127.0.0.0/8 password', 'host all a 127.0.0.1/32 password');
is(join(',', sort keys %{ { dead() } }), '3', 'a line behind a wider one is called dead');
is((login('a', 'postgres', '127.0.0.1', 'disable'))[0], 2, 'and core takes the wider one');
install('host all b 127.0.0.0/8 password', 'host all a 127.0.0.1/32 password');
is(join(',', sort keys %{ { dead() } }), '', 'for another role it is not');
is((login('a', 'postgres', '127.0.0.1', 'disable'))[0], 3, 'and core takes it');

# ---- a fallback is one
install('hostssl all a 0.0.0.0/0 password clientcert=verify-ca', 'host all a 0.0.0.0/0 password');
is(sql("SELECT 'hba_fallback' = ANY(findings) FROM ssl_guard_hba WHERE line_number = 3"), 't', 'a line behind one for TLS is a fallback');
is((login('a', 'postgres', '127.0.0.1', 'prefer'))[0], 3, 'who prefers TLS and is refused there comes in without');
install('hostnossl all all all reject', 'host all a all password');
is(sql("SELECT findings FROM ssl_guard_hba WHERE line_number = 3"), '{}', 'none where plaintext is rejected before');
ok(!(login('a', 'postgres', '127.0.0.1', 'disable'))[1], 'core rejects it');
is((login('a', 'postgres', '127.0.0.1', 'require'))[0], 3, 'and takes the line for TLS');

# ---- hostssl and no TLS
install('hostssl all a 127.0.0.1/32 password', 'host all a 127.0.0.1/32 password');
is(join(',', sort keys %{ { dead() } }), '', 'hostssl with TLS');
is((login('a', 'postgres', '127.0.0.1', 'prefer'))[0], 2, 'matches');
$node->apply(ssl => 'off');
is(join(',', sort keys %{ { dead() } }), '2', 'without TLS it is dead');
is((login('a', 'postgres', '127.0.0.1', 'prefer'))[0], 3, 'and the other one matches');
$node->apply(ssl => 'on');

# ---- at random
my $seed = $ENV{ESG_SEED} // time;
srand $seed;
note "ESG_SEED=$seed";

sub pick { return $_[ rand @_ ]; }

sub random_line
{
	my $type = pick(qw(local host host hostssl hostssl hostnossl hostnogssenc));
	my $database = join ',', map { pick(qw(all all postgres a sameuser samerole replication "all" nothing)) } 1 .. pick(1, 1, 2);
	my $user = join ',', map { pick('all', 'all', 'a', 'b', '+staff', '"+staff"', '"all"') } 1 .. pick(1, 1, 2);
	my $address = pick(qw(all 127.0.0.1/32 127.0.0.0/8 127.0.0.2/32 0.0.0.0/0 ::1/128 ::/0 10.0.0.0/8 samehost samenet 127.0.0.1/255.0.0.255));

	$address =~ s{/(255\S+)}{ $1};
	return join ' ', $type, $database, $user, ($type eq 'local' ? () : $address), 'password';
}

my ($files, $called, $matched) = (0, 0, 0);
my @wrong;
my $limit = time + ($ENV{ESG_HBA_SECONDS} // 60);
foreach my $round (1 .. $ENV{ESG_HBA_FILES} // 300)
{
	last if time > $limit;
	my @lines = map { random_line() } 1 .. 8;

	install(@lines);
	my %dead = dead();
	$files++;
	$called += keys %dead;
	next if !%dead;
	# four logins of the grid a file: each is another one
	foreach my $login (map { $grid[ rand @grid ] } 1 .. 4)
	{
		my ($line) = login(@$login);

		$matched++ if $line;
		push @wrong, "line $line, " . join(' ', map { $_ // 'local' } @$login) . ":\n" . join("\n", @lines) if $dead{$line};
	}
}
is(join("\n", @wrong), '', "no login came by a line that never matches ($files files, $called such lines, $matched logins)");
cmp_ok($called, '>', $files / 4, 'there were such lines');
cmp_ok($matched, '>', $files / 5, 'and logins by others');

$node->stop;
done_testing();

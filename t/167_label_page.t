# A login finds the label that the catalog has, whatever was done to it: it reads the
# page where it lies in memory, without a lock, and asks the catalog where the page does
# not tell.

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
	conf => 'autovacuum = off',
	hba => ['hostssl all all 127.0.0.1/32 trust']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE other LOGIN');

sub sql { return $node->safe_psql('postgres', shift); }

sub label
{
	my ($role, $label) = @_;

	return "SECURITY LABEL FOR ext_ssl_guard ON ROLE $role IS " . (defined $label ? "'$label'" : 'NULL');
}

# What a login is told is what SQL says that the catalog has, the first time and again.
sub agrees
{
	my ($what) = @_;
	my $label = sql(q{SELECT label FROM pg_shseclabel WHERE objoid = 'app'::regrole AND provider = 'ext_ssl_guard'});
	my $good = $label eq '' || $label eq 'cn=app';

	foreach my $again ('', ', again')
	{
		my ($status, undef, $said) = $node->tcp_psql('SELECT 1', user => 'app', client => $app);

		is($status == 0 ? 'let in' : $said =~ /role_label_mismatch/ ? 'refused' : $said, $good ? 'let in' : 'refused',
			"$what$again: label \"$label\"");
	}
	return;
}

# The same while nobody can lock the catalog: the page alone has told.
sub agrees_without_lock
{
	my ($what, $want) = @_;
	my $session = $node->background_psql('postgres');

	$session->query_safe('BEGIN; LOCK TABLE pg_shseclabel IN ACCESS EXCLUSIVE MODE');
	my ($status, undef, $said) = $node->tcp_psql('SELECT 1', user => 'app', client => $app);
	is($status == 0 ? 'let in' : $said =~ /role_label_mismatch/ ? 'refused' : $said, $want, $what);
	$session->query_safe('ROLLBACK');
	$session->quit;
	return;
}

agrees('no label was ever set');
agrees_without_lock('while there is none', 'let in');
sql(label('app', 'cn=nobody'));
agrees('the first label');
agrees_without_lock('it is read without a lock', 'refused');
sql(label('app', 'cn=app'));
agrees('changed');
agrees_without_lock('also that', 'let in');
sql(label('other', 'cn=nobody'));
agrees('another role has one');

# what has not ended says nothing
{
	my $session = $node->background_psql('postgres');

	$session->query_safe('BEGIN; ' . label('app', 'cn=nobody'));
	agrees('another label, not committed');
	$session->query_safe('COMMIT');
	agrees('committed');
	$session->query_safe('BEGIN; ' . label('app', 'cn=app'));
	agrees('changed back, not committed');
	$session->query_safe('ROLLBACK');
	agrees('rolled back');
	$session->query_safe('BEGIN; SAVEPOINT s; ' . label('app', 'cn=app') . '; ROLLBACK TO s; ' . label('app') . '; SAVEPOINT t');
	agrees('taken away, not committed');
	$session->query_safe('COMMIT');
	agrees('taken away');
	$session->query_safe('BEGIN; ' . label('app', 'cn=nobody') . '; COMMIT');
	$session->query_safe(q{BEGIN; SELECT count(*) FROM (SELECT 1 FROM pg_shseclabel FOR UPDATE) AS locked});
	agrees('its row is locked');
	$session->query_safe('ROLLBACK');
	$session->query_safe(q{BEGIN; DELETE FROM pg_shseclabel WHERE objoid = 'app'::regrole});
	agrees('deleted by hand, not committed');
	$session->query_safe('COMMIT');
	agrees('deleted by hand');
	$session->quit;
}

# the catalog's file
sql(label('app', 'cn=nobody'));
agrees('set');
foreach my $statement ('VACUUM pg_shseclabel', 'VACUUM FREEZE pg_shseclabel', 'VACUUM FULL pg_shseclabel', 'CHECKPOINT', 'REINDEX TABLE pg_shseclabel')
{
	sql($statement);
	agrees($statement);
}
agrees_without_lock('in another file', 'refused');
sql(q{DO $$BEGIN FOR i IN 1..150 LOOP EXECUTE format('CREATE ROLE many%s', i);
	EXECUTE format('SECURITY LABEL FOR ext_ssl_guard ON ROLE many%s IS %L', i, 'cn=' || repeat('x', 200)); END LOOP; END$$});
agrees('on the first of several pages');
sql(label('app', 'cn=app'));
agrees('on another page');
sql(label('app', 'cn=nobody'));
agrees('changed there');
sql(q{DO $$BEGIN FOR i IN 1..150 LOOP EXECUTE format('DROP ROLE many%s', i); END LOOP; END$$});
agrees('the others have gone');
sql('VACUUM FULL pg_shseclabel');
agrees('one page again');
agrees_without_lock('read where it lies', 'refused');
sql(label($_)) foreach qw(app other);
sql('VACUUM pg_shseclabel');
agrees('none are left');

# the role
sql(label('app', 'cn=nobody') . '; ALTER ROLE app RENAME TO app_before; CREATE ROLE app LOGIN');
agrees('another role has the name now');
sql('DROP ROLE app; ALTER ROLE app_before RENAME TO app');
agrees('the role has its name back');
sql('DROP ROLE app; CREATE ROLE app LOGIN');
agrees('made anew');

sql(label('app', 'cn=nobody'));
$node->restart;
agrees('after a restart');
$node->stop('immediate');
$node->start;
agrees('after a crash');
agrees_without_lock('read where it lies, after a crash', 'refused');

$node->stop;
# what core says of pins and references that a transaction forgot
unlike(ESG::Node::slurp($node->logfile), qr/WARNING:.*(?:leak|not closed)/, 'no login has left anything open');
done_testing();

# More alarms than the registry has places: what has none is counted, once.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $places = 448;
my $roles = 600;
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');

# no CA file: no client can have a certificate
$node->setup(
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 0");
$node->start;

sub query { return $node->safe_psql('postgres', $_[0]); }
sub check { return query('SELECT count(*) FROM ssl_guard_check()'); }
sub evicted { return query('SELECT alarms_evicted FROM ssl_guard_status'); }

sub label_roles
{
	my ($from, $to, $label) = @_;

	return query(join(';', map { "SECURITY LABEL FOR ext_ssl_guard ON ROLE r$_ IS $label" } $from .. $to));
}

# alarms less severe than those to come, and one more severe
query(join(';', map { "CREATE ROLE r$_ LOGIN" } 1 .. $roles));
chmod 0644, $node->path('server.key') or die "chmod: $!";
my $few = check();
cmp_ok($few, '>', 0, 'some alarms');
is(evicted(), '0', 'each has a place');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE severity = 'critical'"), '1', 'one is critical');

label_roles(1, $places - $few, "'x509'");
is(check(), $places, 'as many as there are places');
is(evicted(), '0', 'each has one');

my $offset = $node->log_end;
label_roles(1, $roles, "'x509'");
is(check(), $places, 'more than there are places');
my $lacking = $few + $roles - $places;
is(evicted(), $lacking, 'what has none is counted');
is(check(), $places, 'at the next look') foreach 1 .. 2;
is(evicted(), $lacking, 'but not again');
is(query("SELECT count(*) FROM ssl_guard_alarms WHERE severity = 'critical'"), '1', 'the critical one has kept its place');
is($node->count_log(qr/too many alarms: \d+ found no place in the registry of 448/, $offset), 1, 'said once');

# there is room, and then there is none
label_roles(1, $roles, 'NULL');
is(check(), $few, 'few alarms again');
is(check(), $few, 'those that had given way have come back');
is(evicted(), $lacking, 'nothing more to count');
label_roles(1, $roles, "'x509'");
check();
is(evicted(), 2 * $lacking, 'until there is');

$node->stop;
done_testing();

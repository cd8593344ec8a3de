# self_probe: what the server really serves is known while nobody logs in.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $first = $certs->make_server('first', ca => $ca);
my $second = $certs->make_server('second', ca => $ca);
my $node = ESG::Node->new('main');

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub status { return sql("SELECT $_[0] FROM ssl_guard_status"); }

# the row as it is when a probe has ended after that moment
sub probed
{
	my ($columns, $since, $result) = @_;

	$result //= 'ok';
	$node->wait_sql("SELECT coalesce(probed_at > '$since' AND probe_result = '$result', false) FROM ssl_guard_status");
	return status("probe_result, $columns");
}

$node->setup(ca => $ca, server => $first, conf => "log_connections = on\nlog_disconnections = on");
my $start = $node->log_end;
$node->start;
is(probed('served_seen_by, in_sync, served_fingerprint', '-infinity'), "ok|probe|t|$first->{fingerprint}", 'nobody has logged in');
diag status('*');
diag $node->log_since($start);
$node->stop;
done_testing();

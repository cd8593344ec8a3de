# auto_reload with a file that never rests: others' alarms wait for a minute at most,
# and a renewed certificate comes into service all the same.

use strict;
use warnings;

use POSIX ();
use Test::More;

use ESG::Certs;
use ESG::Clock;
use ESG::Node;
use ESG::Renewal;

my $clock = ESG::Clock->new('files that never rest are');
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $first = $certs->make_server('first', ca => $ca, days_left => 100);
my $second = $certs->make_server('second', ca => $ca, days_left => 200, key => $first);
my $node = ESG::Node->new('main');

# a look at it takes longer than the other one needs to change
my $crl = ESG::Certs::slurp($certs->make_crl($ca, 'crl')) . ('# ' . 'x' x 100 . "\n") x 300_000;

$node->setup(ca => $ca, server => $first, conf => "$ESG::Renewal::settings\nssl_crl_file = 'root.crl'");
my $r = ESG::Renewal->new($node);
$r->put('root.crl' => $crl);
$clock->start($node);
$node->wait_sql('SELECT in_sync FROM ssl_guard_status');

my $toucher = fork // die "fork: $!";
if ($toucher == 0)
{
	# ends with the test, however that ends
	my $parent = getppid;

	while (getppid == $parent)
	{
		utime undef, undef, $node->path('server.crt');
		select(undef, undef, undef, 0.002);
	}
	POSIX::_exit(0);
}

# a minute takes three seconds
$r->begin;
$clock->set(0, 20);
chmod 0644, $node->path('server.key') or die "chmod: $!";
is($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'permissions_too_open'}, '1'), '1', 'another file is looked at after a minute');
chmod 0600, $node->path('server.key') or die "chmod: $!";
$r->put('server.crt' => \$second->{cert});
is($r->wait_served($second), $second->{fingerprint}, 'what is renewed meanwhile comes into service');
is($r->reloads, 1, 'by one reload');

kill 'KILL', $toucher;
waitpid $toucher, 0;
$node->stop;

done_testing();

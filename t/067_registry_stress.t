# The registry of client certificates against a model of it: random logins of
# many roles with few certificates and fewer places.

use strict;
use warnings;

use Test::More;

use IPC::Run ();

use ESG::Certs;
use ESG::Node;

my $places = 10;
my $seed = $ENV{ESG_TEST_SEED} // int(rand(1 << 30));
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my @clients = map { $certs->make_client("c$_", ca => $ca) } 1 .. 5;
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.max_client_certificates = $places\nmax_connections = 50",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', join(';', map { "CREATE ROLE r$_ LOGIN" } 1 .. 12));
srand($seed);
diag("ESG_TEST_SEED=$seed") if $ENV{ESG_TEST_SEED};

# Logs in once for each [role, certificate], in one program.
sub script
{
	my (@pairs) = @_;

	return join('', map { "\\connect '" . $node->tcp(user => $_->[0], client => $_->[1]) . "'\n" } @pairs);
}

sub start_psql
{
	my ($script) = @_;
	my ($out, $err) = ('', '');

	return IPC::Run::start([ 'psql', '-XAtqw', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', \$script, '>', \$out, '2>', \$err);
}

# the model: entries, least recently used first
my @model;
my $evicted = 0;

sub note_login
{
	my ($role, $client) = @_;
	my ($old) = grep { $_->{role} eq $role && $_->{client} == $client } @model;

	@model = grep { !$old || $_ != $old } @model;
	if (!$old && @model == $places)
	{
		shift @model;
		$evicted++;
	}
	push @model, $old // { role => $role, client => $client, logins => 0 };
	$model[-1]{logins}++;
	return;
}

sub model_text
{
	return join("\n", map { "$_->{role}|$_->{client}{fingerprint}|$_->{logins}" } @model);
}

sub registry_text
{
	return $node->safe_psql('postgres',
		'SELECT role_name, fingerprint, logins FROM ssl_guard_client_certificates ORDER BY last_seen_at');
}

foreach my $round (1 .. 8)
{
	# now many roles with few certificates, now few roles with many
	my $roles = (12, 3, 1)[ $round % 3 ];
	my $width = (5, 1, 5, 2)[ $round % 4 ];
	my @pairs = map { [ 'r' . (1 + int rand $roles), $clients[ int rand $width ] ] } 1 .. 40;

	ok(start_psql(script(@pairs))->finish, "round $round");
	note_login(@$_) foreach @pairs;
	is(registry_text(), model_text(), "round $round: entries, counters and order (seed $seed)");
	is($node->safe_psql('postgres', 'SELECT client_certificates, client_certificates_evicted FROM ssl_guard_status'),
		scalar(@model) . "|$evicted", "round $round: evictions");
	if ($round == 5)
	{
		is($node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()'), scalar @model, 'reset');
		@model = ();
		$evicted = 0;
	}
	if ($round == 6)
	{
		$node->restart;
		is(registry_text(), model_text(), 'restart: entries, counters and order');
		$evicted = 0;
	}
}

# Eight at once, all places fought for: whatever the order, nothing is lost.
$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
my @running = map {
	start_psql(script(map { [ 'r' . (1 + int rand 12), $clients[ int rand 5 ] ] } 1 .. 25))
} 1 .. 8;
is(scalar(grep { !$_->finish } @running), 0, 'eight at once');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT (fingerprint, role_name)) FROM ssl_guard_client_certificates'),
	"$places|$places", 'each entry once');
@model = ();
my @pairs = map { [ "r$_", $clients[ $_ % 5 ] ] } 1 .. $places;
$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
@running = map { start_psql(script(@pairs)) } 1 .. 8;
is(scalar(grep { !$_->finish } @running), 0, 'eight at once, all entries fit');
is($node->safe_psql('postgres', 'SELECT min(logins), max(logins), count(*) FROM ssl_guard_client_certificates'),
	"8|8|$places", 'counted exactly');
$node->stop;

done_testing();

# client_certificate_public_ca: a client's certificate whose chain ends at a root
# that the public trusts.  Nobody here has the key of one, so the server loads a
# copy of the library in whose table a CA of the test stands in for one of them.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
# one is called like a public root, the other takes the place of one
my $namesake = $certs->make_ca('namesake', subject => '/C=US/O=Internet Security Research Group/CN=ISRG Root X1');
my $public = $certs->make_ca('public', subject => '/CN=Anybody CA');
my $middle = $certs->make_ca('middle', ca => $public, subject => '/CN=Anybody Issuing CA');
my %client = (
	direct => $certs->make_client('direct', ca => $public),
	below => $certs->make_client('below', ca => $middle, chain => [$middle]),
	own => $certs->make_client('own', ca => $namesake),
	lone => $certs->make_client('lone'),
);

# The fingerprints stand in order, each ended by a NUL: the next one above makes room.
sub stand_in
{
	my ($library, $fingerprint) = @_;
	my @places;

	push @places, [ $-[0], substr($$library, $-[0], 64) ] while $$library =~ /(?<![0-9a-f])[0-9a-f]{64}(?=\0)/g;
	@places = sort { $a->[1] cmp $b->[1] } @places;
	my ($place) = grep { $_->[1] ge $fingerprint } @places;
	substr($$library, ($place // $places[-1])->[0], 64) = $fingerprint;
	return scalar @places;
}

chomp(my $libdir = `'$ENV{PG_CONFIG}' --pkglibdir`);
chomp(my $sharedir = `'$ENV{PG_CONFIG}' --sharedir`);
my $library = ESG::Certs::slurp("$libdir/ext_ssl_guard.so");
my $copy = $certs->dir . '/ext_ssl_guard.so';

cmp_ok(stand_in(\$library, $public->{fingerprint}), '>', 100, 'the table of public roots');
ESG::Certs::spew($copy, $library);
chmod 0755, $copy, $certs->dir;

# the extension's objects, of that library
sub create_objects
{
	my ($node) = @_;
	my $script = ESG::Certs::slurp("$sharedir/extension/ext_ssl_guard--1.1.sql");

	$script =~ s/^\\.*$//mg;
	$script =~ s/MODULE_PATHNAME/$copy/g;
	$node->safe_psql('postgres', $script);
	return;
}

sub new_node
{
	my ($name, %options) = @_;
	my $node = ESG::Node->new($name);

	$node->setup(
		ca => $certs->concat('root.crt', $public->{cert}, $namesake->{cert}, $client{lone}{cert}),
		server => $certs->make_server("server_$name", ca => $namesake),
		conf => join("\n", "ext_ssl_guard.file_poll_interval = '1s'", @{ delete $options{lines} // [] }),
		hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca'], %options);
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
	return $node;
}

my $node = new_node('stand_in', extension => 0, lines => [ "dynamic_library_path = '" . $certs->dir . ":\$libdir'" ]);

create_objects($node);

sub login
{
	my ($on, $name) = @_;

	is(($on->tcp_psql('SELECT 1', user => 'app', client => $client{$name}))[0], 0, "$name gets in");
	return;
}

sub findings
{
	my ($on, $name) = @_;

	return $on->safe_psql('postgres', "SELECT findings || severity::text FROM ssl_guard_client_certificates WHERE fingerprint = '$client{$name}{fingerprint}'");
}

my $alarms = "SELECT coalesce(string_agg(object || ' ' || severity, ',' ORDER BY object), '') FROM ssl_guard_alarms WHERE code = 'client_certificate_public_ca'";

sub alarm_of { return join(',', sort map { "client:$client{$_}{fingerprint} notice" } @_); }

foreach my $name (qw(direct below))
{
	my $offset = $node->log_end;

	login($node, $name);
	$node->wait_log(qr/code=client_certificate_public_ca severity=notice .*fingerprint=$client{$name}{fingerprint}/, $offset);
	is(findings($node, $name), '{client_certificate_public_ca,notice}', "$name: the registry has the finding");
}
like($node->safe_psql('postgres', "SELECT message FROM ssl_guard_alarms WHERE object = 'client:$client{direct}{fingerprint}'"),
	qr/^client certificate "CN=direct" was issued by a public CA \([^()]+( \(.*\))?\)$/, 'the root is named');
login($node, 'own');
is(findings($node, 'own'), '{ok}', 'a CA that only has the name of a public one is none');
login($node, 'lone');
is(findings($node, 'lone'), '{ok}', 'nor is a certificate that is trusted itself');
is($node->wait_sql($alarms, alarm_of(qw(direct below))), alarm_of(qw(direct below)), 'the worker agrees');
$node->restart;
is(findings($node, 'direct'), '{client_certificate_public_ca,notice}', 'kept over a restart');
is($node->wait_sql($alarms, alarm_of(qw(direct below))), alarm_of(qw(direct below)), 'and its alarm comes back');

# what the hint says: one of a CA of one's own, and then
login($node, 'own');
$node->safe_psql('postgres', 'SELECT ssl_guard_reset_client_certificates()');
is($node->wait_sql($alarms, ''), '', 'the alarms of the old ones are taken down');

# enforce refuses what is a danger; this is none yet
$node->apply('ext_ssl_guard.client_certificate_check' => 'enforce');
login($node, 'direct');
is($node->wait_sql($alarms, alarm_of('direct')), alarm_of('direct'), 'a notice, with enforce, too');
$node->apply('ext_ssl_guard.finding_overrides' => 'client_certificate_public_ca=off');
is($node->wait_sql($alarms, ''), '', 'regraded');
is(findings($node, 'direct'), '{ok}', 'in the registry, too');

# the library as it is
my $plain = new_node('plain');

login($plain, 'direct');
is(findings($plain, 'direct'), '{ok}', 'a CA that is in nobody\'s list is not public');

done_testing();

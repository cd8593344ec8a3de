# Label key ca=: a CA certificate in the verified chain.  issuer= compares a
# name only, which any trusted CA that may issue CAs can imitate.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $prod = $certs->make_ca('prod', subject => '/O=Example/CN=Prod CA');
my $middle = $certs->make_ca('middle', ca => $prod, subject => '/O=Example/CN=Prod Issuing CA');
my $test = $certs->make_ca('test', subject => '/O=Example/CN=Test CA');
# of the same name as the real ones
my $imitation = $certs->make_ca('imitation', ca => $test, subject => '/O=Example/CN=Prod Issuing CA');

sub make_job
{
	my ($name, @under) = @_;

	return $certs->make_client($name, ca => $under[0], subject => '/CN=job', serial => '0A1B', chain => [ grep { $_ != $prod && $_ != $test } @under ]);
}

my $direct = make_job('direct', $prod);
my $job = make_job('job', $middle);
my $fake = make_job('fake', $imitation);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('both.crt', $prod->{cert}, $test->{cert}),
	server => $certs->make_server('server', ca => $prod));
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE job LOGIN');

sub label
{
	my ($label) = @_;
	my ($status, undef, $err) = $node->psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE job IS '$label'");

	return $status == 0 && $err eq '' ? 'set' : $err;
}

sub login
{
	my ($client) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => 'job', client => $client);

	return 'in' if $status == 0;
	return $err =~ /FATAL:\s+(?:client certificate|connection) was refused \((\w+)\)\s*$/ ? $1 : $err;
}

# what the dry run shows for the file that the client would load
sub dry_run
{
	my ($client) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT source, identity, matched, rule FROM ssl_guard_identity_check('job', pg_read_file('$client->{cert}')) WHERE source <> 'cn'});
}

# the fault that it is for
is(label('issuer="CN=Prod Issuing CA,O=Example"'), 'set', 'issuer=');
is(login($job), 'in', 'issuer=: the real one');
is(login($fake), 'in', 'issuer=: and one that has taken its name');

my %print = map { $_->[0] => $_->[1]{fingerprint} // fingerprint($_->[1]) } ([ prod => $prod ], [ middle => $middle ], [ test => $test ]);

sub fingerprint
{
	my ($ca) = @_;
	my ($hex) = `openssl x509 -in '$ca->{cert}' -noout -fingerprint -sha256` =~ /=([0-9A-F:]+)/;

	return lc($hex =~ tr/://dr);
}

foreach my $case (
	[ "ca=$print{middle}", 'in', 'role_label_mismatch', 'role_label_mismatch' ],
	[ "ca=$print{prod}", 'in', 'in', 'role_label_mismatch' ],
	[ 'ca=' . uc($print{prod}) =~ s/(..)(?=.)/$1:/gr, 'in', 'in', 'role_label_mismatch' ],
	[ "ca=$print{test}", 'role_label_mismatch', 'role_label_mismatch', 'in' ],
	[ "ca=$print{test} ca=$print{middle}", 'in', 'role_label_mismatch', 'in' ],
	[ "ca=$print{prod} serial=0A1B", 'in', 'in', 'role_label_mismatch' ],
	[ "ca=$print{prod} cn=nobody", ('role_label_mismatch') x 3 ],
	# the client's own certificate is not its CA
	[ 'ca=' . fingerprint($direct), ('role_label_mismatch') x 3 ])
{
	my ($label, @want) = @$case;

	is(label($label), 'set', "$label: set, without a notice");
	foreach my $client ($job, $direct, $fake)
	{
		my $want = shift @want;

		is(login($client), $want, "$label: $want");
		my $run = dry_run($client);
		is($run =~ /^decision\|\|(.)\|/m ? $1 : $run, $want eq 'in' ? 't' : 'f', 'the dry run foretells it')
		  if $label !~ /nobody/;
	}
}
like(label('ca=abcd'), qr/at character 4: value for "ca" must be 64 hexadecimal digits/, 'no fingerprint');
like(label('ca'), qr/"ca" needs "=" and a value/, 'no value');

is(label("ca=$print{prod}"), 'set', 'the dry run, in full');
is(login(undef), 'role_label_mismatch', 'no certificate at all');
$node->safe_psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.identity_sources = 'cn'");
is(dry_run($job), qq{ca|$print{middle}|f|"CN=Prod Issuing CA,O=Example" is in the chain as built now; a handshake decides
ca|$print{prod}|t|"CN=Prod CA,O=Example" is in the chain as built now; a handshake decides
role_label|ca=$print{prod}|t|met
decision||t|cn "job" equals the role name}, 'each CA of the chain');
my $alone = $certs->make_client('alone', ca => $middle, subject => '/CN=job');
like(dry_run($alone), qr/^role_label\|ca=$print{prod}\|f\|"ca" is not met: the certificate's chain is not known\n/,
	'without the intermediate nothing is known of a chain');

$node->stop;
done_testing();

# identity_sources = 'cn@FINGERPRINT': a source that counts only under one CA, by
# real logins.  With several trusted CAs a name is worth no more than the least
# of them.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $prod = $certs->make_ca('prod', subject => '/O=Example/CN=Prod CA');
my $middle = $certs->make_ca('middle', ca => $prod, subject => '/O=Example/CN=Prod Issuing CA');
my $test = $certs->make_ca('test', subject => '/O=Example/CN=Test CA');
# below the other CA, of the names of the real ones
my $imitation = $certs->make_ca('imitation', ca => $test, subject => '/O=Example/CN=Prod Issuing CA');
my $false_root = $certs->make_ca('false_root', ca => $test, subject => '/O=Example/CN=Prod CA');
my %client = (
	direct => { ca => $prod },
	job => { ca => $middle, chain => [$middle] },
	tester => { ca => $test },
	fake => { ca => $imitation, chain => [$imitation] },
	fake_root => { ca => $false_root, chain => [$false_root] });

foreach my $name (keys %client)
{
	$client{$name} = $certs->make_client($name, subject => '/O=Example/CN=job', serial => '0A1B',
		san => ['URI:spiffe://prod/job'], %{ $client{$name} });
}
# signed by the imitation, with the real CA's certificate sent along
$client{wrong_chain} = { %{ $client{fake} },
	cert => $certs->concat('wrong_chain.crt', $client{fake}{single}, $imitation->{cert}, $middle->{cert}, $prod->{cert}) };
my $other_role = $certs->make_client('other_role', ca => $prod, subject => '/CN=nobody');

# self-signed, and trusted itself: the client's own certificate is no CA of its
my $own = $client{own} = $certs->make_cert('own', subject => '/O=Example/CN=job', eku => 'clientAuth');

my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('all.crt', map { $_->{cert} } $prod, $test, $own),
	server => $certs->make_server('server', ca => $prod),
	conf => "ext_ssl_guard.identity_check = enforce\next_ssl_guard.exempt_roles = 'exempt'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
ESG::Certs::spew($node->path('pg_ident.conf'), "jobs job mapped\njobs spiffe://prod/job mapped\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE job LOGIN; CREATE ROLE mapped LOGIN; CREATE ROLE exempt LOGIN');

sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

sub login
{
	my ($name, $role) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => $role // 'job', client => $client{$name});

	return 'in' if $status == 0;
	return $err =~ /FATAL:\s+client certificate was refused \((\w+)\)\s*$/ ? $1 : $err;
}

# the rows for the file that the client would load
sub dry_run
{
	my ($name, $role) = @_;

	return $node->safe_psql('postgres', sprintf(
		q{SELECT source, identity, matched, rule FROM ssl_guard_identity_check('%s', pg_read_file('%s'))},
		$role // 'job', $client{$name}{cert}));
}

my %print = map { $_->{name} => $_->{fingerprint} } $prod, $middle, $test, $imitation, $own;
my $colons = uc($print{prod}) =~ s/(..)(?=.)/$1:/gr;

# The fault that it is for: any CA of the server may say that it is "job".
apply(identity_sources => 'cn');
is(login($_), 'in', "cn: $_") foreach sort keys %client;

my @names = qw(direct job tester fake fake_root wrong_chain own);

# [sources, role, who gets in]
foreach my $case (
	[ "cn\@$print{prod}", 'job', qw(direct job) ],
	[ "CN\@$colons", 'job', qw(direct job) ],
	[ "cn\@$print{middle}", 'job', qw(job) ],
	[ "cn\@$print{test}", 'job', qw(tester fake fake_root wrong_chain) ],
	[ "cn\@$print{imitation}", 'job', qw(fake wrong_chain) ],
	[ "cn\@$print{own}", 'job' ],
	[ "cn\@$print{middle}, cn\@$print{test}", 'job', qw(job tester fake fake_root wrong_chain) ],
	# of the right CA, but not that source
	[ "uri\@$print{prod}", 'job' ],
	[ "uri\@$print{prod}, cn\@$print{test}", 'job', qw(tester fake fake_root wrong_chain) ],
	# a source that is not bound counts as before
	[ "uri, cn\@$print{middle}", 'job', qw(job) ],
	[ "uri\@$print{middle}, cn", 'job', @names ])
{
	my ($sources, $role, @in) = @$case;
	my %in = map { $_ => 1 } @in;
	my $short = $sources =~ s/@(....)[^,]*/\@$1/gr;

	apply(identity_sources => $sources);
	foreach my $name (@names)
	{
		my $want = $in{$name} ? 'in' : 'identity_mismatch';

		is(login($name, $role), $want, "$short: $name: $want");
		my ($decision) = dry_run($name, $role) =~ /^decision\|\|(.)\|/m;
		is($decision, $in{$name} ? 't' : 'f', "$short: $name: the dry run foretells it");
	}
}

# The right CA alone does not do, and neither does the wrong one with a map.
apply(identity_sources => "cn\@$print{prod}");
$client{other_role} = $other_role;
is(login('other_role'), 'identity_mismatch', 'the right CA, another name');
is(login('tester', 'exempt'), 'in', 'an exempt role');
apply(identity_map => 'jobs', identity_sources => "uri\@$print{middle}, cn\@$print{prod}");
is(login('job', 'mapped'), 'in', 'a map, and the right CA');
is(login('direct', 'mapped'), 'in', 'and the other one for the other source');
is(login('fake', 'mapped'), 'identity_mismatch', 'a map, and an imitation');
is(login('job', 'job'), 'identity_mismatch', 'the right CA, and the map says no');
is(dry_run('job', 'mapped'), <<"ROWS" =~ s/\n\z//r, 'the dry run with a map');
uri\@$print{middle}|spiffe://prod/job|t|accepted by map "jobs"
cn\@$print{prod}|job|t|accepted by map "jobs"
ca|$print{middle}|t|"CN=Prod Issuing CA,O=Example" is in the chain as built now; a handshake decides
ca|$print{prod}|t|"CN=Prod CA,O=Example" is in the chain as built now; a handshake decides
decision||t|uri\@$print{middle} "spiffe://prod/job" accepted by map "jobs"
ROWS

# What the log and the dry run say.
apply(identity_map => '', identity_sources => "cn\@$print{middle}, dns, uri\@$print{test}");
my $offset = $node->log_end;
is(login('direct'), 'identity_mismatch', 'the CA above the one that is asked for');
my ($shown, $uri) = map { substr($_, 0, 16) } @print{qw(middle test)};
like($node->log_since($offset), qr{identities="cn\@$shown:\\"job\\", uri\@$uri:\\"spiffe://prod/job\\"" cluster=\S+$}m, 'the log tells each CA from others');
like($node->log_since($offset), qr/reason="no identity equals the role name"/, 'with dns, which counts under any CA');
apply(identity_sources => "cn\@$print{middle}, uri\@$print{test}");
$offset = $node->log_end;
is(login('direct'), 'identity_mismatch', 'the same without it');
like($node->log_since($offset), qr/reason="the certificate's chain has no CA of \\"ext_ssl_guard.identity_sources\\""/, 'says that the CA is it');
is(dry_run('direct'), <<"ROWS" =~ s/\n\z//r, 'the dry run says so, too');
cn\@$print{middle}|job|f|does not count: the certificate's chain has no such CA
uri\@$print{test}|spiffe://prod/job|f|does not count: the certificate's chain has no such CA
ca|$print{prod}|f|"CN=Prod CA,O=Example" is in the chain as built now; a handshake decides
decision||f|identity_mismatch: the certificate's chain has no CA of "ext_ssl_guard.identity_sources"
ROWS
# without the intermediate nothing is known of a chain
$client{job_alone} = { %{ $client{job} }, cert => $client{job}{single} };
is(dry_run('job_alone'), <<"ROWS" =~ s/\n\z//r, 'without a chain');
cn\@$print{middle}|job|f|does not count: the certificate's chain is not known
uri\@$print{test}|spiffe://prod/job|f|does not count: the certificate's chain is not known
decision||f|identity_mismatch: the certificate's chain is not known
ROWS
# a label that names a CA as well: one row for each CA
$node->safe_psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE job IS 'ca=$print{prod}'");
is(dry_run('job'), <<"ROWS" =~ s/\n\z//r, 'with a label');
cn\@$print{middle}|job|t|equals the role name
uri\@$print{test}|spiffe://prod/job|f|does not count: the certificate's chain has no such CA
ca|$print{middle}|t|"CN=Prod Issuing CA,O=Example" is in the chain as built now; a handshake decides
ca|$print{prod}|t|"CN=Prod CA,O=Example" is in the chain as built now; a handshake decides
role_label|ca=$print{prod}|t|met
decision||t|cn\@$print{middle} "job" equals the role name
ROWS
is(login('job'), 'in', 'and the login');
$node->safe_psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE job IS NULL');

# warn: everybody gets in, with an alarm.
apply(identity_check => 'warn');
$offset = $node->log_end;
is(login('fake'), 'in', 'warn lets an imitation in');
like($node->log_since($offset), qr/code=identity_mismatch severity=\w+ role=job .*fingerprint=$client{fake}{fingerprint}/, 'with an alarm');
$offset = $node->log_end;
is(login('job'), 'in', 'warn, and the right one');
is($node->count_log(qr/code=identity_mismatch/, $offset), 0, 'without');

# A value that cannot be used, at a reload: the old one stays, and is said to.
apply(identity_check => 'enforce');
$offset = $node->log_end;
apply(identity_sources => "cn\@$print{middle}0");
like($node->log_since($offset), qr/invalid value for parameter "ext_ssl_guard.identity_sources": "cn\@$print{middle}0"/, 'a fingerprint too long');
$node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'setting_rejected' AND object = 'ext_ssl_guard.identity_sources'}, '1');
is(login('fake'), 'identity_mismatch', 'the imitation is refused as before');
is(login('job'), 'in', 'the real one gets in as before');

$node->stop;
done_testing();

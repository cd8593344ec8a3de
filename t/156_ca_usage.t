# Is an old CA still in use?  ssl_guard_certificates counts the logins that each
# CA certificate of ssl_ca_file was needed for, by the chain that OpenSSL verified.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $old = $certs->make_ca('old', subject => '/CN=Old CA');
my $new = $certs->make_ca('new', subject => '/CN=New CA');
my $unused = $certs->make_ca('unused', subject => '/CN=Unused CA');
my $middle = $certs->make_ca('middle', ca => $new, subject => '/CN=Middle CA');
my $sent = $certs->make_ca('sent', ca => $new, subject => '/CN=Sent CA');
# renewed: the same name and key
my $new_again = $certs->make_ca('new_again', key => $new, subject => '/CN=New CA', days_left => 3000);
my %client = (
	old => $certs->make_client('c_old', ca => $old),
	new => $certs->make_client('c_new', ca => $new),
	# whose intermediate is in ssl_ca_file, and is sent along
	middle => $certs->make_client('c_middle', ca => $middle),
	sent => $certs->make_client('c_sent', ca => $sent, chain => [$sent]),
	lone => $certs->make_client('lone'),
	stranger => $certs->make_client('stranger', ca => $certs->make_ca('strange')),
);
my $node = ESG::Node->new('main');

$node->setup(
	ca => $certs->concat('root.crt', (map { $_->{cert} } $old, $new, $unused), $middle->{single}, $client{lone}{cert}),
	server => $certs->make_server('server', ca => $old),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.extra_files = 'ca:extra.crt'",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->replace($old->{cert}, 'extra.crt');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

sub query { return $node->safe_psql('postgres', $_[0]); }

sub login { return ($node->tcp_psql('SELECT 1', user => 'app', client => $client{ $_[0] }, @_[ 1 .. $#_ ]))[0] == 0 ? 'in' : 'refused'; }

my $in_file = "FROM ssl_guard_certificates WHERE setting = 'ssl_ca_file'";

# "old 2, new 1", those that were used at all
sub counts
{
	return query("SELECT coalesce(string_agg(split_part(common_name, ' ', 1) || ' ' || logins, ', ' ORDER BY position), '') $in_file AND logins > 0");
}

is(query("SELECT DISTINCT kind, logins, last_used_at IS NULL $in_file ORDER BY 1"), 'ca|0|t', 'nobody has logged in');
is(query("SELECT count(*) FROM ssl_guard_certificates WHERE setting <> 'ssl_ca_file' AND logins IS NULL AND last_used_at IS NULL"),
	'2', 'the server\'s own certificate is not counted, nor a CA that it does not load');
my $before = query('SELECT now()');
is(login('old'), 'in', 'below the old CA') foreach 1, 2;
is(login('new'), 'in', 'below the new one');
is(counts(), 'Old 2, New 1', 'counted');
is(query("SELECT bool_and(last_used_at BETWEEN '$before' AND now()) $in_file AND logins > 0"), 't', 'with the time of the last');
is(query("SELECT bool_and(last_used_at IS NULL) $in_file AND logins = 0"), 't', 'the others have none');
is(login('middle'), 'in', 'below an intermediate');
is(counts(), 'Old 2, New 2, Middle 1', 'both are needed');
is(login('sent'), 'in', 'below one that the client sends');
is(counts(), 'Old 2, New 3, Middle 1', 'the root is needed');
is(login('lone'), 'in', 'a certificate that is trusted itself');
is(counts(), 'Old 2, New 3, Middle 1, lone 1', 'is needed itself');

# what does not count
is(login('stranger'), 'refused', 'below an unknown CA');
query("SECURITY LABEL FOR ext_ssl_guard ON ROLE app IS 'cn=nobody'");
is(login('new'), 'refused', 'refused by us');
query('SECURITY LABEL FOR ext_ssl_guard ON ROLE app IS NULL');
is(($node->tcp_psql('SELECT 1', user => 'nobody', client => $client{new}))[0] == 0 ? 'in' : 'refused', 'refused', 'a role that does not exist');
my $counted = counts();
is($counted, 'Old 2, New 3, Middle 1, lone 1', 'no login, no count');
query('SELECT 1');
is(counts(), $counted, 'nor do logins through the Unix socket');

# kept
$node->restart;
is(counts(), $counted, 'kept over a restart');
$node->apply('ext_ssl_guard.save_client_certificates' => 'off');
$node->restart;
is(counts(), '', 'not kept without save_client_certificates');
$node->apply('ext_ssl_guard.save_client_certificates' => 'on');
is(login('new'), 'in', 'a login');
$node->restart;
is(counts(), 'New 1', 'kept again');
$node->stop;
my $file = $node->path('pg_stat/ext_ssl_guard.ca_usage');
my $content = ESG::Certs::slurp($file);
ESG::Certs::spew($file, substr($content, 0, -1) . chr(ord(substr($content, -1)) ^ 1));
my $offset = $node->log_end;
$node->start;
like($node->log_since($offset), qr/ignoring damaged file "pg_stat\/ext_ssl_guard\.ca_usage" of logins under each CA/, 'a damaged file is said to be');
is(counts(), '', 'and not read');

# A CA that was renewed with its key: one of its certificates is in the chain.
# That one can go nevertheless, and so can the other: one of them has to stay.
$node->replace($certs->concat('twice.crt', $new->{cert}, $new_again->{cert}), 'root.crt');
$node->reload;
$node->wait_sql("SELECT count(*) $in_file", 2);
is(login('new'), 'in', 'below a renewed CA') foreach 1 .. 3;
my $split = query("SELECT string_agg(logins::text, ' ' ORDER BY logins) $in_file");
is($split, '0 3', 'one of its certificates has them all');
my $chosen = query("SELECT fingerprint $in_file AND logins = 3") eq $new->{fingerprint} ? $new : $new_again;
my $other = $chosen == $new ? $new_again : $new;

foreach my $case ([ $chosen, 'the one that was not in use' ], [ $other, 'the one that was' ])
{
	my ($kept, $removed) = @$case;

	$node->replace($kept->{cert}, 'root.crt');
	$node->reload;
	$node->wait_sql("SELECT string_agg(fingerprint, ' ') $in_file", $kept->{fingerprint});
	is(login('new'), 'in', "$removed is removed: clients get in");
}
is(query("SELECT logins $in_file"), '1', 'now the other counts');

# An old CA that is not used can go; one that is used cannot.
$node->replace($certs->concat('two.crt', $old->{cert}, $new->{cert}), 'root.crt');
$node->reload;
$node->wait_sql("SELECT count(*) $in_file", 2);
is(login('old'), 'in', 'the old one is in use');
cmp_ok(query("SELECT logins $in_file AND fingerprint = '$old->{fingerprint}'"), '>', 0, 'which shows');
$node->replace($new->{cert}, 'root.crt');
$node->reload;
$node->wait_sql("SELECT count(*) $in_file", 1);
is(login('old'), 'refused', 'when it is removed, its client is locked out');
is(login('new'), 'in', 'and others are not');

# More CAs than there are places: nobody knows of the rest.
my @many = map { $certs->make_ca("many$_") } 1 .. 101;
my @clients = map { $certs->make_client("m$_", ca => $many[ $_ - 1 ]) } 1 .. 101;

$node->replace($certs->concat('many.crt', map { $_->{cert} } @many), 'root.crt');
$node->reload;
$node->wait_sql("SELECT count(*) $in_file", 101);
foreach my $number (1 .. 101)
{
	$client{many} = $clients[ $number - 1 ];
	login('many') eq 'in' or fail("login $number");
}
is(query("SELECT count(*) $in_file AND logins = 1"), '100', '100 CAs are counted');
is(query("SELECT common_name $in_file AND logins IS NULL"), 'many1', 'of the least recently used nobody knows whether it was used');
cmp_ok(query("SELECT max(size) FROM pg_shmem_allocations WHERE name ~ 'ext_ssl_guard.*ca_usage'"), '<=', 8192, 'in 8 kB');

# without preloading
$node->stop;
$node->set_conf(shared_preload_libraries => '');
$node->start;
is(query("SELECT count(*), count(logins), count(last_used_at) $in_file"), '101|0|0', 'without preloading nothing is known');

done_testing();

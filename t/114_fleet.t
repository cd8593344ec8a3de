# A primary, a standby and one that follows the standby: each raises its own
# alarms, from the start of recovery on, knows its own clients, and enforces the
# labels of the primary.  What promotion and pg_rewind change of that.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $prod = [ 'URI:spiffe://prod/billing' ];
my %client = (
	replicator => $certs->make_client('replicator', ca => $ca, days_left => 300),
	billing => $certs->make_client('billing', ca => $ca, san => $prod),
	elsewhere => $certs->make_client('elsewhere', ca => $ca, subject => '/CN=billing', san => [ 'URI:spiffe://test/billing' ]));
# three days are left of one certificate, and two of the one that three shows its upstream
my %server = (
	one => server_cert('one'), two => server_cert('two', days_left => 3.5), three => server_cert('three'));
my $ending = $certs->make_client('ending', ca => $ca, subject => '/CN=replicator', days_left => 2.5);
my %node = map { $_ => ESG::Node->new($_) } qw(one two three);
my $no_clients = qr/LOG:  removed file "pg_stat\/ext_ssl_guard\.clients" of client certificates, which belongs to another data directory/;

sub server_cert
{
	my ($name, @options) = @_;

	return $certs->make_server("server_$name", ca => $ca, subject => "/CN=$name.example.com",
		san => [ "DNS:$name.example.com", 'IP:127.0.0.1' ], @options);
}

sub tls { return $node{ $_[0] }->basedir . '/tls'; }

# The files of a node lie outside of its data directory.
sub write_tls
{
	my ($name, $replicator) = @_;
	my $dir = tls($name);

	mkdir $dir, 0700;
	foreach my $part ([ 'server', $server{$name} ], [ 'replicator', $replicator ])
	{
		my ($file, $cert) = @$part;

		ESG::Certs::spew("$dir/$file.crt", ESG::Certs::slurp($cert->{cert}));
		ESG::Certs::spew("$dir/$file.key", ESG::Certs::slurp($cert->{key}));
		chmod 0600, "$dir/$file.key" or die "chmod: $!";
	}
	ESG::Certs::spew("$dir/root.crt", ESG::Certs::slurp($ca->{cert}));
	return;
}

# What a node has of its own in postgresql.conf.
sub configure
{
	my ($name, $upstream) = @_;
	my $dir = tls($name);
	my %settings = (
		ssl => 'on', ssl_cert_file => "$dir/server.crt", ssl_key_file => "$dir/server.key", ssl_ca_file => "$dir/root.crt",
		'ext_ssl_guard.extra_files' => "client:$dir/replicator.crt");

	$settings{primary_conninfo} = join ' ', 'host=127.0.0.1', 'port=' . $node{$upstream}->port, 'user=replicator', "application_name=$name",
	  'sslmode=verify-full', "sslcert=$dir/replicator.crt", "sslkey=$dir/replicator.key", "sslrootcert=$dir/root.crt"
	  if $upstream;
	$node{$name}->set_conf(%settings);
	return;
}

sub make_standby
{
	my ($name, $upstream, $replicator) = @_;

	$node{$upstream}->backup("for_$name");
	$node{$name}->init_from_backup($node{$upstream}, "for_$name");
	$node{$name}->{esg_ca} = $node{one}->{esg_ca};
	write_tls($name, $replicator);
	configure($name, $upstream);
	$node{$name}->set_standby_mode;
	return;
}

sub sql { return $node{ $_[0] }->safe_psql('postgres', $_[1]); }

# 'in', or the code with which billing is refused
sub login
{
	my ($name, $client) = @_;
	my ($ret, $out, $err) = $node{$name}->tcp_psql('SELECT 1', user => 'billing', client => $client{$client}, sslmode => 'verify-full');

	return 'in' if $ret == 0;
	return $err =~ /refused \((\w+)\)/ ? $1 : $err;
}

# Whose certificates are known, and how many logins; how often a standby connected is left out.
sub registry
{
	return sql($_[0], <<'SQL');
SELECT coalesce(string_agg(role_name || CASE role_name WHEN 'replicator' THEN '' ELSE ' ' || logins END, ', ' ORDER BY role_name, logins), 'empty')
FROM ssl_guard_client_certificates
SQL
}

# Without what depends on how the machine is set up.
sub alarms
{
	return sql($_[0], "SELECT coalesce(string_agg(code || ' ' || regexp_replace(object, '.*/', ''), ', ' ORDER BY code, object), 'none') FROM ssl_guard_alarms WHERE severity >= 'warning'");
}

sub catch_up
{
	my ($upstream, $name) = @_;
	my $lsn = sql($upstream, 'SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END');

	return is($node{$name}->wait_sql("SELECT pg_last_wal_replay_lsn() >= '$lsn'"), 't', "$name has what $upstream has");
}

# ---- a primary
$node{one}->setup(
	ca => $ca,
	init => { allows_streaming => 1 },
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.expire_check_interval = '1s'\nwal_log_hints = on\nwal_keep_size = '128MB'",
	hba => [ 'local replication all trust', 'hostssl replication replicator 127.0.0.1/32 cert', 'hostssl all all 127.0.0.1/32 cert' ]);
write_tls('one', $client{replicator});
configure('one');
$node{one}->start;
sql('one', "CREATE ROLE replicator LOGIN REPLICATION; CREATE ROLE billing LOGIN; SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS 'uri=spiffe://prod/billing'");
is(login('one', 'billing'), 'in', 'a login on the primary');
# written, as it is when the server stops, for pg_basebackup to find
$node{one}->restart;

# ---- a standby, from the start of recovery on
make_standby('two', 'one', $client{replicator});
ok(-f $node{two}->path('pg_stat/ext_ssl_guard.clients'), 'pg_basebackup copies the registry');
$node{two}->set_conf(hot_standby => 'off');
$node{two}->start;
$node{two}->wait_log(qr/DETAIL:  code=expires_very_soon severity=critical setting=ssl_cert_file .* fingerprint=$server{two}{fingerprint} cluster=two$/m, 0);
pass('a standby that nobody can ask raises its alarm, under its name');
is($node{two}->count_log($no_clients, 0), 1, 'and has removed the primary\'s registry');
like($node{two}->log_since(0), qr/entering standby mode/, 'it is in recovery');
unlike($node{two}->log_since(0), qr/ready to accept read-only connections/, 'and accepts nobody');
$node{two}->stop;
$node{two}->set_conf(hot_standby => 'on');
$node{two}->start;

# ---- one that follows the standby
make_standby('three', 'two', $ending);
$node{three}->start;
catch_up('one', 'two');
catch_up('two', 'three');

# ---- each its own alarms
is($node{two}->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expires_very_soon' AND object NOT LIKE 'client:%'", 1), 1, 'the standby\'s alarm stands after a restart');
is($node{three}->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expires_very_soon'", 1), 1, 'the third has one of its own');
is(alarms('one'), 'none', 'the primary is well');
is(sql('two', "SELECT object FROM ssl_guard_alarms WHERE code = 'expires_very_soon' AND object NOT LIKE 'client:%'"), tls('two') . '/server.crt:1', 'the standby\'s is about its own file');
is(sql('three', "SELECT object FROM ssl_guard_alarms WHERE code = 'expires_very_soon'"), tls('three') . '/replicator.crt:1',
	'the third\'s about the certificate that it shows its upstream');
is($node{two}->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE object = 'client:$ending->{fingerprint}'", 1), 1, 'which sees it, too');
foreach my $name (sort keys %node)
{
	my @lines = grep { /DETAIL:  code=/ } split /\n/, $node{$name}->log_since(0);

	is(scalar(grep { !/ cluster=$name$/ } @lines), 0, "$name: its name is in each of its alarms (" . @lines . ')');
}
is(sql($_, 'SELECT served_fingerprint = disk_fingerprint AND in_sync FROM ssl_guard_status'), 't', "$_: asked through SQL") foreach grep { login($_, 'billing') eq 'in' } qw(one two three);
is(sql($_, 'SELECT count(*) = (SELECT count(*) FROM ssl_guard_alarms) FROM ssl_guard_check()'), 't', "$_: ssl_guard_check()") foreach qw(one two three);

# ---- the primary's labels
foreach my $name (qw(one two three))
{
	my $offset = $node{$name}->log_end;

	is(login($name, 'billing'), 'in', "$name: billing, as the label wants it");
	is(login($name, 'elsewhere'), 'role_label_mismatch', "$name: not with another certificate");
	like($node{$name}->log_since($offset), qr/DETAIL:  code=role_label_mismatch role=billing .* cluster=$name$/m, "$name: and the log says where that was");
}
sql('one', "SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS 'uri=spiffe://test/billing'");
catch_up('one', 'two');
catch_up('two', 'three');
is(login($_, 'elsewhere') . ' ' . login($_, 'billing'), 'in role_label_mismatch', "$_: another label, the other way round") foreach qw(one two three);
my ($ret, $out, $err) = $node{two}->psql('postgres', 'SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS NULL');
like($err, qr/cannot execute SECURITY LABEL in a read-only transaction|in recovery|read-only/, 'a standby has no labels of its own');

# ---- each its own clients
# the login before the restart, two of billing's, one of elsewhere's; the standby's
is(registry('one'), 'billing 1, billing 3, replicator', 'the primary has seen its clients and the standby');
is(registry('two'), 'billing 1, billing 2, replicator', 'the standby its own, and the third');
is(registry('three'), 'billing 1, billing 2', 'the third its own');
is(sql('three', 'SELECT ssl_guard_reset_client_certificates()'), 2, 'which forgets them');
is(registry('three') . '; ' . registry('two'), 'empty; billing 1, billing 2, replicator', 'alone');

# ---- promotion
my $standing = "SELECT string_agg(concat_ws('|', code, object, severity, raised_at), E'\\n' ORDER BY code, object) FROM ssl_guard_alarms";
my $known = "SELECT string_agg(concat_ws('|', fingerprint, role_name, first_seen_at, logins, denials), E'\\n' ORDER BY fingerprint) FROM ssl_guard_client_certificates WHERE role_name = 'billing'";
my %before = (alarms => sql('two', $standing), clients => sql('two', $known), worker => sql('two', 'SELECT worker_pid FROM ssl_guard_status'));
my $seen = sql('two', 'SELECT min(occurrences) FROM ssl_guard_alarms');
my $offset = $node{two}->log_end;

sql('one', 'CREATE TABLE before_promotion ()');
catch_up('one', 'two');
$node{two}->promote;
my $promoted_at = sql('two', 'SELECT clock_timestamp()');
is($node{two}->wait_sql("SELECT last_check_at > '$promoted_at' FROM ssl_guard_status"), 't', 'and checked since');
is(sql('two', $standing), $before{alarms}, 'the same alarms stand, raised when they were');
is(sql('two', $known), $before{clients}, 'it knows the same clients');
is(sql('two', 'SELECT worker_pid FROM ssl_guard_status'), $before{worker}, 'the same worker looks');
is(sql('two', "SELECT min(occurrences) >= $seen FROM ssl_guard_alarms"), 't', 'which goes on counting');
is(sql('two', 'SELECT pg_is_in_recovery()'), 'f', 'as a primary');
is($node{two}->count_log(qr/code=\w+ severity=|alarm cleared|no longer tracked/, $offset), 0, 'not a line about an alarm');
is(login('two', 'elsewhere'), 'in', 'a login');
is(registry('two'), 'billing 2, billing 2, replicator', 'is counted where it was');
is(login('two', 'billing'), 'role_label_mismatch', 'and the label still holds');
sql('two', "SECURITY LABEL FOR ext_ssl_guard ON ROLE billing IS 'uri=spiffe://prod/billing'");
catch_up('two', 'three');
is(login('three', 'billing') . ' ' . login('three', 'elsewhere'), 'in role_label_mismatch', 'the third has the new primary\'s label');

# ---- the former primary, rewound
sql('one', 'CREATE TABLE lost ()');
$node{one}->stop;
# what lies in the data directories, and what does not
ESG::Certs::spew($node{$_}->path('server.crt'), ESG::Certs::slurp($server{$_}{cert})) foreach qw(one two);
ESG::Certs::spew($node{one}->basedir . '/kept.conf', ESG::Certs::slurp($node{one}->path('postgresql.conf')));
sql('two', 'CHECKPOINT');
# the worker writes it some seconds after a login
is($node{two}->wait_sql("SELECT count(*) FROM pg_ls_dir('pg_stat') AS f WHERE f = 'ext_ssl_guard.clients'", 1), 1, 'the new primary\'s registry is written');
is(system('pg_rewind', '--source-server', $node{two}->connstr('postgres'), '--target-pgdata', $node{one}->data_dir), 0, 'pg_rewind');
is(ESG::Certs::fingerprint($node{one}->path('server.crt')), $server{two}{fingerprint}, 'takes the other one\'s TLS files with the data directory');
ESG::Certs::spew($node{one}->path('postgresql.conf'), ESG::Certs::slurp($node{one}->basedir . '/kept.conf'));
configure('one', 'two');
$node{one}->set_standby_mode;
$offset = $node{one}->log_end;
$node{one}->start;
is($node{one}->count_log($no_clients, $offset), 1, 'the registry that came is not its own');
is(registry('one'), 'empty', 'it begins anew');
catch_up('two', 'one');
is(login('one', 'billing'), 'in', 'a login on the rewound one, which is a standby now');
is(sql('one', 'SELECT served_fingerprint FROM ssl_guard_status'), $server{one}{fingerprint}, 'gets its own certificate, which lies outside');
is(alarms('one'), 'none', 'of which there is nothing to say');


# ---- without the library a standby knows no labels
is(login('three', 'elsewhere'), 'role_label_mismatch', 'the third refuses');
$node{three}->set_conf(shared_preload_libraries => '');
$node{three}->restart;
is(login('three', 'elsewhere'), 'in', 'without the library it does not');
$node{$_}->stop foreach qw(three one two);
done_testing();

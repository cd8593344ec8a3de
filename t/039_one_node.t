# The registry of client certificates belongs to one data directory: not to its
# copies.

use strict;
use warnings;

use Test::More;

use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $ending = $certs->make_client('ending', ca => $ca, days_left => 3);
my $other = $certs->make_client('other', ca => $ca);
my $primary = ESG::Node->new('primary');
my $standby = ESG::Node->new('standby');
my $removed = qr/LOG:  removed file "pg_stat\/ext_ssl_guard\.clients" of client certificates, which belongs to another data directory/;

$primary->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	init => { allows_streaming => 1 },
	conf => "ext_ssl_guard.file_poll_interval = '1s'\nwal_log_hints = on\nwal_keep_size = '128MB'",
	hba => [ 'local replication all trust', 'hostssl all all 127.0.0.1/32 trust clientcert=verify-ca' ]);
$primary->start;

sub login
{
	my ($node, $client) = @_;

	return ($node->tcp_psql('SELECT 1', client => $client))[0] == 0;
}

sub registry
{
	my ($node) = @_;

	return $node->safe_psql('postgres',
		"SELECT coalesce(string_agg(common_name || ' ' || logins, ', ' ORDER BY common_name), 'empty') FROM ssl_guard_client_certificates");
}

sub alarms { return $_[0]->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE 'client:%'"); }

# Starts a node; returns how many lines say that a file was removed.
sub start
{
	my ($node) = @_;
	my $offset = $node->log_end;

	$node->start;
	return $node->count_log($removed, $offset);
}

ok(login($primary, $ending), 'a login');
$primary->stop;
is(start($primary), 0, 'a restart');
is(registry($primary), 'ending 1', 'keeps it');
is(alarms($primary), 1, 'and its alarm') if $primary->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE object LIKE 'client:%'", 1);

# A standby made by pg_basebackup.
$primary->backup('base');
ok(-f $primary->backup_dir . '/base/pg_stat/ext_ssl_guard.clients', 'pg_basebackup copies the file');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
chmod 0600, $standby->path('server.key') or die "chmod: $!";
is(start($standby), 1, 'the standby removes it, with one line');
is(registry($standby), 'empty', 'and knows no client');
sleep 2.5;
is(alarms($standby), 0, 'nor has an alarm about one');
ok(login($standby, $other), 'a login there');
$standby->stop;
is(start($standby), 0, 'its own file');
is(registry($standby), 'other 1', 'is kept over a restart');
is(registry($primary), 'ending 1', 'and the primary\'s is as it was');

# Moved, the directory is the same; copied, it is not.
$standby->stop;
my $home = $standby->data_dir;
rename $home, "$home.elsewhere" or die "rename: $!";
is(system('cp', '-a', "$home.elsewhere", $home), 0, 'a copy with all its times');
is(start($standby), 1, 'is another directory');
is(registry($standby), 'empty', 'without clients');
$standby->stop;
PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', $home);
rename "$home.elsewhere", $home or die "rename: $!";
is(start($standby), 0, 'moved away and back');
is(registry($standby), 'other 1', 'it is the same');
$standby->stop;
rename $standby->basedir, $standby->basedir . '.moved' or die "rename: $!";
$standby->{_basedir} .= '.moved';
is(start($standby), 0, 'moved');
is(registry($standby), 'other 1', 'it is the same');

# Promoted, it stays what it was.
$primary->wait_for_catchup($standby->name);
$standby->promote;
ok(login($standby, $other), 'after the promotion');
is(registry($standby), 'other 2', 'counting goes on');
$standby->stop;
$standby->start;
is(registry($standby), 'other 2', 'kept over a restart');

# Rewound, the former primary has the other one's files.
$primary->safe_psql('postgres', 'CREATE TABLE lost ()');
$_->stop foreach $primary, $standby;
PostgreSQL::Test::Utils::system_or_bail('cp', $primary->path('postgresql.conf'), $primary->basedir . '/kept.conf');
is(system('pg_rewind', '--source-pgdata', $standby->data_dir, '--target-pgdata', $primary->data_dir), 0, 'pg_rewind');
PostgreSQL::Test::Utils::system_or_bail('cp', $primary->basedir . '/kept.conf', $primary->path('postgresql.conf'));
is(start($primary), 1, 'rewound: the file is not its own');
is(registry($primary), 'empty', 'it begins anew');
ok(login($primary, $ending), 'a login');
is(registry($primary), 'ending 1', 'is counted');

$primary->stop;
done_testing();

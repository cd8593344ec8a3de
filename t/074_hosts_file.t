# pg_hosts.conf of PostgreSQL 19: a fault in it, or an edit not yet reloaded,
# changes nothing about what is judged as served; and it is watched itself.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $sound = $certs->make_server('sound', ca => $ca, subject => '/CN=a.test', san => ['DNS:a.test']);
my $late = $certs->make_server('late', ca => $ca, subject => '/CN=b.test', san => ['DNS:b.test'], days_left => -2);
my $node = ESG::Node->new('main');

# no server.crt: a server of hosts alone
$node->setup(conf => "restart_after_crash = on\next_ssl_guard.file_poll_interval = 1s");
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}
$node->replace($ca->{cert}, 'root.crt');
ESG::Sni::put_host($node, 'a', $sound);
ESG::Sni::put_host($node, 'b', $late);
my @lines = ('a.test a.crt a.key root.crt', 'b.test b.crt b.key');
ESG::Sni::write_hosts($node, @lines);
$node->append_conf('postgresql.conf', "ssl = on\nssl_sni = on");
$node->restart;

my $expired = 'critical expired b.crt:1';
my $unusable = 'critical hosts_file_unusable pg_hosts.conf';
my $pending = 'warning reload_pending pg_hosts.conf';

sub alarms_are
{
	my ($expected, $name) = @_;

	is($node->wait_sql(ESG::Sni::alarms(), $expected), $expected, $name);
	return;
}

sub login
{
	my ($name) = @_;

	return ($node->tcp_psql('SELECT 1', host => $name, more => 'hostaddr=127.0.0.1', sslmode => 'require'))[0];
}

alarms_are($expired, 'a certificate of a host has expired');

# --- a line that cannot be parsed --------------------------------------------------

my $offset = $node->log_end;
ESG::Sni::write_hosts($node, @lines, '', 'c.test c.crt');
alarms_are("$expired, $unusable", 'a fault: an alarm of its own, and no other goes');
is($node->safe_psql('postgres', "SELECT message ~ 'is refused by the server: line 4: missing entry at end of line' FROM ssl_guard_alarms WHERE code = 'hosts_file_unusable'"),
	't', 'it has the line and the reason');
is($node->safe_psql('postgres', "SELECT findings FROM ssl_guard_files WHERE path LIKE '%/pg_hosts.conf'"), '{hosts_file_unusable}', 'so has the file');
is($node->safe_psql('postgres', 'SELECT string_agg(common_name, \' \' ORDER BY common_name) FROM ssl_guard_certificates WHERE kind = \'server\''),
	'a.test b.test', 'the hosts in service are listed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_hosts WHERE in_sync'), '2', 'and in sync');
is(login('a.test'), 0, 'logins go on');
ESG::Sni::look($node);
is($node->count_log(qr/missing entry at end of line/, $offset), 1, 'the fault is logged once, by whoever looks');
is($node->count_log(qr/alarm cleared/, $offset), 0, 'and nothing is called mended');

# the files of a host are not forgotten either
$node->set_conf('ext_ssl_guard.file_permission_check' => 'enforce');
chmod 0644, $node->path('b.key');
ESG::Sni::reload($node);
isnt(login('a.test'), 0, 'enforce: the key of a host is still judged at logins');
chmod 0600, $node->path('b.key');
is(login('a.test'), 0, 'and its twin is let in');

# core parses the same way
alarms_are("$expired, $unusable, critical reload_failed server", 'reloaded: core refuses it, too');
is($node->count_log(qr/could not load .*pg_hosts\.conf/, $offset), 1, 'in its own words');
is($node->safe_psql('postgres', 'SELECT last_reload_ok FROM ssl_guard_status'), 'f', 'which the status says');
is(ESG::Sni::served($node, 'a.test'), $sound->{fingerprint}, 'what was loaded is served');

# a crash takes shared memory away, not the knowledge
sub crash
{
	my $pid = $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status');

	die 'no worker' unless $pid =~ /^\d+$/;
	kill 'KILL', $pid;
	foreach (1 .. 300)
	{
		my $answer = eval { $node->safe_psql('postgres', "SELECT worker_pid <> $pid AND last_check_at IS NOT NULL FROM ssl_guard_status") } // '';

		return if $answer eq 't';
		sleep 0.2;
	}
	die 'no new worker';
}

crash();
alarms_are("$expired, $unusable, critical reload_failed server", 'the same after a crash');
is($node->safe_psql('postgres', "SELECT string_agg(host_names[1] || ' ' || in_sync, ', ' ORDER BY line_number) FROM ssl_guard_hosts"),
	'a.test true, b.test true', 'and the same hosts');
is(login('a.test'), 0, 'and logins');

ESG::Sni::write_hosts($node, @lines);
ESG::Sni::reload($node);
alarms_are($expired, 'mended and reloaded');

# what core finds only after parsing
ESG::Sni::write_hosts($node, @lines, 'A.test b.crt b.key');
alarms_are("$expired, $unusable", 'a name that two lines have');
is($node->safe_psql('postgres', "SELECT message ~ 'line 3: multiple entries for host \"A.test\" specified' FROM ssl_guard_alarms WHERE code = 'hosts_file_unusable'"),
	't', 'with the line');
ESG::Sni::reload($node);
alarms_are("$expired, $unusable, critical reload_failed server", 'core refuses it, too');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_hosts WHERE in_sync'), '2', 'what was loaded stays in service');
ESG::Sni::write_hosts($node, 'a.test,a.test a.crt a.key', @lines);
ESG::Sni::reload($node);
alarms_are("$expired, $unusable, critical reload_failed server", 'the same in the first line, of which core forgets the context');
ESG::Sni::write_hosts($node, @lines);
ESG::Sni::reload($node);
alarms_are($expired, 'mended');

# --- an edit that is not reloaded ---------------------------------------------------

$offset = $node->log_end;
ESG::Sni::put_host($node, 'c', $late);
ESG::Sni::write_hosts($node, @lines, 'c.test c.crt c.key');
alarms_are("$expired, $pending", 'a line more: to be reloaded');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_hosts'), '2', 'it is not in service');
is($node->safe_psql('postgres', 'SELECT in_sync FROM ssl_guard_status'), 'f', 'nor in sync');
like($node->log_since($offset), qr/WARNING:  the list of hosts on disk is not the one in service\n.*code=reload_pending severity=warning setting=hosts_file/, 'the log says which file');
crash();
alarms_are("$expired, $pending", 'and so after a crash');
ESG::Sni::reload($node);
alarms_are("$expired, critical expired c.crt:1, warning host_name_not_covered c.crt:1", 'reloaded: it is judged');
ESG::Sni::write_hosts($node, '# a comment', @lines);
ESG::Sni::reload($node);
alarms_are($expired, 'taken out, with a comment');
is($node->safe_psql('postgres', 'SELECT string_agg(line_number::text, \' \') FROM ssl_guard_hosts'), '2 3', 'the lines are counted');
ESG::Sni::write_hosts($node, '# a comment', '# another', @lines);
is($node->wait_sql('SELECT string_agg(line_number::text, \' \') FROM ssl_guard_hosts', '3 4'), '3 4', 'a comment more is no other list');
alarms_are($expired, 'and no alarm');

# moved away, as an editor does
rename $node->path('pg_hosts.conf'), $node->path('aside') or die "rename: $!";
alarms_are("$expired, $pending", 'the list is not there: the one in service counts');
is(login('a.test'), 0, 'enforce: nobody is locked out for the lack of server.crt');
rename $node->path('aside'), $node->path('pg_hosts.conf') or die "rename: $!";
alarms_are($expired, 'it is there again');

# --- the file itself ----------------------------------------------------------------

sub is_watched
{
	my ($file, $mode, $name) = @_;
	my $before = (stat $node->path($file))[2] & 07777;

	chmod $mode, $node->path($file);
	alarms_are("$expired, critical permissions_too_open $file", "$name: an alarm");
	isnt(login('a.test'), 0, "$name: enforce refuses");
	chmod $before, $node->path($file);
	alarms_are($expired, "$name: mended");
	is(login('a.test'), 0, "$name: and its twin");
	return;
}

is_watched('pg_hosts.conf', 0666, 'anybody may write it');
is_watched('pg_hosts.conf', 0660, 'the group may write it');
chmod 0644, $node->path('pg_hosts.conf');
ESG::Sni::look($node);
alarms_are($expired, 'all may read it: no alarm');
ESG::Certs::spew($node->path('more.conf'), "b.test b.crt b.key\n");
ESG::Certs::spew($node->path('names'), "a.test\n");
ESG::Sni::write_hosts($node, '@names a.crt a.key root.crt', 'include more.conf');
ESG::Sni::reload($node);
alarms_are($expired, 'with included files');
is($node->safe_psql('postgres', "SELECT string_agg(regexp_replace(path, '.*/', ''), ' ' ORDER BY path) FROM ssl_guard_files WHERE kind = 'hosts'"),
	'more.conf names pg_hosts.conf', 'which are listed');
is_watched('more.conf', 0666, 'an included file');
is_watched('names', 0666, 'a file of names');
chmod 0777, $node->data_dir;
# directories are left to the full check
ESG::Sni::look($node);
like($node->wait_sql(ESG::Sni::alarms(), qr/directory_writable/), qr/warning directory_writable/, 'its directory');
chmod 0700, $node->data_dir;
ESG::Sni::look($node);
alarms_are($expired, 'mended');
$node->stop;

# refusal to start
$offset = $node->log_end;
chmod 0666, $node->path('pg_hosts.conf');
ok(!$node->start(fail_ok => 1), 'enforce: no start with a list of hosts that anybody may write');
like($node->log_since($offset), qr/FATAL:  file ".*pg_hosts\.conf" has mode 0666/, 'and the reason is said');
chmod 0600, $node->path('pg_hosts.conf');
chmod 0666, $node->path('root.crt');
ok(!$node->start(fail_ok => 1), "nor with a host's CA file");
chmod 0644, $node->path('root.crt');
ok($node->start, 'its twin starts');
alarms_are($expired, 'and is as it was');

# --- a named pipe: who opens it waits for ever ----------------------------------------

unlink $node->path('pg_hosts.conf');
system('mkfifo', $node->path('pg_hosts.conf')) == 0 or die 'mkfifo';
$node->safe_psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.file_permission_check = 'warn'");
like($node->wait_sql(ESG::Sni::alarms(), qr/hosts_file_unusable/), qr/hosts_file_unusable/, 'a named pipe is told');
ok(defined $node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()'), 'a session that looks at it goes on');
ok($node->stop('fast'), 'the server stops');

done_testing();

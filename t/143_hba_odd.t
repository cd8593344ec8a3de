# pg_hba.conf and pg_ident.conf by somebody who means harm, or whose editor did:
# nothing is waited for, nothing stays open, and no word of the files is shown.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Node;

plan skip_all => 'EXEC_BACKEND: each backend loads the files, waits for who writes into them, and lets nobody in if it cannot'
  if ESG::Node::exec_backend();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('main');
$node->setup(ca => $ca, server => $server, conf => "ext_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 1s");
$node->start;

my $list = $node->path('list');
my @good = ('hostssl all all all scram-sha-256');

sub sql { return $node->safe_psql('postgres', "SET statement_timeout = '20s'; $_[0]"); }

sub lines { return sql("SELECT string_agg(line_number || coalesce(' ' || type, '') || array_to_string(findings, ',', ''), '; ' ORDER BY line_number) FROM ssl_guard_hba WHERE type IS DISTINCT FROM 'map' AND line_number <> 1"); }

sub alarms { return sql("SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') FROM ssl_guard_check()"); }

# ---- names of files, written in all ways that core reads: a FIFO would keep it waiting
my @ways = ('@"list"', '@li"st"', "\@li\\\nst", "\@l\\\r\nist", 'a,@list', '@' . '/' x 1100 . $list);
push @ways, "nothing\0\nhost \@list" if $node->pg_version->major < 16;
foreach my $way (@ways)
{
	my $shown = substr($way, 0, 40) =~ s/[^ -~]/?/gr;

	$node->set_hba("host $way all 127.0.0.1/32 scram-sha-256");
	unlink $list;
	mkfifo($list, 0600) or die $!;
	is(lines(), '0hba_unparsable', "$shown: a FIFO is not waited for");
	is(alarms(), 'hba_unparsable', "$shown: which is an alarm");
	unlink $list;
	ESG::Certs::spew($list, "a\nb\n");
	next if $way =~ m{\0|//};
	is(lines(), '2 host', "$shown: a list is read");
	is(alarms(), '', "$shown: and no alarm");
}
# twins: what core takes for no file
unlink $list;
mkfifo($list, 0600) or die $!;
foreach my $line ('host "@list" all 127.0.0.1/32 scram-sha-256', 'host a all 127.0.0.1/32 scram-sha-256 # @list', '# include list')
{
	$node->set_hba($line, @good);
	like(lines(), qr/\b[23] hostssl\z/, "$line: no file");
	is(alarms(), '', "$line: no alarm");
}
unlink $list;

# ---- NUL bytes, long lines and words
$node->set_hba("host a\0b all 127.0.0.1/32 scram-sha-256", @good);
is(lines(), '0hba_unparsable', 'a NUL');
my $long = 'x' x 10_000;
$node->set_hba("host \"$long\" all 127.0.0.1/32 scram-sha-256", "host $long", @good);
like(lines(), qr/^2 host; 3hba_unparsable; 4 hostssl$/, 'lines of 10,000 characters');
$node->set_hba(@good);

# ---- a file that names itself: nothing stays open, neither here nor in the worker
ESG::Certs::spew($list, "a\n\@list\n");
$node->set_hba('host @list all 127.0.0.1/32 scram-sha-256', @good);
is(lines(), '0hba_unparsable', 'a list that names itself');
is(sql("SELECT string_agg(code, ' ') FROM ssl_guard_check()"), 'hba_unparsable', 'is an alarm');
my $worker = sql('SELECT worker_pid FROM ssl_guard_status');
like($worker, qr/^\d+$/, 'the worker is there');

sub open_lists { return scalar grep { (readlink($_) // '') =~ m{/list$} } glob("/proc/$worker/fd/*"); }

my $checked = "SELECT last_check_at > '%s' FROM ssl_guard_status";
my $since = sql('SELECT clock_timestamp()');
is($node->wait_sql(sprintf($checked, $since), 't'), 't', 'the worker looked');
is($node->wait_sql("SELECT string_agg(code, ' ') FROM ssl_guard_alarms", 'hba_unparsable'), 'hba_unparsable', 'and has the alarm');
is(open_lists(), 0, 'it has nothing of it open');
is($node->count_log(qr/maxAllocatedDescs/), 0, 'nor has it run out of file descriptors');
unlink $list;
$node->set_hba(@good);
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'mended');

# ---- no word of the files is shown, whatever the reader asks for
sql('CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher');
$node->set_hba('host all all 10.0.0.0/8 ldap topsecret', 'host all all 10.0.0.0/8 radius radiusservers=127.0.0.1 radiussecrets="""topsecret"', @good);
my ($status, $out, $err) = $node->psql('postgres', "SET client_min_messages = debug5; SELECT * FROM ssl_guard_hba; SELECT * FROM ssl_guard_alarms", extra_params => [ '-U', 'watcher' ]);
is($status, 0, 'pg_monitor reads the view');
unlike("$out$err", qr/topsecret/, 'and no secret, at debug5 neither');
$node->set_hba(@good);

# ---- the network is not asked
SKIP:
{
	skip 'RADIUS is no more', 2 if $node->pg_version->major >= 19;
	$node->set_hba('hostssl all all all radius radiusservers="no-such-name.invalid, 127.0.0.1,other.invalid" radiussecrets="a,b,c"');
	is(lines(), '2 hostssl', 'the name of a RADIUS server is not looked up');
	$node->set_hba('hostssl all all all radius radiusservers="127.0.0.1,,x" radiussecrets=a');
	is(lines(), '2hba_unparsable', 'what is no list of names is none');
	$node->set_hba(@good);
}

is($node->count_log(qr/was terminated by signal|PANIC/), 0, 'nothing has crashed');
$node->stop;
done_testing();

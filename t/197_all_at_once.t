# All at once: every check that does not look at the files' modes at "enforce", 64
# clients that log in again and again, one reload after the other, and somebody who
# plants named pipes, links and devices among the watched files and writes nonsense
# into settings and labels.  Nobody who is good is refused, nothing hangs, nothing
# crashes, and no alarm is about anything but what was planted.

use strict;
use warnings;

use IPC::Run ();
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my ($clients, $rounds) = (64, 4);
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $client = $certs->make_client('app', ca => $ca);
my $doomed = $certs->make_client('doomed', ca => $ca, subject => '/CN=app');
my $node = ESG::Node->new('main');
my $made = 0;

sub query { return $node->safe_psql('postgres', $_[0]); }

# of the CA, in ssl_crl_dir
sub put_crl
{
	my $crl = $certs->make_crl($ca, 'crl' . ++$made, last_update => $made - 3600);
	my $hash = ESG::Certs::openssl('crl', '-in', $crl, '-noout', '-hash') =~ s/\n//r;

	$node->replace($crl, "crls/$hash.r0");
	return;
}

$node->setup(
	ca => $ca,
	server => $certs->make_server('server', ca => $ca),
	conf => <<"CONF",
max_connections = 160
ssl_crl_dir = 'crls'
ext_ssl_guard.file_poll_interval = '1s'
ext_ssl_guard.client_certificate_check = 'enforce'
ext_ssl_guard.identity_check = 'enforce'
ext_ssl_guard.role_label_check = 'enforce'
ext_ssl_guard.session_check = 'enforce'
ext_ssl_guard.auto_reload = on
ext_ssl_guard.denied_certificates = '${\ ('ab' x 32)}'
ext_ssl_guard.finding_overrides = 'denied_certificate_unseen=off'
ext_ssl_guard.extra_files = 'planted_fifo, planted_zero, planted_loop, planted_link, planted_dir'
CONF
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
mkdir $node->path('crls') or die "mkdir: $!";
put_crl();
my @planted = map { $node->path($_) } qw(planted_fifo planted_zero planted_loop planted_link planted_dir crls/01234567.r0 crls/89abcdef.r0 crls/0000000f.r0);

sub plant
{
	my ($fifo, $zero, $loop, $link, $dir, $fifo_crl, $zero_crl, $loop_crl) = @planted;

	foreach ($fifo, $fifo_crl) { mkfifo($_, 0600) or die "mkfifo: $!"; }
	foreach ($zero, $zero_crl) { symlink '/dev/zero', $_ or die "symlink: $!"; }
	foreach ($loop, $loop_crl) { symlink $_, $_ or die "symlink: $!"; }
	symlink '/etc/shadow', $link or die "symlink: $!";
	mkdir $dir or die "mkdir: $!";
	return;
}

sub clear { -d $_ && !-l $_ ? rmdir $_ : unlink $_ foreach @planted; return; }

$node->start;
query(q{CREATE ROLE app LOGIN; CREATE ROLE victim LOGIN; SECURITY LABEL FOR ext_ssl_guard ON ROLE app IS 'cn=app tls'});
my $postmaster = (ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/)[0];
my $worker = query('SELECT worker_pid FROM ssl_guard_status');
my $script = ESG::Certs::spew($node->basedir . '/one.sql', "SELECT 1;\n");
my ($out, $err) = ('', '');
my $run = IPC::Run::start([ 'pgbench', '-n', '-C', '-c', $clients, '-j', 4, '-T', 3600, '-f', $script, $node->tcp(user => 'app', client => $client) ],
	'<', '/dev/null', '>', \$out, '2>', \$err);
my $offset = $node->log_end;

sub logins { return query('SELECT coalesce(sum(logins), 0) FROM ssl_guard_client_certificates'); }

# not one of these is a value, or a label
my @nonsense = (
	[ identity_sources => 'cn, nonsense' ], [ denied_certificates => '0G' ], [ finding_overrides => 'weak_key=maybe' ],
	[ identity_sources => 'cn@' . 'zz' x 32 ], [ expire_check_interval => '-1' ], [ alarm_command_timeout => 'soon' ],
	[ max_file_mode => '0999' ], [ session_check => 'x' x 5000 ]);
my @labels = ('cn', 'cn=', 'cn="', "\x01", 'issuer=', 'x' x 3000, 'ca=12', 'min_tls=TLSv9', "cn=\x{c3}\x{28}");

foreach my $round (1 .. $rounds)
{
	my $logins = logins();
	my $session = $round == $rounds ? ESG::Sessions->open($node, user => 'app', client => $doomed) : undef;

	plant();
	foreach my $wrong (@nonsense[ 2 * ($round - 1), 2 * $round - 1 ])
	{
		$node->set_conf("ext_ssl_guard.$wrong->[0]" => $wrong->[1]);
		foreach (1 .. 5) { $node->reload; sleep 0.1; }
		cmp_ok($node->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'setting_rejected'}, 1), '==', 1, "round $round: nonsense in $wrong->[0] is rejected");
		# the last line counts
		my $conf = ESG::Certs::slurp($node->path('postgresql.conf'));
		ESG::Certs::spew($node->path('postgresql.conf'), $conf =~ s/^ext_ssl_guard\.\Q$wrong->[0]\E = '\Q$wrong->[1]\E'\n//mr);
	}
	foreach my $label (@labels)
	{
		my ($status) = $node->psql('postgres', "SECURITY LABEL FOR ext_ssl_guard ON ROLE victim IS \$label\$$label\$label\$");

		isnt($status, 0, 'a label of ' . length($label) . ' bytes is refused') if $round == 1;
	}
	is($node->wait_sql(q{SELECT count(DISTINCT object) >= 8 FROM ssl_guard_alarms WHERE code <> 'setting_rejected'}, 't'), 't', 'what was planted has its alarms');
	is(query(q{SELECT coalesce(string_agg(code || ' ' || object, '; '), '') FROM ssl_guard_alarms
			WHERE code <> 'setting_rejected' AND object !~ 'planted_|01234567|89abcdef|0000000f'}), '', 'and nothing else');
	$certs->revoke($ca, $doomed) if $session;
	put_crl();
	clear();
	$node->reload;
	like($session->wait_end, qr/FATAL:  terminating connection/, 'who is revoked is ended all the same') if $session;
	my $left = q{SELECT string_agg(code || ' ' || regexp_replace(object, '.*/', ''), ', ' ORDER BY object) FROM ssl_guard_alarms};
	my $missing = join ', ', map { "file_missing planted_$_" } qw(dir fifo link loop zero);
	is($node->wait_sql($left, $missing), $missing, 'it is gone, and no other alarm is left');
	cmp_ok(logins() - $logins, '>', $clients, 'more logins than clients meanwhile');
}
is($err =~ /(fatal|aborted|failed|refused).*/i ? $1 : '', '', 'no client was refused') or diag($err);
$run->kill_kill(grace => 5);
is($node->count_log(qr/FATAL:  (?!terminating connection due to administrator)/, $offset), 0, 'nor does the log say so');
is($node->count_log(qr/LOG:  ending session of role/, $offset), 1, 'one session was ended');
is($node->count_log(qr/PANIC|terminated by signal|invalid memory|out of memory|stack smashing|root:[*!\$]/, $offset), 0, 'no accident');
is(query('SELECT worker_pid FROM ssl_guard_status'), $worker, 'one worker lived through it');
is((ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/)[0], $postmaster, 'and one postmaster');
$node->stop;
done_testing();

# The server opens its private key with the passphrase pair, at start and at
# reload; what it says when it cannot; that the passphrase stays where it is.

use strict;
use warnings;

use IPC::Run ();
use POSIX ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $passphrase = "Sesam \xc3\xb6ffne dich 4711";
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');

sub make_server
{
	my ($name, %options) = @_;

	return $certs->make_server($name, ca => $ca, passphrase => $passphrase, %options);
}

my $first = make_server('first');
my $second = make_server('second', key => 'rsa:2048');
my $node = ESG::Node->new('main');
my $offset = 0;

$node->setup(ca => $ca, server => $first, conf => "ext_ssl_guard.expire_check_interval = 0\n");
my $data = $node->data_dir;

sub run_ctl
{
	my ($input, @arguments) = @_;
	my $said = '';

	ESG::Certs::spew($certs->dir . '/input', $input);
	IPC::Run::run([ 'ssl_guard_ctl', @arguments ], '<', $certs->dir . '/input', '>&', \$said);
	return "$?: $said";
}

sub encrypt
{
	my ($dir, $secret) = @_;

	like(run_ctl("$secret\n", 'encrypt', '--force', '-D', $dir), qr/^0: /, 'ssl_guard_ctl encrypt');
	return;
}

sub put
{
	my ($file, $content, $mode) = @_;

	unlink "$data/$file";
	ESG::Certs::spew("$data/$file", $content);
	chmod $mode // 0400, "$data/$file";
	return;
}

sub start_ok
{
	my ($name) = @_;

	$offset = $node->log_end;
	ok($node->start(fail_ok => 1), "$name: the server starts");
	return;
}

sub start_fails
{
	my ($pattern, $name) = @_;

	$offset = $node->log_end;
	ok(!$node->start(fail_ok => 1), "$name: the server does not start");
	like($node->log_since($offset), $pattern, "$name: FATAL says why");
	return;
}

# Reloads; what became of it, and which certificate is in service
sub reload_is
{
	my ($ok, $served, $name) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT last_reload_at FROM ssl_guard_status');

	$offset = $node->log_end;
	$node->reload;
	is( $node->wait_sql(
			"SELECT last_reload_ok, served_fingerprint = '$served->{fingerprint}', last_reload_at > '$before' FROM ssl_guard_status",
			"$ok|t|t"),
		"$ok|t|t", $name);
SKIP:
	{
		skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
		is(($node->tcp_psql('SELECT 1', sslmode => 'verify-full', host => 'localhost'))[1], '1', "$name: TLS works");
	}
	return;
}

sub alarms_are
{
	my ($want, $name) = @_;
	my $sql = "SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') FROM ssl_guard_alarms
		WHERE code IN ('passphrase_unusable', 'reload_failed', 'permissions_too_open')";

	is($node->wait_sql($sql, $want), $want, $name);
	return;
}

# ---- without a pair, core's ways

# from a file: core writes a changed setting to the log
ESG::Certs::spew($certs->dir . '/core_passphrase', "$passphrase\n");
my $core_command = "cat " . $certs->dir . '/core_passphrase';
$node->set_conf(ssl_passphrase_command => $core_command);
start_ok('ssl_passphrase_command');
unlike($node->log_since($offset), qr/taking the passphrase/, 'no pair is used');
$node->replace($second->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
reload_is('f', $first, 'as ever, ssl_passphrase_command is not for reloads');
like($node->log_since($offset), qr/cannot be reloaded because it requires a passphrase/, 'in the words of core');
$node->set_conf(ssl_passphrase_command_supports_reload => 'on');
reload_is('t', $second, 'unless told so');
$node->stop;

# ---- a pair

my $marker = $certs->dir . '/asked';
$node->set_conf(ssl_passphrase_command => "touch \"$marker\"; echo wrong");
encrypt($data, $passphrase);
start_ok('pair');
like($node->log_since($offset), qr/LOG:  taking the passphrase of the private key from "\Q$data\E\/server\.key\.cipher"/,
	'said in the log');
$node->replace($first->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
reload_is('t', $first, 'reload with another key of the same passphrase');
ok(!-e $marker, 'ssl_passphrase_command is not run');
is( $node->safe_psql('postgres',
		"SELECT regexp_replace(path, '.*/', ''), mode, sha256 IS NULL, findings FROM ssl_guard_files WHERE kind = 'passphrase' ORDER BY 1"),
	"server.key.cipher|0400|t|{}\nserver.key.rand|0400|t|{}", 'ssl_guard_files has both');
alarms_are('', 'no alarm');

foreach my $kind ('rsa:2048', 'ec:prime256v1')
{
	foreach my $traditional (0, 1)
	{
		my $cert = make_server('kind', key => $kind, traditional => $traditional);

		$node->replace($cert->{cert}, 'server.crt');
		$node->replace($cert->{key}, 'server.key');
		reload_is('t', $cert, $kind . ($traditional ? ', traditional' : ', PKCS#8'));
	}
}

foreach my $length (1, 1023)
{
	my $cert = $certs->make_server('long', ca => $ca);
	my $secret = 'k' x $length;
	my $file = ESG::Certs::spew($certs->dir . '/secret', "$secret\n");

	ESG::Certs::openssl('pkcs8', '-topk8', '-v2', 'aes256', '-in', $cert->{key}, '-out', "$cert->{key}.long",
		'-passout', "file:$file");
	$node->replace($cert->{cert}, 'server.crt');
	$node->replace("$cert->{key}.long", 'server.key');
	encrypt($data, $secret);
	reload_is('t', $cert, "a passphrase of $length bytes");
}
$node->replace($first->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
encrypt($data, $passphrase);
reload_is('t', $first, 'back to the first');

# ---- where the passphrase is not

my @pids = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
push @pids, ESG::Certs::slurp("$data/postmaster.pid") =~ /\A(\d+)/;
my $seen = '';
foreach my $pid (@pids)
{
	foreach my $file ('cmdline', 'environ')
	{
		my $text = eval { ESG::Certs::slurp("/proc/$pid/$file") } // '';

		$seen .= " $file of $pid" if index($text, $passphrase) >= 0;
	}
}
is($seen, '', 'not in command line or environment of any process');
unlike(scalar `ps -eo args 2>/dev/null`, qr/\Q$passphrase\E/, 'not in ps');
unlike($node->safe_psql('postgres', "SELECT string_agg(name || setting, ' ') FROM pg_settings"),
	qr/\Q$passphrase\E/, 'not in pg_settings');
$node->safe_psql('postgres', 'CHECKPOINT');
is(system('grep', '-rqaF', $passphrase, $data) >> 8, 1, 'not in the data directory');
is(system('grep', '-qaF', $passphrase, $node->logfile) >> 8, 1, 'not in the log');

# ---- reload with a pair that cannot be used

my %good = map { $_ => ESG::Certs::slurp("$data/$_") } 'server.key.cipher', 'server.key.rand';
my $other = $certs->dir . '/other';
mkdir $other, 0700;
encrypt($other, $passphrase);
my %other = map { $_ => ESG::Certs::slurp("$other/$_") } keys %good;

sub flip
{
	my ($content, $byte) = @_;

	substr($content, $byte, 1) ^= "\x10";
	return $content;
}

sub repair
{
	put($_, $good{$_}) foreach keys %good;
	return;
}

my @faults = (
	[ 'no .rand', qr/server\.key\.rand" cannot be used: No such file/, sub { unlink "$data/server.key.rand" } ],
	[ 'no .cipher', qr/server\.key\.cipher" cannot be used: No such file/, sub { unlink "$data/server.key.cipher" } ],
	[ 'halves of two pairs', qr/not a pair/, sub { put('server.key.rand', $other{'server.key.rand'}) } ],
	[ 'open .rand', qr/server\.key\.rand" cannot be used: accessible to others, mode 0440/,
		sub { chmod 0440, "$data/server.key.rand" },
		'passphrase_unusable permissions_too_open reload_failed' ],
	[ 'truncated .cipher', qr/truncated/, sub { put('server.key.cipher', substr($good{'server.key.cipher'}, 0, 500)) } ],
	[ 'flipped version', qr/version/, sub { put('server.key.cipher', flip($good{'server.key.cipher'}, 9)) } ],
	[ 'flipped ciphertext', qr/checksum/, sub { put('server.key.cipher', flip($good{'server.key.cipher'}, 100)) } ],
	[ 'flipped random byte', qr/checksum/, sub { put('server.key.rand', flip($good{'server.key.rand'}, 40)) } ],
	[ 'FIFO', qr/not a regular file/, sub { unlink "$data/server.key.rand"; POSIX::mkfifo("$data/server.key.rand", 0400) } ]);

foreach my $fault (@faults)
{
	my ($name, $pattern, $break, $alarms) = @$fault;

	$break->();
	reload_is('f', $first, "$name at reload: the old certificate stays");
	like($node->log_since($offset), qr/LOG:  passphrase file ".*$pattern/, "$name at reload: LOG says why");
	is($node->count_log(qr/LOG:  passphrase file/, $offset), 1, "$name at reload: once");
	alarms_are($alarms // 'passphrase_unusable reload_failed', "$name at reload: alarms");
	unlike($node->log_since($offset), qr/\Q$passphrase\E/, "$name at reload: not a word of it in the log");
	repair();
	reload_is('t', $first, "$name repaired");
	alarms_are('', "$name repaired: alarms are gone");
}
ok(!-e $marker, 'all the while ssl_passphrase_command is not run');

# the worker finds a damaged pair before the next restart does
put('server.key.rand', flip($good{'server.key.rand'}, 40));
is( $node->safe_psql('postgres',
		"SELECT code, severity, regexp_replace(object, '.*/', ''), message ~ 'checksum' FROM ssl_guard_check() WHERE code = 'passphrase_unusable'"),
	'passphrase_unusable|critical|server.key.rand|t', 'a check tries the pair');
repair();
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_check() WHERE code = 'passphrase_unusable'"), '0',
	'and is content when it is whole again');

# raised once; its grade is the administrator's
put('server.key.rand', flip($good{'server.key.rand'}, 40));
my $broken = $offset = $node->log_end;
$node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()') foreach 1 .. 2;
is($node->count_log(qr/WARNING:  file ".*server\.key\.rand" cannot be used: damaged/, $offset), 1, 'raised once');
is($node->count_log(qr/DETAIL:  code=passphrase_unusable severity=critical setting=ext_ssl_guard\.passphrase_directory path=/, $offset),
	1, 'with its facts');
foreach my $severity ('off', 'notice')
{
	$node->append_conf('postgresql.conf', "ext_ssl_guard.finding_overrides = 'passphrase_unusable=$severity'");
	$node->reload;
	my $want = $severity eq 'off' ? '' : $severity;
	is($node->wait_sql("SELECT coalesce(max(severity::text), '') FROM ssl_guard_alarms WHERE code = 'passphrase_unusable'", $want),
		$want, "finding_overrides: $severity");
}
$node->append_conf('postgresql.conf', "ext_ssl_guard.finding_overrides = ''");
repair();
reload_is('t', $first, 'repaired once more');
alarms_are('', 'all is well');
is($node->count_log(qr/LOG:  alarm cleared: file ".*server\.key\.rand" cannot be used/, $broken), 2,
	'cleared when it was switched off, and when it was repaired');

# max_key_file_mode: what it forbids is an alarm, and, enforced, not taken
chmod 0600, "$data/$_" foreach keys %good;
chmod 0400, "$data/server.key";
$node->set_conf('ext_ssl_guard.max_key_file_mode' => '0400');
reload_is('t', $first, 'warn: a pair with mode 0600 where 0400 is the rule is taken');
alarms_are('permissions_too_open permissions_too_open', 'with an alarm for each');
$node->set_conf('ext_ssl_guard.file_permission_check' => 'enforce');
$offset = $node->log_end;
$node->reload;
alarms_are('passphrase_unusable permissions_too_open permissions_too_open reload_failed', 'enforce: it is not taken');
like($node->log_since($offset), qr/LOG:  passphrase file ".*server\.key\.cipher" cannot be used: mode 0600, more than the 0400 allowed/, 'the log says why');
chmod 0400, "$data/$_" foreach keys %good;
reload_is('t', $first, 'enforce: with 0400 it is');
alarms_are('', 'and all is well');
$node->set_conf('ext_ssl_guard.file_permission_check' => 'warn', 'ext_ssl_guard.max_key_file_mode' => '0600');
chmod 0600, "$data/server.key";
reload_is('t', $first, 'as before');

# a passphrase that is not the key's
$node->replace($second->{cert}, 'server.crt');
encrypt($other, 'mismatch');
put($_, ESG::Certs::slurp("$other/$_")) foreach keys %good;
reload_is('f', $first, 'wrong passphrase at reload: the old certificate stays');
like($node->log_since($offset), qr/taking the passphrase .*\n.*could not load private key file "server\.key"/, 'said why');
unlike($node->log_since($offset), qr/mismatch/, 'but not with what');
$node->stop;

# ---- the same at start

start_fails(qr/FATAL:  could not load private key file "server\.key"/, 'wrong passphrase');
$node->replace($first->{cert}, 'server.crt');
repair();
foreach my $fault (@faults)
{
	my ($name, $pattern, $break) = @$fault;

	$break->();
	start_fails(qr/FATAL:  passphrase file ".*$pattern/, $name);
	repair();
}
start_ok('repaired');
$node->stop;

# ---- a key in the clear needs no pair, and a broken one does no harm

my $plain = $certs->make_server('plain', ca => $ca);
$node->replace($plain->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
unlink "$data/server.key.rand";
start_ok('key in the clear, half a pair');
unlike($node->log_since($offset), qr/taking the passphrase/, 'the pair is not used');
alarms_are('passphrase_unusable', 'but there is an alarm');
unlink "$data/server.key.cipher";
reload_is('t', $plain, 'reload without a pair');
alarms_are('', 'no pair, no alarm');

# ---- elsewhere

my $elsewhere = $certs->dir . '/elsewhere';
mkdir $elsewhere, 0700;
encrypt($elsewhere, $passphrase);
$node->replace($second->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
$node->set_conf('ext_ssl_guard.passphrase_directory' => $elsewhere);
reload_is('t', $second, 'passphrase_directory');
like($node->log_since($offset), qr/from "\Q$elsewhere\E\/server\.key\.cipher"/, 'it is read there');
mkdir "$data/pair", 0700;
put("pair/$_", $good{$_}) foreach keys %good;
$node->set_conf('ext_ssl_guard.passphrase_directory' => 'pair');
reload_is('t', $second, 'a relative passphrase_directory');
like($node->log_since($offset), qr/from "\Q$data\E\/pair\/server\.key\.cipher"/, 'is below the data directory');
chmod 0000, "$data/pair";
reload_is('f', $second, 'a passphrase_directory that may not be entered');
like($node->log_since($offset), qr/LOG:  passphrase file ".*Permission denied/, 'said why');
chmod 0700, "$data/pair";
$node->set_conf('ext_ssl_guard.passphrase_directory' => '/nonexistent');
reload_is('f', $second, 'without a pair there, core knows no passphrase');
alarms_are('passphrase_unusable reload_failed', 'a passphrase_directory that is not there is an alarm');
mkdir "$data/empty", 0700;
$node->set_conf('ext_ssl_guard.passphrase_directory' => 'empty', ssl_passphrase_command => $core_command);
reload_is('t', $second, 'with an empty one, ssl_passphrase_command is asked');
alarms_are('', 'which is no alarm');
unlike($node->log_since($offset), qr/taking the passphrase/, 'nor the pair');
$node->set_conf('ext_ssl_guard.passphrase_directory' => '');
$node->stop;

# ---- ssl_guard_ctl as ssl_passphrase_command

$node->set_conf(ssl_passphrase_command => "ssl_guard_ctl decrypt -D $elsewhere");
start_ok('ssl_guard_ctl as ssl_passphrase_command');
unlike($node->log_since($offset), qr/taking the passphrase/, 'there is no pair where the hook looks');
$node->replace($first->{$_}, "server." . ($_ eq 'cert' ? 'crt' : 'key')) foreach qw(cert key);
reload_is('t', $first, 'ssl_guard_ctl as ssl_passphrase_command at reload');
$node->stop;
chmod 0644, "$elsewhere/server.key.rand";
start_fails(qr/FATAL:  could not load private key file|FATAL:  command .* failed/, 'and it refuses an open file');
unlike($node->log_since($offset), qr/\Q$passphrase\E/, 'saying nothing it should not');

# ---- a new key with a new passphrase, as docs/passphrase.md has it: a crash
# and restart after each step

my $tls = $certs->dir . '/tls';
my $new_passphrase = 'the next one';
my $third = $certs->make_server('third', ca => $ca, passphrase => $new_passphrase);

sub crash_and_restart
{
	my ($served, $name) = @_;

	$node->stop('immediate');
	$offset = $node->log_end;
	ok($node->start(fail_ok => 1), "$name: the server starts after a crash");
	is($node->wait_sql('SELECT served_fingerprint FROM ssl_guard_status', $served->{fingerprint}),
		$served->{fingerprint}, "$name: with the right certificate");
	return;
}

sub fill
{
	my ($dir, $cert) = @_;

	mkdir $dir, 0700;
	ESG::Certs::spew("$dir/server.crt", ESG::Certs::slurp($cert->{cert}));
	ESG::Certs::spew("$dir/server.key", ESG::Certs::slurp($cert->{key}));
	chmod 0600, "$dir/server.key";
	return;
}

fill("$tls.1", $first);
encrypt("$tls.1", $passphrase);
symlink "$tls.1", $tls;
$node->set_conf(ssl_passphrase_command => '', ssl_cert_file => "$tls/server.crt", ssl_key_file => "$tls/server.key");
start_ok('directories');
fill("$tls.2", $third);
crash_and_restart($first, 'new key made');
encrypt("$tls.2", $new_passphrase);
like(run_ctl('', 'check', '-D', "$tls.2"), qr/^0: /, 'checked');
crash_and_restart($first, 'new pair made');
symlink "$tls.2", "$tls.new";
rename "$tls.new", $tls;
reload_is('t', $third, 'switched by reload');
crash_and_restart($third, 'switched');
system('rm', '-rf', "$tls.1");
crash_and_restart($third, 'old one removed');

# a new key under the old passphrase: the pair stays
my $fourth = $certs->make_server('fourth', ca => $ca, passphrase => $new_passphrase);
fill("$tls.2", $fourth);
crash_and_restart($fourth, 'same passphrase');
$node->stop;
unlike($node->log_since(0), qr/\Q$passphrase\E|\Q$new_passphrase\E/, 'the log of all this has no passphrase');

done_testing();

# What ssl_guard_settings says of ssl_passphrase_command: it is never run for it,
# no secret is shown, and whether a reload gets the passphrase is as it says.

use strict;
use warnings;

use File::Temp ();
use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $secret = 'open-sesame';
my $plain = $certs->make_server('server', ca => $ca);
my $encrypted = $certs->make_server('encrypted', ca => $ca, passphrase => $secret);
# others must be able to come so far
my $open = File::Temp::tempdir(CLEANUP => 1, DIR => '/tmp');
chmod 0755, $open or die $!;
my $runs = "$open/runs";

sub script
{
	my ($mode, $name) = @_;
	my $path = "$open/" . ($name // 'script');

	unlink $path;
	ESG::Certs::spew($path, "#!/bin/sh\necho >>'$runs'\necho $secret\n");
	chmod $mode, $path or die $!;
	return $path;
}

sub runs { return -s $runs // 0; }

my $script = script(0700);
my $node = ESG::Node->new('main');
$node->setup(ca => $ca, server => $encrypted, conf => <<"CONF");
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.self_probe = off
ssl_passphrase_command = '$script "%p"'
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub found
{
	return sql("SELECT coalesce(string_agg(setting || ' ' || array_to_string(findings, ','), '; ' ORDER BY setting), '') FROM ssl_guard_settings WHERE setting LIKE 'ssl_passphrase%' AND findings <> '{}'");
}

sub alarms { return sql("SELECT coalesce(string_agg(object || ' ' || code, '; ' ORDER BY object, code), '') FROM ssl_guard_check()"); }

sub shown { return sql("SELECT value FROM ssl_guard_settings WHERE setting = 'ssl_passphrase_command'"); }

# ---- a key with a passphrase, and the reload
my $before = runs();
is($before, 1, 'the server has run it at its start');
is(shown(), "$script ...", 'the program is shown');
is(found(), 'ssl_passphrase_command_supports_reload passphrase_command_fails', 'not allowed at a reload');
is(alarms(), 'ssl_passphrase_command_supports_reload passphrase_command_fails', 'an alarm');
is(sql("SELECT recommended FROM ssl_guard_settings WHERE setting LIKE '%supports_reload'"), 'on', 'what is recommended');
is(runs(), $before, 'nobody has run it for that');
$node->apply;
is(alarms(), 'server reload_failed; ssl_passphrase_command_supports_reload passphrase_command_fails', 'a reload fails, as was said');
$node->apply(ssl_passphrase_command_supports_reload => 'on');
is(found() . alarms(), '', 'allowed: nothing, and the reload goes well');
SKIP:
{
	skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
	is(runs(), $before + 1, 'for which the server has run it');
}
$node->replace($plain->{cert}, 'server.crt');
$node->replace($plain->{key}, 'server.key');
$node->apply(ssl_passphrase_command_supports_reload => 'off');
is(found() . alarms(), '', 'a key without passphrase: nothing, whatever is allowed');
$node->replace($encrypted->{cert}, 'server.crt');
$node->replace($encrypted->{key}, 'server.key');
$node->apply;
like(alarms(), qr{^server reload_failed; (?:server reload_pending; )?ssl_passphrase_command_supports_reload passphrase_command_fails$}, 'one with: the reload has failed, and why');
$node->apply(ssl_passphrase_command_supports_reload => 'on');
is(found() . alarms(), '', 'allowed');
$node->apply(ssl_passphrase_command => '');
is(found(), 'ssl_passphrase_command passphrase_command_fails', 'no command at a reload: nobody is asked');
like(alarms(), qr{^server reload_failed; (?:server reload_pending; )?ssl_passphrase_command passphrase_command_fails$}, 'and the reload has failed');
$node->apply(ssl_passphrase_command => qq{$script "%p"});
is(found() . alarms(), '', 'with one');
# from now on the server has nothing to ask: some of what follows would keep it waiting
$node->replace($plain->{cert}, 'server.crt');
$node->replace($plain->{key}, 'server.key');
$node->apply;

# ---- who else may read it
sub is_found
{
	my ($command, $code, $pattern) = @_;
	my $before = runs();

	$node->apply(ssl_passphrase_command => $command);
	is(found(), $code ? "ssl_passphrase_command $code" : '', "$command: " . ($code || 'nothing'));
	if ($code)
	{
		like(sql("SELECT message FROM ssl_guard_check() WHERE code = '$code'"), $pattern, 'and why');
		like(sql("SELECT message FROM ssl_guard_alarms WHERE code = '$code'"), $pattern, 'an alarm');
	}
	is(runs(), $before, 'not run for it');
	unlike(sql('SELECT string_agg(s::text, chr(10)) FROM ssl_guard_settings s'), qr/\Q$secret\E|hunter/, 'no secret is shown');
	unlike(sql('SELECT string_agg(a::text, chr(10)) FROM ssl_guard_alarms a'), qr/\Q$secret\E|hunter/, 'nor in an alarm');
	return;
}

my $file = ESG::Certs::spew("$open/secret", "$secret\n");
my $leak = 'passphrase_command_leaks';

chmod 0600, $file or die $!;
is_found("cat $file", '');
chmod 0640, $file or die $!;
is_found("cat $file", $leak, qr/: "\Q$file\E" may be read or written by others$/);
chmod 0604, $file or die $!;
is_found("head -1 < $file", $leak, qr/may be read or written by others$/);
chmod 0700, $open or die $!;
is_found("cat $file", '');
chmod 0755, $open or die $!;
unlink $file;
is_found("cat $file", 'passphrase_command_fails', qr/: "\Q$file\E" is not there/);
is_found(script(0755, 'open'), $leak, qr/: "\Q$open\E\/open" is a script that others may read or write$/);
is_found(script(0711, 'closed'), '');
is_found("echo $secret", $leak, qr/: its text has a secret$/);
is_found("sh -c 'echo $secret'" =~ s/'/''/gr, $leak, qr/: its text has a secret$/);
is_found('echo "$NOTHING"', '');
ESG::Certs::spew($file, "$secret\n");
chmod 0600, $file or die $!;
is_found("head -n 1 $file", '');
is_found("cat /nowhere/secret || cat $file", '');
is_found("cd $open; cat secret", '');
is_found("nice -n 10 cat $file", '');
is_found("read x < $file; echo \$x", '');
is_found('gpg --passphrase hunter2 -d key.gpg', $leak, qr/: its text has a secret$/) if -x '/usr/bin/gpg';
is_found('K=hunter2; echo $K', $leak, qr/: its text has a secret$/);

# ---- what cannot be run
my $fails = 'passphrase_command_fails';

is_found('/nowhere/program', $fails, qr{: "/nowhere/program" cannot be run: it is not there});
is_found('hunter2', $fails, qr/: the program is not in the server's PATH$/);
is(shown(), '...', 'what is maybe the passphrase itself is not shown');
is_found('hunter/2', $fails, qr/: a file of the command cannot be run: it is not there/);
is(shown(), '...', 'nor is one that looks like a path');
is_found('cat hunter2', $fails, qr/: a file of the command is not there/);
is_found(script(0600, 'idle'), $fails, qr/cannot be run by the server's user$/);
mkfifo("$open/fifo", 0700) or die $!;
is_found("$open/fifo", $fails, qr/cannot be run by the server's user$/);
is_found("cat $open/fifo", '');
is_found($open, $fails, qr/cannot be run by the server's user$/);
is_found('systemd-ask-password "%p"', $fails, qr/waits for a person|is not in the server's PATH/);
is_found('cat /dev/tty', $fails, qr/the server waits for a person/);
$node->apply(ssl_passphrase_command => "'nonsense" =~ s/'/''/gr);
is(sql('SELECT count(*) > 0 FROM ssl_guard_settings'), 't', 'what no shell understands');

# ---- the passphrase pair instead
$node->replace($encrypted->{cert}, 'server.crt');
$node->replace($encrypted->{key}, 'server.key');
my $said = `printf '%s\\n' '$secret' | ssl_guard_ctl encrypt -D '@{[ $node->data_dir ]}' 2>&1`;
$node->apply(ssl_passphrase_command => '', ssl_passphrase_command_supports_reload => 'off', 'ext_ssl_guard.finding_overrides' => 'passphrase_in_backup=off');
is(found() . alarms(), '', 'the pair answers: nothing') or diag($said);

$node->stop;
done_testing();

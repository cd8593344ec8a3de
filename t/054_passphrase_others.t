# Who else may be asked for the passphrase: another module's hook, before or
# after ours; ssl_guard_ctl as ssl_passphrase_command, with what core makes of
# the command and of its answer; the terminal.

use strict;
use warnings;

use Cwd qw(abs_path);
use IPC::Run ();
use POSIX ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');
my $cert = $certs->make_server('server', ca => $ca);
my $offset = 0;

$node->setup(ca => $ca, server => $cert, conf => "ext_ssl_guard.expire_check_interval = 0\n");
my $data = $node->data_dir;

# Encrypts the key under another passphrase.
sub protect_key
{
	my ($passphrase) = @_;
	my $file = ESG::Certs::spew($certs->dir . '/secret', "$passphrase\n");

	ESG::Certs::openssl('pkcs8', '-topk8', '-v2', 'aes256', '-in', $cert->{key}, '-out', $certs->dir . '/protected.key',
		'-passout', "file:$file");
	$node->replace($certs->dir . '/protected.key', 'server.key');
	return;
}

sub encrypt
{
	my ($dir, $passphrase) = @_;
	my $said = '';

	mkdir $dir, 0700;
	my $file = ESG::Certs::spew($certs->dir . '/secret', "$passphrase\n");
	chmod 0600, $file;
	IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '--passphrase-file', $file, '-D', $dir ], '<', \undef, '>&', \$said);
	is($?, 0, 'ssl_guard_ctl encrypt') or diag($said);
	return;
}

sub start_ok
{
	my ($name) = @_;

	$offset = $node->log_end;
	ok($node->start(fail_ok => 1), "$name: the server starts");
	return $node->log_since($offset);
}

sub reload_ok
{
	my ($name) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT last_reload_at FROM ssl_guard_status');

	$offset = $node->log_end;
	$node->reload;
	is($node->wait_sql("SELECT last_reload_ok, last_reload_at > '$before' FROM ssl_guard_status", 't|t'),
		't|t', "$name: reload");
	return $node->log_since($offset);
}

# ---- ssl_guard_ctl as ssl_passphrase_command

# a directory whose name needs care: core replaces %p in the command, the shell reads it
my $elsewhere = $certs->dir . '/50%p $x';
(my $command_dir = $elsewhere) =~ s/%/%%/g;
$node->set_conf(ssl_passphrase_command => "ssl_guard_ctl decrypt -D ''$command_dir''",
	ssl_passphrase_command_supports_reload => 'on');
foreach my $case (
	[ 'blanks at both ends', "  ses am \t" ],
	[ 'UTF-8', "\xc3\xb6ffne dich" ],
	[ 'what a shell would read', q{$(id) `id` "'\\ %p} ],
	[ '1023 bytes', 'k' x 1023 ],
	[ 'one byte', ' ' ])
{
	my ($name, $passphrase) = @$case;

	protect_key($passphrase);
	encrypt($elsewhere, $passphrase);
	unlike(start_ok("command, $name"), qr/taking the passphrase/, "command, $name: no pair where the hook looks");
	reload_ok("command, $name");
	$node->stop;
	# the same from the pair
	encrypt($data, $passphrase);
	like(start_ok("pair, $name"), qr/taking the passphrase/, "pair, $name: used");
	$node->stop;
	unlink "$data/server.key.cipher", "$data/server.key.rand";
}

# ---- the terminal: asked without a pair, as ever; not with one; never at reload

my $passphrase = 'open sesame';
protect_key($passphrase);
$node->set_conf(ssl_passphrase_command => '', ssl_passphrase_command_supports_reload => 'off');

# Starts the server in a terminal of its own; returns what that shows until the
# server is up and was reloaded.
sub run_in_terminal
{
	my ($answer) = @_;
	my $pty = IO::Pty->new;
	my $pid = fork;
	my $shown = '';
	my $chunk;

	if ($pid == 0)
	{
		$pty->make_slave_controlling_terminal;
		my $slave = $pty->slave;
		POSIX::dup2(fileno $slave, $_) foreach 0 .. 2;
		exec 'postgres', '-D', $data;
	}
	my $slave = $pty->slave;
	my $reloaded = 0;
	my $until = time + 60;
	while (time < $until)
	{
		my $ready = '';
		vec($ready, fileno $pty, 1) = 1;
		if (select($ready, undef, undef, 1) > 0 && sysread $pty, $chunk, 4096)
		{
			$shown .= $chunk;
			syswrite $pty, "$answer\n" if $chunk =~ /pass phrase:/;
		}
		if (!$reloaded && $shown =~ /ready to accept connections/)
		{
			$reloaded = 1;
			kill 'HUP', $pid;
		}
		last if $shown =~ /database system is shut down/;
		if ($reloaded == 1 && $shown =~ /received SIGHUP.*(configuration was not reloaded|taking the passphrase|PEM pass)/s)
		{
			$reloaded = 2;
			kill 'TERM', $pid;
		}
	}
	waitpid $pid, 0;
	return $shown;
}

SKIP:
{
	skip 'no pseudo-terminals here', 7 unless eval { require IO::Pty; IO::Pty->new };
	my $shown = run_in_terminal($passphrase);
	like($shown, qr/pass phrase:.*ready to accept/s, 'no pair: the terminal is asked at start');
	unlike($shown, qr/received SIGHUP.*pass phrase:/s, 'and not at reload');
	like($shown, qr/cannot be reloaded because it requires a passphrase/, 'as core says');
	encrypt($data, $passphrase);
	$shown = run_in_terminal('wrong');
	like($shown, qr/ready to accept.*received SIGHUP.*taking the passphrase/s, 'a pair: the server starts and reloads');
	unlike($shown, qr/pass phrase:/, 'and nobody is asked');
	unlike($shown, qr/\Q$passphrase\E/, 'nor told');
}

# ---- another module on the hook

my $library = ESG::Node::build_library($certs->dir . '/other', <<'SOURCE');
#include "postgres.h"
#include "fmgr.h"
#include "libpq/libpq.h"
#include "libpq/libpq-be.h"
#include <openssl/err.h>

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);
static openssl_tls_init_hook_typ prev_hook;
static char mine;

static int
answer(char *buf, int size, int rwflag, void *userdata)
{
	elog(LOG, "other module asked, argument %s", userdata == &mine ? "its own" : "another's");
	strlcpy(buf, "open sesame", size);
	return (int) strlen(buf);
}

static void
other_hook(SSL_CTX *context, bool isServerStart)
{
	if (prev_hook)
		prev_hook(context, isServerStart);
	elog(LOG, "other module called, OpenSSL's queue is %s", ERR_peek_error() == 0 ? "empty" : "not empty");
	SSL_CTX_set_default_passwd_cb(context, answer);
	SSL_CTX_set_default_passwd_cb_userdata(context, &mine);
}

void
_PG_init(void)
{
	prev_hook = openssl_tls_init_hook;
	openssl_tls_init_hook = other_hook;
}
SOURCE

SKIP:
{
	skip 'the other module cannot be built', 26 unless $library;
	my $asked = qr/other module asked, argument its own/;
	my $called = qr/other module called, OpenSSL's queue is empty/;

	foreach my $case (
		[ "$library,ext_ssl_guard", 1, qr/taking the passphrase/, $asked, 'before ours: the pair counts' ],
		[ "$library,ext_ssl_guard", 0, $asked, qr/taking the passphrase/, 'before ours, no pair: its own answer' ],
		[ "ext_ssl_guard,$library", 1, $asked, qr/taking the passphrase/, 'after ours: it has the last word' ])
	{
		my ($preload, $has_pair, $want, $unwanted, $name) = @$case;

		encrypt($data, $passphrase) if $has_pair;
		unlink "$data/server.key.cipher", "$data/server.key.rand" unless $has_pair;
		$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'");
		foreach my $log (start_ok($name), reload_ok($name))
		{
			like($log, $called, "$name: called");
			like($log, $want, "$name: asked");
			unlike($log, $unwanted, "$name: the other is not");
		}
		$node->stop;
	}
}
done_testing();

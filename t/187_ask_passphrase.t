# ssl_guard_ctl check --ask-passphrase: one passphrase is typed at the terminal, and
# tried with each key that wants one; what it proves, and what it does not. The hosts
# of PostgreSQL 19 are read wherever this runs: a program stands in for the server's.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use POSIX ();
use Time::HiRes qw(time);

use Test::More;

use ESG::Certs;
use ESG::Check;
use ESG::Ctl;
use ESG::Node;
use ESG::Sni;

plan skip_all => 'there are no pseudo-terminals, or no IO::Pty' unless eval { require IO::Pty; IO::Pty->new };

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %cert = (
	plain => $certs->make_server('plain', ca => $ca, subject => '/CN=plain.test', san => ['DNS:plain.test']),
	(map { $_ => $certs->make_server($_, ca => $ca, subject => "/CN=$_.test", san => ["DNS:$_.test"], passphrase => 'open sesame') } qw(a b)),
	barley => $certs->make_server('barley', ca => $ca, subject => '/CN=barley.test', san => ['DNS:barley.test'], passphrase => 'open barley'));
my $node = ESG::Node->new('main');
my $data = $node->data_dir;
my $patience = 60;

$node->setup(ca => $ca, server => $cert{plain}, conf => "ext_ssl_guard.self_probe = off\next_ssl_guard.posture_check = off");
ESG::Sni::put_host($node, $_, $cert{$_}) foreach keys %cert;
chmod 0600, map { $node->path("$_.key") } keys %cert;

# The rest of what comes from the terminal, until that ends; undef if it does not.
sub read_until
{
	my ($pty, $end, $until) = @_;
	my $text = '';

	while ($text !~ $end)
	{
		vec(my $ready = '', fileno $pty, 1) = 1;
		my $left = $until - time;

		return if $left <= 0;
		next unless select($ready, undef, undef, $left) > 0;
		sysread $pty, my $chunk, 1000 or last;
		$text .= $chunk;
	}
	return $text;
}

# What "check" says to whom it asks and who types that; the status is 'late' where it does not end.
sub type
{
	my ($typed, @arguments) = @_;
	my $pty = IO::Pty->new;
	my $out = $certs->dir . '/said';
	my $until = time + $patience;
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		$pty->make_slave_controlling_terminal;
		POSIX::dup2(fileno $pty->slave, 0);
		open(STDOUT, '>', $out) && open(STDERR, '>', "$out.err") or POSIX::_exit(99);
		exec('ssl_guard_ctl', 'check', '--ask-passphrase', @arguments) or POSIX::_exit(99);
	}
	$pty->close_slave;
	my $asked = read_until($pty, qr/: \z/, $until) // '';

	syswrite $pty, "$typed\n";
	my $behind = read_until($pty, qr/\0never/, $until);

	kill 'KILL', $pid unless defined $behind;
	waitpid $pid, 0;
	my $status = defined $behind ? $? >> 8 : 'late';

	$behind //= '';
	unlike($asked . $behind, qr/open|sesame|barley/, 'nothing of it is shown');
	unlike(ESG::Certs::slurp($out) . ESG::Certs::slurp("$out.err"), qr/open sesame|open barley/, 'or told');
	return ($status, ESG::Certs::slurp($out), ESG::Certs::slurp("$out.err"), "$asked$behind" =~ s/\r//gr);
}

# ---- files

{
	my @files = ('--as', 'server', $cert{a}{cert}, '--as', 'key', $cert{a}{key}, '--as', 'ca', $ca->{cert});
	my ($status, $out, $err, $asked) = type('open sesame', @files);

	is("$status $err", '0 ', 'a key, and its passphrase') or diag($out);
	is($asked, "Passphrase of the private key: \n", 'which is asked for once');
	like($out, qr/^    encrypted: +yes$/m, 'it opens the key');
	like($out, qr/^    certificate: +\Q$cert{a}{cert}\E$/m, 'whose certificate is told');
	($status, $out) = type('open barley', @files);
	is($status, 2, 'another passphrase');
	like($out, qr/the passphrase does not open the private key/, 'does not');
	($status, $out) = type('open sesame', @files, '--as', 'key', $cert{b}{key}, '--as', 'key', $cert{plain}{key}, '--as', 'server', $cert{b}{cert}, $cert{plain}{cert});
	is(() = $out =~ /^    encrypted: +yes$/mg, 2, 'of several keys each is tried') or diag($out);
	is($status, 0, 'and all belong to something');
	($status, $out) = type('open sesame', @files, '--as', 'server', $cert{barley}{cert}, '--as', 'key', $cert{barley}{key});
	is($status, 2, 'one of them is locked with another') or diag($out);
	is(() = $out =~ /the passphrase does not open the private key/g, 1, 'which is said of that one');
}

# ---- the key of a server

my $postgres = ESG::Check::stand_in(ssl_sni => 'off');
my %no_command = (ssl_passphrase_command => '', ssl_passphrase_command_supports_reload => 'off');

# name, key and certificate, what is typed, settings, what is said
foreach my $case (
	[ 'who types is not there at a reload', 'a', 'open sesame', {}, qr/^the next start would succeed, if somebody gives the passphrase of the key; the next reload would fail: .*nobody gives its passphrase at a reload$/ ],
	[ 'a wrong one', 'a', 'open barley', {}, qr/^the next start or reload would fail: file ".*server\.key": / ],
	[ "another's key", 'a b', 'open sesame', {}, qr/^the next start or reload would fail: file ".*server\.key": key values mismatch$/ ],
	[ 'with a command', 'a', 'open sesame', { ssl_passphrase_command => 'echo', ssl_passphrase_command_supports_reload => 'on' },
		qr/^the next start or reload would succeed, if "ssl_passphrase_command" opens the key$/ ],
	[ 'of a key that needs none', 'plain', 'open sesame', {}, qr/^the next start or reload would succeed$/ ])
{
	my ($name, $which, $typed, $settings, $pattern) = @$case;
	my ($key, $of) = split ' ', $which;

	$node->replace($cert{$key}{key}, 'server.key');
	$node->replace($cert{ $of // $key }{cert}, 'server.crt');
	ESG::Check::answer($postgres, %no_command, %$settings);
	my ($status, $out, $err) = type($typed, '-D', $data, '--format', 'json', '--postgres', $postgres);

	like(eval { decode_json($out)->{summary} } // "$status $out$err", $pattern, "$name: what is said");
}

# a pair is what the server uses, whatever is typed
{
	$node->replace($cert{a}{$_->[0]}, "server.$_->[1]") foreach [ 'key', 'key' ], [ 'cert', 'crt' ];
	is((ESG::Ctl::run(\"open sesame\n", 'encrypt', '--force', '-D', $data))[0], 0, 'a pair');
	my ($status, $out) = type('open barley', '-D', $data, '--format', 'json', '--postgres', $postgres);

	is(decode_json($out)->{summary}, 'the next start or reload would succeed', 'opens the key, as in the server');
	unlink map { $node->path("server.key.$_") } qw(cipher rand);
}

# ---- the hosts of PostgreSQL 19

ESG::Check::answer($postgres, ssl_sni => 'on', hosts_file => $node->path('pg_hosts.conf'));
foreach my $case (
	[ 'one passphrase for all', [ 'plain.test plain.crt plain.key', 'a.test a.crt a.key root.crt "give it" on', 'b.test b.crt b.key root.crt "give it" on' ],
		'open sesame', qr/^the next start or reload would succeed, if the commands of the hosts open their keys$/ ],
	[ 'which nobody gives at a reload', [ 'plain.test plain.crt plain.key', 'a.test a.crt a.key' ],
		'open sesame', qr/^the next start would succeed, if somebody gives the passphrases of the keys; the next reload would fail: file ".*a\.key" of host "a\.test": / ],
	[ "one is another's: it is as if nobody had been asked for that", [ 'a.test a.crt a.key root.crt "give it" on', 'barley.test barley.crt barley.key root.crt "give it" on' ],
		'open sesame', qr/^the next start or reload would succeed, if the commands of the hosts open their keys$/ ],
	[ 'it opens none', [ 'a.test a.crt a.key root.crt "give it" on' ],
		'open barley', qr/^the next start or reload would succeed, if the commands of the hosts open their keys$/ ],
	[ 'a key that it opens does not fit', [ 'plain.test plain.crt plain.key', 'a.test a.crt b.key root.crt "give it" on' ],
		'open sesame', qr/^the next start or reload would fail: file ".*b\.key" of host "a\.test": key values mismatch$/ ],
	[ 'that counts more than what nobody gives', [ 'a.test a.crt a.key', 'b.test b.crt a.key' ],
		'open sesame', qr/^the next start or reload would fail: file ".*a\.key" of host "b\.test": key values mismatch$/ ],
	[ 'what a wrong one leaves unseen', [ 'a.test a.crt b.key root.crt "give it" on' ],
		'open barley', qr/^the next start or reload would succeed, if the commands of the hosts open their keys$/ ])
{
	my ($name, $lines, $typed, $pattern) = @$case;

	ESG::Sni::write_hosts($node, @$lines);
	my ($status, $out, $err, $asked) = type($typed, '-D', $data, '--format', 'json', '--postgres', $postgres);

	is(() = $asked =~ /Passphrase/g, 1, "$name: asked once");
	like(eval { decode_json($out)->{summary} } // "$status $out$err", $pattern, "$name: what is said");
}

# ---- who cannot be asked

{
	my ($status, $out, $err) = ESG::Ctl::run(\"open sesame\n", 'check', '--ask-passphrase', $cert{a}{cert}, $cert{a}{key});

	is($status, 3, 'standard input is no terminal');
	like($err, qr/--ask-passphrase needs a terminal/, 'is told');
	($status, $out, $err) = type('', $cert{a}{cert}, $cert{a}{key});
	is($status, 3, 'nothing is typed');
	like($err, qr/the passphrase is empty/, 'is told');
}
done_testing();

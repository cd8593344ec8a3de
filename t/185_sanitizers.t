# ssl_guard_ctl under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer,
# and a part of it under valgrind: files of all kinds, faulty and odd ones, servers
# that send what they like, CRLs that are fetched, passphrases. Each command ends as
# it does without, and no tool has anything to report.

use strict;
use warnings;

use IPC::Run ();
use Time::HiRes qw(sleep);

use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Check;
use ESG::Node;
use ESG::Peer;
use ESG::Web;
use PostgreSQL::Test::Utils ();

# where t/run has built the unit tests, and with them most of it
my $build = "$ENV{SANDBOX}/unit";
my $source = $ENV{SRC};
my $dir = PostgreSQL::Test::Utils::tempdir();
my @make = ('make', '-s', '-j2', '-C', $build, '-f', "$source/t/unit/Makefile", "SRC=$source");
my $patience = 180;

mkdir $build;
IPC::Run::run([ @make, 'sanitizers' ], '>', \my $sanitizers);
plan skip_all => 'THE COMPILER HAS NO SANITIZERS: NOTHING IS TESTED' unless $sanitizers =~ /address/;
my $said = '';
IPC::Run::run([ @make, 'TESTS=ssl_guard_ctl', 'ssl_guard_ctl' ], '>&', \$said) or BAIL_OUT("could not build: $said");

my $valgrind = system('valgrind --version >/dev/null 2>&1') == 0;
my %run_by = (
	plain => ['ssl_guard_ctl'],
	sanitizers => ["$build/ssl_guard_ctl"],
	# as Debian's OpenSSL is, there is nothing to be suppressed
	valgrind => [ 'valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite',
		'--error-exitcode=99', '--child-silent-after-fork=yes', "--log-file=$dir/report.valgrind.%p" ]);
push @{ $run_by{valgrind} }, (`'$ENV{PG_CONFIG}' --bindir` =~ s/\n//r) . '/ssl_guard_ctl';

# [exit status, standard output]; arguments may begin with a reference to what is typed
sub run_by
{
	my ($tool, @arguments) = @_;
	my $input = ref $arguments[0] ? ${ shift @arguments } : '';
	local $ENV{ASAN_OPTIONS} = "detect_leaks=1:log_path=$dir/report.asan";
	local $ENV{UBSAN_OPTIONS} = "print_stacktrace=1:log_path=$dir/report.ubsan";
	my ($out, $err) = ('', '');
	my $harness = IPC::Run::start([ @{ $run_by{$tool} }, @arguments ], '<', \$input, '>', \$out, '2>', \$err, IPC::Run::timeout($patience));

	return ('late', $out) unless eval { $harness->finish; 1 } || do { $harness->kill_kill; 0 };
	my $status = ($harness->full_results)[0];

	return ($status & 127 ? 'signal ' . ($status & 127) : $status >> 8, $out . $err);
}

# What a tool has written since, its processes' numbers apart.
sub reports
{
	my @files = glob("$dir/report.*");
	my $text = join "\n", map { ESG::Certs::slurp($_) } @files;

	unlink @files;
	return $text;
}

# before: what makes the next run find what the one before has found
my $before = sub { };

sub tools_agree
{
	my ($name, $tools, @arguments) = @_;

	$before->();
	my ($status, $out) = run_by('plain', @arguments);

	foreach my $tool (@$tools)
	{
		next if $tool eq 'valgrind' && !$valgrind;
		$before->();
		my ($by_tool, $text) = run_by($tool, @arguments);
		my $report = reports();

		is($by_tool, $status, "$name: ends as without $tool: $status") or diag($text);
		is($report, '', "$name: nothing to report by $tool");
	}
	return $status;
}

my @sanitized = ('sanitizers');
my @all = ('sanitizers', 'valgrind');

# ---- the tools see what is wrong

{
	my $source_of_leak = ESG::Certs::spew("$dir/leak.c", <<'C');
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
char *volatile text;
int main(int argc, char **argv)
{
	prctl(PR_SET_DUMPABLE, 0);
	text = malloc(10);
	text = NULL;
	return argc > 1 && strlen(argv[1]) > 2;
}
C
	my @flags = split ' ', $sanitizers;
	SKIP:
	{
		skip 'this is for Linux', 1 unless $^O eq 'linux';
		IPC::Run::run([ 'cc', @flags, $source_of_leak, "$source/t/unit/dumpable.c", '-o', "$dir/leak" ], '>&', \$said) or die $said;
		local $run_by{sanitizers} = ["$dir/leak"];

		run_by('sanitizers', 'word');
		like(reports(), qr/LeakSanitizer: detected memory leaks/, 'a leak is seen');
	}
	SKIP:
	{
		skip 'VALGRIND IS NOT INSTALLED: ITS PART IS NOT TESTED', 1 unless $valgrind;
		IPC::Run::run([ 'cc', $source_of_leak, '-o', "$dir/leak" ], '>&', \$said) or die $said;
		local $run_by{valgrind} = [ @{ $run_by{valgrind} }[ 0 .. $#{ $run_by{valgrind} } - 1 ], "$dir/leak" ];

		is((run_by('valgrind', 'word'))[0], 99, 'by valgrind, too');
		reports();
	}
}

# ---- check: files

ESG::Cases::begin(ESG::Certs->new);
my $certs = $ESG::Cases::certs;
my %files;    # kind => [ path, ... ]
my %seen;

sub add
{
	my ($kind, $text) = @_;

	return if !defined $text || $seen{"$kind $text"}++;
	push @{ $files{$kind} }, my $path = sprintf('%s/%s%03d.pem', $dir, $kind, scalar @{ $files{$kind} // [] });
	ESG::Certs::spew($path, $text);
	chmod $kind eq 'key' ? 0600 : 0644, $path;
	return;
}

# one case of each finding: how they are judged in all places, other tests see to
foreach my $code (sort keys %ESG::Cases::case)
{
	my ($place) = sort keys %{ $ESG::Cases::case{$code} };
	my $case = eval { $ESG::Cases::case{$code}{$place}->() } // next;

	add('server', $case->{'server.crt'});
	add('key', $case->{'server.key'});
	add('ca', $case->{'root.crt'});
	add('crl', $case->{'root.crl'});
	add('client', ESG::Cases::text($case->{client})) if $case->{client};
}
{
	my %form = ESG::Cases::odd_forms();
	my $locked = $certs->make_server('locked', ca => $ESG::Cases::ca, passphrase => 'open sesame');
	my $key = ESG::Cases::text($locked->{key});
	my $crl = ESG::Certs::slurp($ESG::Cases::crl);

	add('server', $form{$_}) foreach sort keys %form;
	add('key', $_) foreach $key, substr($key, 0, 300), $key =~ s/^(?:.*\n){4}\K./*/r, ESG::Cases::text($ESG::Cases::server->{key}), "\0" x 100, '';
	add('crl', $_) foreach $crl, substr($crl, 0, 200), "$crl$crl", $crl =~ s/X509 //gr, '', ESG::Certs::openssl('crl', '-in', $ESG::Cases::crl, '-outform', 'DER');
	# bytes turned, wherever that leads
	my $der = ESG::Certs::openssl('x509', '-in', $ESG::Cases::server->{cert}, '-outform', 'DER');
	foreach my $i (0 .. 39)
	{
		my $spoilt = $der;

		substr($spoilt, ($i * 17) % length $spoilt, 1) ^= chr(1 << ($i % 8));
		add('server', ESG::Cases::block($spoilt, 64, "\n"));
	}
}
my @kinds = sort keys %files;
my @everything = map { ('--as', $_, @{ $files{$_} }) } @kinds;

note(join ', ', map { "$_ " . scalar @{ $files{$_} } } @kinds);
tools_agree("check of all, $_", \@sanitized, 'check', @everything, '--format', $_) foreach qw(text json prometheus nagios);
foreach my $kind (@kinds)
{
	tools_agree("all as $kind", \@sanitized, 'check', '--as', $kind, map { @{ $files{$_} } } @kinds);
	tools_agree("$kind, found out", \@sanitized, 'check', '--at', '+400d', @{ $files{$kind} });
	# by itself, without what others have
	tools_agree("one $kind", \@sanitized, 'check', '--as', $kind, $files{$kind}[0]);
}
tools_agree('some of them', ['valgrind'], 'check', map { ('--as', $_, grep { defined } @{ $files{$_} }[ 0 .. 5 ]) } qw(server ca crl));
tools_agree('what is no file', \@all, 'check', '/dev/null', "$dir/nowhere", $dir);
tools_agree('wrong usage', \@all, 'check', '--as', 'nothing', 'x');

# ---- passphrases

{
	my $pair = "$dir/pair";
	my $key = "$pair/server.key";

	mkdir $pair, 0700;
	ESG::Certs::spew($key, ESG::Cases::text($certs->make_server('paired', ca => $ESG::Cases::ca, passphrase => 'open sesame')->{key}));
	chmod 0600, $key;
	$before = sub { unlink map { "$key.$_" } qw(cipher rand) };
	is(tools_agree('encrypt', \@all, \"open sesame\n", 'encrypt', '-D', $pair), 0, 'encrypt works');
	tools_agree('encrypt a wrong one', \@sanitized, \"open barley\n", 'encrypt', '-D', $pair);
	tools_agree('nothing to encrypt', \@sanitized, \'', 'encrypt', '-D', $pair);
	run_by('plain', \"open sesame\n", 'encrypt', '-D', $pair);
	$before = sub { };
	is(tools_agree('decrypt', \@all, 'decrypt', '-D', $pair), 0, 'decrypt works');
	is(tools_agree('check of a pair', \@all, 'check', '-D', $pair), 0, 'check works');
	is(tools_agree('a key with a pair', \@all, 'check', '--as', 'key', $key), 0, 'and with the key, too');
	tools_agree('tidy', \@sanitized, 'tidy', '-D', $pair);
	chmod 0644, "$key.rand";
	tools_agree('a pair that others may read', \@sanitized, 'check', '-D', $pair);
	unlink "$key.rand";
	tools_agree('half a pair', \@sanitized, 'check', '--as', 'key', $key);
}

# ---- check: a server

my $node = ESG::Node->new('main');
my $client = $certs->make_client('alice', ca => $ESG::Cases::ca, subject => '/CN=alice');

$node->setup(ca => $ESG::Cases::ca, server => $ESG::Cases::server, crl => $ESG::Cases::crl, conf => 'ext_ssl_guard.self_probe = off');
$node->start;
{
	my $postgres = ESG::Check::stand_in();
	my @server = ('check', '-D', $node->data_dir, '--postgres', $postgres);

	is(tools_agree('check of a server', \@sanitized, @server), 0, 'all is well');
	tools_agree('as JSON', \@sanitized, @server, '--format', 'json');
	ESG::Check::answer($postgres, ssl_sni => 'on', hosts_file => $node->path('pg_hosts.conf'));
	ESG::Certs::spew($node->path('pg_hosts.conf'), "a.test server.crt server.key root.crt\nb.test,c.test server.crt root.crt\ninclude_if_exists more\n");
	tools_agree('with hosts', \@all, @server);
	ESG::Certs::spew($node->path('pg_hosts.conf'), "a.test server.crt\n");
	tools_agree('which are refused', \@sanitized, @server);
	ESG::Check::answer($postgres, ssl_sni => 'off', ssl_cert_file => 'nowhere.crt', ssl_ciphers => 'NOTHING',
		ssl_dh_params_file => 'server.key', 'ext_ssl_guard.extra_files' => 'client:server.crt, x:');
	tools_agree('settings that are refused', \@sanitized, @server);
	tools_agree('a program that is none', \@sanitized, 'check', '-D', $node->data_dir, '--postgres', '/bin/true');
}

# ---- probe

# behind the request for TLS
sub start_server
{
	my ($serve) = @_;

	return ESG::Peer::start(sub { sysread $_[0], my $request, 8; $serve->($_[0]); });
}

my $garbage = join '', map { chr(($_ * 7919) % 251) } 1 .. 5000;

is(tools_agree("probe, $_", \@sanitized, 'probe', '127.0.0.1:' . $node->port, '--ca', $node->path('root.crt'), '--format', $_), 0, "probe works, $_")
  foreach qw(text json prometheus nagios);
tools_agree('probe with a certificate', \@all, 'probe', '127.0.0.1:' . $node->port, '--cert', $client->{cert}, '--key', $client->{key});
tools_agree('another CA', \@sanitized, 'probe', 'localhost:' . $node->port, '--ca', $ESG::Cases::stranger->{cert}, '--name', 'other.test');
foreach my $case (
	[ 'silence', sub { sleep 30 } ],
	[ 'silence in TLS', sub { syswrite $_[0], 'S'; sleep 30 } ],
	[ 'a byte each second', sub { foreach (1 .. 30) { syswrite $_[0], $_ == 1 ? 'S' : "\x16"; sleep 1 } } ],
	[ 'garbage', sub { syswrite $_[0], $garbage } ],
	[ 'garbage for TLS', sub { syswrite $_[0], "S\x16\x03\x03\x13\x80\x02$garbage" } ],
	[ 'no', sub { syswrite $_[0], 'N' } ],
	[ 'an error', sub { syswrite $_[0], "E\0\0\0\x10Mno\0\0" } ],
	[ 'nothing', sub { close $_[0] } ])
{
	my ($name, $serve) = @$case;
	my $seconds = $name =~ /second/ ? '2.5' : $name =~ /silence/ ? '0.5' : '20';

	tools_agree("probe: $name", $name eq 'garbage for TLS' ? \@all : \@sanitized, 'probe', start_server($serve), '--timeout', $seconds);
}
tools_agree('a name that is none', \@sanitized, 'probe', 'no-such-host.invalid', '--timeout', '5');

# ---- fetch-crl

{
	my $crl = ESG::Certs::openssl('crl', '-in', $certs->make_crl($ESG::Cases::ca, 'fetched'), '-outform', 'DER');
	my $out = "$dir/fetched.crl";
	my $web = ESG::Web->new('/elsewhere' => sub { ESG::Web::send_answer($_[0], '302 Found', '', 'Location: http://127.0.0.1:1/x') },
		'/cut' => sub { syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" . substr($crl, 0, 100) },
		'/lies' => sub { syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n$crl" },
		'/noise' => sub { syswrite $_[0], $garbage },
		'/silent' => sub { sleep 30 });
	my @fetch = ('fetch-crl', '--ca', $ESG::Cases::ca->{cert}, '--out', $out, '--timeout', '3', '--url');

	$web->put('good.crl', $crl);
	$web->put('half.crl', substr($crl, 0, length($crl) / 2));
	$web->put('other.crl', ESG::Certs::slurp($certs->make_crl($ESG::Cases::stranger, 'strange')));
	$web->put('html.crl', "<html>no</html>\n");
	$web->put('empty.crl', '');
	$web->put('large.crl', 'x' x 3_000_000);
	$before = sub { unlink $out };
	tools_agree("fetch-crl $_", /good|cut/ ? \@all : \@sanitized, @fetch, $web->url($_))
	  foreach qw(good.crl half.crl other.crl html.crl empty.crl large.crl elsewhere cut lies noise silent nothing);
	tools_agree('nobody there', \@sanitized, @fetch, 'http://127.0.0.1:1/x.crl');
	tools_agree('what is no URL', \@sanitized, @fetch, 'ftp://x/');
	foreach my $format (qw(json prometheus nagios))
	{
		tools_agree("fetch-crl, $format", \@sanitized, @fetch, $web->url('good.crl'), '--url', $web->url('half.crl'), '--format', $format);
	}
	$before = sub { unlink glob("$dir/crls/*") };
	mkdir "$dir/crls";
	tools_agree('into a directory', \@sanitized, 'fetch-crl', '--ca', $ESG::Cases::ca->{cert}, '--out', "$dir/crls", '--url', $web->url('good.crl'));
}

$before = sub { };
tools_agree("@$_", \@sanitized, @$_) foreach [], ['--help'], ['melt'], [ 'check', '--help' ], [ 'probe', '--help' ], [ 'fetch-crl', '--help' ], ['--version'];

$node->stop;
done_testing();

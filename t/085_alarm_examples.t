# The examples of docs/alarms.md carry an alarm to where they say: a mail, a
# webhook, syslog.  sendmail is a script that keeps what it is given; the
# webhook and the syslog daemon are ours.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Certs;
use ESG::Docs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');
my $dir = $certs->dir;
my @blocks = @{ ESG::Docs->new('docs/alarms.md')->{blocks} };

sub program
{
	my ($name) = @_;

	return scalar grep { -x "$_/$name" } split /:/, $ENV{PATH};
}

# what the document has under that name, at the paths of this machine
sub example
{
	my ($kind, $pattern) = @_;
	my ($text) = map { $_->{text} } grep { $_->{kind} eq $kind && "@{$_->{marks}}\n$_->{text}" =~ $pattern } @blocks;

	die "docs/alarms.md has no $kind with $pattern\n" unless defined $text;
	return $text =~ s{/srv/tls\b}{$dir}gr;
}

sub write_script
{
	my ($name) = @_;
	my $path = ESG::Certs::spew("$dir/$name", example('sh', qr{script /srv/tls/\Q$name\E(?:\n|$)}));

	chmod 0700, $path or die "chmod: $!";
	return $path;
}

# Takes a block of conf over, and with it the files that are to be missing.
sub apply
{
	my ($conf, @files) = @_;

	$node->append_conf('postgresql.conf', $conf);
	return $node->apply('ext_ssl_guard.extra_files' => join(',', @files));
}

sub calm
{
	apply("ext_ssl_guard.alarm_command = ''");
	return $node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0);
}

sub wait_file
{
	my ($path) = @_;
	my $until = time + $ESG::Node::timeout;

	sleep 0.05 while time < $until && !-e $path;
	return -e $path ? ESG::Certs::slurp($path) : '';
}

mkdir "$dir/bin" or die "mkdir: $!";
chmod 0755, ESG::Certs::spew("$dir/bin/sendmail", <<"SH") or die "chmod: $!";
#!/bin/sh
cat >"$dir/mail.new" && echo "\$*" >"$dir/mail.arguments" && mv "$dir/mail.new" "$dir/mail"
SH
$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'");
{
	local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
	$node->start;
}
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');

# --- mail ------------------------------------------------------------------------

write_script('alarm-mail');
apply(example('conf', qr/alarm-mail/), 'one.crt', 'two.crt');
my $mail = wait_file("$dir/mail");
like($mail, qr/^To: dba\@example\.com\nSubject: \S+: raised file_missing \(2\)\nContent-Type: [^\n]*\n\nfile "[^"\n]*(?:one|two)\.crt" is missing/,
	'a mail');
is(wait_file("$dir/mail.arguments"), "-t\n", 'its head says to whom it goes');
is(scalar(() = $mail =~ /^\{"event":"raised","code":"file_missing",.*\}$/mg), 2, 'all alarms are in it');
calm();

# --- a webhook ---------------------------------------------------------------------

# Answers one request with that status; returns [head, body].
sub answer
{
	my ($listener, $status) = @_;

	local $SIG{ALRM} = sub { die "nobody came\n" };
	alarm $ESG::Node::timeout;
	my $connection = $listener->accept or die "accept: $!";
	my ($head, $body, $length) = ('', '', 0);

	$head .= $body while $head !~ /\r\n\r\n/ && sysread($connection, $body, 1);
	$length = $1 if $head =~ /^Content-Length: (\d+)/mi;
	$body = '';
	while (length $body < $length)
	{
		sysread($connection, $body, $length, length $body) or last;
	}
	print $connection "HTTP/1.1 $status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	close $connection;
	alarm 0;
	return [ $head, $body ];
}

SKIP:
{
	skip 'there is no curl: the webhook of docs/alarms.md is NOT TESTED', 5 unless program('curl');
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5, ReuseAddr => 1) or die "listen: $!";
	my $config = write_script('alarm-webhook.conf');
	ESG::Certs::spew($config, ESG::Certs::slurp($config) =~ s{https://[^/]+}{'http://127.0.0.1:' . $listener->sockport}er);
	write_script('alarm-webhook');
	my $offset = $node->log_end;
	apply(example('conf', qr/alarm-webhook/), 'one.crt', 'two.crt');
	my $refused = answer($listener, '503 Service Unavailable');
	$node->wait_log(qr/WARNING:  alarm command failed: child process exited with exit code 22\n.*DETAIL:  alarms=2 tries=1 output="curl: \(22\) The requested URL returned error: 503.*" cluster=\w+\n.*HINT:  It is run again in 2 s\./, $offset);
	pass('a webhook that is out of order: the log says so');
	my $request = answer($listener, '200 OK');
	like($request->[0], qr{^POST /services/T0000/B0000 HTTP.*^Content-Type: application/json\r?$}ms, 'it is tried again');
	my $alarms = eval { decode_json($request->[1]) } // [];
	is(join(' ', map { "$_->{event} $_->{code}" } @$alarms), 'raised file_missing raised file_missing', 'with all alarms, in JSON');
	is($request->[1], $refused->[1], 'the same as before');
	is($node->wait_sql('SELECT alarm_commands_failed FROM ssl_guard_status'), 1, 'one failure');
	calm();
}

# --- syslog ------------------------------------------------------------------------

SKIP:
{
	skip 'there is no logger: syslog of docs/alarms.md is NOT TESTED', 2 unless program('logger');
	my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$dir/log") or die "socket: $!";
	my $conf = example('conf', qr/logger/) =~ s{'logger }{'logger --socket $dir/log }r;
	my @lines;

	apply($conf, 'one.crt', 'two.crt');
	local $SIG{ALRM} = sub { die "no datagram came\n" };
	alarm $ESG::Node::timeout;
	recv($socket, $lines[$_], 65536, 0) // die "recv: $!" foreach 0 .. 1;
	alarm 0;
	like($lines[0], qr/^<27>.*ext_ssl_guard: \{"event":"raised","code":"file_missing",.*\}\s*$/, 'a line of syslog');
	like("$lines[0]$lines[1]", qr/one\.crt.*two\.crt|two\.crt.*one\.crt/s, 'for each alarm');
	calm();
}

$node->stop;
done_testing();

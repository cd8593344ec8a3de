# ssl_guard_ctl probe of servers that send nothing, garbage, or a byte now and then,
# and that hang up in each step: it ends in time, and says what it saw.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Ctl;
use ESG::Node;
use ESG::Peer;
use ESG::Shim;
use PostgreSQL::Test::Utils ();

# what a busy machine may add
my $slack = 20;

sub take_request { my ($client) = @_; my $n = sysread $client, my $request, 8; return $request; }
sub stay { my ($client) = @_; my $byte; 1 while sysread $client, $byte, 1024; sleep 60; return; }
sub reset_connection { my ($client) = @_; setsockopt $client, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0); close $client; return; }

# A byte of that text each half second.
sub drip
{
	my ($client, $text) = @_;

	foreach my $byte (split //, $text)
	{
		defined syswrite($client, $byte) or return;
		sleep 0.5;
	}
	return;
}

# Probes with a limit of two seconds: the remark, once it is sure that the time was kept.
sub probe
{
	my ($name, $address, @options) = @_;
	my $began = time;
	my ($status, $report, $err) = ESG::Ctl::report('probe', $address, '--timeout', '2', @options);
	my $took = time - $began;
	my ($object) = $report ? ESG::Ctl::objects($report, 'server') : ();

	cmp_ok($took, '<', 2 + $slack, "$name: in time");
	is($status, 3, "$name: could not look") or diag(explain($report), $err);
	is($err, '', "$name: nothing else to say");
	return $object ? ESG::Ctl::remarks($object) : 'no report';
}

my $late = qr/^it did not answer within 2 s$/;
my $closed = qr/^it (closed the connection|broke off the handshake: .*|cannot be reached: .*)$/;
my $disagrees = qr/^it (did not agree on TLS: .*|closed the connection)$/;
my $alien = qr/^it does not answer like PostgreSQL$/;
my $drop = "\x16\x03\x03\x40\x00" . "\x02" x 1000;

foreach my $case (
	[ 'says nothing', $late, sub { stay($_[0]) } ],
	[ 'hangs up at once', $closed, sub { close $_[0] } ],
	[ 'resets at once', $closed, sub { reset_connection($_[0]) } ],
	[ 'hangs up at the request', $closed, sub { take_request($_[0]); close $_[0] } ],
	[ 'resets at the request', $closed, sub { take_request($_[0]); reset_connection($_[0]) } ],
	[ 'hangs up before TLS', $closed, sub { take_request($_[0]); syswrite $_[0], 'S'; close $_[0] } ],
	[ 'garbage for an answer', $alien, sub { take_request($_[0]); syswrite $_[0], "\xff" x 1000; stay($_[0]) } ],
	[ 'NUL', $alien, sub { take_request($_[0]); syswrite $_[0], "\0"; stay($_[0]) } ],
	[ 'SSH', $disagrees, sub { syswrite $_[0], "SSH-2.0-x\r\n"; stay($_[0]) } ],
	[ 'an error', qr/^it answered with an error$/, sub { take_request($_[0]); syswrite $_[0], "E\0\0\0\x10Mno\0\0"; stay($_[0]) } ],
	[ 'garbage for TLS', $disagrees, sub { take_request($_[0]); syswrite $_[0], 'S' . "\xff\x00" x 500; stay($_[0]) } ],
	[ 'HTML for TLS', $disagrees, sub { take_request($_[0]); syswrite $_[0], 'S<html><body>no</body></html>'; stay($_[0]) } ],
	[ 'an alert', $disagrees, sub { take_request($_[0]); syswrite $_[0], "S\x15\x03\x03\0\2\2\x28"; stay($_[0]) } ],
	[ 'stops before TLS', $late, sub { take_request($_[0]); syswrite $_[0], 'S'; stay($_[0]) } ],
	[ 'a byte now and then', $late, sub { take_request($_[0]); syswrite $_[0], 'S'; drip($_[0], $drop) } ],
	[ 'a late byte, then another', $late, sub { take_request($_[0]); drip($_[0], "S$drop") } ],
	[ 'a flood', $disagrees, sub { take_request($_[0]); syswrite $_[0], 'S'; my $flood = join '', map { chr(rand 256) } 1 .. 65536; 1 while syswrite $_[0], $flood } ],
	[ 'empty records without end', qr/^it (did not answer within 2 s|did not agree on TLS: .*|closed the connection)$/, sub { take_request($_[0]); syswrite $_[0], 'S'; 1 while syswrite $_[0], "\x16\x03\x03\0\0" x 1000 } ])
{
	my ($name, $want, $serve) = @$case;

	like(probe($name, ESG::Peer::start($serve)), $want, "$name: what it saw");
}
my $nobody = ESG::Peer::listen_on()->sockport;
like(probe('nobody', "127.0.0.1:$nobody"), qr/^it cannot be reached: Connection refused$/, 'nobody listens');
like(probe('TLS at once', ESG::Peer::start(sub { sysread $_[0], my $hello, 5; close $_[0] if $hello ne "\0\0\0\x08\x04"; syswrite $_[0], 'S'; stay($_[0]) }), '--direct'), qr/^it /, '--direct sends no SSLRequest');

# ---- IPv6

SKIP:
{
	my $listener = eval { require IO::Socket::IP; IO::Socket::IP->new(Listen => 1, LocalHost => '::1', LocalPort => 0) };

	skip 'there is no IPv6', 6 unless $listener;
	my $port = $listener->sockport;

	# nobody accepts: the time limit
	foreach my $name ("[::1]:$port", "[0:0::1]:$port")
	{
		my (undef, $report) = ESG::Ctl::report('probe', $name, '--timeout', '0.5');
		my ($object) = ESG::Ctl::objects($report, 'server');

		is("$object->{name} $object->{address}", "$name [::1]:$port", "$name");
		like(ESG::Ctl::remarks($object), qr/^it did not answer within 0\.5 s$/, 'is reached');
	}
	my (undef, $report) = ESG::Ctl::report('probe', '::1', '--timeout', '0.5');
	is((ESG::Ctl::objects($report, 'server'))[0]{address}, '[::1]:5432', 'an address without brackets has no port');
	is((ESG::Ctl::objects($report, 'server'))[0]{name}, '[::1]:5432', 'and is shown with them');
}

# ---- a real server behind a line that is cut

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca), conf => 'ext_ssl_guard.self_probe = off');
$node->start;

# Lets so many bytes of the server pass (undef: all), then does something with the client.
sub start_line
{
	my ($limit, $end) = @_;
	my $port = $node->port;

	return ESG::Peer::start(
		sub {
			my ($client) = @_;
			my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or return;
			my $select = IO::Select->new($client, $server);
			my $passed = 0;

			while (1)
			{
				foreach my $from ($select->can_read)
				{
					my $n = sysread $from, my $bytes, 65536;

					return $end->($client) if !$n;
					if ($from == $client)
					{
						syswrite $server, $bytes;
						next;
					}
					$bytes = substr $bytes, 0, $limit - $passed if defined $limit && $passed + length $bytes > $limit;
					$passed += length $bytes;
					syswrite $client, $bytes if $bytes ne '';
					return $end->($client) if defined $limit && $passed >= $limit;
				}
			}
		});
}

my ($status, $report) = ESG::Ctl::report('probe', start_line(undef, sub { close $_[0] }), '--ca', $ca->{cert});
is($status, 0, 'a line that is whole');
foreach my $limit (1, 2, 6, 7, 50, 128, 200, 500, 800)
{
	like(probe("cut at $limit", start_line($limit, sub { close $_[0] })), $closed, "cut at $limit: what it saw");
	like(probe("stuck at $limit", start_line($limit, sub { stay($_[0]) })), $late, "stuck at $limit: what it saw");
}
# all is shown, only the end never comes
{
	my $began = time;

	($status) = ESG::Ctl::report('probe', start_line(undef, sub { sleep 60 }), '--timeout', '2');
	is($status, 0, 'a server that does not hang up');
	cmp_ok(time - $began, '<', 2 + $slack, 'is left in time');
}

# ---- names

SKIP:
{
	my $slow = ESG::Shim::build(PostgreSQL::Test::Utils::tempdir() . '/slow_names', <<'C');
#include <netdb.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	sleep(100);
	return EAI_AGAIN;
}
C
	skip 'there is no compiler', 8 unless defined $slow;
	{
		local $ENV{LD_PRELOAD} = $slow;

		like(probe('name servers are silent', 'db.example.com'), qr/^could not find its address: name servers did not answer in time$/, 'silent name servers');
	}
	my $several = ESG::Shim::build(PostgreSQL::Test::Utils::tempdir() . '/several_addresses', <<'C');
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
static struct addrinfo *make(const char *address, const char *port, struct addrinfo *next)
{
	struct addrinfo *info = calloc(1, sizeof(*info));
	struct sockaddr_in *in = calloc(1, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = htons(atoi(port));
	inet_pton(AF_INET, address, &in->sin_addr);
	info->ai_family = AF_INET;
	info->ai_addr = (struct sockaddr *) in;
	info->ai_addrlen = sizeof(*in);
	info->ai_next = next;
	return info;
}
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	*res = make("127.0.0.1", service, make("127.0.0.2", service, make("127.0.0.1", service, NULL)));
	return 0;
}
void freeaddrinfo(struct addrinfo *info)
{
}
C
	local $ENV{LD_PRELOAD} = $several;
	($status, $report) = ESG::Ctl::report('probe', 'localhost:' . $node->port);
	is($status, 3, 'one of two addresses does not answer');
	is(join(' ', map { "$_->{name} $_->{address} $_->{status}" } ESG::Ctl::objects($report, 'server')),
		join(' ', map { 'localhost:' . $node->port . " $_->[0]:" . $node->port . " $_->[1]" } [ '127.0.0.1', 'ok' ], [ '127.0.0.2', 'unknown' ]), 'each is asked, once');
	cmp_ok((ESG::Ctl::objects($report, 'server'))[0]{facts}{resolve_ms}, '>=', 0, 'and the time of the name servers is told');
}
like((ESG::Ctl::report('probe', 'no-such-host.invalid', '--timeout', '10'))[1]{objects}[0]{remarks}[0]{message}, qr/^could not find its address: /, 'a name that is none');
done_testing();

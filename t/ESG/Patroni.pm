# ESG::Patroni: nodes that Patroni runs, with the configuration that
# docs/fleets.md shows.
#
#   my $reason = ESG::Patroni::missing();           # '' if all is there
#   my $patroni = ESG::Patroni->new(ca => $ca, certs => $certs);      # and etcd
#   my $node = $patroni->start_member('db1', server => $cert);   # an ESG::Node
#   $patroni->wait_role($node, 'primary');          # or 'replica'
#   $patroni->ctl('switchover', ...);               # what patronictl says
#   $patroni->rest($node, 'GET', '/patroni', $client, $body);    # (status, text)
#   $patroni->rest_fingerprint($node);              # of the certificate it shows
#   $patroni->stop;
#
# Each node's files /srv/tls are in $patroni->tls($node).  The log of a member's
# server is $node->logfile, Patroni's own is beside it.  Everything listens on
# 127.0.0.1.  Programs are those of PATH, or what "dev/setup --with-patroni" has
# unpacked.  Processes are ended by their numbers, at the end of the test, too.

package ESG::Patroni;

use strict;
use warnings;

use Carp;
use Cwd qw(realpath);
use IPC::Run ();
use POSIX qw(WNOHANG _exit dup2);
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();

use ESG::Certs;
use ESG::Docs;
use ESG::Node;

# Everything here has that name.
my $host = '127.0.0.1';
my $scratch;
my @running;

if ($ENV{ESG_PATRONI})
{
	$ENV{PATH} .= ":$ENV{ESG_PATRONI}/usr/bin";
	$ENV{PYTHONPATH} = "$ENV{ESG_PATRONI}/usr/lib/python3/dist-packages";
}

# Why it cannot be run here; '' if it can.
sub missing
{
	my @missing = grep { my $name = $_; !grep { -x "$_/$name" } split /:/, $ENV{PATH} } qw(patroni patronictl etcd curl);

	push @missing, 'python3-etcd, python3-psycopg2, python3-idna'
	  if !@missing && system("/usr/bin/python3 -c 'import etcd, psycopg2, idna' >/dev/null 2>&1") != 0;
	return @missing ? 'not there: ' . join(', ', @missing) . ' (dev/setup --with-patroni): Patroni NOT TESTED' : '';
}

# Starts a program whose output goes to a file.
sub spawn
{
	my ($self, $log, @command) = @_;
	my $pid = fork() // croak "fork: $!";

	if ($pid == 0)
	{
		# not with the test's own END blocks, whatever happens
		open(my $out, '>>', $log) or _exit(126);
		open(my $in, '<', '/dev/null') or _exit(126);
		dup2(fileno $in, 0);
		dup2(fileno $out, $_) foreach 1, 2;
		chdir $self->{dir} or _exit(126);
		exec { $command[0] } @command or _exit(127);
	}
	push @running, $pid;
	return $pid;
}

# Asks a program to end and waits for that.
sub end
{
	my ($pid, $patience) = @_;
	my $until = time + ($patience // $ESG::Node::timeout);
	my $signal = 'TERM';

	@running = grep { $_ != $pid } @running;
	while (kill(0, $pid) && waitpid($pid, WNOHANG) == 0)
	{
		$signal = 'KILL' if time > $until;
		kill $signal, $pid if $signal;
		$signal = '' if $signal eq 'TERM';
		sleep 0.1;
	}
	return;
}

# Calls a function until it gives something true, which is returned.
sub wait_until
{
	my ($what, $function) = @_;
	my $until = time + 2 * $ESG::Node::timeout;

	while (1)
	{
		my $answer = $function->();

		return $answer if $answer;
		croak "timed out waiting for $what" if time > $until;
		sleep 0.2;
	}
}

sub new
{
	my ($class, %options) = @_;
	my $self = bless { %options, dir => realpath(PostgreSQL::Test::Utils::tempdir()), members => {} }, $class;
	my ($client, $peer) = map { PostgreSQL::Test::Cluster::get_free_port() } 1, 2;

	$self->{etcd_port} = $client;
	# without it etcd 3.4 does not start there
	local $ENV{ETCD_UNSUPPORTED_ARCH} = 'arm64' if (POSIX::uname())[4] eq 'aarch64';
	$self->{etcd} = $self->spawn("$PostgreSQL::Test::Utils::log_path/etcd.log", 'etcd', '--name', 'test',
		'--data-dir', "$self->{dir}/etcd",
		'--listen-client-urls', "http://$host:$client", '--advertise-client-urls', "http://$host:$client",
		'--listen-peer-urls', "http://$host:$peer", '--initial-advertise-peer-urls', "http://$host:$peer",
		'--initial-cluster', "test=http://$host:$peer");
	wait_until('etcd', sub { (curl("http://$host:$client/health"))[1] =~ /"health":\s*"true"/ });
	return $self;
}

# ('200', text); '000' is no answer
sub curl
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'curl', '--silent', '--show-error', '--max-time', '30', '--noproxy', '*', '--write-out', '\n%{http_code}', @arguments ],
		'<', \undef, '>', \$out, '2>', \$err);
	return ($out =~ s/\n(\d+)\z// ? $1 : '000', $out . $err);
}

sub tls { return "$_[0]->{dir}/" . $_[1]->name; }

# The documented configuration, of one member.
sub configuration
{
	my ($self, $node) = @_;
	my ($text) = ESG::Docs::read_text('docs/fleets.md') =~ /^```yaml\n(scope: .*?)^```/ms or die "docs/fleets.md shows no patroni.yml\n";
	my ($name, $tls, $pg, $port, $rest) = ($node->name, $self->tls($node), $node->data_dir, $node->port, $self->{members}{ $node->name }{rest});
	my $bin = `'$ENV{PG_CONFIG}' --bindir`;

	chomp $bin;
	foreach my $change (
		[ qr/^name: db1$/m, "name: $name" ],
		[ qr/127\.0\.0\.1:2379/, "$host:$self->{etcd_port}" ],
		[ qr/0\.0\.0\.0:8008/, "$host:$rest" ],
		[ qr/db1\.example\.com:8008/, "$host:$rest" ],
		[ qr/0\.0\.0\.0:5432/, "$host:$port" ],
		[ qr/db1\.example\.com:5432/, "$host:$port" ],
		[ qr{/srv/pg\b}, $pg ], [ qr{/usr/lib/postgresql/\d+/bin}, $bin ], [ qr{/var/run/postgresql}, $node->host ],
		[ qr{/srv/tls\b}, $tls ],
		# whoever runs the test
		[ qr/^    - local all postgres peer$/m, '    - local all postgres trust' ],
		[ qr/^    loop_wait: 10$/m, '    loop_wait: 1' ], [ qr/^    retry_timeout: 10$/m, '    retry_timeout: 20' ], [ qr/^    ttl: 30$/m, '    ttl: 60' ],
		[ qr/^    ssl: 'on'$/m, "    ssl: 'on'\n    fsync: 'off'\n    ext_ssl_guard.file_poll_interval: 1s" ])
	{
		my ($from, $to) = @$change;

		$text =~ s/$from/$to/g or die "docs/fleets.md: nothing in patroni.yml matches $from\n";
	}
	return $text . "log:\n  dir: $tls\n";
}

sub start_member
{
	my ($self, $name, %options) = @_;
	my $node = $options{node} // ESG::Node->new($name);
	my $member = $self->{members}{$name} //= { rest => PostgreSQL::Test::Cluster::get_free_port() };
	my $tls = $self->tls($node);

	if (!-d $tls)
	{
		mkdir $tls, 0700 or croak "mkdir: $!";
		$self->install($node, $options{$_}, $_) foreach qw(server patroni replicator rewinder);
		ESG::Certs::spew("$tls/root.crt", ESG::Certs::slurp($self->{ca}{cert}));
		ESG::Certs::spew("$tls/patroni.yml", $self->configuration($node));
		$node->{esg_ca} = "$tls/root.crt";
	}
	$member->{pid} = $self->spawn($node->logfile, 'patroni', "$tls/patroni.yml");
	return $node;
}

# Puts a certificate and its key into /srv/tls, each in one step.
sub install
{
	my ($self, $node, $cert, $name) = @_;
	my $file = $self->tls($node) . "/$name";

	foreach my $part ([ 'key', 0600 ], [ 'cert', 0644 ])
	{
		my ($kind, $mode) = @$part;
		my $to = "$file." . ($kind eq 'cert' ? 'crt' : 'key');

		ESG::Certs::spew("$to.new", ESG::Certs::slurp($cert->{$kind}));
		chmod $mode, "$to.new" or croak "chmod: $!";
		rename "$to.new", $to or croak "rename: $!";
	}
	return;
}

# A request to a member's REST interface, with or without a client's certificate.
sub rest
{
	my ($self, $node, $method, $path, $client, $body) = @_;
	my $member = $self->{members}{ $node->name };

	return curl('--cacert', $self->{ca}{cert}, '--request', $method,
		($client ? ('--cert', $client->{cert}, '--key', $client->{key}) : ()),
		(defined $body ? ('--header', 'Content-Type: application/json', '--data', $body) : ()), "https://$host:$member->{rest}$path");
}

# The fingerprint of the certificate that a port shows; "" without one.
sub shown
{
	my ($ca, $port, @options) = @_;
	my ($out, $err) = ('', '');

	$scratch //= PostgreSQL::Test::Utils::tempdir();
	IPC::Run::run([ 'openssl', 's_client', '-connect', "$host:$port", '-CAfile', $ca->{cert}, '-verify_return_error', @options ],
		'<', \undef, '>', \$out, '2>', \$err);
	return '' unless $out =~ /-----BEGIN CERTIFICATE-----/;
	return ESG::Certs::fingerprint(ESG::Certs::spew("$scratch/shown.crt", $out));
}

sub rest_fingerprint
{
	my ($self, $node) = @_;

	return shown($self->{ca}, $self->{members}{ $node->name }{rest});
}

sub wait_role
{
	my ($self, $node, $role) = @_;

	wait_until($node->name . " to become $role", sub { ($self->rest($node, 'GET', "/$role"))[0] eq '200' });
	return;
}

# (exit status, what it says)
sub ctl
{
	my ($self, $node, @arguments) = @_;
	my $said = '';

	IPC::Run::run([ 'patronictl', '-c', $self->tls($node) . '/patroni.yml', @arguments ], '<', \undef, '>&', \$said);
	return ($? >> 8, $said);
}

# Patroni takes its server down with it.
sub stop_member
{
	my ($self, $node) = @_;
	my $pid = delete $self->{members}{ $node->name }{pid};

	end($pid) if $pid;
	return;
}

sub stop
{
	my ($self) = @_;

	foreach my $name (sort keys %{ $self->{members} })
	{
		my $pid = delete $self->{members}{$name}{pid};

		end($pid) if $pid;
	}
	end($self->{etcd});
	return;
}

END
{
	my $status = $?;
	# a copy, as end() changes the list
	my @left = reverse @running;

	end($_, 20) foreach @left;
	$? = $status;
}

1;

# ESG::Node: a PostgreSQL::Test::Cluster with TLS and the extension.
#
#   use ESG::Certs;
#   use ESG::Node;
#
#   my $certs = ESG::Certs->new;
#   my $ca = $certs->make_ca('ca');
#   my $server = $certs->make_server('server', ca => $ca);
#   my $node = ESG::Node->new('main');
#   $node->setup(ca => $ca, server => $server);
#   $node->start;
#
# setup() runs initdb, or copies what it made before, and sets the node up.  Its options:
#
#   ca         certificate, or path, for ssl_ca_file (root.crt) [none]
#   server     certificate for ssl_cert_file, ssl_key_file (server.crt, server.key)
#              [none: ssl = off]
#   crl        path of a CRL for ssl_crl_file (root.crl) [none]
#   preload    libraries ['ext_ssl_guard']; '' for none
#   conf       more lines of postgresql.conf
#   hba        [lines] for TCP, after "local all all trust"
#              ['hostssl all all 127.0.0.1/32 trust']
#   init       { options of PostgreSQL::Test::Cluster::init }
#   extension  0: start() does not CREATE EXTENSION at the first start [1]
#
# The files are copied into the data directory: $node->path('server.crt').
# postgres, the superuser, connects through the Unix socket with safe_psql().
#
#   $node->replace($certificate_file, 'server.crt');       # atomically, mode kept
#   $node->tcp(user => 'alice', client => $cert, ...)      # connection string
#   my ($ret, $out, $err) = $node->tcp_psql('SELECT 1', user => 'alice', ...);
#
#   my $offset = $node->log_end;
#   $node->wait_log(qr/code=expired/, $offset);            # end of the log; dies in time
#   is($node->count_log(qr/code=expired/, $offset), 1);    # lines
#   unlike($node->log_since($offset), qr/.../);
#   $node->wait_sql('SELECT ...', 'expected');             # polls; last answer
#
#   if (ESG::Node::exec_backend()) ...                     # processes inherit nothing
#   my $library = ESG::Node::build_library($file_without_c, $source);   # undef: no compiler
#
# Every connection string over TCP names sslcert, sslkey and sslrootcert, so
# that ~/.postgresql of whoever runs the tests never counts.

package ESG::Node;

use strict;
use warnings;

use Carp;
use File::Basename qw(basename dirname);
use IPC::Run ();
use Time::HiRes qw(sleep time);

use Test::Builder;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();

our @ISA = ('PostgreSQL::Test::Cluster');

# The superuser has this name whoever runs the tests.
$ENV{PGUSER} = 'postgres';

our $timeout = $ENV{ESG_TEST_TIMEOUT} // 60;

# A server that does not start is the failure of one test file; the others
# still run.  (PostgreSQL::Test::Cluster stops its nodes at END.)
{
	no warnings 'redefine';
	*Test::Builder::BAIL_OUT = sub { die "$_[1]\n" };
}

# Was the server built with EXEC_BACKEND, so that its processes inherit nothing?
sub exec_backend { return `'$ENV{PG_CONFIG}' --cppflags --cflags` =~ /-DEXEC_BACKEND\b/; }

# How much shared memory is ours at most, with default settings: 2 MB; with
# EXEC_BACKEND what else is beside it is part of it.
sub shmem_limit { return (exec_backend() ? 2.6 : 2) * 1024 * 1024; }

# Compiles a library that the server can load, "$file.so", which is returned.
sub build_library
{
	my ($file, $source) = @_;
	my $include = `$ENV{PG_CONFIG} --includedir-server`;

	chomp $include;
	# the relocated copy of the server has no headers
	$include =~ s{^\Q@{[ $ENV{SANDBOX} // '' ]}\E/root}{} unless -d $include;
	open(my $out, '>', "$file.c") or croak "could not write \"$file.c\": $!";
	print $out $source;
	close $out or croak "could not write \"$file.c\": $!";
	return if system("cc -shared -fPIC -I'$include' -o '$file.so' '$file.c' >'$file.out' 2>&1") != 0;
	return "$file.so";
}

sub path
{
	my ($self, $name) = @_;

	return $self->data_dir . "/$name";
}

sub slurp
{
	my ($path) = @_;

	open(my $in, '<:raw', $path) or croak "could not open \"$path\": $!";
	local $/ = undef;
	return scalar(<$in>) // '';
}

# Puts a copy of a file into the data directory, in one step.
sub replace
{
	my ($self, $from, $name, $mode) = @_;
	my $to = $self->path($name);

	$mode //= -f $to ? (stat $to)[2] & 07777 : $name =~ /key/ ? 0600 : 0644;
	open(my $out, '>:raw', "$to.new") or croak "could not write \"$to.new\": $!";
	print $out slurp($from);
	close $out or croak "could not write \"$to.new\": $!";
	chmod $mode, "$to.new" or croak "chmod: $!";
	rename "$to.new", $to or croak "could not rename \"$to.new\": $!";
	return $to;
}

sub path_of { return ref $_[0] ? $_[0]->{cert} : $_[0]; }

sub setup
{
	my ($self, %options) = @_;
	my $preload = $options{preload} // 'ext_ssl_guard';
	my @hba = @{ $options{hba} // ['hostssl all all 127.0.0.1/32 trust'] };
	my @conf = ("listen_addresses = '127.0.0.1'", 'log_statement = none', 'log_min_messages = warning');
	my %init = %{ $options{init} // {} };

	{
		local $ENV{PATH} = dirname(__FILE__) . "/bin:$ENV{PATH}";
		$self->init(%init, extra => [ '-U', 'postgres', @{ $init{extra} // [] } ]);
	}
	push @conf, "shared_preload_libraries = '$preload'" if $preload;
	if ($options{server})
	{
		$self->replace($options{server}{cert}, 'server.crt');
		$self->replace($options{server}{key}, 'server.key');
		push @conf, 'ssl = on', "ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'";
	}
	if ($options{ca})
	{
		$self->replace(path_of($options{ca}), 'root.crt');
		push @conf, "ssl_ca_file = 'root.crt'";
	}
	if ($options{crl})
	{
		$self->replace($options{crl}, 'root.crl');
		push @conf, "ssl_crl_file = 'root.crl'";
	}
	$self->append_conf('postgresql.conf', join("\n", @conf, $options{conf} // ''));
	$self->set_hba(@hba);
	$self->{esg_ca} = $self->{_basedir} . '/trusted.crt';
	if ($options{ca})
	{
		open(my $out, '>:raw', $self->{esg_ca}) or croak "could not write: $!";
		print $out slurp(path_of($options{ca}));
		close $out;
	}
	$self->{esg_create} = $preload =~ /ext_ssl_guard/ && ($options{extension} // 1);
	return $self;
}

# Replaces pg_hba.conf: the superuser's line, then these.
sub set_hba
{
	my ($self, @lines) = @_;

	open(my $out, '>', $self->path('pg_hba.conf')) or croak "pg_hba.conf: $!";
	print $out join("\n", 'local all all trust', @lines), "\n";
	close $out;
	return;
}

sub start
{
	my ($self, %params) = @_;
	my $result = $self->SUPER::start(%params);

	if ($self->{esg_create} && $result)
	{
		$self->{esg_create} = 0;
		$self->safe_psql('postgres', 'CREATE EXTENSION ext_ssl_guard');
	}
	return $result;
}

sub set_conf
{
	my ($self, %settings) = @_;

	$self->append_conf('postgresql.conf', join("\n", map { "$_ = '$settings{$_}'" } sort keys %settings));
	return;
}

# The same, and reloaded: new sessions have these settings when it returns.
sub apply
{
	my ($self, %settings) = @_;
	my $marker = ++$self->{esg_applied};

	$self->set_conf(%settings, 'esg_test.marker' => $marker);
	$self->reload;
	$self->wait_sql('SHOW esg_test.marker', $marker) eq $marker or die "the settings were not accepted\n";
	return;
}

# A connection string for TCP.  user, dbname ['postgres'], client (certificate:
# cert, key) [none], sslmode ['require'], root (path of the CA to trust; used by
# verify-ca and verify-full), host [127.0.0.1], more ('key=value key=value').
sub tcp
{
	my ($self, %options) = @_;
	my $client = $options{client};
	my $mode = $options{sslmode} // 'require';
	my @words = (
		'host=' . ($options{host} // '127.0.0.1'),
		'port=' . $self->port,
		'dbname=' . ($options{dbname} // 'postgres'),
		'user=' . ($options{user} // 'postgres'),
		"sslmode=$mode",
		'sslcert=' . ($client ? $client->{cert} : 'invalid'),
		'sslkey=' . ($client ? $client->{key} : 'invalid'),
		'sslrootcert=' . ($mode =~ /^verify/ ? $options{root} // $self->{esg_ca} : 'invalid'),
		'sslcrl=invalid', 'sslcrldir=invalid',
		'gssencmode=disable', 'connect_timeout=30');

	push @words, $options{more} if $options{more};
	return join(' ', @words);
}

# (exit status, standard output, standard error) of psql over TCP.  The query is
# an argument: a psql that is refused would not read it from standard input.
sub tcp_psql
{
	my ($self, $sql, %options) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run(
		[ 'psql', '-XAtqw', '-v', 'ON_ERROR_STOP=1', '-d', $self->tcp(%options), '-c', $sql ],
		'<', '/dev/null', '>', \$out, '2>', \$err, IPC::Run::timeout($timeout));
	chomp($out, $err);
	return ($? >> 8 || $? & 127, $out, $err);
}

sub log_end
{
	my ($self) = @_;

	return -s $self->logfile || 0;
}

sub log_since
{
	my ($self, $offset) = @_;

	return substr(slurp($self->logfile), $offset // 0);
}

sub wait_log
{
	my ($self, $pattern, $offset, $seconds) = @_;
	my $until = time + ($seconds // $timeout);

	while (1)
	{
		my $text = $self->log_since($offset);

		return ($offset // 0) + length $text if $text =~ $pattern;
		croak "timed out waiting for the log to match $pattern; it has:\n$text" if time > $until;
		sleep 0.1;
	}
}

# how many lines of the log match
sub count_log
{
	my ($self, $pattern, $offset) = @_;

	return scalar grep { $_ =~ $pattern } split /\n/, $self->log_since($offset);
}

# Polls, as the superuser, until the query's answer is the expected one (or
# matches it, for a pattern); returns the last answer, also in vain.
sub wait_sql
{
	my ($self, $sql, $expected, $seconds) = @_;
	my $until = time + ($seconds // $timeout);
	my $pause = 0.05;
	my $answer;

	$expected //= 't';
	do
	{
		$answer = $self->safe_psql('postgres', $sql);
		return $answer if ref $expected ? $answer =~ $expected : $answer eq $expected;
		sleep $pause;
		$pause *= 1.5 if $pause < 0.3;
	} while (time < $until);
	return $answer;
}

1;

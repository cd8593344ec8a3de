# ESG::Clients: programs that log in, of as many makes as there are.
#
#   my $clients = ESG::Clients->new($node, certs => $certs, ca => $ca, dir => $dir, user => ..., password => ...,
#       own => $server_certificate);      # what a pooler shows to its clients
#   ESG::Clients::names()                 # in the order of the table
#   my $lack = $clients->prepare('JDBC'); # undef: it can be run; else why not
#   my ($status, $out, $err) = $clients->login('JDBC', $certificate);     # undef: without one
#   $clients->attempts('JDBC')            # connections that a login takes which succeeds; one that does not takes one
#
# A program or library is looked for where the system has it, then where "dev/setup --with-clients" has unpacked its
# package.  The programs for drivers are in dev/client.  Those in need of it are compiled by prepare().

package ESG::Clients;

use strict;
use warnings;

use Cwd qw(realpath);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IPC::Run ();

use ESG::Certs;
use ESG::Node;
use ESG::Poolers;
use PostgreSQL::Test::Cluster;

our $timeout = 90;
our $nowhere = '/nonexistent/file';

my $unpacked = $ENV{ESG_CLIENTS} // '';
my $programs = realpath(dirname(__FILE__) . '/../../dev/client');

# ---- finding

# the first file of that pattern
sub find_file
{
	my ($pattern) = @_;

	foreach my $place ('', $unpacked eq '' ? () : ($unpacked))
	{
		my ($file) = sort grep { -e $_ } glob($place . $pattern);
		return $file if defined $file;
	}
	return;
}

sub find_program
{
	my ($name) = @_;

	foreach my $place ((split /:/, $ENV{PATH}), '/usr/bin', ($unpacked eq '' ? () : ("$unpacked/usr/bin")))
	{
		return "$place/$name" if -x "$place/$name" && !-d _;
	}
	return;
}

# ('-I', DIR) or the like for what is unpacked
sub where { return $unpacked eq '' ? () : grep { -d $_ } map { glob("$unpacked$_") } @_; }

# What a program finds what is unpacked with.
sub surroundings
{
	my @python = where('/usr/lib/python3/dist-packages');
	my @perl = where('/usr/lib/*/perl5/*', '/usr/share/perl5');
	my @ruby = where('/usr/lib/ruby/vendor_ruby', '/usr/lib/ruby/vendor_ruby/[0-9]*', '/usr/lib/*/ruby/vendor_ruby/[0-9]*',
		'/usr/lib/ruby/[0-9]*', '/usr/lib/*/ruby/[0-9]*');

	return (
		LD_LIBRARY_PATH => join(':', where('/usr/lib/*-linux-*', '/lib/*-linux-*'), $ENV{LD_LIBRARY_PATH} // ()),
		PYTHONPATH => join(':', @python),
		PERL5LIB => join(':', @perl, $ENV{PERL5LIB} // ()),
		RUBYLIB => join(':', @ruby),
		NODE_PATH => join(':', where('/node/node_modules', '/usr/share/nodejs')));
}

# ---- the clients

# Each: needs => what has to be there; build => the command that compiles it; begin => a method that starts it; run => the command that
# logs in, or login => what does.  connects => the connections that a login takes which succeeds.  version => the program that says
# its version, or package => whose list of changes does; the others say it when they are in.
my @list = (
	psql => { needs => ['psql'], version => 'psql', run => sub { return ('psql', '-XAtqw', '-c', 'SELECT 1') } },
	pgbench => {
		needs => ['pgbench'],
		version => 'pgbench',
		# it looks at the server before it begins
		connects => 2,
		run => sub { return ('pgbench', '-n', '-c', 1, '-t', 1, '-f', $_[0]->file('one.sql', "SELECT 1;\n")) } },
	psycopg2 => { needs => ['module psycopg2'], run => sub { return ('/usr/bin/python3', "$programs/py_psycopg2.py") } },
	'psycopg 3' => { needs => ['module psycopg'], run => sub { return ('/usr/bin/python3', "$programs/py_psycopg.py") } },
	asyncpg => { needs => ['module asyncpg'], run => sub { return ('/usr/bin/python3', "$programs/py_asyncpg.py") } },
	JDBC => {
		needs => [ 'file /usr/share/java/postgresql.jar', 'file /usr/lib/jvm/*/bin/javac', 'file /usr/lib/jvm/*/bin/java' ],
		build => sub { return (find_file('/usr/lib/jvm/*/bin/javac'), '-d', $_[0]->{dir}, "$programs/Jdbc.java") },
		run => sub {
			return (find_file('/usr/lib/jvm/*/bin/java'), '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp',
				join(':', $_[0]->{dir}, map { find_file($_) // () } '/usr/share/java/postgresql.jar', '/usr/share/java/scram-client.jar'), 'Jdbc');
		} },
	'lib/pq' => {
		package => 'golang-github-lib-pq-dev',
		needs => [ 'file /usr/lib/go-*/bin/go', 'file /usr/share/gocode/src/github.com/lib/pq/conn.go' ],
		build => sub { return $_[0]->go_build('libpq') },
		run => sub { return "$_[0]->{dir}/libpq" } },
	pgx => {
		package => 'golang-github-jackc-pgx-v4-dev',
		needs => [ 'file /usr/lib/go-*/bin/go', 'file /usr/share/gocode/src/github.com/jackc/pgx/v4/conn.go' ],
		build => sub { return $_[0]->go_build('pgx') },
		run => sub { return "$_[0]->{dir}/pgx" } },
	'node pg' => { needs => [ 'node', 'npm pg' ], run => sub { return (find_program('node'), "$programs/node_pg.js") } },
	'postgres.js' => { needs => [ 'node', 'npm postgres' ], run => sub { return (find_program('node'), "$programs/postgres_js.js") } },
	'DBD::Pg' => { needs => ['file /usr/lib/*/perl5/*/DBD/Pg.pm'], run => sub { return ('/usr/bin/perl', "$programs/dbd_pg.pl") } },
	'PHP PDO' => {
		needs => [ 'file /usr/bin/php[0-9]*', 'file /usr/lib/php/*/pdo_pgsql.so' ],
		run => sub {
			return (find_file('/usr/bin/php[0-9]*'), '-n', '-d', 'extension_dir=' . dirname(find_file('/usr/lib/php/*/pdo_pgsql.so')),
				'-d', 'extension=pdo.so', '-d', 'extension=pdo_pgsql.so', "$programs/pdo.php");
		} },
	psqlODBC => {
		package => 'odbc-postgresql',
		needs => [ 'isql', 'file /usr/lib/*/odbc/psqlodbcw.so' ],
		run => sub {
			my ($self) = @_;
			my $node = $self->{node};
			my $driver = find_file('/usr/lib/*/odbc/psqlodbcw.so');

			return ('/bin/sh', '-c', 'echo "SELECT 1" | exec "$0" "$@"', find_program('isql'), '-v', '-b', '-k',
				"Driver=$driver;Servername=127.0.0.1;Port=@{[ $node->port ]};Database=$self->{database};UID=$self->{user};PWD=$self->{password};SSLmode=verify-full");
		} },
	'ruby-pg' => {
		needs => [ 'ruby', 'file /usr/lib/*/ruby/vendor_ruby/*/pg_ext.so' ],
		run => sub { return (find_program('ruby'), '--disable-gems', "$programs/ruby_pg.rb") } },
	libpqxx => {
		needs => [ 'g++', 'file /usr/include/pqxx/pqxx' ],
		build => sub {
			my @include = map { "-I$_" } where('/usr/include', '/usr/include/postgresql');
			return ('g++', '-std=c++17', '-o', "$_[0]->{dir}/pqxx", @include, "$programs/pqxx.cc",
				(map { "-L$_" } where('/usr/lib/*-linux-*')), '-lpqxx', '-lpq');
		},
		run => sub { return "$_[0]->{dir}/pqxx" } },
	'tokio-postgres' => {
		package => 'librust-tokio-postgres-dev',
		needs => [ 'file /usr/bin/rustc', 'file /usr/bin/cargo', map { "file /usr/share/cargo/registry/$_-[0-9]*" } 'tokio-postgres', 'tokio-openssl' ],
		build => sub { return $_[0]->cargo_build },
		run => sub { return "$_[0]->{dir}/target/debug/login" } },
	's_client' => { needs => ['openssl'], database => 'raw', run => sub { return ($^X, "$programs/s_client.pl") } },
	'PgBouncer to the server' => { needs => [ 'pooler pgbouncer', 'psql' ], version => 'pgbouncer', login => sub { return shift->login_through_pgbouncer(@_) } },
	'PgBouncer to clients' => { needs => [ 'pooler pgbouncer', 'psql' ], version => 'pgbouncer', login => sub { return shift->login_at_pgbouncer(@_) } },
	HAProxy => { needs => [ 'pooler haproxy', 'psql' ], version => 'haproxy', begin => 'start_haproxy', login => sub { return shift->login_through_haproxy(@_) } },
	pg_basebackup => {
		version => 'pg_basebackup',
		needs => ['pg_basebackup'],
		# the second has the WAL
		connects => 2,
		run => sub { remove_tree("$_[0]->{dir}/backup"); return ('pg_basebackup', '-w', '-D', "$_[0]->{dir}/backup", '-X', 'stream', '-c', 'fast') } },
	pg_receivewal => { needs => ['pg_receivewal'], version => 'pg_receivewal', run => sub { return $_[0]->receive_wal } },
	subscription => {
		version => 'postgres',
		needs => ['psql'],
		begin => 'start_subscriber',
		# the slot is made, changes are fetched, the slot is dropped
		connects => 3,
		login => sub { return shift->subscribe(@_) } });
my %client = @list;
my @names = grep { !ref $_ } @list;

sub names { return @names; }

sub new
{
	my ($class, $node, %options) = @_;

	make_path($options{dir}, "$options{dir}/home");
	return bless { node => $node, database => 'postgres', %options }, $class;
}

sub attempts { return $client{ $_[1] }{connects} // 1; }

sub version
{
	my ($self, $name) = @_;
	my ($program, $package) = @{ $client{$name} }{qw(version package)};
	my $said = '';

	if (defined $package)
	{
		my $changes = find_file("/usr/share/doc/$package/changelog.Debian.gz") // $nowhere;
		(undef, $said) = $self->run({}, 'gzip', '-dc', $changes);
		return $said =~ /^\S+ \((?:\d+:)?([\d.]+)/ ? $1 : '';
	}
	my $libraries = join ':', glob(($ENV{ESG_POOLERS} // $nowhere) . '/usr/lib/*-linux-*');
	(undef, $said) = $self->run({ LD_LIBRARY_PATH => $libraries }, ESG::Poolers::program($program), $program eq 'haproxy' ? '-v' : '--version')
	  if defined $program;
	return $said =~ /(\d+\.\d+(?:\.\d+)?)/ ? $1 : '';
}

# Writes a file once.
sub file
{
	my ($self, $name, $text) = @_;
	my $path = "$self->{dir}/$name";

	ESG::Certs::spew($path, $text) unless -f $path;
	return $path;
}

# Is it there?
sub has
{
	my ($what) = @_;
	my ($kind, $name) = split / /, $what, 2;

	return defined find_program($kind) unless defined $name;
	return defined ESG::Poolers::program($name) if $kind eq 'pooler';
	return defined find_file($name) if $kind eq 'file';
	return scalar where("/node/node_modules/$name") if $kind eq 'npm';
	local %ENV = (%ENV, surroundings());
	return system('/bin/sh', '-c', "exec /usr/bin/python3 -c 'import $name' >/dev/null 2>&1") == 0;
}

sub prepare
{
	my ($self, $name) = @_;
	my $client = $client{$name} or return 'unknown';
	my @lack = grep { !has($_) } @{ $client->{needs} };

	return "there is no " . join(', no ', map { s/^(?:file|pooler|npm) //r } @lack) if @lack;
	if ($client->{build})
	{
		local $timeout = 900;
		my ($status, $out, $err) = $self->run({}, $client->{build}->($self));

		return "it could not be compiled: $out$err" if $status;
	}
	my $begin = $client->{begin};
	eval { $self->$begin; 1 } or return "it did not start: $@" if $begin;
	return;
}

# (exit status, standard output, standard error); 'time' for a status: it came to no end
sub run
{
	my ($self, $env, @command) = @_;
	my ($out, $err) = ('', '');

	local %ENV = (%ENV, surroundings(), HOME => "$self->{dir}/home", %$env);
	my $ended = eval { IPC::Run::run(\@command, '<', '/dev/null', '>', \$out, '2>', \$err, IPC::Run::timeout($timeout)); 1 };
	return ('time', $out, $err . $@) unless $ended;
	return ($? >> 8 || $? & 127, $out, $err);
}

# What libpq, and the programs of dev/client, take from the environment.
sub environment
{
	my ($self, $cert, %more) = @_;

	return {
		PGHOST => '127.0.0.1',
		PGPORT => $self->{node}->port,
		PGUSER => $self->{user},
		PGPASSWORD => $self->{password},
		PGDATABASE => $self->{database},
		PGSSLMODE => 'verify-full',
		PGSSLROOTCERT => $self->{ca}{cert},
		PGSSLCRL => $nowhere,
		PGSSLCERT => $cert ? $cert->{cert} : $nowhere,
		PGSSLKEY => $cert ? $cert->{key} : $nowhere,
		PGSSLKEY_DER => $cert ? $self->der_key($cert) : $nowhere,
		PGGSSENCMODE => 'disable',
		PGCONNECT_TIMEOUT => 30,
		%more };
}

# Java does not read PEM.
sub der_key
{
	my ($self, $cert) = @_;
	my $file = "$self->{dir}/$cert->{name}.pk8";

	ESG::Certs::openssl('pkcs8', '-topk8', '-nocrypt', '-in', $cert->{key}, '-outform', 'DER', '-out', $file) unless -f $file;
	return $file;
}

sub login
{
	my ($self, $name, $cert) = @_;
	my $client = $client{$name};

	return $client->{login}->($self, $cert) if $client->{login};
	local $self->{database} = $client->{database} // $self->{database};
	return $self->run($self->environment($cert), $client->{run}->($self));
}

# ---- compilers

sub go_build
{
	my ($self, $name) = @_;
	my $go = find_file('/usr/lib/go-*/bin/go');

	return ('/usr/bin/env', 'GOROOT=' . dirname(dirname($go)), 'GOPATH=' . join(':', where('/usr/share/gocode'), '/usr/share/gocode'),
		'GO111MODULE=off', "GOCACHE=$self->{dir}/go", 'GOFLAGS=-p=2', 'CGO_ENABLED=0', 'GOTOOLCHAIN=local',
		$go, 'build', '-o', "$self->{dir}/$name", "$programs/$name.go");
}

# crates that are installed and those that are unpacked, in one folder
sub cargo_build
{
	my ($self) = @_;
	my $dir = $self->{dir};

	make_path("$dir/registry", "$dir/cargo", "$dir/tokio");
	symlink $_, "$dir/registry/" . s{.*/}{}r foreach where('/usr/share/cargo/registry/*'), glob('/usr/share/cargo/registry/*');
	ESG::Certs::spew("$dir/cargo/config.toml",
		qq([source.crates-io]\nreplace-with = "packages"\n[source.packages]\ndirectory = "$dir/registry"\n));
	system('cp', '-r', "$programs/tokio/.", "$dir/tokio") == 0 or die "cp failed\n";
	my ($libraries) = glob('/usr/lib/*/libssl.so');
	return ('/usr/bin/env', "CARGO_HOME=$dir/cargo", "CARGO_TARGET_DIR=$dir/target", 'CARGO_PROFILE_DEV_DEBUG=0', 'OPENSSL_NO_PKG_CONFIG=1',
		'OPENSSL_LIB_DIR=' . dirname($libraries // '/usr/lib/none'), 'OPENSSL_INCLUDE_DIR=/usr/include', 'RUSTC=' . find_file('/usr/bin/rustc'),
		find_file('/usr/bin/cargo'), 'build', '--offline', '--quiet', '--manifest-path', "$dir/tokio/Cargo.toml");
}

# ---- what stands in between

# Starts a PgBouncer for this one login: it would keep connections.  A server that refuses it is asked once.
sub ask_pgbouncer
{
	my ($self, $env, $to_server, @tls) = @_;
	my $dir = $self->{dir};
	my $port = PostgreSQL::Test::Cluster::get_free_port();

	ESG::Certs::spew("$dir/users.txt", qq("$self->{user}" "$self->{password}"\n));
	ESG::Certs::spew("$dir/pgbouncer.ini", map { "$_\n" } '[databases]', "* = host=127.0.0.1 port=@{[ $self->{node}->port ]}",
		'[pgbouncer]', 'listen_addr = 127.0.0.1', "listen_port = $port", 'unix_socket_dir =', 'auth_type = trust', "auth_file = $dir/users.txt",
		'server_login_retry = 120', 'query_wait_timeout = 4', 'client_login_timeout = 4', 'server_tls_sslmode = verify-full',
		"server_tls_ca_file = $self->{ca}{cert}", ($to_server ? ("server_tls_cert_file = $to_server->{cert}", "server_tls_key_file = $to_server->{key}") : ()),
		@tls);
	my $pooler = ESG::Poolers->start($port, "$dir/pgbouncer.log", 'pgbouncer', "$dir/pgbouncer.ini");
	my @result = $self->run({ %$env, PGPORT => $port }, 'psql', '-XAtqw', '-c', 'SELECT 1');
	$pooler->stop;
	return @result;
}

sub login_through_pgbouncer
{
	my ($self, $cert) = @_;

	return $self->ask_pgbouncer({ %{ $self->environment(undef) }, PGSSLMODE => 'disable' }, $cert);
}

sub login_at_pgbouncer
{
	my ($self, $cert) = @_;

	return $self->ask_pgbouncer($self->environment($cert), $self->{pooler}, 'client_tls_sslmode = verify-full', "client_tls_ca_file = $self->{ca}{cert}",
		"client_tls_cert_file = $self->{own}{cert}", "client_tls_key_file = $self->{own}{key}");
}

sub start_haproxy
{
	my ($self) = @_;

	$self->{haproxy} = PostgreSQL::Test::Cluster::get_free_port();
	ESG::Poolers->start_haproxy($self->{dir}, $self->{haproxy} => $self->{node}->port);
	return;
}

sub login_through_haproxy
{
	my ($self, $cert) = @_;

	return $self->run($self->environment($cert, PGPORT => $self->{haproxy}), 'psql', '-XAtqw', '-c', 'SELECT 1');
}

# ---- replication

# up to here, and no further
sub receive_wal
{
	my ($self) = @_;
	my $end = $self->{node}->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');

	$self->{node}->safe_psql('postgres', "SELECT pg_logical_emit_message(true, 'clients', repeat('x', 100))");
	remove_tree("$self->{dir}/wal");
	make_path("$self->{dir}/wal");
	return ('pg_receivewal', '-w', '-D', "$self->{dir}/wal", '--no-loop', "--endpos=$end");
}

sub start_subscriber
{
	my ($self) = @_;
	my $subscriber = $self->{subscriber} = ESG::Node->new('subscriber');

	$subscriber->setup(preload => '');
	$subscriber->start;
	foreach my $node ($self->{node}, $subscriber)
	{
		$node->safe_psql('postgres', 'CREATE TABLE replicated (n serial, cell text); GRANT SELECT ON replicated TO PUBLIC');
	}
	$self->{node}->safe_psql('postgres', 'CREATE PUBLICATION cells FOR TABLE replicated');
	return;
}

# (status, '', standard error) of SQL for the subscriber
sub tell_subscriber
{
	my ($self, $sql) = @_;
	my ($status, undef, $err) = $self->{subscriber}->psql('postgres', $sql);

	return ($status, '', $err // '');
}

sub subscribe
{
	my ($self, $cert) = @_;
	my $env = $self->environment($cert);
	my $n = ++$self->{subscription};
	my %word = (user => 'USER', password => 'PASSWORD', host => 'HOST', port => 'PORT', dbname => 'DATABASE', sslmode => 'SSLMODE',
		sslcert => 'SSLCERT', sslkey => 'SSLKEY', sslrootcert => 'SSLROOTCERT', sslcrl => 'SSLCRL', gssencmode => 'GSSENCMODE');
	my $to = join ' ', map { "$_=" . $env->{"PG$word{$_}"} } sort keys %word;
	my @result = $self->tell_subscriber("CREATE SUBSCRIPTION cell$n CONNECTION '$to' PUBLICATION cells WITH (copy_data = false)");

	return @result if $result[0];
	$self->{node}->safe_psql('postgres', "INSERT INTO replicated (cell) VALUES ('$n')");
	my $arrived = $self->{subscriber}->wait_sql("SELECT count(*) FROM replicated WHERE cell = '$n'", '1', 30);
	@result = $self->tell_subscriber("DROP SUBSCRIPTION cell$n");
	return $arrived eq '1' ? @result : (1, '', 'nothing arrived');
}

1;

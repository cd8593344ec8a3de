# ESG::Monitoring: the programs that monitoring/ is for, as Debian packages them.
#
#   use ESG::Monitoring;
#
#   ESG::Monitoring::need('the exporter', 'prometheus-postgres-exporter');  # skips the file
#   my $path = ESG::Monitoring::program('promtool');                        # undef: not there
#   my $exporter = ESG::Monitoring->exporter($node, 'role');
#   my ($status, $text) = ESG::Monitoring::get($exporter->url('/metrics'));
#   my @samples = ESG::Monitoring::samples($text);    # { name, labels, value }
#   my $prometheus = ESG::Monitoring->prometheus(dir => $dir, config => '...');
#   $exporter->stop;
#
# A program is looked for in PATH, then where "dev/setup --with-monitoring" has
# unpacked its package.  What was started ends with the test, by its own pid.

package ESG::Monitoring;

use strict;
use warnings;

use Cwd qw(realpath);
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes qw(sleep time);

use Test::More;

use ESG::Certs;
use ESG::Docs;
use ESG::Node;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();

my @running;

sub source { return realpath(ESG::Docs::source()) . '/monitoring'; }

sub program
{
	my ($name) = @_;
	my $unpacked = $ENV{ESG_MONITORING} // '';
	my @places = ((split /:/, $ENV{PATH}), ($unpacked ne '' ? ("$unpacked/usr/bin", "$unpacked/usr/sbin") : ()));

	foreach my $place (@places)
	{
		return "$place/$name" if -x "$place/$name" && !-d _;
	}
	return;
}

sub need
{
	my ($what, @names) = @_;
	my @missing = grep { !program($_) } @names;

	plan skip_all => "@missing: not there (dev/setup --with-monitoring): $what NOT TESTED" if @missing;
	return;
}

# --- processes ------------------------------------------------------------------

# Starts a program, its words in a file, and waits until it answers at that path.
sub start
{
	my ($class, %options) = @_;
	my $self = bless { port => $options{port}, log => "$options{dir}/$options{name}.log", name => $options{name} }, $class;
	my $until = time + $ESG::Node::timeout;

	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0)
	{
		%ENV = (%ENV, %{ $options{environment} // {} });
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', $self->{log});
		open(STDERR, '>&', \*STDOUT);
		exec { $options{command}[0] } @{ $options{command} } or POSIX::_exit(127);
	}
	push @running, $self;
	while (time < $until)
	{
		return $self if (get($self->url($options{ready})))[0] == 200;
		die "$options{name} has ended:\n" . ESG::Certs::slurp($self->{log}) if waitpid($self->{pid}, 1) != 0;
		sleep 0.1;
	}
	die "$options{name} does not answer:\n" . ESG::Certs::slurp($self->{log});
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	local $?;
	kill 'TERM', $pid;
	foreach (1 .. 100)
	{
		return if waitpid($pid, 1) != 0;
		sleep 0.1;
	}
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return;
}

END { $_->stop foreach @running; }

sub url { return "http://127.0.0.1:$_[0]->{port}$_[1]"; }

sub log_text { return ESG::Certs::slurp($_[0]->{log}); }

# The exporter with our queries, connected through the Unix socket; an answer is
# kept for a second at most.
sub exporter
{
	my ($class, $node, $role, %options) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $port = $options{port} // PostgreSQL::Test::Cluster::get_free_port();
	my $queries = ESG::Certs::slurp(source() . '/prometheus/queries.yaml') =~ s/^(  cache_seconds:) \d+$/$1 1/mgr;

	return $class->start(
		name => 'exporter', dir => $dir, port => $port, ready => '/',
		environment => { DATA_SOURCE_NAME => 'host=' . $node->host . ' port=' . $node->port . " user=$role dbname=" . ($options{database} // 'postgres') . ' sslmode=disable' },
		command => [ program('prometheus-postgres-exporter'), "--web.listen-address=127.0.0.1:$port",
			'--extend.query-path=' . ESG::Certs::spew("$dir/queries.yaml", $queries) ]);
}

# config => text of prometheus.yml; its files are relative to dir
sub prometheus
{
	my ($class, %options) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();

	return $class->start(
		name => 'prometheus', dir => $options{dir}, port => $port, ready => '/-/ready',
		command => [ program('prometheus'), '--config.file=' . ESG::Certs::spew("$options{dir}/prometheus.yml", $options{config}),
			"--storage.tsdb.path=$options{dir}/tsdb", "--web.listen-address=127.0.0.1:$port", '--log.level=warn' ]);
}

# --- what they say ----------------------------------------------------------------

# (status, text)
sub get
{
	my ($url) = @_;
	my $answer = HTTP::Tiny->new(timeout => 30, proxy => undef, http_proxy => undef)->get($url);

	return ($answer->{status}, $answer->{content} // '');
}

sub get_json { return decode_json((get(@_))[1]); }

# The samples of a scrape: [{ name, labels => { ... }, value }, ...]
sub samples
{
	my ($text) = @_;
	my @samples;

	foreach my $line (grep { !/^#/ } split /\n/, $text)
	{
		my ($name, $labels, $value) = $line =~ /^(\w+)(?:\{(.*)\})? (\S+)$/ or die "no sample: $line\n";
		my %labels = ($labels // '') =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;

		s/\\(.)/$1 eq 'n' ? "\n" : $1/ge foreach values %labels;
		push @samples, { name => $name, labels => \%labels, value => $value };
	}
	return @samples;
}

# { key => { column => { usage, description } } } of the queries file
sub columns
{
	my ($text) = ESG::Certs::slurp(source() . '/prometheus/queries.yaml');
	my ($key, $column, %columns);

	foreach my $line (split /\n/, $text)
	{
		$key = $1 if $line =~ /^(\w+):$/;
		$column = $1 if $line =~ /^    - (\w+):$/;
		$columns{$key}{$column}{$1} = $2 if $line =~ /^        (usage|description): (.*)$/;
	}
	return \%columns;
}

# { metric => { usage, description, labels => [names] } } that the queries make
sub metrics
{
	my $columns = columns();
	my %metrics;

	foreach my $key (keys %$columns)
	{
		my @labels = sort grep { $columns->{$key}{$_}{usage} eq 'LABEL' } keys %{ $columns->{$key} };

		foreach my $column (grep { $columns->{$key}{$_}{usage} ne 'LABEL' } keys %{ $columns->{$key} })
		{
			$metrics{"${key}_$column"} = { %{ $columns->{$key}{$column} }, labels => \@labels };
		}
	}
	return \%metrics;
}

1;

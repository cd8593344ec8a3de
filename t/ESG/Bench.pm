# ESG::Bench: figures, their ratios and budgets, as a table, a verdict and pictures.
#
#   my $bench = ESG::Bench->new('analyse', 'What analysing certificates costs', 'A paragraph about it.');
#   $bench->row('1,000 certificates, first', 123_456, 'instructions', ratio => 1.9, budget => 2.5);
#   $bench->point('first look', 1000, 1.9);   # of a curve, for the picture
#   exit $bench->finish;                      # 1 if a ratio, or a figure without one, is over budget
#
# A budget is the most that is allowed.  Each row is shown as soon as it is known.
# Where BENCH_OUT names a directory, NAME.json is left there for "dev/bench/run".

package ESG::Bench;

use strict;
use warnings;

use JSON::PP ();
use POSIX qw(strftime);
use Test::More ();

sub new
{
	my ($class, $name, $title, $about) = @_;
	my $self = bless { name => $name, title => $title, about => $about, rows => [], curves => {}, order => [] }, $class;

	# standard error goes to a file, too
	$SIG{__DIE__} = sub { $self->say("$name: $_[0]") unless $^S };
	$self->say("$title\n");
	$self->say(format_row('what', 'figure', 'ratio', 'budget'));
	return $self;
}

# A library of dev/bench/NAME.c for the server, in $dir.
sub build_library
{
	my ($dir, $name, @flags) = @_;
	my ($headers) = `$ENV{BUILD_PG_CONFIG} --includedir-server` =~ /(.+)/;

	system('cc', '-O2', '-shared', '-fPIC', '-Wl,-z,relro,-z,now', "-I$headers", '-o', "$dir/$name.so", "$ENV{SRC}/dev/bench/$name.c", @flags) == 0
	  or die "$name.c could not be compiled\n";
	return "$dir/$name.so";
}

# PostgreSQL::Test::Utils sends standard output to a file; Test::More keeps the real one.
sub say
{
	my ($self, $text) = @_;
	my $out = Test::More->builder->output;

	print $out $text;
	$out->flush;
	return;
}

sub format_row { return sprintf "%-52s %24s %8s %8s%s%s\n", @_[ 0 .. 3 ], $_[4] // '', defined $_[5] ? "  $_[5]" : '' }

# 1234567 is "1,234,567"; what is below a hundred keeps some digits
sub format_number
{
	my ($number) = @_;
	my $text = abs($number) < 100 && $number != int($number) ? sprintf('%.3g', $number) : sprintf('%.0f', $number);

	1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $text;
}

sub is_over
{
	my ($row) = @_;

	return defined $row->{budget} && ($row->{ratio} // $row->{figure}) > $row->{budget};
}

sub cells
{
	my ($row) = @_;

	return ($row->{what}, format_number($row->{figure}) . " $row->{unit}",
		defined $row->{ratio} ? sprintf('%.4f', $row->{ratio}) : '', $row->{budget} // '');
}

# options: ratio, budget, note (behind the row, and nowhere else)
sub row
{
	my ($self, $what, $figure, $unit, %options) = @_;
	my $row = { what => $what, figure => $figure, unit => $unit, %options };

	push @{ $self->{rows} }, $row;
	$self->say(format_row(cells($row), is_over($row) ? '  EXCEEDED' : '', $options{note}));
	return;
}

sub point
{
	my ($self, $curve, $size, $cost) = @_;

	push @{ $self->{order} }, $curve unless $self->{curves}{$curve};
	push @{ $self->{curves}{$curve} }, [ $size, $cost ];
	return;
}

# What the axes say: "certificates", "times a bare loop".
sub axes
{
	my ($self, $size, $cost) = @_;

	@{$self}{qw(size_axis cost_axis)} = ($size, $cost);
	return;
}

# "2026-11-29, PostgreSQL 15.18, OpenSSL 3.0.17, 2 processors: NAME"
sub describe_machine
{
	my ($server) = `$ENV{PG_CONFIG} --version` =~ /^(PostgreSQL \S+)/;
	my ($openssl) = `openssl version` =~ /^(OpenSSL \S+)/;
	open(my $in, '<', '/proc/cpuinfo') or return "$server, $openssl";
	my @models = map { /^model name\s*:\s*(.+)/ } <$in>;

	return sprintf '%s, %s, %s, %d processors: %s', strftime('%Y-%m-%d', gmtime), $server, $openssl, scalar @models, $models[0] // 'unknown';
}

sub finish
{
	my ($self) = @_;
	my @over = grep { is_over($_) } @{ $self->{rows} };

	$self->{machine} = describe_machine();
	$self->{shown} = [ map { [ cells($_) ] } @{ $self->{rows} } ];
	die "$self->{name}: nothing was measured\n" unless @{ $self->{rows} };
	$self->say(@over == 0 ? "within budget\n" : sprintf("over budget: %d of %d\n", scalar @over, scalar @{ $self->{rows} }));
	if (defined(my $dir = $ENV{BENCH_OUT}))
	{
		open(my $out, '>', "$dir/$self->{name}.json") or die "could not write \"$dir/$self->{name}.json\": $!\n";
		print $out JSON::PP->new->canonical->pretty->encode({%$self});
		close $out or die "$dir: $!\n";
	}
	return @over ? 1 : 0;
}

1;

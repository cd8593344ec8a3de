# ESG::Findings: has every finding been seen, and been seen not to be there?
#
# The unit tests append "raised CODE" and "absent CODE" to files in one
# directory (t/unit/covered.h); a server's log says the same with the alarms that
# it raised and cleared.  complaints() compares that with the table of findings.
#
#   my $seen = ESG::Findings->new;
#   $seen->read_records($directory);
#   $seen->read_logs(@log_files);
#   print "$_\n" foreach $seen->complaints(\@codes, \%excused);
#
# A test that has seen the absence of what is never cleared says so itself:
#
#   ESG::Findings::record(absent => 'certificate_not_judged');

package ESG::Findings;

use strict;
use warnings;

sub new
{
	my ($class) = @_;

	return bless { raised => {}, absent => {} }, $class;
}

# Findings that nothing can raise here, and why.
sub excused
{
	my ($server_version) = @_;
	my %excused = (hook_inactive => 'it is retired');

	return \%excused if $server_version >= 19;
	$excused{$_} = 'needs ssl_sni, of PostgreSQL 19' foreach 'hosts_file_unusable', 'host_name_not_covered';
	return \%excused;
}

sub note
{
	my ($self, $what, $code) = @_;

	$self->{$what}{$code} = 1;
	return;
}

# Like record() of t/unit/covered.h.
sub record
{
	my ($what, $code) = @_;

	return unless $ENV{ESG_FINDINGS_SEEN};
	open(my $out, '>>', "$ENV{ESG_FINDINGS_SEEN}/$$") or die "could not record \"$code\": $!\n";
	print $out "$what $code\n";
	close $out or die "could not record \"$code\": $!\n";
	return;
}

sub read_lines
{
	my ($file, $each) = @_;

	open(my $in, '<:raw', $file) or die "could not open \"$file\": $!\n";
	$each->() while (<$in>);
	close $in;
	return;
}

sub read_records
{
	my ($self, $directory) = @_;

	foreach my $file (glob("$directory/*"))
	{
		read_lines($file, sub { $self->note($1, $2) if /^(raised|absent) (\w+)$/ });
	}
	return;
}

# DETAIL is a line of its own, which no text from a certificate can begin.
sub read_logs
{
	my ($self, @files) = @_;

	foreach my $file (@files)
	{
		read_lines($file, sub {
			$self->note($2 ? 'absent' : 'raised', $1)
			  if /^[^"]*DETAIL:  code=(\w+) severity=\w+( cleared=yes)?/;
		});
	}
	return;
}

sub complaints
{
	my ($self, $codes, $excused) = @_;
	my %known = map { $_ => 1 } @$codes;
	my @complaints;

	foreach my $code (@$codes)
	{
		my @missing = grep { !$self->{$_}{$code} } qw(raised absent);

		next if $excused->{$code} && $missing[0] && $missing[0] eq 'raised';
		push @complaints, "$code is excused from being raised, but was" if $excused->{$code};
		push @complaints, "$code was never seen " . join(' nor ', @missing) if @missing;
	}
	push @complaints, "$_ is no finding, but was seen"
	  foreach sort grep { !$known{$_} } keys %{ { %{ $self->{raised} }, %{ $self->{absent} } } };
	push @complaints, "$_ is no finding, but is excused" foreach sort grep { !$known{$_} } keys %$excused;
	return @complaints;
}

1;

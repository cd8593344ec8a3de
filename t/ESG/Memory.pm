# ESG::Memory: what of a secret is in the memory of a running process.
#
#   ESG::Memory::readable($pid)            # may this process look at all?
#   my @found = ESG::Memory::find($pid, $secret, ...);   # ('[stack]: 48 bytes', ...)
#   ESG::Memory::masked($secret)           # as it is and as HMAC masks a key
#
# Everything that the process itself can read is searched, but for what it only
# reads of a file (programs, libraries), for every piece of a secret that is
# $length bytes long.  Eight: shorter pieces of random text turn
# up by chance (a few thousand pieces are looked for in some 50 MB), eight or
# more do not, and eight is what one register leaves when it is saved.

package ESG::Memory;

use strict;
use warnings;
no warnings 'portable';

our $length = 8;

# [{ from, to, name }, ...]
sub regions
{
	my ($pid) = @_;
	my @regions;

	open(my $maps, '<', "/proc/$pid/maps") or return;
	while (my $line = <$maps>)
	{
		my ($from, $to, $write, $inode, $name) = $line =~ /^(\w+)-(\w+) r(.)\S* \S+ \S+ (\d+) *(.*)$/ or next;

		# of the kernel: cannot be read through /proc
		next if $name =~ /^\[(?:vvar|vsyscall)/;
		next if $inode && $write ne 'w';
		push @regions, { from => hex $from, to => hex $to, name => $name || 'anonymous' };
	}
	return @regions;
}

# "" where there is nothing to read: a file that is shorter than its mapping
sub read_at
{
	my ($mem, $at, $size) = @_;
	my $data = '';

	sysseek($mem, $at, 0) or return '';
	while (length $data < $size)
	{
		my $n = sysread $mem, $data, $size - length $data, length $data;

		last unless $n;
	}
	return $data;
}

sub readable
{
	my ($pid) = @_;
	my ($stack) = grep { $_->{name} eq '[stack]' } regions($pid) or return 0;

	open(my $mem, '<:raw', "/proc/$pid/mem") or return 0;
	return length read_at($mem, $stack->{to} - 4096, 4096) == 4096;
}

# Every piece, once; one pattern for all.
sub pattern
{
	my (@secrets) = @_;
	my %pieces;

	foreach my $secret (@secrets)
	{
		$pieces{ substr $secret, $_, $length } = 1 foreach 0 .. length($secret) - $length;
	}
	my $pieces = join '|', map { quotemeta } sort keys %pieces;
	return qr/$pieces/s;
}

# HMAC masks its key with these bytes: who finds that has the key.
sub masked
{
	my ($secret) = @_;

	return map { my $mask = $_; join '', map { chr(ord($_) ^ $mask) } split //, $secret } 0, 0x36, 0x5c;
}

# How many bytes in one go, for the message: pieces that follow each other.
sub runs
{
	my ($data, $pattern) = @_;
	my @runs;
	my ($start, $end) = (0, -1);

	while ($data =~ /(?=$pattern)/g)
	{
		my $at = pos $data;

		if ($at != $end + 1)
		{
			push @runs, $end + $length - $start if $end >= 0;
			$start = $at;
		}
		$end = $at;
	}
	push @runs, $end + $length - $start if $end >= 0;
	return @runs;
}

sub find
{
	my ($pid, @secrets) = @_;
	my $pattern = pattern(@secrets);
	my @found;

	open(my $mem, '<:raw', "/proc/$pid/mem") or die "could not read the memory of process $pid: $!\n";
	foreach my $region (regions($pid))
	{
		my $step = 16 * 1024 * 1024;

		for (my $at = $region->{from}; $at < $region->{to}; $at += $step - $length + 1)
		{
			my $size = $region->{to} - $at < $step ? $region->{to} - $at : $step;
			my $data = read_at($mem, $at, $size);

			push @found, "$region->{name}: " . join(', ', map { "$_ bytes" } runs($data, $pattern)) if $data =~ $pattern;
			last if $at + $size == $region->{to};
		}
	}
	return @found;
}

1;

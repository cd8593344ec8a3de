# ESG::Registry: the file of the registry of client certificates.
#
#   use ESG::Registry;
#
#   my $file = ESG::Registry->read($node->path('pg_stat/ext_ssl_guard.clients'));
#   $file->{entries}               # [bytes, ...] in the order of their places
#   $file->write($path);           # the same, or what was made of it
#   $file->multiply($count);
#   $file->write_old($path, @entries);      # as version ESGCLI04 was written, for one that
#                                           # is read and replaced
#
# A part of an entry, stable or use, is at place_of(stable => number) of the file.

package ESG::Registry;

use strict;
use warnings;

use ESG::Certs;

my @crc_table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 foreach 1 .. 8; $c } 0 .. 255;

sub crc32c
{
	my $crc = 0xFFFFFFFF;

	$crc = $crc_table[ ($crc ^ $_) & 255 ] ^ ($crc >> 8) foreach unpack('C*', $_[0]);
	return $crc ^ 0xFFFFFFFF;
}

sub read
{
	my ($class, $path) = @_;
	my $content = ESG::Certs::slurp($path);
	my $self = bless {}, $class;

	@$self{qw(magic owner generation stable size count crc)} = unpack('a8 a24 Q L L L L', $content);
	die "no header in $path\n" if !defined $self->{crc} || crc32c(substr($content, 0, 52)) != $self->{crc};
	foreach my $number (0 .. $self->{count} - 1)
	{
		my $entry = '';

		foreach my $part (qw(stable use))
		{
			my ($what, $crc, $bytes) = unpack('L L a*', substr($content, $self->place_of($part, $number), $self->record($part)));

			die "entry $number, $part: the checksum does not hold\n"
			  if $crc != crc32c(pack('Q L', $self->{generation}, $what) . $bytes);
			$entry .= $bytes;
		}
		push @{ $self->{entries} }, $entry;
	}
	$self->{entries} //= [];
	return $self;
}

# of a part with its number and checksum, bytes
sub record
{
	my ($self, $part) = @_;

	return 8 + ($part eq 'stable' ? $self->{stable} : $self->{size} - $self->{stable});
}

sub place_of
{
	my ($self, $part, $number) = @_;
	my $block = int($number / 64) * 64 * ($self->record('stable') + $self->record('use'));

	return 56 + $block + ($part eq 'use' ? 64 * $self->record('stable') : 0) + ($number % 64) * $self->record($part);
}

# Makes it so many entries, the others like the last one, but each another certificate and subject.
sub multiply
{
	my ($self, $count) = @_;
	my $sample = $self->{entries}[-1];

	while (@{ $self->{entries} } < $count)
	{
		my $entry = $sample;

		substr($entry, $_, 8) = pack('N N', scalar @{ $self->{entries} }, 0xFEEDBEEF) foreach 0, 64;
		push @{ $self->{entries} }, $entry;
	}
	return;
}

sub header
{
	my ($self) = @_;
	my $bytes = pack('a8 a24 Q L L L', @$self{qw(magic owner generation stable size count)});

	return $bytes . pack('L', crc32c($bytes));
}

sub write
{
	my ($self, $path) = @_;
	my $content = '';
	my $blocks = int((@{ $self->{entries} } + 63) / 64);

	$self->{count} = @{ $self->{entries} };
	$content = $self->header . "\0" x ($self->place_of(stable => 64 * $blocks) - 56);
	foreach my $number (0 .. $self->{count} - 1)
	{
		foreach my $part (qw(stable use))
		{
			my $what = pack('L', $number | ($part eq 'stable' ? 0x80000000 : 0));
			my $bytes = $part eq 'stable' ? substr($self->{entries}[$number], 0, $self->{stable}) : substr($self->{entries}[$number], $self->{stable});

			substr($content, $self->place_of($part, $number), $self->record($part)) =
			  $what . pack('L', crc32c(pack('Q', $self->{generation}) . $what . $bytes)) . $bytes;
		}
	}
	ESG::Certs::spew($path, $content);
	return;
}

sub write_old
{
	my ($self, $path, @entries) = @_;
	my $body = join('', @entries);

	ESG::Certs::spew($path,
		pack('a8 a24 L L L x4', 'ESGCLI04', $self->{owner}, $self->{size}, scalar @entries, crc32c($body)), $body);
	return;
}

1;

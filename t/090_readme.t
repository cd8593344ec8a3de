# README.md says what is so: its examples are run, see t/ESG/Docs.pm; its
# sentences are those of the findings; it is short enough to be read; all links
# between the documents lead somewhere; and the pictures are up to date.

use strict;
use warnings;

use File::Basename qw(dirname);
use Test::More;

use ESG::Docs;

my $max_words = 1800;
my $source = ESG::Docs::source();

# as wc -w counts them
sub count_words { return scalar(split ' ', $_[0]); }

# Is that a sentence of the finding with this message?
sub says
{
	my ($message, $sentence) = @_;
	my $pattern = join '.+', map { quotemeta } split /%s/, $message, -1;

	# "is %s" says too little
	return length($message) > 8 &&
	  $sentence =~ /^((client certificate|certificate|CRL of|file) "[^"]+" (in file "[^"]+" )?)?$pattern$/;
}

sub compare_sentences
{
	my ($docs) = @_;
	my @messages = split /\n/, $docs->node->safe_psql('postgres', 'SELECT message FROM ssl_guard_findings');
	my @rows = $docs->table('What it catches');

	cmp_ok(scalar @rows, '>', 8, 'it catches something');
	foreach my $row (@rows)
	{
		my $sentence = $row->[2] =~ s/^`|`$//gr;

		ok((grep { says($_, $sentence) } @messages), "a finding says: $sentence");
	}
	return;
}

# Anchors as GitHub makes them of headings.
sub anchors
{
	my ($text) = @_;

	return map { lc($_) =~ s/[^\w -]//gr =~ tr/ /-/r => 1 } $text =~ /^#+ (.*)$/mg;
}

sub check_links
{
	my ($file) = @_;
	my $text = ESG::Docs::read_text($file) =~ s/^```.*?^```$//gmsr;
	my @broken;

	foreach my $link ($text =~ /\]\(([^)\s]+)\)/g)
	{
		my ($target, $anchor) = $link =~ /^([^#]*)#?(.*)$/;
		my $path = $target eq '' ? $file : dirname($file) . "/$target";

		next if $target =~ m{^https://};
		push @broken, $link
		  if !-e "$source/$path" || ($anchor ne '' && !{ anchors(ESG::Docs::read_text($path)) }->{$anchor});
	}
	is("@broken", '', "$file: all links lead somewhere");
	return;
}

# Files of this repository that a text names in backquotes.
sub check_paths
{
	my ($file) = @_;
	my %named = map { $_ => 1 } ESG::Docs::read_text($file) =~ m{`((?:src|t|dev|docs|sql|expected|\.ci)/[\w./-]*)`}g;

	is(join(' ', grep { !-e "$source/$_" } sort keys %named), '', "$file: the files it names are there");
	return;
}

# The pictures are those of their texts, and the first shows all folders of src/.
sub check_pictures
{
	my $picture = ESG::Docs::read_text('docs/parts.svg');

	is(ESG::Docs::read_text("docs/$_.svg"), `'$source/dev/draw' '$source/docs/$_.txt'`,
		"docs/$_.svg is up to date: dev/draw docs/$_.txt > docs/$_.svg") foreach qw(parts trust);
	is(join(' ', grep { $picture !~ m{>\Q$_\E/<} } map { m{([^/]+)/$} } glob("'$source'/src/*/")), '', 'and has each folder of src/');
	return;
}

my $docs = ESG::Docs->new('README.md');

cmp_ok(count_words($docs->{text}), '<=', $max_words, "at most $max_words words");
cmp_ok($docs->run, '>=', 10, 'README.md has examples');
compare_sentences($docs);
$docs->stop;
foreach my $file (sort map { substr $_, 1 + length $source } glob("'$source'/*.md '$source'/docs/*.md"))
{
	check_links($file);
	check_paths($file);
}
check_pictures();
done_testing();

# docs/ssl_guard_ctl.1 is what "ssl_guard_ctl --help" says: commands, options with
# their arguments, and exit status; and man finds no fault in it.

use strict;
use warnings;

use Test::More;

use ESG::Docs;

my $page = ESG::Docs::source() . '/docs/ssl_guard_ctl.1';
my $source = ESG::Docs::read_text('docs/ssl_guard_ctl.1');
my $help = `ssl_guard_ctl --help`;

# Text without fonts and escapes.
sub plain
{
	my ($text) = @_;

	$text =~ s/\\f[A-Z]//g;
	$text =~ s/\\-/-/g;
	return $text;
}

# Words of a line with a font macro, joined as man joins them.
sub heading
{
	my ($line) = @_;
	my ($macro, $rest) = $line =~ /^\.(\w+) (.*)$/ or return plain($line);
	my @words = map { s/^"|"$//gr } $rest =~ /("[^"]*"|\S+)/g;

	return plain(join(length $macro == 2 ? '' : ' ', @words));
}

# The tagged paragraphs of a section: heading => text.
sub paragraphs
{
	my ($section) = @_;
	my ($text) = $source =~ /^\.SH "?\Q$section\E"?\n(.*?)(?=^\.SH |\z)/ms;
	my @parts = split /^\.TP\n/m, $text // '';
	shift @parts;
	return map { my ($first, $rest) = split /\n/, $_, 2; (heading($first) => plain($rest // '')) } @parts;
}

# The rows "  NAME   text" of a part of the help, continued lines joined.
sub help_rows
{
	my ($part) = @_;
	my ($text) = $help =~ /^$part:\n(.*?)(?=^\n|\z)/ms;

	return grep { /^\S/ } map { s/^ {2,6}(?=\S)//r } split /\n/, $text // '';
}

my %commands = paragraphs('COMMANDS');
my @commands = map { /^(\w+) {2,}/ ? $1 : () } help_rows('Commands');
cmp_ok(scalar @commands, '>=', 4, 'there are commands');
is(join(' ', sort keys %commands), join(' ', sort @commands), 'commands');

my %options = paragraphs('OPTIONS');
my @options = map { /^(-.*?)(?: {2,}|$)/ ? $1 : () } help_rows('Options');
cmp_ok(scalar @options, '>=', 8, 'there are options');
is(join("\n", sort map { s/^\s+//r } keys %options), join("\n", sort @options), 'options, and their arguments');
is(join(' ', grep { length($options{$_}) < 10 } sort keys %options), '', 'each is described');

my %status = paragraphs('EXIT STATUS');
my ($status) = $help =~ /^Exit status: (.*)\.$/m;
is(join(', ', map { "$_ " . lc($status{$_} =~ s/\.\s*\z//r) } sort keys %status), $status, 'exit status');

# the usage: each command with the options that the help gives it
sub usage
{
	my ($text) = @_;
	my %usage;

	while ($text =~ /^ *ssl_guard_ctl (\w+)(.*(?:\n {10,}\S.*)*)$/mg)
	{
		my ($command, $rest) = ($1, $2);
		$usage{$command} = join ' ', $rest =~ /\[(--?[\w-]+)/g;
		$usage{$command} =~ s/^-M ?//;
	}
	return \%usage;
}
my ($synopsis) = $source =~ /^\.nf\n(.*?)^\.fi$/ms;
my ($usage) = $help =~ /^Usage:\n(.*?)^\n/ms;
is_deeply(usage(plain($synopsis)), usage($usage), 'synopsis');

foreach my $checker ([ 'man', "LC_ALL=C.UTF-8 man --warnings -l -Tutf8 '$page' 2>&1 >/dev/null" ], [ 'mandoc', "mandoc -T lint -W warning '$page' 2>&1" ])
{
	my ($program, $command) = @$checker;

	SKIP: {
		skip "there is no $program", 1 if system("command -v $program >/dev/null 2>&1") != 0;
		my $said = `$command`;

		is($said, '', "$program has nothing to say against it");
	}
}
done_testing();

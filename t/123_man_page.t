# docs/ssl_guard_ctl.1 is what "ssl_guard_ctl --help", and --help of each command,
# says: commands, options with their arguments, and exit status; and man finds no
# fault in it.

use strict;
use warnings;

use Test::More;

use ESG::Docs;

# the sections that have the options of a command; of all commands there is OPTIONS
my %sections = (
	(map { $_ => ['PASSPHRASE OPTIONS'] } qw(encrypt decrypt tidy)),
	check => [ 'CHECK OPTIONS', 'OUTPUT OPTIONS' ],
	probe => [ 'PROBE OPTIONS', 'OUTPUT OPTIONS' ],
	'fetch-crl' => [ 'FETCH OPTIONS', 'OUTPUT OPTIONS' ]);

my $page = ESG::Docs::source() . '/docs/ssl_guard_ctl.1';
my $source = ESG::Docs::read_text('docs/ssl_guard_ctl.1');

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

sub section { return $source =~ /^\.SH "?\Q$_[0]\E"?\n(.*?)(?=^\.SH |\z)/ms ? $1 : ''; }

# The tagged paragraphs of a section: heading => text.
sub paragraphs
{
	my @parts = split /^\.TP\n/m, section($_[0]);

	shift @parts;
	return map { my ($first, $rest) = split /\n/, $_, 2; (heading($first) => plain($rest // '')) } @parts;
}

# The rows "  NAME   text" of a part of the help, continued lines joined.
sub help_rows
{
	my ($help, $part) = @_;
	my ($text) = $help =~ /^$part:\n(.*?)(?=^\n|\z)/ms;

	return grep { /^\S/ } map { s/^ {2,6}(?=\S)//r } split /\n/, $text // '';
}

sub options_of { return map { /^(-.*?)(?: {2,}|$)/ ? $1 : () } help_rows($_[0], 'Options'); }

my $help = `ssl_guard_ctl --help`;
my @commands = map { /^([\w-]+) {2,}/ ? $1 : () } help_rows($help, 'Commands');
my %help = map { $_ => scalar `ssl_guard_ctl $_ --help` } @commands;
my %commands = paragraphs('COMMANDS');
cmp_ok(scalar @commands, '>=', 5, 'there are commands');
is(join(' ', sort keys %commands), join(' ', sort @commands), 'commands');
is(join(' ', sort keys %sections), join(' ', sort @commands), 'each has its sections of options');

my %general = paragraphs('OPTIONS');
is(join("\n", sort keys %general), join("\n", sort(options_of($help))), 'options of all commands');
my %described = map { $_ => { paragraphs($_) } } map { @$_ } values %sections;
my %used;
foreach my $command (@commands)
{
	my %known = (%general, map { %{ $described{$_} } } @{ $sections{$command} });
	my @options = options_of($help{$command});

	cmp_ok(scalar @options, '>=', 4, "$command: there are options");
	is(join("\n", grep { !exists $known{$_} } @options), '', "$command: each is in the page, with its argument");
	is(join(' ', grep { length($known{$_} // '') < 10 } @options), '', "$command: and described");
	foreach my $name (@{ $sections{$command} }) { $used{$name}{$_} = 1 foreach @options; }
}
foreach my $name (sort keys %described)
{
	is(join("\n", grep { !$used{$name}{$_} } sort keys %{ $described{$name} }), '', "$name: no other is there");
}

my $status = plain(section('EXIT STATUS')) =~ s/\n/ /gr;
foreach my $command (@commands)
{
	my ($said) = $help{$command} =~ /^Exit status: (.*\.)$/m;
	like($status, qr/\Q$said\E/, "$command: exit status");
}

# the usage: each command with the options that its help gives it
sub usage
{
	my ($text) = @_;
	my %usage;

	while ($text =~ /^ *ssl_guard_ctl ([\w-]+)(.*(?:\n {10,}\S.*)*)$/mg)
	{
		my ($command, $rest) = ($1, $2);
		$usage{$command} = join ' ', $rest =~ /\[(--?[\w-]+)/g;
		$usage{$command} =~ s/^-M ?//;
	}
	return \%usage;
}
my ($synopsis) = $source =~ /^\.nf\n(.*?)^\.fi$/ms;
is_deeply(usage(plain($synopsis)), usage(join '', map { $help{$_} =~ /^Usage:\n(.*?)^\n/ms } @commands), 'synopsis');

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

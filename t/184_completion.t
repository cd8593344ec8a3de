# completions/ssl_guard_ctl, as bash runs it.

use strict;
use warnings;

use IPC::Run ();

use Test::More;

use ESG::Certs;
use ESG::Ctl;
use ESG::Docs;
use PostgreSQL::Test::Utils ();

my $script = ESG::Docs::source() . '/completions/ssl_guard_ctl';
my $dir = PostgreSQL::Test::Utils::tempdir();

# What bash offers for the last of these words, sorted.
sub offers
{
	my (@words) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'bash', '--norc', '-c', <<'BASH', 'bash', $script, $dir, @words ], '>', \$out, '2>', \$err, IPC::Run::timeout(60));
source "$1" && cd "$2" || exit
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
$(complete -p ssl_guard_ctl | sed 's/.*-F \([^ ]*\) .*/\1/')
printf '%s\n' "${COMPREPLY[@]}"
BASH
	is($err, '', "@words: no complaint");
	return join ' ', sort grep { $_ ne '' } split /\n/, $out;
}

# what the help has
sub options_of { my $help = (ESG::Ctl::run(@_, '--help'))[1]; return join ' ', sort { $a cmp $b } $help =~ /^ +(?:-\w, )?(--[a-z-]+)/mg; }

my @commands = (ESG::Ctl::run('--help'))[1] =~ /^  ([a-z][a-z-]*)  /mg;
cmp_ok(scalar @commands, '>=', 5, 'there are commands');
is(offers('ssl_guard_ctl', ''), join(' ', sort @commands, '--help', '--version'), 'commands');
is(offers('ssl_guard_ctl', 'pr'), 'probe', 'the beginning of one');
is(offers('ssl_guard_ctl', '--v'), '--version', 'the program\'s options');
is(offers('ssl_guard_ctl', $_, '--'), options_of($_), "options of $_") foreach @commands;
is(offers('ssl_guard_ctl', 'probe', '--di'), '--direct', 'the beginning of one');
is(offers('ssl_guard_ctl', 'probe', '--format', ''), 'json nagios prometheus text', 'formats');
is(offers('ssl_guard_ctl', 'probe', '--format', '=', 'js'), 'json', 'behind an equals sign');
is(offers('ssl_guard_ctl', 'probe', '--format', '='), 'json nagios prometheus text', 'which is all there is yet');
is(offers('ssl_guard_ctl', 'probe', '--color', 'a'), 'always auto', 'colours');
is(offers('ssl_guard_ctl', 'encrypt', '-M', ''), 'client server', 'keys');
ESG::Certs::spew("$dir/$_", '') foreach 'a b.crt', 'c.crt';
mkdir "$dir/d e";
is(offers('ssl_guard_ctl', 'probe', '--ca', ''), 'a b.crt c.crt d e', 'files, with blanks in their names');
is(offers('ssl_guard_ctl', 'encrypt', '-D', ''), 'd e', 'directories');
is(offers('ssl_guard_ctl', 'probe', '--timeout', ''), '', 'nothing for a number');
like(offers('ssl_guard_ctl', 'encrypt', '--user', ''), qr/\broot\b/, 'users');

# where the makefile puts it, bash-completion finds it
chomp(my $share = `'$ENV{PG_CONFIG}' --mandir` =~ s{/share/.*}{/share}sr);
ok(-f "$share/bash-completion/completions/ssl_guard_ctl", "it is installed in $share") or diag(`ls $share`);
SKIP:
{
	skip 'bash-completion is not installed', 1 unless -f '/usr/share/bash-completion/bash_completion';
	local $ENV{XDG_DATA_DIRS} = $share;
	my $out = '';

	IPC::Run::run([ 'bash', '--norc', '-c', 'source /usr/share/bash-completion/bash_completion; { _comp_load ssl_guard_ctl || _completion_loader ssl_guard_ctl; } 2>/dev/null; complete -p ssl_guard_ctl' ], '>', \$out, '2>&1', IPC::Run::timeout(60));
	like($out, qr/complete -F _ssl_guard_ctl ssl_guard_ctl/, 'bash-completion loads it');
}
done_testing();

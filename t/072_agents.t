# Files of other accounts: what renews certificates under an account of the
# system's own is a warning, without a chown that would break it; a user's file
# is critical.  Files called "...uid-N..." seem to belong to N.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Shim;

my $certs = ESG::Certs->new;
my $shim = ESG::Shim::owner($certs->dir);
plan skip_all => 'needs a C compiler' unless $shim;

# an account of the system, with a name, and the first number that belongs to nobody
my ($limit) = map { /^\s*SYS_UID_MAX\s+(\d+)/m ? $1 : /^\s*UID_MIN\s+(\d+)/m ? $1 - 1 : () }
  grep { defined } eval { ESG::Certs::slurp('/etc/login.defs') };
$limit //= 999;
my ($agent) = grep { $_ != $> && defined getpwuid $_ } 1 .. $limit;
my ($unnamed) = grep { $_ != $> && !defined getpwuid $_ } 1 .. $limit;
my ($user) = grep { !defined getpwuid $_ } $limit + 1 .. $limit + 1000;
plan skip_all => 'no account of the system' unless defined $agent && defined $unnamed;
my $agents_name = getpwuid $agent;

my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('agents');
my %file = (
	agent => "uid-$agent.crt", unnamed => "uid-$unnamed.crt", last => "uid-$limit.crt", user => "uid-$user.crt",
	key => "uid-$agent.key", root => 'uid-0.crt', open => "uid-$agent-open.crt");
$node->setup(ca => $ca, server => $server,
	conf => "ext_ssl_guard.extra_files = '" . join(', ', sort values %file) . "'");
foreach my $file (values %file)
{
	ESG::Certs::spew($node->path($file), ESG::Certs::slurp($file =~ /key/ ? $server->{key} : $ca->{cert}));
	chmod $file =~ /key/ ? 0600 : $file =~ /open/ ? 0666 : 0644, $node->path($file) or die "chmod: $!";
}
{
	local $ENV{LD_PRELOAD} = $shim;
	$node->start;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

plan skip_all => 'another name for stat()'
  if sql("SELECT owner FROM ssl_guard_files WHERE path LIKE '%/$file{agent}'") ne $agents_name;

sub look
{
	my ($what) = @_;
	my $path = $node->path($file{$what});

	return sql("SELECT concat_ws(' ', owner, findings, severity, suggestion) FROM ssl_guard_files WHERE path = '$path'") =~ s/\Q$path\E/FILE/gr;
}

my $me = getpwuid $>;
is(look('agent'), "$agents_name {wrong_owner} warning", 'an agent of the system');
is(look('unnamed'), "$unnamed {wrong_owner} warning", 'one without a name');
is(look('user'), "$user {wrong_owner} critical chown $me 'FILE'", 'a user');
is(look('key'), "$agents_name {wrong_owner} critical chown $me 'FILE'", 'a key of an agent');
is(look('root'), 'root {} ok', 'root');
like(look('last'), qr/\{wrong_owner\} warning/, 'the last number of the system') if $limit != $>;
is(look('open'), "$agents_name {permissions_too_open,wrong_owner} critical chmod 0644 'FILE'", 'an agent whose file anybody may write');

# the alarms
my $alarm = "SELECT concat_ws(E'\\n', severity, message, hint) FROM ssl_guard_check() WHERE code = '%s' AND object LIKE '%%/%s'";
my $said = sql(sprintf $alarm, 'wrong_owner', $file{agent});
like($said, qr/^warning\nfile ".*" belongs to user \Q$agents_name\E, neither the server's user nor root\n/, 'an agent is called by its name');
unlike($said, qr/chown/, 'and left alone');
like(sql(sprintf $alarm, 'wrong_owner', $file{unnamed}), qr/^warning\nfile ".*" belongs to user ID $unnamed, /, 'or by its number');
like(sql(sprintf $alarm, 'wrong_owner', $file{user}), qr/^critical\nfile ".*" belongs to user ID $user, .*\nRun: chown \Q$me\E /, 'a user');
unlike(sql(sprintf $alarm, 'wrong_owner', $file{open}), qr/Run:|chown/, 'another finding\'s command is not its remedy');
like(sql(sprintf $alarm, 'permissions_too_open', $file{open}), qr/\nRun: chmod 0644 /, 'which that has');

# enforce refuses either, and says nothing that would break the agent
foreach my $case ([ agent => qr/fault="belongs to user \Q$agents_name\E, [^"]*" remedy="" cluster=\S+$/m ], [ user => qr/remedy="chown \Q$me\E /m ])
{
	my ($what, $line) = @$case;

	$node->apply(ssl_ca_file => $file{$what}, 'ext_ssl_guard.file_permission_check' => 'enforce');
	my $offset = $node->log_end;
	like(($node->tcp_psql('SELECT 1'))[2], qr/connection was refused \(wrong_owner\)/, "enforce: $what");
	like($node->log_since($offset), $line, 'and the log says whose file it is');
}

$node->stop;
done_testing();

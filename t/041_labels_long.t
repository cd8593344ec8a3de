# A label that a login cannot read: refused when it is set; there all the same,
# it is a verdict and locks nobody out.

use strict;
use warnings;

use Digest::SHA qw(sha512_base64);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $app = $certs->make_client('app', ca => $ca, san => ['URI:spiffe://prod/app']);
my $other = $certs->make_client('other', ca => $ca);
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca));
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN');

sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

sub login
{
	my ($user, $client) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => $user, client => $client // $app);

	return 'in' if $status == 0;
	return $err =~ /FATAL:\s+(?:client certificate|connection) was refused \((\w+)\)\s*$/ ? $1 : $err;
}

# A label of so many bytes that $app meets, and that nothing makes shorter.
sub make_label
{
	my ($length, $seed) = @_;
	my $label = 'uri=spiffe://prod/app';
	my $noise = join '', map { sha512_base64("$seed $_") } 1 .. 100;

	while (length $label < $length)
	{
		my $left = $length - length($label) - 5;
		my $take = $left > 1000 ? 900 : $left;

		$label .= ' uri=' . substr($noise, 0, $take, '');
	}
	die length $label if length $label != $length;
	return $label;
}

sub set_label
{
	my ($role, $label) = @_;
	my (undef, undef, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSECURITY LABEL FOR ext_ssl_guard ON ROLE $role IS '$label'");

	return $err;
}

# past the provider, as an older version of the library would have let it in
sub force_label
{
	my ($role, $label) = @_;

	$node->safe_psql('postgres', qq{
		SET allow_system_table_mods = on;
		DELETE FROM pg_shseclabel WHERE objoid = '$role'::regrole;
		INSERT INTO pg_shseclabel VALUES ('$role'::regrole, 'pg_authid'::regclass, 'ext_ssl_guard', '$label')});
	return;
}

# What fits is measured: text that cannot be compressed, of which pglz or lz4
# has nothing to spare.
my ($longest) = set_label('app', make_label(4000, 'x')) =~ /DETAIL:  It has 4000 bytes\. A login can read at most (\d+)\./;
ok($longest, 'a long label is refused, and the limit is said');
like(set_label('app', make_label($longest + 1, 'x')),
	qr/ERROR:  54000: security label for role "app" is too long/, "a label of @{[ $longest + 1 ]} bytes is refused");
foreach my $seed (1 .. 3)
{
	foreach my $length ($longest - 1, $longest)
	{
		is(set_label('app', make_label($length, $seed)), '', "$length bytes: taken");
		is(login('app'), 'in', "$length bytes: met");
		is(login('app', $other), 'role_label_mismatch', "$length bytes: not met");
	}
}
force_label('app', make_label($longest, 'y'));
is(login('app'), 'in', 'as long as it may be, not set through the provider');

# It is there, and stored outside of its row.
foreach my $role (qw(app exempt))
{
	force_label($role, make_label($longest + 1, 'z'));
}
my $offset = $node->log_end;
is(login('app'), 'role_label_mismatch', 'enforce: refused with its code');
like($node->log_since($offset), qr/requirement=label reason="the label cannot be read: it has @{[ $longest + 1 ]} bytes, more than $longest"/,
	'the log has the reason');
is($node->safe_psql('postgres',
	"SELECT source, identity, matched, rule FROM ssl_guard_identity_check('app', \$c\$" . ESG::Certs::slurp($app->{cert}) . "\$c\$) WHERE source <> 'cn'"),
	qq{role_label||f|"label" is not met: the label cannot be read: it has @{[ $longest + 1 ]} bytes, more than $longest
decision||f|role_label_mismatch: "label" is not met: the label cannot be read: it has @{[ $longest + 1 ]} bytes, more than $longest},
	'the dry run says the same');
my $hopeless = qq{no client can meet the security label of role "app": the label cannot be read: it has @{[ $longest + 1 ]} bytes, more than $longest};
my $hopeless_alarm = "WHERE code = 'role_label_unsatisfiable' AND object = 'role \"app\"'";
is($node->safe_psql('postgres', "SELECT message FROM ssl_guard_alarms $hopeless_alarm"), $hopeless, 'the login raised an alarm');
is($node->safe_psql('postgres', "SELECT message FROM ssl_guard_check() $hopeless_alarm"), $hopeless, 'and so does the check');
apply(exempt_roles => 'exempt');
is(login('exempt'), 'in', 'an exempt role gets in');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'and so does a Unix socket');
apply(role_label_check => 'warn');
$offset = $node->log_end;
is(login('app'), 'in', 'warn: gets in');
is($node->count_log(qr/WARNING:  login does not meet the security label of role "app"/, $offset), 1, 'warn: with a line');
apply(role_label_check => 'off');
is(login('app'), 'in', 'off: gets in');
apply(role_label_check => 'enforce');
is(set_label('app', 'tls'), '', 'it can be replaced');
is(login('app'), 'in', 'and then it is met');
is($node->safe_psql('postgres', "SELECT count(*) FROM ssl_guard_alarms $hopeless_alarm"), '0', 'which clears the alarm');
force_label('app', 'cn=app sn=1');
is(login('app'), 'role_label_mismatch', 'one that cannot be parsed: refused');
like($node->safe_psql('postgres', "SELECT message FROM ssl_guard_check() $hopeless_alarm"),
	qr/role "app": the label cannot be read: at character 8: /, 'and an alarm');

# Long, but it shrinks: where it came from, the server may have it in its row.
force_label('app', 'uri=spiffe://prod/app' . ' uri=spiffe://prod/none' x 99);
is(login('app'), 'in', 'a long label that was compressed in its row is read');
is(login('app', $other), 'role_label_mismatch', 'and not met by others');

$node->stop;
done_testing();

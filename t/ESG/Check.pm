# ESG::Check: what "ssl_guard_ctl check" says, and what the server says and does.
#
#   my ($status, $report) = ESG::Check::report('-D', $dir);    # JSON, decoded; with a summary in any case
#   my $codes = ESG::Check::codes($report, $dir);      # "path:position code", a line each, of what is in that directory
#   my $codes = ESG::Check::codes_of_views($node);     # the same of a server that runs
#   my $said = ESG::Check::foretold($summary);         # [ start, reload ]: 1 succeeds, 0 fails; [] if it is not said
#   ESG::Check::reload_succeeds($node), ESG::Check::start_succeeds($node);    # 1 or 0: tried
#   my $program = ESG::Check::stand_in(ssl_sni => 'on');    # for --postgres
#   ESG::Check::answer($program, ssl_sni => 'off');    # from now on
#
# The program that stands in is asked for each setting what the server's own says; it
# asks that only once, and not at all for those that are named: so a check of a
# configuration that stays the same is done soon, and one of PostgreSQL 19 anywhere.

package ESG::Check;

use strict;
use warnings;

use ESG::Certs;
use ESG::Ctl;
use PostgreSQL::Test::Utils ();

sub report
{
	my (@arguments) = @_;
	my ($status, $report, $err) = ESG::Ctl::report('check', @arguments);

	return ($status, $report // { summary => $err, objects => [] });
}

sub codes
{
	my ($report, $dir) = @_;
	my %found;

	foreach my $object (grep { $_->{kind} ne 'server' } @{ $report->{objects} })
	{
		my $name = $object->{name} . (defined $object->{position} ? ":$object->{position}" : '');

		$found{"$name $_->{code}"} = 1 foreach grep { $name =~ m{^\Q$dir\E} } @{ $object->{findings} };
	}
	return join("\n", sort keys %found);
}

sub codes_of_views
{
	my ($node) = @_;
	my $dir = $node->data_dir;

	return $node->safe_psql('postgres', <<"SQL");
SELECT DISTINCT o || ' ' || f COLLATE "C" FROM (
	SELECT path || ':' || position AS o, unnest(findings) AS f FROM ssl_guard_certificates
	UNION ALL SELECT path || ':' || position, unnest(findings) FROM ssl_guard_crls
	UNION ALL SELECT path, unnest(findings) FROM ssl_guard_files WHERE path LIKE '$dir%') x ORDER BY 1
SQL
}

sub foretold
{
	my ($said) = @_;

	return [ 1, 1 ] if $said =~ /^(?:\w+: )?the next start or reload would succeed/m;
	return [ 0, 0 ] if $said =~ /^(?:\w+: )?the next start would fail: .*; the next reload would fail: /m;
	return [ 0, 0 ] if $said =~ /^(?:\w+: )?the next start or reload would fail: /m;
	return [ 0, 1 ] if $said =~ /^(?:\w+: )?the next reload would succeed.*; the next start would fail: /m;
	return [ 1, 0 ] if $said =~ /^(?:\w+: )?the next start would succeed.*; the next reload would fail: /m;
	return [];
}

sub reload_succeeds
{
	my ($node) = @_;
	my $before = $node->safe_psql('postgres', "SELECT coalesce(last_reload_at::text, '') FROM ssl_guard_status");

	$node->reload;
	$node->wait_sql("SELECT coalesce(last_reload_at::text, '') <> '$before' FROM ssl_guard_status");
	return $node->safe_psql('postgres', 'SELECT last_reload_ok FROM ssl_guard_status') eq 't' ? 1 : 0;
}

# From a server that is down, which it is afterwards, too.
sub start_succeeds
{
	my ($node) = @_;
	my $started = $node->start(fail_ok => 1);

	$node->stop if $started;
	return $started ? 1 : 0;
}

sub stand_in
{
	my (%answers) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $bindir = `'$ENV{PG_CONFIG}' --bindir` =~ s/\n//r;

	answer("$dir/postgres", %answers);
	ESG::Certs::spew("$dir/postgres", <<"SH");
#!/bin/sh
case \$1 in
-C) answer='$dir'/\$2 ;;
*) answer='$dir'/version ;;
esac
if [ ! -e "\$answer.status" ]; then
	'$bindir/postgres' "\$@" >"\$answer.out" 2>"\$answer.err"
	echo \$? >"\$answer.status"
fi
while IFS= read -r line; do printf '%s\\n' "\$line"; done <"\$answer.out"
[ ! -s "\$answer.err" ] || cat "\$answer.err" >&2
read status <"\$answer.status"
exit "\$status"
SH
	chmod 0755, "$dir/postgres" or die "chmod: $!";
	return "$dir/postgres";
}

sub answer
{
	my ($program, %answers) = @_;
	my $dir = $program =~ s{/postgres\z}{}r;

	foreach my $name (keys %answers)
	{
		unlink "$dir/$name.err";
		ESG::Certs::spew("$dir/$name.out", "$answers{$name}\n");
		ESG::Certs::spew("$dir/$name.status", "0\n");
	}
	return;
}

1;

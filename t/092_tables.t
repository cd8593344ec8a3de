# The tables of the documentation are those of the running server: settings,
# findings, objects with their privileges, columns with their comments, and the
# reasons of failed handshakes.  Where one is not, the right one is printed.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Docs;
use ESG::Node;

my $node = ESG::Node->new('tables');
$node->setup;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE nobody_special');

my $of_extension = "d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ext_ssl_guard')";
my $separator = "\x1f";

# [[column, ...], ...]
sub query
{
	my ($sql) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-F', $separator ]);

	die "$sql: $err" if $ret;
	return map { [ split /$separator/, $_, -1 ] } split /\n/, $out;
}

sub compare
{
	my ($rows, $expected, $what) = @_;
	my $show = sub { join '', map { '| ' . join(' | ', @$_) . " |\n" } @{ $_[0] } };

	is_deeply([ map { [ @{$_}[ 0 .. $#{ $expected->[0] } ] ] } @$rows ], $expected, $what)
	  or diag("it should be:\n" . $show->($expected));
	return;
}

sub code { return "`$_[0]`"; }

# --- settings -------------------------------------------------------------------

# As SHOW shows a number of seconds.
sub show_seconds
{
	my ($seconds) = @_;

	foreach my $unit ([ 86400, 'd' ], [ 3600, 'h' ], [ 60, 'min' ])
	{
		return $seconds / $unit->[0] . $unit->[1] if $seconds > 0 && $seconds % $unit->[0] == 0;
	}
	return $seconds > 0 ? "${seconds}s" : '0';
}

# [default, range ('' for text), when a change counts] of a setting
sub describe_setting
{
	my ($type, $unit, $default, $min, $max, $values, $context) = @_;
	my $show = $unit eq 's' ? \&show_seconds : sub { $_[0] };
	my $range =
		$type eq 'integer' ? $show->($min) . ' .. ' . $show->($max)
	  : $type eq 'enum' ? $values
	  : $type eq 'bool' ? 'on, off'
	  :                   '';

	return [ $type eq 'string' && $default eq '' ? "''" : $show->($default), $range,
		$context eq 'postmaster' ? 'restart' : $context eq 'sighup' ? 'reload' : $context ];
}

sub compare_settings
{
	my %server = map { my ($name, @facts) = @$_; $name => describe_setting(@facts) } query(<<'SQL');
SELECT substr(name, 15), vartype, coalesce(unit, ''), boot_val, min_val, max_val, array_to_string(enumvals, ', '), context
FROM pg_settings WHERE name LIKE 'ext_ssl_guard.%'
SQL
	my @table = ESG::Docs->new('docs/settings.md')->table;

	is_deeply([ sort map { $_->[0] =~ tr/`//dr } @table ], [ sort keys %server ], 'each setting once');
	foreach my $row (@table)
	{
		my ($name, $default, $range, $change) = map { tr/`//dr } @$row;
		my $facts = $server{$name} or next;

		is("$default; $change", "$facts->[0]; $facts->[2]", "$name: default, and when a change counts");
		# pg_settings cannot say that there is a gap above 0: "0, 1s .. 1d"
		is($range =~ s/^0, \w+ /0 /r, $facts->[1], "$name: range") if $facts->[1] ne '';
	}
	return;
}

# --- findings -------------------------------------------------------------------

my %letter = (server => 'L', chain => 'I', ca => 'A', extra => 'X', client => 'C', crl => 'R', file => 'F', running => 'S');

# Words of the catalogue with letters for places, in the order of the document.
sub by_letter
{
	my ($separator, $text) = @_;
	my @words = map { s/^(\w+)/$letter{$1}/r } split /, /, $text;

	return join $separator, sort { index('LIAXCRFS', substr $a, 0, 1) <=> index('LIAXCRFS', substr $b, 0, 1) } @words;
}

# The first line of an entry, as the catalogue has it.
sub describe_finding
{
	my ($sqlstate, $severity, $others, $places, $enforceable) = @_;
	my $where = by_letter(' ', $places);

	$where =~ s/C|[FS]$/$&!/ if $enforceable eq 't';
	return "`$sqlstate` · $severity" . ($others ne '' ? ' (' . by_letter(', ', $others) . ')' : '') . " · $where";
}

sub compare_findings
{
	my $text = ESG::Docs->new('docs/findings.md')->{text};
	my %entry = $text =~ /^### (\w+)\n\n(`SG.*?)(?=^##|\z)/gms;
	my @catalogue = query('SELECT code, sqlstate, severity, other_grades, place, enforceable FROM ssl_guard_findings');

	cmp_ok(scalar @catalogue, '>', 70, 'there is a catalogue');
	is(join(' ', grep { !exists $entry{$_} } map { $_->[0] } @catalogue), '', 'each finding has an entry');
	is(scalar keys %entry, scalar @catalogue, 'and there is no other');
	foreach my $row (@catalogue)
	{
		my ($code, @facts) = @$row;
		my ($first) = ($entry{$code} // '') =~ /^(.*)/;

		is($first, describe_finding(@facts), "$code: SQLSTATE, severity, places");
		is(join(' ', grep { ($entry{$code} // '') !~ /^\* \*$_:\*/m } qw(Means Breaks Do)), '', "$code: what it means, breaks, and what to do");
	}
	return;
}

sub compare_reasons
{
	my $source_code = ESG::Docs::read_text('src/login/handshake.c');
	my ($list) = ESG::Docs->new('docs/clients.md')->{text} =~ /^Reasons: (.*?)\. /ms or die "docs/clients.md does not list the reasons of failed handshakes\n";
	my %reasons = map { $_ => 1 } $source_code =~ /X509_V_ERR_\w+,\s*"(\w+)"/g;

	cmp_ok(scalar keys %reasons, '>', 10, 'the source has reasons');
	is_deeply([ sort $list =~ /`(\w+)`/g ], [ sort keys %reasons, 'other' ], 'the reasons of failed handshakes');
	return;
}

# --- objects and columns ----------------------------------------------------------

# views, then functions that people call; with who may use them and the comment
sub compare_objects
{
	my @objects = map { [ code($_->[0]), $_->[1], $_->[2] ] } query(<<"SQL");
SELECT c.relname,
       CASE WHEN has_table_privilege('nobody_special', c.oid, 'SELECT') THEN 'PUBLIC'
            WHEN has_table_privilege('pg_monitor', c.oid, 'SELECT') THEN 'pg_monitor' ELSE 'superuser' END,
       obj_description(c.oid, 'pg_class')
FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE $of_extension AND c.relkind = 'v'
UNION ALL
SELECT p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
       CASE WHEN has_function_privilege('nobody_special', p.oid, 'EXECUTE') THEN 'PUBLIC'
            WHEN has_function_privilege('pg_monitor', p.oid, 'EXECUTE') THEN 'pg_monitor' ELSE 'superuser' END,
       obj_description(p.oid, 'pg_proc')
FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
WHERE $of_extension AND p.proname !~ '^ssl_guard_(list|read)_'
ORDER BY 1
SQL
	compare([ ESG::Docs->new('docs/sql.md')->table ], \@objects, 'each view and function, who may use it, what it shows');
	return;
}

sub compare_columns
{
	my $docs = ESG::Docs->new('docs/sql.md');
	my %columns;

	foreach my $row (query(<<"SQL"))
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE $of_extension AND c.relkind = 'v' ORDER BY c.relname, a.attnum
SQL
	{
		my ($view, $column, $type, $comment) = @$row;

		push @{ $columns{$view} }, [ code($column), $type, $comment ];
	}
	foreach my $view (sort keys %columns)
	{
		compare([ eval { $docs->table($view) } ], $columns{$view}, "$view: each column, its type and comment");
	}
	return;
}

# What functions return: the names of the columns, or the type.
sub compare_results
{
	my @results = map { [ code($_->[0]), $_->[1] ] } query(<<"SQL");
SELECT p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
       CASE WHEN p.prorettype = 'record'::regtype THEN
                (SELECT string_agg(name, ', ' ORDER BY n) FROM unnest(p.proargnames, p.proargmodes) WITH ORDINALITY AS a (name, mode, n)
                 WHERE mode = 'o')
            ELSE format_type(p.prorettype, NULL) END
FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
WHERE $of_extension AND p.proname !~ '^ssl_guard_(list|read)_' ORDER BY 1
SQL
	compare([ ESG::Docs->new('docs/sql.md')->table('Functions') ], \@results, 'what each function returns');
	return;
}

compare_settings();
compare_findings();
compare_reasons();
compare_objects();
compare_columns();
compare_results();
$node->stop;
done_testing();

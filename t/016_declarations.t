# Functions declared otherwise than the library means them: an error that names
# the remedy, never a crash.  The declarations are made from the catalog's, of
# each version of the script.

use strict;
use warnings;

use File::Basename qw(dirname);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $src = $ENV{SRC} // dirname(dirname(__FILE__));
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
my $pem = ESG::Certs::slurp($server->{cert});
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $server, crl => $certs->make_crl($ca, 'crl'), extension => 0);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE alice LOGIN');
$node->tcp_psql('SELECT 1', user => 'alice', client => $client);
my $postmaster = ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/ ? $1 : die;
my $offset = $node->log_end;

# Declares, calls, and takes everything back.
my $try = <<'SQL';
CREATE FUNCTION try(declaration text, call text, OUT state text, OUT message text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE declaration;
    EXECUTE call;
    RAISE EXCEPTION USING ERRCODE = 'ESGOK', MESSAGE = 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END $$;
CREATE TYPE half_severity AS ENUM ('ok', 'notice');
CREATE TYPE pair AS (a integer, b text);
SQL

# every C function of the extension: its symbol, arguments, result, columns
my $functions = <<'SQL';
SELECT p.oid::regprocedure, p.probin, p.prosrc, p.proisstrict, p.prorettype::regtype,
       oidvectortypes(p.proargtypes),
       CASE WHEN p.proallargtypes IS NOT NULL THEN
            (SELECT string_agg(quote_ident(n) || ' ' || t::regtype, ';' ORDER BY o)
               FROM unnest(p.proargnames, p.proallargtypes, p.proargmodes) WITH ORDINALITY AS a (n, t, m, o) WHERE m = 'o')
       ELSE (SELECT string_agg(quote_ident(attname) || ' ' || atttypid::regtype, ';' ORDER BY attnum)
               FROM pg_attribute WHERE attrelid = (SELECT typrelid FROM pg_type WHERE oid = p.prorettype) AND attnum > 0)
       END
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ext_ssl_guard'
 ORDER BY 1
SQL

sub read_functions
{
	my ($db) = @_;
	my @found;

	foreach my $line (split /\n/, $node->safe_psql($db, $functions))
	{
		my ($name, $library, $symbol, $strict, $result, $arguments, $columns) = split /\|/, $line, -1;

		push @found, {
			name => $name, library => $library, symbol => $symbol, result => $result,
			arguments => [ split /, /, $arguments ],
			columns => [ map { [ split / /, $_, 2 ] } split /;/, $columns ] };
	}
	return @found;
}

my %value = (name => "'postgres'", text => "\$pem\$$pem\$pem\$", bytea => "convert_to(\$pem\$$pem\$pem\$, 'UTF8')", integer => '1', 'text[]' => "'{x}'");

# (declaration, call); %new replaces arguments, columns, result or strict
sub declare
{
	my ($function, %new) = @_;
	my %f = (strict => 'STRICT', %$function, %new);
	my $result = $new{result} // (@{ $f{columns} } ? 'SETOF record' : $f{result});
	my @columns = $new{result} ? () : map { "OUT $_->[0] $_->[1]" } @{ $f{columns} };
	# one column alone is no record
	my $returns = @columns == 1 && $result eq 'SETOF record' ? 'SETOF ' . ($columns[0] =~ s/^OUT \S+ //r) : $result;
	my @values = map { $_ eq 'NULL' ? 'NULL' : $value{$_} . '::' . $_ } @{ $f{values} // $f{arguments} };
	# the second argument is a place
	$values[1] = "'server'::text" if $function->{name} =~ /inspect\(.*,/ && @values > 1 && $values[1] =~ /::text$/;
	# and this one's is a name
	$values[0] = "'transport'::text" if $function->{name} =~ /reset\(/ && @values > 0 && $values[0] =~ /::text$/;
	my $arguments = join ', ', @values;

	return (
		"CREATE FUNCTION tried(" . join(', ', @{ $f{arguments} }, @columns) . ") RETURNS $returns"
		  . " AS '$f{library}', '$f{symbol}' LANGUAGE C $f{strict}",
		($f{call} // 'SELECT * FROM') . " tried($arguments)" . ($f{as} // ''));
}

sub other_type { return $_[0] eq 'text' ? 'integer' : 'text'; }

# [what, declaration, call] of all that must be refused
sub wrong_columns
{
	my ($function) = @_;
	my @columns = @{ $function->{columns} };
	my @cases;

	foreach my $i (0 .. $#columns)
	{
		my ($name, $type) = @{ $columns[$i] };
		my @others = (other_type($type));

		push @others, 'half_severity' if $type eq 'ssl_guard_severity';
		push @others, 'pair' if $type eq 'ssl_guard_certificate';
		push @others, 'bigint', '"char"', 'bytea' if $type eq 'text';
		foreach my $other (@others)
		{
			my @wrong = map { [@$_] } @columns;

			$wrong[$i][1] = $other;
			push @cases, [ "$name $other", declare($function, columns => \@wrong) ];
		}
		my @renamed = map { [@$_] } @columns;
		$renamed[$i][0] = 'renamed';
		push @cases, [ "$name misnamed", declare($function, columns => \@renamed) ];
		push @cases, [ "$name missing", declare($function, columns => [ @columns[ grep { $_ != $i } 0 .. $#columns ] ]) ];
	}
	push @cases, [ 'one more', declare($function, columns => [ @columns, [ 'more', 'text' ] ]) ];
	push @cases, [ 'sixty more', declare($function, columns => [ @columns, map { [ "more$_", 'text' ] } 1 .. 60 ]) ];
	push @cases, [ 'by the caller', declare($function, result => 'SETOF record', as => ' AS t (code integer)') ];
	push @cases, [ 'one row', declare($function, result => 'record', call => 'SELECT') ];
	return @cases;
}

sub wrong_results
{
	my ($function) = @_;
	my $many = @{ $function->{columns} } > 0;
	my @cases;

	foreach my $result ('integer', 'text', 'SETOF text', 'SETOF pair', 'pair', 'void', 'text[]', 'ssl_guard_severity')
	{
		push @cases, [ "returns $result", declare($function, result => $result) ];
		push @cases, [ "selects $result", declare($function, result => $result, call => 'SELECT') ];
	}
	push @cases, [ 'returns a set', declare($function, result => "SETOF $function->{result}") ] unless $many;
	return @cases;
}

sub wrong_arguments
{
	my ($function) = @_;
	my @arguments = @{ $function->{arguments} };
	my @cases;

	foreach my $i (0 .. $#arguments)
	{
		foreach my $other (grep { $_ ne $arguments[$i] } qw(integer bytea text name text[]))
		{
			my @wrong = @arguments;

			$wrong[$i] = $other;
			push @cases, [ "argument $other", declare($function, arguments => \@wrong) ];
		}
		my @values = @arguments;
		$values[$i] = 'NULL';
		push @cases, [ 'argument NULL', declare($function, values => \@values, strict => '') ];
		push @cases, [ 'argument missing', declare($function, arguments => [ @arguments[ grep { $_ != $i } 0 .. $#arguments ] ]) ];
	}
	push @cases, [ 'argument more', declare($function, arguments => [ @arguments, 'integer' ]) ] if @arguments;
	return @cases;
}

sub quote { return '$quote$' . $_[0] . '$quote$'; }

# what each of the cases came to: [what, state, message, hint]
sub outcomes
{
	my ($db, @cases) = @_;
	my $values = join ",\n", map { '(' . join(', ', map { quote($_) } @$_) . ')' } @cases;

	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql($db,
		"SELECT c.what, t.state, t.message, t.hint FROM (VALUES $values) AS c (what, declaration, call), try(c.declaration, c.call) AS t");
}

# What is left of the rows when what moves is taken away.
sub rows
{
	my ($db, $from) = @_;

	return "(SELECT jsonb_agg(r ORDER BY r) FROM (SELECT CASE WHEN to_jsonb(f) ? 'certificate' THEN to_jsonb(f) #- '{certificate,expires_in}' ELSE to_jsonb(f) END"
	  . " - '{expires_in,occurrences,last_seen_at,next_check_at,last_check_at,modified}'::text[] AS r FROM $from AS f) AS s)";
}

foreach my $version ('1.0', '1.1')
{
	my $db = 'v' . $version =~ tr/./_/r;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION ext_ssl_guard VERSION '$version'; $try");
	my @functions = read_functions($db);
	my %symbols = map { $_->{symbol} => 1 } @functions;
	cmp_ok(scalar @functions, '>=', 13, "$version: the functions");
	foreach my $function (@functions)
	{
		my @cases = (wrong_results($function), wrong_arguments($function));

		push @cases, wrong_columns($function) if @{ $function->{columns} };
		my @outcomes = outcomes($db, @cases);
		my @bad = grep { $_->[1] ne '42804' || $_->[3] !~ /ALTER EXTENSION ext_ssl_guard UPDATE/ } @outcomes;

		is(scalar @outcomes, scalar @cases, "$version: $function->{name}: " . @cases . ' wrong declarations');
		is(join("\n", map { join ' | ', @$_ } @bad), '', "$version: $function->{name}: each is refused") or next;

		# and the right one is not, nor is one with its columns in another order
		my @twins = ([ 'as it is', declare($function) ]);
		push @twins, [ 'backwards', declare($function, columns => [ reverse @{ $function->{columns} } ]) ] if @{ $function->{columns} };
		push @twins, [ 'by the caller', declare($function, result => 'SETOF record',
			as => ' AS t (' . join(', ', map { "$_->[0] $_->[1]" } @{ $function->{columns} }) . ')') ] if @{ $function->{columns} };
		is(join(' ', map { $_->[1] } outcomes($db, @twins)), join(' ', ('ESGOK') x @twins), "$version: $function->{name}: the right ones are not")
		  or diag(explain([ outcomes($db, @twins) ]));
		next unless @{ $function->{columns} };
		my ($declaration, $call) = declare($function, columns => [ reverse @{ $function->{columns} } ]);
		my ($from) = $call =~ /FROM (.*)/s;
		my $original = $from =~ s/^tried/$function->{name} =~ s{\(.*}{}r/er;
		is($node->safe_psql($db, "$declaration; SELECT " . rows($db, $from) . ' IS NOT DISTINCT FROM ' . rows($db, $original) . '; DROP FUNCTION tried'),
			't', "$version: $function->{name}: and the order of the columns does not matter");
	}
	# no symbol of the library is left out: those of a script are all its functions
	my @exported = grep { /^ssl_guard_/ && (/_1_1$/ xor $version eq '1.0') } map { /^(\w+)/ } split /\n/, ESG::Certs::slurp("$src/src/exports.txt");
	is_deeply([ sort keys %symbols ], [ sort @exported ], "$version: all symbols were tried");
}

# Twice the same column of the library's cannot be declared; a type that has
# changed since is noticed, and a dropped attribute does no harm.
my $inspect = "SELECT common_name FROM ssl_guard_inspect(\$pem\$$pem\$pem\$)";
my $list = "SELECT string_agg(DISTINCT setting, ',') FROM ssl_guard_certificates";
$node->safe_psql('v1_1', 'ALTER TYPE ssl_guard_certificate ADD ATTRIBUTE note text');
foreach my $query ($inspect, $list)
{
	my (undef, undef, $err) = $node->psql('v1_1', "\\set VERBOSITY verbose\n$query");

	like($err, qr/ERROR:  42804: declaration of function ssl_guard_\w+\([\w,]*\) does not fit the library of ext_ssl_guard/, 'a column that the library does not know');
	like($err, qr/DETAIL:  Result column "note" is not one of the library's\.\nHINT:  Run ALTER EXTENSION ext_ssl_guard UPDATE\./, 'is named');
}
$node->safe_psql('v1_1', 'ALTER TYPE ssl_guard_certificate DROP ATTRIBUTE note');
is($node->safe_psql('v1_1', $inspect), 'localhost', 'and is gone again');
is($node->safe_psql('v1_1', $list), 'ssl_ca_file,ssl_cert_file', 'in the view, too');

is(ESG::Certs::slurp($node->path('postmaster.pid')) =~ /^(\d+)/ ? $1 : '', $postmaster, 'the server lives');
is($node->count_log(qr/terminated by signal|server process .* was terminated|PANIC/, $offset), 0, 'and no process of it died');
$node->stop;
done_testing();

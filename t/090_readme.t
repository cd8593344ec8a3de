# README.md says what is so: its examples are run in the order of the text, its
# tables are compared with the server and with the table of findings.
#
# What happens to a fenced block depends on its language:
#
#   conf   goes into postgresql.conf; the server restarts at the first one and
#          reloads at the others
#   sql    through psql, as the superuser
#   sh     through the shell, as the server's user
#   text   must equal what the block before it printed, up to normalize()
#
# Comments of the form <!-- test: ... --> change that for the block after them:
#
#   not run           is only read by people (installation: "make test" does it)
#   as ROLE           sql: with that role's rights
#   file NAME         conf: the content of this file (pg_hba.conf, pg_ident.conf)
#   log               text: lines of the server's log
#
# and stand for themselves as
#
#   login ROLE NAME           ROLE connects over TLS with the certificate NAME
#   refused login ROLE NAME   and is refused; a text block is what psql then says

use strict;
use warnings;

use Cwd qw(realpath);
use Test::More;
use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Node;

my $passphrase = 'open sesame';
my $source = $ENV{SRC} // '.';
my $readme = ESG::Certs::slurp("$source/README.md");
my $certs = ESG::Certs->new(realpath(PostgreSQL::Test::Utils::tempdir()));
my $scratch = realpath(PostgreSQL::Test::Utils::tempdir());
my $node = ESG::Node->new('readme');
my $ca = $certs->make_ca('ca', subject => '/CN=Example CA');
my %client = (
	billing => $certs->make_client('billing', ca => $ca, subject => '/CN=billing-7f9c', san => ['URI:spiffe://prod/billing']),
	expired => $certs->make_client('expired', ca => $ca, subject => '/CN=old-batch', days_left => -3));
my $server = $certs->make_server('server', ca => $ca, subject => '/CN=db1.example.com',
	san => ['DNS:db1.example.com'], days_left => 5.5);

# --- the text ----------------------------------------------------------------

# [{ kind => conf, sql, sh, text or login; text, line, marks }, ...]
sub read_blocks
{
	my (@blocks, @marks, $open);
	my $number = 0;

	foreach my $line (split /\n/, $readme)
	{
		$number++;
		if ($open)
		{
			$open->{text} .= "$line\n" unless $line eq '```';
			undef $open if $line eq '```';
		}
		elsif ($line =~ /^```(\w+)$/)
		{
			$open = { kind => $1, text => '', line => $number, marks => [@marks] };
			push @blocks, $open;
			@marks = ();
		}
		elsif ($line =~ /^<!-- test: (refused )?login (\w+) (\w+) -->$/)
		{
			push @blocks, { kind => 'login', role => $2, client => $3, status => $1 ? 2 : 0,
				text => '', line => $number, marks => [] };
		}
		elsif ($line =~ /^<!-- test: (.*?) -->$/)
		{
			push @marks, $1;
		}
		elsif ($line =~ /^```|<!--/)
		{
			die "README.md, line $number: the test does not understand \"$line\"\n";
		}
	}
	return \@blocks;
}

# The value of a block's mark: '' if it has none, the text after the first word,
# or 'yes' if there is none.
sub mark
{
	my ($block, $name) = @_;

	foreach my $mark (@{ $block->{marks} })
	{
		return $1 || 'yes' if $mark =~ /^\Q$name\E\s*(.*)$/;
	}
	return '';
}

# The rows of the table below a heading: [[cell, ...], ...]
sub read_table
{
	my ($heading) = @_;
	my ($section) = $readme =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms
	  or die "README.md has no section \"$heading\"\n";

	return map { [ map { s/^\s+|\s+$//gr } (split /(?<!\\)\|/, $_)[ 1 .. tr/|// - 1 ] ] }
	  grep { /^\| `/ } split /\n/, $section;
}

# --- what is the same on every machine ---------------------------------------

my @places = (
	[ '/srv/pg', $node->data_dir ], [ '/srv/pg', realpath($node->basedir) . '/pgdata' ],
	[ '/srv/certs', $certs->dir ], [ '/srv/tls', $scratch ]);

sub to_real
{
	my ($text) = @_;

	foreach my $place (@places)
	{
		$text =~ s/\Q$place->[0]\E(?![\w.-])/$place->[1]/g;
	}
	return $text;
}

sub normalize
{
	my ($text) = @_;

	foreach my $place (@places)
	{
		$text =~ s/\Q$place->[1]\E/$place->[0]/g;
	}
	$text =~ s/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d)?/DATE/g;
	$text =~ s/\b\d\d:\d\d:\d\d(\.\d+)?/TIME/g;
	$text =~ s/\b[0-9a-f]{64}\b|\b[0-9a-f]{4,}…/FINGERPRINT/g;
	$text =~ s/\b[0-9A-F]{16}\b/SERIAL/g;
	$text =~ s/\bport \d+/port PORT/g;
	# psql's columns are as wide as the paths in them
	$text =~ s/-{2,}/--/g;
	$text =~ s/[ \t]+/ /g;
	$text =~ s/ ?\n/\n/g;
	return $text =~ s/\n+\z//r;
}

# --- running it ---------------------------------------------------------------

# Until the worker has checked with the configuration as it is now.
sub settle
{
	$node->wait_sql("SELECT last_check_at > pg_conf_load_time() AND worker_pid IS NOT NULL FROM ssl_guard_status");
	return;
}

my $reloads = 0;

sub reload
{
	$reloads++;
	$node->append_conf('postgresql.conf', "esg_readme.reload = '$reloads'");
	$node->reload;
	$node->wait_sql('SHOW esg_readme.reload', $reloads);
	settle();
	return;
}

sub run_conf
{
	my ($block) = @_;
	my $file = mark($block, 'file') || 'postgresql.conf';
	my $text = to_real($block->{text});

	if ($file eq 'pg_hba.conf')
	{
		$node->set_hba(split /\n/, $text);
	}
	elsif ($file eq 'pg_ident.conf')
	{
		ESG::Certs::spew($node->path($file), $text);
	}
	else
	{
		$node->append_conf($file, $text);
	}
	if ($text =~ /^shared_preload_libraries/m)
	{
		$node->restart;
	}
	else
	{
		reload();
	}
	return (0, '');
}

# (exit status, what was printed); the input is a file, since a program that
# does not read a pipe to its end would break it
sub run_program
{
	my ($input, @command) = @_;
	my $file = ESG::Certs::spew($certs->dir . '/input', $input);
	my $said = '';

	IPC::Run::run(\@command, '<', $file, '>&', \$said);
	return ($? >> 8, $said);
}

sub run_sql
{
	my ($block) = @_;
	my $role = mark($block, 'as');
	my @psql = ('psql', '-X', '-q', '-P', 'pager=off', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'));
	my @result = run_program(($role ? "SET ROLE $role;\n" : '') . to_real($block->{text}), @psql);

	settle() if $block->{text} =~ /CREATE EXTENSION/;
	return @result;
}

sub run_sh
{
	my ($block) = @_;

	return run_program("$passphrase\n", 'sh', '-e', '-c', to_real($block->{text}));
}

sub run_login
{
	my ($block) = @_;
	my $client = $client{ $block->{client} }
	  or die "README.md, line $block->{line}: no certificate \"$block->{client}\"\n";

	local $ENV{PGPASSWORD} = 'secret';
	return run_program('', 'psql', '-X', '-w', '-q', '-c', 'SELECT session_user', '-d',
		$node->tcp(user => $block->{role}, client => $client));
}

sub has_log
{
	my ($text) = @_;
	my $wanted = normalize($text);
	my $log;

	foreach my $try (1 .. 200)
	{
		$log = normalize($node->log_since(0));
		return 1 if index("\n$log\n", "\n$wanted\n") >= 0;
		sleep 0.1;
	}
	diag("the log has:\n$log");
	return 0;
}

sub run_blocks
{
	my %run = (conf => \&run_conf, sql => \&run_sql, sh => \&run_sh, login => \&run_login);
	my ($status, $said) = (0, '');

	foreach my $block (@_)
	{
		my $where = "line $block->{line}";

		next if mark($block, 'not run');
		if ($block->{kind} eq 'text' && mark($block, 'log'))
		{
			ok(has_log($block->{text}), "$where: the log says so");
		}
		elsif ($block->{kind} eq 'text')
		{
			is(normalize($said), normalize($block->{text}), "$where: that is what it prints");
			note("printed:\n$said");
		}
		elsif (my $run = $run{ $block->{kind} })
		{
			($status, $said) = $run->($block);
			is($status, $block->{status} // 0, "$where: $block->{kind}") or diag($said);
		}
		else
		{
			fail("$where: a block of unknown kind \"$block->{kind}\"");
		}
	}
	return;
}

# --- the tables ---------------------------------------------------------------

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

# [default, range, when a change counts] of a setting, from the server
sub describe_setting
{
	my ($row) = @_;
	my ($type, $unit, $default, $min, $max, $values, $context) = @$row;
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
	my %server;
	my $rows = $node->safe_psql('postgres',
		"SELECT substr(name, 15), vartype, coalesce(unit, ''), boot_val, min_val, max_val,
			array_to_string(enumvals, ', '), context
		 FROM pg_settings WHERE name LIKE 'ext_ssl_guard.%'");
	my @table = read_table('Settings');

	foreach my $row (split /\n/, $rows)
	{
		my ($name, @facts) = split /\|/, $row, -1;

		$server{$name} = describe_setting(\@facts);
	}
	is_deeply([ sort map { $_->[0] =~ tr/`//dr } @table ], [ sort keys %server ], 'each setting once');
	foreach my $row (@table)
	{
		my ($name, $default, $range, $change) = map { tr/`//dr } @$row;
		my $facts = $server{$name} or next;

		is("$default; $change", "$facts->[0]; $facts->[2]", "$name: default, and when a change counts");
		is($range, $facts->[1], "$name: range") if $facts->[1] ne '';
	}
	return;
}

# the letters of README of places in words
sub place_letters
{
	my %letters = (server => 'L', chain => 'I', ca => 'A', extra => 'X', client => 'C', crl => 'R', file => 'F', running => 'S');

	return map { $letters{$_} } split /, /, $_[0];
}

# Is that a sentence of the finding with this message?
sub says
{
	my ($message, $sentence) = @_;
	my $pattern = join '.+', map { quotemeta } split /%s/, $message, -1;

	# "is %s" says too little
	return length($message) > 8 &&
	  $sentence =~ /^((client certificate|certificate|CRL of|file) "[^"]+" (in file "[^"]+" )?)?$pattern$/;
}

sub compare_findings
{
	my (%source, @messages);

	foreach my $row (split /\n/, `'$ENV{SANDBOX}/unit/list_findings'`)
	{
		my ($name, $state, $severity, $except, $other, $places, $enforced, $message) = split /\t/, $row;
		my %where = map { $_ => 1 } place_letters($places);
		my %refused = map { $_ => 1 } place_letters($enforced);

		$severity .= ' (' . join(' ', place_letters($except)) . ": $other)" if $except ne '';
		$source{$name} = "$state, $severity, " . join ' ',
		  map { $_ . ($refused{$_} && /[CFS]/ ? '!' : '') } grep { $where{$_} } split //, 'LIAXCRFS';
		push @messages, $message;
	}
	cmp_ok(scalar keys %source, '>', 70, 'the table of findings could be read');

	my @rows = read_table('Finding codes');
	my %readme = map { $_->[0] =~ tr/`//dr => "$_->[1], $_->[2], $_->[3]" } @rows;
	is_deeply(\%readme, \%source, 'each code with its SQLSTATE, severity and place');
	is(scalar @rows, scalar keys %readme, 'and once');
	is(scalar(grep { length $_->[4] < 5 } @rows), 0, 'and a remedy');

	# the sentences in "What it catches" are those of the table
	foreach my $row (split /\n/, $readme =~ /^## What it catches\n(.*?)^## /ms ? $1 : '')
	{
		my ($sentence) = $row =~ /\| `([^`]*)` \|$/ or next;

		ok((grep { says($_, $sentence) } @messages), "a finding says: $sentence");
	}
	return;
}

sub compare_reasons
{
	my $source_code = ESG::Certs::slurp("$source/src/login/handshake.c");
	my ($list) = $readme =~ /^Reasons: (.*?)\. /ms or die "README.md does not list the reasons of failed handshakes\n";
	my %reasons = map { $_ => 1 } $source_code =~ /\{X509_V_ERR_\w+, "(\w+)"/g;

	is_deeply([ sort $list =~ /`(\w+)`/g ], [ sort keys %reasons, 'other' ], 'the reasons of failed handshakes');
	return;
}

sub compare_objects
{
	my %server = map { split /\|/ } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT CASE WHEN c.oid IS NOT NULL THEN c.relname
            ELSE p.proname || '(' || oidvectortypes(p.proargtypes) || ')' END,
       CASE WHEN c.oid IS NOT NULL THEN
                CASE WHEN has_table_privilege('nobody_special', c.oid, 'SELECT') THEN 'PUBLIC'
                     WHEN has_table_privilege('pg_monitor', c.oid, 'SELECT') THEN 'pg_monitor' ELSE 'superuser' END
            WHEN has_function_privilege('nobody_special', p.oid, 'EXECUTE') THEN 'PUBLIC'
            WHEN has_function_privilege('pg_monitor', p.oid, 'EXECUTE') THEN 'pg_monitor' ELSE 'superuser' END
FROM pg_depend d
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'v'
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
	AND p.proname !~ '^ssl_guard_(list|read)_'
WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ext_ssl_guard')
	AND (c.oid IS NOT NULL OR p.oid IS NOT NULL)
SQL
	my %readme = map { $_->[0] =~ tr/`//dr => $_->[1] =~ tr/`//dr } read_table('SQL objects and privileges');

	is_deeply(\%readme, \%server, 'each view and function, and who may use it');
	return;
}

sub check_links
{
	foreach my $target ($readme =~ /\]\(([^)#]+)\)/g)
	{
		ok($target =~ m{^https://} || -e "$source/$target", "link to $target");
	}
	my %anchors = map { lc($_) =~ s/[^\w -]//gr =~ tr/ /-/r => 1 } $readme =~ /^#+ (.*)$/mg;
	foreach my $anchor ($readme =~ /\]\(#([^)]+)\)/g)
	{
		ok($anchors{$anchor}, "section $anchor");
	}
	return;
}

# --- go -------------------------------------------------------------------------

$certs->make_key("$scratch/server.key", 'rsa:2048', passphrase => $passphrase);
$node->setup(ca => $ca, server => $server, preload => '', conf => "log_line_prefix = ''\nlog_min_messages = info");
chmod 0666, $node->path('root.crt') or die "chmod: $!";
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE nobody_special;
SET password_encryption = 'scram-sha-256';
CREATE ROLE billing LOGIN PASSWORD 'secret';
CREATE ROLE reports LOGIN PASSWORD 'secret';
SQL

my $blocks = read_blocks();
cmp_ok(scalar(grep { $_->{kind} =~ /^(sql|conf)$/ && !mark($_, 'not run') } @$blocks), '>=', 10, 'README.md has examples');
run_blocks(@$blocks);
compare_settings();
compare_findings();
compare_reasons();
compare_objects();
check_links();

$node->stop;
done_testing();

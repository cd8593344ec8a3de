# ESG::Docs: runs what a Markdown file shows.
#
#   ESG::Docs->new('docs/log.md')->run;      # one test per block, and more
#   ESG::Docs->new('docs/log.md')->strays;   # what would not be run: lines
#
# A fenced block is run, in the order of the text.  What is done with it depends
# on its language:
#
#   conf   goes into postgresql.conf; the server restarts if it names
#          shared_preload_libraries or listen_addresses, else it reloads
#   sql    through psql, as the superuser
#   sh     through bash, as the server's user; psql reaches the server by itself
#   text   must equal what the block before it printed, up to normalize()
#
# A block of another language, or without one, is a failure, and so is code that
# is indented: it would not be run.  Comments of the form <!-- test: ... -->
# change what is done with the block after them:
#
#   not run: REASON   only read by people; the reason is printed
#   as ROLE           sql: with that role's rights
#   file NAME         conf: the content of this file (pg_hba.conf, pg_ident.conf)
#   script PATH       sh: written to that file and made executable, not run
#   log               text: lines of the server's log
#
# and stand for themselves as
#
#   fixture NAME              a fresh server, see %fixture; before the first block that is run
#   login ROLE NAME …         ROLE connects over TLS with the certificate NAME ("none": without), and with what
#                             else of a connection string follows
#   refused login ROLE NAME … and is refused; a text block is what psql then says
#   fault CODE                makes that fault, see ESG::Faults; the alarm must stand
#   mended CODE               and now it must be gone
#   prepare NAME              what ESG::Faults has under that name, without an alarm
#   CA signs REQUEST CERT     the example CA answers a certificate request
#
# Paths are those of an imaginary host: /srv/pg is the data directory, /srv/certs
# has certificates of clients and CAs, /srv/tls is empty but for an encrypted
# server.key, and /srv/log/postgresql.log is the server's log.

package ESG::Docs;

use strict;
use warnings;

use Cwd qw(realpath);
use IPC::Run ();
use Test::More;
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Utils ();

use ESG::Certs;
use ESG::Faults;
use ESG::Node;

my $passphrase = 'open sesame';
my $nodes = 0;

# What the fixtures differ in: server => options of make_server, mode => of
# root.crt, and options of ESG::Node::setup.
my %fixture = (
	# not loaded yet: two faults wait to be found
	new => { server => { days_left => 5.5 }, mode => 0666, preload => '' },
	faulty => { server => { days_left => 5.5 }, mode => 0666 },
	sound => { crl => 1 },
	encrypted => { server => { passphrase => $passphrase }, conf => "ssl_passphrase_command = 'echo $passphrase'" },
);

# --- the text ----------------------------------------------------------------

sub source { return $ENV{SRC} // '.'; }

sub read_text
{
	my ($file) = @_;

	return ESG::Certs::slurp(source() . "/$file");
}

# One line that is not in a block: a mark for the next one, a step of its own, or prose.
sub read_line
{
	my ($self, $line, $number, $marks) = @_;

	if ($line =~ /^<!-- test: ((?:not run|as|file|script|log)\b.*?) -->$/)
	{
		push @$marks, $1;
	}
	elsif ($line =~ /^<!-- test: (fixture|(?:refused )?login|fault|mended|prepare|CA signs) (.*?) -->$/)
	{
		push @{ $self->{blocks} }, { kind => $1, words => [ split ' ', $2 ], text => '', line => $number, marks => [] };
	}
	elsif ($line =~ /^\s*```|<!-- test:/ || ($self->{after_blank} && $line =~ /^(?:    |\t)\s*\S/))
	{
		push @{ $self->{blocks} }, { kind => "\"$line\"", text => '', line => $number, marks => [] };
	}
	$self->{after_blank} = $line eq '';
	return;
}

# [{ kind => language or step, text, line, marks, words }, ...]
sub read_blocks
{
	my ($self) = @_;
	my (@marks, $open);
	my $number = 0;

	$self->{blocks} = [];
	foreach my $line (split /\n/, $self->{text})
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
			push @{ $self->{blocks} }, $open;
			@marks = ();
		}
		else
		{
			$self->read_line($line, $number, \@marks);
		}
	}
	return;
}

sub new
{
	my ($class, $file, $text) = @_;
	my $self = bless { file => $file, text => $text // read_text($file), reloads => 0, said => '' }, $class;

	$self->read_blocks;
	return $self;
}

my %is_step = map { $_ => 1 }
  ('conf', 'sql', 'sh', 'text', 'login', 'refused login', 'CA signs', 'fixture', 'fault', 'mended', 'prepare');

# The numbers of the lines with code that nothing is done with.
sub strays
{
	my ($self) = @_;

	return map { $_->{line} } grep { !$is_step{ $_->{kind} } && !mark($_, 'not run') } @{ $self->{blocks} };
}

# The value of a block's mark: '' if it has none, the text after its name, or
# 'yes' if there is none.
sub mark
{
	my ($block, $name) = @_;

	foreach my $mark (@{ $block->{marks} })
	{
		return $1 || 'yes' if $mark =~ /^\Q$name\E:?\s*(.*)$/;
	}
	return '';
}

# The rows of the table below a heading, or of the first one: [[cell, ...], ...]
sub table
{
	my ($self, $heading) = @_;
	my $text = $self->{text};

	if (defined $heading)
	{
		($text) = $text =~ /^#+ \Q$heading\E\n(.*?)(?=^#|\z)/ms
		  or die "$self->{file} has no section \"$heading\"\n";
	}
	($text) = $text =~ /((?:^\|[^\n]*\n)+)/m or die "$self->{file} has no table\n";
	my @rows = split /\n/, $text;
	return map { [ map { s/^\s+|\s+$//gr } (split /(?<!\\)\|/, $_)[ 1 .. tr/|// - 1 ] ] } @rows[ 2 .. $#rows ];
}

# --- the server ---------------------------------------------------------------

sub make_certs
{
	my ($self, $options) = @_;
	my $certs = $self->{certs} = ESG::Certs->new(realpath(PostgreSQL::Test::Utils::tempdir()));
	my $ca = $self->{ca} = $certs->make_ca('ca', subject => '/CN=Example CA');

	$self->{client} = {
		none => undef,
		billing => $certs->make_client('billing', ca => $ca, subject => '/CN=billing-7f9c', san => ['URI:spiffe://prod/billing']),
		expired => $certs->make_client('expired', ca => $ca, subject => '/CN=old-batch', days_left => -3) };
	$self->{server} = $certs->make_server('server', ca => $ca, subject => '/CN=db1.example.com',
		san => ['DNS:db1.example.com'], %{ $options->{server} // {} });
	return;
}

sub start_fixture
{
	my ($self, $name) = @_;
	my $options = $fixture{$name} or die "$self->{file}: there is no fixture \"$name\"\n";

	$self->stop;
	$self->make_certs($options);
	my $scratch = realpath(PostgreSQL::Test::Utils::tempdir());
	my $node = $self->{node} = ESG::Node->new('docs' . ++$nodes);
	$self->{certs}->make_key("$scratch/server.key", 'rsa:2048', passphrase => $passphrase);
	$node->setup(
		ca => $self->{ca},
		server => $self->{server},
		preload => $options->{preload} // 'ext_ssl_guard',
		hba => [ 'hostssl all all 127.0.0.1/32 scram-sha-256' ],
		($options->{crl} ? (crl => $self->{certs}->make_crl($self->{ca}, 'ca', next_update => 300 * 86400)) : ()),
		conf => join("\n", "log_line_prefix = ''", 'log_min_messages = info', "ext_ssl_guard.file_poll_interval = '1s'", $options->{conf} // ''));
	chmod $options->{mode} // 0644, $node->path('root.crt') or die "chmod: $!";
	$node->start;
	$node->safe_psql('postgres', <<'SQL');
CREATE ROLE nobody_special;
SET password_encryption = 'scram-sha-256';
CREATE ROLE billing LOGIN PASSWORD 'secret';
CREATE ROLE reports LOGIN PASSWORD 'secret';
SQL
	$self->{options} = $options;
	$self->{places} = [
		[ '/srv/pg', $node->data_dir ], [ '/srv/pg', realpath($node->basedir) . '/pgdata' ],
		[ '/srv/certs', $self->{certs}->dir ], [ '/srv/tls', $scratch ],
		[ '/srv/log/postgresql.log', $node->logfile ] ];
	$self->settle if !defined $options->{preload};
	return (0, '');
}

sub stop
{
	my ($self) = @_;

	$self->{node}->stop if $self->{node};
	delete $self->{node};
	return;
}

sub node { return $_[0]->{node}; }

sub passphrase { return $passphrase; }

sub wait_for
{
	my ($self, $query) = @_;

	return if $self->node->wait_sql($query) eq 't';
	die "$self->{file}: waited in vain for: $query\n";
}

# Until the worker has checked with the configuration and files as they are now.
sub settle
{
	my ($self) = @_;

	$self->wait_for(<<'SQL');
SELECT last_check_at > greatest(pg_conf_load_time(), last_reload_at) AND worker_pid IS NOT NULL FROM ssl_guard_status
SQL
	return;
}

# --- what is the same on every machine ---------------------------------------

sub to_real
{
	my ($self, $text) = @_;

	foreach my $place (@{ $self->{places} })
	{
		$text =~ s/\Q$place->[0]\E(?![\w.-])/$place->[1]/g;
	}
	return $text;
}

sub normalize
{
	my ($self, $text) = @_;

	foreach my $place (@{ $self->{places} })
	{
		$text =~ s/\Q$place->[1]\E/$place->[0]/g;
	}
	$text =~ s/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d)?/DATE/g;
	$text =~ s/\b\d\d:\d\d:\d\d(\.\d+)?/TIME/g;
	$text =~ s/\b[0-9a-f]{64}\b|\b[0-9a-f]{4,}…/FINGERPRINT/g;
	$text =~ s/\b[0-9A-F]{16}\b/SERIAL/g;
	$text =~ s/\bport \d+/port PORT/g;
	# the name that PostgreSQL::Test::Cluster gives each server
	$text =~ s/ cluster=docs\d+$//gm;
	# psql's columns are as wide as the paths in them
	$text =~ s/-{2,}/--/g;
	$text =~ s/[ \t]+/ /g;
	$text =~ s/ ?\n/\n/g;
	return $text =~ s/\n+\z//r;
}

# --- running it ---------------------------------------------------------------

# (exit status, what was printed); the input is a file, since a program that
# does not read a pipe to its end would break it
sub run_program
{
	my ($self, $input, @command) = @_;
	my $file = ESG::Certs::spew($self->{certs}->dir . '/input', $input);
	my $said = '';

	IPC::Run::run(\@command, '<', $file, '>&', \$said);
	return ($? >> 8, $said);
}

# Reloads, and waits until the new text counts.
sub reload
{
	my ($self) = @_;

	$self->{reloads}++;
	$self->node->append_conf('postgresql.conf', "esg_docs.reload = '$self->{reloads}'");
	$self->node->reload;
	$self->wait_for("SELECT current_setting('esg_docs.reload') = '$self->{reloads}'");
	$self->settle;
	return;
}

# Once the extension is there it has looked when it returns.
sub restart
{
	my ($self) = @_;
	my $node = $self->node;

	$node->restart;
	$self->settle if $node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'ext_ssl_guard'");
	return;
}

sub run_conf
{
	my ($self, $block) = @_;
	my $node = $self->node;
	my $file = mark($block, 'file') || 'postgresql.conf';
	my $text = $self->to_real($block->{text});

	if ($file eq 'pg_hba.conf') { $node->set_hba(split /\n/, $text); }
	elsif ($file ne 'postgresql.conf') { ESG::Certs::spew($node->path($file), $text); }
	else { $node->append_conf($file, $text); }
	if ($text =~ /^(?:shared_preload_libraries|listen_addresses)/m) { $self->restart; }
	else { $self->reload; }
	return (0, '');
}

# A block that reloads the server has done so when the next one begins.
sub around_reload
{
	my ($self, $text, $run) = @_;
	my $node = $self->node;

	return $run->() if $text !~ /\breload\b|pg_reload_conf/;
	my $before = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');
	my @result = $run->();
	$self->wait_for("SELECT pg_conf_load_time() > '$before'");
	$self->settle;
	return @result;
}

sub run_sql
{
	my ($self, $block) = @_;
	my $role = mark($block, 'as');
	my @psql = ('psql', '-X', '-q', '-P', 'pager=off', '-v', 'ON_ERROR_STOP=1', '-d', $self->node->connstr('postgres'));
	my @result = $self->around_reload($block->{text},
		sub { $self->run_program(($role ? "SET ROLE $role;\n" : '') . $self->to_real($block->{text}), @psql) });

	$self->settle if $block->{text} =~ /CREATE EXTENSION/;
	return @result;
}

sub run_sh
{
	my ($self, $block) = @_;
	my $node = $self->node;
	my $text = $self->to_real($block->{text});
	my $script = mark($block, 'script');

	if ($script)
	{
		chmod 0755, ESG::Certs::spew($self->to_real($script), $text) or die "chmod: $!";
		return (0, '');
	}
	local @ENV{qw(PGHOST PGPORT PGDATABASE PGDATA)} = ($node->host, $node->port, 'postgres', $node->data_dir);
	return $self->around_reload($text, sub { $self->run_program("$passphrase\n", 'bash', '-e', '-o', 'pipefail', '-c', $text) });
}

sub run_login
{
	my ($self, $block) = @_;
	my ($role, $client, @options) = @{ $block->{words} };

	exists $self->{client}{$client} or die "$self->{file}, line $block->{line}: no certificate \"$client\"\n";
	local $ENV{PGPASSWORD} = 'secret';
	return $self->run_program('', 'psql', '-X', '-w', '-q', '-c', 'SELECT session_user', '-d',
		$self->node->tcp(user => $role, client => $self->{client}{$client}, more => join(' ', @options)));
}

sub run_ca
{
	my ($self, $block) = @_;
	my ($request, $cert) = map { $self->to_real($_) } @{ $block->{words} };

	$self->{certs}->sign_request($self->{ca}, $request, $cert);
	return (0, '');
}

sub has_log
{
	my ($self, $text) = @_;
	my $wanted = $self->normalize($text);
	my $until = time + 20;
	my $log;

	do
	{
		$log = $self->normalize($self->node->log_since(0));
		return 1 if index("\n$log\n", "\n$wanted\n") >= 0;
		sleep 0.1;
	} while (time < $until);
	diag("the log has:\n$log");
	return 0;
}

sub run_step
{
	my ($self, $block) = @_;
	my $kind = $block->{kind};
	my %run = (conf => \&run_conf, sql => \&run_sql, sh => \&run_sh, login => \&run_login,
		'refused login' => \&run_login, 'CA signs' => \&run_ca,
		fixture => sub { $_[0]->start_fixture($_[1]{words}[0]) },
		fault => sub { ESG::Faults::make($_[0], $_[1]{words}[0]) },
		mended => sub { ESG::Faults::mended($_[0], $_[1]{words}[0]) },
		prepare => sub { ESG::Faults::prepare($_[0], $_[1]{words}[0]) });
	my $run = $run{$kind} or return;
	my $name = "$self->{file}, line $block->{line}: $kind";

	return fail("$name: no fixture yet") unless $self->{node} || $kind eq 'fixture';
	(my $status, $self->{said}) = $run->($self, $block);
	return is($status, $kind =~ /^refused/ ? 2 : 0, $name) || diag($self->{said});
}

# One block; returns whether it was run, and not only read.
sub run_block
{
	my ($self, $block) = @_;
	my $where = "$self->{file}, line $block->{line}";
	my $reason = mark($block, 'not run');

	if ($reason)
	{
		isnt($reason, 'yes', "$where: not run: $reason");
		return 0;
	}
	if ($block->{kind} ne 'text')
	{
		$self->run_step($block);
	}
	elsif (ESG::Node::exec_backend() && $block->{text} =~ /^LOG:  TLS refused client certificate|^ reason +\| +subject/)
	{
		pass("$where: failed handshakes are not seen with EXEC_BACKEND");
	}
	elsif (mark($block, 'log'))
	{
		ok($self->has_log($block->{text}), "$where: the log says so");
	}
	else
	{
		is($self->normalize($self->{said}), $self->normalize($block->{text}), "$where: that is what it prints");
		note("printed:\n$self->{said}");
	}
	return 1;
}

# All of them; returns how many were run.
sub run
{
	my ($self) = @_;
	my $count = 0;

	is(join(' ', $self->strays), '', "$self->{file}: no line with code that is not run");
	$count += $self->run_block($_) foreach @{ $self->{blocks} };
	return $count;
}

1;

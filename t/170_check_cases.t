# ssl_guard_ctl check finds what the server finds, case by case of the catalogue of
# faults: the same codes for the same objects as the views, whether the server's
# reload succeeds, and for single files what ssl_guard_inspect says.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Node;

ESG::Cases::begin(ESG::Certs->new);
my $node = ESG::Node->new('main');
my %good = (ESG::Cases::good(), 'root.crl' => ESG::Cases::text($ESG::Cases::crl));

$node->setup(ca => $ESG::Cases::ca, server => $ESG::Cases::server, crl => $ESG::Cases::crl,
	conf => "ext_ssl_guard.learn_renewals = off\next_ssl_guard.self_probe = off\next_ssl_guard.file_poll_interval = 0");
$node->start;

my $bindir = `'$ENV{PG_CONFIG}' --bindir` =~ s/\n//r;
my $data = $node->data_dir;

# [exit status, what it says in JSON]
sub check
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'ssl_guard_ctl', 'check', '--format', 'json', @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	my $status = $? >> 8;
	return ($status, eval { decode_json($out) } // { summary => "$out$err", objects => [] });
}

# "file:position code" of each finding, directories outside of the data directory left out
sub codes
{
	my ($said) = @_;
	my %found;

	foreach my $object (@{ $said->{objects} })
	{
		my $name = $object->{name} . (defined $object->{position} ? ":$object->{position}" : '');

		$found{"$name $_->{code}"} = 1 foreach grep { $name =~ m{^\Q$data\E} } @{ $object->{findings} };
	}
	return join("\n", sort keys %found);
}

sub views
{
	return $node->safe_psql('postgres', <<"SQL");
SELECT DISTINCT o || ' ' || f COLLATE "C" FROM (
	SELECT path || ':' || position AS o, unnest(findings) AS f FROM ssl_guard_certificates
	UNION ALL SELECT path || ':' || position, unnest(findings) FROM ssl_guard_crls
	UNION ALL SELECT path, unnest(findings) FROM ssl_guard_files WHERE path LIKE '$data%') x ORDER BY 1
SQL
}

sub lay
{
	my ($case) = @_;

	foreach my $file (sort keys %good)
	{
		my $text = exists $case->{$file} ? $case->{$file} : $good{$file};

		unlink $node->path($file);
		next unless defined $text;
		ESG::Certs::spew($node->path($file), $text);
		chmod $file =~ /key/ ? 0600 : 0644, $node->path($file) or die "chmod: $!";
	}
	chmod $case->{mode}[0], $node->path($case->{mode}[1]) or die "chmod: $!" if $case->{mode};
	return;
}

sub reload_succeeds
{
	my $before = $node->safe_psql('postgres', 'SELECT coalesce(last_reload_at::text, \'\') FROM ssl_guard_status');

	$node->reload;
	$node->wait_sql("SELECT coalesce(last_reload_at::text, '') <> '$before' FROM ssl_guard_status");
	return $node->safe_psql('postgres', 'SELECT last_reload_ok FROM ssl_guard_status') eq 't';
}

my @severities = ('ok', 'notice', 'warning', 'critical');
my $count = 0;

sub try_case
{
	my ($name, $make) = @_;
	my $case = eval { $make->() };

	return note("$name: this openssl does not make it") unless $case;
	lay($case);
	my ($status, $said) = check('-D', $data);

	$count++;
	is(codes($said), views(), "$name: the same codes as in the views");
	is($said->{summary} =~ /^the next (start or )?reload would succeed/ ? 1 : 0, reload_succeeds() ? 1 : 0, "$name: the server's reload")
	  or diag($said->{summary});
	my $worst = $node->safe_psql('postgres', <<"SQL");
SELECT coalesce(max(severity)::text, 'ok') FROM (SELECT severity FROM ssl_guard_certificates
	UNION ALL SELECT severity FROM ssl_guard_crls UNION ALL SELECT severity FROM ssl_guard_files) s
SQL
	cmp_ok($status, '>=', { ok => 0, notice => 0, warning => 1, critical => 2 }->{$worst}, "$name: the exit status is not milder");
	inspect($name, $case);
	return;
}

# The certificates of one file, as ssl_guard_inspect finds them, which knows nothing of the system's roots.
sub inspect
{
	my ($name, $case) = @_;
	my $text = $case->{'server.crt'} // return;
	my $quoted = $text =~ s/'/''/gr;
	my $expected = eval { $node->safe_psql('postgres', <<"SQL") } // return;
SELECT position || ' ' || f COLLATE "C" FROM ssl_guard_inspect('$quoted', 'server'), unnest(findings) AS f WHERE f <> 'chain_incomplete' ORDER BY 1
SQL
	my $file = ESG::Certs::spew($ESG::Cases::certs->dir . '/inspected.crt', $text);
	my (undef, $said) = check('--as', 'server', $file);
	my @found = map { my $o = $_; map { "$o->{position} $_->{code}" } grep { $_->{code} ne 'chain_incomplete' } @{ $o->{findings} } }
	  grep { $_->{kind} eq 'certificate' } @{ $said->{objects} };

	is(join("\n", sort @found), $expected, "$name: and as ssl_guard_inspect has it");
	return;
}

try_case('nothing wrong', sub { {} });
foreach my $set (\%ESG::Cases::case, \%ESG::Cases::further)
{
	foreach my $code (sort keys %$set)
	{
		try_case("$code $_", $set->{$code}{$_}) foreach grep { $_ ne 'C' } sort keys %{ $set->{$code} };
	}
}

# Clients' certificates, which the server judges as one of extra_files
lay({});
foreach my $code (sort grep { $ESG::Cases::case{$_}{C} } keys %ESG::Cases::case)
{
	my $case = eval { $ESG::Cases::case{$code}{C}->() } // next;
	my $path = $node->path('some_client.crt');

	ESG::Certs::spew($path, ESG::Cases::text($case->{client}));
	chmod 0644, $path;
	$node->apply('ext_ssl_guard.extra_files' => 'client:some_client.crt');
	my (undef, $said) = check('-D', $data);

	$count++;
	is(codes($said), views(), "$code of a client: the same codes as in the view");
	my $seen = join "\n", grep { /some_client/ } split /\n/, codes($said);

	(undef, $said) = check('--as', 'client', $path);
	is(codes($said), $seen, "$code of a client: and as a file");
}
cmp_ok($count, '>=', 80, 'cases');

# the log has the same words
lay(ESG::Cases::new_server(days_left => 20));
my $offset = $node->log_end;
$node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()');
$node->wait_log(qr/code=expires_soon/, $offset);
my ($line) = $node->log_since($offset) =~ /WARNING:  (certificate "CN=localhost" .*)\n/;
my (undef, $said) = check('-D', $data);
my ($message) = map { map { $_->{message} } grep { $_->{code} eq 'expires_soon' } @{ $_->{findings} } } @{ $said->{objects} };
is($message, $line, 'the words of the log');

$node->stop;
done_testing();

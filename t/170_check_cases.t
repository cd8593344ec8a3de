# ssl_guard_ctl check finds what the server finds, case by case of the catalogue of
# faults: the same codes for the same objects as the views, whether the server's
# reload succeeds, and for single files what ssl_guard_inspect says.

use strict;
use warnings;

use Encode qw(encode);
use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Check;
use ESG::Node;

ESG::Cases::begin(ESG::Certs->new);
my $node = ESG::Node->new('main');
my %good = (ESG::Cases::good(), 'root.crl' => ESG::Cases::text($ESG::Cases::crl));

$node->setup(ca => $ESG::Cases::ca, server => $ESG::Cases::server, crl => $ESG::Cases::crl,
	conf => "ext_ssl_guard.learn_renewals = off\next_ssl_guard.self_probe = off\next_ssl_guard.file_poll_interval = 0");
$node->start;

my $data = $node->data_dir;
# the configuration stays as it is
my @server = ('-D', $data, '--postgres', ESG::Check::stand_in());

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

my $count = 0;
my $words = 0;

sub try_case
{
	my ($name, $make) = @_;
	my $case = eval { $make->() };

	return note("$name: this openssl does not make it") unless $case;
	lay($case);
	my ($status, $said) = ESG::Check::report(@server);

	$count++;
	is(ESG::Check::codes($said, $data), ESG::Check::codes_of_views($node), "$name: the same codes as in the views");
	is(ESG::Check::foretold($said->{summary})->[1], ESG::Check::reload_succeeds($node), "$name: the server's reload")
	  or diag($said->{summary});
	my $worst = $node->safe_psql('postgres', <<"SQL");
SELECT coalesce(max(severity)::text, 'ok') FROM (SELECT severity FROM ssl_guard_certificates
	UNION ALL SELECT severity FROM ssl_guard_crls UNION ALL SELECT severity FROM ssl_guard_files) s
SQL
	cmp_ok($status, '>=', { ok => 0, notice => 0, warning => 1, critical => 2 }->{$worst}, "$name: the exit status is not milder");
	same_words($name, $said);
	inspect($name, $case);
	return;
}

# A day is a second later 23 hours.
sub without_hours { return $_[0] =~ s/ \(in \d+ hours: is the clock right\?\)//r =~ s/expires in \d+ \w+/expires soon/r; }

# Message and hint of each alarm about what is in the data directory, as the server has them.
sub same_words
{
	my ($name, $said) = @_;
	my (%by_check, %by_server);

	foreach my $object (@{ $said->{objects} })
	{
		my $at = $object->{name} . ($object->{position} ? ":$object->{position}" : '');

		$by_check{"$at $_->{code}"} = encode('UTF-8', without_hours("$_->{severity}: $_->{message} | ") . ($_->{hint} // '')) foreach @{ $object->{findings} };
	}
	foreach my $row (split /\n/, $node->safe_psql('postgres', <<"SQL"))
SELECT object || ' ' || code || E'\\t' || severity || ': ' || message || ' | ' || coalesce(hint, '') FROM ssl_guard_check() WHERE object LIKE '$data%'
SQL
	{
		my ($what, $words) = split /\t/, $row;

		$by_server{$what} = without_hours($words);
	}
	my %both = map { $_ => 1 } grep { defined $by_server{$_} } keys %by_check;

	is(join("\n", map { "$_ $by_check{$_}" } sort keys %both), join("\n", map { "$_ $by_server{$_}" } sort keys %both), "$name: the same words");
	$words += keys %both;
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
	my (undef, $said) = ESG::Check::report('--as', 'server', $file);
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
my @extra = ('ext_ssl_guard.extra_files' => 'client:some_client.crt');
my @with_client = ('-D', $data, '--postgres', ESG::Check::stand_in(@extra));

lay({});
foreach my $code (sort grep { $ESG::Cases::case{$_}{C} } keys %ESG::Cases::case)
{
	my $case = eval { $ESG::Cases::case{$code}{C}->() } // next;
	my $path = $node->path('some_client.crt');

	ESG::Certs::spew($path, ESG::Cases::text($case->{client}));
	chmod 0644, $path;
	$node->apply(@extra);
	my (undef, $said) = ESG::Check::report(@with_client);

	$count++;
	is(ESG::Check::codes($said, $data), ESG::Check::codes_of_views($node), "$code of a client: the same codes as in the view");
	my $seen = join "\n", grep { /some_client/ } split /\n/, ESG::Check::codes($said, $data);

	(undef, $said) = ESG::Check::report('--as', 'client', $path);
	is(ESG::Check::codes($said, $data), $seen, "$code of a client: and as a file");
}
cmp_ok($count, '>=', 80, 'cases');
cmp_ok($words, '>=', 60, 'findings whose words are the same');

# the log has the same words
lay(ESG::Cases::new_server(days_left => 20));
my $offset = $node->log_end;
$node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()');
$node->wait_log(qr/code=expires_soon/, $offset);
my ($line) = $node->log_since($offset) =~ /WARNING:  (certificate "CN=localhost" .*)\n/;
my (undef, $said) = ESG::Check::report('-D', $data);
my ($message) = map { map { $_->{message} } grep { $_->{code} eq 'expires_soon' } @{ $_->{findings} } } @{ $said->{objects} };
is($message, $line, 'the words of the log');

$node->stop;
done_testing();

# A hundred files, faulty in all the ways of the catalogue and written in odd forms:
# "ssl_guard_ctl check --as", ssl_guard_inspect() and the server's log say the same
# codes for each.  ESG_CORPUS names a directory with others, which are tried in their
# place; what they have must not be more than the alarms that there is room for, 448.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Node;

ESG::Cases::begin(ESG::Certs->new);
my $node = ESG::Node->new('main');
my @corpus;    # { as, name, text, file }
my %seen;

sub add
{
	my ($as, $name, $text) = @_;

	return if !defined $text || $seen{"$as $text"}++;
	push @corpus, { as => $as, name => $name, text => $text, file => sprintf('corpus/%03d.crt', scalar @corpus) };
	return;
}

sub add_case
{
	my ($name, $make) = @_;
	my $case = eval { $make->() } // return note("$name: this openssl does not make it");

	add('server', $name, $case->{'server.crt'});
	add('ca', "$name, CA", $case->{'root.crt'});
	add('client', "$name, client", ESG::Cases::text($case->{client})) if $case->{client};
	return;
}

sub add_forms
{
	my %form = ESG::Cases::odd_forms();

	add('server', $_, $form{$_}) foreach sort keys %form;
	add('client', "$_, client", $form{$_}) foreach 'DER', 'text before', 'a NUL in the text before', 'an empty sequence', 'a cut block behind';
	return;
}

sub add_all
{
	foreach my $set (\%ESG::Cases::case, \%ESG::Cases::further)
	{
		foreach my $code (sort keys %$set)
		{
			add_case("$code $_", $set->{$code}{$_}) foreach sort keys %{ $set->{$code} };
		}
	}
	add_forms();
	return;
}

if (defined $ENV{ESG_CORPUS}) { add('server', $_, ESG::Certs::slurp($_)) foreach grep { -f } glob("$ENV{ESG_CORPUS}/*"); }
else { add_all(); }

# no CA: what a file has is judged by itself
$node->setup(server => $ESG::Cases::server, conf => <<"CONF");
ssl_ca_file = ''
ext_ssl_guard.learn_renewals = off
ext_ssl_guard.self_probe = off
ext_ssl_guard.posture_check = off
ext_ssl_guard.file_poll_interval = 0
CONF
mkdir $node->path('corpus') or die "mkdir: $!";
foreach my $item (@corpus)
{
	ESG::Certs::spew($node->path($item->{file}), $item->{text});
	chmod 0644, $node->path($item->{file});
}
$node->append_conf('postgresql.conf', "ext_ssl_guard.extra_files = '" . join(', ', map { "$_->{as}:$_->{file}" } @corpus) . "'");

my @apart = qw(chain_incomplete);    # of which other files make another thing

# "position code", sorted; position 0: the file
sub list { return join "\n", sort { $a cmp $b } @_; }

sub check
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'ssl_guard_ctl', 'check', '--format', 'json', @arguments ], '<', \undef, '>', \$out, '2>', \$err);
	return eval { decode_json($out) } // die "$out$err";
}

# file => [ "position code", ... ]
sub found_by_check
{
	my ($said) = @_;
	my %found;

	foreach my $object (@{ $said->{objects} })
	{
		my ($file) = $object->{name} =~ m{(corpus/\d+\.crt)$} or next;

		push @{ $found{$file} }, map { ($object->{position} // 0) . " $_->{code}" } @{ $object->{findings} };
	}
	return \%found;
}

sub found_in_log
{
	my ($text) = @_;
	my %found;

	while ($text =~ /(?:WARNING|LOG):  ([^\n]*)\n(?:[^\n]*DETAIL:  (code=[^\n]*))/g)
	{
		my ($message, $detail) = ($1, $2);
		my ($code, $position) = ($detail =~ /^code=(\w+)/, $detail =~ / position=(\d+)/ ? $1 : 0);

		push @{ $found{$1} }, "$position $code" if $message =~ m{(corpus/\d+\.crt)"} && $detail !~ / cleared=yes/;
	}
	return \%found;
}

# of certificates; undef: that is none
sub found_by_inspect
{
	my ($item) = @_;
	my $hex = unpack 'H*', $item->{text};
	my $ended = $node->psql('postgres', <<"SQL", stdout => \my $out, stderr => \my $err);
SELECT position || ' ' || f FROM ssl_guard_inspect('\\x$hex'::bytea, '$item->{as}'), unnest(findings) AS f
SQL
	return $ended == 0 ? [ split /\n/, $out ] : undef;
}

sub of_certificates { return grep { !/^0 / } @_; }

sub without { my %gone = map { $_ => 1 } @apart; return grep { !$gone{ (split ' ')[1] } } @_; }

my $all_ways = 0;

$node->start;
$node->wait_log(qr/has checked the TLS set-up/);
my $logged = found_in_log($node->log_since(0));
my $of_server = found_by_check(check('-D', $node->data_dir));

foreach my $item (@corpus)
{
	my $file = $item->{file};
	my $alone = found_by_check(check('--as', $item->{as}, $node->path($file)))->{$file} // [];
	my $inspected = found_by_inspect($item);
	my $name = "$file, $item->{as}: $item->{name}";

	is(list(@{ $of_server->{$file} // [] }), list(@{ $logged->{$file} // [] }), "$name: the log says what check -D does");
	is(list(without(@$alone)), list(without(@{ $logged->{$file} // [] })), "$name: and check --as");
	# what is no PEM, or none that is whole, is not loaded; ssl_guard_inspect() refuses it, or takes it as DER
	if (!$inspected || $item->{text} =~ /^\x30/)
	{
		like(list(@$alone), qr/^0 file_(?:unparsable|partly_read)$/m, "$name: a file without a certificate");
		next;
	}
	is(list(of_certificates(@$alone)), list(@$inspected), "$name: and ssl_guard_inspect");
	$all_ways++;
}
cmp_ok($all_ways, '>=', defined $ENV{ESG_CORPUS} ? 1 : 90, 'files of which all three say the same');
note(scalar(@corpus) . " files, $all_ways with certificates");

$node->stop;
done_testing();

# ESG::Hints: does a hint work?  A fault is made, the hint that the server then
# gives is followed to the letter, and the alarm must be gone, without another.
#
#   use ESG::Hints qw(follow issue anew done excuse);
#
#   ESG::Hints::begin();
#   follow('weak_key', 'Make a new key of RSA 2048, P-256 or better …',
#       [ 'LX', anew(key => 'rsa:2048') ],
#       [ 'an intermediate', sub { issue(…) }, sub { below_other(key => 'rsa:1024') } ]);
#   excuse('hook_inactive', 'it is retired');
#   done('certificates', 'chains');
#
# follow() names a code, the words that were followed, and what was done: an
# action each, with the fault before which it stands.  Without one it is that of
# ESG::Cases, at the places that the letters name (X: the one at L, as an extra
# file).  The words are the whole hint, or a pattern for one with a command in
# it, which stands for the words of the catalogue.  When it changes, the test
# fails until somebody has looked at the action.
#
#   issue(file => text, …)  what is issued anew is installed, which ends with a
#                           reload, as docs/findings.md has it
#   edit(file => text, …)   done to a file as it is: the server is reloaded only
#                           if the hint says so
#   set(name => value, …)   settings, which a reload brings into force
#   extra(kind, text)       a fault: an extra file of that kind
#   anew(options)           an action: the certificate issued with these options,
#                           at the place in question
#
# After the action no alarm of that code stands, none of warning or worse, and no
# notice that was not there before.  done() fails if a code of these parts of the
# catalogue, or a wording for another place, was not followed.

package ESG::Hints;

use strict;
use warnings;

use Exporter qw(import);
use File::Path ();
use Test::More;
use Time::HiRes qw(sleep time);

use ESG::Cases qw(text new_server);
use ESG::Certs;
use ESG::Node;

our @EXPORT_OK = qw(extra follow issue edit put set anew hint node path shell done excuse reload query);

my ($node, $hint, $place, @cleanup, %conf, %seen, %places, %excused);
my $marker = 0;
my %default = (ssl_crl_file => '', ssl_crl_dir => '', ssl_ca_file => 'root.crt', ssl => 'on', 'ext_ssl_guard.extra_files' => 'extra.crt');

# what a case may have
my @files = qw(server.crt server.key root.crt root.crl extra.crt);

sub node { return $node; }
sub path { return $node->path($_[0]); }
sub hint { return $hint; }
sub query { return $node->safe_psql('postgres', $_[0]); }

# what has to be done before each fault
sub cleanup { push @cleanup, @_; return; }

# more settings of the server, which stay; and options of ESG::Node::setup
sub begin
{
	my ($conf, %options) = @_;

	ESG::Cases::begin(ESG::Certs->new);
	$node = ESG::Node->new('hints');
	$node->setup(ca => $ESG::Cases::ca, server => $ESG::Cases::server, conf => <<"CONF", %options);
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.expire_check_interval = 0
@{[ $conf // '' ]}
include 'hints.conf'
CONF
	put_back();
	$node->start;
	$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
	is(join("\n", map { "$_->{code} $_->{object}" } alarms()), '', 'no alarm before');
	return $node;
}

sub write_conf
{
	$conf{'esg_test.marker'} = ++$marker;
	ESG::Certs::spew(path('hints.conf'), map { "$_ = '$conf{$_}'\n" } sort keys %conf);
	return;
}

sub reload
{
	write_conf();
	$node->reload;
	$node->wait_sql('SHOW esg_test.marker', $marker);
	return;
}

sub set
{
	my (%settings) = @_;

	%conf = (%conf, %settings);
	reload();
	return;
}

# undef: not there
sub put
{
	my (%contents) = @_;

	foreach my $name (sort keys %contents)
	{
		my $path = path($name);

		-d $path && !-l $path ? rmdir $path : unlink $path;
		next unless defined $contents{$name};
		ESG::Certs::spew($path, $contents{$name});
		chmod $name =~ /key/ ? 0600 : 0644, $path or die "chmod: $!";
	}
	return;
}

sub issue
{
	put(@_);
	reload();
	return;
}

sub edit
{
	put(@_);
	reload() if $hint =~ /\breload the server\b/i;
	return;
}

sub anew
{
	my (@options) = @_;

	return sub {
		my $new = new_server(@options);

		return $place eq 'X' ? put('extra.crt' => $new->{'server.crt'}) : issue(%$new);
	};
}

# An extra file of that kind, as a case.
sub extra
{
	my ($kind, $text, $more) = @_;

	return { 'extra.crt' => $text, conf => { 'ext_ssl_guard.extra_files' => "$kind:extra.crt" . ($more // '') } };
}

# as an administrator's shell does it, in the data directory
sub shell
{
	my ($command) = @_;
	my $said = '';

	IPC::Run::run([ 'sh', '-e', '-c', "cd '@{[ $node->data_dir ]}'\n$command" ], '<', '/dev/null', '>&', \$said)
	  or fail("$command: $said");
	return $said;
}

# Everything as it was before the first fault.
sub put_back
{
	$_->() foreach @cleanup;
	File::Path::remove_tree(path('crls'));
	%conf = %default;
	put(ESG::Cases::good(), 'root.crl' => text($ESG::Cases::crl), 'extra.crt' => text($ESG::Cases::client));
	write_conf();
	return;
}

# [{ severity, code, object, hint }, ...]
sub alarms
{
	my ($ret, $out, $err) = $node->psql('postgres', 'SELECT severity, code, object, hint FROM ssl_guard_check()', extra_params => [ '-F', "\x1f" ]);

	die $err if $ret;
	return map { my %row; @row{qw(severity code object hint)} = split /\x1f/; \%row } split /\n/, $out;
}

# what the alarm of that code says
sub message
{
	my ($code) = @_;

	return query("SELECT message FROM ssl_guard_alarms WHERE code = '$code' LIMIT 1");
}

# What is wrong after the hint was followed.
sub complaints
{
	my ($code, @before) = @_;
	my %known = map { $_->{code} => 1 } @before;

	return grep { defined } map {
		$_->{code} eq $code ? "$code still stands"
		  : $_->{severity} ne 'notice' ? "$_->{severity} $_->{code} of $_->{object} stands"
		  : !$known{ $_->{code} } ? "notice $_->{code} of $_->{object} has come" : undef
	} alarms();
}

# no_reload: the server runs with the good files when they become faulty
sub install
{
	my ($case) = @_;
	my %case = %$case;

	reload() if $case{no_reload};
	alarms() if $case{no_reload};
	put(map { exists $case{$_} ? ($_ => $case{$_}) : () } @files);
	chmod $case{mode}[0], path($case{mode}[1]) or die "chmod: $!" if $case{mode};
	$conf{ssl_crl_file} = 'root.crl' if exists $case{'root.crl'};
	%conf = (%conf, %{ $case{conf} // {} });
	reload() unless $case{no_reload};
	$case{after}->() if $case{after};
	return;
}

sub make_case
{
	my ($code) = @_;
	my $of = $place eq 'X' ? 'L' : $place;
	my $case = $ESG::Cases::case{$code}{$of} // $ESG::Cases::further{$code}{$of} or die "no case of $code in $of\n";

	$case = $case->();
	return $case unless $place eq 'X';
	return { 'extra.crt' => $case->{'server.crt'}, no_reload => 1 };
}

sub follow_one
{
	my ($code, $words, $what, $action, $make) = @_;
	my (@left, @before);
	my $until;

	put_back();
	install($make ? $make->() : make_case($code));
	@before = alarms();
	my %hints = map { $_->{hint} => 1 } grep { $_->{code} eq $code } @before;
	$hint = join(' AND ', sort keys %hints);
	ref $words ? like($hint, $words, "$code, $what: the hint") : is($hint, $words, "$code, $what: the hint");
	$seen{$code}{$hint} = $seen{$code}{ ref $words ? 'command' : 'words' } = 1;
	$action->();
	$until = time + 5;
	sleep 0.2 while (@left = complaints($code, @before)) && time < $until;
	is(join("\n", @left), '', "$code, $what: followed, it is gone, and nothing else has come")
	  or diag('before: ' . join(', ', map { "$_->{severity} $_->{code}" } @before));
	return;
}

sub follow
{
	my ($code, $words, @ways) = @_;

	foreach my $way (@ways)
	{
		my ($what, $action, $make) = @$way;

		foreach my $at ($make ? $what : split //, $what)
		{
			$place = $at;
			$places{$code}{$at} = 1;
			follow_one($code, $words, $at, $action, $make);
		}
	}
	return;
}

sub excuse
{
	my ($code, $reason) = @_;

	$excused{$code} = $reason;
	note("$code: not followed, $reason");
	return;
}

# the part of the catalogue to which a code belongs
sub part_of
{
	my ($code, $sqlstate, $finding_places) = @_;
	my ($number) = $sqlstate =~ /(\d+)/;

	return 'settings' if $number >= 109 && $number <= 120;
	return 'running' if $finding_places =~ /running/ || grep { $code eq $_ } qw(passphrase_unusable passphrase_leftover file_not_reloaded auto_reload_refused hosts_file_unusable host_name_not_covered old_certificate_in_use client_certificate_public_ca);
	return 'crls' if $code =~ /^crl_/;
	return 'hba' if $code =~ /^(hba|ident)_/;
	return 'chains' if $number >= 36 && $number <= 43 || $code eq 'chain_refused';
	return $finding_places =~ /file/ ? 'files' : 'certificates';
}

# [code, what for, the hint] of that part; "clients" are the wordings for their
# certificates.
sub catalogue
{
	my ($part) = @_;
	my @rows;

	foreach my $line (split /\n/, query(q{SELECT code, sqlstate, place FROM ssl_guard_findings}))
	{
		push @rows, [ split /\|/, $line ];
	}
	my %texts = map { my @f = split /\t/, $_, -1; $f[0] => { 'most places' => $f[8], 'extra files' => $f[9], 'ssl_crl_dir' => $f[10], clients => $f[11] } }
	  split /\n/, `'$ENV{SANDBOX}/unit/list_findings'`;
	return map {
		my $code = $_->[0];
		my @of = $part eq 'clients' ? 'clients' : part_of(@$_) eq $part ? ('most places', 'extra files', 'ssl_crl_dir') : ();

		map { [ $code, $_, $texts{$code}{$_} ] } grep { ($texts{$code}{$_} // '') ne '' } @of;
	} @rows;
}

sub done
{
	my (@parts) = @_;

	# t/run builds it; prove alone does not
	if (!-x "$ENV{SANDBOX}/unit/list_findings")
	{
		note('whether each hint was followed is only asked in "make test"');
		$node->stop;
		done_testing();
		return;
	}
	my @wanted = map { catalogue($_) } @parts;
	my %known = map { $_ => 1 } split /\n/, query('SELECT code FROM ssl_guard_findings');
	my %wanted = map { $_->[0] => 1 } grep { $_->[1] ne 'clients' } @wanted;
	my @extra = split /\n/, query(q{SELECT code FROM ssl_guard_findings WHERE place ~ 'extra'});
	my @lacking = grep { !$excused{ $_->[0] } && !$seen{ $_->[0] }{ $_->[2] } && !$seen{ $_->[0] }{command} } @wanted;

	cmp_ok(scalar @wanted, '>', 5, "the hints of @parts");
	is(join("\n", map { "$_->[0] for $_->[1]: $_->[2]" } @lacking), '', 'each was followed');
	is(join(' ', grep { !$known{$_} } sort(keys %seen, keys %excused)), '', 'and there is no other');
	is(join(' ', grep { $wanted{$_} && !$excused{$_} && !$places{$_}{X} } @extra), '', 'also in extra files, if they are looked for there');
	is(join(' ', grep { $seen{$_} } sort keys %excused), '', 'none without need excused');
	note(sprintf '%d hints of %s, %d excused: %s', scalar @wanted, "@parts", scalar keys %excused, join(' ', sort keys %excused));
	$node->stop;
	done_testing();
	return;
}

1;

# ESG::Faults: what must be wrong before an example of the documentation can
# mend it.  Used by ESG::Docs:
#
#   ESG::Faults::make($docs, 'crl_expired');      # the alarm stands
#   ESG::Faults::mended($docs, 'crl_expired');    # it is gone
#   ESG::Faults::prepare($docs, 'generations');   # no alarm
#
# make() first puts the good files back.  What the example needs lies in /srv/tls.

package ESG::Faults;

use strict;
use warnings;

use ESG::Certs;

sub put
{
	my ($docs, $name, $text, $mode) = @_;
	my $path = $docs->node->path($name);

	ESG::Certs::spew("$path.new", $text);
	chmod $mode // 0644, "$path.new" or die "chmod: $!";
	rename "$path.new", $path or die "rename: $!";
	return;
}

# gives the example a file in /srv/tls
sub give
{
	my ($docs, $name, $text) = @_;

	return ESG::Certs::spew($docs->to_real("/srv/tls/$name"), $text);
}

sub text { return ESG::Certs::slurp(ref $_[0] ? $_[0]->{cert} : $_[0]); }

sub put_server
{
	my ($docs, $cert, $text) = @_;

	put($docs, 'server.key', text($cert->{key}), 0600);
	put($docs, 'server.crt', $text // text($cert));
	return;
}

# A server's certificate below an intermediate one, once per document.
sub chain
{
	my ($docs) = @_;
	my $certs = $docs->{certs};

	return @{ $docs->{chain} } if $docs->{chain};
	my $middle = $certs->make_ca('middle', ca => $docs->{ca}, subject => '/CN=Issuing CA', days_left => 1000);
	my $below = $certs->make_server('below', ca => $middle, subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'],
		extensions => ['authorityInfoAccess=caIssuers;URI:http://ca.example.com/issuing.crt']);
	give($docs, 'server-only.crt', text($below));
	give($docs, 'intermediate.crt', text($middle));
	$docs->{chain} = [ $below, $middle ];
	return ($below, $middle);
}

sub crl_directory
{
	my ($docs) = @_;
	my $directory = $docs->node->path('crls');

	mkdir $directory or die "mkdir: $!";
	ESG::Certs::spew("$directory/ca.crl", text($docs->node->path('root.crl')));
	$docs->node->set_conf(ssl_crl_dir => 'crls');
	$docs->reload;
	return $directory;
}

my %fault = (
	expired => sub {
		my ($docs) = @_;

		put_server($docs, $docs->{certs}->make_server('ended', ca => $docs->{ca}, subject => '/CN=db1.example.com', days_left => -1));
		$docs->reload;
	},
	chain_incomplete => sub {
		my ($docs) = @_;

		put_server($docs, (chain($docs))[0]);
		$docs->reload;
	},
	crl_expired => sub {
		my ($docs) = @_;

		give($docs, 'new.crl', text($docs->node->path('root.crl')));
		put($docs, 'root.crl', text($docs->{certs}->make_crl($docs->{ca}, 'stale', last_update => -864000, next_update => -3600)));
		$docs->reload;
	},
	crl_not_hashed => \&crl_directory,
	directory_writable => sub { chmod 0777, crl_directory($_[0]) or die "chmod: $!" },
	file_partly_read => sub {
		my ($docs) = @_;
		my ($below, $middle) = chain($docs);

		put_server($docs, $below, text($below) =~ s/\n\z//r . text($middle));
	},
	trusted_certificate_block => sub {
		my ($docs) = @_;
		my ($below, $middle) = chain($docs);
		my $trusted = ESG::Certs::openssl('x509', '-in', $middle->{cert}, '-trustout', '-addtrust', 'serverAuth');

		give($docs, 'trusted.crt', $trusted);
		put_server($docs, $below, text($below) . $trusted);
	},
	permissions_too_open => sub { chmod 0666, $_[0]->node->path('root.crt') or die "chmod: $!" },
	passphrase_leftover => sub { put($_[0], "server.key.$_.new", 'x', 0400) foreach qw(cipher rand) },
	file_not_reloaded => sub {
		my ($docs) = @_;

		put($docs, 'root.crl', text($docs->{certs}->make_crl($docs->{ca}, 'renewed', next_update => 250 * 86400)));
	},
	auto_reload_refused => sub {
		my ($docs) = @_;

		$docs->node->apply('ext_ssl_guard.auto_reload' => 'on');
		put($docs, 'server.crt', text($docs->{certs}->make_server('ending', ca => $docs->{ca}, key => $docs->{server}, days_left => 300,
			subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'])));
	},
	auto_reload_held => sub {
		my ($docs) = @_;

		$docs->node->apply('ext_ssl_guard.auto_reload' => 'on');
		$docs->node->set_conf(work_mem => '5MB');
		put($docs, 'server.crt', text($docs->{certs}->make_server('lasting', ca => $docs->{ca}, key => $docs->{server}, days_left => 400, lifetime => 401,
			subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'])));
	},
	reload_pending => sub {
		my ($docs) = @_;

		put($docs, 'server.crt', text($docs->{certs}->make_server('renewed', ca => $docs->{ca}, key => $docs->{server},
			subject => '/CN=db1.example.com', san => ['DNS:db1.example.com'])));
	},
	passphrase_in_backup => sub { $_[0]->run_program($_[0]->passphrase . "\n", 'ssl_guard_ctl', 'encrypt', '-D', $_[0]->node->data_dir) },
	reload_failed => sub {
		my ($docs) = @_;

		give($docs, 'good.crt', text($docs->{server}));
		put($docs, 'server.crt', "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
		$docs->reload;
	},
);

my %preparation = (
	# tls is a link to tls.1, which has key, certificate and pair; tls.2 has no pair yet
	generations => sub {
		my ($docs) = @_;
		my $base = $docs->to_real('/srv/tls');

		foreach my $number (1, 2)
		{
			my $cert = $docs->{certs}->make_server("generation$number", ca => $docs->{ca}, passphrase => $docs->passphrase,
				subject => '/CN=db1.example.com', san => ['DNS:db1.example.com']);

			mkdir "$base/tls.$number", 0700 or die "mkdir: $!";
			ESG::Certs::spew("$base/tls.$number/server.crt", text($cert));
			ESG::Certs::spew("$base/tls.$number/server.key", text($cert->{key}));
			chmod 0600, "$base/tls.$number/server.key" or die "chmod: $!";
		}
		symlink 'tls.1', "$base/tls" or die "symlink: $!";
		return $docs->run_program($docs->passphrase . "\n", 'ssl_guard_ctl', 'encrypt', '-D', "$base/tls.1");
	},
);

# The files as the fixture had them.
sub restore
{
	my ($docs) = @_;
	my $crls = $docs->node->path('crls');

	$docs->node->set_conf(ssl_crl_dir => '', 'ext_ssl_guard.auto_reload' => 'off');
	unlink glob("'$crls'/*");
	rmdir $crls;
	put_server($docs, $docs->{server});
	put($docs, 'root.crt', text($docs->{ca}));
	put($docs, 'root.crl', text("$docs->{certs}{dir}/ca.crl"));
	$docs->reload;
	return;
}

sub count
{
	my ($code, $number) = @_;

	return "SELECT (count(*) > 0)::int = $number FROM ssl_guard_check() WHERE code = '$code'";
}

sub make
{
	my ($docs, $code) = @_;
	my $fault = $fault{$code} or die "there is no fault \"$code\"\n";

	restore($docs);
	return (1, "$code stands already") if $docs->node->safe_psql('postgres', count($code, 0)) ne 't';
	$fault->($docs);
	return ($docs->node->wait_sql(count($code, 1)) eq 't' ? 0 : 1, "$code was not raised");
}

sub mended
{
	my ($docs, $code) = @_;

	return ($docs->node->wait_sql(count($code, 0), 't', 10) eq 't' ? 0 : 1, "$code still stands");
}

sub prepare
{
	my ($docs, $name) = @_;

	return $preparation{$name}->($docs);
}

1;

# No noise: ordinary set-ups, each in its normal state and half way through its
# normal renewal, raise no warning and no critical alarm, and only the notices
# listed with them.
#
# A set-up is a row: how long things live, when they are renewed, and the shape
# of the chain, the CA file and the CRL as that software makes them.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $no_roots = PostgreSQL::Test::Utils::tempdir();
my $number = 0;

# the roots of this machine must not matter
$ENV{SSL_CERT_DIR} = $no_roots;
$ENV{SSL_CERT_FILE} = "$no_roots/none.pem";

# A name of its own for each thing made.
sub name { return 'thing' . ++$number; }

# What is valid for "life" days, "age" days after it was issued.
sub aged
{
	my ($life, $age) = @_;

	return (lifetime => $life, days_left => $life - $age, not_before => ESG::Certs::stamp(-$age * 86400 - 60),
		not_after => ESG::Certs::stamp(($life - $age) * 86400 - 60));
}

sub ca { my ($life, $age, %more) = @_; return $certs->make_ca(name(), aged($life, $age), %more); }

sub server
{
	my ($life, $age, %more) = @_;

	return $certs->make_cert(name(), aged($life, $age), subject => '/CN=db1.example.com',
		san => ['DNS:db1.example.com'], eku => 'serverAuth', %more);
}

# A CRL with extensions; times in seconds from now.
sub crl
{
	my ($ca, $last, $next, @extensions) = @_;
	my $home = $certs->prepare_signer($ca->{name});
	my $section = name();
	my $config = ESG::Certs::slurp("$home/ca.cnf");

	ESG::Certs::spew("$home/$section.cnf", $config,
		join("\n", "[$section]", 'authorityKeyIdentifier=keyid', @extensions, ''));
	ESG::Certs::openssl('ca', '-config', "$home/$section.cnf", '-cert', $ca->{cert}, '-keyfile', $ca->{key},
		'-gencrl', '-crlexts', $section, '-crl_lastupdate', ESG::Certs::stamp($last),
		'-crl_nextupdate', ESG::Certs::stamp($next), '-out', "$home/$section.crl");
	return "$home/$section.crl";
}

sub utc_time { return ESG::Certs::stamp($_[0]) =~ s/^..//r; }

sub text { return join '', map { ESG::Certs::slurp(ref $_ ? $_->{single} : $_) } @_; }

my ($day, $hour) = (86400, 3600);

# name; at half of the renewal cycle, in days; what makes it, given its age in
# days: { server, chain, ca, crl, extra, key_mode, pair, notices }; the pair is
# made in that directory
my @setups = (
	[ 'Debian snakeoil', 1825, sub {
		my ($age) = @_;
		my $self = $certs->make_cert(name(), aged(3650, $age), subject => '/CN=db1', key => 'rsa:2048',
			san => ['DNS:db1'], key_usage => '');

		return { server => $self, notices => 'self_signed_server' };
	} ],
	[ 'openssl req -x509, as PostgreSQL documents it', 182, sub {
		my ($age) = @_;
		my $self = $certs->make_ca(name(), aged(365, $age), subject => '/CN=db1.example.com', key => 'rsa:2048',
			key_usage => '');
		my $file = "$self->{single}.text";

		ESG::Certs::openssl('x509', '-text', '-in', $self->{single}, '-out', $file);
		return { server => $self, file => $file,
			notices => 'ca_as_leaf no_alt_name self_signed_server strict_client_refuses' };
	} ],
	[ 'openssl req -x509 with names, ten years', 1825, sub {
		my ($age) = @_;
		my $self = $certs->make_ca(name(), aged(3650, $age), subject => '/CN=db1.example.com',
			san => ['DNS:db1.example.com'], key_usage => 'critical,digitalSignature,keyCertSign');

		return { server => $self, notices => 'ca_as_leaf self_signed_server' };
	} ],
	[ 'a root of our own, as PostgreSQL documents it', 182, sub {
		my ($age) = @_;
		my $root = ca(3650, $age, subject => '/CN=root.example.com', key => 'rsa:2048', key_usage => '');

		return { server => server(365, $age, ca => $root, san => [], key => 'rsa:2048'), ca => [$root],
			notices => 'no_alt_name strict_client_refuses' };
	} ],
	[ 'a root that only clients have, no ssl_ca_file', 182, sub {
		my ($age) = @_;

		return { server => server(365, $age, ca => ca(3650, 800)) };
	} ],
	[ 'a root that only clients have, another CA in ssl_ca_file', 182, sub {
		my ($age) = @_;

		return { server => server(365, $age, ca => ca(3650, 800)),
			ca => [ ca(3650, 400, subject => '/CN=Clients Only') ] };
	} ],
	[ 'certbot', 30, sub {
		my ($age) = @_;
		my $root = ca(7300, 2000, subject => '/C=US/O=Internet Group/CN=Root X1', key => 'rsa:4096');
		my $sub = ca(1095, 400, ca => $root, subject => "/C=US/O=Let's Try/CN=R10", key => 'rsa:2048',
			eku => 'clientAuth,serverAuth', key_usage => 'critical,digitalSignature,keyCertSign,cRLSign',
			extensions => [ 'authorityInfoAccess=caIssuers;URI:http://x1.i.example.com/',
				'crlDistributionPoints=URI:http://x1.c.example.com/', 'certificatePolicies=2.23.140.1.2.1' ]);

		return { server => server(90, $age, ca => $sub, eku => 'serverAuth,clientAuth', extensions =>
				[ 'authorityInfoAccess=OCSP;URI:http://r10.o.example.com,caIssuers;URI:http://r10.i.example.com/' ]),
			chain => [$sub], key_mode => 0600, notices => 'chain_incomplete' };
	} ],
	[ 'cert-manager in a Kubernetes secret', 30, sub {
		my ($age) = @_;
		my $root = ca(3650, 300, subject => '/CN=cluster-ca');

		return { server => server(90, $age, ca => $root, subject => '/O=team',
				san => [ 'DNS:db.prod.svc', 'DNS:db.prod.svc.cluster.local' ], eku => 'serverAuth,clientAuth'),
			ca => [$root], linked => 1 };
	} ],
	[ 'CloudNativePG', 41, sub {
		my ($age) = @_;
		my $root = ca(90, $age, subject => '/OU=prod/CN=cluster-example');

		return { server => server(90, $age, ca => $root, subject => '/CN=cluster-example-rw',
				san => [ 'DNS:cluster-example-rw', 'DNS:cluster-example-rw.prod.svc' ]), ca => [$root] };
	} ],
	[ 'FreeIPA with certmonger, the CA renewed under its old name', 351, sub {
		my ($age) = @_;
		my $old = ca(7300, 7000, subject => '/O=EXAMPLE.COM/CN=Certificate Authority', key => 'rsa:2048');
		my $new = ca(7300, 200, subject => '/O=EXAMPLE.COM/CN=Certificate Authority', key => 'rsa:2048');

		return { server => server(730, $age, ca => $new, subject => '/O=EXAMPLE.COM/CN=db1.example.com',
				key => 'rsa:2048', eku => 'serverAuth,clientAuth',
				extensions => ['authorityInfoAccess=OCSP;URI:http://ipa-ca.example.com/ca/ocsp']),
			ca => [ $old, $new ] };
	} ],
	[ 'FreeIPA, the CA renewed with its key', 351, sub {
		my ($age) = @_;
		my $old = ca(7300, 7000, subject => '/O=EXAMPLE.COM/CN=Certificate Authority', key => 'rsa:2048');
		my $new = ca(7300, 200, subject => '/O=EXAMPLE.COM/CN=Certificate Authority', key => $old);

		return { server => server(730, $age, ca => $new, key => 'rsa:2048'), ca => [ $old, $new ] };
	} ],
	[ 'AD CS with a weekly CRL', 3.5, sub {
		my ($age) = @_;
		my $root = ca(3650, 900, subject => '/DC=com/DC=example/CN=Example Root', key => 'rsa:2048');
		my $ca = ca(1825, 700, ca => $root, subject => '/DC=com/DC=example/CN=Example Issuing', key => 'rsa:2048',
			extensions => ['1.3.6.1.4.1.311.21.1=ASN1:INTEGER:0']);
		my $overlap = 12 * $hour;
		my $week = 7 * $day;

		return { server => server(730, 100 + $age, ca => $ca, key => 'rsa:2048',
				extensions => ['crlDistributionPoints=URI:ldap:///CN=Example']),
			chain => [$ca], ca => [ $root, $ca ],
			crl => [
				crl($ca, -$age * $day - 600, $week + $overlap - $age * $day,
					'1.3.6.1.4.1.311.21.1=ASN1:INTEGER:0',
					'1.3.6.1.4.1.311.21.4=ASN1:UTCTIME:' . utc_time($week - $age * $day)),
				crl($root, -30 * $day, 150 * $day) ] };
	} ],
	[ 'Vault, 30 days, CRL of 72 hours', 10, sub {
		my ($age) = @_;
		my $root = ca(3650, 500, subject => '/CN=example.com Root');
		my $sub = ca(1825, 500, ca => $root, subject => '/CN=example.com Intermediate');

		return { server => server(30, $age, ca => $sub, eku => 'serverAuth,clientAuth',
				key_usage => 'critical,digitalSignature,keyEncipherment,keyAgreement'),
			chain => [$sub], ca => [ $root, $sub ],
			crl => [ crl($sub, -12 * $hour, 60 * $hour), crl($root, -12 * $hour, 60 * $hour) ] };
	} ],
	[ 'step-ca, 24 hours', 8 / 24, sub {
		my ($age) = @_;
		my $root = ca(3650, 300, subject => '/O=Smallstep/CN=Root CA');
		my $sub = ca(3650, 300, ca => $root, subject => '/O=Smallstep/CN=Intermediate CA',
			extensions => []);

		return { server => server(1, $age, ca => $sub, eku => 'serverAuth,clientAuth'), chain => [$sub],
			ca => [$root] };
	} ],
	[ 'RDS-like CAs', 1000, sub {
		my ($age) = @_;
		my @roots = (
			ca(14600, $age, subject => '/C=US/O=Cloud Inc/CN=Cloud eu-1 Root CA RSA2048 G1', key => 'rsa:2048'),
			ca(36500, $age, subject => '/C=US/O=Cloud Inc/CN=Cloud eu-1 Root CA RSA4096 G1', key => 'rsa:4096'),
			ca(36500, $age, subject => '/C=US/O=Cloud Inc/CN=Cloud eu-1 Root CA ECC384 G1', key => 'ec:secp384r1'));
		my $sub = ca(1460, 400, ca => $roots[0], subject => '/C=US/O=Cloud Inc/CN=Cloud eu-1 Subordinate CA',
			key => 'rsa:2048');

		return { server => server(365, 90, ca => $sub, key => 'rsa:2048'), chain => [$sub], ca => \@roots };
	} ],
	[ 'Cloud-SQL-like CA of one instance, ten years', 1825, sub {
		my ($age) = @_;
		my $root = ca(3650, $age, subject => '/C=US/O=Cloud, Inc/CN=SQL Server CA', key => 'rsa:2048');

		return { server => server(3650, $age, ca => $root, subject => '/O=Cloud, Inc/CN=project:instance', san => [],
				key => 'rsa:2048'), ca => [$root], notices => 'no_alt_name validity_too_long' };
	} ],
	[ 'easy-rsa', 90, sub {
		my ($age) = @_;
		my $root = $certs->make_ca(name(), aged(3650, 400 + $age), subject => '/CN=Easy-RSA CA', key => 'rsa:2048',
			extensions => ['authorityKeyIdentifier=keyid']);

		return { server => server(825, 200 + $age, ca => $root, key => 'rsa:2048',
				key_usage => 'digitalSignature,keyEncipherment'), ca => [$root],
			crl => [ crl($root, -$age * $day - 60, (180 - $age) * $day) ] };
	} ],
	[ 'mkcert', 400, sub {
		my ($age) = @_;
		my $root = ca(3650, $age, subject => '/O=mkcert development CA/OU=me/CN=mkcert me', key => 'rsa:3072');

		return { server => server(820, $age, ca => $root, key => 'rsa:2048',
				subject => '/O=mkcert development certificate/OU=me',
				san => [ 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1' ]), ca => [$root] };
	} ],
	[ 'cfssl', 182, sub {
		my ($age) = @_;
		my $root = ca(1825, 365 + $age, subject => '/C=DE/O=Example/CN=cfssl CA');

		return { server => server(365, $age, ca => $root, eku => 'serverAuth,clientAuth',
				key_usage => 'critical,digitalSignature,keyEncipherment'), ca => [$root] };
	} ],
	[ 'Patroni, one certificate for everything', 182, sub {
		my ($age) = @_;
		my $root = ca(3650, 365 + $age, subject => '/CN=patroni CA');
		my $node = server(365, $age, ca => $root, subject => '/CN=replicator', eku => 'serverAuth,clientAuth',
			san => [ 'DNS:pg1.example.com', 'DNS:pg.example.com', 'IP:10.0.0.1' ]);

		return { server => $node, ca => [$root], extra => [$node], notices => '' };
	} ],
	[ 'an encrypted key, the pair outside of the data directory', 182, sub {
		my ($age) = @_;
		my $root = ca(3650, $age);

		return { server => server(365, $age, ca => $root, passphrase => 'sesame'), ca => [$root], pair => $no_roots };
	} ],
	[ 'an encrypted key, the pair beside it', 182, sub {
		my ($age) = @_;
		my $root = ca(3650, $age);

		return { server => server(365, $age, ca => $root, passphrase => 'sesame'), ca => [$root], pair => '',
			notices => 'passphrase_in_backup' };
	} ],
	[ 'a cross-signed root, the twin is sent', 100, sub {
		my ($age) = @_;
		my $old = ca(7300, 6000, subject => '/CN=Old Root');
		my $new = ca(7300, 1000, subject => '/CN=New Root');
		my $twin = ca(2000, 1000, ca => $old, subject => '/CN=New Root', key => $new);
		my $sub = ca(1825, 500, ca => $new, subject => '/CN=Issuing');

		return { server => server(365, $age, ca => $sub), chain => [ $sub, $twin ], ca => [$new] };
	} ],
);

my $first = $setups[0][2]->(0);
my $node = ESG::Node->new('ordinary');
$node->setup(ca => ca(3650, 10), server => $first->{server}, conf => <<'CONF');
ext_ssl_guard.file_poll_interval = 0
ext_ssl_guard.expire_check_interval = 0
CONF
$node->start;

sub make_pair
{
	my ($dir) = @_;
	my $file = ESG::Certs::spew($certs->dir . '/passphrase', "sesame\n");
	my $said = '';

	chmod 0600, $file or die "chmod: $!";
	IPC::Run::run([ 'ssl_guard_ctl', 'encrypt', '--force', '--passphrase-file', $file, '-D', $dir ], '>&', \$said) or die $said;
	return;
}

# Where the server looks; a Kubernetes secret is a link to a link to a directory.
sub install
{
	my ($made, $round) = @_;
	my $dir = $node->data_dir . "/tls$round";
	my $target = $made->{linked} ? "$dir/..2026_01_01" : $dir;

	mkdir $dir or die "mkdir: $!";
	mkdir $target if $target ne $dir;
	my %files = (
		'tls.crt' => ($made->{file} ? ESG::Certs::slurp($made->{file}) : text($made->{server})) .
		  text(@{ $made->{chain} // [] }),
		'tls.key' => ESG::Certs::slurp($made->{server}{key}),
		'ca.crt' => text(@{ $made->{ca} // [] }),
		'ca.crl' => text(@{ $made->{crl} // [] }),
		'extra.crt' => text(@{ $made->{extra} // [] }));
	foreach my $name (keys %files)
	{
		ESG::Certs::spew("$target/$name", $files{$name});
		chmod $name =~ /key/ ? 0600 : 0644, "$target/$name";
		symlink "..data/$name", "$dir/$name" if $made->{linked};
	}
	symlink '..2026_01_01', "$dir/..data" if $made->{linked};
	make_pair($made->{pair} || $dir) if defined $made->{pair};
	$node->set_conf(
		'ext_ssl_guard.passphrase_directory' => $made->{pair} // '',
		ssl_cert_file => "$dir/tls.crt", ssl_key_file => "$dir/tls.key",
		ssl_ca_file => $made->{ca} ? "$dir/ca.crt" : '', ssl_crl_file => $made->{crl} ? "$dir/ca.crl" : '',
		'ext_ssl_guard.extra_files' => $made->{extra} ? "$dir/extra.crt" : '');
	return;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub serves
{
	my ($made) = @_;

	return $node->wait_sql("SELECT served_fingerprint = '$made->{server}{fingerprint}' AND last_reload_ok
	                        FROM ssl_guard_status");
}

my $round = 0;
foreach my $setup (@setups)
{
	my ($name, $half, $make) = @$setup;

	foreach my $age (0, $half)
	{
		my $what = $name . ($age ? ', half way to the renewal' : ', new');
		my $made = $make->($age);

		install($made, ++$round);
		$node->reload;
		is(serves($made), 't', "$what: the server takes it");
		sql('SELECT count(*) FROM ssl_guard_check()');
		is(sql("SELECT code || ' ' || object || ' ' || message FROM ssl_guard_alarms WHERE severity > 'notice'"), '',
			"$what: no alarm");
		is(sql("SELECT coalesce(string_agg(DISTINCT code, ' ' ORDER BY code), '') FROM ssl_guard_alarms"),
			$made->{notices} // '', "$what: only the notices that belong to it");
	}
}
$node->stop;

done_testing();

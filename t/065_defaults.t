# With default settings nobody's login changes: the same logins, answers and
# words of core, without the library and with it.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', key => 'rsa:2048');
my $stranger_ca = $certs->make_ca('stranger');
my $server = $certs->make_server('server', ca => $ca);
my %client = (
	none => undef,
	good => $certs->make_client('good', ca => $ca, subject => '/CN=app'),
	other => $certs->make_client('other', ca => $ca),
	# everything that is not refused by core itself, but draws an alarm
	soon => $certs->make_client('soon', ca => $ca, subject => '/CN=app', days_left => 1),
	names => $certs->make_client('names', ca => $ca, subject => '/CN=app/CN=x'),
	odd => $certs->make_client('odd', ca => $ca, subject => '/CN=app',
		extensions => ['subjectAltName=DER:30:05:82:09:61:62:63']),
	nul => $certs->make_client('nul', ca => $ca, subject => '/CN=app',
		extensions => ['subjectAltName=DER:30:05:82:03:61:00:62']),
	# what core refuses
	expired => $certs->make_client('expired', ca => $ca, days_left => -1),
	stranger => $certs->make_client('unknown', ca => $stranger_ca),
	purpose => $certs->make_client('purpose', ca => $ca, eku => 'serverAuth'),
	forged => $certs->make_client('forged', ca => $ca, subject => '/CN=app'),
);

# the last octet of the signature is another one
sub forge
{
	my ($cert) = @_;
	my ($base64) = ESG::Certs::slurp($cert->{cert}) =~ /-----BEGIN CERTIFICATE-----\s*(.*?)-----END/s;
	my $der = MIME::Base64::decode_base64($base64);

	substr($der, -1) ^= "\x01";
	ESG::Certs::spew($cert->{cert},
		"-----BEGIN CERTIFICATE-----\n" . MIME::Base64::encode_base64($der) . "-----END CERTIFICATE-----\n");
	return;
}

sub make_node
{
	my ($name, $preload) = @_;
	my $node = ESG::Node->new($name);

	$node->setup(
		ca => $ca,
		server => $server,
		preload => $preload,
		conf => "password_encryption = 'scram-sha-256'\nwal_level = replica\nmax_wal_senders = 4",
		hba => [
			'local replication all trust',
			'hostssl replication replica 127.0.0.1/32 cert map=m',
			'host replication all 127.0.0.1/32 scram-sha-256',
			'host template1 all 127.0.0.1/32 trust',
			'hostnossl all all 127.0.0.1/32 reject',
			'hostssl all scram 127.0.0.1/32 scram-sha-256',
			'hostssl all both 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
			'hostssl all full 127.0.0.1/32 scram-sha-256 clientcert=verify-full',
			'hostssl all plain 127.0.0.1/32 password',
			'hostssl all md 127.0.0.1/32 md5',
			'hostssl all app 127.0.0.1/32 cert',
			'hostssl all free 127.0.0.1/32 trust',
			'hostssl all wants 127.0.0.1/32 trust clientcert=verify-ca'
		]);
	ESG::Certs::spew($node->path('pg_ident.conf'), "m app replica\n");
	$node->start;
	$node->safe_psql(
		'postgres', q{
		CREATE ROLE scram LOGIN PASSWORD 'secret';
		CREATE ROLE "both" LOGIN PASSWORD 'secret';
		CREATE ROLE "full" LOGIN PASSWORD 'secret';
		CREATE ROLE plain LOGIN PASSWORD 'secret';
		CREATE ROLE app LOGIN;
		CREATE ROLE free LOGIN;
		CREATE ROLE wants LOGIN;
		CREATE ROLE nologin;
		CREATE ROLE replica LOGIN REPLICATION PASSWORD 'secret';
		CREATE ROLE md LOGIN;
		SET password_encryption = 'md5';
		ALTER ROLE md PASSWORD 'secret'});
	return $node;
}

# what the client sees, and what core logs of it
sub login
{
	my ($node, $user, $name, %options) = @_;
	my $offset = $node->log_end;
	my ($status, $out, $err) =
	  $node->tcp_psql($options{sql} // 'SELECT session_user', user => $user, client => $client{$name}, %options);

	$out =~ s/^\d+\|.*// if $options{sql};
	$err =~ s/port \d+//g;
	# the line about a handshake comes after the client was told
	foreach my $try (1 .. 50)
	{
		last if $status == 0 || $node->count_log(qr/could not accept SSL|FATAL:/, $offset);
		Time::HiRes::sleep(0.1);
	}
	my @core = sort map { s/^.*?(LOG|FATAL): /$1: /r =~ s/port=?\d+//r }
	  grep { /could not accept SSL|FATAL:/ } split /\n/, $node->log_since($offset);
	return join("\n", $status, $out, $err, @core);
}

forge($client{forged});
my $without = make_node('without', '');
my $with = make_node('with', 'ext_ssl_guard');

foreach my $user (qw(scram both full plain md app free wants nologin missing))
{
	foreach my $name (sort keys %client)
	{
		my @answers = map { login($_, $user, $name, more => 'password=secret') } ($without, $with);

		is($answers[1], $answers[0], "$user with certificate $name");
	}
}
foreach my $case (
	[ 'scram', 'none', more => 'password=wrong' ],
	[ 'both', 'good', more => 'password=wrong' ],
	[ 'app', 'good', more => 'ssl_max_protocol_version=TLSv1.2' ],
	[ 'wants', 'expired', more => 'ssl_max_protocol_version=TLSv1.2' ],
	[ 'wants', 'forged', more => 'ssl_max_protocol_version=TLSv1.2' ],
	[ 'free', 'none', dbname => 'template1', sslmode => 'disable' ],
	[ 'free', 'none', sslmode => 'disable' ],
	[ 'free', 'none', sslmode => 'verify-full', host => 'localhost' ],
	[ 'free', 'good', dbname => 'missing' ],
	[ 'replica', 'good', sql => 'IDENTIFY_SYSTEM', more => 'replication=1' ],
	[ 'replica', 'good', sql => 'IDENTIFY_SYSTEM', more => 'replication=database password=secret' ],
	[ 'replica', 'other', sql => 'IDENTIFY_SYSTEM', more => 'replication=1' ],
	[ 'replica', 'none', sql => 'IDENTIFY_SYSTEM', more => 'replication=1 password=secret', sslmode => 'disable' ])
{
	my ($user, $name, %options) = @$case;
	my @answers = map { login($_, $user, $name, %options) } ($without, $with);

	is($answers[1], $answers[0], "$user with certificate $name, " . join(' ', map { "$_=$options{$_}" } sort keys %options));
}
is($_->safe_psql('postgres', 'SELECT session_user', extra_params => [ '-U', 'app' ]), 'app', 'Unix socket')
  foreach ($without, $with);
is($with->safe_psql('postgres', 'SELECT count(*) > 0 FROM ssl_guard_client_certificates WHERE severity > $$notice$$'),
	't', 'there was something to complain about');

# nor does a client learn of alarms, whatever it asks for
$with->safe_psql('postgres', "ALTER SYSTEM SET ext_ssl_guard.identity_check = 'warn'");
$with->reload;
foreach my $round (1 .. 3)
{
	my ($status, undef, $err) = $with->tcp_psql('SELECT 1', user => 'wants', client => $client{soon},
		more => "options='-c client_min_messages=debug5 -c log_min_messages=error'");

	unlike($err, qr/certificate|identit|WARNING|code=/, "the client is told nothing, round $round");
}
$_->stop foreach ($without, $with);

done_testing();

# ssl_guard_ctl probe of a PostgreSQL server: the codes are those of its
# ssl_guard_certificates, the words those of its log; and the server notices nothing.

use strict;
use warnings;

use Test::More;

use JSON::PP qw(decode_json);

use ESG::Certs;
use ESG::Ctl;
use ESG::Node;
use PostgreSQL::Test::Utils ();

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Test CA');
my $middle = $certs->make_ca('middle', ca => $ca, subject => '/CN=Middle CA', days_left => 3000);
my $other_ca = $certs->make_ca('other_ca', subject => '/CN=Other CA');
my $good = $certs->make_server('good', ca => $middle, chain => [$middle]);
my $client = $certs->make_client('alice', ca => $ca, subject => '/CN=alice');
my $stranger = $certs->make_client('stranger', ca => $other_ca, subject => '/CN=alice');
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $good, conf => "ssl_ciphers = 'DEFAULT:\@SECLEVEL=0'\next_ssl_guard.self_probe = off\nlog_min_messages = info\nlog_min_error_statement = info");
{
	# so that it loads what is weak; clients have the system's own limits
	local $ENV{OPENSSL_CONF} = ESG::Certs::spew($certs->dir . '/openssl.cnf', <<'CNF');
openssl_conf = start
[start]
ssl_conf = ssl
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL=0
CNF
	$node->start;
}
my $server = '127.0.0.1:' . $node->port;
my $root = $node->path('root.crt');

# ---- what it tells

{
	my $offset = $node->log_end;
	my ($status, $report, $err) = ESG::Ctl::report('probe', $server, '--ca', $root);
	my ($object, @more) = ESG::Ctl::objects($report, 'server');
	my @shown = ESG::Ctl::objects($report, 'certificate');
	my $facts = $object->{facts};

	is("$status $err", '0 ', 'a good server') or diag(explain($report));
	is($report->{command} . ' ' . $report->{status}, 'probe ok', 'what was done, and its outcome');
	is(scalar @more, 0, 'one address');
	is("$object->{name} $object->{address}", "$server $server", 'which');
	is($facts->{protocol}, 'TLSv1.3', 'protocol');
	is(join(' ', ESG::Ctl::codes($object)), '', 'nothing of it is weak');
	like($facts->{cipher}, qr/^TLS_AES_/, 'cipher');
	like($facts->{group}, qr/\w/, 'group');
	ok($facts->{asks_for_client_certificate}, 'a client certificate is asked for');
	is_deeply($facts->{ca_names}, ['CN=Test CA'], 'by these CAs');
	ok($facts->{name_matches} && $facts->{verified}, 'name and chain are fine');
	ok(!exists $facts->{takes_client_certificate}, 'nothing is said of one that was not shown');
	cmp_ok($facts->{"${_}_ms"}, '>=', 0, "time of $_") foreach qw(connect answer handshake);
	ok(!exists $facts->{resolve_ms}, 'an address needs no name server');
	is_deeply([ map { "$_->{position} $_->{role} $_->{fingerprint}" } @shown ], [ "1 server $good->{fingerprint}", "2 chain $middle->{fingerprint}" ], 'the chain as it is served');
	is($shown[0]{serial_number}, $good->{serial}, 'serial number');
	is($shown[0]{issuer}, 'CN=Middle CA', 'issuer');
	# of other connections only our own are in the log
	is($node->log_since($offset) =~ s/^.*\[local\].*\n//mgr, '', 'nothing in the server\'s log');
}

# ---- the same codes as the server

# Installs a certificate, and waits until it is served.
sub serve
{
	my ($cert) = @_;
	my $until = time + $ESG::Node::timeout;
	my $report;

	$node->replace($cert->{key}, 'server.key');
	$node->replace($cert->{cert}, 'server.crt');
	$node->reload;
	do { (undef, $report) = ESG::Ctl::report('probe', $server, '--ca', $root) }
	  until time > $until || (ESG::Ctl::objects($report, 'certificate'))[0]{fingerprint} eq $cert->{fingerprint};
	return $report;
}

my %cases = (
	'a good one' => $good,
	'expires soon' => $certs->make_server('soon', ca => $ca, days_left => 5),
	'has expired' => $certs->make_server('expired', ca => $ca, days_left => -3),
	'is not valid yet' => $certs->make_server('future', ca => $ca, not_before => ESG::Certs::stamp(86400), not_after => ESG::Certs::stamp(40 * 86400)),
	'no subjectAltName' => $certs->make_server('no_san', ca => $ca, subject => '/CN=127.0.0.1', san => []),
	'a client\'s' => $certs->make_server('client_purpose', ca => $ca, eku => 'clientAuth'),
	'a weak key' => $certs->make_server('weak', ca => $ca, key => 'rsa:1024'),
	'a weak signature' => $certs->make_server('sha1', ca => $ca, digest => 'sha1'),
	'an intermediate is missing' => $certs->make_server('incomplete', ca => $middle, chain => []),
	'the root in the chain' => $certs->make_server('with_root', ca => $middle, chain => [ $middle, $ca ]),
	'a chain in disorder' => $certs->make_server('disorder', ca => $middle, chain => [ $ca, $middle ]),
	'self-signed' => $certs->make_cert('self', subject => '/CN=localhost', san => [ 'DNS:localhost', 'IP:127.0.0.1' ]),
	'valid for ten years' => $certs->make_server('long', ca => $ca, days_left => 3500, lifetime => 3600),
	'must-staple' => $certs->make_server('staple', ca => $ca, extensions => ['tlsfeature=status_request']),
	'a stranger in the chain' => $certs->make_server('unrelated', ca => $ca, chain => [$other_ca]));

# What is in the view, and how probe has it: all columns that both have.
my @columns = qw(position subject issuer serial_number fingerprint not_before not_after);
my @fact_columns = qw(common_name alt_names key_algorithm key_bits security_bits signature_algorithm signature_digest is_ca self_signed
  key_usage extended_key_usage);

sub rows_of_view
{
	return map { decode_json($_) } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT to_jsonb(c) || jsonb_build_object('not_before', to_char(not_before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
	'not_after', to_char(not_after AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
FROM ssl_guard_certificates c WHERE setting = 'ssl_cert_file' ORDER BY "position"
SQL
}

# { column => text }; what is not there is ''
sub plain
{
	my ($of, @names) = @_;

	return map { my $value = $of->{$_}; ($_ => ref $value eq 'ARRAY' ? join(' ', @$value) : JSON::PP::is_bool($value) ? ($value ? 1 : 0) : $value // '') } @names;
}

sub same_columns
{
	my ($name, @shown) = @_;
	my @rows = rows_of_view();

	foreach my $i (0 .. $#rows)
	{
		my ($row, $object) = ($rows[$i], $shown[$i]);
		my %probed = (plain($object, @columns), plain($object->{facts}, @fact_columns),
			role => $object->{role}, findings => join(' ', map { $_->{code} } @{ $object->{findings} }),
			severity => $object->{findings}[0] ? $object->{findings}[0]{severity} : 'ok');
		my %view = (plain($row, @columns, @fact_columns, 'findings', 'severity'), role => $row->{kind});

		is_deeply(\%probed, \%view, "$name: certificate " . ($i + 1) . ': all columns of the view') or diag(explain(\%probed, \%view));
	}
	return;
}

foreach my $name (sort keys %cases)
{
	my $report = serve($cases{$name});
	my @shown = ESG::Ctl::objects($report, 'certificate');
	my @rows = split /\n/, $node->safe_psql('postgres', q{SELECT "position" || ' ' || (SELECT coalesce(string_agg(f, ' ' ORDER BY f COLLATE "C"), '') FROM unnest(findings) f) FROM ssl_guard_certificates WHERE setting = 'ssl_cert_file' ORDER BY "position"});

	# a single certificate is sent with the issuers that ssl_ca_file has
	splice(@shown, scalar @rows) if @rows == 1;
	is(join("\n", map { join ' ', $_->{position}, ESG::Ctl::codes($_) } @shown), join("\n", map { s/ $//r } @rows), "$name: the same codes");

	same_columns($name, @shown);

	# and words, but for where it was found
	my %probed = map { $_->{code} . $_->{position} => $_ } map { my $at = $_->{position}; map { { %$_, position => $at } } @{ $_->{findings} } } @shown;
	foreach my $row (split /\n/, $node->safe_psql('postgres', q{SELECT code || E'\t' || substring(object FROM ':(\d+)$') || E'\t' || severity || E'\t' || message || E'\t' || coalesce(hint, '') FROM ssl_guard_check() WHERE object ~ 'server\.crt:\d+$'}))
	{
		my ($code, $position, $severity, $message, $hint) = split /\t/, $row;
		my $finding = $probed{"$code$position"} // next;

		is($finding->{severity}, $severity, "$name: $code: severity");
		is($finding->{message} =~ s/ of server "\Q$server\E"//r, $message =~ s/ in file "[^"]*"//r, "$name: $code: message");
		# the server knows which file it has it from
		is($finding->{hint} // '', $hint, "$name: $code: hint") unless $code eq 'root_in_chain';
	}
}
serve($good);

# ---- another day, other names, other CAs

sub codes_of
{
	my ($status, $report) = ESG::Ctl::report('probe', @_);

	return "$status " . join ' ', map { ESG::Ctl::codes($_) } ESG::Ctl::objects($report, 'certificate');
}

is(codes_of($server), '0 ', 'today all is well');
is(codes_of($server, '--at', '+360d'), '2 expires_very_soon', 'soon it is not');
like(codes_of($server, '--at', '2099-01-01'), qr/^2 expired/, 'and then it has expired');

is(codes_of($server, '--name', 'LocalHost.'), '0 ', 'another name that it has');
is(codes_of($server, '--name', 'db1.example.com'), '1 host_name_not_covered', 'a name that it does not have');
is(codes_of($server, '--name', '127.0.0.2'), '1 host_name_not_covered', 'an address that it does not have');

foreach my $case ([ $root, 1, 0 ], [ $other_ca->{cert}, 0, 2 ], [ $middle->{cert}, 0, 2 ])
{
	my ($file, $verified, $want) = @$case;
	my ($status, $report) = ESG::Ctl::report('probe', $server, '--ca', $file);
	my ($object) = ESG::Ctl::objects($report, 'server');
	my ($ret) = $node->tcp_psql('SELECT 1', sslmode => 'verify-ca', root => $file);

	is($status, $want, "--ca $file: status");
	is($object->{facts}{verified} ? 1 : 0, $verified, 'verified');
	is($ret == 0 ? 1 : 0, $verified, 'psql says the same');
}

# ---- client certificates

foreach my $version ('TLSv1.2', 'TLSv1.3')
{
	$node->apply(ssl_max_protocol_version => $version);
	foreach my $case ([ $client, 1, 0 ], [ $stranger, 0, 2 ])
	{
		my ($cert, $taken, $want) = @$case;
		my ($status, $report, $err) = ESG::Ctl::report('probe', $server, '--cert', $cert->{cert}, '--key', $cert->{key});
		my ($object) = ESG::Ctl::objects($report, 'server');
		my ($ret) = $node->tcp_psql('SELECT 1', client => $cert);

		is("$status $err", "$want ", "$version, $cert->{name}: status") or diag(explain($report));
		is($object->{facts}{takes_client_certificate} ? 1 : 0, $taken, 'does the server take it');
		is($ret == 0 ? 1 : 0, $taken, 'psql says the same');
		is(scalar ESG::Ctl::objects($report, 'certificate'), 2, 'what it serves is judged in either case');
	}
}
$node->apply(ssl_max_protocol_version => 'TLSv1.1', ssl_min_protocol_version => 'TLSv1');
{
	my ($status, $report) = ESG::Ctl::report('probe', $server);
	my ($object) = ESG::Ctl::objects($report, 'server');

	is("$status $object->{facts}{protocol}", '1 TLSv1.1', 'an old protocol');
	# and has no cipher with forward secrecy for it, on some systems
	like(join(' ', ESG::Ctl::codes($object)), qr/\bweak_protocol$/, 'has a code');
	my ($finding) = grep { $_->{code} eq 'weak_protocol' } @{ $object->{findings} };
	is("$finding->{severity} $finding->{message}", qq(warning server "$server": old versions of TLS are admitted: TLSv1.1, and no newer one is agreed on), 'and words');
	like((ESG::Ctl::run('probe', $server))[1], qr/^    WARNING weak_protocol \(SG109\): /m, 'also as text');
	like((ESG::Ctl::run('probe', $server, '--format', $_))[1], qr/weak_protocol/, "and for $_") foreach qw(prometheus nagios);
}
$node->apply(ssl_max_protocol_version => 'TLSv1.2', ssl_min_protocol_version => 'TLSv1.2', ssl_ciphers => 'kRSA');
serve($certs->make_server('rsa', ca => $ca, key => 'rsa:2048'));
{
	my ($status, $report) = ESG::Ctl::report('probe', $server);
	my ($object) = ESG::Ctl::objects($report, 'server');

	is($status, 1, 'a cipher without forward secrecy');
	is(join(' ', ESG::Ctl::codes($object)), 'weak_cipher', 'has a code');
	like($object->{findings}[0]{message}, qr/: weak ciphers are enabled: \S+ \(no forward secrecy\), which is agreed on where all are offered$/, 'and words');
	my ($found) = $node->safe_psql('postgres', q{SELECT findings FROM ssl_guard_settings WHERE setting = 'ssl_ciphers'});
	is($found, '{weak_cipher}', 'the server has the same');
	ok(!exists $object->{facts}{group}, 'there is no group then');
}

$node->apply(ssl_max_protocol_version => '', ssl_ciphers => 'DEFAULT:@SECLEVEL=0');
serve($good);

# ---- a key with a passphrase

{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $locked = $certs->make_client('locked', ca => $ca, subject => '/CN=alice', passphrase => 'sesam');
	my @probe = ('probe', $server, '--cert', $locked->{cert}, '--key');
	my $taken = sub {
		my ($status, $report, $err) = ESG::Ctl::report(@_);
		my ($object) = $report ? ESG::Ctl::objects($report, 'server') : {};

		return ($status . ($object->{facts}{takes_client_certificate} ? ' taken' : ''), $err);
	};

	ESG::Certs::spew("$dir/client.key", ESG::Certs::slurp($locked->{key}));
	chmod 0600, "$dir/client.key";
	is(($taken->(\"sesam\n", @probe, $locked->{key}))[0], '0 taken', 'the passphrase from standard input');
	ESG::Certs::spew("$dir/word", "sesam\n");
	chmod 0600, "$dir/word";
	is(($taken->(@probe, $locked->{key}, '--passphrase-file', "$dir/word"))[0], '0 taken', 'from a file');
	my ($wrong, $said) = $taken->(\"melon\n", @probe, $locked->{key});
	is($wrong, '3', 'a wrong one');
	like($said, qr/the passphrase does not open private key file/, 'and it says so');
	unlike($said, qr/melon/, 'but not what it was');
	is((ESG::Ctl::run(\"sesam\n", 'encrypt', '-D', $dir, '-M', 'client'))[0], 0, 'a pair beside the key');
	is(($taken->(@probe, "$dir/client.key"))[0], '0 taken', 'is used');
	unlink "$dir/client.key.rand";
	($wrong, $said) = $taken->(\"sesam\n", @probe, "$dir/client.key");
	is($wrong, '3', 'half a pair is none');
	like($said, qr/passphrase file ".*" cannot be used/, 'and nobody is asked then');
	($wrong, $said) = $taken->('probe', $server, '--cert', $client->{cert}, '--key', $stranger->{key});
	is($wrong, '3', 'another key');
	like($said, qr/does not belong to the certificate/, 'is told from the right one');
}

# ---- no TLS; wrong usage

$node->apply(ssl => 'off');
{
	my ($status, $out, $err) = ESG::Ctl::run('probe', $server);

	is("$status $err", '1 ', 'a server without TLS');
	like($out, qr/WARNING: it says that it has no TLS\n\s+Hint: Install a certificate/, 'is told politely');
}
foreach my $case (
	[ [], qr/no server given/ ],
	[ ['/var/run/postgresql'], qr/directory of Unix sockets/ ],
	[ ['@abstract'], qr/directory of Unix sockets/ ],
	[ ['db1:http'], qr/invalid port in "db1:http"/ ],
	[ ['db1:0'], qr/invalid port/ ],
	[ ['db1:65536'], qr/invalid port/ ],
	[ ['db1:'], qr/invalid port/ ],
	[ [':5432'], qr/there is no host/ ],
	[ ['[::1'], qr/brackets/ ],
	[ ['[::1]x'], qr/brackets/ ],
	[ [''], qr/there is no host/ ],
	[ [ $server, 'db1:x' ], qr/invalid port in "db1:x"/ ],
	[ [ $server, '--timeout', '0' ], qr/--timeout/ ],
	[ [ $server, '--timeout', 'inf' ], qr/--timeout/ ],
	[ [ $server, '--timeout', '1e9' ], qr/--timeout/ ],
	[ [ $server, '--format', 'xml' ], qr/unknown format "xml"/ ],
	[ [ $server, '--color', 'red' ], qr/--color/ ],
	[ [ $server, '--at', 'tomorrow' ], qr/"tomorrow" is no moment/ ],
	[ [ $server, '--at', '2027-02-30' ], qr/is no moment/ ],
	[ [ $server, '--key', 'x' ], qr/--cert/ ],
	[ [ $server, '--ca', '/nowhere' ], qr/could not read file "\/nowhere": No such file/, 'no hint' ],
	[ [ $server, '--cert', '/dev/zero' ], qr/not a regular file/, 'no hint' ],
	[ [ $server, '--pass=sesam' ], qr/unknown option "--pass"/ ])
{
	my ($arguments, $words, $no_hint) = @$case;
	my ($status, $out, $err) = ESG::Ctl::run('probe', @$arguments);

	is("$status $out", '3 ', "probe @$arguments");
	like($err, $words, 'why');
	like($err, qr/^Try "ssl_guard_ctl probe --help"/m, 'and where to look') unless $no_hint;
	unlike($err, qr/sesam/, 'no value is quoted');
}
{
	my ($status, $out, $err) = ESG::Ctl::run('probe', '--help');

	is("$status $err", '0 ', '--help');
	like($out, qr/^Usage:\n  ssl_guard_ctl probe /m, 'is help');
}
done_testing();

# CRLs as OpenSSL uses them: for each situation, which clients get in, and what
# the alarms say about it.
#
# The logins are the measure.  No silence where a client is refused, no
# "refused" where it gets in, no silence where a revoked client gets in.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use ESG::Certs;
use ESG::Der;
use ESG::Node;

my $day = 86400;
my $point = 'http://pki.example.com/ca.crl';
my $certs = ESG::Certs->new;
my %ca = (
	root => $certs->make_ca('root', subject => '/CN=Root CA'),
	other => $certs->make_ca('other', subject => '/CN=Other CA'),
	old => $certs->make_ca('old', subject => '/CN=Renewed CA'),
	new => $certs->make_ca('new', subject => '/CN=Renewed CA'),
	unfit => $certs->make_ca('unfit', subject => '/CN=Unfit CA', key_usage => 'critical,keyCertSign'),
	server => $certs->make_ca('server_ca', subject => '/CN=Server CA'),
);
$ca{issuing} = $certs->make_ca('issuing', subject => '/CN=Issuing CA', ca => $ca{root});
# its certificate reissued; and the new key of a CA, certified by its old one
$ca{refitted} = $certs->make_ca('refitted', subject => '/CN=Unfit CA', key => $ca{unfit});
$ca{rolled} = $certs->make_ca('rolled', subject => '/CN=Renewed CA', ca => $ca{old});

# a client: its CAs from its own up to the root
my %client = (
	good => client('good', ['root']),
	revoked => client('revoked', ['root']),
	other => client('other', ['other']),
	through => client('through', [ 'issuing', 'root' ]),
	named => client('named', [ 'issuing', 'root' ], extensions => ["crlDistributionPoints=URI:$point"]),
	through_revoked => client('through_revoked', [ 'issuing', 'root' ]),
	old => client('old', ['old']),
	new => client('new', ['new']),
	rolled => client('rolled', [ 'rolled', 'old' ]),
	unfit => client('unfit', ['unfit']),
);
my %server = (
	usual => $certs->make_server('server', ca => $ca{server}),
	revoked => $certs->make_server('server_revoked', ca => $ca{root}),
	old_5 => $certs->make_server('server_old', ca => $ca{old}, serial => '05'),
);

sub client
{
	my ($name, $path, @options) = @_;
	my $made = $certs->make_client("client_$name", ca => $ca{ $path->[0] }, subject => "/CN=$name",
		chain => [ map { $ca{$_} } @$path[ 0 .. $#$path - 1 ] ], @options);

	return { %$made, path => $path };
}

# ---- CRLs; what is revoked is in those that are made later

my %crl;

# from and to: days from now; lines of openssl's x509v3_config
sub make_crl
{
	my ($name, $ca, $from, $to, @lines) = @_;

	$crl{$name} = $certs->make_crl($ca{$ca}, "crl_$name", last_update => $from * $day, next_update => $to * $day,
		(@lines ? (extensions => \@lines) : ()));
	return;
}

# another CRL, changed and signed anew
sub edit_crl
{
	my ($name, $from, $ca, $edit) = @_;

	$crl{$name} = ESG::Certs::spew("$crl{$from}.$name", ESG::Der::resign($crl{$from}, $ca{$ca}{key}, $edit));
	return;
}

sub revoke
{
	my ($ca, @made) = @_;

	$certs->revoke($ca{$ca}, $_) foreach @made;
	return;
}

# Adds the extension 1.2.3.4, critical, to the first entry.
sub spoil_entry
{
	my ($part) = @_;
	my $revoked = $ESG::Der::crl{next_update} + 1;
	my $entries = ESG::Der::fields($part->[$revoked]);
	my $fields = ESG::Der::fields($entries->[0]);

	$fields->[2] = ESG::Der::tlv(0x30, ESG::Der::tlv(0x30, "\x06\x03\x2a\x03\x04\x01\x01\xff" . ESG::Der::tlv(4, "\x05\x00")));
	$entries->[0] = ESG::Der::tlv(0x30, join('', @$fields));
	$part->[$revoked] = ESG::Der::tlv(0x30, join('', @$entries));
	return;
}

sub delta_of { return "2.5.29.27=critical,ASN1:INTEGER:$_[0]"; }
sub next_publish { return '1.3.6.1.4.1.311.21.4=ASN1:UTCTIME:' . substr(ESG::Certs::stamp($_[0] * $day), 2); }
my $aki = 'authorityKeyIdentifier=keyid';

make_crl(empty => 'root', -10, 30);
make_crl(base => 'root', -3, 30);
make_crl(delta => 'root', -1, 30, delta_of(3));
make_crl(old_delta => 'root', -9, 30, delta_of(1));
make_crl("twin$_" => 'root', -15 - $_, 20) foreach 1 .. 20;

revoke('root', @client{qw(revoked)}, $server{revoked});
revoke('issuing', $client{through_revoked});
revoke('new', $server{old_5});	# the serial number 5, as "openssl ca" does not look at the key
$client{$_}{is_revoked} = 1 foreach qw(revoked through_revoked);

make_crl(fresh => 'root', -2, 30);
make_crl(stale => 'root', -20, -1);
make_crl(newer_stale => 'root', -1.5, -1);
make_crl(future => 'root', 2, 30);
make_crl(soon => 'root', -20, 0.8);
make_crl(very_soon => 'root', -20, 0.2);
make_crl(overlap => 'root', -7.2, 0.3);
make_crl(overlap_begun => 'root', -7.2, 0.3, next_publish(-0.2));
make_crl(overlap_half => 'root', -7.2, 0.3, next_publish(-0.4));
make_crl(critical => 'root', -2, 30, '1.2.3.4.5=critical,ASN1:NULL');
make_crl(other => 'other', -2, 30);
make_crl(unfit => 'unfit', -2, 30);
make_crl(old => 'old', -3, 30);
make_crl(old_newer => 'old', -1, 30);
make_crl(new => 'new', -2, 30);
make_crl(old_aki => 'old', -3, 30, $aki);
make_crl(new_aki => 'new', -2, 30, $aki);
make_crl(rolled_aki => 'rolled', -2, 30, $aki);
make_crl(issuing => 'issuing', -2, 30);
make_crl(issuing_stale => 'issuing', -20, -1);
foreach my $scope (
	[ user => 'onlyuser=TRUE' ], [ ca => 'onlyCA=TRUE' ], [ attribute => 'onlyAA=TRUE' ],
	[ reasons => 'onlysomereasons=keyCompromise,CACompromise' ], [ indirect => 'indirectCRL=TRUE' ],
	[ point => "fullname=URI:$point" ])
{
	my ($name, $line) = @$scope;

	make_crl("${_}_$name" => $_, -2, 30, 'issuingDistributionPoint=critical,@scope', '[scope]', $line)
	  foreach qw(root issuing);
}
$crl{weak} = $certs->make_crl($ca{root}, 'crl_weak', digest => 'sha1');
edit_crl(forever => 'fresh', 'root', sub { splice @{ $_[0] }, $ESG::Der::crl{next_update}, 1 });
edit_crl(no_time => 'fresh', 'root', sub { $_[0][ $ESG::Der::crl{next_update} ] =~ s/..Z\z/xxZ/s });
edit_crl(critical_entry => 'fresh', 'root', \&spoil_entry);
$crl{bad_signature} = ESG::Certs::spew("$crl{fresh}.bad", ESG::Der::edit($crl{fresh}, sub { substr($_[0][2], -1) ^= "\x01" }));
$crl{der} = ESG::Certs::spew("$crl{fresh}.der", (ESG::Der::read_pem($crl{fresh}))[1]);
$crl{certificate} = $ca{root}{cert};
$crl{nonsense} = ESG::Certs::spew("$crl{fresh}.nonsense", "no CRL\n");
revoke('root', $ca{issuing});
make_crl(revokes_issuing => 'root', -2, 30);
chomp(my $hash = `openssl crl -hash -noout -in '$crl{fresh}'`);

# ---- the server

my $node = ESG::Node->new('crls');
$node->setup(
	ca => $ca{root},
	server => $server{usual},
	conf => "include_if_exists = 'crl.conf'\next_ssl_guard.file_poll_interval = 0",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
my $dir = $node->path('crls');
mkdir $dir, 0755 or die "mkdir: $!";
$node->start;

# Reloads and waits until new connections are the reloaded server's.
sub reload
{
	my $before = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');

	$node->reload;
	foreach (1 .. 500)
	{
		return if $node->safe_psql('postgres', 'SELECT pg_conf_load_time()') ne $before;
		sleep 0.02;
	}
	die 'the server was not reloaded';
}

# Puts a situation in place: ca, file: names; dir: name => [names]; server: name.
sub install
{
	my ($situation) = @_;
	my @files = @{ $situation->{file} // [] };
	my %names = %{ $situation->{dir} // {} };
	my $server = $server{ $situation->{server} // 'usual' };

	$situation->{ca} //= ['root'];
	$node->replace($server->{cert}, 'server.crt');
	$node->replace($server->{key}, 'server.key');
	$node->replace($certs->concat('situation.crt', map { $ca{$_}{cert} } @{ $situation->{ca} }), 'root.crt');
	$node->replace($certs->concat('situation.crl', map { $crl{$_} } @files), 'root.crl');
	unlink glob "$dir/*";
	ESG::Certs::spew("$dir/$_", map { ESG::Certs::slurp($crl{$_}) } @{ $names{$_} }) foreach keys %names;
	ESG::Certs::spew($node->path('crl.conf'),
		"ssl_crl_file = '" . (@files ? 'root.crl' : '') . "'\n",
		"ssl_crl_dir = '" . ($situation->{dir} ? 'crls' : '') . "'\n");
	reload();
	return;
}

# ---- what the alarms say

# { code, severity, object without directories, message } of what a fresh look says about CRLs
sub alarms
{
	my $rows = $node->safe_psql('postgres', <<'SQL');
SELECT code, severity, regexp_replace(object, '^.*/', ''), message FROM ssl_guard_check()
WHERE code LIKE 'crl\_%' OR code IN ('file_unparsable', 'reload_failed', 'invalid_time') ORDER BY object, code
SQL
	my @keys = qw(code severity object message);

	return map { my %alarm; @alarm{@keys} = split /\|/, $_, 4; \%alarm } split /\n/, $rows;
}

# The CA whose clients an alarm says are refused: name and, if there are
# several of that name, serial number; or the CA at a position of the file.
sub is_blamed
{
	my ($alarm, $situation, $client) = @_;
	my $text = $alarm->{message};
	my @path = map { $ca{$_} } @{ $client->{path} };

	return 0 if $text !~ /are refused/;
	if ($text =~ /its clients are refused/)
	{
		my ($position) = $alarm->{object} =~ /^root\.crt:(\d+)$/ or die "$alarm->{object}: $text";

		return grep { $_ == $ca{ $situation->{ca}[ $position - 1 ] } } @path;
	}
	my ($name, $serial, $who) = $text =~ /clients of "([^"]+)"(?: \(serial number (\w+)\))?(.*) are refused/
	  or die "whose clients? $text";
	return 0 if $who =~ /whose certificates do not name/ && $client == $client{named};
	return grep { "CN=$_->{subject}" eq $name && (!defined $serial || $_->{serial} eq $serial) } @path;
}

# One login against all the alarms.
sub compare
{
	my ($name, $situation, $who, $outcome, @alarms) = @_;
	my $client = $client{$who};
	my @blamed = grep { is_blamed($_, $situation, $client) } @alarms;
	my @words = map { "$_->{code} $_->{object}: $_->{message}" } @alarms;

	if ($outcome eq 'in')
	{
		is(scalar @blamed, 0, "$name: $who gets in, and no alarm says that it is refused") or diag @words;
		ok((grep { $_->{message} =~ /does? not count|ignored/ } @alarms), "$name: $who is revoked, and an alarm says so")
		  or diag @words
		  if $client->{is_revoked};
	}
	elsif (!$client->{is_revoked} && !$situation->{unknown_to_the_server})
	{
		ok((grep { $_->{severity} eq 'critical' || $_->{message} =~ /do not name/ } @blamed),
			"$name: $who is refused, and an alarm says so") or diag @words;
	}
	return;
}

sub login
{
	my ($who) = @_;
	my ($status) = $node->tcp_psql('SELECT 1', client => $client{$who});

	return $status == 0 ? 'in' : 'out';
}

# name, situation, logins, alarms; further pairs of logins and alarms are those
# of other versions of OpenSSL
sub check
{
	my ($name, $situation, %expected) = @_;
	my $usual = $_[2];
	my @clients = map { s/ .*//r } split /, /, $usual;

	install($situation);
	my @alarms = alarms();
	my %outcome = map { $_ => login($_) } @clients;
	my $logins = join(', ', map { "$_ $outcome{$_}" } @clients);
	ok(exists $expected{$logins}, "$name: $logins") or diag("expected: $usual");
	is(join(', ', map { "$_->{code} $_->{object}" } @alarms), $expected{$logins} // $expected{$usual}, "$name: alarms");
	compare($name, $situation, $_, $outcome{$_}, @alarms) foreach @clients;
	return @alarms;
}

# Subjects are needed by name.
$_->{subject} = openssl_subject($_) foreach values %ca;

sub openssl_subject
{
	my ($made) = @_;

	return ESG::Certs::openssl('x509', '-in', $made->{single}, '-noout', '-subject') =~ s/^subject=CN ?= ?(.*)\n$/$1/r;
}

# ---- time
check('fresh', { file => ['fresh'] }, 'good in, revoked out' => '');
check('stale', { file => ['stale'] }, 'good out, revoked out' => 'crl_expired root.crl:1');
check('not yet valid', { file => ['future'] }, 'good out' => 'crl_not_yet_valid root.crl:1');
check('a nextUpdate that is no time', { file => ['no_time'] }, 'good out' => 'invalid_time root.crl:1');
check('without nextUpdate', { file => ['forever'] }, 'good in, revoked out' => 'crl_no_next_update root.crl:1');
check('four per cent left', { file => ['soon'] }, 'good in, revoked out' => 'crl_expires_soon root.crl:1');
check('one per cent left', { file => ['very_soon'] }, 'good in' => 'crl_expires_very_soon root.crl:1');
check('weekly, overlap has begun', { file => ['overlap'] }, 'good in' => 'crl_expires_soon root.crl:1');
check('weekly with the next publication, overlap has begun', { file => ['overlap_begun'] }, 'good in' => '');
check('weekly with the next publication, half of the overlap', { file => ['overlap_half'] }, 'good in' => 'crl_expires_soon root.crl:1');

# ---- which CA
check('of two CAs one has no CRL', { ca => [ 'root', 'other' ], file => ['fresh'] },
	'good in, other out' => 'crl_missing root.crt:2');
check('of two CAs both have', { ca => [ 'root', 'other' ], file => [ 'fresh', 'other' ] }, 'good in, other in' => '');
my %renewed = (ca => [ 'old', 'new' ]);
check('renewed, CRL of the old key', { %renewed, file => ['old'] }, 'old in, new out' => 'crl_missing root.crt:2');
check('renewed, CRL of the new key', { %renewed, file => ['new'] }, 'old out, new in' => 'crl_missing root.crt:1');
check('renewed, both, none names its key', { %renewed, file => [ 'old', 'new' ] },
	'old out, new in' => 'crl_unusable root.crl:1');
check('renewed, both, the old key\'s is newer', { %renewed, file => [ 'old_newer', 'new' ] },
	'old in, new out' => 'crl_unusable root.crl:2');
check('renewed, AKI, CRL of the old key', { %renewed, file => ['old_aki'] }, 'old in, new out' => 'crl_missing root.crt:2');
check('renewed, AKI, CRL of the new key', { %renewed, file => ['new_aki'] }, 'old out, new in' => 'crl_missing root.crt:1');
check('renewed, AKI, both', { %renewed, file => [ 'old_aki', 'new_aki' ] }, 'old in, new in' => '');
check('renewed, one of two names its key', { %renewed, file => [ 'old_aki', 'new' ] }, 'old out, new in' => 'crl_unusable root.crl:1');
check('renewed, the old CA is gone', { ca => ['new'], file => [ 'old', 'new' ] }, 'new in' => 'crl_unknown_issuer root.crl:1');
check('renewed, the old CA is gone, AKI', { ca => ['new'], file => [ 'old_aki', 'new_aki' ] }, 'new in' => 'crl_unknown_issuer root.crl:1');
check('renewed, the old CA is gone, its CRL newer', { ca => ['new'], file => [ 'old_newer', 'new' ] },
	'new out' => 'crl_bad_signature root.crl:1');
check('renewed, only the former key\'s CRL', { ca => ['new'], file => ['old'] },
	'new out' => 'crl_bad_signature root.crl:1, crl_missing root.crt:1');
check('renewed, only the former key\'s CRL, AKI', { ca => ['new'], file => ['old_aki'] },
	'new out' => 'crl_unknown_issuer root.crl:1, crl_missing root.crt:1');
check('new key certified by the old one', { ca => [ 'old', 'rolled' ], file => ['old_aki'] }, 'old in, rolled in' => '');
check('new key certified by the old one, CRLs of both', { ca => [ 'old', 'rolled' ], file => [ 'old_aki', 'rolled_aki' ] },
	'old in, rolled in' => '');

# ---- the best of several
check('stale and fresh', { file => [ 'stale', 'fresh' ] }, 'good in, revoked out' => '');
check('fresh and stale', { file => [ 'fresh', 'newer_stale' ] }, 'good in, revoked out' => '');
check('older and fresh', { file => [ 'empty', 'fresh' ] }, 'good in, revoked out' => '');
check('two stale', { file => [ 'stale', 'newer_stale' ] }, 'good out' => 'crl_expired root.crl:2');
check('many of one name', { file => [ (map { "twin$_" } 1 .. 20), 'fresh' ] }, 'good in, revoked out' => '');

# ---- signature
check('bad signature', { file => ['bad_signature'] }, 'good out' => 'crl_bad_signature root.crl:1, crl_missing root.crt:1');
check('bad signature and an older one', { file => [ 'empty', 'bad_signature' ] }, 'good out' => 'crl_bad_signature root.crl:2');
check('CA without cRLSign', { ca => ['unfit'], file => ['unfit'] }, 'unfit out' => 'crl_bad_signature root.crl:1');
check('weak signature', { file => ['weak'] }, 'good in, revoked out' => 'crl_weak_signature root.crl:1');

# ---- scope: the CRL of a root, of an issuing CA that the server knows, and of one that it does not
my %known = (ca => [ 'root', 'issuing' ]);
check('root, onlyContainsUserCerts', { file => ['root_user'] },
	'good out, revoked out' => 'crl_unusable root.crl:1', 'good in, revoked out' => '');
check('root, onlyContainsCACerts', { file => ['root_ca'] }, 'good out, revoked out' => 'crl_unusable root.crl:1');
check('root, one for users and one for CAs', { file => [ 'root_user', 'root_ca' ] }, 'good in, revoked out' => '');
check("root, $_", { file => ["root_$_"] }, 'good out, revoked out' => 'crl_unusable root.crl:1')
  foreach qw(attribute reasons indirect point);
check('issuing CA, onlyContainsUserCerts', { %known, file => [ 'fresh', 'issuing_user' ] },
	'good in, through in, through_revoked out' => '');
check("issuing CA, $_", { %known, file => [ 'fresh', "issuing_$_" ] },
	'good in, through out, through_revoked out' => 'crl_unusable root.crl:2') foreach qw(ca attribute reasons indirect);
check('issuing CA, distribution point', { %known, file => [ 'fresh', 'issuing_point' ] },
	'good in, through out, named in' => 'crl_unusable root.crl:2');
check('unknown CA, onlyContainsUserCerts', { file => [ 'fresh', 'issuing_user' ] },
	'good in, through in, through_revoked out' => 'crl_unknown_issuer root.crl:2');
check("unknown CA, $_", { file => [ 'fresh', "issuing_$_" ] },
	'good in, through out' => 'crl_unknown_issuer root.crl:2, crl_unusable root.crl:2') foreach qw(ca attribute reasons indirect);
check('unknown CA, distribution point', { file => [ 'fresh', 'issuing_point' ] },
	'good in, through out, named in' => 'crl_unknown_issuer root.crl:2, crl_unusable root.crl:2');

# ---- delta CRLs, which OpenSSL takes for complete ones, until it was mended in 2026
check('delta alone', { file => ['delta'] },
	'good in, revoked in' => 'crl_unusable root.crl:1, crl_missing root.crt:1',
	'good out, revoked out' => 'crl_unusable root.crl:1, crl_missing root.crt:1');
check('base and delta', { file => [ 'fresh', 'delta' ] },
	'good in, revoked in' => 'crl_unusable root.crl:2', 'good in, revoked out' => '');
check('base and an older delta', { file => [ 'fresh', 'old_delta' ] }, 'good in, revoked out' => '');
check('base, and the delta is taken away', { file => ['fresh'] }, 'good in, revoked out' => '');

# ---- critical extensions
check('unknown critical extension', { file => ['critical'] }, 'good out' => 'crl_unusable root.crl:1');
check('unknown critical extension, and one without', { file => [ 'critical', 'empty' ] }, 'good in' => '');
check('unknown critical extension of an entry', { file => ['critical_entry'] }, 'good out' => 'crl_unusable root.crl:1');

# ---- intermediate CAs
check('intermediate in ssl_ca_file', { %known, file => [ 'fresh', 'issuing' ] }, 'good in, through in, through_revoked out' => '');
check('its CRL missing', { %known, file => ['fresh'] }, 'good in, through out' => 'crl_missing root.crt:2');
check('its CRL stale', { %known, file => [ 'fresh', 'issuing_stale' ] }, 'good in, through out' => 'crl_expired root.crl:2');
check('the root\'s CRL stale', { %known, file => [ 'stale', 'issuing' ] }, 'good out, through out' => 'crl_expired root.crl:1');
check('intermediate sent by the client', { file => [ 'fresh', 'issuing' ] },
	'good in, through in, through_revoked out' => 'crl_unknown_issuer root.crl:2');
check('sent, its CRL stale', { file => [ 'fresh', 'issuing_stale' ] },
	'good in, through out' => 'crl_expired root.crl:2, crl_unknown_issuer root.crl:2');
check('sent, its CRLs stale and fresh', { file => [ 'fresh', 'issuing_stale', 'issuing' ] },
	'good in, through in' => 'crl_unknown_issuer root.crl:3');
# nobody here knows that there is such a CA: ssl_guard_handshake_failures does, once it was used
check('sent, no CRL', { file => ['fresh'], unknown_to_the_server => 1 }, 'good in, through out' => '');

# ---- what the server itself uses
check('a CA in use is revoked', { %known, file => [ 'revokes_issuing', 'issuing' ] },
	'good in, through out' => 'crl_revokes_own root.crl:1');
check('the server\'s own certificate is revoked', { server => 'revoked', file => ['fresh'] }, 'good in' => 'crl_revokes_own root.crl:1');
check('the serial number of another key\'s certificate', { server => 'old_5', %renewed, file => [ 'old_aki', 'new_aki' ] },
	'old in, new in' => '');
check('the serial number of another key\'s certificate, which is gone', { server => 'old_5', ca => ['new'], file => ['new'] },
	'new in' => '');

# ---- files that hold none: with some the server goes on with what it had
check('before', { file => ['fresh'] }, 'good in' => '');
# EXEC_BACKEND: each backend loads the files by itself, and has no TLS if it cannot
check('DER', { file => ['der'] }, 'good in' => 'file_unparsable root.crl, reload_failed server') unless ESG::Node::exec_backend();

check('a certificate', { file => ['certificate'] }, 'good out' => 'file_unparsable root.crl, crl_missing root.crt:1');

# ---- ssl_crl_dir
check('hashed name', { dir => { "$hash.r0" => ['fresh'] } }, 'good in, revoked out' => '');
check('misnamed', { dir => { 'ca.crl' => ['fresh'] } }, 'good out' => 'crl_not_hashed ca.crl:1, crl_missing root.crt:1');
check('both names', { dir => { 'ca.crl' => ['fresh'], "$hash.r0" => ['fresh'] } }, 'good in, revoked out' => '');
check('two CRLs, two names', { dir => { "$hash.r0" => ['stale'], "$hash.r1" => ['fresh'] } }, 'good in, revoked out' => '');
check('two CRLs, one file', { dir => { "$hash.r0" => [ 'stale', 'fresh' ] } }, 'good in, revoked out' => '');
check('number 0 is not there', { dir => { "$hash.r1" => ['fresh'] } },
	'good out' => "crl_not_hashed $hash.r1:1, crl_missing root.crt:1");
check('a gap', { dir => { "$hash.r0" => ['empty'], "$hash.r2" => ['fresh'] } }, 'good in, revoked in' => "crl_not_hashed $hash.r2:1");
check('nonsense comes first', { dir => { "$hash.r0" => ['nonsense'], "$hash.r1" => ['fresh'] } },
	'good out' => "file_unparsable $hash.r0, crl_not_hashed $hash.r1:1, crl_missing root.crt:1",
	'good in' => "file_unparsable $hash.r0");
check('nonsense comes first, and a name is missing', { dir => { "$hash.r0" => ['nonsense'], 'ca.crl' => ['fresh'] } },
	'good out' => "file_unparsable $hash.r0, crl_not_hashed ca.crl:1, crl_missing root.crt:1");
check('DER in the directory', { dir => { "$hash.r0" => ['der'] } }, 'good out' => "file_unparsable $hash.r0, crl_missing root.crt:1");
check('file stale, directory fresh', { file => ['stale'], dir => { "$hash.r0" => ['fresh'] } }, 'good in, revoked out' => '');
check('file fresh, directory stale', { file => ['fresh'], dir => { "$hash.r0" => ['stale'] } }, 'good in, revoked out' => '');
check('a CA in the file, another in the directory', { ca => [ 'root', 'other' ], file => ['other'], dir => { "$hash.r0" => ['fresh'] } },
	'good in, other in' => '');

# ---- each hint followed to the letter: its alarm goes, no other comes, the client gets in

sub follow
{
	my ($code, $fault, $remedy, $who) = @_;

	install($fault);
	ok((grep { $_->{code} eq $code } alarms()), "$code is there");
	install($remedy);
	is(join(', ', map { "$_->{code} $_->{object}" } alarms()), '', "$code: the hint helps");
	is(login($who), 'in', "$code: $who gets in");
	return;
}

my $fresh = { file => ['fresh'] };
# a new CRL, or the present one, in place of this one
follow(crl_expired => { file => ['stale'] }, $fresh, 'good');
follow(crl_expires_very_soon => { file => ['very_soon'] }, $fresh, 'good');
follow(crl_expires_soon => { file => ['soon'] }, $fresh, 'good');
follow(crl_not_yet_valid => { file => ['future'] }, $fresh, 'good');
follow(crl_bad_signature => { file => ['bad_signature'] }, $fresh, 'good');
follow(crl_weak_signature => { file => ['weak'] }, $fresh, 'good');
follow(crl_no_next_update => { file => ['forever'] }, $fresh, 'good');
follow(crl_unusable => { file => [$_] }, $fresh, 'good') foreach qw(root_ca root_indirect root_point delta critical);
# a CRL of this CA
follow(crl_missing => { ca => [ 'root', 'other' ], file => ['fresh'] }, { ca => [ 'root', 'other' ], file => [ 'fresh', 'other' ] }, 'other');
follow(crl_missing => { ca => ['new'], file => ['old_aki'] }, { ca => ['new'], file => ['new'] }, 'new');
# cRLSign for the CA, its certificate in ssl_ca_file, an authorityKeyIdentifier for each
follow(crl_bad_signature => { ca => ['unfit'], file => ['unfit'] }, { ca => ['refitted'], file => ['unfit'] }, 'unfit');
follow(crl_unknown_issuer => { file => [ 'fresh', 'issuing' ] }, { %known, file => [ 'fresh', 'issuing' ] }, 'through');
follow(crl_unusable => { %renewed, file => [ 'old', 'new' ] }, { %renewed, file => [ 'old_aki', 'new_aki' ] }, 'old');
follow(crl_revokes_own => { server => 'revoked', file => ['fresh'] }, { server => 'usual', file => ['fresh'] }, 'good');
# another name
install({ dir => { 'ca.crl' => ['fresh'] } });
my ($name) = map { $_->{message} =~ /is named "([^"]+)"/ } alarms();
rename "$dir/ca.crl", "$dir/$name" or die "rename: $!";
is(join(', ', map { $_->{code} } alarms()), '', 'crl_not_hashed: the name in the message helps');
is(login('good'), 'in', 'crl_not_hashed: a client gets in');
# behind one that cannot be read, where that name would do as well
install({ dir => { "$hash.r0" => ['nonsense'], 'ca.crl' => ['fresh'] } });
($name) = map { $_->{code} eq 'crl_not_hashed' ? $_->{message} =~ /(?:is named|stops at file) "([^"]+)"/ : () } alarms();
rename "$dir/ca.crl", "$dir/$name" or die "rename: $!";
is(login('good'), 'in', "crl_not_hashed: $name, as the message says, helps behind nonsense");
is(join(', ', map { $_->{code} } alarms()), $name =~ /r0$/ ? '' : 'file_unparsable', 'crl_not_hashed: and the alarm goes');
is_deeply([ glob($node->data_dir . '/pg_stat_tmp/ssl_guard*') ], [], 'nothing is left of what was tried');
install({ ca => [ 'root', 'other' ], dir => { 'ca.crl' => ['fresh'], 'old.pem' => ['stale'], 'other.crl' => ['other'] } });
ESG::Certs::openssl('rehash', $dir);
is(join(', ', map { $_->{code} } alarms()), '', 'crl_not_hashed: openssl rehash helps');
is(join(', ', map { login($_) } qw(good other revoked)), 'in, in, out', 'crl_not_hashed: and the CRLs count');

$node->stop;
done_testing();

# Names made to deceive who reads the log or a view: quotes, what looks like an
# escape, characters that cannot be seen.  And string types whose text is in doubt.
# What is compared is the value itself, by real logins; what is shown can be read
# back to it, and to nothing else.

use strict;
use warnings;

use Encode qw(decode encode);
use Unicode::UCD;

use Test::More;

use ESG::Certs;
use ESG::Der;
use ESG::Node;

my $zwsp = "\xe2\x80\x8b";
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca', subject => '/CN=Text CA');
my $server = $certs->make_server('server', ca => $ca);
my $model = $certs->make_client('model', ca => $ca);
my $node = ESG::Node->new('main');

# ---- the table, and Perl's own tables of the same standard

sub read_table
{
	my $source = ESG::Certs::slurp('src/x509/unicode.c');
	my ($version) = $source =~ /Unicode Character Database (\d+\.\d+)/;
	my @ranges = $source =~ /\{0x([0-9A-F]+), 0x([0-9A-F]+)\}/g;

	return ($version, map { hex } @ranges);
}

my ($version, @bounds) = read_table();
is("@bounds", join(' ', sort { $a <=> $b } @bounds), 'the table is in order');
cmp_ok(scalar @bounds, '>', 40, 'and was read');
my %hidden;
for (my $i = 0; $i < @bounds; $i += 2)
{
	@hidden{ $bounds[$i] .. $bounds[ $i + 1 ] } = ();
}

# Characters that only the newer of the two standards has are left out.
my $shared = Unicode::UCD::UnicodeVersion() =~ /^(\d+\.\d+)/ && $1 < $version ? $1 : $version;
my @wrong;
foreach my $code (0 .. 0x10ffff)
{
	next if $code >= 0xd800 && $code <= 0xdfff;
	no warnings 'nonchar';
	my $char = chr $code;
	my $wanted = $char =~ /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{Co}\p{DI}\p{NChar}\x{2800}\x{16fe4}\x{1d159}]/ && $code != 0x20;

	next if !!$wanted == exists $hidden{$code};
	push @wrong, sprintf('%04x', $code) if $char =~ /\p{Present_In: $shared}/ || $char =~ /[\p{DI}\p{NChar}]/;
}
is("@wrong", '', "what is hidden in Unicode $shared is, and nothing else");

# ---- what a reader makes of what is shown

# a printable text's value; RFC 2253 text, too
sub read_back
{
	my ($text) = @_;

	return $text =~ s{\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))}{
		defined $1 ? chr hex $1 : defined $2 ? encode('UTF-8', chr hex $2) : defined $3 ? encode('UTF-8', chr hex $3) : $4}gerx;
}

# DETAIL's pairs
sub pairs
{
	my ($line) = @_;
	my %pairs;

	while ($line =~ /\G ?(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^ "\\=]+))/gc)
	{
		my ($key, $quoted, $plain) = ($1, $2, $3);

		$pairs{$key} = defined $quoted ? $quoted =~ s/\\(.)/$1/gr : $plain;
	}
	die "cannot be read after \"" . substr($line, 0, pos($line) // 0) . "\": $line" if (pos($line) // 0) < length $line;
	return %pairs;
}

# "source value" of each identity
sub identities
{
	my ($text) = @_;
	my @found;

	push @found, "$1 " . read_back($2) while $text =~ /\G(?:, )?(\w+):"((?:[^"\\]|\\.)*)"/gc;
	die "cannot be read: $text" if (pos($text) // 0) < length $text;
	return @found;
}

# ---- certificates

my %attribute = (CN => "\x06\x03\x55\x04\x03", O => "\x06\x03\x55\x04\x0a");
my %type = (UTF8 => 0x0c, Printable => 0x13, T61 => 0x14, Universal => 0x1c, BMP => 0x1e);
my $count = 0;

# from pairs of attribute and [type, octets], least specific first
sub make_client
{
	my (@parts) = @_;
	my $subject = '';
	my $file = $certs->dir . '/text' . ++$count . '.crt';

	while (my ($attribute, $value) = splice @parts, 0, 2)
	{
		$subject .= ESG::Der::tlv(0x31, ESG::Der::tlv(0x30, $attribute{$attribute} . ESG::Der::tlv($type{ $value->[0] }, $value->[1])));
	}
	ESG::Certs::spew($file, ESG::Der::resign($model->{cert}, $ca->{key},
			sub { $_[0][ $ESG::Der::cert{subject} ] = ESG::Der::tlv(0x30, $subject) }));
	return { cert => $file, key => $model->{key}, fingerprint => ESG::Certs::fingerprint($file) };
}

sub apply
{
	my (%settings) = @_;

	return $node->apply(map { ("ext_ssl_guard.$_" => $settings{$_}) } keys %settings);
}

sub login
{
	my ($user, $client) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => "'" . $user =~ s/([\\'])/\\$1/gr . "'", client => $client);

	return 'in' if $status == 0;
	return $1 if $err =~ /FATAL:\s+client certificate was refused \((\w+)\)\s*$/;
	return $err =~ /SSL error|closed unexpectedly|closed the connection/ ? 'closed' : $err;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

$node->setup(
	ca => $ca,
	server => $server,
	init => { extra => [ '--encoding=UTF8', '--locale=C' ] },
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
ESG::Certs::spew($node->path('pg_ident.conf'), "any /^.*\$ all\n", map { "any /^.*\$ \"$_\"\n" } 'mueller', "m\xc3\xbcller", "\xd0\x96\xd0\x96");
$node->start;
sql('CREATE ROLE "' . s/"/""/gr . '" LOGIN')
  foreach 'alice', 'mueller', "m\xc3\xbcller", "\xd0\x96\xd0\x96", "ali${zwsp}ce", 'ali\\u200bce', 'CORP\\alice', 'a "b" c';

# ---- what the log says of several identities
apply(identity_check => 'enforce', identity_sources => 'cn, dn, dns');
foreach my $name (
	'bob, dns:alice', 'bob", dns:"alice', 'bob\\", dns:\\"alice', 'bob" map=x identities="cn:alice', "bob\n", "b${zwsp}ob", 'b\\u200bob', 'b\\x0aob',
	"b\xf3\xa0\x81\xa1b", 'bob\\', "b\xc2\x85b", "\xef\xbb\xbfbob\xe3\x85\xa4")
{
	my $client = make_client(CN => [ UTF8 => $name ]);
	my $offset = $node->log_end;
	my $shown = decode('UTF-8', $name) =~ s/([^\x20-\x7e])/sprintf('U+%04X', ord $1)/ger;

	is(login('alice', $client), 'identity_mismatch', "<$shown> is not alice");
	my ($line) = $node->log_since($offset) =~ /DETAIL:  (code=identity_mismatch .*fingerprint=$client->{fingerprint}.*)/;
	like($line, qr/^[\x20-\x7e]+\z/, 'its log line has nothing hidden');
	my %pairs = pairs($line);
	my @found = identities($pairs{identities});

	is($found[0], "cn $name", 'and gives the name itself');
	is(scalar(grep { /^(?:cn|dns) / } @found), 1, 'in one identity');
	is(sql("SELECT common_name || ' ' || subject FROM ssl_guard_client_certificates WHERE fingerprint = '$client->{fingerprint}'")
		  =~ /^([\x20-\x7e]+) CN=([\x20-\x7e]+)$/ ? read_back($1) . ' ' . read_back($2) : '', "$name $name", 'the view, too');
	my ($cn) = split /\n/, sql("SELECT identity || '|' || rule FROM ssl_guard_identity_check('alice', pg_read_file('$client->{cert}'))");

	is(read_back($cn =~ s/\|[^|]*$//r), $name, 'and the dry run');
}

# What was accepted is quoted, too.
my $quoted = make_client(CN => [ UTF8 => 'a "b" c' ]);
like(sql("SELECT rule FROM ssl_guard_identity_check('a \"b\" c', pg_read_file('$quoted->{cert}')) WHERE source = 'decision'"),
	qr/^cn "a \\"b\\" c" equals the role name$/, 'the reason for a decision');

# ---- compared is the value, as ever
my %hidden_name = ('zero-width space' => "ali${zwsp}ce", 'what looks like it' => 'ali\\u200bce', backslash => 'CORP\\alice');
foreach my $what (sort keys %hidden_name)
{
	my $role = $hidden_name{$what};
	my $client = make_client(CN => [ UTF8 => $role ]);
	my @others = grep { $_ ne $role } 'alice', values %hidden_name;

	is(login($role, $client), 'in', "$what: the role of that name");
	is(join(' ', map { login($_, $client) } @others), join(' ', ('identity_mismatch') x @others), 'and no other');
	is(sql("SELECT r.rolname FROM ssl_guard_client_certificates c JOIN pg_roles r ON r.rolname = c.role_name WHERE c.fingerprint = '$client->{fingerprint}' AND c.logins > 0"),
		$role, 'its row has the name of the role');
}

# Role names in the log and in alarms.
my $plain = make_client(CN => [ UTF8 => 'nobody' ]);
foreach my $role ("ali${zwsp}ce", 'a "b" c')
{
	my $offset = $node->log_end;

	apply(identity_check => 'warn');
	is(login($role, $plain), 'in', 'warned only');
	my ($message, $line) = $node->log_since($offset) =~ /WARNING:  (.*)\n.*DETAIL:  (.*)/;
	my %pairs = pairs($line);
	my ($said) = $message =~ /role "((?:[^"\\]|\\.)*)"$/;

	is(read_back($pairs{role}), $role, 'the role in DETAIL');
	is(read_back($said), $role, 'and in the message');
	unlike($message . $line, qr/$zwsp/, 'hides nothing');
	is(sql("SELECT count(*) FROM ssl_guard_alarms WHERE object ~ '[^ -~]' OR message ~ '[^ -~]'"), 0, 'nor does the view');
}

# ---- a file's name
my $odd = "o\"d\\d${zwsp}.crt";
ESG::Certs::spew($node->path($odd), ESG::Certs::slurp($plain->{cert}));
chmod 0666, $node->path($odd);
apply(extra_files => '"' . $odd =~ s/"/""/gr =~ s/\\/\\\\/gr . '"');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = 'permissions_too_open'", 1), 1, 'an alarm about a file');
my ($in_message) = sql("SELECT message FROM ssl_guard_alarms WHERE code = 'permissions_too_open'") =~ /^file "((?:[^"\\]|\\.)*)" has mode 0666/;
is(read_back($in_message), $node->path($odd), 'its path in the message');
is(read_back(sql("SELECT path FROM ssl_guard_files WHERE setting ~ 'extra_files' AND kind = 'extra'")), $node->path($odd), 'in the view');
foreach my $command (sql("SELECT suggestion FROM ssl_guard_files WHERE kind = 'extra'"), sql("SELECT hint FROM ssl_guard_alarms WHERE code = 'permissions_too_open'"))
{
	like($command, qr{chmod 0644 '[^']*/o"d\\d\\u200b\.crt'$}, 'a command keeps its own backslash');
}
# which works where nothing is hidden
rename $node->path($odd), $node->path('o"d\\d.crt') or die "rename: $!";
apply(extra_files => '"o""d\\\\d.crt"');
is($node->wait_sql("SELECT count(*) FROM ssl_guard_files WHERE kind = 'extra' AND suggestion ~ '^chmod'", 1), 1, 'a command to run');
system(sql("SELECT suggestion FROM ssl_guard_files WHERE kind = 'extra'"));
is($node->wait_sql("SELECT count(*) FROM ssl_guard_check() WHERE code = 'permissions_too_open'", 0), 0, 'which mends it');
apply(extra_files => '');

# ---- string types: what the text is must be beyond doubt
my $j = "\xd0\x96\xd0\x96";
my @types = (
	# name, subject, role, cn, dn
	[ 'UTF8String', [ CN => [ UTF8 => "m\xc3\xbcller" ] ], "m\xc3\xbcller", 'in', 'in' ],
	[ 'PrintableString', [ CN => [ Printable => 'mueller' ] ], 'mueller', 'in', 'in' ],
	[ 'PrintableString with high bytes', [ CN => [ Printable => "m\xfcller" ] ], "m\xc3\xbcller", 'identity_mismatch', 'identity_mismatch' ],
	[ 'T61String of ASCII', [ CN => [ T61 => 'mueller' ] ], 'mueller', 'in', 'in' ],
	[ 'T61String with high bytes', [ CN => [ T61 => "m\xfcller" ] ], "m\xc3\xbcller", 'identity_mismatch', 'identity_mismatch' ],
	[ 'T61String that is T.61', [ CN => [ T61 => "m\xc8uller" ] ], "m\xc3\xbcller", 'identity_mismatch', 'identity_mismatch' ],
	[ 'BMPString', [ CN => [ BMP => "\x04\x16\x04\x16" ] ], $j, 'in', 'in' ],
	# core: an embedded null
	[ 'BMPString of ASCII', [ CN => [ BMP => "\0a" ] ], 'mueller', 'closed', 'closed' ],
	[ 'UniversalString', [ CN => [ Universal => "\0\0\x04\x16\0\0\x04\x16" ] ], $j, 'closed', 'closed' ],
	[ 'T61String of ASCII beside the name', [ O => [ T61 => 'x' ], CN => [ UTF8 => 'mueller' ] ], 'mueller', 'in', 'in' ],
	[ 'T61String with high bytes beside it', [ O => [ T61 => "\xfc" ], CN => [ UTF8 => 'mueller' ] ], 'mueller', 'in', 'identity_mismatch' ],
	[ 'BMPString beside it', [ O => [ BMP => "\0a\x04\x16" ], CN => [ UTF8 => 'mueller' ] ], 'mueller', 'in', 'in' ],
	[ 'UniversalString beside it', [ O => [ Universal => "\0\0\x04\x16" ], CN => [ UTF8 => 'mueller' ] ], 'mueller', 'in', 'in' ]);

foreach my $case (@types)
{
	my ($what, $subject, $role, @expected) = @$case;
	my $client = make_client(@$subject);
	my $dry = "FROM ssl_guard_identity_check('$role', pg_read_file('$client->{cert}'))";

	# the role's name, and a map that takes anything
	foreach my $how ([ 'cn', '', $expected[0] ], [ 'cn', 'any', $expected[0] ], [ 'dn', 'any', $expected[1] ])
	{
		my ($source, $map, $wanted) = @$how;

		apply(identity_check => 'enforce', identity_sources => $source, identity_map => $map);
		is(login($role, $client), $wanted, "$what, $source" . ($map ? ', a map that takes all' : ''));
		next if $wanted eq 'closed';
		is(sql("SELECT matched $dry WHERE source = 'decision'"), $wanted eq 'in' ? 't' : 'f', 'the dry run says so');
		next if $wanted eq 'in';
		like(sql("SELECT rule $dry WHERE source = '$source'"),
			$what =~ /T61/ ? qr/^never matches: value is a T61String with characters outside ASCII$/ : qr/^never matches: value is badly encoded/, 'and why');
	}
}

# ---- labels: the same rule
apply(identity_check => 'off');
my %label = (cn => "cn=m\xc3\xbcller", dn => "dn=CN=m\xc3\xbcller");
foreach my $key (sort keys %label)
{
	sql("SECURITY LABEL FOR ext_ssl_guard ON ROLE mueller IS '$label{$key}'");
	is(login('mueller', make_client(CN => [ UTF8 => "m\xc3\xbcller" ])), 'in', "label $key=, UTF8String");
	is(login('mueller', make_client(CN => [ T61 => "m\xfcller" ])), 'role_label_mismatch', "label $key=, T61String with high bytes");
	sql("SECURITY LABEL FOR ext_ssl_guard ON ROLE mueller IS '" . $label{$key} =~ s/\xc3\xbc/ue/r . "'");
	is(login('mueller', make_client(CN => [ T61 => 'mueller' ])), 'in', "label $key=, T61String of ASCII");
}

$node->stop;
done_testing();

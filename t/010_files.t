# ssl_guard_files: which files are looked at, their state, what is wrong with
# them, and that nothing but a regular file is ever read.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use IO::Socket::UNIX;
use POSIX qw(mkfifo);
use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('files');
$node->setup(ca => $ca, server => $server,
	conf => "ext_ssl_guard.file_poll_interval = 0\next_ssl_guard.expire_check_interval = 0");
$node->start;
my $dir = $node->path('extra');
mkdir $dir, 0755 or die $!;
my $ca_text = slurp($ca->{cert});
my $server_text = slurp($server->{cert});

sub slurp
{
	open(my $in, '<:raw', $_[0]) or die "$_[0]: $!";
	local $/ = undef;
	return scalar <$in>;
}

sub spew
{
	my ($path, $text, $mode) = @_;
	open(my $out, '>:raw', $path) or die "$path: $!";
	print $out $text;
	close $out;
	chmod $mode // 0644, $path or die $!;
	return $path;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Changes settings and waits until a new session sees them.
my $serial = 0;
sub configure
{
	my (%settings) = @_;
	$serial++;
	s/'/''/g foreach values %settings;
	$node->set_conf(%settings, 'ext_ssl_guard.alarm_repeat_interval' => 86400 + $serial . 's');
	$node->reload;
	$node->wait_sql("SELECT setting FROM pg_settings WHERE name = 'ext_ssl_guard.alarm_repeat_interval'",
		86400 + $serial, 20) eq 86400 + $serial or die 'the settings were not accepted';
	return;
}

sub watch { return configure('ext_ssl_guard.extra_files' => join(', ', @_)); }

# columns of a path's row, joined with "|"
sub row
{
	my ($path, $columns) = @_;
	return sql("SELECT $columns FROM ssl_guard_files WHERE path = '$path'");
}

sub findings { return row($_[0], "array_to_string(findings, ' ')"); }

# ---- the server's own files
my $path = $node->path('server.crt');
is(row($path, 'setting, kind, file_exists, mode, size, findings, severity, suggestion'),
	join('|', 'ssl_cert_file', 'certificate', 't', '0644', length($server_text), '{}', 'ok', ''),
	'the certificate file');
is(row($path, 'sha256'), sha256_hex($server_text), 'its hash');
is(row($path, 'owner'), scalar(getpwuid($<)), 'its owner');
is(row($path, 'extract(epoch FROM modified)::bigint'), (stat $path)[9], 'its time');
is(row($node->path('server.key'), 'setting, kind, mode, sha256 IS NULL, findings'),
	'ssl_key_file|key|0600|t|{}', 'the key has no hash');
is(row($node->path('root.crt'), 'setting, kind, findings'), 'ssl_ca_file|ca|{}', 'the CA file');
is(sql("SELECT count(*) FROM ssl_guard_files WHERE path = '/' AND kind = 'directory'"), 1,
	'the directories on the path');
is(sql("SELECT count(*) - count(DISTINCT path) FROM ssl_guard_files"), 0, 'each once');
is(sql("SELECT count(*) FROM ssl_guard_files WHERE setting IN ('ssl_crl_file', 'ssl_crl_dir')"), 0,
	'a setting that is empty has no row');

# ---- what is no regular file: never read, never waited for
mkfifo("$dir/fifo", 0644) or die $!;
mkdir "$dir/directory", 0755;
# a socket's path is short
symlink "$dir/loop2", "$dir/loop1";
symlink "$dir/loop1", "$dir/loop2";
chdir $dir or die $!;
my $socket = IO::Socket::UNIX->new(Local => 'socket', Listen => 1);
my @odd = ('fifo', 'directory', 'loop1', $socket ? 'socket' : ());
watch((map { "$dir/$_" } @odd), '/dev/zero', '/dev/tty');
is(findings($_), 'file_not_regular', "$_ is not read") foreach (map { "$dir/$_" } @odd), '/dev/zero', '/dev/tty';
is(row("$dir/loop1", 'file_exists, mode IS NULL, resolved_path IS NULL'), 'f|t|t', 'a loop resolves to nothing');
like(sql("SELECT message FROM ssl_guard_check() WHERE object = '$dir/fifo'"), qr/FIFO/, 'and it has an alarm');

# ---- size
open(my $big, '>', "$dir/big.crt") or die $!;
truncate $big, 100 << 20;
close $big;
spew("$dir/long.crt", $ca_text . "\n" x (2 << 20));
watch("$dir/big.crt", "$dir/long.crt");
is(findings("$dir/big.crt"), 'file_too_large', '100 MB are too large');
is(row("$dir/big.crt", 'sha256 IS NULL'), 't', 'and not hashed');
is(findings("$dir/long.crt"), '', '2 MB in an extra file, which may be a bundle, are not');
configure(ssl_cert_file => "$dir/long.crt");
is(findings("$dir/long.crt"), 'file_too_large', '2 MB are too large for the certificate file');
is(row("$dir/long.crt", 'setting'), 'ssl_cert_file', 'a path that a setting has is not listed as extra file');
SKIP:
{
	my $odd = '/proc/kallsyms';		# a regular file whose size is said to be 0

	my $some;
	skip "no $odd to be read", 4 unless open(my $in, '<', $odd);
	skip "$odd is small", 4 unless read($in, $some, 2 << 20) > 1 << 20;
	close $in;
	configure(ssl_cert_file => $odd);
	is(findings($odd), 'file_too_large', 'a file that is larger than it says: the limit holds while reading');
	like(sql("SELECT message FROM ssl_guard_check() WHERE code = 'file_too_large'"), qr/\((?!0 )\d+ bytes\)/, 'with what was read of it');
	watch('/proc/version');
	configure(ssl_cert_file => 'server.crt');
	is(findings('/proc/version'), 'file_unparsable', 'a small one');
	unlike(sql("SELECT message FROM ssl_guard_check() WHERE code = 'file_unparsable'"), qr/no bytes at all/, 'is not called empty');
}
configure(ssl_cert_file => 'server.crt');

# ---- missing, unreadable
spew("$dir/unreadable.crt", $ca_text, 0000);
watch("$dir/missing.crt", "$dir/unreadable.crt", "$dir/fifo/below.crt");
is(findings("$dir/missing.crt"), 'file_missing', 'a file that is not there');
is(row("$dir/missing.crt", 'file_exists, mode IS NULL, owner IS NULL, size IS NULL, modified IS NULL, sha256 IS NULL'),
	'f|t|t|t|t|t', 'has no state');
is(findings("$dir/fifo/below.crt"), 'file_missing', 'a file below something that is no directory');
SKIP:
{
	skip 'root reads everything', 1 if $> == 0;
	is(findings("$dir/unreadable.crt"), 'file_unreadable', 'a file that may not be read');
}

# ---- links and relative paths
mkdir "$dir/..2026", 0755;
spew("$dir/..2026/tls.crt", $ca_text);
symlink '..2026', "$dir/..data";
symlink '..data/tls.crt', "$dir/tls.crt";
watch("$dir/tls.crt", 'extra/..data/tls.crt');
is(row("$dir/tls.crt", 'resolved_path, findings'), "$dir/..2026/tls.crt|{}", 'links are followed, as Kubernetes makes them');
is(row($node->data_dir . '/extra/..data/tls.crt', 'resolved_path'), "$dir/..2026/tls.crt",
	'a relative path starts at the data directory');
is(row("$dir/..2026", 'kind'), 'directory', 'the directory of the target is looked at');
is(sql("SELECT count(*) FROM ssl_guard_files WHERE path = '$dir/..data'"), 0, 'not the link');

# ---- content
spew("$dir/empty.crt", '');
spew("$dir/html.crt", '<html><body>404</body></html>');
spew("$dir/two.crt", $ca_text . $server_text);
spew("$dir/broken.crt", $ca_text . "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
(my $chomped = $ca_text) =~ s/\n\z//;
spew("$dir/glued.crt", $server_text . $chomped . $server_text);
spew("$dir/crlf.crt", join("\r\n", split(/\n/, $ca_text)));
my $trusted = `openssl x509 -in '$ca->{cert}' -trustout -addtrust serverAuth`;
spew("$dir/trusted.crt", $ca_text . $trusted);
spew("$dir/first_trusted.crt", $trusted . $ca_text);
watch(map { "$dir/$_.crt" } qw(empty html two broken glued crlf trusted first_trusted));
is(findings("$dir/empty.crt"), 'file_unparsable', 'an empty file');
is(findings("$dir/html.crt"), 'file_unparsable', 'HTML');
is(findings("$dir/two.crt"), '', 'two good blocks');
is(findings("$dir/broken.crt"), 'file_partly_read', 'a good block and a broken one');
is(findings("$dir/glued.crt"), 'file_partly_read', 'concatenated without a line end');
is(findings("$dir/crlf.crt"), '', 'CR LF and no final line end');
is(findings("$dir/trusted.crt"), 'trusted_certificate_block', 'a TRUSTED CERTIFICATE after the first block');
is(findings("$dir/first_trusted.crt"), '', 'a TRUSTED CERTIFICATE as the first block');
like(sql("SELECT message FROM ssl_guard_check() WHERE object = '$dir/html.crt'"), qr/HTML/, 'the alarm names what was found');
spew($node->path('root.crt'), $ca_text . $trusted);
is(findings($node->path('root.crt')), 'trusted_certificate_block', 'in a CA file: missing in the list that clients get');
is(sql("SELECT count(*) FROM ssl_guard_certificates WHERE kind = 'ca'"), 2, 'but OpenSSL trusts it, so it is judged');
spew($node->path('root.crt'), $ca_text);
configure(ssl_cert_file => 'server.key');
like(findings($node->path('server.key')), qr/file_unparsable/, 'a key in place of the certificate');
like(sql("SELECT message FROM ssl_guard_check() WHERE code = 'file_unparsable' AND object LIKE '%server.key'"),
	qr/private key/, 'the alarm says so');
configure(ssl_cert_file => 'server.crt');

# ---- private keys are never opened
spew("$dir/client.key", slurp($server->{key}), 0600);
spew("$dir/open.key", slurp($server->{key}), 0644);
spew("$dir/disguised.pem", slurp($server->{key}), 0640);
watch("$dir/client.key", "$dir/open.key", "$dir/disguised.pem", 'server.key');
is(row("$dir/client.key", 'kind, sha256 IS NULL, findings'), 'key|t|{}', 'a key among the extra files');
is(row("$dir/open.key", 'findings, suggestion'), "{permissions_too_open}|chmod 0600 '$dir/open.key'", 'must be private');
is(row("$dir/disguised.pem", 'kind, sha256 IS NULL, findings'), 'key|t|{permissions_too_open}', 'also under another name');
is(sql("SELECT count(*) FROM ssl_guard_files WHERE path LIKE '%/server.key'"), 1, "the server's key is listed once");
spew($node->path('both.pem'), $server_text . slurp($server->{key}), 0600);
configure(ssl_cert_file => 'both.pem', ssl_key_file => 'both.pem', 'ext_ssl_guard.extra_files' => '');
is(sql("SELECT string_agg(kind || ' ' || (sha256 IS NULL) || ' ' || severity, ', ' ORDER BY kind)"
	. " FROM ssl_guard_files WHERE path LIKE '%/both.pem'"),
	'certificate true ok, key true ok', 'certificate and key in one file: no hash');
is(sql("SELECT fingerprint FROM ssl_guard_certificates WHERE kind = 'server'"), $server->{fingerprint},
	'its certificate is read');
configure(ssl_cert_file => 'server.crt', ssl_key_file => 'server.key');

# ---- permissions
my $root = $node->path('root.crt');
chmod 0666, $root;
is(row($root, 'mode, findings, severity, suggestion'),
	"0666|{permissions_too_open}|critical|chmod 0644 '$root'", 'a CA file that anyone may write');
configure('ext_ssl_guard.file_permission_check' => 'off');
is(row($root, 'findings, severity, suggestion'), '{}|ok|', 'file_permission_check = off');
configure('ext_ssl_guard.file_permission_check' => 'warn', 'ext_ssl_guard.max_file_mode' => '0666');
is(findings($root), '', 'max_file_mode = 0666');
configure('ext_ssl_guard.max_file_mode' => '0400');
is(row($path, 'findings, suggestion'), "{permissions_too_open}|chmod 0400 '$path'", 'max_file_mode = 0400');
configure('ext_ssl_guard.max_file_mode' => '0644');
chmod 0644, $root;
is(findings($root), '', 'mended');
spew("$dir/quote'd.crt", $ca_text, 0646);
watch("$dir/tls.crt", "$dir/..2026/tls.crt", qq("$dir/quote'd.crt"));
is(sql("SELECT suggestion FROM ssl_guard_files WHERE path LIKE '%quote%'"), "chmod 0644 '$dir/quote'\\''d.crt'",
	'the suggestion is quoted for the shell');
chmod 0777, "$dir/..2026";
is(row("$dir/..2026", 'findings, severity, suggestion'),
	"{directory_writable}|warning|chmod 0775 '$dir/..2026'", 'a directory that anyone may write');
chmod 01777, "$dir/..2026";
is(findings("$dir/..2026"), '', 'the sticky bit will do');
chmod 0755, "$dir/..2026";

# ---- the passphrase pair, when there is one
watch();
is(sql("SELECT count(*) FROM ssl_guard_files WHERE kind = 'passphrase'"), 0, 'no passphrase files, no rows');
spew($node->path('server.key.cipher'), 'x', 0400);
spew($node->path('server.key.rand'), 'x', 0444);
is(sql("SELECT string_agg(concat_ws(' ', setting, sha256 IS NULL, findings), ', ' ORDER BY path)"
	. " FROM ssl_guard_files WHERE kind = 'passphrase'"),
	'ext_ssl_guard.passphrase_directory t {}, ext_ssl_guard.passphrase_directory t {permissions_too_open}',
	'they are as private as a key');
unlink $node->path('server.key.cipher'), $node->path('server.key.rand');

# ---- what is off is not looked at
configure(ssl_ca_file => '');
is(sql("SELECT count(*) FROM ssl_guard_files WHERE setting = 'ssl_ca_file'"), 0, 'no ssl_ca_file, no row');
configure(ssl => 'off', 'ext_ssl_guard.extra_files' => "$dir/two.crt");
is(sql("SELECT string_agg(path, ' ') FROM ssl_guard_files WHERE kind <> 'directory'"), "$dir/two.crt",
	'ssl = off: only the extra files');
is(sql('SELECT ssl, in_sync IS NULL, served_fingerprint IS NULL FROM ssl_guard_status'), 'f|t|t',
	'ssl = off: nothing is served');

$node->stop;
done_testing();

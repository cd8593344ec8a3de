# file_permission_check = enforce: no login and no start with unsafe files.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;

use PostgreSQL::Test::Utils ();

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $crl = $certs->make_crl($ca, 'crl');
my $node = ESG::Node->new('main');

$node->setup(
	ca => $ca,
	crl => $crl,
	server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.file_poll_interval = '1s'\next_ssl_guard.exempt_roles = 'exempt'",
	hba => [ 'hostssl all all 127.0.0.1/32 trust', 'hostnossl all all 127.0.0.1/32 trust' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE exempt LOGIN');

sub login
{
	my (%options) = @_;
	my ($status, undef, $err) = $node->tcp_psql('SELECT 1', user => 'app', %options);

	return 'in' if $status == 0;
	return $err =~ /refused \((\w+)\)/ ? $1 : $err;
}

# warn: an alarm, nothing else
chmod 0666, $node->path('root.crt') or die "chmod: $!";
$node->wait_sql("SELECT hint FROM ssl_guard_alarms WHERE code = 'permissions_too_open'", qr/./);
is(login(), 'in', 'warn: a login gets in');

# enforce
$node->apply('ext_ssl_guard.file_permission_check' => 'enforce');
my $offset = $node->log_end;
is(login(), 'permissions_too_open', 'enforce: refused');
$node->wait_log(qr/FATAL:  connection was refused \(permissions_too_open\)/, $offset);
like($node->log_since($offset), qr{path=\S*root\.crt .*remedy="chmod 0644}, 'the log has file and remedy');
my (undef, undef, $told) = $node->tcp_psql('SELECT 1', user => 'app');
unlike($told, qr/root\.crt|chmod/, 'the client is not told which file');
($told) = ($node->tcp_psql('SELECT 1', user => 'app', client => $certs->make_client('app', ca => $ca)))[2];
like($told, qr/FATAL:  connection was refused \(permissions_too_open\)$/, 'a client certificate is not blamed');
is(login(user => 'exempt'), 'in', 'an exempt role gets in');
is(login(sslmode => 'disable'), 'in', 'without TLS no TLS file is in use');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'a Unix socket is never refused');
chmod 0644, $node->path('root.crt') or die "chmod: $!";
is(login(), 'in', 'mended, the next login gets in, without a reload');

# each of the files
foreach my $file (qw(server.crt root.crt root.crl))
{
	chmod 0664, $node->path($file) or die "chmod: $!";
	is(login(), 'permissions_too_open', "$file: refused");
	chmod 0644, $node->path($file) or die "chmod: $!";
	is(login(), 'in', "$file: mended");
}
# what core itself does not load
SKIP:
{
	skip 'EXEC_BACKEND: a backend that cannot load the files has no TLS', 8 if ESG::Node::exec_backend();
	chmod 0640, $node->path('server.key') or die "chmod: $!";
	is(login(), 'permissions_too_open', 'server.key: refused');
	chmod 0600, $node->path('server.key') or die "chmod: $!";
	is(login(), 'in', 'server.key: mended');
	rename $node->path('root.crl'), $node->path('root.crl.away') or die "rename: $!";
	is(login(), 'file_missing', 'a file that is gone: refused');
	rename $node->path('root.crl.away'), $node->path('root.crl') or die "rename: $!";
	is(login(), 'in', 'back again: a login gets in');
	rename $node->path('root.crl'), $node->path('root.crl.away') or die "rename: $!";
	mkfifo($node->path('root.crl'), 0600) or die "mkfifo: $!";
	is(login(), 'file_not_regular', 'a FIFO in place of a file: refused');
	unlink $node->path('root.crl');
	rename $node->path('root.crl.away'), $node->path('root.crl') or die "rename: $!";
	SKIP:
	{
		skip 'root reads everything', 3 if $> == 0;
		foreach my $file (qw(root.crl server.key))
		{
			my $mode = (stat $node->path($file))[2] & 07777;

			chmod 0, $node->path($file) or die "chmod: $!";
			is(login(), 'file_unreadable', "$file may not be read: refused");
			chmod $mode, $node->path($file) or die "chmod: $!";
		}
		is(login(), 'in', 'mended');
	}
}

# in ssl_crl_dir only what OpenSSL would look at counts
mkdir $node->path('crls') or die "mkdir: $!";
mkdir $node->path('crls/directory') or die "mkdir: $!";
mkfifo($node->path('crls/fifo'), 0600) or die "mkfifo: $!";
$node->apply(ssl_crl_dir => 'crls');
is(login(), 'in', 'a directory and a FIFO of other names in ssl_crl_dir are nothing to us');
mkfifo($node->path('crls/01234567.r0'), 0600) or die "mkfifo: $!";
is(login(), 'file_not_regular', 'a FIFO with the name of a CRL: refused');
unlink $node->path('crls/01234567.r0');
$node->apply(ssl_crl_dir => '');

# the passphrase pair, once it is there
foreach my $name (qw(server.key.cipher server.key.rand))
{
	my $file = ESG::Certs::spew($node->path($name), 'x');

	chmod 0400, $file or die "chmod: $!";
	is(login(), 'in', "$name: as it should be");
	chmod 0640, $file or die "chmod: $!";
	is(login(), 'permissions_too_open', "$name: refused");
	unlink $file;
	is(login(), 'in', "$name: gone");
}

# openGauss's rule: 0400
sub set_mode
{
	my ($mode) = @_;

	return $node->apply('ext_ssl_guard.max_key_file_mode' => $mode);
}

foreach my $name (qw(server.key.cipher server.key.rand))
{
	chmod 0600, ESG::Certs::spew($node->path($name), 'x') or die "chmod: $!";
}
is(login(), 'in', '0600 for key and pair');
set_mode('0400');
foreach my $name (qw(server.key server.key.cipher server.key.rand))
{
	my $path = $node->path($name);

	is(login(), 'permissions_too_open', "max_key_file_mode = 0400: $name with 0600 is refused");
	is($node->safe_psql('postgres', "SELECT hint FROM ssl_guard_check() WHERE code = 'permissions_too_open' AND object = '$path'"),
		"Run: chmod 0400 '$path'", "max_key_file_mode = 0400: $name with 0600 is reported");
	chmod 0400, $path or die "chmod: $!";
}
is(login(), 'in', 'all with 0400: a login gets in');
unlink $node->path('server.key.cipher'), $node->path('server.key.rand');
chmod 0600, $node->path('server.key') or die "chmod: $!";
set_mode('0600');

# a directory of CRLs, and what is in it
my $hash = ESG::Certs::openssl('crl', '-in', $crl, '-noout', '-hash') =~ s/\s//gr;
my $crl_dir = $node->path('hashed');
mkdir $crl_dir or die "mkdir: $!";
ESG::Certs::spew("$crl_dir/$hash.r0", ESG::Certs::slurp($crl));
chmod 0644, "$crl_dir/$hash.r0" or die "chmod: $!";
$node->apply(ssl_crl_dir => 'hashed');
is(login(), 'in', 'ssl_crl_dir');
chmod 0666, "$crl_dir/$hash.r0" or die "chmod: $!";
is(login(), 'permissions_too_open', 'ssl_crl_dir: an entry');
chmod 0644, "$crl_dir/$hash.r0" or die "chmod: $!";
is(login(), 'in', 'ssl_crl_dir: mended');
symlink 'nowhere', "$crl_dir/$hash.r1" or die "symlink: $!";
is(login(), 'file_missing', 'ssl_crl_dir: a dangling link');
unlink "$crl_dir/$hash.r1";
chmod 0300, $crl_dir or die "chmod: $!";
is(login(), $> == 0 ? 'in' : 'file_unreadable', 'ssl_crl_dir: unreadable');
chmod 0700, $crl_dir or die "chmod: $!";
rename $crl_dir, "$crl_dir.away" or die "rename: $!";
is(login(), 'file_missing', 'ssl_crl_dir: gone');
rename "$crl_dir.away", $crl_dir or die "rename: $!";
is(login(), 'in', 'ssl_crl_dir: back again');

# what is only watched
ESG::Certs::spew($node->path('other.key'), 'x');
chmod 0666, $node->path('other.key') or die "chmod: $!";
$node->apply('ext_ssl_guard.extra_files' => 'other.key, missing.key, missing.crt');
is($node->wait_sql("SELECT string_agg(code, ' ' ORDER BY code) FROM ssl_guard_alarms", 'file_missing file_missing permissions_too_open'),
	'file_missing file_missing permissions_too_open', 'extra files raise alarms');
is(login(), 'in', 'but no login depends on them, keys among them or not');
$node->restart;
is(login(), 'in', 'nor does the start');

# at start
$node->stop;
chmod 0666, $node->path('root.crt') or die "chmod: $!";
$offset = $node->log_end;
is($node->start(fail_ok => 1), 0, 'the server does not start');
like($node->log_since($offset), qr{FATAL:  file ".*root\.crt" has mode 0666}, 'FATAL names file and mode');
like($node->log_since($offset), qr{HINT:  Run: chmod 0644 }, 'and the command that mends it');
chmod 0644, $node->path('root.crt') or die "chmod: $!";

# core would wait for somebody to write into it
rename $node->path('root.crl'), $node->path('root.crl.away') or die "rename: $!";
mkfifo($node->path('root.crl'), 0600) or die "mkfifo: $!";
$offset = $node->log_end;
is($node->start(fail_ok => 1), 0, 'with a FIFO for a CRL the server does not start');
like($node->log_since($offset), qr{FATAL:  file ".*root\.crl" is a FIFO, not a regular file}, 'and does not hang either');
unlink $node->path('root.crl');
rename $node->path('root.crl.away'), $node->path('root.crl') or die "rename: $!";
# openGauss's rule at start
$node->set_conf('ext_ssl_guard.max_key_file_mode' => '0400');
chmod 0400, $node->path('server.key') or die "chmod: $!";
chmod 0600, ESG::Certs::spew($node->path('server.key.rand'), 'x') or die "chmod: $!";
$offset = $node->log_end;
is($node->start(fail_ok => 1), 0, 'with half a pair of mode 0600 where 0400 is the rule the server does not start');
like($node->log_since($offset), qr{FATAL:  file ".*server\.key\.rand" has mode 0600, more than the 0400 allowed}, 'said why');
unlink $node->path('server.key.rand');
$node->start;
is(login(), 'in', 'mended, it starts');

done_testing();

# Polling: a full check follows when a file has changed, and only then; each
# file is read once per check.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Time::HiRes qw(sleep);

use Test::More;

use ESG::Certs;
use ESG::Node;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca);
my $node = ESG::Node->new('polling');
$node->setup(ca => $ca, server => $server, conf => <<'CONF');
ssl_crl_dir = 'crls'
ext_ssl_guard.file_poll_interval = 1s
ext_ssl_guard.extra_files = 'missing.crt, unreadable.crt, large.crt, fifo, disguised.pem, other.key, link.crt, missing.crt'
CONF

sub put
{
	my ($name, $text, $mode) = @_;
	ESG::Certs::spew($node->path($name), $text);
	chmod $mode // 0644, $node->path($name) or die "chmod: $!";
	return;
}

# a bit of everything, so that both signatures go through every case
my $key = ESG::Certs::slurp($server->{key});
my $ca_text = ESG::Certs::slurp($ca->{cert});
my $hash = ESG::Certs::openssl('x509', '-in', $ca->{cert}, '-noout', '-hash');
chomp $hash;
mkdir $node->path($_) or die "mkdir: $!" foreach qw(crls crls/directory);
put("crls/$hash.r0", ESG::Certs::slurp($certs->make_crl($ca, 'crl')));
put('crls/README', 'nothing');
mkfifo($node->path($_), 0600) or die "mkfifo: $!" foreach 'fifo', 'crls/fifo', 'crls/01234567.r0';
put('unreadable.crt', $ca_text, 0);
put('large.crt', '');
truncate($node->path('large.crt'), (64 << 20) + 1) or die "truncate: $!";
put('disguised.pem', $key, 0600);
put('other.key', $key, 0600);
put('target.crt', $ca_text);
put('target2.crt', $ca_text);
symlink 'target.crt', $node->path('link.crt') or die "symlink: $!";
$node->start;

sub checked_at { return $node->safe_psql('postgres', 'SELECT last_check_at FROM ssl_guard_status'); }

sub wait_check
{
	my ($before, $what) = @_;
	is($node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status"), 't', $what);
	return;
}

$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status');
sleep 1.5;
my $before = checked_at();
sleep 3.5;
is(checked_at(), $before, 'three looks at unchanged files: no check');

foreach my $change (
	[ 'content', sub { put('target.crt', $ca_text . "\n") } ],
	[ 'mode', sub { chmod 0600, $node->path('target.crt') } ],
	[ 'target of a link', sub { unlink $node->path('link.crt'); symlink 'target2.crt', $node->path('link.crt') } ],
	[ 'a key', sub { put('other.key', "$key\n", 0600) } ],
	[ 'a key under another name', sub { put('disguised.pem', "$key\n", 0600) } ],
	[ 'a new entry in ssl_crl_dir', sub { put('crls/76543210.r0', 'x') } ],
	[ 'an entry less', sub { unlink $node->path('crls/76543210.r0') } ],
	[ 'a file that was missing', sub { put('missing.crt', $ca_text) } ],
	[ 'a FIFO that becomes a file', sub { unlink $node->path('fifo'); put('fifo', $ca_text) } ])
{
	my ($what, $make) = @$change;

	$before = checked_at();
	$make->();
	wait_check($before, "$what: found");
}
$before = checked_at();
utime 1, 1, map { $node->path($_) } qw(target2.crt server.crt root.crt) or die "utime: $!";
sleep 2.5;
is(checked_at(), $before, 'another mtime is no change');

# once per check: the extra file's 32 MB show in what the worker has read
SKIP:
{
	my $pid = $node->safe_psql('postgres', 'SELECT worker_pid FROM ssl_guard_status');
	skip "no /proc/PID/io", 4 unless open(my $probe, '<', "/proc/$pid/io");
	my $read = sub { return ESG::Certs::slurp("/proc/$pid/io") =~ /^rchar: (\d+)/m ? $1 : die 'no rchar'; };
	put('missing.crt', $ca_text . "\n" x (32 << 20));
	$node->set_conf('ext_ssl_guard.file_poll_interval' => '1h');
	$before = checked_at();
	$node->reload;
	wait_check($before, 'a reload is checked');
	sleep 1.5;
	my $start = $read->();
	$before = checked_at();
	$node->reload;
	wait_check($before, 'so is the next');
	sleep 0.5;
	my $bytes = $read->() - $start;
	cmp_ok($bytes, '>', 32 << 20, 'the file is read');
	cmp_ok($bytes, '<', 48 << 20, 'once');
}

$node->stop;
done_testing();

# Encrypted keys of hosts (PostgreSQL 19): each has its pair beside it, which the
# command in its line opens, at start and at reload.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my %secret = (a => 'first secret', b => 'second secret');
my %cert = map { $_ => $certs->make_server($_, ca => $ca, passphrase => $secret{$_}, subject => "/CN=$_.test", san => ["DNS:$_.test"]) } 'a', 'b';
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, conf => 'ext_ssl_guard.file_poll_interval = 0');
$node->start;
if (!ESG::Sni::known($node))
{
	$node->stop;
	plan skip_all => 'this server has no ssl_sni';
}
chomp(my $program = `sh -c 'command -v ssl_guard_ctl'`);

sub run_ctl
{
	my ($input, @arguments) = @_;
	my $said = '';

	IPC::Run::run([ $program, @arguments ], '<', \$input, '>&', \$said);
	return "$?: $said";
}

sub install
{
	my ($host) = @_;
	my $dir = $node->path('hosts');

	mkdir $dir, 0700 unless -d $dir;
	$node->replace($cert{$host}{cert}, "hosts/$host.crt");
	$node->replace($cert{$host}{key}, "hosts/$host.key");
	like(run_ctl("$secret{$host}\n", 'encrypt', '--force', '--key', "$dir/$host.key"), qr/^0: /m, "$host: the pair is made");
	return qq{$host.test hosts/$host.crt hosts/$host.key root.crt "$program decrypt --key $dir/$host.key" on};
}

ESG::Sni::write_hosts($node, map { install($_) } 'a', 'b');
$node->append_conf('postgresql.conf', "ssl = on\nssl_sni = on\nssl_ca_file = ''");
$node->restart;
is(ESG::Sni::served($node, "$_.test"), $cert{$_}{fingerprint}, "$_: started with its passphrase") foreach 'a', 'b';
$node->wait_sql('SELECT last_check_at IS NOT NULL FROM ssl_guard_status', 't');
is($node->safe_psql('postgres', ESG::Sni::alarms()), '', 'no alarm');
ESG::Sni::reload($node);
is($node->safe_psql('postgres', 'SELECT last_reload_ok, in_sync FROM ssl_guard_status'), 't|t', 'reloaded with them');

# the pair of one host does not fit
my $offset = $node->log_end;
like(run_ctl("$secret{a}\n", 'encrypt', '--force', '--key', $node->path('hosts/b.key')), qr/^(?!0:)/, 'a passphrase that does not fit is refused by the program');
unlink glob($node->path('hosts') . '/b.key.*');
ESG::Sni::reload($node);
is($node->wait_sql('SELECT last_reload_ok FROM ssl_guard_status', 'f'), 'f', 'without its pair the reload fails');
like($node->log_since($offset), qr/code=reload_failed severity=critical line=2 host=b\.test/, 'and the host is named');
is(ESG::Sni::served($node, "$_.test"), $cert{$_}{fingerprint}, "$_: still served") foreach 'a', 'b';
install('b');
ESG::Sni::reload($node);
is($node->wait_sql(ESG::Sni::alarms(), ''), '', 'made anew: it is well again');
is($node->count_log(qr/secret/, 0), 0, 'no passphrase is in the log');

$node->stop;
done_testing();

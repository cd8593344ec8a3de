# session_check = enforce, and CAs that are easily taken for each other: the same key
# under two names, the same name with two keys, a CA that has changed its key.  A
# session ends if and only if the same certificate could not log in anew.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sessions;

my $certs = ESG::Certs->new;
my @by_key = ('authorityKeyIdentifier=keyid:always');

# one key, two names
my $ca = $certs->make_ca('ca', subject => '/CN=One');
my $renamed = $certs->make_ca('renamed', key => $ca, subject => '/CN=Another');
# one name, two keys, below a root; only the clients have them
my $root = $certs->make_ca('root');
my $first = $certs->make_ca('first', ca => $root, subject => '/CN=Middle');
my $second = $certs->make_ca('second', ca => $root, subject => '/CN=Middle');
# before it changed its key; the new one vouches for the old one
my $before = $certs->make_ca('before', subject => '/CN=Rollover');
my $after = $certs->make_ca('after', subject => '/CN=Rollover');
my $bridge = $certs->make_ca('bridge', key => $before, subject => '/CN=Rollover', ca => $after);
# ten certificates, one below the other
my @deep = ($certs->make_ca('deep0'));
push @deep, $certs->make_ca('deep' . scalar @deep, ca => $deep[-1]) while @deep < 9;
my @chain = map { $_ } reverse @deep[ 1 .. 8 ];

my %client = (
	one => $certs->make_client('one', ca => $ca, serial => '0501'),
	another => $certs->make_client('another', ca => $renamed, serial => '0501'),
	first => $certs->make_client('c_first', ca => $first, serial => '0502', chain => [$first]),
	second => $certs->make_client('c_second', ca => $second, serial => '0502', chain => [$second]),
	old => $certs->make_client('old', ca => $before, chain => [$bridge]),
	old_good => $certs->make_client('old_good', ca => $before, chain => [$bridge]),
	deep => $certs->make_client('deep', ca => $deep[8], chain => [ map { { cert => $_->{single} } } @chain ]));
my $node = ESG::Node->new('main');
my $made = 0;

sub crls
{
	$made++;
	return $certs->concat("all_$made.crl", map { $certs->make_crl($_, "$_->{name}_$made", last_update => $made - 3600, extensions => \@by_key) }
		$ca, $renamed, $root, $first, $second, $after, @deep);
}

$node->setup(
	ca => $certs->concat('cas.crt', map { $_->{cert} } $ca, $renamed, $root, $after, $deep[0]),
	server => $certs->make_server('server', ca => $ca),
	crl => crls(),
	conf => "ext_ssl_guard.session_check = 'enforce'\nlog_min_messages = debug1",
	hba => ['hostssl all all 127.0.0.1/32 trust clientcert=verify-ca']);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my %session;

sub login { return ($node->tcp_psql('SELECT 1', user => 'app', client => $client{ $_[0] }))[0] == 0 ? 1 : 0; }

# opens those that are not, reloads, and compares
sub ends_like_logins
{
	my ($name, $expected, $reload) = @_;

	foreach (sort keys %client)
	{
		$session{$_} = ESG::Sessions->open($node, user => 'app', client => $client{$_}) if login($_) && !($session{$_} && $session{$_}->alive);
	}
	my $offset = $node->log_end;
	$reload->();
	$node->wait_log(qr/DEBUG:  .*ext_ssl_guard session judge/, $offset);
	sleep 1;
	my $ended = join ' ', grep { $session{$_} && !$session{$_}->alive } sort keys %session;
	is($ended, $expected, "$name: ended");
	is(join(' ', grep { $session{$_} && !login($_) } sort keys %session), $ended, "$name: who could not log in anew");
	delete $session{$_} foreach split ' ', $ended;
	return;
}

sub revoke_and_reload
{
	my ($issuer, $cert) = @_;

	return sub { $certs->revoke($issuer, $cert); $node->replace(crls(), 'root.crl'); $node->reload; };
}

is(join(' ', grep { login($_) } sort keys %client), join(' ', sort keys %client), 'all are good');
ends_like_logins('denied by a number of the one name', 'one',
	sub { $node->apply('ext_ssl_guard.denied_certificates' => "0501\@$ca->{fingerprint}"); });
$node->apply('ext_ssl_guard.denied_certificates' => '');
ends_like_logins('revoked by the one name', 'one', revoke_and_reload($ca, $client{one}));
ends_like_logins('revoked by the other', 'another', revoke_and_reload($renamed, $client{another}));
ends_like_logins('revoked by the first key', 'first', revoke_and_reload($first, $client{first}));
ends_like_logins('revoked by the second key', 'second', revoke_and_reload($second, $client{second}));
ends_like_logins('revoked by the new key of its CA', 'old', sub
	{
		# the new key's CRL takes over the list
		ESG::Certs::openssl('ca', '-config', $certs->dir . '/after.ca/ca.cnf', '-cert', $after->{cert}, '-keyfile', $after->{key}, '-revoke', $client{old}{single});
		$node->replace(crls(), 'root.crl');
		$node->reload;
	});
ends_like_logins('a CA eight certificates up', 'deep', revoke_and_reload($deep[0], $deep[1]));

$node->stop;
done_testing();

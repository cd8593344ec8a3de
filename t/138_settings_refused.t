# auto_reload does not reload the server for what OpenSSL would refuse: weak DH
# parameters under its security level.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Renewal;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $server = $certs->make_server('server', ca => $ca, days_left => 200);
my $renewed = $certs->make_server('renewed', ca => $ca, days_left => 300);
my $node = ESG::Node->new('main');
my $good = `openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 2>/dev/null` || `openssl dhparam 2048 2>/dev/null`;
my $small = `openssl dhparam 1024 2>/dev/null`;

$node->setup(ca => $ca, server => $server, conf => "$ESG::Renewal::settings\next_ssl_guard.extra_files = ''\nssl_dh_params_file = 'dh.pem'");
my $r = ESG::Renewal->new($node);
$r->put('dh.pem' => $good);
$node->start;
$node->wait_sql('SELECT in_sync FROM ssl_guard_status');

plan skip_all => 'OpenSSL takes them at its security level'
  if $node->safe_psql('postgres', "SELECT value FROM ssl_guard_settings WHERE setting = 'openssl_security_level'") < 2;

$r->begin;
$r->put('dh.pem' => $small, ESG::Renewal::pair($renewed));
$r->refused(qr/the TLS settings of the server are refused, see the view ssl_guard_settings/, 'small DH parameters beside a renewed certificate');
is($node->safe_psql('postgres', "SELECT findings FROM ssl_guard_settings WHERE setting = 'ssl_dh_params_file'"), '{tls_setting_refused,weak_dh_params}', 'the view says why');
$r->untouched('nothing was loaded');
$r->put('dh.pem' => $good);
is($node->wait_sql('SELECT in_sync FROM ssl_guard_status'), 't', 'with good ones the certificate is loaded');
is($node->wait_sql('SELECT count(*) FROM ssl_guard_alarms', 0), 0, 'and nothing is left');

$node->stop;
done_testing();

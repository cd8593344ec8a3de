# Owners: a server whose user has no entry in passwd, as in a container, and
# files of strangers.  A user namespace gives the server another number.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;

my $uid = 4711;
$uid++ while getpwuid($uid);
my @unshare = ('unshare', '--user', "--map-user=$uid", "--map-group=$uid");
plan skip_all => 'no user namespaces here'
	if system("@unshare true >/dev/null 2>&1") != 0;
my ($stranger) = grep { -f $_ && -r $_ && (stat $_)[4] == 0 && !-l $_ } qw(/etc/passwd /etc/group /etc/services);
plan skip_all => 'no file of root' unless defined $stranger && $> != 0;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $node = ESG::Node->new('owner');
$node->setup(ca => $ca, server => $certs->make_server('server', ca => $ca),
	conf => "ext_ssl_guard.extra_files = '$stranger'");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

my $me = getpwuid($<) // $<;
my $row = "SELECT owner, findings @> '{wrong_owner}', suggestion LIKE 'chown %'"
	. " FROM ssl_guard_files WHERE kind = '%s'";
is(sql(sprintf $row, 'certificate'), "$me|f|", "the server's own file");
is(sql(sprintf $row, 'extra'), 'root|f|', 'a file of root');
$node->stop;

my $log = $node->logfile;
my $data = $node->data_dir;
is(system("@unshare pg_ctl -w -D '$data' -l '$log' start </dev/null >/dev/null"), 0,
	'a server without a name starts');
$node->_update_pid(1);
is(sql(sprintf $row, 'certificate'), "$uid|f|", 'its files have a number for an owner');
is(sql(sprintf $row, 'key'), "$uid|f|", 'and it may own its key');
# root is a stranger in there
is(sql("SELECT findings @> '{wrong_owner}', suggestion LIKE 'chown $uid ''$stranger''%'"
	. " FROM ssl_guard_files WHERE kind = 'extra'"), 't|t', 'a file of a stranger');
my $nobody = getpwuid(65534);
is(sql("SELECT severity FROM ssl_guard_check() WHERE code = 'wrong_owner' AND object = '$stranger'"), 'critical',
	'and its alarm');
is(sql("SELECT owner FROM ssl_guard_files WHERE kind = 'extra'"), $nobody // 65534, 'strangers have one number in there');
like(sql("SELECT message FROM ssl_guard_check() WHERE code = 'wrong_owner'"), defined $nobody ? qr/belongs to user $nobody,/ : qr/belongs to user ID 65534,/,
	'which is shown by its name');

$node->stop;
done_testing();

use strict;
use warnings;

use DBI;
use DBD::Pg;

my $dbh = DBI->connect('dbi:Pg:', undef, undef, { RaiseError => 1, PrintError => 0 });
die "no row\n" unless $dbh->selectrow_array('SELECT 1') == 1;
$dbh->disconnect;
print "in $DBD::Pg::VERSION\n";

# The hints about pg_hba.conf and pg_ident.conf: followed to the letter, the
# alarm is cleared and no other has come.

use strict;
use warnings;

use Test::More;

use ESG::Cases;
use ESG::Hints qw(follow edit set path done excuse query);

my @good = ('local all all trust', 'host all all 127.0.0.1/32 scram-sha-256');

ESG::Hints::begin();

# as lines
sub hba { return ESG::Certs::spew(path('pg_hba.conf'), map { "$_\n" } @good, @_); }

sub ident { return ESG::Certs::spew(path('pg_ident.conf'), map { "$_\n" } @_); }

ESG::Hints::cleanup(sub { hba(); ident(); });

# a fault: these lines, in force
sub lines
{
	my (@lines) = @_;

	return sub { hba(@lines); return {}; };
}

# what is done about it: these lines instead, and a reload
sub instead
{
	my (@lines) = @_;

	return sub { hba(@lines); ESG::Hints::edit(); };
}

my $others = 'all all 10.0.0.0/8';

follow('hba_plaintext', 'What is read and written over them can be seen and changed on the way. Make the lines hostssl, see that their clients use sslmode=require or stricter, and reload the server.',
	[ 'host', instead("hostssl $others scram-sha-256"), lines("host $others scram-sha-256") ]);
follow('hba_fallback', 'A hostssl line for the same people stands before. Make these lines hostssl, too, or remove them, and reload the server.',
	[ 'removed', instead('hostssl all all all scram-sha-256'), lines('hostssl all all all scram-sha-256', "host $others scram-sha-256") ],
	[ 'hostssl, too', instead("hostssl $others cert", 'hostssl all all all scram-sha-256'), lines("hostssl $others cert", 'host all all all scram-sha-256') ]);
follow('hba_trust', 'Use scram-sha-256 or cert instead of trust, and reload the server. clientcert=verify-ca says nothing about the role; clientcert=verify-full does.',
	[ 'scram-sha-256', instead("hostssl $others scram-sha-256"), lines("hostssl $others trust") ],
	[ 'cert', instead("hostssl $others cert"), lines("hostssl $others trust") ],
	[ 'verify-full', instead("hostssl $others trust clientcert=verify-full"), lines("hostssl $others trust clientcert=verify-ca") ]);
follow('hba_cleartext_password', 'Make the lines hostssl, or use scram-sha-256, and reload the server. Have passwords changed that were used over these lines.',
	[ 'hostssl', instead("hostssl $others password"), lines("host $others password") ]);
follow('hba_any_certificate', 'Whoever has a certificate can try the passwords of all roles. Use clientcert=verify-full, or the method cert, and reload the server.',
	[ 'verify-full', instead("hostssl $others password clientcert=verify-full"), lines("hostssl $others password clientcert=verify-ca") ],
	[ 'cert', instead("hostssl $others cert"), lines("hostssl $others password clientcert=verify-ca") ]);
follow('hba_md5', 'Set password_encryption to scram-sha-256, have the passwords set anew, use the method scram-sha-256 in these lines and reload the server.',
	[ 'scram-sha-256', instead("hostssl $others scram-sha-256"), lines("hostssl $others md5") ]);
my $never = 'See the view ssl_guard_hba for the reason. Remove the lines, put them before those that take everything, or set what they need (ssl, ssl_ca_file), and reload the server.';
follow('hba_never_matches', $never,
	[ 'removed', instead("hostssl $others cert"), lines("hostssl $others cert", "hostssl $others scram-sha-256") ],
	[ 'put before', instead('hostssl all a 10.0.0.0/8 cert', "hostssl $others scram-sha-256"), lines("hostssl $others scram-sha-256", 'hostssl all a 10.0.0.0/8 cert') ],
	[ 'ssl', sub { set(ssl => 'on') }, sub { hba("hostssl $others scram-sha-256"); return { conf => { ssl => 'off' } }; } ],
	[ 'ssl_ca_file', sub { set(ssl_ca_file => 'root.crt') }, sub { hba("hostssl $others cert"); return { conf => { ssl_ca_file => '' } }; } ]);
my $empty = q{Nobody can come by these lines. Add the maps' lines to "pg_ident.conf", or correct the option map, and reload the server.};
follow('hba_map_empty', $empty,
	[ 'the lines', sub { ident('users alice bob'); edit(); }, lines("hostssl $others cert map=users") ],
	[ 'the option', instead("hostssl $others cert"), lines("hostssl $others cert map=users") ]);
follow('hba_unparsable', 'The server goes on with the lines that it has loaded; with such a "pg_hba.conf" it does not start. See pg_hba_file_rules or pg_ident_file_mappings for the reason, mend it and reload the server.',
	# each backend loads the file, and nobody gets in if it cannot
	ESG::Node::exec_backend() ? () : [ 'pg_hba.conf', instead("hostssl $others cert"), lines("hostssl $others nonsense") ],
	[ 'pg_ident.conf', sub { ident('users alice bob'); edit(); }, sub { ident('users alice'); return {}; } ]);
follow('ident_unanchored', 'Begin each regular expression with ^ and end it with $, let none accept any name, and name roles instead of all. Reload the server.',
	[ 'anchors', sub { ident('users /^(.*)@a\.test$ \1'); edit(); }, sub { ident('users /(.*)@a\.test \1'); return {}; } ],
	[ 'any name', sub { ident('users /^(alice|bob)$ app'); edit(); }, sub { ident('users /^.*$ app'); return {}; } ]);

done('hba');

# Every hint works: followed to the letter, the alarm is cleared and no other has
# come.  Here those about files, the running server, logins and what clients
# show; see t/ESG/Hints.pm.

use strict;
use warnings;

use POSIX qw(mkfifo);
use Test::More;

use ESG::Cases qw(text with_server forged_client);
use ESG::Certs;
use ESG::Der;
use ESG::Hints qw(follow edit put set hint node path shell done excuse query);
use ESG::Sessions;
use ESG::Shim;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $fault = "$dir/fault";
my @lines = ('hostssl all app 127.0.0.1/32 trust clientcert=verify-ca', 'host all all 127.0.0.1/32 trust');
my @shims = grep { defined } ESG::Shim::owner($dir), ESG::Shim::no_digest($dir, $fault);

# weak certificates get through the handshake only below OpenSSL's own level
$ENV{OPENSSL_CONF} = ESG::Certs::spew("$dir/openssl.cnf", <<'CNF');
openssl_conf = begin
[begin]
ssl_conf = ssl
[ssl]
system_default = all
[all]
CipherString = DEFAULT:@SECLEVEL=0
CNF

{
	local $ENV{LD_PRELOAD} = join ' ', @shims;
	ESG::Hints::begin("ext_ssl_guard.file_poll_interval = 1s\nssl_ciphers = 'DEFAULT:\@SECLEVEL=0'\next_ssl_guard.finding_overrides = 'low_security_level=off'",
		hba => \@lines);
}
query('CREATE ROLE app LOGIN; CREATE ROLE free LOGIN');

my $certs = $ESG::Cases::certs;
my ($ca, $middle, $server, $below, $client) = ($ESG::Cases::ca, $ESG::Cases::middle, $ESG::Cases::server, $ESG::Cases::below, $ESG::Cases::client);
my %server = %{ with_server($server) };
my %below = %{ with_server($below, text($below) . text($middle)) };
my ($crl, $extra) = (text($ESG::Cases::crl), text($client));
my $hashed = 'crls/' . ESG::Certs::openssl('crl', '-in', $ESG::Cases::crl, '-noout', '-hash') =~ s/\n//r . '.r0';
my $made = 0;

sub label
{
	my ($label, $role) = @_;

	return query('SET client_min_messages = error; SECURITY LABEL FOR ext_ssl_guard ON ROLE ' . ($role // 'app') . ' IS '  . (defined $label ? "'$label'" : 'NULL'));
}

# what the map has for the role
sub ident { put('pg_ident.conf' => "map $_[0] app\n"); return; }

sub forget { return query('SELECT ssl_guard_reset_client_certificates()'); }

ESG::Hints::cleanup(sub {
	return unless node()->safe_psql('postgres', q{SELECT 1 FROM pg_roles WHERE rolname = 'app'});
	node()->set_hba(@lines);
	label(undef, $_) foreach qw(app free);
	forget();
	node()->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE object ~ '^(client:|role)'}, '0');
	unlink glob("'" . path('') . "'uid-*"), map { path("server.key.$_") } qw(cipher rand cipher.new rand.new);
});

sub login
{
	my ($cert, $role) = @_;
	my ($status, undef, $err) = node()->tcp_psql('SELECT 1', user => $role // 'app', client => $cert);

	is($status, 0, 'the login') or diag($err);
	return;
}

# The command of a hint, run.
sub run_it
{
	my ($command) = hint() =~ /^Run: (.*)$/ or return fail('there is no command in ' . hint());

	shell($command);
	return;
}

# --- files -----------------------------------------------------------------------

sub crl_dir
{
	my (%entries) = @_;

	mkdir path('crls') or die "mkdir: $!";
	put(%entries);
	return { conf => { ssl_crl_dir => 'crls' } };
}

sub large
{
	my ($name, $size) = @_;

	return sub {
		open(my $out, '>', path($name)) or die "open: $!";
		truncate($out, $size) or die "truncate: $!";
		close $out;
	};
}

# in place of the file, which is there again afterwards
sub in_place
{
	my ($name, $make) = @_;

	return { no_reload => 1, after => sub { unlink path($name); $make->(); } };
}

my $other_setting = sub { set(ssl_ca_file => 'root.crt') };
my $no_extra = sub { set('ext_ssl_guard.extra_files' => '') };
my $no_dir = sub { set(ssl_crl_dir => '') };

follow('file_missing',
	'Put the file in place or correct the setting that names it, and reload the server. Without it the next reload or restart fails.',
	(map { my $name = $_; [ $name, sub { edit(ESG::Cases::good()) }, sub { +{ $name => undef, no_reload => 1 } } ] } qw(server.crt server.key root.crt)),
	[ 'after a reload', sub { edit('root.crt' => text($ca)) }, sub { { 'root.crt' => undef } } ],
	[ 'the setting', $other_setting, sub { { conf => { ssl_ca_file => 'gone.crt' } } } ]);
follow('file_missing', 'Put the file in place or correct "ext_ssl_guard.extra_files".',
	[ 'put in place', sub { edit('extra.crt' => $extra) }, sub { { 'extra.crt' => undef, no_reload => 1 } } ],
	[ 'the setting', $no_extra, sub { { conf => { 'ext_ssl_guard.extra_files' => 'gone.crt' } } } ]);
follow('file_missing',
	'Put it in place or correct "ssl_crl_dir". While OpenSSL finds no CRL there, every client certificate is refused.',
	[ 'put in place', sub { mkdir path('crls') or die "mkdir: $!"; edit($hashed => $crl); }, sub { { conf => { ssl_crl_dir => 'crls' } } } ],
	[ 'the setting', $no_dir, sub { { conf => { ssl_crl_dir => 'crls' } } } ]);
follow('file_unreadable', "Make the file readable for the server's user and reload the server. As it is, the next reload or restart fails.",
	[ 'a running server', sub { chmod 0644, path('root.crt'); edit(); }, sub { { mode => [ 0, 'root.crt' ], no_reload => 1 } } ],
	[ 'after a reload', sub { chmod 0644, path('root.crt'); edit(); }, sub { { mode => [ 0, 'root.crt' ] } } ]);
follow('file_unreadable', 'Make the file readable for the server\'s user, or take it out of "ext_ssl_guard.extra_files".',
	[ 'readable', sub { chmod 0644, path('extra.crt') }, sub { { mode => [ 0, 'extra.crt' ], no_reload => 1 } } ],
	[ 'taken out', $no_extra, sub { { mode => [ 0, 'extra.crt' ], no_reload => 1 } } ]);
follow('file_unreadable',
	"Make it readable for the server's user. While OpenSSL cannot read a CRL, the client certificates of its CA are refused.",
	[ 'the directory', sub { chmod 0755, path('crls') }, sub { +{ %{ crl_dir($hashed => $crl) }, mode => [ 0, 'crls' ] } } ],
	[ 'a CRL', sub { chmod 0644, path($hashed) }, sub { +{ %{ crl_dir($hashed => $crl) }, mode => [ 0, $hashed ] } } ]);
follow('file_not_regular', 'Put in its place what the server needs there, or correct the setting that names it, and reload the server.',
	# for which each backend would wait, with EXEC_BACKEND
	ESG::Node::exec_backend() ? () : [ 'a FIFO', sub { edit('root.crt' => text($ca)) }, sub { in_place('root.crt', sub { mkfifo(path('root.crt'), 0600) }) } ],
	[ 'a directory', sub { edit('root.crt' => text($ca)) }, sub { put('root.crt' => undef); mkdir path('root.crt'); +{} } ],
	[ 'the setting', $other_setting, sub { { conf => { ssl_ca_file => 'base' } } } ],
	[ 'no directory', $no_dir, sub { { conf => { ssl_crl_dir => 'root.crl' } } } ]);
follow('file_not_regular', 'Put a file in its place or correct "ext_ssl_guard.extra_files".',
	[ 'a file', sub { edit('extra.crt' => $extra) }, sub { in_place('extra.crt', sub { mkdir path('extra.crt') }) } ],
	[ 'the setting', $no_extra, sub { { conf => { 'ext_ssl_guard.extra_files' => 'base' } } } ]);
follow('file_too_large',
	'Certificate files may have 1 MB, CA bundles 64 MB and CRLs 1 GB. Put a smaller file in its place, or correct the setting that names it, and reload the server.',
	[ 'a smaller one', sub { edit(%server) }, sub { in_place('server.crt', large('server.crt', (1 << 20) + 1)) } ],
	[ 'the setting', $other_setting, sub { large('large.crt', (64 << 20) + 1)->(); +{ conf => { ssl_ca_file => 'large.crt' } } } ]);
follow('file_too_large', 'Extra files may have 64 MB. Put a smaller file in its place or correct "ext_ssl_guard.extra_files".',
	[ 'a smaller one', sub { edit('extra.crt' => $extra) }, sub { in_place('extra.crt', large('extra.crt', (64 << 20) + 1)) } ],
	[ 'the setting', $no_extra, sub { { conf => { 'ext_ssl_guard.extra_files' => 'large.crt' } } } ]);
follow('file_too_large',
	'A CRL may have 1 GB, the directory 4096 entries. Remove from the directory of "ssl_crl_dir" what does not belong there.',
	[ 'entries', sub { shell('rm crls/entry*') }, sub { crl_dir($hashed => $crl, map { ("crls/entry$_" => '') } 1 .. 4097) } ],
	[ 'a CRL', sub { shell('rm crls/*.r1') },
		sub { my $case = crl_dir($hashed => $crl); large($hashed =~ s/0$/1/r, (1 << 30) + 1)->(); $case } ]);
my $pem = 'Put PEM text (-----BEGIN CERTIFICATE----- or -----BEGIN X509 CRL-----) into the file';
follow('file_unparsable', "$pem and reload the server.", [ 'F', sub { edit('root.crt' => text($ca)) } ], [ 'R', sub { edit('root.crl' => $crl) } ],
	[ 'DER', sub { shell('openssl x509 -inform DER -in root.crt -out root.pem && mv root.pem root.crt'); edit(); },
		sub { { 'root.crt' => (ESG::Der::read_pem($ca->{cert}))[1] } } ],
	[ 'in the directory', sub { edit($hashed => $crl) }, sub { crl_dir($hashed => '<html>') } ]);
follow('file_unparsable', "$pem.", [ 'an extra file', sub { edit('extra.crt' => $extra) }, sub { { 'extra.crt' => '<html>', no_reload => 1 } } ]);
my $broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
my $each = 'When files are concatenated, each must end with a newline.';
follow('file_partly_read', "Mend or remove the broken block and reload the server. $each",
	[ 'F', sub { edit(%below) } ], [ 'removed', sub { edit('root.crt' => text($ca)) }, sub { { 'root.crt' => text($ca) . $broken } } ]);
follow('file_partly_read', "Mend or remove the broken block. $each",
	[ 'an extra file', sub { edit('extra.crt' => $extra) }, sub { { 'extra.crt' => $extra . $broken, no_reload => 1 } } ]);

# What openssl x509 makes of the one TRUSTED CERTIFICATE in a file.
sub rewrite
{
	my ($name) = @_;
	my ($before, $block) = ESG::Certs::slurp(path($name)) =~ /\A(.*?)(-----BEGIN TRUSTED CERTIFICATE.*)\z/s;

	ESG::Certs::spew(path('trusted.crt'), $block);
	shell('openssl x509 -in trusted.crt -out plain.crt');
	edit($name => $before . text(path('plain.crt')));
	return;
}

my $trusted_root = ESG::Certs::openssl('x509', '-in', $ca->{cert}, '-trustout', '-addtrust', 'serverAuth');
follow('trusted_certificate_block',
	'Rewrite the block as a plain CERTIFICATE with openssl x509, or remove it if it is a root in the file of "ssl_cert_file", and reload the server.',
	[ 'F', sub { rewrite('server.crt') } ],
	[ 'a root', sub { edit(%below) }, sub { with_server($below, text($below) . text($middle) . $trusted_root) } ],
	[ 'a root in ssl_ca_file', sub { rewrite('root.crt') }, sub { { 'root.crt' => text($ESG::Cases::stranger) . $trusted_root } } ]);
follow('trusted_certificate_block', 'Rewrite the block as a plain CERTIFICATE with openssl x509.',
	[ 'an extra file', sub { rewrite('extra.crt') }, sub { { 'extra.crt' => $extra . $trusted_root, no_reload => 1 } } ]);
follow('permissions_too_open', qr/^Run: chmod 0644 '\/\S+\/(root|extra)\.crt'$/, [ 'F', \&run_it ],
	[ 'an extra file', \&run_it, sub { { mode => [ 0666, 'extra.crt' ], no_reload => 1 } } ]);
follow('permissions_too_open', qr/^Run: chmod 0600 '\/\S+\/server\.key'$/,
	[ 'a key', \&run_it, sub { { mode => [ 0644, 'server.key' ], no_reload => 1 } } ]);
follow('permissions_too_open', qr/^Run: chmod 0644 '\/\S+\/$hashed'$/,
	[ 'a CRL in the directory', \&run_it, sub { +{ %{ crl_dir($hashed => $crl) }, mode => [ 0666, $hashed ] } } ]);
follow('directory_writable', qr/^Run: chmod 0775 '\/\S+\/crls'$/,
	[ 'ssl_crl_dir', \&run_it, sub { +{ %{ crl_dir($hashed => $crl) }, mode => [ 0777, 'crls' ] } } ]);

# chown is root's: the command that takes its place tells the shim.
ESG::Certs::spew("$dir/chown", "#!/bin/sh\ntouch \"\$2.chowned\"\n");
chmod 0755, "$dir/chown" or die "chmod: $!";
my ($agent) = grep { $_ != $> && defined getpwuid $_ } 1 .. 100;
my $of_agent = 'Its owner can replace its content. Give the file to root or to the server\'s user; if a program renews it, let that program do so, or regrade the finding with "ext_ssl_guard.finding_overrides".';

sub owned
{
	my ($uid) = @_;

	put("uid-$uid.crt" => $extra);
	return { conf => { 'ext_ssl_guard.extra_files' => "uid-$uid.crt" } };
}

if (@shims == 2 && defined $agent)
{
	local $ENV{PATH} = "$dir:$ENV{PATH}";
	my $me = getpwuid $>;

	follow('wrong_owner', qr/^Run: chown \Q$me\E '\/\S+\/uid-54321\.crt'$/, [ 'a user', \&run_it, sub { owned(54321) } ]);
	follow('wrong_owner', $of_agent, [ 'an agent', sub { shell("chown root uid-$agent.crt") }, sub { owned($agent) } ],
		[ 'regraded', sub { set('ext_ssl_guard.finding_overrides' => 'wrong_owner=off, low_security_level=off') }, sub { owned($agent) } ]);
}
else
{
	excuse('wrong_owner', 'needs a C compiler and an account of the system');
}

# --- the running server --------------------------------------------------------------

my $log_end;
follow('reload_failed', 'See the preceding log messages for the reason, mend it and reload the server.',
	[ 'a broken certificate', sub {
			like(node()->log_since($log_end), qr/could not load server certificate file "server\.crt"/, 'the log has the reason');
			edit(%server);
		}, sub { $log_end = node()->log_end; +{ 'server.crt' => $broken } } ]);
follow('reload_pending', 'Reload the server to put the new one into service.',
	[ 'a new one', sub { edit() }, sub { +{ %below, no_reload => 1 } } ]);
follow('file_not_reloaded', 'The server goes on with the old content until it is reloaded. Reload the server.',
	[ 'a CA file', sub { edit() }, sub { { 'root.crt' => text($ca) . text($ESG::Cases::stranger), no_reload => 1 } } ]);
my %auto = ('ext_ssl_guard.auto_reload' => 'on');
my $ending = $certs->make_server('ending', ca => $ca, key => $server, days_left => 300);
my $lasting = $certs->make_server('lasting', ca => $ca, key => $server, days_left => 800, lifetime => 810);
# something else than what the server has loaded, once it has loaded the settings
my $renewed = sub {
	my ($code, $file, $text, @change) = @_;

	return sub {
		return { conf => {%auto}, after => sub {
				put(@change) if @change;
				put($file => ref $text ? text($text) : $text);
				node()->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = '$code'", '1');
			} };
	};
};
follow('auto_reload_refused', 'The server goes on with what it has loaded before. Put the right file in its place; or, if it is right as it is, reload the server.',
	[ 'the right file', sub { put('server.crt' => $server{'server.crt'}) }, $renewed->('auto_reload_refused', 'server.crt', $ending) ],
	[ 'it is right', sub { edit() }, $renewed->('auto_reload_refused', 'server.crt', $ending) ]);
follow('auto_reload_held', 'A reload would also apply what nobody has reloaded yet. Look through it, and reload the server.',
	[ 'pg_ident.conf', sub { edit() }, $renewed->('auto_reload_held', 'server.crt', $lasting, 'pg_ident.conf' => "held held held\n") ]);
excuse('auto_reload_failed', 'see t/105_auto_reload_refused.t');
excuse('old_certificate_in_use', 'it takes more than a day: t/157_old_certificate.t');
excuse('sessions_not_judged', 'it takes a restart: t/161_session_judge.t');
excuse('client_certificate_public_ca', 'nobody here has the key of a public CA: t/158_public_ca.t');
excuse('probe_failed', 'what stops it is not a file: t/101_self_probe_fails.t');
excuse('hook_inactive', 'it is retired');
if (query("SELECT count(*) FROM pg_settings WHERE name = 'ssl_sni'"))
{
	my $line = "%s server.crt server.key root.crt\n";
	my $hosts = sub {
		my ($text) = @_;

		return sub { { conf => { ssl_sni => 'on' }, after => sub { put('pg_hosts.conf' => $text); ESG::Hints::reload(); } } };
	};

	ESG::Hints::cleanup(sub { put('pg_hosts.conf' => undef) });
	follow('hosts_file_unusable', 'The server goes on with the hosts that it has loaded; the next reload or start fails. Mend the line and reload the server.',
		[ 'a line without a key', sub { edit('pg_hosts.conf' => sprintf($line, 'localhost')) }, $hosts->("localhost server.crt\n") ]);
	follow('host_name_not_covered',
		'Put a certificate that has the name into the line of the host, or correct the name, and reload the server. The server compares names letter by letter: a pattern stands for no other name.',
		[ 'another name', sub { edit('pg_hosts.conf' => sprintf($line, 'localhost')) }, $hosts->(sprintf($line, 'other.test')) ],
		[ 'a pattern', sub { edit('pg_hosts.conf' => sprintf($line, 'localhost')) }, $hosts->(sprintf($line, '*.test')) ]);
}
else
{
	excuse($_, 'needs ssl_sni, of PostgreSQL 19') foreach 'hosts_file_unusable', 'host_name_not_covered';
}
my $label_hint = 'Remove the role\'s security label, or set one that can be met; if it asks for TLS or a client certificate, set "ssl", "ssl_ca_file" and "ssl_max_protocol_version" so that clients can have them, and reload the server.';

# past the provider: no login can read so long a label
sub long_label
{
	query("SET allow_system_table_mods = on; INSERT INTO pg_shseclabel SELECT 'app'::regrole, 'pg_authid'::regclass, 'ext_ssl_guard',
		'uri=u:' || string_agg(md5(n::text), '') FROM generate_series(1, 100) n");
	return {};
}

follow('role_label_unsatisfiable', $label_hint,
	[ 'no CA', $other_setting, sub { { conf => { ssl_ca_file => '' }, after => sub { label('x509') } } } ],
	[ 'no TLS', sub { set(ssl => 'on', ssl_ca_file => 'root.crt') }, sub { { conf => { ssl => 'off', ssl_ca_file => '' }, after => sub { label('x509') } } } ],
	[ 'a lower version', sub { set(ssl_max_protocol_version => '') },
		sub { { conf => { ssl_max_protocol_version => 'TLSv1.2' }, after => sub { label('min_tls=TLSv1.3') } } } ],
	[ 'too long', sub { label('tls') }, sub { { after => \&long_label } } ],
	[ 'no label', sub { label(undef) }, sub { { conf => { ssl_ca_file => '', 'ext_ssl_guard.posture_check' => 'off' }, after => sub { label('x509') } } } ]);

follow('setting_rejected', 'The value before stays in force; the next start of the server will fail. Mend it and reload the server. See pg_file_settings, too.',
	[ 'a value', sub {
			my ($name) = query(q{SELECT name FROM pg_file_settings WHERE error IS NOT NULL});

			set($name => 'warn');
		}, sub { { conf => { 'ext_ssl_guard.identity_check' => 'enforced' } } } ]);
my $no_line = 'No identity matches it. Add the map\'s lines to "pg_ident.conf", or set the name of one that has lines, and reload the server.';
my $empty = sub {
	ident('app');
	+{ conf => { 'ext_ssl_guard.identity_check' => 'warn', 'ext_ssl_guard.identity_map' => 'other' } };
};
follow('identity_map_empty', $no_line,
	[ 'its lines', sub { put('pg_ident.conf' => "other app app\n"); edit(); }, $empty ],
	[ 'another', sub { set('ext_ssl_guard.identity_map' => 'map') }, $empty ]);
follow('exempt_role_unknown',
	'Correct the setting (names with upper-case letters need double quotes), reload the server, and call ssl_guard_check() again.',
	[ 'its name', sub { set('ext_ssl_guard.exempt_roles' => 'app') }, sub { { conf => { 'ext_ssl_guard.exempt_roles' => 'App, apb' } } } ]);

# with the key's passphrase in the pair, and then something wrong with that
my $pair = PostgreSQL::Test::Utils::tempdir() . '/pair';

sub encrypt { return shell("printf 'sesame\n' | ssl_guard_ctl encrypt --force -D $pair"); }

sub with_pair
{
	my ($spoil) = @_;
	my $locked = $certs->make_server('locked' . ++$made, ca => $ca, passphrase => 'sesame');

	put('server.key' => text($locked->{key}));
	mkdir $pair, 0700;
	encrypt();
	return { %{ with_server($locked) }, conf => { 'ext_ssl_guard.passphrase_directory' => $pair }, after => $spoil };
}

follow('passphrase_unusable',
	'Make the passphrase files anew with ssl_guard_ctl encrypt --force, or correct "ext_ssl_guard.passphrase_directory", and reload the server.',
	(map { my ($what, $spoil) = @$_; [ $what, sub { encrypt(); edit(); }, sub { with_pair($spoil) } ] }
		[ 'damaged', sub { ESG::Certs::spew("$pair/server.key.cipher.x", 'x'); rename "$pair/server.key.cipher.x", "$pair/server.key.cipher" } ],
		[ 'one is missing', sub { unlink "$pair/server.key.rand" } ],
		[ 'too open', sub { chmod 0644, "$pair/server.key.rand" } ]),
	[ 'a directory that is not there', sub { set('ext_ssl_guard.passphrase_directory' => '') },
		sub { { conf => { 'ext_ssl_guard.passphrase_directory' => '/nowhere' } } } ]);
SKIP:
{
	skip 'root may read anything', 1 if $> == 0;
	follow('passphrase_unusable', qr/^Run: chmod 0400 '\/\S+\/server\.key\.cipher' && chmod 0400 '\/\S+\/server\.key\.rand'$/,
		[ 'closed to the server', \&run_it, sub { with_pair(sub { chmod 0, map { "$pair/server.key.$_" } qw(cipher rand) }) } ]);
	follow('passphrase_unusable', qr/^Run: chmod 0700 '\Q$pair\E'$/,
		[ 'a directory closed to the server', \&run_it, sub { with_pair(sub { chmod 0600, $pair }) } ]);
}
follow('directory_writable', qr/^Run: chmod 0755 '\Q$pair\E'$/,
	map { my $mode = $_; [ sprintf("the pair's, %04o", $mode), \&run_it, sub { with_pair(sub { chmod $mode, $pair }) } ] } 0777, 0775, 0757);

# as of a writer that was killed
sub leave
{
	my ($directory, $name, $mode) = @_;

	chmod $mode // 0400, ESG::Certs::spew("$directory/$name", 'x') or die "chmod: $!";
	return;
}

my $tidy = qr/^Run: ssl_guard_ctl tidy -D '\/\S+'$/;
follow('passphrase_leftover', $tidy,
	[ 'without a pair', \&run_it, sub { { no_reload => 1, after => sub { leave(path('.'), "server.key.$_.new") foreach qw(cipher rand) } } } ],
	(map { my $name = $_; [ "$name beside a pair", \&run_it, sub { with_pair(sub { leave($pair, $name) }) } ] }
		'server.key.rand.new', 'server.key.cipher.new'),
	[ 'open', \&run_it, sub { with_pair(sub { leave($pair, 'server.key.rand.new', 0644) }) } ],
	[ 'the half that the pair needs', sub {
			run_it();
			is(shell("ssl_guard_ctl decrypt -D $pair"), "sesame\n", 'the pair is still there');
		}, sub { with_pair(sub { rename "$pair/server.key.rand", "$pair/server.key.rand.new" }) } ]);

my $outside = PostgreSQL::Test::Utils::tempdir() . '/outside';
ESG::Hints::cleanup(sub { unlink path('server.key.cipher'), path('server.key.rand') });
follow('passphrase_in_backup',
	'Make the passphrase files anew with ssl_guard_ctl encrypt in a directory outside of the data directory, set "ext_ssl_guard.passphrase_directory" to it, reload the server and remove the old ones; earlier backups still have them.',
	[ 'beside the key', sub {
			mkdir $outside, 0700;
			shell("printf 'sesame\n' | ssl_guard_ctl encrypt -D $outside");
			set('ext_ssl_guard.passphrase_directory' => $outside);
			unlink path('server.key.cipher'), path('server.key.rand');
		}, sub {
			my $locked = $certs->make_server('locked' . ++$made, ca => $ca, passphrase => 'sesame');

			put('server.key' => text($locked->{key}));
			shell('printf "sesame\n" | ssl_guard_ctl encrypt -D .');
			return { %{ with_server($locked) } };
		} ]);

# --- logins -----------------------------------------------------------------------

my $other = $certs->make_client('other', ca => $ca, subject => '/CN=app');

follow('identity_mismatch',
	'Ask ssl_guard_identity_check() which identities the certificate offers. Mend "pg_ident.conf", reload the server and let the client log in again; or give it another certificate, and take down the alarm of the old one with ssl_guard_reset_client_certificates().',
	map { my ($what, $mend) = @$_; [ $what, $mend, sub {
				ident('app');
				+{ conf => { 'ext_ssl_guard.identity_check' => 'warn', 'ext_ssl_guard.identity_sources' => 'cn', 'ext_ssl_guard.identity_map' => 'map' },
					after => sub { login($client) } };
			} ] }
	  [ 'the map', sub {
			my $offered = query("SELECT identity FROM ssl_guard_identity_check('app', pg_read_file('extra.crt')) WHERE source = 'cn'");

			ident($offered);
			edit();
			login($client);
		} ],
	  [ 'the certificate', sub { login($other); forget(); } ]);
my $denied = sub {
	{ conf => { 'ext_ssl_guard.exempt_roles' => 'app', 'ext_ssl_guard.denied_certificates' => $client->{fingerprint} }, after => sub { login($client) } };
};
follow('certificate_denied',
	'Its role is in "ext_ssl_guard.exempt_roles", so it was let in. Give the client another certificate, and take down the alarm of the old one with ssl_guard_reset_client_certificates(); or, if the certificate is good, take it out of the setting, reload the server and let the client log in again.',
	[ 'the certificate', sub { login($other); forget(); }, $denied ],
	[ 'the setting', sub { set('ext_ssl_guard.denied_certificates' => ''); login($client); }, $denied ]);
my $mistyped = sub {
	{ conf => { 'ext_ssl_guard.denied_certificates' => 'ab' x 32 },
		after => sub { login($client); node()->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'denied_certificate_unseen'}, '1'); } };
};
follow('denied_certificate_unseen',
	'It may be mistyped. Compare it with ssl_guard_client_certificates, correct the setting and reload the server. If it is right, and never came here, regrade the finding with "ext_ssl_guard.finding_overrides".',
	[ 'the setting', sub {
			set('ext_ssl_guard.denied_certificates' => query(q{SELECT fingerprint FROM ssl_guard_client_certificates}));
			node()->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'denied_certificate_unseen'}, '0');
		}, $mistyped ],
	[ 'the grade', sub {
			set('ext_ssl_guard.finding_overrides' => 'denied_certificate_unseen=off, low_security_level=off');
			node()->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'denied_certificate_unseen'}, '0');
		}, $mistyped ]);
my %warn = ('ext_ssl_guard.role_label_check' => 'warn');
follow('role_label_mismatch',
	'See the role\'s label in "pg_shseclabel". Change it and let the client log in again; or change the client\'s certificate or connection, and take down the old alarm with ssl_guard_reset_client_certificates().',
	[ 'the label', sub {
			is(query("SELECT label FROM pg_shseclabel WHERE objoid = 'app'::regrole"), 'cn=app', 'pg_shseclabel has it');
			label('cn=alice');
			login($client);
		}, sub { { conf => \%warn, after => sub { label('cn=app'); login($client); } } } ],
	[ 'the certificate', sub { login($other); forget(); }, sub { { conf => \%warn, after => sub { label('cn=app'); login($client); } } } ],
	[ 'the connection', sub { login($client, 'free'); forget(); },
		sub { { conf => \%warn, after => sub { label('x509', 'free'); login(undef, 'free'); } } } ]);
follow('plaintext_fallback',
	'See the log for why it was refused, and mend that. Then make its line in "pg_hba.conf" hostssl, reload the server and let the client log in with sslmode=require or stricter.',
	[ 'a label', sub {
			like(node()->log_since($log_end), qr/code=role_label_mismatch role=free .*reason="the client showed no certificate"/, 'the log has the reason');
			label('tls', 'free');
			node()->set_hba($lines[0], 'hostssl all all 127.0.0.1/32 trust');
			edit();
			login(undef, 'free');
		}, sub {
			+{ after => sub {
					$log_end = node()->log_end;
					label('x509', 'free');
					node()->tcp_psql('SELECT 1', user => 'free', sslmode => $_) foreach qw(require disable);
				} };
		} ]);

# --- open sessions -----------------------------------------------------------------------

my $session;
my %watched = ('ext_ssl_guard.session_check' => 'warn');

# A session with that certificate, of which this is true then.
sub session
{
	my ($code, $cert, $then) = @_;

	return +{ 'root.crl' => text($certs->make_crl($ca, 'sessions_' . ++$made)), conf => \%watched, after => sub {
			$session = ESG::Sessions->open(node(), user => 'app', client => $cert);
			$then->();
			is(node()->wait_sql("SELECT count(*) FROM ssl_guard_alarms WHERE code = '$code'", 1), 1, "$code stands");
		} };
}

sub end_sessions { query(q{SELECT pg_terminate_backend(pid) FROM ssl_guard_sessions WHERE state NOT IN ('valid', 'no_certificate')}); return; }

sub enforce { set('ext_ssl_guard.session_check' => 'enforce'); return; }

sub denied_session
{
	my $cert = $certs->make_client('session_' . ++$made, ca => $ca, subject => '/CN=alice');

	return session('session_denied', $cert, sub { set('ext_ssl_guard.denied_certificates' => $cert->{fingerprint}) });
}

sub revoked_session
{
	my $cert = $certs->make_client('session_' . ++$made, ca => $ca, subject => '/CN=alice');

	return session('session_revoked', $cert, sub {
		$certs->revoke($ca, $cert);
		edit_crl();
	});
}

sub edit_crl
{
	put('root.crl' => text($certs->make_crl($ca, 'sessions_' . ++$made)));
	ESG::Hints::reload();
	return;
}

sub expiring_session
{
	my $cert = $certs->make_client('session_' . ++$made, ca => $ca, subject => '/CN=alice', not_after => ESG::Certs::stamp(4));

	return session('session_outlives_certificate', $cert, sub { });
}

sub renew
{
	login($certs->make_client('session_' . ++$made, ca => $ca, subject => '/CN=alice', not_before => ESG::Certs::stamp(-60)));
	return;
}

follow('session_denied', 'End the session with pg_terminate_backend(); with session_check = enforce the server does so by itself.',
	[ 'ended', \&end_sessions, \&denied_session ], [ 'enforce', \&enforce, \&denied_session ]);
follow('session_revoked', 'Find out why it was revoked. End the session with pg_terminate_backend(); with session_check = enforce the server does so by itself.',
	[ 'ended', \&end_sessions, \&revoked_session ], [ 'enforce', \&enforce, \&revoked_session ]);
follow('session_outlives_certificate',
	'Give the client a new certificate, if it has none yet, and let it log in anew; pg_terminate_backend() ends the session. With session_check = enforce the server does so by itself.',
	[ 'ended', sub { renew(); end_sessions(); }, \&expiring_session ], [ 'enforce', sub { renew(); enforce(); }, \&expiring_session ]);
undef $session;
if (@shims == 2)
{
	follow('certificate_not_judged',
		'OpenSSL could not read the certificate or ran out of memory. Look at the certificate with ssl_guard_inspect(). The alarm ends when the client logs in again and its certificate can be judged.',
		[ 'no memory', sub {
				is(query(q{SELECT findings FROM ssl_guard_inspect(pg_read_file('extra.crt'), 'client')}), '{}', 'ssl_guard_inspect() can read it');
				login($client);
			}, sub { { after => sub { ESG::Certs::spew($fault, ''); login($client); unlink $fault; } } } ]);
}
else
{
	excuse('certificate_not_judged', 'needs a C compiler');
}

# --- certificates of clients -----------------------------------------------------------

# A client that has logged in with such a certificate.
sub shown
{
	my (@options) = @_;

	return sub {
		my $bad = $certs->make_client('client_' . ++$made, ca => $ca, subject => '/CN=alice', @options);

		return { after => sub { login($bad) } };
	};
}

# and then with another
sub given
{
	my (@options) = @_;

	return sub { login($certs->make_client('client_' . ++$made, ca => $ca, subject => '/CN=alice', not_before => ESG::Certs::stamp(-60), @options)) };
}

sub given_and_forgotten
{
	my (@options) = @_;

	return sub { given(@options)->(); forget(); };
}

my $logged_in = 'When it has logged in with it, the old one is not judged any more.';
follow('expired', "Give the client a new certificate. $logged_in",
	[ 'a client', given(), sub {
			my $case = shown(not_after => ESG::Certs::stamp(5))->();
			my $login = $case->{after};

			return { after => sub { $login->(); node()->wait_sql(q{SELECT count(*) FROM ssl_guard_alarms WHERE code = 'expired'}, '1'); } };
		} ]);
follow('expires_very_soon', "Give the client a new certificate. $logged_in", [ 'a client', given(), shown(days_left => 3) ]);
follow('expires_soon', "Have the certificate renewed and give it to the client. $logged_in", [ 'a client', given(), shown(days_left => 20) ]);
my $taken_down = 'When the old one is out of use, ssl_guard_reset_client_certificates() takes down its alarm.';
follow('multiple_common_names', "Have the certificate reissued with one common name. $taken_down",
	[ 'a client', given_and_forgotten(), shown(subject => '/CN=alice/CN=bob') ]);
follow('malformed_name', "Have the certificate reissued with printable UTF-8 names. $taken_down",
	[ 'a client', given_and_forgotten(), shown(subject => "/CN=alice\n") ]);
follow('nul_in_name',
	"Such names are made to deceive (CVE-2009-4034). Find out who issued the certificate and have it reissued without. $taken_down",
	[ 'a client', given_and_forgotten(), sub {
			my $case = forged_client(sub {
				my $cert = $certs->make_client('nul', ca => $ca, subject => '/CN=alice', san => ['DNS:alXce']);

				return ESG::Der::resign($cert->{cert}, $ca->{key}, sub { $_[0][ $ESG::Der::cert{extensions} ] =~ s/alXce/al\0ce/ });
			});

			rename $certs->dir . '/nul.key', $case->{client}{key} or die "rename: $!";
			return { after => sub { login($case->{client}) } };
		} ]);

# what is as it is for a server's certificate
follow('weak_key', 'Make a new key of RSA 2048, P-256 or better and have a certificate issued for it.',
	[ 'a client', given(key => 'rsa:2048'), shown(key => 'rsa:1024') ]);
follow('weak_signature', 'Have the certificate reissued with a signature over SHA-256 or better.',
	[ 'a client', given(digest => 'sha256'), shown(digest => 'sha1') ]);
follow('validity_too_long', 'Have the next certificate issued for a shorter time, or raise "ext_ssl_guard.max_validity".',
	[ 'a client', given(), shown(lifetime => 4000, days_left => 3999) ]);
follow('ca_as_leaf', 'Whoever holds its key can issue certificates. Have a certificate with CA:FALSE issued for a key of its own.',
	[ 'a client', given(), shown(is_ca => 1, key_usage => 'critical,digitalSignature,keyCertSign') ]);
my $weak_ca = $certs->make_ca('weak_ca', ca => $ca, key => 'rsa:1024', days_left => 900);
follow('weak_issuer_key', "A certificate is no stronger than its issuer's key. Have it reissued by a CA with a key of RSA 2048, P-256 or better.",
	[ 'a client', given(), shown(ca => $weak_ca, chain => [$weak_ca]) ]);

done('files', 'running', 'clients');

# The hints about the settings that matter to TLS: followed to the letter, the
# alarm is cleared and no other has come.

use strict;
use warnings;

use File::Temp ();
use Test::More;

use ESG::Cases;
use ESG::Certs;
use ESG::Hints qw(follow edit set path shell done query reload);

ESG::Hints::begin();

my $groups = query("SELECT name FROM pg_settings WHERE name IN ('ssl_groups', 'ssl_ecdh_curve')");
my $passphrase = 'open sesame';
my $encrypted;
# what lies in the data directory, or in the tests', others cannot get at
my $open = File::Temp::tempdir(CLEANUP => 1, DIR => '/tmp');

chmod 0755, $open or die "chmod: $!";

# a fault: these settings
sub with
{
	my (%settings) = @_;

	return sub { return { conf => \%settings }; };
}

# what is done about it: these, and a reload
sub now
{
	my (%settings) = @_;

	return sub { set(%settings); };
}

# the server's key, encrypted, which that command opens
sub key
{
	my ($command, $at_reload) = @_;

	return sub {
		return { 'server.key' => $encrypted, conf => { ssl_passphrase_command => $command, ssl_passphrase_command_supports_reload => $at_reload } };
	};
}

sub file
{
	my ($name, $mode, @lines) = @_;

	ESG::Certs::spew("$open/$name", @lines);
	chmod $mode, "$open/$name" or die "chmod: $!";
	return "$open/$name";
}

{
	my $out = path('encrypted.key');

	system("openssl pkey -in '" . path('server.key') . "' -aes256 -passout 'pass:$passphrase' -out '$out'") == 0 or die 'openssl';
	$encrypted = ESG::Certs::slurp($out);
	unlink $out;
	ESG::Hints::cleanup(sub {
		unlink map { path($_) } qw(dh.pem server.key.cipher server.key.rand);
	});
}

follow('weak_protocol', q{Their digests and ciphers are broken; PostgreSQL's clients have had TLS 1.2 for ten years. Set "ssl_min_protocol_version" to TLSv1.2 or TLSv1.3 and reload the server. See ssl_guard_transport for clients that use them still.},
	map { my $version = $_; [ $version, now(ssl_min_protocol_version => $version), with(ssl_min_protocol_version => 'TLSv1', ssl_ciphers => 'HIGH:!aNULL:@SECLEVEL=0', 'ext_ssl_guard.finding_overrides' => 'low_security_level=off') ] } qw(TLSv1.2 TLSv1.3));
my $ciphers = q{Set "ssl_ciphers" to HIGH:!aNULL:!kRSA, and "ssl_tls13_ciphers", where there is such a setting, to '', and reload the server.};
follow('weak_cipher', $ciphers,
	map { [ $_, now(ssl_ciphers => 'HIGH:!aNULL:!kRSA'), with(ssl_ciphers => $_) ] } 'ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0', 'ECDHE-ECDSA-AES256-GCM-SHA384:AECDH-AES256-SHA:@SECLEVEL=0');
my $dh = q{Set "ssl_dh_params_file" to '', for the server's own ones of 2048 bits, or make better ones with openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out FILE, and reload the server.};
follow('weak_dh_params', $dh,
	[ 'own', now(ssl_dh_params_file => ''), with(ssl_dh_params_file => 'dh.pem') ],
	[ 'better ones', sub { shell('openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dh.pem'); reload(); }, with(ssl_dh_params_file => 'dh.pem') ]);
follow('client_cipher_preference', 'Set "ssl_prefer_server_ciphers" to on and reload the server.',
	[ 'on', now(ssl_prefer_server_ciphers => 'on'), with(ssl_prefer_server_ciphers => 'off') ]);

# ---- the passphrase
my $leaks = q{Put the passphrase into a file that only the server's user may read (chmod 600), let the command be cat and its name, and reload the server; or use ssl_guard_ctl encrypt instead of the command. Then give the key another passphrase.};
my $hidden = sub { file('secret', 0600, "$passphrase\n"); set(ssl_passphrase_command => 'cat ' . "$open/secret"); };
my $pair = sub {
	shell("printf '%s\\n' '$passphrase' | ssl_guard_ctl encrypt -D .");
	set(ssl_passphrase_command => '', 'ext_ssl_guard.finding_overrides' => 'passphrase_in_backup=off');
};
follow('passphrase_command_leaks', $leaks,
	[ 'in its text', $hidden, key("echo $passphrase", 'on') ],
	[ 'in a file', $hidden, sub { file('secret', 0644, "$passphrase\n"); return key('cat ' . "$open/secret", 'on')->(); } ],
	[ 'in a script', $hidden, sub { file('script', 0755, "#!/bin/sh\necho $passphrase\n"); return key("$open/script", 'on')->(); } ],
	[ 'a pair', $pair, key("echo $passphrase", 'on') ]);
my $fails = q{Have "ssl_passphrase_command" be a program that the server's user may run and that asks nobody, set "ssl_passphrase_command_supports_reload" to on, and reload the server; or make a passphrase pair with ssl_guard_ctl encrypt, set the command to '' and reload the server.};
my $program = sub {
	file('script', 0700, "#!/bin/sh\necho $passphrase\n");
	set(ssl_passphrase_command => "$open/script", ssl_passphrase_command_supports_reload => 'on');
};
follow('passphrase_command_fails', $fails,
	[ 'off at reload', $program, sub { file('script', 0700, "#!/bin/sh\necho $passphrase\n"); return key("$open/script", 'off')->(); } ],
	[ 'no such program', $program, key('/nowhere/program', 'on') ],
	[ 'not executable', $program, sub { file('script', 0600, "#!/bin/sh\necho $passphrase\n"); return key("$open/script", 'on')->(); } ],
	[ 'a pair', $pair, key('/nowhere/program', 'on') ],
	[ 'a pair, as nobody is asked', $pair, key('', 'off') ],
	[ 'a person', $program, sub { return { conf => { ssl_passphrase_command => 'systemd-ask-password "%p"', ssl_passphrase_command_supports_reload => 'on' } }; } ]);

# ---- the rest
my $off = q{Install a certificate and its key, set "ssl" to on and reload the server; or set "listen_addresses" to localhost and restart the server.};
my $restart = sub { ESG::Hints::reload(); ESG::Hints::node()->restart; };
follow('tls_off', $off,
	[ 'on', now(ssl => 'on'), sub { return { conf => { ssl => 'off', listen_addresses => '127.0.0.1, 192.0.2.1', 'ext_ssl_guard.finding_overrides' => 'hba_never_matches=off' }, after => $restart }; } ],
	[ 'localhost', sub { set(listen_addresses => 'localhost'); ESG::Hints::node()->restart; }, sub { return { conf => { ssl => 'off', listen_addresses => '127.0.0.1, 192.0.2.1', 'ext_ssl_guard.finding_overrides' => 'hba_never_matches=off' }, after => $restart }; } ]);
set(listen_addresses => '127.0.0.1');
ESG::Hints::node()->restart;
my $group = q{Set "ssl_groups", which is called "ssl_ecdh_curve" before PostgreSQL 18, to prime256v1 and reload the server.};
follow('weak_group', $group,
	[ 'small', now($groups => 'prime256v1'), with($groups => 'secp224r1') ],
	[ 'not allowed', now($groups => 'prime256v1'), with($groups => 'prime192v1', ssl_ciphers => 'HIGH:!aNULL:@SECLEVEL=2') ]);
my $refused = q{The server goes on with what it has loaded before, and does not start any more. Correct the setting, for which ssl_guard_settings has a value that works, and reload the server.};
foreach my $case ([ 'ssl_ciphers', 'nonsense' ], [ $groups, 'nonsense' ], [ 'ssl_max_protocol_version', 'TLSv1' ])
{
	my ($setting, $value) = @$case;

	follow('tls_setting_refused', $refused,
		[ $setting, sub { set($setting => query("SELECT recommended FROM ssl_guard_settings WHERE setting = '$setting'")); }, with($setting => $value) ]);
}
follow('tls13_off', q{Set "ssl_max_protocol_version" to '' and reload the server.},
	[ 'empty', now(ssl_max_protocol_version => ''), with(ssl_max_protocol_version => 'TLSv1.2') ]);
follow('md5_passwords', 'Set "password_encryption" to scram-sha-256, reload the server and have passwords set anew.',
	[ 'scram-sha-256', now(password_encryption => 'scram-sha-256'), with(password_encryption => 'md5') ]);
follow('low_security_level', 'Add :@SECLEVEL=2 to "ssl_ciphers", in place of another @SECLEVEL there, and reload the server. Keys and signatures that are worth less than 112 bits are refused then.',
	map { [ "$_", now(ssl_ciphers => 'HIGH:!aNULL:@SECLEVEL=2'), with(ssl_ciphers => "HIGH:!aNULL:\@SECLEVEL=$_") ] } 0, 1);

done('settings');

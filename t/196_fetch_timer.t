# docs/systemd: systemd has nothing to say against the files, and what the service
# runs is what fetch-crl takes; and what fetch-crl prints for programs.

use strict;
use warnings;

use IPC::Run ();
use JSON::PP ();
use Test::More;

use ESG::Certs;
use ESG::Docs;
use ESG::Fetch;
use ESG::Web;

my $certs = ESG::Certs->new;
my $units = "$certs->{dir}/units";
my ($program) = grep { -x } map { "$_/ssl_guard_ctl" } split /:/, $ENV{PATH};
my $service = ESG::Docs::read_text('docs/systemd/ssl-guard-fetch-crl@.service');

# --- systemd -----------------------------------------------------------------------

mkdir $units;

# as the instance 15-main, with the program where it is here
sub put
{
	my ($kind, $change) = @_;
	my $text = ESG::Docs::read_text("docs/systemd/ssl-guard-fetch-crl\@.$kind") =~ s{/usr/bin/ssl_guard_ctl}{$program}gr;

	$text =~ s/$change->[0]/$change->[1]/ or die "nothing to change" if $change;
	ESG::Certs::spew("$units/ssl-guard-fetch-crl\@15-main.$kind", $text);
	return;
}

sub verify
{
	my $said = '';

	IPC::Run::run([ 'systemd-analyze', 'verify', '--man=no', glob("$units/*") ], '<', '/dev/null', '>&', \$said, IPC::Run::timeout(120));
	return $said;
}

SKIP:
{
	skip 'there is no systemd-analyze', 3 if system('systemd-analyze --version >/dev/null 2>&1') != 0;
	put($_) foreach qw(service timer);
	is(verify(), '', 'systemd has nothing to say against service and timer');
	put('service', [ qr/^Type=/m, 'Tpye=' ]);
	like(verify(), qr/Unknown key.*Tpye/, 'it would');
	put('service');
	put('timer', [ qr/hourly/, 'hurly' ]);
	like(verify(), qr/hurly/, 'of the timer, too');
}
my ($command) = $service =~ /^ExecStart=(.*)$/m;
is($command, '/usr/bin/ssl_guard_ctl fetch-crl -D ${PGDATA} --reload-command ${RELOAD} $OPTIONS', 'what is run');
my $set = join '', $service =~ /^Environment=.*\n/mg;
like($set, qr/^Environment=$_=|^Environment="$_=/m, "$_ is set") foreach $command =~ /\$\{?(\w+)/g;

# --- what programs read --------------------------------------------------------------

my $web = ESG::Web->new;
my $ca = $certs->make_ca('ca', subject => '/CN=the CA');
my $url = $web->put('ca.crl', ESG::Certs::slurp($certs->make_crl($ca, 'new')));
my $f = ESG::Fetch->new;
my @ours = ('--ca', $ca->{cert}, '--out', $f->path('root.crl'), '--url', $url);

is($f->run(@ours, '--format', 'json'), 0, 'JSON');
my $json = eval { JSON::PP::decode_json($f->{out}) };
is($@, '', 'can be read');
is_deeply([ @$json{qw(command status)} ], [ 'fetch-crl', 'ok' ], 'says what and how');
my ($object) = grep { $_->{kind} eq 'crl' } @{ $json->{objects} };
is($object->{issuer}, 'CN=the CA', 'and of whom');
like($f->{out}, qr/\Q$url\E/, 'and from where');
is($f->run(@ours, '--format', 'nagios'), 0, 'a plugin');
like($f->{out}, qr/\A\S+.*OK\b/, 'begins with the status');
is($f->run(@ours, '--format', 'prometheus'), 0, 'metrics');
like($f->{out}, qr/^ssl_guard_ctl_\w+.* \S+$/m, 'are there');
SKIP:
{
	my $promtool = ($ENV{ESG_MONITORING} // '') . '/usr/bin/promtool';
	my $said = '';

	skip 'there is no promtool', 1 unless -x $promtool;
	IPC::Run::run([ $promtool, 'check', 'metrics' ], '<', \$f->{out}, '>&', \$said, IPC::Run::timeout(60));
	is($said, '', 'promtool has nothing to say against them');
}
is($f->run(@ours, '--quiet'), 0, '--quiet');
unlike($f->{out}, qr/ca\.crl/, 'says nothing of what is well');
is($f->run('--ca', "$ca->{cert}.gone", @ours, '--format', 'json'), 3, 'JSON when nothing could be looked at');
is(eval { JSON::PP::decode_json($f->{out})->{status} }, 'unknown', 'is JSON, too');

done_testing();

# Each state of ssl, ssl_sni and the files follows each other one by a reload:
# what the extension says of the load, and of what is served, is what
# openssl s_client sees.  Without ssl_sni (before PostgreSQL 19) there are fewer.

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
# so many that what was loaded last differs from what was loaded before
my @cert = map { $certs->make_server("cert$_", ca => $ca) } 0 .. 2;
my $spoilt = ESG::Certs::spew($certs->dir . '/spoilt.crt', "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
my $node = ESG::Node->new('main');

$node->setup(ca => $ca, server => $cert[0], conf => 'ext_ssl_guard.file_poll_interval = 0');
$node->start;
my $sni_known = ESG::Sni::known($node);

# A state: ssl, ssl_sni, and what is broken: nothing, a certificate, or the list of hosts.
my @states = ([ 'off', 'off', '' ], [ 'off', 'off', 'file' ], [ 'on', 'off', '' ], [ 'on', 'off', 'file' ]);
push @states, map { my $ssl = $_; map { [ $ssl, 'on', $_ ] } '', 'file' } 'off', 'on' if $sni_known;
push @states, [ 'on', 'on', 'list' ] if $sni_known;
# EXEC_BACKEND: each backend loads the files by itself, and has no TLS if it cannot
@states = grep { $_->[0] eq 'off' || !$_->[2] } @states if ESG::Node::exec_backend();

# A walk that goes from each state to each state, itself included, once.
sub walk
{
	my @left = map { [ 0 .. $#states ] } @states;
	my @path = (0);
	my @walk;

	while (@path)
	{
		my $to = pop @{ $left[ $path[-1] ] };

		if (defined $to) { push @path, $to; }
		else { unshift @walk, pop @path; }
	}
	return @walk;
}

# --- what should be ---------------------------------------------------------------

# fingerprints by name that are served, and how the last load ended: '' for none
my %served = map { $_ => $cert[0]{fingerprint} } 'a.test', 'b.test';
my ($ok, $turn) = ('t', 0);

sub settle
{
	my ($ssl, $sni, $broken) = @_;
	my ($first, $second) = @cert[ $turn++ % 3, $turn % 3 ];

	foreach my $file ('server', 'a') { ESG::Sni::put_host($node, $file, $first); }
	ESG::Sni::put_host($node, 'b', $second);
	if ($broken eq 'file')
	{
		$node->replace($spoilt, 'server.crt');
		$node->replace($spoilt, $turn % 2 ? 'a.crt' : 'b.crt');
	}
	ESG::Sni::write_hosts($node, 'a.test a.crt a.key root.crt', 'b.test b.crt b.key',
		'* a.crt a.key', $broken eq 'list' ? 'c.test c.crt' : ()) if $sni_known;
	if ($ssl eq 'off') { %served = (); $ok = ''; return; }
	$ok = $broken ? 'f' : 't';
	return if $broken;
	%served = ('a.test' => $first->{fingerprint}, 'b.test' => ($sni eq 'on' ? $second : $first)->{fingerprint});
	return;
}

# --- what is ----------------------------------------------------------------------

my $told = <<'SQL' =~ s/\s+/ /gr;
SELECT coalesce(s.last_reload_ok::text, ''),
	(SELECT coalesce(string_agg(message, ', '), '') FROM ssl_guard_alarms WHERE code = 'reload_failed'),
	(SELECT count(*) FROM ssl_guard_alarms WHERE code IN ('reload_pending', 'file_not_reloaded') AND s.last_reload_ok),
	(SELECT count(*) FROM ssl_guard_alarms WHERE code = 'hosts_file_unusable')
FROM ssl_guard_status s
SQL
my $shown = <<'SQL' =~ s/\s+/ /gr;
SELECT coalesce(s.served_fingerprint, ''),
	(SELECT coalesce(string_agg(host_names[1] || '=' || coalesce(served_fingerprint, ''), ' ' ORDER BY line_number), '') FROM ssl_guard_hosts WHERE host_names[1] <> '*')
FROM ssl_guard_status s
SQL

sub expect
{
	my ($ssl, $sni, $broken) = @_;
	my $left = %served ? 'the previous certificate stays in service' : 'there is no TLS';

	return join('|', $ok eq 't' ? 'true' : $ok eq 'f' ? 'false' : '',
		$ok eq 'f' ? "the last TLS reload failed, $left" : '', 0, $ssl eq 'on' && $broken eq 'list' ? 1 : 0);
}

# what the extension shows as served, whichever way
sub served_by_name
{
	my ($one, $hosts) = split /\|/, $node->safe_psql('postgres', $shown), 2;
	my %by_host = map { /(.*)=(.*)/ } split ' ', $hosts;

	return join ' ', map { "$_=" . ($by_host{$_} // $one) } 'a.test', 'b.test';
}

sub step
{
	my ($from, $to) = @_;
	my ($ssl, $sni, $broken) = @{ $states[$to] };
	my $name = join(' -> ', map { my ($s, $n, $b) = @{ $states[$_] }; "ssl $s, sni $n" . ($b ? ", $b broken" : '') } $from, $to);

	settle($ssl, $sni, $broken);
	$node->safe_psql('postgres', $_) foreach "ALTER SYSTEM SET ssl = $ssl", $sni_known ? "ALTER SYSTEM SET ssl_sni = $sni" : ();
	ESG::Sni::reload($node);
	my $expected = expect($ssl, $sni, $broken);
	is($node->wait_sql($told, $expected), $expected, "$name: the load, and the alarms");
	my $really = join ' ', map { "$_=" . ESG::Sni::served($node, $_) } 'a.test', 'b.test';
	is($really, join(' ', map { "$_=" . ($served{$_} // '') } 'a.test', 'b.test'), "$name: what is served");
	# before 19 nothing but a login tells what the first load after ssl = off has brought
	$node->tcp_psql('SELECT 1') if %served;
	is(served_by_name(), $really, "$name: and what is said to be");
	return;
}

my @walk = walk();
is(scalar(@walk), @states**2 + 1, scalar(@states)**2 . ' changes of state');
step($walk[ $_ - 1 ], $walk[$_]) foreach 1 .. $#walk;

$node->stop;
is($node->count_log(qr/(PANIC:|terminated by signal|TLS init hook will be ignored)/, 0), 0, 'nothing went wrong, nor did the server warn');

done_testing();

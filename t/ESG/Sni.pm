# ESG::Sni: hosts of pg_hosts.conf, and what is really served.
#
#   my $known = ESG::Sni::known($node);            # has this server ssl_sni?
#   ESG::Sni::write_hosts($node, 'a.test a.crt a.key root.crt', ...);
#   ESG::Sni::served($node, 'a.test')              # SHA-256, asked with openssl s_client; '' if there is no TLS
#   ESG::Sni::served($node)                        # as a client that asks for no name
#   ESG::Sni::alarms($node)                        # 'critical expired a.crt:1, ...'
#   my $offset = ESG::Sni::reload($node);          # reloads, and waits until the worker has looked since

package ESG::Sni;

use strict;
use warnings;

use ESG::Certs;
use ESG::Node;

sub known
{
	my ($node) = @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = 'ssl_sni'");
}

sub write_hosts
{
	my ($node, @lines) = @_;

	my $path = $node->path('pg_hosts.conf');
	my $mode = -f $path ? (stat $path)[2] & 07777 : 0600;
	ESG::Certs::spew("$path.new", join('', map { "$_\n" } @lines));
	chmod $mode, "$path.new" or die "chmod: $!";
	rename "$path.new", $path or die "rename: $!";
	return;
}

# the certificate and key of a host, as NAME.crt and NAME.key
sub put_host
{
	my ($node, $name, $cert) = @_;

	$node->replace($cert->{key}, "$name.key");
	$node->replace($cert->{cert}, "$name.crt");
	return;
}

sub served
{
	my ($node, $name) = @_;
	my @command = ('openssl', 's_client', '-starttls', 'postgres', '-connect', '127.0.0.1:' . $node->port,
		defined $name ? ('-servername', $name) : '-noservername');
	my ($text, $digest) = ('', '');

	IPC::Run::run(\@command, '<', \'', '>', \$text, '2>', \my $err, IPC::Run::timeout(30));
	return '' unless $text =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/s;
	IPC::Run::run([ 'openssl', 'x509', '-noout', '-fingerprint', '-sha256' ], '<', \"$1", '>', \$digest, '2>', \$err);
	return lc($digest =~ s/.*=|[:\s]//gr);
}

sub alarms
{
	return "SELECT coalesce(string_agg(severity || ' ' || code || ' ' || regexp_replace(object, '.*/', ''), ', ' ORDER BY code, object), '') FROM ssl_guard_alarms";
}

sub now { return $_[0]->safe_psql('postgres', 'SELECT clock_timestamp()'); }

sub reload
{
	my ($node) = @_;
	my $offset = $node->log_end;
	my $before = now($node);

	$node->reload;
	$node->wait_sql("SELECT last_check_at > '$before' FROM ssl_guard_status", 't');
	return $offset;
}

# waits until the worker has looked again at what was written just now
sub look
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SELECT count(*) FROM ssl_guard_check()');
}

1;

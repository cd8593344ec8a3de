# ESG::Renewal: files renewed under a server that reloads them itself.
#
#   my $r = ESG::Renewal->new($node);
#   $r->begin;                       # from here on
#   $r->put('server.key' => $text, 'server.crt' => $text);   # each atomically
#   $r->in_service($cert, 'name');   # waits; the log has both fingerprints, one reload
#   $r->refused(qr/reason/, 'name'); # waits for the alarm; no reload
#   $r->untouched('name')            # no reload since begin()
#   $r->reloads                      # how many since begin()

package ESG::Renewal;

use strict;
use warnings;

use Test::More;

use ESG::Certs;
use ESG::Node;
use ESG::Sni;

our $settings = "ext_ssl_guard.auto_reload = on\next_ssl_guard.file_poll_interval = 1s";

sub new
{
	my ($class, $node) = @_;

	return bless { node => $node, offset => 0 }, $class;
}

sub begin
{
	my ($self) = @_;

	$self->{offset} = $self->{node}->log_end;
	$self->{before} = ESG::Sni::served($self->{node});
	return;
}

sub put
{
	my ($self, @files) = @_;

	while (my ($name, $text) = splice(@files, 0, 2))
	{
		my $path = $self->{node}->path($name);

		ESG::Certs::spew("$path.new", ref $text ? ESG::Certs::slurp($$text) : $text);
		chmod $name =~ /key/ ? 0600 : 0644, "$path.new" or die "chmod: $!";
		rename "$path.new", $path or die "rename: $!";
	}
	return;
}

# key and certificate of one that ESG::Certs has made
sub pair
{
	my ($cert, $name) = @_;

	$name //= 'server';
	return ("$name.key" => \$cert->{key}, "$name.crt" => \$cert->{cert});
}

sub reloads { return $_[0]{node}->count_log(qr/received SIGHUP, reloading/, $_[0]{offset}); }

# with EXEC_BACKEND a new backend serves it before the server has loaded it
sub wait_served
{
	my ($self, $cert) = @_;
	my $until = time + $ESG::Node::timeout;
	my $served;

	while ((($served = ESG::Sni::served($self->{node})) ne $cert->{fingerprint} || (ESG::Node::exec_backend() && !$self->reloads)) && time < $until)
	{
		select(undef, undef, undef, 0.2);
	}
	return $served;
}

sub in_service
{
	my ($self, $cert, $name) = @_;
	my $node = $self->{node};

	is(wait_served($self, $cert), $cert->{fingerprint}, "$name: served");
	$node->wait_log(
		qr/LOG:  renewed TLS files are in service\n.*DETAIL:  settings=\S*ssl_cert_file\S* old_fingerprint=$self->{before} new_fingerprint=$cert->{fingerprint}/,
		$self->{offset});
	is($self->reloads, 1, "$name: by one reload");
	is($node->wait_sql("SELECT in_sync AND NOT EXISTS (SELECT FROM ssl_guard_alarms WHERE code LIKE '%reload%') FROM ssl_guard_status"),
		't', "$name: in sync, no alarm");
	return;
}

sub alarm_stands
{
	my ($self, $code, $pattern, $name) = @_;
	my $answer = $self->{node}->wait_sql(
		"SELECT coalesce(string_agg(message, E'\\n'), '') FROM ssl_guard_alarms WHERE code = '$code'", $pattern);

	like($answer, $pattern, "$name: $code");
	return;
}

sub refused
{
	my ($self, $pattern, $name) = @_;

	$self->alarm_stands('auto_reload_refused', $pattern, $name);
	$self->untouched($name);
	return;
}

sub untouched
{
	my ($self, $name) = @_;

	is($self->reloads, 0, "$name: no reload");
SKIP:
	{
		skip 'EXEC_BACKEND: each backend loads the files by itself', 1 if ESG::Node::exec_backend();
		is(ESG::Sni::served($self->{node}), $self->{before}, "$name: what was in service is");
	}
	return;
}

1;

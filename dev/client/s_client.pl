# "openssl s_client -starttls postgres", and through it what a client says that needs no password: the database is one
# whose line in pg_hba.conf has the method "trust".

use strict;
use warnings;

use IPC::Open3;

my %env = %ENV;
my ($certificate) = -f $env{PGSSLCERT} ? do { local (@ARGV, $/) = ($env{PGSSLCERT}); <> } : '';
my (undef, @chain) = $certificate =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/gs;
my @options = $certificate eq '' ? () : ('-cert', $env{PGSSLCERT}, '-key', $env{PGSSLKEY});

# it sends the first certificate of a file alone
if (@chain)
{
	open(my $out, '>', "$env{TMPDIR}/s_client.$$") or die "$env{TMPDIR}: $!\n";
	print $out @chain;
	close $out;
	push @options, '-cert_chain', "$env{TMPDIR}/s_client.$$";
}
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { die "no answer\n" };
alarm 30;
my $pid = open3(my $in, my $from, '>&STDERR', 'openssl', 's_client', '-quiet', '-verify_quiet', '-verify_return_error', '-starttls', 'postgres',
	'-connect', "$env{PGHOST}:$env{PGPORT}", '-verify_ip', $env{PGHOST}, '-CAfile', $env{PGSSLROOTCERT}, @options);

binmode $_ foreach $in, $from;
$in->autoflush;

sub take
{
	my ($count) = @_;

	read($from, my $bytes, $count) // 0;
	exit 1 if length($bytes // '') < $count;
	return $bytes;
}

my $startup = pack('N', 196608) . join("\0", 'user', $env{PGUSER}, 'database', $env{PGDATABASE}, '', '');
print $in pack('N', 4 + length $startup), $startup;
while (1)
{
	my ($kind, $length) = unpack('aN', take(5));
	my $body = take($length - 4);

	if ($kind eq 'E')
	{
		print STDERR $body =~ tr/\0/ /r, "\n";
		exit 1;
	}
	last if $kind eq 'Z';
}
print $in 'X', pack('N', 4);
close $in;
waitpid $pid, 0;
unlink "$env{TMPDIR}/s_client.$$";
print 'in ', `openssl version` =~ /(\d\S*)/, "\n";

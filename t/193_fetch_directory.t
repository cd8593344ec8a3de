# fetch-crl into a directory of CRLs, with names as "openssl rehash" has them: new
# ones get the next free name, old ones are replaced where they are, there is
# never a gap, and OpenSSL finds what it is to find.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Fetch;
use ESG::Web;

my $certs = ESG::Certs->new;
my $web = ESG::Web->new;
my $ca = $certs->make_ca('ca', subject => '/CN=one');
my $twin = $certs->make_ca('twin', subject => '/CN=one');
my $other = $certs->make_ca('other', subject => '/CN=other');
my $alice = $certs->make_client('alice', ca => $ca);
my $bob = $certs->make_client('bob', ca => $twin);
my $dir = $certs->{dir} . '/crls';
my $issued = 0;

mkdir $dir;
my $f = ESG::Fetch->new($dir);
my $key = ['authorityKeyIdentifier=keyid'];

sub issue { my ($from, @more) = @_; return $certs->make_crl($from, 'crl' . ++$issued, last_update => -3600 + $issued * 10, extensions => $key, @more); }

sub text { return ESG::Certs::slurp($_[0]); }

sub hash_of { return ESG::Certs::openssl('crl', '-in', $_[0], '-noout', '-hash') =~ s/\s//gr; }

sub put
{
	my (%files) = @_;

	unlink map { "$dir/$_" } $f->names;
	ESG::Certs::spew("$dir/$_", ref $files{$_} ? @{ $files{$_} } : $files{$_}) foreach keys %files;
	return;
}

# as the server has it: the CAs in a file, the CRLs in the directory
sub verify
{
	my ($cert, @cas) = @_;
	my $said = '';

	IPC::Run::run([ 'openssl', 'verify', '-CAfile', $certs->concat('cas.crt', map { $_->{cert} } @cas), '-CApath', $dir, '-crl_check', $cert->{cert} ],
		'<', \undef, '>&', \$said);
	return $said =~ /^\S+: OK$/m ? 'ok' : $said =~ /error 23/ ? 'revoked' : $said;
}

my @cas = map { ('--ca', $_->{cert}) } $ca, $twin, $other;
my ($first, $of_twin, $of_other) = map { issue($_) } $ca, $twin, $other;
my $hash = hash_of($first);
my $other_hash = hash_of($of_other);

# --- from nothing -----------------------------------------------------------------

$web->put('a', text($first));
$web->put('b', text($of_twin));
$web->put('c', text($of_other));
my @all = map { ('--url', $web->url($_)) } qw(a b c);
is($f->run(@cas, '--out', "$dir/", '--url', $web->url('a')), 2, 'the CRL of one CA of three');
like($f->{out}, qr/CA "CN=\w+" would be without a CRL, and its clients would be refused/, 'is not written');
is_deeply([ $f->names ], [], 'nothing is there');
is($f->run(@cas, '--out', "$dir/", '--url', $web->url('a'), '--allow-missing', '--dry-run'), 0, 'unless it is allowed');
is($f->run(@cas, '--out', $dir, @all), 0, 'those of all three, two of them of one name') or diag $f->{out} . $f->{err};
is_deeply([ sort $f->names ], [ sort "$hash.r0", "$hash.r1", "$other_hash.r0" ], 'each has the next free name');
is_deeply([ verify($alice, $ca, $twin), verify($bob, $ca, $twin) ], [ 'ok', 'ok' ], 'and OpenSSL finds them');
is($f->run(@cas, '--out', $dir, @all), 0, 'once more');
ok($f->unchanged, 'changes nothing');

# --- newer ------------------------------------------------------------------------

$certs->revoke($twin, $bob);
my $twin_next = issue($twin);
$web->put('b', text($twin_next));
is($f->run(@cas, '--out', $dir, @all), 0, 'a newer one of the second');
my ($place) = grep { text("$dir/$_") eq text($twin_next) } "$hash.r0", "$hash.r1";
ok($place, 'is where the one before was');
is_deeply([ sort $f->names ], [ sort "$hash.r0", "$hash.r1", "$other_hash.r0" ], 'under the same names');
is_deeply([ verify($alice, $ca, $twin), verify($bob, $ca, $twin) ], [ 'ok', 'revoked' ], 'and counts');

# --- two old ones of one CA ---------------------------------------------------------

put("$hash.r0" => text($first), "$hash.r1" => text($first), "$hash.r2" => text($twin_next), "$other_hash.r0" => text($of_other));
my $next = issue($ca);
$web->put('a', text($next));
is($f->run(@cas, '--out', $dir, @all), 0, 'an old CRL under two names') or diag $f->{out} . $f->{err};
is_deeply([ sort $f->names ], [ sort "$hash.r0", "$hash.r1", "$other_hash.r0" ], 'the second one goes, and leaves no gap');
is_deeply([ sort { $a cmp $b } map { text("$dir/$hash.r$_") } 0, 1 ], [ sort { $a cmp $b } text($next), text($twin_next) ], 'the others stay');
is_deeply([ verify($alice, $ca, $twin), verify($bob, $ca, $twin) ], [ 'ok', 'revoked' ], 'and are found');

# --- files with several CRLs ----------------------------------------------------------

put("$hash.r0" => [ text($twin_next), text($first), text($of_other) ], "$other_hash.r0" => text($of_other));
is($f->run(@cas, '--out', $dir, @all), 0, 'a file with those of three CAs');
is(text("$dir/$hash.r0"), text($twin_next) . text($next) . text($of_other), 'keeps the others, in their order');

# --- links of openssl rehash -------------------------------------------------------------

put('one.crl' => text($first), 'twin.crl' => text($twin_next), 'other.crl' => text($of_other), 'notes.txt' => "not looked at\n");
ESG::Certs::openssl('rehash', $dir);
my @names = sort $f->names;
is($f->run(@cas, '--out', $dir, @all), 0, 'a directory that "openssl rehash" has made') or diag $f->{out} . $f->{err};
is(text("$dir/one.crl"), text($next), 'what the link leads to is replaced');
is_deeply([ sort $f->names ], \@names, 'and all names stay');
is(scalar(grep { -l "$dir/$_" } $f->names), 3, 'as the links do');
ESG::Certs::openssl('rehash', $dir);
is_deeply([ sort $f->names ], \@names, 'rehashed again, they are the same');
is_deeply([ verify($alice, $ca, $twin), verify($bob, $ca, $twin) ], [ 'ok', 'revoked' ], 'and OpenSSL finds them');

# --- what is refused -----------------------------------------------------------------------

sub hopeless
{
	my ($name, $pattern) = @_;

	is($f->run(@cas, '--out', $dir, @all), 3, "$name: could not look") or diag $f->{out} . $f->{err};
	like($f->{err}, $pattern, "$name: why");
	ok($f->unchanged, "$name: nothing has changed");
	return;
}

my $elsewhere = ESG::Certs::spew("$certs->{dir}/elsewhere.crl", text($first));
put("$hash.r1" => text($twin_next));
symlink $elsewhere, "$dir/$hash.r0";
hopeless('a link out of the directory', qr/is a symbolic link out of its directory/);
is(text($elsewhere), text($first), 'nor what it leads to');
unlink "$dir/$hash.r0";
symlink 'gone.crl', "$dir/$hash.r0";
is($f->run(@cas, '--out', $dir, @all), 0, 'a link to nothing beside it is no obstacle') or diag $f->{out} . $f->{err};
ok(-l "$dir/$hash.r0", 'and stays');
put("$hash.r0" => "-----BEGIN X509 CRL-----\nAAAA\n");
hopeless('a broken file', qr/so that nothing of it can be replaced/);
put("$hash.r0" => text($first));
mkdir "$dir/$hash.r1";
hopeless('a directory of that name', qr/is not a regular file/);
rmdir "$dir/$hash.r1";
chmod 0775, $dir;
hopeless('a directory for a group', qr/is writable by others/);
chmod 0755, $dir;

done_testing();

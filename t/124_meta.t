# META.json by the rules of the PGXN Meta Spec 1.0.0, and as the rest of the
# sources has it; the source archive is complete, and the same twice.

use strict;
use warnings;

use JSON::PP ();
use List::Util qw(first);
use Test::More;

use ESG::Docs;
use PostgreSQL::Test::Utils ();

my $source = ESG::Docs::source();
my $text = ESG::Docs::read_text('META.json');
my $version = qr/(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?/;
my $url = qr{https?://[^\s/]+\.[^\s/]+(?:/\S*)?};
my @licenses = qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0
	mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);

# ---- the rules: each returns what is wrong, or nothing

sub is_text { my ($value) = @_; return defined $value && !ref $value && length $value; }

sub is_term { my ($value) = @_; return is_text($value) && $value =~ m{\A[^\s/\\\x00-\x1f\x7f]{2,}\z}; }

# keys of a map that are none of these, or are missing
sub check_keys
{
	my ($where, $map, $required, $optional) = @_;
	my %known = map { $_ => 1 } @$required, @$optional;

	return "$where is no map" if ref $map ne 'HASH';
	return ((map { "$where has no $_" } grep { !defined $map->{$_} } @$required),
		map { "$where has $_" } grep { !$known{$_} && !/^x_/i } sort keys %$map);
}

sub check_top
{
	my ($meta) = @_;
	my @tags = @{ $meta->{tags} // [] };

	return ('name') if !is_term($meta->{name});
	return (
		(map { "$_ is no text" } grep { !is_text($meta->{$_}) } qw(name abstract maintainer)),
		$meta->{version} =~ /\A$version\z/ ? () : 'version',
		(first { $_ eq $meta->{license} } @licenses) ? () : 'license',
		exists $meta->{release_status} && $meta->{release_status} !~ /\A(stable|testing|unstable)\z/ ? 'release_status' : (),
		(map { "tag $_" } grep { !is_text($_) || length > 256 || m{[/\\[:cntrl:]]} } @tags));
}

sub check_provides
{
	my ($provides) = @_;

	return ('provides nothing') if ref $provides ne 'HASH' || !%$provides;
	return map {
		my ($name, $item) = ($_, $provides->{$_});
		(check_keys("provides $name", $item, [qw(file version)], [qw(abstract docfile)]),
			$item->{version} =~ /\A$version\z/ ? () : "version of $name",
			(map { "$item->{$_} is not there" } grep { defined $item->{$_} && !-f "$source/$item->{$_}" } qw(file docfile)))
	} sort keys %$provides;
}

sub check_prereqs
{
	my ($prereqs) = @_;
	my @wrong;

	foreach my $phase (sort keys %{ $prereqs // {} })
	{
		push @wrong, "phase $phase" if $phase !~ /\A(configure|build|test|runtime|develop)\z/;
		foreach my $relation (sort keys %{ $prereqs->{$phase} })
		{
			my $needed = $prereqs->{$phase}{$relation};

			push @wrong, "relation $relation" if $relation !~ /\A(requires|recommends|suggests|conflicts)\z/;
			push @wrong, map { "$phase $relation $_" }
			  grep { !is_term($_) || $needed->{$_} !~ /\A(0|(?:(?:[<>]=?|[!=]=) ?)?$version(?:, ?[<>!=]=? ?$version)*)\z/ } sort keys %$needed;
		}
	}
	return @wrong;
}

sub check_resources
{
	my ($resources) = @_;
	my %is = %{ $resources // {} };
	my ($tracker, $repository) = ($is{bugtracker}, $is{repository});

	return (
		check_keys('resources', \%is, [], [qw(homepage bugtracker repository)]),
		(map { "resource $_" } grep { exists $is{$_} && $is{$_} !~ /\A$url\z/ } 'homepage'),
		!$tracker ? () : (check_keys('bugtracker', $tracker, [], [qw(web mailto)]),
			exists $tracker->{web} && $tracker->{web} !~ /\A$url\z/ ? 'web of bugtracker' : (),
			exists $tracker->{mailto} && $tracker->{mailto} !~ /\A[^\s@]+@[^\s@]+\.[^\s@]+\z/ ? 'mailto' : ()),
		!$repository ? () : (check_keys('repository', $repository, [], [qw(url web type)]),
			exists $repository->{url} && ($repository->{type} // '') !~ /\A[a-z]+\z/ ? 'type of repository' : (),
			exists $repository->{web} && $repository->{web} !~ /\A$url\z/ ? 'web of repository' : ()));
}

sub complaints
{
	my ($meta) = @_;

	return join '; ', check_keys('META.json', $meta, [qw(abstract maintainer license provides name version meta-spec)],
		[qw(description generated_by no_index prereqs release_status resources tags)]),
	  check_top($meta), check_provides($meta->{provides}), check_prereqs($meta->{prereqs}), check_resources($meta->{resources}),
	  check_keys('meta-spec', $meta->{'meta-spec'}, ['version'], ['url']),
	  $meta->{'meta-spec'}{version} eq '1.0.0' ? () : 'version of meta-spec';
}

my $meta = JSON::PP->new->decode($text);
is(complaints($meta), '', 'META.json keeps the rules');

# ---- that rules bite
foreach my $case (
	[ 'version', sub { $_[0]{version} = '1.1' } ],
	[ 'license', sub { $_[0]{license} = 'PostgreSQL' } ],
	[ 'release_status', sub { $_[0]{release_status} = 'released' } ],
	[ 'META.json has no maintainer', sub { delete $_[0]{maintainer} } ],
	[ 'META.json has licence', sub { $_[0]{licence} = 'postgresql' } ],
	[ 'provides nothing', sub { $_[0]{provides} = {} } ],
	[ 'none.sql is not there', sub { $_[0]{provides}{ext_ssl_guard}{file} = 'none.sql' } ],
	[ 'resources has web', sub { $_[0]{resources}{web} = 'https://example.com' } ],
	[ 'resource homepage', sub { $_[0]{resources}{homepage} = 'example' } ],
	[ 'type of repository', sub { $_[0]{resources}{repository} = { url => 'git://example.com/x.git' } } ],
	[ 'phase run', sub { $_[0]{prereqs}{run} = {} } ],
	[ 'runtime requires PostgreSQL', sub { $_[0]{prereqs}{runtime}{requires}{PostgreSQL} = '15' } ],
	[ 'version of meta-spec', sub { $_[0]{'meta-spec'}{version} = '2.0.0' } ])
{
	my ($complaint, $spoil) = @$case;
	my $bad = JSON::PP->new->decode($text);

	$spoil->($bad);
	like(complaints($bad), qr/\Q$complaint\E/, "a fault is found: $complaint");
}

# ---- as elsewhere
my ($default) = ESG::Docs::read_text('ext_ssl_guard.control') =~ /^default_version = '(.*)'$/m;
my ($comment) = ESG::Docs::read_text('ext_ssl_guard.control') =~ /^comment = '(.*)'$/m;
my ($heading) = ESG::Docs::read_text('CHANGELOG.md') =~ /^## (.*)$/m;

like($meta->{version}, qr/\A\Q$default\E\.\d+\z/, 'the version is that of the control file');
is($meta->{provides}{ext_ssl_guard}{version}, $meta->{version}, 'in both places');
is($meta->{provides}{ext_ssl_guard}{file}, "ext_ssl_guard--$default.sql", 'with its script');
is(lcfirst $meta->{abstract}, $comment, 'the abstract is that of the control file');
is($meta->{release_status} // 'stable', $heading =~ /not released/ ? 'testing' : 'stable', 'and the status that of CHANGELOG.md');

# ---- the archive
sub run_dist
{
	my $dir = PostgreSQL::Test::Utils::tempdir();

	chomp(my $archive = `'$source/dev/dist' '$dir'`);
	return $archive;
}

# A place with what builds and tests leave behind: none of it may get in.
my $place = PostgreSQL::Test::Utils::tempdir() . '/tree';
my @rubbish = qw(ssl_guard_ctl ext_ssl_guard.so ext_ssl_guard.o src/exports.list src/x509/pem.bc results/sql.out .build/x tmp_check/log);
mkdir $place or die "mkdir: $!";
system("cd '$source' && tar -cf - . | (cd '$place' && tar -xf -)") == 0 or die 'tar';
my $wanted = join '', grep { !m{^debian/} } map { s{^\./}{}r } sort `cd '$place' && find . -type f`;
mkdir "$place/$_" foreach grep { !-d "$place/$_" } qw(results .build tmp_check);
system('touch', map { "$place/$_" } @rubbish) == 0 or die 'touch';
$source = $place;
my ($first, $second) = (run_dist(), run_dist());

is(($first =~ m{([^/]*)\z})[0], "ext_ssl_guard-$meta->{version}.tar.gz", 'the name of the archive');
is(join('', sort map { s{^[^/]*/}{}r } `tar -tzf '$first'`), join('', sort split /(?<=\n)/, $wanted), 'it has all sources but debian/, and no rubbish');
is(join(' ', grep { !m{^ext_ssl_guard-\Q$meta->{version}\E/} } `tar -tzf '$first'`), '', 'below one folder');
is(`cat '$first' | sha256sum`, `cat '$second' | sha256sum`, 'the same bytes twice');
done_testing();

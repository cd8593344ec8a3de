# docs/ says what is so: the examples in each of its files are run, see
# t/ESG/Docs.pm.  Those that are not are listed, with the reason.

use strict;
use warnings;

use File::Basename qw(basename);
use Test::More;

use ESG::Docs;

my @files = sort map { 'docs/' . basename($_) } glob("'" . ESG::Docs::source() . "'/docs/*.md");
# figures that "make bench-docs" and "make quality" write down, nothing to be run
@files = grep { !m{^docs/(?:performance|quality)\.md$} } @files;
@files = grep { my $file = $_; grep { $file =~ /$_/ } split ' ', $ENV{DOCS} } @files if $ENV{DOCS};

is(join(' ', ESG::Docs->new('a text', <<'TEXT')->strays), '3 5 8 10 17', 'code that would not be run is found');
Prose.

```
SELECT 1;
```
Prose.

    SELECT 1;

```perl
print 1;
```
<!-- test: not run: because -->
```perl
print 1;
```
<!-- test: nonsense -->
```sql
SELECT 1;
```
TEXT
cmp_ok(scalar @files, '>=', 8, 'there are documents') unless $ENV{DOCS};
foreach my $file (@files)
{
	my $docs = ESG::Docs->new($file);

	# nothing in it can be run: then there is nothing to be wrong
	cmp_ok($docs->run, '>', 0, "$file has examples");
	$docs->stop;
}
done_testing();

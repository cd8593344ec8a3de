# ESG::Ctl: what ssl_guard_ctl says.
#
#   my ($status, $out, $err) = ESG::Ctl::run('probe', 'localhost');
#   my ($status, $report, $err) = ESG::Ctl::report('probe', 'localhost');    # JSON, decoded
#   my @objects = ESG::Ctl::objects($report, 'certificate');
#   my @codes = ESG::Ctl::codes($object);           # sorted
#   my $complaints = ESG::Ctl::schema_complaints(@files);    # '' if there are none; undef: cannot be tried
#
# A program that does not end is killed after a while, and has the status 'late'.

package ESG::Ctl;

use strict;
use warnings;

use File::Temp ();
use IPC::Run ();
use JSON::PP;

use ESG::Docs;

our $patience = 120;

sub run
{
	my (@arguments) = @_;
	my $input = ref $arguments[0] ? ${ shift @arguments } : '';
	my ($out, $err) = ('', '');
	# a file: who writes into a pipe of a program that has ended fails
	my $file = File::Temp->new;
	print $file $input;
	close $file or die "temporary file: $!";
	my $harness = IPC::Run::start([ 'ssl_guard_ctl', @arguments ], '<', "$file", '>', \$out, '2>', \$err, my $timer = IPC::Run::timeout($patience));

	return ('late', $out, $err) unless eval { $harness->finish; 1 } || do { $harness->kill_kill; 0 };
	return (($harness->full_results)[0] >> 8, $out, $err);
}

sub report
{
	my (@arguments) = @_;
	my ($status, $out, $err) = run(@arguments, '--format', 'json');

	return ($status, scalar(eval { decode_json($out) }), $err);
}

sub objects
{
	my ($report, $kind) = @_;

	return grep { $_->{kind} eq $kind } @{ $report->{objects} };
}

sub codes { return sort map { $_->{code} } @{ $_[0]->{findings} }; }

sub remarks { return join("\n", map { $_->{message} } @{ $_[0]->{remarks} }); }

# What docs/ssl_guard_ctl.schema.json has against these files.
sub schema_complaints
{
	my (@files) = @_;
	my $schema = ESG::Docs::source() . '/docs/ssl_guard_ctl.schema.json';
	my $said = '';

	return if system("/usr/bin/python3 -c 'import jsonschema' >/dev/null 2>&1") != 0;
	IPC::Run::run([ '/usr/bin/python3', '-c', <<'PYTHON', $schema, @files ], '>', \$said, '2>&1');
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
for name in sys.argv[2:]:
    for error in jsonschema.Draft7Validator(schema).iter_errors(json.load(open(name))):
        print(name, list(error.absolute_path), error.message)
PYTHON
	return $said;
}

1;

# Root locks all memory of ssl_guard_ctl, whatever the limit is.  The server's user
# that "check" becomes is bound by it: what is allocated then must not fail.
#
# In a user namespace root has no such privilege.  So a library loaded into the
# program (LD_PRELOAD) stands in for the kernel: after the change of the user no
# memory is to be had until the locks are given up.

use strict;
use warnings;

use IPC::Run ();
use Test::More;

use ESG::Certs;
use ESG::Users;

my $base = ESG::Users::enter();
my $certs = ESG::Certs->new;
my $ca = $certs->make_ca('ca');
my $cert = $certs->make_server('server', ca => $ca, passphrase => 'sesam');
my $dir = "$base/pair";

ESG::Certs::spew("$base/kernel.c", <<'SOURCE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int	is_locked = 0;

static void
limit_memory(int is_limited)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = is_limited ? 1 : limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
}

int
mlockall(int flags)
{
	(void) flags;
	is_locked = 1;
	return 0;
}

int
munlockall(void)
{
	is_locked = 0;
	limit_memory(0);
	return 0;
}

int
setresuid(uid_t real, uid_t effective, uid_t saved)
{
	int			(*next) (uid_t, uid_t, uid_t);

	*(void **) &next = dlsym(RTLD_NEXT, "setresuid");
	limit_memory(is_locked);
	return next(real, effective, saved);
}
SOURCE
plan skip_all => 'no C compiler'
  if system("cc -shared -fPIC -o '$base/kernel.so' '$base/kernel.c' -ldl 2>'$base/cc.out'") != 0;
chmod 0755, "$base/kernel.so";

sub run_ctl
{
	my ($preload, @arguments) = @_;
	my $said = '';
	local $ENV{LD_PRELOAD} = $preload;

	IPC::Run::run([ 'ssl_guard_ctl', @arguments ], '<', \"sesam\n", '>&', \$said);
	return ($? >> 8, $said);
}

mkdir $dir, 0700 or die "mkdir: $!";
ESG::Certs::spew("$dir/server.key", ESG::Certs::slurp($cert->{key}));
chmod 0600, "$dir/server.key";
chown $ESG::Users::users{postgres}, $ESG::Users::groups{postgres}, $dir, "$dir/server.key" or die "chown: $!";

my ($status, $said) = run_ctl("$base/kernel.so", 'encrypt', '-D', $dir, '--user', 'postgres');
is($status, 0, 'encrypt') or diag($said);
foreach my $preload ('', "$base/kernel.so")
{
	my $limit = $preload ? 'as a user whose limit leaves no room' : 'without a limit';

	($status, $said) = run_ctl($preload, 'check', '-D', $dir, '--user', 'postgres');
	is($status, 0, "check $limit");
	is($said, qq(the pair is usable for user "postgres"\n), '... and what it says');
}

done_testing();

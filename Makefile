# ext_ssl_guard: "make help" lists the targets.
#
# Two kinds of targets.  all, install, installcheck, uninstall and clean are
# PGXS's and need a server's development files (PG_CONFIG).  demo, test and the
# other project targets need nothing but make and a shell: dev/setup finds
# or installs what they use.

MODULE_big = ext_ssl_guard
EXTENSION = ext_ssl_guard

# "." when built in place, for the sake of directories with a space in their name
makefile := $(firstword $(MAKEFILE_LIST))
srcroot := $(if $(filter Makefile,$(makefile)),.,$(patsubst %/,%,$(dir $(abspath $(makefile)))))
DATA = $(notdir $(wildcard $(srcroot)/ext_ssl_guard--*.sql))

# Only the administrator's PG_CONFIG reaches the scripts; they look further
# than PATH when there is none.
PG_CONFIG ?= pg_config

# every folder of src/ but ctl/, which is the program's
all_sources := $(filter-out src/ctl/%,$(sort $(patsubst $(srcroot)/%,%,$(wildcard $(srcroot)/src/*/*.c))))
# What each login runs comes first and lies together, within a piece of 64 kB, and in the next what judges files and
# identities at one: each such piece costs a login a page fault, so code and constants begin with one.
login_sources := $(patsubst %,src/%.c,hooks/client_auth $(addprefix login/,barrier ca_usage client_check client_entry \
	fallback guard handshake ident_map label_page peer role_label sessions transport) policy/elapsed policy/revocation_key \
	$(addprefix server/,served_cert shmem state guc) x509/info login/clients server/alarms)
judge_sources := $(patsubst %,src/%.c,$(addprefix login/,crl_dir_verdict denied file_guard identity) $(addprefix policy/,deny_list file label) \
	$(addprefix files/,facts tls_names) $(addprefix server/,report served_hosts sni_hosts tls_files) \
	x509/identities x509/name $(addprefix policy/,alarm_text findings) $(addprefix files/,accounts content crl_dir_list tls_file) x509/cut_text)
moved_sources := $(filter-out $(all_sources),$(login_sources) $(judge_sources))
ifneq ($(moved_sources),)
$(error Each login runs these, where are they now? $(moved_sources))
endif
sources := $(login_sources) $(judge_sources) ext_ssl_guard.c \
	$(filter-out $(login_sources) $(judge_sources),$(all_sources))
headers := $(wildcard $(srcroot)/src/*.h $(srcroot)/src/*/*.h)
OBJS = $(sources:.c=.o)

# The control file is the only place where the version is written.
version := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" '$(srcroot)/ext_ssl_guard.control')
PG_CPPFLAGS = -I$(srcroot) -I$(srcroot)/src -DESG_VERSION='"$(version)"'
SHLIB_LINK = -lssl -lcrypto
comma := ,
# Each process would otherwise run through a table of jumps to other libraries, and at its end
# the C runtime's code for destructors, of which there are none: a page fault each.
PG_CFLAGS = -fno-plt
SHLIB_LINK += $(if $(filter linux,$(PORTNAME)),-nostartfiles -Wl$(comma)-z$(comma)max-page-size=65536)
# A version script rather than -fvisibility=hidden, which on PostgreSQL 15
# hides _PG_init and Pg_magic_func as well.
SHLIB_EXPORTS = src/exports.txt

REGRESS = $(sort $(basename $(notdir $(wildcard $(srcroot)/sql/*.sql))))

# PGXS has no PROGRAM next to MODULE_big: rules of our own, below its include.
ctl_sources := $(patsubst $(srcroot)/%,%,$(wildcard $(srcroot)/src/ctl/*.c))
ctl_objs = $(if $(ctl_sources),$(ctl_sources:.c=.o) $(filter $(addprefix src/,x509/% policy/% secret/% wire/% files/%),$(OBJS)))
ctl_program = $(if $(ctl_objs),ssl_guard_ctl)
# Installed as they lie here, so that the links between them lead somewhere.
documents := $(patsubst $(srcroot)/%,%,$(wildcard $(addprefix $(srcroot)/,*.md LICENSE docs/*.md docs/*.svg docs/systemd/* docs/*.json docs/Dockerfile))) \
	$(shell cd '$(srcroot)' && find monitoring -type f 2>/dev/null)
EXTRA_CLEAN = ssl_guard_ctl $(ctl_sources:.c=.o) results regression.diffs regression.out

.DEFAULT_GOAL := all
project_targets := demo test matrix check-cassert check-exec-backend check-core clients faults sanitize flakiness analyze quality unit mutate bench bench-docs fuzz coverage lint format dist packages help

pgxs_goals := $(filter-out $(project_targets),$(or $(MAKECMDGOALS),all))
ifneq ($(pgxs_goals),)

PGXS := $(shell '$(PG_CONFIG)' --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)

ifneq ($(srcroot),.)
$(shell mkdir -p $(sort $(dir $(filter src/%,$(sources)) $(ctl_sources))))
# PGXS sets it itself, but not that of a server built in its own source tree: from
# there configure has taken out all lines that do.
VPATH = $(srcroot)
endif

include $(PGXS)

# Debian's PGXS tracks no dependencies.
$(OBJS) $(OBJS:.o=.bc) $(ctl_objs): $(headers) $(srcroot)/ext_ssl_guard.control

# The folders made above; before PGXS's own recipe, which removes no folder.
ifneq ($(srcroot),.)
.PHONY: clean-folders
clean: clean-folders
clean-folders:
	rm -f $(OBJS) $(OBJS:.o=.bc) $(ctl_objs)
	rmdir $(sort $(dir $(filter src/%,$(OBJS) $(ctl_objs)))) src 2>/dev/null || :
endif

all: $(ctl_program) same-openssl
install: install-ctl install-documents
uninstall: uninstall-ctl uninstall-documents

# With a second OpenSSL in it the server would crash.
OPENSSL_CHECK = yes
.PHONY: same-openssl
same-openssl: $(MODULE_big)$(DLSUFFIX)
	@$(if $(filter no,$(OPENSSL_CHECK)),:,'$(srcroot)/dev/same_openssl' '$(bindir)/postgres' $<)

# -z now: a symbol that is looked up late has all vector registers saved on the
# stack, with what of a secret was copied through them.
ssl_guard_ctl: $(ctl_objs)
	$(CC) $(CFLAGS) $(ctl_objs) $(LDFLAGS) $(LDFLAGS_EX) -Wl,-z,now -lssl -lcrypto -o $@

# where bash-completion looks: beside what belongs to no one server
COMPLETIONS_DIR = $(shell printf '%s' '$(mandir)' | sed 's,/share/.*,/share,')/bash-completion/completions

.PHONY: install-ctl uninstall-ctl
install-ctl: $(ctl_program)
	$(MKDIR_P) '$(DESTDIR)$(bindir)' '$(DESTDIR)$(COMPLETIONS_DIR)'
	$(INSTALL_PROGRAM) ssl_guard_ctl '$(DESTDIR)$(bindir)/ssl_guard_ctl'
	$(INSTALL_DATA) '$(srcroot)/completions/ssl_guard_ctl' '$(DESTDIR)$(COMPLETIONS_DIR)/'

uninstall-ctl:
	rm -f '$(DESTDIR)$(bindir)/ssl_guard_ctl' '$(DESTDIR)$(COMPLETIONS_DIR)/ssl_guard_ctl'

# PGXS's DOCS would put all into one folder, which other extensions' README.md is in.
documents_dir = $(DESTDIR)$(docdir)/ext_ssl_guard
.PHONY: install-documents uninstall-documents
install-documents:
	$(MKDIR_P) '$(DESTDIR)$(mandir)/man1' $(patsubst %,'$(documents_dir)/%',$(sort $(dir $(documents))))
	$(INSTALL_DATA) '$(srcroot)/docs/ssl_guard_ctl.1' '$(DESTDIR)$(mandir)/man1/'
	for file in $(documents); do \
		if [ -x '$(srcroot)'/$$file ]; then install='$(INSTALL_SCRIPT)'; else install='$(INSTALL_DATA)'; fi && \
		$$install '$(srcroot)'/$$file '$(documents_dir)'/$$file || exit; \
	done

uninstall-documents:
	rm -f '$(DESTDIR)$(mandir)/man1/ssl_guard_ctl.1' $(patsubst %,'$(documents_dir)/%',$(documents))
	find '$(documents_dir)' -depth -type d -empty -delete 2>/dev/null || :

else # no PGXS

$(pgxs_goals): no-pgxs
.PHONY: no-pgxs
no-pgxs:
	@echo 'The development files of a PostgreSQL server were not found by "$(PG_CONFIG) --pgxs".' >&2
	@echo 'Install them, on Debian with:' >&2
	@echo '    apt-get install postgresql-server-dev-all libssl-dev libkrb5-dev' >&2
	@echo 'or name another server: make PG_CONFIG=/path/to/bin/pg_config' >&2
	@echo '"make test" and "make demo" install by themselves what they need.' >&2
	@exit 1

endif
endif # pgxs_goals

.PHONY: $(project_targets)

# Builds and installs into a relocated copy of the server, and runs there; or of
# one that is built from source for the purpose, with these options.
in_sandbox = PG_CONFIG=`'$(srcroot)/dev/setup'` && export PG_CONFIG && exec '$(srcroot)/dev/sandbox'

in_sandbox_of = PG_CONFIG=`'$(srcroot)/dev/server-from-source' $(1)` && export PG_CONFIG && exec $(2) '$(srcroot)/dev/sandbox'

help:
	@echo 'all install installcheck uninstall clean   as with any PGXS extension'
	@echo 'demo      a throw-away server shows what the extension says and when'
	@echo 'test      unit tests, pg_regress and TAP in a relocated copy of the server;'
	@echo '          PROVE_TESTS="t/001_start.t ..." runs only these'
	@echo 'check-cassert       test, with a server built from source with assertions'
	@echo 'check-exec-backend  the same with one that starts its processes anew'
	@echo 'check-core  the server'"'"'s own tests (src/test/ssl, src/test/regress) without'
	@echo '          the library, with it, and with all its checks at enforce'
	@echo 'sanitize  test, with a server built from source with sanitizers and assertions'
	@echo 'flakiness  test, RUNS times (20) beside LOAD (8) busy processes'
	@echo 'clients   drivers, poolers and tools, with good and bad certificates each, against one'
	@echo '          server with all checks at enforce'
	@echo 'faults    breaks one thing after the other under clients that log in: files, worker,'
	@echo '          locks, disk, memory, clock, server; FAULTS="vanished,crash" only these'
	@echo 'analyze   clang-tidy, cppcheck and gcc -fanalyzer, against a list of exceptions'
	@echo 'quality   QUALITY_TARGETS="check-core ..."; writes their tables into docs/quality.md'
	@echo 'matrix    the whole suite on several releases of Debian, in chroots, as root;'
	@echo '          RELEASES="trixie ..." only these, "dev/matrix --help" says all'
	@echo 'unit      only the unit tests of the pure layer, with sanitizers'
	@echo 'coverage  what of src/ the suite runs: the whole of it, once more'
	@echo 'mutate    changes one thing in the sources, 300 times, and looks whether a test'
	@echo '          fails; MUTATE="--seed 2 --count 50 --unit x509": dev/mutate has all'
	@echo 'bench     the benchmarks in dev/bench/, each with its budgets; half an hour;'
	@echo '          BENCHMARKS="analyse ..." runs only these'
	@echo 'bench-docs  the same, and writes docs/performance.md of it, and of what was run before'
	@echo 'fuzz      the fuzzers in dev/fuzz/, FUZZ_SECONDS each (60); FUZZERS="fuzz_pem ..." runs only these'
	@echo 'lint      layers, exports, function length, banned functions, layout'
	@echo 'format    pg_bsd_indent over all sources'
	@echo 'dist      the source archive'
	@echo 'packages  the Debian packages, checked in clean systems, as root'
	@echo 'PG_CONFIG=/path/to/pg_config chooses the server for all of them.'
	@echo 'OPENSSL_CHECK=no builds although the server is linked with another OpenSSL.'

demo:
	@$(in_sandbox) dev/demo/demo.sh

test:
	@$(in_sandbox) t/run

check-cassert:
	@$(call in_sandbox_of,--cassert) t/run

# its processes have to have the same things at the same addresses
check-exec-backend:
	@$(call in_sandbox_of,--exec-backend,setarch -R) t/run

# at the same addresses, as AddressSanitizer has no room where the kernel puts things at
# random; pg_config, too, ends with memory that it has not freed
sanitize:
	@export ASAN_OPTIONS=detect_leaks=0 && $(call in_sandbox_of,--cassert --sanitize,setarch -R) dev/sanitize

check-core:
	@$(call in_sandbox_of) dev/check_core

flakiness:
	@$(in_sandbox) dev/flakiness $(RUNS) $(LOAD)

clients:
	@PG_CONFIG=`'$(srcroot)/dev/setup' --with-clients --with-poolers` && export PG_CONFIG && exec '$(srcroot)/dev/sandbox' dev/clients

faults:
	@PG_CONFIG=`'$(srcroot)/dev/setup' --with-faketime` && export PG_CONFIG && exec '$(srcroot)/dev/sandbox' dev/faults $(if $(FAULTS),--only '$(FAULTS)')

matrix:
	@'$(srcroot)/dev/matrix' $(RELEASES)

analyze:
	@PG_CONFIG=`'$(srcroot)/dev/setup' --with-analyzers` && export PG_CONFIG && exec '$(srcroot)/dev/analyze'

quality:
	@PG_CONFIG=`'$(srcroot)/dev/setup'` && export PG_CONFIG && exec '$(srcroot)/dev/quality' $(QUALITY_TARGETS)

unit:
	@$(in_sandbox) --no-server t/run --unit

coverage:
	@$(in_sandbox) --coverage dev/coverage

# the sandbox's user writes there what need not be tried again
mutate:
	@mkdir -p '$(srcroot)/.build/mutate' && chmod 1777 '$(srcroot)/.build/mutate'
	@state=`cd '$(srcroot)' && pwd`/.build/mutate && $(if $(filter --unit,$(MUTATE)),exec '$(srcroot)/dev/sandbox' --no-server,$(in_sandbox)) dev/mutate --state "$$state" $(MUTATE)

bench:
	@$(in_sandbox) dev/bench/run $(BENCHMARKS)

# the sandbox's user writes there
bench-docs:
	@mkdir -p '$(srcroot)/.build/bench' && chmod 1777 '$(srcroot)/.build/bench'
	@[ -n '$(BENCHMARKS)' ] || rm -f '$(srcroot)'/.build/bench/*.json
	@BENCH_OUT=`cd '$(srcroot)' && pwd`/.build/bench && export BENCH_OUT && $(in_sandbox) dev/bench/run $(BENCHMARKS)
	@'$(srcroot)/dev/bench/report' '$(srcroot)/.build/bench' '$(srcroot)/docs'

# the sandbox's user leaves there what made a fuzzer fail
fuzz:
	@mkdir -p '$(srcroot)/.build/fuzz' && chmod 1777 '$(srcroot)/.build/fuzz'
	@FUZZ_OUT=`cd '$(srcroot)' && pwd`/.build/fuzz && export FUZZ_OUT && $(in_sandbox) dev/fuzz/run $(or $(FUZZ_SECONDS),60) $(FUZZERS)

lint:
	@'$(srcroot)/dev/lint'

format:
	@'$(srcroot)/dev/format'

dist:
	@'$(srcroot)/dev/dist'

packages:
	@'$(srcroot)/dev/packages'

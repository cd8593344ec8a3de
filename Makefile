# ext_ssl_guard: see README.md.  Everything above the include of PGXS works
# without a PostgreSQL installation; so do "make demo" and "make test".

MODULE_big = ext_ssl_guard
EXTENSION = ext_ssl_guard
DATA = ext_ssl_guard--1.0.sql

PG_CONFIG ?= pg_config

srcroot := $(patsubst %/,%,$(dir $(abspath $(firstword $(MAKEFILE_LIST)))))
sources := ext_ssl_guard.c $(sort $(patsubst $(srcroot)/%,%,$(wildcard $(srcroot)/src/*.c)))
OBJS = $(sources:.c=.o)

version := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcroot)/ext_ssl_guard.control)
PG_CPPFLAGS = -I$(srcroot) -I$(srcroot)/src -DESG_VERSION='"$(version)"'
SHLIB_LINK = -lssl -lcrypto

ifneq ($(srcroot),$(CURDIR))
$(shell mkdir -p src)
endif

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
endif

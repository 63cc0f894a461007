# SPDX-License-Identifier: GPL-2.0
# The one Makefile to call; `make help` says what it can do. Everything that is
# built goes below $(BUILD).
#
#   BUILD=DIR    where to build (build/)
#   KVER=X       the kernel to build the module for; its headers must be installed
#   DESTDIR=, PREFIX=/usr/local   where install puts the programs and man pages
TOP := $(CURDIR)
export BUILD ?= $(TOP)/build
override BUILD := $(abspath $(BUILD))
override DESTDIR := $(abspath $(DESTDIR))
PREFIX ?= /usr/local
CC ?= gcc
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' pramfs-module/dkms.conf)

CHECKPOINT = $(MAKE) -C checkpoint BUILD="$(BUILD)" prefix="$(PREFIX)"
RESTORE = $(MAKE) -C restore BUILD="$(BUILD)" prefix="$(PREFIX)"
TOOL = $(MAKE) -C pramfs-module/tool O="$(BUILD)/tool" PREFIX="$(PREFIX)" \
	CPPFLAGS='$(CPPFLAGS) -DPRAMFS_VERSION=\"$(VERSION)\"'
MODULE_SOURCES := $(addprefix pramfs-module/,Kbuild Makefile dkms.conf) $(wildcard pramfs-module/*.[ch])
MODULE_BUILD = $(BUILD)/module/$(KVER)
DKMS_DIR := $(DESTDIR)/usr/src/pramfs-$(VERSION)
DIRS := $(addprefix $(DESTDIR),/usr/src /usr/lib/dracut/modules.d \
	/usr/lib/systemd/system/multi-user.target.wants \
	$(addprefix $(PREFIX),/sbin /libexec/rebootless/criu /share/doc/rebootless /share/man/man5 /share/man/man8))

all: programs $(if $(KVER),module,no-module)	## rebootless and pramfs; with KVER=X the module as well

programs:
	@$(CHECKPOINT) all
	@$(RESTORE) all
	@$(TOOL) all

no-module:
	@echo "The module is not built: say for which kernel, as in make KVER=$$(uname -r)"

# In a copy, so that the kernel's make leaves nothing among the sources.
module:						## pramfs.ko for the kernel KVER=X
	@test -n "$(KVER)" || { echo "make module: KVER is missing, as in make module KVER=$$(uname -r)" >&2; exit 1; }
	@test -e "/lib/modules/$(KVER)/build" || { echo "make module: no headers in /lib/modules/$(KVER)/build; install linux-headers-$(KVER)" >&2; exit 1; }
	@mkdir -p "$(MODULE_BUILD)"
	@cp -pu $(MODULE_SOURCES) "$(MODULE_BUILD)"
	@$(MAKE) -C "$(MODULE_BUILD)" KVER="$(KVER)"
	@echo "built $(MODULE_BUILD)/pramfs.ko"

test:						## install what is missing, build and run all tests (needs root)
	@test/run $(TESTS)

soak:						## the same with everything that takes hours (needs root)
	@SOAK=1 test/run guests lint unit fuzz install lab vm update test/soak

lint:						## checkpatch, sparse and shellcheck (needs root)
	@test/lint

BENCH ?= run memory updates early huge
bench:						## compare pramfs with tmpfs in guests (needs root); BENCH="run memory updates early huge"
	@set -e; for bench in $(BENCH); do test/bench/$$bench; done

demo:						## update a kernel under a running redis, in a guest (needs root)
	@test/demo/run

install: programs				## programs, man pages, and the module's source for DKMS
	@$(CHECKPOINT) install DESTDIR="$(DESTDIR)"
	@$(RESTORE) install DESTDIR="$(DESTDIR)"
	@$(TOOL) install DESTDIR="$(DESTDIR)"
	install -d -m 755 "$(DKMS_DIR)"
	install -m 644 $(MODULE_SOURCES) "$(DKMS_DIR)"

# Directories are taken away too, but in a DESTDIR only: a system's own stay.
uninstall:					## take away what install put there
	@$(CHECKPOINT) uninstall DESTDIR="$(DESTDIR)"
	@$(RESTORE) uninstall DESTDIR="$(DESTDIR)"
	@$(TOOL) uninstall DESTDIR="$(DESTDIR)"
	rm -f $(patsubst pramfs-module/%,"$(DKMS_DIR)/%",$(MODULE_SOURCES))
	@if [ -d "$(DKMS_DIR)" ]; then rmdir --ignore-fail-on-non-empty "$(DKMS_DIR)"; fi
ifneq ($(DESTDIR),)
	@cd "$(DESTDIR)" && for dir in $(patsubst $(DESTDIR)/%,%,$(DIRS)); do \
		if [ -d "$$dir" ]; then rmdir -p --ignore-fail-on-non-empty "$$dir"; fi; \
	done
endif

# The lab's trees cost minutes to build: only distclean takes them.
clean:						## take away what was built, but the lab's guests
	find "$(BUILD)" -mindepth 1 -maxdepth 1 ! -name lab -exec rm -rf {} + 2>/dev/null || true

distclean:					## take away everything that was built
	rm -rf "$(BUILD)"

help:						## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

.PHONY: all programs no-module module test soak lint bench demo install uninstall clean distclean help

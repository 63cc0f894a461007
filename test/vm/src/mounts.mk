# SPDX-License-Identifier: GPL-2.0
# The program `mounts`: with shared libraries, which the guest takes from the
# tree (libmount is not there to be linked statically).
MOUNTS_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../../..)
BUILD ?= $(MOUNTS_TOP)/build
MOUNTS_PACKAGES := json-c mount blkid
MOUNTS_SOURCES := $(MOUNTS_TOP)/test/vm/src/mounts.c $(patsubst %,$(MOUNTS_TOP)/common/%.c,\
	filesystems_note filesystems_mount filesystems_freeze mount_table block block_wait path processes \
	cgroup cgroup_values cgroup_note cgroup_make cgroup_disks findings manifest config fault strv file log)

$(BUILD)/vm-shared/mounts: $(MOUNTS_SOURCES) $(wildcard $(MOUNTS_TOP)/common/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -I$(MOUNTS_TOP) \
		$(shell pkg-config --cflags $(MOUNTS_PACKAGES)) -o $@ $(MOUNTS_SOURCES) \
		$(shell pkg-config --libs $(MOUNTS_PACKAGES))

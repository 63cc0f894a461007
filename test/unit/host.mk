# SPDX-License-Identifier: GPL-2.0
# Unit tests of what meets the host: programs, mounts, cgroups, networks. make -f test/unit/host.mk check-host
# Built with ASan and UBSan; nothing is written but below $(HOST_O) and in /tmp.
HOST_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
HOST_O ?= $(HOST_TOP)/build/unit-host
HOST_PACKAGES := json-c mount blkid libmnl libnetfilter_conntrack
HOST_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wshadow -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all -I$(HOST_TOP) \
	$(shell pkg-config --cflags $(HOST_PACKAGES))
HOST_HEADERS := $(wildcard $(addprefix $(HOST_TOP)/,common/*.h test/unit/harness.h))

check-host: $(addprefix $(HOST_O)/,test_run test_filesystems test_cgroup test_network test_oci_root test_criu_config \
		test_outside_files)
	$(HOST_O)/test_run
	$(HOST_O)/test_filesystems
	$(HOST_O)/test_cgroup
	$(HOST_O)/test_network
	$(HOST_O)/test_oci_root
	$(HOST_O)/test_criu_config
	$(HOST_O)/test_outside_files

common = $(patsubst %,$(HOST_TOP)/common/%.c,$(1))
$(HOST_O)/test_run: $(call common,run unit file log)
$(HOST_O)/test_filesystems: $(call common,filesystems_note filesystems_mount mount_table block block_wait path processes \
	cgroup findings manifest config fault strv file log)
$(HOST_O)/test_cgroup: $(call common,cgroup cgroup_values cgroup_note cgroup_make cgroup_disks block path file log)
$(HOST_O)/test_network: $(call common,network_note network_make network_link network_namespaces \
	network_tables network_tracked network_lock network_managers netlink run file log)
$(HOST_O)/test_oci_root: $(call common,oci_root oci oci_sysctls network_note network_make network_link network_namespaces \
	network_tables network_tracked network_lock network_managers netlink findings run strv file log)
$(HOST_O)/test_criu_config: $(call common,criu_config log)
$(HOST_O)/test_outside_files: $(call common,outside_files log)

$(HOST_O)/%: $(HOST_TOP)/test/unit/%.c $(HOST_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -o $@ $(filter %.c,$^) $(shell pkg-config --libs $(HOST_PACKAGES))

.PHONY: check-host

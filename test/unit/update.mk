# SPDX-License-Identifier: GPL-2.0
# Unit tests of what an update reads and checks: make -f test/unit/update.mk check-update
# Built with ASan and UBSan; nothing is written but below $(UPDATE_O) and in /tmp.
UPDATE_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
UPDATE_O ?= $(UPDATE_TOP)/build/unit-update
UPDATE_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wshadow -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all -I$(UPDATE_TOP)
HEADERS := $(wildcard $(addprefix $(UPDATE_TOP)/,checkpoint/*.h common/*.h test/unit/*.h))

check-update: $(addprefix $(UPDATE_O)/,test_config test_fault test_kernels test_initrd_contents \
		test_check_processes test_check_system test_check_disks test_check_early test_podman \
		test_service_owners test_vdso test_criu_plugin test_socket_options \
		test_keepalive)
	$(UPDATE_O)/test_config $(UPDATE_TOP)/checkpoint/rebootless.conf
	$(UPDATE_O)/test_fault $(UPDATE_TOP)/test/fault/table
	$(UPDATE_O)/test_kernels
	$(UPDATE_O)/test_initrd_contents
	$(UPDATE_O)/test_check_processes
	$(UPDATE_O)/test_check_system
	$(UPDATE_O)/test_check_disks
	$(UPDATE_O)/test_check_early
	$(UPDATE_O)/test_podman
	$(UPDATE_O)/test_service_owners
	$(UPDATE_O)/test_vdso
	$(UPDATE_O)/test_criu_plugin
	$(UPDATE_O)/test_socket_options
	$(UPDATE_O)/test_keepalive

# What each is made of, beside its own file.
common = $(patsubst %,$(UPDATE_TOP)/common/%.c,$(1))
checkpoint = $(patsubst %,$(UPDATE_TOP)/checkpoint/%.c,$(1))
PROCESSES := $(call checkpoint,$(addprefix check_,processes files maps sockets mounts) urgent) \
	$(call common,processes sockets cgroup path outside_files)
$(UPDATE_O)/test_config: $(call common,config strv fault log)
$(UPDATE_O)/test_fault: $(call common,fault findings file log)
$(UPDATE_O)/test_kernels: $(call checkpoint,kernels) $(call common,strv run file log)
$(UPDATE_O)/test_initrd_contents: $(call checkpoint,initrd initrd_contents kernels) $(call common,strv run file log)
$(UPDATE_O)/test_check_processes: $(PROCESSES) $(call common,findings file log)
$(UPDATE_O)/test_check_system: $(call checkpoint,check_system check_strays check_memory cmdline initrd initrd_contents kernels) \
	$(PROCESSES) $(call common,findings strv run file log)

$(UPDATE_O)/test_check_early: $(call checkpoint,check_early cmdline) $(call common,mount_table block path strv file log)
$(UPDATE_O)/test_check_early: UPDATE_FLAGS += $(shell pkg-config --cflags json-c mount blkid)
$(UPDATE_O)/test_check_early: LIBRARIES := $(shell pkg-config --libs json-c mount blkid)
$(UPDATE_O)/test_check_disks: $(call checkpoint,check_disks check_drivers cmdline) \
	$(call common,mount_table block path strv findings file log)
$(UPDATE_O)/test_check_disks: UPDATE_FLAGS += $(shell pkg-config --cflags json-c mount blkid)
$(UPDATE_O)/test_check_disks: LIBRARIES := $(shell pkg-config --libs json-c mount blkid)
$(UPDATE_O)/test_criu_plugin: $(call checkpoint,criu-plugin private_code sleeping_call taken_up) $(call common,processes file log)
$(UPDATE_O)/test_vdso: $(call checkpoint,vdso) $(call common,processes file log)
$(UPDATE_O)/test_podman: $(call common,podman_inspect cgroup path run file log)
$(UPDATE_O)/test_service_owners: $(call checkpoint,service_owners) $(call common,strv cgroup path processes run file log)
$(UPDATE_O)/test_socket_options: $(call common,socket_options sockets processes file log)
$(UPDATE_O)/test_keepalive: $(call checkpoint,keepalive) $(call common,file log)
$(addprefix $(UPDATE_O)/,test_check_processes test_check_system test_podman test_service_owners test_socket_options test_keepalive): LIBRARIES := $(shell pkg-config --libs json-c)

$(UPDATE_O)/%: $(UPDATE_TOP)/test/unit/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(UPDATE_FLAGS) -o $@ $(filter %.c,$^) $(LIBRARIES)

# For guests, whose libraries are others.
$(UPDATE_O)/check_processes.static: $(UPDATE_TOP)/test/unit/test_check_processes.c $(PROCESSES) \
		$(call common,findings file log) $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(filter-out -fsanitize% -fno-sanitize%,$(UPDATE_FLAGS)) -static -o $@ $(filter %.c,$^) $(shell pkg-config --libs json-c)

.PHONY: check-update

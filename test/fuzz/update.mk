# SPDX-License-Identifier: GPL-2.0
# Fuzzers of what an update reads: make -f test/fuzz/update.mk fuzz-update
UPDATE_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
UPDATE_FUZZ_O ?= $(UPDATE_TOP)/build/fuzz-update
UPDATE_CLANG ?= clang
UPDATE_FUZZ_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-c2x-extensions \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I$(UPDATE_TOP)

fuzz-update: $(UPDATE_FUZZ_O)/fuzz_config $(UPDATE_FUZZ_O)/fuzz_timeline

$(UPDATE_FUZZ_O)/fuzz_config: $(patsubst %,$(UPDATE_TOP)/common/%.c,config strv fault log)
$(UPDATE_FUZZ_O)/fuzz_timeline: $(patsubst %,$(UPDATE_TOP)/common/%.c,timeline setup_data file log) \
	$(UPDATE_TOP)/checkpoint/phases.c

$(UPDATE_FUZZ_O)/%: $(UPDATE_TOP)/test/fuzz/%.c $(wildcard $(UPDATE_TOP)/common/*.h $(UPDATE_TOP)/checkpoint/phases.h)
	@mkdir -p $(@D)
	$(UPDATE_CLANG) $(UPDATE_FUZZ_FLAGS) -o $@ $(filter %.c,$^)

.PHONY: fuzz-update

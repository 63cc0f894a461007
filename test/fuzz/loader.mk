# SPDX-License-Identifier: GPL-2.0
# Fuzz the loader: make -f test/fuzz/loader.mk fuzz-loader [LOADER_SECONDS=60]
LOADER_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
LOADER_FUZZ_O ?= $(LOADER_TOP)/build/fuzz-loader
LOADER_SECONDS ?= 60
LOADER_CLANG ?= clang
LOADER_FUZZ_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-address-of-packed-member \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
LOADER_FUZZED := $(addprefix $(LOADER_TOP)/,$(addprefix checkpoint/,bzimage.c boot_params.c \
	initrd.c cmdline.c placement.c) common/log.c)

fuzz-loader: $(LOADER_FUZZ_O)/fuzz_bzimage $(LOADER_FUZZ_O)/fuzz_cmdline
	@mkdir -p $(LOADER_FUZZ_O)/corpus-bzimage $(LOADER_FUZZ_O)/corpus-cmdline
	$(LOADER_FUZZ_O)/fuzz_bzimage -max_total_time=$(LOADER_SECONDS) -max_len=16384 -len_control=0 \
		-artifact_prefix=$(LOADER_FUZZ_O)/ -print_final_stats=1 $(LOADER_FUZZ_O)/corpus-bzimage
	$(LOADER_FUZZ_O)/fuzz_cmdline -max_total_time=$(LOADER_SECONDS) -max_len=2048 \
		-dict=$(LOADER_TOP)/test/fuzz/cmdline.dict \
		-artifact_prefix=$(LOADER_FUZZ_O)/ -print_final_stats=1 $(LOADER_FUZZ_O)/corpus-cmdline

$(LOADER_FUZZ_O)/%: $(LOADER_TOP)/test/fuzz/%.c $(LOADER_FUZZED) \
		$(wildcard $(LOADER_TOP)/checkpoint/*.h $(LOADER_TOP)/common/*.h)
	@mkdir -p $(@D)
	$(LOADER_CLANG) $(LOADER_FUZZ_FLAGS) -I$(LOADER_TOP) -o $@ $(filter %.c,$^)

.PHONY: fuzz-loader

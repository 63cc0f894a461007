# SPDX-License-Identifier: GPL-2.0
# Unit tests of the loader: make -f test/unit/loader.mk check-loader
# Built with ASan and UBSan; nothing is written but below $(LOADER_O) and in /tmp.
LOADER_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
LOADER_O ?= $(LOADER_TOP)/build/unit
LOADER_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
LOADER_WARN := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -Wno-address-of-packed-member
LOADER_PURE := $(addprefix $(LOADER_TOP)/,$(addprefix checkpoint/,bzimage.c boot_params.c \
	memmap.c initrd.c cmdline.c placement.c) common/log.c common/file.c)

check-loader: $(LOADER_O)/test_loader
	$<

$(LOADER_O)/test_loader: $(LOADER_TOP)/test/unit/test_loader.c $(LOADER_PURE) \
		$(wildcard $(LOADER_TOP)/checkpoint/*.h $(LOADER_TOP)/common/*.h)
	@mkdir -p $(@D)
	$(CC) -O1 -g $(LOADER_WARN) $(LOADER_SAN) -I$(LOADER_TOP) -o $@ $(filter %.c,$^)

.PHONY: check-loader

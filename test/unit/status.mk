# SPDX-License-Identifier: GPL-2.0
# Unit tests of the timeline and of `rebootless status`: make -f test/unit/status.mk check-status
# Built with ASan and UBSan; nothing is written but below $(STATUS_O) and in /tmp.
STATUS_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
STATUS_O ?= $(STATUS_TOP)/build/unit-status
STATUS_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wshadow -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all -I$(STATUS_TOP) \
	$(shell pkg-config --cflags json-c)
STATUS_LIBS := $(shell pkg-config --libs json-c)
STATUS_HEADERS := $(wildcard $(addprefix $(STATUS_TOP)/,checkpoint/*.h common/*.h test/unit/harness.h))

common = $(patsubst %,$(STATUS_TOP)/common/%.c,$(1))
checkpoint = $(patsubst %,$(STATUS_TOP)/checkpoint/%.c,$(1))

check-status: $(STATUS_O)/test_timeline $(STATUS_O)/test_status
	$(STATUS_O)/test_timeline
	@rm -rf $(STATUS_O)/svg && mkdir $(STATUS_O)/svg
	$(STATUS_O)/test_status $(STATUS_O)/svg
	@python3 -c 'import sys, xml.etree.ElementTree as e; [e.parse(f) for f in sys.argv[1:]]' \
		$(STATUS_O)/svg/whole.svg $(STATUS_O)/svg/no-manifest.svg $(STATUS_O)/svg/one-stamp.svg
	@echo "pass status-svg-is-xml"

$(STATUS_O)/test_timeline: $(call common,timeline setup_data file log) $(call checkpoint,phases)
$(STATUS_O)/test_status: $(call common,timeline setup_data file log manifest strv config fault) \
	$(call checkpoint,phases status_text status_json status_svg)

$(STATUS_O)/%: $(STATUS_TOP)/test/unit/%.c $(STATUS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STATUS_FLAGS) -o $@ $(filter %.c,$^) $(STATUS_LIBS)

.PHONY: check-status

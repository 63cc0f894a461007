# SPDX-License-Identifier: GPL-2.0
# What the Makefiles of checkpoint/ and restore/ share. Before the include:
#   NAME     the program; its objects go below $(BUILD)/NAME/
#   DIRS     directories whose C files it is made of
#   EXCEPT   of them, those that it is not made of
TOP ?= $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
BUILD ?= $(TOP)/build
OUT := $(BUILD)/$(NAME)

CFLAGS ?= -O2 -g
prefix ?= /usr
sbindir ?= $(prefix)/sbin
libexecdir ?= $(prefix)/libexec/rebootless
mandir ?= $(prefix)/share/man

PACKAGES := json-c mount blkid libmnl libnetfilter_conntrack
PROGRAM_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I$(TOP) -DLIBEXECDIR='"$(libexecdir)"' \
	-DSBINDIR='"$(sbindir)"' \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-address-of-packed-member -Wno-c2x-extensions \
	-fstack-protector-strong -MMD -MP $(shell pkg-config --cflags $(PACKAGES))
PROGRAM_LIBS = $(shell pkg-config --libs $(PACKAGES)) $(EXTRA_LIBS)

SOURCES := $(filter-out $(addprefix $(TOP)/,$(EXCEPT)),\
	$(wildcard $(DIRS:%=$(TOP)/%/*.c)) $(addprefix $(TOP)/,$(ALSO)))
OBJECTS := $(patsubst $(TOP)/%.c,$(OUT)/%.o,$(SOURCES))

all: $(OUT)/$(NAME)

$(OUT)/$(NAME): $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)

$(OUT)/%.o: $(TOP)/%.c $(TOP)/common/program.mk Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(PROGRAM_CFLAGS) -c -o $@ $<

clean:
	rm -rf $(OUT)

-include $(OBJECTS:.o=.d)

.PHONY: all clean

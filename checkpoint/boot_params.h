/* SPDX-License-Identifier: GPL-2.0 */
/*
 * boot_params.h - everything that a new kernel is told, in one block.
 *
 * The block goes to one place in memory, and holds in this order:
 *
 *   boot_params ("zero page")              one page
 *   setup_data nodes of our own            EFI, E820_EXT, RNG_SEED as needed, stamp
 *   the EFI runtime map                    on EFI hosts
 *   the command line, with its NUL
 *   the trampoline                         where kexec jumps to; it puts the time
 *                                          into the stamp node (common/stamp_node.h)
 *
 * The list of setup_data nodes ends with the PramFS root, which lies elsewhere
 * and is written later: EFI -> E820_EXT -> RNG_SEED -> stamp -> root.
 * The nodes lie back to back: the kernel reserves each one, and can keep only
 * 128 regions that early.
 *
 * Pure: no I/O and no state. Facts from the kernel's boot.rst and zero-page.rst.
 */
#ifndef REBOOTLESS_BOOT_PARAMS_H
#define REBOOTLESS_BOOT_PARAMS_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bzimage.h"
#include "memmap.h"

#define BOOT_SEED_BYTES 32

/* One EFI memory descriptor, version 1 (UEFI specification, EFI_MEMORY_DESCRIPTOR). */
struct efi_descriptor {
	uint32_t type;
	uint32_t pad;
	uint64_t phys_addr;
	uint64_t virt_addr;
	uint64_t num_pages;
	uint64_t attribute;
};

/* Payload of SETUP_EFI (the kernel's asm/efi.h). */
struct efi_node {
	uint64_t fw_vendor;
	uint64_t unused;
	uint64_t tables;
	uint64_t smbios;
	uint64_t reserved[8];
};

_Static_assert(sizeof(struct efi_descriptor) == 40, "EFI_MEMORY_DESCRIPTOR version 1");
_Static_assert(sizeof(struct efi_node) == 96, "struct efi_setup_data");

/* All that the block is made of; pointers are not owned. */
struct boot_inputs {
	const struct bzimage *kernel;
	const struct boot_params *running;	/* as the running kernel was given them */
	const struct memmap *memmap;
	const char *cmdline;
	uint64_t kernel_addr;			/* where the payload goes */
	uint64_t initrd_addr;			/* 0 bytes: there is none */
	uint64_t initrd_bytes;
	uint64_t pramfs_root;			/* 0: the list ends before it */
	uint64_t acpi_rsdp;			/* 0: the new kernel searches for it */
	struct efi_node efi;
	const struct efi_descriptor *efi_map;
	uint32_t efi_map_nr;			/* 0: no EFI runtime services */
	bool have_seed;
	uint8_t seed[BOOT_SEED_BYTES];
};

/* Offsets in the block; 0 = that part is not there. */
struct boot_layout {
	size_t efi_node;
	size_t e820_node;
	size_t seed_node;
	size_t stamp_node;
	size_t efi_map;
	size_t cmdline;
	size_t trampoline;
	size_t bytes;		/* of the whole block, whole pages */
};

/* Where the parts will lie; addresses in the inputs do not matter yet. */
void boot_layout(const struct boot_inputs *in, struct boot_layout *layout);

/*
 * Check what does not depend on addresses: that the command line fits (its
 * limit is the new kernel's own). Logged; -E2BIG.
 */
int boot_inputs_check(const struct boot_inputs *in);

/*
 * Write the block that is to lie at physical address `addr` into `block`,
 * which has layout->bytes bytes.
 */
void boot_block_build(const struct boot_inputs *in, const struct boot_layout *layout,
		      uint64_t addr, uint8_t *block);

#endif

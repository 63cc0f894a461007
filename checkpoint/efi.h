/* SPDX-License-Identifier: GPL-2.0 */
/*
 * efi.h - what /sys/firmware/efi knows that the next kernel needs.
 *
 * After the firmware's boot services have ended, and virtual addresses have
 * been set, only the running kernel still knows where the runtime services
 * are mapped; the next kernel must map them at the same places.
 */
#ifndef REBOOTLESS_EFI_H
#define REBOOTLESS_EFI_H

#include "boot_params.h"

#define EFI_DIR "/sys/firmware/efi"

struct efi_state {
	struct efi_node node;
	struct efi_descriptor *map;	/* owned; NULL: no runtime services to hand on */
	uint32_t nr;
	uint64_t rsdp;			/* ACPI root as EFI says it, 0 = not said */
};

/*
 * Read it. A machine without EFI, or a kernel that runs without its runtime
 * services (efi=noruntime), gives an empty map and 0. 0 or -errno (logged).
 */
int efi_read(const char *dir, const struct boot_params *running, struct efi_state *efi);
void efi_free(struct efi_state *efi);

#define _cleanup_efi_ __attribute__((cleanup(efi_free)))

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * boot_params.c - see boot_params.h.
 *
 * What of the running kernel's boot_params goes on to the next follows the
 * kernel's own kexec_file_load: screen, EFI, ACPI root, EDD, subarchitecture.
 * Not taken over: APM, drive tables, OLPC, IST, the tboot and SEV addresses.
 */
#include <errno.h>
#include <string.h>

#include "boot_params.h"
#include "common/log.h"
#include "common/stamp_node.h"

#define PAGE 4096u
#define TRAMPOLINE_BYTES 41u

static size_t node_bytes(size_t payload)
{
	return sizeof(struct setup_data) + payload;
}

/* Take `bytes` from the block, aligned; the offset of what was taken. */
static size_t take(size_t *end, size_t bytes, size_t align)
{
	size_t at = (*end + align - 1) & ~(align - 1);

	*end = at + bytes;
	return at;
}

static uint32_t e820_beyond(const struct memmap *map)
{
	return map->nr > E820_MAX_ENTRIES_ZEROPAGE ? map->nr - E820_MAX_ENTRIES_ZEROPAGE : 0;
}

void boot_layout(const struct boot_inputs *in, struct boot_layout *l)
{
	uint32_t beyond = e820_beyond(in->memmap);
	size_t end = sizeof(struct boot_params);

	*l = (struct boot_layout){ 0 };
	if (in->efi_map_nr)
		l->efi_node = take(&end, node_bytes(sizeof(struct efi_node)), 8);
	if (beyond)
		l->e820_node = take(&end,
				    node_bytes(beyond * sizeof(struct boot_e820_entry)), 8);
	if (in->have_seed)
		l->seed_node = take(&end, node_bytes(BOOT_SEED_BYTES), 8);
	l->stamp_node = take(&end, node_bytes(sizeof(struct stamp_node)), 8);
	if (in->efi_map_nr)
		l->efi_map = take(&end, in->efi_map_nr * sizeof(struct efi_descriptor), 16);
	l->cmdline = take(&end, strlen(in->cmdline) + 1, 16);
	l->trampoline = take(&end, TRAMPOLINE_BYTES, 16);
	l->bytes = (end + PAGE - 1) & ~(size_t)(PAGE - 1);
}

int boot_inputs_check(const struct boot_inputs *in)
{
	size_t len = strlen(in->cmdline);

	if (len > in->kernel->hdr.cmdline_size)
		return log_refusal(-E2BIG,
				   "the command line has %zu characters, the new kernel takes at most %u",
				   len, in->kernel->hdr.cmdline_size);
	return 0;
}

static void fill_header(const struct boot_inputs *in, const struct boot_layout *l, uint64_t addr,
			struct boot_params *bp)
{
	uint64_t cmdline = addr + l->cmdline;
	uint64_t initrd = in->initrd_bytes ? in->initrd_addr : 0;

	memcpy((uint8_t *)bp + BZIMAGE_HEADER_OFFSET, in->kernel->header, in->kernel->header_bytes);

	bp->hdr.type_of_loader = 0xff;		/* no number assigned */
	bp->hdr.ext_loader_ver = 0;
	bp->hdr.ext_loader_type = 0;
	/*
	 * KASLR_FLAG is between the decompressor and its kernel, and must be 0.
	 * CAN_USE_HEAP and heap_end_ptr are for the real-mode code, which is
	 * not run; KEEP_SEGMENTS is for the 32-bit entry, which is not used.
	 */
	bp->hdr.loadflags &= (uint8_t)~(KASLR_FLAG | CAN_USE_HEAP | KEEP_SEGMENTS);
	bp->hdr.loadflags |= LOADED_HIGH;
	bp->hdr.ramdisk_image = (uint32_t)initrd;
	bp->ext_ramdisk_image = (uint32_t)(initrd >> 32);
	bp->hdr.ramdisk_size = (uint32_t)in->initrd_bytes;
	bp->ext_ramdisk_size = (uint32_t)(in->initrd_bytes >> 32);
	bp->hdr.cmd_line_ptr = (uint32_t)cmdline;
	bp->ext_cmd_line_ptr = (uint32_t)(cmdline >> 32);
	bp->hdr.hardware_subarch = in->running->hdr.hardware_subarch;
}

static void fill_running(const struct boot_inputs *in, struct boot_params *bp)
{
	const struct boot_params *old = in->running;

	bp->screen_info = old->screen_info;
	bp->screen_info.ext_mem_k = 0;
	bp->edid_info = old->edid_info;
	bp->acpi_rsdp_addr = in->acpi_rsdp;
	memcpy(bp->eddbuf, old->eddbuf, sizeof(bp->eddbuf));
	bp->eddbuf_entries = old->eddbuf_entries;
	memcpy(bp->edd_mbr_sig_buffer, old->edd_mbr_sig_buffer, sizeof(bp->edd_mbr_sig_buffer));
	bp->edd_mbr_sig_buf_entries = old->edd_mbr_sig_buf_entries;
}

/* The sizes that a BIOS call would have said of the memory from 1 MiB on, in KiB. */
static void fill_memory_sizes(const struct boot_e820_entry *e, struct boot_params *bp)
{
	const uint64_t mib = 1 << 20;
	uint64_t kib;

	if (e->type != E820_RAM || e->addr > mib || e->addr + e->size <= mib)
		return;
	kib = (e->addr + e->size - mib) >> 10;
	bp->screen_info.ext_mem_k = kib > 0xfc00 ? 0xfc00 : (uint16_t)kib;
	bp->alt_mem_k = kib > UINT32_MAX ? UINT32_MAX : (uint32_t)kib;
}

static void fill_e820(const struct memmap *map, struct boot_params *bp)
{
	uint32_t i, n = map->nr - e820_beyond(map);

	for (i = 0; i < n; i++) {
		bp->e820_table[i] = map->entry[i];
		fill_memory_sizes(&map->entry[i], bp);
	}
	bp->e820_entries = (uint8_t)n;
}

static void fill_efi(const struct boot_inputs *in, const struct boot_layout *l, uint64_t addr,
		     struct boot_params *bp, uint8_t *block)
{
	const struct efi_info old = in->running->efi_info;
	uint64_t map = addr + l->efi_map;

	if (!in->efi_map_nr)
		return;
	memcpy(block + l->efi_map, in->efi_map, in->efi_map_nr * sizeof(struct efi_descriptor));
	bp->secure_boot = in->running->secure_boot;
	bp->efi_info.efi_loader_signature = old.efi_loader_signature;
	bp->efi_info.efi_systab = old.efi_systab;
	bp->efi_info.efi_systab_hi = old.efi_systab_hi;
	/* the firmware's own descriptors may be longer; ours hold the fields of version 1 */
	bp->efi_info.efi_memdesc_version = old.efi_memdesc_version;
	bp->efi_info.efi_memdesc_size = sizeof(struct efi_descriptor);
	bp->efi_info.efi_memmap = (uint32_t)map;
	bp->efi_info.efi_memmap_hi = (uint32_t)(map >> 32);
	bp->efi_info.efi_memmap_size = in->efi_map_nr * (uint32_t)sizeof(struct efi_descriptor);
}

/* Put a node in front of the list that starts at *head. */
static void add_node(uint8_t *block, size_t at, uint64_t addr, uint32_t type, const void *payload,
		     size_t bytes, uint64_t *head)
{
	struct setup_data node = { .next = *head, .type = type, .len = (uint32_t)bytes };

	memcpy(block + at, &node, sizeof(node));
	memcpy(block + at + sizeof(node), payload, bytes);
	*head = addr + at;
}

static uint64_t build_nodes(const struct boot_inputs *in, const struct boot_layout *l,
			    uint64_t addr, uint8_t *block)
{
	static const struct stamp_node stamp;	/* filled in by the trampoline */
	uint64_t head = in->pramfs_root;

	add_node(block, l->stamp_node, addr, STAMP_SETUP_TYPE, &stamp, sizeof(stamp), &head);
	if (l->seed_node)
		add_node(block, l->seed_node, addr, SETUP_RNG_SEED, in->seed, BOOT_SEED_BYTES,
			 &head);
	if (l->e820_node)
		add_node(block, l->e820_node, addr, SETUP_E820_EXT,
			 &in->memmap->entry[E820_MAX_ENTRIES_ZEROPAGE],
			 e820_beyond(in->memmap) * sizeof(struct boot_e820_entry), &head);
	if (l->efi_node)
		add_node(block, l->efi_node, addr, SETUP_EFI, &in->efi, sizeof(in->efi), &head);
	return head;
}

static uint8_t *emit(uint8_t *t, const void *code, size_t bytes)
{
	memcpy(t, code, bytes);
	return t + bytes;
}

/*
 * kexec jumps here in 64-bit mode, with interrupts off, an identity map of all
 * memory (writable) and unusable descriptor tables; the kernel's entry loads
 * its own and wants nothing but boot_params in %rsi.
 */
static void build_trampoline(uint64_t stamp, uint64_t boot_params, uint64_t entry, uint8_t *t)
{
	static const uint8_t rdtsc_to_rax[] = {
		0x0f, 0x31,			/* rdtsc: into %edx and %eax */
		0x48, 0xc1, 0xe2, 0x20,		/* shl $32, %rdx */
		0x48, 0x09, 0xd0,		/* or %rdx, %rax */
	};
	static const uint8_t mov_rax_to[] = { 0x48, 0xa3 }, mov_rsi[] = { 0x48, 0xbe },
			     mov_rax[] = { 0x48, 0xb8 }, jmp_rax[] = { 0xff, 0xe0 };

	t = emit(t, rdtsc_to_rax, sizeof(rdtsc_to_rax));
	t = emit(t, mov_rax_to, sizeof(mov_rax_to));
	t = emit(t, &stamp, sizeof(stamp));
	t = emit(t, mov_rsi, sizeof(mov_rsi));
	t = emit(t, &boot_params, sizeof(boot_params));
	t = emit(t, mov_rax, sizeof(mov_rax));
	t = emit(t, &entry, sizeof(entry));
	emit(t, jmp_rax, sizeof(jmp_rax));
}

void boot_block_build(const struct boot_inputs *in, const struct boot_layout *l, uint64_t addr,
		      uint8_t *block)
{
	struct boot_params bp;

	memset(&bp, 0, sizeof(bp));
	memset(block, 0, l->bytes);
	fill_header(in, l, addr, &bp);
	fill_running(in, &bp);
	fill_e820(in->memmap, &bp);
	fill_efi(in, l, addr, &bp, block);
	bp.hdr.setup_data = build_nodes(in, l, addr, block);
	strcpy((char *)block + l->cmdline, in->cmdline);
	build_trampoline(addr + l->stamp_node + sizeof(struct setup_data), addr,
			 in->kernel_addr + BZIMAGE_ENTRY_64, block + l->trampoline);
	memcpy(block, &bp, sizeof(bp));
}

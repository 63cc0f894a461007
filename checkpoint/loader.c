// SPDX-License-Identifier: GPL-2.0
/*
 * loader.c - claim the boot arena and load the new kernel into it.
 *
 * In this order: everything that can be checked without changing anything; the
 * claim; kexec_load; the note in /run. What fails undoes what was done before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "boot_params.h"
#include "bzimage.h"
#include "cmdline.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/log.h"
#include "device.h"
#include "efi.h"
#include "host.h"
#include "initrd.h"
#include "kexec.h"
#include "loader.h"
#include "memmap.h"
#include "placement.h"
#include "state.h"

#define PAGE 4096u

/* Everything that is found out before anything is changed. */
struct load {
	struct load_request opt;
	struct host host;
	struct mapped_file kernel_file;
	struct mapped_file initrd_file;
	uint8_t *initrd_copy;	/* of the file, with more behind it, or NULL */
	const void *initrd;
	size_t initrd_bytes;
	struct bzimage kernel;
	struct memmap memmap;
	struct efi_state efi;
	struct reservations reservations;
	char cmdline[2 * HOST_CMDLINE_MAX];
	struct boot_inputs inputs;
	struct boot_layout layout;
	struct placement_inputs sizes;
};

static void load_free(struct load **lp)
{
	struct load *l = *lp;

	if (!l)
		return;
	file_unmap(&l->kernel_file);
	file_unmap(&l->initrd_file);
	free(l->initrd_copy);
	efi_free(&l->efi);
	free(l);
}

static int make_cmdline(struct load *l)
{
	const char *append = l->opt.append ? l->opt.append : "";
	size_t used = 0;

	if (strlen(append) > HOST_CMDLINE_MAX)
		return log_refusal(-E2BIG, "--append: %zu characters, at most %d", strlen(append),
				   HOST_CMDLINE_MAX);
	if (l->opt.reuse_cmdline) {
		cmdline_without_loader(l->host.cmdline, l->cmdline);
		used = strlen(l->cmdline);
	}
	if (used && *append)
		l->cmdline[used++] = ' ';
	strcpy(l->cmdline + used, append);
	return 0;
}

/* Once loaded it is other than its file, which stays as it is for all other boots. */
static int link_init(struct load *l)
{
	const struct mapped_file *file = &l->initrd_file;
	size_t more = initrd_link("init", l->opt.init, file->bytes, NULL);

	l->initrd_copy = malloc(file->bytes + more);
	if (!l->initrd_copy)
		return log_syserr(ENOMEM, "cannot keep %s", l->opt.initrd);
	memcpy(l->initrd_copy, file->data, file->bytes);
	initrd_link("init", l->opt.init, file->bytes, l->initrd_copy + file->bytes);
	l->initrd = l->initrd_copy;
	l->initrd_bytes += more;
	return 0;
}

static int read_files(struct load *l)
{
	int err = file_map(l->opt.kernel, &l->kernel_file);

	if (!err)
		err = bzimage_parse(l->kernel_file.data, l->kernel_file.bytes, l->opt.kernel,
				    l->host.la57, &l->kernel);
	if (err || l->opt.no_initrd)
		return err;
	err = file_map(l->opt.initrd, &l->initrd_file);
	if (!err)
		err = initrd_unpacked(l->initrd_file.data, l->initrd_file.bytes, l->opt.initrd,
				      &l->sizes.initrd_unpacked);
	l->initrd = l->initrd_file.data;
	l->initrd_bytes = l->initrd_file.bytes;
	return err || !l->opt.init ? err : link_init(l);
}

static int read_machine(struct load *l)
{
	struct cmdline_host host;
	int err = memmap_read(l->opt.memmap ? l->opt.memmap : MEMMAP_DIR, &l->memmap);

	if (!err)
		err = efi_read(EFI_DIR, &l->host.boot_params, &l->efi);
	if (err)
		return err;
	/*
	 * With no initrd in boot_params the kernel looks for one in the EFI
	 * tables, and what this boot's loader left there is no longer one.
	 */
	if (l->opt.no_initrd && l->efi.nr)
		return log_refusal(-EINVAL,
				   "--no-initrd cannot be used on an EFI host, where the new kernel would take the old one's from the firmware's tables; give --initrd");
	host = (struct cmdline_host){
		.ram_bytes = memmap_ram_bytes(&l->memmap),
		.nodes = l->host.nodes,
		.running = l->host.cmdline,
	};
	return cmdline_reservations(l->cmdline, &host, &l->reservations);
}

/* All that the block and the placement need to know, but for addresses. */
static int make_inputs(struct load *l)
{
	struct boot_inputs *in = &l->inputs;
	struct placement_inputs *sizes = &l->sizes;
	int err;

	in->kernel = &l->kernel;
	in->running = &l->host.boot_params;
	in->memmap = &l->memmap;
	in->cmdline = l->cmdline;
	in->initrd_bytes = l->initrd_bytes;
	in->acpi_rsdp = l->host.boot_params.acpi_rsdp_addr;
	if (!in->acpi_rsdp)
		in->acpi_rsdp = l->efi.rsdp;
	in->efi = l->efi.node;
	in->efi_map = l->efi.map;
	in->efi_map_nr = l->efi.nr;
	in->have_seed = getrandom(in->seed, sizeof(in->seed), GRND_NONBLOCK) ==
			(ssize_t)sizeof(in->seed);
	err = boot_inputs_check(in);
	if (err)
		return err;
	boot_layout(in, &l->layout);

	sizes->kernel_bytes = l->kernel.memory;
	sizes->kernel_align = l->kernel.alignment;
	sizes->kernel_stays = in->efi_map_nr != 0;
	sizes->initrd_bytes = l->initrd_bytes;
	sizes->block_bytes = l->layout.bytes;
	sizes->ram_bytes = memmap_ram_bytes(&l->memmap);
	sizes->ram_end = memmap_ram_end(&l->memmap);
	sizes->cpus = l->host.cpus;
	sizes->res = &l->reservations;
	sizes->nr_crash = l->host.nr_crash;
	memcpy(sizes->crash, l->host.crash, sizeof(sizes->crash));
	return 0;
}

static unsigned long long mib(uint64_t bytes)
{
	return bytes >> 20;
}

static void show_demand(const struct demand *d)
{
	log_detail("asking for %llu MiB in one piece and %llu MiB in all below 4 GiB, %llu MiB more anywhere%s",
		   mib(d->contig), mib(d->low), mib(d->any),
		   d->old_crash ? " (counting on the old crash region)" : "");
	log_detail("  kernel %llu, initrd and its contents %llu, system %llu, CPUs %llu, swiotlb %llu, areas of the command line %llu, tables %llu, huge pages %llu (MiB)",
		   mib(d->kernel), mib(d->initrd), mib(d->base), mib(d->cpu), mib(d->swiotlb),
		   mib(d->areas), mib(d->tables), mib(d->huge));
}

/*
 * Claim, and put the segments into what was got. First with the old crash
 * region counted in; again without it if that turns out not to be safe.
 */
static int claim(const struct load *l, int device, struct pramfs_ioc_claim *c,
		 struct placement *at)
{
	bool old_crash = true;
	struct demand d;
	int err;

	for (;;) {
		err = placement_demand(&l->sizes, old_crash, &d);
		if (err)
			return err;
		show_demand(&d);
		*c = (struct pramfs_ioc_claim){ .contig = d.contig, .low = d.low, .any = d.any };
		err = fault_hit(FAULT_CLAIM, NULL) ? -ENOMEM : device_claim(device, c);
		if (err)
			return err;
		err = placement_segments(&l->sizes, c->arena, c->nr, at);
		if (!err)
			err = placement_verify(&l->sizes, &d, at, c->arena, c->nr);
		if (!err)
			return 0;
		device_release(device);
		if (err != -EAGAIN)
			return err;
		old_crash = false;
	}
}

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static void show_placement(const struct load *l, const struct pramfs_ioc_claim *c,
			   const struct placement *at)
{
	uint32_t i;

	for (i = 0; i < c->nr; i++)
		log_detail("arena   0x%09llx-0x%09llx %llu MiB",
			   (unsigned long long)c->arena[i].start,
			   (unsigned long long)(c->arena[i].start + c->arena[i].bytes - 1),
			   mib(c->arena[i].bytes));
	log_detail("kernel  0x%09llx %llu KiB, %zu KiB of them from the file",
		   (unsigned long long)at->kernel, (unsigned long long)l->kernel.memory >> 10,
		   l->kernel.payload_bytes >> 10);
	if (l->initrd_bytes)
		log_detail("initrd  0x%09llx %zu KiB", (unsigned long long)at->initrd,
			   l->initrd_bytes >> 10);
	log_detail("params  0x%09llx %zu KiB: %u e820 entries, %u EFI descriptors, ACPI root 0x%llx",
		   (unsigned long long)at->block, l->layout.bytes >> 10, l->memmap.nr, l->efi.nr,
		   (unsigned long long)l->inputs.acpi_rsdp);
	log_detail("root    0x%09llx", (unsigned long long)c->root);
	log_detail("cmdline %s", l->cmdline);
}

static int load_segments(struct load *l, uint64_t root, const struct placement *at)
{
	_cleanup_free_ uint8_t *block = malloc(l->layout.bytes);
	const struct kexec_part parts[] = {
		{ l->kernel.payload, l->kernel.payload_bytes, at->kernel, l->kernel.memory },
		{ block, l->layout.bytes, at->block, l->layout.bytes },
		{ l->initrd, l->initrd_bytes, at->initrd,
		  whole_pages(l->initrd_bytes) },
	};

	if (!block)
		return log_syserr(ENOMEM, "cannot build the boot parameters");
	l->inputs.kernel_addr = at->kernel;
	l->inputs.initrd_addr = at->initrd;
	l->inputs.pramfs_root = root;
	boot_block_build(&l->inputs, &l->layout, at->block, block);
	return kexec_load_parts(at->block + l->layout.trampoline, parts,
				l->initrd_bytes ? 3 : 2);
}

static int claim_and_load(struct load *l, int device)
{
	struct pramfs_ioc_claim c;
	struct placement at;
	int err = claim(l, device, &c, &at);

	if (err)
		return err;
	show_placement(l, &c, &at);
	err = fault_hit(FAULT_LOAD_KERNEL, NULL) ? -EIO : load_segments(l, c.root, &at);
	if (err)
		goto release;
	err = state_write(c.root, l->kernel.release);
	if (err)
		goto unload;
	log_info("loaded %s", l->kernel.release);
	return 0;
unload:
	kexec_unload();
release:
	device_release(device);
	return err;
}

/* A kernel that another tool has loaded is not ours to replace. */
static int check_free(void)
{
	struct state state;
	int loaded = kexec_is_loaded(), err;

	if (loaded <= 0)
		return loaded;
	err = state_read(&state);
	if (err)
		return err;
	if (!state.there)
		return log_refusal(-EBUSY,
				   "a kernel is loaded already, by another tool (/sys/kernel/kexec_loaded is 1); `kexec -u` unloads it");
	return 0;
}

static int prepare(struct load *l)
{
	int err = host_read(&l->host);

	if (!err)
		err = make_cmdline(l);
	if (!err)
		err = read_files(l);
	if (!err)
		err = read_machine(l);
	if (!err)
		err = make_inputs(l);
	return err;
}

/*
 * A kernel that was loaded while an arena is claimed is taken for ours, note
 * or not: an arena must not be released under one that may boot into it.
 */
int unload_all(int device, int *did)
{
	struct pramfs_ioc_status status = { 0 };
	struct state state;
	int loaded, err;

	*did = 0;
	loaded = kexec_is_loaded();
	if (loaded < 0)
		return loaded;
	if (state_read(&state) < 0)
		state.there = true;	/* damaged: logged, and cleared below */
	if (device >= 0) {
		err = device_status(device, &status);
		if (err)
			return err;
	}
	if (status.flags & PRAMFS_SEALED)
		return log_refusal(-EBUSY,
				   "the handover is sealed, an update is under way; unseal it first");
	if (loaded && (state.there || status.flags & PRAMFS_CLAIMED)) {
		err = kexec_unload();
		if (err)
			return err;
		*did = 1;
		log_detail("kernel unloaded");
	}
	if (status.flags & PRAMFS_CLAIMED) {
		err = device_release(device);
		if (err)
			return err;
		*did = 1;
		log_detail("arena released: %llu MiB",
			   (unsigned long long)status.arena_bytes >> 20);
	}
	return state_remove();
}

int loader_check(const struct load_request *request, struct demand *demand,
		 char release[LOADER_RELEASE_MAX])
{
	_cleanup_(load_free) struct load *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return log_syserr(ENOMEM, "cannot read the new kernel");
	l->opt = *request;
	err = check_free();
	if (!err)
		err = prepare(l);
	if (!err)
		err = placement_demand(&l->sizes, true, demand);
	if (err)
		return err;
	show_demand(demand);
	snprintf(release, LOADER_RELEASE_MAX, "%s", l->kernel.release);
	return 0;
}

int loader_load(const struct load_request *request, int device)
{
	_cleanup_(load_free) struct load *l = calloc(1, sizeof(*l));
	int err, did;

	if (!l)
		return log_syserr(ENOMEM, "cannot read the new kernel");
	l->opt = *request;
	err = check_free();
	if (!err)
		err = prepare(l);
	if (!err)
		err = unload_all(device, &did);
	if (!err)
		err = claim_and_load(l, device);
	return err;
}

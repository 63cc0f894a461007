// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz the command line parser and what is worked out from it: no crash, sums
 * that do not wrap, a demand that is never smaller than its parts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/cmdline.h"
#include "checkpoint/placement.h"
#include "common/log.h"

static void silent(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static void require(int ok)
{
	if (!ok)
		abort();
}

static void demand(const struct reservations *res)
{
	struct placement_inputs in = {
		.kernel_bytes = 60 << 20,
		.kernel_align = 2 << 20,
		.initrd_bytes = 50 << 20,
		.initrd_unpacked = 100 << 20,
		.block_bytes = 8192,
		.ram_bytes = 16ull << 30,
		.ram_end = 17ull << 30,
		.cpus = 4,
		.res = res,
		.crash = { { 0x30000000, 256 << 20 } },
		.nr_crash = 1,
	};
	struct demand with, without;
	uint32_t i;

	if (placement_demand(&in, true, &with) || placement_demand(&in, false, &without))
		return;
	require(with.low >= with.contig && without.low >= without.contig);
	require(without.contig >= with.contig && without.low >= with.low);
	for (i = 0; i < res->nr; i++)
		require(without.contig >= res->contig[i].bytes);
	require(without.low >= res->low && with.any >= res->scattered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmdline_host host = { 16ull << 30, 2, "quiet mem=8G" };
	struct reservations res;
	char *text = malloc(size + 1), *copy = malloc(size + 1);

	log_set_sink(silent);
	memcpy(text, data, size);
	text[size] = '\0';
	cmdline_without_loader(text, copy);
	require(strlen(copy) <= strlen(text));
	if (!cmdline_reservations(text, &host, &res)) {
		require(res.nr <= RESERVATIONS_MAX);
		demand(&res);
	}
	host.running = text;
	cmdline_reservations("mem=1G memmap=4K$64M", &host, &res);
	free(text);
	free(copy);
	return 0;
}

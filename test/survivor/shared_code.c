// SPDX-License-Identifier: GPL-2.0
/*
 * Code in shared memory that may not be written where it is run, below the program's own:
 * the compiler in PHP's opcache keeps its code so. CRIU by itself finds no place to begin
 * there (checkpoint/private_code.h).
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "survivor.h"

#define CODE ((unsigned char *)0x200000)
#define SIZE 0x10000

static unsigned char *writable;
static uint32_t value = 1000;

/* mov $value, %eax; ret */
static void write_code(unsigned char *to, uint32_t v)
{
	to[0] = 0xb8;
	memcpy(to + 1, &v, sizeof(v));
	to[5] = 0xc3;
}

static uint32_t run(void)
{
	uint32_t (*call)(void);
	unsigned char *code = CODE;

	memcpy(&call, &code, sizeof(call));
	return call();
}

static void set_up(void)
{
	int fd = (int)must(memfd_create("code", 0));

	must(ftruncate(fd, SIZE));
	writable = must_map(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), "mmap, writable");
	must_map(mmap(CODE, SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0),
		 "mmap, executable");
	close(fd);
	write_code(writable, value);
}

static void check(void)
{
	expect_num("value", value, run());
	write_code(writable, ++value);
	expect_num("new value", value, run());
}

static void sabotage(int which)
{
	switch (which) {
	case 1: write_code(writable, 7); break;
	/* no longer the same memory */
	case 2:
		mmap(CODE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		write_code(CODE, value);
		break;
	}
}

const struct survivor survivor_shared_code = {
	.name = "shared_code",
	.keeps = "code in shared memory, below the program",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
	.by_update = true,
};

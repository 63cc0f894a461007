// SPDX-License-Identifier: GPL-2.0
/* POSIX IPC: shared memory and semaphores with names, in /dev/shm. Message queues: CRIU cannot. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

#define SIZE 50000

static char memory_name[64], sem_name[64];
static unsigned char *memory;
static int fd;
static sem_t *sem;
static pid_t child;

static void child_check(void)
{
	expect_pattern("child: shared memory", memory + 1, 1, SIZE - 1);
	memory[0]++;
	expect_call("child: sem_post", sem_post(sem));
}

static void remove_them(void)
{
	shm_unlink(memory_name);
	sem_unlink(sem_name);
}

static void set_up(void)
{
	if (access("/dev/shm", W_OK))
		survivor_skip("no /dev/shm here");
	snprintf(memory_name, sizeof(memory_name), "/survivor-%d", getpid());
	snprintf(sem_name, sizeof(sem_name), "/survivor-sem-%d", getpid());
	fd = must(shm_open(memory_name, O_RDWR | O_CREAT | O_EXCL, 0600));
	must(ftruncate(fd, SIZE));
	memory = must_map(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), "mmap");
	fill_pattern(memory + 1, 1, SIZE - 1);
	sem = sem_open(sem_name, O_CREAT | O_EXCL, 0600, 3);
	must(sem == SEM_FAILED ? -1 : 0);
	atexit(remove_them);
	child = helper(NULL, child_check);
}

static void check(void)
{
	unsigned char byte = 0, before = memory[0];
	sem_t *by_name;
	int again, value = 0;

	expect_pattern("shared memory", memory + 1, 1, SIZE - 1);
	helper_check(child);
	expect_num("write of the child", (unsigned char)(before + 1), memory[0]);
	again = shm_open(memory_name, O_RDONLY, 0);
	expect_call("open by name", again);
	expect_num("read by name", 1, pread(again, &byte, 1, 0));
	expect_num("the same by name", memory[0], byte);
	memory[0]++;
	expect_num("read by name", 1, pread(again, &byte, 1, 0));
	expect_num("own write by name", memory[0], byte);
	close(again);
	expect_call("sem_getvalue", sem_getvalue(sem, &value));
	expect_num("semaphore after the child's post", 4, value);
	by_name = sem_open(sem_name, 0);
	if (by_name != SEM_FAILED) {
		expect_call("sem_trywait by name", sem_trywait(by_name));
		sem_close(by_name);
	}
	sem_getvalue(sem, &value);
	expect_num("semaphore after a wait by name", 3, value);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: memory[1000] ^= 1; break;
	case 2: sem_post(sem); break;
	case 3: shm_unlink(memory_name); break;
	case 4: sem_unlink(sem_name); break;
	case 5: mmap(memory, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0); break;
	}
}

const struct survivor survivor_posix_ipc = {
	.name = "posix_ipc",
	.keeps = "POSIX shared memory and semaphores with names",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 5,
};

// SPDX-License-Identifier: GPL-2.0
/* System V IPC: shared memory, semaphores, messages; ids, keys, owners and contents. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "survivor.h"

#define SIZE 100000

static int attached, loose, sems, queue;
static unsigned char *memory;
static pid_t child;
static key_t key;

static void child_check(void)
{
	expect_pattern("child: shared memory", memory + 1, 1, SIZE - 1);
	memory[0]++;
}

static void send_them(void)
{
	struct { long type; char text[20]; } msg = { 0 };

	for (int i = 0; i < 3; i++) {
		msg.type = 10 + i;
		memset(msg.text, 'a' + i, sizeof(msg.text));
		must(msgsnd(queue, &msg, sizeof(msg.text) - i, 0));
	}
}

/* These objects outlive a process. In a helper it is not called: it is killed. */
static void remove_them(void)
{
	shmctl(attached, IPC_RMID, NULL);
	shmctl(loose, IPC_RMID, NULL);
	semctl(sems, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
}

static void set_up(void)
{
	struct sembuf give = { 1, 4, 0 };
	unsigned short values[3] = { 5, 0, 77 };
	void *p;

	/* Several of us may share one IPC namespace. */
	key = 0x5e500000 + getpid();
	attached = must(shmget(key, SIZE, IPC_CREAT | 0640));
	memory = shmat(attached, NULL, 0);
	must_map(memory == (void *)-1 ? NULL : memory, "shmat");
	fill_pattern(memory + 1, 1, SIZE - 1);
	loose = must(shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600));
	p = shmat(loose, NULL, 0);
	must_map(p == (void *)-1 ? NULL : p, "shmat");
	fill_pattern(p, 2, SIZE);
	must(shmdt(p));
	sems = must(semget(key, 3, IPC_CREAT | 0600));
	must(semctl(sems, 0, SETALL, values));
	must(semop(sems, &give, 1));
	queue = must(msgget(key, IPC_CREAT | 0600));
	send_them();
	atexit(remove_them);
	child = helper(NULL, child_check);
}

static void check_memory(void)
{
	struct shmid_ds ds = { 0 };
	unsigned char before = memory[0], *p;

	expect_num("id of a key", attached, shmget(key, SIZE, 0));
	expect_pattern("shared memory", memory + 1, 1, SIZE - 1);
	helper_check(child);
	expect_num("write of the child", (unsigned char)(before + 1), memory[0]);
	expect_call("IPC_STAT", shmctl(attached, IPC_STAT, &ds));
	expect_num("size", SIZE, ds.shm_segsz);
	expect_num("attached by", 2, ds.shm_nattch);
	expect_num("mode", 0640, ds.shm_perm.mode & 0777);
	p = shmat(loose, NULL, SHM_RDONLY);
	if (!expect_call("memory that nobody has attached", (long)p))
		return;
	expect_pattern("its contents", p, 2, SIZE);
	shmdt(p);
}

static void check(void)
{
	static const int expected[3] = { 5, 4, 77 };
	struct { long type; char text[20]; } msg;
	struct msqid_ds ds = { 0 };

	check_memory();
	expect_num("id of a key", sems, semget(key, 3, 0));
	for (int i = 0; i < 3; i++)
		expect_num("semaphore", expected[i], semctl(sems, i, GETVAL));
	expect_num("id of a key", queue, msgget(key, 0));
	expect_call("IPC_STAT", msgctl(queue, IPC_STAT, &ds));
	expect_num("messages", 3, ds.msg_qnum);
	for (int i = 0; i < 3; i++) {
		expect_num("size of a message", 20 - i, msgrcv(queue, &msg, sizeof(msg.text), 0, IPC_NOWAIT));
		expect_num("type of a message", 10 + i, msg.type);
		expect_num("text of a message", 'a' + i, msg.text[0]);
	}
	send_them();
}

static void sabotage(int which)
{
	struct { long type; char text[20]; } msg;

	switch (which) {
	case 1: shmctl(loose, IPC_RMID, NULL); break;
	case 2: semctl(sems, 2, SETVAL, 78); break;
	case 3: msgrcv(queue, &msg, sizeof(msg.text), 11, 0); break;
	case 4: memory[900] ^= 1; break;
	case 5: shmctl(attached, IPC_RMID, NULL); break;
	}
}

const struct survivor survivor_sysv_ipc = {
	.name = "sysv_ipc",
	.keeps = "System V shared memory, semaphores and message queues",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 5,
};

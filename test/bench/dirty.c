// SPDX-License-Identifier: GPL-2.0
/*
 * dirty - a task with so much dirty memory, of which it knows every word.
 *
 *	dirty MIB DIR
 *
 * Leaves its session and what it was given as files, writes DIR/ready, and then
 * looks at all of it whenever it gets SIGUSR1: DIR/verified is "0" and a count if
 * every word is as it was.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP 0x9e3779b97f4a7c15ULL

static const char *dir;

static int say(const char *name, size_t bad, int count)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f)
		return 1;
	fprintf(f, "%zu %d\n", bad, count);
	return fclose(f);
}

int main(int argc, char **argv)
{
	size_t words, bad;
	uint64_t *at;
	sigset_t set;
	int fd, sig;

	if (argc != 3) {
		fputs("usage: dirty MIB DIR\n", stderr);
		return 2;
	}
	words = strtoul(argv[1], NULL, 10) << 17;
	dir = argv[2];
	setsid();
	fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	close(fd);
	at = mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < words; i++)
		at[i] = i * STEP;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (say("ready", 0, 0))
		return 1;
	for (int count = 1;; count++) {
		while (sigwait(&set, &sig))
			;
		bad = 0;
		for (size_t i = 0; i < words; i++)
			bad += at[i] != i * STEP;
		if (say("verified", bad, count))
			return 1;
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Registers: a process computes and rests, with the same in general, x87 and vector
 * registers all the time.
 */
#include <cpuid.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "survivor.h"

static struct spin {
	volatile int stop, bad, harm;
	volatile unsigned long long rounds;
	unsigned short x87_control;
	unsigned int mxcsr;
} *spin;

static pid_t child;

/*
 * A round: load every register, spin, rest, compare all. One that changed at any
 * moment in between is seen, wherever the process was stopped. It rests for longer
 * than it spins, since what it takes a machine with one processor does not have; and
 * PAUSE is not in the loop, which costs an emulated one a hundred times the rest.
 */
static int round_of_registers(unsigned long long seed)
{
	static const struct timespec rest = { 0, 50000000 };
	unsigned long long in[8], out[8] = { 0 }, left;
	unsigned short x87;
	unsigned int mxcsr;

	for (int i = 0; i < 8; i++)
		in[i] = seed * 0x9e3779b97f4a7c15ULL + i;
	asm volatile("movdqu (%[in]), %%xmm0\n\t"
		     "movdqu 16(%[in]), %%xmm5\n\t"
		     "movdqu 32(%[in]), %%xmm10\n\t"
		     "movdqu 48(%[in]), %%xmm15\n\t"
		     "fldpi\n\t"
		     "mov (%[in]), %%r12\n\t"
		     "mov %%r12, %%r13\n\t"
		     "mov $50000, %[left]\n"
		     "1:\tcmp %%r12, %%r13\n\t"
		     "jne 2f\n\t"
		     "dec %[left]\n\t"
		     "jnz 1b\n\t"
		     "mov %[nanosleep], %%eax\n\t"
		     "mov %[rest], %%rdi\n\t"
		     "xor %%esi, %%esi\n\t"
		     "syscall\n\t"
		     "cmp %%r12, %%r13\n\t"
		     "je 2f\n\t"
		     "inc %[left]\n"
		     "2:\tmovdqu %%xmm0, (%[out])\n\t"
		     "movdqu %%xmm5, 16(%[out])\n\t"
		     "movdqu %%xmm10, 32(%[out])\n\t"
		     "movdqu %%xmm15, 48(%[out])\n\t"
		     "fldpi\n\t"
		     "fcomip %%st(1), %%st\n\t"
		     "fstp %%st(0)\n\t"
		     "je 3f\n\t"
		     "movq $0, (%[out])\n"
		     "3:"
		     : [left] "=&r"(left)
		     : [in] "r"(in), [out] "r"(out), [rest] "r"(&rest), [nanosleep] "i"(SYS_nanosleep)
		     : "rax", "rcx", "rdi", "rsi", "r11", "r12", "r13", "xmm0", "xmm5", "xmm10", "xmm15", "memory", "cc",
		       "st", "st(1)");
	asm volatile("fnstcw %0" : "=m"(x87));
	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	return left || memcmp(in, out, sizeof(in)) || x87 != spin->x87_control ||
	       (mxcsr & 0xffc0) != (spin->mxcsr & 0xffc0);
}

static void set_up(void)
{
	spin = must_map(mmap(NULL, sizeof(*spin), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap");
	spin->x87_control = 0x0e7f;	/* not the default: round to zero, 53 bits */
	spin->mxcsr = 0x7f80;		/* round to zero */
	child = must(fork());
	if (!child) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		must(nice(10) == -1 ? -1 : 0);
		asm volatile("fldcw %0" : : "m"(spin->x87_control));
		asm volatile("ldmxcsr %0" : : "m"(spin->mxcsr));
		while (!spin->stop) {
			if (round_of_registers(spin->rounds))
				spin->bad++;
			spin->rounds++;
			if (spin->harm == 1)
				asm volatile("fninit");
		}
		_exit(0);
	}
	while (!spin->rounds)
		usleep(1000);
}

static void check(void)
{
	unsigned long long before = spin->rounds;

	for (int ms = 0; spin->rounds < before + 3 && ms < 40000; ms++) {
		if (waitpid(child, NULL, WNOHANG))
			break;
		usleep(1000);
	}
	expect_range("rounds", before + 3, before + 1000000, spin->rounds);
	expect_num("rounds in which a register changed", 0, spin->bad);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: spin->harm = 1; break;
	case 2: kill(child, SIGKILL); usleep(50000); break;
	}
}

const struct survivor survivor_registers = {
	.name = "registers",
	.keeps = "general, x87 and vector registers, rounding modes, of a process that computes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
};

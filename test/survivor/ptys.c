// SPDX-License-Identifier: GPL-2.0
/* Pseudo terminals: settings, size, the controlling terminal of a session, both directions. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "survivor.h"

static int master, slave, session_master;
static char session_name[64];
static pid_t child;
static volatile int *winch;

static void on_winch(int sig)
{
	(*winch)++;
}

/* A session of its own, with the second terminal as its controlling one */
static void child_set_up(void)
{
	int fd;

	signal(SIGWINCH, on_winch);
	must(setsid());
	fd = must(open(session_name, O_RDWR));
	must(ioctl(fd, TIOCSCTTY, 0));
}

static void child_check(void)
{
	int fd = open("/dev/tty", O_RDWR);

	expect_call("child: controlling terminal", fd);
	expect_num("child: foreground group", getpgrp(), tcgetpgrp(fd));
	expect_num("child: session of the terminal", getsid(0), tcgetsid(fd));
	close(fd);
}

static void set_up(void)
{
	struct termios settings;
	struct winsize size = { .ws_row = 33, .ws_col = 111 };

	winch = must_map(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap");
	master = must(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK));
	must(grantpt(master));
	must(unlockpt(master));
	slave = must(open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK));
	must(tcgetattr(slave, &settings));
	cfmakeraw(&settings);
	settings.c_cc[VMIN] = 3;
	settings.c_iflag |= IXOFF;
	settings.c_cflag |= PARENB;
	must(tcsetattr(slave, TCSANOW, &settings));
	must(ioctl(master, TIOCSWINSZ, &size));
	session_master = must(posix_openpt(O_RDWR | O_NOCTTY));
	must(grantpt(session_master));
	must(unlockpt(session_master));
	snprintf(session_name, sizeof(session_name), "%s", ptsname(session_master));
	child = helper(child_set_up, child_check);
}

static void check(void)
{
	struct termios settings = { 0 };
	struct winsize size = { 0 };
	char text[16] = "";
	int locked = 1, before = *winch;

	expect_call("tcgetattr", tcgetattr(slave, &settings));
	expect_num("VMIN", 3, settings.c_cc[VMIN]);
	expect_num("IXOFF", IXOFF, settings.c_iflag & IXOFF);
	expect_num("ICANON and ECHO", 0, settings.c_lflag & (ICANON | ECHO));
	expect_call("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, &size));
	expect_num("rows", 33, size.ws_row);
	expect_num("columns", 111, size.ws_col);
	expect_call("TIOCGPTLCK", ioctl(master, TIOCGPTLCK, &locked));
	expect_num("lock", 0, locked);
	expect_num("write to the master", 4, write(master, "abcd", 4));
	usleep(20000);
	expect_num("read from the slave", 4, read(slave, text, 16));
	expect_bytes("what was read", "abcd", text, 4);
	expect_num("write to the slave", 3, write(slave, "xyz", 3));
	usleep(20000);
	expect_num("read from the master", 3, read(master, text, 16));
	expect_bytes("what was read", "xyz", text, 3);
	helper_check(child);
	/* A new size is told to the foreground group. */
	size.ws_row = before % 50 + 1;
	expect_call("TIOCSWINSZ", ioctl(session_master, TIOCSWINSZ, &size));
	for (int ms = 0; *winch == before && ms < 5000; ms++)
		usleep(1000);
	expect_num("SIGWINCH for the session", before + 1, *winch);
}

static void lose_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR);

	signal(SIGHUP, SIG_IGN);
	signal(SIGCONT, SIG_IGN);
	ioctl(fd, TIOCNOTTY);
}

static void sabotage(int which)
{
	struct termios settings;
	struct winsize size = { 0 };

	switch (which) {
	case 1:
		tcgetattr(slave, &settings);
		settings.c_lflag |= ECHO;
		tcsetattr(slave, TCSANOW, &settings);
		break;
	case 2: ioctl(slave, TIOCSWINSZ, &size); break;
	case 3: helper_do(child, lose_terminal); break;
	case 4: close(slave); slave = open("/dev/null", O_RDWR); break;
	}
}

const struct survivor survivor_ptys = {
	.name = "ptys",
	.keeps = "pseudo terminals: settings, size, a session's controlling terminal",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};

// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <string.h>

#include "common/interrupt.h"

static volatile sig_atomic_t caught;

static void catch(int sig)
{
	caught = sig;
}

void interrupt_catch(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	/* without SA_RESTART: who waits in poll() or wait() looks again */
	action.sa_handler = catch;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGQUIT, &action, NULL);
	/* stopped here, all would stay frozen */
	signal(SIGTSTP, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

bool interrupted(void)
{
	return caught;
}

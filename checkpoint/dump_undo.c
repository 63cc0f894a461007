// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/network_namespaces.h"
#include "common/run.h"
#include "common/sockets.h"
#include "dump_undo.h"

#define NFT_SECONDS 20
/* a table of CRIU's (criu/netfilter.c), in what `nft list tables` says */
#define CRIU_TABLE "table inet CRIU-"

static void thaw(const struct container *c)
{
	char path[CGROUP_PATH_MAX];
	uint64_t frozen = 0;
	int err;

	if (!c->cgroup || cgroup_file(c->cgroup, "cgroup.freeze", path, sizeof(path)) ||
	    file_read_u64(path, &frozen) || !frozen)
		return;
	err = file_put(path, "0");
	if (err)
		log_syserr(-err, "container %s: CRIU has left it frozen, and %s cannot be written",
			   c->name, path);
	else
		log_info("container %s: CRIU has left it frozen; thawed", c->name);
}

static int end_repair(const struct socket_of *s, void *arg)
{
	unsigned int *ended = arg;
	socklen_t length = sizeof(int);
	int repair = 0;

	/* of what is not TCP the question is refused */
	if (getsockopt(s->fd, IPPROTO_TCP, TCP_REPAIR, &repair, &length) || repair != TCP_REPAIR_ON)
		return 0;
	/* this also has the peer asked for what was missed */
	repair = TCP_REPAIR_OFF;
	if (!setsockopt(s->fd, IPPROTO_TCP, TCP_REPAIR, &repair, sizeof(repair)))
		++*ended;
	return 0;
}

static void end_repairs(const struct container *c)
{
	unsigned int ended = 0;

	sockets_each(c, end_repair, &ended);
	if (ended)
		log_info("container %s: %u TCP sockets taken out of the repair mode that CRIU has left them in",
			 c->name, ended);
}

static void delete_table(char *name)
{
	char *argv[] = { "nft", "delete", "table", "inet", name, NULL };

	if (run(argv, NULL, NFT_SECONDS))
		log_error("the table inet %s, which CRIU has left, is still there; `nft delete table inet %s` in the container's network lets it go on",
			  name, name);
}

/* In the container's network namespace. */
static void delete_tables(struct json_object *unused)
{
	char *argv[] = { "nft", "list", "tables", "inet", NULL };
	_cleanup_free_ char *listed = NULL;
	char *line, *rest;

	(void)unused;
	if (run_read(argv, NFT_SECONDS, &listed))
		return;
	for (line = strtok_r(listed, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, CRIU_TABLE, strlen(CRIU_TABLE)))
			delete_table(line + strlen("table inet "));
}

void dump_undo(const struct container *c)
{
	char network[64];

	snprintf(network, sizeof(network), "/proc/%d/ns/net", (int)c->pid);
	network_namespace_do(network, delete_tables, NULL);
	end_repairs(c);
	thaw(c);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of network_note.c and network_make.c: a network is made in a
 * namespace of our own by ip(8), noted, and made again in another. Root is
 * needed; no link of the machine is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/deadline.h"
#include "common/engine.h"
#include "common/network.h"
#include "common/network_lock.h"
#include "common/network_managers.h"
#include "common/network_namespaces.h"
#include "common/network_tables.h"
#include "harness.h"

#define SHOWN_MAX 16384

/* Bridges, since any kernel of a container host has them; the order counts. */
static const char *const commands[] = {
	"link set lo up",
	"link add solo type bridge",
	"link set solo address 02:00:00:00:00:01 mtu 1400",
	"link add bridge0 type bridge stp_state 0 forward_delay 400 ageing_time 12300",
	"link set solo up",
	"link set bridge0 up",
	"address add 192.0.2.2/24 dev solo",
	"address add 192.0.2.3/24 dev solo noprefixroute",
	"address add 198.51.100.1/25 dev bridge0 valid_lft 5000 preferred_lft 4000",
	"address add 2001:db8::2/64 dev solo nodad",
	"address add 127.0.0.5/8 dev lo",
	/* as NetworkManager does it: the address brings no route, and its own looks like the kernel's */
	"address add 10.5.5.2/24 dev solo noprefixroute",
	"route add 10.5.5.0/24 dev solo proto kernel scope link src 10.5.5.2 metric 100",
	"route add default via 192.0.2.1 proto dhcp metric 100",
	"route add 203.0.113.0/24 via 10.9.9.9 dev solo onlink",
	"route add 10.1.0.0/16 nexthop via 192.0.2.7 weight 2 nexthop via 198.51.100.9",
	"route add blackhole 10.66.0.0/16 table 77",
	"route add 2001:db8:1::/48 via 2001:db8::1 metric 55",
	"rule add from 10.9.0.0/16 lookup 77 priority 500",
	"rule add fwmark 0x7 lookup main priority 501",
};

static int ip(const char *arguments)
{
	char line[256];

	snprintf(line, sizeof(line), "ip %s >/dev/null 2>&1", arguments);
	return system(line);
}

/* What ip(8) says of all, but for what goes on running, and the kernel's own. */
static void show(char *text)
{
	FILE *f = popen("export LC_ALL=C; { ip -o -d link; ip -o address; ip -d route show table all; "
			"ip -d -6 route show table all; ip rule; ip -6 rule; } | sed -E "
			"'s/(valid|preferred)_lft [0-9]+sec//g; s/(hello|tcn|topology_change|gc)_timer +[0-9.]+//g; "
			"s/(designated_root|bridge_id) [^ ]+//g; s/cache.*//; /^ff00::|^multicast ff00/d; "
			"s/tentative//; s/NO-CARRIER,|,LOWER_UP//g; s/state [A-Z]+//; s/ (linkdown|dead)//g; s/inet6 fe80.*//; /fe80:/d'", "r");
	size_t n = f ? fread(text, 1, SHOWN_MAX - 1, f) : 0;

	text[n] = '\0';
	if (f)
		pclose(f);
}

/* Where two texts part, for the message. */
static void expect_same(const char *before, const char *after)
{
	size_t i = 0, from;

	while (before[i] && before[i] == after[i])
		i++;
	from = i > 100 ? i - 100 : 0;
	if (before[i] != after[i])
		complain("was \"%.200s\", is \"%.200s\"", before + from, after + from);
}

static struct json_object *make_and_note(char *text)
{
	struct json_object *noted = NULL;
	size_t i;

	EXPECT(unshare(CLONE_NEWNET), 0);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (ip(commands[i]))
			complain("`ip %s` failed", commands[i]);
	if (system("echo 1 >/proc/sys/net/ipv4/conf/solo/route_localnet"))
		complain("no sysctl");
	show(text);
	expect_ok(network_note(&noted));
	return noted;
}

static void test_there_and_back(void)
{
	static char before[SHOWN_MAX], after[SHOWN_MAX];
	struct json_object *noted;

	begin();
	noted = make_and_note(before);
	EXPECT(network_is_up(noted), true);
	EXPECT(unshare(CLONE_NEWNET), 0);
	if (noted)
		expect_ok(network_make(noted, 1));
	if (said[0])
		complain("said: %.600s", said);
	show(after);
	expect_same(before, after);
	if (system("grep -q 1 /proc/sys/net/ipv4/conf/solo/route_localnet"))
		complain("a link's sysctl is not as it was");
	/* a link that was made already is no other one: as when the initramfs had a network */
	if (noted)
		expect_ok(network_make(noted, 1));
	show(after);
	expect_same(before, after);
	json_object_put(noted);
	end("network.there-and-back");
}

static void test_nothing_up(void)
{
	struct json_object *noted = NULL;

	begin();
	EXPECT(unshare(CLONE_NEWNET), 0);
	ip("link set lo up");
	ip("link add solo type bridge");
	expect_ok(network_note(&noted));
	EXPECT(network_is_up(noted), false);
	EXPECT(network_is_up(NULL), false);
	json_object_put(noted);
	end("network.nothing-up");
}

static void test_wrong_notes(void)
{
	static const struct {
		const char *json, *text;
	} wrong[] = {
		{ "{ \"links\": [ \"xyz\" ] }", "expected a netlink message" },
		{ "{ \"links\": [ 7 ] }", "expected a netlink message" },
		{ "{ \"links\": [ \"10000000\" ] }", "expected a netlink message" },
		{ "{ \"links\": [ \"10000000100000000000000000000000\" ] }", "expected a netlink message" },
		{ "{ \"links\": [], \"routes\": [ \"ff0000001800000000000000000000\" ] }",
		  "expected a netlink message" },
	};
	struct json_object *o;
	size_t i;

	begin();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		said[0] = '\0';
		o = json_tokener_parse(wrong[i].json);
		expect_ok(network_make(o, 0));
		expect_said(wrong[i].text);
		json_object_put(o);
	}
	o = json_tokener_parse("{}");
	expect_refused(network_make(o, 0), -EUCLEAN, "has no links");
	json_object_put(o);
	end("network.wrong-notes");
}

static const char *const container_commands[] = {
	"netns add web",
	"link add bridge0 type bridge",
	"link add to-web type veth peer name eth0 netns web",
	"link set to-web master bridge0 up",
	"link set bridge0 up",
	"address add 10.0.0.1/24 dev bridge0",
	"-n web link set lo up",
	"-n web link set eth0 address 02:00:00:00:00:09 up",
	"-n web address add 10.0.0.2/24 dev eth0",
	"-n web route add default via 10.0.0.1",
};

static void show_container(char *text)
{
	FILE *f = popen("{ ip -o link; ip -o address; ip route; ip -n web -o link; ip -n web -o address; "
			"ip -n web route; nft list ruleset; ip netns exec web nft list ruleset; "
			"conntrack -L 2>/dev/null | sort; } | sed -E "
			"'s/^(tcp|udp)( +[0-9]+) [0-9]+/\\1\\2/; s/(NO-CARRIER,|,LOWER_UP)//g; s/state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN) //; "
			"s/ (linkdown|dead)//g; /fe80:/d; /^unknown/d; s/link-netns.*|link-netnsid.*//; s/ use=[0-9]+//; s/mark=0 //'", "r");
	size_t n = f ? fread(text, 1, SHOWN_MAX - 1, f) : 0;

	text[n] = '\0';
	if (f)
		pclose(f);
}

/* A process in a namespace that has a name, as a container's first one. */
static pid_t start_in_web(void)
{
	int fd, there[2];
	char byte;
	pid_t pid;

	EXPECT(pipe(there), 0);
	pid = fork();
	if (pid) {
		close(there[1]);
		EXPECT(read(there[0], &byte, 1), 1);
		close(there[0]);
		return pid;
	}
	fd = open("/run/netns/web", O_RDONLY);
	if (setns(fd, CLONE_NEWNET) < 0 || write(there[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static struct json_object *note_container(char *text)
{
	struct container c = { 0 };
	const struct containers list = { .container = &c, .nr = 1 };
	struct json_object *noted = NULL;
	size_t i;

	EXPECT(unshare(CLONE_NEWNET), 0);
	for (i = 0; i < sizeof(container_commands) / sizeof(container_commands[0]); i++)
		if (ip(container_commands[i]))
			complain("`ip %s` failed", container_commands[i]);
	if (system("nft 'table ip nat {\nchain pre {\ntype nat hook prerouting priority dstnat\n"
		   "tcp dport 80 dnat to 10.0.0.2:8080\n}\n}\n' && "
		   "ip netns exec web nft 'add table inet inside' && "
		   "nft 'add table inet rebootless' && "
		   "conntrack -I -p tcp -s 192.0.2.9 -d 10.0.0.1 --sport 1000 --dport 80 "
		   "--dst-nat 10.0.0.2:8080 --state ESTABLISHED -t 1000 -u ASSURED,SEEN_REPLY >/dev/null 2>&1"))
		complain("no table or tracked connection can be made");
	c.pid = start_in_web();
	expect_ok(network_note(&noted));
	network_tables_note(noted);
	expect_ok(network_namespaces_note(&list, noted));
	network_tracked_note(noted);
	if (system("nft delete table inet rebootless"))
		complain("the lock's table was not there");
	show_container(text);
	kill(c.pid, SIGKILL);
	waitpid(c.pid, NULL, 0);
	return noted;
}

static void test_container(void)
{
	static char before[SHOWN_MAX], after[SHOWN_MAX];
	struct json_object *noted;

	begin();
	/* names of namespaces are files below /run */
	EXPECT(unshare(CLONE_NEWNS), 0);
	EXPECT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	EXPECT(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	EXPECT(mkdir("/run/rebootless", 0700), 0);
	noted = note_container(before);
	EXPECT(umount2("/run/netns/web", MNT_DETACH), 0);
	EXPECT(umount2("/run", MNT_DETACH), 0);
	EXPECT(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	EXPECT(mkdir("/run/rebootless", 0700), 0);
	EXPECT(unshare(CLONE_NEWNET), 0);
	expect_ok(network_make(noted, 0));
	if (system("ip netns exec web nft list table inet rebootless >/dev/null"))
		complain("the container's network is not locked while it is empty");
	network_unlock_all(noted, &(struct containers){ 0 });
	if (said[0])
		complain("said: %.600s", said);
	show_container(after);
	expect_same(before, after);
	if (!strstr(after, "src=10.0.0.2") || !strstr(after, "dnat to") || !strstr(after, "inet inside"))
		complain("not all that is to be seen was there: %.700s", after);
	/* once more, as after a firewall that has begun anew */
	network_tables_make(noted);
	show_container(after);
	expect_same(before, after);
	json_object_put(noted);
	end("network.container");
}

static void make_managers(const char *json)
{
	struct json_object *noted = json_tokener_parse(json);

	network_managers_make(noted);
	json_object_put(noted);
}

#define MANY_LINKS 200	/* as made below */

/* Links come and go for a while, and again, until it is killed. */
static void change_links(void)
{
	for (;; usleep(100000))
		if (system("for i in $(seq 20); do echo link add passing type bridge; "
			   "echo link delete passing; done | ip -batch -"))
			_exit(1);
}

/* How many links a note has, lo among them; 0 = it failed. */
static size_t noted_links(void)
{
	struct json_object *noted = NULL, *links;
	size_t n = 0;

	if (!network_note(&noted) && json_object_object_get_ex(noted, "links", &links))
		n = json_object_array_length(links);
	json_object_put(noted);
	return n;
}

/* What the kernel tells while links come and go holds each of those that stay. */
static void test_changing(void)
{
	size_t n;
	pid_t pid;
	int i;

	begin();
	EXPECT(unshare(CLONE_NEWNET), 0);
	/* in one go, as 200 programs take an emulated machine long */
	if (system("for i in $(seq 200); do echo link add stays$i type bridge; done | ip -batch -"))
		complain("no bridges");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		change_links();
	}
	for (i = 0; i < 20; i++) {
		n = noted_links();
		if (n != MANY_LINKS + 1 && n != MANY_LINKS + 2)
			complain("note %d has %zu links; said: %.600s", i, n, said);
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	end("network.changing");
}

static void test_managers(void)
{
	struct json_object *noted = json_object_new_object();

	begin();
	EXPECT(unshare(CLONE_NEWNS), 0);
	EXPECT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	EXPECT(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	EXPECT(system("mkdir /run/network; echo eth0 >/run/network/ifstate.eth0; echo lo >/run/network/ifstate.lo"), 0);
	network_managers_note(noted);
	EXPECT(umount2("/run", MNT_DETACH), 0);
	EXPECT(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	EXPECT(system("mkdir /run/network; echo here >/run/network/ifstate.lo"), 0);
	network_managers_make(noted);
	EXPECT(system("grep -qx eth0 /run/network/ifstate.eth0 && grep -qx here /run/network/ifstate.lo"), 0);
	if (said[0])
		complain("said: %.600s", said);
	make_managers("{ \"managers\": { \"/run/network/ifstate/../../x\": \"\" } }");
	expect_said("/run/network/ifstate/../../x is no file of ifupdown");
	make_managers("{ \"managers\": { \"/run/x\": \"\" } }");
	expect_said("/run/x is no file of ifupdown");
	EXPECT(access("/run/x", F_OK), -1);
	make_managers("{ \"managers\": 7 }");
	json_object_put(noted);
	end("network.managers");
}

/* How long the drain takes of our own sockets, in tenths of a second. */
static int drain(void)
{
	struct container c = { .pid = getpid() };
	int64_t start = deadline_now();

	network_lock_drain(&(struct containers){ .container = &c, .nr = 1 });
	return (int)((deadline_now() - start) / 100);
}

static int connect_to_self(int *listener)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
	socklen_t length = sizeof(addr);

	*listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(*listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	EXPECT(listen(*listener, 1), 0);
	getsockname(*listener, (struct sockaddr *)&addr, &length);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void test_drain(void)
{
	char bytes[65536] = { 0 };
	int listener, fd, peer;

	begin();
	EXPECT(unshare(CLONE_NEWNET), 0);
	ip("link set lo up");
	fd = connect_to_self(&listener);
	EXPECT(drain() >= 9, true);	/* nobody accepts */
	peer = accept(listener, NULL, NULL);
	EXPECT(drain() < 9, true);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	close(fd);
	EXPECT(drain() >= 9, true);	/* closed, and its peer does not read */
	while (read(peer, bytes, sizeof(bytes)) > 0)
		;
	EXPECT(drain() < 9, true);
	close(peer);
	close(listener);
	end("network.drain");
}

/* What becomes of a question to a port that nobody has: an error, or EAGAIN for silence. */
static int ask_nobody(int family, int type)
{
	const struct timeval patience = { .tv_usec = 300000 };
	const struct sockaddr_in6 addr6 = { .sin6_family = AF_INET6, .sin6_port = htons(9),
					    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(9),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(family, type, 0), err;
	char byte = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* of a connect as well, which then says EINPROGRESS */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (family == AF_INET6)
		err = connect(fd, (const struct sockaddr *)&addr6, sizeof(addr6));
	else
		err = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
	if (!err && send(fd, &byte, 1, 0) == 1)
		err = (int)recv(fd, &byte, 1, 0);
	err = err < 0 ? errno : 0;
	close(fd);
	return err == EINPROGRESS ? EAGAIN : err;
}

static void expect_all(int expected)
{
	EXPECT(ask_nobody(AF_INET, SOCK_STREAM), expected);
	EXPECT(ask_nobody(AF_INET, SOCK_DGRAM), expected);
	EXPECT(ask_nobody(AF_INET6, SOCK_STREAM), expected);
	EXPECT(ask_nobody(AF_INET6, SOCK_DGRAM), expected);
}

/* A container whose network its engine has made, locked as its runtime does it. */
static pid_t start_locked(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready) < 0)
		complain("no pipe");
	pid = fork();
	if (!pid) {
		close(ready[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unshare(CLONE_NEWNET);
		network_lock_inside(NULL);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	EXPECT(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

/* Does that namespace have a table? */
static bool has_table(pid_t pid)
{
	char line[128];

	snprintf(line, sizeof(line), "nsenter --net --target %d nft list ruleset | grep -q table", (int)pid);
	return !system(line);
}

static void test_lock(void)
{
	const struct engine engine = { .makes_network = true };
	struct container c = { .name = "web", .engine = &engine, .state = CONTAINER_RESTORED };
	const struct containers list = { .container = &c, .nr = 1 };
	struct json_object *noted = json_object_new_object();

	begin();
	EXPECT(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
	EXPECT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	EXPECT(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	EXPECT(mkdir("/run/rebootless", 0700), 0);
	ip("link set lo up");
	expect_all(ECONNREFUSED);
	/* either hides who is here, and takes the other's place */
	expect_ok(network_lock_new());
	expect_all(EAGAIN);
	EXPECT(system("nft list table bridge rebootless | grep -q syn"), 0);
	expect_ok(network_lock_all());
	EXPECT(network_is_locked(), true);
	expect_all(EAGAIN);
	c.pid = start_locked();
	EXPECT(has_table(c.pid), true);
	network_unlock_all(noted, &list);
	EXPECT(has_table(c.pid), false);
	kill(c.pid, SIGKILL);
	waitpid(c.pid, NULL, 0);
	json_object_put(noted);
	EXPECT(network_is_locked(), false);
	EXPECT(system("test -z \"$(nft list ruleset)\""), 0);
	expect_all(ECONNREFUSED);
	end("network.lock");
}

int main(void)
{
	log_set_sink(sink);
	if (unshare(CLONE_NEWNET) < 0) {
		printf("skip network: no network namespace can be made (%s)\n", strerror(errno));
		return 0;
	}
	test_there_and_back();
	test_nothing_up();
	test_wrong_notes();
	test_container();
	test_drain();
	test_lock();
	test_changing();
	test_managers();
	return failed != 0;
}

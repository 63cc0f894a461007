// SPDX-License-Identifier: GPL-2.0
/*
 * From `podman inspect` to what an update keeps of a container.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/path.h"
#include "common/podman.h"
#include "common/run.h"

#define ASK_SECONDS 30
#define MAX_LINKS 64

static struct json_object *at(struct json_object *o, const char *pointer)
{
	struct json_object *value = NULL;

	return json_pointer_get(o, pointer, &value) ? NULL : value;
}

const char *podman_text(struct json_object *o, const char *pointer)
{
	struct json_object *value = at(o, pointer);
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return *text ? text : NULL;
}

bool podman_flag(struct json_object *o, const char *pointer)
{
	struct json_object *value = at(o, pointer);

	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static void set_text(struct json_object *data, const char *key, const char *text)
{
	if (text)
		json_object_object_add(data, key, json_object_new_string(text));
}

static void problem(struct json_object *data, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void problem(struct json_object *data, const char *fmt, ...)
{
	struct json_object *list = at(data, "/problems");
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_array_add(list, json_object_new_string(text));
}

/* ---- network -------------------------------------------------------------------- */

/* A socket in the network namespace of a process, by which its links can be asked. -errno (logged). */
static int socket_in(pid_t pid)
{
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int sock = -1, other = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	other = open(path, O_RDONLY | O_CLOEXEC);
	if (own < 0 || other < 0 || setns(other, CLONE_NEWNET) < 0)
		return log_syserr(errno, "cannot look into the network of process %d", (int)pid);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (setns(own, CLONE_NEWNET) < 0 || sock < 0)
		return log_syserr(errno, "cannot look into the network of process %d", (int)pid);
	return steal_fd(&sock);
}

/* The link with this address. -ENODEV: none has it. */
static int link_by_mac(int sock, const char *mac, char name[IFNAMSIZ])
{
	struct ifreq link[MAX_LINKS] = { 0 };
	struct ifconf all = { .ifc_len = sizeof(link), .ifc_req = link };
	unsigned char *a;
	char text[32];
	size_t i;

	if (ioctl(sock, SIOCGIFCONF, &all) < 0)
		return -errno;
	for (i = 0; i < (size_t)all.ifc_len / sizeof(link[0]); i++) {
		if (ioctl(sock, SIOCGIFHWADDR, &link[i]) < 0)
			continue;
		a = (unsigned char *)link[i].ifr_hwaddr.sa_data;
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3],
			 a[4], a[5]);
		if (!strcasecmp(text, mac)) {
			memcpy(name, link[i].ifr_name, IFNAMSIZ);
			return 0;
		}
	}
	return -ENODEV;
}

static void add_subnet(struct json_object *subnets, struct json_object *network,
		       const char *address, const char *length, const char *gateway)
{
	const char *ip = podman_text(network, address);
	struct json_object *one;
	char text[128];

	if (!ip)
		return;
	one = json_object_new_object();
	snprintf(text, sizeof(text), "%s/%d", ip, json_object_get_int(at(network, length)));
	set_text(one, "ipnet", text);
	set_text(one, "gateway", podman_text(network, gateway));
	json_object_array_add(subnets, one);
}

/* One network as podman's network.status has it: { "interfaces": { LINK: {...} } } */
static struct json_object *network_status(struct json_object *network, const char *link)
{
	struct json_object *status = json_object_new_object(), *links = json_object_new_object();
	struct json_object *one = json_object_new_object(), *subnets = json_object_new_array();

	add_subnet(subnets, network, "/IPAddress", "/IPPrefixLen", "/Gateway");
	add_subnet(subnets, network, "/GlobalIPv6Address", "/GlobalIPv6PrefixLen", "/IPv6Gateway");
	json_object_object_add(one, "subnets", subnets);
	set_text(one, "mac_address", podman_text(network, "/MacAddress"));
	json_object_object_add(links, link, one);
	json_object_object_add(status, "interfaces", links);
	return status;
}

/* Only a bridge needs nothing but itself; of others it is not known when they are there. */
static int check_driver(struct json_object *data, const char *name)
{
	char *argv[] = { "podman", "network", "inspect", "--format", "{{.Driver}} {{.IPAMOptions.driver}}",
			 (char *)name, NULL };
	_cleanup_free_ char *text = NULL;
	char driver[32] = "", ipam[32] = "";
	int err = run_read(argv, ASK_SECONDS, &text);

	if (err > 0)
		return log_refusal(-EIO, "`podman network inspect %s` failed with status %d", name, err);
	if (err)
		return err;
	if (sscanf(text, "%31s %31s", driver, ipam) < 1 || strcmp(driver, "bridge"))
		problem(data, "its network %s is of driver %s; only bridge networks can be made again before the host's own network is up",
			name, driver);
	else if (!strcmp(ipam, "dhcp"))
		problem(data, "its network %s gets addresses by DHCP, from a network that is not up when it is restored",
			name);
	return 0;
}

static int note_networks(struct json_object *data, struct json_object *inspect)
{
	struct json_object *networks = at(inspect, "/NetworkSettings/Networks");
	struct json_object *status = json_object_new_object();
	_cleanup_close_ int sock = -1;
	char link[IFNAMSIZ];
	const char *mac;
	int err = 0;

	json_object_object_add(data, "network", status);
	if (!json_object_is_type(networks, json_type_object))
		return 0;
	sock = socket_in(json_object_get_int(at(inspect, "/State/Pid")));
	if (sock < 0)
		return sock;
	json_object_object_foreach(networks, name, network) {
		mac = podman_text(network, "/MacAddress");
		if (err || !mac)
			continue;
		if (link_by_mac(sock, mac, link))
			problem(data, "no link in it has the address %s of its network %s", mac, name);
		else
			json_object_object_add(status, name, network_status(network, link));
		err = check_driver(data, name);
	}
	return err;
}

static int note_network(struct json_object *data, struct json_object *inspect)
{
	const char *mode = podman_text(inspect, "/HostConfig/NetworkMode");

	if (!mode || !strcmp(mode, "none") || !strcmp(mode, "host") ||
	    !strncmp(mode, "container:", strlen("container:")))
		return 0;
	if (!strcmp(mode, "bridge"))
		return note_networks(data, inspect);
	problem(data, "its network is of mode %s; bridge, none, host and another container's can be carried",
		mode);
	return 0;
}

/* ---- who else has to do with it --------------------------------------------------- */

static bool is_service(const char *unit)
{
	size_t length = strlen(unit), tail = strlen(".service");

	return length > tail && !strcmp(unit + length - tail, ".service") && !strchr(unit, '/');
}

/* A unit's container knows it by a label, which others, and images, can have as well. */
static int note_unit(struct json_object *data, struct json_object *inspect)
{
	const char *unit = podman_text(inspect, "/Config/Labels/PODMAN_SYSTEMD_UNIT");
	pid_t conmon = json_object_get_int(at(inspect, "/State/ConmonPid"));
	_cleanup_free_ char *cgroup = NULL;
	const char *in;
	int err;

	if (!unit || !is_service(unit))
		return 0;
	err = cgroup_of(conmon, &cgroup);
	if (err)
		return err;
	in = path_find(cgroup, unit);
	if (!in)
		return 0;
	cgroup[in - cgroup + strlen(unit)] = '\0';
	set_text(data, "unit", unit);
	set_text(data, "home", cgroup);
	set_text(data, "cid-file", podman_text(inspect, "/HostConfig/ContainerIDFile"));
	in = podman_text(inspect, "/State/CgroupPath");
	if (in && strstr(in, "/libpod-payload-"))
		json_object_object_add(data, "split", json_object_new_boolean(true));
	return 0;
}

static void note_health(struct json_object *data, struct json_object *inspect)
{
	int64_t interval = json_object_get_int64(at(inspect, "/Config/Healthcheck/Interval"));
	struct json_object *health;

	if (podman_text(inspect, "/Config/StartupHealthCheck/Test/0"))
		problem(data, "it has a startup healthcheck, whose state podman does not give again; restart it without");
	if (interval <= 0)
		return;
	health = json_object_new_object();
	json_object_object_add(health, "seconds",
			       json_object_new_int64((interval + 999999999) / 1000000000));
	json_object_object_add(data, "health", health);
}

static void note_kind(struct json_object *data, struct json_object *inspect)
{
	const char *runtime = podman_text(inspect, "/OCIRuntime");
	const char *user = podman_text(inspect, "/HostConfig/UsernsMode");
	const char *pid = podman_text(inspect, "/HostConfig/PidMode");
	const char *pod = podman_text(inspect, "/Pod");
	const char *restart = podman_text(inspect, "/HostConfig/RestartPolicy/Name");
	struct json_object *after = at(data, "/after");

	if (!runtime || (strcmp(runtime, "crun") && strcmp(runtime, "runc")))
		problem(data, "its runtime is %s; podman's containers of crun and runc can be carried",
			runtime ? runtime : "not known");
	else if (!strcmp(runtime, "runc") && after && json_object_array_length(after))
		problem(data, "it lives in the namespaces of another container, into which runc does not restore; use crun");
	if (user && strcmp(user, "host"))
		problem(data, "it has a user namespace (--userns=%s), with which podman cannot restore", user);
	if (pid && strcmp(pid, "private"))
		problem(data, "it has the processes of another (--pid=%s) in its pid namespace", pid);
	if (restart && (!strcmp(restart, "always") || !strcmp(restart, "unless-stopped")))
		json_object_object_add(data, "restarted", json_object_new_boolean(true));
	if (podman_flag(inspect, "/HostConfig/AutoRemove")) {
		json_object_object_add(data, "auto-remove", json_object_new_boolean(true));
		if (pod)
			problem(data, "it is in a pod and to be removed when it stops (--rm): podman would remove it before it can be restored");
	}
}

static void note_shm(struct json_object *data, const char *static_dir)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/shm", static_dir);
	if (!access(path, F_OK))
		set_text(data, "shm", path);
}

static int note_all(struct json_object *data, struct json_object *inspect)
{
	static const struct {
		const char *key, *pointer;
	} needed[] = {
		{ "id", "/Id" }, { "status", "/State/Status" }, { "runtime", "/OCIRuntime" },
		{ "static-dir", "/StaticDir" }, { "pid-file", "/PidFile" },
		{ "conmon-pid-file", "/ConmonPidFile" },
	};
	struct json_object *after = at(inspect, "/Dependencies");
	const char *text;
	size_t i;
	int err;

	json_object_object_add(data, "problems", json_object_new_array());
	json_object_object_add(data, "joins", json_object_new_object());
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		text = podman_text(inspect, needed[i].pointer);
		if (!text)
			return log_refusal(-EPROTO, "`podman inspect %s` does not say %s",
					   podman_text(inspect, "/Name"), needed[i].pointer);
		set_text(data, needed[i].key, text);
	}
	if (json_object_is_type(after, json_type_array))
		json_object_object_add(data, "after", json_object_get(after));
	if (json_object_is_type(at(inspect, "/Config/Secrets"), json_type_array))
		json_object_object_add(data, "secrets",
				       json_object_get(at(inspect, "/Config/Secrets")));
	note_kind(data, inspect);
	note_health(data, inspect);
	note_shm(data, podman_text(data, "/static-dir"));
	err = note_unit(data, inspect);
	return err ? err : note_network(data, inspect);
}

struct json_object *podman_data(struct json_object *inspect)
{
	struct json_object *data = json_object_new_object();

	if (!note_all(data, inspect))
		return data;
	json_object_put(data);
	return NULL;
}

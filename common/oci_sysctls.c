// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "common/network_namespaces.h"
#include "common/oci.h"
#include "common/oci_sysctls.h"

#define PROC_SYS "/proc/sys/"

/*
 * net.ipv4.tcp_fin_timeout, net/ipv4/..., net.ipv4.conf.eth0/100.forwarding: which of the
 * two separates words is said by the first (sysctl(8)). False: it is not the network's.
 */
static bool path_of(const char *name, char *path, size_t size)
{
	const char *first = strpbrk(name, "./");
	char *p;

	if ((size_t)snprintf(path, size, PROC_SYS "%s", name) >= size)
		return false;
	for (p = path + strlen(PROC_SYS); first && *first == '.' && *p; p++)
		if (*p == '.' || *p == '/')
			*p = *p == '.' ? '/' : '.';
	return !strncmp(path, PROC_SYS "net/", strlen(PROC_SYS "net/")) && !strstr(path, "/../");
}

static void set_inside(struct json_object *sysctls)
{
	char path[256];
	const char *text;
	int err;

	json_object_object_foreach(sysctls, name, value) {
		text = json_object_get_string(value);
		if (!text || !path_of(name, path, sizeof(path)))
			continue;
		err = file_put(path, text);
		if (err)
			log_warning("cannot set %s to %s again: %s", path, text, strerror(-err));
	}
}

void oci_sysctls_set(struct json_object *config, const char *path)
{
	struct json_object *sysctls = oci_config_get(config, "linux", "sysctl");

	if (sysctls && json_object_is_type(sysctls, json_type_object) && json_object_object_length(sysctls))
		network_namespace_do(path, set_inside, sysctls);
}

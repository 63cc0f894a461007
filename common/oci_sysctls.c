// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/network.h"
#include "common/network_namespaces.h"
#include "common/oci.h"
#include "common/oci_sysctls.h"

/*
 * net.ipv4.tcp_fin_timeout, net/ipv4/..., net.ipv4.conf.eth0/100.forwarding: which of the
 * two separates words is said by the first (sysctl(8)). False: it is not the network's.
 */
static bool with_slashes(const char *name, char *out, size_t size)
{
	const char *first = strpbrk(name, "./");
	char *p;

	if ((size_t)snprintf(out, size, "%s", name) >= size)
		return false;
	for (p = out; first && *first == '.' && *p; p++)
		if (*p == '.' || *p == '/')
			*p = *p == '.' ? '/' : '.';
	return !strncmp(out, "net/", strlen("net/"));
}

static void set_inside(struct json_object *sysctls)
{
	char setting[128];
	const char *text;
	int err;

	json_object_object_foreach(sysctls, name, value) {
		text = json_object_get_string(value);
		if (!text || !with_slashes(name, setting, sizeof(setting)))
			continue;
		err = network_sysctl_set(setting, text);
		if (err)
			log_warning("cannot set %s to %s again: %s", setting, text, strerror(-err));
	}
}

void oci_sysctls_set(struct json_object *config, const char *path)
{
	struct json_object *sysctls = oci_config_get(config, "linux", "sysctl");

	if (sysctls && json_object_is_type(sysctls, json_type_object) && json_object_object_length(sysctls))
		network_namespace_do(path, set_inside, sysctls);
}

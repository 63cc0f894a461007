// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of common/podman_inspect.c: what `podman inspect` says, and what
 * speaks against carrying the container.
 */
#include "common/podman.h"
#include "test/unit/harness.h"

/* What podman 5.4 says of a container that nothing speaks against, cut down. */
#define PLAIN \
	"{ \"Id\": \"abc\", \"Name\": \"web\", \"StaticDir\": \"/var/c/userdata\"," \
	" \"PidFile\": \"/run/c/pidfile\", \"ConmonPidFile\": \"/run/c/conmon.pid\"," \
	" \"OCIRuntime\": \"crun\", \"Pod\": \"\", \"Dependencies\": []," \
	" \"State\": { \"Status\": \"running\", \"Pid\": 1, \"ConmonPid\": 1 }," \
	" \"Config\": { \"Labels\": null, \"Healthcheck\": { \"Interval\": 2500000000 } }," \
	" \"HostConfig\": { \"NetworkMode\": \"none\", \"PidMode\": \"private\"," \
	" \"UsernsMode\": \"\", \"AutoRemove\": false } }"

/* NULL: podman_data() refuses. At `pointer` stands `value` (JSON). */
static struct json_object *changed(const char *pointer, const char *value)
{
	struct json_object *inspect = json_tokener_parse(PLAIN), *data;

	if (pointer)
		json_pointer_set(&inspect, pointer, json_tokener_parse(value));
	data = podman_data(inspect);
	json_object_put(inspect);
	return data;
}

static void test_plain(void)
{
	struct json_object *data = changed(NULL, NULL), *value = NULL;

	begin();
	if (!data) {
		complain("refused: %s", said);
	} else {
		json_pointer_get(data, "/problems", &value);
		EXPECT(json_object_array_length(value), 0);
		json_pointer_get(data, "/health/seconds", &value);
		EXPECT(json_object_get_int(value), 3);
		EXPECT(strcmp(podman_text(data, "/id"), "abc"), 0);
		EXPECT(podman_flag(data, "/auto-remove"), 0);
		EXPECT(!podman_text(data, "/unit"), 1);
	}
	json_object_put(data);
	end("podman.plain");
}

static const struct {
	const char *name, *pointer, *value, *problem;
} refused[] = {
	{ "runtime", "/OCIRuntime", "\"kata\"", "its runtime is kata" },
	{ "userns", "/HostConfig/UsernsMode", "\"auto\"", "--userns=auto" },
	{ "pid", "/HostConfig/PidMode", "\"container:x\"", "--pid=container:x" },
	{ "network", "/HostConfig/NetworkMode", "\"pasta\"", "of mode pasta" },
	{ "startup", "/Config/StartupHealthCheck", "{ \"Test\": [ \"CMD\" ] }", "startup healthcheck" },
};

static void test_refused(void)
{
	struct json_object *data, *problems = NULL;
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		begin();
		data = changed(refused[i].pointer, refused[i].value);
		json_pointer_get(data, "/problems", &problems);
		if (json_object_array_length(problems) != 1 ||
		    !strstr(json_object_to_json_string(problems), refused[i].problem))
			complain("expected \"%s\", found %s", refused[i].problem,
				 json_object_to_json_string(problems));
		json_object_put(data);
		snprintf(name, sizeof(name), "podman.refused.%s", refused[i].name);
		end(name);
	}
}

static void test_restarted(void)
{
	static const struct {
		const char *policy;
		bool restarted;
	} policies[] = {
		{ "{ \"Name\": \"always\" }", true },
		{ "{ \"Name\": \"unless-stopped\" }", true },
		{ "{ \"Name\": \"on-failure\" }", false },
		{ "{ \"Name\": \"\" }", false },
	};
	struct json_object *data;
	size_t i;

	begin();
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		data = changed("/HostConfig/RestartPolicy", policies[i].policy);
		if (podman_flag(data, "/restarted") != policies[i].restarted)
			complain("--restart=%s is taken for the contrary", policies[i].policy);
		json_object_put(data);
	}
	end("podman.restarted");
}

static void test_incomplete(void)
{
	struct json_object *data;

	begin();
	data = changed("/StaticDir", "7");
	EXPECT(!data, 1);
	if (!strstr(said, "does not say /StaticDir"))
		complain("it says \"%s\"", said);
	json_object_put(data);
	end("podman.incomplete");
}

int main(void)
{
	log_set_sink(sink);
	test_plain();
	test_refused();
	test_restarted();
	test_incomplete();
	return failed != 0;
}

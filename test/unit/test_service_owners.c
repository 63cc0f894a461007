// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/service_owners.c: which services of the host are not
 * stopped, since containers have to do with them.
 */
#include "checkpoint/service_owners.h"
#include "common/strv.h"
#include "test/unit/harness.h"

static char cgroup_web[] = "/system.slice/web.service/libpod-payload-1";
static char cgroup_machine[] = "/machine.slice/x.service-not";
static char *const cgroups[] = { cgroup_web, cgroup_machine, NULL };

/* What is left of `units` when systemd says `shown`; the list has one container, of pid 77. */
static void expect_left(const char *units, const char *shown, const char *expected)
{
	struct container one = { .name = (char *)"c", .pid = 77 };
	struct containers list = { .container = &one, .nr = 1 };
	char *text = strdup(shown), **left = NULL, left_text[256] = "";
	char **unit;

	one.engine_data = json_tokener_parse("{ \"unit\": \"named.service\" }");
	expect_ok(strv_split(units, &left));
	expect_ok(service_owners_spare_shown(&list, cgroups, text, left));
	for (unit = left; unit && *unit; unit++) {
		strcat(left_text, unit == left ? "" : " ");
		strcat(left_text, *unit);
	}
	if (strcmp(left_text, expected))
		complain("of \"%s\" are left \"%s\", expected \"%s\"", units, left_text, expected);
	json_object_put(one.engine_data);
	strv_free(left);
	free(text);
}

int main(void)
{
	log_set_sink(sink);
	begin();
	expect_left("web.service db.service", "Id=web.service\nMainPID=5\n\nId=db.service\nMainPID=6\n",
		    "db.service");
	expect_left("x.service", "MainPID=5\nId=x.service\n", "x.service");
	expect_left("web.service", "Id=web.service\n", "");
	expect_left("named.service a.service", "Id=named.service\n\nId=a.service\n", "a.service");
	end("owners.cgroup");

	begin();
	expect_left("a.service b.service", "Id=a.service\nMainPID=77\n\nId=b.service\nMainPID=0\n", "b.service");
	end("owners.main");

	begin();
	/* c takes b along, which takes along the one that has a container in it */
	expect_left("a.service b.service c.service d.service",
		    "Id=c.service\nRequiredBy=multi-user.target\nBoundBy=b.service\nConsistsOf=\n\n"
		    "Id=a.service\nRequiredBy=d.service\n\n"
		    "Id=b.service\nRequiredBy=x.service web.service\n\nId=d.service\n",
		    "a.service d.service");
	end("owners.taken-along");

	begin();
	/* what systemd says of more than was asked */
	expect_left("a.service", "Id=a.service\n\nId=b.service\nRequiredBy=web.service\n", "a.service");
	expect_left("a.service", "", "a.service");
	expect_left("", "Id=a.service\n", "");
	end("owners.odd");
	return failed != 0;
}

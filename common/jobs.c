// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/deadline.h"
#include "common/hold.h"
#include "common/interrupt.h"
#include "common/jobs.h"
#include "common/log.h"
#include "common/strv.h"

#define TICK_MS 1000
#define RUNNING_MS 100
#define STILL_WAITING_MS 5000

static bool is_over(const struct job *j)
{
	return j->state == JOB_HELD || j->state == JOB_DONE || j->state == JOB_FAILED;
}

static int make_dirs(const char *store, const char *name, struct image_dirs *dirs)
{
	char path[512];
	int err = container_dir(store, name, "", path, sizeof(path));

	if (!err)
		err = container_dir(store, name, "images", dirs->images, sizeof(dirs->images));
	if (!err)
		err = container_dir(store, name, "work", dirs->work, sizeof(dirs->work));
	if (err)
		return err;
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(dirs->images, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(dirs->work, 0700) < 0 && errno != EEXIST))
		return log_syserr(errno, "cannot make the directories of container %s in %s", name,
				  store);
	return 0;
}

int jobs_make(struct jobs *jobs, struct containers *list, char *const *only, const char *store)
{
	char path[512];
	struct job *j;
	size_t i;
	int err;

	snprintf(path, sizeof(path), "%s/containers", store);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return log_syserr(errno, "cannot make %s", path);
	jobs->job = calloc(list->nr + 1, sizeof(*jobs->job));
	if (!jobs->job)
		return log_syserr(ENOMEM, "cannot plan for %zu containers", list->nr);
	for (i = 0; i < list->nr; i++) {
		if (only && !strv_has(only, list->container[i].name))
			continue;
		j = &jobs->job[jobs->nr++];
		*j = (struct job){ .container = &list->container[i], .pidfd = -1, .held = -1 };
		err = make_dirs(store, j->container->name, &j->dirs);
		if (err)
			return err;
	}
	return 0;
}

void jobs_free(struct jobs *jobs)
{
	size_t i;

	for (i = 0; i < jobs->nr; i++) {
		cleanup_close(&jobs->job[i].pidfd);
		cleanup_close(&jobs->job[i].held);
	}
	free(jobs->job);
	jobs->job = NULL;
	jobs->nr = 0;
}

/* Does a have to be over before b may start? */
static bool is_before(const struct jobs *jobs, const struct job *a, const struct job *b)
{
	return jobs->dependents_first ? strv_has(a->container->after, b->container->name) :
					strv_has(b->container->after, a->container->name);
}

static bool may_start(const struct jobs *jobs, const struct job *j)
{
	size_t i;

	for (i = 0; i < jobs->nr; i++)
		if (!is_over(&jobs->job[i]) && is_before(jobs, &jobs->job[i], j))
			return false;
	return true;
}

static void end(struct jobs *jobs, struct job *j, int status)
{
	j->status = status;
	j->state = status ? JOB_FAILED : JOB_DONE;
	cleanup_close(&j->pidfd);
	j->pidfd = -1;
	cleanup_close(&j->held);
	j->held = -1;
	/* not when its time was over (< 0), nor when all are to end (no event()) */
	if (j->is_refused && status > 0 && jobs->event && j->again + 1 < jobs->tries) {
		j->is_refused = false;
		j->again++;
		j->state = JOB_WAITING;
		return;
	}
	if (jobs->event)
		jobs->event(j, jobs->arg);
}

static void start(struct jobs *jobs, struct job *j)
{
	pid_t pid = jobs->start(j, jobs->arg);

	if (pid < 0) {
		end(jobs, j, pid);
		return;
	}
	j->pid = pid;
	j->deadline = deadline_in(jobs->seconds);
	j->pidfd = pidfd_open(pid, 0);
	j->state = JOB_RUNNING;
	if (j->pidfd < 0)
		log_syserr(errno, "%s: cannot watch process %d", j->container->name, (int)pid);
}

static void start_some(struct jobs *jobs)
{
	unsigned int running = 0;
	bool failed = false;
	size_t i;

	for (i = 0; i < jobs->nr; i++) {
		running += jobs->job[i].state == JOB_RUNNING;
		failed |= jobs->job[i].state == JOB_FAILED;
	}
	for (i = 0; i < jobs->nr && running < jobs->parallel; i++) {
		if ((failed && jobs->stop_at_failure) || interrupted())
			return;
		if (jobs->job[i].state != JOB_WAITING || !may_start(jobs, &jobs->job[i]))
			continue;
		start(jobs, &jobs->job[i]);
		running += jobs->job[i].state == JOB_RUNNING;
		failed |= jobs->job[i].state == JOB_FAILED;
	}
}

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Its process group: the engine and its CRIU. */
static void kill_job(struct job *j)
{
	kill(-j->pid, SIGKILL);
	wait_status(j->pid);
}

static struct job *job_of(struct jobs *jobs, const struct held *held)
{
	struct stat st;
	size_t i;

	for (i = 0; i < jobs->nr; i++)
		if (!stat(jobs->job[i].dirs.images, &st) && st.st_ino == held->ino &&
		    st.st_dev == held->dev)
			return &jobs->job[i];
	return NULL;
}

/*
 * Not ours, or not an action that concerns us: it goes on. Once there is a verdict for
 * all, it is that of who comes now.
 */
static void take_held(struct jobs *jobs, int socket, const bool *verdict)
{
	bool is_look, is_hold;
	struct held held;
	struct job *j;

	if (hold_accept(socket, &held) < 0)
		return;
	is_hold = !strcmp(held.action, jobs->hold);
	is_look = jobs->look && !strcmp(held.action, LOOK_ACTION);
	j = is_hold || is_look ? job_of(jobs, &held) : NULL;
	if (!j || j->state != JOB_RUNNING || verdict) {
		hold_answer(&held.fd, !j || (verdict && *verdict));
		return;
	}
	if (jobs->look && !jobs->look(j, jobs->arg)) {
		j->is_refused = true;
		hold_answer(&held.fd, false);
		return;
	}
	if (!is_hold) {
		hold_answer(&held.fd, true);
		return;
	}
	j->held = held.fd;
	j->state = JOB_HELD;
	if (jobs->event)
		jobs->event(j, jobs->arg);
}

/*
 * One round: wait for a hold, the end of a command, or a moment; then see whose
 * time is over. A command that is held and ends all the same has failed.
 */
static int watch(struct jobs *jobs, int socket, const bool *verdict)
{
	_cleanup_free_ struct pollfd *fds = calloc(jobs->nr + 1, sizeof(*fds));
	struct job *j;
	size_t i;

	if (!fds)
		return log_syserr(ENOMEM, "cannot watch %zu commands", jobs->nr);
	for (i = 0; i < jobs->nr; i++)
		fds[i] = (struct pollfd){ .fd = jobs->job[i].pidfd, .events = POLLIN };
	fds[jobs->nr] = (struct pollfd){ .fd = socket, .events = POLLIN };
	if (poll(fds, jobs->nr + 1, jobs->running ? RUNNING_MS : TICK_MS) < 0 && errno != EINTR)
		return log_syserr(errno, "cannot wait for the containers");
	if (fds[jobs->nr].revents)
		take_held(jobs, socket, verdict);
	for (i = 0; i < jobs->nr; i++) {
		j = &jobs->job[i];
		if (j->pidfd < 0)
			continue;
		if (fds[i].revents) {
			end(jobs, j, wait_status(j->pid));
		} else if (j->state == JOB_RUNNING && !fds[jobs->nr].revents &&
			   deadline_now() > j->deadline) {
			/* only when nobody has come: it may be he, and we who are late */
			kill_job(j);
			end(jobs, j, -ETIMEDOUT);
		} else if (j->state == JOB_RUNNING && jobs->running) {
			jobs->running(j, jobs->arg);
		}
	}
	return 0;
}

/* No more are started after a failure, or when the update is to be given up. */
static bool all_over(const struct jobs *jobs)
{
	bool failed = false, running = false, waiting = false;
	size_t i;

	for (i = 0; i < jobs->nr; i++) {
		failed |= jobs->job[i].state == JOB_FAILED;
		running |= jobs->job[i].state == JOB_RUNNING;
		waiting |= jobs->job[i].state == JOB_WAITING;
	}
	return !running && (!waiting || (failed && jobs->stop_at_failure) || interrupted());
}

static void say_who_runs(const struct jobs *jobs, int64_t *next)
{
	size_t i;

	if (deadline_now() < *next)
		return;
	*next = deadline_now() + STILL_WAITING_MS;
	for (i = 0; i < jobs->nr; i++)
		if (jobs->job[i].state == JOB_RUNNING)
			log_info("still waiting for container %s", jobs->job[i].container->name);
}

/* Two descriptors for each that is held; a login's limit is for some five hundred. */
static void allow_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int jobs_run(struct jobs *jobs)
{
	int64_t next = deadline_now() + STILL_WAITING_MS;
	_cleanup_(hold_close) int socket = -1;
	size_t i;
	int err = 0;

	if (jobs->hold) {
		allow_files();
		socket = hold_listen();
		if (socket < 0)
			return socket;
	}
	for (start_some(jobs); !err && !all_over(jobs); start_some(jobs)) {
		err = watch(jobs, socket, NULL);
		say_who_runs(jobs, &next);
	}
	/* who is still on the way there finds nobody, and goes on by itself */
	for (i = 0; !err && i < jobs->nr; i++)
		if (jobs->job[i].state == JOB_FAILED)
			err = -ECANCELED;
	if (!err && interrupted())
		err = log_refusal(-EINTR, "interrupted");
	return err;
}

void jobs_answer(struct jobs *jobs, bool go_on)
{
	_cleanup_(hold_close) int socket = -1;
	bool left = true;
	size_t i;

	jobs->event = NULL;
	for (i = 0; i < jobs->nr; i++) {
		if (jobs->job[i].state != JOB_HELD)
			continue;
		hold_answer(&jobs->job[i].held, go_on);
		jobs->job[i].state = JOB_RUNNING;
		jobs->job[i].deadline = deadline_in(jobs->seconds);
	}
	if (jobs->hold)
		socket = hold_listen();
	while (left && !watch(jobs, socket, &go_on))
		for (left = false, i = 0; i < jobs->nr; i++)
			left |= jobs->job[i].pidfd >= 0;
}

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

static int failures, out = STDOUT_FILENO;

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

/* Another program may have the port open for the moment it writes a line. */
static int open_report(const char *path)
{
	for (int i = 0; i < 50; i++) {
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

		if (fd >= 0 || errno != EBUSY)
			return fd;
		usleep(20000);
	}
	return -1;
}

static void emit(const char *verb, const char *name, const char *fmt, va_list ap)
{
	int saved = errno;
	char line[4096];
	const char *path = getenv("REPORT");
	size_t len;
	int fd;

	len = snprintf(line, 512, "%s %s%s", verb, name, *name ? ": " : "");
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	for (len = 0; line[len]; len++)
		if ((unsigned char)line[len] < ' ')
			line[len] = ' ';
	line[len++] = '\n';

	fflush(stdout);
	write_all(out, line, len);
	if (path && *path) {
		fd = open_report(path);
		if (fd >= 0) {
			write_all(fd, line, len);
			close(fd);
		} else {
			fprintf(stderr, "report: %s: %s\n", path, strerror(errno));
		}
	}
	errno = saved;
}

void pass(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("pass", "", fmt, ap);
	va_end(ap);
}

void fail(const char *name, const char *fmt, ...)
{
	va_list ap;

	failures++;
	va_start(ap, fmt);
	emit("fail", name, fmt, ap);
	va_end(ap);
}

void skip(const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("skip", name, fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("note", "", fmt, ap);
	va_end(ap);
}

static void emit_metric(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("metric", "", fmt, ap);
	va_end(ap);
}

void metric(const char *name, double value, const char *unit)
{
	emit_metric("%s %.10g %s", name, value, unit);
}

void report_to_stderr(void)
{
	out = STDERR_FILENO;
}

int report_status(void)
{
	return failures ? 1 : 0;
}

void die(const char *fmt, ...)
{
	int err = errno;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail("setup", "%s: %s", text, strerror(err));
	exit(2);
}

unsigned long long parse_bytes(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	switch (*end) {
	case 'g': case 'G':
		value <<= 10;
		/* fall through */
	case 'm': case 'M':
		value <<= 10;
		/* fall through */
	case 'k': case 'K':
		value <<= 10;
		end++;
	}
	if (end == text || *end) {
		errno = EINVAL;
		die("size '%s'", text);
	}
	return value;
}

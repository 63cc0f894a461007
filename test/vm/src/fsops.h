/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fsops.h - a case is a function that runs in a process of its own, its current
 * directory an empty directory on the filesystem under test. It returns when
 * all is well; a check that does not hold ends it with the reason. Files it
 * leaves behind are removed.
 */
#ifndef TEST_VM_FSOPS_H
#define TEST_VM_FSOPS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define PAGE	4096

struct fsops_case {
	const char *name;
	void (*run)(void);
};

/* One table a file, each ends with an empty entry. */
extern const struct fsops_case fsops_name_cases[];
extern const struct fsops_case fsops_data_cases[];
extern const struct fsops_case fsops_map_cases[];
extern const struct fsops_case fsops_meta_cases[];
extern const struct fsops_case fsops_node_cases[];
extern const struct fsops_case fsops_mount_cases[];
extern const struct fsops_case fsops_limits_cases[];

/* The filesystem under test, as given on the command line (absolute). */
extern const char *fsops_root;

void case_fail(int line, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
void case_skip(const char *reason) __attribute__((noreturn));

/* Holds, or the case fails. */
#define OK(expr) do {								\
	errno = 0;								\
	if (!(expr))								\
		case_fail(__LINE__, "%s (errno %d)", #expr, errno);		\
} while (0)

/* Both are integers and equal, or the case fails. */
#define EQ(expr, want) do {							\
	long long got_, want_ = (want);						\
										\
	errno = 0;								\
	got_ = (expr);								\
	if (got_ != want_)							\
		case_fail(__LINE__, "%s is %lld, not %lld (errno %d)", #expr,	\
			  got_, want_, errno);					\
} while (0)

/* A call that must return -1 with this errno. */
#define ERR(expr, error) do {							\
	long long got_;								\
										\
	errno = 0;								\
	got_ = (expr);								\
	if (got_ != -1 || errno != (error))					\
		case_fail(__LINE__, "%s is %lld errno %d, not " #error, #expr,	\
			  got_, errno);						\
} while (0)

/* What errno is now; EQ() and OK() have cleared it. */
#define ERRNO(want) do {							\
	int errno_ = errno;							\
										\
	if (errno_ != (want))							\
		case_fail(__LINE__, "errno is %d, not " #want, errno_);		\
} while (0)

/* Building blocks; each fails the case when it does not work. */
int make_file(const char *name, size_t len);		/* of pattern(); descriptor, read-write */
void write_file(const char *name, const char *text);
void expect_text(const char *name, const char *text);	/* the whole content */
unsigned char pattern(size_t pos);
void fill_pattern(unsigned char *buf, size_t pos, size_t len);
void expect_pattern(int fd, size_t pos, size_t len);
void expect_zero(int fd, size_t pos, size_t len);
bool exists(const char *name);
ino_t inode_of(const char *name);
nlink_t nlink_of(const char *name);
struct stat stat_of(const char *name);

/* Runs @fn as uid and gid @id without capabilities; what fails in it fails the case. */
void as_user(unsigned int id, void (*fn)(void));

/* 0, or the signal that @fn dies of. */
int signal_of(void (*fn)(void *arg), void *arg);

#endif

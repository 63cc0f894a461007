/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TEST_VM_TREE_H
#define TEST_VM_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* tree_make.c: a tree with everything below @dir; dies on failure. */
void tree_make(const char *dir, uint64_t seed, bool full);

/* tree_frames.c: "PATH INDEX PFN" of every page of every regular file. 0 or -errno. */
int tree_frames(const char *dir);

#endif

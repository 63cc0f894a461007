/* SPDX-License-Identifier: GPL-2.0 */
/*
 * commit.h - the images are given up: their memory is free, and there is no
 * way back to the old kernel any more.
 */
#ifndef REBOOTLESS_COMMIT_H
#define REBOOTLESS_COMMIT_H

#include <stdbool.h>

#include "common/manifest.h"

/*
 * Delete the images of all containers. Those of one that does not run are kept
 * and make it fail (-EBUSY, logged) unless force is set; then it is no longer
 * part of the update. CRIU's logs, the
 * timeline and the manifest stay until the next update.
 */
int commit(struct manifest *m, bool force);

#endif

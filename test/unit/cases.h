/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CASES_H
#define CASES_H

#include "shot.h"

struct refusal {
	const char *check;	/* that must refuse it */
	const char *name;
	void (*make)(struct shot *s);
};

/* Ended by a NULL name. */
extern const struct refusal refusals[];

#endif

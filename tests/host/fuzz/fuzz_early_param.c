// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz the value of kexec_stash=
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "walk_early.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *value = malloc(size + 1);
	const char *why;

	if (!value)
		return 0;
	memcpy(value, data, size);
	value[size] = '\0';
	why = walk_param(value);
	if (why) {
		fprintf(stderr, "kexec_stash=: %s\n", why);
		abort();
	}
	free(value);
	return 0;
}

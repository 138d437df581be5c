// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz the cpio with payloads
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "walk_early.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	void *initrd = malloc(size ? size : 1);	/* aligned, and watched at its end */
	const char *why;

	if (!initrd)
		return 0;
	memcpy(initrd, data, size);
	why = walk_cpio(initrd, size);
	if (why) {
		fprintf(stderr, "cpio: %s\n", why);
		abort();
	}
	free(initrd);
	return 0;
}

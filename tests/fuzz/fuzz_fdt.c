// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz the staged device tree: whatever passes kexec_fdt_check() is adopted, beside a running tree
 * that firmware could have made
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#include "fdt.h"
#include "seeds.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static void *running;
	size_t room;
	const char *why;
	void *staged, *fdt;

	if (!running)
		running = running_seed();
	staged = malloc(size ? size : 1);	/* aligned, and watched at its end */
	if (!staged)
		return 0;
	memcpy(staged, data, size);
	if (!kexec_fdt_check(staged, size, &why)) {
		room = size + kexec_fdt_adopt_space(running);
		fdt = malloc(room);
		if (fdt && !kexec_fdt_adopt(fdt, room, staged, running) &&
		    kexec_fdt_check(fdt, fdt_totalsize(fdt), &why)) {
			fprintf(stderr, "the new tree %s\n", why);
			abort();
		}
		free(fdt);
	}
	free(staged);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz the staged device tree: a tree that passes kexec_fdt_check() is adopted, beside a running
 * tree that firmware could have made
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#include "fdt.h"
#include "seeds.h"

static void demand(bool bad, const char *why)
{
	if (!bad)
		return;
	fprintf(stderr, "fdt: %s\n", why);
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct kexec_fdt_slot slots[] = {
		{ "b", 0x60000000, 0x8000000 },
		{ "c", 0x68000000, 0x8000000 },
	};
	struct kexec_fdt_adoption from = { .slots = slots, .nr_slots = 2 };
	static void *running;
	size_t room;
	const char *why, *bootargs;
	void *staged, *fdt;
	bool bad;

	if (!running)
		running = running_seed();
	staged = malloc(size ? size : 1);	/* aligned, and watched at its end */
	if (!staged)
		return 0;
	memcpy(staged, data, size);
	if (!kexec_fdt_check(staged, size, &why)) {
		from.staged = staged;
		from.running = running;
		room = size + kexec_fdt_adopt_space(size, running);
		fdt = malloc(room);
		if (fdt && kexec_fdt_adopt(fdt, room, &from)) {
			demand(!*from.why, "no reason");
		} else if (fdt) {
			bad = kexec_fdt_check(fdt, fdt_totalsize(fdt), &why);
			demand(bad, "the new tree is bad");
		}
		free(fdt);
		kexec_fdt_bootargs(staged, &bootargs, &why);
		if (bootargs)
			demand(strnlen(bootargs, size) == size, "bootargs without end");
	}
	free(staged);
	return 0;
}

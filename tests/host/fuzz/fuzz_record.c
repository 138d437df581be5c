// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz the record: any bytes that pass fdt_check_header() are read, written to and removed from
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#include "sane.h"
#include "seeds.h"

static void demand(const char *why)
{
	if (!why)
		return;
	fprintf(stderr, "record: %s\n", why);
	abort();
}

/* As Linux does it: write a full record into a tree that may hold anything */
static void write_and_remove(const void *tree, size_t size)
{
	struct kexec_stash_record rec = record_seed();
	size_t roomy = size + kexec_stash_record_space(&rec);
	void *fdt = malloc(roomy);
	int ret;

	if (!fdt)
		return;
	memcpy(fdt, tree, size);
	/* Without room, with its own room, and with enough if libfdt can put it in order */
	kexec_stash_record_write(fdt, &rec);
	if (!fdt_check_header(fdt))
		demand(walk_records(fdt));
	/*
	 * Before version 17 nobody looks at how long the strings are said to be;
	 * a tree may be whole then, and no more once libfdt has made it a 17. Nor
	 * has a tree room to spare whose blocks overlap: libfdt takes them apart.
	 */
	if (!fdt_check_full(tree, size) && !fdt_open_into(tree, fdt, roomy) &&
	    !fdt_check_full(fdt, roomy) &&
	    fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt) <= size) {
		ret = kexec_stash_record_write(fdt, &rec);
		if (ret && ret != -EINVAL && ret != -ERANGE && ret != -EEXIST)
			demand("there was room, but not enough");
		if (fdt_check_full(fdt, roomy))
			demand("writing broke the tree");
		demand(walk_records(fdt));
		ret = kexec_stash_record_remove(fdt, rec.label);
		if (ret)
			demand("cannot be removed from a whole tree");
		if (fdt_check_full(fdt, roomy))
			demand("removing broke the tree");
	}
	free(fdt);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	void *tree;

	if (size < sizeof(struct fdt_header))
		return 0;
	tree = malloc(size);	/* aligned, and watched at its end */
	if (!tree)
		return 0;
	memcpy(tree, data, size);
	if (!fdt_check_header(tree) && fdt_totalsize(tree) <= size) {
		demand(walk_records(tree));
		write_and_remove(tree, fdt_totalsize(tree));
	}
	free(tree);
	return 0;
}

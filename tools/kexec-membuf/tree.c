// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device trees that came from outside
 */

#include "tree.h"

#include <libfdt.h>

/* Since this version (of 2005) nodes have names, not paths */
#define FDT_VERSION_NAMES	16

int tree_check(const void *buf, u64 size)
{
	/* Of an older one, fdt_check_full() of libfdt 1.6 follows a name that is not there */
	if (size >= sizeof(struct fdt_header) && fdt_magic(buf) == FDT_MAGIC &&
	    fdt_version(buf) < FDT_VERSION_NAMES)
		return -FDT_ERR_BADVERSION;
	return fdt_check_full(buf, size);
}

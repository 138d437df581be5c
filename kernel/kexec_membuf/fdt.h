/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The next kernel's device tree: nothing but libfdt, tested on the host too
 */
#ifndef _KEXEC_MEMBUF_FDT_H
#define _KEXEC_MEMBUF_FDT_H

#include <linux/types.h>

size_t kexec_fdt_adopt_space(const void *running);
int kexec_fdt_check(const void *dtb, u64 size, const char **why);
int kexec_fdt_adopt(void *fdt, size_t size, const void *staged,
		    const void *running);
int kexec_fdt_drop_slots(void *fdt);
int kexec_fdt_keep_range(void *fdt, u64 base, u64 size);
int kexec_fdt_unreserve(void *fdt, u64 base, u64 size);
bool kexec_fdt_overlaps_memreserve(const void *fdt, u64 base, u64 size);
bool kexec_fdt_only_slots(const void *fdt, int node);
int kexec_fdt_squeeze(void *fdt);

#endif /* _KEXEC_MEMBUF_FDT_H */

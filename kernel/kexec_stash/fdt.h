/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The next kernel's device tree: nothing but libfdt, tested on the host too
 */
#ifndef _KEXEC_STASH_FDT_H
#define _KEXEC_STASH_FDT_H

#include <linux/types.h>

/*
 * kexec_fdt_copy_node() calls itself for each level of the running tree. No
 * tree that firmware makes is deeper.
 */
#define KEXEC_FDT_MAX_DEPTH 16

#define KEXEC_FDT_WHY_LEN 160

/**
 * struct kexec_fdt_slot - memory that no node of a staged tree may claim
 * @label: the slot's name
 * @base: physical address of its first byte
 * @size: its size in bytes
 */
struct kexec_fdt_slot {
	const char *label;
	u64 base;
	u64 size;
};

/**
 * struct kexec_fdt_adoption - what the next kernel's tree is made from
 * @fdt: the next kernel's tree, writable; set by kexec_fdt_adopt()
 * @staged: the staged tree, which kexec_fdt_check() found to be whole
 * @running: the running tree
 * @slots: all slots
 * @nr_slots: how many there are
 * @why: set to what is wrong with the staged tree, on failure
 */
struct kexec_fdt_adoption {
	void *fdt;
	const void *staged;
	const void *running;
	const struct kexec_fdt_slot *slots;
	unsigned int nr_slots;
	char why[KEXEC_FDT_WHY_LEN];
};

/* fdt.c */
int kexec_fdt_check(const void *dtb, u64 size, const char **why);
int kexec_fdt_bootargs(const void *dtb, const char **bootargs,
		       const char **why);
int kexec_fdt_keep_range(void *fdt, u64 base, u64 size);
int kexec_fdt_unreserve(void *fdt, u64 base, u64 size);
bool kexec_fdt_overlaps_memreserve(const void *fdt, u64 base, u64 size);
int kexec_fdt_forget_payloads(void *fdt, int parent, unsigned int but);
int kexec_fdt_squeeze(void *fdt);

/* fdt_adopt.c */
size_t kexec_fdt_adopt_space(size_t staged_size, const void *running);
int kexec_fdt_adopt(void *fdt, size_t size, struct kexec_fdt_adoption *trees);

/* fdt_copy.c */
u64 kexec_fdt_read_cells(const void *prop, int cells);
bool kexec_fdt_is_kind(const void *fdt, int node, const char *kind);
bool kexec_fdt_same_cells(const struct kexec_fdt_adoption *trees, int node,
			  int src);
int kexec_fdt_make_subnode(void *fdt, int parent, const char *name);
int kexec_fdt_del_props(void *fdt, int node, const char *const *prefixes);
int kexec_fdt_copy_named(const struct kexec_fdt_adoption *trees, int node,
			 int src, const char *const *names);
int kexec_fdt_mirror_named(const struct kexec_fdt_adoption *trees, int node,
			   int src, const char *const *names);
int kexec_fdt_copy_props(const struct kexec_fdt_adoption *trees, int node,
			 int src, bool replace);
int kexec_fdt_copy_node(const struct kexec_fdt_adoption *trees, int parent,
			int src, int depth);

/* fdt_firmware.c */
int kexec_fdt_copy_firmware(struct kexec_fdt_adoption *trees);

#endif /* _KEXEC_STASH_FDT_H */

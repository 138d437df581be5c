/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel parameter that asks for slots; tested on the host too
 */
#ifndef _KEXEC_STASH_PARAM_H
#define _KEXEC_STASH_PARAM_H

#include <linux/kexec_stash_record.h>
#include <linux/types.h>

/**
 * struct kexec_stash_want - one slot that kexec_stash= asks for
 * @label: its name, "" if that could not be read
 * @base: physical address of its first byte, if @fixed
 * @size: its size in bytes
 * @fixed: an address was given
 */
struct kexec_stash_want {
	char label[KEXEC_STASH_LABEL_LEN];
	u64 base;
	u64 size;
	bool fixed;
};

int kexec_stash_param_next(const char **pos, struct kexec_stash_want *want,
			   const char **why);

#endif /* _KEXEC_STASH_PARAM_H */

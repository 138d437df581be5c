/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEXEC_STASH_FS_H
#define _KEXEC_STASH_FS_H

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kexec_stash_record.h>
#include <linux/list.h>
#include <linux/types.h>

struct kexec_slot;

/*
 * The command line is a file of the payload too, but lies in struct kexec_slot,
 * not in the slot
 */
#define KEXEC_SLOT_CMDLINE KEXEC_STASH_NR_FILES
#define KEXEC_SLOT_NR_FILES (KEXEC_STASH_NR_FILES + 1)

/**
 * enum kexec_slot_fact - what a slot's directory shows beside the payload
 * @KEXEC_SLOT_STATE: its state
 * @KEXEC_SLOT_ORIGIN: who staged
 * @KEXEC_SLOT_BASE: its physical address
 * @KEXEC_SLOT_SIZE: its size in bytes
 * @KEXEC_SLOT_VERIFIED: whether a load need not look at its bytes again, but for
 *	IMA
 * @KEXEC_SLOT_REASON: why its payload was not taken last
 * @KEXEC_SLOT_RELEASE: to be written to
 * @KEXEC_SLOT_NR_FACTS: how many there are
 */
enum kexec_slot_fact {
	KEXEC_SLOT_STATE,
	KEXEC_SLOT_ORIGIN,
	KEXEC_SLOT_BASE,
	KEXEC_SLOT_SIZE,
	KEXEC_SLOT_VERIFIED,
	KEXEC_SLOT_REASON,
	KEXEC_SLOT_RELEASE,
	KEXEC_SLOT_NR_FACTS
};

/**
 * struct kexec_slot_fs - a slot's files as user space sees them
 * @inodes: of the payload's files; NULL before there are any
 * @xattrs: extended attributes of each file, of the stash's own cache
 * @writers: how often files are open for writing
 */
struct kexec_slot_fs {
	struct inode *inodes[KEXEC_SLOT_NR_FILES];
	struct list_head xattrs[KEXEC_SLOT_NR_FILES];
	unsigned int writers;
};

/* fs.c */
int __init kexec_fs_init(void);
void kexec_slot_fs_init(struct kexec_slot *slot);
struct kexec_slot *kexec_stash_file_slot(struct file *file, unsigned int *id);
void __init kexec_slot_take_signature(struct kexec_slot *slot, unsigned int id,
				      const u8 *signature, u32 len);

/*
 * Inode numbers: the root, a block for each slot with its directory first, then
 * the payload's files, and then the facts
 */
#define KEXEC_SLOT_INO(slot) (((slot) + 1UL) << 8)

static inline unsigned int kexec_inode_slot_nr(const struct inode *inode)
{
	return (inode->i_ino >> 8) - 1;
}

static inline unsigned int kexec_inode_entry(const struct inode *inode)
{
	return (inode->i_ino & 0xff) - 1;
}

/* facts.c */
extern const struct file_operations kexec_slot_fact_fops;
const char *kexec_slot_fact_name(unsigned int fact);
umode_t kexec_slot_fact_mode(unsigned int fact);

/* mmap.c */
int kexec_slot_mmap_prepare(struct vm_area_desc *desc);

#endif /* _KEXEC_STASH_FS_H */

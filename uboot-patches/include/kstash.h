/* SPDX-License-Identifier: GPL-2.0+ */
/*
 * Stash: ranges of RAM ("slots") that U-Boot sets aside and fills with a payload (kernel, initrd,
 * dtb and command line) for a later kexec of the operating system
 *
 * The operating system learns of them from the records that are written into its device tree, see
 * linux/kexec_stash_record.h
 *
 * Each function that fails says why in one line on the console, naming the slot and the file.
 */

#ifndef __KSTASH_H
#define __KSTASH_H

#include <linux/kexec_stash_layout.h>

/* Instead of a slot's address: take any range there is, as high as possible */
#define KSTASH_ANYWHERE	(~0ULL)

/**
 * kstash_init() - set up the slots that the control dtb and the environment ask for
 *
 * Those are the records in the control dtb's /reserved-memory, and the environment variable
 * kstash_slots: "label:size[@address],...". It is done once; all functions below see to it
 * themselves. A slot that cannot be had is named on the console and left out.
 */
void kstash_init(void);

/**
 * kstash_uninit() - forget all slots and give their ranges back
 *
 * The next use reads control dtb and environment again.
 */
void kstash_uninit(void);

/**
 * kstash_read_fdt() - take over the records of a tree
 * @fdt: the flattened tree, which must stay where it is while the slots are used
 *
 * Files that an earlier boot stage has put into a slot are kept as they are.
 */
void kstash_read_fdt(const void *fdt);

/**
 * kstash_reserve() - make a slot
 * @label: its name
 * @size: its size in bytes, a multiple of 2 MiB
 * @base: its address, a multiple of 2 MiB, or KSTASH_ANYWHERE
 *
 * The range is taken from LMB, so that nothing else is put there.
 *
 * Return: 0, -EINVAL for a bad label, size or address, -EEXIST if there is a slot of this name,
 * -ENOSPC if there are too many slots or no such range is free, -EBUSY if something else has taken
 * the range
 */
int kstash_reserve(const char *label, u64 size, u64 base);

/**
 * kstash_parse_size() - read a size (or an address)
 * @str: hexadecimal number, as U-Boot has them, or a decimal number followed by K, M or G
 * @val: set to the number
 *
 * Return: 0, or -EINVAL (without a word) if it is no such number
 */
int kstash_parse_size(const char *str, u64 *val);

/**
 * kstash_find() - look up a slot
 * @label: its name
 *
 * Return: its record, or NULL (without a word) if there is none of this name
 */
const struct kexec_stash_record *kstash_find(const char *label);

/**
 * kstash_load() - read a file into a slot
 * @label: the slot
 * @id: which file of the payload it is
 * @ifname: interface to read from, e.g. "virtio"
 * @dev_part: device and partition, e.g. "0:1", or NULL for the default
 * @filename: path of the file
 *
 * It is read straight to where it stays. Its place is found before anything is overwritten: if it
 * does not fit or, for a kernel, is no arm64 Image, the slot stays as it was. If reading fails
 * later, the slot is without this file.
 *
 * Return: 0, -ENODEV if there is no such device, -ENOENT if there is no such slot or file, -ENOSPC
 * if there is no room for it, -ENOEXEC or -EINVAL for a file of the wrong kind, -EIO if it could
 * not be read
 */
int kstash_load(const char *label, enum kexec_stash_file_id id, const char *ifname,
		const char *dev_part, const char *filename);

/**
 * kstash_add() - copy a file from memory into a slot
 * @label: the slot
 * @id: which file of the payload it is
 * @addr: physical address of its first byte
 * @size: its size in bytes
 *
 * Return: 0, or an error as for kstash_load()
 */
int kstash_add(const char *label, enum kexec_stash_file_id id, u64 addr, u64 size);

/**
 * kstash_load_signature() - read a file's detached signature
 * @label: the slot
 * @id: the file that is signed, which must be there
 * @ifname: interface to read from, e.g. "virtio"
 * @dev_part: device and partition, e.g. "0:1", or NULL for the default
 * @filename: path of what "evmctl ima_sign --sigfile" wrote
 *
 * It is not checked here: Linux finds it as security.ima of the file, and IMA judges by its policy.
 * Staging the file anew drops it. A dtb that has one gets no fix-ups; one that has had them takes
 * none.
 *
 * Return: 0, -ENODEV if there is no such device, -ENOENT if there is no such slot, no file to be
 * signed or none of this name, -EINVAL if it is no such signature, -EIO if it could not be read,
 * -ENOMEM
 */
int kstash_load_signature(const char *label, enum kexec_stash_file_id id, const char *ifname,
			  const char *dev_part, const char *filename);

/**
 * kstash_add_signature() - take a file's detached signature from memory
 * @label: the slot
 * @id: the file that is signed
 * @addr: physical address of its first byte
 * @size: its size in bytes
 *
 * Return: 0, or an error as for kstash_load_signature()
 */
int kstash_add_signature(const char *label, enum kexec_stash_file_id id, u64 addr, u64 size);

/**
 * kstash_set_bootargs() - set the command line of a slot's payload
 * @label: the slot
 * @bootargs: the command line; "" for none
 *
 * Return: 0, -ENOENT if there is no such slot, -E2BIG if it is too long, -ENOMEM
 */
int kstash_set_bootargs(const char *label, const char *bootargs);

/**
 * kstash_erase() - empty a slot
 * @label: the slot, which keeps its range
 *
 * Return: 0, or -ENOENT if there is no such slot
 */
int kstash_erase(const char *label);

/**
 * kstash_show_list() - show all slots and what is in them
 */
void kstash_show_list(void);

/**
 * kstash_fixup() - write the records of all slots into a tree
 * @fdt: the flattened tree of the operating system, all other fix-ups done
 *
 * A dtb that was staged by this U-Boot gets the fix-ups of this board first, in its slot, unless it
 * is signed. A slot over which the tree has reserved memory gets no record. It is no reason to stop
 * the boot if something here fails: what does not work out is left out, and said.
 */
void kstash_fixup(void *fdt);

/*
 * What follows is for those who put something into memory without asking LMB for it
 */
#if CONFIG_IS_ENABLED(KSTASH)

/**
 * kstash_guard() - refuse what would be put over a slot
 * @what: what it is, for the message
 * @addr: physical address of its first byte
 * @size: its size in bytes
 *
 * Return: 0, or -EBUSY (with a line on the console) if some of it would lie in a slot
 */
int kstash_guard(const char *what, u64 addr, u64 size);

/**
 * kstash_room() - room for something whose size is not known yet
 * @addr: physical address of its first byte
 * @size: the most that it may have, in bytes
 *
 * Return: the most of @size that reaches into no slot; 0 if @addr lies in one
 */
u64 kstash_room(u64 addr, u64 size);

/**
 * kstash_fdt_space() - room for the records in the tree of the operating system
 *
 * Return: bytes that the tree must have to spare for kstash_fixup()
 */
u32 kstash_fdt_space(void);

#else

static inline int kstash_guard(const char *what, u64 addr, u64 size)
{
	return 0;
}

static inline u64 kstash_room(u64 addr, u64 size)
{
	return size;
}

static inline u32 kstash_fdt_space(void)
{
	return 0;
}

#endif

#endif /* __KSTASH_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the slots as the stash's file system shows them
 */
#ifndef SLOT_H
#define SLOT_H

#include <linux/kexec_stash_record.h>

#define STASH_FSTYPE	"kexec_stash"

/* Longer than any state or origin there is, the NUL included */
#define SLOT_WORD_LEN	16

/* Longer than any reason, the NUL included */
#define SLOT_REASON_LEN	1024

/**
 * struct slot - a slot
 * @name: its name
 * @state: "empty", "staged", "loaded", "running", "bad" or "released"
 * @origin: who staged the payload: "firmware", "early", "runtime", or "none"
 * @base: physical address of its first byte
 * @size: its size in bytes; 0 where only root may know, as for @base
 * @verified: the kernel has checked all digests and sealed it: a load need not look at its bytes,
 *	but for IMA
 * @file_size: sizes of the payload's files in bytes, 0 for those that are not there
 */
struct slot {
	char name[KEXEC_STASH_LABEL_LEN];
	char state[SLOT_WORD_LEN];
	char origin[SLOT_WORD_LEN];
	u64 base;
	u64 size;
	bool verified;
	u64 file_size[KEXEC_STASH_NR_FILES];
};

/**
 * stash_open() - open the stash's file system
 * @root: descriptor of the root directory; tests give another one
 *
 * It is mounted if it is not and the caller is root.
 *
 * Return: descriptor of its root directory, or -1 after a message.
 */
int stash_open(int root);

/**
 * slots_read() - read all slots
 * @stash: descriptor from stash_open()
 * @slots: set to an array in the order of names, to be freed
 * @count: set to the number of slots
 *
 * Return: true, or false after a message.
 */
bool slots_read(int stash, struct slot **slots, size_t *count);

/**
 * slot_read() - read one slot
 * @stash: descriptor from stash_open()
 * @name: its name, any string
 * @slot: filled in
 *
 * The message for a slot that does not exist names those that do.
 *
 * Return: true, or false after a message.
 */
bool slot_read(int stash, const char *name, struct slot *slot);

/**
 * slot_read_loaded() - find the slot whose payload is the kexec image
 * @stash: descriptor from stash_open()
 * @slot: filled in; its name is "" if the image is no slot's
 *
 * Return: true, or false after a message.
 */
bool slot_read_loaded(int stash, struct slot *slot);

/**
 * slot_reason() - why the kernel refused a slot's payload last
 * @stash: descriptor from stash_open()
 * @name: the slot's name
 * @reason: SLOT_REASON_LEN bytes, set to the reason, printable
 *
 * Return: 1; 0 if there is none, since the last load, check or change was not refused; or -errno:
 * -ENOENT where the kernel keeps no reasons.
 */
int slot_reason(int stash, const char *name, char *reason);

/**
 * slot_open_kernel() - open a slot's kernel, for a load
 * @stash: descriptor from stash_open()
 * @name: the slot's name
 *
 * Return: the descriptor, or -1 after a message.
 */
int slot_open_kernel(int stash, const char *name);

/**
 * slot_path() - path of one of a slot's files below the stash's directory
 * @slot: the slot's name
 * @file: name of the file
 *
 * Return: the path, to be freed.
 */
char *slot_path(const char *slot, const char *file);

#endif /* SLOT_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots: what is in them, how they are changed, and why the kernel refuses one
 */
#ifndef SLOT_H
#define SLOT_H

#include <linux/kexec_stash_layout.h>

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
 * slot_find() - find the slot that is in a state
 * @stash: descriptor from stash_open()
 * @state: "loaded" or "running", of which there is one at most
 * @slot: filled in; its name is "" if there is none
 *
 * Return: true, or false after a message.
 */
bool slot_find(int stash, const char *state, struct slot *slot);

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
 * struct slot_path - path of one of a slot's files below the stash's directory
 * @str: the path
 */
struct slot_path {
	char str[KEXEC_STASH_LABEL_LEN + SLOT_WORD_LEN];
};

/**
 * slot_path() - make such a path
 * @slot: the slot's name
 * @file: name of the file
 *
 * Return: the path.
 */
struct slot_path slot_path(const char *slot, const char *file);

/* What a payload says of itself */

/**
 * tree_check() - check all of a tree, before libfdt is asked for anything in it
 * @buf: the tree
 * @size: bytes there are at @buf
 *
 * Return: 0 or a libfdt error.
 */
int tree_check(const void *buf, u64 size);

/**
 * struct dtb_info - what a device tree says of the machine it is for
 * @model: the root's model, made printable, or NULL
 * @compatible: the root's compatible strings, made printable
 * @nr_compatible: how many there are
 */
struct dtb_info {
	char *model;
	char **compatible;
	int nr_compatible;
};

/**
 * struct payload - what is in a slot, beyond the sizes of its files
 * @cmdline: the command line, made printable, "" if there is none
 * @cmdline_why: why it could not be read, or NULL
 * @image: header of the kernel, if there is one and @kernel_why is NULL
 * @kernel_why: what is wrong with the kernel, or NULL
 * @dtb: what the dtb says, if there is one and @dtb_why is NULL
 * @dtb_why: what is wrong with the dtb, or NULL
 */
struct payload {
	char cmdline[KEXEC_STASH_BOOTARGS_LEN];
	const char *cmdline_why;
	struct kexec_stash_image image;
	const char *kernel_why;
	struct dtb_info dtb;
	const char *dtb_why;
};

/**
 * dtb_read() - read a device tree that is not trusted
 * @buf: the tree, aligned to 8 bytes
 * @size: bytes there are at @buf
 * @info: filled in, to be freed with dtb_free(), also on failure
 *
 * Return: NULL, or what is wrong with the tree.
 */
const char *dtb_read(const void *buf, size_t size, struct dtb_info *info);

/**
 * dtb_free() - free what dtb_read() filled in
 * @info: all zero afterwards
 */
void dtb_free(struct dtb_info *info);

/**
 * payload_read() - read a slot's payload
 * @stash: descriptor from stash_open()
 * @slot: the slot
 * @payload: filled in; its @dtb is to be freed with dtb_free(). What could not be read or is
 *	broken has its reason beside it
 */
void payload_read(int stash, const struct slot *slot, struct payload *payload);

/* What could prove a payload: told, not judged, which is the kernel's to do */

/* As much of a PE image's start as has the header that is looked for */
#define PE_HEAD_LEN	4096

/* The end of a key's identifier in hexadecimal, the NUL included */
#define KEY_ID_LEN	9

/**
 * struct signatures - what could prove a payload's file
 * @recorded: algorithm of the digest that was recorded at boot, or NULL
 * @ima: what security.ima holds, or NULL
 * @key: whose signature that is, "" if it is none
 * @key_known: there is such a key in /proc/keys
 * @appended: a signature is appended to the file
 * @pe: the file is a PE image with a signature
 */
struct signatures {
	const char *recorded;
	const char *ima;
	char key[KEY_ID_LEN];
	bool key_known;
	bool appended;
	bool pe;
};

/**
 * signatures_read() - look for what could prove the files of a slot
 * @root: descriptor of the root directory; tests give another one
 * @stash: descriptor from stash_open()
 * @slot: the slot
 * @sigs: filled in, KEXEC_STASH_NR_FILES of them; all zero for a file that is not there
 *
 * What cannot be read is not there.
 */
void signatures_read(int root, int stash, const struct slot *slot, struct signatures *sigs);

/**
 * signature_ima() - find out what security.ima holds
 * @buf: its content, which is not trusted
 * @len: how many bytes there are
 * @sigs: @ima and @key are filled in
 */
void signature_ima(const u8 *buf, size_t len, struct signatures *sigs);

/**
 * signature_pe() - find out whether a PE image has a signature
 * @head: the file's first bytes, which are not trusted
 * @len: how many there are; PE_HEAD_LEN are enough
 *
 * Return: true if it has one; false for what is no PE image.
 */
bool signature_pe(const u8 *head, size_t len);

/* Changing a payload, all of it or nothing */

/* The payload's files, the command line included */
#define SLOT_CMDLINE		KEXEC_STASH_NR_FILES
#define SLOT_NR_FILES		(SLOT_CMDLINE + 1)

/**
 * struct slot_writer - who writes a payload into a slot
 * @stash: descriptor from stash_open()
 * @slot: the slot, as it was before
 * @kernel: descriptor of its kernel, open for writing as long as the payload is not complete
 * @out: descriptor of the file that is being written
 * @back: the same to read from
 * @check: room to read back what was written
 * @size: how much was written of each file
 */
struct slot_writer {
	int stash;
	const struct slot *slot;
	int kernel;
	int out;
	int back;
	u8 *check;
	u64 size[SLOT_NR_FILES];
};

/**
 * slot_file_name() - name of a payload's file
 * @id: enum kexec_stash_file_id or SLOT_CMDLINE
 *
 * Return: the name.
 */
const char *slot_file_name(unsigned int id);

/**
 * slot_lock() - keep others from staging into a slot or erasing it
 * @stash: descriptor from stash_open()
 * @name: the slot's name
 *
 * Return: a descriptor that keeps it locked until it is closed, or -1 after a message.
 */
int slot_lock(int stash, const char *name);

/**
 * slot_changeable() - whether a slot's payload can be changed
 * @slot: the slot
 *
 * Return: true, or false after a message.
 */
bool slot_changeable(const struct slot *slot);

/**
 * slot_empty() - empty all files of a payload
 * @stash: descriptor from stash_open()
 * @name: the slot's name
 *
 * Return: true, or false after a message.
 */
bool slot_empty(int stash, const char *name);

/**
 * slot_writer_begin() - open a slot to be staged into; nothing is changed yet
 * @writer: filled in, to be ended with slot_writer_end() also on failure
 * @stash: descriptor from stash_open()
 * @slot: the slot, locked; stays the caller's
 *
 * Return: true, or false after a message.
 */
bool slot_writer_begin(struct slot_writer *writer, int stash, const struct slot *slot);

/**
 * slot_writer_empty() - empty the slot
 * @writer: the writer
 *
 * From here on the slot is empty or bad until slot_writer_commit(), and whatever ends the program
 * leaves it so. Signals are held back until slot_writer_end(), see interrupted().
 *
 * Return: true, or false after a message.
 */
bool slot_writer_empty(struct slot_writer *writer);

/**
 * slot_writer_open() - be done with the file before, if any, and begin with one of the files
 * @writer: the writer
 * @id: the file; the kernel is the first one
 *
 * Return: true, or false after a message.
 */
bool slot_writer_open(struct slot_writer *writer, unsigned int id);

/**
 * slot_writer_write() - write the next bytes of a file, and compare them
 * @writer: the writer
 * @id: the file, opened with slot_writer_open()
 * @buf: the bytes
 * @len: how many there are, at most UNPACK_PIECE_LEN or a little more
 * @room: bytes of room there are for the file, for the message
 *
 * Return: true, or false after a message.
 */
bool slot_writer_write(struct slot_writer *writer, unsigned int id, const u8 *buf, size_t len,
		       u64 room);

/**
 * slot_writer_commit() - the payload is complete
 * @writer: the writer
 * @slot: filled in with the slot as it is now
 *
 * Return: true if it is staged now, or false after a message.
 */
bool slot_writer_commit(struct slot_writer *writer, struct slot *slot);

/**
 * slot_writer_end() - let go of the slot
 * @writer: the writer, or one that is all zero
 *
 * It is empty afterwards if it was touched and slot_writer_commit() did not succeed. If there was a
 * signal, the program ends by it.
 */
void slot_writer_end(struct slot_writer *writer);

/* What errors mean, and what to do */

/**
 * enum action - what an error came from
 * @ACTION_LOAD: kexec_file_load()
 * @ACTION_CHANGE: writing to a payload, or emptying it
 * @ACTION_RELEASE: giving a slot's memory back
 */
enum action {
	ACTION_LOAD = 1,
	ACTION_CHANGE = 2,
	ACTION_RELEASE = 4
};

/**
 * explain() - what an error means
 * @action: what it came from
 * @err: a positive errno
 * @todo: set to what to do about it, half a sentence; NULL where only the kernel's reason tells
 *
 * Return: why it failed, half a sentence.
 */
const char *explain(enum action action, int err, const char **todo);

/* Room for what refusal_read() writes */
#define REFUSAL_LEN	(SLOT_REASON_LEN + 256)

/**
 * refusal_read() - find out why the kernel refused a load or a check
 * @root: descriptor of the root directory, where sysctls and capabilities are looked up
 * @stash: descriptor from stash_open()
 * @slot: the slot's name, or NULL for an error that is no slot's
 * @err: the error, a positive errno
 * @line: REFUSAL_LEN bytes, filled in: the kernel's own reason, or what the error means, the
 *	error's name, and what to do
 */
void refusal_read(int root, int stash, const char *slot, int err, char *line);

/* The loaded image, as /sys/kernel/kexec shows it */

/**
 * kexec_is_loaded() - whether an image is loaded
 * @root: descriptor of the root directory; tests give another one
 * @loaded: set
 *
 * Return: true, or false after a message.
 */
bool kexec_is_loaded(int root, bool *loaded);

/**
 * kexec_copy_bytes() - how many bytes will be copied when the loaded image is started
 * @root: descriptor of the root directory; tests give another one
 * @bytes: set; counted by the kernel from the image's own entry list
 *
 * Return: true, or false after a message.
 */
bool kexec_copy_bytes(int root, u64 *bytes);

#endif /* SLOT_H */

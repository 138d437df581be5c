/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record: how a kexec stash slot and its payload are described in the
 * device tree.
 *
 * Shared by Linux, U-Boot, the tool and the unit tests. It needs libfdt and
 * nothing else: no allocation, no globals, every offset and length from the
 * tree checked before it is used.
 *
 * What a tree must have passed before any of these functions sees it is
 * fdt_check_header(), and fdt_totalsize() bytes of it must be there: libfdt
 * built without assumptions (an FDT_ASSUME_MASK of 0, as in Linux and U-Boot
 * proper, not in SPL) stays inside them whatever they hold. fdt_check_full() is
 * not asked for: Linux does not link it. To write, the tree must also be of
 * version 17 with its blocks in order, as fdt_open_into() leaves it; -EINVAL
 * otherwise.
 *
 * Binding:
 * Documentation/devicetree/bindings/reserved-memory/linux,kexec-stash.yaml
 */
#ifndef _LINUX_KEXEC_STASH_RECORD_H
#define _LINUX_KEXEC_STASH_RECORD_H

#include <linux/sizes.h>
#include <linux/types.h>

#define KEXEC_STASH_COMPATIBLE "linux,kexec-stash"

/*
 * Base and size of a slot are multiples of this (booting.rst asks for it of the
 * kernel's base)
 */
#define KEXEC_STASH_ALIGN SZ_2M

/*
 * Offsets of initrd and dtb are multiples of this, the largest page size a
 * kernel may have
 */
#define KEXEC_STASH_FILE_ALIGN SZ_64K

/* The file of a payload that does not lie in the slot */
#define KEXEC_STASH_CMDLINE "cmdline"

#define KEXEC_STASH_SLOTS_MAX 8
#define KEXEC_STASH_LABEL_LEN 32 /* with the NUL */
#define KEXEC_STASH_BOOTARGS_LEN \
	2048 /* with the NUL; arm64's COMMAND_LINE_SIZE */
#define KEXEC_STASH_SIGNATURE_LEN 1024
/* First byte of a detached signature: IMA's EVM_IMA_XATTR_DIGSIG */
#define KEXEC_STASH_SIGNATURE_TYPE 3
#define KEXEC_STASH_DIGEST_LEN 64

/**
 * enum kexec_stash_file_id - the files of a payload that lie in the slot
 * @KEXEC_STASH_KERNEL: an arm64 Image, at offset 0
 * @KEXEC_STASH_INITRD: behind the memory that the kernel owns (its image_size)
 * @KEXEC_STASH_DTB: the device tree as staged
 * @KEXEC_STASH_NR_FILES: how many there are
 */
enum kexec_stash_file_id {
	KEXEC_STASH_KERNEL,
	KEXEC_STASH_INITRD,
	KEXEC_STASH_DTB,
	KEXEC_STASH_NR_FILES
};

/**
 * enum kexec_stash_origin - who staged a payload
 * @KEXEC_STASH_FIRMWARE: the bootloader; the record has no origin property then
 * @KEXEC_STASH_EARLY: early kernel code
 * @KEXEC_STASH_RUNTIME: user space
 * @KEXEC_STASH_NR_ORIGINS: how many there are
 */
enum kexec_stash_origin {
	KEXEC_STASH_FIRMWARE,
	KEXEC_STASH_EARLY,
	KEXEC_STASH_RUNTIME,
	KEXEC_STASH_NR_ORIGINS
};

/**
 * enum kexec_stash_hash - hash algorithms that a record may name
 * @KEXEC_STASH_HASH_NONE: no digest is recorded
 * @KEXEC_STASH_SHA256: "sha256", 32 bytes
 * @KEXEC_STASH_SHA384: "sha384", 48 bytes
 * @KEXEC_STASH_SHA512: "sha512", 64 bytes
 * @KEXEC_STASH_NR_HASHES: how many there are
 */
enum kexec_stash_hash {
	KEXEC_STASH_HASH_NONE,
	KEXEC_STASH_SHA256,
	KEXEC_STASH_SHA384,
	KEXEC_STASH_SHA512,
	KEXEC_STASH_NR_HASHES
};

/**
 * struct kexec_stash_file - one file of a payload
 * @offset: where it starts, in bytes from the slot's base
 * @size: its size in bytes; 0 where the file is not there
 * @hash: algorithm of @digest
 * @digest: the recorded digest, as long as @hash says
 * @signature: detached signature as "evmctl ima_sign" writes it, or
 *	NULL; in the tree that it was read from
 * @signature_len: its length in bytes
 * @authenticated: a boot stage checked a signature over these bytes; whoever
 *	changes them clears it, who leaves them alone passes it on
 */
struct kexec_stash_file {
	u64 offset;
	u64 size;
	enum kexec_stash_hash hash;
	u8 digest[KEXEC_STASH_DIGEST_LEN];
	const u8 *signature;
	u32 signature_len;
	bool authenticated;
};

/**
 * struct kexec_stash_record - a slot and its payload
 * @label: the slot's name
 * @base: physical address of its first byte
 * @size: its size in bytes
 * @disabled: the node reserves nothing: a kernel runs in the slot
 * @handover: what ties the hand-over page in the slot to this tree, 0 for none
 * @origin: who staged the payload
 * @bootargs: command line of the payload, or NULL; in the tree it was read from
 * @file: the payload's files
 */
struct kexec_stash_record {
	char label[KEXEC_STASH_LABEL_LEN];
	u64 base;
	u64 size;
	bool disabled;
	u64 handover;
	enum kexec_stash_origin origin;
	const char *bootargs;
	struct kexec_stash_file file[KEXEC_STASH_NR_FILES];
};

/**
 * struct kexec_stash_fault - why a record was refused
 * @node: name of the payload's node ("kernel", "initrd", "dtb"), or
 *	"" for the slot's own
 * @property: the property at fault
 * @why: what is wrong with it
 * @other: label of the slot that is in the way, in the tree; NULL if none is
 */
struct kexec_stash_fault {
	const char *node;
	const char *property;
	const char *why;
	const char *other;
};

/**
 * kexec_stash_file_name() - name of a payload's file
 * @id: which file
 *
 * The same in the record (node name), in the file system and on U-Boot's
 * command line.
 *
 * Return: the name.
 */
const char *kexec_stash_file_name(enum kexec_stash_file_id id);

/**
 * kexec_stash_origin_name() - name of an origin
 * @origin: which origin
 *
 * Return: "firmware", "early" or "runtime".
 */
const char *kexec_stash_origin_name(enum kexec_stash_origin origin);

/**
 * kexec_stash_hash_name() - name of a hash algorithm, in FIT's words
 * @hash: which algorithm, not KEXEC_STASH_HASH_NONE
 *
 * Return: the name.
 */
const char *kexec_stash_hash_name(enum kexec_stash_hash hash);

/**
 * kexec_stash_hash_len() - length of a digest
 * @hash: which algorithm
 *
 * Return: length in bytes, 0 for KEXEC_STASH_HASH_NONE.
 */
u32 kexec_stash_hash_len(enum kexec_stash_hash hash);

/**
 * kexec_stash_label_ok() - whether a string can name a slot
 * @label: the string, ended by a NUL
 *
 * A label is a directory's name and an argument in U-Boot's shell: 1 to 31
 * letters, digits, '-', '_' and '.', the first one a letter or digit.
 *
 * Return: true if it can.
 */
bool kexec_stash_label_ok(const char *label);

/**
 * kexec_stash_node_enabled() - whether a node counts
 * @fdt: the flattened tree
 * @node: offset of the node
 *
 * Return: true if it has no status, or one of "okay" or "ok".
 */
bool kexec_stash_node_enabled(const void *fdt, int node);

/**
 * kexec_stash_parent_check() - whether Linux takes reserved memory from a tree
 * @fdt: the flattened tree
 * @fault: filled in on failure
 *
 * Return: 0, also where there is no /reserved-memory; -EINVAL if Linux ignores
 * that node with all that is in it.
 */
int kexec_stash_parent_check(const void *fdt, struct kexec_stash_fault *fault);

/**
 * kexec_stash_record_next() - walk the records of a tree
 * @fdt: the flattened tree
 * @node: the record's node found before, or a negative number to start
 *
 * Return: offset of the next child of /reserved-memory with the stash's
 * compatible string, disabled or not; -ENOENT after the last one or where there
 * is none.
 */
int kexec_stash_record_next(const void *fdt, int node);

/**
 * kexec_stash_record_read() - read and check one record
 * @fdt: the flattened tree
 * @node: offset of the record's node, from kexec_stash_record_next()
 * @rec: filled in; its pointers lead into @fdt. Label, base and size
 *	are set as far as they could be read, so that a message can name
 *	the slot, also on failure
 * @fault: filled in on failure
 *
 * What the record says is checked against itself: alignment, wrap-around, files
 * outside the slot or over each other, digests; and that Linux does not ignore
 * the node that it stands in. What takes more than one record
 * (overlapping slots, a label used twice) and what only the machine knows
 * (where there is RAM, what lies there) is the caller's to check. A status
 * other than "okay" or "ok" is what it is for every node: disabled.
 *
 * Return: 0, or -EINVAL with @fault saying why.
 */
int kexec_stash_record_read(const void *fdt, int node,
			    struct kexec_stash_record *rec,
			    struct kexec_stash_fault *fault);

/**
 * kexec_stash_record_conflict() - check one record against those before it
 * @fdt: the flattened tree
 * @node: offset of the record's node
 * @rec: the record, as kexec_stash_record_read() gave it
 * @refused: whether the record of a node before it was refused for what only the
 *	caller knows; NULL if none was
 * @fault: filled in on failure
 *
 * Of two slots that cannot both be, the first one in the tree stays. A record
 * that is refused is in nobody's way.
 *
 * Return: 0, or -EINVAL if a record before it has the same label or overlaps
 * it.
 */
int kexec_stash_record_conflict(const void *fdt, int node,
				const struct kexec_stash_record *rec,
				bool (*refused)(int node),
				struct kexec_stash_fault *fault);

/**
 * kexec_stash_record_space() - room that a record takes in a tree
 * @rec: the record
 *
 * Return: an upper bound in bytes, with /reserved-memory and the strings
 * included.
 */
size_t kexec_stash_record_space(const struct kexec_stash_record *rec);

/**
 * kexec_stash_record_write() - write one record
 * @fdt: the flattened tree, writable, with kexec_stash_record_space()
 *	bytes to spare
 * @rec: the record; one of the same label, or at the same base, is
 *	replaced. Its pointers must not lead into @fdt, where writing
 *	moves what they point to
 *
 * /reserved-memory is made or repaired, see kexec_stash_record_parent(). On
 * failure the tree is whole, but holds no record of that label.
 *
 * Return: 0, -ENOSPC if @fdt is too small, -ERANGE if the cells of
 * /reserved-memory cannot hold the range or have Linux ignore that node,
 * -EEXIST if a node that is no record has the name, -EINVAL if the tree is
 * broken.
 */
int kexec_stash_record_write(void *fdt, const struct kexec_stash_record *rec);

/**
 * kexec_stash_record_parent() - where records go
 * @fdt: the flattened tree, writable
 *
 * Made where it is missing, with the root's cell sizes. Where it has others, or
 * lacks them or its ranges, Linux ignores it with all that is in it: it is
 * repaired if no child's meaning depends on that. To find it takes a walk over
 * much of the tree, so who writes many records looks for it once.
 *
 * Return: offset of /reserved-memory, the same until something before it
 * changes; -ENOSPC, -ERANGE or -EINVAL as kexec_stash_record_write().
 */
int kexec_stash_record_parent(void *fdt);

/**
 * kexec_stash_record_write_to() - write one of many records
 * @fdt: as kexec_stash_record_write()
 * @parent: what kexec_stash_record_parent() returned
 * @rec: as kexec_stash_record_write()
 *
 * Return: as kexec_stash_record_write().
 */
int kexec_stash_record_write_to(void *fdt, int parent,
				const struct kexec_stash_record *rec);

/**
 * kexec_stash_record_remove() - remove a record
 * @fdt: the flattened tree, writable
 * @label: name of the slot, NULL for all slots
 *
 * Return: 0 (also if there is none), -EINVAL if the tree is broken.
 */
int kexec_stash_record_remove(void *fdt, const char *label);

/**
 * struct kexec_stash_image - what an arm64 Image says of itself
 * @image_size: bytes from its start that the kernel owns, its BSS included
 * @flags: the flags field, in CPU byte order
 */
struct kexec_stash_image {
	u64 image_size;
	u64 flags;
};

/**
 * kexec_stash_image_read() - read and check the header of an arm64 Image
 * @buf: start of the image
 * @len: bytes there are at @buf; 64 are enough
 * @room: bytes from the slot's base that the kernel may own
 * @image: filled in
 * @why: set to what is wrong, on failure
 *
 * See Documentation/arch/arm64/booting.rst, "Call the kernel image". An image
 * with a text_offset is refused: it could not run at a slot's base.
 *
 * Return: 0, -ENOEXEC if it is no arm64 Image that can run at a slot's base,
 * -EINVAL for an image_size of 0, -ENOSPC if it owns more than @room.
 */
int kexec_stash_image_read(const void *buf, u64 len, u64 room,
			   struct kexec_stash_image *image, const char **why);

#endif /* _LINUX_KEXEC_STASH_RECORD_H */

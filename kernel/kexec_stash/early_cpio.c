// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the cpio that payloads come in
 *
 * Whoever can make an initrd may have made a mistake, and it is early: all is
 * checked before it is used, nothing is allocated, and no kernel is needed, so
 * that this runs in a test on the host as well.
 */

#include <linux/errno.h>
#include <linux/hex.h>
#include <linux/kernel.h>
#include <linux/kexec_stash_record.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/types.h>

#include "early_cpio.h"

/* The newc format: a header of hexadecimal fields, the name, the content */
#define MAGIC_LEN 6
#define FIELD_LEN 8
#define HEADER_LEN (MAGIC_LEN + 13 * FIELD_LEN)
#define FIELD_MODE 1
#define FIELD_SIZE 6
#define FIELD_NAME_LEN 11
#define TRAILER "TRAILER!!!"

static bool is_header(const char *buf, u64 left)
{
	/* With or without a sum of each file's bytes, which nobody needs */
	return left >= MAGIC_LEN && (!memcmp(buf, "070701", MAGIC_LEN) ||
				     !memcmp(buf, "070702", MAGIC_LEN));
}

static bool get_field(const char *header, unsigned int field, u32 *value)
{
	const char *digit = header + MAGIC_LEN + field * FIELD_LEN;

	*value = 0;
	for (int i = 0; i < FIELD_LEN; i++) {
		int bits = hex_to_bin(digit[i]);

		if (bits < 0)
			return false;
		*value = *value << 4 | bits;
	}
	return true;
}

/* Name and content start, and end, at multiples of 4 bytes */
static u64 pad(u64 offset)
{
	return (offset + 3) & ~3ULL;
}

/* Return: what is wrong with the entry at file->header, or NULL */
static const char *read_entry(const char *buf, u64 len,
			      struct kexec_stash_cpio_file *file)
{
	const char *header = buf + file->header;
	u64 left = len - file->header;
	u32 size, name_len;

	if (left < HEADER_LEN)
		return "ends inside a header";
	if (!get_field(header, FIELD_MODE, &file->mode) ||
	    !get_field(header, FIELD_SIZE, &size) ||
	    !get_field(header, FIELD_NAME_LEN, &name_len))
		return "has a header that is not hexadecimal";
	if (!name_len || name_len > PATH_MAX)
		return "has a name of no length or too great a length";
	if (name_len > left - HEADER_LEN)
		return "ends inside a name";
	if (header[HEADER_LEN + name_len - 1])
		return "has a name without an end";
	file->name = header + HEADER_LEN;
	file->name_len = strlen(file->name);
	file->data = pad(file->header + HEADER_LEN + name_len);
	file->size = size;
	if (file->data > len || size > len - file->data)
		return "ends inside a file";
	return NULL;
}

/* Behind the end of an archive there may be another one, after some zeros */
static u64 skip_zeros(const char *buf, u64 len, u64 pos)
{
	while (pos < len && !buf[pos])
		pos++;
	return pos;
}

/**
 * kexec_stash_cpio_next() - find the next entry of the cpios at the start of an
 * initrd
 * @buf: the initrd, at an address that is a multiple of 4
 * @len: its length in bytes
 * @pos: where to go on, first 0; moved behind the entry
 * @file: filled in. Where @buf ends inside of the entry's content, it is filled
 *	in as well, with a size that leads out of @buf; after any other failure
 *	its name is NULL
 * @why: set to what is wrong, on failure
 *
 * Archives that are not compressed and stand one after the other are walked
 * through, up to what is none: a compressed archive, or the end.
 *
 * Return: 1 for an entry, 0 if there are no more, -EBADMSG if the archive is
 * truncated or malformed there.
 */
int kexec_stash_cpio_next(const void *buf, u64 len, u64 *pos,
			  struct kexec_stash_cpio_file *file, const char **why)
{
	bool inside = *pos;

	for (;;) {
		*file = (struct kexec_stash_cpio_file){ .header = *pos };
		if (!inside)
			file->header = skip_zeros(buf, len, *pos);
		/* That the last archive has no trailer is all right, too */
		if (file->header >= len)
			return 0;
		if (!is_header(buf + file->header, len - file->header) ||
		    file->header % 4) {
			*why = "has something else where a header should be";
			return inside ? -EBADMSG : 0;
		}
		*why = read_entry(buf, len, file);
		if (*why)
			return -EBADMSG;
		*pos = pad(file->data + file->size);
		if (strcmp(file->name, TRAILER))
			return 1;
		inside = false;
	}
}

static bool has_parent(const char *name)
{
	for (; name; name = strchr(name, '/')) {
		name += *name == '/';
		if (!strncmp(name, "..", 2) && (!name[2] || name[2] == '/'))
			return true;
	}
	return false;
}

/* The file that a string of that length names, or -EINVAL */
static int find_file(const char *name, size_t len)
{
	for (int i = 0; i <= KEXEC_STASH_NR_FILES; i++) {
		const char *known = i < KEXEC_STASH_NR_FILES ?
					    kexec_stash_file_name(i) :
					    KEXEC_STASH_CMDLINE;

		if (strlen(known) == len && !memcmp(known, name, len))
			return i;
	}
	return -EINVAL;
}

/* Behind "kernel/kexec/": what is wrong, or NULL */
static const char *read_place(const char *place, char *label, unsigned int *id,
			      bool *sig)
{
	size_t len = strcspn(place, "/");
	const char *name = place + len + 1;
	int ret;

	if (!place[len] || len >= KEXEC_STASH_LABEL_LEN)
		return "is not <slot>/<file>";
	memcpy(label, place, len);
	label[len] = '\0';
	if (!kexec_stash_label_ok(label)) {
		label[0] = '\0';
		return "is not in the folder of a slot";
	}
	len = strlen(name);
	*sig = len > 4 && !strcmp(name + len - 4, ".sig");
	ret = find_file(name, *sig ? len - 4 : len);
	/* A command line is measured, but no policy asks for its signature */
	if (ret < 0 || (*sig && ret == KEXEC_STASH_NR_FILES))
		return "is no file of a payload";
	*id = ret;
	return NULL;
}

/**
 * kexec_stash_cpio_place() - which file of which slot's payload an entry is
 * @file: the entry, its name set
 * @label: set to the slot's name, "" if there is none; KEXEC_STASH_LABEL_LEN
 *	bytes
 * @id: set to the file, KEXEC_STASH_NR_FILES for the command line
 * @sig: set if it is the file's signature, not the file
 * @why: set to what is wrong, on failure
 *
 * Folders are nobody's.
 *
 * Return: 1 if it is one, 0 if it has nothing to do with payloads, -EINVAL if it
 * looks like one and is not.
 */
int kexec_stash_cpio_place(const struct kexec_stash_cpio_file *file,
			   char *label, unsigned int *id, bool *sig,
			   const char **why)
{
	static const char folder[] = KEXEC_STASH_CPIO_FOLDER;
	const char *name = file->name;
	bool parent = has_parent(name);

	label[0] = '\0';
	if (!strncmp(name, "./", 2))
		name += 2;
	if (S_ISDIR(file->mode))
		return 0;
	if (parent ? !strstr(name, folder) :
		     strncmp(name, folder, sizeof(folder) - 1))
		return 0;
	if (parent)
		*why = "has '..' in its name";
	else if (!S_ISREG(file->mode))
		*why = "is not a regular file";
	else
		*why = read_place(name + sizeof(folder) - 1, label, id, sig);
	return *why ? -EINVAL : 1;
}

/**
 * kexec_stash_cpio_hide() - have an entry passed over when the initrd is
 * unpacked
 * @buf: the initrd, writable
 * @file: the entry
 *
 * What is in a slot must not be in the root file system as well. do_header() in
 * init/initramfs.c passes over an entry that is of no type it knows.
 */
void kexec_stash_cpio_hide(void *buf, const struct kexec_stash_cpio_file *file)
{
	memset(buf + file->header + MAGIC_LEN + FIELD_MODE * FIELD_LEN, '0',
	       FIELD_LEN);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The promises for every accepted record, see sane.h
 */

#include <errno.h>
#include <string.h>

#include <linux/libfdt.h>

#include "sane.h"

static bool in_tree(const void *fdt, const void *p, size_t len)
{
	const char *start = fdt, *end = start + fdt_totalsize(fdt), *at = p;

	return at >= start && at <= end && len <= (size_t)(end - at);
}

static const char *file_insane(const void *fdt, const struct kexec_stash_record *rec, int id)
{
	const struct kexec_stash_file *file = &rec->file[id];
	int i;

	if (!file->size)
		return file->hash || file->signature || file->authenticated ?
			       "digest or signature of no file" : NULL;
	if (file->size > rec->size || file->offset > rec->size - file->size)
		return "file outside the slot";
	if (file->offset % KEXEC_STASH_FILE_ALIGN)
		return "file not aligned";
	if (file->hash < 0 || file->hash >= KEXEC_STASH_NR_HASHES)
		return "unknown hash";
	if (!file->signature != !file->signature_len)
		return "signature without a length, or length without a signature";
	if (file->signature_len > KEXEC_STASH_SIGNATURE_LEN)
		return "signature too long";
	if (file->signature && !in_tree(fdt, file->signature, file->signature_len))
		return "signature outside the tree";
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		const struct kexec_stash_file *other = &rec->file[i];

		if (i != id && other->size && other->offset >= file->offset &&
		    other->offset - file->offset < file->size)
			return "two files in one place";
	}
	return NULL;
}

const char *record_insane(const void *fdt, const struct kexec_stash_record *rec)
{
	const char *why = NULL;
	int i;

	if (strnlen(rec->label, sizeof(rec->label)) == sizeof(rec->label))
		return "label without a NUL";
	if (!kexec_stash_label_ok(rec->label))
		return "bad label";
	if (!rec->size || (rec->base | rec->size) % KEXEC_STASH_ALIGN)
		return "range not aligned or empty";
	if (rec->size > UINT64_MAX - rec->base)
		return "range wraps around";
	if (rec->origin < 0 || rec->origin >= KEXEC_STASH_NR_ORIGINS)
		return "unknown origin";
	if (rec->bootargs) {
		if (!in_tree(fdt, rec->bootargs, 1))
			return "bootargs outside the tree";
		if (!in_tree(fdt, rec->bootargs, strlen(rec->bootargs) + 1))
			return "bootargs reach out of the tree";
		if (strlen(rec->bootargs) >= KEXEC_STASH_BOOTARGS_LEN)
			return "bootargs too long";
	}
	if (rec->file[KEXEC_STASH_KERNEL].offset)
		return "kernel not at the base";
	for (i = 0; !why && i < KEXEC_STASH_NR_FILES; i++)
		why = file_insane(fdt, rec, i);
	return why;
}

static const char *refusal_insane(int ret, const struct kexec_stash_fault *fault)
{
	if (ret != -EINVAL)
		return "an error other than -EINVAL";
	if (!fault->node || !fault->property || !fault->why)
		return "refused without a reason";
	return NULL;
}

static const char *conflict_insane(const void *fdt, int node, const struct kexec_stash_record *rec)
{
	struct kexec_stash_fault fault = { 0 };
	int ret = kexec_stash_record_conflict(fdt, node, rec, NULL, &fault);

	return ret ? refusal_insane(ret, &fault) : NULL;
}

const char *walk_records(const void *fdt)
{
	struct kexec_stash_record rec;
	int node = kexec_stash_record_next(fdt, -1);
	const char *why = NULL;

	while (!why && node >= 0) {
		struct kexec_stash_fault fault = { 0 };
		int ret = kexec_stash_record_read(fdt, node, &rec, &fault);

		if (ret)
			why = refusal_insane(ret, &fault);
		else
			why = record_insane(fdt, &rec);
		if (!ret && !why)
			why = conflict_insane(fdt, node, &rec);
		node = kexec_stash_record_next(fdt, node);
	}
	if (!why && node != -ENOENT)
		why = "the walk ends with something other than -ENOENT";
	return why;
}

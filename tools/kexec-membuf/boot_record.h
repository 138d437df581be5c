/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was recorded of a slot when this kernel was started
 */
#ifndef BOOT_RECORD_H
#define BOOT_RECORD_H

#include "digest.h"
#include "slot.h"

/**
 * struct boot_record - the record that this kernel was started with
 * @rec: the record; its pointers lead into @fdt. All zero if there is none
 * @fdt: the device tree, to be freed
 * @why: why it cannot be read, or NULL
 */
struct boot_record {
	struct kexec_stash_record rec;
	void *fdt;
	const char *why;
};

/**
 * boot_record_read() - read the record of a slot
 * @root: descriptor of the root directory; tests give another one
 * @slot: name of the slot
 * @record: filled in, to be freed with boot_record_free()
 */
void boot_record_read(int root, const char *slot, struct boot_record *record);

/**
 * boot_record_free() - free what boot_record_read() filled in
 * @record: the record
 */
void boot_record_free(struct boot_record *record);

/**
 * boot_record_holds() - whether what was recorded of a file still holds
 * @record: the record
 * @slot: the slot as it is now
 * @id: the file
 *
 * The kernel forgets what is recorded of a file when it is written to, and has the slot's origin be
 * "runtime" from then on. It does not show which of a slot's files that was.
 *
 * Return: ANSWER_NO if there was nothing recorded, or the file was written to since.
 */
enum answer boot_record_holds(const struct boot_record *record, const struct slot *slot,
			      enum kexec_stash_file_id id);

#endif /* BOOT_RECORD_H */

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was recorded of a slot when this kernel was started
 */

#include "boot_record.h"
#include "tree.h"
#include "utils.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define FDT_PATH	"sys/firmware/fdt"
#define FDT_MAX		0x200000

/* A slot may have been made since: then nothing is recorded */
static void find_record(struct boot_record *record, const char *slot)
{
	struct kexec_stash_fault fault;
	int node = -1;

	while ((node = kexec_stash_record_next(record->fdt, node)) >= 0) {
		if (!kexec_stash_record_read(record->fdt, node, &record->rec, &fault) &&
		    !strcmp(record->rec.label, slot))
			return;
	}
	memset(&record->rec, 0, sizeof(record->rec));
}

void boot_record_read(int root, const char *slot, struct boot_record *record)
{
	ssize_t n;

	memset(record, 0, sizeof(*record));
	record->fdt = xmalloc(FDT_MAX);
	n = read_at(root, FDT_PATH, record->fdt, FDT_MAX);
	if (n == -ENOENT)
		return;
	if (n < 0)
		record->why = n == -EACCES ? "only root may read /sys/firmware/fdt" :
					     "/sys/firmware/fdt cannot be read";
	else if (tree_check(record->fdt, n))
		record->why = "/sys/firmware/fdt is no device tree";
	else
		find_record(record, slot);
}

void boot_record_free(struct boot_record *record)
{
	free(record->fdt);
	memset(record, 0, sizeof(*record));
}

enum answer boot_record_holds(const struct boot_record *record, const struct slot *slot,
			      enum kexec_stash_file_id id)
{
	const struct kexec_stash_file *file = &record->rec.file[id];

	if (record->why)
		return ANSWER_UNKNOWN;
	if (file->hash == KEXEC_STASH_HASH_NONE || file->size != slot->file_size[id])
		return ANSWER_NO;
	return strcmp(slot->origin, kexec_stash_origin_name(KEXEC_STASH_RUNTIME)) ? ANSWER_YES :
										    ANSWER_UNKNOWN;
}

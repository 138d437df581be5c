// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payloads from the initrd, for loaders that know nothing of slots
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "boot.h"
#include "early_cpio.h"
#include "slot.h"

/**
 * struct found - a file of a payload in the initrd
 * @content: its bytes
 * @size: how many
 * @signature: its signature, NULL if there is none
 * @signature_len: length of that in bytes
 */
struct found {
	const void *content;
	u64 size;
	const void *signature;
	u64 signature_len;
};

static struct found found[KEXEC_STASH_SLOTS_MAX][KEXEC_SLOT_NR_FILES] __initdata;
/* Slots that were empty before, by the bits of their numbers */
static unsigned long open_slots __initdata;

/* Return: the slot's number, or -ENOENT */
static int __init find_slot(const char *label)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		if (!kexec_slots[i]->absent &&
		    !strcmp(kexec_slots[i]->rec.label, label))
			return i;
	}
	return -ENOENT;
}

/* Return: why a file is not taken, or NULL */
static const char *__init note_file(const void *initrd,
				    const struct kexec_stash_cpio_file *file,
				    struct found *entry, bool sig)
{
	const void **where = sig ? &entry->signature : &entry->content;

	if (*where)
		return "is there twice, the first one is taken";
	*where = initrd + file->data;
	if (sig)
		entry->signature_len = file->size;
	else
		entry->size = file->size;
	return NULL;
}

/* Return: the number of the slot that an entry is for, or -ENOENT */
static int __init look_at(void *initrd,
			  const struct kexec_stash_cpio_file *file, bool whole)
{
	char label[KEXEC_STASH_LABEL_LEN];
	const char *why = NULL;
	int ret, slot = -ENOENT;
	unsigned int id;
	bool sig;

	ret = kexec_stash_cpio_place(file, label, &id, &sig, &why);
	if (!ret)
		return -ENOENT;
	/* Taken or not, its memory is to be free again with the initrd's */
	kexec_stash_cpio_hide(initrd, file);
	if (ret > 0) {
		slot = find_slot(label);
		if (slot < 0)
			why = "there is no slot of that name";
		else if (!test_bit(slot, &open_slots))
			why = "the slot is not empty";
		else if (whole)
			why = note_file(initrd, file, &found[slot][id], sig);
	}
	if (!why)
		return slot;
	pr_err("initrd: '%*pE': %s\n", min_t(int, file->name_len, 64),
	       file->name, why);
	return -ENOENT;
}

static void __init find_files(void *initrd, u64 len)
{
	struct kexec_stash_cpio_file file;
	int ret, slot = -ENOENT;
	const char *why;
	u64 pos = 0;

	do {
		ret = kexec_stash_cpio_next(initrd, len, &pos, &file, &why);
		if (file.name)
			slot = look_at(initrd, &file, ret > 0);
	} while (ret > 0);
	if (!ret)
		return;
	pr_err("initrd: its cpio %s at byte %llu%s%s\n", why, file.header,
	       slot < 0 ? "" : ", in the payload of slot ",
	       slot < 0 ? "" : kexec_slots[slot]->rec.label);
	/* A payload that may not be whole must not be taken for whole */
	if (slot >= 0)
		kexec_slot_mark_bad(kexec_slots[slot], KEXEC_STASH_KERNEL);
}

static void __init place_file(struct kexec_slot *slot, unsigned int id,
			      const struct found *entry)
{
	u64 room = kexec_slot_file_room(slot, id);

	slot->rec.origin = KEXEC_STASH_EARLY;
	if (entry->size > room) {
		kexec_slot_no_space(slot, id, room);
	} else if (!entry->size && id != KEXEC_SLOT_CMDLINE) {
		/* As cpio writes all but the last of files with one inode */
		kexec_slot_refuse(slot, id, "is empty", -ENODATA);
	} else {
		memcpy(kexec_slot_file_addr(slot, id), entry->content,
		       entry->size);
		kexec_slot_clear_last_page(slot, id, entry->size);
		kexec_slot_set_file_size(slot, id, entry->size);
		kexec_slot_check_staged(slot, id);
		return;
	}
	kexec_slot_mark_bad(slot, id);
}

/* The kernel comes first: it says where the initrd goes */
static void __init place_payload(struct kexec_slot *slot,
				 const struct found *files)
{
	for (int i = 0; i < KEXEC_SLOT_NR_FILES; i++) {
		const struct found *entry = &files[i];

		if (entry->content)
			place_file(slot, i, entry);
		if (entry->signature)
			kexec_slot_take_signature(slot, i, entry->signature,
						  entry->signature_len);
	}
}

/**
 * kexec_slots_take_payloads() - fill empty slots from the initrd
 *
 * From what is not compressed at its start, see early_cpio.h. Each byte is
 * copied once.
 *
 * Context: boot; the initrd was not unpacked, slots are known to nobody.
 */
void __init kexec_slots_take_payloads(void)
{
	if (!initrd_start)
		return;
	for (int i = 0; i < kexec_nr_slots; i++) {
		if (!kexec_slots[i]->absent &&
		    kexec_slot_state(kexec_slots[i]) == KEXEC_SLOT_EMPTY)
			__set_bit(i, &open_slots);
	}
	find_files((void *)initrd_start, initrd_end - initrd_start);
	for (int i = 0; i < kexec_nr_slots; i++)
		place_payload(kexec_slots[i], found[i]);
}

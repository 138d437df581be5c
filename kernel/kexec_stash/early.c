// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots without a bootloader's help: reserved where kexec_stash= asks for them,
 * and filled from the initrd
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/crash_dump.h>
#include <linux/initrd.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>
#include <linux/string.h>

#include "boot.h"
#include "early_parse.h"
#include "slot.h"

/* The parameter */

/* Not all of them may be possible */
static struct kexec_stash_want wants[2 * KEXEC_STASH_SLOTS_MAX] __initdata;
static unsigned int nr_wants __initdata;

static const char *__init add_want(const struct kexec_stash_want *want)
{
	for (int i = 0; i < nr_wants; i++) {
		if (!strcmp(wants[i].label, want->label))
			return "a slot of this name was asked for before";
	}
	if (nr_wants == ARRAY_SIZE(wants))
		return "is one slot too many";
	wants[nr_wants++] = *want;
	return NULL;
}

static int __init parse_kexec_stash(char *arg)
{
	const char *pos = arg, *item = arg, *why;
	struct kexec_stash_want want;
	int ret;

	if (!arg)
		return -EINVAL;
	while ((ret = kexec_stash_param_next(&pos, &want, &why))) {
		if (ret > 0)
			why = add_want(&want);
		if (why)
			pr_err("kexec_stash=: '%.*s': %s\n",
			       (int)strcspn(item, ","), item, why);
		item = pos;
	}
	return 0;
}
early_param("kexec_stash", parse_kexec_stash);

/*
 * What is to be ZONE_MOVABLE is not known yet. It is the end of each node, or
 * all above 4 GiB that is not mirrored.
 */
static bool movable_at_end __initdata;
static bool movable_above_4g __initdata;

static int __init note_kernelcore(char *arg)
{
	if (arg && parse_option_str(arg, "mirror"))
		movable_above_4g = true;
	else
		movable_at_end = true;
	return 0;
}
early_param("kernelcore", note_kernelcore);

static int __init note_movablecore(char *arg)
{
	movable_at_end = true;
	return 0;
}
early_param("movablecore", note_movablecore);

/* Reserving */

static struct kexec_stash_want reserved[KEXEC_STASH_SLOTS_MAX] __initdata;
static unsigned int nr_reserved __initdata;

/* Return: why memory is not such as slots are made of, or NULL */
static const char *__init check_kind(u64 base, u64 size)
{
	struct memblock_region *region;

	for_each_mem_region(region) {
		if (base >= region->base + region->size ||
		    region->base >= base + size)
			continue;
		if (memblock_is_hotpluggable(region))
			return "is in memory that may be unplugged";
		if (memblock_is_mirror(region))
			return "is in mirrored memory";
	}
	return NULL;
}

/* Return: the place for a slot in free memory, 0 if there is none */
static u64 __init fit(u64 start, u64 end, u64 size)
{
	struct kexec_claim claim;
	u64 base;

	while (start < end && end - start >= size) {
		base = movable_at_end ?
			       ALIGN(start, KEXEC_STASH_ALIGN) :
			       ALIGN_DOWN(end - size, KEXEC_STASH_ALIGN);
		if (base < start || base > end - size)
			return 0;
		if (!kexec_claims_find(base, size, &claim))
			return base;
		if (movable_at_end)
			start = claim.base + claim.size;
		else
			end = claim.base;
	}
	return 0;
}

static u64 __init find_between(u64 from, u64 to, u64 size)
{
	phys_addr_t start, end;
	u64 i, base, found = 0;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end,
				NULL) {
		base = fit(max(start, from), min(end, to), size);
		if (!base || check_kind(base, size))
			continue;
		found = base;
		if (movable_at_end)
			break;
	}
	return found;
}

static bool __init some_mirrored(void)
{
	struct memblock_region *region;

	for_each_mem_region(region) {
		if (memblock_is_mirror(region))
			return true;
	}
	return false;
}

static u64 __init find_place(const struct kexec_stash_want *want)
{
	u64 base = 0;

	if (!movable_above_4g || !some_mirrored())
		base = find_between(SZ_4G, U64_MAX, want->size);
	if (base)
		return base;
	/* 0 stands for nothing */
	base = find_between(KEXEC_STASH_ALIGN, SZ_4G, want->size);
	if (base)
		pr_notice("slot '%s': no room above 4 GiB, so it takes memory that devices may need\n",
			  want->label);
	else
		pr_err("slot '%s': no room for the %llu MiB that kexec_stash= asks for\n",
		       want->label, want->size / SZ_1M);
	return base;
}

/* Return: why a slot cannot be where it was asked for, or NULL */
static const char *__init check_place(const struct kexec_stash_want *want)
{
	struct kexec_claim claim;
	const char *why;

	if (kexec_claims_find(want->base, want->size, &claim))
		return claim.why;
	why = kexec_claims_check(want->base, want->size);
	return why ?: check_kind(want->base, want->size);
}

/* Whether the device tree has a slot of that name, good or not; and how many */
static bool __init in_tree(const char *label, unsigned int *nr)
{
	struct kexec_stash_fault fault;
	struct kexec_stash_record rec;
	int node = -1;

	*nr = 0;
	while ((node = kexec_stash_record_next(initial_boot_params, node)) >=
	       0) {
		kexec_stash_record_read(initial_boot_params, node, &rec,
					&fault);
		if (!strcmp(rec.label, label))
			return true;
		++*nr;
	}
	return false;
}

static void __init reserve_slot(struct kexec_stash_want *want)
{
	const char *why = NULL;
	unsigned int nr;

	if (in_tree(want->label, &nr)) {
		pr_notice("slot '%s': is in the device tree, so kexec_stash= changes nothing\n",
			  want->label);
		return;
	}
	if (want->fixed) {
		why = check_place(want);
	} else {
		want->base = find_place(want);
		if (!want->base)
			return;
	}
	if (!why && nr + nr_reserved >= KEXEC_STASH_SLOTS_MAX)
		why = "is one slot too many";
	if (!why && memblock_reserve(want->base, want->size))
		why = "cannot be reserved";
	if (why)
		pr_err("slot '%s' at %#llx refused: what kexec_stash= asks for %s\n",
		       want->label, want->base, why);
	else
		reserved[nr_reserved++] = *want;
}

/**
 * kexec_slots_reserve() - reserve the slots that kexec_stash= asks for
 *
 * Context: as kexec_stash_early_init().
 */
void __init kexec_slots_reserve(void)
{
	if (!nr_wants)
		return;
	if (is_kdump_kernel()) {
		pr_notice("a crash kernel has no memory to spare: kexec_stash= is ignored\n");
		return;
	}
	/* First those that can be at one place only */
	for (int fixed = 1; fixed >= 0; fixed--) {
		for (int i = 0; i < nr_wants; i++) {
			if (wants[i].fixed == fixed)
				reserve_slot(&wants[i]);
		}
	}
}

/**
 * kexec_slot_reserved() - a slot that was reserved for kexec_stash=
 * @i: which one, from 0
 *
 * Return: what was asked for, with its base; NULL if there are no more.
 */
const struct kexec_stash_want *__init kexec_slot_reserved(unsigned int i)
{
	return i < nr_reserved ? &reserved[i] : NULL;
}

/* Payloads from the initrd */

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
 * From what is not compressed at its start, see early_parse.h. Each byte is
 * copied once.
 *
 * Context: boot; the initrd was not unpacked, slots are known to nobody.
 */
void __init kexec_slots_take_payloads(void)
{
	if (!IS_ENABLED(CONFIG_BLK_DEV_INITRD) || !initrd_start)
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the next kernel is told: the records of all slots
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/cpumask.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/libfdt.h>
#include <linux/of.h>
#include <linux/reboot.h>

#include <asm/kexec_stash.h>

#include "adopt.h"
#include "boot.h"
#include "fdt.h"
#include "slot.h"
#include "tell.h"
#include "timing.h"

static void forget_payload(struct kexec_stash_record *rec)
{
	memset(rec->file, 0, sizeof(rec->file));
	rec->bootargs = NULL;
	rec->origin = KEXEC_STASH_FIRMWARE;
}

/*
 * What the next kernel is to know of a slot that it does not run in and that
 * this one did not run in
 */
static void pass_on_payload(struct kexec_slot *slot,
			    struct kexec_stash_record *rec)
{
	unsigned long bad = slot->bad | slot->dirty;
	bool whole = !test_bit(KEXEC_SLOT_CMDLINE, &bad);

	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		/* A digest tells that a file is bad, without one nothing would */
		if (!test_bit(i, &bad) ||
		    (rec->file[i].size &&
		     rec->file[i].hash != KEXEC_STASH_HASH_NONE))
			continue;
		rec->file[i].size = 0;
		whole = false;
	}
	/* A kernel without the rest of its payload must not look like a whole one */
	if (!whole)
		rec->file[KEXEC_STASH_KERNEL].size = 0;
	if (slot->cmdline_len && !test_bit(KEXEC_SLOT_CMDLINE, &bad)) {
		slot->cmdline[slot->cmdline_len] = '\0';
		rec->bootargs = slot->cmdline;
	}
}

static int write_record(const struct kimage *image, void *fdt, int parent,
			struct kexec_slot *slot)
{
	struct kexec_stash_record rec;

	guard(mutex)(&slot->lock);
	rec = slot->rec;
	rec.disabled = false;
	rec.handover = 0;
	if (slot == kexec_adopted_slot(image)) {
		forget_payload(&rec);
		rec.disabled = true;
		rec.handover = kexec_handover_number(image);
	} else if (slot->running || slot->absent || slot->released) {
		forget_payload(&rec);
		/*
		 * What a device's tables, put there while it was ordinary
		 * memory, or KHO have of it stays there until the next reset
		 */
		rec.disabled = kexec_fdt_overlaps_memreserve(fdt, rec.base,
							     rec.size) ||
			       kexec_slot_kept_by_kho(slot);
	} else {
		pass_on_payload(slot, &rec);
	}
	return kexec_stash_record_write_to(fdt, parent, &rec);
}

/* booting.rst: at most 2 MiB. What is to be told again later must fit too. */
static int check_size(struct kexec_slot *slot, const void *fdt)
{
	size_t size = fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt);

	if (size + kexec_stash_fdt_space() <= KEXEC_STASH_DTB_MAX)
		return 0;
	return kexec_slot_refuse(slot, KEXEC_STASH_DTB,
				 "is larger than 2 MiB with what the next kernel must be told",
				 -EINVAL);
}

/*
 * arm64 reserves what linux,initrd-start says. The memreserve entry of the next
 * initrd adds nothing, and goes stale when the next kernel passes the tree on by
 * kexec_load(), which keeps all entries: the slot that the initrd lay in would
 * never be one again.
 */
static int unreserve_initrd(const struct kimage *image, void *fdt)
{
	for (int i = 0; image->initrd_buf && i < image->nr_segments; i++) {
		if (image->segment[i].kbuf == image->initrd_buf)
			return kexec_fdt_unreserve(fdt, image->segment[i].mem,
						   image->initrd_buf_len);
	}
	return 0;
}

static const char *why_not_written(int err)
{
	switch (err) {
	case -ENOSPC:
		return "no room in its device tree";
	case -ERANGE:
		return "the cells of its /reserved-memory cannot hold base and size";
	case -EEXIST:
		return "another node of its /reserved-memory has the name of the slot's";
	default:
		return "its device tree is broken";
	}
}

static int no_parent(const void *fdt, struct kexec_slot *adopted, int err)
{
	struct kexec_stash_fault fault = {
		.property = "",
		.why = why_not_written(err),
	};

	kexec_stash_parent_check(fdt, &fault);
	if (!adopted) {
		pr_err("the next kernel cannot know of any slot: %s%s%s\n",
		       fault.property, *fault.property ? " " : "", fault.why);
		return 0;
	}
	kexec_slot_complain(adopted, "the next kernel cannot know of it: %s%s%s",
			    fault.property, *fault.property ? " " : "", fault.why);
	return err;
}

/*
 * A record that cannot be written costs its slot, and no load but the slot's
 * own: the kernel that runs there would take it for ordinary memory for good. A
 * new node comes first: last to first keeps the order they had.
 */
static int write_records(const struct kimage *image, void *fdt)
{
	struct kexec_slot *adopted = kexec_adopted_slot(image);
	unsigned int written = 0;
	int parent, ret = 0;

	if (!kexec_nr_slots) {
		parent = fdt_path_offset(fdt, "/reserved-memory");
		return kexec_fdt_forget_payloads(fdt, parent, 0);
	}
	parent = kexec_stash_record_parent(fdt);
	if (parent < 0)
		return no_parent(fdt, adopted, parent);
	for (int i = kexec_nr_slots - 1; i >= 0; i--) {
		int err = write_record(image, fdt, parent, kexec_slots[i]);

		if (!err) {
			written++;
			continue;
		}
		kexec_slot_complain(kexec_slots[i],
				    "the next kernel cannot know of it: %s",
				    why_not_written(err));
		if (kexec_slots[i] == adopted)
			ret = err;
	}
	/*
	 * What was refused at boot is memory that this kernel uses, whatever
	 * the record says of it
	 */
	return ret ?: kexec_fdt_forget_payloads(fdt, parent, written);
}

int kexec_stash_fixup_fdt(const struct kimage *image, void *fdt)
{
	struct kexec_slot *adopted = kexec_adopted_slot(image);
	int ret;

	/* A crash kernel has memory of its own, and no business with slots */
	if (image->type == KEXEC_TYPE_CRASH)
		return kexec_stash_record_remove(fdt, NULL);
	/* IMA goes on without its list where there is no room for it; we do not */
	if (image->adoption && image->adoption->err)
		return image->adoption->err;
	ret = kexec_fdt_squeeze(fdt);
	if (!ret)
		ret = unreserve_initrd(image, fdt);
	if (ret) {
		pr_err("the next kernel's device tree cannot be changed: %s\n",
		       fdt_strerror(ret));
		return -EINVAL;
	}
	ret = write_records(image, fdt);
	if (!ret && adopted)
		ret = check_size(adopted, fdt);
	if (ret && adopted)
		image->adoption->err = ret;
	return ret;
}

size_t kexec_stash_fdt_space(void)
{
	/* A CPU that comes up after the load may have a table to be kept */
	size_t space = num_possible_cpus() * sizeof(struct fdt_reserve_entry);

	for (int i = 0; i < kexec_nr_slots; i++)
		space += kexec_stash_record_space(&kexec_slots[i]->rec) +
			 KEXEC_STASH_BOOTARGS_LEN +
			 KEXEC_STASH_NR_FILES * KEXEC_STASH_SIGNATURE_LEN;
	return space;
}

/*
 * A slot may be staged into while another one, or a file, is loaded: its record
 * in the tree that was made at load is out of date then. From here on
 * kexec_slot_may_change() says no.
 */
static int tell_again(struct notifier_block *nb, unsigned long action,
		      void *data)
{
	struct kimage *image = kexec_image;
	void *fdt = NULL;
	size_t size = 0;
	int ret;

	if (!kexec_in_progress || !image || !image->file_mode ||
	    image->slots_generation == kexec_slots_generation())
		return NOTIFY_DONE;

	for (int i = 0; i < image->nr_segments && !fdt; i++) {
		if (image->segment[i].mem == arch_kexec_stash_dtb_mem(image)) {
			fdt = kimage_map_segment(image, i);
			size = image->segment[i].memsz;
		}
	}
	if (!fdt) {
		pr_err("slots were changed after the load, and the next kernel's device tree is out of reach\n");
		return NOTIFY_DONE;
	}
	ret = fdt_open_into(fdt, fdt, size);
	if (!ret)
		ret = of_kexec_reserve_kept_ranges(fdt);
	if (!ret)
		ret = kexec_stash_fixup_fdt(image, fdt);
	if (ret)
		pr_err("slots were changed after the load, the next kernel cannot be told (%d)\n",
		       ret);
	fdt_pack(fdt);
	arch_kexec_stash_flush(fdt, size);
	kimage_unmap_segment(fdt);
	return NOTIFY_OK;
}

static struct notifier_block tell_again_nb = {
	.notifier_call = tell_again,
	.priority =
		INT_MIN, /* what other notifiers do to slots is to be told too */
};

/**
 * kexec_tell_init() - have what changes after a load told at exec
 *
 * Return: 0 or a negative errno.
 */
int __init kexec_tell_init(void)
{
	return register_reboot_notifier(&tell_again_nb);
}

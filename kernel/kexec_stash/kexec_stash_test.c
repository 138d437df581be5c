// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the stash: what needs a kernel, but no reboot
 */

#include <crypto/sha2.h>
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "adopt.h"
#include "slot.h"
#include "timing.h"

/* A slot that is really there, as large as the page allocator can make one */
#define TEST_ORDER 10
#define TEST_SIZE (PAGE_SIZE << TEST_ORDER)

/* A slot whose content nobody looks at may lie anywhere */
#define FAR_BASE 0x4000000000UL

static struct kexec_slot *test_slot(struct kunit *test, u64 base, u64 size)
{
	struct kexec_slot *slot =
		kunit_kzalloc(test, sizeof(*slot), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	kexec_slot_init(slot);
	kexec_slot_seal_init(slot);
	kexec_slot_fs_init(slot);
	strscpy(slot->rec.label, "kunit");
	slot->rec.base = base;
	slot->rec.size = size;
	return slot;
}

static void free_slot_pages(void *addr)
{
	free_pages((unsigned long)addr, TEST_ORDER);
}

static struct kexec_slot *test_real_slot(struct kunit *test)
{
	void *addr =
		(void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, TEST_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_slot_pages, addr));
	return test_slot(test, __pa(addr), TEST_SIZE);
}

/* The least that is an arm64 Image of this kernel's kind */
static void put_image(struct kexec_slot *slot, u64 image_size)
{
	u8 *header = __va(slot->rec.base);

	put_unaligned_le64(image_size, header + 16);
	memcpy(header + 56, "ARM\x64", 4);
	slot->rec.file[KEXEC_STASH_KERNEL].size = PAGE_SIZE;
}

static void state_follows_the_files(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);

	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_EMPTY);
	kexec_slot_touch(slot, KEXEC_STASH_KERNEL);
	put_image(slot, SZ_64K);
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_BAD);
	slot->rec.size = TEST_SIZE + KEXEC_STASH_TAIL;
	KUNIT_EXPECT_EQ(test, 0,
			kexec_slot_check_staged(slot, KEXEC_STASH_KERNEL));
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_STAGED);
	KUNIT_EXPECT_EQ(test, slot->rec.origin, KEXEC_STASH_RUNTIME);
	slot->seal.count = 1;
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_LOADED);
	slot->running = true;
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_RUNNING);
}

static void slot_without_kernel_is_not_staged(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);

	slot->rec.file[KEXEC_STASH_INITRD].size = 1;
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_BAD);
	kexec_slot_empty_file(slot, KEXEC_STASH_INITRD);
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_EMPTY);
}

static void sealed_slot_refuses_change(struct kunit *test)
{
	struct kexec_slot *slot = test_slot(test, FAR_BASE, SZ_64M);

	KUNIT_EXPECT_EQ(test, kexec_slot_may_change(slot), 0);
	slot->seal.count = 1;
	KUNIT_EXPECT_EQ(test, kexec_slot_may_change(slot), -ETXTBSY);
	slot->running = true;
	KUNIT_EXPECT_EQ(test, kexec_slot_may_change(slot), -EBUSY);
}

static void change_of_state_is_counted(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);
	unsigned long before = slot->state_changes;

	kexec_slot_changed(slot);
	KUNIT_EXPECT_EQ(test, slot->state_changes, before);
	kexec_slot_touch(slot, KEXEC_STASH_INITRD);
	kexec_slot_changed(slot);
	kexec_slot_changed(slot);
	KUNIT_EXPECT_EQ(test, slot->state_changes, before + 1);
	kexec_slot_empty_file(slot, KEXEC_STASH_INITRD);
	kexec_slot_changed(slot);
	KUNIT_EXPECT_EQ(test, slot->state_changes, before + 2);
}

static void slot_in_use_is_not_released(struct kunit *test)
{
	struct kexec_slot *slot = test_slot(test, FAR_BASE, SZ_64M);

	slot->cmdline_len = 1;
	KUNIT_EXPECT_EQ(test, kexec_slot_release(slot), -ENOTEMPTY);
	slot->cmdline_len = 0;
	slot->fs.writers = 1;
	KUNIT_EXPECT_EQ(test, kexec_slot_release(slot), -ETXTBSY);
	slot->fs.writers = 0;
	slot->seal.count = 1;
	KUNIT_EXPECT_EQ(test, kexec_slot_release(slot), -ETXTBSY);
	slot->seal.count = 0;
	slot->running = true;
	KUNIT_EXPECT_EQ(test, kexec_slot_release(slot), -EBUSY);
	slot->running = false;
	slot->released = true;
	KUNIT_EXPECT_EQ(test, kexec_slot_release(slot), 0);
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_RELEASED);
	KUNIT_EXPECT_EQ(test, kexec_slot_may_change(slot), -EBUSY);
	KUNIT_EXPECT_EQ(test, kexec_slot_seal(slot), -EBUSY);
}

static void change_drops_digest_but_no_signature(struct kunit *test)
{
	struct kexec_slot *slot = test_slot(test, FAR_BASE, SZ_64M);
	struct kexec_stash_file *file = &slot->rec.file[KEXEC_STASH_INITRD];
	int before = kexec_slots_generation();

	file->hash = KEXEC_STASH_SHA512;
	file->signature = "signature";
	file->signature_len = 9;
	file->authenticated = true;
	kexec_slot_touch(slot, KEXEC_STASH_INITRD);
	KUNIT_EXPECT_EQ(test, file->hash, KEXEC_STASH_HASH_NONE);
	KUNIT_EXPECT_FALSE(test, file->authenticated);
	KUNIT_EXPECT_NOT_NULL(test, file->signature);
	KUNIT_EXPECT_EQ(test, file->signature_len, 9);
	KUNIT_EXPECT_NE(test, before, kexec_slots_generation());
}

static void initrd_goes_behind_image_size(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);
	struct kexec_stash_file *initrd = &slot->rec.file[KEXEC_STASH_INITRD];

	put_image(slot, 5 * SZ_1M);
	slot->rec.size = SZ_64M;
	KUNIT_EXPECT_EQ(test, kexec_slot_file_room(slot, KEXEC_STASH_INITRD),
			SZ_64M - KEXEC_STASH_TAIL - 6 * SZ_1M);
	KUNIT_EXPECT_EQ(test, initrd->offset, 6 * SZ_1M);

	/* No room at all */
	put_image(slot, SZ_64M);
	KUNIT_EXPECT_EQ(test, kexec_slot_file_room(slot, KEXEC_STASH_INITRD),
			0);
}

static void initrd_makes_way_for_a_larger_kernel(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);
	struct kexec_stash_file *initrd = &slot->rec.file[KEXEC_STASH_INITRD];
	u8 *base = __va(slot->rec.base);

	slot->rec.size = KEXEC_STASH_TAIL + 4 * SZ_1M;
	initrd->offset = SZ_64K;
	initrd->size = SZ_4K;
	memset(base + SZ_64K, 0x5a, SZ_4K);
	KUNIT_EXPECT_EQ(test, 0, kexec_slot_make_way(slot, SZ_64K));
	KUNIT_EXPECT_EQ(test, initrd->offset, SZ_64K);
	KUNIT_EXPECT_EQ(test, -ENOSPC, kexec_slot_make_way(slot, SZ_4M));
	KUNIT_EXPECT_EQ(test, -ENOSPC, kexec_slot_make_way(slot, U64_MAX));
	KUNIT_EXPECT_EQ(test, initrd->offset, SZ_64K);
	KUNIT_EXPECT_EQ(test, 0, kexec_slot_make_way(slot, SZ_64K + 1));
	KUNIT_EXPECT_EQ(test, initrd->offset, SZ_2M);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(base + SZ_2M, 0x5a, SZ_4K));
	KUNIT_EXPECT_EQ(test, kexec_slot_file_room(slot, KEXEC_STASH_KERNEL),
			SZ_2M);
}

static void digest_is_checked(struct kunit *test)
{
	static const enum kexec_stash_hash hashes[] = { KEXEC_STASH_SHA256,
							KEXEC_STASH_SHA384,
							KEXEC_STASH_SHA512 };
	const unsigned int id = KEXEC_STASH_KERNEL;
	struct kexec_slot *slot = test_real_slot(test);
	struct kexec_stash_file *file = &slot->rec.file[id];
	u8 *buf = __va(slot->rec.base);

	/* More than one chunk, not a whole number of them */
	file->size = SZ_1M + 3;
	for (int i = 0; i < ARRAY_SIZE(hashes); i++) {
		file->hash = hashes[i];
		if (hashes[i] == KEXEC_STASH_SHA256)
			sha256(buf, file->size, file->digest);
		else if (hashes[i] == KEXEC_STASH_SHA384)
			sha384(buf, file->size, file->digest);
		else
			sha512(buf, file->size, file->digest);
		slot->bad = 0;
		kexec_slot_forget_findings(slot);
		KUNIT_EXPECT_EQ(test, 0,
				kexec_slot_check_digest(slot, id, NULL));
		KUNIT_EXPECT_EQ(test, slot->bad, 0);

		/* Not again while it is sealed: nothing can have changed */
		buf[file->size - 1] ^= 1;
		KUNIT_EXPECT_EQ(test, 0,
				kexec_slot_check_digest(slot, id, NULL));
		kexec_slot_forget_findings(slot);
		KUNIT_EXPECT_EQ(test, -EBADMSG,
				kexec_slot_check_digest(slot, id, NULL));
		KUNIT_EXPECT_EQ(test, slot->bad, BIT(id));
		buf[file->size - 1] ^= 1;
	}
	file->hash = KEXEC_STASH_HASH_NONE;
	KUNIT_EXPECT_EQ(test, 0, kexec_slot_check_digest(slot, id, NULL));
}

/* Whether the kernel itself can write to a slot through its linear map */
static bool writable(struct kexec_slot *slot, u64 offset)
{
	u8 *addr = __va(slot->rec.base) + offset, byte = *addr;

	return !copy_to_kernel_nofault(addr, &byte, sizeof(byte));
}

static void sealed_slot_is_read_only(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);
	u64 last = TEST_SIZE - 1;
	u8 *buf = __va(slot->rec.base);

	put_image(slot, SZ_64K);
	slot->rec.file[KEXEC_STASH_KERNEL].size = 10;
	memset(buf, 0xff, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, writable(slot, 0));
	KUNIT_ASSERT_EQ(test, 0, kexec_slot_seal(slot));
	KUNIT_EXPECT_FALSE(test, writable(slot, 0));
	KUNIT_EXPECT_FALSE(test, writable(slot, last));
	KUNIT_EXPECT_EQ(test, buf[9], 0xff);
	/* What was in the file's last page is not handed on */
	KUNIT_EXPECT_NULL(test, memchr_inv(buf + 10, 0, PAGE_SIZE - 10));

	/* Seals add up, and nothing is looked at again */
	KUNIT_ASSERT_EQ(test, 0, kexec_slot_seal(slot));
	kexec_slot_unseal(slot);
	KUNIT_EXPECT_FALSE(test, writable(slot, 0));

	/* What a load adds goes there all the same */
	KUNIT_EXPECT_EQ(test, 0,
			kexec_slot_write(slot, slot->rec.base + SZ_1M, buf, 10,
					 SZ_1M + SZ_64K));
	KUNIT_EXPECT_EQ(test, 0, memcmp(buf + SZ_1M, buf, 10));
	KUNIT_EXPECT_FALSE(test, writable(slot, SZ_1M));

	kexec_slot_unseal(slot);
	KUNIT_EXPECT_TRUE(test, writable(slot, 0));
	KUNIT_EXPECT_TRUE(test, writable(slot, last));
}

static void seal_ahead_gives_way_to_writers(struct kunit *test)
{
	struct kexec_slot *slot = test_real_slot(test);
	struct kexec_stash_file *kernel = &slot->rec.file[KEXEC_STASH_KERNEL];
	u8 digest[KEXEC_STASH_DIGEST_LEN];

	KUNIT_EXPECT_EQ(test, -EAGAIN, kexec_slot_seal_ahead(slot));
	put_image(slot, SZ_64K);
	sha256(__va(slot->rec.base), kernel->size, digest);
	KUNIT_ASSERT_EQ(test, 0, kexec_slot_seal_ahead(slot));
	KUNIT_EXPECT_EQ(test, -EALREADY, kexec_slot_seal_ahead(slot));
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_STAGED);
	KUNIT_EXPECT_FALSE(test, writable(slot, 0));
	KUNIT_EXPECT_FALSE(test, kexec_slot_verified(slot));
	KUNIT_EXPECT_EQ(test, 0,
			kexec_slot_check_ahead(slot, KEXEC_STASH_KERNEL));
	KUNIT_EXPECT_TRUE(test, kexec_slot_verified(slot));
	KUNIT_EXPECT_EQ(test, kernel->hash, KEXEC_STASH_SHA256);
	KUNIT_EXPECT_MEMEQ(test, kernel->digest, digest, SHA256_DIGEST_SIZE);

	/* While a load has it too, it stays */
	KUNIT_ASSERT_EQ(test, 0, kexec_slot_seal(slot));
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_LOADED);
	KUNIT_EXPECT_EQ(test, -ETXTBSY, kexec_slot_lock_to_change(slot));
	kexec_slot_unseal(slot);
	KUNIT_EXPECT_EQ(test, kexec_slot_state(slot), KEXEC_SLOT_STAGED);
	KUNIT_EXPECT_TRUE(test, kexec_slot_verified(slot));

	KUNIT_ASSERT_EQ(test, 0, kexec_slot_lock_to_change(slot));
	mutex_unlock(&slot->lock);
	KUNIT_EXPECT_TRUE(test, writable(slot, 0));
	KUNIT_EXPECT_FALSE(test, kexec_slot_verified(slot));
	KUNIT_EXPECT_EQ(test, -EINTR,
			kexec_slot_check_ahead(slot, KEXEC_STASH_KERNEL));
}

/* An image with a payload of 16 MiB kernel, 8 MiB initrd and a staged dtb */
static struct kimage *test_adopted(struct kunit *test, u64 size)
{
	struct kimage *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);
	struct kexec_adoption *adoption =
		kunit_kzalloc(test, sizeof(*adoption), GFP_KERNEL);
	struct kexec_slot *slot = test_slot(test, FAR_BASE, size);

	KUNIT_ASSERT_NOT_NULL(test, image);
	KUNIT_ASSERT_NOT_NULL(test, adoption);
	slot->rec.file[KEXEC_STASH_KERNEL].size = 12 * SZ_1M;
	slot->rec.file[KEXEC_STASH_INITRD].offset = SZ_16M;
	slot->rec.file[KEXEC_STASH_INITRD].size = SZ_8M;
	slot->rec.file[KEXEC_STASH_DTB].offset = size - KEXEC_STASH_TAIL;
	slot->rec.file[KEXEC_STASH_DTB].size = SZ_64K;
	adoption->slot = slot;
	adoption->image_size = SZ_16M;
	image->adoption = adoption;
	return image;
}

static int locate(struct kimage *image, unsigned long memsz,
		  unsigned long align, unsigned long *mem)
{
	struct kexec_buf kbuf = {
		.image = image,
		.memsz = memsz,
		.buf_align = align,
		.buf_max = ULONG_MAX,
	};
	int ret = kexec_adoption_locate(&kbuf);

	*mem = kbuf.mem;
	if (!ret) {
		image->segment[image->nr_segments].mem = kbuf.mem;
		image->segment[image->nr_segments++].memsz = memsz;
	}
	return ret;
}

static void segments_go_to_the_end_of_the_slot(struct kunit *test)
{
	struct kimage *image = test_adopted(test, SZ_64M);
	unsigned long end = FAR_BASE + SZ_64M, mem;

	KUNIT_EXPECT_EQ(test, 0, locate(image, SZ_64K, PAGE_SIZE, &mem));
	KUNIT_EXPECT_EQ(test, mem, end - KEXEC_STASH_HANDOVER_SIZE - SZ_64K);
	/* A device tree, aligned: below the first, beside the staged one */
	KUNIT_EXPECT_EQ(test, 0, locate(image, SZ_32K, SZ_2M, &mem));
	KUNIT_EXPECT_EQ(test, mem, end - SZ_2M);
	KUNIT_EXPECT_EQ(test, 0, locate(image, SZ_2M, SZ_2M, &mem));
	KUNIT_EXPECT_EQ(test, mem, end - SZ_4M);
	/* The staged one stays where it is, and is not written over */
	KUNIT_EXPECT_EQ(test, 0, locate(image, SZ_2M, SZ_2M, &mem));
	KUNIT_EXPECT_EQ(test, mem, end - SZ_8M);
}

static void segments_stay_inside_the_slot(struct kunit *test)
{
	/* Kernel, initrd and tail fill it */
	struct kimage *image =
		test_adopted(test, 24 * SZ_1M + KEXEC_STASH_TAIL);
	unsigned long mem;

	KUNIT_EXPECT_EQ(test, 0, locate(image, SZ_4M, PAGE_SIZE, &mem));
	KUNIT_EXPECT_EQ(test, mem,
			FAR_BASE + 26 * SZ_1M - KEXEC_STASH_HANDOVER_SIZE);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			locate(image, SZ_2M, PAGE_SIZE, &mem));
	/* Between the staged dtb's end and the segment, not below the base */
	KUNIT_EXPECT_EQ(test, 0, locate(image, SZ_1M, PAGE_SIZE, &mem));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			locate(image, SZ_128M, PAGE_SIZE, &mem));
}

#define HANDOVER 0x123456789abcdefULL
#define FREQUENCY 1000

static void handover_page_is_for_one_tree(struct kunit *test)
{
	struct kexec_handover_page page, other;
	u8 *bytes = (u8 *)&other;

	kexec_handover_prepare(&page, HANDOVER, FREQUENCY);
	KUNIT_EXPECT_TRUE(test, kexec_handover_valid(&page, HANDOVER));
	KUNIT_EXPECT_FALSE(test, kexec_handover_valid(&page, HANDOVER + 1));
	/* Each bit counts; what comes behind these is judged on its own */
	for (int bit = 0; bit < 8 * offsetof(typeof(page), frequency); bit++) {
		other = page;
		bytes[bit / 8] ^= BIT(bit % 8);
		KUNIT_EXPECT_FALSE(test,
				   kexec_handover_valid(&other, HANDOVER));
	}
	/* A tree without a number has no page */
	kexec_handover_prepare(&page, 0, FREQUENCY);
	KUNIT_EXPECT_FALSE(test, kexec_handover_valid(&page, 0));
}

/* Stamps and the frequency of a page, then what is known of the former */
static void expect_known(struct kunit *test, u64 reboot, u64 jump,
			 u64 frequency, unsigned long known)
{
	struct kexec_handover_page page;
	struct kexec_timing t;

	kexec_handover_prepare(&page, HANDOVER, frequency);
	kexec_handover_stamp(&page, reboot, jump);
	/* This kernel was entered at 10,000,000, ten seconds ago */
	kexec_timing_judge(&t, &page, FREQUENCY, 10000000, 10010000);
	KUNIT_EXPECT_EQ_MSG(test, t.known, BIT(KEXEC_STAMP_ENTRY) | known,
			    "reboot %llu jump %llu", reboot, jump);
	if (known & BIT(KEXEC_STAMP_REBOOT))
		KUNIT_EXPECT_EQ(test, t.stamp[KEXEC_STAMP_REBOOT], reboot);
	if (known & BIT(KEXEC_STAMP_JUMP))
		KUNIT_EXPECT_EQ(test, t.stamp[KEXEC_STAMP_JUMP], jump);
}

static void wild_stamps_are_unknown(struct kunit *test)
{
	const unsigned long jump = BIT(KEXEC_STAMP_JUMP);
	const unsigned long both = jump | BIT(KEXEC_STAMP_REBOOT);

	expect_known(test, 9999998, 9999999, FREQUENCY, both);
	expect_known(test, 10000000, 10000000, FREQUENCY, both);
	/* An hour is the most for a shutdown, a second for a jump */
	expect_known(test, 6399000, 9999000, FREQUENCY, both);
	expect_known(test, 6398999, 9999000, FREQUENCY, jump);
	expect_known(test, 9998000, 9998999, FREQUENCY, 0);
	/* The future, and an order that cannot be */
	expect_known(test, 9999999, 10000001, FREQUENCY, 0);
	expect_known(test, 9999999, U64_MAX, FREQUENCY, 0);
	expect_known(test, 9999999, 9999998, FREQUENCY, jump);
	expect_known(test, U64_MAX, 9999998, FREQUENCY, jump);
	expect_known(test, 0, 0, FREQUENCY, 0);
	/* Another clock's */
	expect_known(test, 9999998, 9999999, FREQUENCY + 1, 0);
	expect_known(test, 9999998, 9999999, 0, 0);
}

static void page_without_stamps_tells_nothing(struct kunit *test)
{
	struct kexec_handover_page page;
	struct kexec_timing t;

	/* Whatever was there before */
	memset(&page, 0xff, sizeof(page));
	page.reboot = cpu_to_le64(9999998);
	page.jump = cpu_to_le64(9999999);
	kexec_handover_prepare(&page, HANDOVER, FREQUENCY);
	kexec_timing_judge(&t, &page, FREQUENCY, 10000000, 10010000);
	KUNIT_EXPECT_EQ(test, t.known, BIT(KEXEC_STAMP_ENTRY));
}

static void wild_entry_leaves_nothing(struct kunit *test)
{
	struct kexec_handover_page page;
	struct kexec_timing t;

	kexec_handover_prepare(&page, HANDOVER, FREQUENCY);
	kexec_handover_stamp(&page, 8, 9);
	kexec_timing_judge(&t, &page, FREQUENCY, 11, 10);
	KUNIT_EXPECT_EQ(test, t.known, 0);
	kexec_timing_judge(&t, &page, FREQUENCY, 10, 10 + 3600 * FREQUENCY + 1);
	KUNIT_EXPECT_EQ(test, t.known, 0);
	kexec_timing_judge(&t, NULL, FREQUENCY, 10, 10 + 3600 * FREQUENCY);
	KUNIT_EXPECT_EQ(test, t.known, BIT(KEXEC_STAMP_ENTRY));
	kexec_timing_judge(&t, &page, 0, 10, 10);
	KUNIT_EXPECT_EQ(test, t.known, BIT(KEXEC_STAMP_ENTRY));
}

static struct kunit_case kexec_stash_cases[] = {
	KUNIT_CASE(state_follows_the_files),
	KUNIT_CASE(slot_without_kernel_is_not_staged),
	KUNIT_CASE(sealed_slot_refuses_change),
	KUNIT_CASE(change_of_state_is_counted),
	KUNIT_CASE(slot_in_use_is_not_released),
	KUNIT_CASE(change_drops_digest_but_no_signature),
	KUNIT_CASE(initrd_goes_behind_image_size),
	KUNIT_CASE(initrd_makes_way_for_a_larger_kernel),
	KUNIT_CASE(digest_is_checked),
	KUNIT_CASE(sealed_slot_is_read_only),
	KUNIT_CASE(seal_ahead_gives_way_to_writers),
	KUNIT_CASE(segments_go_to_the_end_of_the_slot),
	KUNIT_CASE(segments_stay_inside_the_slot),
	KUNIT_CASE(handover_page_is_for_one_tree),
	KUNIT_CASE(wild_stamps_are_unknown),
	KUNIT_CASE(page_without_stamps_tells_nothing),
	KUNIT_CASE(wild_entry_leaves_nothing),
	{}
};

static struct kunit_suite kexec_stash_suite = {
	.name = "kexec_stash",
	.test_cases = kexec_stash_cases,
};

kunit_test_suite(kexec_stash_suite);

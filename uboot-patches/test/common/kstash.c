// SPDX-License-Identifier: GPL-2.0+
/*
 * Tests of the stash: library and command
 */

#include <command.h>
#include <env.h>
#include <image.h>
#include <kstash.h>
#include <lmb.h>
#include <malloc.h>
#include <mapmem.h>
#include <os.h>
#include <asm/global_data.h>
#include <asm/unaligned.h>
#include <linux/libfdt.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <test/common.h>
#include <test/test.h>
#include <test/ut.h>

/* The RAM that LMB knows of during a test, of which the sandbox uses nothing else */
#define RAM_BASE	0x2000000
#define RAM_SIZE	SZ_64M

/* The beginning of each complaint about slot 'a' */
#define SLOT_A		"kstash: slot 'a': "

/* Outside of it: where files are made */
#define WORK_BASE	0x1000000

/* Size of the kernel's file, and of the memory it owns */
#define IMAGE_FILE	0x1000
#define IMAGE_SIZE	0x300000

#define TEST_FILE	"kstash-test.tmp"

#define FILES		"kernel, initrd, dtb, or one of these with .sig"

/* SHA-256 of the image that make_image() makes, and of "abc" (FIPS 180-2) */
#define IMAGE_SHA256	"46ff5a9c1371b67ffc6e6fc32bb3d6ec2ebb5c76046f10012d7ec5a507147e25"
#define ABC_SHA256	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* sandbox's ft_board_setup() reserves this in each tree that it is given */
#define BOARD_MEM_RSV	0x00d02000

/* Each test has a stash without slots and an LMB of its own, however the last one ended */
static int run_test(struct unit_test_state *uts, int (*test)(struct unit_test_state *uts))
{
	struct lmb store;
	int ret;

	env_set("kstash_slots", NULL);
	kstash_uninit();
	ut_assertok(lmb_push(&store));
	ret = lmb_add(RAM_BASE, RAM_SIZE);
	if (!ret)
		ret = test(uts);
	kstash_uninit();
	lmb_pop(&store);
	env_set("kstash_slots", NULL);
	os_unlink(TEST_FILE);
	return ret;
}

#define KSTASH_TEST(_name)							\
static int common_test_##_name(struct unit_test_state *uts)			\
{										\
	return run_test(uts, _name);						\
}										\
COMMON_TEST(common_test_##_name, UTF_CONSOLE)

static void *work_area(void)
{
	return map_sysmem(WORK_BASE, SZ_4M);
}

static u8 *make_image(u64 image_size)
{
	u8 *image = work_area();
	int i;

	memset(image, '\0', 64);
	put_unaligned_le64(image_size, image + 16);
	memcpy(image + 56, "ARM\x64", 4);
	for (i = 64; i < IMAGE_FILE; i++)
		image[i] = i;
	return image;
}

/* A device tree of a given size, all but full if @full */
static void *make_tree(u32 size, bool full)
{
	void *fdt = work_area();
	void *filler;

	fdt_create_empty_tree(fdt, size);
	fdt_setprop_u32(fdt, 0, "#address-cells", 2);
	fdt_setprop_u32(fdt, 0, "#size-cells", 2);
	if (full)
		fdt_setprop_placeholder(fdt, 0, "filler", size - SZ_256, &filler);
	return fdt;
}

static int run(const char *cmd)
{
	return run_command(cmd, 0);
}

/* Slot 'a' of 16 MiB at RAM_BASE */
static int reserve_a(struct unit_test_state *uts)
{
	ut_assertok(run("kstash reserve a 1000000 2000000"));
	ut_assert_nextline("slot 'a': 0x1000000 bytes at 0x2000000");
	return 0;
}

static u64 file_size(const char *label, enum kexec_stash_file_id id)
{
	return kstash_find(label)->file[id].size;
}

static u64 file_offset(const char *label, enum kexec_stash_file_id id)
{
	return kstash_find(label)->file[id].offset;
}

/* Nothing failed half way: there is just this one slot, and it is empty */
static int check_a_is_empty(struct unit_test_state *uts)
{
	ut_assertok(run("kstash list"));
	ut_assert_nextline("slot 'a' at 0x2000000, size 0x1000000, empty");
	ut_assert_console_end();
	return 0;
}

static int check_no_slot(struct unit_test_state *uts)
{
	ut_assertok(run("kstash list"));
	ut_assert_nextline("No slots");
	ut_assert_console_end();
	return 0;
}

static int kstash_reserve_takes_range(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	ut_asserteq_64(RAM_BASE, kstash_find("a")->base);
	ut_asserteq_64(SZ_16M, kstash_find("a")->size);

	/* Nothing else lands in it */
	ut_asserteq(0, lmb_alloc_addr(RAM_BASE + SZ_8M, SZ_4K));
	ut_asserteq(0, lmb_alloc_addr(RAM_BASE, SZ_4K));
	ut_assert(lmb_alloc_base(SZ_4K, SZ_4K, LMB_ALLOC_ANYWHERE) >= RAM_BASE + SZ_16M);

	/* Not even as the end of a range that adjoins another one */
	ut_assertok(lmb_reserve_flags(RAM_BASE + SZ_16M, SZ_4K, LMB_NONE));
	ut_asserteq(0, lmb_alloc_addr(RAM_BASE + SZ_8M, SZ_8M));
	ut_assertok(kstash_reserve("b", SZ_8M, RAM_BASE + SZ_32M));
	ut_asserteq(RAM_BASE + SZ_32M - SZ_8M, lmb_alloc_addr(RAM_BASE + SZ_32M - SZ_8M, SZ_4M));
	ut_asserteq(0, lmb_alloc_addr(RAM_BASE + SZ_32M - SZ_4M, SZ_8M));

	/* Forgotten slots give it back */
	kstash_uninit();
	ut_asserteq(RAM_BASE, lmb_alloc_addr(RAM_BASE, SZ_4K));
	return 0;
}

KSTASH_TEST(kstash_reserve_takes_range);

static int kstash_reserve_anywhere(struct unit_test_state *uts)
{
	ut_assertok(run("kstash reserve a 16M"));
	ut_assert_nextline("slot 'a': 0x1000000 bytes at 0x5000000");
	ut_assertok(run("kstash reserve b 8M"));
	ut_assert_nextline("slot 'b': 0x800000 bytes at 0x4800000");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_reserve_anywhere);

static int kstash_reserve_refuses(struct unit_test_state *uts)
{
	ut_asserteq(1, run("kstash reserve a 6M"));
	ut_assert_nextline(SLOT_A "size 0x600000 is too small, the least is 0x800000");
	ut_asserteq(1, run("kstash reserve a 900000"));
	ut_assert_nextline(SLOT_A "size 0x900000 is not a multiple of 2 MiB");
	ut_asserteq(1, run("kstash reserve a 16M 2100000"));
	ut_assert_nextline(SLOT_A "address 0x2100000 is not a multiple of 2 MiB");
	ut_asserteq(1, run("kstash reserve a 16M 1800000"));
	ut_assert_nextline(SLOT_A "0x1800000 to 0x27fffff is not all RAM");
	ut_asserteq(1, run("kstash reserve a 16M 5800000"));
	ut_assert_nextline(SLOT_A "0x5800000 to 0x67fffff is not all RAM");
	ut_asserteq(1, run("kstash reserve a 16M ffffffffff800000"));
	ut_assert_nextline(SLOT_A "0xffffffffff800000 to 0x7fffff is not all RAM");
	ut_asserteq(1, run("kstash reserve a ffffffffffe00000 2400000"));
	ut_assert_nextline(SLOT_A "0x2400000 to 0x21fffff is not all RAM");
	ut_asserteq(1, run("kstash reserve a 1G"));
	ut_assert_skip_to_line(SLOT_A "no free range of size 0x40000000");
	ut_asserteq(1, run("kstash reserve -a 16M"));
	ut_assert_nextline("kstash: slot '-a': the name is not 1 to 31 %s",
			   "letters, digits, '-', '_', '.'");
	ut_asserteq(1, run("kstash reserve a 16X"));
	ut_assert_nextline("kstash: '16X' is no number (hex, or decimal with K, M or G)");
	ut_asserteq(1, run("kstash reserve a M"));
	ut_assert_nextline("kstash: 'M' is no number (hex, or decimal with K, M or G)");
	ut_asserteq(1, run("kstash reserve a 99999999999G"));
	ut_assert_nextline("kstash: '99999999999G' is no number (hex, or decimal with K, M or G)");
	ut_assertok(check_no_slot(uts));
	return 0;
}

KSTASH_TEST(kstash_reserve_refuses);

static int kstash_reserve_refuses_taken(struct unit_test_state *uts)
{
	/* Something in the middle, and something that the slot would adjoin */
	ut_assertok(lmb_reserve_flags(0x2000000, SZ_2M, LMB_NOOVERWRITE));
	ut_assertok(lmb_reserve_flags(0x2a00000, SZ_4K, LMB_NONE));
	ut_asserteq(1, run("kstash reserve a 16M 2000000"));
	ut_assert_nextline(SLOT_A "something else has taken 0x2000000 to 0x21fffff");
	ut_asserteq(1, run("kstash reserve a 16M 2200000"));
	ut_assert_nextline(SLOT_A "something else has taken 0x2a00000 to 0x2a00fff");
	ut_assertok(check_no_slot(uts));
	return 0;
}

KSTASH_TEST(kstash_reserve_refuses_taken);

static int kstash_reserve_refuses_second(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	ut_asserteq(1, run("kstash reserve a 16M"));
	ut_assert_nextline(SLOT_A "exists already");
	ut_asserteq(1, run("kstash reserve b 16M 2800000"));
	ut_assert_nextline("kstash: slot 'b': something else has taken 0x2000000 to 0x2ffffff");
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_reserve_refuses_second);

static int kstash_reserve_refuses_ninth(struct unit_test_state *uts)
{
	char label[] = "0";
	int i;

	/* 8 slots of 8 MiB are all there is room for, but it is their number that counts */
	for (i = 0; i < KEXEC_STASH_SLOTS_MAX; i++, label[0]++)
		ut_assertok(kstash_reserve(label, SZ_8M, KSTASH_ANYWHERE));
	ut_asserteq(1, run("kstash reserve i 8M"));
	ut_assert_nextline("kstash: slot 'i': there are 8 slots already");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_reserve_refuses_ninth);

static int kstash_unknown_slot(struct unit_test_state *uts)
{
	ut_asserteq(1, run("kstash erase x"));
	ut_assert_nextline("kstash: slot 'x': does not exist; there is none");
	ut_assertok(reserve_a(uts));
	ut_assertok(kstash_reserve("b", SZ_8M, KSTASH_ANYWHERE));
	ut_asserteq(1, run("kstash erase x"));
	ut_assert_nextline("kstash: slot 'x': does not exist; there is 'a', 'b'");
	ut_asserteq(1, run("kstash bootargs x quiet"));
	ut_assert_nextline("kstash: slot 'x': does not exist; there is 'a', 'b'");
	ut_asserteq(1, run("kstash load x kernel hostfs - " TEST_FILE));
	ut_assert_nextline("kstash: slot 'x': does not exist; there is 'a', 'b'");
	ut_asserteq(1, run("kstash add x kernel 1000000 1000"));
	ut_assert_nextline("kstash: slot 'x': does not exist; there is 'a', 'b'");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_unknown_slot);

static int kstash_unknown_file(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	ut_asserteq(1, run("kstash load a ramdisk hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "'ramdisk' is not one of " FILES);
	ut_asserteq(1, run("kstash add a fit 1000000 1000"));
	ut_assert_nextline(SLOT_A "'fit' is not one of " FILES);
	ut_asserteq(1, run("kstash add a kernel.signature 1000000 1000"));
	ut_assert_nextline(SLOT_A "'kernel.signature' is not one of " FILES);
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_unknown_file);

static int kstash_load_from_file(struct unit_test_state *uts)
{
	u8 *image = make_image(IMAGE_SIZE);

	ut_assertok(reserve_a(uts));
	ut_assertok(os_write_file(TEST_FILE, image, IMAGE_FILE));
	ut_assertok(run("kstash load a kernel hostfs - " TEST_FILE));
	ut_assert_nextlinen("slot 'a': kernel: 4096 bytes at 0x2000000 (");
	ut_asserteq_mem(image, map_sysmem(RAM_BASE, IMAGE_FILE), IMAGE_FILE);

	/* Behind all that the kernel owns, not just behind its file */
	ut_assertok(os_write_file(TEST_FILE, "abc", 3));
	ut_assertok(run("kstash load a initrd hostfs - " TEST_FILE));
	ut_assert_nextlinen("slot 'a': initrd: 3 bytes at 0x2400000 (");
	ut_asserteq_mem("abc", map_sysmem(0x2400000, 3), 3);

	ut_assertok(run("kstash bootargs a 'root=/dev/vda quiet'"));
	ut_assertok(run("kstash list"));
	ut_assert_nextline("slot 'a' at 0x2000000, size 0x1000000, staged");
	ut_assert_nextline("  kernel at 0x2000000, 4096 bytes, sha256 " IMAGE_SHA256);
	ut_assert_nextline("  initrd at 0x2400000, 3 bytes, sha256 " ABC_SHA256);
	ut_assert_nextline("  bootargs root=/dev/vda quiet");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_load_from_file);

static int kstash_load_refuses_missing(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	ut_asserteq(1, run("kstash load a kernel hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "kernel: no file " TEST_FILE " on hostfs -");
	ut_asserteq(1, run("kstash load a kernel mmc 77:7 " TEST_FILE));
	ut_assert_skip_to_line(SLOT_A "kernel: no file system on mmc 77:7");
	ut_assertok(os_write_file(TEST_FILE, "", 0));
	ut_asserteq(1, run("kstash load a initrd hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "initrd: is empty");
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_load_refuses_missing);

static int kstash_load_refuses_large(struct unit_test_state *uts)
{
	u8 *last = map_sysmem(RAM_BASE + SZ_8M - 1, 2);
	u8 *big = calloc(1, SZ_16M);

	ut_assertnonnull(big);
	ut_assertok(run("kstash reserve a 8M 2000000"));
	ut_assert_nextline("slot 'a': 0x800000 bytes at 0x2000000");
	last[0] = 0x5a;
	last[1] = 0xa5;
	memcpy(big, make_image(SZ_1M), 64);
	ut_assertok(os_write_file(TEST_FILE, big, SZ_16M));
	ut_asserteq(1, run("kstash load a kernel hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "kernel: needs 0x1000000 bytes, room for 0x200000");
	ut_asserteq(1, run("kstash load a dtb hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "dtb: needs 0x1000000 bytes, room for 0x200000");
	ut_asserteq(1, run("kstash load a initrd hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "initrd: needs 0x1000000 bytes, room for 0x0");
	free(big);

	/* It was refused before it was read over the slot's end */
	ut_asserteq(0x5a, last[0]);
	ut_asserteq(0xa5, last[1]);
	ut_asserteq_64(0, file_size("a", KEXEC_STASH_KERNEL));
	ut_asserteq_64(0, file_size("a", KEXEC_STASH_INITRD));
	ut_asserteq_64(0, file_size("a", KEXEC_STASH_DTB));
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_load_refuses_large);

static int kstash_bad_header_keeps_kernel(struct unit_test_state *uts)
{
	u8 *image = make_image(IMAGE_SIZE);

	ut_assertok(reserve_a(uts));
	ut_assertok(run("kstash add a kernel 1000000 1000"));
	ut_assert_nextlinen("slot 'a': kernel: 4096 bytes at 0x2000000 (");

	image[56] = 'X';
	ut_assertok(os_write_file(TEST_FILE, image, IMAGE_FILE));
	ut_asserteq(1, run("kstash load a kernel hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "kernel: is not an arm64 Image");
	ut_assertok(os_write_file(TEST_FILE, image, 10));
	ut_asserteq(1, run("kstash load a kernel hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "kernel: is not an arm64 Image");
	make_image(0);
	ut_asserteq(1, run("kstash add a kernel 1000000 1000"));
	ut_assert_nextline(SLOT_A "kernel: has an image_size of 0");
	make_image(SZ_16M);
	ut_asserteq(1, run("kstash add a kernel 1000000 1000"));
	ut_assert_nextline(SLOT_A "kernel: needs 0x1000000 bytes, room for 0xa00000");
	make_image(~0ULL);
	ut_asserteq(1, run("kstash add a kernel 1000000 1000"));
	ut_assert_nextline(SLOT_A "kernel: needs 0xffffffffffffffff bytes, room for 0xa00000");

	/* The kernel that was there is not touched */
	ut_assertok(run("kstash list"));
	ut_assert_nextline("slot 'a' at 0x2000000, size 0x1000000, staged");
	ut_assert_nextline("  kernel at 0x2000000, 4096 bytes, sha256 " IMAGE_SHA256);
	ut_assert_console_end();
	ut_asserteq_mem(make_image(IMAGE_SIZE), map_sysmem(RAM_BASE, IMAGE_FILE), IMAGE_FILE);
	return 0;
}

KSTASH_TEST(kstash_bad_header_keeps_kernel);

static int kstash_initrd_before_kernel(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	memcpy(work_area(), "abc", 3);
	ut_assertok(run("kstash add a initrd 1000000 3"));
	ut_assert_nextlinen("slot 'a': initrd: 3 bytes at 0x2400000 (");

	/* Up to a quarter of the slot the kernel fits below it */
	make_image(SZ_4M + 1);
	ut_asserteq(1, run("kstash add a kernel 1000000 1000"));
	ut_assert_nextline(SLOT_A "kernel: needs 0x400001 bytes, room for 0x400000 %s",
			   "before the initrd: erase the slot and load the kernel first");
	ut_asserteq_64(0, file_size("a", KEXEC_STASH_KERNEL));
	ut_asserteq_64(3, file_size("a", KEXEC_STASH_INITRD));
	make_image(SZ_4M);
	ut_assertok(run("kstash add a kernel 1000000 1000"));
	ut_assert_nextlinen("slot 'a': kernel: 4096 bytes at 0x2000000 (");

	/* As the message says */
	ut_assertok(run("kstash erase a"));
	make_image(SZ_4M + 1);
	ut_assertok(run("kstash add a kernel 1000000 1000"));
	ut_assert_nextlinen("slot 'a': kernel: 4096 bytes at 0x2000000 (");
	ut_assertok(run("kstash add a initrd 1000000 3"));
	ut_assert_nextlinen("slot 'a': initrd: 3 bytes at 0x2600000 (");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_initrd_before_kernel);

static int kstash_initrd_ends_before_tail(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	make_image(SZ_8M);
	ut_assertok(kstash_add("a", KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
	ut_asserteq(-ENOSPC, kstash_add("a", KEXEC_STASH_INITRD, WORK_BASE, SZ_2M + 1));
	ut_assert_nextline(SLOT_A "initrd: needs 0x200001 bytes, room for 0x200000");
	ut_assertok(kstash_add("a", KEXEC_STASH_INITRD, WORK_BASE, SZ_2M));
	ut_asserteq_64(SZ_8M, file_offset("a", KEXEC_STASH_INITRD));
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_initrd_ends_before_tail);

static int kstash_add_refuses_wrap(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	ut_asserteq(1, run("kstash add a initrd fffffffffffff000 2000"));
	ut_assert_nextline(SLOT_A "initrd: 0x2000 bytes from 0xfffffffffffff000 wrap around");
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_add_refuses_wrap);

static int kstash_dtb(struct unit_test_state *uts)
{
	u32 *fdt = make_tree(SZ_64K, false);

	ut_assertok(reserve_a(uts));
	ut_assertok(run("kstash add a dtb 1000000 10000"));
	ut_assert_nextlinen("slot 'a': dtb: 65536 bytes at 0x2a00000 (");

	/* Truncated, then not a dtb at all: the one before is overwritten, so there is none */
	ut_asserteq(1, run("kstash add a dtb 1000000 8000"));
	ut_assert_nextline(SLOT_A "dtb: is not a valid device tree");
	ut_assertok(check_a_is_empty(uts));
	fdt[0] = 0;
	ut_asserteq(1, run("kstash add a dtb 1000000 10000"));
	ut_assert_nextline(SLOT_A "dtb: is not a valid device tree");
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_dtb);

static int kstash_bootargs_limit(struct unit_test_state *uts)
{
	char args[KEXEC_STASH_BOOTARGS_LEN + 1];

	ut_assertok(reserve_a(uts));
	memset(args, 'x', sizeof(args));
	args[KEXEC_STASH_BOOTARGS_LEN - 1] = '\0';
	ut_assertok(kstash_set_bootargs("a", args));
	ut_asserteq_str(args, kstash_find("a")->bootargs);
	args[KEXEC_STASH_BOOTARGS_LEN - 1] = 'x';
	args[KEXEC_STASH_BOOTARGS_LEN] = '\0';
	ut_asserteq(-E2BIG, kstash_set_bootargs("a", args));
	ut_assert_nextline(SLOT_A "bootargs are longer than 2047 characters");
	ut_asserteq(KEXEC_STASH_BOOTARGS_LEN - 1, strlen(kstash_find("a")->bootargs));
	ut_assertok(kstash_set_bootargs("a", ""));
	ut_assertnull(kstash_find("a")->bootargs);
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_bootargs_limit);

/* What mkimage makes of an initrd: the kernel that is to unpack it knows nothing of the header */
static int kstash_refuses_uinitrd(struct unit_test_state *uts)
{
	u8 *file = work_area();

	ut_assertok(reserve_a(uts));
	memset(file, '\0', SZ_4K);
	put_unaligned_be32(IH_MAGIC, file);
	ut_asserteq(1, run("kstash add a initrd 1000000 1000"));
	ut_assert_nextline(SLOT_A "initrd: is a legacy image of U-Boot (uImage): %s",
			   "strip its header of 64 bytes");
	ut_assertok(os_write_file(TEST_FILE, file, SZ_4K));
	ut_asserteq(1, run("kstash load a initrd hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "initrd: is a legacy image of U-Boot (uImage): %s",
			   "strip its header of 64 bytes");
	ut_assertok(check_a_is_empty(uts));

	ut_assertok(run("kstash add a initrd 1000040 fc0"));
	ut_assert_nextlinen("slot 'a': initrd: 4032 bytes at 0x2400000 (");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_refuses_uinitrd);

static int kstash_erase_keeps_range(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	make_image(IMAGE_SIZE);
	ut_assertok(kstash_add("a", KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
	ut_assertok(kstash_set_bootargs("a", "quiet"));
	ut_assertok(run("kstash erase a"));
	ut_assertok(check_a_is_empty(uts));
	ut_asserteq(0, lmb_alloc_addr(RAM_BASE, SZ_4K));
	return 0;
}

KSTASH_TEST(kstash_erase_keeps_range);

static int kstash_slots_from_env(struct unit_test_state *uts)
{
	env_set("kstash_slots", "a:16M@2000000,b:1000000,c,d:4M,e:8M@2800000,f:8M");
	ut_assertok(run("kstash list"));
	ut_assert_nextline("kstash: slot 'c': kstash_slots is not <slot>:<size>[@<address>],...");
	ut_assert_nextline("kstash: slot 'd': size 0x400000 is too small, the least is 0x800000");
	ut_assert_nextline("kstash: slot 'e': something else has taken 0x2000000 to 0x2ffffff");
	ut_assert_nextline("slot 'a' at 0x2000000, size 0x1000000, empty");
	ut_assert_nextline("slot 'b' at 0x5000000, size 0x1000000, empty");
	ut_assert_nextline("slot 'f' at 0x4800000, size 0x800000, empty");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_slots_from_env);

static void add_record(void *fdt, const char *label, u64 base, u64 size, const char *bootargs)
{
	struct kexec_stash_record rec = { .base = base, .size = size, .bootargs = bootargs };

	snprintf(rec.label, sizeof(rec.label), "%s", label);
	kexec_stash_record_write(fdt, &rec);
}

static int kstash_slots_from_fdt(struct unit_test_state *uts)
{
	void *fdt = make_tree(SZ_64K, false);
	int node;

	/* A new node comes first: read from the last one written to the first */
	add_record(fdt, "running", 0x5800000, SZ_8M, NULL);
	node = kexec_stash_record_next(fdt, -1);
	ut_assertok(fdt_setprop_string(fdt, node, "status", "disabled"));
	add_record(fdt, "nomap", 0x5000000, SZ_8M, NULL);
	node = kexec_stash_record_next(fdt, -1);
	ut_assertok(fdt_setprop_empty(fdt, node, "no-map"));
	add_record(fdt, "outside", 0x1000000, SZ_8M, NULL);
	add_record(fdt, "over", 0x2800000, SZ_16M, NULL);
	add_record(fdt, "a", RAM_BASE, SZ_16M, "quiet");

	kstash_read_fdt(fdt);
	ut_assert_nextline("kstash: slot 'over': overlaps slot 'a'");
	ut_assert_nextline("kstash: slot 'outside': 0x1000000 to 0x17fffff is not all RAM");
	ut_assert_nextline("kstash: slot 'nomap': no-map is set: a slot needs a linear mapping");
	ut_assertok(run("kstash list"));
	ut_assert_nextline("slot 'a' at 0x2000000, size 0x1000000, empty");
	ut_assert_nextline("  bootargs quiet");
	ut_assert_console_end();
	ut_asserteq(0, lmb_alloc_addr(RAM_BASE, SZ_4K));
	return 0;
}

KSTASH_TEST(kstash_slots_from_fdt);

/* What evmctl writes begins like this; U-Boot looks no further */
static const u8 signature[] = { KEXEC_STASH_SIGNATURE_TYPE, 2, 4, 0x95, 0x87, 0xd6, 0x64 };

static int stage_kernel(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	make_image(IMAGE_SIZE);
	ut_assertok(run("kstash add a kernel 1000000 1000"));
	ut_assert_nextlinen("slot 'a': kernel: 4096 bytes at 0x2000000 (");
	return 0;
}

static int check_kernel_is_signed(struct unit_test_state *uts, bool yes)
{
	const struct kexec_stash_file *file = &kstash_find("a")->file[KEXEC_STASH_KERNEL];

	ut_asserteq(yes ? sizeof(signature) : 0, file->signature_len);
	ut_asserteq(yes, !!file->signature);
	if (yes)
		ut_asserteq_mem(signature, file->signature, sizeof(signature));
	ut_assertok(run("kstash list"));
	ut_assert_nextline("slot 'a' at 0x2000000, size 0x1000000, staged");
	ut_assert_nextline("  kernel at 0x2000000, 4096 bytes, sha256 " IMAGE_SHA256 "%s",
			   yes ? ", signed" : "");
	ut_assert_console_end();
	return 0;
}

static int kstash_signature(struct unit_test_state *uts)
{
	ut_assertok(stage_kernel(uts));
	ut_assertok(os_write_file(TEST_FILE, signature, sizeof(signature)));
	ut_assertok(run("kstash load a kernel.sig hostfs - " TEST_FILE));
	ut_assert_nextline("slot 'a': kernel: signature of 7 bytes");
	ut_assertok(check_kernel_is_signed(uts, true));

	/* A new file has none, until it is given one */
	ut_assertok(run("kstash add a kernel 1000000 1000"));
	ut_assert_nextlinen("slot 'a': kernel: 4096 bytes at 0x2000000 (");
	ut_assertok(check_kernel_is_signed(uts, false));
	memcpy(map_sysmem(0x1200000, sizeof(signature)), signature, sizeof(signature));
	ut_assertok(run("kstash add a kernel.sig 1200000 7"));
	ut_assert_nextline("slot 'a': kernel: signature of 7 bytes");
	ut_assertok(check_kernel_is_signed(uts, true));

	ut_assertok(run("kstash erase a"));
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_signature);

/* Each new one takes the place of the last: all of them together are more than there is room for */
static int kstash_signature_is_freed(struct unit_test_state *uts)
{
	u8 *sig = map_sysmem(0x1200000, KEXEC_STASH_SIGNATURE_LEN);
	int i, n = CONFIG_SYS_MALLOC_LEN / KEXEC_STASH_SIGNATURE_LEN;

	ut_assertok(stage_kernel(uts));
	memset(sig, KEXEC_STASH_SIGNATURE_TYPE, KEXEC_STASH_SIGNATURE_LEN);
	for (i = 0; i <= n; i++)
		ut_assertok(kstash_add_signature("a", KEXEC_STASH_KERNEL, 0x1200000,
						 KEXEC_STASH_SIGNATURE_LEN));
	return 0;
}

KSTASH_TEST(kstash_signature_is_freed);

/* One that an earlier boot stage recorded is kept when its device tree is gone */
static int kstash_signature_from_fdt(struct unit_test_state *uts)
{
	void *fdt = calloc(1, SZ_16K);

	ut_assertnonnull(fdt);
	ut_assertok(stage_kernel(uts));
	memcpy(work_area(), signature, sizeof(signature));
	ut_assertok(kstash_add_signature("a", KEXEC_STASH_KERNEL, WORK_BASE, sizeof(signature)));
	ut_assertok(fdt_open_into(make_tree(SZ_4K, false), fdt, SZ_16K));
	kstash_fixup(fdt);
	kstash_uninit();

	kstash_read_fdt(fdt);
	memset(fdt, '\0', SZ_16K);
	free(fdt);
	ut_assertok(check_kernel_is_signed(uts, true));
	ut_assertok(run("kstash erase a"));
	ut_assertok(check_a_is_empty(uts));
	return 0;
}

KSTASH_TEST(kstash_signature_from_fdt);

static int kstash_signature_refuses(struct unit_test_state *uts)
{
	u8 *sig = map_sysmem(0x1200000, SZ_4K);

	ut_assertok(stage_kernel(uts));
	memset(sig, KEXEC_STASH_SIGNATURE_TYPE, SZ_4K);
	ut_asserteq(1, run("kstash add a initrd.sig 1200000 7"));
	ut_assert_nextline(SLOT_A "initrd: is not there to be signed, load it first");
	ut_asserteq(1, run("kstash add a dtb.sig 1200000 7"));
	ut_assert_nextline(SLOT_A "dtb: is not there to be signed, load it first");
	ut_asserteq(1, run("kstash add a kernel.sig 1200000 0"));
	ut_assert_nextline(SLOT_A "kernel: a signature has 1 to 1024 bytes, this one 0");
	ut_asserteq(1, run("kstash add a kernel.sig 1200000 401"));
	ut_assert_nextline(SLOT_A "kernel: a signature has 1 to 1024 bytes, this one 1025");
	*sig = 1;
	ut_asserteq(1, run("kstash add a kernel.sig 1200000 7"));
	ut_assert_nextline(SLOT_A
			   "kernel: this is no signature as evmctl ima_sign --sigfile writes it");
	ut_asserteq(1, run("kstash load a kernel.sig hostfs - " TEST_FILE));
	ut_assert_nextline(SLOT_A "kernel: no file " TEST_FILE " on hostfs -");
	ut_assertok(check_kernel_is_signed(uts, false));

	/* One that is there stays */
	memcpy(sig, signature, sizeof(signature));
	ut_assertok(run("kstash add a kernel.sig 1200000 7"));
	ut_assert_nextline("slot 'a': kernel: signature of 7 bytes");
	*sig = 1;
	ut_asserteq(1, run("kstash add a kernel.sig 1200000 7"));
	ut_assert_nextline(SLOT_A
			   "kernel: this is no signature as evmctl ima_sign --sigfile writes it");
	ut_assertok(check_kernel_is_signed(uts, true));
	return 0;
}

KSTASH_TEST(kstash_signature_refuses);

/* A tree of the operating system; the caller frees it */
static void *make_os_tree(void)
{
	void *os = calloc(1, SZ_16K);

	if (os)
		fdt_open_into(make_tree(SZ_4K, false), os, SZ_16K);
	return os;
}

static int stage_dtb(struct unit_test_state *uts)
{
	ut_assertok(fdt_pack(make_tree(SZ_4K, false)));
	ut_assertok(kstash_add("a", KEXEC_STASH_DTB, WORK_BASE, fdt_totalsize(work_area())));
	return 0;
}

static int sign_dtb(void)
{
	memcpy(map_sysmem(0x1200000, sizeof(signature)), signature, sizeof(signature));
	return run("kstash add a dtb.sig 1200000 7");
}

static int kstash_signed_dtb_stays(struct unit_test_state *uts)
{
	const struct kexec_stash_file *file;
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	void *os, *staged;
	u32 size;

	ut_assertok(reserve_a(uts));
	ut_assertok(stage_dtb(uts));
	ut_assertok(sign_dtb());
	ut_assert_nextline("slot 'a': dtb: signature of 7 bytes");
	ut_assertok(kstash_set_bootargs("a", "quiet"));
	os = make_os_tree();
	ut_assertnonnull(os);
	kstash_fixup(os);
	ut_assert_nextline(SLOT_A "dtb: is signed, so it has no fix-ups of this board");
	ut_assert_console_end();

	/* Not a byte differs, and the record has both digest and signature of it */
	ut_assertok(fdt_pack(make_tree(SZ_4K, false)));
	size = fdt_totalsize(work_area());
	file = &kstash_find("a")->file[KEXEC_STASH_DTB];
	ut_asserteq_64(size, file->size);
	staged = map_sysmem(RAM_BASE + file->offset, file->size);
	ut_asserteq_mem(work_area(), staged, size);
	ut_assertok(kexec_stash_record_read(os, kexec_stash_record_next(os, -1), &rec, &fault));
	ut_asserteq_64(size, rec.file[KEXEC_STASH_DTB].size);
	ut_asserteq_mem(file->digest, rec.file[KEXEC_STASH_DTB].digest, 32);
	ut_asserteq(sizeof(signature), rec.file[KEXEC_STASH_DTB].signature_len);
	ut_asserteq_mem(signature, rec.file[KEXEC_STASH_DTB].signature, sizeof(signature));
	free(os);
	return 0;
}

KSTASH_TEST(kstash_signed_dtb_stays);

static int kstash_fixed_dtb_takes_no_signature(struct unit_test_state *uts)
{
	void *os;

	ut_assertok(reserve_a(uts));
	ut_assertok(stage_dtb(uts));
	os = make_os_tree();
	ut_assertnonnull(os);
	kstash_fixup(os);
	free(os);
	ut_asserteq(1, sign_dtb());
	ut_assert_nextline(SLOT_A "dtb: has had fix-ups since, which no signature fits: %s",
			   "load it again first");
	ut_asserteq(0, kstash_find("a")->file[KEXEC_STASH_DTB].signature_len);

	/* As it says */
	ut_assertok(stage_dtb(uts));
	ut_assertok(sign_dtb());
	ut_assert_nextline("slot 'a': dtb: signature of 7 bytes");
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_fixed_dtb_takes_no_signature);

/* A slot that user space has staged, as an earlier boot stage hands it on */
static void read_runtime_slot(void)
{
	struct kexec_stash_record rec = {
		.label = "a", .base = RAM_BASE, .size = SZ_16M, .origin = KEXEC_STASH_RUNTIME,
		.bootargs = "quiet",
		.file = {
			[KEXEC_STASH_KERNEL] = { .size = SZ_4K },
			[KEXEC_STASH_INITRD] = { .offset = SZ_4M, .size = SZ_4K },
		},
	};
	void *fdt = make_tree(SZ_64K, false);

	kexec_stash_record_write(fdt, &rec);
	kstash_read_fdt(fdt);
}

static int kstash_origin_stays(struct unit_test_state *uts)
{
	const struct kexec_stash_record *rec;

	read_runtime_slot();
	rec = kstash_find("a");
	ut_asserteq(KEXEC_STASH_RUNTIME, rec->origin);
	make_image(IMAGE_SIZE);
	ut_assertok(kstash_add("a", KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
	ut_asserteq(KEXEC_STASH_RUNTIME, rec->origin);

	/* The initrd and the command line are still those that user space has staged */
	ut_assertok(kstash_add("a", KEXEC_STASH_INITRD, WORK_BASE, IMAGE_FILE));
	ut_assertok(kstash_set_bootargs("a", "debug"));
	ut_asserteq(KEXEC_STASH_RUNTIME, rec->origin);

	ut_assertok(kstash_erase("a"));
	ut_assertok(kstash_add("a", KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
	ut_asserteq(KEXEC_STASH_FIRMWARE, rec->origin);
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_origin_stays);

static int add_node(void *fdt, const char *name, u64 base, u64 size, const char *property)
{
	int parent = kexec_stash_record_parent(fdt);
	int node = fdt_add_subnode(fdt, parent, name);
	fdt64_t reg[] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	if (node < 0)
		return node;
	if (property)
		fdt_setprop_empty(fdt, node, property);
	return fdt_setprop(fdt, node, "reg", reg, sizeof(reg));
}

/* Only the slot that nobody else has is told of */
static int check_only_b_is_recorded(struct unit_test_state *uts, const void *os)
{
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	int node = kexec_stash_record_next(os, -1);

	ut_assert(node > 0);
	ut_assertok(kexec_stash_record_read(os, node, &rec, &fault));
	ut_asserteq_str("b", rec.label);
	ut_asserteq(-ENOENT, kexec_stash_record_next(os, node));
	ut_assert_console_end();
	return 0;
}

static int kstash_os_tree_reserves_slot(struct unit_test_state *uts)
{
	void *os;

	ut_assertok(reserve_a(uts));
	ut_assertok(kstash_reserve("b", SZ_8M, RAM_BASE + SZ_32M));

	/* Its last page; a node that reserves nothing, and one that adjoins, are in nobody's way */
	os = make_os_tree();
	ut_assertok(add_node(os, "next@3000000", RAM_BASE + SZ_16M, SZ_1M, NULL));
	ut_assertok(add_node(os, "off@4000000", RAM_BASE + SZ_32M, SZ_1M, NULL));
	ut_assertok(fdt_setprop_string(os, fdt_path_offset(os, "/reserved-memory/off@4000000"),
				       "status", "disabled"));
	ut_assertok(add_node(os, "optee@2fff000", RAM_BASE + SZ_16M - SZ_4K, SZ_4K, "no-map"));
	kstash_fixup(os);
	ut_assert_nextline(SLOT_A "/reserved-memory/optee@2fff000 of the device tree lies over it");
	ut_assertok(check_only_b_is_recorded(uts, os));
	free(os);

	/* One that begins before it and ends behind it, as the second range of a node */
	os = make_os_tree();
	ut_assertok(add_node(os, "pool", RAM_BASE - SZ_2M, SZ_1M, NULL));
	ut_assertok(fdt_appendprop_u64(os, fdt_path_offset(os, "/reserved-memory/pool"), "reg",
				       RAM_BASE - SZ_4K));
	ut_assertok(fdt_appendprop_u64(os, fdt_path_offset(os, "/reserved-memory/pool"), "reg",
				       SZ_32M));
	kstash_fixup(os);
	ut_assert_nextline(SLOT_A "/reserved-memory/pool of the device tree lies over it");
	ut_assertok(check_only_b_is_recorded(uts, os));
	free(os);

	/* An entry, and a record of before, which is no longer true */
	os = make_os_tree();
	add_record(os, "a", RAM_BASE, SZ_16M, "old");
	ut_assertok(fdt_add_mem_rsv(os, RAM_BASE + SZ_1M, SZ_4K));
	kstash_fixup(os);
	ut_assert_nextline(SLOT_A "the device tree has a memory reservation over it, %s",
			   "0x2100000 to 0x2100fff");
	ut_assertok(check_only_b_is_recorded(uts, os));
	free(os);
	return 0;
}

KSTASH_TEST(kstash_os_tree_reserves_slot);

/* The other way round: what is reserved by the tree that the record comes from */
static int kstash_tree_reserves_its_slot(struct unit_test_state *uts)
{
	void *fdt = make_tree(SZ_64K, false);

	ut_assertok(add_node(fdt, "optee@2c00000", 0x2c00000, SZ_2M, "no-map"));
	add_record(fdt, "b", RAM_BASE + SZ_32M, SZ_8M, NULL);
	add_record(fdt, "a", RAM_BASE, SZ_16M, NULL);
	kstash_read_fdt(fdt);
	ut_assert_nextline(SLOT_A "/reserved-memory/optee@2c00000 of the device tree lies over it");
	ut_assertnull(kstash_find("a"));
	ut_assertnonnull(kstash_find("b"));
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_tree_reserves_its_slot);

static int kstash_guard_refuses(struct unit_test_state *uts)
{
	ut_assertok(reserve_a(uts));
	ut_assertok(kstash_guard("the kernel", RAM_BASE - SZ_1M, SZ_1M));
	ut_assertok(kstash_guard("the kernel", RAM_BASE + SZ_16M, SZ_1M));
	ut_assertok(kstash_guard("the kernel", RAM_BASE + SZ_1M, 0));
	ut_assert_console_end();
	ut_asserteq(-EBUSY, kstash_guard("the kernel", RAM_BASE - SZ_1M, SZ_1M + 1));
	ut_assert_nextline(SLOT_A "the kernel must not be put over it, at 0x1f00000 to 0x2000000");
	ut_asserteq(-EBUSY, kstash_guard("the initrd", RAM_BASE + SZ_16M - 1, SZ_1M));
	ut_assert_nextline(SLOT_A "the initrd must not be put over it, at 0x2ffffff to 0x30ffffe");
	ut_asserteq(-EBUSY, kstash_guard("what is read", 0x1000, ~0ULL));
	ut_assert_nextlinen(SLOT_A "what is read must not be put over it, at 0x1000 to 0x");

	ut_asserteq_64(SZ_1M, kstash_room(RAM_BASE - SZ_1M, SZ_16M));
	ut_asserteq_64(SZ_64K, kstash_room(RAM_BASE - SZ_1M, SZ_64K));
	ut_asserteq_64(0, kstash_room(RAM_BASE, SZ_16M));
	ut_asserteq_64(SZ_16M, kstash_room(RAM_BASE + SZ_16M, SZ_16M));
	ut_assert_console_end();
	return 0;
}

KSTASH_TEST(kstash_guard_refuses);

/* The room that is asked for is enough for 8 slots with long command lines */
static int kstash_fdt_space_is_enough(struct unit_test_state *uts)
{
	char args[KEXEC_STASH_BOOTARGS_LEN], label[] = "0";
	struct kexec_stash_record rec;
	void *os;
	int i, node;
	u32 size;

	ut_asserteq(0, kstash_fdt_space());
	memset(args, 'x', sizeof(args));
	args[KEXEC_STASH_BOOTARGS_LEN - 1] = '\0';
	memset(map_sysmem(0x1200000, KEXEC_STASH_SIGNATURE_LEN), KEXEC_STASH_SIGNATURE_TYPE,
	       KEXEC_STASH_SIGNATURE_LEN);
	for (i = 0; i < KEXEC_STASH_SLOTS_MAX; i++, label[0]++) {
		ut_assertok(kstash_reserve(label, SZ_8M, RAM_BASE + i * SZ_8M));
		ut_assertok(kstash_set_bootargs(label, args));
		make_image(SZ_1M);
		ut_assertok(kstash_add(label, KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
		ut_assertok(kstash_add_signature(label, KEXEC_STASH_KERNEL, 0x1200000,
						 KEXEC_STASH_SIGNATURE_LEN));
	}
	ut_assertok(fdt_pack(make_tree(SZ_4K, false)));
	size = fdt_totalsize(work_area()) + kstash_fdt_space();
	os = calloc(1, size);
	ut_assertnonnull(os);
	ut_assertok(fdt_open_into(work_area(), os, size));
	kstash_fixup(os);
	for (i = 0, node = -1; (node = kexec_stash_record_next(os, node)) >= 0; i++) {
		struct kexec_stash_fault fault;

		ut_assertok(kexec_stash_record_read(os, node, &rec, &fault));
	}
	ut_asserteq(KEXEC_STASH_SLOTS_MAX, i);
	ut_assert_console_end();
	free(os);
	return 0;
}

KSTASH_TEST(kstash_fdt_space_is_enough);

/* What is written for the operating system reads back as what was staged */
static int kstash_record(struct unit_test_state *uts)
{
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	void *os = calloc(1, SZ_16K);
	int node;

	ut_assertnonnull(os);
	ut_assertok(reserve_a(uts));
	ut_assertok(kstash_reserve("b", SZ_8M, KSTASH_ANYWHERE));
	make_image(IMAGE_SIZE);
	ut_assertok(kstash_add("a", KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
	memcpy(work_area(), signature, sizeof(signature));
	ut_assertok(kstash_add_signature("a", KEXEC_STASH_KERNEL, WORK_BASE, sizeof(signature)));
	ut_assertok(kstash_set_bootargs("a", "quiet"));
	ut_assertok(fdt_open_into(make_tree(SZ_4K, false), os, SZ_16K));

	/* A second boot attempt writes the same again */
	kstash_fixup(os);
	kstash_fixup(os);

	node = kexec_stash_record_next(os, -1);
	ut_assertok(kexec_stash_record_read(os, node, &rec, &fault));
	ut_asserteq_str("a", rec.label);
	ut_asserteq_64(RAM_BASE, rec.base);
	ut_asserteq_64(SZ_16M, rec.size);
	ut_asserteq(KEXEC_STASH_FIRMWARE, rec.origin);
	ut_asserteq_str("quiet", rec.bootargs);
	ut_asserteq_64(IMAGE_FILE, rec.file[KEXEC_STASH_KERNEL].size);
	ut_asserteq(KEXEC_STASH_SHA256, rec.file[KEXEC_STASH_KERNEL].hash);
	ut_asserteq_mem(kstash_find("a")->file[KEXEC_STASH_KERNEL].digest,
			rec.file[KEXEC_STASH_KERNEL].digest, 32);
	ut_asserteq(sizeof(signature), rec.file[KEXEC_STASH_KERNEL].signature_len);
	ut_asserteq_mem(signature, rec.file[KEXEC_STASH_KERNEL].signature, sizeof(signature));
	ut_asserteq_64(0, rec.file[KEXEC_STASH_INITRD].size);

	node = kexec_stash_record_next(os, node);
	ut_assertok(kexec_stash_record_read(os, node, &rec, &fault));
	ut_asserteq_str("b", rec.label);
	ut_asserteq(-ENOENT, kexec_stash_record_next(os, node));
	ut_assert_console_end();
	free(os);
	return 0;
}

KSTASH_TEST(kstash_record);

static int kstash_record_needs_room(struct unit_test_state *uts)
{
	void *os = calloc(1, SZ_4K);

	ut_assertnonnull(os);
	ut_assertok(reserve_a(uts));
	ut_assertok(fdt_open_into(make_tree(SZ_1K, false), os, SZ_1K));
	kstash_fixup(os);
	ut_assert_nextline(SLOT_A "cannot be recorded in the device tree: %s",
			   "there is no room, raise CONFIG_SYS_FDT_PAD");
	ut_assert_console_end();

	/* Half a record would be worse than none */
	ut_assertok(fdt_check_full(os, SZ_1K));
	ut_asserteq(-FDT_ERR_NOTFOUND, fdt_path_offset(os, "/reserved-memory"));

	/* So would be one that is no longer true */
	add_record(os, "a", RAM_BASE, SZ_16M, "old");
	ut_asserteq(0, kexec_stash_record_next(os, -1) < 0);
	kstash_fixup(os);
	ut_assert_nextline(SLOT_A "cannot be recorded in the device tree: %s",
			   "there is no room, raise CONFIG_SYS_FDT_PAD");
	ut_asserteq(-ENOENT, kexec_stash_record_next(os, -1));
	ut_assert_console_end();
	free(os);
	return 0;
}

KSTASH_TEST(kstash_record_needs_room);

static bool has_mem_rsv(const void *fdt, u64 wanted)
{
	u64 addr, size;
	int i;

	for (i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		if (!fdt_get_mem_rsv(fdt, i, &addr, &size) && addr == wanted)
			return true;
	}
	return false;
}

static int kstash_dtb_gets_board_fixups(struct unit_test_state *uts)
{
	const struct kexec_stash_file *file;
	void *os = calloc(1, SZ_16K);
	const void *staged;
	u8 digest[32];

	ut_assertnonnull(os);
	ut_assertok(reserve_a(uts));
	ut_assertok(fdt_pack(make_tree(SZ_4K, false)));
	ut_assertok(kstash_add("a", KEXEC_STASH_DTB, WORK_BASE, fdt_totalsize(work_area())));
	ut_assertok(kstash_set_bootargs("a", "quiet"));
	file = &kstash_find("a")->file[KEXEC_STASH_DTB];
	memcpy(digest, file->digest, sizeof(digest));
	ut_assertok(fdt_open_into(make_tree(SZ_4K, false), os, SZ_16K));
	env_set("bootargs", "these are the OS's");
	kstash_fixup(os);
	env_set("bootargs", NULL);

	staged = map_sysmem(RAM_BASE + file->offset, file->size);
	ut_assertok(fdt_check_full(staged, file->size));
	ut_asserteq_64(fdt_totalsize(staged), file->size);
	ut_assert(has_mem_rsv(staged, BOARD_MEM_RSV));
	ut_asserteq_str("quiet", fdt_getprop(staged, fdt_path_offset(staged, "/chosen"), "bootargs",
					     NULL));
	ut_asserteq(-FDT_ERR_NOTFOUND,
		    fdt_path_offset(staged, "/reserved-memory/kexec-stash@2000000"));

	/* The record has the digest of what lies there now */
	ut_assert(memcmp(digest, file->digest, sizeof(digest)));
	ut_assert(fdt_path_offset(os, "/reserved-memory/kexec-stash@2000000/dtb/hash-1") > 0);
	free(os);
	return 0;
}

KSTASH_TEST(kstash_dtb_gets_board_fixups);

static int kstash_dtb_without_room(struct unit_test_state *uts)
{
	void *os = calloc(1, SZ_16K);

	ut_assertnonnull(os);
	ut_assertok(reserve_a(uts));
	make_image(IMAGE_SIZE);
	ut_assertok(kstash_add("a", KEXEC_STASH_KERNEL, WORK_BASE, IMAGE_FILE));
	ut_assertok(kstash_add("a", KEXEC_STASH_DTB, map_to_sysmem(make_tree(SZ_2M, true)), SZ_2M));
	ut_assertok(fdt_open_into(make_tree(SZ_4K, false), os, SZ_16K));
	kstash_fixup(os);
	ut_assert_skip_to_line(SLOT_A "dtb: fix-ups failed: the slot is emptied");
	ut_assert_console_end();

	/* Its range stays reserved, but there is no half of a payload in it */
	ut_assert(fdt_path_offset(os, "/reserved-memory/kexec-stash@2000000") > 0);
	ut_asserteq(-FDT_ERR_NOTFOUND,
		    fdt_path_offset(os, "/reserved-memory/kexec-stash@2000000/kernel"));
	ut_assertok(check_a_is_empty(uts));
	free(os);
	return 0;
}

KSTASH_TEST(kstash_dtb_without_room);

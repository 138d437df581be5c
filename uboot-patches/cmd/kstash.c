// SPDX-License-Identifier: GPL-2.0+
/*
 * Command-line access to the stash, see kstash.h
 */

#include <command.h>
#include <errno.h>
#include <kstash.h>
#include <time.h>
#include <linux/string.h>

static int parse_size(const char *str, u64 *val)
{
	int ret = kstash_parse_size(str, val);

	if (ret)
		printf("kstash: '%s' is no number (hex, or decimal with K, M or G)\n", str);
	return ret;
}

/* "kernel", or "kernel.sig" for its signature */
static int parse_file(const char *label, const char *name, enum kexec_stash_file_id *id,
		      bool *is_signature)
{
	for (*id = 0; *id < KEXEC_STASH_NR_FILES; (*id)++) {
		int len = strlen(kexec_stash_file_name(*id));

		if (strncmp(name, kexec_stash_file_name(*id), len))
			continue;
		*is_signature = !strcmp(name + len, ".sig");
		if (*is_signature || !name[len])
			return 0;
	}
	printf("kstash: slot '%s': '%s' is not one of kernel, initrd, dtb, or one of these with .sig\n",
	       label, name);
	return -EINVAL;
}

static void show_signed(const char *label, enum kexec_stash_file_id id)
{
	printf("slot '%s': %s: signature of %u bytes\n", label, kexec_stash_file_name(id),
	       kstash_find(label)->file[id].signature_len);
}

static void show_staged(const char *label, enum kexec_stash_file_id id, ulong start)
{
	const struct kexec_stash_record *rec = kstash_find(label);
	const struct kexec_stash_file *file = &rec->file[id];

	printf("slot '%s': %s: %llu bytes at %#llx (%lu ms)\n", label, kexec_stash_file_name(id),
	       file->size, rec->base + file->offset, get_timer(start));
}

static int do_kstash_reserve(struct cmd_tbl *cmdtp, int flag, int argc, char *const argv[])
{
	u64 size, base = KSTASH_ANYWHERE;

	if (argc < 3)
		return CMD_RET_USAGE;
	if (parse_size(argv[2], &size) || (argc > 3 && parse_size(argv[3], &base)) ||
	    kstash_reserve(argv[1], size, base))
		return CMD_RET_FAILURE;
	printf("slot '%s': %#llx bytes at %#llx\n", argv[1], size, kstash_find(argv[1])->base);
	return 0;
}

static int do_kstash_load(struct cmd_tbl *cmdtp, int flag, int argc, char *const argv[])
{
	const char *dev_part = argc > 5 ? argv[4] : NULL;
	ulong start = get_timer(0);
	enum kexec_stash_file_id id;
	bool is_signature;

	if (argc < 5)
		return CMD_RET_USAGE;
	if (parse_file(argv[1], argv[2], &id, &is_signature))
		return CMD_RET_FAILURE;
	if (is_signature) {
		if (kstash_load_signature(argv[1], id, argv[3], dev_part, argv[argc - 1]))
			return CMD_RET_FAILURE;
		show_signed(argv[1], id);
		return 0;
	}
	if (kstash_load(argv[1], id, argv[3], dev_part, argv[argc - 1]))
		return CMD_RET_FAILURE;
	show_staged(argv[1], id, start);
	return 0;
}

static int do_kstash_add(struct cmd_tbl *cmdtp, int flag, int argc, char *const argv[])
{
	ulong start = get_timer(0);
	enum kexec_stash_file_id id;
	bool is_signature;
	u64 addr, size;

	if (argc != 5)
		return CMD_RET_USAGE;
	if (parse_file(argv[1], argv[2], &id, &is_signature) || parse_size(argv[3], &addr) ||
	    parse_size(argv[4], &size))
		return CMD_RET_FAILURE;
	if (is_signature) {
		if (kstash_add_signature(argv[1], id, addr, size))
			return CMD_RET_FAILURE;
		show_signed(argv[1], id);
		return 0;
	}
	if (kstash_add(argv[1], id, addr, size))
		return CMD_RET_FAILURE;
	show_staged(argv[1], id, start);
	return 0;
}

static int do_kstash_bootargs(struct cmd_tbl *cmdtp, int flag, int argc, char *const argv[])
{
	if (argc != 3)
		return CMD_RET_USAGE;
	return kstash_set_bootargs(argv[1], argv[2]) ? CMD_RET_FAILURE : 0;
}

static int do_kstash_list(struct cmd_tbl *cmdtp, int flag, int argc, char *const argv[])
{
	kstash_show_list();
	return 0;
}

static int do_kstash_erase(struct cmd_tbl *cmdtp, int flag, int argc, char *const argv[])
{
	if (argc != 2)
		return CMD_RET_USAGE;
	return kstash_erase(argv[1]) ? CMD_RET_FAILURE : 0;
}

U_BOOT_LONGHELP(kstash,
		"reserve <slot> <size> [<addr>] - set a range of RAM aside; size in hex, or decimal as in 128M\n"
		"kstash load <slot> kernel|initrd|dtb <interface> [<dev[:part]>] <file> - read a file into its place\n"
		"kstash add <slot> kernel|initrd|dtb <addr> <size> - copy a file from memory into its place\n"
		"kstash load <slot> kernel.sig|initrd.sig|dtb.sig <interface> [<dev[:part]>] <file> - read its signature\n"
		"kstash add <slot> kernel.sig|initrd.sig|dtb.sig <addr> <size> - take its signature from memory\n"
		"kstash bootargs <slot> <args> - set the command line, '' for none\n"
		"kstash list - show all slots and what is in them\n"
		"kstash erase <slot> - empty a slot");

U_BOOT_CMD_WITH_SUBCMDS(kstash, "Stash a kernel for a later kexec", kstash_help_text,
			U_BOOT_SUBCMD_MKENT(reserve, 4, 0, do_kstash_reserve),
			U_BOOT_SUBCMD_MKENT(load, 6, 0, do_kstash_load),
			U_BOOT_SUBCMD_MKENT(add, 5, 0, do_kstash_add),
			U_BOOT_SUBCMD_MKENT(bootargs, 3, 0, do_kstash_bootargs),
			U_BOOT_SUBCMD_MKENT(list, 1, 1, do_kstash_list),
			U_BOOT_SUBCMD_MKENT(erase, 2, 0, do_kstash_erase));

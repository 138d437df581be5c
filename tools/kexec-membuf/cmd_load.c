// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "load" command
 */

#include "cmdline.h"
#include "command.h"
#include "explain.h"
#include "kexec_state.h"
#include "slot.h"
#include "slot_json.h"
#include "sys.h"
#include "uapi.h"
#include "utils.h"

#include <linux/kexec.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Newer than the headers of Debian 12 */
#ifndef KEXEC_FILE_DEBUG
#define KEXEC_FILE_DEBUG	0x00000008
#endif

/**
 * struct load_args - what the command line asks for
 * @slot: name of the slot
 * @initrd: a file to take instead of the slot's initrd, or NULL
 * @cmdline: a command line to take instead of the slot's, or NULL
 * @reuse_cmdline: take the running kernel's
 * @flags: KEXEC_FILE_*
 * @json: print JSON
 */
struct load_args {
	const char *slot;
	const char *initrd;
	const char *cmdline;
	bool reuse_cmdline;
	unsigned long flags;
	bool json;
};

/**
 * struct load_result - what a load found
 * @slot: the slot after the load
 * @verified_before: its digests had been checked when it was loaded
 * @initrd_size: bytes of the initrd, wherever it came from
 * @copy_bytes: bytes to copy at exec
 * @load_ns: how long the call took
 */
struct load_result {
	struct slot slot;
	bool verified_before;
	u64 initrd_size;
	u64 copy_bytes;
	u64 load_ns;
};

static const struct option longopts[] = {
	{ "initrd",		required_argument, NULL, OPT_INITRD },
	{ "no-initrd",		no_argument, NULL, OPT_NO_INITRD },
	{ "command-line",	required_argument, NULL, OPT_COMMAND_LINE },
	{ "reuse-cmdline",	no_argument, NULL, OPT_REUSE_CMDLINE },
	{ "debug",		no_argument, NULL, OPT_DEBUG },
	{ "json",		no_argument, NULL, OPT_JSON },
	{ "help",		no_argument, NULL, OPT_HELP },
	{ "version",		no_argument, NULL, OPT_VERSION },
	{}
};

static int open_initrd(const char *slot, const char *path, u64 *size)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		error_msg("slot '%s': initrd '%s': cannot be opened: %s", slot, path,
			  strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		error_msg("slot '%s': initrd '%s': is %s; give a file, or use --no-initrd", slot,
			  path, S_ISREG(st.st_mode) ? "empty" : "no regular file");
		goto fail;
	}
	*size = st.st_size;
	return fd;
fail:
	close_fd(fd);
	return -1;
}

static void print_json(const struct load_args *args, const struct load_result *res)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *in_place = json_object_new_object();

	json_add(obj, "slot", json_object_new_string(res->slot.name));
	json_add(in_place, "kernel",
		 json_object_new_uint64(res->slot.file_size[KEXEC_STASH_KERNEL]));
	json_add(in_place, "initrd", json_object_new_uint64(res->initrd_size));
	json_add(in_place, "dtb", json_object_new_uint64(res->slot.file_size[KEXEC_STASH_DTB]));
	json_add(obj, "in_place", in_place);
	json_add(obj, "initrd_file", args->initrd ? json_object_new_string(args->initrd) : NULL);
	json_add(obj, "copy_bytes", json_object_new_uint64(res->copy_bytes));
	json_add(obj, "verified", res->verified_before ? json_object_new_string("before") :
		 res->slot.verified ? json_object_new_string("now") : NULL);
	json_add(obj, "load_ns", json_object_new_uint64(res->load_ns));
	json_print(obj);
}

static void print_file(const char *name, u64 size, const char *none, const char *from)
{
	char buf[HUMAN_SIZE_LEN];

	if (size)
		printf("  %-7s %12llu bytes in place (%s)%s%s\n", name, size,
		       human_size(size, buf), from ? ", placed there from " : "", from ? from : "");
	else
		printf("  %-7s %s\n", name, none);
}

static void print_text(const struct load_args *args, const struct load_result *res)
{
	printf("slot '%s': loaded in %llu.%03llu ms\n", res->slot.name,
	       res->load_ns / 1000000, res->load_ns / 1000 % 1000);
	print_file("kernel", res->slot.file_size[KEXEC_STASH_KERNEL], "none", NULL);
	print_file("initrd", res->initrd_size, "none", args->initrd);
	print_file("dtb", res->slot.file_size[KEXEC_STASH_DTB],
		   "none staged: the running tree is the base", NULL);
	printf("  verified: %s\n", res->verified_before ? "before the load" :
	       res->slot.verified ? "in the load" : "no, not all files have a recorded digest");
	printf("  to copy at exec: %llu bytes\n", res->copy_bytes);
}

/* What the kernel says after the call */
static bool get_result(int root, int stash, const struct load_args *args, struct load_result *res)
{
	if (!slot_read(stash, args->slot, &res->slot) || !kexec_copy_bytes(root, &res->copy_bytes))
		return false;
	if (args->flags & KEXEC_FILE_NO_INITRAMFS)
		res->initrd_size = 0;
	else if (!args->initrd)
		res->initrd_size = res->slot.file_size[KEXEC_STASH_INITRD];
	return true;
}

static bool load(int root, const struct load_args *args, struct load_result *res)
{
	int stash = -1, kernel = -1, initrd = -1;
	char buf[KEXEC_STASH_BOOTARGS_LEN];
	const char *cmdline;
	bool ok = false;
	u64 start;
	int ret;

	stash = stash_open(root);
	if (stash < 0 || !slot_read(stash, args->slot, &res->slot))
		goto out;
	if (!cmdline_get(root, args->slot, args->cmdline, args->reuse_cmdline, buf, &cmdline))
		goto out;
	kernel = slot_open_kernel(stash, args->slot);
	if (kernel < 0)
		goto out;
	if (args->initrd) {
		initrd = open_initrd(args->slot, args->initrd, &res->initrd_size);
		if (initrd < 0)
			goto out;
	}

	res->verified_before = res->slot.verified;
	start = now_ns();
	ret = sys_kexec_file_load(kernel, initrd, cmdline, args->flags);
	res->load_ns = now_ns() - start;
	if (ret)
		refusal_tell(root, stash, args->slot, -ret);
	else
		ok = get_result(root, stash, args, res);
out:
	close_fd(initrd);
	close_fd(kernel);
	close_fd(stash);
	return ok;
}

/* STATUS_DONE where there is something to do, and -1 then; or the exit status */
static int parse(const struct command *cmd, int argc, char *argv[], struct load_args *args)
{
	int c;

	args->flags = KEXEC_FILE_MEMBUF;
	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1) {
		switch (c) {
		case OPT_INITRD:
			args->initrd = optarg;
			break;
		case OPT_NO_INITRD:
			args->flags |= KEXEC_FILE_NO_INITRAMFS;
			break;
		case OPT_COMMAND_LINE:
			args->cmdline = optarg;
			break;
		case OPT_REUSE_CMDLINE:
			args->reuse_cmdline = true;
			break;
		case OPT_DEBUG:
			args->flags |= KEXEC_FILE_DEBUG;
			break;
		case OPT_JSON:
			args->json = true;
			break;
		default:
			return common_option(cmd, c, argv);
		}
	}
	if (args->initrd && args->flags & KEXEC_FILE_NO_INITRAMFS)
		return misuse(cmd, "--initrd and --no-initrd exclude each other");
	if (args->cmdline && args->reuse_cmdline)
		return misuse(cmd, "--command-line and --reuse-cmdline exclude each other");
	if (check_operands(cmd, argc, argv, 1))
		return STATUS_MISUSE;
	args->slot = argv[optind];
	return -1;
}

int cmd_load(const struct command *cmd, int root, int argc, char *argv[])
{
	struct load_result res = {};
	struct load_args args = {};
	int status;

	status = parse(cmd, argc, argv, &args);
	if (status >= 0)
		return status;

	if (!load(root, &args, &res))
		return STATUS_FAILED;
	if (args.json)
		print_json(&args, &res);
	else
		print_text(&args, &res);
	if (res.copy_bytes) {
		error_msg("slot '%s': is loaded, but exec would copy %llu bytes; %s", args.slot,
			  res.copy_bytes, "unload it and report this fault of the kernel");
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "load" command
 */

#include "command.h"
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
 * struct load_result - what a load found
 * @slot: the slot after the load
 * @initrd_size: bytes of the initrd, wherever it came from
 * @copy_bytes: bytes to copy at exec
 * @load_ns: how long the call took
 */
struct load_result {
	struct slot slot;
	u64 initrd_size;
	u64 copy_bytes;
	u64 load_ns;
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

static void print_json(const struct args *args, const struct load_result *res)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *in_place = json_object_new_object();

	json_add_number(in_place, "kernel", res->slot.file_size[KEXEC_STASH_KERNEL]);
	json_add_number(in_place, "initrd", res->initrd_size);
	json_add_number(in_place, "dtb", res->slot.file_size[KEXEC_STASH_DTB]);
	json_add_string(obj, "slot", res->slot.name);
	json_add(obj, "in_place", in_place);
	json_add_string(obj, "initrd_file", args->path[KEXEC_STASH_INITRD]);
	json_add_number(obj, "copy_bytes", res->copy_bytes);
	json_add_string(obj, "verified", args->slot.verified ? "before" :
			res->slot.verified ? "now" : NULL);
	json_add_number(obj, "load_ns", res->load_ns);
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

static void print_text(const struct args *args, const struct load_result *res)
{
	printf("slot '%s': loaded in %llu.%03llu ms\n", res->slot.name,
	       res->load_ns / 1000000, res->load_ns / 1000 % 1000);
	print_file("kernel", res->slot.file_size[KEXEC_STASH_KERNEL], "none", NULL);
	print_file("initrd", res->initrd_size, "none", args->path[KEXEC_STASH_INITRD]);
	print_file("dtb", res->slot.file_size[KEXEC_STASH_DTB],
		   "none staged: the running tree is the base", NULL);
	printf("  verified: %s\n", args->slot.verified ? "before the load" :
	       res->slot.verified ? "in the load" : "no, not all files have a recorded digest");
	printf("  to copy at exec: %llu bytes\n", res->copy_bytes);
}

/* What the kernel says after the call */
static bool get_result(const struct args *args, struct load_result *res)
{
	if (!slot_read(args->stash, args->slot.name, &res->slot) ||
	    !kexec_copy_bytes(args->root, &res->copy_bytes))
		return false;
	if (!args->no_initrd && !args->path[KEXEC_STASH_INITRD])
		res->initrd_size = res->slot.file_size[KEXEC_STASH_INITRD];
	return true;
}

static unsigned long load_flags(const struct args *args)
{
	return KEXEC_FILE_MEMBUF | (args->no_initrd ? KEXEC_FILE_NO_INITRAMFS : 0) |
	       (args->debug ? KEXEC_FILE_DEBUG : 0);
}

static bool load(const struct args *args, struct load_result *res)
{
	const char *name = args->slot.name, *path = args->path[KEXEC_STASH_INITRD], *cmdline;
	char buf[KEXEC_STASH_BOOTARGS_LEN], why[REFUSAL_LEN];
	int kernel, initrd = -1, ret;
	bool ok = false;
	u64 start;

	if (!args_cmdline(args, buf, &cmdline))
		return false;
	kernel = slot_open_kernel(args->stash, name);
	if (kernel < 0)
		return false;
	if (path) {
		initrd = open_initrd(name, path, &res->initrd_size);
		if (initrd < 0)
			goto out;
	}

	start = now_ns();
	ret = sys_kexec_file_load(kernel, initrd, cmdline, load_flags(args));
	res->load_ns = now_ns() - start;
	if (ret) {
		refusal_read(args->root, args->stash, name, -ret, why);
		error_msg("slot '%s': %s", name, why);
	} else {
		ok = get_result(args, res);
	}
out:
	close_fd(initrd);
	close_fd(kernel);
	return ok;
}

int cmd_load(const struct args *args)
{
	struct load_result res = {};

	if (!load(args, &res))
		return STATUS_FAILED;
	if (args->json)
		print_json(args, &res);
	else
		print_text(args, &res);
	if (res.copy_bytes) {
		error_msg("slot '%s': is loaded, but exec would copy %llu bytes; %s",
			  args->slot.name, res.copy_bytes,
			  "unload it and report this fault of the kernel");
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

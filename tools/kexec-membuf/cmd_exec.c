// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands "exec" and "unload"
 */

#include "command.h"
#include "sys.h"
#include "utils.h"

#include <linux/kexec.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As sd_booted(3) does it */
static bool systemd_runs(int root)
{
	struct stat st;

	return !fstatat(root, "run/systemd/system", &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode);
}

/* What is loaded: @slot's name is "" for an image that is no slot's */
static bool get_loaded(int root, struct slot *slot, u64 *copy_bytes)
{
	bool loaded, ok = false;
	int stash;

	if (!kexec_is_loaded(root, &loaded))
		return false;
	if (!loaded) {
		error_msg("nothing is loaded; run 'kexec-membuf load SLOT' first");
		return false;
	}
	stash = stash_open(root);
	if (stash < 0)
		return false;
	ok = slot_find(stash, "loaded", slot) && kexec_copy_bytes(root, copy_bytes);
	close_fd(stash);
	return ok;
}

static void print_loaded(const struct slot *slot, u64 copy_bytes, bool json)
{
	if (json) {
		struct json_object *obj = json_object_new_object();

		json_add_string(obj, "slot", slot->name);
		json_add_number(obj, "copy_bytes", copy_bytes);
		json_print(obj);
	} else if (slot->name[0]) {
		printf("slot '%s': starting its kernel, %llu bytes to copy\n", slot->name,
		       copy_bytes);
	} else {
		printf("no slot: starting a kernel from elsewhere, %llu bytes to copy\n",
		       copy_bytes);
	}
	/* There is no one left to do it later */
	fflush(stdout);
}

static void start_loaded(int root, bool force)
{
	int ret;

	sync();
	if (!force && systemd_runs(root)) {
		ret = sys_systemctl_kexec();
		error_msg("cannot run 'systemctl kexec': %s; --force does without it",
			  strerror(-ret));
		return;
	}
	ret = sys_kexec_reboot();
	error_msg("the loaded kernel cannot be started: %s%s", strerror(-ret),
		  ret == -EPERM ? "; run this as root" : "");
}

int cmd_exec(const struct args *args)
{
	struct slot slot;
	u64 copy_bytes;

	if (get_loaded(args->root, &slot, &copy_bytes)) {
		print_loaded(&slot, copy_bytes, args->json);
		start_loaded(args->root, args->force);
	}
	/* Whoever comes back here has failed */
	return STATUS_FAILED;
}

static bool unload_image(int root)
{
	int ret = sys_kexec_file_load(-1, -1, NULL, KEXEC_FILE_UNLOAD);
	char why[REFUSAL_LEN];

	if (!ret)
		return true;
	refusal_read(root, -1, NULL, -ret, why);
	error_msg("cannot unload: %s", why);
	return false;
}

int cmd_unload(const struct args *args)
{
	int stash = -1, status = STATUS_FAILED;
	struct slot slot;
	bool loaded;

	if (!kexec_is_loaded(args->root, &loaded))
		return STATUS_FAILED;
	if (!loaded) {
		puts("nothing is loaded");
		return STATUS_DONE;
	}
	stash = stash_open(args->root);
	if (stash < 0 || !slot_find(stash, "loaded", &slot) || !unload_image(args->root))
		goto out;
	if (slot.name[0])
		printf("slot '%s': unloaded\n", slot.name);
	else
		puts("unloaded; it was no slot's");
	status = STATUS_DONE;
out:
	close_fd(stash);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "exec" command
 */

#include "command.h"
#include "kexec_state.h"
#include "slot.h"
#include "slot_json.h"
#include "sys.h"
#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option longopts[] = {
	{ "force",	no_argument, NULL, OPT_FORCE },
	{ "json",	no_argument, NULL, OPT_JSON },
	{ "help",	no_argument, NULL, OPT_HELP },
	{ "version",	no_argument, NULL, OPT_VERSION },
	{}
};

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
	ok = slot_read_loaded(stash, slot) && kexec_copy_bytes(root, copy_bytes);
	close_fd(stash);
	return ok;
}

static void print_loaded(const struct slot *slot, u64 copy_bytes, bool json)
{
	if (json) {
		struct json_object *obj = json_object_new_object();

		json_add(obj, "slot", slot->name[0] ? json_object_new_string(slot->name) : NULL);
		json_add(obj, "copy_bytes", json_object_new_uint64(copy_bytes));
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

int cmd_exec(const struct command *cmd, int root, int argc, char *argv[])
{
	bool json = false, force = false;
	struct slot slot;
	u64 copy_bytes;
	int c;

	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1) {
		switch (c) {
		case OPT_FORCE:
			force = true;
			break;
		case OPT_JSON:
			json = true;
			break;
		default:
			return common_option(cmd, c, argv);
		}
	}
	if (check_operands(cmd, argc, argv, 0))
		return STATUS_MISUSE;

	if (get_loaded(root, &slot, &copy_bytes)) {
		print_loaded(&slot, copy_bytes, json);
		start_loaded(root, force);
	}
	/* Whoever comes back here has failed */
	return STATUS_FAILED;
}

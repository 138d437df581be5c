// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "unload" command
 */

#include "command.h"
#include "explain.h"
#include "kexec_state.h"
#include "slot.h"
#include "sys.h"
#include "utils.h"

#include <linux/kexec.h>

#include <string.h>

static bool unload_image(int root)
{
	bool loaded, ok = false;
	int stash = -1, ret;
	const char *advice;
	struct slot slot;

	if (!kexec_is_loaded(root, &loaded))
		return false;
	if (!loaded) {
		puts("nothing is loaded");
		return true;
	}
	stash = stash_open(root);
	if (stash < 0 || !slot_read_loaded(stash, &slot))
		goto out;
	ret = sys_kexec_file_load(-1, -1, NULL, KEXEC_FILE_UNLOAD);
	if (ret) {
		advice = explain_advice(root, -ret);
		error_msg("cannot unload: %s (%s); %s", explain_reason(-ret),
			  strerrorname_np(-ret), advice ? advice : "see dmesg");
		goto out;
	}
	if (slot.name[0])
		printf("slot '%s': unloaded\n", slot.name);
	else
		puts("unloaded; it was no slot's");
	ok = true;
out:
	close_fd(stash);
	return ok;
}

int cmd_unload(const struct command *cmd, int root, int argc, char *argv[])
{
	int status = parse_operands(cmd, argc, argv, 0);

	if (status >= 0)
		return status;

	return unload_image(root) ? STATUS_DONE : STATUS_FAILED;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "erase" command
 */

#include "command.h"
#include "slot_write.h"
#include "utils.h"

static bool erase(int root, const char *name)
{
	int stash = stash_open(root), lock = -1;
	struct slot slot;
	bool ok = false;

	if (stash < 0 || !slot_read(stash, name, &slot))
		goto out;
	lock = slot_lock(stash, name);
	if (lock < 0 || !slot_changeable(&slot) || !slot_empty(stash, name))
		goto out;
	printf("slot '%s': erased\n", name);
	ok = true;
out:
	close_fd(lock);
	close_fd(stash);
	return ok;
}

int cmd_erase(const struct command *cmd, int root, int argc, char *argv[])
{
	int status = parse_operands(cmd, argc, argv, 1);

	if (status >= 0)
		return status;

	return erase(root, argv[optind]) ? STATUS_DONE : STATUS_FAILED;
}

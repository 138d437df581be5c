// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands "erase" and "release"
 */

#include "command.h"
#include "sys.h"
#include "utils.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int cmd_erase(const struct args *args)
{
	int stash = stash_open(args->root), lock = -1, status = STATUS_FAILED;
	struct slot slot;

	if (stash < 0 || !slot_read(stash, args->slot, &slot))
		goto out;
	lock = slot_lock(stash, args->slot);
	if (lock < 0 || !slot_changeable(&slot) || !slot_empty(stash, args->slot))
		goto out;
	printf("slot '%s': erased\n", args->slot);
	status = STATUS_DONE;
out:
	close_fd(lock);
	close_fd(stash);
	return status;
}

static bool write_release(int stash, const char *slot)
{
	char *path = slot_path(slot, "release");
	int fd = sys_open(stash, path, O_WRONLY);
	const char *why, *todo;
	ssize_t n = fd;

	free(path);
	if (fd >= 0)
		n = sys_write(fd, "1", 1);
	close_fd(fd);
	if (n >= 0)
		return true;
	why = explain(ACTION_RELEASE, -n, &todo);
	error_msg("slot '%s': cannot be released: %s; %s", slot, why, todo);
	return false;
}

int cmd_release(const struct args *args)
{
	int stash = stash_open(args->root), lock = -1, status = STATUS_FAILED;
	char size[HUMAN_SIZE_LEN];
	struct slot slot;

	if (stash < 0 || !slot_read(stash, args->slot, &slot))
		goto out;
	if (!strcmp(slot.state, "released")) {
		printf("slot '%s': is released already\n", args->slot);
		status = STATUS_DONE;
		goto out;
	}
	lock = slot_lock(stash, args->slot);
	if (lock < 0 || !write_release(stash, args->slot))
		goto out;
	printf("slot '%s': %s given back until the next boot\n", args->slot,
	       human_size(slot.size, size));
	status = STATUS_DONE;
out:
	close_fd(lock);
	close_fd(stash);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands "erase" and "release"
 */

#include "command.h"
#include "sys.h"
#include "utils.h"

#include <fcntl.h>
#include <string.h>

int cmd_erase(const struct args *args)
{
	const struct slot *slot = &args->slot;
	int lock = slot_lock(args->stash, slot->name);
	bool ok;

	ok = lock >= 0 && slot_changeable(slot) && slot_empty(args->stash, slot->name);
	if (ok)
		printf("slot '%s': erased\n", slot->name);
	close_fd(lock);
	return ok ? STATUS_DONE : STATUS_FAILED;
}

static bool write_release(int stash, const char *slot)
{
	int fd = sys_open(stash, slot_path(slot, "release").str, O_WRONLY);
	const char *why, *todo;
	ssize_t n = fd;

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
	const struct slot *slot = &args->slot;
	char size[HUMAN_SIZE_LEN];
	bool ok;
	int lock;

	if (!strcmp(slot->state, "released")) {
		printf("slot '%s': is released already\n", slot->name);
		return STATUS_DONE;
	}
	lock = slot_lock(args->stash, slot->name);
	ok = lock >= 0 && write_release(args->stash, slot->name);
	if (ok)
		printf("slot '%s': %s given back until the next boot\n", slot->name,
		       human_size(slot->size, size));
	close_fd(lock);
	return ok ? STATUS_DONE : STATUS_FAILED;
}

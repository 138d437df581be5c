// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "release" command
 */

#include "command.h"
#include "slot_write.h"
#include "sys.h"
#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static void failure_msg(const char *slot, int err)
{
	const char *why = strerror(err), *todo = "see dmesg";

	switch (err) {
	case ENOENT:
		why = "this kernel cannot do that";
		todo = "boot one whose slots have a file 'release'";
		break;
	case EACCES:
	case EPERM:
		todo = "run this as root";
		break;
	case ENOTEMPTY:
		why = "it holds a payload";
		todo = "erase it first";
		break;
	case ETXTBSY:
		why = "it is loaded, or a file of it is open for writing";
		todo = "unload it, or wait for who writes";
		break;
	case EBUSY:
		why = "this kernel runs in it, or a kexec is going on";
		todo = "take another slot";
		break;
	default:
		break;
	}
	error_msg("slot '%s': cannot be released: %s; %s", slot, why, todo);
}

static int write_release(int stash, const char *slot)
{
	char *path = slot_path(slot, "release");
	int fd = sys_open(stash, path, O_WRONLY);
	ssize_t n;

	free(path);
	if (fd < 0)
		return fd;
	n = sys_write(fd, "1", 1);
	close_fd(fd);
	return n < 0 ? n : 0;
}

static bool release(int root, const char *name)
{
	int stash = stash_open(root), lock = -1, ret;
	char size[HUMAN_SIZE_LEN];
	struct slot slot;
	bool ok = false;

	if (stash < 0 || !slot_read(stash, name, &slot))
		goto out;
	if (!strcmp(slot.state, "released")) {
		printf("slot '%s': is released already\n", name);
		ok = true;
		goto out;
	}
	lock = slot_lock(stash, name);
	if (lock < 0)
		goto out;
	ret = write_release(stash, name);
	if (ret) {
		failure_msg(name, -ret);
		goto out;
	}
	printf("slot '%s': %s given back until the next boot\n", name,
	       human_size(slot.size, size));
	ok = true;
out:
	close_fd(lock);
	close_fd(stash);
	return ok;
}

int cmd_release(const struct command *cmd, int root, int argc, char *argv[])
{
	int status = parse_operands(cmd, argc, argv, 1);

	if (status >= 0)
		return status;

	return release(root, argv[optind]) ? STATUS_DONE : STATUS_FAILED;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "erase" command
 */

#include "command.h"
#include "slot_write.h"
#include "utils.h"

static const struct option longopts[] = {
	{ "help",	no_argument, NULL, OPT_HELP },
	{ "version",	no_argument, NULL, OPT_VERSION },
	{}
};

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
	int c;

	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1)
		return common_option(cmd, c, argv);
	if (check_operands(cmd, argc, argv, 1))
		return STATUS_MISUSE;

	return erase(root, argv[optind]) ? STATUS_DONE : STATUS_FAILED;
}

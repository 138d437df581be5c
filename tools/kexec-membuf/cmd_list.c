// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "list" command
 */

#include "command.h"
#include "slot.h"
#include "slot_json.h"
#include "utils.h"

#include <stdlib.h>

static const struct option longopts[] = {
	{ "json",	no_argument, NULL, OPT_JSON },
	{ "help",	no_argument, NULL, OPT_HELP },
	{ "version",	no_argument, NULL, OPT_VERSION },
	{}
};

static void print_json(const struct slot *slots, size_t count)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(list, slot_to_json(&slots[i], NULL));
	json_add(obj, "slots", list);
	json_print(obj);
}

static void print_table(const struct slot *slots, size_t count)
{
	char buf[HUMAN_SIZE_LEN];
	size_t i;
	int id;

	printf("%-12s %-8s %-9s %-14s %8s %8s %8s %8s\n",
	       "NAME", "STATE", "ORIGIN", "BASE", "SIZE", "KERNEL", "INITRD", "DTB");
	for (i = 0; i < count; i++) {
		const struct slot *slot = &slots[i];

		printf("%-12s %-8s %-9s ", slot->name, slot->state, slot->origin);
		if (slot->size)
			printf("%#-14llx %8s", slot->base, human_size(slot->size, buf));
		else
			printf("%-14s %8s", "-", "-");
		for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
			printf(" %8s", slot->file_size[id] ?
			       human_size(slot->file_size[id], buf) : "-");
		putchar('\n');
	}
}

int cmd_list(const struct command *cmd, int root, int argc, char *argv[])
{
	struct slot *slots = NULL;
	int status = STATUS_FAILED;
	bool json = false;
	size_t count;
	int stash = -1;
	int c;

	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1) {
		switch (c) {
		case OPT_JSON:
			json = true;
			break;
		default:
			return common_option(cmd, c, argv);
		}
	}
	if (check_operands(cmd, argc, argv, 0))
		return STATUS_MISUSE;

	stash = stash_open(root);
	if (stash < 0)
		goto out;
	if (!slots_read(stash, &slots, &count))
		goto out;
	if (json)
		print_json(slots, count);
	else
		print_table(slots, count);
	status = STATUS_DONE;
out:
	free(slots);
	close_fd(stash);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "show" command
 */

#include "command.h"
#include "payload.h"
#include "slot.h"
#include "slot_json.h"
#include "utils.h"

static const struct option longopts[] = {
	{ "json",	no_argument, NULL, OPT_JSON },
	{ "help",	no_argument, NULL, OPT_HELP },
	{ "version",	no_argument, NULL, OPT_VERSION },
	{}
};

static void print_size(const char *name, const struct slot *slot, enum kexec_stash_file_id id)
{
	char buf[HUMAN_SIZE_LEN];

	if (slot->file_size[id])
		printf("%-13s %llu bytes (%s)\n", name, slot->file_size[id],
		       human_size(slot->file_size[id], buf));
	else
		printf("%-13s none\n", name);
}

static void print_kernel(const struct slot *slot, const struct payload *payload)
{
	char buf[HUMAN_SIZE_LEN];

	print_size("kernel:", slot, KEXEC_STASH_KERNEL);
	if (!slot->file_size[KEXEC_STASH_KERNEL])
		return;
	if (payload->kernel_why)
		printf("  error:      %s\n", payload->kernel_why);
	else
		printf("  image_size: %llu bytes (%s)\n", payload->image.image_size,
		       human_size(payload->image.image_size, buf));
}

static void print_dtb(const struct slot *slot, const struct payload *payload)
{
	int i;

	print_size("dtb:", slot, KEXEC_STASH_DTB);
	if (!slot->file_size[KEXEC_STASH_DTB])
		return;
	if (payload->dtb_why) {
		printf("  error:      %s\n", payload->dtb_why);
		return;
	}
	printf("  model:      %s\n", payload->dtb.model ? payload->dtb.model : "none");
	fputs("  compatible:", stdout);
	for (i = 0; i < payload->dtb.nr_compatible; i++)
		printf(" %s", payload->dtb.compatible[i]);
	puts(payload->dtb.nr_compatible ? "" : " none");
}

static void print_text(const struct slot *slot, const struct payload *payload)
{
	char buf[HUMAN_SIZE_LEN];

	printf("slot:         %s\n", slot->name);
	printf("state:        %s\n", slot->state);
	printf("origin:       %s\n", slot->origin);
	if (slot->size) {
		printf("base:         %#llx\n", slot->base);
		printf("size:         %#llx (%s)\n", slot->size, human_size(slot->size, buf));
	}
	printf("verified:     %s\n", slot->verified ? "yes" : "no");
	print_kernel(slot, payload);
	print_size("initrd:", slot, KEXEC_STASH_INITRD);
	print_dtb(slot, payload);
	if (payload->cmdline_why)
		printf("cmdline:      cannot be read: %s\n", payload->cmdline_why);
	else
		printf("cmdline:      %s\n", payload->cmdline[0] ? payload->cmdline : "none");
}

int cmd_show(const struct command *cmd, int root, int argc, char *argv[])
{
	struct payload payload;
	int status = STATUS_FAILED;
	bool json = false;
	struct slot slot;
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
	if (check_operands(cmd, argc, argv, 1))
		return STATUS_MISUSE;

	stash = stash_open(root);
	if (stash < 0)
		goto out;
	if (!slot_read(stash, argv[optind], &slot))
		goto out;
	payload_read(stash, &slot, &payload);
	if (json)
		json_print(slot_to_json(&slot, &payload));
	else
		print_text(&slot, &payload);
	payload_free(&payload);
	status = STATUS_DONE;
out:
	close_fd(stash);
	return status;
}

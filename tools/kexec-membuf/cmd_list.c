// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands "list" and "show"
 */

#include "command.h"
#include "utils.h"

#include <stdlib.h>

/* With what the kernel says of itself */
static void add_payload(struct json_object *obj, enum kexec_stash_file_id id, const void *data)
{
	const struct payload *payload = data;
	struct json_object *list;
	int i;

	if (id == KEXEC_STASH_KERNEL && payload->kernel_why) {
		json_add_string(obj, "error", payload->kernel_why);
	} else if (id == KEXEC_STASH_KERNEL) {
		json_add_number(obj, "image_size", payload->image.image_size);
	} else if (id == KEXEC_STASH_DTB && payload->dtb_why) {
		json_add_string(obj, "error", payload->dtb_why);
	} else if (id == KEXEC_STASH_DTB) {
		list = json_object_new_array();
		for (i = 0; i < payload->dtb.nr_compatible; i++)
			json_object_array_add(list,
					      json_object_new_string(payload->dtb.compatible[i]));
		json_add(obj, "model", payload->dtb.model ?
			 json_object_new_string(payload->dtb.model) : NULL);
		json_add(obj, "compatible", list);
	}
}

/* @payload is NULL for what "list" shows */
static struct json_object *slot_to_json(const struct slot *slot, const struct payload *payload)
{
	struct json_object *obj = json_object_new_object();

	json_add_string(obj, "name", slot->name);
	json_add_string(obj, "state", slot->state);
	json_add_string(obj, "origin", slot->origin);
	json_add(obj, "base", slot->size ? json_object_new_uint64(slot->base) : NULL);
	json_add(obj, "size", slot->size ? json_object_new_uint64(slot->size) : NULL);
	json_add_bool(obj, "verified", slot->verified);
	json_add_files(obj, slot->file_size, payload ? add_payload : NULL, payload);
	if (payload)
		json_add(obj, "cmdline", payload->cmdline_why ? NULL :
			 json_object_new_string(payload->cmdline));
	return obj;
}

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

int cmd_list(const struct args *args)
{
	struct slot *slots;
	size_t count;

	if (!slots_read(args->stash, &slots, &count))
		return STATUS_FAILED;
	if (args->json)
		print_json(slots, count);
	else
		print_table(slots, count);
	free(slots);
	return STATUS_DONE;
}

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

static void print_slot(const struct slot *slot, const struct payload *payload)
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

int cmd_show(const struct args *args)
{
	struct payload payload;

	payload_read(args->stash, &args->slot, &payload);
	if (args->json)
		json_print(slot_to_json(&args->slot, &payload));
	else
		print_slot(&args->slot, &payload);
	dtb_free(&payload.dtb);
	return STATUS_DONE;
}

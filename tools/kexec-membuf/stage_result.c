// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was staged, for the user
 */

#include "slot_json.h"
#include "stage_result.h"
#include "utils.h"

static void print_file(const struct stage_result *result, enum kexec_stash_file_id id)
{
	const struct staged_file *file = &result->file[id];
	u64 size = result->slot.file_size[id];
	char buf[HUMAN_SIZE_LEN];

	if (!file->source) {
		printf("  %-7s none\n", kexec_stash_file_name(id));
		return;
	}
	printf("  %-7s %12llu bytes (%s)", kexec_stash_file_name(id), size, human_size(size, buf));
	if (file->packed[0])
		printf(", unpacked from %s", file->packed);
	if (file->image)
		printf(", image '%s'", file->image);
	if (file->hashes[0])
		printf(", %s checked", file->hashes);
	putchar('\n');
}

void stage_result_print(const struct stage_result *result)
{
	int id;

	printf("slot '%s': staged in %llu.%03llu s\n", result->slot.name,
	       result->ns / 1000000000, result->ns / 1000000 % 1000);
	if (result->conf)
		printf("  configuration '%s'\n", result->conf);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		print_file(result, id);
	printf("  cmdline %s\n", result->cmdline && result->cmdline[0] ? result->cmdline : "none");
}

static struct json_object *string_or_null(const char *str)
{
	return str && str[0] ? json_object_new_string(str) : NULL;
}

static struct json_object *file_to_json(const struct stage_result *result,
					enum kexec_stash_file_id id)
{
	const struct staged_file *file = &result->file[id];
	struct json_object *obj;

	if (!file->source)
		return NULL;
	obj = json_object_new_object();
	json_add(obj, "size", json_object_new_uint64(result->slot.file_size[id]));
	json_add(obj, "source", json_object_new_string(file->source));
	json_add(obj, "image", string_or_null(file->image));
	json_add(obj, "unpacked_from", string_or_null(file->packed));
	json_add(obj, "checked", string_or_null(file->hashes));
	return obj;
}

void stage_result_print_json(const struct stage_result *result)
{
	struct json_object *obj = json_object_new_object();
	int id;

	json_add(obj, "slot", json_object_new_string(result->slot.name));
	json_add(obj, "state", json_object_new_string(result->slot.state));
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		json_add(obj, kexec_stash_file_name(id), file_to_json(result, id));
	json_add(obj, "cmdline", json_object_new_string(result->cmdline ? result->cmdline : ""));
	json_add(obj, "configuration", string_or_null(result->conf));
	json_add(obj, "stage_ns", json_object_new_uint64(result->ns));
	json_print(obj);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slots as JSON; the keys are documented in kexec-membuf(8) and do not change
 */

#include "slot_json.h"
#include "utils.h"

#include <stdlib.h>

void json_add(struct json_object *obj, const char *key, struct json_object *val)
{
	if (!obj || json_object_object_add(obj, key, val)) {
		error_msg("out of memory");
		exit(1);
	}
}

void json_print(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}

static struct json_object *string_or_null(const char *str)
{
	return str ? json_object_new_string(str) : NULL;
}

static struct json_object *dtb_compatible_to_json(const struct dtb_info *dtb)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < dtb->nr_compatible; i++)
		json_object_array_add(list, json_object_new_string(dtb->compatible[i]));
	return list;
}

static void kernel_add(struct json_object *obj, const struct payload *payload)
{
	if (payload->kernel_why)
		json_add(obj, "error", json_object_new_string(payload->kernel_why));
	else
		json_add(obj, "image_size", json_object_new_uint64(payload->image.image_size));
}

static void dtb_add(struct json_object *obj, const struct payload *payload)
{
	if (payload->dtb_why) {
		json_add(obj, "error", json_object_new_string(payload->dtb_why));
		return;
	}
	json_add(obj, "model", string_or_null(payload->dtb.model));
	json_add(obj, "compatible", dtb_compatible_to_json(&payload->dtb));
}

static struct json_object *file_to_json(const struct slot *slot, const struct payload *payload,
					enum kexec_stash_file_id id)
{
	struct json_object *obj;

	if (!slot->file_size[id])
		return NULL;
	obj = json_object_new_object();
	json_add(obj, "size", json_object_new_uint64(slot->file_size[id]));
	if (payload && id == KEXEC_STASH_KERNEL)
		kernel_add(obj, payload);
	if (payload && id == KEXEC_STASH_DTB)
		dtb_add(obj, payload);
	return obj;
}

struct json_object *slot_to_json(const struct slot *slot, const struct payload *payload)
{
	struct json_object *obj = json_object_new_object();
	int i;

	json_add(obj, "name", json_object_new_string(slot->name));
	json_add(obj, "state", json_object_new_string(slot->state));
	json_add(obj, "origin", json_object_new_string(slot->origin));
	json_add(obj, "base", slot->size ? json_object_new_uint64(slot->base) : NULL);
	json_add(obj, "size", slot->size ? json_object_new_uint64(slot->size) : NULL);
	json_add(obj, "verified", json_object_new_boolean(slot->verified));
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++)
		json_add(obj, kexec_stash_file_name(i), file_to_json(slot, payload, i));
	if (payload)
		json_add(obj, "cmdline", payload->cmdline_why ? NULL :
			 json_object_new_string(payload->cmdline));
	return obj;
}

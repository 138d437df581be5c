// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON
 */

#include "command.h"
#include "utils.h"

#include <stdlib.h>

void json_add(struct json_object *obj, const char *key, struct json_object *val)
{
	if (!obj || json_object_object_add(obj, key, val)) {
		error_msg("out of memory");
		exit(1);
	}
}

void json_add_string(struct json_object *obj, const char *key, const char *str)
{
	json_add(obj, key, str && str[0] ? json_object_new_string(str) : NULL);
}

void json_add_number(struct json_object *obj, const char *key, u64 val)
{
	json_add(obj, key, json_object_new_uint64(val));
}

void json_add_bool(struct json_object *obj, const char *key, bool val)
{
	json_add(obj, key, json_object_new_boolean(val));
}

void json_add_files(struct json_object *obj, const u64 *sizes,
		    void (*add)(struct json_object *obj, enum kexec_stash_file_id id,
				const void *data),
		    const void *data)
{
	int id;

	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		struct json_object *file = sizes[id] ? json_object_new_object() : NULL;

		if (file)
			json_add_number(file, "size", sizes[id]);
		if (file && add)
			add(file, id, data);
		json_add(obj, kexec_stash_file_name(id), file);
	}
}

void json_print(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}

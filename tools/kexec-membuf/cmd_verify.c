// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "verify" command: ask the kernel what it would say to a load, and tell what it may judge by
 */

#include "command.h"
#include "explain.h"
#include "signature.h"
#include "slot.h"
#include "slot_json.h"
#include "sys.h"
#include "uapi.h"
#include "utils.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option longopts[] = {
	{ "json",	no_argument, NULL, OPT_JSON },
	{ "help",	no_argument, NULL, OPT_HELP },
	{ "version",	no_argument, NULL, OPT_VERSION },
	{}
};

/**
 * struct verdict - what the kernel says
 * @slot: the slot
 * @sigs: what could prove its files
 * @err: why it would not load it, an errno; 0 if it would
 * @refusal: the same in words
 */
struct verdict {
	struct slot slot;
	struct signatures sigs[KEXEC_STASH_NR_FILES];
	int err;
	struct refusal refusal;
};

static void print_file(const struct verdict *verdict, enum kexec_stash_file_id id)
{
	const struct signatures *sigs = &verdict->sigs[id];
	const char *name = kexec_stash_file_name(id);
	u64 size = verdict->slot.file_size[id];
	char buf[HUMAN_SIZE_LEN];

	printf("%s:%*s", name, 9 - (int)strlen(name), "");
	if (!size) {
		puts("none");
		return;
	}
	printf("%llu bytes (%s), %s recorded\n", size, human_size(size, buf),
	       sigs->recorded ? sigs->recorded : "no digest");
	if (sigs->key[0])
		printf("  signed: %s by key %s, which is %sin /proc/keys\n", sigs->ima, sigs->key,
		       sigs->key_known ? "" : "not ");
	else if (sigs->ima)
		printf("  security.ima: %s\n", sigs->ima);
	if (sigs->appended)
		puts("  signed: appended signature");
	if (sigs->pe)
		puts("  signed: PE signature");
	if (!sigs->key[0] && !sigs->appended && !sigs->pe)
		puts("  not signed");
}

static void print_text(const struct verdict *verdict)
{
	const struct refusal *refusal = &verdict->refusal;
	int id;

	printf("slot:     %s, %s\n", verdict->slot.name, verdict->slot.state);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		print_file(verdict, id);
	if (verdict->err)
		printf("verdict:  would be refused: %s%s%s\n", refusal->why,
		       refusal->todo ? "; " : "", refusal->todo ? refusal->todo : "");
	else
		puts("verdict:  would be adopted");
}

static struct json_object *string_or_null(const char *str)
{
	return str && str[0] ? json_object_new_string(str) : NULL;
}

static struct json_object *file_to_json(const struct verdict *verdict, enum kexec_stash_file_id id)
{
	const struct signatures *sigs = &verdict->sigs[id];
	struct json_object *obj;

	if (!verdict->slot.file_size[id])
		return NULL;
	obj = json_object_new_object();
	json_add(obj, "size", json_object_new_uint64(verdict->slot.file_size[id]));
	json_add(obj, "recorded", string_or_null(sigs->recorded));
	json_add(obj, "ima", string_or_null(sigs->ima));
	json_add(obj, "key", string_or_null(sigs->key));
	json_add(obj, "key_known", json_object_new_boolean(sigs->key_known));
	json_add(obj, "appended", json_object_new_boolean(sigs->appended));
	json_add(obj, "pe", json_object_new_boolean(sigs->pe));
	return obj;
}

static void print_json(const struct verdict *verdict)
{
	struct json_object *obj = json_object_new_object();
	int id;

	json_add(obj, "slot", json_object_new_string(verdict->slot.name));
	json_add(obj, "state", json_object_new_string(verdict->slot.state));
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		json_add(obj, kexec_stash_file_name(id), file_to_json(verdict, id));
	json_add(obj, "verdict", json_object_new_string(verdict->err ? "refused" : "adopted"));
	json_add(obj, "error", string_or_null(verdict->err ? strerrorname_np(verdict->err) : NULL));
	json_add(obj, "why", string_or_null(verdict->refusal.why));
	json_add(obj, "todo", string_or_null(verdict->refusal.todo));
	json_print(obj);
}

/* Errors that are no verdict: a load would not have got as far as the slot */
static bool was_asked(int err)
{
	return err != ENOSYS && err != EINTR && err != ENOMEM && (err != EPERM || !geteuid());
}

static int ask(int root, int stash, const char *name, struct verdict *verdict)
{
	char reason[SLOT_REASON_LEN];
	int kernel;

	if (!slot_read(stash, name, &verdict->slot))
		return STATUS_FAILED;
	if (slot_reason(stash, name, reason) == -ENOENT) {
		error_msg("slot '%s': this kernel cannot be asked; load it to find out", name);
		return STATUS_FAILED;
	}
	kernel = slot_open_kernel(stash, name);
	if (kernel < 0)
		return STATUS_FAILED;
	verdict->err = -sys_kexec_file_load(kernel, -1, NULL,
					    KEXEC_FILE_MEMBUF | KEXEC_FILE_MEMBUF_CHECK);
	close_fd(kernel);
	if (!verdict->err)
		return STATUS_DONE;
	if (!was_asked(verdict->err)) {
		refusal_tell(root, stash, name, verdict->err);
		return STATUS_FAILED;
	}
	refusal_read(root, stash, name, verdict->err, &verdict->refusal);
	return STATUS_REFUSED;
}

static int verify(int root, const char *name, bool json)
{
	int stash = stash_open(root), status = STATUS_FAILED;
	struct verdict verdict = {};

	if (stash >= 0)
		status = ask(root, stash, name, &verdict);
	if (status != STATUS_FAILED) {
		signatures_read(root, stash, &verdict.slot, verdict.sigs);
		if (json)
			print_json(&verdict);
		else
			print_text(&verdict);
	}
	close_fd(stash);
	return status;
}

int cmd_verify(const struct command *cmd, int root, int argc, char *argv[])
{
	bool json = false;
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
	return verify(root, argv[optind], json);
}

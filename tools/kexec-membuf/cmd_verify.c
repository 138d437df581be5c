// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "verify" command: ask the kernel what it would say to a load, and tell what it may judge by
 */

#include "command.h"
#include "sys.h"
#include "uapi.h"
#include "utils.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/**
 * struct verdict - what the kernel says
 * @slot: the slot
 * @sigs: what could prove its files
 * @err: why it would not load it, an errno; 0 if it would
 * @why: the same in words
 */
struct verdict {
	const struct slot *slot;
	struct signatures sigs[KEXEC_STASH_NR_FILES];
	int err;
	char why[REFUSAL_LEN];
};

static void print_file(const struct verdict *verdict, enum kexec_stash_file_id id)
{
	const struct signatures *sigs = &verdict->sigs[id];
	const char *name = kexec_stash_file_name(id);
	u64 size = verdict->slot->file_size[id];
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
	int id;

	printf("slot:     %s, %s\n", verdict->slot->name, verdict->slot->state);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		print_file(verdict, id);
	if (verdict->err)
		printf("verdict:  would be refused: %s\n", verdict->why);
	else
		puts("verdict:  would be adopted");
}

static void add_file(struct json_object *obj, enum kexec_stash_file_id id, const void *data)
{
	const struct signatures *sigs = (const struct signatures *)data + id;

	json_add_string(obj, "recorded", sigs->recorded);
	json_add_string(obj, "ima", sigs->ima);
	json_add_string(obj, "key", sigs->key);
	json_add_bool(obj, "key_known", sigs->key_known);
	json_add_bool(obj, "appended", sigs->appended);
	json_add_bool(obj, "pe", sigs->pe);
}

static void print_json(const struct verdict *verdict)
{
	struct json_object *obj = json_object_new_object();

	json_add_string(obj, "slot", verdict->slot->name);
	json_add_string(obj, "state", verdict->slot->state);
	json_add_files(obj, verdict->slot->file_size, add_file, verdict->sigs);
	json_add_string(obj, "verdict", verdict->err ? "refused" : "adopted");
	json_add_string(obj, "error", verdict->err ? strerrorname_np(verdict->err) : NULL);
	json_add_string(obj, "why", verdict->why);
	json_print(obj);
}

/* The kernel gives a reason of each slot that it refuses; and a sysctl refuses root any of them */
static bool was_asked(const struct args *args, int err)
{
	char reason[SLOT_REASON_LEN];

	if (err == EPERM)
		return !geteuid();
	return slot_reason(args->stash, args->slot.name, reason) > 0;
}

static int ask(const struct args *args, struct verdict *verdict)
{
	const char *name = args->slot.name;
	char reason[SLOT_REASON_LEN];
	int kernel;

	if (slot_reason(args->stash, name, reason) == -ENOENT) {
		error_msg("slot '%s': this kernel cannot be asked; load it to find out", name);
		return STATUS_FAILED;
	}
	kernel = slot_open_kernel(args->stash, name);
	if (kernel < 0)
		return STATUS_FAILED;
	verdict->err = -sys_kexec_file_load(kernel, -1, NULL,
					    KEXEC_FILE_MEMBUF | KEXEC_FILE_MEMBUF_CHECK);
	close_fd(kernel);
	if (!verdict->err)
		return STATUS_DONE;
	refusal_read(args->root, args->stash, name, verdict->err, verdict->why);
	if (was_asked(args, verdict->err))
		return STATUS_REFUSED;
	error_msg("slot '%s': %s", name, verdict->why);
	return STATUS_FAILED;
}

int cmd_verify(const struct args *args)
{
	struct verdict verdict = { .slot = &args->slot };
	int status = ask(args, &verdict);

	if (status == STATUS_FAILED)
		return status;
	signatures_read(args->root, args->stash, &args->slot, verdict.sigs);
	if (args->json)
		print_json(&verdict);
	else
		print_text(&verdict);
	return status;
}

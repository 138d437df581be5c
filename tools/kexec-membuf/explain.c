// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What errors mean, what to do, and why the kernel refuses a slot
 */

#include "slot.h"
#include "utils.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SIGN_IT		"sign it with a key that this kernel trusts"

/* No @why is strerror()'s, or the kernel's own reason; no @todo is for that reason to tell */
static const struct {
	int err;
	unsigned int actions;
	const char *why;
	const char *todo;
} errors[] = {
	{ EPERM, ACTION_LOAD, "the kernel does not permit it",
	  "check CAP_SYS_BOOT and lockdown" },
	{ EACCES, ACTION_LOAD, "a security policy forbids it",
	  "see the audit log, and the rules and signatures of IMA or the security module" },
	{ EBUSY, ACTION_LOAD, "another kexec is under way, try again", NULL },
	{ ENODATA, ACTION_LOAD, NULL, "stage one first" },
	{ ENOEXEC, ACTION_LOAD, NULL, "stage an uncompressed arm64 Image" },
	{ EBADMSG, ACTION_LOAD, NULL, "stage it again" },
	{ ENOSPC, ACTION_LOAD, NULL, "take a larger slot or a smaller initrd" },
	{ ETXTBSY, ACTION_LOAD, NULL, "close it and try again" },
	{ ENOSYS, ACTION_LOAD, "this kernel has no kexec_file_load()",
	  "boot one that was built with CONFIG_KEXEC_FILE and CONFIG_KEXEC_STASH" },
	{ EKEYREJECTED, ACTION_LOAD, NULL, SIGN_IT },
	{ ENOKEY, ACTION_LOAD, NULL, SIGN_IT },
	{ ENOMEM, ACTION_LOAD, NULL, "free some and try again" },

	{ EACCES, ACTION_CHANGE | ACTION_RELEASE, NULL, "run this as root" },
	{ EPERM, ACTION_CHANGE | ACTION_RELEASE, NULL, "run this as root" },
	{ ETXTBSY, ACTION_CHANGE, "the slot is loaded or in use",
	  "unload it, or close its files, first" },
	{ EBUSY, ACTION_CHANGE,
	  "this kernel runs in the slot or has its memory, or a kexec is going on",
	  "take another slot" },
	{ ENOENT, ACTION_RELEASE, "this kernel cannot do that",
	  "boot one whose slots have a file 'release'" },
	{ ENOTEMPTY, ACTION_RELEASE, "it holds a payload", "erase it first" },
	{ ETXTBSY, ACTION_RELEASE, "it is loaded, or a file of it is open for writing",
	  "unload it, or wait for who writes" },
	{ EBUSY, ACTION_RELEASE, "this kernel runs in it, or a kexec is going on",
	  "take another slot" },
};

const char *explain(enum action action, int err, const char **todo)
{
	size_t i;

	*todo = action == ACTION_LOAD ? NULL : "see dmesg";
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].err != err || !(errors[i].actions & action))
			continue;
		*todo = errors[i].todo;
		return errors[i].why ? errors[i].why : strerror(err);
	}
	return strerror(err);
}

/* Causes of EPERM that can be told have nothing to do with a slot */
static const char *outside_todo(int root, int err)
{
	u64 val;

	if (err != EPERM)
		return NULL;
	if (geteuid())
		return "run this as root";
	if (!read_number_at(root, "proc/sys/kernel/kexec_load_disabled", &val) && val)
		return "kernel.kexec_load_disabled is set: no loading before the next boot";
	if (!read_number_at(root, "proc/sys/kernel/kexec_load_limit_reboot", &val) && !val)
		return "kernel.kexec_load_limit_reboot is used up: no loading before the next boot";
	return NULL;
}

/* If the kernel did not get as far as the slot, the reason there is an older one */
void refusal_read(int root, int stash, const char *slot, int err, char *line)
{
	const char *todo, *outside = outside_todo(root, err);
	const char *why = explain(ACTION_LOAD, err, &todo);
	char reason[SLOT_REASON_LEN];

	if (outside) {
		todo = outside;
	} else if (slot && slot_reason(stash, slot, reason) > 0) {
		why = reason;
		/* The kernel may have said what to do */
		if (todo && strstr(reason, todo))
			todo = NULL;
	} else if (!todo) {
		todo = "see dmesg";
	}
	snprintf(line, REFUSAL_LEN, "%s (%s)%s%s", why, strerrorname_np(err), todo ? "; " : "",
		 todo ? todo : "");
}

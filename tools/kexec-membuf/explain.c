// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the errors of kexec_file_load() mean, and what to do
 */

#include "explain.h"
#include "utils.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct {
	int err;
	const char *reason;
	const char *advice;
} errors[] = {
	{ EPERM, "the kernel does not permit it",
	  "check CAP_SYS_BOOT and lockdown" },
	{ EACCES, "a security policy forbids it",
	  "see the audit log, and the rules and signatures of IMA or the security module" },
	{ EBUSY, "another kexec is under way, try again",
	  NULL },
	{ ENODATA, "kernel: there is none",
	  "stage one first" },
	{ EINVAL, "the kernel refused the payload or an argument of the call",
	  NULL },
	{ ENOEXEC, "kernel: is not an arm64 Image that can run here",
	  "stage an uncompressed arm64 Image" },
	{ EBADMSG, "its content does not match the recorded digest",
	  "stage it again" },
	{ ENOSPC, "the payload and what a load adds do not fit into the slot",
	  "take a larger slot or a smaller initrd" },
	{ ETXTBSY, "a file is open for writing",
	  "close it and try again" },
	{ ENOSYS, "this kernel has no kexec_file_load()",
	  "boot one that was built with CONFIG_KEXEC_FILE and CONFIG_KEXEC_STASH" },
	{ EKEYREJECTED, "kernel: its signature is not valid",
	  "sign it with a key that this kernel trusts" },
	{ ENOKEY, "kernel: its key is not known to this kernel",
	  "sign it with a key that this kernel trusts" },
	{ ENOMEM, "there is not enough memory",
	  "free some and try again" },
};

const char *explain_reason(int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].err == err)
			return errors[i].reason;
	}
	return strerror(err);
}

/* Causes of EPERM that can be told have nothing to do with a slot */
static const char *explain_outside(int root, int err)
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

const char *explain_advice(int root, int err)
{
	const char *advice = explain_outside(root, err);
	size_t i;

	if (advice)
		return advice;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].err == err)
			return errors[i].advice;
	}
	return NULL;
}

/* If the kernel did not get as far as the slot, the reason there is an older one */
void refusal_read(int root, int stash, const char *slot, int err, struct refusal *refusal)
{
	const char *advice = explain_advice(root, err);
	char reason[SLOT_REASON_LEN] = "";
	bool own = !explain_outside(root, err) && slot_reason(stash, slot, reason) > 0;

	snprintf(refusal->why, sizeof(refusal->why), "%s (%s)",
		 own ? reason : explain_reason(err), strerrorname_np(err));
	if (!own && !advice)
		advice = "see dmesg";
	/* The kernel's reason may say what to do */
	refusal->todo = own && advice && strstr(reason, advice) ? NULL : advice;
}

void refusal_tell(int root, int stash, const char *slot, int err)
{
	struct refusal refusal;

	refusal_read(root, stash, slot, err, &refusal);
	error_msg("slot '%s': %s%s%s", slot, refusal.why, refusal.todo ? "; " : "",
		  refusal.todo ? refusal.todo : "");
}

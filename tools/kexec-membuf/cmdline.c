// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line that the user asks for
 */

#include "cmdline.h"
#include "utils.h"

#include <string.h>

static bool too_long_msg(const char *slot)
{
	error_msg("slot '%s': cmdline: is longer than %d bytes; give another --command-line", slot,
		  KEXEC_STASH_BOOTARGS_LEN - 1);
	return false;
}

bool cmdline_get(int root, const char *slot, const char *given, bool reuse, char *buf,
		 const char **cmdline)
{
	ssize_t n;

	*cmdline = given;
	if (reuse) {
		n = read_at(root, "proc/cmdline", buf, KEXEC_STASH_BOOTARGS_LEN);
		if (n < 0) {
			error_msg("slot '%s': cmdline: /proc/cmdline cannot be read: %s", slot,
				  strerror(-n));
			return false;
		}
		/* Without the newline */
		if (n == KEXEC_STASH_BOOTARGS_LEN && buf[n - 1] != '\n')
			return too_long_msg(slot);
		if (n && buf[n - 1] == '\n')
			n--;
		buf[n] = '\0';
		*cmdline = buf;
	}
	if (*cmdline && strlen(*cmdline) >= KEXEC_STASH_BOOTARGS_LEN)
		return too_long_msg(slot);
	return true;
}

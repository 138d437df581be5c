// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loaded image, as /sys/kernel/kexec shows it
 */

#include "slot.h"
#include "utils.h"

#include <errno.h>
#include <string.h>

bool kexec_is_loaded(int root, bool *loaded)
{
	u64 val;
	int ret;

	ret = read_number_at(root, "sys/kernel/kexec/loaded", &val);
	/* Its name before Linux 6.19 */
	if (ret == -ENOENT)
		ret = read_number_at(root, "sys/kernel/kexec_loaded", &val);
	if (ret == -ENOENT) {
		error_msg("there is no /sys/kernel/kexec/loaded; %s",
			  "mount /sys, or boot a kernel that has kexec");
		return false;
	}
	if (ret) {
		error_msg("/sys/kernel/kexec/loaded: cannot be read: %s", strerror(-ret));
		return false;
	}
	*loaded = val;
	return true;
}

bool kexec_copy_bytes(int root, u64 *bytes)
{
	int ret = read_number_at(root, "sys/kernel/kexec/copy_bytes", bytes);

	if (ret)
		error_msg("/sys/kernel/kexec/copy_bytes: cannot be read: %s", strerror(-ret));
	return !ret;
}

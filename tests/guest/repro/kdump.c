// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A crash kernel in the kernel that was booted, and in one that runs in a slot: loaded, and started
 * by a panic.
 *
 * step=1: load one, stage this kernel into slot a and start it there. step=2: load one and panic.
 * step=3: the crash kernel.
 */
#include "repro.h"

#define CMDLINE "console=ttyAMA0 crashkernel=64M retain_initrd loglevel=6 step=2"

static int load_crash_kernel(void)
{
	int kernel = open("/Image", O_RDONLY), initrd = open("/small", O_RDONLY), err;

	err = load(kernel, initrd, "console=ttyAMA0 step=3 loglevel=6", FILE_ON_CRASH);
	close(kernel);
	close(initrd);
	return err;
}

int main(void)
{
	long step;
	int err;

	mount_all();
	step = parameter("step", 0);
	if (step == 3) {
		result("step-3", "%s", access("/proc/vmcore", F_OK) ? "no vmcore" : "OK");
		power_off();
	}
	printf("step %ld, %lu bytes for a crash kernel\n", step,
	       (unsigned long)get_number("/sys/kernel/kexec_crash_size"));
	err = load_crash_kernel();
	result(step == 1 ? "step-1" : "step-2", "%s", name_of(err));
	if (step == 1)
		result("exec", "%s", name_of(start_in_slot("a", CMDLINE)));
	else if (!err)
		put_text("/proc/sysrq-trigger", "c");
	power_off();
}

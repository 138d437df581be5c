// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the stash does when the kernel boots, in its order
 */

#include <linux/crash_dump.h>
#include <linux/init.h>
#include <linux/kexec_stash.h>
#include <linux/of_fdt.h>

#include "boot.h"
#include "fs.h"
#include "tell.h"
#include "timing.h"
#include "verify.h"

void __init kexec_stash_early_init(void)
{
	if (!initial_boot_params)
		return;
	kexec_handover_take();
	kexec_slots_reserve();
	kexec_kho_keep_slots();
}

/* Before anybody preserves memory by KHO, and before the initrd is unpacked */
static int __init kexec_stash_find(void)
{
	if (!initial_boot_params || is_kdump_kernel())
		return 0;
	kexec_slots_find();
	kexec_slots_take_payloads();
	kexec_slots_show();
	return 0;
}
core_initcall(kexec_stash_find);

/* Once /proc/iomem has what is reserved */
static int __init kexec_stash_init(void)
{
	int ret;

	kexec_slots_show_resources();
	ret = kexec_fs_init();
	if (!ret)
		ret = kexec_verify_init();
	return ret ?: kexec_tell_init();
}
fs_initcall(kexec_stash_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of an in-place kexec is arm64's own
 */

#include <linux/cacheflush.h>
#include <linux/cpufeature.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/kexec_stash_record.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/set_memory.h>
#include <linux/smp.h>

#include <asm/arch_timer.h>
#include <asm/cpu_ops.h>
#include <asm/image.h>
#include <asm/setup.h>

static bool page_size_supported(u64 flags)
{
	switch (arm64_image_flag_field(flags, ARM64_IMAGE_FLAG_PAGE_SIZE)) {
	case ARM64_IMAGE_FLAG_PAGE_SIZE_4K:
		return system_supports_4kb_granule();
	case ARM64_IMAGE_FLAG_PAGE_SIZE_16K:
		return system_supports_16kb_granule();
	case ARM64_IMAGE_FLAG_PAGE_SIZE_64K:
		return system_supports_64kb_granule();
	default:
		/*
		 * Not said, in the words of booting.rst: the kernel finds out
		 * for itself
		 */
		return true;
	}
}

/**
 * arch_kexec_stash_image_check() - whether a kernel can run at a slot's base on
 * this CPU
 * @buf: the Image
 * @len: its size in bytes
 * @room: bytes from the slot's base that it may own
 * @image_size: set to the bytes that it owns
 * @why: set to what is wrong, on failure
 *
 * The conditions are those of Documentation/arch/arm64/booting.rst; mainline's
 * loader makes them again, without saying which one failed.
 *
 * Return: 0, -ENOEXEC or -EINVAL.
 */
int arch_kexec_stash_image_check(const void *buf, u64 len, u64 room,
				 u64 *image_size, const char **why)
{
	struct kexec_stash_image image;
	int ret;

	ret = kexec_stash_image_read(buf, len, room, &image, why);
	if (ret)
		return ret == -ENOSPC ? -EINVAL : ret;

	if (len > image.image_size) {
		*why = "has a file larger than its image_size";
		return -EINVAL;
	}
	if (arm64_image_flag_field(image.flags, ARM64_IMAGE_FLAG_BE) !=
		    IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) &&
	    !system_supports_mixed_endian()) {
		*why = "has an endianness that this CPU does not support";
		return -EINVAL;
	}
	if (!page_size_supported(image.flags)) {
		*why = "has a page size that this CPU does not support";
		return -EINVAL;
	}
	*image_size = image.image_size;
	return 0;
}

/* A CPU that does not run, or that nothing takes down again: a spin table does not */
static bool is_stuck(unsigned int cpu)
{
#ifdef CONFIG_HOTPLUG_CPU
	if (cpu_online(cpu) && get_cpu_ops(cpu) && get_cpu_ops(cpu)->cpu_die)
		return false;
#endif
	return cpu;
}

/**
 * arch_kexec_stash_stuck_cpus() - find the CPUs for which no kernel can be left
 *
 * machine_kexec_prepare() refuses any image then, without naming them.
 *
 * Context: kexec lock held.
 * Return: the CPUs; NULL if none is in the way.
 */
const struct cpumask *arch_kexec_stash_stuck_cpus(void)
{
	static struct cpumask stuck;
	unsigned int cpu;

	if (!cpus_are_stuck_in_kernel())
		return NULL;
	cpumask_clear(&stuck);
	for_each_possible_cpu(cpu) {
		if (is_stuck(cpu))
			cpumask_set_cpu(cpu, &stuck);
	}
	return &stuck;
}

/**
 * arch_kexec_stash_flush() - make bytes visible to a kernel that starts with
 * its caches off
 * @buf: their address in the linear map
 * @len: how many there are
 */
void arch_kexec_stash_flush(const void *buf, size_t len)
{
	dcache_clean_inval_poc((unsigned long)buf, (unsigned long)buf + len);
}

/**
 * arch_kexec_stash_protect() - make a slot read-only in the linear map, or
 * undo it
 * @addr: its address there
 * @len: its size in bytes
 * @readonly: which of both
 *
 * map_mem() has mapped it by blocks, none of which reaches beyond it.
 *
 * Return: 0, or -ENOMEM where a larger block had to be split.
 */
int arch_kexec_stash_protect(void *addr, size_t len, bool readonly)
{
	return set_direct_map_readonly(virt_to_page(addr), len >> PAGE_SHIFT,
				       readonly);
}

/**
 * arch_kexec_stash_prepare_release() - map a slot like the memory around it
 * @addr: its address in the linear map
 * @len: its size in bytes
 *
 * Nobody may look at it meanwhile.
 *
 * Return: 0 or -ENOMEM.
 */
int arch_kexec_stash_prepare_release(void *addr, size_t len)
{
	unsigned long start = (unsigned long)addr;

	return split_unused_range_to_ptes(start, start + len);
}

/**
 * arch_kexec_stash_dtb_mem() - where the passed-on device tree of a file mode
 * image is
 * @image: the image
 *
 * Return: physical address.
 */
unsigned long arch_kexec_stash_dtb_mem(const struct kimage *image)
{
	return image->arch.dtb_mem;
}

/**
 * arch_kexec_stash_counter() - the counter that runs through a kexec
 *
 * The virtual one, whose offset is the same for all kernels of one machine: a
 * hypervisor's, or none.
 *
 * Return: its value.
 */
u64 arch_kexec_stash_counter(void)
{
	/* Which way of reading it is stable is a matter of the CPU */
	guard(preempt)();
	return __arch_counter_get_cntvct_stable();
}

/**
 * arch_kexec_stash_frequency() - how fast that counter runs
 *
 * Return: in Hz, 0 as long as the timer is not up.
 */
u64 arch_kexec_stash_frequency(void)
{
	return arch_timer_get_rate();
}

/**
 * arch_kexec_stash_entry() - what that counter was when this kernel was entered
 *
 * Return: its value.
 */
u64 arch_kexec_stash_entry(void)
{
	return boot_entry_count;
}

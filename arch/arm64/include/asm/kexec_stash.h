/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the kexec stash is arm64's own
 */
#ifndef __ASM_KEXEC_STASH_H
#define __ASM_KEXEC_STASH_H

#include <linux/cacheflush.h>
#include <linux/cpufeature.h>
#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/set_memory.h>
#include <linux/smp.h>

#include <asm/arch_timer.h>
#include <asm/cpu_ops.h>
#include <asm/image.h>
#include <asm/setup.h>

/**
 * arch_kexec_stash_image_fault() - why this CPU cannot run a kernel
 * @flags: of its Image header, see Documentation/arch/arm64/booting.rst
 *
 * Return: the reason, or NULL. A page size that the header does not tell is for
 * the kernel to find out.
 */
static inline const char *arch_kexec_stash_image_fault(u64 flags)
{
	u64 page_size =
		arm64_image_flag_field(flags, ARM64_IMAGE_FLAG_PAGE_SIZE);

	if (arm64_image_flag_field(flags, ARM64_IMAGE_FLAG_BE) !=
		    IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) &&
	    !system_supports_mixed_endian())
		return "has an endianness that this CPU does not support";
	if ((page_size == ARM64_IMAGE_FLAG_PAGE_SIZE_4K &&
	     !system_supports_4kb_granule()) ||
	    (page_size == ARM64_IMAGE_FLAG_PAGE_SIZE_16K &&
	     !system_supports_16kb_granule()) ||
	    (page_size == ARM64_IMAGE_FLAG_PAGE_SIZE_64K &&
	     !system_supports_64kb_granule()))
		return "has a page size that this CPU does not support";
	return NULL;
}

/**
 * arch_kexec_stash_cpu_stuck() - whether a CPU leaves no kernel behind
 * @cpu: a possible CPU
 *
 * It does not run, or nothing takes it down again: a spin table does not.
 * machine_kexec_prepare() refuses any image then, without naming it.
 *
 * Return: true if so.
 */
static inline bool arch_kexec_stash_cpu_stuck(unsigned int cpu)
{
#ifdef CONFIG_HOTPLUG_CPU
	if (cpu_online(cpu) && get_cpu_ops(cpu) && get_cpu_ops(cpu)->cpu_die)
		return false;
#endif
	return cpu && cpus_are_stuck_in_kernel();
}

/* Make bytes visible to a kernel that starts with its caches off */
static inline void arch_kexec_stash_flush(const void *buf, size_t len)
{
	dcache_clean_inval_poc((unsigned long)buf, (unsigned long)buf + len);
}

/*
 * Make a slot read-only in the linear map, or undo it. map_mem() has mapped it
 * by blocks, none of which reaches beyond it.
 */
static inline int arch_kexec_stash_protect(void *addr, size_t len, bool readonly)
{
	return set_direct_map_readonly(virt_to_page(addr), len >> PAGE_SHIFT,
				       readonly);
}

/* Map a slot, which nobody looks at meanwhile, like the memory around it */
static inline int arch_kexec_stash_prepare_release(void *addr, size_t len)
{
	unsigned long start = (unsigned long)addr;

	return split_unused_range_to_ptes(start, start + len);
}

/* Physical address of the passed-on device tree of a file mode image */
static inline unsigned long arch_kexec_stash_dtb_mem(const struct kimage *image)
{
	return image->arch.dtb_mem;
}

/*
 * The counter that runs through a kexec: the virtual one, whose offset is the
 * same for all kernels of one machine, a hypervisor's or none
 */
static inline u64 arch_kexec_stash_counter(void)
{
	/* Which way of reading it is stable is a matter of the CPU */
	guard(preempt)();
	return __arch_counter_get_cntvct_stable();
}

/* How fast it runs, in Hz; 0 as long as the timer is not up */
static inline u64 arch_kexec_stash_frequency(void)
{
	return arch_timer_get_rate();
}

/* What it was when this kernel was entered */
static inline u64 arch_kexec_stash_entry(void)
{
	return boot_entry_count;
}

#endif /* __ASM_KEXEC_STASH_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware alone knows of a machine, from the running device tree to the
 * next kernel's
 *
 * It is carried over by what it means, and not by where it stands: a CPU is
 * the one with this MPIDR, an Ethernet device the one that an alias names.
 */

#include <linux/kernel.h>
#include <linux/libfdt.h>
#include <linux/string.h>

#include "fdt.h"

#define PATH_LEN 256

static int next_cpu(const void *fdt, int cpu)
{
	cpu = cpu < 0 ? fdt_first_subnode(fdt, fdt_path_offset(fdt, "/cpus")) :
			fdt_next_subnode(fdt, cpu);
	while (cpu >= 0 && !kexec_fdt_is_kind(fdt, cpu, "cpu"))
		cpu = fdt_next_subnode(fdt, cpu);
	return cpu;
}

/* Its number of one or two cells, the same in both trees whatever these are */
static bool cpu_mpidr(const void *fdt, int cpu, u64 *mpidr)
{
	int len;
	const void *reg = fdt_getprop(fdt, cpu, "reg", &len);

	if (!reg || (len != sizeof(u32) && len != sizeof(u64)))
		return false;
	*mpidr = kexec_fdt_read_cells(reg, len / sizeof(u32));
	return true;
}

/* The CPU that is the same as one of another tree */
static int same_cpu(const void *fdt, const void *other, int other_cpu)
{
	u64 want, mpidr;
	int cpu;

	if (!cpu_mpidr(other, other_cpu, &want))
		return -FDT_ERR_NOTFOUND;
	for (cpu = next_cpu(fdt, -1); cpu >= 0; cpu = next_cpu(fdt, cpu)) {
		if (cpu_mpidr(fdt, cpu, &mpidr) && mpidr == want)
			break;
	}
	return cpu;
}

/* A CPU of which firmware, or the board's tree, says so is never started */
static bool is_failed(const void *fdt, int cpu)
{
	const char *status = fdt_stringlist_get(fdt, cpu, "status", 0, NULL);

	return status && !strncmp(status, "fail", 4);
}

static int add_cpus(struct kexec_fdt_adoption *trees)
{
	int src = fdt_path_offset(trees->running, "/cpus");
	int node = kexec_fdt_make_subnode(trees->fdt, 0, "cpus"), cpu, ret;

	if (node < 0)
		return node;
	ret = kexec_fdt_copy_props(trees, node, src, true);
	for (cpu = next_cpu(trees->running, -1); cpu >= 0 && !ret;
	     cpu = next_cpu(trees->running, cpu))
		ret = kexec_fdt_copy_node(trees, node, cpu, 2);
	return ret;
}

static int copy_cpu(struct kexec_fdt_adoption *trees, int cpu)
{
	static const char *const names[] = { "enable-method",
					     "cpu-release-addr", NULL };
	int src = same_cpu(trees->running, trees->fdt, cpu);

	/* One that is not there would be waited for, and forbid any kexec */
	if (src < 0 || is_failed(trees->running, src))
		return fdt_setprop_string(trees->fdt, cpu, "status", "fail");
	return kexec_fdt_mirror_named(trees, cpu, src, names);
}

static int check_cpu(struct kexec_fdt_adoption *trees, int src)
{
	u64 mpidr;

	if (is_failed(trees->running, src) ||
	    !cpu_mpidr(trees->running, src, &mpidr) ||
	    same_cpu(trees->fdt, trees->running, src) >= 0)
		return 0;
	snprintf(trees->why, sizeof(trees->why),
		 "leaves out the CPU with reg %#llx: if that is not to run, have a node of status \"fail\" for it",
		 (unsigned long long)mpidr);
	return -FDT_ERR_NOTFOUND;
}

static int merge_cpus(struct kexec_fdt_adoption *trees)
{
	const void *fdt = trees->fdt, *running = trees->running;
	int cpu, ret = 0;

	if (next_cpu(running, -1) < 0)
		return 0;
	if (next_cpu(fdt, -1) < 0)
		return add_cpus(trees);
	for (cpu = next_cpu(fdt, -1); cpu >= 0 && !ret;
	     cpu = next_cpu(fdt, cpu))
		ret = copy_cpu(trees, cpu);
	for (cpu = next_cpu(running, -1); cpu >= 0 && !ret;
	     cpu = next_cpu(running, cpu))
		ret = check_cpu(trees, cpu);
	return ret;
}

static bool is_compatible(const void *fdt, int node, const char *prefix)
{
	const char *str = "";

	for (int i = 0; str; i++) {
		str = fdt_stringlist_get(fdt, node, "compatible", i, NULL);
		if (str && !strncmp(str, prefix, strlen(prefix)))
			return true;
	}
	return false;
}

static int next_psci(const void *fdt, int node)
{
	do {
		node = fdt_next_node(fdt, node, NULL);
	} while (node >= 0 && !is_compatible(fdt, node, "arm,psci"));
	return node;
}

/* After CPUs and /firmware, which may have it */
static int merge_psci(struct kexec_fdt_adoption *trees)
{
	int src = next_psci(trees->running, -1);
	int node = next_psci(trees->fdt, -1), ret = 0;

	if (src < 0 && next_cpu(trees->running, -1) < 0)
		return 0;
	if (src >= 0 && node < 0)
		return kexec_fdt_copy_node(trees, 0, src, 1);
	while (node >= 0 && !ret) {
		ret = src < 0 ? fdt_del_node(trees->fdt, node) :
				kexec_fdt_copy_props(trees, node, src, true);
		node = next_psci(trees->fdt, src < 0 ? -1 : node);
	}
	return ret;
}

static int merge_firmware_node(struct kexec_fdt_adoption *trees)
{
	int src = fdt_subnode_offset(trees->running, 0, "firmware");

	return src < 0 ? 0 : kexec_fdt_copy_node(trees, 0, src, 1);
}

/* To the node that the alias names there, or else to the one of the same path */
static int copy_mac_address(struct kexec_fdt_adoption *trees, const char *alias)
{
	static const char *const names[] = { "mac-address", "local-mac-address",
					     NULL };
	const char *path = fdt_get_alias(trees->running, alias);
	int src, node;

	if (!path)
		return 0;
	src = fdt_path_offset(trees->running, path);
	node = fdt_path_offset(trees->fdt, alias);
	if (node < 0)
		node = fdt_path_offset(trees->fdt, path);
	return src < 0 || node < 0 ?
		       0 : kexec_fdt_copy_named(trees, node, src, names);
}

static int copy_mac_addresses(struct kexec_fdt_adoption *trees)
{
	int aliases = fdt_path_offset(trees->running, "/aliases"), prop, ret = 0;
	const char *alias;

	fdt_for_each_property_offset(prop, trees->running, aliases) {
		if (fdt_getprop_by_offset(trees->running, prop, &alias, NULL) &&
		    !strncmp(alias, "ethernet", 8))
			ret = copy_mac_address(trees, alias);
		if (ret)
			break;
	}
	return ret;
}

static int copy_framebuffer(struct kexec_fdt_adoption *trees, int chosen,
			    int src)
{
	static const char *const status[] = { "status", NULL };
	const char *name = fdt_get_name(trees->running, src, NULL);
	int node, ret;

	if (!name || fdt_node_check_compatible(trees->running, src,
					       "simple-framebuffer"))
		return 0;
	node = kexec_fdt_make_subnode(trees->fdt, chosen, name);
	if (node < 0)
		return node;
	ret = kexec_fdt_copy_props(trees, node, src, true);
	return ret ? ret : kexec_fdt_mirror_named(trees, node, src, status);
}

/*
 * A frame buffer that firmware has set up. Clocks and the like stay those that
 * the staged tree has for it.
 */
static int copy_framebuffers(struct kexec_fdt_adoption *trees)
{
	int src = fdt_path_offset(trees->running, "/chosen"), child, ret = 0;
	int chosen = fdt_path_offset(trees->fdt, "/chosen");

	if (!kexec_fdt_same_cells(trees, chosen, src))
		return 0;
	fdt_for_each_subnode(child, trees->running, src) {
		ret = copy_framebuffer(trees, chosen, child);
		if (ret)
			break;
	}
	return ret;
}

/* The node of the same path, or else of the same compatible */
static int same_device(const void *fdt, const void *other, int other_node)
{
	int node = -FDT_ERR_NOTFOUND;
	const char *compatible = "";
	char path[PATH_LEN];

	if (!fdt_get_path(other, other_node, path, sizeof(path)))
		node = fdt_path_offset(fdt, path);
	for (int i = 0; node < 0 && compatible; i++) {
		compatible = fdt_stringlist_get(other, other_node, "compatible",
						i, NULL);
		if (compatible)
			node = fdt_node_offset_by_compatible(fdt, -1,
							     compatible);
	}
	return node;
}

/* Where the log of this boot lies; a staged tree may tell of another one's */
static int copy_tpm_log(struct kexec_fdt_adoption *trees)
{
	static const char *const names[] = { "linux,sml-base", "linux,sml-size",
					     "memory-region", NULL };
	static const char *const stale[] = { "linux,sml-", NULL };
	const void *running = trees->running;
	int node, src, ret = 0;

	for (node = fdt_next_node(trees->fdt, -1, NULL); node >= 0 && !ret;
	     node = fdt_next_node(trees->fdt, node, NULL))
		ret = kexec_fdt_del_props(trees->fdt, node, stale);
	for (src = fdt_next_node(running, -1, NULL); src >= 0 && !ret;
	     src = fdt_next_node(running, src, NULL)) {
		if (!is_compatible(running, src, "tcg,tpm") &&
		    !fdt_getprop(running, src, "linux,sml-base", NULL))
			continue;
		node = same_device(trees->fdt, running, src);
		if (node >= 0)
			ret = kexec_fdt_copy_named(trees, node, src, names);
	}
	return ret;
}

static int copy_serial_number(struct kexec_fdt_adoption *trees)
{
	static const char *const names[] = { "serial-number", NULL };

	return kexec_fdt_copy_named(trees, 0, 0, names);
}

static int (*const steps[])(struct kexec_fdt_adoption *trees) = {
	merge_cpus,
	merge_firmware_node,
	merge_psci,
	copy_mac_addresses,
	copy_framebuffers,
	copy_tpm_log,
	copy_serial_number,
};

/**
 * kexec_fdt_copy_firmware() - carry over what firmware alone knows
 * @trees: both trees, the next one with the running one's reserved memory in it
 *
 * Return: 0, or a libfdt error, with the reason in @trees where the staged tree
 * is at fault.
 */
int kexec_fdt_copy_firmware(struct kexec_fdt_adoption *trees)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && !ret; i++)
		ret = steps[i](trees);
	return ret;
}

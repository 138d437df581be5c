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

static int next_of_kind(const void *fdt, int parent, int node, const char *kind)
{
	node = node < 0 ? fdt_first_subnode(fdt, parent) :
			  fdt_next_subnode(fdt, node);
	while (node >= 0 && !kexec_fdt_is_kind(fdt, node, kind))
		node = fdt_next_subnode(fdt, node);
	return node;
}

static int next_cpu(const void *fdt, int node)
{
	return next_of_kind(fdt, fdt_path_offset(fdt, "/cpus"), node, "cpu");
}

/* Its number of one or two cells, the same in both trees whatever these are */
static bool cpu_mpidr(const void *fdt, int cpu, u64 *mpidr)
{
	int len;
	const fdt32_t *reg = fdt_getprop(fdt, cpu, "reg", &len);

	if (!reg || (len != sizeof(u32) && len != sizeof(u64)))
		return false;
	*mpidr = fdt32_ld(reg);
	if (len == sizeof(u64))
		*mpidr = *mpidr << 32 | fdt32_ld(reg + 1);
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
	int len;
	const char *status = fdt_getprop(fdt, cpu, "status", &len);

	return status && len > 4 && !memcmp(status, "fail", 4);
}

static int add_cpus(void *fdt, const void *running)
{
	int src = fdt_path_offset(running, "/cpus");
	int node = fdt_path_offset(fdt, "/cpus"), cpu, ret;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "cpus");
	if (node < 0)
		return node;
	ret = kexec_fdt_copy_props(fdt, node, running, src, true, "phandle");
	for (cpu = next_cpu(running, -1); cpu >= 0 && !ret;
	     cpu = next_cpu(running, cpu))
		ret = kexec_fdt_copy_node(fdt, node, running, cpu, 2);
	return ret;
}

static int copy_cpu(void *fdt, int cpu, const void *running)
{
	static const char *const names[] = { "enable-method",
					     "cpu-release-addr" };
	int src = same_cpu(running, fdt, cpu), ret = 0;

	/* One that is not there would be waited for, and forbid any kexec */
	if (src < 0 || is_failed(running, src))
		return fdt_setprop_string(fdt, cpu, "status", "fail");
	for (size_t i = 0; i < ARRAY_SIZE(names) && !ret; i++)
		ret = kexec_fdt_mirror_prop(fdt, cpu, running, src, names[i]);
	return ret;
}

static int merge_cpus(void *fdt, struct kexec_fdt_adoption *from)
{
	const void *running = from->running;
	u64 mpidr;
	int cpu, ret;

	if (next_cpu(running, -1) < 0)
		return 0;
	if (next_cpu(fdt, -1) < 0)
		return add_cpus(fdt, running);
	for (cpu = next_cpu(fdt, -1); cpu >= 0; cpu = next_cpu(fdt, cpu)) {
		ret = copy_cpu(fdt, cpu, running);
		if (ret)
			return ret;
	}
	for (cpu = next_cpu(running, -1); cpu >= 0;
	     cpu = next_cpu(running, cpu)) {
		if (is_failed(running, cpu) ||
		    !cpu_mpidr(running, cpu, &mpidr) ||
		    same_cpu(fdt, running, cpu) >= 0)
			continue;
		snprintf(from->why, sizeof(from->why),
			 "leaves out the CPU with reg %#llx: if that is not to run, have a node of status \"fail\" for it",
			 (unsigned long long)mpidr);
		return -FDT_ERR_NOTFOUND;
	}
	return 0;
}

static int next_psci(const void *fdt, int node)
{
	static const char *const compatible[] = { "arm,psci-1.0",
						  "arm,psci-0.2", "arm,psci" };

	for (node = fdt_next_node(fdt, node, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		for (size_t i = 0; i < ARRAY_SIZE(compatible); i++) {
			if (!fdt_node_check_compatible(fdt, node,
						       compatible[i]))
				return node;
		}
	}
	return node;
}

/* After CPUs and /firmware, which may have it */
static int merge_psci(void *fdt, struct kexec_fdt_adoption *from)
{
	const void *running = from->running;
	int src = next_psci(running, -1), node, ret = 0;

	if (src < 0 && next_cpu(running, -1) < 0)
		return 0;
	if (src >= 0 && next_psci(fdt, -1) < 0)
		return kexec_fdt_copy_node(fdt, 0, running, src, 1);
	node = next_psci(fdt, -1);
	while (node >= 0 && !ret) {
		if (src < 0) {
			ret = fdt_del_node(fdt, node);
			node = next_psci(fdt, -1);
		} else {
			ret = kexec_fdt_copy_props(fdt, node, running, src,
						   true, "phandle");
			node = next_psci(fdt, node);
		}
	}
	return ret;
}

static int merge_firmware_node(void *fdt, struct kexec_fdt_adoption *from)
{
	int src = fdt_subnode_offset(from->running, 0, "firmware");

	return src < 0 ? 0 :
			 kexec_fdt_copy_node(fdt, 0, from->running, src, 1);
}

/* The node that an alias names, or that stands where it does in another tree */
static int aliased_node(const void *fdt, const char *alias, const char *path)
{
	int node = fdt_path_offset(fdt, alias);

	return node < 0 ? fdt_path_offset(fdt, path) : node;
}

static int copy_mac_addresses(void *fdt, struct kexec_fdt_adoption *from)
{
	static const char *const names[] = { "mac-address",
					     "local-mac-address" };
	int aliases = fdt_path_offset(from->running, "/aliases"), prop;

	fdt_for_each_property_offset(prop, from->running, aliases) {
		const char *alias, *path;
		int node, src, ret = 0;

		if (!fdt_getprop_by_offset(from->running, prop, &alias, NULL) ||
		    strncmp(alias, "ethernet", 8))
			continue;
		path = fdt_get_alias(from->running, alias);
		if (!path)
			continue;
		src = fdt_path_offset(from->running, path);
		node = aliased_node(fdt, alias, path);
		for (size_t i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
			if (src >= 0 && node >= 0)
				ret = kexec_fdt_copy_prop(fdt, node,
							  from->running, src,
							  names[i]);
		}
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A frame buffer that firmware has set up. Clocks and the like stay those that
 * the staged tree has for it.
 */
static int copy_framebuffers(void *fdt, struct kexec_fdt_adoption *from)
{
	const void *running = from->running;
	int src = fdt_path_offset(running, "/chosen"), child, ret;

	fdt_for_each_subnode(child, running, src) {
		const char *name = fdt_get_name(running, child, NULL);
		int chosen = fdt_path_offset(fdt, "/chosen"), node;

		if (!name ||
		    fdt_node_check_compatible(running, child,
					      "simple-framebuffer") ||
		    !kexec_fdt_same_cells(fdt, chosen, running, src))
			continue;
		node = fdt_subnode_offset(fdt, chosen, name);
		if (node == -FDT_ERR_NOTFOUND)
			node = fdt_add_subnode(fdt, chosen, name);
		if (node < 0)
			return node;
		ret = kexec_fdt_copy_props(fdt, node, running, child, true,
					   "phandle");
		if (!ret)
			ret = kexec_fdt_mirror_prop(fdt, node, running, child,
						    "status");
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_tpm(const void *fdt, int node)
{
	const char *compatible;

	for (int i = 0;; i++) {
		compatible = fdt_stringlist_get(fdt, node, "compatible", i,
						NULL);
		if (!compatible)
			break;
		if (!strncmp(compatible, "tcg,tpm", 7))
			return true;
	}
	return fdt_getprop(fdt, node, "linux,sml-base", NULL);
}

/* The node of the same path, or else of the same compatible */
static int same_device(const void *fdt, const void *other, int other_node)
{
	const char *compatible;
	char path[PATH_LEN];
	int node;

	if (!fdt_get_path(other, other_node, path, sizeof(path))) {
		node = fdt_path_offset(fdt, path);
		if (node >= 0)
			return node;
	}
	for (int i = 0;; i++) {
		compatible = fdt_stringlist_get(other, other_node,
						"compatible", i, NULL);
		if (!compatible)
			return -FDT_ERR_NOTFOUND;
		node = fdt_node_offset_by_compatible(fdt, -1, compatible);
		if (node >= 0)
			return node;
	}
}

/* Where the log of this boot lies; a staged tree may tell of another one's */
static int copy_tpm_log(void *fdt, struct kexec_fdt_adoption *from)
{
	static const char *const names[] = { "linux,sml-base", "linux,sml-size",
					     "memory-region" };
	static const char *const stale[] = { "linux,sml-", NULL };
	const void *running = from->running;
	int node, src, ret = 0;

	for (node = fdt_next_node(fdt, -1, NULL); node >= 0 && !ret;
	     node = fdt_next_node(fdt, node, NULL))
		ret = kexec_fdt_del_props(fdt, node, stale);
	for (src = fdt_next_node(running, -1, NULL); src >= 0 && !ret;
	     src = fdt_next_node(running, src, NULL)) {
		if (!is_tpm(running, src))
			continue;
		node = same_device(fdt, running, src);
		for (size_t i = 0; node >= 0 && !ret && i < ARRAY_SIZE(names);
		     i++)
			ret = kexec_fdt_copy_prop(fdt, node, running, src,
						  names[i]);
	}
	return ret;
}

static int copy_serial_number(void *fdt, struct kexec_fdt_adoption *from)
{
	return kexec_fdt_copy_prop(fdt, 0, from->running, 0, "serial-number");
}

static int (*const steps[])(void *fdt, struct kexec_fdt_adoption *from) = {
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
 * @fdt: the next kernel's tree, with the running one's reserved memory in it
 * @from: both trees
 *
 * Return: 0, or a libfdt error, with the reason in @from where the staged tree
 * is at fault.
 */
int kexec_fdt_copy_firmware(void *fdt, struct kexec_fdt_adoption *from)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && !ret; i++)
		ret = steps[i](fdt, from);
	return ret;
}

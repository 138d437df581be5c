// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees that fuzzing starts from, see seeds.h
 */

#include <stdio.h>
#include <stdlib.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#include "seeds.h"

#define SEED_SIZE	8192

static void must(int ret)
{
	if (ret) {
		fprintf(stderr, "seed: %s\n", fdt_strerror(ret));
		exit(1);
	}
}

static void begin(void *fdt, const char *model)
{
	must(fdt_create(fdt, SEED_SIZE));
	must(fdt_add_reservemap_entry(fdt, 0x7f000000, 0x10000));
	must(fdt_finish_reservemap(fdt));
	must(fdt_begin_node(fdt, ""));
	must(fdt_property_u32(fdt, "#address-cells", 2));
	must(fdt_property_u32(fdt, "#size-cells", 2));
	must(fdt_property_string(fdt, "model", model));
}

static void put_range(void *fdt, u64 base, u64 size)
{
	fdt64_t reg[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	must(fdt_property(fdt, "reg", reg, sizeof(reg)));
}

static void put_memory(void *fdt, u64 size)
{
	must(fdt_begin_node(fdt, "memory@40000000"));
	must(fdt_property_string(fdt, "device_type", "memory"));
	put_range(fdt, 0x40000000, size);
	must(fdt_end_node(fdt));
}

static void put_string_node(void *fdt, const char *node, const char *name, const char *value)
{
	must(fdt_begin_node(fdt, node));
	must(fdt_property_string(fdt, name, value));
	must(fdt_property_u32(fdt, "phandle", node[0]));
	must(fdt_end_node(fdt));
}

static void put_cpus(void *fdt, const char *method, int nr)
{
	char name[8];

	must(fdt_begin_node(fdt, "cpus"));
	must(fdt_property_u32(fdt, "#address-cells", 1));
	must(fdt_property_u32(fdt, "#size-cells", 0));
	for (int i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "cpu@%d", i);
		must(fdt_begin_node(fdt, name));
		must(fdt_property_string(fdt, "device_type", "cpu"));
		must(fdt_property_u32(fdt, "reg", i));
		must(fdt_property_string(fdt, "enable-method", method));
		must(fdt_property_u64(fdt, "cpu-release-addr", 0xd8 + 8 * i));
		must(fdt_end_node(fdt));
	}
	must(fdt_end_node(fdt));
}

static void put_psci(void *fdt, const char *method)
{
	must(fdt_begin_node(fdt, "psci"));
	must(fdt_property_string(fdt, "compatible", "arm,psci-0.2"));
	must(fdt_property_string(fdt, "method", method));
	must(fdt_end_node(fdt));
}

/* @log: of this boot */
static void put_tpm(void *fdt, const char *name, u64 log)
{
	must(fdt_begin_node(fdt, name));
	must(fdt_property_string(fdt, "compatible", "tcg,tpm-tis-mmio"));
	must(fdt_property_u64(fdt, "linux,sml-base", log));
	must(fdt_property_u32(fdt, "linux,sml-size", 0x10000));
	must(fdt_end_node(fdt));
}

static void put_chosen(void *fdt, const char *name, const char *value, u32 region, u32 width)
{
	must(fdt_begin_node(fdt, "chosen"));
	must(fdt_property_string(fdt, name, value));
	must(fdt_property_u64(fdt, "linux,initrd-start", 0x48000000));
	must(fdt_begin_node(fdt, "framebuffer"));
	must(fdt_property_string(fdt, "compatible", "simple-framebuffer"));
	must(fdt_property_u32(fdt, "memory-region", region));
	must(fdt_property_u32(fdt, "width", width));
	must(fdt_end_node(fdt));
	must(fdt_end_node(fdt));
}

static void put_reserved_memory(void *fdt, u32 phandle)
{
	const fdt64_t alloc[2] = { cpu_to_fdt64(0x60000000), cpu_to_fdt64(0x20000000) };

	must(fdt_begin_node(fdt, "reserved-memory"));
	must(fdt_property_u32(fdt, "#address-cells", 2));
	must(fdt_property_u32(fdt, "#size-cells", 2));
	must(fdt_property(fdt, "ranges", "", 0));
	must(fdt_begin_node(fdt, "tee@7d000000"));
	put_range(fdt, 0x7d000000, 0x100000);
	must(fdt_property_u32(fdt, "phandle", phandle));
	must(fdt_end_node(fdt));
	must(fdt_begin_node(fdt, "pool"));
	must(fdt_property_u64(fdt, "size", 0x1000000));
	must(fdt_property(fdt, "alloc-ranges", alloc, sizeof(alloc)));
	must(fdt_end_node(fdt));
	must(fdt_end_node(fdt));
}

static void *finish(void *fdt)
{
	must(fdt_end_node(fdt));
	must(fdt_finish(fdt));
	return fdt;
}

void *staged_seed(void)
{
	void *fdt = malloc(SEED_SIZE);

	begin(fdt, "built");
	put_memory(fdt, 0x1000);
	put_chosen(fdt, "bootargs", "quiet", 'f', 640);
	put_string_node(fdt, "aliases", "ethernet0", "/ethernet@2");
	put_string_node(fdt, "ethernet@2", "local-mac-address", "12345");
	put_cpus(fdt, "spin-table", 3);
	put_psci(fdt, "hvc");
	put_tpm(fdt, "tpm@2", 0x60000000);
	put_reserved_memory(fdt, 'r');
	return finish(fdt);
}

struct kexec_stash_record record_seed(void)
{
	static const u8 signature[71];
	struct kexec_stash_record rec = {
		.label = "b",
		.base = 0x60000000,
		.size = 0x8000000,
		.origin = KEXEC_STASH_EARLY,
		.bootargs = "console=ttyAMA0",
	};

	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		rec.file[i].offset = i * 0x200000ULL;
		rec.file[i].size = 0x1000 + i;
		rec.file[i].hash = KEXEC_STASH_SHA256 + i;
		rec.file[i].signature = signature;
		rec.file[i].signature_len = sizeof(signature);
		rec.file[i].authenticated = true;
	}
	return rec;
}

void *running_seed(void)
{
	struct kexec_stash_record rec = record_seed();
	void *fdt = malloc(SEED_SIZE);

	begin(fdt, "running");
	must(fdt_property_string(fdt, "serial-number", "4711"));
	put_memory(fdt, 0x80000000);
	put_chosen(fdt, "linux,uefi-system-table", "1234567", 't', 800);
	put_string_node(fdt, "aliases", "ethernet0", "/ethernet@1");
	put_string_node(fdt, "ethernet@1", "local-mac-address", "abcde");
	put_string_node(fdt, "firmware", "method", "smc");
	put_cpus(fdt, "psci", 2);
	put_psci(fdt, "smc");
	put_tpm(fdt, "tpm@1", 0x7d000000);
	put_reserved_memory(fdt, 't');
	finish(fdt);
	must(fdt_open_into(fdt, fdt, SEED_SIZE));
	must(kexec_stash_record_write(fdt, &rec));
	rec.label[0] = 'c';
	rec.base += rec.size;
	rec.disabled = true;
	must(kexec_stash_record_write(fdt, &rec));
	must(fdt_pack(fdt));
	return fdt;
}

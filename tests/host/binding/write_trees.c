// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Write device trees with records of the real writer, for dt-validate: write_trees <folder>
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#define TREE_SIZE	65536

static u8 bytes[KEXEC_STASH_SIGNATURE_LEN];

static void must(int ret, const char *what)
{
	if (ret) {
		fprintf(stderr, "write_trees: %s: error %d\n", what, ret);
		exit(1);
	}
}

static void put_cells(void *fdt)
{
	must(fdt_property_u32(fdt, "#address-cells", 2), "cells");
	must(fdt_property_u32(fdt, "#size-cells", 2), "cells");
}

/* The core schemas require this of every tree */
static void *bare_tree(void)
{
	const fdt64_t reg[2] = { cpu_to_fdt64(0x40000000), cpu_to_fdt64(0x80000000) };
	void *fdt = malloc(TREE_SIZE);

	if (!fdt)
		exit(1);
	must(fdt_create(fdt, TREE_SIZE), "create");
	must(fdt_finish_reservemap(fdt), "reservemap");
	must(fdt_begin_node(fdt, ""), "root");
	must(fdt_property_string(fdt, "compatible", "foo"), "compatible");
	must(fdt_property_string(fdt, "model", "foo"), "model");
	put_cells(fdt);
	must(fdt_begin_node(fdt, "memory@40000000"), "memory");
	must(fdt_property_string(fdt, "device_type", "memory"), "device_type");
	must(fdt_property(fdt, "reg", reg, sizeof(reg)), "reg");
	must(fdt_end_node(fdt), "memory");
	must(fdt_end_node(fdt), "root");
	must(fdt_finish(fdt), "finish");
	must(fdt_open_into(fdt, fdt, TREE_SIZE), "open");
	return fdt;
}

static struct kexec_stash_record plain_record(const char *label, u64 base)
{
	struct kexec_stash_record rec = { .base = base, .size = 0x8000000 };

	snprintf(rec.label, sizeof(rec.label), "%s", label);
	return rec;
}

static struct kexec_stash_record full_record(const char *label, u64 base,
					     enum kexec_stash_hash hash, u32 signature_len)
{
	struct kexec_stash_record rec = plain_record(label, base);

	rec.origin = KEXEC_STASH_RUNTIME;
	rec.bootargs = "console=ttyAMA0 root=/dev/vda1";
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		rec.file[i].offset = i * 0x2000000ULL;
		rec.file[i].size = 0x1fca201 + i;
		rec.file[i].hash = hash;
		memcpy(rec.file[i].digest, bytes, kexec_stash_hash_len(hash));
		rec.file[i].signature = signature_len ? bytes : NULL;
		rec.file[i].signature_len = signature_len;
		rec.file[i].authenticated = signature_len;
	}
	return rec;
}

static void save(const char *folder, const char *name, void *fdt)
{
	char path[4096];
	FILE *file;

	must(fdt_pack(fdt), "pack");
	snprintf(path, sizeof(path), "%s/%s.dtb", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(fdt, fdt_totalsize(fdt), 1, file) != 1 || fclose(file)) {
		perror(path);
		exit(1);
	}
	free(fdt);
}

static void save_one(const char *folder, const char *name, const struct kexec_stash_record *rec)
{
	void *fdt = bare_tree();

	must(kexec_stash_record_write(fdt, rec), name);
	save(folder, name, fdt);
}

static void save_eight(const char *folder)
{
	void *fdt = bare_tree();

	for (int i = 0; i < KEXEC_STASH_SLOTS_MAX; i++) {
		const char label[2] = { 'a' + i };
		struct kexec_stash_record rec;

		rec = full_record(label, 0x50000000 + i * 0x8000000ULL, KEXEC_STASH_SHA256, 0);
		must(kexec_stash_record_write(fdt, &rec), label);
	}
	save(folder, "eight-slots", fdt);
}

int main(int argc, char **argv)
{
	struct kexec_stash_record rec;
	const char *folder = argv[1];

	if (argc != 2) {
		fprintf(stderr, "usage: write_trees <folder>\n");
		return 2;
	}
	for (int i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7;

	rec = plain_record("a", 0x50000000);
	save_one(folder, "empty-slot", &rec);
	rec.disabled = true;
	save_one(folder, "running-slot", &rec);
	rec.handover = 0x123456789abcdef0ULL;
	save_one(folder, "hand-over", &rec);
	rec = full_record("a", 0x50000000, KEXEC_STASH_HASH_NONE, 0);
	rec.origin = KEXEC_STASH_FIRMWARE;
	save_one(folder, "no-digests", &rec);
	rec.bootargs = "";
	rec.origin = KEXEC_STASH_EARLY;
	save_one(folder, "empty-bootargs", &rec);
	rec = full_record("a", 0x50000000, KEXEC_STASH_SHA256, 71);
	save_one(folder, "sha256-and-signatures", &rec);
	rec = full_record("rescue-1.2_x", 0x123450000000, KEXEC_STASH_SHA384, 1);
	save_one(folder, "sha384-high-base", &rec);
	rec = full_record("abcdefghijklmnopqrstuvwxyz01234", 0, KEXEC_STASH_SHA512,
			  KEXEC_STASH_SIGNATURE_LEN);
	save_one(folder, "sha512-longest", &rec);
	save_eight(folder);
	return 0;
}

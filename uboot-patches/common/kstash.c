// SPDX-License-Identifier: GPL-2.0+
/*
 * Stash: slots in RAM with a payload for a later kexec, see kstash.h
 */

#include <env.h>
#include <errno.h>
#include <event.h>
#include <fdt_support.h>
#include <fs.h>
#include <hash.h>
#include <image.h>
#include <kstash.h>
#include <lmb.h>
#include <malloc.h>
#include <mapmem.h>
#include <memalign.h>
#include <time.h>
#include <vsprintf.h>
#include <asm/global_data.h>
#include <dm/of.h>
#include <linux/kernel.h>
#include <linux/libfdt.h>
#include <linux/string.h>

DECLARE_GLOBAL_DATA_PTR;

/* As much of a file as tells what it is: the header of an arm64 Image; a dtb's is shorter */
#define HEADER_SIZE	64

/**
 * struct slot - a slot
 * @rec: what the operating system is told of it; its bootargs and signatures are malloc()ed
 * @dtb_raw: the dtb was staged here and has not had this board's fix-ups
 * @dtb_fixed: it has had them, so it is not what was staged
 */
struct slot {
	struct kexec_stash_record rec;
	bool dtb_raw;
	bool dtb_fixed;
};

static struct slot slots[KEXEC_STASH_SLOTS_MAX];
static int nr_slots;
static bool slots_ready;
static bool fixing_staged;	/* a staged dtb is having the fix-ups of the OS tree */

/* The one voice for all complaints: which slot, which file of it (or NULL), what is wrong */
static void __printf(3, 4) complain(const char *label, const char *file, const char *fmt, ...)
{
	va_list args;

	printf("kstash: slot '%s': ", label);
	if (file)
		printf("%s: ", file);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putc('\n');
}

static struct slot *slot_of(const char *label)
{
	int i;

	for (i = 0; i < nr_slots; i++) {
		if (!strcmp(slots[i].rec.label, label))
			return &slots[i];
	}
	return NULL;
}

/* Look up a slot for the user; if it is not there, say which are */
static struct slot *find_slot(const char *label)
{
	struct slot *slot;
	int i;

	kstash_init();
	slot = slot_of(label);
	if (slot)
		return slot;

	printf("kstash: slot '%s': does not exist;", label);
	if (!nr_slots)
		printf(" there is none");
	for (i = 0; i < nr_slots; i++)
		printf("%s '%s'", i ? "," : " there is", slots[i].rec.label);
	putc('\n');
	return NULL;
}

const struct kexec_stash_record *kstash_find(const char *label)
{
	struct slot *slot;

	kstash_init();
	slot = slot_of(label);
	return slot ? &slot->rec : NULL;
}

static bool overlaps(const struct kexec_stash_record *rec, u64 addr, u64 size)
{
	return kexec_stash_overlaps(addr, size, rec->base, rec->size);
}

int kstash_guard(const char *what, u64 addr, u64 size)
{
	int i;

	kstash_init();
	for (i = 0; i < nr_slots; i++) {
		if (!overlaps(&slots[i].rec, addr, size))
			continue;
		complain(slots[i].rec.label, NULL, "%s must not be put over it, at %#llx to %#llx",
			 what, addr, addr + size - 1);
		return -EBUSY;
	}
	return 0;
}

u64 kstash_room(u64 addr, u64 size)
{
	int i;

	kstash_init();
	for (i = 0; i < nr_slots; i++) {
		u64 base = slots[i].rec.base;

		if (overlaps(&slots[i].rec, addr, size))
			size = addr < base ? base - addr : 0;
	}
	return size;
}

u32 kstash_fdt_space(void)
{
	u32 space = 0;
	int i;

	kstash_init();
	for (i = 0; i < nr_slots; i++)
		space += kexec_stash_record_space(&slots[i].rec);
	return space;
}

/* The region of an LMB list that a range overlaps, or NULL */
static const struct lmb_region *overlapped(const struct alist *regions, u64 base, u64 size)
{
	const struct lmb_region *region = regions->data;
	int i;

	for (i = 0; i < regions->count; i++, region++) {
		if (kexec_stash_overlaps(base, size, region->base, region->size))
			return region;
	}
	return NULL;
}

static bool is_ram(u64 base, u64 size)
{
	const struct lmb_region *region = overlapped(&lmb_get()->free_mem, base, size);

	return region && base >= region->base && base + size <= region->base + region->size;
}

/* What makes a slot bad wherever it comes from */
static int check_slot(const char *label, u64 size, u64 base)
{
	if (!kexec_stash_label_ok(label)) {
		complain(label, NULL, "the name is not 1 to %d letters, digits, '-', '_', '.'",
			 KEXEC_STASH_LABEL_LEN - 1);
		return -EINVAL;
	}
	if (slot_of(label)) {
		complain(label, NULL, "exists already");
		return -EEXIST;
	}
	if (nr_slots == KEXEC_STASH_SLOTS_MAX) {
		complain(label, NULL, "there are %d slots already", nr_slots);
		return -ENOSPC;
	}
	if (size % KEXEC_STASH_ALIGN) {
		complain(label, NULL, "size %#llx is not a multiple of 2 MiB", size);
		return -EINVAL;
	}
	if (size < KEXEC_STASH_SIZE_MIN) {
		complain(label, NULL, "size %#llx is too small, the least is %#x", size,
			 KEXEC_STASH_SIZE_MIN);
		return -EINVAL;
	}
	if (base == KSTASH_ANYWHERE)
		return 0;
	if (base % KEXEC_STASH_ALIGN) {
		complain(label, NULL, "address %#llx is not a multiple of 2 MiB", base);
		return -EINVAL;
	}
	if (base + size < base || !is_ram(base, size)) {
		complain(label, NULL, "%#llx to %#llx is not all RAM", base, base + size - 1);
		return -EINVAL;
	}
	return 0;
}

static struct slot *new_slot(const char *label, u64 size, u64 base)
{
	struct slot *slot = &slots[nr_slots++];

	memset(slot, 0, sizeof(*slot));
	snprintf(slot->rec.label, sizeof(slot->rec.label), "%s", label);
	slot->rec.base = base;
	slot->rec.size = size;
	return slot;
}

int kstash_reserve(const char *label, u64 size, u64 base)
{
	const struct lmb_region *taken;
	int ret;

	kstash_init();
	ret = check_slot(label, size, base);
	if (ret)
		return ret;

	if (base == KSTASH_ANYWHERE) {
		base = lmb_alloc_base_flags(size, KEXEC_STASH_ALIGN, LMB_ALLOC_ANYWHERE,
					    LMB_NOOVERWRITE);
		if (!base) {
			complain(label, NULL, "no free range of size %#llx", size);
			return -ENOSPC;
		}
	} else {
		/* LMB itself overlooks an overlap behind a region that the new one adjoins */
		taken = overlapped(&lmb_get()->used_mem, base, size);
		if (taken || lmb_reserve_flags(base, size, LMB_NOOVERWRITE)) {
			complain(label, NULL, "something else has taken %#llx to %#llx",
				 taken ? (u64)taken->base : base,
				 taken ? (u64)taken->base + taken->size - 1 : base + size - 1);
			return -EBUSY;
		}
	}
	new_slot(label, size, base);
	return 0;
}

static void drop_signature(struct kexec_stash_file *file)
{
	free((u8 *)file->signature);
	file->signature = NULL;
	file->signature_len = 0;
}

static void drop_file(struct kexec_stash_file *file)
{
	drop_signature(file);
	memset(file, 0, sizeof(*file));
}

static void clear_slot(struct slot *slot)
{
	enum kexec_stash_file_id id;

	free((char *)slot->rec.bootargs);
	slot->rec.bootargs = NULL;
	slot->rec.origin = KEXEC_STASH_FIRMWARE;
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		drop_file(&slot->rec.file[id]);
	slot->dtb_raw = false;
	slot->dtb_fixed = false;
}

/* A payload is its first stager's until nothing of it is left */
static void forget_origin(struct slot *slot)
{
	enum kexec_stash_file_id id;

	if (slot->rec.bootargs)
		return;
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (slot->rec.file[id].size)
			return;
	}
	slot->rec.origin = KEXEC_STASH_FIRMWARE;
}

/* A file's bytes are about to be overwritten */
static void empty_file(struct slot *slot, enum kexec_stash_file_id id)
{
	drop_file(&slot->rec.file[id]);
	forget_origin(slot);
}

void kstash_uninit(void)
{
	while (nr_slots) {
		struct slot *slot = &slots[--nr_slots];

		clear_slot(slot);
		lmb_free_flags(slot->rec.base, slot->rec.size, LMB_NOOVERWRITE);
	}
	slots_ready = false;
}

/* Where U-Boot itself lies, LMB has taken all up to the end of its RAM */
static bool is_uboot(u64 base, u64 size)
{
	return base < gd->ram_top && gd->start_addr_sp - CONFIG_STACK_SIZE < base + size;
}

static bool has_entry_over(const void *fdt, const struct kexec_stash_record *rec)
{
	u64 addr, size;
	int i;

	for (i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		if (fdt_get_mem_rsv(fdt, i, &addr, &size) || !overlaps(rec, addr, size))
			continue;
		complain(rec->label, NULL,
			 "the device tree has a memory reservation over it, %#llx to %#llx", addr,
			 addr + size - 1);
		return true;
	}
	return false;
}

/* Whether a node's reg, of @ac cells for an address and @sc for a size, reaches into a slot */
static bool reg_reaches_into(const void *fdt, int node, int ac, int sc,
			     const struct kexec_stash_record *rec)
{
	const fdt32_t *reg;
	int len;

	reg = fdt_getprop(fdt, node, "reg", &len);
	for (len /= sizeof(*reg); reg && len >= ac + sc; reg += ac + sc, len -= ac + sc) {
		if (overlaps(rec, of_read_number(reg, ac), of_read_number(reg + ac, sc)))
			return true;
	}
	return false;
}

/*
 * Whether somebody else has a range by a tree, too: one owner is enough. Slots of the tree are not
 * somebody else; of them each reader takes the first.
 */
static bool is_claimed(const void *fdt, const struct kexec_stash_record *rec)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	int node;

	if (has_entry_over(fdt, rec))
		return true;
	/* Nobody heeds nodes that have other cells */
	if (ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return false;
	fdt_for_each_subnode(node, fdt, parent) {
		const char *status = fdt_getprop(fdt, node, "status", NULL);

		if ((status && strncmp(status, "ok", 2)) ||
		    !fdt_node_check_compatible(fdt, node, KEXEC_STASH_COMPATIBLE) ||
		    !reg_reaches_into(fdt, node, ac, sc, rec))
			continue;
		complain(rec->label, NULL, "/reserved-memory/%s of the device tree lies over it",
			 fdt_get_name(fdt, node, NULL));
		return true;
	}
	return false;
}

static void take_over_record(const void *fdt, int node)
{
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	struct slot *slot;
	int i;

	if (kexec_stash_record_read(fdt, node, &rec, &fault)) {
		complain(rec.label, *fault.node ? fault.node : NULL, "%s %s", fault.property,
			 fault.why);
		return;
	}
	if (rec.disabled || check_slot(rec.label, rec.size, rec.base))
		return;
	for (i = 0; i < nr_slots; i++) {
		if (overlaps(&slots[i].rec, rec.base, rec.size)) {
			complain(rec.label, NULL, "overlaps slot '%s'", slots[i].rec.label);
			return;
		}
	}
	if (is_uboot(rec.base, rec.size)) {
		complain(rec.label, NULL, "U-Boot itself lies in it");
		return;
	}
	if (is_claimed(fdt, &rec))
		return;

	/* -EEXIST where it is the control dtb: LMB has taken all of its /reserved-memory */
	lmb_reserve_flags(rec.base, rec.size, LMB_NOOVERWRITE);
	slot = new_slot(rec.label, rec.size, rec.base);
	slot->rec = rec;
	if (rec.bootargs)
		slot->rec.bootargs = strdup(rec.bootargs);
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		struct kexec_stash_file *file = &slot->rec.file[i];

		if (file->signature)
			file->signature = memdup(file->signature, file->signature_len);
		if (!file->signature)
			file->signature_len = 0;
	}
}

void kstash_read_fdt(const void *fdt)
{
	int node;

	for (node = kexec_stash_record_next(fdt, -1); node >= 0;
	     node = kexec_stash_record_next(fdt, node))
		take_over_record(fdt, node);
}

/* "label:size[@address]" */
static void reserve_from_env(char *spec)
{
	char *size_str = strchr(spec, ':');
	char *base_str = strchr(spec, '@');
	u64 size, base = KSTASH_ANYWHERE;

	if (size_str)
		*size_str++ = '\0';
	if (base_str)
		*base_str++ = '\0';
	if (!size_str || kstash_parse_size(size_str, &size) ||
	    (base_str && kstash_parse_size(base_str, &base))) {
		complain(spec, NULL, "kstash_slots is not <slot>:<size>[@<address>],...");
		return;
	}
	kstash_reserve(spec, size, base);
}

void kstash_init(void)
{
	const char *env;
	char *copy, *rest, *spec;

	if (slots_ready)
		return;
	slots_ready = true;

	if (gd->fdt_blob)
		kstash_read_fdt(gd->fdt_blob);
	env = env_get("kstash_slots");
	if (!env)
		return;
	copy = strdup(env);
	rest = copy;
	while ((spec = strsep(&rest, ",")))
		reserve_from_env(spec);
	free(copy);
}

int kstash_parse_size(const char *str, u64 *val)
{
	static const char suffixes[] = "KMG";
	const char *suffix = NULL;
	int len = strlen(str);
	int shift = 0;
	char *end;

	if (len > 1)
		suffix = strchr(suffixes, str[len - 1]);
	if (suffix)
		shift = 10 * (suffix - suffixes + 1);
	*val = suffix ? dectoul(str, &end) : hextoull(str, &end);
	if (end == str || end != str + len - !!suffix || *val << shift >> shift != *val)
		return -EINVAL;
	*val <<= shift;
	return 0;
}

static void *file_map(const struct slot *slot, enum kexec_stash_file_id id)
{
	const struct kexec_stash_file *file = &slot->rec.file[id];

	return map_sysmem(slot->rec.base + file->offset, file->size);
}

static u64 kernel_end(const struct slot *slot)
{
	u64 size = slot->rec.file[KEXEC_STASH_KERNEL].size;

	return size ? kexec_stash_kernel_end(file_map(slot, KEXEC_STASH_KERNEL), size) : 0;
}

static int check_kernel(const struct slot *slot, const void *header, u64 size, u64 *extent)
{
	struct kexec_stash_image image;
	const char *why;
	int ret;

	ret = kexec_stash_image_read(header, min_t(u64, size, HEADER_SIZE), ~0ULL, &image, &why);
	if (ret) {
		complain(slot->rec.label, "kernel", "%s", why);
		return ret;
	}
	*extent = max(image.image_size, size);
	return 0;
}

/**
 * find_place() - find a file's place in a slot, without changing the slot
 * @slot: the slot
 * @id: which file
 * @header: the first HEADER_SIZE bytes of the file (or all, if it is shorter)
 * @size: size of the file in bytes
 * @offset: set to where it goes
 *
 * Return: 0, -EINVAL, -ENOEXEC or -ENOSPC
 */
static int find_place(const struct slot *slot, enum kexec_stash_file_id id, const void *header,
		      u64 size, u64 *offset)
{
	const char *name = kexec_stash_file_name(id);
	const char *next;
	u64 extent = size, room;
	int ret;

	if (!size) {
		complain(slot->rec.label, name, "is empty");
		return -EINVAL;
	}
	if (id == KEXEC_STASH_KERNEL) {
		ret = check_kernel(slot, header, size, &extent);
		if (ret)
			return ret;
	}
	if (id == KEXEC_STASH_INITRD && size >= sizeof(struct legacy_img_hdr) &&
	    image_check_magic(header)) {
		complain(slot->rec.label, name,
			 "is a legacy image of U-Boot (uImage): strip its header of %zu bytes",
			 sizeof(struct legacy_img_hdr));
		return -EINVAL;
	}
	*offset = kexec_stash_place(&slot->rec, id, kernel_end(slot));
	room = kexec_stash_room(&slot->rec, id, *offset, &next);
	if (extent > room) {
		complain(slot->rec.label, name, "needs %#llx bytes, room for %#llx%s%s%s", extent,
			 room, next ? " before the " : "", next ? next : "",
			 next ? ": erase the slot and load the kernel first" : "");
		return -ENOSPC;
	}
	return 0;
}

static int set_digest(struct slot *slot, enum kexec_stash_file_id id)
{
	struct kexec_stash_file *file = &slot->rec.file[id];
	int len = sizeof(file->digest);

	if (file->size > UINT_MAX ||
	    hash_block("sha256", file_map(slot, id), file->size, file->digest, &len))
		return -EINVAL;
	file->hash = KEXEC_STASH_SHA256;
	return 0;
}

/* The bytes of a file are in place: record it, if they are what they should be */
static int record_file(struct slot *slot, enum kexec_stash_file_id id, u64 offset, u64 size)
{
	struct kexec_stash_file *file = &slot->rec.file[id];
	int ret;

	file->offset = offset;
	file->size = size;
	if (id == KEXEC_STASH_DTB && fdt_check_full(file_map(slot, id), size)) {
		complain(slot->rec.label, "dtb", "is not a valid device tree");
		ret = -EINVAL;
		goto empty;
	}
	ret = set_digest(slot, id);
	if (ret) {
		complain(slot->rec.label, kexec_stash_file_name(id), "cannot compute its SHA-256");
		goto empty;
	}
	if (id == KEXEC_STASH_DTB) {
		slot->dtb_raw = true;
		slot->dtb_fixed = false;
	}
	return 0;

empty:
	drop_file(file);
	return ret;
}

/* Read part of a file; each access to a file system needs the device set anew */
static int read_part(const char *ifname, const char *dev_part, const char *filename, u64 addr,
		     u64 size)
{
	loff_t got = 0;

	if (fs_set_blk_dev(ifname, dev_part, FS_TYPE_ANY))
		return -ENODEV;
	if (fs_read(filename, addr, 0, size, &got) || got != size)
		return -EIO;
	return 0;
}

/* Whether there is such a file, and how large it is */
static int find_file(const struct slot *slot, enum kexec_stash_file_id id, const char *ifname,
		     const char *dev_part, const char *filename, loff_t *size)
{
	const char *label = slot->rec.label, *name = kexec_stash_file_name(id);

	if (fs_set_blk_dev(ifname, dev_part, FS_TYPE_ANY)) {
		complain(label, name, "no file system on %s %s", ifname, dev_part ? dev_part : "");
		return -ENODEV;
	}
	if (fs_size(filename, size) < 0) {
		complain(label, name, "no file %s on %s %s", filename, ifname,
			 dev_part ? dev_part : "");
		return -ENOENT;
	}
	return 0;
}

int kstash_load(const char *label, enum kexec_stash_file_id id, const char *ifname,
		const char *dev_part, const char *filename)
{
	ALLOC_CACHE_ALIGN_BUFFER(u8, header, HEADER_SIZE);
	const char *name = kexec_stash_file_name(id);
	struct slot *slot = find_slot(label);
	u64 offset;
	loff_t size;
	int ret;

	if (!slot)
		return -ENOENT;
	ret = find_file(slot, id, ifname, dev_part, filename, &size);
	if (ret)
		return ret;
	ret = read_part(ifname, dev_part, filename, map_to_sysmem(header),
			min_t(u64, size, HEADER_SIZE));
	if (!ret) {
		ret = find_place(slot, id, header, size, &offset);
		if (ret)
			return ret;
		empty_file(slot, id);
		ret = read_part(ifname, dev_part, filename, slot->rec.base + offset, size);
	}
	if (ret) {
		complain(label, name, "cannot read %s from %s %s", filename, ifname,
			 dev_part ? dev_part : "");
		return ret;
	}
	return record_file(slot, id, offset, size);
}

int kstash_add(const char *label, enum kexec_stash_file_id id, u64 addr, u64 size)
{
	struct slot *slot = find_slot(label);
	void *from;
	u64 offset;
	int ret;

	if (!slot)
		return -ENOENT;
	if (addr + size < addr) {
		complain(label, kexec_stash_file_name(id), "%#llx bytes from %#llx wrap around",
			 size, addr);
		return -EINVAL;
	}
	from = map_sysmem(addr, size);
	ret = find_place(slot, id, from, size, &offset);
	if (ret)
		return ret;
	empty_file(slot, id);
	memmove(map_sysmem(slot->rec.base + offset, size), from, size);
	return record_file(slot, id, offset, size);
}

/* What must hold before a signature is taken, however it comes */
static int check_signature(const struct slot *slot, enum kexec_stash_file_id id, u64 size)
{
	const char *name = kexec_stash_file_name(id);

	if (!slot->rec.file[id].size) {
		complain(slot->rec.label, name, "is not there to be signed, load it first");
		return -ENOENT;
	}
	if (id == KEXEC_STASH_DTB && slot->dtb_fixed) {
		complain(slot->rec.label, name,
			 "has had fix-ups since, which no signature fits: load it again first");
		return -EINVAL;
	}
	if (!size || size > KEXEC_STASH_SIGNATURE_LEN) {
		complain(slot->rec.label, name, "a signature has 1 to %d bytes, this one %llu",
			 KEXEC_STASH_SIGNATURE_LEN, size);
		return -EINVAL;
	}
	return 0;
}

static int record_signature(struct slot *slot, enum kexec_stash_file_id id, const u8 *signature,
			    u32 size)
{
	struct kexec_stash_file *file = &slot->rec.file[id];
	u8 *copy;

	if (*signature != KEXEC_STASH_SIGNATURE_TYPE) {
		complain(slot->rec.label, kexec_stash_file_name(id),
			 "this is no signature as evmctl ima_sign --sigfile writes it");
		return -EINVAL;
	}
	copy = memdup(signature, size);
	if (!copy) {
		complain(slot->rec.label, kexec_stash_file_name(id), "no memory for its signature");
		return -ENOMEM;
	}
	drop_signature(file);
	file->signature = copy;
	file->signature_len = size;
	return 0;
}

int kstash_load_signature(const char *label, enum kexec_stash_file_id id, const char *ifname,
			  const char *dev_part, const char *filename)
{
	ALLOC_CACHE_ALIGN_BUFFER(u8, signature, KEXEC_STASH_SIGNATURE_LEN);
	struct slot *slot = find_slot(label);
	loff_t size;
	int ret;

	if (!slot)
		return -ENOENT;
	ret = find_file(slot, id, ifname, dev_part, filename, &size);
	if (!ret)
		ret = check_signature(slot, id, size);
	if (ret)
		return ret;
	ret = read_part(ifname, dev_part, filename, map_to_sysmem(signature), size);
	if (ret) {
		complain(label, kexec_stash_file_name(id), "cannot read %s from %s %s", filename,
			 ifname, dev_part ? dev_part : "");
		return ret;
	}
	return record_signature(slot, id, signature, size);
}

int kstash_add_signature(const char *label, enum kexec_stash_file_id id, u64 addr, u64 size)
{
	struct slot *slot = find_slot(label);
	int ret;

	if (!slot)
		return -ENOENT;
	ret = check_signature(slot, id, size);
	if (ret)
		return ret;
	return record_signature(slot, id, map_sysmem(addr, size), size);
}

int kstash_set_bootargs(const char *label, const char *bootargs)
{
	struct slot *slot = find_slot(label);
	char *copy = NULL;

	if (!slot)
		return -ENOENT;
	if (strlen(bootargs) >= KEXEC_STASH_BOOTARGS_LEN) {
		complain(label, NULL, "bootargs are longer than %d characters",
			 KEXEC_STASH_BOOTARGS_LEN - 1);
		return -E2BIG;
	}
	if (*bootargs) {
		copy = strdup(bootargs);
		if (!copy) {
			complain(label, NULL, "no memory for its bootargs");
			return -ENOMEM;
		}
	}
	free((char *)slot->rec.bootargs);
	slot->rec.bootargs = copy;
	forget_origin(slot);
	return 0;
}

int kstash_erase(const char *label)
{
	struct slot *slot = find_slot(label);

	if (!slot)
		return -ENOENT;
	clear_slot(slot);
	return 0;
}

static void show_file(const struct slot *slot, enum kexec_stash_file_id id)
{
	const struct kexec_stash_file *file = &slot->rec.file[id];
	u32 i;

	if (!file->size)
		return;
	printf("  %-6s at %#llx, %llu bytes", kexec_stash_file_name(id),
	       slot->rec.base + file->offset, file->size);
	if (file->hash != KEXEC_STASH_HASH_NONE)
		printf(", %s ", kexec_stash_hash_name(file->hash));
	for (i = 0; i < kexec_stash_hash_len(file->hash); i++)
		printf("%02x", file->digest[i]);
	if (file->signature_len)
		printf(", signed");
	putc('\n');
}

void kstash_show_list(void)
{
	enum kexec_stash_file_id id;
	int i;

	kstash_init();
	if (!nr_slots)
		printf("No slots\n");
	for (i = 0; i < nr_slots; i++) {
		const struct kexec_stash_record *rec = &slots[i].rec;

		printf("slot '%s' at %#llx, size %#llx, %s\n", rec->label, rec->base, rec->size,
		       rec->file[KEXEC_STASH_KERNEL].size ? "staged" : "empty");
		for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
			show_file(&slots[i], id);
		if (rec->bootargs)
			printf("  bootargs %s\n", rec->bootargs);
	}
}

/* The OS tree's fix-ups set its bootargs, too: a payload keeps its own */
static int set_dtb_bootargs(void *dtb, const char *bootargs)
{
	int node = fdt_find_or_add_subnode(dtb, 0, "chosen");
	int ret;

	if (node < 0)
		return node;
	if (bootargs)
		return fdt_setprop_string(dtb, node, "bootargs", bootargs);
	ret = fdt_delprop(dtb, node, "bootargs");
	return ret == -FDT_ERR_NOTFOUND ? 0 : ret;
}

/* Give a staged dtb what this board gives the OS tree, in its slot */
static int fixup_dtb(struct slot *slot)
{
	struct kexec_stash_file *file = &slot->rec.file[KEXEC_STASH_DTB];
	struct bootm_headers images = {};
	void *dtb = map_sysmem(slot->rec.base + file->offset, KEXEC_STASH_DTB_MAX);
	const char *found;
	char *bootargs = NULL;
	int len, ret;

	found = fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "bootargs", &len);
	if (found && strnlen(found, len) == len)
		found = NULL;
	if (slot->rec.bootargs)
		found = slot->rec.bootargs;
	if (found)
		bootargs = strdup(found);

	ret = fdt_open_into(dtb, dtb, KEXEC_STASH_DTB_MAX);
	fixing_staged = true;
	if (!ret)
		ret = image_setup_libfdt(&images, dtb, false);
	fixing_staged = false;
	if (!ret)
		ret = fdt_open_into(dtb, dtb, KEXEC_STASH_DTB_MAX);
	if (!ret)
		ret = set_dtb_bootargs(dtb, bootargs);
	if (!ret)
		ret = fdt_pack(dtb);
	free(bootargs);
	if (ret)
		return -EINVAL;
	file->size = fdt_totalsize(dtb);
	return set_digest(slot, KEXEC_STASH_DTB);
}

/* What was staged here gets the fix-ups of this board, unless somebody vouches for its bytes */
static void finish_dtb(struct slot *slot)
{
	if (!slot->dtb_raw)
		return;
	if (slot->rec.file[KEXEC_STASH_DTB].signature_len) {
		complain(slot->rec.label, "dtb", "is signed, so it has no fix-ups of this board");
		return;
	}
	slot->dtb_raw = false;
	slot->dtb_fixed = true;
	if (fixup_dtb(slot)) {
		/* Neither with half of the fix-ups nor with another dtb is it what was staged */
		complain(slot->rec.label, "dtb", "fix-ups failed: the slot is emptied");
		clear_slot(slot);
	}
}

static int write_record(void *fdt, const struct kexec_stash_record *rec)
{
	int parent, ret;

	ret = kexec_stash_record_remove(fdt, rec->label);
	if (ret)
		return ret;
	if (kexec_stash_record_space(rec) > fdt_totalsize(fdt) - fdt_off_dt_strings(fdt) -
					    fdt_size_dt_strings(fdt))
		return -ENOSPC;
	parent = kexec_stash_record_parent(fdt);
	if (parent < 0)
		return parent;
	/* Only now is it as others will read it */
	if (is_claimed(fdt, rec))
		return 0;
	return kexec_stash_record_write_to(fdt, parent, rec);
}

static const char *why_not_written(int err)
{
	switch (err) {
	case -ENOSPC:
		return "there is no room, raise CONFIG_SYS_FDT_PAD";
	case -ERANGE:
		return "the cells or ranges of /reserved-memory are not as Linux wants them";
	case -EEXIST:
		return "/reserved-memory has another node of its name";
	default:
		return "it is broken";
	}
}

void kstash_fixup(void *fdt)
{
	int i;

	if (fixing_staged)
		return;
	kstash_init();

	/* A new node comes first among its siblings: last to first leaves them in order */
	for (i = nr_slots - 1; i >= 0; i--) {
		int ret;

		finish_dtb(&slots[i]);
		ret = write_record(fdt, &slots[i].rec);
		if (ret)
			complain(slots[i].rec.label, NULL,
				 "cannot be recorded in the device tree: %s", why_not_written(ret));
	}
}

/* Early, before a script or the user can put something where a slot is to be */
static int kstash_at_main_loop(void)
{
	kstash_init();
	return 0;
}

EVENT_SPY_SIMPLE(EVT_MAIN_LOOP, kstash_at_main_loop);

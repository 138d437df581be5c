// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading and writing the record of a kexec stash slot, see
 * <linux/kexec_stash_record.h>
 */

#include <linux/errno.h>
#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>
#include <linux/string.h>

#define RESERVED_MEMORY "/reserved-memory"

static const char *const file_names[KEXEC_STASH_NR_FILES] = {
	[KEXEC_STASH_KERNEL] = "kernel",
	[KEXEC_STASH_INITRD] = "initrd",
	[KEXEC_STASH_DTB] = "dtb",
};

static const char *const origin_names[KEXEC_STASH_NR_ORIGINS] = {
	[KEXEC_STASH_FIRMWARE] = "firmware",
	[KEXEC_STASH_EARLY] = "early",
	[KEXEC_STASH_RUNTIME] = "runtime",
};

static const struct {
	const char *name;
	u32 len;
} hashes[KEXEC_STASH_NR_HASHES] = {
	[KEXEC_STASH_HASH_NONE] = { "none", 0 },
	[KEXEC_STASH_SHA256] = { "sha256", 32 },
	[KEXEC_STASH_SHA384] = { "sha384", 48 },
	[KEXEC_STASH_SHA512] = { "sha512", 64 },
};

const char *kexec_stash_file_name(enum kexec_stash_file_id id)
{
	return file_names[id];
}

const char *kexec_stash_origin_name(enum kexec_stash_origin origin)
{
	return origin_names[origin];
}

const char *kexec_stash_hash_name(enum kexec_stash_hash hash)
{
	return hashes[hash].name;
}

u32 kexec_stash_hash_len(enum kexec_stash_hash hash)
{
	return hashes[hash].len;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool kexec_stash_label_ok(const char *label)
{
	size_t i;

	if (!is_alnum(label[0]))
		return false;
	for (i = 1; label[i]; i++) {
		if (i == KEXEC_STASH_LABEL_LEN - 1)
			return false;
		if (!is_alnum(label[i]) && !strchr("-_.", label[i]))
			return false;
	}
	return true;
}

static int refuse(struct kexec_stash_fault *fault, const char *node,
		  const char *property, const char *why)
{
	fault->node = node;
	fault->property = property;
	fault->why = why;
	fault->other = NULL;
	return -EINVAL;
}

/* A property that is a string with its NUL inside the property, or NULL */
static const char *get_string(const void *fdt, int node, const char *name,
			      int *lenp)
{
	const char *str = fdt_getprop(fdt, node, name, lenp);

	if (!str || *lenp < 1 || strnlen(str, *lenp) != *lenp - 1)
		return NULL;
	return str;
}

/*
 * Not every libfdt's fdt_check_header() sees to it that the structure block is
 * aligned, and not every one has fdt32_ld() (U-Boot's has not)
 */
static u32 load_cell(const fdt32_t *p)
{
	fdt32_t cell;

	memcpy(&cell, p, sizeof(cell));
	return fdt32_to_cpu(cell);
}

/* A number of 1 or 2 cells; other lengths are refused */
static bool get_cells(const void *prop, int cells, u64 *val)
{
	const fdt32_t *p = prop;

	switch (cells) {
	case 1:
		*val = load_cell(p);
		return true;
	case 2:
		*val = (u64)load_cell(p) << 32 | load_cell(p + 1);
		return true;
	default:
		return false;
	}
}

static bool get_number(const void *fdt, int node, const char *name, u64 *val)
{
	int len;
	const void *prop = fdt_getprop(fdt, node, name, &len);

	if (!prop || len % sizeof(fdt32_t))
		return false;
	return get_cells(prop, len / sizeof(fdt32_t), val);
}

static int read_handover(const void *fdt, int node,
			 struct kexec_stash_record *rec,
			 struct kexec_stash_fault *fault)
{
	int len;
	const void *prop = fdt_getprop(fdt, node, "hand-over", &len);

	if (!prop)
		return 0;
	if (len != sizeof(rec->handover))
		return refuse(fault, "", "hand-over", "is not 64 bits");
	get_cells(prop, 2, &rec->handover);
	return 0;
}

static bool is_disabled(const void *fdt, int node)
{
	int len;
	const char *status = fdt_getprop(fdt, node, "status", &len);

	if (!status)
		return false;
	return !(len == sizeof("okay") && !memcmp(status, "okay", len)) &&
	       !(len == sizeof("ok") && !memcmp(status, "ok", len));
}

static bool is_record(const void *fdt, int node)
{
	return !fdt_node_check_compatible(fdt, node, KEXEC_STASH_COMPATIBLE);
}

int kexec_stash_record_next(const void *fdt, int node)
{
	if (node < 0) {
		int parent = fdt_path_offset(fdt, RESERVED_MEMORY);

		if (parent < 0)
			return -ENOENT;
		node = fdt_first_subnode(fdt, parent);
	} else {
		node = fdt_next_subnode(fdt, node);
	}
	for (; node >= 0; node = fdt_next_subnode(fdt, node)) {
		if (is_record(fdt, node))
			return node;
	}
	return -ENOENT;
}

static const char *const cells_names[] = { "#address-cells", "#size-cells",
					   NULL };

/* As Linux has it, where the root says nothing: libfdt takes 2 and 1 then */
static u32 root_cells(const void *fdt, const char *name)
{
	int len;
	const void *prop = fdt_getprop(fdt, 0, name, &len);

	return prop && len >= (int)sizeof(fdt32_t) ? load_cell(prop) : 1;
}

/* What __reserved_mem_check_root() of Linux asks for */
static int check_parent(const void *fdt, int parent,
			struct kexec_stash_fault *fault)
{
	const void *prop;
	size_t i;
	int len;

	for (i = 0; cells_names[i]; i++) {
		prop = fdt_getprop(fdt, parent, cells_names[i], &len);
		if (!prop || len < (int)sizeof(fdt32_t))
			return refuse(fault, "", cells_names[i],
				      "is missing, so Linux ignores /reserved-memory");
		if (load_cell(prop) != root_cells(fdt, cells_names[i]))
			return refuse(fault, "", cells_names[i],
				      "is not the root's, so Linux ignores /reserved-memory");
	}
	if (!fdt_getprop(fdt, parent, "ranges", NULL))
		return refuse(fault, "", "ranges",
			      "is missing, so Linux ignores /reserved-memory");
	return 0;
}

int kexec_stash_parent_check(const void *fdt, struct kexec_stash_fault *fault)
{
	int parent = fdt_path_offset(fdt, RESERVED_MEMORY);

	return parent < 0 ? 0 : check_parent(fdt, parent, fault);
}

static int read_reg(const void *fdt, int node, struct kexec_stash_record *rec,
		    struct kexec_stash_fault *fault)
{
	int parent = fdt_path_offset(fdt, RESERVED_MEMORY);
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	const fdt32_t *reg;
	int len;

	reg = fdt_getprop(fdt, node, "reg", &len);
	if (!reg)
		return refuse(fault, "", "reg", "is missing");
	if (ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return refuse(fault, "", "reg", "has cells of an unknown size");
	if (len != (ac + sc) * (int)sizeof(*reg))
		return refuse(fault, "", "reg", "is not one address and size");
	get_cells(reg, ac, &rec->base);
	get_cells(reg + ac, sc, &rec->size);

	if (rec->base % KEXEC_STASH_ALIGN)
		return refuse(fault, "", "reg",
			      "has a base that is not a multiple of 2 MiB");
	if (!rec->size || rec->size % KEXEC_STASH_ALIGN)
		return refuse(fault, "", "reg",
			      "has a size that is not a multiple of 2 MiB");
	if (rec->base + rec->size < rec->base)
		return refuse(fault, "", "reg", "wraps around");
	if (fdt_getprop(fdt, node, "no-map", NULL))
		return refuse(fault, "", "no-map",
			      "is set: a slot needs a linear mapping");
	return 0;
}

static int read_hash(const void *fdt, int hash_node, const char *name,
		     struct kexec_stash_file *file,
		     struct kexec_stash_fault *fault)
{
	enum kexec_stash_hash hash;
	const char *algo;
	const void *value;
	int len;

	algo = get_string(fdt, hash_node, "algo", &len);
	if (!algo)
		return refuse(fault, name, "algo", "is missing or no string");
	for (hash = KEXEC_STASH_SHA256; hash < KEXEC_STASH_NR_HASHES; hash++) {
		if (!strcmp(algo, hashes[hash].name))
			break;
	}
	if (hash == KEXEC_STASH_NR_HASHES)
		return refuse(fault, name, "algo", "is no known hash");

	value = fdt_getprop(fdt, hash_node, "value", &len);
	if (!value)
		return refuse(fault, name, "value", "is missing");
	if (len != (int)hashes[hash].len)
		return refuse(fault, name, "value",
			      "is not as long as its algo says");
	file->hash = hash;
	memcpy(file->digest, value, len);
	return 0;
}

static int read_hashes(const void *fdt, int file_node, const char *name,
		       struct kexec_stash_file *file,
		       struct kexec_stash_fault *fault)
{
	int child, ret;

	fdt_for_each_subnode(child, fdt, file_node) {
		const char *child_name = fdt_get_name(fdt, child, NULL);

		if (!child_name || strncmp(child_name, "hash", 4))
			continue;
		/*
		 * Each recorded digest is checked; with one each there is no
		 * question which
		 */
		if (file->hash != KEXEC_STASH_HASH_NONE)
			return refuse(fault, name, child_name,
				      "is a second hash");
		ret = read_hash(fdt, child, name, file, fault);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_file(const void *fdt, int file_node,
		     enum kexec_stash_file_id id, u64 slot_size,
		     struct kexec_stash_file *file,
		     struct kexec_stash_fault *fault)
{
	const char *name = file_names[id];
	int len;

	if (!get_number(fdt, file_node, "data-offset", &file->offset))
		return refuse(fault, name, "data-offset",
			      "is missing or not 32 or 64 bits");
	if (!get_number(fdt, file_node, "data-size", &file->size))
		return refuse(fault, name, "data-size",
			      "is missing or not 32 or 64 bits");
	if (!file->size)
		return refuse(fault, name, "data-size", "is 0");
	if (file->offset > slot_size || file->size > slot_size - file->offset)
		return refuse(fault, name, "data-size",
			      "reaches outside the slot");
	if (id == KEXEC_STASH_KERNEL && file->offset)
		return refuse(fault, name, "data-offset", "is not 0");
	if (file->offset % KEXEC_STASH_FILE_ALIGN)
		return refuse(fault, name, "data-offset",
			      "is not a multiple of 64 KiB");

	file->signature = fdt_getprop(fdt, file_node, "ima-signature", &len);
	if (file->signature) {
		if (!len || len > KEXEC_STASH_SIGNATURE_LEN)
			return refuse(fault, name, "ima-signature",
				      "is empty or too long");
		file->signature_len = len;
	}
	if (fdt_getprop(fdt, file_node, "authenticated", &len)) {
		if (len)
			return refuse(fault, name, "authenticated",
				      "is not empty");
		file->authenticated = true;
	}
	return read_hashes(fdt, file_node, name, file, fault);
}

static bool files_overlap(const struct kexec_stash_file *a,
			  const struct kexec_stash_file *b)
{
	if (!a->size || !b->size)
		return false;
	return a->offset < b->offset + b->size &&
	       b->offset < a->offset + a->size;
}

static int read_files(const void *fdt, int node, struct kexec_stash_record *rec,
		      struct kexec_stash_fault *fault)
{
	enum kexec_stash_file_id i, j;
	int ret;

	for (i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		int file_node = fdt_subnode_offset(fdt, node, file_names[i]);

		if (file_node == -FDT_ERR_NOTFOUND)
			continue;
		if (file_node < 0)
			return refuse(fault, file_names[i], "node",
				      "is broken");
		ret = read_file(fdt, file_node, i, rec->size, &rec->file[i],
				fault);
		if (ret)
			return ret;
		for (j = 0; j < i; j++) {
			if (files_overlap(&rec->file[i], &rec->file[j]))
				return refuse(fault, file_names[i],
					      "data-offset",
					      "overlaps another file");
		}
	}
	return 0;
}

static int read_label(const void *fdt, int node, struct kexec_stash_record *rec,
		      struct kexec_stash_fault *fault)
{
	int len;
	const char *label = get_string(fdt, node, "label", &len);

	if (!label)
		return refuse(fault, "", "label", "is missing or no string");
	if (!kexec_stash_label_ok(label))
		return refuse(fault, "", "label", "cannot name a slot");
	memcpy(rec->label, label, len);
	return 0;
}

static int read_strings(const void *fdt, int node,
			struct kexec_stash_record *rec,
			struct kexec_stash_fault *fault)
{
	const char *origin;
	int len;

	if (fdt_getprop(fdt, node, "bootargs", NULL)) {
		rec->bootargs = get_string(fdt, node, "bootargs", &len);
		if (!rec->bootargs || len > KEXEC_STASH_BOOTARGS_LEN)
			return refuse(fault, "", "bootargs",
				      "is no string or too long");
	}
	if (fdt_getprop(fdt, node, "origin", NULL)) {
		enum kexec_stash_origin i;

		origin = get_string(fdt, node, "origin", &len);
		for (i = 0; i < KEXEC_STASH_NR_ORIGINS; i++) {
			if (origin && !strcmp(origin, origin_names[i]))
				break;
		}
		if (i == KEXEC_STASH_NR_ORIGINS)
			return refuse(fault, "", "origin",
				      "is not a known one");
		rec->origin = i;
	}
	return 0;
}

int kexec_stash_record_read(const void *fdt, int node,
			    struct kexec_stash_record *rec,
			    struct kexec_stash_fault *fault)
{
	struct kexec_stash_fault reg_fault;
	int ret, ret_reg;

	memset(rec, 0, sizeof(*rec));
	rec->disabled = is_disabled(fdt, node);

	/*
	 * Both are read, so that a message has the name and the place,
	 * whatever is wrong
	 */
	ret = read_label(fdt, node, rec, fault);
	ret_reg = read_reg(fdt, node, rec, &reg_fault);
	if (kexec_stash_parent_check(fdt, fault))
		return -EINVAL;
	if (!ret && ret_reg) {
		*fault = reg_fault;
		ret = ret_reg;
	}
	if (!ret)
		ret = read_handover(fdt, node, rec, fault);
	if (!ret)
		ret = read_strings(fdt, node, rec, fault);
	if (!ret)
		ret = read_files(fdt, node, rec, fault);
	return ret;
}

int kexec_stash_record_conflict(const void *fdt, int node,
				const struct kexec_stash_record *rec,
				bool (*refused)(int node),
				struct kexec_stash_fault *fault)
{
	int other = kexec_stash_record_next(fdt, -1);

	for (; other >= 0 && other != node;
	     other = kexec_stash_record_next(fdt, other)) {
		struct kexec_stash_record before;
		struct kexec_stash_fault ignored;

		if (kexec_stash_record_read(fdt, other, &before, &ignored) ||
		    (refused && refused(other)))
			continue;
		if (!strcmp(rec->label, before.label))
			return refuse(fault, "", "label", "is used twice");
		if (rec->base < before.base + before.size &&
		    before.base < rec->base + rec->size) {
			refuse(fault, "", "reg", "overlaps another slot");
			fault->other = fdt_getprop(fdt, other, "label", NULL);
			return -EINVAL;
		}
	}
	return 0;
}

size_t kexec_stash_record_space(const struct kexec_stash_record *rec)
{
	/*
	 * The slot's node, what is short in it and all names in the strings
	 * block: below a KiB
	 */
	size_t space = SZ_1K;
	int i;

	space += rec->bootargs ? strlen(rec->bootargs) + 1 : 0;
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++)
		space += SZ_256 + KEXEC_STASH_DIGEST_LEN +
			 rec->file[i].signature_len;
	return space;
}

static int errno_of(int fdt_err)
{
	switch (fdt_err) {
	case -FDT_ERR_NOSPACE:
		return -ENOSPC;
	case -FDT_ERR_BADNCELLS:
		return -ERANGE;
	case -FDT_ERR_EXISTS:
		return -EEXIST;
	default:
		return -EINVAL;
	}
}

/* Whether other cells would have a child say something else than it does */
static bool children_need_cells(const void *fdt, int parent)
{
	static const char *const names[] = { "reg", "size", "alloc-ranges",
					     "alignment", NULL };
	size_t i;
	int child;

	fdt_for_each_subnode(child, fdt, parent) {
		for (i = 0; names[i]; i++) {
			if (fdt_getprop(fdt, child, names[i], NULL))
				return true;
		}
	}
	return false;
}

static int set_parent(void *fdt, int parent)
{
	size_t i;
	int ret = 0;

	for (i = 0; cells_names[i] && !ret; i++)
		ret = fdt_setprop_u32(fdt, parent, cells_names[i],
				      root_cells(fdt, cells_names[i]));
	if (!ret && !fdt_getprop(fdt, parent, "ranges", NULL))
		ret = fdt_setprop_empty(fdt, parent, "ranges");
	return ret;
}

/*
 * Offset of /reserved-memory, made where it is missing and repaired where Linux
 * would ignore it; a libfdt error otherwise
 */
static int reserved_memory_node(void *fdt)
{
	struct kexec_stash_fault ignored;
	int node = fdt_path_offset(fdt, RESERVED_MEMORY), ret;
	bool made = node == -FDT_ERR_NOTFOUND;

	if (made)
		node = fdt_add_subnode(fdt, 0, &RESERVED_MEMORY[1]);
	else if (node >= 0 && !check_parent(fdt, node, &ignored))
		return node;
	if (node < 0)
		return node;
	if (children_need_cells(fdt, node))
		return -FDT_ERR_BADNCELLS;
	ret = set_parent(fdt, node);
	if (ret && made)
		fdt_del_node(fdt, node);
	return ret ? ret : node;
}

static int put_cells(fdt32_t *p, int cells, u64 val)
{
	if (cells == 2)
		*p++ = cpu_to_fdt32(val >> 32);
	else if (cells != 1 || val >> 32)
		return -FDT_ERR_BADNCELLS;
	*p = cpu_to_fdt32((u32)val);
	return 0;
}

static int write_reg(void *fdt, int parent, int node,
		     const struct kexec_stash_record *rec)
{
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	fdt32_t reg[4];
	int ret;

	if (ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return -FDT_ERR_BADNCELLS;
	ret = put_cells(reg, ac, rec->base);
	if (!ret)
		ret = put_cells(reg + ac, sc, rec->size);
	if (ret)
		return ret;
	return fdt_setprop(fdt, node, "reg", reg, (ac + sc) * sizeof(*reg));
}

static int write_file(void *fdt, int node, enum kexec_stash_file_id id,
		      const struct kexec_stash_file *file)
{
	int file_node, hash_node, ret;

	if (!file->size)
		return 0;
	file_node = fdt_add_subnode(fdt, node, file_names[id]);
	if (file_node < 0)
		return file_node;
	ret = fdt_setprop_u64(fdt, file_node, "data-offset", file->offset);
	if (!ret)
		ret = fdt_setprop_u64(fdt, file_node, "data-size", file->size);
	if (!ret && file->signature_len)
		ret = fdt_setprop(fdt, file_node, "ima-signature",
				  file->signature, file->signature_len);
	if (!ret && file->authenticated)
		ret = fdt_setprop_empty(fdt, file_node, "authenticated");
	if (ret || file->hash == KEXEC_STASH_HASH_NONE)
		return ret;

	hash_node = fdt_add_subnode(fdt, file_node, "hash-1");
	if (hash_node < 0)
		return hash_node;
	ret = fdt_setprop_string(fdt, hash_node, "algo",
				 hashes[file->hash].name);
	if (!ret)
		ret = fdt_setprop(fdt, hash_node, "value", file->digest,
				  hashes[file->hash].len);
	return ret;
}

/*
 * "kexec-stash@" and the base in hexadecimal, as unit addresses are: no 0x, no
 * leading zeros
 */
static void node_name(char *name, u64 base)
{
	static const char prefix[] = "kexec-stash@";
	int shift = 60;

	memcpy(name, prefix, sizeof(prefix) - 1);
	name += sizeof(prefix) - 1;
	while (shift && !(base >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*name++ = "0123456789abcdef"[(base >> shift) & 0xf];
	*name = '\0';
}

static int write_node(void *fdt, int parent, const char *name,
		      const struct kexec_stash_record *rec)
{
	int node, i, ret;

	node = fdt_add_subnode(fdt, parent, name);
	if (node < 0)
		return node;
	ret = fdt_setprop_string(fdt, node, "compatible",
				 KEXEC_STASH_COMPATIBLE);
	if (!ret)
		ret = write_reg(fdt, parent, node, rec);
	if (!ret)
		ret = fdt_setprop_string(fdt, node, "label", rec->label);
	if (!ret && rec->disabled)
		ret = fdt_setprop_string(fdt, node, "status", "disabled");
	if (!ret && rec->handover)
		ret = fdt_setprop_u64(fdt, node, "hand-over", rec->handover);
	if (!ret && rec->origin != KEXEC_STASH_FIRMWARE)
		ret = fdt_setprop_string(fdt, node, "origin",
					 origin_names[rec->origin]);
	if (!ret && rec->bootargs)
		ret = fdt_setprop_string(fdt, node, "bootargs", rec->bootargs);

	/*
	 * A new subnode comes first among its siblings: last to first leaves
	 * them in order
	 */
	for (i = KEXEC_STASH_NR_FILES - 1; !ret && i >= 0; i--)
		ret = write_file(fdt, node, i, &rec->file[i]);

	/*
	 * Half a record would be refused by the next reader, and say nothing
	 * true
	 */
	if (ret)
		fdt_del_node(fdt, node);
	return ret;
}

/* Records of a label, and those whose nodes have the name, where there is one */
static int remove_nodes(void *fdt, int parent, const char *label,
			const char *name)
{
	int node = fdt_first_subnode(fdt, parent);

	while (node >= 0) {
		int len;
		const char *found = get_string(fdt, node, "label", &len);
		const char *at = name ? fdt_get_name(fdt, node, NULL) : NULL;
		bool same = (found && !strcmp(found, label)) ||
			    (at && !strcmp(at, name));

		if (!same || !is_record(fdt, node)) {
			node = fdt_next_subnode(fdt, node);
			continue;
		}
		if (fdt_del_node(fdt, node))
			return -EINVAL;
		/* Offsets behind it have moved: from the start again */
		node = fdt_first_subnode(fdt, parent);
	}
	return 0;
}

int kexec_stash_record_parent(void *fdt)
{
	int parent = reserved_memory_node(fdt);

	return parent < 0 ? errno_of(parent) : parent;
}

int kexec_stash_record_write_to(void *fdt, int parent,
				const struct kexec_stash_record *rec)
{
	char name[sizeof("kexec-stash@") + 16];
	int ret;

	node_name(name, rec->base);
	ret = remove_nodes(fdt, parent, rec->label, name);
	if (ret)
		return ret;
	ret = write_node(fdt, parent, name, rec);
	return ret ? errno_of(ret) : 0;
}

int kexec_stash_record_write(void *fdt, const struct kexec_stash_record *rec)
{
	int parent = kexec_stash_record_parent(fdt);

	return parent < 0 ? parent :
			    kexec_stash_record_write_to(fdt, parent, rec);
}

int kexec_stash_record_remove(void *fdt, const char *label)
{
	int parent = fdt_path_offset(fdt, RESERVED_MEMORY);

	return parent < 0 ? 0 : remove_nodes(fdt, parent, label, NULL);
}

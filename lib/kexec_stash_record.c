// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading and writing the record of a kexec stash slot, see
 * <linux/kexec_stash_record.h>
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec_stash_layout.h>
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

static const char *const hash_names[KEXEC_STASH_NR_HASHES] = {
	[KEXEC_STASH_SHA256] = "sha256",
	[KEXEC_STASH_SHA384] = "sha384",
	[KEXEC_STASH_SHA512] = "sha512",
};

static const u32 hash_lens[KEXEC_STASH_NR_HASHES] = {
	[KEXEC_STASH_SHA256] = 32,
	[KEXEC_STASH_SHA384] = 48,
	[KEXEC_STASH_SHA512] = 64,
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
	return hash_names[hash];
}

u32 kexec_stash_hash_len(enum kexec_stash_hash hash)
{
	return hash_lens[hash];
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool kexec_stash_label_ok(const char *label)
{
	size_t i;

	for (i = 0; label[i]; i++) {
		if (i == KEXEC_STASH_LABEL_LEN - 1)
			return false;
		if (!is_alnum(label[i]) && (!i || !strchr("-_.", label[i])))
			return false;
	}
	return i;
}

/**
 * struct reader - where a record is read from
 * @fdt: the tree
 * @node: node of the record
 * @file: name of the file's node that is being read, "" for the record's own
 * @fault: filled in by refuse()
 */
struct reader {
	const void *fdt;
	int node;
	const char *file;
	struct kexec_stash_fault *fault;
};

static int refuse(const struct reader *from, const char *property,
		  const char *why)
{
	from->fault->node = from->file;
	from->fault->property = property;
	from->fault->why = why;
	from->fault->other = NULL;
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

/* Which of some names a property has; @nr if it has none of them */
static int get_name(const void *fdt, int node, const char *property,
		    const char *const *names, int nr)
{
	int i, len;
	const char *name = get_string(fdt, node, property, &len);

	for (i = 0; i < nr; i++) {
		if (name && names[i] && !strcmp(name, names[i]))
			break;
	}
	return i;
}

/*
 * A libfdt's fdt_check_header() may let pass a structure block that is not
 * aligned, and U-Boot's libfdt has no fdt32_ld()
 */
static u32 load_cell(const fdt32_t *p)
{
	fdt32_t cell;

	memcpy(&cell, p, sizeof(cell));
	return fdt32_to_cpu(cell);
}

/* A number of 1 or 2 cells */
static u64 load_cells(const fdt32_t *p, int cells)
{
	u64 val = load_cell(p);

	return cells == 1 ? val : val << 32 | load_cell(p + 1);
}

/* Return: the cells that a number has, 0 if it is none */
static int get_number(const void *fdt, int node, const char *name, u64 *val)
{
	int len;
	const fdt32_t *prop = fdt_getprop(fdt, node, name, &len);

	if (!prop || (len != sizeof(u32) && len != sizeof(u64)))
		return 0;
	*val = load_cells(prop, len / sizeof(*prop));
	return len / sizeof(*prop);
}

bool kexec_stash_node_enabled(const void *fdt, int node)
{
	return !fdt_getprop(fdt, node, "status", NULL) ||
	       fdt_stringlist_search(fdt, node, "status", "okay") >= 0 ||
	       fdt_stringlist_search(fdt, node, "status", "ok") >= 0;
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
static int check_parent(const struct reader *from, int parent)
{
	const fdt32_t *prop;
	size_t i;
	int len;

	for (i = 0; cells_names[i]; i++) {
		prop = fdt_getprop(from->fdt, parent, cells_names[i], &len);
		if (!prop || len < (int)sizeof(*prop))
			return refuse(from, cells_names[i],
				      "is missing, so Linux ignores /reserved-memory");
		if (load_cell(prop) != root_cells(from->fdt, cells_names[i]))
			return refuse(from, cells_names[i],
				      "is not the root's, so Linux ignores /reserved-memory");
	}
	if (!fdt_getprop(from->fdt, parent, "ranges", NULL))
		return refuse(from, "ranges",
			      "is missing, so Linux ignores /reserved-memory");
	return 0;
}

int kexec_stash_parent_check(const void *fdt, struct kexec_stash_fault *fault)
{
	struct reader from = { .fdt = fdt, .file = "", .fault = fault };
	int parent = fdt_path_offset(fdt, RESERVED_MEMORY);

	return parent < 0 ? 0 : check_parent(&from, parent);
}

static int read_reg(const struct reader *from, struct kexec_stash_record *rec)
{
	int parent = fdt_path_offset(from->fdt, RESERVED_MEMORY), len;
	int ac = fdt_address_cells(from->fdt, parent);
	int sc = fdt_size_cells(from->fdt, parent);
	const fdt32_t *reg = fdt_getprop(from->fdt, from->node, "reg", &len);

	if (!reg)
		return refuse(from, "reg", "is missing");
	if (ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return refuse(from, "reg", "has cells of an unknown size");
	if (len != (ac + sc) * (int)sizeof(*reg))
		return refuse(from, "reg", "is not one address and size");
	rec->base = load_cells(reg, ac);
	rec->size = load_cells(reg + ac, sc);

	if (rec->base % KEXEC_STASH_ALIGN)
		return refuse(from, "reg",
			      "has a base that is not a multiple of 2 MiB");
	if (!rec->size || rec->size % KEXEC_STASH_ALIGN)
		return refuse(from, "reg",
			      "has a size that is not a multiple of 2 MiB");
	if (rec->base + rec->size < rec->base)
		return refuse(from, "reg", "wraps around");
	if (fdt_getprop(from->fdt, from->node, "no-map", NULL))
		return refuse(from, "no-map",
			      "is set: a slot needs a linear mapping");
	return 0;
}

static int read_hash(const struct reader *from, int node,
		     struct kexec_stash_file *file)
{
	const void *value;
	int len;

	if (!get_string(from->fdt, node, "algo", &len))
		return refuse(from, "algo", "is missing or no string");
	file->hash = get_name(from->fdt, node, "algo", hash_names,
			      KEXEC_STASH_NR_HASHES);
	if (file->hash == KEXEC_STASH_NR_HASHES)
		return refuse(from, "algo", "is no known hash");
	value = fdt_getprop(from->fdt, node, "value", &len);
	if (!value)
		return refuse(from, "value", "is missing");
	if (len != (int)hash_lens[file->hash])
		return refuse(from, "value", "is not as long as its algo says");
	memcpy(file->digest, value, len);
	return 0;
}

/* A file has one digest at most, so it is clear which is checked */
static int read_hashes(const struct reader *from, int node,
		       struct kexec_stash_file *file)
{
	int child, ret;

	fdt_for_each_subnode(child, from->fdt, node) {
		const char *name = fdt_get_name(from->fdt, child, NULL);

		if (!name || strncmp(name, "hash", 4))
			continue;
		if (file->hash != KEXEC_STASH_HASH_NONE)
			return refuse(from, name, "is a second hash");
		ret = read_hash(from, child, file);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_place(const struct reader *from, int node, u64 slot_size,
		      struct kexec_stash_file *file)
{
	if (!get_number(from->fdt, node, "data-offset", &file->offset))
		return refuse(from, "data-offset",
			      "is missing or not 32 or 64 bits");
	if (!get_number(from->fdt, node, "data-size", &file->size))
		return refuse(from, "data-size",
			      "is missing or not 32 or 64 bits");
	if (!file->size)
		return refuse(from, "data-size", "is 0");
	if (file->offset > slot_size || file->size > slot_size - file->offset)
		return refuse(from, "data-size", "reaches outside the slot");
	if (file->offset % KEXEC_STASH_FILE_ALIGN)
		return refuse(from, "data-offset",
			      "is not a multiple of 64 KiB");
	return 0;
}

static int read_trust(const struct reader *from, int node,
		      struct kexec_stash_file *file)
{
	int len;

	file->signature = fdt_getprop(from->fdt, node, "ima-signature", &len);
	if (file->signature) {
		if (!len || len > KEXEC_STASH_SIGNATURE_LEN)
			return refuse(from, "ima-signature",
				      "is empty or too long");
		file->signature_len = len;
	}
	if (fdt_getprop(from->fdt, node, "authenticated", &len)) {
		if (len)
			return refuse(from, "authenticated", "is not empty");
		file->authenticated = true;
	}
	return read_hashes(from, node, file);
}

static int read_files(struct reader *from, struct kexec_stash_record *rec)
{
	struct kexec_stash_file *file = rec->file, *other;
	int i, node, ret;

	for (i = 0; i < KEXEC_STASH_NR_FILES; i++, file++) {
		from->file = file_names[i];
		node = fdt_subnode_offset(from->fdt, from->node, from->file);
		if (node == -FDT_ERR_NOTFOUND)
			continue;
		if (node < 0)
			return refuse(from, "node", "is broken");
		ret = read_place(from, node, rec->size, file);
		if (!ret && i == KEXEC_STASH_KERNEL && file->offset)
			ret = refuse(from, "data-offset", "is not 0");
		if (!ret)
			ret = read_trust(from, node, file);
		if (ret)
			return ret;
		for (other = rec->file; other < file; other++) {
			if (kexec_stash_overlaps(file->offset, file->size,
						 other->offset, other->size))
				return refuse(from, "data-offset",
					      "overlaps another file");
		}
	}
	return 0;
}

static int read_label(const struct reader *from, struct kexec_stash_record *rec)
{
	int len;
	const char *label = get_string(from->fdt, from->node, "label", &len);

	if (!label)
		return refuse(from, "label", "is missing or no string");
	if (!kexec_stash_label_ok(label))
		return refuse(from, "label", "cannot name a slot");
	memcpy(rec->label, label, len);
	return 0;
}

static int read_others(const struct reader *from,
		       struct kexec_stash_record *rec)
{
	const void *fdt = from->fdt;
	int node = from->node, len;

	if (fdt_getprop(fdt, node, "hand-over", NULL) &&
	    get_number(fdt, node, "hand-over", &rec->handover) != 2)
		return refuse(from, "hand-over", "is not 64 bits");
	if (fdt_getprop(fdt, node, "bootargs", NULL)) {
		rec->bootargs = get_string(fdt, node, "bootargs", &len);
		if (!rec->bootargs || len > KEXEC_STASH_BOOTARGS_LEN)
			return refuse(from, "bootargs",
				      "is no string or too long");
	}
	if (fdt_getprop(fdt, node, "origin", NULL)) {
		rec->origin = get_name(fdt, node, "origin", origin_names,
				       KEXEC_STASH_NR_ORIGINS);
		if (rec->origin == KEXEC_STASH_NR_ORIGINS)
			return refuse(from, "origin", "is not a known one");
	}
	return 0;
}

int kexec_stash_record_read(const void *fdt, int node,
			    struct kexec_stash_record *rec,
			    struct kexec_stash_fault *fault)
{
	struct reader from = { fdt, node, "", fault };
	int bad_reg, bad_label, bad_parent, ret;

	memset(rec, 0, sizeof(*rec));
	rec->disabled = !kexec_stash_node_enabled(fdt, node);

	/*
	 * A message needs the name and the place, so these are read whatever
	 * else is wrong. The last fault is the one that is told.
	 */
	bad_reg = read_reg(&from, rec);
	bad_label = read_label(&from, rec);
	bad_parent = kexec_stash_parent_check(fdt, fault);
	if (bad_reg || bad_label || bad_parent)
		return -EINVAL;
	ret = read_others(&from, rec);
	return ret ? ret : read_files(&from, rec);
}

int kexec_stash_record_conflict(const void *fdt, int node,
				const struct kexec_stash_record *rec,
				bool (*refused)(int node),
				struct kexec_stash_fault *fault)
{
	struct reader from = { fdt, node, "", fault };
	int other = kexec_stash_record_next(fdt, -1);

	for (; other >= 0 && other != node;
	     other = kexec_stash_record_next(fdt, other)) {
		struct kexec_stash_record before;
		struct kexec_stash_fault ignored;

		if (kexec_stash_record_read(fdt, other, &before, &ignored) ||
		    (refused && refused(other)))
			continue;
		if (!strcmp(rec->label, before.label))
			return refuse(&from, "label", "is used twice");
		if (kexec_stash_overlaps(rec->base, rec->size, before.base,
					 before.size)) {
			refuse(&from, "reg", "overlaps another slot");
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
	case -FDT_ERR_BADVALUE:
		return -ERANGE;
	case -FDT_ERR_EXISTS:
		return -EEXIST;
	default:
		return -EINVAL;
	}
}

/* Whether a node of @fdt has one of some properties */
static bool has_any(const void *fdt, int node, const char *const *names)
{
	for (; *names; names++) {
		if (fdt_getprop(fdt, node, *names, NULL))
			return true;
	}
	return false;
}

/* Give /reserved-memory the cells of the root, if no child depends on others */
static int repair_parent(void *fdt, int parent)
{
	static const char *const needs_cells[] = { "reg", "size", "alloc-ranges",
						   "alignment", NULL };
	size_t i;
	int child, ret = 0;

	fdt_for_each_subnode(child, fdt, parent) {
		if (has_any(fdt, child, needs_cells))
			return -FDT_ERR_BADNCELLS;
	}
	for (i = 0; cells_names[i] && !ret; i++)
		ret = fdt_setprop_u32(fdt, parent, cells_names[i],
				      root_cells(fdt, cells_names[i]));
	if (!ret && !fdt_getprop(fdt, parent, "ranges", NULL))
		ret = fdt_setprop_empty(fdt, parent, "ranges");
	return ret;
}

int kexec_stash_record_parent(void *fdt)
{
	int parent = fdt_path_offset(fdt, RESERVED_MEMORY), ret;
	bool made = parent == -FDT_ERR_NOTFOUND;
	struct kexec_stash_fault ignored;
	struct reader from = { .fdt = fdt, .file = "", .fault = &ignored };

	if (made)
		parent = fdt_add_subnode(fdt, 0, &RESERVED_MEMORY[1]);
	if (parent < 0)
		return errno_of(parent);
	if (!check_parent(&from, parent))
		return parent;
	ret = repair_parent(fdt, parent);
	if (ret && made)
		fdt_del_node(fdt, parent);
	return ret ? errno_of(ret) : parent;
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
				 hash_names[file->hash]);
	if (!ret)
		ret = fdt_setprop(fdt, hash_node, "value", file->digest,
				  hash_lens[file->hash]);
	return ret;
}

static int write_strings(void *fdt, int node,
			 const struct kexec_stash_record *rec)
{
	const struct {
		const char *name, *val;
	} strings[] = {
		{ "compatible", KEXEC_STASH_COMPATIBLE },
		{ "label", rec->label },
		{ "status", rec->disabled ? "disabled" : NULL },
		{ "origin", rec->origin == KEXEC_STASH_FIRMWARE ?
				    NULL : origin_names[rec->origin] },
		{ "bootargs", rec->bootargs },
	};
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(strings) && !ret; i++) {
		if (strings[i].val)
			ret = fdt_setprop_string(fdt, node, strings[i].name,
						 strings[i].val);
	}
	return ret;
}

static int write_node(void *fdt, int parent, const char *name,
		      const struct kexec_stash_record *rec)
{
	int node, i, ret;

	node = fdt_add_subnode(fdt, parent, name);
	if (node < 0)
		return node;
	ret = write_strings(fdt, node, rec);
	if (!ret)
		ret = fdt_appendprop_addrrange(fdt, parent, node, "reg",
					       rec->base, rec->size);
	if (!ret && rec->handover)
		ret = fdt_setprop_u64(fdt, node, "hand-over", rec->handover);

	/*
	 * A new subnode comes first among its siblings: last to first leaves
	 * them in order
	 */
	for (i = KEXEC_STASH_NR_FILES - 1; !ret && i >= 0; i--)
		ret = write_file(fdt, node, i, &rec->file[i]);

	/* The next reader would refuse half a record, which tells nothing true */
	if (ret)
		fdt_del_node(fdt, node);
	return ret;
}

/* Records of a label (NULL: of any), and those whose nodes have the name, if any */
static int remove_nodes(void *fdt, int parent, const char *label,
			const char *name)
{
	int node = fdt_first_subnode(fdt, parent);

	while (node >= 0) {
		int len;
		const char *found = get_string(fdt, node, "label", &len);
		const char *at = name ? fdt_get_name(fdt, node, NULL) : NULL;
		bool same = !label || (found && !strcmp(found, label)) ||
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

int kexec_stash_record_write_to(void *fdt, int parent,
				const struct kexec_stash_record *rec)
{
	char name[sizeof("kexec-stash@") + 16];
	int ret;

	/* As unit addresses are: no 0x, no leading zeros */
	snprintf(name, sizeof(name), "kexec-stash@%llx",
		 (unsigned long long)rec->base);
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

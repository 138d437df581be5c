// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A FIT: which of its images a configuration is made of, and where these are
 */

#include "stage.h"
#include "utils.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES	"/images"
#define CONFS	"/configurations"

/* Names that a message lists at most */
#define NAMES_MAX	8

/**
 * struct reader - a FIT that is being read
 * @fdt: its tree, which has passed tree_check()
 * @size: size of the file
 * @why: what is wrong
 */
struct reader {
	const void *fdt;
	u64 size;
	char *why;
};

/* Say what is wrong; false, for the caller to return */
__printf(2, 3) static bool wrong(const struct reader *r, const char *format, ...)
{
	va_list va;

	va_start(va, format);
	vsnprintf(r->why, FIT_WHY_LEN, format, va);
	va_end(va);
	make_printable(r->why);
	return false;
}

static const char *node_name(const struct reader *r, int node)
{
	const char *name = fdt_get_name(r->fdt, node, NULL);

	return name ? name : "";
}

/* A property that is one string, or the first of a list of them */
static const char *get_string(const struct reader *r, int node, const char *property)
{
	return fdt_stringlist_get(r->fdt, node, property, 0, NULL);
}

/* A number of 32 or 64 bits; false also if there is none */
static bool get_number(const struct reader *r, int node, const char *property, u64 *val)
{
	const u8 *p;
	int len, i;

	p = fdt_getprop(r->fdt, node, property, &len);
	if (!p || (len != 4 && len != 8))
		return false;
	for (*val = 0, i = 0; i < len; i++)
		*val = *val << 8 | p[i];
	return true;
}

static bool has(const struct reader *r, int node, const char *property)
{
	return fdt_getprop(r->fdt, node, property, NULL);
}

/* U-Boot refuses these, since what is signed is found by name */
static bool check_names(const struct reader *r)
{
	int node, depth = 0;

	for (node = 0; node >= 0 && depth >= 0; node = fdt_next_node(r->fdt, node, &depth)) {
		if (strchr(node_name(r, node), '@'))
			return wrong(r, "has a node '%s', and no name may have a '@'",
				     node_name(r, node));
	}
	return true;
}

static bool check_inside(const struct reader *r, int node, const struct file_range *data)
{
	if (data->offset > r->size || data->size > r->size - data->offset)
		return wrong(r, "is cut off: image '%s' ends behind its end", node_name(r, node));
	if (!data->size)
		return wrong(r, "image '%s' is empty", node_name(r, node));
	return true;
}

static bool read_external(const struct reader *r, int node, struct file_range *data)
{
	/* Offsets are counted from the tree's end */
	u64 start = (fdt_totalsize(r->fdt) + 3) & ~3ULL;

	if (!get_number(r, node, "data-size", &data->size))
		return wrong(r, "image '%s' has no good data-size", node_name(r, node));
	if (has(r, node, "data-position")) {
		if (!get_number(r, node, "data-position", &data->offset))
			return wrong(r, "image '%s' has no good data-position", node_name(r, node));
	} else {
		if (!get_number(r, node, "data-offset", &data->offset) ||
		    data->offset > ~0ULL - start)
			return wrong(r, "image '%s' has no good data-offset", node_name(r, node));
		data->offset += start;
	}
	return check_inside(r, node, data);
}

static bool read_data(const struct reader *r, int node, struct file_range *data)
{
	const char *inside;
	int len;

	if (has(r, node, "data-position") || has(r, node, "data-offset"))
		return read_external(r, node, data);
	inside = fdt_getprop(r->fdt, node, "data", &len);
	if (!inside)
		return wrong(r, "image '%s' has no data", node_name(r, node));
	data->offset = inside - (const char *)r->fdt;
	data->size = len;
	return check_inside(r, node, data);
}

static bool read_sum(const struct reader *r, int image, int node, struct fit_image *out)
{
	const char *algo = get_string(r, node, "algo"), *why;
	const void *value;
	int len;

	value = fdt_getprop(r->fdt, node, "value", &len);
	if (!algo || !value)
		return wrong(r, "image '%s': %s has no algo or no value", node_name(r, image),
			     node_name(r, node));
	if (out->nr_sums == FIT_SUMS_MAX)
		return wrong(r, "image '%s' has more than %d hashes", node_name(r, image),
			     FIT_SUMS_MAX);
	why = checksum_start(&out->sums[out->nr_sums++], algo, value, len);
	if (why)
		return wrong(r, "image '%s': %s (%s) %s", node_name(r, image), node_name(r, node),
			     algo, why);
	return true;
}

static bool read_sums(const struct reader *r, int image, struct fit_image *out)
{
	int node;

	out->sums = xmalloc(FIT_SUMS_MAX * sizeof(*out->sums));
	fdt_for_each_subnode(node, r->fdt, image) {
		if (!strncmp(node_name(r, node), "hash", 4) && !read_sum(r, image, node, out))
			return false;
	}
	return true;
}

/* Whether a property has one of these values */
static bool is_one_of(const char *str, const char * const *values)
{
	for (; str && *values; values++) {
		if (!strcmp(str, *values))
			return true;
	}
	return false;
}

static const struct kind {
	const char *property;
	const char * const *types;
	const char * const *comps;
} kinds[] = {
	[KEXEC_STASH_KERNEL] = {
		"kernel", (const char * const []){ "kernel", "kernel_noload", NULL },
		(const char * const []){ "none", "gzip", "zstd", "lzma", "lz4", NULL },
	},
	/* The kernel unpacks its initrd */
	[KEXEC_STASH_INITRD] = {
		"ramdisk", (const char * const []){ "ramdisk", NULL }, NULL,
	},
	[KEXEC_STASH_DTB] = {
		"fdt", (const char * const []){ "flat_dt", NULL },
		(const char * const []){ "none", NULL },
	},
};

static bool check_kind(const struct reader *r, int node, enum kexec_stash_file_id id)
{
	const struct kind *kind = &kinds[id];
	const char *type = get_string(r, node, "type"), *arch = get_string(r, node, "arch");
	const char *comp = get_string(r, node, "compression"), *name = node_name(r, node);

	if (!is_one_of(type, kind->types))
		return wrong(r, "image '%s' is of type '%s', not '%s'", name, type ? type : "",
			     kind->types[0]);
	if (arch ? strcmp(arch, "arm64") : id == KEXEC_STASH_KERNEL)
		return wrong(r, "image '%s' is for '%s', not for arm64", name, arch ? arch : "");
	if (comp && kind->comps && !is_one_of(comp, kind->comps))
		return wrong(r, "image '%s' is %s compressed: unpack it first", name, comp);
	if (fdt_subnode_offset(r->fdt, node, "cipher") >= 0)
		return wrong(r, "image '%s' is encrypted, which only U-Boot can undo", name);
	return true;
}

static bool read_image(const struct reader *r, int conf, enum kexec_stash_file_id id,
		       struct fit_image *out)
{
	const char *property = kinds[id].property, *name, *comp;
	int images = fdt_path_offset(r->fdt, IMAGES), node;

	if (!has(r, conf, property))
		return true;
	if (fdt_stringlist_count(r->fdt, conf, property) != 1)
		return wrong(r, "configuration '%s' has more than one %s; %s", node_name(r, conf),
			     property, "overlays are not applied here");
	name = get_string(r, conf, property);
	node = name ? fdt_subnode_offset(r->fdt, images, name) : -FDT_ERR_NOTFOUND;
	if (node < 0)
		return wrong(r, "configuration '%s' names an image '%s', which is not there",
			     node_name(r, conf), name ? name : "");
	out->name = printable_copy(name);
	comp = get_string(r, node, "compression");
	out->comp = comp ? printable_copy(comp) : NULL;
	return check_kind(r, node, id) && read_data(r, node, &out->data) && read_sums(r, node, out);
}

/* "there are: 'a', 'b'" */
static char *list_confs(const struct reader *r, int confs)
{
	char *list = NULL;
	int node, n = 0;

	fdt_for_each_subnode(node, r->fdt, confs) {
		char *old = list;

		if (n++ == NAMES_MAX)
			break;
		list = xasprintf("%s%s'%s'", old ? old : "there are: ", old ? ", " : "",
				 node_name(r, node));
		free(old);
	}
	return list ? list : xasprintf("there is none");
}

static bool no_conf(const struct reader *r, int confs, const char *name)
{
	char *list = list_confs(r, confs);

	if (name)
		wrong(r, "has no configuration '%s'; %s", name, list);
	else
		wrong(r, "has no default configuration: name one (FILE#CONF); %s", list);
	free(list);
	return false;
}

static void list_unused(const struct reader *r, int conf, struct fit *fit)
{
	int n = fdt_stringlist_count(r->fdt, conf, "loadables"), i;

	for (i = 0; i < n && i < NAMES_MAX; i++) {
		const char *name = fdt_stringlist_get(r->fdt, conf, "loadables", i, NULL);
		char *old = fit->unused;

		fit->unused = xasprintf("%s%s'%s'", old ? old : "", old ? ", " : "",
					name ? name : "");
		make_printable(fit->unused);
		free(old);
	}
}

static bool read_conf(const struct reader *r, const char *name, struct fit *fit)
{
	int confs = fdt_path_offset(r->fdt, CONFS), conf, id;

	if (fdt_path_offset(r->fdt, IMAGES) < 0 || confs < 0)
		return wrong(r, "is no FIT: it has no images or no configurations");
	if (!check_names(r))
		return false;
	if (!name)
		name = get_string(r, confs, "default");
	conf = name ? fdt_subnode_offset(r->fdt, confs, name) : -FDT_ERR_NOTFOUND;
	if (conf < 0)
		return no_conf(r, confs, name);
	fit->conf = printable_copy(name);
	if (!has(r, conf, kinds[KEXEC_STASH_KERNEL].property))
		return wrong(r, "configuration '%s' has no kernel", name);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (!read_image(r, conf, id, &fit->image[id]))
			return false;
	}
	list_unused(r, conf, fit);
	return true;
}

bool fit_read(const void *buf, u64 size, const char *conf, struct fit *fit, char *why)
{
	const struct reader r = { .fdt = buf, .size = size, .why = why };

	memset(fit, 0, sizeof(*fit));
	if (size < sizeof(struct fdt_header) || fdt_magic(buf) != FDT_MAGIC)
		return wrong(&r, "is no FIT");
	switch (tree_check(buf, size)) {
	case 0:
		return read_conf(&r, conf, fit);
	case -FDT_ERR_TRUNCATED:
		return wrong(&r, "is cut off; get the file again");
	default:
		return wrong(&r, "is damaged; get the file again");
	}
}

static void free_image(struct fit_image *image)
{
	while (image->nr_sums)
		checksum_free(&image->sums[--image->nr_sums]);
	free(image->sums);
	free(image->comp);
	free(image->name);
}

void fit_free(struct fit *fit)
{
	int id;

	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		free_image(&fit->image[id]);
	free(fit->unused);
	free(fit->conf);
	memset(fit, 0, sizeof(*fit));
}

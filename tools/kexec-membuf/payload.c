// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a slot's payload says of itself
 */

#include "slot.h"
#include "utils.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* As much of the kernel as its header takes */
#define HEADER_LEN	64

/* Since this version (of 2005) nodes have names, not paths */
#define FDT_VERSION_NAMES	16

int tree_check(const void *buf, u64 size)
{
	/* Of an older one, fdt_check_full() of libfdt 1.6 follows a name that is not there */
	if (size >= sizeof(struct fdt_header) && fdt_magic(buf) == FDT_MAGIC &&
	    fdt_version(buf) < FDT_VERSION_NAMES)
		return -FDT_ERR_BADVERSION;
	return fdt_check_full(buf, size);
}

static const char *dtb_check(const void *buf, size_t size)
{
	switch (tree_check(buf, size)) {
	case 0:
		return NULL;
	case -FDT_ERR_BADMAGIC:
		return "is not a dtb";
	case -FDT_ERR_TRUNCATED:
		return "is a truncated dtb";
	default:
		return "is a broken dtb";
	}
}

const char *dtb_read(const void *buf, size_t size, struct dtb_info *info)
{
	const char *str, *why;
	int i, n;

	memset(info, 0, sizeof(*info));
	why = dtb_check(buf, size);
	if (why)
		return why;

	/* No list of strings is no model, whatever else the property is */
	str = fdt_stringlist_get(buf, 0, "model", 0, NULL);
	if (str)
		info->model = printable_copy(str);
	n = fdt_stringlist_count(buf, 0, "compatible");
	if (n <= 0)
		return NULL;
	info->compatible = xmalloc(n * sizeof(*info->compatible));
	for (i = 0; i < n; i++) {
		str = fdt_stringlist_get(buf, 0, "compatible", i, NULL);
		info->compatible[info->nr_compatible++] = printable_copy(str);
	}
	return NULL;
}

void dtb_free(struct dtb_info *info)
{
	while (info->nr_compatible)
		free(info->compatible[--info->nr_compatible]);
	free(info->compatible);
	free(info->model);
	memset(info, 0, sizeof(*info));
}

static const char *dtb_read_file(int stash, const struct slot *slot, struct dtb_info *info)
{
	const char *why;
	ssize_t n;
	void *buf;

	if (slot->file_size[KEXEC_STASH_DTB] > KEXEC_STASH_DTB_MAX)
		return "is larger than 2 MiB";
	buf = xmalloc(KEXEC_STASH_DTB_MAX);
	n = read_at(stash, slot_path(slot->name, "dtb").str, buf, KEXEC_STASH_DTB_MAX);
	why = n < 0 ? strerror(-n) : dtb_read(buf, n, info);
	free(buf);
	return why;
}

static const char *kernel_read_file(int stash, const struct slot *slot,
				    struct kexec_stash_image *image)
{
	const char *why = NULL;
	char header[HEADER_LEN];
	ssize_t n;

	n = read_at(stash, slot_path(slot->name, "kernel").str, header, sizeof(header));
	if (n < 0)
		return strerror(-n);
	kexec_stash_image_read(header, n, slot->size, image, &why);
	return why;
}

static const char *cmdline_read_file(int stash, const struct slot *slot, char *cmdline, size_t size)
{
	struct slot_path path = slot_path(slot->name, KEXEC_STASH_CMDLINE);
	int ret = read_line_at(stash, path.str, cmdline, size);

	if (!ret)
		return NULL;
	cmdline[0] = '\0';
	return ret == -ENOENT ? NULL : strerror(-ret);
}

void payload_read(int stash, const struct slot *slot, struct payload *payload)
{
	memset(payload, 0, sizeof(*payload));
	payload->cmdline_why = cmdline_read_file(stash, slot, payload->cmdline,
						 sizeof(payload->cmdline));
	if (slot->file_size[KEXEC_STASH_KERNEL])
		payload->kernel_why = kernel_read_file(stash, slot, &payload->image);
	if (slot->file_size[KEXEC_STASH_DTB])
		payload->dtb_why = dtb_read_file(stash, slot, &payload->dtb);
}

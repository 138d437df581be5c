/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A FIT: which of its images a configuration is made of, and where these are
 *
 * All bytes are untrusted.
 */
#ifndef FIT_H
#define FIT_H

#include "checksum.h"
#include "content.h"

#include <linux/kexec_stash_record.h>

/* Checksums of one image at most */
#define FIT_SUMS_MAX	8

/* Longest text of what is wrong with a FIT, the NUL included */
#define FIT_WHY_LEN	512

/**
 * struct fit_image - an image of a FIT
 * @name: its name, printable; NULL if the configuration has none of the kind
 * @comp: its compression, printable, or NULL
 * @data: where its bytes are in the file
 * @sums: checksums that these have
 * @nr_sums: how many there are
 */
struct fit_image {
	char *name;
	char *comp;
	struct file_range data;
	struct checksum *sums;
	size_t nr_sums;
};

/**
 * struct fit - what is staged of a FIT
 * @conf: name of the configuration, printable
 * @image: its images, by the file of the payload that each is
 * @unused: what the configuration names beside these, printable, or NULL
 */
struct fit {
	char *conf;
	struct fit_image image[KEXEC_STASH_NR_FILES];
	char *unused;
};

/**
 * fit_read() - find a configuration's images in a FIT
 * @buf: the file
 * @size: its size in bytes
 * @conf: name of the configuration, NULL for the FIT's default
 * @fit: filled in, to be freed with fit_free() also on failure; nothing in it leads into @buf
 * @why: FIT_WHY_LEN bytes, set to what is wrong on failure
 *
 * Only the tree is looked at, not the images' bytes.
 *
 * Return: true, or false if it cannot be staged.
 */
bool fit_read(const void *buf, u64 size, const char *conf, struct fit *fit, char *why);

/**
 * fit_free() - free what fit_read() filled in
 * @fit: all zero afterwards
 */
void fit_free(struct fit *fit);

#endif /* FIT_H */

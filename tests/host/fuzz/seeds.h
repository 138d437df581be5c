/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _FUZZ_SEEDS_H
#define _FUZZ_SEEDS_H

#include <linux/kexec_stash_record.h>
#include <linux/types.h>

/**
 * record_seed() - a record with each file, digest and property that there is
 *
 * Return: the record.
 */
struct kexec_stash_record record_seed(void);

/**
 * running_seed() - a tree of firmware, with a record and everything that is carried over
 *
 * Return: the tree, to be freed.
 */
void *running_seed(void);

/**
 * staged_seed() - a tree of a kernel's build
 *
 * Return: the tree, to be freed.
 */
void *staged_seed(void);

/**
 * fit_seed() - a FIT with a kernel, a ramdisk and a device tree
 * @size: set to its size in bytes
 *
 * Return: the FIT, to be freed.
 */
void *fit_seed(size_t *size);

/**
 * gzip_seed() - a small Image, packed
 * @size: set to its size in bytes
 *
 * Return: the packed Image, to be freed.
 */
void *gzip_seed(size_t *size);

/**
 * zstd_seed() - a small Image, packed
 * @size: set to its size in bytes
 *
 * Return: the packed Image, to be freed.
 */
void *zstd_seed(size_t *size);

/**
 * zboot_seed() - a small Image in an EFI zboot image
 * @size: set to its size in bytes
 *
 * Return: the zboot image, to be freed.
 */
void *zboot_seed(size_t *size);

#endif /* _FUZZ_SEEDS_H */

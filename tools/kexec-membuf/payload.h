/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a slot's payload says of itself
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "slot.h"

/**
 * struct dtb_info - what a device tree says of the machine it is for
 * @model: the root's model, made printable, or NULL
 * @compatible: the root's compatible strings, made printable
 * @nr_compatible: how many there are
 */
struct dtb_info {
	char *model;
	char **compatible;
	int nr_compatible;
};

/**
 * struct payload - what is in a slot, beyond the sizes of its files
 * @cmdline: the command line, made printable, "" if there is none
 * @cmdline_why: why it could not be read, or NULL
 * @image: header of the kernel, if there is one and @kernel_why is NULL
 * @kernel_why: what is wrong with the kernel, or NULL
 * @dtb: what the dtb says, if there is one and @dtb_why is NULL
 * @dtb_why: what is wrong with the dtb, or NULL
 */
struct payload {
	char cmdline[KEXEC_STASH_BOOTARGS_LEN];
	const char *cmdline_why;
	struct kexec_stash_image image;
	const char *kernel_why;
	struct dtb_info dtb;
	const char *dtb_why;
};

/**
 * dtb_read() - read a device tree that is not trusted
 * @buf: the tree, aligned to 8 bytes
 * @size: bytes there are at @buf
 * @info: filled in, to be freed with dtb_free(), also on failure
 *
 * Return: NULL, or what is wrong with the tree.
 */
const char *dtb_read(const void *buf, size_t size, struct dtb_info *info);

/**
 * dtb_free() - free what dtb_read() filled in
 * @info: all zero afterwards
 */
void dtb_free(struct dtb_info *info);

/**
 * payload_read() - read a slot's payload
 * @stash: descriptor from stash_open()
 * @slot: the slot
 * @payload: filled in, to be freed with payload_free(). What could not be read or is broken has
 *	its reason beside it
 */
void payload_read(int stash, const struct slot *slot, struct payload *payload);

/**
 * payload_free() - free what payload_read() filled in
 * @payload: the payload
 */
void payload_free(struct payload *payload);

#endif /* PAYLOAD_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises of early_cpio.c and param.c, written a second time, for tests that read what nobody
 * made on purpose
 */
#ifndef _UNIT_WALK_EARLY_H
#define _UNIT_WALK_EARLY_H

#include <linux/types.h>

/**
 * walk_param() - read every item of kexec_stash=
 * @value: the parameter's value
 *
 * Return: NULL if each item was taken and is sane, or was refused with a reason; otherwise the
 * fault.
 */
const char *walk_param(const char *value);

/**
 * walk_cpio() - read every entry of the archives at the start of an initrd, and hide the payloads
 * @buf: the initrd, at an address that is a multiple of 4; payloads are hidden afterwards
 * @len: its length in bytes
 *
 * Return: NULL if each entry lies in the initrd, and each payload's file is one; otherwise the
 * fault.
 */
const char *walk_cpio(void *buf, u64 len);

#endif /* _UNIT_WALK_EARLY_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's type names, for the files that the tool shares with Linux and U-Boot
 */
#ifndef _COMPAT_LINUX_TYPES_H
#define _COMPAT_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;

#endif /* _COMPAT_LINUX_TYPES_H */

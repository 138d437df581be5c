/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As in the kernel, u64 and libfdt's uint64_t are one type; in the tool's names they are not */
#ifndef _UNIT_LINUX_TYPES_H
#define _UNIT_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* _UNIT_LINUX_TYPES_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _COMPAT_LINUX_SIZES_H
#define _COMPAT_LINUX_SIZES_H

#define SZ_256	0x00000100
#define SZ_1K	0x00000400
#define SZ_64K	0x00010000
#define SZ_2M	0x00200000

#endif /* _COMPAT_LINUX_SIZES_H */

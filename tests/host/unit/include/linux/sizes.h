/* SPDX-License-Identifier: GPL-2.0-or-later */
#include_next <linux/sizes.h>

#ifndef SZ_4K
#define SZ_4K	0x00001000
#endif

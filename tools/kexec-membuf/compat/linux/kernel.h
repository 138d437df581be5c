/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _COMPAT_LINUX_KERNEL_H
#define _COMPAT_LINUX_KERNEL_H

#include <linux/types.h>

#endif /* _COMPAT_LINUX_KERNEL_H */

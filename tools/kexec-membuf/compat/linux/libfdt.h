/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _COMPAT_LINUX_LIBFDT_H
#define _COMPAT_LINUX_LIBFDT_H

#include <libfdt.h>

#endif /* _COMPAT_LINUX_LIBFDT_H */

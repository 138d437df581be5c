/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _COMPAT_LINUX_STRING_H
#define _COMPAT_LINUX_STRING_H

#include <string.h>

#endif /* _COMPAT_LINUX_STRING_H */

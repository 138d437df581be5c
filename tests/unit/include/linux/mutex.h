/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No more than kernel/kexec_membuf/internal.h needs to be included */
#ifndef _UNIT_LINUX_MUTEX_H
#define _UNIT_LINUX_MUTEX_H

#define __init

typedef struct {
	int counter;
} atomic_t;

struct mutex {
	int locked;
};

#endif /* _UNIT_LINUX_MUTEX_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No more than kernel/kexec_membuf/internal.h needs to be included */
#ifndef _UNIT_LINUX_LIST_H
#define _UNIT_LINUX_LIST_H

struct list_head {
	struct list_head *next, *prev;
};

#endif /* _UNIT_LINUX_LIST_H */

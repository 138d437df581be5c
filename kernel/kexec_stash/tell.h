/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEXEC_STASH_TELL_H
#define _KEXEC_STASH_TELL_H

#include <linux/init.h>

int __init kexec_tell_init(void);

#endif /* _KEXEC_STASH_TELL_H */

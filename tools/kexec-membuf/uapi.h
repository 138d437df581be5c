/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's headers, <linux/kexec.h> and <linux/magic.h>, may be too old to have */
#ifndef UAPI_H
#define UAPI_H

#ifndef KEXEC_FILE_MEMBUF
#define KEXEC_FILE_MEMBUF	0x00000100
#endif

#ifndef KEXEC_FILE_MEMBUF_CHECK
#define KEXEC_FILE_MEMBUF_CHECK	0x00000200
#endif

#ifndef KEXEC_STASH_MAGIC
#define KEXEC_STASH_MAGIC	0x6b737468
#endif

#endif /* UAPI_H */

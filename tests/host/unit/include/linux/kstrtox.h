/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _UNIT_LINUX_KSTRTOX_H
#define _UNIT_LINUX_KSTRTOX_H

#include <errno.h>
#include <stdlib.h>

/* All that the kernel's takes but signs and a newline at the end, which callers keep away */
static inline int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	char *end;

	errno = 0;
	*res = strtoull(s, &end, base);
	if (errno)
		return -errno;
	return end == s || *end ? -EINVAL : 0;
}

#endif /* _UNIT_LINUX_KSTRTOX_H */

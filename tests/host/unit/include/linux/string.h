/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _UNIT_LINUX_STRING_H
#define _UNIT_LINUX_STRING_H

#include_next <linux/string.h>

#include <stdlib.h>
#include <string.h>

/* As the kernel's, but for numbers beyond 64 bits */
static inline unsigned long long memparse(const char *ptr, char **retptr)
{
	static const char units[] = "KMGTPEkmgtpe";
	unsigned long long value = strtoull(ptr, retptr, 0);
	const char *unit = **retptr ? strchr(units, **retptr) : NULL;

	if (!unit)
		return value;
	++*retptr;
	return value << (10 * ((unit - units) % 6 + 1));
}

#endif /* _UNIT_LINUX_STRING_H */

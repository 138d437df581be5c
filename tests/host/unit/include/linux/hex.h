/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _UNIT_LINUX_HEX_H
#define _UNIT_LINUX_HEX_H

#include <ctype.h>
#include <errno.h>
#include <linux/types.h>

static inline int hex_to_bin(unsigned char ch)
{
	if (!isxdigit(ch))
		return -1;
	return isdigit(ch) ? ch - '0' : tolower(ch) - 'a' + 10;
}

static inline int hex2bin(u8 *dst, const char *src, size_t count)
{
	for (; count--; src += 2) {
		int high = hex_to_bin(src[0]), low = hex_to_bin(src[1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		*dst++ = high << 4 | low;
	}
	return 0;
}

#endif /* _UNIT_LINUX_HEX_H */

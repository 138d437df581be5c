/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _UNIT_LINUX_HEX_H
#define _UNIT_LINUX_HEX_H

#include <ctype.h>

static inline int hex_to_bin(unsigned char ch)
{
	if (!isxdigit(ch))
		return -1;
	return isdigit(ch) ? ch - '0' : tolower(ch) - 'a' + 10;
}

#endif /* _UNIT_LINUX_HEX_H */

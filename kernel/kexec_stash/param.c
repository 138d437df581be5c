// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the kernel parameter that asks for slots
 *
 * Whoever can set the command line may have made a mistake, and it is early:
 * all is checked before it is used, nothing is allocated, and no kernel is
 * needed, so that this runs in a test on the host as well.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec_stash_layout.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/types.h>

#include "param.h"

/*
 * As memparse() does it, but a number that is too large for 64 bits is none.
 * Return: what is behind the number, NULL if there is none.
 */
static const char *parse_number(const char *str, u64 *value)
{
	static const char units[] = "KMGTPEkmgtpe";
	unsigned long long number;
	const char *unit;
	char digits[24];
	u32 shift = 0;
	size_t len;

	if (str[0] == '0' && (str[1] | 0x20) == 'x')
		len = 2 + strspn(str + 2, "0123456789abcdefABCDEF");
	else
		len = strspn(str, "0123456789");
	if (!len || len >= sizeof(digits))
		return NULL;
	memcpy(digits, str, len);
	digits[len] = '\0';
	if (kstrtoull(digits, 0, &number))
		return NULL;
	unit = str[len] ? strchr(units, str[len]) : NULL;
	if (unit) {
		shift = 10 * ((unit - units) % 6 + 1);
		len++;
	}
	if (number > (~0ULL >> shift))
		return NULL;
	*value = number << shift;
	return str + len;
}

static const char *parse_label(const char *item, size_t len, char *label)
{
	const char *colon = memchr(item, ':', len);

	label[0] = '\0';
	if (!colon || colon - item >= KEXEC_STASH_LABEL_LEN)
		return NULL;
	memcpy(label, item, colon - item);
	label[colon - item] = '\0';
	return colon + 1;
}

static const char *check_want(const struct kexec_stash_want *want)
{
	if (want->size % KEXEC_STASH_ALIGN)
		return "its size is not a multiple of 2 MiB";
	if (want->size < KEXEC_STASH_SIZE_MIN)
		return "its size is less than 8 MiB";
	if (want->base % KEXEC_STASH_ALIGN)
		return "its address is not a multiple of 2 MiB";
	if (want->base + want->size < want->base)
		return "its end is beyond all addresses";
	return NULL;
}

/* Return: what is wrong with an item, or NULL */
static const char *parse_item(const char *item, size_t len,
			      struct kexec_stash_want *want)
{
	const char *end = item + len, *at;

	at = parse_label(item, len, want->label);
	if (!at)
		return "is not <slot>:<size>[@<address>]";
	if (!kexec_stash_label_ok(want->label)) {
		want->label[0] = '\0';
		return "its name cannot be that of a slot";
	}
	at = parse_number(at, &want->size);
	if (!at || (at != end && *at != '@'))
		return "its size is not a number with K, M, G or no unit";
	want->fixed = at != end;
	if (want->fixed && parse_number(at + 1, &want->base) != end)
		return "its address is not a number with K, M, G or no unit";
	return check_want(want);
}

/**
 * kexec_stash_param_next() - read one item of kexec_stash=
 * @pos: where to go on in the parameter's value, first its start; moved behind
 *	the item
 * @want: filled in; the label is also on failure, as far as it can be read
 * @why: set to what is wrong, on failure
 *
 * Items are <slot>:<size>[@<address>] and stand between commas. What takes more
 * than one item (a name used twice) and what only the machine knows is the
 * caller's to check.
 *
 * Return: 1 for an item, 0 at the end, -EINVAL if this one is bad (those behind
 * it may be good).
 */
int kexec_stash_param_next(const char **pos, struct kexec_stash_want *want,
			   const char **why)
{
	const char *item = *pos;
	size_t len = strcspn(item, ",");

	memset(want, 0, sizeof(*want));
	if (!*item)
		return 0;
	*pos = item + len + (item[len] == ',');
	*why = parse_item(item, len, want);
	return *why ? -EINVAL : 1;
}

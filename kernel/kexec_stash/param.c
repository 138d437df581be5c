// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the kernel parameter that asks for slots
 *
 * Whoever sets the command line may make a mistake, so each item is checked.
 * Nothing is allocated and no kernel is needed: a test on the host runs this as
 * well.
 */

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kexec_stash_layout.h>
#include <linux/string.h>
#include <linux/types.h>

#include "param.h"

/* Return: what is behind the number, NULL if there is none */
static const char *parse_number(const char *str, u64 *value)
{
	char *end;

	if (!isdigit(*str))
		return NULL;
	*value = memparse(str, &end);
	return end;
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
static const char *parse_item(const char *item, struct kexec_stash_want *want)
{
	size_t len = strcspn(item, ":,");
	const char *at = item + len;

	if (*at != ':' || len >= KEXEC_STASH_LABEL_LEN)
		return "is not <slot>:<size>[@<address>]";
	memcpy(want->label, item, len);
	if (!kexec_stash_label_ok(want->label)) {
		want->label[0] = '\0';
		return "its name cannot be that of a slot";
	}
	at = parse_number(at + 1, &want->size);
	if (!at || !strchr(",@", *at))
		return "its size is not a number with K, M, G or no unit";
	want->fixed = *at == '@';
	if (want->fixed)
		at = parse_number(at + 1, &want->base);
	if (!at || (*at && *at != ','))
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
	*why = parse_item(item, want);
	return *why ? -EINVAL : 1;
}

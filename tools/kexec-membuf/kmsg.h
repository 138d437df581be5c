/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own words on why a load failed
 */
#ifndef KMSG_H
#define KMSG_H

#include <linux/types.h>

/* The kernel's longest line, the NUL included */
#define KMSG_REASON_LEN	1024

/**
 * kmsg_open() - open the kernel log behind its last record
 * @root: descriptor of the root directory; tests give another one
 *
 * Return: the descriptor, or a negative number where the log may not or cannot be read.
 */
int kmsg_open(int root);

/**
 * kmsg_parse() - whether a record says why a load of a slot failed
 * @record: as read from /dev/kmsg: "<prio>,<seq>,<time>,<flags>[,...];<text>\n",
 *	and lines " <key>=<value>\n" perhaps
 * @len: its length
 * @slot: name of the slot
 * @reason: KMSG_REASON_LEN bytes, set to the text behind "kexec_stash: ", printable
 *
 * Taken are warnings and errors from the kernel (user space can write there, too) that do not name
 * another slot.
 *
 * Return: true if it does.
 */
bool kmsg_parse(const char *record, size_t len, const char *slot, char *reason);

/**
 * kmsg_reason() - read on in the log to find why a load failed
 * @fd: descriptor from kmsg_open(), which may have failed
 * @slot: name of the slot
 * @reason: KMSG_REASON_LEN bytes, set to the last reason there is
 *
 * Return: true if there was one.
 */
bool kmsg_reason(int fd, const char *slot, char *reason);

#endif /* KMSG_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line that the user asks for
 */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <linux/kexec_stash_record.h>

/**
 * cmdline_get() - the command line to load or to stage
 * @root: descriptor of the root directory
 * @slot: the slot's name, for messages
 * @given: --command-line, or NULL
 * @reuse: --reuse-cmdline
 * @buf: KEXEC_STASH_BOOTARGS_LEN bytes to put it into
 * @cmdline: set to the command line, or to NULL if none is asked for
 *
 * Return: true, or false after a message.
 */
bool cmdline_get(int root, const char *slot, const char *given, bool reuse, char *buf,
		 const char **cmdline);

#endif /* CMDLINE_H */

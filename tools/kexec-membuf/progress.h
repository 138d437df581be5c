/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far staging a file is, on standard error
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <linux/types.h>

/**
 * progress_start() - a file is being staged
 * @slot: name of the slot
 * @file: name of the payload's file
 * @size: bytes to read, or SOURCE_SIZE_UNKNOWN
 */
void progress_start(const char *slot, const char *file, u64 size);

/**
 * progress_show() - tell how far it is, on a terminal and not too often
 * @read: bytes read so far
 * @written: bytes written so far
 */
void progress_show(u64 read, u64 written);

/**
 * progress_done() - tell that the file is staged
 * @written: its size in bytes
 */
void progress_done(u64 written);

/**
 * progress_clear() - clear the terminal's line for something else
 */
void progress_clear(void);

/**
 * progress_line() - what is shown on a terminal
 * @buf: filled in
 * @len: bytes there are at @buf
 * @ns: how long it has taken so far, not 0
 * @read: bytes read so far
 * @written: bytes written so far
 *
 * Return: its length.
 */
int progress_line(char *buf, size_t len, u64 ns, u64 read, u64 written);

#endif /* PROGRESS_H */

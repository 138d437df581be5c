/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the bytes of a payload's file come from
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "checksum.h"
#include "content.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Bytes of a source's start that can be looked at before they are read */
#define SOURCE_PEEK_LEN	1024

/* The size of what comes through a pipe */
#define SOURCE_SIZE_UNKNOWN	(~0ULL)

/**
 * struct source - where the bytes of a payload's file come from
 * @slot: name of the slot, for messages
 * @file: name of the payload's file, for messages
 * @name: what the user calls the source, for messages
 * @fd: its descriptor
 * @st: what it was like when it was opened
 * @start: where it starts in the file
 * @size: its size in bytes, or SOURCE_SIZE_UNKNOWN
 * @pos: how much was read of it
 * @left: bytes until the end of the part that source_narrow() chose
 * @narrowed: whether it did
 * @peek: its first bytes
 * @peek_len: how many there are
 * @sums: checksums that it must have
 * @nr_sums: how many these are
 */
struct source {
	const char *slot;
	const char *file;
	char *name;
	int fd;
	struct stat st;
	u64 start;
	u64 size;
	u64 pos;
	u64 left;
	bool narrowed;
	u8 peek[SOURCE_PEEK_LEN];
	size_t peek_len;
	struct checksum *sums;
	size_t nr_sums;
};

/**
 * source_open() - open a file to stage from
 * @src: filled in, to be closed with source_close() also on failure
 * @slot: name of the slot
 * @file: name of the payload's file
 * @path: the file's path, or "-" for standard input
 *
 * Return: true, or false after a message.
 */
bool source_open(struct source *src, const char *slot, const char *file, const char *path);

/**
 * source_open_part() - stage from a part of a file
 * @src: filled in, to be closed with source_close() also on failure; it takes over @sums
 * @whole: the file, opened with source_open()
 * @file: name of the payload's file
 * @name: name of the part, for messages
 * @range: where it is
 * @sums: checksums that it must have, to be freed
 * @nr_sums: how many these are
 *
 * Return: true, or false after a message.
 */
bool source_open_part(struct source *src, const struct source *whole, const char *file,
		      const char *name, const struct file_range *range, struct checksum *sums,
		      size_t nr_sums);

/**
 * source_close() - close a source
 * @src: the source, or one that is all zero
 */
void source_close(struct source *src);

/**
 * source_is_open() - whether there is a source
 * @src: the source, or one that is all zero
 *
 * Return: true if there is.
 */
bool source_is_open(const struct source *src);

/**
 * source_peek() - read the first bytes, for a look at them
 * @src: the source; its @peek is filled in
 *
 * Return: true, or false after a message, also if there is not a byte.
 */
bool source_peek(struct source *src);

/**
 * source_narrow() - leave out what is before and behind a part
 * @src: the source, of which nothing was read yet
 * @range: the part
 *
 * Return: true, or false after a message.
 */
bool source_narrow(struct source *src, const struct file_range *range);

/**
 * source_read() - read the next bytes
 * @src: the source
 * @buf: filled in
 * @len: at most so many bytes
 *
 * Return: how many there are, fewer than @len only at its end; or -1 after a message.
 */
ssize_t source_read(struct source *src, void *buf, size_t len);

/**
 * source_finish() - read what is left, and see whether all was as it should be
 * @src: the source
 *
 * Return: true, or false after a message.
 */
bool source_finish(struct source *src);

/**
 * source_error() - say what is wrong with a source
 * @src: the source
 * @format: as error_msg()'s: what is wrong, and what to do
 */
__attribute__((__format__(__printf__, 2, 3)))
void source_error(const struct source *src, const char *format, ...);

/**
 * source_notice() - say what is worth knowing of a source
 * @src: the source
 * @format: as error_msg()'s
 */
__attribute__((__format__(__printf__, 2, 3)))
void source_notice(const struct source *src, const char *format, ...);

#endif /* SOURCE_H */

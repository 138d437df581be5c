/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages, memory, small files, progress, and signals
 */
#ifndef UTILS_H
#define UTILS_H

#include <linux/types.h>

#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#ifndef __printf
#define __printf(fmt, args)	__attribute__((__format__(__printf__, fmt, args)))
#endif

#define NSEC_PER_SEC	1000000000ULL

/* A number of 32 bits as PE images and compressed files have it, wherever it lies */
static inline u32 get_le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* Long enough for what human_size() writes */
#define HUMAN_SIZE_LEN	16

/**
 * error_msg() - say on standard error what went wrong
 * @format: as printf()'s; the slot first, then the file, why, and what to do; no newline
 */
__printf(1, 2) void error_msg(const char *format, ...);

/**
 * xmalloc() - malloc() that does not fail
 * @size: in bytes
 *
 * Return: the memory; where there is none, the program ends.
 */
void *xmalloc(size_t size);

/**
 * xasprintf() - asprintf() that does not fail
 * @format: as printf()'s
 *
 * Return: the string, to be freed.
 */
__printf(1, 2) char *xasprintf(const char *format, ...);

/**
 * notice_msg() - say on standard error what is worth knowing
 * @format: as error_msg()'s
 */
__printf(1, 2) void notice_msg(const char *format, ...);

/**
 * close_fd() - close a descriptor if there is one
 * @fd: the descriptor, or a negative number
 */
void close_fd(int fd);

/**
 * read_at() - read the start of a file
 * @dir: descriptor of a directory
 * @path: the file's path below it
 * @buf: filled in
 * @size: at most so many bytes are read
 *
 * Return: number of bytes read, which is less than @size only at the file's end, or -errno.
 */
ssize_t read_at(int dir, const char *path, void *buf, size_t size);

/**
 * read_line_at() - read a file that holds one line
 * @dir: descriptor of a directory
 * @path: the file's path below it
 * @line: filled in, without the newline, made printable
 * @size: size of @line, the NUL included
 *
 * Return: 0, -EFBIG if @line is too small, or another -errno.
 */
int read_line_at(int dir, const char *path, char *line, size_t size);

/**
 * read_number_at() - read a file that holds one number
 * @dir: descriptor of a directory
 * @path: the file's path below it
 * @val: filled in; the file has it in decimal, or in hexadecimal with 0x
 *
 * Return: 0, -EINVAL if it is no such number, or another -errno.
 */
int read_number_at(int dir, const char *path, u64 *val);

/**
 * make_printable() - replace what could upset a terminal or a JSON reader
 * @str: each byte that is not printable ASCII becomes a '?'
 */
void make_printable(char *str);

/**
 * printable_copy() - a string with what could upset a terminal replaced, see make_printable()
 * @str: the string
 *
 * Return: the copy, to be freed.
 */
char *printable_copy(const char *str);

/**
 * human_size() - a size as people read it
 * @bytes: the size
 * @buf: HUMAN_SIZE_LEN bytes, filled in: "512", "4.0K", "33.1M"
 *
 * Return: @buf.
 */
const char *human_size(u64 bytes, char *buf);

/* Long enough for what human_duration() writes */
#define HUMAN_DURATION_LEN	24

/**
 * human_duration() - a duration as people read it
 * @ns: the duration in nanoseconds
 * @buf: HUMAN_DURATION_LEN bytes, filled in: "812 ns", "4.288 us", "5.815 ms", "70.004 s"
 *
 * Return: @buf.
 */
const char *human_duration(u64 ns, char *buf);

/**
 * now_ns() - a time to take differences of
 *
 * Return: the time in nanoseconds.
 */
u64 now_ns(void);

/* How far staging a file is, on standard error */

/* The size of what comes through a pipe */
#define SOURCE_SIZE_UNKNOWN	(~0ULL)

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

/* Signals that would end the program while a slot holds half a payload */

/**
 * interrupts_hold() - hold back the signals that end the program
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE, as far as they are not ignored.
 *
 * Return: true, or false after a message.
 */
bool interrupts_hold(void);

/**
 * interrupts_release() - let through what was held back
 *
 * If there was a signal, the program ends by it, as who sent it expects.
 */
void interrupts_release(void);

/**
 * interrupted() - whether a signal is being held back
 *
 * Return: true if there is one.
 */
bool interrupted(void);

/**
 * interrupt_wait() - wait until there is something to read
 * @fd: a descriptor
 *
 * Return: true, or false if a signal was first.
 */
bool interrupt_wait(int fd);

#endif /* UTILS_H */

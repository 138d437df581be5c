/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages, memory and small files
 */
#ifndef UTILS_H
#define UTILS_H

#include <linux/types.h>

#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#ifndef __printf
#define __printf(fmt, args)	__attribute__((__format__(__printf__, fmt, args)))
#endif

/**
 * enum answer - what can be said of something that the kernel may not show
 * @ANSWER_NO: it does not hold
 * @ANSWER_YES: it holds
 * @ANSWER_UNKNOWN: it cannot be told
 */
enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN
};

#define NSEC_PER_SEC	1000000000ULL

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
 * before_messages() - have a function called before each message
 * @hook: the function, or NULL
 */
void before_messages(void (*hook)(void));

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

#endif /* UTILS_H */

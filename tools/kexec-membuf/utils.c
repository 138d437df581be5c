// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages, memory and small files
 */

#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void print_msg(const char *prefix, const char *format, va_list va)
{
	progress_clear();
	/* What was printed before comes first, also where both go into one file */
	fflush(stdout);
	fputs(prefix, stderr);
	vfprintf(stderr, format, va);
	putc('\n', stderr);
}

void error_msg(const char *format, ...)
{
	va_list va;

	va_start(va, format);
	print_msg("kexec-membuf: ", format, va);
	va_end(va);
}

void notice_msg(const char *format, ...)
{
	va_list va;

	va_start(va, format);
	print_msg("kexec-membuf: note: ", format, va);
	va_end(va);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size);

	if (!p) {
		error_msg("out of memory");
		exit(1);
	}
	return p;
}

char *xasprintf(const char *format, ...)
{
	char *str;
	va_list va;
	int len;

	va_start(va, format);
	len = vasprintf(&str, format, va);
	va_end(va);
	if (len < 0) {
		error_msg("out of memory");
		exit(1);
	}
	return str;
}

void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

ssize_t read_at(int dir, const char *path, void *buf, size_t size)
{
	size_t done = 0;
	ssize_t n;
	int fd;

	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		n = TEMP_FAILURE_RETRY(read(fd, (char *)buf + done, size - done));
		done += n > 0 ? n : 0;
	} while (n > 0);
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? n : (ssize_t)done;
}

int read_line_at(int dir, const char *path, char *line, size_t size)
{
	ssize_t n = read_at(dir, path, line, size);

	if (n < 0)
		return n;
	if (n && line[n - 1] == '\n')
		n--;
	if ((size_t)n == size)
		return -EFBIG;
	line[n] = '\0';
	/* An argument string may have been written with its NUL */
	if (n && !line[n - 1])
		n--;
	if (strlen(line) != (size_t)n)
		return -EINVAL;
	make_printable(line);
	return 0;
}

int read_number_at(int dir, const char *path, u64 *val)
{
	char line[32], *end;
	int ret;

	ret = read_line_at(dir, path, line, sizeof(line));
	if (ret)
		return ret;
	/* strtoull() would take a sign and leading blanks */
	if (line[0] < '0' || line[0] > '9')
		return -EINVAL;
	errno = 0;
	*val = strtoull(line, &end, strncmp(line, "0x", 2) ? 10 : 16);
	if (errno || *end)
		return -EINVAL;
	return 0;
}

void make_printable(char *str)
{
	for (; *str; str++) {
		if (*str < ' ' || *str > '~')
			*str = '?';
	}
}

char *printable_copy(const char *str)
{
	char *copy = xasprintf("%s", str);

	make_printable(copy);
	return copy;
}

const char *human_size(u64 bytes, char *buf)
{
	static const char units[] = "KMGTPE";
	double size = bytes;
	int i;

	if (bytes < 1024) {
		snprintf(buf, HUMAN_SIZE_LEN, "%u", (unsigned int)bytes);
		return buf;
	}
	size /= 1024;
	for (i = 0; size >= 1024; i++)
		size /= 1024;
	snprintf(buf, HUMAN_SIZE_LEN, "%.1f%c", size, units[i]);
	return buf;
}

const char *human_duration(u64 ns, char *buf)
{
	static const char * const units[] = { "us", "ms", "s" };
	size_t i;

	if (ns < 1000) {
		snprintf(buf, HUMAN_DURATION_LEN, "%u ns", (unsigned int)ns);
		return buf;
	}
	for (i = 0; ns >= 1000000 && i < ARRAY_SIZE(units) - 1; i++)
		ns /= 1000;
	snprintf(buf, HUMAN_DURATION_LEN, "%llu.%03u %s", ns / 1000, (unsigned int)(ns % 1000),
		 units[i]);
	return buf;
}

u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the bytes of a payload's file come from
 */

#include "stage.h"
#include "sys.h"
#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_LEN	4096

static void tell(void (*msg)(const char *format, ...), const struct source *src,
		 const char *format, va_list va)
{
	char *what;

	if (vasprintf(&what, format, va) < 0)
		what = NULL;
	msg("slot '%s': %s %s: %s", src->slot, src->file, src->name,
	    what ? what : "out of memory");
	free(what);
}

void source_error(const struct source *src, const char *format, ...)
{
	va_list va;

	va_start(va, format);
	tell(error_msg, src, format, va);
	va_end(va);
}

void source_notice(const struct source *src, const char *format, ...)
{
	va_list va;

	va_start(va, format);
	tell(notice_msg, src, format, va);
	va_end(va);
}

static ssize_t interrupted_msg(const struct source *src)
{
	error_msg("slot '%s': %s: interrupted; stage it again", src->slot, src->file);
	return -1;
}

bool source_open(struct source *src, const char *slot, const char *file, const char *path)
{
	memset(src, 0, sizeof(*src));
	src->slot = slot;
	src->file = file;
	src->size = SOURCE_SIZE_UNKNOWN;
	if (strcmp(path, "-")) {
		src->name = xasprintf("'%s'", path);
		src->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	} else {
		src->name = xasprintf("from standard input");
		src->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	if (src->fd < 0 || fstat(src->fd, &src->st)) {
		source_error(src, "cannot be opened: %s", strerror(errno));
		return false;
	}
	if (S_ISDIR(src->st.st_mode)) {
		source_error(src, "is a directory; give a file");
		return false;
	}
	/* Standard input may be a file that somebody has read from; files of procfs have no size */
	if (S_ISREG(src->st.st_mode) && src->st.st_size) {
		off_t pos = lseek(src->fd, 0, SEEK_CUR);

		src->start = pos > 0 ? pos : 0;
		src->size = src->st.st_size - (src->start < (u64)src->st.st_size ?
					       src->start : (u64)src->st.st_size);
	}
	return true;
}

bool source_open_part(struct source *src, const struct source *whole, const char *file,
		      const char *name, const struct file_range *range, struct checksum *sums,
		      size_t nr_sums)
{
	memset(src, 0, sizeof(*src));
	src->slot = whole->slot;
	src->file = file;
	src->name = xasprintf("%s, image '%s'", whole->name, name);
	src->st = whole->st;
	src->start = range->offset;
	src->size = range->size;
	src->sums = sums;
	src->nr_sums = nr_sums;
	src->fd = fcntl(whole->fd, F_DUPFD_CLOEXEC, 3);
	if (src->fd < 0) {
		source_error(src, "cannot be opened: %s", strerror(errno));
		return false;
	}
	return true;
}

void source_close(struct source *src)
{
	if (src->name)
		close_fd(src->fd);
	while (src->nr_sums)
		checksum_free(&src->sums[--src->nr_sums]);
	free(src->sums);
	free(src->name);
	memset(src, 0, sizeof(*src));
}

static ssize_t read_once(struct source *src, void *buf, size_t len)
{
	ssize_t n;

	if (src->size != SOURCE_SIZE_UNKNOWN) {
		n = sys_pread(src->fd, buf, len, src->start + src->pos);
		if (!n) {
			source_error(src, "ends after %llu of %llu bytes: it was cut off; %s",
				     src->pos, src->size, "stage it again once it is whole");
			return -1;
		}
	} else {
		if (!interrupt_wait(src->fd))
			return interrupted_msg(src);
		n = sys_read(src->fd, buf, len);
	}
	if (n < 0) {
		source_error(src, "cannot be read: %s", strerror(-n));
		return -1;
	}
	return n;
}

/* Beneath what source_narrow() and source_peek() do */
static ssize_t read_raw(struct source *src, u8 *buf, size_t len)
{
	size_t done = 0, i;
	ssize_t n;

	if (src->size != SOURCE_SIZE_UNKNOWN && len > src->size - src->pos)
		len = src->size - src->pos;
	while (done < len) {
		n = read_once(src, buf + done, len - done);
		if (n < 0)
			return -1;
		if (!n)
			break;
		for (i = 0; i < src->nr_sums; i++)
			checksum_update(&src->sums[i], buf + done, n);
		src->pos += n;
		done += n;
	}
	return done;
}

bool source_peek(struct source *src)
{
	ssize_t n = read_raw(src, src->peek, sizeof(src->peek));

	if (n < 0)
		return false;
	if (!n) {
		source_error(src, "is empty");
		return false;
	}
	src->peek_len = n;
	return true;
}

/* What was peeked at is read first */
static ssize_t read_peeked(struct source *src, u8 *buf, size_t len)
{
	if (len > src->peek_len)
		len = src->peek_len;
	memcpy(buf, src->peek, len);
	src->peek_len -= len;
	memmove(src->peek, src->peek + len, src->peek_len);
	return len;
}

static ssize_t read_part(struct source *src, u8 *buf, size_t len)
{
	size_t peeked = read_peeked(src, buf, len);
	ssize_t n = 0;

	if (peeked < len)
		n = read_raw(src, buf + peeked, len - peeked);
	return n < 0 ? -1 : (ssize_t)(peeked + n);
}

ssize_t source_read(struct source *src, void *buf, size_t len)
{
	ssize_t n;

	if (interrupted())
		return interrupted_msg(src);
	if (src->narrowed && len > src->left)
		len = src->left;
	n = read_part(src, buf, len);
	if (n < 0 || !src->narrowed)
		return n;
	src->left -= n;
	if ((size_t)n < len) {
		source_error(src, "is cut off: %llu bytes are missing", src->left);
		return -1;
	}
	return n;
}

/* Read on without use for it, up to the end or so many bytes */
static bool drain(struct source *src, u64 len)
{
	u8 buf[DRAIN_LEN];
	ssize_t n;

	while (len) {
		n = source_read(src, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (n <= 0)
			return !n;
		len -= n;
	}
	return true;
}

bool source_narrow(struct source *src, const struct file_range *range)
{
	if (src->size != SOURCE_SIZE_UNKNOWN &&
	    (range->offset > src->size || range->size > src->size - range->offset)) {
		source_error(src, "is cut off: what it says is in it ends behind its end");
		return false;
	}
	if (!drain(src, range->offset))
		return false;
	src->narrowed = true;
	src->left = range->size;
	return true;
}

static bool check_sums(struct source *src)
{
	size_t i;

	for (i = 0; i < src->nr_sums; i++) {
		if (!checksum_matches(&src->sums[i])) {
			source_error(src, "does not have its %s; get the file again",
				     src->sums[i].algo);
			return false;
		}
	}
	return true;
}

bool source_finish(struct source *src)
{
	struct stat st;

	src->narrowed = false;
	if (!drain(src, SOURCE_SIZE_UNKNOWN))
		return false;
	if (!fstat(src->fd, &st) && S_ISREG(st.st_mode) &&
	    (st.st_size != src->st.st_size || st.st_mtim.tv_sec != src->st.st_mtim.tv_sec ||
	     st.st_mtim.tv_nsec != src->st.st_mtim.tv_nsec)) {
		source_error(src, "was changed while it was read; stage it again once it is whole");
		return false;
	}
	return check_sums(src);
}
